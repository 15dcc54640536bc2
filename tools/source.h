// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The verbs of dlc that work on the text of .dl files. Each returns an exit status and prints its own errors.
#ifndef DLC_TOOLS_SOURCE_H
#define DLC_TOOLS_SOURCE_H

#include "tools/cli/options.h"

namespace dlc {

/// dlc fmt: formats options.files in place, to standard output, or checks them.
int format(const cli::Options &options);

/// dlc doc: prints what options.name is, or lists what there is.
int document(const cli::Options &options);

} // namespace dlc

#endif // DLC_TOOLS_SOURCE_H
