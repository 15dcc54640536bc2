// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic on elements, scalar or vector alike: where a scalar meets a vector it is broadcast, and every
// operation is placed by the emitter in the outermost scope that has its operands.

#ifndef DLC_COMPILER_CODEGEN_VALUEBUILDER_H
#define DLC_COMPILER_CODEGEN_VALUEBUILDER_H

#include "compiler/Codegen/ElementEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/TypeUtilities.h"

namespace dlc::codegen {

class ValueBuilder {
public:
  explicit ValueBuilder(ElementEmitter &emitter) : emitter(emitter) {}

  /// Makes scalars vectors when one operand is a vector.
  void unify(Value &a, Value &b);
  void unify(Value &a, Value &b, Value &c);
  /// `like` with another scalar type: f32 -> i32, vector<16xf32> -> vector<16xi32>.
  static Type withScalar(Type like, Type scalar);
  static Type scalarOf(Type type) { return getElementTypeOrSelf(type); }
  /// A constant of `like`'s type (or of its own).
  Value constant(Value like, double value) { return emitter.constantOf(like.getType(), value); }

  // Floating point: round to nearest even, no contraction.
  Value addf(Value a, Value b), subf(Value a, Value b), mulf(Value a, Value b), divf(Value a, Value b);
  Value negf(Value a), absf(Value a), sqrt(Value a), floor(Value a);
  Value fma(Value a, Value b, Value c); ///< a·b + c, rounded once.
  /// NaN if either is; max(-0, +0) = +0, min(-0, +0) = -0.
  Value maxf(Value a, Value b), minf(Value a, Value b);
  Value cmpf(arith::CmpFPredicate predicate, Value a, Value b);
  Value isNaN(Value a) { return cmpf(arith::CmpFPredicate::UNO, a, a); }
  /// Σ coefficients[i]·xⁱ by Horner's rule with fma.
  Value polynomial(Value x, ArrayRef<double> coefficients);

  // Integers.
  Value addi(Value a, Value b), subi(Value a, Value b), muli(Value a, Value b);
  Value divui(Value a, Value b), remui(Value a, Value b);
  Value andi(Value a, Value b), ori(Value a, Value b), xori(Value a, Value b);
  Value shli(Value a, int64_t bits), shrui(Value a, int64_t bits), shrsi(Value a, int64_t bits);
  Value cmpi(arith::CmpIPredicate predicate, Value a, Value b);
  Value select(Value condition, Value a, Value b);
  Value notb(Value a); ///< Of i1.

  // Conversions to a scalar type; vectors stay vectors.
  Value bitcast(Value a, Type scalar);
  Value extui(Value a, Type scalar), extsi(Value a, Type scalar), trunci(Value a, Type scalar);
  Value extf(Value a, Type scalar), truncf(Value a, Type scalar);
  Value sitofp(Value a, Type scalar), uitofp(Value a, Type scalar);
  /// Rounds the f32 in which an element of bf16 or f16 was computed to that type; others are what they are.
  Value roundTo(Value x, Type elementType);
  /// Truncates towards zero and saturates; NaN becomes 0.
  Value toInteger(Value a, Type scalar, bool isUnsigned);

  Type f32(), f64(), i1(), i8(), i16(), i32(), i64();

  ElementEmitter &emitter;

private:
  template <typename OpTy> Value binary(Value a, Value b);
  template <typename OpTy> Value unary(Value a);
  template <typename OpTy> Value convert(Value a, Type scalar);
};

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_VALUEBUILDER_H
