// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Subscripts: elements and slices of tuples and tensors.

#include "frontend/Elaborator.h"

namespace dlc::frontend {

Entity Elaborator::elaborateIndex(const IndexExpr *expr) {
  if (indexSpace) {
    auto isIndex = [&](StringRef name) { return indexSpace->find(name).has_value(); };
    for (const Subscript &subscript : expr->subscripts)
      for (const Expr *part : {subscript.begin, subscript.end, subscript.step})
        if (part && mentions(part, isIndex))
          return elaborateIndexedAccess(expr);
  }
  Entity base = elaborate(expr->base);
  if (base.isPoison())
    return base;
  if (base.isTuple())
    return indexTuple(base, expr);
  if (base.isTensor())
    return sliceTensor(base, expr);
  error(expr->base->range, describe(base) + " cannot be indexed");
  return Entity::poison();
}

Entity Elaborator::indexTuple(const Entity &tuple, const IndexExpr *expr) {
  const std::vector<Entity> &elements = tuple.tuple->elements;
  int64_t size = elements.size();
  if (expr->subscripts.size() != 1 || expr->subscripts[0].kind == Subscript::Kind::Ellipsis ||
      expr->subscripts[0].step) {
    error(expr->range, "a tuple takes one index or a slice such as 1:3");
    return Entity::poison();
  }
  const Subscript &subscript = expr->subscripts[0];
  auto evaluate = [&](const Expr *position, int64_t missing) -> std::optional<int64_t> {
    if (!position)
      return missing;
    Entity entity = elaborate(position);
    if (entity.isConstantInteger()) {
      int64_t value = *entity.integer.getConstantValue();
      return value < 0 ? value + size : value;
    }
    if (!entity.isPoison())
      error(position->range, "a tuple's index is an int known at compile time, got " + describe(entity));
    return std::nullopt;
  };
  std::optional<int64_t> begin = evaluate(subscript.begin, 0);
  if (!begin)
    return Entity::poison();
  if (subscript.kind == Subscript::Kind::Expr) {
    if (*begin >= 0 && *begin < size)
      return elements[*begin];
    error(subscript.range, "the tuple has " + llvm::Twine(size) + " elements, there is none at " +
                               sources.text(subscript.range));
    return Entity::poison();
  }
  std::optional<int64_t> end = evaluate(subscript.end, size);
  if (!end)
    return Entity::poison();
  int64_t from = std::clamp<int64_t>(*begin, 0, size), to = std::clamp<int64_t>(*end, from, size);
  return Entity::ofTuple(std::vector<Entity>(elements.begin() + from, elements.begin() + to));
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// What a subscript takes of an axis: `length` elements from `begin` on, `stride` apart.
struct Elaborator::AxisSlice {
  dl::PolynomialAttr begin, length;
  int64_t stride = 1;
  bool isReversed = false; ///< the last one first
  bool isElement = false;  ///< of a plain index: the axis goes
};

/// One side of a subscript; negative constants count from the end. `missing` where nothing is written.
std::optional<dl::PolynomialAttr> Elaborator::subscriptBound(const Expr *position, dl::PolynomialAttr size,
                                                             dl::PolynomialAttr missing) {
  if (!position)
    return missing;
  Entity entity = elaborate(position);
  if (entity.isInteger()) {
    if (!checkMagnitude(entity, position->range))
      return std::nullopt;
    std::optional<int64_t> value = entity.integer.getConstantValue();
    return value && *value < 0 ? size + entity.integer : entity.integer;
  }
  if (!entity.isPoison())
    error(position->range, "a subscript is an int known at compile time, got " + describe(entity));
  return std::nullopt;
}

std::optional<int64_t> Elaborator::subscriptStep(const Expr *step) {
  if (!step)
    return 1;
  Entity entity = elaborate(step);
  std::optional<int64_t> value = entity.isInteger() ? entity.integer.getConstantValue() : std::nullopt;
  if (value && *value != 0 && *value != INT64_MIN)
    return value;
  if (!entity.isPoison())
    error(step->range, "a slice's step is a constant other than 0, got " +
                           (entity.isInteger() ? dl::toString(entity.integer) : describe(entity)));
  return std::nullopt;
}

/// `whole` is the expression that the subscript belongs to.
std::optional<Elaborator::AxisSlice> Elaborator::sliceAxis(const Subscript &subscript, dl::TensorType type,
                                                           int64_t axis, SourceRange whole) {
  dl::PolynomialAttr size = type.getDim(axis);
  AxisSlice slice;
  slice.isElement = subscript.kind == Subscript::Kind::Expr;
  // All three, so that each is reported. A slice that steps back ends before its end, too.
  std::optional<int64_t> step = subscriptStep(subscript.step);
  bool isBackward = step && *step < 0;
  std::optional<dl::PolynomialAttr> begin =
      subscriptBound(subscript.begin, size, isBackward ? size - 1 : poly(0));
  std::optional<dl::PolynomialAttr> end = subscriptBound(subscript.end, size, isBackward ? poly(-1) : size);
  if (!begin || !end || !step)
    return std::nullopt;
  if (slice.isElement)
    end = *begin + 1;
  // The elements between, from the first to the last place in memory.
  dl::PolynomialAttr low = isBackward ? *end + 1 : *begin, high = isBackward ? *begin + 1 : *end;
  slice.stride = isBackward ? -*step : *step;
  slice.length = high - low;
  auto require = [&](dl::PolynomialAttr value) { return requireNotNegative(value, whole); };
  if (!require(low) || !require(size - high) || !require(slice.length)) {
    error(subscript.range, "subscript " + sources.text(subscript.range) + " is outside of axis " +
                               llvm::Twine(axis) + " of " + describe(type));
    return std::nullopt;
  }
  slice.begin = low;
  slice.isReversed = isBackward;
  if (slice.stride == 1)
    return slice;
  if (std::optional<int64_t> constant = slice.length.getConstantValue()) {
    int64_t length = *constant > 0 ? (*constant - 1) / slice.stride + 1 : 0;
    slice.length = poly(length);
    if (length <= 1)
      slice.stride = 1; // there is nothing to step to
  } else if (auto exact = dl::divideExactly(slice.length, poly(slice.stride))) {
    slice.length = *exact;
  } else {
    error(subscript.range,
          "step " + llvm::Twine(*step) + " does not divide the slice's length " + dl::toString(slice.length));
    return std::nullopt;
  }
  if (isBackward) // counted from the other side
    slice.begin = *begin - (slice.length - 1) * slice.stride;
  return slice;
}

/// The same elements, from last to first along the slices that are reversed.
Value Elaborator::reverse(Value value, ArrayRef<AxisSlice> slices) {
  auto type = llvm::cast<dl::TensorType>(value.getType());
  SmallVector<int64_t> coefficients;
  SmallVector<Attribute> offsets;
  for (auto [axis, slice] : llvm::enumerate(slices)) {
    for (size_t other = 0; other < slices.size(); ++other)
      coefficients.push_back(other != axis ? 0 : slice.isReversed ? -1 : 1);
    offsets.push_back(slice.isReversed ? slice.length - 1 : poly(0));
  }
  SmallVector<int64_t> divisors(slices.size(), 1);
  return emit<dl::SubscriptOp>(type, value, coefficients, builder.getArrayAttr(offsets), divisors);
}

/// x[i, a:b:c, ...]: a slice, then a reshape that drops the axes of plain indices.
Entity Elaborator::sliceTensor(const Entity &tensor, const IndexExpr *expr) {
  dl::TensorType type = tensor.tensorType();
  int64_t rank = type.getRank();
  int64_t given = llvm::count_if(expr->subscripts,
                                 [](const Subscript &s) { return s.kind != Subscript::Kind::Ellipsis; });
  if (given > rank) {
    error(expr->range, "too many subscripts: " + describe(type) + " has " + llvm::Twine(rank) +
                           (rank == 1 ? " dimension, got " : " dimensions, got ") + llvm::Twine(given));
    return Entity::poison();
  }
  SmallVector<AxisSlice> slices;
  auto keepWhole = [&](int64_t count) {
    for (; count > 0; --count)
      slices.push_back({poly(0), type.getDim(slices.size())});
  };
  for (const Subscript &subscript : expr->subscripts) {
    if (subscript.kind == Subscript::Kind::Ellipsis) {
      keepWhole(rank - given);
      continue;
    }
    std::optional<AxisSlice> slice = sliceAxis(subscript, type, slices.size(), expr->range);
    if (!slice)
      return Entity::poison();
    slices.push_back(*slice);
  }
  keepWhole(rank - static_cast<int64_t>(slices.size()));

  SmallVector<dl::PolynomialAttr> sizes, kept;
  SmallVector<Attribute> offsets;
  SmallVector<int64_t> strides;
  for (const AxisSlice &slice : slices) {
    offsets.push_back(slice.begin);
    sizes.push_back(slice.length);
    strides.push_back(slice.stride);
    if (!slice.isElement)
      kept.push_back(slice.length);
  }
  currentLocation = locate(expr->range);
  Value value = tensor.value;
  if (type.withShape(sizes) != type)
    value = emit<dl::SliceOp>(type.withShape(sizes), value, builder.getArrayAttr(offsets), strides);
  if (llvm::any_of(slices, [](const AxisSlice &slice) { return slice.isReversed; }))
    value = reverse(value, slices);
  if (kept.size() != sizes.size())
    value = emit<dl::ReshapeOp>(type.withShape(kept), value);
  return Entity::ofTensor(value);
}

} // namespace dlc::frontend
