// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Codegen/RowAnalysis.h"

#include "llvm/ADT/TypeSwitch.h"

namespace dlc::codegen {

namespace {

using Axes = SmallVector<int64_t, 4>;

dl::TensorType typeOf(Value value) {
  return cast<dl::TensorType>(value.getType());
}

/// Walks from a result to the operands and tells, for every value, which axis of the result each of its axes
/// follows: the highest such axis, -1 for none (a reduced axis, or a repeated one).
class DemandWalk {
public:
  bool hasRandom = false;
  /// Of reductions along the innermost axis of their operand: the highest result axis that they depend on.
  int64_t deepestRowReduction = -1;
  bool hasRowReduction = false;
  int64_t windowRows = 1, windowColumns = 1;
  /// Whether the last two axes of every pooling gradient are the last two of the result, unchanged.
  bool windowsAligned = true;

  explicit DemandWalk(int64_t rank) : rank(rank) {}

  void visit(Value value, const Axes &axes) {
    if (!seen.insert({value, axes.empty() ? -2 : axes.back()}).second)
      return;
    Operation *op = value.getDefiningOp();
    if (!op)
      return;
    if (op->hasTrait<dl::Elementwise>()) {
      for (Value operand : op->getOperands())
        visit(operand, axes);
      return;
    }
    llvm::TypeSwitch<Operation *>(op)
        .Case([&](dl::BroadcastOp op) {
          Axes inner;
          for (int64_t dim : op.getDims())
            inner.push_back(axes[dim]);
          visit(op.getOperand(), inner);
        })
        .Case([&](dl::TransposeOp op) {
          Axes inner(axes.size());
          for (auto [axis, from] : llvm::enumerate(op.getPermutation()))
            inner[from] = axes[axis];
          visit(op.getOperand(), inner);
        })
        .Case([&](dl::ReshapeOp op) { visit(op.getOperand(), throughReshape(op, axes)); })
        .Case<dl::SliceOp, dl::PadOp>([&](auto op) { visit(op.getOperand(), axes); })
        .Case([&](dl::ConcatOp op) {
          for (Value input : op.getInputs())
            visit(input, axes);
        })
        .Case([&](dl::SubscriptOp op) {
          Axes inner;
          for (int64_t axis = 0; axis < op.getOperand().getType().getRank(); ++axis) {
            inner.push_back(-1);
            for (auto [own, coefficient] : llvm::zip_equal(axes, op.getRow(axis)))
              if (coefficient != 0)
                inner.back() = std::max(inner.back(), own);
          }
          visit(op.getOperand(), inner);
        })
        .Case([&](dl::GatherOp op) {
          int64_t indexRank = op.getIndex().getType().getRank();
          Axes ofIndex(axes.begin(), axes.begin() + indexRank);
          Axes inner(axes.begin(), axes.begin() + op.getBatch());
          inner.push_back(ofIndex.empty() ? -1 : *std::max_element(ofIndex.begin(), ofIndex.end()));
          inner.append(axes.begin() + indexRank, axes.end());
          visit(op.getIndex(), ofIndex);
          visit(op.getOperand(), inner);
        })
        .Case([&](dl::RandomOp) { hasRandom = true; })
        .Case([&](dl::ReduceOp op) { visitReduction(op.getOperand(), op.getAxes(), axes); })
        .Case([&](dl::ArgMaxOp op) {
          visitReduction(op.getOperand(), {static_cast<int64_t>(op.getAxis())}, axes);
        })
        .Case([&](dl::MaxPoolOp op) { visit(op.getInput(), axes); })
        .Case([&](dl::MaxPoolSelectOp op) {
          visit(op.getInput(), axes);
          visit(op.getValues(), axes);
        })
        .Case([&](dl::MaxPoolGradOp op) {
          size_t spatial = op.getStrides().size();
          bool aligned = axes.size() >= 2 && axes.back() == rank - 1;
          windowColumns = std::max(windowColumns, op.getStrides().back());
          if (spatial >= 2) {
            aligned &= axes[axes.size() - 2] == rank - 2;
            windowRows = std::max(windowRows, op.getStrides()[spatial - 2]);
          }
          windowsAligned &= aligned;
          visit(op.getInput(), axes);
          visit(op.getGradient(), axes);
        });
  }

private:
  void visitReduction(Value operand, ArrayRef<int64_t> reduced, const Axes &axes) {
    Axes inner;
    size_t next = 0;
    int64_t deepest = -1;
    for (int64_t axis = 0; axis < typeOf(operand).getRank(); ++axis) {
      bool isReduced = llvm::is_contained(reduced, axis);
      inner.push_back(isReduced ? -1 : axes[next++]);
      deepest = std::max(deepest, inner.back());
    }
    // What runs along the innermost axis wants one result per row; other reductions keep a result per lane.
    if (reduced.empty() || reduced.back() == typeOf(operand).getRank() - 1 || inner.back() != rank - 1) {
      hasRowReduction = true;
      deepestRowReduction = std::max(deepestRowReduction, deepest);
    }
    visit(operand, inner);
  }

