// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Artifact/SizeExpression.h"

#include "llvm/Support/ErrorHandling.h"

namespace dlc::artifact {

Expression toExpression(dl::PolynomialAttr polynomial, mlir::ArrayAttr symbols) {
  Expression sum = 0;
  for (auto [coefficient, monomial] :
       llvm::zip_equal(polynomial.getCoefficients(), polynomial.getMonomials())) {
    Expression term = coefficient;
    for (mlir::Attribute factor : monomial) {
      const auto *found = llvm::find(symbols, factor);
      if (found == symbols.end())
        llvm::report_fatal_error(llvm::Twine("internal error: the size ") + dl::toString(polynomial) +
                                 " has a symbol that its entry does not declare");
      term = term * Expression::symbol(found - symbols.begin());
    }
    sum = sum + term;
  }
  return sum;
}

Dtype dtypeOf(mlir::Type element) {
  if (element.isF32())
    return Dtype::F32;
  if (element.isF64())
    return Dtype::F64;
  if (element.isBF16())
    return Dtype::BF16;
  if (element.isF16())
    return Dtype::F16;
  if (element.isUnsignedInteger(8))
    return Dtype::U8;
  switch (element.getIntOrFloatBitWidth()) {
  case 1:
    return Dtype::Bool;
  case 8:
    return Dtype::I8;
  case 32:
    return Dtype::I32;
  default:
    return Dtype::I64;
  }
}

} // namespace dlc::artifact
