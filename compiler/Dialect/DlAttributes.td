// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DLC_DL_ATTRIBUTES
#define DLC_DL_ATTRIBUTES

include "compiler/Dialect/DlDialect.td"
include "compiler/Dialect/DlEnums.td"

def Dl_PolynomialAttr : AttrDef<Dl_Dialect, "Polynomial"> {
  let mnemonic = "poly";
  let summary = "Integer polynomial in symbolic dimensions, in canonical form";
  let description = [{
    `#dl.poly<2*n*t + n - 1>`. Stored as parallel lists: coefficients, and the factors of each term as an
    array of symbol names in sorted order, repeated for powers; the constant term has no factors. Terms are
    sorted by descending degree, then by name. Zero has no terms.
  }];
  let parameters = (ins
    ArrayRefParameter<"int64_t">:$coefficients,
    ArrayRefParameter<"::mlir::ArrayAttr">:$monomials
  );
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    static PolynomialAttr getConstant(::mlir::MLIRContext *context, int64_t value);
    static PolynomialAttr getSymbol(::mlir::MLIRContext *context, ::llvm::StringRef name);

    bool isConstant() const;
    bool isConstant(int64_t value) const;
    /// The value, when there are no symbols.
    std::optional<int64_t> getConstantValue() const;
    /// Calls `visit` for each symbol, possibly more than once.
    void walkSymbols(::llvm::function_ref<void(::mlir::StringAttr)> visit) const;
  }];
}

def Dl_ConstraintAttr : AttrDef<Dl_Dialect, "Constraint"> {
  let mnemonic = "constraint";
  let summary = "What the sizes given at run time must satisfy, and which part of the source needs it";
  let description = [{
    An element of an entry's `dl.constraints`, checked when the entry is prepared for given sizes: a polynomial
    that is `not_negative`, `zero`, `not_zero`, or a `multiple_of` another one, which is then positive, too. The
    text names what needs it, at a line and column of a file.

    ```mlir
    #dl.constraint<n - 8 not_negative, "x[7]" at "model.dl":1:43>
    #dl.constraint<n multiple_of 4, "the signature" at "model.dl":3:30>
    ```
    (C1) there is a divisor exactly for `multiple_of`. (C2) the text is not empty.
  }];
  let parameters = (ins
    "::dlc::dl::PolynomialAttr":$value,
    "::dlc::dl::Requirement":$requirement,
    "::dlc::dl::PolynomialAttr":$divisor,
    "::mlir::StringAttr":$subject,
    "::mlir::StringAttr":$file,
    "unsigned":$line,
    "unsigned":$column
  );
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// `n - 8 >= 0`, `n % 4 == 0`
    std::string describeCondition() const;
  }];
}

#endif // DLC_DL_ATTRIBUTES
