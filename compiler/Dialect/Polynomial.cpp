// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Dialect/Polynomial.h"

#include "compiler/Dialect/Dl.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <map>

using namespace mlir;

namespace dlc::dl {
namespace {

/// Orders monomials by descending degree, then by symbol names: n*t, n, t, 1.
struct MonomialOrder {
  bool operator()(ArrayAttr lhs, ArrayAttr rhs) const {
    if (lhs.size() != rhs.size())
      return lhs.size() > rhs.size();
    for (auto [l, r] : llvm::zip(lhs, rhs)) {
      int order = cast<StringAttr>(l).getValue().compare(cast<StringAttr>(r).getValue());
      if (order != 0)
        return order < 0;
    }
    return false;
  }
};

using Terms = std::map<ArrayAttr, int64_t, MonomialOrder>;

Terms termsOf(PolynomialAttr polynomial) {
  Terms terms;
  for (auto [coefficient, monomial] : llvm::zip(polynomial.getCoefficients(), polynomial.getMonomials()))
    terms.emplace(monomial, coefficient);
  return terms;
}

PolynomialAttr fromTerms(MLIRContext *context, const Terms &terms) {
  SmallVector<int64_t> coefficients;
  SmallVector<ArrayAttr> monomials;
  for (auto [monomial, coefficient] : terms) {
    if (coefficient == 0)
      continue;
    monomials.push_back(monomial);
    coefficients.push_back(coefficient);
  }
  return PolynomialAttr::get(context, coefficients, monomials);
}

ArrayAttr multiplyMonomials(ArrayAttr lhs, ArrayAttr rhs) {
  SmallVector<Attribute> factors(lhs.begin(), lhs.end());
  llvm::append_range(factors, rhs);
  llvm::sort(factors, [](Attribute l, Attribute r) {
    return cast<StringAttr>(l).getValue() < cast<StringAttr>(r).getValue();
  });
  return ArrayAttr::get(lhs.getContext(), factors);
}

} // namespace

PolynomialAttr PolynomialAttr::getConstant(MLIRContext *context, int64_t value) {
  if (value == 0)
    return get(context, {}, {});
  return get(context, {value}, {ArrayAttr::get(context, {})});
}

PolynomialAttr PolynomialAttr::getSymbol(MLIRContext *context, StringRef name) {
  return get(context, {1}, {ArrayAttr::get(context, {StringAttr::get(context, name)})});
}

bool PolynomialAttr::isConstant() const {
  return getConstantValue().has_value();
}

bool PolynomialAttr::isConstant(int64_t value) const {
  return getConstantValue() == value;
}

std::optional<int64_t> PolynomialAttr::getConstantValue() const {
  if (getCoefficients().empty())
    return 0;
  if (getCoefficients().size() == 1 && getMonomials().front().empty())
    return getCoefficients().front();
  return std::nullopt;
}

void PolynomialAttr::walkSymbols(llvm::function_ref<void(StringAttr)> visit) const {
  for (ArrayAttr monomial : getMonomials())
    for (Attribute factor : monomial)
      visit(cast<StringAttr>(factor));
}

PolynomialAttr operator+(PolynomialAttr lhs, PolynomialAttr rhs) {
  Terms terms = termsOf(lhs);
  for (auto [monomial, coefficient] : termsOf(rhs))
    terms[monomial] += coefficient;
  return fromTerms(lhs.getContext(), terms);
}

PolynomialAttr operator*(PolynomialAttr lhs, PolynomialAttr rhs) {
  Terms terms;
  for (auto [leftMonomial, leftCoefficient] : termsOf(lhs))
    for (auto [rightMonomial, rightCoefficient] : termsOf(rhs))
      terms[multiplyMonomials(leftMonomial, rightMonomial)] += leftCoefficient * rightCoefficient;
  return fromTerms(lhs.getContext(), terms);
}

PolynomialAttr operator-(PolynomialAttr lhs, PolynomialAttr rhs) {
  return lhs + rhs * -1;
}

PolynomialAttr operator+(PolynomialAttr lhs, int64_t rhs) {
  return lhs + PolynomialAttr::getConstant(lhs.getContext(), rhs);
}
PolynomialAttr operator-(PolynomialAttr lhs, int64_t rhs) {
  return lhs + -rhs;
}
PolynomialAttr operator*(PolynomialAttr lhs, int64_t rhs) {
  return lhs * PolynomialAttr::getConstant(lhs.getContext(), rhs);
}

PolynomialAttr product(MLIRContext *context, ArrayRef<PolynomialAttr> factors) {
  PolynomialAttr result = PolynomialAttr::getConstant(context, 1);
  for (PolynomialAttr factor : factors)
    result = result * factor;
  return result;
}

std::optional<PolynomialAttr> divideExactly(PolynomialAttr dividend, PolynomialAttr divisor) {
  if (divisor.getCoefficients().size() != 1) {
    if (dividend == divisor && !divisor.getCoefficients().empty())
      return PolynomialAttr::getConstant(dividend.getContext(), 1);
    return std::nullopt;
  }
  int64_t divisorCoefficient = divisor.getCoefficients().front();
  ArrayAttr divisorMonomial = divisor.getMonomials().front();
  Terms terms;
  for (auto [monomial, coefficient] : termsOf(dividend)) {
    if (coefficient % divisorCoefficient != 0)
      return std::nullopt;
    SmallVector<Attribute> factors(monomial.begin(), monomial.end());
    for (Attribute factor : divisorMonomial) {
      auto found = llvm::find(factors, factor);
      if (found == factors.end())
        return std::nullopt;
      factors.erase(found);
    }
    terms[ArrayAttr::get(dividend.getContext(), factors)] += coefficient / divisorCoefficient;
  }
  return fromTerms(dividend.getContext(), terms);
}

PolynomialAttr substitute(PolynomialAttr polynomial,
                          llvm::function_ref<std::optional<PolynomialAttr>(StringAttr)> replacement) {
  MLIRContext *context = polynomial.getContext();
  PolynomialAttr result = PolynomialAttr::getConstant(context, 0);
  for (auto [coefficient, monomial] : llvm::zip(polynomial.getCoefficients(), polynomial.getMonomials())) {
    PolynomialAttr term = PolynomialAttr::getConstant(context, coefficient);
    for (Attribute factor : monomial) {
      auto symbol = cast<StringAttr>(factor);
      term = term * replacement(symbol).value_or(PolynomialAttr::getSymbol(context, symbol.getValue()));
    }
    result = result + term;
  }
  return result;
}

std::optional<int64_t> evaluate(PolynomialAttr polynomial,
                                llvm::function_ref<std::optional<int64_t>(StringRef)> valueOf) {
  int64_t sum = 0;
  for (auto [coefficient, monomial] : llvm::zip(polynomial.getCoefficients(), polynomial.getMonomials())) {
    int64_t term = coefficient;
    for (Attribute factor : monomial) {
      std::optional<int64_t> value = valueOf(cast<StringAttr>(factor).getValue());
      if (!value || llvm::MulOverflow(term, *value, term))
        return std::nullopt;
    }
    if (llvm::AddOverflow(sum, term, sum))
      return std::nullopt;
  }
  return sum;
}

/// The same values in s - 1 instead of each symbol s; nothing where coefficients might overflow.
static std::optional<PolynomialAttr> countFromOne(PolynomialAttr polynomial) {
  constexpr size_t kMaxDegree = 8;
  constexpr int64_t kMaxCoefficient = int64_t(1) << 48;
  for (auto [coefficient, monomial] : llvm::zip(polynomial.getCoefficients(), polynomial.getMonomials()))
    if (monomial.size() > kMaxDegree || coefficient > kMaxCoefficient || coefficient < -kMaxCoefficient)
      return std::nullopt;
  return substitute(polynomial, [](StringAttr symbol) {
    return PolynomialAttr::getSymbol(symbol.getContext(), symbol.getValue()) + 1;
  });
}

bool isNeverNegative(PolynomialAttr polynomial) {
  PolynomialAttr shifted = countFromOne(polynomial).value_or(polynomial);
  return llvm::all_of(shifted.getCoefficients(), [](int64_t coefficient) { return coefficient >= 0; });
}

bool isAlwaysNegative(PolynomialAttr polynomial) {
  std::optional<PolynomialAttr> shifted = countFromOne(polynomial);
  if (!shifted)
    return false;
  bool hasNegativeConstant = !shifted->getMonomials().empty() && shifted->getMonomials().back().empty();
  return hasNegativeConstant &&
         llvm::all_of(shifted->getCoefficients(), [](int64_t coefficient) { return coefficient < 0; });
}

int64_t nominalValue(PolynomialAttr polynomial, int64_t symbolValue) {
  return evaluate(polynomial, [&](StringRef) { return symbolValue; }).value_or(int64_t(1) << 40);
}

std::string toString(PolynomialAttr polynomial) {
  if (polynomial.getCoefficients().empty())
    return "0";
  std::string text;
  llvm::raw_string_ostream os(text);
  bool first = true;
  for (auto [coefficient, monomial] : llvm::zip(polynomial.getCoefficients(), polynomial.getMonomials())) {
    if (first)
      os << (coefficient < 0 ? "-" : "");
    else
      os << (coefficient < 0 ? " - " : " + ");
    first = false;
    uint64_t magnitude = coefficient < 0 ? -static_cast<uint64_t>(coefficient) : coefficient;
    bool needsStar = false;
    if (magnitude != 1 || monomial.empty()) {
      os << magnitude;
      needsStar = true;
    }
    for (Attribute factor : monomial) {
      os << (needsStar ? "*" : "") << cast<StringAttr>(factor).getValue();
      needsStar = true;
    }
  }
  return text;
}

FailureOr<PolynomialAttr> parsePolynomial(AsmParser &parser) {
  MLIRContext *context = parser.getContext();
  auto parseFactor = [&]() -> FailureOr<PolynomialAttr> {
    int64_t value;
    OptionalParseResult integer = parser.parseOptionalInteger(value);
    if (integer.has_value()) {
      if (failed(*integer))
        return failure();
      return PolynomialAttr::getConstant(context, value);
    }
    StringRef name;
    if (failed(parser.parseKeyword(&name)))
      return failure();
    return PolynomialAttr::getSymbol(context, name);
  };
  auto parseTerm = [&]() -> FailureOr<PolynomialAttr> {
    FailureOr<PolynomialAttr> term = parseFactor();
    while (succeeded(term) && succeeded(parser.parseOptionalStar())) {
      FailureOr<PolynomialAttr> factor = parseFactor();
      if (failed(factor))
        return failure();
      term = *term * *factor;
    }
    return term;
  };

  bool negative = succeeded(parser.parseOptionalMinus());
  FailureOr<PolynomialAttr> sum = parseTerm();
  if (failed(sum))
    return failure();
  PolynomialAttr result = negative ? *sum * -1 : *sum;
  while (true) {
    bool plus = succeeded(parser.parseOptionalPlus());
    if (!plus && failed(parser.parseOptionalMinus()))
      return result;
    FailureOr<PolynomialAttr> term = parseTerm();
    if (failed(term))
      return failure();
    result = plus ? result + *term : result - *term;
  }
}

Attribute PolynomialAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess())
    return {};
  FailureOr<PolynomialAttr> polynomial = parsePolynomial(parser);
  if (failed(polynomial) || parser.parseGreater())
    return {};
  return *polynomial;
}

void PolynomialAttr::print(AsmPrinter &printer) const {
  printer << "<" << toString(*this) << ">";
}

} // namespace dlc::dl
