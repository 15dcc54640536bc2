// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions with the result's channels along the lanes: for images that are narrower than a vector, and
// for input gradients with strides.
//
// A work-group computes a panel of neighbouring channels for a few images. The filter is packed once as [k,
// channel]; of an image, elements are read one at a time, through a table of their distances from the
// output's place. Sums stand in scratch memory as [pixel, channel], and are transposed where they are
// finished.
//
// The gradient of a convolution with strides is taken apart into phases: the inputs i with equal (i mod
// stride) on each axis meet the same kernel positions, k * dilation = i + low (mod stride), and meet gradient
// p at m + shift(k), where i = m * stride + phase. Kernel positions that meet no gradient are left out;
// chunks still end where they do in the whole k.

#include "compiler/Codegen/CPU/ConvolutionChannels.h"

#include "compiler/Codegen/CPU/Pack.h"
#include "compiler/Codegen/CPU/PaddedImage.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

#include <numeric>

namespace dlc::codegen {

namespace {

/// Images that share a packed panel of the filter.
constexpr int64_t kImagesPerGroup = 4;

int64_t floorModulo(int64_t a, int64_t b) {
  return ((a % b) + b) % b;
}

/// Pixels whose sums have the same terms.
struct Phase {
  SmallVector<int64_t, 3> start, step, count; ///< Pixels start + step * m, m < count, by axis.
  SmallVector<int64_t, 16> positions;         ///< Of the kernel, ascending.
  int64_t first = 0;                          ///< In the packed depth.
  SmallVector<int64_t, 8> bounds;             ///< Of the chunks, from `first` on.
};

class ChannelKernel {
public:
  ChannelKernel(KernelContext &context, Operation *root)
      : kernel(context, root), shape(root), emitter(kernel.emitter), read(makeRead()), image(kernel, read) {}

  LogicalResult emit();

private:
  /// The convolution as it reads: of the gradient, one with stride 1 over the output's gradient.
  ConvolutionShape makeRead();
  int64_t resultSize(unsigned axis) { return *kernel.rootType.getDim(axis + 2).getConstantValue(); }
  /// Where a phase's first pixel meets the gradient under a kernel position.
  int64_t shift(int64_t position, unsigned axis, int64_t phase) {
    int64_t coordinate = shape.kernelCoordinates(position)[axis];
    return (phase + shape.paddingLow[axis] - coordinate * shape.dilations[axis]) / shape.strides[axis];
  }
  bool meets(int64_t position, ArrayRef<int64_t> phase);
  void findPhases();
  void fillTables();
  void packFilter(Value firstChannel);
  void emitPhase(const Phase &phase, Value chunk, TileUpdate update);
  void storePanel(Value batch, Value firstChannel);

