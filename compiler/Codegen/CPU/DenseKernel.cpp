// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Codegen/CPU/DenseKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

namespace dlc::codegen {
namespace {

/// Fused multiply-adds that are worth a work-group of their own (a few microseconds).
constexpr int64_t kGroupWork = 256 * 1024;
/// More groups than this are of no use to the threads of the machines we mean, and repeat packing.
constexpr int64_t kMaxGroups = 8;

/// Elements of a row of B up to which a chunk of it is used where it lies.
constexpr int64_t kNarrowRow = 512;

/// How the block of C of one group, and the way to its operands, are chosen.
struct Blocking {
  int64_t rows, columns; ///< Of a group's block; columns are whole tiles.
  bool packA, packB;
  bool bByTranspose; ///< B is contiguous in k.
};

class DenseKernel {
public:
  DenseKernel(TiledKernel &kernel, const DenseProblem &problem)
      : kernel(kernel), problem(problem), emitter(kernel.emitter),
        depth(problem.a.segments * problem.a.inner), tile(kernel.tile) {}

  LogicalResult emit();

private:
  Blocking chooseBlocking();
  void emitChunk(Chunk chunk);
  void packB(Chunk chunk);
  ScalarOperand operandA(Value row, Value rowInBlock, Chunk chunk);
  VectorOperand operandB(Value column, Value columnInBlock, Chunk chunk);
  /// C of the block's scratch memory, from a row and a column of the block on.
  TileOperand operandC(Value row, Value column);
  /// Stores the results of `height` × `width` elements at (row, column) of the block.
  void finish(Value row, Extent height, Value column, Value width);

