// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dw[o, c, k] = sum over (n, p) of dy[n, o, p] · x[n, c, p · stride + k · dilation - low] as a dense
// contraction: A has a row for each (c, k), B a column for each o, the depth is (n, p). Rows of A are rows of
// the image, shifted by k, with zeros where they leave it.

#include "compiler/Codegen/CPU/ConvolutionWeightGrad.h"

#include "compiler/Codegen/CPU/DenseKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace dlc::codegen {
namespace {

class WeightGradient {
public:
  WeightGradient(KernelContext &context, dl::ConvWeightGradOp root)
      : kernel(context, root), shape(root), emitter(kernel.emitter), input(root.getInput()),
        gradient(root.getGradient()), positions(shape.kernelPositions()) {}

  LogicalResult emit();

private:
  /// The image number and the coordinates of a segment, a row of the gradient, on all axes but the last.
  SmallVector<Value, 4> segmentCoordinates(Value segment);
  Position gradientPosition(Index output, Value segment, Index inner);
  void packInput(Value first, Value count, Chunk chunk, Value memory, int64_t pitch);
  Position resultPosition(Index row, Index column);
  /// The lanes whose `base + lane · stride` lies in [0, size), all off where `isInside` is false.
  Value insideMask(Value base, int64_t stride, Value size, Value isInside);

  TiledKernel kernel;
  ConvolutionShape shape;
  ElementEmitter &emitter;
  Value input, gradient;
  int64_t positions;
  Value channelGroup;
  dl::PolynomialAttr outputs, inputs; ///< Channels of one group.
};

SmallVector<Value, 4> WeightGradient::segmentCoordinates(Value segment) {
  SmallVector<Value, 4> result(shape.spatial);
  for (unsigned axis = shape.spatial - 1; axis >= 1; --axis) {
    Value size = emitter.evaluate(shape.outputType.getDim(axis + 1));
    result[axis] = emitter.remainder(segment, size);
    segment = emitter.divide(segment, size);
  }
  result[0] = segment;
  return result;
}

Position WeightGradient::gradientPosition(Index output, Value segment, Index inner) {
  SmallVector<Value, 4> coordinates = segmentCoordinates(segment);
  Index channel = output;
  channel.base = emitter.add(emitter.mul(channelGroup, emitter.evaluate(outputs)), output.base);
  Position position{Index::uniform(coordinates[0]), channel};
  for (Value coordinate : llvm::drop_begin(coordinates))
    position.push_back(Index::uniform(coordinate));
  position.push_back(inner);
  return position;
}

Value WeightGradient::insideMask(Value base, int64_t stride, Value size, Value isInside) {
  ImplicitLocOpBuilder &b = kernel.builder();
  SmallVector<int32_t> steps;
  for (int64_t lane = 0; lane < kTileLanes; ++lane)
    steps.push_back(static_cast<int32_t>(lane * stride));
  auto type = VectorType::get(kTileLanes, b.getI32Type());
  auto spread = [&](Value index) -> Value {
    Value narrow = arith::IndexCastOp::create(b, b.getI32Type(), index);
    return vector::BroadcastOp::create(b, type, narrow);
  };
  Value lanes = arith::ConstantOp::create(b, type, b.getI32VectorAttr(steps));
  Value at = arith::AddIOp::create(b, spread(base), lanes);
  Value inside = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, at, spread(size));
  Value all = vector::BroadcastOp::create(b, VectorType::get(kTileLanes, b.getI1Type()), isInside);
  return arith::AndIOp::create(b, inside, all);
}

