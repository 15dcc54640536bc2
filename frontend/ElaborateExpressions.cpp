// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names, literals, operators and members.

#include "frontend/Elaborator.h"

#include "frontend/Builtins.h"

namespace dlc::frontend {

Entity Elaborator::elaborate(const Expr *expr, const NameHint &hint) {
  // The parser bounds the expressions of a statement; calls put one statement's into another's.
  constexpr unsigned kMaxDepth = 2000;
  if (expressionDepth >= kMaxDepth) {
    error(expr->range, "expressions nest at most " + llvm::Twine(kMaxDepth) + " deep, calls included");
    return Entity::poison();
  }
  constexpr unsigned kMaxExpressions = 4000000;
  if (++expressions > kMaxExpressions) {
    if (expressions == kMaxExpressions + 1)
      error(expr->range, "the program unrolls to more than " + llvm::Twine(kMaxExpressions) + " expressions")
          .note("scan loops at run time");
    return Entity::poison();
  }
  Restore<unsigned> deeper(expressionDepth, expressionDepth + 1);
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
    if (indexSpace)
      return elaborateIndexedExpr(expr, hint);
    return elaborateUnary(llvm::cast<UnaryExpr>(expr));
  case ExprKind::Binary:
    if (indexSpace)
      return elaborateIndexedExpr(expr, hint);
    return elaborateBinary(llvm::cast<BinaryExpr>(expr));
  case ExprKind::Call:
    if (indexSpace)
      return elaborateIndexedExpr(expr, hint);
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
    return elaborateReduction(llvm::cast<ReductionExpr>(expr));
  }
  return Entity::poison();
}

Entity Elaborator::elaborateName(const NameExpr *expr) {
  if (Binding *binding = scope->find(expr->name)) {
    Entity &entity = binding->entity;
    // An initial value is computed by "init", which has no access to an entry's values and sizes.
    if (entry && entry->isInit() && entity.isInteger() && !entity.isConstantInteger()) {
      error(expr->range, "an initial value cannot depend on " + expr->name + ", which is known at run time");
      return Entity::poison();
    }
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
    return Entity::ofBool(isTraining());
  if (expr->name == "iteration" && entry) {
    currentLocation = locate(expr->range);
    return Entity::ofScalar(emit<dl::CastOp>(scalarType(), loadIteration()));
  }
  if (std::optional<ElementType> type = parseElementType(expr->name))
    return Entity::ofElementType(elementType(*type));
  if (const CallableDecl *decl = findDecl(expr->name, expr->range))
    return Entity::ofCallable(decl);
  if (const Builtin *builtin = findBuiltin(expr->name))
    return Entity::ofBuiltin(builtin);
  if (frame)
    if (auto loop = frame->loops.find(expr->name); loop != frame->loops.end())
      return loop->second;
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
  if (!isGood)
    return Entity::poison();
  Entity tuple = Entity::ofTuple(std::move(elements));
  constexpr unsigned kMaxNesting = 100;
  if (tuple.tuple->nesting <= kMaxNesting)
    return tuple;
  error(expr->range, "tuples nest at most " + llvm::Twine(kMaxNesting) + " deep");
  return Entity::poison();
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
// Members
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

} // namespace dlc::frontend