  TiledKernel &kernel;
  const DenseProblem &problem;
  ElementEmitter &emitter;
  dl::PolynomialAttr depth;
  TileShape tile;
  Blocking blocking;
  bool isOneChunk;
  Value firstRow, rowCount;       ///< The group's block.
  Value firstColumn, columnCount; ///< The columns are rounded up to whole tiles.
  Value allColumns;
  Value packedA, packedB, block, transposeBlock;
};

Blocking DenseKernel::chooseBlocking() {
  // At least 1: sizes that are known to be 0 are simplified away, but not by every caller of this.
  int64_t rows = std::max(nominalValue(problem.a.rows), int64_t(1));
  int64_t columns = std::max(nominalValue(problem.b.rows), int64_t(1));
  int64_t depthSize = nominalValue(depth), width = tile.columns();
  Blocking result;
  result.bByTranspose = problem.b.depthIsContiguous;
  result.rows = std::min(rows, kernel.context.target.blockRows);
  result.columns = std::min(llvm::divideCeilSigned(columns, width) * width, int64_t(256));

  double work = static_cast<double>(rows) * static_cast<double>(columns) * static_cast<double>(depthSize);
  auto wanted = static_cast<int64_t>(std::clamp(work / kGroupWork, 1.0, double(kMaxGroups)));
  auto groups = [&] {
    return llvm::divideCeilSigned(rows, result.rows) * llvm::divideCeilSigned(columns, result.columns);
  };
  // Narrower blocks first: they repeat the packing of A, which is a plain copy. Splitting rows repeats that
  // of B.
  while (groups() < wanted && result.columns > width)
    result.columns = llvm::divideCeilSigned(result.columns / width, 2) * width;
  int64_t wantedByRows = result.bByTranspose ? wanted / 2 : wanted;
  int64_t leastRows = std::max(2 * tile.rows, problem.rowUnit);
  while (groups() < wantedByRows && result.rows >= 2 * leastRows)
    result.rows = llvm::divideCeilSigned(result.rows, 2);
  // Blocks of equal height, when the number of rows is known.
  if (std::optional<int64_t> known = problem.a.rows.getConstantValue()) {
    int64_t blocks = std::max(llvm::divideCeilSigned(*known, result.rows), int64_t(1));
    for (int64_t more = blocks; more < 2 * blocks; ++more)
      if (*known % more == 0 && *known / more % problem.rowUnit == 0) {
        blocks = more;
        break;
      }
    result.rows = std::max(llvm::divideCeilSigned(*known, blocks), int64_t(1));
  }
  result.rows = llvm::divideCeilSigned(result.rows, problem.rowUnit) * problem.rowUnit;

  // A in place: rows at constant distances that do not all fall into the same sets of the first-level cache.
  bool hasConstantA =
      problem.aDirect && problem.aDirect->rowStride.isConstant() && problem.aDirect->depthStride.isConstant();
  int64_t reuse = result.columns / width;
  bool conflicts = hasConstantA && *problem.aDirect->rowStride.getConstantValue() % 256 == 0;
  result.packA = !hasConstantA || (result.rows > 1 && (reuse > 4 || (conflicts && reuse > 1)));
  // B in place: contiguous columns, read by few tiles of rows. More may read it where its rows are close to
  // one another: then a chunk lies in few pages, and comes from the second-level cache fast enough.
  bool hasRowsOfB = problem.bDirect && problem.bDirect->rowStride.isConstant(1);
  bool isNarrow = hasRowsOfB && nominalValue(problem.bDirect->depthStride) <= kNarrowRow;
  result.packB = !hasRowsOfB || result.rows > (isNarrow ? 8 : 2) * tile.rows;
  return result;
}

//===----------------------------------------------------------------------===//
// Operands of the micro-kernel
//===----------------------------------------------------------------------===//

ScalarOperand DenseKernel::operandA(Value row, Value rowInBlock, Chunk chunk) {
  OpBuilder &b = kernel.builder();
  if (blocking.packA) {
    if (problem.a.depthIsContiguous)
      return {packedA,
              emitter.mul(rowInBlock, kernel.constant(kPitch)),
              b.getIndexAttr(kPitch),
              {b.getIndexAttr(1), {}, {}}};
    int64_t pitch = llvm::alignTo(blocking.rows, kTileLanes) + kPackSlack;
    return {packedA, rowInBlock, b.getIndexAttr(1), {b.getIndexAttr(pitch), {}, {}}};
  }
  const DirectOperand &direct = *problem.aDirect;
  Value base = emitter.add(direct.offset, emitter.mul(row, emitter.evaluate(direct.rowStride)));
  base = emitter.add(base, emitter.mul(chunk.begin, emitter.evaluate(direct.depthStride)));
  return {direct.memory,
          base,
          b.getIndexAttr(*direct.rowStride.getConstantValue()),
          {b.getIndexAttr(*direct.depthStride.getConstantValue()), {}, {}}};
}

VectorOperand DenseKernel::operandB(Value column, Value columnInBlock, Chunk chunk) {
  OpBuilder &b = kernel.builder();
  VectorOperand result;
  if (blocking.packB) {
    // Panels of one tile's columns, each (kChunk + slack) × columns.
    Value base = emitter.mul(columnInBlock, kernel.constant(kPitch));
    result.memory = packedB;
    result.depth.stride = b.getIndexAttr(tile.columns());
    for (int64_t v = 0; v < tile.vectors; ++v)
      result.bases.push_back(emitter.add(base, kernel.constant(v * kTileLanes)));
    return result;
  }
  const DirectOperand &direct = *problem.bDirect;
  Value stride = emitter.evaluate(direct.depthStride);
  Value base = emitter.add(emitter.add(direct.offset, column), emitter.mul(chunk.begin, stride));
  result.memory = direct.memory;
  result.depth.stride = stride;
  std::optional<int64_t> known = problem.b.rows.getConstantValue();
  for (int64_t v = 0; v < tile.vectors; ++v) {
    result.bases.push_back(emitter.add(base, kernel.constant(v * kTileLanes)));
    if (!known || *known % tile.columns() != 0)
      result.masks.push_back(
          emitter.firstLanes(emitter.sub(allColumns, emitter.add(column, kernel.constant(v * kTileLanes)))));
  }
  return result;
}

TileOperand DenseKernel::operandC(Value row, Value column) {
  if (isOneChunk) // One tile at a time.
    return {block, kernel.constant(0), kernel.builder().getIndexAttr(tile.columns())};
  Value base = emitter.add(emitter.mul(row, kernel.constant(blocking.columns)), column);
  return {block, base, kernel.builder().getIndexAttr(blocking.columns)};
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void DenseKernel::packB(Chunk chunk) {
  auto place = [&](Value depth, Value column) { return placeInPanels(kernel, tile, depth, column); };
  if (blocking.bByTranspose)
    packTransposed(kernel, problem.b, firstColumn, columnCount, chunk, packedB, tile.columns(),
                   transposeBlock, place);
  else
    packRowLanes(kernel, problem.b, firstColumn, columnCount, chunk, packedB, place);
}

void DenseKernel::emitChunk(Chunk chunk) {
  if (blocking.packA) {
    int64_t pitch = llvm::alignTo(blocking.rows, kTileLanes) + kPackSlack;
    auto place = [&](Value k, Value row) { return emitter.add(emitter.mul(k, kernel.constant(pitch)), row); };
    if (problem.packA)
      problem.packA(firstRow, rowCount, chunk, packedA, kPitch);
    else if (problem.a.depthIsContiguous)
      packDepthMajorRows(kernel, problem.a, firstRow, rowCount, chunk, packedA, kPitch);
    else
      packRowLanes(kernel, problem.a, firstRow, rowCount, chunk, packedA, place);
  }
  if (blocking.packB)
    packB(chunk);

  Value count = emitter.sub(chunk.end, chunk.begin);
  std::optional<int64_t> known = depth.getConstantValue();
  DepthCount depthCount{count, known && *known % 2 == 0 ? 2 : 1};
  kernel.forRowTiles(rowCount, [&](Value row, Extent height) {
    emitter.forLoop(kernel.constant(0), columnCount, tile.columns(), {},
                    [&](Value column, ValueRange) -> SmallVector<Value> {
                      ScalarOperand a = operandA(emitter.add(firstRow, row), row, chunk);
                      VectorOperand b = operandB(emitter.add(firstColumn, column), column, chunk);
                      emitMicroKernelRows(kernel.builder(), kernel.builder().getLoc(), tile, height, a, b,
                                          depthCount, operandC(row, column),
                                          isOneChunk ? TileUpdate::Set : TileUpdate::Add);
                      if (isOneChunk)
                        finish(row, height, column, kernel.constant(tile.columns()));
                      return {};
                    });
  });
}

void DenseKernel::finish(Value row, Extent height, Value column, Value width) {
  Value rows = IndexMath(kernel.builder(), kernel.builder().getLoc()).value(height);
  std::optional<int64_t> known = problem.b.rows.getConstantValue();
  bool isWhole = known && *known % tile.columns() == 0;
  TileOperand c = operandC(row, column);
  Value pitch = kernel.constant(isOneChunk ? tile.columns() : blocking.columns);
  if (!isWhole)
    width = emitter.minimum(width, emitter.sub(allColumns, emitter.add(firstColumn, column)));
  emitter.forLoop(kernel.constant(0), rows, 1, {}, [&](Value i, ValueRange) -> SmallVector<Value> {
    Value line = emitter.add(c.base, emitter.mul(i, pitch));
    emitter.forLoop(
        kernel.constant(0), width, kTileLanes, {}, [&](Value j, ValueRange) -> SmallVector<Value> {
          Value at = emitter.add(emitter.add(firstColumn, column), j);
          Position position = problem.position(Index::uniform(emitter.add(emitter.add(firstRow, row), i)),
                                               Index::contiguous(at, kTileLanes));
          auto store = [&] {
            kernel.emitEpilogue(position, [&] { return kernel.loadScratch(block, emitter.add(line, j)); });
          };
          if (isWhole)
            store();
          else
            emitter.withFirstLanes(emitter.sub(allColumns, at), store);
          return {};
        });
    return {};
  });
}

LogicalResult DenseKernel::emit() {
  if (failed(kernel.checkEpilogue()))
    return failure();
  std::optional<int64_t> knownDepth = depth.getConstantValue();
  isOneChunk = knownDepth && *knownDepth <= kChunk;
  blocking = chooseBlocking();
  if (problem.aDirect && blocking.packA)
    kernel.context.remark("contraction packs its left operand");
  if (problem.bDirect && blocking.packB)
    kernel.context.remark("contraction packs its right operand");

  // 1. The group's block of C.
  Value columnBlock = kernel.splitGroups(problem.b.rows, blocking.columns);
  Value rowBlock = kernel.splitGroups(problem.a.rows, blocking.rows);
  allColumns = emitter.evaluate(problem.b.rows);
  firstRow = emitter.mul(rowBlock, kernel.constant(blocking.rows));
  firstColumn = emitter.mul(columnBlock, kernel.constant(blocking.columns));
  std::optional<int64_t> knownRows = problem.a.rows.getConstantValue();
  rowCount = knownRows && *knownRows % blocking.rows == 0
                 ? kernel.constant(blocking.rows)
                 : emitter.minimum(kernel.constant(blocking.rows),
                                   emitter.sub(emitter.evaluate(problem.a.rows), firstRow));
  Value width = kernel.constant(tile.columns());
  Value restOfColumns = emitter.mul(emitter.ceilDivide(emitter.sub(allColumns, firstColumn), width), width);
  columnCount = emitter.minimum(kernel.constant(blocking.columns), restOfColumns);

  // 2. Scratch memory.
  Type type = kernel.element;
  int64_t rowPitch = llvm::alignTo(blocking.rows, kTileLanes) + kPackSlack;
  if (blocking.packA)
    packedA =
        kernel.allocate(problem.a.depthIsContiguous ? blocking.rows * kPitch : (kChunk + 1) * rowPitch, type);
  if (blocking.packB)
    packedB = kernel.allocate(blocking.columns * kPitch, type);
  if (blocking.packB && blocking.bByTranspose)
    transposeBlock = kernel.allocate(kTileLanes * kTileLanes, type);
  block = kernel.allocate(isOneChunk ? tile.rows * tile.columns() : blocking.rows * blocking.columns, type);

  // 3. Chunks in order.
  Value end = emitter.evaluate(depth);
  if (isOneChunk) {
    emitChunk({kernel.constant(0), end});
    return success();
  }
  kernel.fill(block, emitter.mul(rowCount, kernel.constant(blocking.columns)), kernel.startOfSum(depth));
  emitter.forLoop(kernel.constant(0), end, kChunk, {}, [&](Value begin, ValueRange) -> SmallVector<Value> {
    Value chunkEnd = knownDepth && *knownDepth % kChunk == 0
                         ? emitter.add(begin, kernel.constant(kChunk))
                         : emitter.minimum(end, emitter.add(begin, kernel.constant(kChunk)));
    emitChunk({begin, chunkEnd});
    return {};
  });

  // 4. The results.
  finish(kernel.constant(0), rowCount, kernel.constant(0), columnCount);
  return success();
}

} // namespace

LogicalResult emitDenseKernel(TiledKernel &kernel, const DenseProblem &problem) {
  return DenseKernel(kernel, problem).emit();
}

} // namespace dlc::codegen
