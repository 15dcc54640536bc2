// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operations whose elements are found by computed indices, and the order of elements.

#ifndef DLC_DL_INDEX_OPS
#define DLC_DL_INDEX_OPS

include "compiler/Dialect/DlOpBase.td"

def Dl_SubscriptOp : Dl_Op<"subscript", [Pure]> {
  let summary = "r[i0, ..., ik] = x[..., (sum of coefficients * i + offset) / divisor, ...]; 0 where x has no such element";
  let description = [{
    Axis `a` of x is indexed by a whole number that is affine in the indices of the result: row `a` of
    `coefficients` times i, plus `offsets[a]`, divided by `divisors[a]`. The result is 0 where a division leaves a
    remainder, or an index lies outside of its axis. What index notation reads with, and what the gradient of that
    reads with.
    (C1) one coefficient per axis of x and axis of the result, row by row; one offset (a polynomial) and one
    divisor >= 1 per axis of x. (C2) element types are equal.

    Example: every second window of three
    ```mlir
    %r = dl.subscript %x [2, 1] offsets [#dl.poly<0>] divisors [1] : !dl.tensor<[2*n + 1], f32> to !dl.tensor<[n, 3], f32>
    ```
  }];
  let arguments = (ins Dl_Tensor:$operand, DenseI64ArrayAttr:$coefficients,
                       TypedArrayAttrBase<Dl_PolynomialAttr, "offsets">:$offsets, DenseI64ArrayAttr:$divisors);
  let results = (outs Dl_Tensor:$result);
  let assemblyFormat = [{
    $operand $coefficients `offsets` $offsets `divisors` $divisors attr-dict `:` type($operand) `to` type($result)
  }];
  let hasFolder = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The coefficients of one axis of the operand, one per axis of the result.
    ::llvm::ArrayRef<int64_t> getRow(int64_t axis) {
      int64_t width = getType().getRank();
      return getCoefficients().slice(axis * width, width);
    }
    PolynomialAttr getOffset(int64_t axis) {
      return ::llvm::cast<PolynomialAttr>(getOffsets()[axis]);
    }
    /// Whether every index of this axis is a whole number within it, for all sizes.
    bool staysInside(int64_t axis);
    /// Whether this axis is the same axis of the result: neither moved nor used by another one.
    bool isKept(int64_t axis);
  }];
}

def Dl_GatherOp : Dl_Op<"gather", [Pure]> {
  let summary = "r[b..., i..., s...] = x[b..., index[b..., i...], s...]";
  let description = [{
    The first `batch` axes of x and index are shared; the next axis of x is the one that the index chooses from.
    An index below 0 is 0, one behind the axis its last: no element outside of x is read. Where the axis has no
    elements, the result is 0.
    (C1) 0 <= batch <= rank of index, batch < rank of x, and the first `batch` axes have equal sizes. (C2) index is
    of type i32 or i64. (C3) the result has index's shape, then the axes of x behind the chosen one. (C4) element
    types of x and the result are equal.

    Example:
    ```mlir
    %r = dl.gather %x, %index batch 0 : (!dl.tensor<[65, 128], f32>, !dl.tensor<[n, t], i32>) -> !dl.tensor<[n, t, 128], f32>
    ```
  }];
  let arguments = (ins Dl_Tensor:$operand, Dl_IndexTensor:$index, I64Attr:$batch);
  let results = (outs Dl_Tensor:$result);
  let assemblyFormat = "$operand `,` $index `batch` $batch attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let builders = [OpBuilder<(ins "::mlir::Value":$operand, "::mlir::Value":$index, "int64_t":$batch)>];
}

def Dl_ScatterAddOp : Dl_Op<"scatter_add", [Pure]> {
  let summary = "r[b..., j, s...] = sum of updates[b..., i..., s...] over the i with index[b..., i...] = j";
  let description = [{
    The transpose of gather: element sums start at +0 and run in the row-major order of i. Indices outside of the
    axis count as its first or last, as in gather.
    (C1) 0 <= batch <= rank of index, batch < rank of the result; updates have index's shape, then the axes of the
    result behind the one that is chosen from. (C2) index is of type i32 or i64. (C3) the first `batch` axes of
    index and the result have equal sizes. (C4) element types of updates and the result are equal.

    Example:
    ```mlir
    %r = dl.scatter_add %u, %index batch 0 : (!dl.tensor<[n, t, 128], f32>, !dl.tensor<[n, t], i32>) -> !dl.tensor<[65, 128], f32>
    ```
  }];
  let arguments = (ins Dl_NumberTensor:$updates, Dl_IndexTensor:$index, I64Attr:$batch);
  let results = (outs Dl_NumberTensor:$result);
  let assemblyFormat = "$updates `,` $index `batch` $batch attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Dl_ArgSortOp : Dl_Op<"argsort", [Pure]> {
  let summary = "r[..., k] = the index along the last axis of x of its k-th smallest element";
  let description = [{
    Ascending; equal elements stay in their order, -0 equals +0, and NaN comes after all numbers.
    (C1) x has an axis. (C2) the result has x's shape and element type i32.

    Example:
    ```mlir
    %r = dl.argsort %x : !dl.tensor<[n, 10], f32> to !dl.tensor<[n, 10], i32>
    ```
  }];
  let arguments = (ins Dl_NumberTensor:$operand);
  let results = (outs Dl_Tensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `to` type($result)";
  let hasVerifier = 1;
  let builders = [OpBuilder<(ins "::mlir::Value":$operand)>];
}

#endif // DLC_DL_INDEX_OPS
