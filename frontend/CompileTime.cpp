// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arithmetic on what is known at compile time: exact on ints and dimensions, f64 on floats.

#include "frontend/Elaborator.h"

#include "llvm/Support/MathExtras.h"
#include <cmath>

namespace dlc::frontend {

static bool compare(BinaryOp op, double lhs, double rhs) {
  switch (op) {
  case BinaryOp::Equal:
    return lhs == rhs;
  case BinaryOp::NotEqual:
    return lhs != rhs;
  case BinaryOp::Less:
    return lhs < rhs;
  case BinaryOp::LessEqual:
    return lhs <= rhs;
  case BinaryOp::Greater:
    return lhs > rhs;
  default:
    return lhs >= rhs;
  }
}

static bool isComparison(BinaryOp op) {
  return op >= BinaryOp::Equal && op <= BinaryOp::GreaterEqual;
}

static double floatResult(BinaryOp op, double lhs, double rhs) {
  switch (op) {
  case BinaryOp::Add:
    return lhs + rhs;
  case BinaryOp::Subtract:
    return lhs - rhs;
  case BinaryOp::Multiply:
    return lhs * rhs;
  case BinaryOp::Divide:
    return lhs / rhs;
  case BinaryOp::FloorDivide:
    return std::floor(lhs / rhs);
  case BinaryOp::Remainder:
    return lhs - rhs * std::floor(lhs / rhs);
  default:
    return std::pow(lhs, rhs);
  }
}

/// Constants: exact, or nothing on overflow.
static std::optional<int64_t> integerResult(BinaryOp op, int64_t lhs, int64_t rhs) {
  int64_t result;
  switch (op) {
  case BinaryOp::Add:
    return llvm::AddOverflow(lhs, rhs, result) ? std::nullopt : std::optional(result);
  case BinaryOp::Subtract:
    return llvm::SubOverflow(lhs, rhs, result) ? std::nullopt : std::optional(result);
  case BinaryOp::Multiply:
    return llvm::MulOverflow(lhs, rhs, result) ? std::nullopt : std::optional(result);
  case BinaryOp::Divide:
    if (rhs == 0 || (rhs == -1 && lhs == INT64_MIN) || lhs % rhs != 0)
      return std::nullopt;
    return lhs / rhs;
  case BinaryOp::FloorDivide:
    if (rhs == 0 || (rhs == -1 && lhs == INT64_MIN))
      return std::nullopt;
    return lhs / rhs - (lhs % rhs != 0 && (lhs < 0) != (rhs < 0));
  case BinaryOp::Remainder:
    if (rhs == 0 || rhs == -1)
      return rhs == 0 ? std::nullopt : std::optional<int64_t>(0);
    result = lhs % rhs;
    return result != 0 && (result < 0) != (rhs < 0) ? result + rhs : result;
  case BinaryOp::Power: {
    if (rhs < 0)
      return std::nullopt;
    if (rhs == 0 || lhs == 1)
      return 1;
    if (lhs == 0 || lhs == -1)
      return lhs == 0 ? 0 : rhs % 2 == 0 ? 1 : -1;
    result = 1;
    for (int64_t i = 0; i < rhs; ++i) // overflows after 63 steps at the latest
      if (llvm::MulOverflow(result, lhs, result))
        return std::nullopt;
    return result;
  }
  default:
    return std::nullopt;
  }
}

/// The largest coefficient, and the number of terms.
static std::pair<uint64_t, size_t> magnitudeOf(dl::PolynomialAttr polynomial) {
  uint64_t largest = 0;
  for (int64_t coefficient : polynomial.getCoefficients())
    largest = std::max(largest, coefficient < 0 ? -static_cast<uint64_t>(coefficient)
                                                : static_cast<uint64_t>(coefficient));
  return {largest, polynomial.getCoefficients().size()};
}

/// 2^40 of anything is more than a machine holds; sums and products of two such sizes stay below 2^63 as long
/// as one of them is checked first.
static constexpr uint64_t kMaxSize = uint64_t(1) << 40;
static constexpr size_t kMaxTerms = 64;

bool Elaborator::checkMagnitude(const Entity &entity, SourceRange range) {
  if (entity.isTensor())
    return checkElementCount(entity.tensorType(), range);
  auto [largest, terms] = magnitudeOf(entity.integer);
  if (largest <= kMaxSize && terms <= kMaxTerms)
    return true;
  error(range, "a size of at most 2^40 is expected, got " + dl::toString(entity.integer));
  return false;
}

bool Elaborator::checkElementCount(dl::TensorType type, SourceRange range) {
  // An upper bound of every coefficient of the product.
  double bound = 1, terms = 1;
  for (dl::PolynomialAttr size : type.getShape()) {
    auto [largest, count] = magnitudeOf(size);
    bound *= static_cast<double>(std::max<uint64_t>(largest, 1)) * static_cast<double>(count);
    terms *= std::max<size_t>(count, 1);
  }
  constexpr double kMaxElements = 0x1p48;
  if (bound <= kMaxElements && terms <= 4096)
    return true;
  error(range, "a tensor of at most 2^48 elements is expected, got " + describe(type));
  return false;
}

/// As an operand of * and /.
static std::string factorText(dl::PolynomialAttr polynomial) {
  std::string text = dl::toString(polynomial);
  return polynomial.getMonomials().size() > 1 ? "(" + text + ")" : text;
}

/// Sizes are polynomials: what a size is divided into must be a size itself, of which that one is a multiple.
static void explainDivision(Diagnostic &diagnostic, BinaryOp op, dl::PolynomialAttr size,
                            dl::PolynomialAttr divisor) {
  bool isSymbol =
      size.getMonomials().size() == 1 && size.getCoefficients()[0] == 1 && size.getMonomials()[0].size() == 1;
  if (isSymbol) {
    std::string name = dl::toString(size);
    diagnostic.note("in a dimension, declare the size as " + factorText(divisor) + " * " + name +
                    " instead of " + name + "; " + name + " is then the quotient");
  }
  if (op == BinaryOp::Divide)
    diagnostic.note("elsewhere, multiply the left side by 1.0 to divide at run time");
  else
    diagnostic.note("--bind gives a size at compile time");
}

/// Of two bools or two strings: whether they are the same, and what and, or make of bools.
static std::optional<Entity> foldEqual(BinaryOp op, const Entity &lhs, const Entity &rhs) {
  bool areBools = lhs.isBool() && rhs.isBool();
  if (!areBools && !(lhs.isString() && rhs.isString()))
    return std::nullopt;
  bool isEqual = areBools ? lhs.flag == rhs.flag : lhs.text == rhs.text;
  if (op == BinaryOp::Equal || op == BinaryOp::NotEqual)
    return Entity::ofBool(isEqual == (op == BinaryOp::Equal));
  if (areBools && (op == BinaryOp::And || op == BinaryOp::Or))
    return Entity::ofBool(op == BinaryOp::And ? lhs.flag && rhs.flag : lhs.flag || rhs.flag);
  return std::nullopt;
}

/// `+` of strings, of a string and a number behind it ("weight_l" + 1), and of tuples.
std::optional<Entity> Elaborator::foldAppended(const Entity &lhs, const Entity &rhs, SourceRange range) {
  if (lhs.isString() && (rhs.isString() || rhs.isConstantInteger())) {
    constexpr size_t kMaxCharacters = 10000;
    std::string text =
        lhs.text + (rhs.isString() ? rhs.text : std::to_string(*rhs.integer.getConstantValue()));
    if (text.size() <= kMaxCharacters)
      return Entity::ofString(std::move(text));
    error(range, "a string has at most " + llvm::Twine(kMaxCharacters) + " characters");
    return Entity::poison();
  }
  if (!lhs.isTuple() || !rhs.isTuple())
    return std::nullopt;
  constexpr size_t kMaxElements = 10000;
  if (lhs.tuple->elements.size() + rhs.tuple->elements.size() > kMaxElements) {
    error(range, "a tuple has at most " + llvm::Twine(kMaxElements) + " elements");
    return Entity::poison();
  }
  std::vector<Entity> elements = lhs.tuple->elements;
  llvm::append_range(elements, rhs.tuple->elements);
  return Entity::ofTuple(std::move(elements));
}

static bool isDivision(BinaryOp op) {
  return op == BinaryOp::Divide || op == BinaryOp::FloorDivide || op == BinaryOp::Remainder;
}

Entity Elaborator::foldIntegers(BinaryOp op, int64_t left, int64_t right, SourceRange range) {
  if (isComparison(op)) {
    bool isLess = left < right, isEqual = left == right;
    return Entity::ofBool(compare(op, isLess ? -1 : !isEqual, 0));
  }
  if (std::optional<int64_t> result = integerResult(op, left, right))
    return integer(*result);
  if (op == BinaryOp::Power && right < 0)
    return Entity::ofFloat(std::pow(left, right));
  // By -1 everything can be divided, but the quotient of the least int is no int.
  if (isDivision(op) && right != 0 && right != -1)
    error(range, llvm::Twine(left) + " / " + llvm::Twine(right) + " is not a whole number")
        .note("// rounds down; " + llvm::Twine(left) + ".0 makes it a float");
  else
    error(range, llvm::Twine(left) + " " + stringify(op) + " " + llvm::Twine(right) +
                     (isDivision(op) && right == 0 ? " divides by zero" : " overflows a 64-bit int"));
  return Entity::poison();
}

/// Of two sizes, polynomials: what holds for all values of their symbols.
Entity Elaborator::foldSizes(BinaryOp op, dl::PolynomialAttr lhs, dl::PolynomialAttr rhs, SourceRange range) {
  // A product of two checked ones stays below 2^63.
  if (!checkMagnitude(Entity::ofInteger(lhs), range) || !checkMagnitude(Entity::ofInteger(rhs), range))
    return Entity::poison();
  bool isProduct = op == BinaryOp::Multiply || op == BinaryOp::Power;
  auto [leftLargest, leftTerms] = magnitudeOf(lhs);
  auto [rightLargest, rightTerms] = magnitudeOf(rhs);
  if (isProduct && (leftLargest * 1.0 * rightLargest * leftTerms * rightTerms > 0x1p60)) {
    error(range,
          dl::toString(lhs) + " " + stringify(op) + " " + dl::toString(rhs) + " overflows a 64-bit int");
    return Entity::poison();
  }
  switch (op) {
  case BinaryOp::Add:
    return Entity::ofInteger(lhs + rhs);
  case BinaryOp::Subtract:
    return Entity::ofInteger(lhs - rhs);
  case BinaryOp::Multiply:
    return Entity::ofInteger(lhs * rhs);
  case BinaryOp::Divide:
  case BinaryOp::FloorDivide:
  case BinaryOp::Remainder:
    if (!rhs.isConstant(0))
      if (std::optional<dl::PolynomialAttr> exact = dl::divideExactly(lhs, rhs))
        return op == BinaryOp::Remainder ? integer(0) : Entity::ofInteger(*exact);
    if (op == BinaryOp::Remainder)
      error(range, dl::toString(lhs) + " % " + dl::toString(rhs) + " is not known at compile time")
          .note("behind where, a % b == 0 is checked once the sizes are known");
    else
      explainDivision(error(range, factorText(lhs) + " " + stringify(op) + " " + factorText(rhs) +
                                       " is not a whole number for all sizes"),
                      op, lhs, rhs);
    return Entity::poison();
  case BinaryOp::Equal:
  case BinaryOp::NotEqual:
    if (lhs == rhs)
      return Entity::ofBool(op == BinaryOp::Equal);
    break;
  case BinaryOp::Power: {
    std::optional<int64_t> exponent = rhs.getConstantValue();
    if (!exponent || *exponent < 0 || *exponent > 16)
      break;
    dl::PolynomialAttr result = poly(1);
    for (int64_t i = 0; i < *exponent; ++i) {
      result = result * lhs;
      if (!checkMagnitude(Entity::ofInteger(result), range))
        return Entity::poison();
    }
    return Entity::ofInteger(result);
  }
  default:
    break;
  }
  // Two polynomials that differ by a constant compare the same for all sizes.
  if (isComparison(op))
    if (std::optional<int64_t> difference = (lhs - rhs).getConstantValue())
      return Entity::ofBool(compare(op, static_cast<double>(*difference), 0));
  error(range,
        dl::toString(lhs) + " " + stringify(op) + " " + dl::toString(rhs) + " is not known at compile time");
  return Entity::poison();
}

std::optional<Entity> Elaborator::foldBinary(BinaryOp op, const Entity &lhs, const Entity &rhs,
                                             SourceRange range) {
  if (std::optional<Entity> result = foldEqual(op, lhs, rhs))
    return result;
  if (op == BinaryOp::Add)
    if (std::optional<Entity> result = foldAppended(lhs, rhs, range))
      return result;
  if (lhs.isConstantInteger() && rhs.isConstantInteger())
    return foldIntegers(op, *lhs.integer.getConstantValue(), *rhs.integer.getConstantValue(), range);
  if (lhs.isInteger() && rhs.isInteger())
    return foldSizes(op, lhs.integer, rhs.integer, range);
  if (lhs.isNumber() && rhs.isNumber()) {
    if (isComparison(op))
      return Entity::ofBool(compare(op, lhs.asDouble(), rhs.asDouble()));
    if (op != BinaryOp::And && op != BinaryOp::Or)
      return Entity::ofFloat(floatResult(op, lhs.asDouble(), rhs.asDouble()));
  }
  return std::nullopt;
}

std::optional<Entity> Elaborator::foldUnary(UnaryOp op, const Entity &operand) {
  if (op == UnaryOp::Not)
    return operand.isBool() ? std::optional(Entity::ofBool(!operand.flag)) : std::nullopt;
  if (operand.isInteger() && magnitudeOf(operand.integer).first <= INT64_MAX)
    return Entity::ofInteger(operand.integer * -1);
  if (operand.isFloat())
    return Entity::ofFloat(-operand.number);
  return std::nullopt;
}

} // namespace dlc::frontend
