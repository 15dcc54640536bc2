// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A dl.contract seen as a matrix product: its letters sorted into batch, rows (of the scalar operand A),
// columns (of the vector operand B) and depth, neighbours that stay together merged into one.

#ifndef DLC_COMPILER_CODEGEN_CPU_CONTRACTION_H
#define DLC_COMPILER_CODEGEN_CPU_CONTRACTION_H

#include "compiler/Codegen/CPU/DenseKernel.h"

namespace dlc::codegen {

/// Some letters of an equation that stand next to each other, in the same order, wherever they stand.
struct Letter {
  dl::PolynomialAttr size;
  unsigned axes = 1; ///< How many letters this is.
};

/// The letters of one tensor in its order, as indices into Contraction::letters.
using LetterList = SmallVector<unsigned, 4>;

struct Contraction {
  SmallVector<Letter, 8> letters;
  LetterList batch, rows, columns, depth; ///< Each in row-major order; rows and columns as in the result.
  Value a, b;                             ///< A has the rows, B the columns.
  LetterList aLetters, bLetters, resultLetters;

  explicit Contraction(dl::ContractOp op);
  dl::PolynomialAttr sizeOf(const LetterList &list, MLIRContext *context) const;
};

/// The distance between neighbours of the given letters (in row-major order) in `memory`, if there is a
/// single one. 0 when there are no letters.
std::optional<dl::PolynomialAttr> directStride(const Contraction &contraction, const LetterList &list,
                                               const LetterList &tensorLetters, dl::TensorType type,
                                               const Memory &memory);

/// The positions in a tensor for indices of each group of letters.
class LetterIndices {
public:
  LetterIndices(ElementEmitter &emitter, const Contraction &contraction)
      : emitter(emitter), contraction(contraction), indices(contraction.letters.size()) {}
  /// Splits the row-major index over `list` into its letters.
  void set(const LetterList &list, Index index);
  Position position(const LetterList &tensorLetters) const;

private:
  ElementEmitter &emitter;
  const Contraction &contraction;
  SmallVector<Index, 8> indices;
};

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_CPU_CONTRACTION_H