  static Axes throughReshape(dl::ReshapeOp op, const Axes &axes) {
    ArrayRef<dl::PolynomialAttr> from = typeOf(op.getOperand()).getShape(), to = op.getType().getShape();
    Axes inner(from.size(), -1);
    dl::PolynomialAttr one = dl::PolynomialAttr::getConstant(op.getContext(), 1);
    size_t f = 0, t = 0;
    while (f < from.size() || t < to.size()) {
      size_t fromBegin = f, toBegin = t;
      dl::PolynomialAttr fromSize = one, toSize = one;
      if (f < from.size())
        fromSize = from[f++];
      while (fromSize != toSize) {
        if (t < to.size() && (f >= from.size() || dl::divideExactly(fromSize, toSize)))
          toSize = toSize * to[t++];
        else if (f < from.size())
          fromSize = fromSize * from[f++];
        else
          break;
      }
      if (f == from.size())
        t = to.size();
      int64_t deepest = -1;
      for (size_t i = toBegin; i < t; ++i)
        deepest = std::max(deepest, axes[i]);
      for (size_t i = fromBegin; i < f; ++i)
        inner[i] = deepest;
    }
    return inner;
  }

  int64_t rank;
  DenseSet<std::pair<Value, int64_t>> seen;
};

/// Whether an index over the axes [begin, end) of a value reaches all memory as one index, without being
/// taken apart on the way.
class FlowWalk {
public:
  explicit FlowWalk(const ElementEmitter &emitter) : emitter(emitter) {}

