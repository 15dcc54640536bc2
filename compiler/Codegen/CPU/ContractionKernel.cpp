// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels of dispatches whose root is a contraction or a convolution.

#include "compiler/Codegen/CPU/Contraction.h"
#include "compiler/Codegen/CPU/ConvolutionKernel.h"

namespace dlc::codegen {
namespace {

/// The operand as it lies in memory, when it is computed by nothing and in the type of the sums.
std::optional<DirectOperand> findDirect(TiledKernel &kernel, const Contraction &contraction, Value operand,
                                        const LetterList &tensorLetters, const LetterList &rows,
                                        Index batch) {
  const Memory *memory = kernel.emitter.getMemory(operand);
  auto type = cast<dl::TensorType>(operand.getType());
  if (!memory || type.getElementType() != kernel.element)
    return std::nullopt;
  auto rowStride = directStride(contraction, rows, tensorLetters, type, *memory);
  auto depthStride = directStride(contraction, contraction.depth, tensorLetters, type, *memory);
  if (!rowStride || !depthStride)
    return std::nullopt;
  // The offset is the position with everything but the batch at 0.
  Index zero = Index::uniform(kernel.constant(0));
  LetterIndices indices(kernel.emitter, contraction);
  indices.set(contraction.batch, batch);
  indices.set(rows, zero);
  indices.set(contraction.depth, zero);
  ElementEmitter &emitter = kernel.emitter;
  Value offset = memory->offset ? memory->offset : kernel.constant(0);
  Position first = emitter.expand(type.getShape(), indices.position(tensorLetters));
  for (auto [index, stride] : llvm::zip_equal(first, memory->strides))
    offset = emitter.add(offset, emitter.mul(emitter.uniformValue(index), emitter.evaluate(stride)));
  return DirectOperand{memory->memref, offset, *rowStride, *depthStride};
}

/// How packing sees an operand with the given row letters.
PanelSource makeSource(TiledKernel &kernel, const Contraction &contraction, Value operand,
                       const LetterList &tensorLetters, const LetterList &rows, Index batch) {
  PanelSource source;
  MLIRContext *context = kernel.mlirContext();
  const LetterList &depth = contraction.depth;
  LetterList outer(depth.begin(), depth.empty() ? depth.end() : std::prev(depth.end()));
  LetterList inner(depth.empty() ? depth.end() : std::prev(depth.end()), depth.end());
  source.rows = contraction.sizeOf(rows, context);
  source.segments = contraction.sizeOf(outer, context);
  source.inner = contraction.sizeOf(inner, context);

  // Contiguous along whichever of the two has the smaller distance, in memory or (computed operands) in the
  // shape.
  auto type = cast<dl::TensorType>(operand.getType());
  const Memory *memory = kernel.emitter.getMemory(operand);
  Memory shape{{}, {}, rowMajorStrides(type)};
  auto distance = [&](const LetterList &list) -> int64_t {
    auto stride = list.empty()
                      ? std::nullopt
                      : directStride(contraction, list, tensorLetters, type, memory ? *memory : shape);
    return stride ? nominalValue(*stride) : INT64_MAX;
  };
  LetterList lastRow;
  if (!rows.empty())
    lastRow.push_back(rows.back());
  source.depthIsContiguous = distance(inner) <= distance(lastRow);

  if (memory && type.getElementType() == kernel.element && !inner.empty() &&
      directStride(contraction, inner, tensorLetters, type, *memory) == kernel.polynomial(1))
    source.rowPitch = directStride(contraction, rows, tensorLetters, type, *memory);

  source.operand = operand;
  source.position = [&kernel, &contraction, tensorLetters, rows, outer, inner,
                     batch](Index row, Value segment, Index depthIndex) {
    LetterIndices indices(kernel.emitter, contraction);
    indices.set(contraction.batch, batch);
    indices.set(rows, row);
    indices.set(outer, Index::uniform(segment));
    indices.set(inner, depthIndex);
    return indices.position(tensorLetters);
  };
  return source;
}

LogicalResult emitContract(KernelContext &context, dl::ContractOp op) {
  TiledKernel kernel(context, op);
  Contraction contraction(op);
  DenseProblem problem;
  Index batch = Index::uniform(kernel.splitGroups(contraction.sizeOf(contraction.batch, op.getContext()), 1));
  problem.a = makeSource(kernel, contraction, contraction.a, contraction.aLetters, contraction.rows, batch);
  problem.b =
      makeSource(kernel, contraction, contraction.b, contraction.bLetters, contraction.columns, batch);
  problem.aDirect =
      findDirect(kernel, contraction, contraction.a, contraction.aLetters, contraction.rows, batch);
  problem.bDirect =
      findDirect(kernel, contraction, contraction.b, contraction.bLetters, contraction.columns, batch);
  problem.position = [&](Index row, Index column) {
    LetterIndices indices(kernel.emitter, contraction);
    indices.set(contraction.batch, batch);
    indices.set(contraction.rows, row);
    indices.set(contraction.columns, column);
    return indices.position(contraction.resultLetters);
  };
  return emitDenseKernel(kernel, problem);
}

} // namespace

LogicalResult emitContractionKernel(KernelContext &context) {
  for (Operation &op : context.dispatch.getBody().front()) {
    if (auto contract = dyn_cast<dl::ContractOp>(op))
      return emitContract(context, contract);
    if (isa<dl::ConvOp, dl::ConvInputGradOp>(op))
      return emitConvolution(context, &op);
    if (auto conv = dyn_cast<dl::ConvWeightGradOp>(op))
      return emitConvolutionWeightGrad(context, conv);
  }
  return context.dispatch.emitError("internal error: dispatch \"")
         << context.dispatch.getName() << "\" has no contraction";
}

} // namespace dlc::codegen
