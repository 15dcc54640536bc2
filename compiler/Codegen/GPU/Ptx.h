// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DLC_COMPILER_CODEGEN_GPU_PTX_H
#define DLC_COMPILER_CODEGEN_GPU_PTX_H

#include "compiler/Codegen/Lowering.h"

namespace dlc::codegen {

/// Gives the kernels' functions names that PTX takes: "block1.conv" becomes block1_conv, or block1_conv_2
/// where that is taken.
void nameEntries(ModuleOp kernels);

/// Checks generated PTX (nothing may be called or approximated) and names its kernels.
FailureOr<CodeImage> finishPtx(StringRef text, ArrayRef<std::string> names, std::string &error);

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_GPU_PTX_H