  bool flows(Value value, int64_t begin, int64_t end) {
    if (end - begin < 1)
      return true;
    auto [it, isNew] = known.try_emplace({value, begin, end}, true);
    if (!isNew)
      return it->second;
    bool result = compute(value, begin, end);
    known[{value, begin, end}] = result;
    return result;
  }

private:
  bool compute(Value value, int64_t begin, int64_t end) {
    if (const Memory *memory = emitter.getMemory(value)) {
      for (int64_t axis = begin; axis + 1 < end; ++axis)
        if (memory->strides[axis] != memory->strides[axis + 1] * typeOf(value).getDim(axis + 1))
          return false;
      return true;
    }
    Operation *op = value.getDefiningOp();
    if (!op || isa<dl::ConstantOp, dl::DimOp, dl::RandomKeyOp, dl::RandomOp>(op))
      return true;
    if (op->hasTrait<dl::Elementwise>())
      return llvm::all_of(op->getOperands(), [&](Value operand) { return flows(operand, begin, end); });
    return llvm::TypeSwitch<Operation *, bool>(op)
        .Case([&](dl::IotaOp op) {
          int64_t axis = op.getAxis();
          return end - begin == 1 || axis < begin || axis >= end;
        })
        .Case([&](dl::BroadcastOp op) {
          ArrayRef<int64_t> dims = op.getDims();
          auto first = llvm::find_if(dims, [&](int64_t dim) { return dim >= begin; });
          auto last = std::find_if(first, dims.end(), [&](int64_t dim) { return dim >= end; });
          if (first == last)
            return true;
          return last - first == end - begin &&
                 flows(op.getOperand(), first - dims.begin(), last - dims.begin());
        })
        .Case([&](dl::TransposeOp op) {
          ArrayRef<int64_t> permutation = op.getPermutation();
          for (int64_t axis = begin; axis + 1 < end; ++axis)
            if (permutation[axis + 1] != permutation[axis] + 1)
              return false;
          return flows(op.getOperand(), permutation[begin], permutation[begin] + end - begin);
        })
        .Case([&](dl::ReshapeOp op) {
          // The same range of elements must be whole axes of the operand.
          ArrayRef<dl::PolynomialAttr> from = typeOf(op.getOperand()).getShape(),
                                       to = op.getType().getShape();
          dl::PolynomialAttr outside = dl::product(op.getContext(), to.take_front(begin));
          dl::PolynomialAttr inside = dl::product(op.getContext(), to.slice(begin, end - begin));
          dl::PolynomialAttr size = dl::PolynomialAttr::getConstant(op.getContext(), 1);
          size_t first = 0, last;
          while (first < from.size() && size != outside)
            size = size * from[first++];
          if (size != outside)
            return false;
          size = dl::PolynomialAttr::getConstant(op.getContext(), 1);
          for (last = first; last < from.size() && size != inside;)
            size = size * from[last++];
          return size == inside && flows(op.getOperand(), first, last);
        })
        .Case([&](dl::ReduceOp op) { return throughReduction(op.getOperand(), op.getAxes(), begin, end); })
        .Case([&](dl::ArgMaxOp op) {
          return throughReduction(op.getOperand(), {static_cast<int64_t>(op.getAxis())}, begin, end);
        })
        .Case<dl::MaxPoolOp, dl::MaxPoolSelectOp, dl::MaxPoolGradOp>([&](auto op) {
          if (end - begin > 1 && end > 2)
            return false;
          return llvm::all_of(op->getOperands(), [&](Value operand) { return flows(operand, begin, end); });
        })
        .Case<dl::SliceOp, dl::PadOp>([&](auto op) {
          if (end - begin > 1)
            for (int64_t axis = begin; axis < end; ++axis)
              if (typeOf(op.getOperand()).getDim(axis) != op.getType().getDim(axis))
                return false;
          return flows(op.getOperand(), begin, end);
        })
        .Case([&](dl::SubscriptOp op) {
          for (int64_t axis = begin; axis < end; ++axis)
            if (axis >= op.getOperand().getType().getRank() || !op.isKept(axis))
              return end - begin == 1;
          return flows(op.getOperand(), begin, end);
        })
        .Case([&](dl::GatherOp op) {
          int64_t indexRank = op.getIndex().getType().getRank(),
                  shift = static_cast<int64_t>(op.getBatch()) + 1 - indexRank;
          if (begin >= indexRank)
            return flows(op.getOperand(), begin + shift, end + shift);
          return end <= indexRank && (op.getBatch() == 0 || end - begin == 1) &&
                 flows(op.getIndex(), begin, end);
        })
        .Case([&](dl::ConcatOp op) {
          int64_t axis = op.getAxis();
          if (end - begin > 1 && axis >= begin && axis < end)
            return false;
          return llvm::all_of(op.getInputs(), [&](Value input) { return flows(input, begin, end); });
        })
        .Default([](Operation *) { return false; });
  }

  bool throughReduction(Value operand, ArrayRef<int64_t> reduced, int64_t begin, int64_t end) {
    SmallVector<int64_t> kept;
    for (int64_t axis = 0; axis < typeOf(operand).getRank(); ++axis)
      if (!llvm::is_contained(reduced, axis))
        kept.push_back(axis);
    for (int64_t axis = begin; axis + 1 < end; ++axis)
      if (kept[axis + 1] != kept[axis] + 1)
        return false;
    return flows(operand, kept[begin], kept[begin] + end - begin);
  }

