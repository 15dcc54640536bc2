// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Positions, one index for one axis or several: the same element under another shape.

#include "compiler/Codegen/ElementEmitter.h"

namespace dlc::codegen {

Position ElementEmitter::expand(ArrayRef<dl::PolynomialAttr> shape, ArrayRef<Index> position) {
  Position result;
  size_t axis = 0;
  for (const Index &index : position) {
    Position axes(index.axes);
    Index rest = index.covering(1);
    // The first axis that is not of size 1 takes what is left without a division.
    unsigned first = 0;
    while (first + 1 < index.axes && shape[axis + first].isConstant(1))
      axes[first++] = Index::uniform(constant(0), 0);
    for (unsigned i = index.axes; i-- > first + 1;)
      std::tie(rest, axes[i]) = divideWithRemainder(rest, shape[axis + i]);
    if (index.axes > 0)
      axes[first] = rest;
    llvm::append_range(result, axes);
    axis += index.axes;
  }
  return result;
}

Index ElementEmitter::linearize(ArrayRef<dl::PolynomialAttr> shape, ArrayRef<Index> position) {
  Index result = Index::uniform(constant(0), 0);
  size_t axis = 0;
  for (const Index &index : position) {
    dl::PolynomialAttr size = dl::PolynomialAttr::getConstant(builder.getContext(), 1);
    for (unsigned i = 0; i < index.axes; ++i)
      size = size * shape[axis + i];
    result = axis == 0 ? index : sum(scale(result, size), index);
    axis += index.axes;
  }
  result.axes = shape.size();
  return result;
}

Position ElementEmitter::regroup(ArrayRef<dl::PolynomialAttr> from, ArrayRef<Index> position,
                                 ArrayRef<dl::PolynomialAttr> to) {
  if (from == to)
    return Position(position);
  dl::PolynomialAttr one = dl::PolynomialAttr::getConstant(builder.getContext(), 1);
  Position result;
  size_t f = 0, t = 0, p = 0;
  // Takes the shortest runs of axes of both shapes that hold the same elements and end where an index does.
  while (f < from.size() || t < to.size()) {
    size_t fromBegin = f, toBegin = t, positionBegin = p;
    dl::PolynomialAttr fromSize = one, toSize = one;
    auto takeIndex = [&] {
      for (unsigned i = 0; i < position[p].axes; ++i)
        fromSize = fromSize * from[f++];
      ++p;
    };
    if (p < position.size())
      takeIndex();
    while (fromSize != toSize) {
      // The side that divides the other is the one to grow.
      bool growTo =
          t < to.size() && (p >= position.size() || dl::divideExactly(fromSize, toSize).has_value());
      if (growTo)
        toSize = toSize * to[t++];
      else if (p < position.size())
        takeIndex();
      else
        llvm::report_fatal_error("element emitter: a reshape changes the number of elements");
    }
    // Axes of size 1 at the end of the target belong to the last run.
    if (p == position.size())
      t = to.size();
    unsigned targetAxes = t - toBegin;
    ArrayRef<Index> run = position.slice(positionBegin, p - positionBegin);
    if (targetAxes == 0)
      continue; // Only axes of size 1.
    Index index =
        run.empty() ? Index::uniform(constant(0), 0) : linearize(from.slice(fromBegin, f - fromBegin), run);
    result.push_back(index.covering(targetAxes));
  }
  return result;
}

} // namespace dlc::codegen
