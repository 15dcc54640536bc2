// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Leaves, and operations that move elements without computing on them.

#ifndef DLC_DL_SHAPE_OPS
#define DLC_DL_SHAPE_OPS

include "compiler/Dialect/DlOpBase.td"

def Dl_ConstantOp : Dl_Op<"constant", [Pure, ConstantLike]> {
  let summary = "r[...] = value";
  let description = [{
    A tensor filled with one value.
    (C1) the value's type is the result's element type.

    Example:
    ```mlir
    %zero = dl.constant 0.0 : f32 : !dl.tensor<[n, 10], f32>
    ```
  }];
  let arguments = (ins TypedAttrInterface:$value);
  let results = (outs Dl_Tensor:$result);
  let assemblyFormat = "$value attr-dict `:` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
  let builders = [
    OpBuilder<(ins "TensorType":$type, "double":$value)>
  ];
}

def Dl_DimOp : Dl_Op<"dim", [Pure]> {
  let summary = "r = the value of a polynomial in the symbolic dimensions";
  let description = [{
    (C1) the result is an i64 scalar.

    Example:
    ```mlir
    %rows = dl.dim <n> : !dl.tensor<[], i64>
    ```
  }];
  let arguments = (ins Dl_PolynomialAttr:$value);
  let results = (outs Dl_I64Scalar:$result);
  let assemblyFormat = "$value attr-dict `:` type($result)";
  let hasFolder = 1;
}

def Dl_IotaOp : Dl_Op<"iota", [Pure]> {
  let summary = "r[i0, ..., ik] = i_axis";
  let description = [{
    (C1) 0 <= axis < rank. (C2) the element type is an integer or floating-point type.

    Example:
    ```mlir
    %column = dl.iota 1 : !dl.tensor<[n, 10], i32>
    ```
  }];
  let arguments = (ins I64Attr:$axis);
  let results = (outs Dl_NumberTensor:$result);
  let assemblyFormat = "$axis attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Dl_RandomKeyOp : Dl_Op<"random_key", [Pure]> {
  let summary = "r = splitmix64(seed) xor site: what one place of the program draws its numbers by";
  let description = [{
    `site` is a hash of the place's name (xxHash64), so that numbers drawn in different places are independent.
    A value of its own, not an attribute of dl.random: kernels that differ in nothing else are one kernel.

    Example:
    ```mlir
    %key = dl.random_key site 77 seed %seed
    ```
  }];
  let arguments = (ins Dl_I64Scalar:$seed, I64Attr:$site);
  let results = (outs Dl_I64Scalar:$result);
  let assemblyFormat = "`site` $site `seed` $seed attr-dict";
}

def Dl_RandomOp : Dl_Op<"random", [Pure]> {
  let summary = "r[...] = uniform in [0, 1), a multiple of 2^-24";
  let description = [{
    Philox4x32-10 (Salmon et al., 2011) with the key and, for the element of row-major index e, counter ((e >> 6) * 16 + (e & 15), 64 bits; iteration, low 32 bits; index, low 32 bits), output
    word (e >> 4) & 3; see compiler/Numerics.h. A pure function of its operands, so recomputing it gives the
    same values.
    `index` is the scan's counter inside a scan.
    (C1) key, iteration and index are i64 scalars. (C2) the result's element type is a floating-point type.

    Example:
    ```mlir
    %u = dl.random key %key iteration %iteration : !dl.tensor<[n, 10], f32>
    ```
  }];
  let arguments = (ins Dl_I64Scalar:$key, Dl_I64Scalar:$iteration, Optional<Dl_I64Scalar>:$index);
  let results = (outs Dl_FloatTensor:$result);
  let assemblyFormat = [{
    `key` $key `iteration` $iteration (`index` $index^)? attr-dict `:` type($result)
  }];
}

