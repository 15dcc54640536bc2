// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Copies of one chunk of a contraction's operand in the order in which the micro-kernel reads it. Elements
// come from the element emitter, so that whatever produces the operand is computed on the way.
//
// An operand is seen as rows × depth, where the depth index k is (segment, inner): segments are what the
// operand has contiguous along k, such as the rows of an image. One segment is the usual case.

#ifndef DLC_COMPILER_CODEGEN_CPU_PACK_H
#define DLC_COMPILER_CODEGEN_CPU_PACK_H

#include "compiler/Codegen/CPU/TiledKernel.h"
#include "compiler/Numerics.h"

namespace dlc::codegen {

/// An operand as packing sees it.
struct PanelSource {
  Value operand;
  /// Where the element at a row and a depth is in the operand; one of row and inner may run along the lanes.
  std::function<Position(Index row, Value segment, Index inner)> position;
  dl::PolynomialAttr rows;            ///< All of them; lanes beyond are masked off.
  dl::PolynomialAttr segments, inner; ///< Depth = segments · inner.
  bool depthIsContiguous = true;      ///< In memory; otherwise the rows are.
  /// The distance of neighbouring rows, if there is one and the operand lies in memory, in the type of the
  /// sums and with the elements of a segment side by side.
  std::optional<dl::PolynomialAttr> rowPitch;
};

/// Depths that are summed, and packed, at a time.
inline constexpr int64_t kChunk = numerics::kContractionChunk;

/// A part of the depth, at most kChunk of it.
struct Chunk {
  Value begin, end; ///< In k.
};

/// Rows packed beyond the end of a chunk, or elements beyond the end of a row: vectors are stored whole.
inline constexpr int64_t kPackSlack = 16;

/// From one packed row of depths, or one panel of columns, to the next: not a power of two, so that
/// neighbours fall into different cache sets.
inline constexpr int64_t kPitch = kChunk + kPackSlack;

/// Where packed B has an element: panels of a `tile`'s columns, each kPitch × columns. `depth` counts from
/// the chunk's begin.
Value placeInPanels(TiledKernel &kernel, TileShape tile, Value depth, Value column);

/// memory[r · pitch + k - begin] = element (first + r, k), for r < count.
void packDepthMajorRows(TiledKernel &kernel, const PanelSource &source, Value first, Value count, Chunk chunk,
                        Value memory, int64_t pitch);

/// memory[place(k - begin, r) + lane] = element (first + r + lane, k), for r < count in steps of 16.
void packRowLanes(TiledKernel &kernel, const PanelSource &source, Value first, Value count, Chunk chunk,
                  Value memory, llvm::function_ref<Value(Value depth, Value row)> place);

/// The same result for an operand that is contiguous in k, where place(k, r) = place(0, r) + k · pitch.
/// `block` is scratch memory of 256 elements.
void packTransposed(TiledKernel &kernel, const PanelSource &source, Value first, Value count, Chunk chunk,
                    Value memory, int64_t pitch, Value block,
                    llvm::function_ref<Value(Value depth, Value row)> place);

/// 16 × 16 elements of memory: rows from `first` on, at a distance of `pitch`.
struct Square {
  Value memory, first, pitch;
};

/// Stores the columns of a square as the rows of another. `columns` says how many there are to read, all
/// without it; the rows of what is not there become 0.
void transpose(TiledKernel &kernel, const Square &from, const Square &to, Value columns = {});

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_CPU_PACK_H
