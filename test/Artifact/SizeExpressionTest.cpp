// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes as the artifact writes them have the value that the compiler gives them.

#include "compiler/Artifact/SizeExpression.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/MLIRContext.h"

#include <gtest/gtest.h>

namespace dlc::test {
namespace {

using dl::PolynomialAttr;

class SizeExpression : public ::testing::Test {
protected:
  SizeExpression() : dialect(context.getOrLoadDialect<dl::DlDialect>()) {}

  mlir::MLIRContext context;
  dl::DlDialect *dialect; ///< Loaded before the sizes below.
  mlir::ArrayAttr symbols = mlir::Builder(&context).getStrArrayAttr({"n", "t"});
  PolynomialAttr n = PolynomialAttr::getSymbol(&context, "n"), t = PolynomialAttr::getSymbol(&context, "t");
};

TEST_F(SizeExpression, HasTheValueOfThePolynomial) {
  PolynomialAttr size = n * n * t * 2 - t + 7;
  auto valueOf = [](llvm::StringRef name) -> std::optional<int64_t> { return name == "n" ? 3 : 5; };
  EXPECT_EQ(artifact::toExpression(size, symbols).evaluate({3, 5}), dl::evaluate(size, valueOf));
  EXPECT_EQ(artifact::toExpression(size, symbols).evaluate({3, 5}), 92);
}

TEST_F(SizeExpression, KeepsConstants) {
  EXPECT_EQ(artifact::toExpression(PolynomialAttr::getConstant(&context, 0), symbols),
            artifact::Expression(0));
  EXPECT_EQ(artifact::toExpression(PolynomialAttr::getConstant(&context, -4), symbols),
            artifact::Expression(-4));
}

TEST_F(SizeExpression, RefusesSymbolsThatTheEntryLacks) {
  PolynomialAttr h = PolynomialAttr::getSymbol(&context, "h");
  EXPECT_DEATH(artifact::toExpression(n * h + 1, symbols),
               R"(internal error: the size h\*n \+ 1 has a symbol that its entry does not declare)");
}

} // namespace
} // namespace dlc::test
