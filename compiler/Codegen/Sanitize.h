// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `--sanitize`: kernels with LLVM's AddressSanitizer in them. An image imports nothing, so each function of
// the sanitizer becomes a jump through eight bytes of the image, which the loader fills (artifact::Import).

#ifndef DLC_COMPILER_CODEGEN_SANITIZE_H
#define DLC_COMPILER_CODEGEN_SANITIZE_H

namespace llvm {
class Module;
} // namespace llvm

namespace dlc::codegen {

/// The symbol of the eight bytes for `f` is this followed by its name. It lies in .text.
inline constexpr const char kImportPrefix[] = "dlc_import.";

/// Instruments the functions that carry the attribute sanitize_address, and defines what they call.
/// Run last, on optimized IR with its target set.
void instrumentKernels(llvm::Module &module);

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_SANITIZE_H
