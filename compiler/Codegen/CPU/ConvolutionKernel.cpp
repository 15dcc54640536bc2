// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Codegen/CPU/ConvolutionKernel.h"

#include "compiler/Codegen/CPU/ConvolutionChannels.h"
#include "compiler/Codegen/CPU/Pack.h"
#include "compiler/Codegen/CPU/PaddedImage.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace dlc::codegen {

ConvolutionShape::ConvolutionShape(Operation *op) {
  auto read = [&](auto conv) {
    strides = conv.getStrides();
    paddingLow = conv.getPaddingLow();
    paddingHigh = conv.getPaddingHigh();
    dilations = conv.getDilations();
    groups = conv.getGroups();
  };
  if (auto conv = dyn_cast<dl::ConvOp>(op)) {
    read(conv);
    image = conv.getInput();
    filter = conv.getFilter();
    inputType = conv.getInput().getType();
    filterType = conv.getFilter().getType();
    outputType = conv.getType();
  } else if (auto gradient = dyn_cast<dl::ConvInputGradOp>(op)) {
    read(gradient);
    image = gradient.getGradient();
    filter = gradient.getFilter();
    inputType = gradient.getType();
    filterType = gradient.getFilter().getType();
    outputType = gradient.getGradient().getType();
    isInputGradient = true;
  } else {
    auto weights = cast<dl::ConvWeightGradOp>(op);
    read(weights);
    image = weights.getInput();
    inputType = weights.getInput().getType();
    filterType = weights.getType();
    outputType = weights.getGradient().getType();
  }
  spatial = inputType.getRank() - 2;
}

int64_t ConvolutionShape::kernelPositions() const {
  int64_t count = 1;
  for (unsigned axis = 0; axis < spatial; ++axis)
    count *= kernelSize(axis);
  return count;
}

bool ConvolutionShape::liesInOrder(const Memory &memory) const {
  if (!llvm::all_of(memory.strides, [](dl::PolynomialAttr stride) { return stride.isConstant(); }))
    return false;
  int64_t expected = 1;
  for (unsigned axis = spatial; axis-- > 0; expected *= kernelSize(axis))
    if (kernelSize(axis) != 1 && !memory.strides[axis + 2].isConstant(expected))
      return false;
  return true;
}

SmallVector<int64_t, 3> ConvolutionShape::kernelCoordinates(int64_t position) const {
  SmallVector<int64_t, 3> result(spatial);
  for (unsigned axis = spatial; axis-- > 0;) {
    result[axis] = position % kernelSize(axis);
    position /= kernelSize(axis);
  }
  return result;
}

namespace {

/// Fused multiply-adds (in lanes) worth a work-group: about fifteen microseconds.
constexpr int64_t kGroupWork = 1024 * 1024;
/// Half of a single image's work that is worth a second thread, and the rows that keep its registers busy.
constexpr int64_t kSmallGroupWork = kGroupWork / 8;
constexpr int64_t kLeastRows = 8;
constexpr int64_t kMaxImagesPerGroup = 16;
/// Groups share the clearing of the padding and the tables among their images; so many groups keep threads
/// busy.
constexpr int64_t kWantedGroups = 32;

class ConvolutionKernel {
public:
  ConvolutionKernel(KernelContext &context, Operation *root)
      : kernel(context, root), shape(root), emitter(kernel.emitter), tile(kernel.tile), image(kernel, shape) {
  }

  LogicalResult emit();

private:
  void findFilter();
  /// Copies a filter that is computed, or does not lie row by row, into scratch memory.
  void materializeFilter(Value firstRow, Value count, int64_t pitch);
  void fillTables();
  void emitTile(Value batch, Value row, Extent height, Value vectorTile);
  void storeTile(Value batch, Value row, Extent height, Value vectorTile);
  /// Whether a row's last vector may start earlier, so that it ends with the row, instead of being masked.
  bool mayOverlap();
  Value vectorColumn(Value index);
  /// The padded image's offset of the 16 outputs of vector `index`, and their position in the output.
  Value vectorBase(Value index);
  Position vectorPosition(Value index);