void WeightGradient::packInput(Value first, Value count, Chunk chunk, Value memory, int64_t pitch) {
  unsigned lastAxis = shape.spatial - 1;
  int64_t lastKernel = shape.kernelSize(lastAxis), outerKernel = positions / lastKernel;
  Value kernelPositions = kernel.constant(positions);
  Value firstChannel = emitter.divide(first, kernelPositions),
        channels = emitter.divide(count, kernelPositions);
  Value size = emitter.evaluate(shape.outputType.getDim(lastAxis + 2));
  Value width = emitter.evaluate(shape.inputType.getDim(lastAxis + 2));
  VectorType type = emitter.vectorOf(kernel.element);
  Value zero = arith::ConstantOp::create(kernel.builder(), type, kernel.builder().getZeroAttr(type));
  auto loop = [&](Value low, Value high, int64_t step, llvm::function_ref<void(Value)> body) {
    emitter.forLoop(low, high, step, {}, [&](Value i, ValueRange) -> SmallVector<Value> {
      body(i);
      return {};
    });
  };

  // input coordinate = output coordinate · stride + kernel coordinate · dilation - low; may be negative.
  auto inputCoordinate = [&](Value output, Value kernelCoordinate, unsigned axis) {
    Value at = emitter.add(emitter.mul(output, kernel.constant(shape.strides[axis])),
                           emitter.mul(kernelCoordinate, kernel.constant(shape.dilations[axis])));
    return emitter.sub(at, kernel.constant(shape.paddingLow[axis]));
  };
  auto packRun = [&](Value segment, Value inner, Value outerPosition, Value lastPosition) {
    SmallVector<Value, 4> coordinates = segmentCoordinates(segment);
    // 1. Where the run lies in the image, and whether that is inside.
    Position position{Index::uniform(coordinates[0]), Index()};
    Value isInside = arith::ConstantOp::create(kernel.builder(), kernel.builder().getBoolAttr(true));
    Value rest = outerPosition;
    SmallVector<Index, 3> outer(lastAxis);
    for (unsigned axis = lastAxis; axis-- > 0;) {
      Value kernelSize = kernel.constant(shape.kernelSize(axis));
      Value at = inputCoordinate(coordinates[axis + 1],
                                 axis == 0 ? rest : emitter.remainder(rest, kernelSize), axis);
      rest = axis == 0 ? rest : emitter.divide(rest, kernelSize);
      Value inAxis = arith::CmpIOp::create(kernel.builder(), arith::CmpIPredicate::ult, at,
                                           emitter.evaluate(shape.inputType.getDim(axis + 2)));
      isInside = arith::AndIOp::create(kernel.builder(), isInside, inAxis);
      outer[axis] = Index::uniform(at);
    }
    position.append(outer.begin(), outer.end());
    Index columns = Index::contiguous(inputCoordinate(inner, lastPosition, lastAxis)).outside();
    columns.stride = shape.strides[lastAxis];
    position.push_back(columns);
    Value mask = insideMask(columns.base, columns.stride, width, isInside);
    // 2. The same run of all channels.
    Value depth = emitter.sub(emitter.add(emitter.mul(segment, size), inner), chunk.begin);
    Value row = emitter.add(emitter.mul(outerPosition, kernel.constant(lastKernel)), lastPosition);
    loop(kernel.constant(0), channels, 1, [&](Value channel) {
      Value inGroup = emitter.add(firstChannel, channel);
      position[1] = Index::uniform(emitter.add(emitter.mul(channelGroup, emitter.evaluate(inputs)), inGroup));
      Value elements;
      emitter.withGuard(
          isInside, [&] { emitter.withMask(mask, [&] { elements = emitter.emitVector(input, position); }); });
      elements = arith::SelectOp::create(kernel.builder(), mask, elements, zero);
      Value line = emitter.add(emitter.mul(channel, kernelPositions), row);
      kernel.storeScratch(elements, memory, emitter.add(emitter.mul(line, kernel.constant(pitch)), depth));
    });
  };

  // Rows of the gradient in order: each run overwrites what the one before stored beyond its row's end.
  loop(emitter.divide(chunk.begin, size), emitter.ceilDivide(chunk.end, size), 1, [&](Value segment) {
    Value start = emitter.mul(segment, size);
    Value low = emitter.sub(chunk.begin, emitter.minimum(chunk.begin, start));
    Value high = emitter.sub(emitter.minimum(emitter.add(start, size), chunk.end), start);
    loop(low, high, kTileLanes, [&](Value inner) {
      loop(kernel.constant(0), kernel.constant(outerKernel), 1, [&](Value outerPosition) {
        loop(kernel.constant(0), kernel.constant(lastKernel), 1,
             [&](Value lastPosition) { packRun(segment, inner, outerPosition, lastPosition); });
      });
    });
  });
}

Position WeightGradient::resultPosition(Index row, Index column) {
  Value kernelPositions = kernel.constant(positions);
  column.base = emitter.add(emitter.mul(channelGroup, emitter.evaluate(outputs)), column.base);
  column.multiple = 1;
  Index channel = Index::uniform(emitter.divide(row.base, kernelPositions));
  Index kernelPosition = Index::uniform(emitter.remainder(row.base, kernelPositions));
  return {column, channel, kernelPosition.covering(shape.spatial)};
}

LogicalResult WeightGradient::emit() {
  outputs = *dl::divideExactly(shape.filterType.getDim(0), kernel.polynomial(shape.groups));
  inputs = shape.filterType.getDim(1);
  channelGroup = kernel.splitGroups(kernel.polynomial(shape.groups), 1);

  dl::PolynomialAttr segments = shape.outputType.getDim(0),
                     inner = shape.outputType.getDim(shape.spatial + 1);
  for (unsigned axis = 0; axis + 1 < shape.spatial; ++axis)
    segments = segments * shape.outputType.getDim(axis + 2);
  WeightGradientSource source;
  source.channelGroup = channelGroup;
  source.gradient.rows = outputs;
  source.gradient.segments = segments;
  source.gradient.inner = inner;
  source.gradient.operand = gradient;
  source.gradient.position = [this](Index row, Value segment, Index at) {
    return gradientPosition(row, segment, at);
  };
  const Memory *memory = emitter.getMemory(gradient);
  if (memory && shape.outputType.getElementType() == kernel.element && memory->strides.back().isConstant(1))
    source.gradient.rowPitch = memory->strides[1];
  if (canReadImages(shape))
    return emitImageWeightGradient(kernel, shape, source);
  kernel.context.remark("weight gradient packs rows of the image: its size is symbolic");

  DenseProblem problem;
  problem.a.rows = inputs * positions;
  problem.a.segments = segments;
  problem.a.inner = inner;
  problem.b = source.gradient;
  problem.packA = [this](Value first, Value count, Chunk chunk, Value memory, int64_t pitch) {
    packInput(first, count, chunk, memory, pitch);
  };
  problem.position = [this](Index row, Index column) { return resultPosition(row, column); };
  problem.rowUnit = positions;
  return emitDenseKernel(kernel, problem);
}

} // namespace

LogicalResult emitConvolutionWeightGrad(KernelContext &context, dl::ConvWeightGradOp root) {
  return WeightGradient(context, root).emit();
}

} // namespace dlc::codegen
