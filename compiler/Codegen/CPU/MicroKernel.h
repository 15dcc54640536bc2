// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The innermost loop of every contraction: rows × (vectors · 16) sums of one chunk of k, held in registers.
//
//   C[i, j] = or += sum over k < count of A[i, k] * B[k, j]      (in order of k, by fma, from +0)
//
// A is read one element at a time and broadcast; B in vectors of 16. Both are addressed by strides, so that
// packed panels, plain matrices and padded images (whose rows of B are found through a table) use one kernel.

#ifndef DLC_COMPILER_CODEGEN_CPU_MICROKERNEL_H
#define DLC_COMPILER_CODEGEN_CPU_MICROKERNEL_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpDefinition.h"

namespace dlc::codegen {

/// Lanes of every vector, whatever the target: LLVM splits them into the machine's registers.
inline constexpr int64_t kTileLanes = 16;

/// The accumulators of one micro-kernel: rows × vectors, each of 16 lanes.
struct TileShape {
  int64_t rows = 1;
  int64_t vectors = 1;
  int64_t columns() const { return vectors * kTileLanes; }
};

/// How far row k of an operand is from row 0: k · stride, or table[first + k] where there is a table (the
/// rows of an image under a filter are at no regular distance).
struct DepthOffset {
  mlir::OpFoldResult stride;
  mlir::Value table; ///< memref<?xi32>, or null.
  mlir::Value first; ///< Index of the chunk's first entry in the table.
};

/// A[i, k] = memory[base + i · rowStride + depth(k)]. A constant row stride keeps the addresses of all rows
/// in one register; so do constant offsets, which replace the stride where they are given.
struct ScalarOperand {
  mlir::Value memory; ///< memref<?xT>
  mlir::Value base;
  mlir::OpFoldResult rowStride;
  DepthOffset depth;
  llvm::SmallVector<int64_t, 16> rowOffsets = {};
};

/// B[k, 16 v + lane] = memory[bases[v] + depth(k) + lane].
struct VectorOperand {
  mlir::Value memory; ///< memref<?xT>
  llvm::SmallVector<mlir::Value, 4> bases;
  DepthOffset depth;
  llvm::SmallVector<mlir::Value, 4> masks; ///< vector<16xi1> each: lanes off are not read. Empty: all are on.
};

/// The length of a chunk, and a constant that divides it (2 saves the code for an odd step).
struct DepthCount {
  mlir::OpFoldResult count;
  int64_t multiple = 1;
};

/// C[i, 16 v + lane] = memory[base + i · rowStride + 16 v + lane].
struct TileOperand {
  mlir::Value memory; ///< memref<?xT>
  mlir::Value base;
  mlir::OpFoldResult rowStride;
};

/// Whether a chunk's sums replace C or are added to it.
enum class TileUpdate { Set, Add };

/// Whether constant strides and counts are compiled into a micro-kernel, or passed to one that all share.
enum class Specialize { No, Yes };

/// Emits a call at the builder's position, and the private function that it calls unless the module has it.
/// All of A, B and C have the same element type.
void emitMicroKernel(mlir::OpBuilder &builder, mlir::Location location, TileShape shape,
                     const ScalarOperand &a, const VectorOperand &b, DepthCount depth, const TileOperand &c,
                     TileUpdate update, Specialize specialize = Specialize::Yes);

/// Emits micro-kernels for `rows` rows where 1 <= rows <= full.rows is known when the kernel runs: the full
/// tile, else fours, a two and a one, in kernels that all contractions share. A constant count emits exactly
/// its kernel. The rows of `a` are a stride apart: rowOffsets would have to be divided among the parts, too.
void emitMicroKernelRows(mlir::OpBuilder &builder, mlir::Location location, TileShape full,
                         mlir::OpFoldResult rows, const ScalarOperand &a, const VectorOperand &b,
                         DepthCount depth, const TileOperand &c, TileUpdate update);

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_CPU_MICROKERNEL_H
