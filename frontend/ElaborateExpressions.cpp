// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names, literals, operators, members and subscripts.

#include "frontend/Elaborator.h"

#include "frontend/Builtins.h"

namespace dlc::frontend {

Entity Elaborator::elaborate(const Expr *expr, const NameHint &hint) {
  Entity entity = elaborateUnchecked(expr, hint);
  return entity.isTensor() && !checkMagnitude(entity, expr->range) ? Entity::poison() : entity;
}

Entity Elaborator::elaborateUnchecked(const Expr *expr, const NameHint &hint) {
  switch (expr->kind) {
  case ExprKind::Integer:
    return integer(llvm::cast<IntegerExpr>(expr)->value);
  case ExprKind::Float:
    return Entity::ofFloat(llvm::cast<FloatExpr>(expr)->value);
  case ExprKind::Bool:
    return Entity::ofBool(llvm::cast<BoolExpr>(expr)->value);
  case ExprKind::String:
    return Entity::ofString(llvm::cast<StringExpr>(expr)->value);
  case ExprKind::Name:
    return elaborateName(llvm::cast<NameExpr>(expr));
  case ExprKind::Tuple:
    return elaborateTuple(llvm::cast<TupleExpr>(expr));
  case ExprKind::Unary:
    return elaborateUnary(llvm::cast<UnaryExpr>(expr));
  case ExprKind::Binary:
    return elaborateBinary(llvm::cast<BinaryExpr>(expr));
  case ExprKind::Call:
    return elaborateCall(llvm::cast<CallExpr>(expr), hint);
  case ExprKind::Index:
    return elaborateIndex(llvm::cast<IndexExpr>(expr));
  case ExprKind::Member:
    return elaborateMember(llvm::cast<MemberExpr>(expr));
  case ExprKind::Scan:
    return elaborateScan(llvm::cast<ScanExpr>(expr));
  case ExprKind::Range:
    error(expr->range, "a range stands behind `in` only");
    return Entity::poison();
  case ExprKind::Reduction:
    error(expr->range, "index notation is not supported by this version of dlc");
    return Entity::poison();
  }
  return Entity::poison();
}

/// "f32" and so on, as cast takes them.
static std::optional<ElementType> parseElementType(StringRef name) {
  for (ElementType type :
       {ElementType::F32, ElementType::F64, ElementType::BF16, ElementType::F16, ElementType::I8,
        ElementType::U8, ElementType::I32, ElementType::I64, ElementType::Bool})
    if (stringify(type) == name)
      return type;
  return std::nullopt;
}

Entity Elaborator::elaborateName(const NameExpr *expr) {
  if (Binding *binding = scope->find(expr->name)) {
    Entity &entity = binding->entity;
    // An initial value is computed by "init", which has no access to an entry's values.
    if ((entity.isTensor() || entity.isScalar()) && entry) {
      Region *region = entity.value.getParentRegion();
      auto owner = region->getParentOfType<func::FuncOp>();
      if (owner != entry->func) {
        error(expr->range,
              "an initial value cannot depend on " + expr->name + ", which is known at run time");
        return Entity::poison();
      }
    }
    return entity;
  }
  if (expr->name == "training")
    return Entity::ofBool(entry && entry->isTraining());
  if (expr->name == "iteration" && entry) {
    currentLocation = locate(expr->range);
    return Entity::ofScalar(emit<dl::CastOp>(scalarType(), loadIteration()));
  }
  if (std::optional<ElementType> type = parseElementType(expr->name))
    return Entity::ofElementType(elementType(*type));
  if (const CallableDecl *decl = findDecl(expr->name))
    return Entity::ofCallable(decl);
  if (const Builtin *builtin = findBuiltin(expr->name))
    return Entity::ofBuiltin(builtin);
  // checkNames has reported it, and the engine shows it once; or it is a dimension that nothing has bound.
  diags.error(expr->range, "unknown name '" + expr->name + "'");
  return Entity::poison();
}

Entity Elaborator::elaborateTuple(const TupleExpr *expr) {
  std::vector<Entity> elements;
  bool isGood = true;
  for (const Expr *element : expr->elements) {
    elements.push_back(elaborate(element));
    isGood &= !elements.back().isPoison();
  }
  return isGood ? Entity::ofTuple(std::move(elements)) : Entity::poison();
}

Entity Elaborator::elaborateUnary(const UnaryExpr *expr) {
  Entity operand = elaborate(expr->operand);
  if (operand.isPoison())
    return operand;
  if (std::optional<Entity> folded = foldUnary(expr->op, operand))
    return *folded;
  currentLocation = locate(expr->range);
  if (expr->op == UnaryOp::Negate && operand.isNumeric())
    return negate(operand, expr->range);
  bool isBoolTensor = operand.isTensor() && operand.tensorType().getElementType().isInteger(1);
  if (expr->op == UnaryOp::Not && isBoolTensor)
    return Entity::ofTensor(emit<dl::NotOp>(operand.value.getType(), operand.value));
  error(expr->range,
        (expr->op == UnaryOp::Not ? "not needs a bool, got " : "- needs a number, got ") + describe(operand));
  return Entity::poison();
}

Entity Elaborator::elaborateBinary(const BinaryExpr *expr) {
  Entity lhs = elaborate(expr->lhs);
  // What the left side decides does not need the right one.
  if (lhs.isBool() && ((expr->op == BinaryOp::And && !lhs.flag) || (expr->op == BinaryOp::Or && lhs.flag)))
    return lhs;
  Entity rhs = elaborate(expr->rhs);
  if (lhs.isPoison() || rhs.isPoison())
    return Entity::poison();
  currentLocation = locate(expr->range);
  return binary(expr->op, lhs, rhs, expr->opRange, expr->lhs->range, expr->rhs->range);
}

//===----------------------------------------------------------------------===//
// Members and subscripts
//===----------------------------------------------------------------------===//

Entity Elaborator::elaborateMember(const MemberExpr *expr) {
  Entity base = elaborate(expr->base);
  if (base.isPoison())
    return base;
  if (base.kind == Entity::Kind::Instance) {
    currentLocation = locate(expr->range);
    return instanceMember(*base.instance, expr->member);
  }
  if (base.isTuple() && !base.tuple->names.empty()) {
    std::vector<StringRef> names;
    for (auto [name, element] : llvm::zip(base.tuple->names, base.tuple->elements)) {
      if (name == expr->member.text)
        return element;
      if (!name.empty())
        names.push_back(name);
    }
    error(expr->member.range, "the tuple has no part '" + expr->member.text + "'")
        .suggest(nearestName(expr->member.text, names));
    return Entity::poison();
  }
  error(expr->member.range, describe(base) + " has no member '" + expr->member.text + "'");
  return Entity::poison();
}

Entity Elaborator::elaborateIndex(const IndexExpr *expr) {
  Entity base = elaborate(expr->base);
  if (base.isPoison())
    return base;
  if (base.isTuple())
    return indexTuple(base, expr);
  if (base.isTensor())
    return sliceTensor(base, expr);
  error(expr->base->range, describe(base) + " cannot be indexed");
  return Entity::poison();
}

Entity Elaborator::indexTuple(const Entity &tuple, const IndexExpr *expr) {
  const std::vector<Entity> &elements = tuple.tuple->elements;
  int64_t size = elements.size();
  if (expr->subscripts.size() != 1 || expr->subscripts[0].kind == Subscript::Kind::Ellipsis ||
      expr->subscripts[0].step) {
    error(expr->range, "a tuple takes one index or a slice such as 1:3");
    return Entity::poison();
  }
  const Subscript &subscript = expr->subscripts[0];
  auto evaluate = [&](const Expr *position, int64_t missing) -> std::optional<int64_t> {
    if (!position)
      return missing;
    Entity entity = elaborate(position);
    if (entity.isConstantInteger()) {
      int64_t value = *entity.integer.getConstantValue();
      return value < 0 ? value + size : value;
    }
    if (!entity.isPoison())
      error(position->range, "a tuple's index is an int known at compile time, got " + describe(entity));
    return std::nullopt;
  };
  std::optional<int64_t> begin = evaluate(subscript.begin, 0);
  if (!begin)
    return Entity::poison();
  if (subscript.kind == Subscript::Kind::Expr) {
    if (*begin >= 0 && *begin < size)
      return elements[*begin];
    error(subscript.range, "the tuple has " + llvm::Twine(size) + " elements, there is none at " +
                               sources.text(subscript.range));
    return Entity::poison();
  }
  std::optional<int64_t> end = evaluate(subscript.end, size);
  if (!end)
    return Entity::poison();
  int64_t from = std::clamp<int64_t>(*begin, 0, size), to = std::clamp<int64_t>(*end, from, size);
  return Entity::ofTuple(std::vector<Entity>(elements.begin() + from, elements.begin() + to));
}

/// x[i, a:b:c, ...]: a slice, then a reshape that drops the axes of plain indices.
Entity Elaborator::sliceTensor(const Entity &tensor, const IndexExpr *expr) {
  dl::TensorType type = tensor.tensorType();
  int64_t rank = type.getRank();
  int64_t given = llvm::count_if(expr->subscripts,
                                 [](const Subscript &s) { return s.kind != Subscript::Kind::Ellipsis; });
  if (given > rank) {
    error(expr->range, "too many subscripts: " + describe(type) + " has " + llvm::Twine(rank) +
                           (rank == 1 ? " dimension, got " : " dimensions, got ") + llvm::Twine(given));
    return Entity::poison();
  }
  SmallVector<dl::PolynomialAttr> sizes(type.getShape()), kept;
  SmallVector<Attribute> offsets(rank, poly(0));
  SmallVector<int64_t> strides(rank, 1);
  SmallVector<bool> isDropped(rank, false);
  auto bound = [&](const Expr *position, dl::PolynomialAttr size,
                   dl::PolynomialAttr missing) -> std::optional<dl::PolynomialAttr> {
    if (!position)
      return missing;
    Entity entity = elaborate(position);
    if (entity.isInteger()) {
      if (!checkMagnitude(entity, position->range))
        return std::nullopt;
      std::optional<int64_t> value = entity.integer.getConstantValue();
      return value && *value < 0 ? size + entity.integer : entity.integer;
    }
    if (!entity.isPoison())
      error(position->range, "a subscript is an int known at compile time, got " + describe(entity));
    return std::nullopt;
  };
  int64_t axis = 0;
  for (const Subscript &subscript : expr->subscripts) {
    if (subscript.kind == Subscript::Kind::Ellipsis) {
      axis += rank - given;
      continue;
    }
    dl::PolynomialAttr size = type.getDim(axis);
    std::optional<dl::PolynomialAttr> begin = bound(subscript.begin, size, poly(0));
    std::optional<dl::PolynomialAttr> end = bound(subscript.end, size, size);
    std::optional<dl::PolynomialAttr> step = bound(subscript.step, size, poly(1));
    if (!begin || !end || !step)
      return Entity::poison();
    bool isElement = subscript.kind == Subscript::Kind::Expr;
    if (isElement)
      end = *begin + 1;
    std::optional<int64_t> stride = step->getConstantValue();
    if (!stride || *stride < 1) {
      error(subscript.step->range, "a slice's step is a constant of at least 1, got " + dl::toString(*step));
      return Entity::poison();
    }
    dl::PolynomialAttr length = *end - *begin;
    auto isNegative = [](dl::PolynomialAttr value) { return value.getConstantValue().value_or(0) < 0; };
    if (isNegative(*begin) || isNegative(size - *end) || isNegative(length)) {
      error(subscript.range, "subscript " + sources.text(subscript.range) + " is outside of axis " +
                                 llvm::Twine(axis) + " of " + describe(type));
      return Entity::poison();
    }
    if (*stride != 1) {
      if (std::optional<int64_t> constant = length.getConstantValue()) {
        length = poly((*constant + *stride - 1) / *stride);
      } else if (std::optional<dl::PolynomialAttr> exact = dl::divideExactly(length, poly(*stride))) {
        length = *exact;
      } else {
        error(subscript.range,
              "step " + llvm::Twine(*stride) + " does not divide the slice's length " + dl::toString(length));
        return Entity::poison();
      }
    }
    offsets[axis] = *begin;
    sizes[axis] = length;
    strides[axis] = *stride;
    isDropped[axis] = isElement;
    ++axis;
  }
  for (int64_t i = 0; i < rank; ++i)
    if (!isDropped[i])
      kept.push_back(sizes[i]);
  currentLocation = locate(expr->range);
  Value value = tensor.value;
  if (type.withShape(sizes) != type)
    value = emit<dl::SliceOp>(type.withShape(sizes), value, builder.getArrayAttr(offsets), strides);
  if (kept.size() != sizes.size())
    value = emit<dl::ReshapeOp>(type.withShape(kept), value);
  return Entity::ofTensor(value);
}

} // namespace dlc::frontend
