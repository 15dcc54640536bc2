// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Max pooling, its gradient and the gradient's transpose: windows are unrolled. Position p of the result sees
// x[p * stride + k - low]; the first largest element of a window, in row-major order of k, is its winner (NaN
// counts as largest).

#include "compiler/Codegen/ValueBuilder.h"

#include <limits>

namespace dlc::codegen {

namespace {

struct Window {
  ArrayRef<int64_t> sizes, strides, low;

  /// Calls `visit` with every k in row-major order.
  void forEach(llvm::function_ref<void(ArrayRef<int64_t>)> visit) const {
    SmallVector<int64_t> k(sizes.size(), 0);
    while (true) {
      visit(k);
      size_t axis = sizes.size();
      while (axis > 0 && ++k[axis - 1] == sizes[axis - 1])
        k[--axis] = 0;
      if (axis == 0)
        return;
    }
  }
};

/// Conditions that an index lies within an axis, split by whether they differ between lanes.
struct Inside {
  Value scalar, lanes;
  void require(ValueBuilder &v, Value condition) {
    Value &all = isa<VectorType>(condition.getType()) ? lanes : scalar;
    all = all ? v.andi(all, condition) : condition;
  }
  Value both(ValueBuilder &v) const {
    if (scalar && lanes)
      return v.andi(scalar, lanes);
    return scalar ? scalar : lanes;
  }
};

template <typename Op> Window windowOf(Op op) {
  return {op.getWindow(), op.getStrides(), op.getPaddingLow()};
}

/// Whether every window lies within x along a spatial axis, for every output.
bool staysInside(dl::TensorType x, dl::TensorType y, const Window &window, size_t axis) {
  std::optional<int64_t> size = x.getDim(2 + axis).getConstantValue(),
                         outputs = y.getDim(2 + axis).getConstantValue();
  return window.low[axis] == 0 && size && outputs &&
         (*outputs - 1) * window.strides[axis] + window.sizes[axis] <= *size;
}

} // namespace

/// Emits `value` where the conditions hold, and `otherwise` elsewhere.
static Value emitInside(ElementEmitter &emitter, ValueBuilder &v, const Inside &inside,
                        llvm::function_ref<Value()> body) {
  Value result;
  auto run = [&] { result = body(); };
  auto underMask = [&] { inside.lanes ? emitter.withMask(inside.lanes, run) : run(); };
  inside.scalar ? emitter.withGuard(inside.scalar, underMask) : underMask();
  return result;
}

/// Walks the window of output position `position` (one index per axis): `visit` gets x's position, the number
/// of the element in the window and the condition that it exists (null: always).
static void walkWindow(ElementEmitter &emitter, ValueBuilder &v, dl::TensorType x, dl::TensorType y,
                       const Window &window, ArrayRef<Index> position,
                       llvm::function_ref<void(const Position &, int64_t, const Inside &)> visit) {
  int64_t number = 0;
  window.forEach([&](ArrayRef<int64_t> k) {
    Position at(position);
    Inside inside;
    for (size_t axis = 0; axis < k.size(); ++axis) {
      Index index = emitter
                        .scale(position[2 + axis],
                               dl::PolynomialAttr::getConstant(x.getContext(), window.strides[axis]))
                        .plus(k[axis] - window.low[axis]);
      at[2 + axis] = index;
      if (staysInside(x, y, window, axis))
        continue;
      if (!index.isUniform())
        at[2 + axis] = index.outside();
      Value wide = emitter.wideValue(index), size = emitter.evaluate(x.getDim(2 + axis));
      Value bound = emitter.create<arith::IndexCastOp>({size}, v.i64(), size);
      inside.require(v, v.cmpi(arith::CmpIPredicate::ult, wide, bound));
    }
    visit(at, number++, inside);
  });
}

/// Whether `candidate` replaces `best`: it is larger, or the first NaN.
static Value beats(ValueBuilder &v, Value candidate, Value best) {
  // Unordered or greater, unless the best is NaN already.
  Value notLess = v.cmpf(arith::CmpFPredicate::UGT, candidate, best);
  return v.andi(notLess, v.cmpf(arith::CmpFPredicate::ORD, best, best));
}

Value ElementEmitter::emitMaxPool(dl::MaxPoolOp op, ArrayRef<Index> position) {
  ValueBuilder v(*this);
  dl::TensorType x = op.getInput().getType(), y = op.getType();
  Position p = expand(y.getShape(), position);
  Value largest;
  bool failed = false;
  walkWindow(*this, v, x, y, windowOf(op), p, [&](const Position &at, int64_t, const Inside &inside) {
    Value element = emitInside(*this, v, inside, [&] { return emit(op.getInput(), at); });
    failed |= !element;
    if (failed)
      return;
    if (Value condition = inside.both(v))
      element = v.select(
          condition, element,
          constantOf(getElementTypeOrSelf(element.getType()), -std::numeric_limits<double>::infinity()));
    largest = largest ? v.maxf(largest, element) : element;
  });
  return failed ? Value() : largest;
}

Value ElementEmitter::emitMaxPoolSelect(dl::MaxPoolSelectOp op, ArrayRef<Index> position) {
  ValueBuilder v(*this);
  dl::TensorType x = op.getInput().getType(), y = op.getType();
  Position p = expand(y.getShape(), position);
  Value largest, selected, hasWinner; // The last is null once every window has one.
  bool failed = false;
  walkWindow(*this, v, x, y, windowOf(op), p, [&](const Position &at, int64_t number, const Inside &inside) {
    Value element, candidate;
    emitInside(*this, v, inside, [&] {
      element = emit(op.getInput(), at);
      candidate = emit(op.getValues(), at);
      return element;
    });
    failed |= !element || !candidate;
    if (failed)
      return;
    Type scalar = getElementTypeOrSelf(element.getType());
    Value condition = inside.both(v);
    if (!largest) {
      // Before the first element that exists, nothing has won, and 0 is what an empty window would give.
      largest = condition ? v.select(condition, element,
                                     constantOf(scalar, -std::numeric_limits<double>::infinity()))
                          : element;
      selected = condition ? v.select(condition, candidate, constantOf(scalar, 0)) : candidate;
      hasWinner = condition;
      return;
    }
    // An element of -infinity wins only where no other has been seen.
    Value wins = beats(v, element, largest);
    if (hasWinner)
      wins = v.ori(wins, v.notb(hasWinner));
    if (condition)
      wins = v.andi(wins, condition);
    largest = v.select(wins, element, largest);
    selected = v.select(wins, candidate, selected);
    hasWinner = hasWinner && condition ? v.ori(hasWinner, condition) : Value();
  });
  return failed ? Value() : selected;
}

Value ElementEmitter::emitMaxPoolGrad(dl::MaxPoolGradOp op, ArrayRef<Index> position) {
  ValueBuilder v(*this);
  dl::TensorType x = op.getType(), y = op.getGradient().getType();
  Window window = windowOf(op);
  MLIRContext *context = builder.getContext();
  Position i = expand(x.getShape(), position);
  size_t spatial = window.sizes.size();
  bool failed = false;

  // The number, within its window, of the winner of output p; shared by all inputs of that window.
  auto winnerOf = [&](const Position &p) -> Value {
    Key key{op.getOperation(), 1};
    if (Value known = lookUp(key, p))
      return known;
    Value largest, winner;
    walkWindow(*this, v, x, y, window, p, [&](const Position &at, int64_t number, const Inside &inside) {
      Value element = emitInside(*this, v, inside, [&] { return emit(op.getInput(), at); });
      failed |= !element;
      if (failed)
        return;
      Value condition = inside.both(v);
      Value own = constantOf(v.i32(), static_cast<double>(number));
      if (!largest) {
        Type scalar = getElementTypeOrSelf(element.getType());
        largest = condition ? v.select(condition, element,
                                       constantOf(scalar, -std::numeric_limits<double>::infinity()))
                            : element;
        winner = condition ? v.select(condition, own, constantOf(v.i32(), -1)) : own;
        return;
      }
      // An element of -infinity wins only where no other has been seen.
      Value wins = beats(v, element, largest);
      if (condition)
        wins =
            v.andi(v.ori(wins, v.cmpi(arith::CmpIPredicate::slt, winner, constantOf(v.i32(), 0))), condition);
      largest = v.select(wins, element, largest);
      winner = v.select(wins, own, winner);
    });
    if (failed)
      return {};
    remember(key, p, winner);
    return winner;
  };

  // Outputs whose window holds input i, axis by axis: with t = i + low, the last one is t / stride; the
  // others come before it. Their k is t - p * stride.
  struct Candidate {
    Index p, k;
    Inside valid;
  };
  SmallVector<SmallVector<Candidate>> candidates(spatial);
  for (size_t axis = 0; axis < spatial; ++axis) {
    int64_t stride = window.strides[axis], size = window.sizes[axis];
    Index t = i[2 + axis].plus(window.low[axis]);
    auto [last, rest] = divideWithRemainder(t, dl::PolynomialAttr::getConstant(context, stride));
    int64_t count = (size + stride - 1) / stride;
    for (int64_t back = count - 1; back >= 0; --back) {
      Candidate candidate{last.plus(-back), rest.plus(back * stride), {}};
      // k < size unless the remainder can be too large; p within the outputs unless they cover all inputs.
      if ((back + 1) * stride > size) {
        Value k = wideValue(candidate.k);
        candidate.valid.require(
            v, v.cmpi(arith::CmpIPredicate::slt, k, v.constant(k, static_cast<double>(size))));
      }
      std::optional<int64_t> inputs = x.getDim(2 + axis).getConstantValue();
      std::optional<int64_t> outputs = y.getDim(2 + axis).getConstantValue();
      bool within = back == 0 && inputs && outputs && (*inputs - 1 + window.low[axis]) / stride < *outputs;
      if (!within) {
        Value p = wideValue(candidate.p), bound = evaluate(y.getDim(2 + axis));
        Value wideBound = create<arith::IndexCastOp>({bound}, v.i64(), bound);
        candidate.valid.require(v, v.cmpi(arith::CmpIPredicate::ult, p, wideBound));
        if (!candidate.p.isUniform())
          candidate.p = candidate.p.outside();
      }
      candidates[axis].push_back(candidate);
    }
  }

  Value total;
  SmallVector<int64_t> counts, ones(spatial, 1), zeros(spatial, 0);
  for (auto &axis : candidates)
    counts.push_back(axis.size());
  Window choices{counts, ones, zeros};
  choices.forEach([&](ArrayRef<int64_t> choice) {
    Position p(i);
    Inside valid;
    Value own = constantOf(v.i64(), 0);
    for (size_t axis = 0; axis < spatial; ++axis) {
      const Candidate &candidate = candidates[axis][choice[axis]];
      p[2 + axis] = candidate.p;
      for (Value condition : {candidate.valid.scalar, candidate.valid.lanes})
        if (condition)
          valid.require(v, condition);
      Index k = candidate.k;
      own = v.addi(v.muli(own, v.constant(own, static_cast<double>(window.sizes[axis]))), wideValue(k));
    }
    Value winner, gradient;
    emitInside(*this, v, valid, [&] {
      winner = winnerOf(p);
      if (!failed)
        gradient = emit(op.getGradient(), p);
      failed |= !gradient;
      return gradient;
    });
    if (failed)
      return;
    Value isOwn = v.cmpi(arith::CmpIPredicate::eq, winner, v.trunci(own, v.i32()));
    if (Value condition = valid.both(v))
      isOwn = v.andi(isOwn, condition);
    Value part = v.select(isOwn, gradient, constantOf(getElementTypeOrSelf(gradient.getType()), 0));
    total = total ? v.addf(total, part) : part;
  });
  return failed ? Value() : v.roundTo(total, x.getElementType());
}

} // namespace dlc::codegen
