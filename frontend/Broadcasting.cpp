// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators at run time: bringing operands to one element type and one shape by NumPy's rules.
//
// A number takes the type of the tensor beside it. A scalar (f64) is rounded to the tensor's type. Two
// tensors must have one element type. Shapes are aligned at their last dimensions; a dimension of 1 fits any
// other, and symbolic dimensions fit if they are the same polynomial.

#include "frontend/Elaborator.h"

#include "llvm/Support/MathExtras.h"

namespace dlc::frontend {

Value Elaborator::constant(dl::TensorType type, double value) {
  return emit<dl::ConstantOp>(type, value);
}

Value Elaborator::constantInteger(dl::TensorType type, int64_t value) {
  Type element = type.getElementType();
  if (isa<FloatType>(element))
    return constant(type, static_cast<double>(value));
  return emit<dl::ConstantOp>(type, TypedAttr(builder.getIntegerAttr(element, value)));
}

bool Elaborator::fits(const Entity &entity, Type element) {
  std::optional<int64_t> value = entity.isInteger() ? entity.integer.getConstantValue() : std::nullopt;
  if (!value || isa<FloatType>(element))
    return true;
  unsigned width = element.getIntOrFloatBitWidth();
  if (width == 1)
    return *value == 0 || *value == 1;
  return element.isUnsignedInteger() ? llvm::isUIntN(width, *value) && *value >= 0
                                     : llvm::isIntN(width, *value);
}

Value Elaborator::toRankZero(const Entity &entity, Type element) {
  dl::TensorType type = tensorOf({}, element);
  if (entity.isFloat())
    return constant(type, entity.number);
  if (entity.isConstantInteger())
    return constantInteger(type, *entity.integer.getConstantValue());
  Value value = entity.isInteger() ? Value(emit<dl::DimOp>(counterType(), entity.integer)) : entity.value;
  return value.getType() == type ? value : Value(emit<dl::CastOp>(type, value));
}

Value Elaborator::toValue(const Entity &entity, Type element) {
  return entity.isTensor() ? entity.value : toRankZero(entity, element);
}

std::optional<SmallVector<dl::PolynomialAttr>> Elaborator::broadcastShapes(dl::TensorType lhs,
                                                                           dl::TensorType rhs) {
  int64_t rank = std::max(lhs.getRank(), rhs.getRank());
  SmallVector<dl::PolynomialAttr> shape(rank);
  for (int64_t back = 1; back <= rank; ++back) {
    dl::PolynomialAttr left = back <= lhs.getRank() ? lhs.getDim(lhs.getRank() - back) : poly(1);
    dl::PolynomialAttr right = back <= rhs.getRank() ? rhs.getDim(rhs.getRank() - back) : poly(1);
    if (left != right && !left.isConstant(1) && !right.isConstant(1))
      return std::nullopt;
    shape[rank - back] = left.isConstant(1) ? right : left;
  }
  return shape;
}

/// Drops the dimensions of 1 that grow, and lets them and the missing leading ones repeat.
Value Elaborator::broadcastTo(Value value, ArrayRef<dl::PolynomialAttr> shape) {
  auto type = llvm::cast<dl::TensorType>(value.getType());
  if (type.getShape() == shape)
    return value;
  int64_t offset = static_cast<int64_t>(shape.size()) - type.getRank();
  SmallVector<int64_t> dims;
  SmallVector<dl::PolynomialAttr> kept;
  for (auto [axis, size] : llvm::enumerate(type.getShape())) {
    if (size != shape[axis + offset])
      continue;
    dims.push_back(axis + offset);
    kept.push_back(size);
  }
  if (static_cast<int64_t>(kept.size()) != type.getRank())
    value = emit<dl::ReshapeOp>(type.withShape(kept), value);
  return emit<dl::BroadcastOp>(type.withShape(shape), value, dims);
}

bool Elaborator::unifyOperands(MutableArrayRef<Entity> operands, ArrayRef<SourceRange> ranges,
                               SourceRange opRange, StringRef what) {
  // 1. The element type: the tensors', or f64.
  const Entity *first = nullptr;
  for (auto [operand, range] : llvm::zip(operands, ranges)) {
    if (operand.isPoison())
      return false;
    if (!operand.isNumeric()) {
      error(range, what + " needs a number or a tensor, got " + describe(operand));
      return false;
    }
    if (!operand.isTensor())
      continue;
    if (first && first->tensorType().getElementType() != operand.tensorType().getElementType()) {
      error(opRange, what + " needs one element type, got " + describe(*first) + " and " + describe(operand))
          .note("types change only by cast(x, " +
                describe(tensorOf({}, first->tensorType().getElementType())) + ")");
      return false;
    }
    if (!first)
      first = &operand;
  }
  Type element = first ? first->tensorType().getElementType() : Type(Float64Type::get(&context));
  // 2. Scalars become rank-0 values of that type.
  for (auto [operand, range] : llvm::zip(operands, ranges)) {
    if (operand.isTensor())
      continue;
    bool converts = isa<FloatType>(element) || (operand.isInteger() && !element.isInteger(1));
    if (!converts) {
      error(range, what + " of " + describe(*first) + " needs " + describe(tensorOf({}, element)) + ", got " +
                       describe(operand))
          .note("types change only by cast(x, f32)");
      return false;
    }
    if (!fits(operand, element)) {
      error(range, describe(operand) + " does not fit " + describe(tensorOf({}, element)));
      return false;
    }
    if (first && operand.isNumber())
      continue; // becomes a constant of the common shape
    Value value = toRankZero(operand, element);
    operand = first ? Entity::ofTensor(value) : Entity::ofScalar(value);
  }
  if (!first)
    return true;
  // 3. One shape.
  dl::TensorType common = tensorOf({}, element);
  for (Entity &operand : operands) {
    if (!operand.isTensor())
      continue;
    std::optional<SmallVector<dl::PolynomialAttr>> shape = broadcastShapes(common, operand.tensorType());
    if (!shape) {
      dl::TensorType lhs = common, rhs = operand.tensorType();
      error(opRange, what + " needs shapes that broadcast, got " + describe(lhs) + " and " + describe(rhs));
      return false;
    }
    common = common.withShape(*shape);
  }
  for (Entity &operand : operands) {
    if (operand.isTensor())
      operand.value = broadcastTo(operand.value, common.getShape());
    else
      operand =
          Entity::ofTensor(operand.isFloat() ? constant(common, operand.number)
                                             : constantInteger(common, *operand.integer.getConstantValue()));
  }
  return true;
}

Entity Elaborator::negate(const Entity &operand, SourceRange range) {
  if (operand.isTensor() && operand.tensorType().getElementType().isInteger(1)) {
    error(range, "- needs a number, got " + describe(operand));
    return Entity::poison();
  }
  if (operand.isInteger()) {
    error(range, "- " + dl::toString(operand.integer) + " overflows a 64-bit int");
    return Entity::poison();
  }
  Value value = emit<dl::NegOp>(operand.value.getType(), operand.value);
  return operand.isTensor() ? Entity::ofTensor(value) : Entity::ofScalar(value);
}

static std::optional<dl::Predicate> predicateOf(BinaryOp op) {
  switch (op) {
  case BinaryOp::Equal:
    return dl::Predicate::Eq;
  case BinaryOp::NotEqual:
    return dl::Predicate::Ne;
  case BinaryOp::Less:
    return dl::Predicate::Lt;
  case BinaryOp::LessEqual:
    return dl::Predicate::Le;
  case BinaryOp::Greater:
    return dl::Predicate::Gt;
  case BinaryOp::GreaterEqual:
    return dl::Predicate::Ge;
  default:
    return std::nullopt;
  }
}

Entity Elaborator::binary(BinaryOp op, Entity lhs, Entity rhs, SourceRange opRange, SourceRange lhsRange,
                          SourceRange rhsRange) {
  if (lhs.isPoison() || rhs.isPoison())
    return Entity::poison();
  if (std::optional<Entity> folded = foldBinary(op, lhs, rhs, opRange))
    return *folded;
  StringRef what = stringify(op);
  // A compile-time bool beside a bool tensor.
  auto isBoolTensor = [](const Entity &entity) {
    return entity.isTensor() && entity.tensorType().getElementType().isInteger(1);
  };
  for (auto [side, other] : {std::pair(&lhs, &rhs), std::pair(&rhs, &lhs)})
    if (side->isBool() && isBoolTensor(*other))
      *side =
          Entity::ofTensor(constantInteger(tensorOf({}, other->tensorType().getElementType()), side->flag));

  std::array<Entity, 2> sides{lhs, rhs};
  if (op == BinaryOp::And || op == BinaryOp::Or) {
    for (auto [side, range] : {std::pair(&lhs, lhsRange), std::pair(&rhs, rhsRange)}) {
      if (isBoolTensor(*side))
        continue;
      error(range, what + " needs bools, got " + describe(*side));
      return Entity::poison();
    }
  }
  if (!unifyOperands(sides, {lhsRange, rhsRange}, opRange, what))
    return Entity::poison();
  bool isTensor = sides[0].isTensor();
  Value left = sides[0].value, right = sides[1].value;
  auto type = llvm::cast<dl::TensorType>(left.getType());
  auto wrap = [&](Value value) { return isTensor ? Entity::ofTensor(value) : Entity::ofScalar(value); };
  if (std::optional<dl::Predicate> predicate = predicateOf(op))
    return Entity::ofTensor(emit<dl::CompareOp>(*predicate, left, right));

  bool isFloat = isa<FloatType>(type.getElementType());
  bool isBool = type.getElementType().isInteger(1);
  bool isLogical = op == BinaryOp::And || op == BinaryOp::Or;
  if (isBool != isLogical) {
    error(opRange, what + " needs numbers, got " + describe(lhs) + " and " + describe(rhs));
    return Entity::poison();
  }
  switch (op) {
  case BinaryOp::Add:
    return wrap(emit<dl::AddOp>(type, left, right));
  case BinaryOp::Subtract:
    return wrap(emit<dl::SubOp>(type, left, right));
  case BinaryOp::Multiply:
    return wrap(emit<dl::MulOp>(type, left, right));
  case BinaryOp::Divide:
    if (isFloat)
      return wrap(emit<dl::DivOp>(type, left, right));
    error(opRange, "/ of " + describe(type) + " is not whole: // rounds down, cast(x, f32) divides");
    return Entity::poison();
  case BinaryOp::FloorDivide: {
    Value quotient = emit<dl::DivOp>(type, left, right);
    return wrap(isFloat ? Value(emit<dl::FloorOp>(type, quotient)) : quotient);
  }
  case BinaryOp::Remainder:
    return wrap(emit<dl::RemOp>(type, left, right));
  case BinaryOp::Power:
    if (isFloat)
      return wrap(emit<dl::PowOp>(type, left, right));
    error(opRange, "** needs floating-point tensors, got " + describe(type));
    return Entity::poison();
  case BinaryOp::And:
    return wrap(emit<dl::AndOp>(type, left, right));
  default:
    return wrap(emit<dl::OrOp>(type, left, right));
  }
}

} // namespace dlc::frontend