  TiledKernel kernel;
  ConvolutionShape shape;
  ElementEmitter &emitter;
  TileShape tile;
  PaddedImage image;

  dl::PolynomialAttr rows, channels, depth; ///< Per group of channels; depth = channels · kernel positions.
  dl::TensorType resultType;
  Value vectorsPerRow, vectorCount; ///< Vectors of 16 outputs in a row, and in an image.
  Value channelGroup, firstRow, rowCount, batchEnd;
  Value table;       ///< i32 distances in the padded image, by k.
  Value filterTable; ///< i32 distances in the filter, by k; null where k is contiguous.
  Value tileMemory;
  bool isOneChunk;
  bool overlaps;

  // The filter: element (row, k) is at filterOffset + row · filterPitch + k, or + filterTable[k].
  Value filterMemory, filterOffset;
  int64_t filterPitch = 0, filterChannelStride = 0;
  bool filterIsDirect = false;
};

void ConvolutionKernel::findFilter() {
  const Memory *memory = emitter.getMemory(shape.filter);
  if (!memory || shape.filterType.getElementType() != kernel.element)
    return;
  if (!shape.liesInOrder(*memory))
    return;
  int64_t outputStride = *memory->strides[0].getConstantValue(),
          inputStride = *memory->strides[1].getConstantValue();
  filterIsDirect = true;
  filterMemory = memory->memref;
  Value first = memory->offset ? memory->offset : kernel.constant(0);
  // The filters of this group of channels start at output channel group · (outputs per group).
  dl::PolynomialAttr perGroup =
      *dl::divideExactly(shape.filterType.getDim(0), kernel.polynomial(shape.groups));
  Value skipped =
      emitter.mul(emitter.mul(channelGroup, emitter.evaluate(perGroup)), kernel.constant(outputStride));
  filterOffset = emitter.add(first, skipped);
  filterPitch = shape.isInputGradient ? inputStride : outputStride;
  filterChannelStride = shape.isInputGradient ? outputStride : inputStride;
}

void ConvolutionKernel::materializeFilter(Value first, Value count, int64_t pitch) {
  kernel.context.remark("convolution copies its filter");
  filterMemory =
      kernel.allocate(kernel.polynomial(pitch) * nominalValue(rows) + 2 * kTileLanes, kernel.element);
  filterOffset = kernel.constant(0);
  filterPitch = pitch;
  filterChannelStride = shape.kernelPositions();
  int64_t positions = shape.kernelPositions();
  Value outputsPerGroup =
      emitter.divide(emitter.evaluate(shape.filterType.getDim(0)), kernel.constant(shape.groups));
  Value skipped = emitter.mul(channelGroup, outputsPerGroup);
  auto copy = [&](Value row, Value channel, Value at) {
    Value output = emitter.add(skipped, shape.isInputGradient ? channel : row);
    Value input = shape.isInputGradient ? row : channel;
    Value line = emitter.add(emitter.mul(row, kernel.constant(pitch)),
                             emitter.mul(channel, kernel.constant(positions)));
    Position position{Index::uniform(output), Index::uniform(input),
                      Index::contiguous(at).covering(shape.spatial)};
    Value elements = emitter.emitVector(shape.filter, position);
    Value mask = emitter.firstLanes(emitter.sub(kernel.constant(positions), at));
    vector::MaskedStoreOp::create(kernel.builder(), filterMemory, ValueRange{emitter.add(line, at)}, mask,
                                  elements);
  };
  emitter.forLoop(first, emitter.add(first, count), 1, {}, [&](Value row, ValueRange) -> SmallVector<Value> {
    emitter.forLoop(kernel.constant(0), emitter.evaluate(channels), 1, {},
                    [&](Value channel, ValueRange) -> SmallVector<Value> {
                      emitter.forLoop(kernel.constant(0), kernel.constant(positions), kTileLanes, {},
                                      [&](Value at, ValueRange) -> SmallVector<Value> {
                                        emitter.withFirstLanes(emitter.sub(kernel.constant(positions), at),
                                                               [&] { copy(row, channel, at); });
                                        return {};
                                      });
                      return {};
                    });
    return {};
  });
}

void ConvolutionKernel::fillTables() {
  int64_t positions = shape.kernelPositions();
  Value positionCount = kernel.constant(positions);
  Type i32 = kernel.builder().getI32Type();
  bool needsFilterTable = filterChannelStride != positions;
  table = kernel.allocate(depth, i32);
  if (needsFilterTable)
    filterTable = kernel.allocate(depth, i32);
  Value channelPitch = emitter.evaluate(image.channelPitch());
  auto store = [&](Value value, Value memory, Value at) {
    Value narrow = arith::IndexCastOp::create(kernel.builder(), i32, value);
    memref::StoreOp::create(kernel.builder(), narrow, memory, ValueRange{at});
  };
  emitter.forLoop(kernel.constant(0), emitter.evaluate(channels), 1, {},
                  [&](Value channel, ValueRange) -> SmallVector<Value> {
                    Value first = emitter.mul(channel, positionCount);
                    Value base = emitter.mul(channel, channelPitch);
                    Value filterBase = emitter.mul(channel, kernel.constant(filterChannelStride));
                    for (int64_t position = 0; position < positions; ++position) {
                      Value at = emitter.add(first, kernel.constant(position));
                      Value distance = emitter.evaluate(image.kernelDistance(position));
                      store(emitter.add(base, distance), table, at);
                      if (needsFilterTable)
                        store(emitter.add(filterBase, kernel.constant(position)), filterTable, at);
                    }
                    return {};
                  });
}

bool ConvolutionKernel::mayOverlap() {
  dl::PolynomialAttr width = resultType.getDim(resultType.getRank() - 1);
  if (!width.isConstant() || *width.getConstantValue() < kTileLanes)
    return false;
  // A result may lie in the memory of an operand of its size that the epilogue reads: then no element may be
  // computed twice.
  return llvm::none_of(kernel.context.dispatch.getBody().getArguments(), [&](Value input) {
    bool feedsRootOnly = llvm::all_of(input.getUsers(), [&](Operation *user) { return user == kernel.root; });
    auto type = cast<dl::TensorType>(input.getType());
    return !feedsRootOnly && type.getElementCount() == resultType.getElementCount();
  });
}

Value ConvolutionKernel::vectorColumn(Value index) {
  Value column = emitter.mul(emitter.remainder(index, vectorsPerRow), kernel.constant(kTileLanes));
  if (!overlaps)
    return column;
  int64_t width = *resultType.getDim(resultType.getRank() - 1).getConstantValue();
  return emitter.minimum(column, kernel.constant(width - kTileLanes));
}

Value ConvolutionKernel::vectorBase(Value index) {
  return emitter.add(image.outputRowOffset(emitter.divide(index, vectorsPerRow)), vectorColumn(index));
}

Position ConvolutionKernel::vectorPosition(Value index) {
  Position position;
  for (Value coordinate : image.outputRowCoordinates(emitter.divide(index, vectorsPerRow)))
    position.push_back(Index::uniform(coordinate));
  position.push_back(Index::contiguous(vectorColumn(index), overlaps ? 1 : kTileLanes));
  return position;
}

void ConvolutionKernel::emitTile(Value batch, Value row, Extent height, Value vectorTile) {
  OpBuilder &b = kernel.builder();
  Value lastVector = emitter.sub(vectorCount, kernel.constant(1));
  Extent pitch = b.getIndexAttr(tile.columns());
  TileOperand c{tileMemory, kernel.constant(0), pitch};
  SmallVector<Value, 4> bases;
  for (int64_t v = 0; v < tile.vectors; ++v) {
    Value index = emitter.add(vectorTile, kernel.constant(v));
    if (v > 0) // Beyond the end: repeat the last vector, and store it once.
      index = emitter.minimum(index, lastVector);
    bases.push_back(vectorBase(index));
  }
  Value filterRow =
      emitter.add(filterOffset, emitter.mul(emitter.add(firstRow, row), kernel.constant(filterPitch)));
  auto chunk = [&](Value begin, Value end, TileUpdate update) {
    ScalarOperand a{filterMemory,
                    filterTable ? filterRow : emitter.add(filterRow, begin),
                    b.getIndexAttr(filterPitch),
                    {b.getIndexAttr(1), filterTable, begin}};
    VectorOperand columns{image.memory(), bases, {b.getIndexAttr(0), table, begin}, {}};
    std::optional<int64_t> known = depth.getConstantValue();
    DepthCount count{emitter.sub(end, begin), known && *known % 2 == 0 ? 2 : 1};
    emitMicroKernelRows(b, kernel.builder().getLoc(), tile, height, a, columns, count, c, update);
  };
  Value end = emitter.evaluate(depth);
  if (isOneChunk) {
    chunk(kernel.constant(0), end, TileUpdate::Set);
    return;
  }
  Value chunkSize = kernel.constant(kChunk);
  chunk(kernel.constant(0), chunkSize, TileUpdate::Set);
  emitter.forLoop(chunkSize, end, kChunk, {}, [&](Value begin, ValueRange) -> SmallVector<Value> {
    chunk(begin, emitter.minimum(end, emitter.add(begin, chunkSize)), TileUpdate::Add);
    return {};
  });
}

void ConvolutionKernel::storeTile(Value batch, Value row, Extent height, Value vectorTile) {
  Value heightValue = IndexMath(kernel.builder(), kernel.builder().getLoc()).value(height);
  Value left = emitter.sub(vectorCount, vectorTile);
  Value vectors = emitter.minimum(left, kernel.constant(tile.vectors));
  dl::PolynomialAttr columns = resultType.getDim(resultType.getRank() - 1);
  Value width = emitter.evaluate(columns);
  bool isWhole = overlaps || (columns.isConstant() && *columns.getConstantValue() % kTileLanes == 0);
  Value firstChannel =
      emitter.add(emitter.mul(channelGroup, emitter.evaluate(rows)), emitter.add(firstRow, row));
  emitter.forLoop(kernel.constant(0), vectors, 1, {}, [&](Value v, ValueRange) -> SmallVector<Value> {
    Position inImage = vectorPosition(emitter.add(vectorTile, v));
    Value lanes = emitter.sub(width, inImage.back().base);
    emitter.forLoop(kernel.constant(0), heightValue, 1, {}, [&](Value i, ValueRange) -> SmallVector<Value> {
      Position position{Index::uniform(batch), Index::uniform(emitter.add(firstChannel, i))};
      position.append(inImage);
      Value at = emitter.add(emitter.mul(i, kernel.constant(tile.columns())),
                             emitter.mul(v, kernel.constant(kTileLanes)));
      auto store = [&] { kernel.emitEpilogue(position, [&] { return kernel.loadScratch(tileMemory, at); }); };
      isWhole ? store() : emitter.withFirstLanes(lanes, store);
      return {};
    });
    return {};
  });
}

LogicalResult ConvolutionKernel::emit() {
  if (failed(kernel.checkEpilogue()))
    return failure();
  // 1. Sizes. Of each group of channels, the forward convolution computes outputs from inputs, the gradient
  //    inputs from outputs.
  resultType = kernel.rootType;
  dl::PolynomialAttr outputs =
      *dl::divideExactly(shape.filterType.getDim(0), kernel.polynomial(shape.groups));
  dl::PolynomialAttr inputs = shape.filterType.getDim(1);
  rows = shape.isInputGradient ? inputs : outputs;
  channels = shape.isInputGradient ? outputs : inputs;
  depth = channels * shape.kernelPositions();
  std::optional<int64_t> knownDepth = depth.getConstantValue(), knownRows = rows.getConstantValue();
  if (!knownDepth || !knownRows)
    return kernel.root->emitError(
        "not supported: a convolution with a symbolic number of channels; --bind fixes a size");
  isOneChunk = *knownDepth <= kChunk;
  overlaps = mayOverlap();
  dl::PolynomialAttr width = resultType.getDim(resultType.getRank() - 1);
  vectorsPerRow = emitter.ceilDivide(emitter.evaluate(width), kernel.constant(kTileLanes));
  vectorCount = emitter.mul(emitter.evaluate(image.outputRows()), vectorsPerRow);

  // 2. Work-groups: blocks of rows for the sake of single images, several small images together.
  int64_t work = *knownRows * *knownDepth * nominalValue(image.outputRows() * (width + (kTileLanes - 1)));
  int64_t rowBlocks = 1;
  auto isWorthHalving = [&](int64_t rowsOfHalf, int64_t workOfHalf) {
    return (workOfHalf >= kGroupWork && rowsOfHalf >= 2 * tile.rows) ||
           (rowBlocks == 1 && workOfHalf >= kSmallGroupWork && rowsOfHalf >= kLeastRows);
  };
  while (rowBlocks < 4 && *knownRows % (2 * rowBlocks) == 0 &&
         isWorthHalving(*knownRows / (2 * rowBlocks), work / (2 * rowBlocks)))
    rowBlocks *= 2;
  int64_t rowsPerBlock = *knownRows / rowBlocks;
  int64_t byWork = kGroupWork * rowBlocks / std::max<int64_t>(work, 1);
  int64_t byCount = nominalValue(resultType.getDim(0)) * rowBlocks * shape.groups / kWantedGroups;
  int64_t images = std::clamp<int64_t>(std::max(byWork, byCount), 1, kMaxImagesPerGroup);
  firstRow = emitter.mul(kernel.splitGroups(rows, rowsPerBlock), kernel.constant(rowsPerBlock));
  rowCount = kernel.constant(rowsPerBlock);
  channelGroup = kernel.splitGroups(kernel.polynomial(shape.groups), 1);
  dl::PolynomialAttr batchSize = resultType.getDim(0);
  Value firstImage = emitter.mul(kernel.splitGroups(batchSize, images), kernel.constant(images));
  Value endImage =
      emitter.minimum(emitter.add(firstImage, kernel.constant(images)), emitter.evaluate(batchSize));

  // 3. Scratch memory, tables, the filter, and the padding, which stays 0 from image to image.
  tileMemory = kernel.allocate(tile.rows * tile.columns(), kernel.element);
  findFilter();
  if (!filterIsDirect)
    materializeFilter(firstRow, rowCount, *knownDepth);
  fillTables();
  image.allocate(channels);
  image.clear();

  // 4. Images.
  emitter.forLoop(firstImage, endImage, 1, {}, [&](Value batch, ValueRange) -> SmallVector<Value> {
    Value channelCount = emitter.evaluate(channels);
    image.copy(batch, emitter.mul(channelGroup, channelCount), channelCount, kernel.constant(0));
    kernel.forRowTiles(rowCount, [&](Value row, Extent height) {
      emitter.forLoop(kernel.constant(0), vectorCount, tile.vectors, {},
                      [&](Value vectorTile, ValueRange) -> SmallVector<Value> {
                        emitTile(batch, row, height, vectorTile);
                        storeTile(batch, row, height, vectorTile);
                        return {};
                      });
    });
    return {};
  });
  return success();
}

} // namespace

LogicalResult emitConvolution(KernelContext &context, Operation *root) {
  if (prefersChannelLanes(context, root))
    return emitConvolutionByChannels(context, root);
  return ConvolutionKernel(context, root).emit();
}

} // namespace dlc::codegen
