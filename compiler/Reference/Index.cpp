// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations that find elements by indices, and the order of elements.

#include "compiler/Reference/Rules.h"

#include "llvm/ADT/TypeSwitch.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace dlc::reference {

using namespace mlir;

namespace {

void subscript(dl::SubscriptOp op, const Tensor &x, SizeOf sizeOf, Tensor &result) {
  forEachIndex(result.shape, [&](ArrayRef<int64_t> index) {
    Shape source;
    for (size_t axis = 0; axis < x.shape.size(); ++axis) {
      int64_t i = sizeOf(op.getOffset(axis)), divisor = op.getDivisors()[axis];
      for (auto [coefficient, value] : llvm::zip_equal(op.getRow(axis), index))
        i += coefficient * value;
      if (i % divisor != 0 || i < 0 || i / divisor >= x.shape[axis])
        return;
      source.push_back(i / divisor);
    }
    result.elements[result.offset(index)] = x.elements[x.offset(source)];
  });
}

/// Calls `visit` with the offset of each element of `gathered`, and of the element of `table` that belongs
/// to it.
void forEachGathered(const Tensor &table, const Tensor &indices, int64_t batch, const Tensor &gathered,
                     llvm::function_ref<void(int64_t, int64_t)> visit) {
  forEachIndex(gathered.shape, [&](ArrayRef<int64_t> index) {
    int64_t chosen = indices.integer(indices.offset(index.take_front(indices.shape.size())));
    Shape source(index.take_front(batch));
    source.push_back(std::clamp<int64_t>(chosen, 0, std::max<int64_t>(table.shape[batch] - 1, 0)));
    source.append(index.begin() + indices.shape.size(), index.end());
    visit(gathered.offset(index), table.offset(source));
  });
}

void scatterAdd(dl::ScatterAddOp op, const Tensor &updates, const Tensor &indices, Tensor &result) {
  forEachGathered(result, indices, op.getBatch(), updates, [&](int64_t from, int64_t to) {
    result.elements[to].real += updates.real(from);
    if (!result.isFloat())
      result.elements[to].integer = wrap(result.integer(to) + updates.integer(from), result.elementType);
  });
}

void argSort(const Tensor &x, Tensor &result) {
  int64_t size = x.shape.back();
  for (int64_t row = 0; row < x.size(); row += size) {
    std::vector<int64_t> order(size);
    std::iota(order.begin(), order.end(), 0);
    auto isLess = [&](int64_t a, int64_t b) {
      if (!x.isFloat())
        return x.integer(row + a) < x.integer(row + b);
      double left = x.real(row + a), right = x.real(row + b);
      return left < right || (std::isnan(right) && !std::isnan(left));
    };
    llvm::sort(order, [&](int64_t a, int64_t b) { return isLess(a, b) || (!isLess(b, a) && a < b); });
    for (int64_t k = 0; k < size; ++k)
      result.elements[row + k].integer = order[k];
  }
}

} // namespace

bool evaluateIndex(Operation *op, Operands operands, SizeOf sizeOf, Tensor &result) {
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](dl::SubscriptOp subscriptOp) {
        return subscript(subscriptOp, *operands[0], sizeOf, result), true;
      })
      .Case([&](dl::GatherOp gather) {
        forEachGathered(*operands[0], *operands[1], gather.getBatch(), result,
                        [&](int64_t to, int64_t from) { result.elements[to] = operands[0]->elements[from]; });
        return true;
      })
      .Case([&](dl::ScatterAddOp scatter) {
        return scatterAdd(scatter, *operands[0], *operands[1], result), true;
      })
      .Case([&](dl::ArgSortOp) { return argSort(*operands[0], result), true; })
      .Default(false);
}

} // namespace dlc::reference
