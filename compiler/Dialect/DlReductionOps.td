// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reductions, contractions, convolutions and pooling.

#ifndef DLC_DL_REDUCTION_OPS
#define DLC_DL_REDUCTION_OPS

include "compiler/Dialect/DlOpBase.td"

def Dl_ReduceOp : Dl_Op<"reduce", [Pure]> {
  let summary = "r[kept axes] = sum, max, min or prod of x over the given axes";
  let description = [{
    Order (Numerics.h): the reduced elements in row-major order of the reduced axes, in blocks of 4,096; within a
    block element i goes to lane i mod 16, lanes are combined by a fixed tree, blocks in order. The empty sum is 0,
    product 1, max -infinity and min +infinity.
    (C1) `axes` are distinct, increasing and within the rank. (C2) the result is the operand without them.

    Example:
    ```mlir
    %r = dl.reduce sum %x [1] : !dl.tensor<[n, 10], f32> to !dl.tensor<[n], f32>
    ```
  }];
  let arguments = (ins Dl_ReduceKindAttr:$kind, Dl_NumberTensor:$operand, DenseI64ArrayAttr:$axes);
  let results = (outs Dl_NumberTensor:$result);
  let assemblyFormat = "$kind $operand $axes attr-dict `:` type($operand) `to` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
  let builders = [OpBuilder<(ins "ReduceKind":$kind, "::mlir::Value":$operand, "::llvm::ArrayRef<int64_t>":$axes)>];
}

def Dl_ArgMaxOp : Dl_Op<"argmax", [Pure]> {
  let summary = "r[...] = first index of the largest element along an axis; the first NaN wins; 0 of no elements";
  let description = [{
    (C1) 0 <= axis < rank. (C2) the result is the operand without the axis, of element type i32.

    Example:
    ```mlir
    %r = dl.argmax %x 1 : !dl.tensor<[n, 10], f32> to !dl.tensor<[n], i32>
    ```
  }];
  let arguments = (ins Dl_NumberTensor:$operand, I64Attr:$axis);
  let results = (outs Dl_Tensor:$result);
  let assemblyFormat = "$operand $axis attr-dict `:` type($operand) `to` type($result)";
  let hasVerifier = 1;
}

def Dl_ContractOp : Dl_Op<"contract", [Pure]> {
  let summary = "r[out] = sum over the other indices of a[lhs] * b[rhs]";
  let description = [{
    `equation` is in Einstein's notation with one lower-case letter per axis: `"mk,nk->mn"`. A letter in both
    operands and the result is a batch axis; a letter that the result lacks is summed over.
    The reduced letters, in the order of the left operand, give the row-major index k; k is cut into chunks of 256;
    a chunk starts at +0 and runs in order with fused multiply-add; chunk sums are added in order (Numerics.h).
    (C1) `lhs,rhs->result` with one letter per axis of each, no letter twice within one. (C2) a letter has one size.
    (C3) every letter of the result stands in an operand; every reduced letter stands in both. (C4) one element type.

    Example:
    ```mlir
    %r = dl.contract "mk,nk->mn" %x, %w : (!dl.tensor<[n, 64], f32>, !dl.tensor<[10, 64], f32>) -> !dl.tensor<[n, 10], f32>
    ```
  }];
  let arguments = (ins StrAttr:$equation, Dl_FloatTensor:$lhs, Dl_FloatTensor:$rhs);
  let results = (outs Dl_FloatTensor:$result);
  let assemblyFormat = "$equation $lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::llvm::StringRef getLhsLetters();
    ::llvm::StringRef getRhsLetters();
    ::llvm::StringRef getResultLetters();
    /// The summed letters in the order of the left operand.
    std::string getReducedLetters();
    PolynomialAttr getLetterSize(char letter);
  }];
}

class Dl_ConvolutionOp<string mnemonic> : Dl_Op<mnemonic, [Pure]> {
  let hasVerifier = 1;
}

defvar ConvolutionAttributes = (ins DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$padding_low,
    DenseI64ArrayAttr:$padding_high, DenseI64ArrayAttr:$dilations, DefaultValuedAttr<I64Attr, "1">:$groups);

def Dl_ConvOp : Dl_ConvolutionOp<"conv"> {
  let summary = "y[n, o, p] = sum over (c, k) of x[n, c, p * stride + k * dilation - low] * w[o, c, k]";
  let description = [{
    Cross-correlation over any number of spatial axes: x (batch, c, spatial...), w (o, c / groups, kernel...),
    y (batch, o, spatial...). Outside x is 0, and enters the sum. The reduced index is (c, k) in row-major order.
    (C1) one stride, dilation (>= 1), low and high padding (>= 0) per spatial axis. (C2) channels: x has groups * w's.
    (C3) groups divides o. (C4) output size = floor((size + low + high - dilation * (kernel - 1) - 1) / stride) + 1 > 0.
    (C5) one element type.

    Example:
    ```mlir
    %y = dl.conv %x, %w strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1
      : (!dl.tensor<[n, 1, 28, 28], f32>, !dl.tensor<[32, 1, 3, 3], f32>) -> !dl.tensor<[n, 32, 28, 28], f32>
    ```
  }];
  let arguments = !con((ins Dl_FloatTensor:$input, Dl_FloatTensor:$filter), ConvolutionAttributes);
  let results = (outs Dl_FloatTensor:$result);
  let assemblyFormat = [{
    $input `,` $filter `strides` $strides `padding` $padding_low `to` $padding_high `dilations` $dilations
    `groups` $groups attr-dict `:` functional-type(operands, results)
  }];
}

