// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions and pooling: one enumeration of taps for the three convolutions, one of windows for the pools.

#include "compiler/Reference/Rules.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

namespace dlc::reference {

using namespace mlir;

namespace {

/// Calls `visit` with the positions in x, w and y of every product that enters y = conv(x, w). x is (batch,
/// c, spatial...), w (o, c / groups, kernel...), y (batch, o, spatial...).
template <typename ConvOp>
void forEachTap(ConvOp op, const Tensor &x, const Tensor &w, const Tensor &y,
                llvm::function_ref<void(int64_t, int64_t, int64_t)> visit) {
  int64_t outPerGroup = w.shape[0] / static_cast<int64_t>(op.getGroups()), inPerGroup = w.shape[1];
  ArrayRef<int64_t> taps = ArrayRef<int64_t>(w.shape).drop_front();
  forEachIndex(y.shape, [&](ArrayRef<int64_t> out) {
    forEachIndex(taps, [&](ArrayRef<int64_t> tap) {
      Shape xIndex{out[0], out[1] / outPerGroup * inPerGroup + tap[0]}, wIndex{out[1], tap[0]};
      for (size_t axis = 0; axis + 2 < out.size(); ++axis) {
        int64_t i = out[axis + 2] * op.getStrides()[axis] + tap[axis + 1] * op.getDilations()[axis] -
                    op.getPaddingLow()[axis];
        if (i < 0 || i >= x.shape[axis + 2])
          return;
        xIndex.push_back(i);
        wIndex.push_back(tap[axis + 1]);
      }
      visit(x.offset(xIndex), w.offset(wIndex), y.offset(out));
    });
  });
}

/// Calls `visit` with each output position of a pool over x and the position of its window's first largest
/// element; a NaN is larger than any number.
template <typename PoolOp>
void forEachWindow(PoolOp op, const Tensor &x, const Tensor &y,
                   llvm::function_ref<void(int64_t, int64_t)> visit) {
  forEachIndex(y.shape, [&](ArrayRef<int64_t> out) {
    int64_t best = -1;
    forEachIndex(op.getWindow(), [&](ArrayRef<int64_t> tap) {
      Shape index{out[0], out[1]};
      for (size_t axis = 0; axis < tap.size(); ++axis) {
        int64_t i = out[axis + 2] * op.getStrides()[axis] + tap[axis] - op.getPaddingLow()[axis];
        if (i < 0 || i >= x.shape[axis + 2])
          return;
        index.push_back(i);
      }
      int64_t position = x.offset(index);
      if (best < 0 || x.real(position) > x.real(best) ||
          (std::isnan(x.real(position)) && !std::isnan(x.real(best))))
        best = position;
    });
    visit(y.offset(out), best);
  });
}

} // namespace

bool evaluateWindowed(Operation *op, Operands operands, Tensor &result) {
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](dl::ConvOp conv) {
        const Tensor &x = *operands[0], &w = *operands[1];
        forEachTap(conv, x, w, result, [&](int64_t i, int64_t k, int64_t o) {
          result.elements[o].real += x.real(i) * w.real(k);
        });
        return true;
      })
      .Case([&](dl::ConvInputGradOp conv) {
        const Tensor &dy = *operands[0], &w = *operands[1];
        forEachTap(conv, result, w, dy, [&](int64_t i, int64_t k, int64_t o) {
          result.elements[i].real += dy.real(o) * w.real(k);
        });
        return true;
      })
      .Case([&](dl::ConvWeightGradOp conv) {
        const Tensor &dy = *operands[0], &x = *operands[1];
        forEachTap(conv, x, result, dy, [&](int64_t i, int64_t k, int64_t o) {
          result.elements[k].real += dy.real(o) * x.real(i);
        });
        return true;
      })
      .Case([&](dl::MaxPoolOp pool) {
        const Tensor &x = *operands[0];
        forEachWindow(pool, x, result, [&](int64_t o, int64_t i) { result.elements[o].real = x.real(i); });
        return true;
      })
      .Case([&](dl::MaxPoolGradOp pool) {
        const Tensor &x = *operands[0], &dy = *operands[1];
        forEachWindow(pool, x, dy, [&](int64_t o, int64_t i) { result.elements[i].real += dy.real(o); });
        return true;
      })
      .Case([&](dl::MaxPoolSelectOp pool) {
        const Tensor &x = *operands[0], &values = *operands[1];
        forEachWindow(pool, x, result,
                      [&](int64_t o, int64_t i) { result.elements[o].real = values.real(i); });
        return true;
      })
      .Default(false);
}

} // namespace dlc::reference