def Dl_BroadcastOp : Dl_Op<"broadcast", [Pure]> {
  let summary = "r[i0, ..., ik] = x[i_dims[0], ..., i_dims[j]]";
  let description = [{
    Operand axis `a` becomes result axis `dims[a]`; along the others the value repeats.
    (C1) one entry of `dims` per operand axis. (C2) `dims` is strictly increasing and within the result's rank.
    (C3) operand axis `a` has the size of result axis `dims[a]`. (C4) element types are equal.

    Example:
    ```mlir
    %r = dl.broadcast %bias [1] : !dl.tensor<[10], f32> to !dl.tensor<[n, 10], f32>
    ```
  }];
  let arguments = (ins Dl_Tensor:$operand, DenseI64ArrayAttr:$dims);
  let results = (outs Dl_Tensor:$result);
  let assemblyFormat = "$operand $dims attr-dict `:` type($operand) `to` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Dl_TransposeOp : Dl_Op<"transpose", [Pure]> {
  let summary = "r[i_0, ..., i_k] = x[...], where result axis a is operand axis permutation[a]";
  let description = [{
    (C1) `permutation` is a permutation of the operand's axes. (C2) result axis `a` has the size of operand axis
    `permutation[a]`. (C3) element types are equal.

    Example:
    ```mlir
    %r = dl.transpose %x [1, 0] : !dl.tensor<[n, 10], f32> to !dl.tensor<[10, n], f32>
    ```
  }];
  let arguments = (ins Dl_Tensor:$operand, DenseI64ArrayAttr:$permutation);
  let results = (outs Dl_Tensor:$result);
  let assemblyFormat = "$operand $permutation attr-dict `:` type($operand) `to` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
  let builders = [OpBuilder<(ins "::mlir::Value":$operand, "::llvm::ArrayRef<int64_t>":$permutation)>];
}

def Dl_ReshapeOp : Dl_Op<"reshape", [Pure]> {
  let summary = "the same elements in row-major order under another shape";
  let description = [{
    (C1) the element counts are equal as polynomials. (C2) element types are equal.

    Example:
    ```mlir
    %r = dl.reshape %x : !dl.tensor<[n, 64, 7, 7], f32> to !dl.tensor<[n, 3136], f32>
    ```
  }];
  let arguments = (ins Dl_Tensor:$operand);
  let results = (outs Dl_Tensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `to` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Dl_SliceOp : Dl_Op<"slice", [Pure]> {
  let summary = "r[i_0, ...] = x[offsets[0] + strides[0] * i_0, ...]";
  let description = [{
    The size of each axis is the result's.
    (C1) one offset (a polynomial) and one positive stride per axis; equal ranks. (C2) with constant bounds,
    0 <= offset and offset + stride * (size - 1) < operand size. (C3) element types are equal.

    Example:
    ```mlir
    %r = dl.slice %x [#dl.poly<0>, #dl.poly<1>] strides [1, 2] : !dl.tensor<[n, 10], f32> to !dl.tensor<[n, 5], f32>
    ```
  }];
  let arguments = (ins Dl_Tensor:$operand, TypedArrayAttrBase<Dl_PolynomialAttr, "offsets">:$offsets,
                       DenseI64ArrayAttr:$strides);
  let results = (outs Dl_Tensor:$result);
  let assemblyFormat = "$operand $offsets `strides` $strides attr-dict `:` type($operand) `to` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Dl_PadOp : Dl_Op<"pad", [Pure]> {
  let summary = "r[low + (1 + interior) * i] = x[i]; elsewhere the padding value";
  let description = [{
    (C1) one low (a polynomial), one interior amount >= 0 per axis; equal ranks. (C2) with constant bounds, low >= 0
    and the operand fits: low + (1 + interior) * (size - 1) < result size. (C3) value, operand and result have one
    element type.

    Example:
    ```mlir
    %r = dl.pad %x value 0.0 : f32 low [#dl.poly<0>, #dl.poly<1>] interior [0, 0] : !dl.tensor<[n, 8], f32> to !dl.tensor<[n, 10], f32>
    ```
  }];
  let arguments = (ins Dl_Tensor:$operand, TypedAttrInterface:$value,
                       TypedArrayAttrBase<Dl_PolynomialAttr, "low">:$low, DenseI64ArrayAttr:$interior);
  let results = (outs Dl_Tensor:$result);
  let assemblyFormat = [{
    $operand `value` $value `low` $low `interior` $interior attr-dict `:` type($operand) `to` type($result)
  }];
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Dl_ConcatOp : Dl_Op<"concat", [Pure]> {
  let summary = "operands one after another along an axis";
  let description = [{
    (C1) 0 <= axis < rank; at least one operand. (C2) the operands agree with the result in element type and in all
    other axes. (C3) along the axis the operands' sizes add up to the result's.

    Example:
    ```mlir
    %r = dl.concat 1, %a, %b : (!dl.tensor<[n, 4], f32>, !dl.tensor<[n, 6], f32>) -> !dl.tensor<[n, 10], f32>
    ```
  }];
  let arguments = (ins I64Attr:$axis, Variadic<Dl_Tensor>:$inputs);
  let results = (outs Dl_Tensor:$result);
  let assemblyFormat = "$axis `,` $inputs attr-dict `:` functional-type($inputs, $result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

#endif // DLC_DL_SHAPE_OPS
