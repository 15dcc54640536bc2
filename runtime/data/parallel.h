// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Work on all processors, for loaders.
#ifndef DLC_RUNTIME_DATA_PARALLEL_H
#define DLC_RUNTIME_DATA_PARALLEL_H

#include "runtime/data/status.h"

#include <cstdint>
#include <functional>

namespace dlc::data {

/// Calls body for 0 to count - 1, each once, on as many threads as the process may use. When calls fail, the
/// result is the failure of the lowest index, whatever the number of threads.
Status parallel_for(int64_t count, const std::function<Status(int64_t)> &body);

} // namespace dlc::data

#endif // DLC_RUNTIME_DATA_PARALLEL_H
