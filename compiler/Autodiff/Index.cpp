// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rules of the operations that find elements by indices.

#include "compiler/Autodiff/Rules.h"

namespace dlc::autodiff {

using namespace mlir;

namespace {

/// An affine function of the axes of some space.
struct Affine {
  SmallVector<int64_t> coefficients;
  dl::PolynomialAttr offset;
};

/// The transpose of a subscript: element j of x receives dr at every i with A i + b = d j (one equation per
/// axis of x). Equations are solved for an index with a coefficient that is not 0, 1 or -1 if there is one;
/// indices that no equation gives are free, and summed over:
///
///   dx[j] = sum over free i of dr[solved i, free i], where all other equations hold.
class SubscriptTranspose {
public:
  SubscriptTranspose(dl::SubscriptOp op, Value dr, Gradients &g)
      : op(op), dr(dr), g(g), x(op.getOperand().getType()), r(op.getType()), equationOf(r.getRank(), -1) {}

  Value build() {
    for (int64_t axis = 0; axis < x.getRank(); ++axis)
      solve(axis);
    makeSpace();
    Value value = read();
    for (int64_t axis = 0; axis < x.getRank(); ++axis)
      if (!llvm::is_contained(equationOf, axis))
        value = g.select(holds(axis), value, g.constant(space, 0));
    if (numFree == 0)
      return value;
    return dl::ReduceOp::create(g.builder, dl::ReduceKind::Sum, value,
                                llvm::to_vector(llvm::seq<int64_t>(numFree)));
  }

private:
  /// Gives the equation of `axis` an index that it determines: one that stands in no other equation, so that
  /// solutions need not be put into each other.
  void solve(int64_t axis) {
    int64_t best = -1;
    for (auto [i, coefficient] : llvm::enumerate(op.getRow(axis))) {
      bool elsewhere = llvm::any_of(llvm::seq(x.getRank()),
                                    [&](int64_t other) { return other != axis && op.getRow(other)[i] != 0; });
      if (coefficient == 0 || elsewhere)
        continue;
      if (best < 0 || std::abs(coefficient) < std::abs(op.getRow(axis)[best]))
        best = static_cast<int64_t>(i);
    }
    // An index of two equations serves the first of them that has no other.
    if (best < 0)
      for (auto [i, coefficient] : llvm::enumerate(op.getRow(axis)))
        if (coefficient != 0 && equationOf[i] < 0 && isAlone(axis, static_cast<int64_t>(i))) {
          best = static_cast<int64_t>(i);
          break;
        }
    if (best >= 0)
      equationOf[best] = axis;
  }

  /// Whether the equation has index i only, with coefficient 1 or -1 and no divisor: then its solution is an
  /// index of x that may stand in other equations.
  bool isAlone(int64_t axis, int64_t i) {
    for (auto [other, coefficient] : llvm::enumerate(op.getRow(axis)))
      if (static_cast<int64_t>(other) != i && coefficient != 0)
        return false;
    return std::abs(op.getRow(axis)[i]) == 1;
  }

  /// The axes that the gradient is computed over: free indices of r, then those of x.
  void makeSpace() {
    SmallVector<dl::PolynomialAttr> shape;
    for (int64_t i = 0; i < r.getRank(); ++i)
      if (equationOf[i] < 0) {
        freeAxis[i] = static_cast<int64_t>(shape.size());
        shape.push_back(r.getDim(i));
      }
    numFree = static_cast<int64_t>(shape.size());
    llvm::append_range(shape, x.getShape());
    space = x.withShape(shape);
  }

