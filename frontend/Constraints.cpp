// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What sizes must satisfy: decided now where it holds for all sizes, or for none; otherwise a constraint of
// the entry, which the runtime checks once the sizes are known.

#include "frontend/ASTWalk.h"
#include "frontend/Elaborator.h"

namespace dlc::frontend {

/// The text on one line, cut where a message would become long.
static std::string flatten(StringRef text) {
  constexpr size_t kMaxLength = 60;
  std::string result;
  for (char c : text) {
    bool isSpace = llvm::isSpace(c);
    if (!isSpace || (!result.empty() && result.back() != ' '))
      result += isSpace ? ' ' : c;
  }
  if (result.size() <= kMaxLength)
    return result;
  result.resize(kMaxLength);
  while (!result.empty() && (result.back() & 0xC0) == 0x80) // not within a character
    result.pop_back();
  return result + "…";
}

void Elaborator::addConstraint(dl::Requirement requirement, dl::PolynomialAttr value,
                               dl::PolynomialAttr divisor, SourceRange range, const llvm::Twine &subject) {
  for (dl::ConstraintAttr known : entry->constraints) {
    bool isSame =
        known.getRequirement() == requirement && known.getValue() == value && known.getDivisor() == divisor;
    bool follows = requirement == dl::Requirement::NotNegative && known.getRequirement() == requirement &&
                   dl::isNeverNegative(value - known.getValue());
    if (isSame || follows)
      return;
  }
  SourceRange user = userRange(range);
  std::string text = subject.str();
  if (text.empty())
    text = flatten(sources.text(user));
  LineColumn position = sources.lineColumn(user);
  entry->constraints.push_back(dl::ConstraintAttr::get(
      &context, value, requirement, divisor, builder.getStringAttr(text),
      builder.getStringAttr(sources.name(user.file)), position.line, position.column));
}

bool Elaborator::requireNotNegative(dl::PolynomialAttr value, SourceRange range, const llvm::Twine &subject) {
  if (dl::isAlwaysNegative(value))
    return false;
  if (!dl::isNeverNegative(value))
    addConstraint(dl::Requirement::NotNegative, value, {}, range, subject);
  return true;
}

//===----------------------------------------------------------------------===//
// where
//===----------------------------------------------------------------------===//

namespace {
/// A condition on sizes.
struct SizeCondition {
  dl::Requirement requirement;
  dl::PolynomialAttr value, divisor;
};
} // namespace

/// `lhs op rhs` of two ints.
static std::optional<SizeCondition> comparisonOf(BinaryOp op, dl::PolynomialAttr lhs,
                                                 dl::PolynomialAttr rhs) {
  switch (op) {
  case BinaryOp::Equal:
    return SizeCondition{dl::Requirement::Zero, lhs - rhs, {}};
  case BinaryOp::NotEqual:
    return SizeCondition{dl::Requirement::NotZero, lhs - rhs, {}};
  case BinaryOp::Less:
    return SizeCondition{dl::Requirement::NotNegative, rhs - lhs - 1, {}};
  case BinaryOp::LessEqual:
    return SizeCondition{dl::Requirement::NotNegative, rhs - lhs, {}};
  case BinaryOp::Greater:
    return SizeCondition{dl::Requirement::NotNegative, lhs - rhs - 1, {}};
  case BinaryOp::GreaterEqual:
    return SizeCondition{dl::Requirement::NotNegative, lhs - rhs, {}};
  default:
    return std::nullopt;
  }
}

/// Whether it holds for all sizes, or for none; nothing where it depends on them.
static std::optional<bool> decide(const SizeCondition &condition) {
  std::optional<int64_t> constant = condition.value.getConstantValue();
  bool isPositive = dl::isNeverNegative(condition.value - 1),
       isNegative = dl::isAlwaysNegative(condition.value);
  switch (condition.requirement) {
  case dl::Requirement::NotNegative:
    if (dl::isNeverNegative(condition.value))
      return true;
    return isNegative ? std::optional(false) : std::nullopt;
  case dl::Requirement::Zero:
    if (constant == 0)
      return true;
    return isPositive || isNegative ? std::optional(false) : std::nullopt;
  case dl::Requirement::NotZero:
    if (constant == 0)
      return false;
    return isPositive || isNegative ? std::optional(true) : std::nullopt;
  case dl::Requirement::MultipleOf:
    if (dl::isNeverNegative(condition.divisor - 1) && dl::divideExactly(condition.value, condition.divisor))
      return true;
    return std::nullopt;
  }
  return std::nullopt;
}

/// The condition's value now, a bool or something else; none once it is a constraint.
Entity Elaborator::elaborateConstraint(const Expr *condition, SourceRange range, const llvm::Twine &subject) {
  auto *binary = llvm::dyn_cast<BinaryExpr>(condition);
  auto *remainder =
      binary && binary->op == BinaryOp::Equal ? llvm::dyn_cast<BinaryExpr>(binary->lhs) : nullptr;
  if (remainder && remainder->op != BinaryOp::Remainder)
    remainder = nullptr;
  std::optional<SizeCondition> found;
  auto isOfSizes = [&](const Entity &lhs, const Entity &rhs) {
    return lhs.isInteger() && rhs.isInteger() && !(lhs.isConstantInteger() && rhs.isConstantInteger()) &&
           checkMagnitude(lhs, condition->range) && checkMagnitude(rhs, condition->range);
  };
  auto isDivisor = [](const Entity &entity) { // of sizes: the remainder of a size by less than 1 says nothing
    return !entity.isConstantInteger() || *entity.integer.getConstantValue() >= 1;
  };
  if (binary && (remainder || comparisonOf(binary->op, poly(0), poly(0)))) {
    const BinaryExpr *operands = remainder ? remainder : binary;
    Entity lhs = elaborate(operands->lhs), rhs = elaborate(operands->rhs);
    Entity right = remainder ? elaborate(binary->rhs) : integer(0);
    if (lhs.isPoison() || rhs.isPoison() || right.isPoison())
      return Entity::poison();
    if (remainder && isOfSizes(lhs, rhs) && !isDivisor(rhs)) {
      error(remainder->rhs->range, "a size is divided by at least 1, got " + describe(rhs));
      return Entity::poison();
    }
    bool hasForm = !remainder || (right.isInteger() && right.integer.isConstant(0));
    if (hasForm && isOfSizes(lhs, rhs))
      found = remainder ? SizeCondition{dl::Requirement::MultipleOf, lhs.integer, rhs.integer}
                        : comparisonOf(binary->op, lhs.integer, rhs.integer);
  }
  if (!found)
    return elaborate(condition);
  if (std::optional<bool> holds = decide(*found))
    return Entity::ofBool(*holds);
  addConstraint(found->requirement, found->value, found->divisor, range, subject);
  return Entity::none();
}

/// Whether the condition holds, now or by what becomes a constraint; nothing, behind an error, where that
/// cannot be said.
std::optional<bool> Elaborator::checkConstraint(const CallableDecl *decl, const Expr *condition,
                                                SourceRange callRange) {
  // Each side of `and` must hold by itself.
  if (auto *binary = llvm::dyn_cast<BinaryExpr>(condition); binary && binary->op == BinaryOp::And) {
    std::optional<bool> left = checkConstraint(decl, binary->lhs, callRange);
    return left == true ? checkConstraint(decl, binary->rhs, callRange) : left;
  }
  SourceRange range = callRange ? callRange : condition->range;
  Entity entity = elaborateConstraint(condition, range, callRange ? "" : "the signature");
  if (entity.kind == Entity::Kind::None || (entity.isBool() && entity.flag))
    return true;
  if (entity.isPoison())
    return std::nullopt;
  // What the user has called, if that has called this.
  const CallableDecl *called = decl;
  for (Frame *at = frame; at && isStandard(at->decl->name.range.file); at = at->caller)
    called = at->decl;
  Diagnostic &diag = error(range, (called != decl ? called->name.text + ": " : llvm::Twine()) +
                                      decl->name.text + " requires " + sources.text(condition->range) +
                                      (entity.isBool() ? "" : ", which is not known at compile time"));
  llvm::SmallDenseSet<StringRef> named;
  walk(condition, [&](const Expr *part) {
    auto *name = llvm::dyn_cast<NameExpr>(part);
    Binding *binding = name && named.insert(name->name).second ? scope->find(name->name) : nullptr;
    if (binding && (binding->entity.isNumber() || binding->entity.isInteger() || binding->entity.isBool() ||
                    binding->entity.isString()))
      diag.note(name->name + " is " + describe(binding->entity));
  });
  if (callRange)
    diag.note("required here", condition->range);
  return entity.isBool() ? std::optional(false) : std::nullopt;
}

bool Elaborator::checkConstraints(const CallableDecl *decl, SourceRange callRange) {
  bool holds = true;
  for (const Expr *condition : decl->constraints) {
    std::optional<bool> one = checkConstraint(decl, condition, callRange);
    holds &= one == true;
    if (one == false)
      break; // those behind it may rest on it: groups >= 1, c % groups == 0
  }
  return holds;
}

} // namespace dlc::frontend
