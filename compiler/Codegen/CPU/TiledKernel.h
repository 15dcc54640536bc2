// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the kernels around a contraction share: the register tile, scratch memory, the split into work-groups,
// the loops over tiles, and the epilogue that turns finished sums into the dispatch's results.

#ifndef DLC_COMPILER_CODEGEN_CPU_TILEDKERNEL_H
#define DLC_COMPILER_CODEGEN_CPU_TILEDKERNEL_H

#include "compiler/Codegen/CPU/IndexMath.h"
#include "compiler/Codegen/CPU/MicroKernel.h"
#include "compiler/Codegen/KernelContext.h"

namespace dlc::codegen {

class TiledKernel {
public:
  /// `root` is the contraction; its one result is what the epilogue starts from.
  TiledKernel(KernelContext &context, Operation *root);

  KernelContext &context;
  ElementEmitter &emitter;
  Operation *root;
  dl::TensorType rootType;
  Type element;   ///< In which sums are computed: f32 or f64.
  TileShape tile; ///< Accumulators of a full micro-kernel; fits the target's registers.

  ImplicitLocOpBuilder &builder() { return emitter.getBuilder(); }
  MLIRContext *mlirContext() { return root->getContext(); }
  Value constant(int64_t value) { return emitter.constant(value); }
  dl::PolynomialAttr polynomial(int64_t value) {
    return dl::PolynomialAttr::getConstant(mlirContext(), value);
  }

  //===--- Scratch memory ---===//
  /// `count` elements as memref<?xT>, 64-byte aligned.
  Value allocate(dl::PolynomialAttr count, Type type);
  Value allocate(int64_t count, Type type) { return allocate(polynomial(count), type); }
  /// vector.load and vector.store of 16 elements of scratch memory, where the builder stands.
  Value loadScratch(Value memory, Value position);
  void storeScratch(Value value, Value memory, Value position);

  /// What a sum of so many terms starts with, in all lanes: -0, the neutral element of addition in every bit;
  /// +0, the sum of nothing, where there are none.
  Value startOfSum(dl::PolynomialAttr terms);
  /// Fills `count` elements (rounded up to whole vectors) with a vector.
  void fill(Value memory, Value count, Value vector);

  //===--- Work-groups ---===//
  /// Multiplies the number of work-groups by ceil(size / block) and returns this group's index along it.
  Value splitGroups(dl::PolynomialAttr size, int64_t block);

  //===--- Loops ---===//
  /// Calls `body(first, height)` for tiles of at most `tile.rows` of `rows` rows. A constant number of rows
  /// is cut evenly and gives constant heights.
  void forRowTiles(Value rows, llvm::function_ref<void(Value first, Extent height)> body);

  //===--- Epilogue ---===//
  /// Checks that each of the dispatch's results can be stored element by element as the root is finished.
  LogicalResult checkEpilogue();
  /// Stores all results at one position of the root. `sum` loads the root's element(s) there.
  void emitEpilogue(ArrayRef<Index> position, llvm::function_ref<Value()> sum);

private:
  /// Whether `value` depends on the root.
  bool dependsOnRoot(Value value);
  /// The position in `value` that holds what comes from the root's element at `position`.
  FailureOr<Position> mapFromRoot(Value value, ArrayRef<Index> position);

  DenseMap<Value, bool> dependence;
  artifact::Expression scratchBytes = 0;
  Value scratchOffset;
  Value remainingGroup;
};

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_CPU_TILEDKERNEL_H
