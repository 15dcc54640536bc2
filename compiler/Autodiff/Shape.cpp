// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rules of the operations that move elements: each one's transpose.

#include "compiler/Autodiff/Rules.h"

namespace dlc::autodiff {

using namespace mlir;

void addShapeRules(RuleTable &table) {
  // r[i...] = x[i at dims]: dx = the sum of dr over the axes that are not in dims
  table.add<dl::BroadcastOp>(+[](dl::BroadcastOp op, Value dr, Gradients &g) {
    g.flow(op.getOperand(), [&]() -> Value {
      SmallVector<int64_t> repeated;
      for (int64_t axis = 0; axis < op.getType().getRank(); ++axis)
        if (!llvm::is_contained(op.getDims(), axis))
          repeated.push_back(axis);
      if (repeated.empty())
        return dr;
      return dl::ReduceOp::create(g.builder, dl::ReduceKind::Sum, dr, repeated);
    });
  });
  // r = x with axes permuted: dx = dr with axes permuted back
  table.add<dl::TransposeOp>(+[](dl::TransposeOp op, Value dr, Gradients &g) {
    g.flow(op.getOperand(), [&] {
      SmallVector<int64_t> inverse(op.getPermutation().size());
      for (auto [axis, source] : llvm::enumerate(op.getPermutation()))
        inverse[source] = axis;
      return dl::TransposeOp::create(g.builder, dr, inverse);
    });
  });
  // r = x under another shape: dx = dr under x's shape
  table.add<dl::ReshapeOp>(+[](dl::ReshapeOp op, Value dr, Gradients &g) {
    g.flow(op.getOperand(), [&] { return dl::ReshapeOp::create(g.builder, op.getOperand().getType(), dr); });
  });
  // r[i] = x[offset + stride * i]: dx[offset + stride * i] = dr[i], elsewhere 0
  table.add<dl::SliceOp>(+[](dl::SliceOp op, Value dr, Gradients &g) {
    g.flow(op.getOperand(), [&] {
      SmallVector<int64_t> interior;
      for (int64_t stride : op.getStrides())
        interior.push_back(stride - 1);
      auto zero = g.builder.getFloatAttr(op.getType().getElementType(), 0);
      return dl::PadOp::create(g.builder, op.getOperand().getType(), dr, zero, op.getOffsets(), interior);
    });
  });
  // r[low + (1 + interior) * i] = x[i]: dx[i] = dr[low + (1 + interior) * i]
  table.add<dl::PadOp>(+[](dl::PadOp op, Value dr, Gradients &g) {
    g.flow(op.getOperand(), [&] {
      SmallVector<int64_t> strides;
      for (int64_t interior : op.getInterior())
        strides.push_back(interior + 1);
      return dl::SliceOp::create(g.builder, op.getOperand().getType(), dr, op.getLow(), strides);
    });
  });
  // r = x_0, x_1, ... along an axis: dx_k = the part of dr where x_k went
  table.add<dl::ConcatOp>(+[](dl::ConcatOp op, Value dr, Gradients &g) {
    int64_t axis = op.getAxis(), rank = op.getType().getRank();
    auto start = dl::PolynomialAttr::getConstant(op.getContext(), 0);
    for (Value input : op.getInputs()) {
      auto type = cast<dl::TensorType>(input.getType());
      g.flow(input, [&] {
        SmallVector<Attribute> offsets(rank, dl::PolynomialAttr::getConstant(op.getContext(), 0));
        offsets[axis] = start;
        SmallVector<int64_t> strides(rank, 1);
        return dl::SliceOp::create(g.builder, type, dr, g.builder.getArrayAttr(offsets), strides);
      });
      start = start + type.getDim(axis);
    }
  });
}

} // namespace dlc::autodiff
