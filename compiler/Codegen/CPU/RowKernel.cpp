// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels of dispatches without contractions: loops over rows and, within a row, over columns, 16 at a time.
// All results at a position are computed before any is stored, so a result may take the memory of an operand
// that is read at the same position only.

#include "compiler/Codegen/RowAnalysis.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

namespace dlc::codegen {

namespace {

class RowKernelBuilder {
public:
  RowKernelBuilder(KernelContext &context, RowPlan plan)
      : context(context), emitter(context.emitter), plan(std::move(plan)),
        domain(this->plan.domain.getShape()) {}

  /// Builds the loops; with `share` the rows (or columns) are shared out to work-groups, whose count is set.
  LogicalResult build(bool share) {
    MLIRContext *mlir = context.dispatch.getContext();
    dl::PolynomialAttr columns = dl::product(mlir, domain.drop_front(plan.columns));
    if (plan.rows == 0) {
      // 1. No rows: columns are shared out, in pieces of whole vectors.
      int64_t piece = llvm::alignTo(unitsPerGroup(columns, 1), 64 * plan.columnPhases);
      auto [begin, end] = range(columns, piece, share);
      return middleAndColumns({}, begin, end, factorOf(columns, piece));
    }
    // 2. Rows, a window's rows at a time.
    dl::PolynomialAttr rows = dl::product(mlir, domain.take_front(plan.rows));
    dl::PolynomialAttr units =
        *dl::divideExactly(rows, dl::PolynomialAttr::getConstant(mlir, plan.rowPhases));
    auto [begin, end] = range(units, unitsPerGroup(units, 1), share);
    LogicalResult done = success();
    Value columnEnd = emitter.evaluate(columns);
    emitter.forLoop(begin, end, 1, {}, [&](Value unit, ValueRange) -> SmallVector<Value> {
      Index row = Index::uniform(emitter.mul(unit, emitter.constant(plan.rowPhases)), plan.rowPhases);
      done = middleAndColumns(row.covering(plan.rows), emitter.constant(0), columnEnd, factorOf(columns, 0));
      return {};
    });
    return done;
  }

private:
  static int64_t factorOf(dl::PolynomialAttr polynomial, int64_t piece) {
    int64_t factor = piece;
    for (int64_t coefficient : polynomial.getCoefficients())
      factor = std::gcd(factor, coefficient);
    return factor;
  }

  /// How many units (rows or columns) make a work-group worth its while, judged with 64 for every symbol.
  int64_t unitsPerGroup(dl::PolynomialAttr units, int64_t least) {
    auto estimate = [](dl::PolynomialAttr polynomial) {
      return std::max<int64_t>(dl::nominalValue(polynomial), 1);
    };
    double bytes = 0;
    auto count = [&](Value value) {
      auto type = cast<dl::TensorType>(value.getType());
      bytes += static_cast<double>(estimate(type.getElementCount())) *
               type.getElementType().getIntOrFloatBitWidth() / 8;
    };
    llvm::for_each(context.dispatch.getInputs(), count);
    llvm::for_each(context.dispatch.getOutputs(), count);
    double perUnit = bytes / static_cast<double>(estimate(units));
    return std::max<int64_t>(least,
                             static_cast<int64_t>(static_cast<double>(context.target.groupBytes) / perUnit));
  }

  /// The units of this work-group, begin and end.
  std::pair<Value, Value> range(dl::PolynomialAttr units, int64_t piece, bool share) {
    Value total = emitter.evaluate(units);
    if (!share)
      return {emitter.constant(0), total};
    artifact::Expression count = context.expression(units);
    context.kernel.groups = count.ceilDiv(piece);
    if (std::optional<int64_t> known = units.getConstantValue(); known && *known <= piece)
      return {emitter.constant(0), total};
    Value pieceValue = emitter.constant(piece);
    Value begin = emitter.mul(context.group, pieceValue);
    return {begin, emitter.minimum(total, emitter.add(begin, pieceValue))};
  }

