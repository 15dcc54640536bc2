// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Masked loads and stores in the form in which LLVM 22's x86 backend gets them right. Two of its steps touch
// memory that a mask excludes:
//   - Where a masked load is wider than a register, and the mask of its upper part turns out to be constantly
//   off
//     while it is split, that part is loaded without a mask.
//   - A masked store of a truncated vector whose constant mask has one lane writes 4 bytes, however narrow
//   the
//     element (llvm/llvm-project#179489).

#ifndef DLC_COMPILER_CODEGEN_MASKEDACCESS_H
#define DLC_COMPILER_CODEGEN_MASKEDACCESS_H

namespace llvm {
class Module;
}

namespace dlc::codegen {

/// Splits masked loads and stores of 32- and 64-bit elements into parts of at most `registerBits` bits (256,
/// or 512), leaving out parts whose mask is off, and makes masked stores of one known lane plain stores. Runs
/// last, when no other pass of LLVM's IR can fold a mask any further.
void legalizeMaskedAccesses(llvm::Module &module, unsigned registerBits);

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_MASKEDACCESS_H
