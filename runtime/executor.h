// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks a schedule on the CPU.

#ifndef DLC_RUNTIME_EXECUTOR_H
#define DLC_RUNTIME_EXECUTOR_H

#include "runtime/device.h"

namespace dlc::runtime {

// Runs every command in order, each over its work-groups on the device's workers. Allocates nothing.
dlc_code_t execute(device *device, const execution *execution, dlc_status_t *status);

} // namespace dlc::runtime

#endif // DLC_RUNTIME_EXECUTOR_H
