// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels of scatter_add and argsort, which are dispatches of their own.
//
// scatter_add: a work-group owns some columns of some batches. It clears them, then adds the updates to the
// rows that they choose, one after another, so that sums run in the order of the updates whatever the number
// of threads.

#include "compiler/Codegen/IndexKernels.h"

#include "compiler/Dialect/NominalSize.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace dlc::codegen {

namespace {

/// Columns of a work-group: two cache lines of f32.
constexpr int64_t kColumns = 32;

void loop(ElementEmitter &emitter, Value low, Value high, int64_t step,
          llvm::function_ref<void(Value)> body) {
  emitter.forLoop(low, high, step, {}, [&](Value i, ValueRange) -> SmallVector<Value> {
    body(i);
    return {};
  });
}

/// Calls `body` with the numbers of the units that a work-group handles; units are shared out so that a group
/// moves the target's nominal number of bytes.
void forUnits(KernelContext &context, dl::PolynomialAttr batches, Value chunks,
              artifact::Expression chunkCount, int64_t nominalUnits,
              llvm::function_ref<void(Value batch, Value chunk)> body) {
  ElementEmitter &emitter = context.emitter;
  int64_t bytes = 0;
  for (ValueRange values :
       {ValueRange(context.dispatch.getInputs()), ValueRange(context.dispatch.getOutputs())})
    for (Value value : values)
      bytes += dl::nominalBytes(cast<dl::TensorType>(value.getType()));
  int64_t perGroup =
      std::max<int64_t>(1, context.target.groupBytes * nominalUnits / std::max<int64_t>(bytes, 1));
  context.kernel.groups = (context.expression(batches) * chunkCount).ceilDiv(perGroup);
  Value total = emitter.mul(emitter.evaluate(batches), chunks), piece = emitter.constant(perGroup);
  Value begin = emitter.mul(context.group, piece), end = emitter.minimum(total, emitter.add(begin, piece));
  loop(emitter, begin, end, 1,
       [&](Value unit) { body(emitter.divide(unit, chunks), emitter.remainder(unit, chunks)); });
}

class ScatterKernel {
public:
  ScatterKernel(KernelContext &context, dl::ScatterAddOp op)
      : context(context), emitter(context.emitter), values(emitter), op(op), type(op.getType()),
        batch(op.getBatch()), table(context.results[0]) {
    table.isConstant = false;
    MLIRContext *mlir = op.getContext();
    columns = dl::product(mlir, type.getShape().drop_front(batch + 1));
    columnAxes = static_cast<unsigned>(type.getRank() - batch - 1);
    entries = dl::product(mlir, op.getIndex().getType().getShape().drop_front(batch));
    entryAxes = static_cast<unsigned>(op.getIndex().getType().getRank() - batch);
  }

  LogicalResult emit() {
    dl::PolynomialAttr batches = dl::product(op.getContext(), type.getShape().take_front(batch));
    Value columnCount = emitter.evaluate(columns);
    Value chunks = emitter.ceilDivide(columnCount, emitter.constant(kColumns));
    int64_t nominal = dl::nominalValue(batches) * llvm::divideCeil(dl::nominalValue(columns), kColumns);
    forUnits(context, batches, chunks, context.expression(columns).ceilDiv(kColumns), nominal,
             [&](Value batchNumber, Value chunk) {
               Position shared;
               if (batch > 0)
                 shared.push_back(Index::uniform(batchNumber).covering(batch));
               Value first = emitter.mul(chunk, emitter.constant(kColumns));
               Value last = emitter.minimum(columnCount, emitter.add(first, emitter.constant(kColumns)));
               clear(shared, first, last);
               addUpdates(shared, first, last);
             });
    return success(!failed);
  }

private:
  /// Calls `body` with indices for the columns [first, last), under a mask at the end.
  void forColumns(Value first, Value last, llvm::function_ref<void(ArrayRef<Index>)> body) {
    if (columnAxes == 0)
      return body({});
    int64_t lanes = emitter.getLanes();
    loop(emitter, first, last, lanes, [&](Value column) {
      Index index = Index::contiguous(column).covering(columnAxes);
      if (std::optional<int64_t> known = columns.getConstantValue(); known && *known % kColumns == 0)
        return body({index});
      Value rest = emitter.sub(last, column);
      emitter.ifElse(
          emitter.less(rest, emitter.constant(lanes)),
          [&]() -> SmallVector<Value> {
            emitter.withFirstLanes(rest, [&] { body({index}); });
            return {};
          },
          [&]() -> SmallVector<Value> {
            body({index});
            return {};
          });
    });
  }

