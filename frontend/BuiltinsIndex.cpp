// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Primitive functions that find elements by computed indices, and the order of elements.

#include "frontend/Builtins.h"
#include "frontend/Elaborator.h"

namespace dlc::frontend {

namespace {

bool checkTable(Elaborator &e, BuiltinCall &call) {
  if (call.args[0].isTensor() && !call.args[0].tensorType().isScalar())
    return true;
  e.error(call.argRanges[0], call.name + " needs a tensor with dimensions, got " + describe(call.args[0]));
  return false;
}

bool checkIndex(Elaborator &e, BuiltinCall &call, size_t arg) {
  const Entity &index = call.args[arg];
  if (index.isTensor() && (index.tensorType().getElementType().isInteger(32) ||
                           index.tensorType().getElementType().isInteger(64)))
    return true;
  e.error(call.argRanges[arg], call.name + " needs an index of i32 or i64, got " + describe(index));
  return false;
}

std::optional<int64_t> axisOf(Elaborator &e, BuiltinCall &call, size_t arg, int64_t byDefault) {
  Entity axis = call.args[arg].kind == Entity::Kind::None ? e.integer(byDefault) : call.args[arg];
  return e.normalizeAxis(axis, call.args[0].tensorType().getRank(), call.argRanges[arg], call.name);
}

/// The order of axes that puts `axis` at `place`, and leaves the others in their order.
SmallVector<int64_t> moving(int64_t rank, int64_t axis, int64_t place) {
  SmallVector<int64_t> order;
  for (int64_t i = 0; i < rank; ++i)
    if (i != axis)
      order.push_back(i);
  order.insert(order.begin() + place, axis);
  return order;
}

Value permute(Elaborator &e, Value x, ArrayRef<int64_t> order) {
  bool isIdentity = llvm::equal(order, llvm::seq<int64_t>(order.size()));
  return isIdentity ? x : Value(e.emit<dl::TransposeOp>(x, order));
}

SmallVector<int64_t> inverse(ArrayRef<int64_t> order) {
  SmallVector<int64_t> result(order.size());
  for (auto [axis, source] : llvm::enumerate(order))
    result[source] = axis;
  return result;
}

/// How axes must move from (index..., others...) to where gather(x, index, axis) has them.
SmallVector<int64_t> gatheredOrder(int64_t rank, int64_t indexRank, int64_t axis) {
  SmallVector<int64_t> order;
  for (int64_t i = 0; i < axis; ++i)
    order.push_back(indexRank + i);
  for (int64_t i = 0; i < indexRank; ++i)
    order.push_back(i);
  for (int64_t i = axis; i < rank - 1; ++i)
    order.push_back(indexRank + i);
  return order;
}

/// gather(x, index, axis=0): x[..., index[i...], ...]
Entity gather(Elaborator &e, BuiltinCall &call) {
  if (!checkTable(e, call) || !checkIndex(e, call, 1))
    return Entity::poison();
  std::optional<int64_t> axis = axisOf(e, call, 2, 0);
  if (!axis)
    return Entity::poison();
  int64_t rank = call.args[0].tensorType().getRank(), indexRank = call.args[1].tensorType().getRank();
  Value table = permute(e, call.args[0].value, moving(rank, *axis, 0));
  Value chosen = e.emit<dl::GatherOp>(table, call.args[1].value, 0);
  return Entity::ofTensor(permute(e, chosen, gatheredOrder(rank, indexRank, *axis)));
}

/// take_along(x, index, axis=-1): x[i..., index[i..., k], j...]
Entity takeAlong(Elaborator &e, BuiltinCall &call) {
  if (!checkTable(e, call) || !checkIndex(e, call, 1))
    return Entity::poison();
  std::optional<int64_t> axis = axisOf(e, call, 2, -1);
  if (!axis)
    return Entity::poison();
  dl::TensorType type = call.args[0].tensorType(), index = call.args[1].tensorType();
  int64_t rank = type.getRank();
  if (index.getRank() != rank || index.dropAxes(*axis).getShape() != type.dropAxes(*axis).getShape()) {
    e.error(call.argRanges[1], "take_along needs an index that differs from " + describe(type) + " in axis " +
                                   llvm::Twine(*axis) + " only, got " + describe(index));
    return Entity::poison();
  }
  SmallVector<int64_t> order = moving(rank, *axis, rank - 1);
  Value table = permute(e, call.args[0].value, order), indices = permute(e, call.args[1].value, order);
  return Entity::ofTensor(permute(e, e.emit<dl::GatherOp>(table, indices, rank - 1), inverse(order)));
}

/// scatter_add(x, index, updates, axis=0): x, and each update added where gather would have read it
Entity scatterAdd(Elaborator &e, BuiltinCall &call) {
  if (!checkTable(e, call) || !checkIndex(e, call, 1))
    return Entity::poison();
  std::optional<int64_t> axis = axisOf(e, call, 3, 0);
  if (!axis)
    return Entity::poison();
  dl::TensorType type = call.args[0].tensorType(), index = call.args[1].tensorType();
  SmallVector<dl::PolynomialAttr> shape(type.getShape().take_front(*axis));
  llvm::append_range(shape, index.getShape());
  llvm::append_range(shape, type.getShape().drop_front(*axis + 1));
  const Entity &updates = call.args[2];
  if (type.getElementType().isInteger(1) || !updates.isTensor() ||
      updates.tensorType() != type.withShape(shape)) {
    e.error(call.argRanges[2], "scatter_add needs numbers, here " + describe(type.withShape(shape)) +
                                   ", got " + describe(updates));
    return Entity::poison();
  }
  int64_t rank = type.getRank();
  SmallVector<int64_t> order = moving(rank, *axis, 0);
  SmallVector<dl::PolynomialAttr> first;
  for (int64_t source : order)
    first.push_back(type.getDim(source));
  Value moved = permute(e, updates.value, inverse(gatheredOrder(rank, index.getRank(), *axis)));
  Value sums = e.emit<dl::ScatterAddOp>(type.withShape(first), moved, call.args[1].value, 0);
  return Entity::ofTensor(e.emit<dl::AddOp>(call.args[0].value, permute(e, sums, inverse(order))));
}

/// argsort(x, axis=-1): i32
Entity argSort(Elaborator &e, BuiltinCall &call) {
  if (!checkTable(e, call))
    return Entity::poison();
  std::optional<int64_t> axis = axisOf(e, call, 1, -1);
  if (!axis)
    return Entity::poison();
  dl::TensorType type = call.args[0].tensorType();
  if (type.getElementType().isInteger(1)) {
    e.error(call.argRanges[0], "argsort needs a tensor of numbers, got " + describe(type));
    return Entity::poison();
  }
  SmallVector<int64_t> order = moving(type.getRank(), *axis, type.getRank() - 1);
  Value sorted = e.emit<dl::ArgSortOp>(permute(e, call.args[0].value, order));
  return Entity::ofTensor(permute(e, sorted, inverse(order)));
}

constexpr Builtin kIndices[] = {
    {"gather", "x index axis?", gather},
    {"take_along", "x index axis?", takeAlong},
    {"scatter_add", "x index updates axis?", scatterAdd},
    {"argsort", "x axis?", argSort},
};

} // namespace

ArrayRef<Builtin> indexBuiltins() {
  return kIndices;
}

} // namespace dlc::frontend