  /// The axes between rows and columns, then the columns [begin, end) of every row phase.
  LogicalResult middleAndColumns(std::optional<Index> row, Value begin, Value end, int64_t factor) {
    SmallVector<unsigned> perRow, perColumn;
    for (unsigned i : plan.results)
      (context.getResultType(i).getRank() == plan.domain.getRank() && plan.columns < plan.domain.getRank()
           ? perColumn
           : perRow)
          .push_back(i);
    // 1. Results of one element per row are computed before anything is stored.
    SmallVector<std::tuple<unsigned, Position, Value>> scalars;
    for (unsigned i : perRow)
      for (int64_t phase = 0; phase < plan.rowPhases; ++phase) {
        Position position;
        if (row)
          position.push_back(row->plus(phase));
        Value element = emitter.emit(context.getYielded(i), position);
        if (!element)
          return failure();
        scalars.push_back({i, position, element});
      }
    // 2. Columns.
    if (!perColumn.empty()) {
      if (plan.columns == plan.rows) {
        if (failed(columnLoop(perColumn, row, {}, begin, end, factor)))
          return failure();
      } else {
        LogicalResult done = success();
        dl::PolynomialAttr middle =
            dl::product(context.dispatch.getContext(), domain.slice(plan.rows, plan.columns - plan.rows));
        emitter.forLoop(emitter.constant(0), emitter.evaluate(middle), 1, {},
                        [&](Value index, ValueRange) -> SmallVector<Value> {
                          Index inner = Index::uniform(index).covering(plan.columns - plan.rows);
                          done = columnLoop(perColumn, row, inner, begin, end, factor);
                          return {};
                        });
        if (failed(done))
          return failure();
      }
    }
    for (auto &[i, position, element] : scalars)
      context.store(i, position, element);
    return success();
  }

  LogicalResult columnLoop(ArrayRef<unsigned> results, std::optional<Index> row, std::optional<Index> middle,
                           Value begin, Value end, int64_t factor) {
    LogicalResult done = success();
    int64_t phases = plan.columnPhases, step = emitter.getLanes();
    Value phasesValue = emitter.constant(phases);
    // 1. Units of `phases` neighbouring columns.
    Value first = emitter.divide(begin, phasesValue), last = emitter.divide(end, phasesValue);
    factor /= phases;
    auto vectors = [&](Value lower, Value upper, int64_t step, int64_t together) {
      emitter.forLoop(lower, upper, step, {}, [&](Value unit, ValueRange) -> SmallVector<Value> {
        if (succeeded(done))
          done = position(results, row, middle, unit, step, together, Value());
        return {};
      });
    };
    auto roundDown = [&](Value count, int64_t multiple) {
      Value value = emitter.constant(multiple);
      return emitter.mul(emitter.divide(count, value), value);
    };
    Value count = emitter.sub(last, first), whole = roundDown(count, step);
    Value wholeEnd = emitter.add(first, whole);
    // 2. Four vectors at a time for random numbers, then single ones.
    if (plan.hasRandom && phases == 1 && (!row || factor % 64 == 0)) {
      Value blockEnd = emitter.add(first, roundDown(count, 4 * step));
      vectors(first, blockEnd, 4 * step, 4);
      if (factor % (4 * step) != 0)
        vectors(blockEnd, wholeEnd, step, 1);
    } else if (std::optional<int64_t> known = knownCount(first, last); !known || *known >= step) {
      vectors(first, wholeEnd, step, 1);
    }
    // 3. The rest under a mask.
    if (factor % step != 0 && succeeded(done)) {
      Value rest = emitter.sub(last, wholeEnd);
      if (knownCount(first, last))
        done = position(results, row, middle, wholeEnd, step, 1, rest);
      else
        emitter.ifElse(
            emitter.less(emitter.constant(0), rest),
            [&]() -> SmallVector<Value> {
              done = position(results, row, middle, wholeEnd, step, 1, rest);
              return {};
            },
            []() -> SmallVector<Value> { return {}; });
    }
    return done;
  }

  static std::optional<int64_t> knownCount(Value first, Value last) {
    auto low = first.getDefiningOp<arith::ConstantIndexOp>(),
         high = last.getDefiningOp<arith::ConstantIndexOp>();
    if (!low || !high)
      return std::nullopt;
    return high.value() - low.value();
  }

