// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The weight gradient from padded images, without packing A. Element (c, kernel position) of a row of A at
// depth (n, p) is at image(n) + place(c) + distance(kernel position) + place(p): constant offsets tell the
// rows of a tile apart, a table the depths of a chunk. Only B, the output gradient, is packed.
//
// The images that a chunk of 256 depths touches lie in a ring of slots; an image is copied when the first
// chunk needs it.

#include "compiler/Codegen/CPU/ConvolutionWeightGrad.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

namespace dlc::codegen {
namespace {

/// Fused multiply-adds that are worth a work-group of their own.
constexpr int64_t kGroupWork = 1024 * 1024;
/// Every group reads all of its images, or all of its gradients: more of them would wait for memory.
constexpr int64_t kMaxGroups = 4;

class ImageWeightGradient {
public:
  ImageWeightGradient(TiledKernel &kernel, const ConvolutionShape &shape, const WeightGradientSource &source)
      : kernel(kernel), shape(shape), source(source), emitter(kernel.emitter), tile(kernel.tile),
        image(kernel, shape), positions(shape.kernelPositions()) {}

  LogicalResult emit();

private:
  void copyImages(Chunk chunk);
  void fillTable(Chunk chunk);
  void packGradient(Chunk chunk);
  void multiply(Chunk chunk);
  void emitTile(Value firstChannel, int64_t channels, int64_t firstPosition, int64_t count, Chunk chunk);
  void storeResults();
  void loop(Value low, Value high, int64_t step, llvm::function_ref<void(Value)> body);

  TiledKernel &kernel;
  const ConvolutionShape &shape;
  const WeightGradientSource &source;
  ElementEmitter &emitter;
  TileShape tile;
  PaddedImage image;
  int64_t positions; ///< Of the kernel.