def Dl_ConvInputGradOp : Dl_ConvolutionOp<"conv_input_grad"> {
  let summary = "dx: the transpose of conv with respect to its input, applied to dy";
  let description = [{
    `dx[n, c, i] = sum over (o, k) of dy[n, o, p] * w[o, c, k]` where `i = p * stride + k * dilation - low`; terms
    whose p is not a whole output position are left out. The reduced index is (o, k) in row-major order.
    (C1) to (C5) of conv hold for (dx, w) -> dy.

    Example:
    ```mlir
    %dx = dl.conv_input_grad %dy, %w strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1
      : (!dl.tensor<[n, 32, 28, 28], f32>, !dl.tensor<[32, 1, 3, 3], f32>) -> !dl.tensor<[n, 1, 28, 28], f32>
    ```
  }];
  let arguments = !con((ins Dl_FloatTensor:$gradient, Dl_FloatTensor:$filter), ConvolutionAttributes);
  let results = (outs Dl_FloatTensor:$result);
  let assemblyFormat = [{
    $gradient `,` $filter `strides` $strides `padding` $padding_low `to` $padding_high `dilations` $dilations
    `groups` $groups attr-dict `:` functional-type(operands, results)
  }];
}

def Dl_ConvWeightGradOp : Dl_ConvolutionOp<"conv_weight_grad"> {
  let summary = "dw: the transpose of conv with respect to its filter, applied to dy";
  let description = [{
    `dw[o, c, k] = sum over (n, p) of dy[n, o, p] * x[n, c, p * stride + k * dilation - low]`. The reduced index is
    (n, p) in row-major order.
    (C1) to (C5) of conv hold for (x, dw) -> dy.

    Example:
    ```mlir
    %dw = dl.conv_weight_grad %dy, %x strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1
      : (!dl.tensor<[n, 32, 28, 28], f32>, !dl.tensor<[n, 1, 28, 28], f32>) -> !dl.tensor<[32, 1, 3, 3], f32>
    ```
  }];
  let arguments = !con((ins Dl_FloatTensor:$gradient, Dl_FloatTensor:$input), ConvolutionAttributes);
  let results = (outs Dl_FloatTensor:$result);
  let assemblyFormat = [{
    $gradient `,` $input `strides` $strides `padding` $padding_low `to` $padding_high `dilations` $dilations
    `groups` $groups attr-dict `:` functional-type(operands, results)
  }];
}

defvar PoolAttributes = (ins DenseI64ArrayAttr:$window, DenseI64ArrayAttr:$strides,
    DenseI64ArrayAttr:$padding_low, DenseI64ArrayAttr:$padding_high);

def Dl_MaxPoolOp : Dl_Op<"max_pool", [Pure]> {
  let summary = "y[n, c, p] = max over k < window of x[n, c, p * stride + k - low]";
  let description = [{
    Positions outside x take no part. (C1) one window, stride (>= 1), low and high padding (0 <= padding < window)
    per spatial axis. (C2) output size = floor((size + low + high - window) / stride) + 1 > 0; batch and channels as
    x's. (C3) one element type.

    Example:
    ```mlir
    %y = dl.max_pool %x window [2, 2] strides [2, 2] padding [0, 0] to [0, 0]
      : (!dl.tensor<[n, 32, 28, 28], f32>) -> !dl.tensor<[n, 32, 14, 14], f32>
    ```
  }];
  let arguments = !con((ins Dl_FloatTensor:$input), PoolAttributes);
  let results = (outs Dl_FloatTensor:$result);
  let assemblyFormat = [{
    $input `window` $window `strides` $strides `padding` $padding_low `to` $padding_high attr-dict `:`
    functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Dl_MaxPoolGradOp : Dl_Op<"max_pool_grad", [Pure]> {
  let summary = "dx: each dy[n, c, p] goes to the first largest element of its window of x";
  let description = [{
    The first in row-major order of the window; windows that overlap add up in row-major order of p.
    (C1) to (C3) of max_pool hold for x -> dy. (C4) dx has x's type.

    Example:
    ```mlir
    %dx = dl.max_pool_grad %x, %dy window [2, 2] strides [2, 2] padding [0, 0] to [0, 0]
      : (!dl.tensor<[n, 32, 28, 28], f32>, !dl.tensor<[n, 32, 14, 14], f32>) -> !dl.tensor<[n, 32, 28, 28], f32>
    ```
  }];
  let arguments = !con((ins Dl_FloatTensor:$input, Dl_FloatTensor:$gradient), PoolAttributes);
  let results = (outs Dl_FloatTensor:$result);
  let assemblyFormat = [{
    $input `,` $gradient `window` $window `strides` $strides `padding` $padding_low `to` $padding_high attr-dict `:`
    functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Dl_MaxPoolSelectOp : Dl_Op<"max_pool_select", [Pure]> {
  let summary = "r[n, c, p] = v at the first largest element of p's window of x";
  let description = [{
    The transpose of max_pool_grad in its second operand. (C1) to (C3) of max_pool hold for x -> r. (C4) v has x's type.

    Example:
    ```mlir
    %r = dl.max_pool_select %x, %v window [2, 2] strides [2, 2] padding [0, 0] to [0, 0]
      : (!dl.tensor<[n, 32, 28, 28], f32>, !dl.tensor<[n, 32, 28, 28], f32>) -> !dl.tensor<[n, 32, 14, 14], f32>
    ```
  }];
  let arguments = !con((ins Dl_FloatTensor:$input, Dl_FloatTensor:$values), PoolAttributes);
  let results = (outs Dl_FloatTensor:$result);
  let assemblyFormat = [{
    $input `,` $values `window` $window `strides` $strides `padding` $padding_low `to` $padding_high attr-dict `:`
    functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif // DLC_DL_REDUCTION_OPS
