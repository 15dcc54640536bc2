// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rules of contractions and convolutions. Both families are closed: every product of gradients is again a
// contraction, or one of the three convolutions. All are linear in each operand.

#include "compiler/Autodiff/Rules.h"

namespace dlc::autodiff {

using namespace mlir;

namespace {

/// The contraction "left,right->result" of two tensors; its result has the type `type`.
Value contract(Gradients &g, dl::TensorType type, StringRef left, StringRef right, StringRef result, Value a,
               Value b) {
  return dl::ContractOp::create(g.builder, type, (left + "," + right + "->" + result).str(), a, b);
}

/// Another convolution of the same geometry as `like`.
template <typename ConvOp, typename LikeOp>
Value convolve(Gradients &g, LikeOp like, Value result, Value a, Value b) {
  return ConvOp::create(g.builder, cast<dl::TensorType>(result.getType()), a, b, like.getStrides(),
                        like.getPaddingLow(), like.getPaddingHigh(), like.getDilations(), like.getGroups());
}

} // namespace

void addContractionRules(RuleTable &table) {
  // r[o] = sum a[l] * b[m]: da[l] = sum dr[o] * b[m], db[m] = sum dr[o] * a[l]
  // Every letter of a is in r or is summed and then in b, so da's letters are all there; the letters that da
  // lacks are in both dr and b.
  table.add<dl::ContractOp>(+[](dl::ContractOp op, Value dr, Gradients &g) {
    StringRef l = op.getLhsLetters(), m = op.getRhsLetters(), o = op.getResultLetters();
    g.flow(op.getLhs(), [&] { return contract(g, op.getLhs().getType(), o, m, l, dr, op.getRhs()); });
    g.flow(op.getRhs(), [&] { return contract(g, op.getRhs().getType(), o, l, m, dr, op.getLhs()); });
  });
  // y = conv(x, w): dx = conv_input_grad(dy, w), dw = conv_weight_grad(dy, x)
  table.add<dl::ConvOp>(+[](dl::ConvOp op, Value dy, Gradients &g) {
    Value x = op.getInput(), w = op.getFilter();
    g.flow(x, [&] { return convolve<dl::ConvInputGradOp>(g, op, x, dy, w); });
    g.flow(w, [&] { return convolve<dl::ConvWeightGradOp>(g, op, w, dy, x); });
  });
  // u = conv_input_grad(v, w) is the u with <u, x> = <v, conv(x, w)>: dv = conv(du, w),
  // dw = conv_weight_grad(v, du)
  table.add<dl::ConvInputGradOp>(+[](dl::ConvInputGradOp op, Value du, Gradients &g) {
    Value v = op.getGradient(), w = op.getFilter();
    g.flow(v, [&] { return convolve<dl::ConvOp>(g, op, v, du, w); });
    g.flow(w, [&] { return convolve<dl::ConvWeightGradOp>(g, op, w, v, du); });
  });
  // u = conv_weight_grad(v, x) is the u with <u, w> = <v, conv(x, w)>: dv = conv(x, du),
  // dx = conv_input_grad(v, du)
  table.add<dl::ConvWeightGradOp>(+[](dl::ConvWeightGradOp op, Value du, Gradients &g) {
    Value v = op.getGradient(), x = op.getInput();
    g.flow(v, [&] { return convolve<dl::ConvOp>(g, op, v, x, du); });
    g.flow(x, [&] { return convolve<dl::ConvInputGradOp>(g, op, x, v, du); });
  });
}

} // namespace dlc::autodiff