  void clear(const Position &shared, Value first, Value last) {
    Type scalar = computeType(type.getElementType());
    loop(emitter, emitter.constant(0), emitter.evaluate(type.getDim(batch)), 1, [&](Value row) {
      forColumns(first, last, [&](ArrayRef<Index> column) {
        Position at = shared;
        at.push_back(Index::uniform(row));
        at.append(column.begin(), column.end());
        emitter.store(
            table, type, at,
            emitter.constantOf(column.empty() ? scalar : static_cast<Type>(emitter.vectorOf(scalar)), 0));
      });
    });
  }

  void addUpdates(const Position &shared, Value first, Value last) {
    // Into a table without rows, nothing is added: there is no row that an index could be moved to.
    Value rows = emitter.evaluate(type.getDim(batch)), count = emitter.evaluate(entries);
    if (!dl::isNeverNegative(type.getDim(batch) - 1))
      count = emitter.mul(count, emitter.minimum(rows, emitter.constant(1)));
    loop(emitter, emitter.constant(0), count, 1, [&](Value entry) {
      Position from = shared;
      if (entryAxes > 0)
        from.push_back(Index::uniform(entry).covering(entryAxes));
      Value element = emitter.emit(op.getIndex(), from);
      if (!element) {
        failed = true;
        return;
      }
      Index row = clampedIndex(emitter, element, type.getDim(batch));
      forColumns(first, last, [&](ArrayRef<Index> column) {
        Position source = from, target = shared;
        source.append(column.begin(), column.end());
        target.push_back(row);
        target.append(column.begin(), column.end());
        Value update = column.empty() ? emitter.emit(op.getUpdates(), source)
                                      : emitter.emitVector(op.getUpdates(), source);
        failed |= !update;
        if (failed)
          return;
        Value present = emitter.load(table, type, target);
        Value sum = isa<FloatType>(ValueBuilder::scalarOf(update.getType())) ? values.addf(present, update)
                                                                             : values.addi(present, update);
        emitter.store(table, type, target, sum);
      });
    });
  }

  KernelContext &context;
  ElementEmitter &emitter;
  ValueBuilder values;
  dl::ScatterAddOp op;
  dl::TensorType type;
  int64_t batch;
  Memory table;
  dl::PolynomialAttr columns, entries;
  unsigned columnAxes, entryAxes;
  bool failed = false;
};

} // namespace

LogicalResult emitScatterKernel(KernelContext &context, dl::ScatterAddOp op) {
  return ScatterKernel(context, op).emit();
}

LogicalResult emitSortKernel(KernelContext &context, dl::ArgSortOp op) {
  dl::PolynomialAttr rows = dl::product(op.getContext(), op.getType().getShape().drop_back());
  auto axes = static_cast<unsigned>(op.getType().getRank() - 1);
  LogicalResult done = success();
  forUnits(context, rows, context.emitter.constant(1), artifact::Expression(1), dl::nominalValue(rows),
           [&](Value row, Value) {
             Position position;
             if (axes > 0)
               position.push_back(Index::uniform(row).covering(axes));
             done = sortRow(context, op, position);
           });
  return done;
}

} // namespace dlc::codegen
