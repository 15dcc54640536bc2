// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DLC_DL_TYPES
#define DLC_DL_TYPES

include "compiler/Dialect/DlAttributes.td"

def Dl_TensorType : TypeDef<Dl_Dialect, "Tensor"> {
  let mnemonic = "tensor";
  let summary = "Tensor whose dimensions are polynomials in symbols";
  let description = [{
    `!dl.tensor<[n, 2*t + 1, 10], f32>`; a scalar is `!dl.tensor<[], f32>`. Logical order is row-major.
    Element types: f32, f64, bf16, f16, i8, ui8, i32, i64, i1.
  }];
  let parameters = (ins
    ArrayRefParameter<"::dlc::dl::PolynomialAttr">:$shape,
    "::mlir::Type":$elementType
  );
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getRank() const { return getShape().size(); }
    PolynomialAttr getDim(int64_t axis) const { return getShape()[axis]; }
    /// The product of all dimensions.
    PolynomialAttr getElementCount() const;
    /// The same shape with another element type; the same element type with another shape.
    TensorType withElementType(::mlir::Type elementType) const;
    TensorType withShape(::llvm::ArrayRef<PolynomialAttr> shape) const;
    /// The shape without the given axes (each once, any order).
    TensorType dropAxes(::llvm::ArrayRef<int64_t> axes) const;
    bool isScalar() const { return getShape().empty(); }
    /// f32[n, 10]: how diagnostics write a tensor type.
    std::string describe() const;
  }];
}

def Dl_Tensor : DialectType<Dl_Dialect, CPred<"::llvm::isa<::dlc::dl::TensorType>($_self)">,
                            "dl tensor", "::dlc::dl::TensorType">;

class Dl_TensorOf<string predicate, string description> :
  DialectType<Dl_Dialect, And<[Dl_Tensor.predicate,
      SubstLeaves<"$_self", "::llvm::cast<::dlc::dl::TensorType>($_self).getElementType()",
                  CPred<predicate>>]>, description, "::dlc::dl::TensorType">;
def Dl_FloatTensor : Dl_TensorOf<"::llvm::isa<::mlir::FloatType>($_self)", "dl tensor of floating-point type">;
def Dl_BoolTensor : Dl_TensorOf<"$_self.isInteger(1)", "dl tensor of bool">;
def Dl_IndexTensor : Dl_TensorOf<"$_self.isInteger(32) || $_self.isInteger(64)", "dl tensor of i32 or i64">;
def Dl_NumberTensor : Dl_TensorOf<"!$_self.isInteger(1)", "dl tensor of numbers">;
def Dl_I64Scalar : Type<And<[Dl_Tensor.predicate,
      CPred<"::llvm::cast<::dlc::dl::TensorType>($_self).isScalar() && "
            "::llvm::cast<::dlc::dl::TensorType>($_self).getElementType().isInteger(64)">]>,
      "dl scalar of i64", "::dlc::dl::TensorType">,
    BuildableType<"::dlc::dl::TensorType::get($_builder.getContext(), {}, $_builder.getI64Type())">;

#endif // DLC_DL_TYPES