  const ElementEmitter &emitter;
  DenseMap<std::tuple<Value, int64_t, int64_t>, bool> known;
};

} // namespace

RowPlan planRows(const KernelContext &context, ArrayRef<unsigned> results) {
  RowPlan plan;
  dl::DispatchOp dispatch = context.dispatch;
  auto yielded = [&](unsigned i) { return dispatch.getBody().front().getTerminator()->getOperand(i); };
  for (unsigned i : results)
    if (!plan.domain || typeOf(yielded(i)).getRank() > plan.domain.getRank())
      plan.domain = typeOf(yielded(i));
  int64_t rank = plan.domain.getRank();

  // 1. What the results need.
  DemandWalk demand(rank);
  for (unsigned i : results) {
    Axes axes;
    for (int64_t axis = 0; axis < typeOf(yielded(i)).getRank(); ++axis)
      axes.push_back(axis);
    demand.visit(yielded(i), axes);
  }
  plan.hasRandom = demand.hasRandom;
  plan.hasRowReductions = demand.hasRowReduction;
  plan.rows = demand.hasRowReduction ? demand.deepestRowReduction + 1 : 0;

  // 2. Results of fewer axes than the domain are computed once per row: their axes are rows.
  for (unsigned i : results)
    if (typeOf(yielded(i)).getRank() < rank)
      plan.rows = std::max(plan.rows, typeOf(yielded(i)).getRank());
  for (unsigned i : results) {
    ArrayRef<dl::PolynomialAttr> shape = typeOf(yielded(i)).getShape();
    bool fits = shape == plan.domain.getShape() || (static_cast<int64_t>(shape.size()) == plan.rows &&
                                                    shape == plan.domain.getShape().take_front(plan.rows));
    (fits ? plan.results : plan.apart).push_back(i);
  }

  // 3. As many columns as pass every operation as one index.
  FlowWalk flow(context.emitter);
  plan.columns = rank > plan.rows ? rank - 1 : rank;
  for (int64_t first = plan.rows; first < rank; ++first) {
    bool all = llvm::all_of(plan.results, [&](unsigned i) {
      return typeOf(yielded(i)).getRank() < rank || flow.flows(yielded(i), first, rank);
    });
    // The results themselves are written by the same index.
    for (unsigned i : plan.results)
      for (int64_t axis = first; axis + 1 < typeOf(yielded(i)).getRank(); ++axis)
        all &= context.results[i].strides[axis] ==
               context.results[i].strides[axis + 1] * typeOf(yielded(i)).getDim(axis + 1);
    if (all) {
      plan.columns = first;
      break;
    }
  }
  // Without reductions nothing distinguishes rows from the axes looped over in them.
  if (!demand.hasRowReduction && plan.results.size() == results.size() &&
      llvm::all_of(results, [&](unsigned i) { return typeOf(yielded(i)).getRank() == rank; }))
    plan.rows = plan.columns;

  // 4. Windows.
  auto divides = [&](int64_t axis, int64_t factor) {
    std::optional<int64_t> size = plan.domain.getDim(axis).getConstantValue();
    return size && *size % factor == 0;
  };
  if (demand.windowsAligned && demand.windowColumns > 1 && plan.columns == rank - 1 &&
      plan.rows == plan.columns && divides(rank - 1, demand.windowColumns)) {
    plan.columnPhases = demand.windowColumns;
    if (rank >= 2 && demand.windowRows > 1 && divides(rank - 2, demand.windowRows))
      plan.rowPhases = demand.windowRows;
  }
  return plan;
}

RowPlan planRows(const KernelContext &context) {
  SmallVector<unsigned> all(context.results.size());
  std::iota(all.begin(), all.end(), 0);
  return planRows(context, all);
}

} // namespace dlc::codegen
