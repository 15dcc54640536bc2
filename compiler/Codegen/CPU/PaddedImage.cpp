// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Codegen/CPU/PaddedImage.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

namespace dlc::codegen {

/// The larger of two polynomials that differ by a constant.
static dl::PolynomialAttr larger(dl::PolynomialAttr a, dl::PolynomialAttr b) {
  std::optional<int64_t> difference = (a - b).getConstantValue();
  assert(difference && "sizes that belong to one axis differ by a constant");
  return *difference >= 0 ? a : b;
}

PaddedImage::PaddedImage(TiledKernel &kernel, const ConvolutionShape &shape)
    : kernel(kernel), shape(shape), emitter(kernel.emitter),
      resultType(shape.isInputGradient ? shape.inputType : shape.outputType) {
  // 1. The extent of each axis.
  SmallVector<dl::PolynomialAttr, 3> extents;
  for (unsigned axis = 0; axis < shape.spatial; ++axis) {
    dl::PolynomialAttr input = shape.inputType.getDim(axis + 2), output = shape.outputType.getDim(axis + 2);
    int64_t low = shape.paddingLow[axis], reach = (shape.kernelSize(axis) - 1) * shape.dilations[axis];
    if (!shape.isInputGradient) {
      origin.push_back(low);
      extents.push_back(input + (low + shape.paddingHigh[axis]));
      continue;
    }
    origin.push_back(std::max<int64_t>(reach - low, 0));
    dl::PolynomialAttr last = (output - 1) * shape.strides[axis] + 1;
    extents.push_back(larger(input + (low + origin.back()), last + origin.back()));
  }
  // 2. Distances, from the last axis outwards.
  unsigned lastAxis = shape.spatial - 1;
  if (!shape.isInputGradient)
    phases = shape.strides[lastAxis];
  phasePitch = extents[lastAxis];
  if (std::optional<int64_t> width = phasePitch.getConstantValue()) {
    int64_t columns = llvm::divideCeilSigned(*width, phases), whole = llvm::alignTo(columns, kTileLanes);
    phasePitch = kernel.polynomial(whole * 4 <= columns * 5 ? whole : columns);
  }
  pitches.assign(shape.spatial, kernel.polynomial(1));
  dl::PolynomialAttr pitch = phasePitch * phases;
  for (unsigned axis = lastAxis; axis-- > 0;) {
    pitches[axis] = pitch;
    pitch = pitch * extents[axis];
  }
  // Not a multiple of the page: channels at such distances would share the same sets of the first-level
  // cache.
  if (std::optional<int64_t> size = pitch.getConstantValue(); size && *size % 256 == 0)
    pitch = pitch + kTileLanes;
  channelPitchValue = pitch;
}

void PaddedImage::allocate(dl::PolynomialAttr channels, int64_t slots) {
  // Vectors are read and written whole, beyond the last row's end, but not into the next slot.
  slotSizeValue = channelPitchValue * channels + (slots > 1 ? kTileLanes : 0);
  totalSize = slotSizeValue * slots + 2 * kTileLanes;
  buffer = kernel.allocate(totalSize, kernel.element);
}

void PaddedImage::clear() {
  VectorType type = emitter.vectorOf(kernel.element);
  Value zero = arith::ConstantOp::create(kernel.builder(), type, kernel.builder().getZeroAttr(type));
  // Whole vectors: the slack takes what the last one is too long.
  Value end = emitter.evaluate(totalSize - kTileLanes);
  emitter.forLoop(kernel.constant(0), end, kTileLanes, {}, [&](Value at, ValueRange) -> SmallVector<Value> {
    kernel.storeScratch(zero, buffer, at);
    return {};
  });
}

void PaddedImage::copy(Value batch, Value firstChannel, Value channels, Value slot) {
  emitter.forLoop(kernel.constant(0), channels, 1, {}, [&](Value channel, ValueRange) -> SmallVector<Value> {
    SmallVector<Index> position{Index::uniform(batch), Index::uniform(emitter.add(firstChannel, channel))};
    Value line = emitter.add(slot, emitter.mul(channel, emitter.evaluate(channelPitchValue)));
    copyRows(position, line, 0);
    return {};
  });
}

dl::PolynomialAttr PaddedImage::copiedSize(unsigned axis) const {
  return (shape.isInputGradient ? shape.outputType : shape.inputType).getDim(axis + 2);
}

void PaddedImage::copyRows(SmallVectorImpl<Index> &position, Value line, unsigned axis) {
  if (axis + 1 == shape.spatial) {
    position.push_back(Index());
    copyRow(position, line);
    position.pop_back();
    return;
  }
  emitter.forLoop(
      kernel.constant(0), emitter.evaluate(copiedSize(axis)), 1, {},
      [&](Value i, ValueRange) -> SmallVector<Value> {
        int64_t step = shape.isInputGradient ? shape.strides[axis] : 1;
        Value at = emitter.add(emitter.mul(i, kernel.constant(step)), kernel.constant(origin[axis]));
        position.push_back(Index::uniform(i));
        copyRows(position, emitter.add(line, emitter.mul(at, emitter.evaluate(pitches[axis]))), axis + 1);
        position.pop_back();
        return {};
      });
}

void PaddedImage::copyRow(MutableArrayRef<Index> position, Value line) {
  unsigned axis = shape.spatial - 1;
  dl::PolynomialAttr size = copiedSize(axis);
  int64_t stride = shape.strides[axis];
  std::optional<int64_t> known = size.getConstantValue();

  VectorType type = emitter.vectorOf(kernel.element);
  Value zero = arith::ConstantOp::create(kernel.builder(), type, kernel.builder().getZeroAttr(type));
  // Copies `count` elements from element `first` on, `sourceStep` apart, to `target`.
  auto copyRun = [&](dl::PolynomialAttr count, int64_t first, int64_t sourceStep, Value target) {
    Value end = emitter.evaluate(count);
    emitter.forLoop(kernel.constant(0), end, kTileLanes, {}, [&](Value i, ValueRange) -> SmallVector<Value> {
      auto move = [&] {
        Value base = emitter.add(emitter.mul(i, kernel.constant(sourceStep)), kernel.constant(first));
        Index columns = Index::contiguous(base);
        columns.stride = sourceStep;
        position.back() = columns;
        Value elements = emitter.emitVector(shape.image, position);
        // Whole vectors, zeros behind the row's end: what they reach there is padding, or written later.
        if (Value mask = emitter.getMask())
          elements = arith::SelectOp::create(kernel.builder(), mask, elements, zero);
        kernel.storeScratch(elements, buffer, emitter.add(target, i));
      };
      std::optional<int64_t> constant = count.getConstantValue();
      if (constant && *constant % kTileLanes == 0)
        move();
      else
        emitter.withFirstLanes(emitter.sub(end, i), move);
      return {};
    });
  };

  if (shape.isInputGradient && stride > 1) { // Every stride-th element of the copy.
    auto type = dl::TensorType::get(kernel.mlirContext(), {size}, kernel.element);
    Memory target{buffer, emitter.add(line, kernel.constant(origin[axis])), {kernel.polynomial(stride)}};
    target.isConstant = false;
    Value end = emitter.evaluate(size);
    emitter.forLoop(kernel.constant(0), end, kTileLanes, {}, [&](Value i, ValueRange) -> SmallVector<Value> {
      emitter.withFirstLanes(emitter.sub(end, i), [&] {
        position.back() = Index::contiguous(i);
        emitter.store(target, type, {Index::contiguous(i)}, emitter.emitVector(shape.image, position));
      });
      return {};
    });
    return;
  }
  if (phases == 1) {
    copyRun(size, 0, 1, emitter.add(line, kernel.constant(origin[axis])));
    return;
  }
  assert(known && "the verifier asks for constant sizes under strides");
  for (int64_t phase = 0; phase < phases; ++phase) {
    // Column `number · phases + phase` of the copy is element `number · phases + phase - origin`.
    int64_t firstNumber = std::max<int64_t>(llvm::divideCeilSigned(origin[axis] - phase, phases), 0);
    int64_t first = firstNumber * phases + phase - origin[axis];
    int64_t count = llvm::divideCeilSigned(*known - first, phases);
    if (count <= 0)
      continue;
    Value target = emitter.add(line, emitter.evaluate(phasePitch * phase + firstNumber));
    copyRun(kernel.polynomial(count), first, phases, target);
  }
}

//===----------------------------------------------------------------------===//
// Where results find their inputs
//===----------------------------------------------------------------------===//

dl::PolynomialAttr PaddedImage::outputRows() const {
  dl::PolynomialAttr count = kernel.polynomial(1);
  for (unsigned axis = 0; axis + 1 < shape.spatial; ++axis)
    count = count * resultType.getDim(axis + 2);
  return count;
}

SmallVector<Value, 3> PaddedImage::outputRowCoordinates(Value row) {
  SmallVector<Value, 3> coordinates(shape.spatial - 1);
  for (unsigned axis = shape.spatial - 1; axis-- > 0;) {
    Value size = emitter.evaluate(resultType.getDim(axis + 2));
    coordinates[axis] = axis == 0 ? row : emitter.remainder(row, size);
    if (axis > 0)
      row = emitter.divide(row, size);
  }
  return coordinates;
}

Value PaddedImage::outputRowOffset(Value row) {
  Value offset = kernel.constant(0);
  for (auto [axis, coordinate] : llvm::enumerate(outputRowCoordinates(row)))
    offset = emitter.add(offset, emitter.mul(coordinate, emitter.evaluate(rowStep(axis))));
  return offset;
}

dl::PolynomialAttr PaddedImage::distance(ArrayRef<int64_t> steps) const {
  dl::PolynomialAttr total = kernel.polynomial(0);
  for (unsigned axis = 0; axis + 1 < shape.spatial; ++axis)
    total = total + pitches[axis] * steps[axis];
  return total + phasePitch * (steps.back() % phases) + steps.back() / phases;
}

dl::PolynomialAttr PaddedImage::kernelDistance(int64_t position) const {
  SmallVector<int64_t, 3> steps = shape.kernelCoordinates(position);
  for (auto [axis, coordinate] : llvm::enumerate(steps)) {
    coordinate *= shape.dilations[axis];
    if (shape.isInputGradient) // Result i meets gradient p where p · stride = i + low - steps.
      coordinate = shape.paddingLow[axis] + origin[axis] - coordinate;
  }
  return distance(steps);
}

} // namespace dlc::codegen
