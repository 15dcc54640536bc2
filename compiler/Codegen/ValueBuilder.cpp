// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Codegen/ValueBuilder.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

namespace dlc::codegen {

Type ValueBuilder::f32() {
  return emitter.getBuilder().getF32Type();
}
Type ValueBuilder::f64() {
  return emitter.getBuilder().getF64Type();
}
Type ValueBuilder::i1() {
  return emitter.getBuilder().getI1Type();
}
Type ValueBuilder::i8() {
  return emitter.getBuilder().getI8Type();
}
Type ValueBuilder::i16() {
  return emitter.getBuilder().getI16Type();
}
Type ValueBuilder::i32() {
  return emitter.getBuilder().getI32Type();
}
Type ValueBuilder::i64() {
  return emitter.getBuilder().getI64Type();
}

void ValueBuilder::unify(Value &a, Value &b) {
  if (isa<VectorType>(a.getType()))
    b = emitter.broadcast(b);
  else if (isa<VectorType>(b.getType()))
    a = emitter.broadcast(a);
}

void ValueBuilder::unify(Value &a, Value &b, Value &c) {
  unify(a, b);
  unify(a, c);
  unify(a, b);
}

Type ValueBuilder::withScalar(Type like, Type scalar) {
  if (auto vector = dyn_cast<VectorType>(like))
    return VectorType::get(vector.getShape(), scalar);
  return scalar;
}

template <typename OpTy> Value ValueBuilder::binary(Value a, Value b) {
  unify(a, b);
  return emitter.create<OpTy>({a, b}, a, b);
}
template <typename OpTy> Value ValueBuilder::unary(Value a) {
  return emitter.create<OpTy>({a}, a);
}
template <typename OpTy> Value ValueBuilder::convert(Value a, Type scalar) {
  if (scalarOf(a.getType()) == scalar)
    return a;
  return emitter.create<OpTy>({a}, withScalar(a.getType(), scalar), a);
}

Value ValueBuilder::addf(Value a, Value b) {
  return binary<arith::AddFOp>(a, b);
}
Value ValueBuilder::subf(Value a, Value b) {
  return binary<arith::SubFOp>(a, b);
}
Value ValueBuilder::mulf(Value a, Value b) {
  return binary<arith::MulFOp>(a, b);
}
Value ValueBuilder::divf(Value a, Value b) {
  return binary<arith::DivFOp>(a, b);
}
Value ValueBuilder::negf(Value a) {
  return unary<arith::NegFOp>(a);
}
Value ValueBuilder::absf(Value a) {
  return unary<math::AbsFOp>(a);
}
Value ValueBuilder::sqrt(Value a) {
  return unary<math::SqrtOp>(a);
}
Value ValueBuilder::floor(Value a) {
  return unary<math::FloorOp>(a);
}

Value ValueBuilder::fma(Value a, Value b, Value c) {
  unify(a, b, c);
  return emitter.create<math::FmaOp>({a, b, c}, a, b, c);
}

Value ValueBuilder::maxf(Value a, Value b) {
  using P = arith::CmpFPredicate;
  if (matchPattern(a, m_PosZeroFloat()))
    std::swap(a, b);
  // max(x, +0): the sum turns -0 into +0 and changes nothing else; a NaN fails the comparison and stays.
  if (matchPattern(b, m_PosZeroFloat()))
    return addf(select(cmpf(P::OGT, b, a), b, a), b);
  if (emitter.getLanes() > 1)
    return binary<arith::MaximumFOp>(a, b);
  // Equal values differ in the sign of zero at most; what is unordered has a NaN, which the sum keeps.
  Type bits = scalarOf(a.getType()).isF64() ? i64() : i32();
  Value equal = bitcast(andi(bitcast(a, bits), bitcast(b, bits)), scalarOf(a.getType()));
  Value rest = select(cmpf(P::OEQ, a, b), equal, addf(a, b));
  return select(cmpf(P::OGT, a, b), a, select(cmpf(P::OLT, a, b), b, rest));
}

Value ValueBuilder::minf(Value a, Value b) {
  if (emitter.getLanes() > 1)
    return binary<arith::MinimumFOp>(a, b);
  using P = arith::CmpFPredicate;
  Type bits = scalarOf(a.getType()).isF64() ? i64() : i32();
  Value equal = bitcast(ori(bitcast(a, bits), bitcast(b, bits)), scalarOf(a.getType()));
  Value rest = select(cmpf(P::OEQ, a, b), equal, addf(a, b));
  return select(cmpf(P::OLT, a, b), a, select(cmpf(P::OGT, a, b), b, rest));
}

Value ValueBuilder::cmpf(arith::CmpFPredicate predicate, Value a, Value b) {
  unify(a, b);
  return emitter.create<arith::CmpFOp>({a, b}, predicate, a, b);
}

Value ValueBuilder::polynomial(Value x, ArrayRef<double> coefficients) {
  Value result = constant(x, coefficients.back());
  for (double coefficient : llvm::reverse(coefficients.drop_back()))
    result = fma(result, x, constant(x, coefficient));
  return result;
}

Value ValueBuilder::addi(Value a, Value b) {
  return binary<arith::AddIOp>(a, b);
}
Value ValueBuilder::subi(Value a, Value b) {
  return binary<arith::SubIOp>(a, b);
}
Value ValueBuilder::muli(Value a, Value b) {
  return binary<arith::MulIOp>(a, b);
}
Value ValueBuilder::divui(Value a, Value b) {
  return binary<arith::DivUIOp>(a, b);
}
Value ValueBuilder::remui(Value a, Value b) {
  return binary<arith::RemUIOp>(a, b);
}
Value ValueBuilder::andi(Value a, Value b) {
  return binary<arith::AndIOp>(a, b);
}
Value ValueBuilder::ori(Value a, Value b) {
  return binary<arith::OrIOp>(a, b);
}
Value ValueBuilder::xori(Value a, Value b) {
  return binary<arith::XOrIOp>(a, b);
}
Value ValueBuilder::shli(Value a, int64_t bits) {
  return binary<arith::ShLIOp>(a, constant(a, bits));
}
Value ValueBuilder::shrui(Value a, int64_t bits) {
  return binary<arith::ShRUIOp>(a, constant(a, bits));
}
Value ValueBuilder::shrsi(Value a, int64_t bits) {
  return binary<arith::ShRSIOp>(a, constant(a, bits));
}

Value ValueBuilder::cmpi(arith::CmpIPredicate predicate, Value a, Value b) {
  unify(a, b);
  return emitter.create<arith::CmpIOp>({a, b}, predicate, a, b);
}

Value ValueBuilder::select(Value condition, Value a, Value b) {
  unify(a, b);
  // A scalar condition chooses between vectors as a whole; a vector of conditions needs vectors.
  if (isa<VectorType>(condition.getType())) {
    a = emitter.broadcast(a);
    b = emitter.broadcast(b);
  }
  return emitter.create<arith::SelectOp>({condition, a, b}, condition, a, b);
}

Value ValueBuilder::notb(Value a) {
  return xori(a, constant(a, 1));
}

Value ValueBuilder::bitcast(Value a, Type scalar) {
  return convert<arith::BitcastOp>(a, scalar);
}
Value ValueBuilder::extui(Value a, Type scalar) {
  return convert<arith::ExtUIOp>(a, scalar);
}
Value ValueBuilder::extsi(Value a, Type scalar) {
  return convert<arith::ExtSIOp>(a, scalar);
}
Value ValueBuilder::trunci(Value a, Type scalar) {
  return convert<arith::TruncIOp>(a, scalar);
}
Value ValueBuilder::extf(Value a, Type scalar) {
  return convert<arith::ExtFOp>(a, scalar);
}
Value ValueBuilder::truncf(Value a, Type scalar) {
  return convert<arith::TruncFOp>(a, scalar);
}
Value ValueBuilder::sitofp(Value a, Type scalar) {
  return convert<arith::SIToFPOp>(a, scalar);
}
Value ValueBuilder::uitofp(Value a, Type scalar) {
  return convert<arith::UIToFPOp>(a, scalar);
}

Value ValueBuilder::toInteger(Value a, Type scalar, bool isUnsigned) {
  using P = arith::CmpFPredicate;
  unsigned width = scalar.getIntOrFloatBitWidth();
  // `limit` is the first power of two that does not fit; it is exact in every floating-point type. The range
  // is open below the smallest value because the fraction is cut off.
  double limit = std::ldexp(1.0, isUnsigned ? width : width - 1);
  double lowest = isUnsigned ? 0 : -limit;
  Value low = constant(a, lowest), high = constant(a, limit);
  Value tooLow = cmpf(P::OLT, a, low), tooHigh = cmpf(P::OGE, a, high), nan = isNaN(a);
  Value safe = select(ori(ori(tooLow, tooHigh), nan), constant(a, 0), a);
  // Narrow unsigned types fit a wider signed one, which every target converts to directly.
  Type through = isUnsigned && width < 32 ? i32() : scalar;
  Value converted = isUnsigned && width >= 32 ? convert<arith::FPToUIOp>(safe, through)
                                              : convert<arith::FPToSIOp>(safe, width < 32 ? i32() : through);
  if (width < 32)
    converted = trunci(converted, scalar);
  auto integer = [&](const APInt &value) {
    Value constant = emitter.constantOf(cast<TypedAttr>(IntegerAttr::get(scalar, value)));
    return isa<VectorType>(a.getType()) ? emitter.broadcast(constant) : constant;
  };
  APInt smallest = isUnsigned ? APInt::getZero(width) : APInt::getSignedMinValue(width);
  APInt largest = isUnsigned ? APInt::getMaxValue(width) : APInt::getSignedMaxValue(width);
  converted = select(tooLow, integer(smallest), converted);
  return select(tooHigh, integer(largest), converted);
}

Value ValueBuilder::roundTo(Value x, Type elementType) {
  if (elementType.isF16())
    return extf(truncf(x, elementType), f32());
  if (!elementType.isBF16())
    return x;
  // To nearest even in integer arithmetic: no target needs a conversion instruction for it.
  Value bits = bitcast(x, i32());
  Value odd = andi(shrui(bits, 16), constant(bits, 1));
  Value rounded = addi(addi(bits, constant(bits, 0x7FFF)), odd);
  rounded = andi(rounded, constant(bits, 0xFFFF0000));
  Value quiet = constant(bits, 0x7FC00000);
  return bitcast(select(isNaN(x), quiet, rounded), f32());
}

} // namespace dlc::codegen
