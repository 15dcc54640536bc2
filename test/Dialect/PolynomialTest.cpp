// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Polynomials in symbolic dimensions: canonical form, arithmetic, evaluation.

#include "compiler/Dialect/Polynomial.h"
#include "compiler/Dialect/Dl.h"

#include "mlir/IR/MLIRContext.h"

#include <gtest/gtest.h>

namespace dlc::test {
namespace {

using dl::PolynomialAttr;

class PolynomialTest : public ::testing::Test {
protected:
  PolynomialTest() { context.loadDialect<dl::DlDialect>(); }

  PolynomialAttr constant(int64_t value) { return PolynomialAttr::getConstant(&context, value); }
  PolynomialAttr symbol(llvm::StringRef name) { return PolynomialAttr::getSymbol(&context, name); }
  /// The value at n = 3, t = 5; nothing for another symbol.
  std::optional<int64_t> at35(PolynomialAttr polynomial) {
    return dl::evaluate(polynomial, [](llvm::StringRef name) -> std::optional<int64_t> {
      if (name == "n")
        return 3;
      return name == "t" ? std::optional<int64_t>(5) : std::nullopt;
    });
  }

  mlir::MLIRContext context;
};

TEST_F(PolynomialTest, EqualPolynomialsAreTheSameAttribute) {
  PolynomialAttr n = symbol("n"), t = symbol("t");
  EXPECT_EQ(n * t, t * n);
  EXPECT_EQ((n + 1) * (n - 1), n * n - 1);
  EXPECT_EQ(n + t - n, t);
  EXPECT_EQ(n - n, constant(0));
  EXPECT_NE(n, t);
}

TEST_F(PolynomialTest, TextNamesTermsByDegreeThenName) {
  PolynomialAttr n = symbol("n"), t = symbol("t");
  EXPECT_EQ(toString(constant(0)), "0");
  EXPECT_EQ(toString(constant(-7)), "-7");
  EXPECT_EQ(toString(t * 2 * n + n - 1), "2*n*t + n - 1");
  EXPECT_EQ(toString(n * -1 + n * n), "n*n - n");
}

TEST_F(PolynomialTest, ConstantsAreRecognised) {
  EXPECT_EQ(constant(0).getConstantValue(), 0);
  EXPECT_EQ((symbol("n") - symbol("n") + 4).getConstantValue(), 4);
  EXPECT_EQ(symbol("n").getConstantValue(), std::nullopt);
  EXPECT_TRUE(constant(4).isConstant(4));
  EXPECT_FALSE(symbol("n").isConstant());
}

TEST_F(PolynomialTest, SignIsKnownWhereSymbolsAreAtLeastOne) {
  PolynomialAttr n = symbol("n"), t = symbol("t"), zero = constant(0);
  for (PolynomialAttr never : {zero, constant(3), n, n - 1, n * t - 1, n * n - n, n * 2 + t - 3})
    EXPECT_TRUE(isNeverNegative(never) && !isAlwaysNegative(never)) << toString(never);
  for (PolynomialAttr always : {constant(-1), zero - n, constant(1) - n * 2, n - n * t - 1})
    EXPECT_TRUE(isAlwaysNegative(always) && !isNeverNegative(always)) << toString(always);
  for (PolynomialAttr open : {n - 2, n - t, constant(1) - n, n * t - 2}) // 1 - n is 0 at n = 1
    EXPECT_FALSE(isNeverNegative(open) || isAlwaysNegative(open)) << toString(open);
}

TEST_F(PolynomialTest, DivisionIsExactOrNothing) {
  PolynomialAttr n = symbol("n"), t = symbol("t");
  EXPECT_EQ(divideExactly(n * t * 6 + n * 4, n * 2), t * 3 + 2);
  EXPECT_EQ(divideExactly(n * 6, constant(4)), std::nullopt);
  EXPECT_EQ(divideExactly(n + 1, n), std::nullopt);
  EXPECT_EQ(divideExactly(n + 1, n + 1), constant(1));
  EXPECT_EQ(divideExactly(constant(0), n), constant(0));
}

TEST_F(PolynomialTest, EvaluationNeedsEverySymbol) {
  PolynomialAttr n = symbol("n"), t = symbol("t");
  EXPECT_EQ(at35(n * t * 2 - t + 1), 26);
  EXPECT_EQ(at35(constant(0)), 0);
  EXPECT_EQ(at35(n + symbol("h")), std::nullopt);
}

TEST_F(PolynomialTest, EvaluationNoticesOverflow) {
  PolynomialAttr n = symbol("n");
  auto large = [](llvm::StringRef) -> std::optional<int64_t> { return int64_t{1} << 40; };
  EXPECT_EQ(dl::evaluate(n * n, large), std::nullopt);
  EXPECT_EQ(dl::evaluate(n * (int64_t{1} << 30), large), std::nullopt);
  PolynomialAttr half = n * (int64_t{1} << 22);
  EXPECT_EQ(dl::evaluate(half, large), int64_t{1} << 62);
  EXPECT_EQ(dl::evaluate(half + n * (int64_t{1} << 22), large), std::nullopt);
}

TEST_F(PolynomialTest, NominalValueTakesOneNumberForEverySymbol) {
  PolynomialAttr n = symbol("n"), t = symbol("t");
  EXPECT_EQ(dl::nominalValue(n * t + 1), 64 * 64 + 1);
  EXPECT_EQ(dl::nominalValue(n * t + 1, 3), 10);
  EXPECT_EQ(dl::nominalValue(n * n, int64_t{1} << 32), int64_t{1} << 40);
}

TEST_F(PolynomialTest, SubstitutionReplacesSymbols) {
  PolynomialAttr n = symbol("n"), t = symbol("t");
  PolynomialAttr result =
      dl::substitute(n * n + t, [&](mlir::StringAttr name) -> std::optional<PolynomialAttr> {
        return name.getValue() == "n" ? std::optional(t + 1) : std::nullopt;
      });
  EXPECT_EQ(result, t * t + t * 3 + 1);
}

} // namespace
} // namespace dlc::test