  /// An index of r, times the returned divisor, as a function of the space.
  std::pair<Affine, int64_t> indexOf(int64_t i) {
    Affine result{SmallVector<int64_t>(space.getRank(), 0),
                  dl::PolynomialAttr::getConstant(op.getContext(), 0)};
    int64_t axis = equationOf[i];
    if (axis < 0) {
      result.coefficients[freeAxis[i]] = 1;
      return {result, 1};
    }
    // a i = d j - b - the others
    int64_t a = op.getRow(axis)[i], sign = a < 0 ? -1 : 1;
    result.coefficients[numFree + axis] = sign * op.getDivisors()[axis];
    result.offset = op.getOffset(axis) * -sign;
    for (auto [other, coefficient] : llvm::enumerate(op.getRow(axis))) {
      if (static_cast<int64_t>(other) == i || coefficient == 0)
        continue;
      auto [inner, divisor] = indexOf(static_cast<int64_t>(other));
      assert(divisor == 1 && "an index that stands in two equations has a solution without division");
      for (auto [own, added] : llvm::zip_equal(result.coefficients, inner.coefficients))
        own -= sign * coefficient * added;
      result.offset = result.offset - inner.offset * (sign * coefficient);
    }
    return {result, std::abs(a)};
  }

  /// dr at the indices of r; 0 where there is no such element.
  Value read() {
    SmallVector<int64_t> coefficients, divisors;
    SmallVector<Attribute> offsets;
    for (int64_t i = 0; i < r.getRank(); ++i) {
      auto [index, divisor] = indexOf(i);
      llvm::append_range(coefficients, index.coefficients);
      offsets.push_back(index.offset);
      divisors.push_back(divisor);
    }
    return dl::SubscriptOp::create(g.builder, space, dr, coefficients, g.builder.getArrayAttr(offsets),
                                   divisors);
  }

  /// Whether A i + b = d j for this axis of x, at each place of the space.
  Value holds(int64_t axis) {
    Affine difference{SmallVector<int64_t>(space.getRank(), 0), op.getOffset(axis)};
    difference.coefficients[numFree + axis] = -op.getDivisors()[axis];
    for (auto [i, coefficient] : llvm::enumerate(op.getRow(axis))) {
      if (coefficient == 0)
        continue;
      auto [index, divisor] = indexOf(static_cast<int64_t>(i));
      assert(divisor == 1 && "an index that stands in two equations has a solution without division");
      for (auto [own, added] : llvm::zip_equal(difference.coefficients, index.coefficients))
        own += coefficient * added;
      difference.offset = difference.offset + index.offset * coefficient;
    }
    dl::TensorType type = space.withElementType(g.builder.getI64Type());
    Value offset = dl::DimOp::create(g.builder, difference.offset);
    Value total = g.broadcast(offset, {}, type);
    for (auto [position, coefficient] : llvm::enumerate(difference.coefficients))
      if (coefficient != 0)
        total = g.sum(total, g.product(dl::IotaOp::create(g.builder, type, static_cast<int64_t>(position)),
                                       g.constant(type, static_cast<double>(coefficient))));
    return g.compare(dl::Predicate::Eq, total, g.constant(type, 0));
  }

  dl::SubscriptOp op;
  Value dr;
  Gradients &g;
  dl::TensorType x, r, space;
  SmallVector<int64_t> equationOf; ///< For each index of r: the axis of x whose equation gives it, or -1.
  DenseMap<int64_t, int64_t> freeAxis;
  int64_t numFree = 0;
};

} // namespace

void addIndexRules(RuleTable &table) {
  // r[i] = x[(A i + b) / d]: dx[j] = sum of dr[i] over all i with A i + b = d j
  table.add<dl::SubscriptOp>(+[](dl::SubscriptOp op, Value dr, Gradients &g) {
    g.flow(op.getOperand(), [&] { return SubscriptTranspose(op, dr, g).build(); });
  });
  // r = gather(x, index): dx = scatter_add(dr, index)
  table.add<dl::GatherOp>(+[](dl::GatherOp op, Value dr, Gradients &g) {
    g.flow(op.getOperand(), [&] {
      return dl::ScatterAddOp::create(g.builder, op.getOperand().getType(), dr, op.getIndex(), op.getBatch());
    });
  });
  // r = scatter_add(u, index): du = gather(dr, index)
  table.add<dl::ScatterAddOp>(+[](dl::ScatterAddOp op, Value dr, Gradients &g) {
    g.flow(op.getUpdates(),
           [&] { return dl::GatherOp::create(g.builder, dr, op.getIndex(), op.getBatch()); });
  });
}

} // namespace dlc::autodiff
