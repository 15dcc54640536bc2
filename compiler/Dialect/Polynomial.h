// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer polynomials in symbolic dimensions: the sizes of tensors and buffers, work-group counts and
// repeat counts. A polynomial is a uniqued attribute, kept canonical (terms sorted, like terms merged, no
// zero coefficient), so two equal polynomials are the same pointer.

#ifndef DLC_COMPILER_DIALECT_POLYNOMIAL_H
#define DLC_COMPILER_DIALECT_POLYNOMIAL_H

#include "mlir/IR/Attributes.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <optional>
#include <string>

#include "compiler/Dialect/DlEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "compiler/Dialect/DlAttributes.h.inc"

namespace dlc::dl {

// Exact arithmetic; the result lives in the context of the left operand.
PolynomialAttr operator+(PolynomialAttr lhs, PolynomialAttr rhs);
PolynomialAttr operator-(PolynomialAttr lhs, PolynomialAttr rhs);
PolynomialAttr operator*(PolynomialAttr lhs, PolynomialAttr rhs);
PolynomialAttr operator+(PolynomialAttr lhs, int64_t rhs);
PolynomialAttr operator-(PolynomialAttr lhs, int64_t rhs);
PolynomialAttr operator*(PolynomialAttr lhs, int64_t rhs);

/// The product of `factors`; 1 when there are none.
PolynomialAttr product(mlir::MLIRContext *context, llvm::ArrayRef<PolynomialAttr> factors);

/// `dividend / divisor` when it divides exactly as a polynomial (single-term divisors only), else nothing.
std::optional<PolynomialAttr> divideExactly(PolynomialAttr dividend, PolynomialAttr divisor);

/// Replaces each symbol for which `replacement` returns a polynomial.
PolynomialAttr substitute(PolynomialAttr polynomial,
                          llvm::function_ref<std::optional<PolynomialAttr>(mlir::StringAttr)> replacement);

/// The value at the given symbol values, or nothing on overflow or when a symbol has no value.
std::optional<int64_t> evaluate(PolynomialAttr polynomial,
                                llvm::function_ref<std::optional<int64_t>(llvm::StringRef)> valueOf);

/// Whether the value is at least 0, or below 0, wherever all symbols are at least 1. Both may be false also
/// for a polynomial that has one sign: the signs of its terms decide, in symbols counted from 1.
bool isNeverNegative(PolynomialAttr polynomial);
bool isAlwaysNegative(PolynomialAttr polynomial);

/// The value with the same number for every symbol: the weight of decisions that need one. 2^40 on overflow.
int64_t nominalValue(PolynomialAttr polynomial, int64_t symbolValue = 64);

/// `2*n*t + n - 1`; the text that types print and that diagnostics show.
std::string toString(PolynomialAttr polynomial);

/// Parses what toString prints; `*` binds tighter than `+` and `-`.
mlir::FailureOr<PolynomialAttr> parsePolynomial(mlir::AsmParser &parser);

} // namespace dlc::dl

#endif // DLC_COMPILER_DIALECT_POLYNOMIAL_H
