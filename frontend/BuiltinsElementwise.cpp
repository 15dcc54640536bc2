// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Primitive functions that work element by element.

#include "frontend/Builtins.h"
#include "frontend/Elaborator.h"

#include <cmath>

namespace dlc::frontend {
namespace {

double foldAbs(double x) {
  return std::fabs(x);
}
double foldExp(double x) {
  return std::exp(x);
}
double foldLog(double x) {
  return std::log(x);
}
double foldSqrt(double x) {
  return std::sqrt(x);
}
double foldTanh(double x) {
  return std::tanh(x);
}
double foldSin(double x) {
  return std::sin(x);
}
double foldCos(double x) {
  return std::cos(x);
}
double foldErf(double x) {
  return std::erf(x);
}
double foldFloor(double x) {
  return std::floor(x);
}
double foldFlush(double x) {
  return std::fabs(x) < 0x1p-126 ? 0 : x;
}

/// f(x) of a number now, of a tensor or scalar at run time.
template <typename OpTy, double (*fold)(double)> Entity unary(Elaborator &e, BuiltinCall &call) {
  const Entity &x = call.args[0];
  constexpr bool takesIntegers = std::is_same_v<OpTy, dl::AbsOp>;
  constexpr bool givesIntegers = std::is_same_v<OpTy, dl::FloorOp>;
  if (x.isConstantInteger() && (takesIntegers || givesIntegers)) {
    int64_t value = *x.integer.getConstantValue();
    if (givesIntegers || value >= 0)
      return x;
    if (value != INT64_MIN)
      return e.integer(-value);
  }
  if (x.isNumber()) {
    double result = fold(x.asDouble());
    return givesIntegers && std::fabs(result) < 0x1p53 ? e.integer(static_cast<int64_t>(result))
                                                       : Entity::ofFloat(result);
  }
  if (x.isScalar() || x.isInteger()) {
    Value value = e.toRankZero(x, Float64Type::get(&e.context));
    return Entity::ofScalar(e.emit<OpTy>(value.getType(), value));
  }
  if (x.isTensor()) {
    Type element = x.tensorType().getElementType();
    if (isa<FloatType>(element) || (takesIntegers && !element.isInteger(1)))
      return Entity::ofTensor(e.emit<OpTy>(x.value.getType(), x.value));
  }
  e.error(call.argRanges[0], call.name + " needs a floating-point number or tensor, got " + describe(x));
  return Entity::poison();
}

/// where(c, a, b)
Entity where(Elaborator &e, BuiltinCall &call) {
  const Entity &condition = call.args[0];
  if (condition.isBool())
    return condition.flag ? call.args[1] : call.args[2];
  if (!condition.isTensor() || !condition.tensorType().getElementType().isInteger(1)) {
    e.error(call.argRanges[0], "where needs a bool tensor, got " + describe(condition));
    return Entity::poison();
  }
  std::array<Entity, 2> sides{call.args[1], call.args[2]};
  auto isBool = [](const Entity &entity) { return entity.isBool(); };
  for (Entity &side : sides)
    if (isBool(side)) // beside a bool tensor, or two bools
      side = Entity::ofTensor(e.constantInteger(e.tensorOf({}, IntegerType::get(&e.context, 1)), side.flag));
  if (!e.unifyOperands(sides, {call.argRanges[1], call.argRanges[2]}, call.range, "where"))
    return Entity::poison();
  if (sides[0].isScalar()) {
    if (condition.tensorType().isScalar())
      return Entity::ofScalar(
          e.emit<dl::SelectOp>(sides[0].value.getType(), condition.value, sides[0].value, sides[1].value));
    for (Entity &side : sides)
      side = Entity::ofTensor(e.toRankZero(side, Float32Type::get(&e.context)));
  }
  dl::TensorType conditionType = condition.tensorType(), type = sides[0].tensorType();
  std::optional<SmallVector<dl::PolynomialAttr>> shape = e.broadcastShapes(conditionType, type);
  if (!shape) {
    e.error(call.range,
            "where needs shapes that broadcast, got " + describe(conditionType) + " and " + describe(type));
    return Entity::poison();
  }
  return Entity::ofTensor(e.emit<dl::SelectOp>(type.withShape(*shape), e.broadcastTo(condition.value, *shape),
                                               e.broadcastTo(sides[0].value, *shape),
                                               e.broadcastTo(sides[1].value, *shape)));
}

/// cast(x, f32)
Entity cast(Elaborator &e, BuiltinCall &call) {
  const Entity &x = call.args[0], &type = call.args[1];
  if (type.kind != Entity::Kind::ElementType) {
    e.error(call.argRanges[1], "cast needs a data type such as f32, got " + describe(type));
    return Entity::poison();
  }
  if (x.isTensor()) {
    dl::TensorType result = x.tensorType().withElementType(type.elementType);
    return result == x.value.getType() ? x : Entity::ofTensor(e.emit<dl::CastOp>(result, x.value));
  }
  dl::TensorType result = e.tensorOf({}, type.elementType);
  if (x.isBool())
    return Entity::ofTensor(e.constantInteger(result, x.flag));
  if (!e.fits(x, type.elementType)) {
    e.error(call.argRanges[0], describe(x) + " does not fit " + describe(result));
    return Entity::poison();
  }
  if (x.isNumeric()) {
    bool isExact = isa<FloatType>(type.elementType) || x.isInteger();
    Value value = e.toRankZero(x, isExact ? type.elementType : Type(Float64Type::get(&e.context)));
    return Entity::ofTensor(isExact ? value : Value(e.emit<dl::CastOp>(result, value)));
  }
  e.error(call.argRanges[0], "cast needs a number or a tensor, got " + describe(x));
  return Entity::poison();
}

Entity stopGradient(Elaborator &e, BuiltinCall &call) {
  const Entity &x = call.args[0];
  if (!x.isTensor())
    return x; // nothing flows through numbers and scalars
  return Entity::ofTensor(e.emit<dl::StopGradientOp>(x.value.getType(), x.value));
}

/// eval_mode(net(x)), train_mode(net(x)): what was evaluated so.
Entity inMode(Elaborator &, BuiltinCall &call) {
  return call.args[0];
}

/// grad(loss, x)
Entity grad(Elaborator &e, BuiltinCall &call) {
  const Entity &loss = call.args[0], &x = call.args[1];
  auto isFloat = [](const Entity &entity) {
    return entity.isTensor() && isa<FloatType>(entity.tensorType().getElementType());
  };
  if (!isFloat(loss) || !loss.tensorType().isScalar()) {
    e.error(call.argRanges[0], "grad needs a scalar f32 to differentiate, got " + describe(loss));
    return Entity::poison();
  }
  if (!isFloat(x)) {
    e.error(call.argRanges[1], "grad needs a floating-point tensor to differentiate by, got " + describe(x));
    return Entity::poison();
  }
  auto op = e.emit<dl::GradientOp>(TypeRange(x.value.getType()), loss.value, ValueRange(x.value));
  return Entity::ofTensor(op.getGradients().front());
}

constexpr Builtin kElementwise[] = {
    {"abs", "x", unary<dl::AbsOp, foldAbs>},
    {"exp", "x", unary<dl::ExpOp, foldExp>},
    {"log", "x", unary<dl::LogOp, foldLog>},
    {"sqrt", "x", unary<dl::SqrtOp, foldSqrt>},
    {"tanh", "x", unary<dl::TanhOp, foldTanh>},
    {"sin", "x", unary<dl::SinOp, foldSin>},
    {"cos", "x", unary<dl::CosOp, foldCos>},
    {"erf", "x", unary<dl::ErfOp, foldErf>},
    {"floor", "x", unary<dl::FloorOp, foldFloor>},
    {"flush", "x", unary<dl::FlushOp, foldFlush>},
    {"where", "c a b", where},
    {"cast", "x type", cast},
    {"stop_gradient", "x", stopGradient},
    {"eval_mode", "x", inMode},
    {"train_mode", "x", inMode},
    {"grad", "loss x", grad},
};

} // namespace

ArrayRef<Builtin> elementwiseBuiltins() {
  return kElementwise;
}

} // namespace dlc::frontend
