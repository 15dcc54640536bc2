// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rules of reductions and pooling.

#include "compiler/Autodiff/Rules.h"

namespace dlc::autodiff {

using namespace mlir;

namespace {

/// A reduction's operand with the reduced axes merged into one, the last: (kept..., k).
struct MergedAxes {
  MergedAxes(dl::ReduceOp op) : original(op.getOperand().getType()) {
    for (int64_t axis = 0; axis < original.getRank(); ++axis)
      if (!llvm::is_contained(op.getAxes(), axis))
        permutation.push_back(axis);
    numKept = permutation.size();
    llvm::append_range(permutation, op.getAxes());
    SmallVector<dl::PolynomialAttr> shape, reduced;
    for (int64_t axis : permutation)
      shape.push_back(original.getDim(axis));
    transposed = original.withShape(shape);
    reduced.assign(shape.begin() + numKept, shape.end());
    shape.resize(numKept);
    shape.push_back(dl::product(op.getContext(), reduced));
    merged = original.withShape(shape);
  }

  Value merge(Gradients &g, Value x) const {
    Value moved = dl::TransposeOp::create(g.builder, x, permutation);
    return dl::ReshapeOp::create(g.builder, merged, moved);
  }
  Value restore(Gradients &g, Value x) const {
    SmallVector<int64_t> inverse(permutation.size());
    for (auto [axis, source] : llvm::enumerate(permutation))
      inverse[source] = axis;
    return dl::TransposeOp::create(g.builder, dl::ReshapeOp::create(g.builder, transposed, x), inverse);
  }
  /// A tensor of the kept axes, repeated along k.
  Value repeat(Gradients &g, Value kept, dl::TensorType type) const {
    return g.broadcast(kept, llvm::to_vector(llvm::seq<int64_t>(numKept)), type);
  }

  dl::TensorType original, transposed, merged;
  SmallVector<int64_t> permutation;
  int64_t numKept;
};

/// dx = dr at the first extreme element of each reduced set, elsewhere 0.
Value extremeGradient(dl::ReduceOp op, Value dr, Gradients &g) {
  MergedAxes axes(op);
  Value x = axes.merge(g, op.getOperand());
  if (op.getKind() == dl::ReduceKind::Min)
    x = g.negative(x);
  Type i32 = g.builder.getI32Type();
  Value first = dl::ArgMaxOp::create(g.builder, cast<dl::TensorType>(dr.getType()).withElementType(i32), x,
                                     axes.numKept);
  dl::TensorType indexType = axes.merged.withElementType(i32);
  Value position = dl::IotaOp::create(g.builder, indexType, axes.numKept);
  Value chosen = g.compare(dl::Predicate::Eq, position, axes.repeat(g, first, indexType));
  Value dx = g.select(chosen, axes.repeat(g, dr, axes.merged), g.constant(axes.merged, 0));
  return axes.restore(g, dx);
}

/// The products of the elements before each one along the last axis of x; after each one with `reverse`.
Value exclusiveProducts(Gradients &g, Value x, bool reverse) {
  OpBuilder::InsertionGuard guard(g.builder);
  auto type = cast<dl::TensorType>(x.getType());
  int64_t axis = type.getRank() - 1;
  dl::TensorType element = type.dropAxes(axis);
  Value one = g.constant(element, 1);
  auto scan = dl::ScanOp::create(g.builder, TypeRange{element}, TypeRange{type}, type.getDim(axis), x, one,
                                 axis, axis, reverse);
  auto index = dl::TensorType::get(g.builder.getContext(), {}, g.builder.getI64Type());
  Location location = g.builder.getLoc();
  Block *body =
      g.builder.createBlock(&scan.getBody(), {}, {index, element, element}, {location, location, location});
  Value product = body->getArgument(2);
  Value next = g.product(product, body->getArgument(1));
  dl::YieldOp::create(g.builder, ValueRange{next, product});
  return scan.getStacks().front();
}

/// dx_i = dr * (product of all x_j, j != i): right also where elements are 0.
Value productGradient(dl::ReduceOp op, Value dr, Gradients &g) {
  MergedAxes axes(op);
  Value x = axes.merge(g, op.getOperand());
  Value others = g.product(exclusiveProducts(g, x, false), exclusiveProducts(g, x, true));
  return axes.restore(g, g.product(axes.repeat(g, dr, axes.merged), others));
}

template <typename PoolOp, typename LikeOp>
Value pool(Gradients &g, LikeOp like, Value result, Value x, Value y) {
  return PoolOp::create(g.builder, cast<dl::TensorType>(result.getType()), x, y, like.getWindow(),
                        like.getStrides(), like.getPaddingLow(), like.getPaddingHigh());
}

} // namespace

void addReductionRules(RuleTable &table) {
  // r = sum x: dx = dr, repeated. max, min: dr at the first extreme element. prod: dr times the others'
  // product.
  table.add<dl::ReduceOp>(+[](dl::ReduceOp op, Value dr, Gradients &g) {
    g.flow(op.getOperand(), [&] {
      if (op.getKind() == dl::ReduceKind::Prod)
        return productGradient(op, dr, g);
      if (op.getKind() != dl::ReduceKind::Sum)
        return extremeGradient(op, dr, g);
      SmallVector<int64_t> kept;
      for (int64_t axis = 0; axis < op.getOperand().getType().getRank(); ++axis)
        if (!llvm::is_contained(op.getAxes(), axis))
          kept.push_back(axis);
      return g.broadcast(dr, kept, op.getOperand().getType());
    });
  });
  // y = max_pool(x): dx = max_pool_grad(x, dy)
  table.add<dl::MaxPoolOp>(+[](dl::MaxPoolOp op, Value dy, Gradients &g) {
    Value x = op.getInput();
    g.flow(x, [&] { return pool<dl::MaxPoolGradOp>(g, op, x, x, dy); });
  });
  // u = max_pool_grad(x, v): dv = max_pool_select(x, du); which element is largest does not change with x
  table.add<dl::MaxPoolGradOp>(+[](dl::MaxPoolGradOp op, Value du, Gradients &g) {
    Value v = op.getGradient();
    g.flow(v, [&] { return pool<dl::MaxPoolSelectOp>(g, op, v, op.getInput(), du); });
  });
  // r = max_pool_select(x, v): dv = max_pool_grad(x, dr); likewise
  table.add<dl::MaxPoolSelectOp>(+[](dl::MaxPoolSelectOp op, Value dr, Gradients &g) {
    Value v = op.getValues();
    g.flow(v, [&] { return pool<dl::MaxPoolGradOp>(g, op, v, op.getInput(), dr); });
  });
}

} // namespace dlc::autodiff
