// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operations that work element by element on tensors of one shape.

#ifndef DLC_DL_ELEMENTWISE_OPS
#define DLC_DL_ELEMENTWISE_OPS

include "compiler/Dialect/DlOpBase.td"

class Dl_ExampleElement<Type type> {
  string name = !if(!eq(!cast<string>(type), "Dl_BoolTensor"), "i1", "f32");
}

class Dl_UnaryOp<string mnemonic, string formula, Type type = Dl_FloatTensor> :
    Dl_Op<mnemonic, [Pure, Dl_Elementwise, SameOperandsAndResultType]> {
  let summary = formula;
  let description = "`" # formula # "`, element by element.\n\nExample:\n```mlir\n%r = dl." # mnemonic #
                    " %x : !dl.tensor<[n, 10], " # Dl_ExampleElement<type>.name # ">\n```";
  let arguments = (ins type:$operand);
  let results = (outs type:$result);
  let assemblyFormat = "$operand attr-dict `:` type($result)";
  let hasFolder = 1;
}

def Dl_NegOp : Dl_UnaryOp<"neg", "r = -x", Dl_NumberTensor>;
def Dl_AbsOp : Dl_UnaryOp<"abs", "r = |x|", Dl_NumberTensor>;
def Dl_ExpOp : Dl_UnaryOp<"exp", "r = e^x">;
def Dl_LogOp : Dl_UnaryOp<"log", "r = ln x">;
def Dl_SqrtOp : Dl_UnaryOp<"sqrt", "r = x^(1/2), correctly rounded">;
def Dl_TanhOp : Dl_UnaryOp<"tanh", "r = tanh x">;
def Dl_SinOp : Dl_UnaryOp<"sin", "r = sin x (radians)">;
def Dl_CosOp : Dl_UnaryOp<"cos", "r = cos x (radians)">;
def Dl_ErfOp : Dl_UnaryOp<"erf", "r = erf x">;
def Dl_FloorOp : Dl_UnaryOp<"floor", "r = largest integer <= x">;
def Dl_FlushOp : Dl_UnaryOp<"flush", "r = x if |x| >= 2^-126 else 0">;
def Dl_NotOp : Dl_UnaryOp<"not", "r = not x", Dl_BoolTensor>;

class Dl_BinaryOp<string mnemonic, string formula, Type type = Dl_NumberTensor, list<Trait> traits = []> :
    Dl_Op<mnemonic, [Pure, Dl_Elementwise, SameOperandsAndResultType] # traits> {
  let summary = formula;
  let description = "`" # formula # "`, element by element.\n\nExample:\n```mlir\n%r = dl." # mnemonic #
                    " %a, %b : !dl.tensor<[n, 10], " # Dl_ExampleElement<type>.name # ">\n```";
  let arguments = (ins type:$lhs, type:$rhs);
  let results = (outs type:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($result)";
  let hasFolder = 1;
}

def Dl_AddOp : Dl_BinaryOp<"add", "r = a + b", Dl_NumberTensor, [Commutative]>;
def Dl_SubOp : Dl_BinaryOp<"sub", "r = a - b">;
def Dl_MulOp : Dl_BinaryOp<"mul", "r = a * b", Dl_NumberTensor, [Commutative]>;
def Dl_DivOp : Dl_BinaryOp<"div", "r = a / b (integers: rounded towards negative infinity; x / 0 = 0)">;
def Dl_RemOp : Dl_BinaryOp<"rem", "r = a - b * floor(a / b) (integers: x rem 0 = x)">;
def Dl_PowOp : Dl_BinaryOp<"pow", "r = a^b; a whole b from -1 to 4 by multiplications", Dl_FloatTensor>;
def Dl_MaxOp : Dl_BinaryOp<"max", "r = a if a >= b else b; NaN if either is; max(-0, +0) = +0">;
def Dl_MinOp : Dl_BinaryOp<"min", "r = a if a <= b else b; NaN if either is; min(-0, +0) = -0">;
def Dl_AndOp : Dl_BinaryOp<"and", "r = a and b", Dl_BoolTensor, [Commutative]>;
def Dl_OrOp : Dl_BinaryOp<"or", "r = a or b", Dl_BoolTensor, [Commutative]>;

def Dl_CompareOp : Dl_Op<"compare", [Pure, Dl_Elementwise, AllTypesMatch<["lhs", "rhs"]>,
                                     DeclareOpInterfaceMethods<InferTypeOpInterface>]> {
  let summary = "r = a <predicate> b";
  let description = [{
    Ordered comparison: false when either side is NaN, but `ne` is true.
    (C1) the result has the operands' shape and element type i1.

    Example:
    ```mlir
    %r = dl.compare ge %a, %b : !dl.tensor<[n, 10], f32>
    ```
  }];
  let arguments = (ins Dl_PredicateAttr:$predicate, Dl_Tensor:$lhs, Dl_Tensor:$rhs);
  let results = (outs Dl_BoolTensor:$result);
  let assemblyFormat = "$predicate $lhs `,` $rhs attr-dict `:` type($lhs)";
  let hasFolder = 1;
}

def Dl_SelectOp : Dl_Op<"select", [Pure, Dl_Elementwise, AllTypesMatch<["on_true", "on_false", "result"]>]> {
  let summary = "r = c ? a : b";
  let description = [{
    (C1) the condition has the shape of the result.

    Example:
    ```mlir
    %r = dl.select %c, %a, %b : !dl.tensor<[n, 10], f32>
    ```
  }];
  let arguments = (ins Dl_BoolTensor:$condition, Dl_Tensor:$on_true, Dl_Tensor:$on_false);
  let results = (outs Dl_Tensor:$result);
  let hasCustomAssemblyFormat = 1;
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Dl_CastOp : Dl_Op<"cast", [Pure, Dl_Elementwise]> {
  let summary = "r = x converted to the result's element type";
  let description = [{
    Float to float rounds to nearest even; float to integer truncates and saturates, NaN becomes 0; integer to
    integer wraps; a bool becomes 0 or 1; a number becomes `x != 0`.
    (C1) the shapes are equal.

    Example:
    ```mlir
    %r = dl.cast %x : !dl.tensor<[n], i32> to !dl.tensor<[n], f32>
    ```
  }];
  let arguments = (ins Dl_Tensor:$operand);
  let results = (outs Dl_Tensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `to` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

#endif // DLC_DL_ELEMENTWISE_OPS
