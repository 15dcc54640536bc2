// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bits and roundings of floating-point numbers, of which elementary functions are made.

#ifndef DLC_COMPILER_CODEGEN_FLOATPARTS_H
#define DLC_COMPILER_CODEGEN_FLOATPARTS_H

#include "compiler/Codegen/ValueBuilder.h"

#include <cmath>

namespace dlc::codegen {

using FloatPredicate = arith::CmpFPredicate;

/// The format of a floating-point type.
struct Format {
  unsigned fractionBits;
  int64_t bias;
  Type integer;

  static Format of(ValueBuilder &v, Value x) {
    if (ValueBuilder::scalarOf(x.getType()).isF64())
      return {52, 1023, v.i64()};
    return {23, 127, v.i32()};
  }
};

inline bool isDouble(Value x) {
  return ValueBuilder::scalarOf(x.getType()).isF64();
}

/// 2^n for an integer n in the range of normal numbers.
inline Value powerOfTwo(ValueBuilder &v, Value n, const Format &format, Type scalar) {
  Value biased = v.addi(n, v.constant(n, static_cast<double>(format.bias)));
  return v.bitcast(v.shli(biased, format.fractionBits), scalar);
}

/// x rounded to the nearest integer, as a float and as an integer, by adding 1.5 · 2^fractionBits: no
/// conversion that a NaN would make undefined. |x| < 2^(fractionBits - 1).
inline std::pair<Value, Value> roundToInteger(ValueBuilder &v, Value x) {
  Format format = Format::of(v, x);
  Value magic = v.constant(x, std::ldexp(1.5, static_cast<int>(format.fractionBits)));
  Value shifted = v.addf(x, magic);
  Value integer = v.subi(v.bitcast(shifted, format.integer), v.bitcast(magic, format.integer));
  return {v.subf(shifted, magic), integer};
}

/// sign of `from`, magnitude of `magnitude` (which is not negative).
inline Value copySign(ValueBuilder &v, Value magnitude, Value from) {
  Format format = Format::of(v, from);
  Value bits = v.bitcast(from, format.integer);
  Value sign =
      v.shli(v.shrui(bits, format.fractionBits == 52 ? 63 : 31), format.fractionBits == 52 ? 63 : 31);
  return v.bitcast(v.ori(v.bitcast(magnitude, format.integer), sign), ValueBuilder::scalarOf(from.getType()));
}

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_FLOATPARTS_H