  int64_t channelPitch;         ///< Elements of one channel of a copied image.
  int64_t inputs, channelBlock; ///< Input channels of a group of channels, and of a work-group.
  int64_t columnBlock;
  int64_t tileChannels;         ///< Channels whose kernel positions share a tile of rows.
  int64_t slots;                ///< Images in the ring.
  Value firstChannel, channels; ///< Of the work-group.
  Value firstColumn;
  Value outputs, columnCount; ///< All columns, and rounded up to whole tiles.
  Value imageDepth;           ///< Depths of one image: its output positions.
  Value table, packed, transposeBlock, sums;
  int64_t pitch; ///< Of a row of sums.
};

void ImageWeightGradient::loop(Value low, Value high, int64_t step, llvm::function_ref<void(Value)> body) {
  emitter.forLoop(low, high, step, {}, [&](Value i, ValueRange) -> SmallVector<Value> {
    body(i);
    return {};
  });
}

void ImageWeightGradient::copyImages(Chunk chunk) {
  Value size = emitter.evaluate(image.slotSize());
  loop(emitter.ceilDivide(chunk.begin, imageDepth), emitter.ceilDivide(chunk.end, imageDepth), 1,
       [&](Value n) {
         Value slot = emitter.mul(emitter.remainder(n, kernel.constant(slots)), size);
         Value first = emitter.add(emitter.mul(source.channelGroup, kernel.constant(inputs)), firstChannel);
         image.copy(n, first, channels, slot);
       });
}

void ImageWeightGradient::fillTable(Chunk chunk) {
  ImplicitLocOpBuilder &b = kernel.builder();
  auto type = VectorType::get(kTileLanes, b.getI32Type());
  SmallVector<int32_t> steps;
  for (int32_t lane = 0; lane < kTileLanes; ++lane)
    steps.push_back(lane);
  Value lanes = arith::ConstantOp::create(b, type, b.getI32VectorAttr(steps));
  Value width = emitter.evaluate(source.gradient.inner), rows = emitter.evaluate(image.outputRows());
  Value size = emitter.evaluate(image.slotSize());
  // Rows of the gradient in order: each overwrites what the one before stored beyond its end.
  loop(emitter.divide(chunk.begin, width), emitter.ceilDivide(chunk.end, width), 1, [&](Value segment) {
    Value start = emitter.mul(segment, width);
    Value low = emitter.sub(chunk.begin, emitter.minimum(chunk.begin, start));
    Value high = emitter.sub(emitter.minimum(emitter.add(start, width), chunk.end), start);
    Value slot = emitter.remainder(emitter.divide(segment, rows), kernel.constant(slots));
    Value line =
        emitter.add(emitter.mul(slot, size), image.outputRowOffset(emitter.remainder(segment, rows)));
    loop(low, high, kTileLanes, [&](Value inner) {
      Value first = arith::IndexCastOp::create(kernel.builder(), kernel.builder().getI32Type(),
                                               emitter.add(line, inner));
      Value offsets = vector::BroadcastOp::create(kernel.builder(), type, first);
      offsets = arith::AddIOp::create(kernel.builder(), offsets, lanes);
      Value at = emitter.add(emitter.sub(start, chunk.begin), inner);
      vector::StoreOp::create(kernel.builder(), offsets, table, ValueRange{at});
    });
  });
}

void ImageWeightGradient::packGradient(Chunk chunk) {
  auto place = [&](Value depth, Value column) { return placeInPanels(kernel, tile, depth, column); };
  packTransposed(kernel, source.gradient, firstColumn, columnCount, chunk, packed, tile.columns(),
                 transposeBlock, place);
}

void ImageWeightGradient::emitTile(Value channel, int64_t channelCount, int64_t firstPosition, int64_t count,
                                   Chunk chunk) {
  OpBuilder &b = kernel.builder();
  ScalarOperand a{image.memory(),
                  emitter.mul(channel, kernel.constant(channelPitch)),
                  {},
                  {{}, table, kernel.constant(0)}};
  for (int64_t c = 0; c < channelCount; ++c)
    for (int64_t position = firstPosition; position < firstPosition + count; ++position)
      a.rowOffsets.push_back(c * channelPitch + *image.kernelDistance(position).getConstantValue());
  Value row = emitter.add(emitter.mul(channel, kernel.constant(positions)), kernel.constant(firstPosition));
  loop(kernel.constant(0), columnCount, tile.columns(), [&](Value column) {
    VectorOperand gradient{packed, {}, {b.getIndexAttr(tile.columns()), {}, {}}, {}};
    Value base = emitter.mul(column, kernel.constant(kPitch));
    for (int64_t v = 0; v < tile.vectors; ++v)
      gradient.bases.push_back(emitter.add(base, kernel.constant(v * kTileLanes)));
    TileOperand c{sums, emitter.add(emitter.mul(row, kernel.constant(pitch)), column), b.getIndexAttr(pitch)};
    DepthCount depth{emitter.sub(chunk.end, chunk.begin), 1};
    emitMicroKernel(b, kernel.builder().getLoc(), {channelCount * count, tile.vectors}, a, gradient, depth, c,
                    TileUpdate::Add);
  });
}

void ImageWeightGradient::multiply(Chunk chunk) {
  int64_t parts = llvm::divideCeilSigned(positions, tile.rows);
  int64_t perPart = llvm::divideCeilSigned(positions, parts);
  auto tiles = [&](Value channel, int64_t channelCount) {
    for (int64_t position = 0; position < positions; position += perPart)
      emitTile(channel, channelCount, position, std::min(perPart, positions - position), chunk);
  };
  // The work-groups have equally many channels, but for the last.
  Value whole =
      emitter.mul(emitter.divide(channels, kernel.constant(tileChannels)), kernel.constant(tileChannels));
  loop(kernel.constant(0), whole, tileChannels, [&](Value channel) { tiles(channel, tileChannels); });
  bool isEven = channelBlock % tileChannels == 0 && inputs % channelBlock == 0;
  if (!isEven)
    loop(whole, channels, 1, [&](Value channel) { tiles(channel, 1); });
}

/// The filter has its elements (c, k) side by side, the sums have the outputs: squares of 16 × 16 are
/// transposed.
void ImageWeightGradient::storeResults() {
  Value rows = emitter.mul(channels, kernel.constant(positions));
  Value firstElement = emitter.mul(firstChannel, kernel.constant(positions));
  loop(kernel.constant(0), rows, kTileLanes, [&](Value row) {
    loop(kernel.constant(0), columnCount, kTileLanes, [&](Value column) {
      Value first = emitter.add(emitter.mul(row, kernel.constant(pitch)), column);
      transpose(kernel, {sums, first, kernel.constant(pitch)},
                {transposeBlock, kernel.constant(0), kernel.constant(kTileLanes)});
      Value output = emitter.add(firstColumn, column);
      Value count = emitter.minimum(emitter.sub(outputs, output), kernel.constant(kTileLanes));
      Index element = Index::contiguous(emitter.add(firstElement, row)).covering(shape.spatial + 1);
      loop(kernel.constant(0), count, 1, [&](Value i) {
        Value channel = emitter.mul(source.channelGroup, outputs);
        Position position{Index::uniform(emitter.add(channel, emitter.add(output, i))), element};
        emitter.withFirstLanes(emitter.sub(rows, row), [&] {
          Value at = emitter.mul(i, kernel.constant(kTileLanes));
          kernel.emitEpilogue(position, [&] { return kernel.loadScratch(transposeBlock, at); });
        });
      });
    });
  });
}

LogicalResult ImageWeightGradient::emit() {
  if (failed(kernel.checkEpilogue()))
    return failure();
  // 1. Blocks of input channels for the work-groups.
  channelPitch = *image.channelPitch().getConstantValue();
  inputs = *shape.filterType.getDim(1).getConstantValue();
  tileChannels = std::max<int64_t>(1, tile.rows / positions);
  int64_t columns = nominalValue(source.gradient.rows);
  double work = double(inputs) * double(positions) * double(columns) *
                double(nominalValue(source.gradient.segments * source.gradient.inner));
  auto groups = static_cast<int64_t>(std::clamp(work / kGroupWork, 1.0, double(kMaxGroups)));
  if (columns <= tile.columns() && columns > kTileLanes &&
      groups > llvm::divideCeilSigned(inputs, tileChannels))
    tile.vectors = 1; // Two groups of narrow tiles rather than one.
  columnBlock = llvm::alignTo(columns, tile.columns());
  if (groups > 1 && columnBlock >= 2 * tile.columns()) {
    columnBlock = llvm::alignTo(columnBlock / 2, tile.columns());
    groups = llvm::divideCeilSigned(groups, 2);
  }
  channelBlock = llvm::alignTo(llvm::divideCeilSigned(inputs, std::min(groups, inputs)), tileChannels);
  Value block = kernel.splitGroups(kernel.polynomial(inputs), channelBlock);
  firstChannel = emitter.mul(block, kernel.constant(channelBlock));
  channels =
      emitter.minimum(kernel.constant(channelBlock), emitter.sub(kernel.constant(inputs), firstChannel));
  outputs = emitter.evaluate(source.gradient.rows);
  firstColumn =
      emitter.mul(kernel.splitGroups(source.gradient.rows, columnBlock), kernel.constant(columnBlock));
  Value width = kernel.constant(tile.columns());
  Value rest = emitter.mul(emitter.ceilDivide(emitter.sub(outputs, firstColumn), width), width);
  columnCount = emitter.minimum(kernel.constant(columnBlock), rest);
  pitch = columnBlock;

  // 2. Scratch memory.
  int64_t depth = nominalValue(image.outputRows() * source.gradient.inner);
  imageDepth = kernel.constant(depth);
  slots = (kChunk + depth - 2) / depth + 1;
  image.allocate(kernel.polynomial(channelBlock), slots);
  image.clear();
  table = kernel.allocate(kChunk + kPackSlack, kernel.builder().getI32Type());
  packed = kernel.allocate(pitch * kPitch, kernel.element);
  transposeBlock = kernel.allocate(kTileLanes * kTileLanes, kernel.element);
  // Squares of 16 rows are read in the end.
  sums = kernel.allocate(llvm::alignTo(channelBlock * positions, kTileLanes) * pitch, kernel.element);
  dl::PolynomialAttr terms = source.gradient.segments * source.gradient.inner;
  kernel.fill(sums, kernel.constant(channelBlock * positions * pitch), kernel.startOfSum(terms));

  // 3. Chunks in order.
  Value end = emitter.evaluate(terms);
  loop(kernel.constant(0), end, kChunk, [&](Value begin) {
    Chunk chunk{begin, emitter.minimum(end, emitter.add(begin, kernel.constant(kChunk)))};
    copyImages(chunk);
    fillTable(chunk);
    packGradient(chunk);
    multiply(chunk);
  });
  storeResults();
  return success();
}

} // namespace

bool canReadImages(const ConvolutionShape &shape) {
  for (unsigned axis = 1; axis < shape.inputType.getRank(); ++axis)
    if (!shape.inputType.getDim(axis).isConstant())
      return false;
  return shape.filterType.getDim(0).isConstant();
}

LogicalResult emitImageWeightGradient(TiledKernel &kernel, const ConvolutionShape &shape,
                                      const WeightGradientSource &source) {
  return ImageWeightGradient(kernel, shape, source).emit();
}

} // namespace dlc::codegen
