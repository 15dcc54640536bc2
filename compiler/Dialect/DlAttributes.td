// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DLC_DL_ATTRIBUTES
#define DLC_DL_ATTRIBUTES

include "compiler/Dialect/DlDialect.td"

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

#endif // DLC_DL_ATTRIBUTES
