// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one simple mapping of dispatches to a GPU: a thread computes one element of each result, or one row
// when the dispatch reduces along rows. Contractions run as one chain of fused multiply-adds per thread. A
// work-group of the schedule is a block.

#include "compiler/Codegen/GPU/ThreadContraction.h"
#include "compiler/Codegen/IndexKernels.h"
#include "compiler/Codegen/RowAnalysis.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

namespace dlc::codegen {

namespace {

/// Results that share a thread's unit: an element, or a row of `rowAxes` axes.
struct UnitGroup {
  SmallVector<dl::PolynomialAttr> shape; ///< Of the units.
  SmallVector<unsigned> results;
};

LogicalResult emitUnit(KernelContext &context, const UnitGroup &unit, Value number) {
  ElementEmitter &emitter = context.emitter;
  LogicalResult done = success();
  if (auto sort = context.getYielded(0).getDefiningOp<dl::ArgSortOp>()) {
    Position row;
    if (!unit.shape.empty())
      row.push_back(Index::uniform(number).covering(unit.shape.size()));
    return sortRow(context, sort, row);
  }
  auto compute = [&](unsigned result, const Position &position) -> Value {
    Value element = emitter.emit(context.getYielded(result), position);
    if (!element)
      done = failure();
    return element;
  };
  size_t unitAxes = unit.shape.size();
  Position row;
  if (unitAxes > 0)
    row.push_back(Index::uniform(number).covering(unitAxes));
  // 1. One element per unit: computed before anything is stored.
  SmallVector<std::pair<unsigned, Value>> elements;
  SmallVector<unsigned> rows;
  for (unsigned i : unit.results) {
    if (static_cast<size_t>(context.getResultType(i).getRank()) > unitAxes) {
      rows.push_back(i);
      continue;
    }
    elements.push_back({i, compute(i, row)});
    if (failed(done))
      return failure();
  }
  // 2. The columns of a row, one after another; results of one shape together.
  while (!rows.empty()) {
    ArrayRef<dl::PolynomialAttr> shape = context.getResultType(rows.front()).getShape();
    SmallVector<unsigned> together, later;
    for (unsigned i : rows)
      (context.getResultType(i).getShape() == shape ? together : later).push_back(i);
    Value columns = emitter.evaluate(dl::product(context.dispatch.getContext(), shape.drop_front(unitAxes)));
    emitter.forLoop(emitter.constant(0), columns, 1, {}, [&](Value column, ValueRange) -> SmallVector<Value> {
      Position position = row;
      position.push_back(Index::uniform(column).covering(shape.size() - unitAxes));
      SmallVector<Value> values;
      for (unsigned i : together)
        values.push_back(compute(i, position));
      if (succeeded(done))
        for (auto [i, value] : llvm::zip_equal(together, values))
          context.store(i, position, value);
      return {};
    });
    rows = later;
  }
  for (auto &[i, element] : elements)
    context.store(i, row, element);
  return done;
}

} // namespace

LogicalResult emitThreadKernel(KernelContext &context) {
  context.builder.getContext()->loadDialect<NVVM::NVVMDialect>();
  ElementEmitter &emitter = context.emitter;
  if (failed(bindContractions(context)))
    return failure();

  // 1. Units.
  RowPlan plan = planRows(context);
  SmallVector<UnitGroup> groups;
  for (unsigned i = 0; i < context.results.size(); ++i) {
    ArrayRef<dl::PolynomialAttr> shape = context.getResultType(i).getShape();
    if (context.getYielded(i).getDefiningOp<dl::ArgSortOp>())
      shape = shape.drop_back();
    else if (plan.hasRowReductions && llvm::is_contained(plan.results, i))
      shape = shape.take_front(plan.rows);
    auto *same = llvm::find_if(groups, [&](UnitGroup &group) { return ArrayRef(group.shape) == shape; });
    if (same == groups.end())
      groups.push_back({llvm::to_vector(shape), {i}});
    else
      same->results.push_back(i);
  }

  // 2. The thread's number.
  Value thread = NVVM::ThreadIdXOp::create(context.builder, context.builder.getI32Type());
  thread = arith::IndexCastUIOp::create(context.builder, context.builder.getIndexType(), thread);
  Value number =
      emitter.add(emitter.mul(context.group, emitter.constant(context.target.blockThreads)), thread);

  // 3. Blocks for the largest group of units; threads beyond a group's end rest.
  artifact::Expression blocks = 0;
  LogicalResult done = success();
  for (const UnitGroup &unit : groups) {
    dl::PolynomialAttr count = dl::product(context.dispatch.getContext(), unit.shape);
    artifact::Expression needed = context.expression(count).ceilDiv(context.target.blockThreads);
    blocks = &unit == &groups.front() ? needed : blocks.max(needed);
    emitter.ifElse(
        emitter.less(number, emitter.evaluate(count)),
        [&]() -> SmallVector<Value> {
          if (succeeded(done))
            done = emitUnit(context, unit, number);
          return {};
        },
        []() -> SmallVector<Value> { return {}; });
  }
  context.kernel.groups = blocks;
  return done;
}

} // namespace dlc::codegen
