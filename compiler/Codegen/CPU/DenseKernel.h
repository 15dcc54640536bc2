// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// C[i, j] = sum over k of A[i, k] · B[k, j] with all three dimensions flattened: the blocked loops around the
// micro-kernel. Contractions and the weight gradient of convolutions are described to it as a DenseProblem.
//
// A work-group computes a block of C. Per chunk of 256 along k it packs a block of A and one of B (or reads
// them in place), and adds the chunk's sums to the block of C, which stays in scratch memory until all chunks
// are done and the epilogue stores it. The chunk of the numerics is thus also the cache block.

#ifndef DLC_COMPILER_CODEGEN_CPU_DENSEKERNEL_H
#define DLC_COMPILER_CODEGEN_CPU_DENSEKERNEL_H

#include "compiler/Codegen/CPU/Pack.h"

namespace dlc::codegen {

/// An operand that lies in memory with constant distances: element (r, k) is at
/// offset + r · rowStride + k · depthStride of `memory`.
struct DirectOperand {
  Value memory, offset;
  dl::PolynomialAttr rowStride, depthStride;
};

struct DenseProblem {
  PanelSource a, b;
  std::optional<DirectOperand> aDirect, bDirect;
  /// Packs rows of A instead of packDepthMajorRows, when set.
  std::function<void(Value first, Value count, Chunk chunk, Value memory, int64_t pitch)> packA;
  /// The rows of a block are a multiple of this.
  int64_t rowUnit = 1;
  /// Where C[row, column] is in the root's result; the columns run along the lanes.
  std::function<Position(Index row, Index column)> position;
};

/// Emits the kernel of a dispatch whose batch dimensions have been split off into work-groups already.
LogicalResult emitDenseKernel(TiledKernel &kernel, const DenseProblem &problem);

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_CPU_DENSEKERNEL_H
