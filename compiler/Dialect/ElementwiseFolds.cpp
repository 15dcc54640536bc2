// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Folds of the operations that work element by element. A fold must give the bits that the operation would
// give (NaN payloads aside), so
//   - x + 0 stays, because -0 + 0 is +0, but x + -0 and x - 0 are x; x * 0 stays, because of infinities and
//     NaN, but x * 1 and x / 1 are x. Integers have no such worries;
//   - exp, log, tanh, sin, cos, erf and powers with fractional exponents stay: their polynomials belong to
//     code generation, and the host's library rounds differently.

#include "compiler/Dialect/Dl.h"

#include "compiler/Numerics.h"

namespace dlc::dl {

using namespace mlir;

namespace {

constexpr auto kNearest = APFloat::rmNearestTiesToEven;

bool isUnsigned(Type type) {
  return type.isUnsignedInteger() || type.isInteger(1);
}

OpFoldResult attributeOf(Type type, const APFloat &value) {
  return FloatAttr::get(type, value);
}
OpFoldResult attributeOf(Type type, const APInt &value) {
  return IntegerAttr::get(type, value);
}

/// f(x) for a constant x; `real` or `integer` may be null where the operation does not fold.
OpFoldResult foldUnary(Attribute operand, llvm::function_ref<APFloat(APFloat)> real,
                       llvm::function_ref<APInt(APInt)> integer = nullptr) {
  if (auto x = dyn_cast_or_null<FloatAttr>(operand); x && real)
    return attributeOf(x.getType(), real(x.getValue()));
  if (auto x = dyn_cast_or_null<IntegerAttr>(operand); x && integer)
    return attributeOf(x.getType(), integer(x.getValue()));
  return {};
}

/// f(a, b) for constants; an empty result where `integer` returns nothing.
OpFoldResult foldBinary(Attribute lhs, Attribute rhs, llvm::function_ref<APFloat(APFloat, APFloat)> real,
                        llvm::function_ref<std::optional<APInt>(APInt, APInt)> integer) {
  if (auto a = dyn_cast_or_null<FloatAttr>(lhs))
    if (auto b = dyn_cast_or_null<FloatAttr>(rhs); b && real)
      return attributeOf(a.getType(), real(a.getValue(), b.getValue()));
  if (auto a = dyn_cast_or_null<IntegerAttr>(lhs))
    if (auto b = dyn_cast_or_null<IntegerAttr>(rhs); b && integer)
      if (std::optional<APInt> result = integer(a.getValue(), b.getValue()))
        return attributeOf(a.getType(), *result);
  return {};
}

bool isReal(Attribute attribute, double value) {
  auto real = dyn_cast_or_null<FloatAttr>(attribute);
  if (!real)
    return false;
  double actual = real.getValueAsDouble();
  return actual == value && std::signbit(actual) == std::signbit(value);
}

bool isInteger(Attribute attribute, int64_t value) {
  auto integer = dyn_cast_or_null<IntegerAttr>(attribute);
  return integer && integer.getValue() == APInt(integer.getValue().getBitWidth(), value, true, true);
}

bool isOne(Attribute attribute) {
  return isReal(attribute, 1) || isInteger(attribute, 1);
}

APFloat floorOf(APFloat x) {
  x.roundToIntegral(APFloat::rmTowardNegative);
  return x;
}

APFloat add(APFloat a, const APFloat &b) {
  a.add(b, kNearest);
  return a;
}
APFloat subtract(APFloat a, const APFloat &b) {
  a.subtract(b, kNearest);
  return a;
}
APFloat multiply(APFloat a, const APFloat &b) {
  a.multiply(b, kNearest);
  return a;
}
APFloat divide(APFloat a, const APFloat &b) {
  a.divide(b, kNearest);
  return a;
}

/// a / b rounded towards negative infinity; nothing for a divisor of 0 and for the quotient that overflows.
std::optional<APInt> floorDivide(const APInt &a, const APInt &b, bool isUnsigned) {
  if (b.isZero())
    return std::nullopt;
  if (isUnsigned)
    return a.udiv(b);
  if (a.isMinSignedValue() && b.isAllOnes())
    return std::nullopt;
  APInt quotient = a.sdiv(b);
  return a.srem(b) != 0 && a.isNegative() != b.isNegative() ? quotient - 1 : quotient;
}

bool isFalseOrTrue(Attribute attribute, bool value) {
  auto integer = dyn_cast_or_null<IntegerAttr>(attribute);
  return integer && integer.getType().isInteger(1) && integer.getValue().isOne() == value;
}

bool holds(Predicate predicate, const APFloat &a, const APFloat &b) {
  APFloat::cmpResult order = a.compare(b);
  switch (predicate) {
  case Predicate::Eq:
    return order == APFloat::cmpEqual;
  case Predicate::Ne:
    return order != APFloat::cmpEqual;
  case Predicate::Lt:
    return order == APFloat::cmpLessThan;
  case Predicate::Le:
    return order == APFloat::cmpLessThan || order == APFloat::cmpEqual;
  case Predicate::Gt:
    return order == APFloat::cmpGreaterThan;
  case Predicate::Ge:
    return order == APFloat::cmpGreaterThan || order == APFloat::cmpEqual;
  }
  llvm_unreachable("unknown predicate");
}

bool holds(Predicate predicate, const APInt &a, const APInt &b, bool isUnsigned) {
  bool less = isUnsigned ? a.ult(b) : a.slt(b);
  switch (predicate) {
  case Predicate::Eq:
    return a == b;
  case Predicate::Ne:
    return a != b;
  case Predicate::Lt:
    return less;
  case Predicate::Le:
    return less || a == b;
  case Predicate::Gt:
    return !less && a != b;
  case Predicate::Ge:
    return !less;
  }
  llvm_unreachable("unknown predicate");
}

/// Whether every value of `from` is a value of `to`.
bool isExact(Type from, Type to) {
  auto fromFloat = dyn_cast<FloatType>(from), toFloat = dyn_cast<FloatType>(to);
  if (fromFloat && toFloat)
    return llvm::APFloatBase::isRepresentableBy(fromFloat.getFloatSemantics(), toFloat.getFloatSemantics());
  if (fromFloat)
    return false;
  unsigned magnitude = from.getIntOrFloatBitWidth() - !isUnsigned(from);
  if (toFloat)
    return magnitude <= toFloat.getFPMantissaWidth();
  if (isUnsigned(to))
    return isUnsigned(from) && magnitude <= to.getIntOrFloatBitWidth();
  return magnitude < to.getIntOrFloatBitWidth();
}

/// A constant in another element type.
OpFoldResult convert(Attribute operand, Type to) {
  if (auto x = dyn_cast_or_null<FloatAttr>(operand)) {
    APFloat value = x.getValue();
    if (auto toFloat = dyn_cast<FloatType>(to)) {
      bool losesInfo;
      value.convert(toFloat.getFloatSemantics(), kNearest, &losesInfo);
      return attributeOf(to, value);
    }
    if (to.isInteger(1))
      return attributeOf(to, APInt(1, !value.isZero()));
    // convertToInteger saturates, and gives 0 for NaN.
    llvm::APSInt integer(to.getIntOrFloatBitWidth(), isUnsigned(to));
    bool isExactValue;
    value.convertToInteger(integer, APFloat::rmTowardZero, &isExactValue);
    return attributeOf(to, static_cast<const APInt &>(integer));
  }
  auto x = dyn_cast_or_null<IntegerAttr>(operand);
  if (!x)
    return {};
  const APInt &value = x.getValue();
  if (auto toFloat = dyn_cast<FloatType>(to)) {
    APFloat real(toFloat.getFloatSemantics());
    real.convertFromAPInt(value, !isUnsigned(x.getType()), kNearest);
    return attributeOf(to, real);
  }
  if (to.isInteger(1))
    return attributeOf(to, APInt(1, !value.isZero()));
  unsigned width = to.getIntOrFloatBitWidth();
  return attributeOf(to, isUnsigned(x.getType()) ? value.zextOrTrunc(width) : value.sextOrTrunc(width));
}

} // namespace

//===----------------------------------------------------------------------===//
// Unary
//===----------------------------------------------------------------------===//

OpFoldResult NegOp::fold(FoldAdaptor adaptor) {
  if (auto inner = getOperand().getDefiningOp<NegOp>())
    return inner.getOperand(); // -(-x) = x
  return foldUnary(adaptor.getOperand(), [](APFloat x) { return -x; }, [](APInt x) { return -x; });
}

OpFoldResult AbsOp::fold(FoldAdaptor adaptor) {
  if (getOperand().getDefiningOp<AbsOp>())
    return getOperand(); // ||x|| = |x|
  if (auto negation = getOperand().getDefiningOp<NegOp>()) {
    setOperand(negation.getOperand()); // |-x| = |x|
    return getResult();
  }
  bool keeps = isUnsigned(getType().getElementType());
  return foldUnary(
      adaptor.getOperand(), [](APFloat x) { return llvm::abs(x); },
      [&](APInt x) { return keeps ? x : x.abs(); });
}

OpFoldResult SqrtOp::fold(FoldAdaptor adaptor) {
  // The root of a double, rounded once more, is the correctly rounded root of every narrower type.
  return foldUnary(adaptor.getOperand(), [](APFloat x) {
    const llvm::fltSemantics &semantics = x.getSemantics();
    bool losesInfo;
    x.convert(APFloat::IEEEdouble(), kNearest, &losesInfo);
    APFloat root(std::sqrt(x.convertToDouble()));
    root.convert(semantics, kNearest, &losesInfo);
    return root;
  });
}

OpFoldResult FloorOp::fold(FoldAdaptor adaptor) {
  if (getOperand().getDefiningOp<FloorOp>())
    return getOperand();
  return foldUnary(adaptor.getOperand(), floorOf);
}

OpFoldResult FlushOp::fold(FoldAdaptor adaptor) {
  if (getOperand().getDefiningOp<FlushOp>())
    return getOperand();
  return foldUnary(adaptor.getOperand(), [](APFloat x) {
    bool losesInfo;
    APFloat wide = x;
    wide.convert(APFloat::IEEEdouble(), kNearest, &losesInfo);
    bool isSmall = std::fabs(wide.convertToDouble()) < numerics::kFlushThreshold;
    return isSmall ? APFloat::getZero(x.getSemantics()) : x;
  });
}

OpFoldResult NotOp::fold(FoldAdaptor adaptor) {
  if (auto inner = getOperand().getDefiningOp<NotOp>())
    return inner.getOperand();
  return foldUnary(adaptor.getOperand(), nullptr, [](APInt x) { return ~x; });
}

#define DLC_STAYS(OP)                                                                                        \
  OpFoldResult OP::fold(FoldAdaptor) {                                                                       \
    return {};                                                                                               \
  }
DLC_STAYS(ExpOp)
DLC_STAYS(LogOp)
DLC_STAYS(TanhOp)
DLC_STAYS(SinOp)
DLC_STAYS(CosOp)
DLC_STAYS(ErfOp)
#undef DLC_STAYS

//===----------------------------------------------------------------------===//
// Binary
//===----------------------------------------------------------------------===//

OpFoldResult AddOp::fold(FoldAdaptor adaptor) {
  Attribute lhs = adaptor.getLhs(), rhs = adaptor.getRhs();
  if (isReal(rhs, -0.0) || isInteger(rhs, 0))
    return getLhs();
  if (isReal(lhs, -0.0) || isInteger(lhs, 0))
    return getRhs();
  return foldBinary(lhs, rhs, add, [](APInt a, APInt b) { return a + b; });
}

OpFoldResult SubOp::fold(FoldAdaptor adaptor) {
  if (isReal(adaptor.getRhs(), 0.0) || isInteger(adaptor.getRhs(), 0))
    return getLhs();
  if (getLhs() == getRhs() && isa<IntegerType>(getType().getElementType()))
    return IntegerAttr::get(getType().getElementType(), 0);
  return foldBinary(adaptor.getLhs(), adaptor.getRhs(), subtract, [](APInt a, APInt b) { return a - b; });
}

OpFoldResult MulOp::fold(FoldAdaptor adaptor) {
  Attribute lhs = adaptor.getLhs(), rhs = adaptor.getRhs();
  if (isOne(rhs) || isInteger(lhs, 0))
    return getLhs();
  if (isOne(lhs) || isInteger(rhs, 0))
    return getRhs();
  return foldBinary(lhs, rhs, multiply, [](APInt a, APInt b) { return a * b; });
}

OpFoldResult DivOp::fold(FoldAdaptor adaptor) {
  if (isOne(adaptor.getRhs()))
    return getLhs();
  bool isUnsignedType = isUnsigned(getType().getElementType());
  return foldBinary(adaptor.getLhs(), adaptor.getRhs(), divide,
                    [&](APInt a, APInt b) { return floorDivide(a, b, isUnsignedType); });
}

OpFoldResult RemOp::fold(FoldAdaptor adaptor) {
  bool isUnsignedType = isUnsigned(getType().getElementType());
  return foldBinary(
      adaptor.getLhs(), adaptor.getRhs(),
      [](APFloat a, APFloat b) { return subtract(a, multiply(b, floorOf(divide(a, b)))); },
      [&](APInt a, APInt b) -> std::optional<APInt> {
        std::optional<APInt> quotient = floorDivide(a, b, isUnsignedType);
        return quotient ? std::optional(a - b * *quotient) : std::nullopt;
      });
}

OpFoldResult PowOp::fold(FoldAdaptor adaptor) {
  if (isReal(adaptor.getRhs(), 1))
    return getLhs();
  if (isReal(adaptor.getRhs(), 0) || isReal(adaptor.getRhs(), -0.0))
    return FloatAttr::get(getType().getElementType(), 1);
  return {};
}

OpFoldResult MaxOp::fold(FoldAdaptor adaptor) {
  if (getLhs() == getRhs())
    return getLhs();
  bool isUnsignedType = isUnsigned(getType().getElementType());
  return foldBinary(
      adaptor.getLhs(), adaptor.getRhs(), [](APFloat a, APFloat b) { return llvm::maximum(a, b); },
      [&](APInt a, APInt b) { return (isUnsignedType ? a.ugt(b) : a.sgt(b)) ? a : b; });
}

OpFoldResult MinOp::fold(FoldAdaptor adaptor) {
  if (getLhs() == getRhs())
    return getLhs();
  bool isUnsignedType = isUnsigned(getType().getElementType());
  return foldBinary(
      adaptor.getLhs(), adaptor.getRhs(), [](APFloat a, APFloat b) { return llvm::minimum(a, b); },
      [&](APInt a, APInt b) { return (isUnsignedType ? a.ult(b) : a.slt(b)) ? a : b; });
}

OpFoldResult AndOp::fold(FoldAdaptor adaptor) {
  if (getLhs() == getRhs() || isFalseOrTrue(adaptor.getRhs(), true) || isFalseOrTrue(adaptor.getLhs(), false))
    return getLhs();
  if (isFalseOrTrue(adaptor.getLhs(), true) || isFalseOrTrue(adaptor.getRhs(), false))
    return getRhs();
  return {};
}

OpFoldResult OrOp::fold(FoldAdaptor adaptor) {
  if (getLhs() == getRhs() || isFalseOrTrue(adaptor.getRhs(), false) || isFalseOrTrue(adaptor.getLhs(), true))
    return getLhs();
  if (isFalseOrTrue(adaptor.getLhs(), false) || isFalseOrTrue(adaptor.getRhs(), true))
    return getRhs();
  return {};
}

//===----------------------------------------------------------------------===//
// Compare, select, cast
//===----------------------------------------------------------------------===//

OpFoldResult CompareOp::fold(FoldAdaptor adaptor) {
  Type boolean = getType().getElementType();
  Predicate predicate = getPredicate();
  if (getLhs() == getRhs()) {
    bool isStrict = predicate == Predicate::Lt || predicate == Predicate::Gt;
    if (isStrict) // false for NaN as well
      return IntegerAttr::get(boolean, 0);
    if (isa<IntegerType>(getLhs().getType().getElementType()))
      return IntegerAttr::get(boolean, predicate != Predicate::Ne);
    return {};
  }
  if (auto a = dyn_cast_or_null<FloatAttr>(adaptor.getLhs()))
    if (auto b = dyn_cast_or_null<FloatAttr>(adaptor.getRhs()))
      return IntegerAttr::get(boolean, holds(predicate, a.getValue(), b.getValue()));
  if (auto a = dyn_cast_or_null<IntegerAttr>(adaptor.getLhs()))
    if (auto b = dyn_cast_or_null<IntegerAttr>(adaptor.getRhs()))
      return IntegerAttr::get(boolean, holds(predicate, a.getValue(), b.getValue(), isUnsigned(a.getType())));
  return {};
}

OpFoldResult SelectOp::fold(FoldAdaptor adaptor) {
  if (getOnTrue() == getOnFalse() || isFalseOrTrue(adaptor.getCondition(), true))
    return getOnTrue();
  if (isFalseOrTrue(adaptor.getCondition(), false))
    return getOnFalse();
  if (isFalseOrTrue(adaptor.getOnTrue(), true) && isFalseOrTrue(adaptor.getOnFalse(), false))
    return getCondition();
  // Both branches filled with the same bits.
  if (adaptor.getOnTrue() && adaptor.getOnTrue() == adaptor.getOnFalse())
    return getOnTrue();
  return {};
}

OpFoldResult CastOp::fold(FoldAdaptor adaptor) {
  if (getOperand().getType() == getType())
    return getOperand();
  // a -> b -> c is a -> c where b holds every a. Through a float, an integer would saturate and not wrap:
  // only back to its own type.
  if (auto inner = getOperand().getDefiningOp<CastOp>()) {
    Type a = inner.getOperand().getType().getElementType(), b = inner.getType().getElementType();
    Type c = getType().getElementType();
    bool saturates = isa<IntegerType>(a) && isa<FloatType>(b) && isa<IntegerType>(c);
    if (isExact(a, b) && (!saturates || isExact(a, c))) {
      setOperand(inner.getOperand());
      return getResult();
    }
  }
  return convert(adaptor.getOperand(), getType().getElementType());
}

} // namespace dlc::dl
