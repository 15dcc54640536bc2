// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Codegen/CPU/Pack.h"

#include "compiler/Codegen/SharedFunction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/Sequence.h"

namespace dlc::codegen {
namespace {

/// Calls `body(segment, inner, depth, innerEnd)` for the depths of a chunk in steps of `step` within each
/// segment; depth counts from the chunk's begin.
void forDepth(TiledKernel &kernel, const PanelSource &source, Chunk chunk, int64_t step,
              llvm::function_ref<void(Value segment, Value inner, Value depth, Value innerEnd)> body) {
  ElementEmitter &emitter = kernel.emitter;
  if (source.segments.isConstant(1)) {
    emitter.forLoop(chunk.begin, chunk.end, step, {}, [&](Value inner, ValueRange) -> SmallVector<Value> {
      body(kernel.constant(0), inner, emitter.sub(inner, chunk.begin), chunk.end);
      return {};
    });
    return;
  }
  Value size = emitter.evaluate(source.inner);
  emitter.forLoop(emitter.divide(chunk.begin, size), emitter.ceilDivide(chunk.end, size), 1, {},
                  [&](Value segment, ValueRange) -> SmallVector<Value> {
                    Value start = emitter.mul(segment, size);
                    // A segment may start before the chunk and end after it.
                    Value low = emitter.sub(chunk.begin, emitter.minimum(chunk.begin, start));
                    Value high = emitter.sub(emitter.minimum(emitter.add(start, size), chunk.end), start);
                    Value shift = emitter.sub(start, chunk.begin);
                    emitter.forLoop(low, high, step, {}, [&](Value inner, ValueRange) -> SmallVector<Value> {
                      body(segment, inner, emitter.add(shift, inner), high);
                      return {};
                    });
                    return {};
                  });
}

/// Whether every vector of 16 along the depth lies wholly inside its chunk.
bool depthIsWhole(const PanelSource &source) {
  std::optional<int64_t> depth = source.inner.getConstantValue();
  return depth && source.segments.isConstant(1) && *depth % kTileLanes == 0;
}

/// Whether every vector of 16 along the rows does, in whole tiles of columns.
bool rowsAreWhole(TiledKernel &kernel, const PanelSource &source) {
  std::optional<int64_t> rows = source.rows.getConstantValue();
  return rows && *rows % kernel.tile.columns() == 0;
}

/// The 16 elements at a row and a depth, the lanes from `end` on masked off unless all are known to be
/// inside.
Value emitMasked(TiledKernel &kernel, const PanelSource &source, bool isWhole, Value begin, Value end,
                 Index row, Value segment, Index inner) {
  ElementEmitter &emitter = kernel.emitter;
  auto emit = [&] {
    return emitter.broadcast(emitter.emit(source.operand, source.position(row, segment, inner)));
  };
  if (isWhole)
    return emit();
  Value result;
  emitter.withFirstLanes(emitter.sub(end, begin), [&] { result = emit(); });
  return result;
}

/// Transposes the squares of rows.size() × rows.size() elements that stand side by side in 16-element rows.
void transposeInRegisters(OpBuilder &builder, Location location, SmallVectorImpl<Value> &rows) {
  // Blocks of distance × distance elements change places with their mirror images, from large to small.
  int64_t count = rows.size();
  for (int64_t distance = count / 2; distance >= 1; distance /= 2) {
    SmallVector<int64_t, 16> upper, lower;
    for (int64_t lane = 0; lane < kTileLanes; ++lane) {
      upper.push_back(lane & distance ? kTileLanes + lane - distance : lane);
      lower.push_back(lane & distance ? kTileLanes + lane : lane + distance);
    }
    for (int64_t i = 0; i < count; ++i) {
      if (i & distance)
        continue;
      Value a = rows[i], b = rows[i + distance];
      rows[i] = vector::ShuffleOp::create(builder, location, a, b, upper);
      rows[i + distance] = vector::ShuffleOp::create(builder, location, a, b, lower);
    }
  }
}

} // namespace

Value placeInPanels(TiledKernel &kernel, TileShape tile, Value depth, Value column) {
  ElementEmitter &emitter = kernel.emitter;
  Value columns = kernel.constant(tile.columns());
  Value panel = emitter.divide(column, columns), inPanel = emitter.remainder(column, columns);
  Value line = emitter.add(emitter.mul(panel, kernel.constant(kPitch)), depth);
  return emitter.add(emitter.mul(line, columns), inPanel);
}

void packDepthMajorRows(TiledKernel &kernel, const PanelSource &source, Value first, Value count, Chunk chunk,
                        Value memory, int64_t pitch) {
  ElementEmitter &emitter = kernel.emitter;
  emitter.forLoop(kernel.constant(0), count, 1, {}, [&](Value r, ValueRange) -> SmallVector<Value> {
    Value line = emitter.mul(r, kernel.constant(pitch));
    Index row = Index::uniform(emitter.add(first, r));
    forDepth(kernel, source, chunk, kTileLanes, [&](Value segment, Value inner, Value depth, Value end) {
      Value elements = emitMasked(kernel, source, depthIsWhole(source), inner, end, row, segment,
                                  Index::contiguous(inner));
      kernel.storeScratch(elements, memory, emitter.add(line, depth));
    });
    return {};
  });
}

void packRowLanes(TiledKernel &kernel, const PanelSource &source, Value first, Value count, Chunk chunk,
                  Value memory, llvm::function_ref<Value(Value, Value)> place) {
  ElementEmitter &emitter = kernel.emitter;
  Value rows = emitter.evaluate(source.rows);
  emitter.forLoop(kernel.constant(0), count, kTileLanes, {}, [&](Value r, ValueRange) -> SmallVector<Value> {
    Value begin = emitter.add(first, r);
    forDepth(kernel, source, chunk, 1, [&](Value segment, Value inner, Value depth, Value) {
      Value elements = emitMasked(kernel, source, rowsAreWhole(kernel, source), begin, rows,
                                  Index::contiguous(begin), segment, Index::uniform(inner));
      kernel.storeScratch(elements, memory, place(depth, r));
    });
    return {};
  });
}

void packTransposed(TiledKernel &kernel, const PanelSource &source, Value first, Value count, Chunk chunk,
                    Value memory, int64_t pitch, Value block, llvm::function_ref<Value(Value, Value)> place) {
  ElementEmitter &emitter = kernel.emitter;
  Value last = emitter.evaluate(source.rows - 1);
  Value lanes = kernel.constant(kTileLanes);
  emitter.forLoop(kernel.constant(0), count, kTileLanes, {}, [&](Value r, ValueRange) -> SmallVector<Value> {
    forDepth(kernel, source, chunk, kTileLanes, [&](Value segment, Value inner, Value depth, Value end) {
      Square target{memory, place(depth, r), kernel.constant(pitch)};
      // 1. Straight from memory.
      if (source.rowPitch && rowsAreWhole(kernel, source)) {
        const Memory &from = *emitter.getMemory(source.operand);
        ArrayRef<dl::PolynomialAttr> shape = cast<dl::TensorType>(source.operand.getType()).getShape();
        Index row = Index::uniform(emitter.add(first, r));
        Value corner =
            emitter.linear(from, emitter.expand(shape, source.position(row, segment, Index::uniform(inner))));
        Value columns = depthIsWhole(source) ? Value() : emitter.minimum(emitter.sub(end, inner), lanes);
        transpose(kernel, {from.memref, corner, emitter.evaluate(*source.rowPitch)}, target, columns);
        return;
      }
      // 2. By way of a copy. Rows beyond the last repeat it: their columns are not stored in the end.
      emitter.forLoop(kernel.constant(0), lanes, 1, {}, [&](Value i, ValueRange) -> SmallVector<Value> {
        Value row = emitter.add(emitter.add(first, r), i);
        Value clamped = rowsAreWhole(kernel, source) ? row : emitter.minimum(row, last);
        Value elements = emitMasked(kernel, source, depthIsWhole(source), inner, end, Index::uniform(clamped),
                                    segment, Index::contiguous(inner));
        kernel.storeScratch(elements, block, emitter.mul(i, lanes));
        return {};
      });
      transpose(kernel, {block, kernel.constant(0), lanes}, target);
    });
    return {};
  });
}

void transpose(TiledKernel &kernel, const Square &from, const Square &to, Value columns) {
  Location location = kernel.builder().getLoc();
  // Squares of a register's width; their places change as the elements within them do.
  int64_t width = kernel.context.target.registerLanes * 32 / kernel.element.getIntOrFloatBitWidth();
  std::string name;
  llvm::raw_string_ostream(name) << "transpose_" << kernel.element << (columns ? "_masked" : "");
  SmallVector<Value> arguments{from.memory, from.first, from.pitch, to.memory, to.first, to.pitch};
  if (columns)
    arguments.push_back(columns);
  callShared(kernel.builder(), location, name, arguments, {}, [&](OpBuilder &builder, ValueRange parameters) {
    IndexMath math(builder, location);
    auto type = VectorType::get(kTileLanes, kernel.element);
    auto at = [&](Value first, Value pitch, int64_t row, int64_t column) {
      Extent line = math.add(first, math.mul(math.constant(row), pitch));
      return math.value(math.add(line, column));
    };
    Value mask, zero;
    if (columns) {
      auto lanes = llvm::to_vector(llvm::seq<int32_t>(0, kTileLanes));
      Value numbers = arith::ConstantOp::create(builder, location, builder.getI32VectorAttr(lanes));
      Value count = arith::IndexCastOp::create(builder, location, builder.getI32Type(), parameters.back());
      mask = arith::CmpIOp::create(builder, location, arith::CmpIPredicate::slt, numbers,
                                   vector::BroadcastOp::create(builder, location, numbers.getType(), count));
      zero = arith::ConstantOp::create(builder, location, builder.getZeroAttr(type));
    }
    SmallVector<Value, 16> rows;
    for (int64_t i = 0; i < kTileLanes; ++i) {
      Value position = at(parameters[1], parameters[2], i, 0);
      rows.push_back(columns
                         ? Value(vector::MaskedLoadOp::create(builder, location, type, parameters[0],
                                                              position, mask, zero))
                         : Value(vector::LoadOp::create(builder, location, type, parameters[0], position)));
    }
    for (int64_t upper = 0; upper < kTileLanes; upper += width) {
      SmallVector<Value, 16> square(rows.begin() + upper, rows.begin() + upper + width);
      transposeInRegisters(builder, location, square);
      for (int64_t left = 0; left < kTileLanes; left += width)
        for (int64_t i = 0; i < width; ++i) {
          Value elements = square[i];
          if (width != kTileLanes)
            elements = vector::ShuffleOp::create(builder, location, elements, elements,
                                                 llvm::to_vector(llvm::seq(left, left + width)));
          vector::StoreOp::create(builder, location, elements, parameters[3],
                                  ValueRange{at(parameters[4], parameters[5], left + i, upper)});
        }
    }
    return SmallVector<Value>();
  });
}

} // namespace dlc::codegen
