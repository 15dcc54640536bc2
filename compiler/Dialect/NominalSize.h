// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes of tensors for decisions that need a number while dimensions are still symbols.
#ifndef DLC_COMPILER_DIALECT_NOMINALSIZE_H
#define DLC_COMPILER_DIALECT_NOMINALSIZE_H

#include "compiler/Dialect/Dl.h"

namespace dlc::dl {

/// Bytes of a tensor when every symbolic dimension is 64.
inline int64_t nominalBytes(TensorType type) {
  unsigned bits = type.getElementType().getIntOrFloatBitWidth();
  return nominalValue(type.getElementCount()) * std::max(1u, bits / 8);
}

} // namespace dlc::dl

#endif // DLC_COMPILER_DIALECT_NOMINALSIZE_H
