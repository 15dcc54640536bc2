// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the runtime's format allows, for the passes that decide what becomes one kernel.

#ifndef DLC_COMPILER_LIMITS_H
#define DLC_COMPILER_LIMITS_H

namespace dlc {

/// The operands and results of a kernel together (runtime/verify.cpp refuses more).
inline constexpr unsigned kMaxBindings = 64;

} // namespace dlc

#endif // DLC_COMPILER_LIMITS_H