  /// All results at the 16 units from `unit` on (or the first `rest` of them), for every phase; `together`
  /// vectors.
  LogicalResult position(ArrayRef<unsigned> results, std::optional<Index> row, std::optional<Index> middle,
                         Value unit, int64_t multiple, int64_t together, Value rest) {
    int64_t phases = plan.columnPhases;
    Value base = emitter.mul(unit, emitter.constant(phases));
    auto positionOf = [&](int64_t rowPhase, const Index &column) {
      Position position;
      if (row)
        position.push_back(row->plus(rowPhase));
      if (middle)
        position.push_back(*middle);
      position.push_back(column.covering(plan.domain.getRank() - plan.columns));
      return position;
    };
    // 1. Compute.
    bool isComplete = true;
    SmallVector<SmallVector<Value>> elements(results.size());
    auto compute = [&] {
      for (auto [result, list] : llvm::zip_equal(results, elements))
        for (int64_t rowPhase = 0; rowPhase < plan.rowPhases; ++rowPhase)
          for (int64_t i = 0; i < together * phases; ++i) {
            Index column{base, phases, {}, 1, multiple * phases, 0};
            column.offset = phases > 1 ? i : i * emitter.getLanes();
            Value element = emitter.emitVector(context.getYielded(result), positionOf(rowPhase, column));
            isComplete &= static_cast<bool>(element);
            list.push_back(element);
          }
    };
    rest ? emitter.withFirstLanes(rest, compute) : compute();
    if (!isComplete)
      return failure();
    // 2. Store; two column phases are interleaved to contiguous vectors.
    for (auto [result, list] : llvm::zip_equal(results, elements)) {
      size_t next = 0;
      for (int64_t rowPhase = 0; rowPhase < plan.rowPhases; ++rowPhase) {
        if (phases == 2) {
          Value even = list[next++], odd = list[next++];
          for (int64_t half = 0; half < 2; ++half) {
            SmallVector<int64_t> lanes;
            for (int64_t i = 0; i < 8; ++i)
              llvm::append_values(lanes, half * 8 + i, 16 + half * 8 + i);
            Value mixed = emitter.create<vector::ShuffleOp>({even, odd}, even, odd, lanes);
            Index column{base, 1, {}, 1, multiple * phases, half * 16};
            auto store = [&] { context.store(result, positionOf(rowPhase, column), mixed); };
            if (!rest)
              store();
            else
              emitter.withFirstLanes(
                  emitter.sub(emitter.mul(rest, emitter.constant(2)), emitter.constant(half * 16)), store);
          }
          continue;
        }
        for (int64_t i = 0; i < together * phases; ++i) {
          Index column{base, phases, {}, 1, multiple * phases, phases > 1 ? i : i * emitter.getLanes()};
          auto store = [&] { context.store(result, positionOf(rowPhase, column), list[next]); };
          rest ? emitter.withFirstLanes(rest, store) : store();
          ++next;
        }
      }
    }
    return success();
  }

  KernelContext &context;
  ElementEmitter &emitter;
  RowPlan plan;
  ArrayRef<dl::PolynomialAttr> domain;
};

} // namespace

LogicalResult emitRowKernel(KernelContext &context) {
  RowPlan plan = planRows(context);
  SmallVector<unsigned> apart = plan.apart;
  if (failed(RowKernelBuilder(context, plan).build(/*share=*/true)))
    return failure();
  if (apart.empty())
    return success();
  // Results of another shape: one work-group computes them.
  context.remark("results of different shapes are computed by one work-group");
  Value isFirst = context.emitter.create<arith::CmpIOp>({context.group}, arith::CmpIPredicate::eq,
                                                        context.group, context.emitter.constant(0));
  LogicalResult done = success();
  while (!apart.empty() && succeeded(done)) {
    RowPlan rest = planRows(context, apart);
    SmallVector<unsigned> remaining = rest.apart;
    context.emitter.ifElse(
        isFirst,
        [&]() -> SmallVector<Value> {
          done = RowKernelBuilder(context, rest).build(/*share=*/false);
          return {};
        },
        []() -> SmallVector<Value> { return {}; });
    apart = remaining;
  }
  return done;
}

} // namespace dlc::codegen