  TiledKernel kernel;
  ConvolutionShape shape;
  ElementEmitter &emitter;
  SmallVector<int64_t, 3> ones, readLow, readHigh;
  ConvolutionShape read;
  PaddedImage image;
  TileShape tile;
  SmallVector<Phase, 4> phases;
  int64_t channels = 0, positions = 0, chunks = 0, pixels = 0;
  Value table, bounds, panel, sums, block;
};

bool ChannelKernel::meets(int64_t position, ArrayRef<int64_t> phase) {
  SmallVector<int64_t, 3> coordinates = shape.kernelCoordinates(position);
  for (unsigned axis = 0; axis < shape.spatial; ++axis)
    if (floorModulo(phase[axis] + shape.paddingLow[axis] - coordinates[axis] * shape.dilations[axis],
                    shape.strides[axis]) != 0)
      return false;
  return true;
}

void ChannelKernel::findPhases() {
  SmallVector<int64_t, 3> steps(shape.spatial, 1);
  if (shape.isInputGradient)
    steps.assign(shape.strides.begin(), shape.strides.end());
  int64_t count = std::accumulate(steps.begin(), steps.end(), int64_t(1), std::multiplies<>()), first = 0;
  for (int64_t number = 0; number < count; ++number) {
    Phase phase;
    phase.step = steps;
    phase.start.resize(shape.spatial);
    phase.count.resize(shape.spatial);
    int64_t rest = number;
    for (unsigned axis = shape.spatial; axis-- > 0; rest /= steps[axis]) {
      phase.start[axis] = rest % steps[axis];
      phase.count[axis] =
          llvm::divideCeilSigned(std::max<int64_t>(resultSize(axis) - phase.start[axis], 0), steps[axis]);
    }
    for (int64_t position = 0; position < positions; ++position)
      if (!shape.isInputGradient || meets(position, phase.start))
        phase.positions.push_back(position);
    // Chunks of the whole k = (channel, position), counted in what is left of it.
    phase.first = first;
    auto left = static_cast<int64_t>(phase.positions.size());
    for (int64_t chunk = 0; chunk <= chunks; ++chunk) {
      int64_t k = std::min(chunk * kChunk, channels * positions);
      phase.bounds.push_back(k / positions * left +
                             llvm::count_if(phase.positions, [&](int64_t p) { return p < k % positions; }));
    }
    first += left * channels;
    if (llvm::all_of(phase.count, [](int64_t size) { return size > 0; }))
      phases.push_back(std::move(phase));
  }
}

ConvolutionShape ChannelKernel::makeRead() {
  ConvolutionShape result = shape;
  if (!shape.isInputGradient)
    return result;
  result.isInputGradient = false;
  result.inputType = shape.outputType;
  ones.assign(shape.spatial, 1);
  readLow.assign(shape.spatial, 0);
  readHigh.assign(shape.spatial, 0);
  for (unsigned axis = 0; axis < shape.spatial; ++axis) {
    int64_t size = *shape.outputType.getDim(axis + 2).getConstantValue();
    for (int64_t phase = 0; phase < shape.strides[axis]; ++phase)
      for (int64_t k = 0; k < shape.kernelSize(axis); ++k) {
        int64_t distance = phase + shape.paddingLow[axis] - k * shape.dilations[axis];
        if (floorModulo(distance, shape.strides[axis]) != 0)
          continue;
        int64_t own = distance / shape.strides[axis];
        int64_t last = llvm::divideCeilSigned(resultSize(axis) - phase, shape.strides[axis]) - 1;
        readLow[axis] = std::max(readLow[axis], -own);
        readHigh[axis] = std::max(readHigh[axis], last + own - (size - 1));
      }
  }
  result.strides = result.dilations = ones;
  result.paddingLow = readLow;
  result.paddingHigh = readHigh;
  return result;
}

void ChannelKernel::fillTables() {
  Type i32 = kernel.builder().getI32Type();
  table = kernel.allocate(channels * positions, i32);
  bounds = kernel.allocate(static_cast<int64_t>(phases.size()) * (chunks + 1), i32);
  auto store = [&](Value value, Value memory, Value at) {
    Value narrow = arith::IndexCastOp::create(kernel.builder(), i32, value);
    memref::StoreOp::create(kernel.builder(), narrow, memory, ValueRange{at});
  };
  Value pitch = emitter.evaluate(image.channelPitch());
  for (auto [number, phase] : llvm::enumerate(phases)) {
    for (auto [chunk, bound] : llvm::enumerate(phase.bounds))
      store(kernel.constant(bound), bounds,
            kernel.constant(static_cast<int64_t>(number) * (chunks + 1) + static_cast<int64_t>(chunk)));
    auto count = static_cast<int64_t>(phase.positions.size());
    emitter.forLoop(kernel.constant(0), kernel.constant(channels), 1, {},
                    [&](Value channel, ValueRange) -> SmallVector<Value> {
                      Value at = emitter.add(emitter.mul(channel, kernel.constant(count)),
                                             kernel.constant(phase.first));
                      Value base = emitter.mul(channel, pitch);
                      for (auto [i, position] : llvm::enumerate(phase.positions)) {
                        dl::PolynomialAttr distance;
                        if (shape.isInputGradient) {
                          SmallVector<int64_t, 3> steps;
                          for (unsigned axis = 0; axis < shape.spatial; ++axis)
                            steps.push_back(readLow[axis] + shift(position, axis, phase.start[axis]));
                          distance = image.distance(steps);
                        } else {
                          distance = image.kernelDistance(position);
                        }
                        store(emitter.add(base, emitter.evaluate(distance)), table,
                              emitter.add(at, kernel.constant(static_cast<int64_t>(i))));
                      }
                      return {};
                    });
  }
}

/// panel[k, c] = the filter's element for the result's channel firstChannel + c, k in the order of the
/// phases.
void ChannelKernel::packFilter(Value firstChannel) {
  const Memory &memory = *emitter.getMemory(shape.filter);
  int64_t outputStride = *memory.strides[0].getConstantValue(),
          inputStride = *memory.strides[1].getConstantValue();
  int64_t rowPitch = shape.isInputGradient ? inputStride : outputStride;
  int64_t channelPitch = shape.isInputGradient ? outputStride : inputStride;
  Value start = emitter.add(memory.offset ? memory.offset : kernel.constant(0),
                            emitter.mul(firstChannel, kernel.constant(rowPitch)));
  for (int64_t column = 0; column < tile.columns(); column += kTileLanes)
    for (int64_t first = 0; first < positions; first += kTileLanes) {
      int64_t count = std::min(kTileLanes, positions - first);
      emitter.forLoop(
          kernel.constant(0), kernel.constant(channels), 1, {},
          [&](Value channel, ValueRange) -> SmallVector<Value> {
            Value from = emitter.add(emitter.add(start, kernel.constant(column * rowPitch + first)),
                                     emitter.mul(channel, kernel.constant(channelPitch)));
            transpose(kernel, {memory.memref, from, kernel.constant(rowPitch)},
                      {block, kernel.constant(0), kernel.constant(kTileLanes)},
                      count < kTileLanes ? kernel.constant(count) : Value());
            for (const Phase &phase : phases) {
              Value at = emitter.add(
                  emitter.mul(channel, kernel.constant(static_cast<int64_t>(phase.positions.size()))),
                  kernel.constant(phase.first));
              for (auto [i, position] : llvm::enumerate(phase.positions)) {
                if (position < first || position >= first + count)
                  continue;
                Value row = emitter.add(at, kernel.constant(static_cast<int64_t>(i)));
                Value target =
                    emitter.add(emitter.mul(row, kernel.constant(tile.columns())), kernel.constant(column));
                kernel.storeScratch(
                    kernel.loadScratch(block, kernel.constant((position - first) * kTileLanes)), panel,
                    target);
              }
            }
            return {};
          });
    }
}

/// The sums of one chunk for all pixels of a phase.
void ChannelKernel::emitPhase(const Phase &phase, Value chunk, TileUpdate update) {
  OpBuilder &b = kernel.builder();
  Type index = kernel.builder().getIndexType();
  int64_t number = &phase - phases.begin(), last = shape.spatial - 1;
  auto bound = [&](Value at) {
    Value narrow = memref::LoadOp::create(kernel.builder(), bounds, ValueRange{at});
    return arith::IndexCastOp::create(kernel.builder(), index, narrow).getResult();
  };
  Value entry = emitter.add(chunk, kernel.constant(number * (chunks + 1)));
  Value begin = bound(entry), end = bound(emitter.add(entry, kernel.constant(1)));
  Value first = emitter.add(begin, kernel.constant(phase.first));
  int64_t rows = 1, common = 0;
  SmallVector<int64_t, 3> pitches(shape.spatial, 1); // In pixels of the result.
  for (int64_t axis = last; axis-- > 0;)
    pitches[axis] = pitches[axis + 1] * resultSize(axis + 1);
  for (int64_t axis = 0; axis < last; ++axis)
    rows *= phase.count[axis];
  for (int64_t value : phase.bounds)
    common = std::gcd(common, value);
  DepthCount count{emitter.sub(end, begin), common % 2 == 0 ? 2 : 1};
  emitter.forLoop(
      kernel.constant(0), kernel.constant(rows), 1, {}, [&](Value row, ValueRange) -> SmallVector<Value> {
        // 1. Where the row's pixels lie in the result, and in the image.
        Value pixel = kernel.constant(0), place = kernel.constant(0), rest = row;
        for (int64_t axis = last; axis-- > 0;) {
          Value m = axis == 0 ? rest : emitter.remainder(rest, kernel.constant(phase.count[axis]));
          if (axis > 0)
            rest = emitter.divide(rest, kernel.constant(phase.count[axis]));
          Value own = emitter.add(emitter.mul(m, kernel.constant(phase.step[axis])),
                                  kernel.constant(phase.start[axis]));
          pixel = emitter.add(pixel, emitter.mul(own, kernel.constant(pitches[axis])));
          place = emitter.add(place, emitter.mul(m, emitter.evaluate(image.rowStep(axis))));
        }
        pixel = emitter.add(pixel, kernel.constant(phase.start[last]));
        // 2. Its tiles.
        kernel.forRowTiles(kernel.constant(phase.count[last]), [&](Value m, Extent height) {
          ScalarOperand a{
              image.memory(), emitter.add(place, m), b.getIndexAttr(1), {b.getIndexAttr(1), table, first}};
          VectorOperand columns{panel, {}, {b.getIndexAttr(tile.columns()), {}, {}}, {}};
          for (int64_t v = 0; v < tile.vectors; ++v)
            columns.bases.push_back(emitter.add(emitter.mul(first, kernel.constant(tile.columns())),
                                                kernel.constant(v * kTileLanes)));
          Value target = emitter.add(pixel, emitter.mul(m, kernel.constant(phase.step[last])));
          TileOperand c{sums, emitter.mul(target, kernel.constant(tile.columns())),
                        b.getIndexAttr(phase.step[last] * tile.columns())};
          emitMicroKernelRows(b, kernel.builder().getLoc(), tile, height, a, columns, count, c, update);
        });
        return {};
      });
}

void ChannelKernel::storePanel(Value batch, Value firstChannel) {
  for (int64_t column = 0; column < tile.columns(); column += kTileLanes)
    emitter.forLoop(
        kernel.constant(0), kernel.constant(pixels), kTileLanes, {},
        [&](Value pixel, ValueRange) -> SmallVector<Value> {
          Value from =
              emitter.add(emitter.mul(pixel, kernel.constant(tile.columns())), kernel.constant(column));
          transpose(kernel, {sums, from, kernel.constant(tile.columns())},
                    {block, kernel.constant(0), kernel.constant(kTileLanes)});
          emitter.forLoop(
              kernel.constant(0), kernel.constant(kTileLanes), 1, {},
              [&](Value channel, ValueRange) -> SmallVector<Value> {
                Value number = emitter.add(emitter.add(firstChannel, kernel.constant(column)), channel);
                Position position{Index::uniform(batch), Index::uniform(number),
                                  Index::contiguous(pixel, kTileLanes).covering(shape.spatial)};
                auto store = [&] {
                  kernel.emitEpilogue(position, [&] {
                    return kernel.loadScratch(block, emitter.mul(channel, kernel.constant(kTileLanes)));
                  });
                };
                pixels % kTileLanes == 0
                    ? store()
                    : emitter.withFirstLanes(emitter.sub(kernel.constant(pixels), pixel), store);
                return {};
              });
          return {};
        });
}

LogicalResult ChannelKernel::emit() {
  if (failed(kernel.checkEpilogue()))
    return failure();
  // 1. Sizes.
  int64_t results = *kernel.rootType.getDim(1).getConstantValue();
  channels = *shape.filterType.getDim(shape.isInputGradient ? 0 : 1).getConstantValue();
  positions = shape.kernelPositions();
  chunks = llvm::divideCeil(channels * positions, kChunk);
  pixels = 1;
  for (unsigned axis = 0; axis < shape.spatial; ++axis)
    pixels *= resultSize(axis);
  tile = {kernel.tile.rows, results % kernel.tile.columns() == 0 ? kernel.tile.vectors : 1};
  findPhases();
  // 2. Work-groups: a panel of channels of some images each.
  Value firstChannel = emitter.mul(kernel.splitGroups(kernel.polynomial(results), tile.columns()),
                                   kernel.constant(tile.columns()));
  dl::PolynomialAttr batchSize = kernel.rootType.getDim(0);
  Value firstImage =
      emitter.mul(kernel.splitGroups(batchSize, kImagesPerGroup), kernel.constant(kImagesPerGroup));
  Value endImage =
      emitter.minimum(emitter.add(firstImage, kernel.constant(kImagesPerGroup)), emitter.evaluate(batchSize));
  // 3. Scratch memory, tables, the packed filter, and the padding, which stays 0 from image to image.
  block = kernel.allocate(kTileLanes * kTileLanes, kernel.element);
  panel = kernel.allocate(channels * positions * tile.columns(), kernel.element);
  sums = kernel.allocate(llvm::alignTo(pixels, kTileLanes) * tile.columns(), kernel.element);
  fillTables();
  packFilter(firstChannel);
  image.allocate(kernel.polynomial(channels));
  image.clear();
  // 4. Images.
  emitter.forLoop(firstImage, endImage, 1, {}, [&](Value batch, ValueRange) -> SmallVector<Value> {
    image.copy(batch, kernel.constant(0), kernel.constant(channels), kernel.constant(0));
    for (const Phase &phase : phases)
      emitPhase(phase, kernel.constant(0), TileUpdate::Set);
    emitter.forLoop(kernel.constant(1), kernel.constant(chunks), 1, {},
                    [&](Value chunk, ValueRange) -> SmallVector<Value> {
                      for (const Phase &phase : phases)
                        emitPhase(phase, chunk, TileUpdate::Add);
                      return {};
                    });
    storePanel(batch, firstChannel);
    return {};
  });
  return success();
}

} // namespace

bool prefersChannelLanes(KernelContext &context, Operation *root) {
  ConvolutionShape shape(root);
  auto resultType = cast<dl::TensorType>(root->getResult(0).getType());
  const Memory *filter = context.emitter.getMemory(shape.filter);
  bool isConstant =
      llvm::all_of(resultType.getShape().drop_front(), [](auto dim) { return dim.isConstant(); }) &&
      llvm::all_of(shape.filterType.getShape(), [](auto dim) { return dim.isConstant(); }) &&
      llvm::all_of(shape.outputType.getShape().drop_front(), [](auto dim) { return dim.isConstant(); });
  if (!isConstant || shape.groups != 1 || !filter || !shape.liesInOrder(*filter) ||
      !resultType.getElementType().isF32() || *resultType.getDim(1).getConstantValue() % kTileLanes != 0)
    return false;
  // Rows that leave lanes empty, and gradients whose image would have zeros between its elements.
  int64_t width = *resultType.getDim(resultType.getRank() - 1).getConstantValue();
  bool leavesLanesEmpty = width % kTileLanes != 0;
  bool hasStrides = llvm::any_of(shape.strides, [](int64_t stride) { return stride > 1; });
  return leavesLanesEmpty || (shape.isInputGradient && hasStrides);
}

LogicalResult emitConvolutionByChannels(KernelContext &context, Operation *root) {
  return ChannelKernel(context, root).emit();
}

} // namespace dlc::codegen
