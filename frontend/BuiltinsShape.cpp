// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Primitive functions that make tensors from sizes, and that move elements.

#include "frontend/Builtins.h"
#include "frontend/Elaborator.h"

namespace dlc::frontend {

std::optional<SmallVector<dl::PolynomialAttr>> Elaborator::toShape(const Entity &dims, SourceRange range,
                                                                   StringRef what) {
  SmallVector<dl::PolynomialAttr> shape;
  std::vector<Entity> sizes = dims.isTuple() ? dims.tuple->elements : std::vector<Entity>{dims};
  // zeros(n, k) and zeros([n, k]) are the same.
  if (sizes.size() == 1 && sizes.front().isTuple()) {
    std::vector<Entity> inner = sizes.front().tuple->elements;
    sizes = std::move(inner);
  }
  for (const Entity &size : sizes) {
    if (!size.isInteger() || !requireNotNegative(size.integer, range, "a size of " + what)) {
      error(range, what + " needs dimensions, ints that are not negative, got " + describe(size));
      return std::nullopt;
    }
    if (!checkMagnitude(size, range))
      return std::nullopt;
    shape.push_back(size.integer);
  }
  if (!checkElementCount(tensorOf(shape, Float32Type::get(&context)), range))
    return std::nullopt;
  return shape;
}

namespace {

Type f32(Elaborator &e) {
  return Float32Type::get(&e.context);
}

bool checkTensor(Elaborator &e, BuiltinCall &call, size_t arg = 0) {
  if (call.args[arg].isTensor())
    return true;
  e.error(call.argRanges[arg], call.name + " needs a tensor, got " + describe(call.args[arg]));
  return false;
}

//===----------------------------------------------------------------------===//
// Leaves
//===----------------------------------------------------------------------===//

template <int value> Entity filled(Elaborator &e, BuiltinCall &call) {
  Entity dims = call.args[0].kind == Entity::Kind::None ? Entity::ofTuple({}) : call.args[0];
  std::optional<SmallVector<dl::PolynomialAttr>> shape = e.toShape(dims, call.argRanges[0], call.name);
  return shape ? Entity::ofTensor(e.constant(e.tensorOf(*shape, f32(e)), value)) : Entity::poison();
}

/// full(dims, value)
Entity full(Elaborator &e, BuiltinCall &call) {
  std::optional<SmallVector<dl::PolynomialAttr>> shape = e.toShape(call.args[0], call.argRanges[0], "full");
  if (!shape)
    return Entity::poison();
  const Entity &value = call.args[1];
  if (value.isNumber())
    return Entity::ofTensor(e.constant(e.tensorOf(*shape, f32(e)), value.asDouble()));
  bool isScalar = value.isTensor() ? value.tensorType().isScalar() : value.isNumeric();
  if (!isScalar) {
    e.error(call.argRanges[1], "full needs a scalar to fill with, got " + describe(value));
    return Entity::poison();
  }
  return Entity::ofTensor(e.broadcastTo(e.toValue(value, f32(e)), *shape));
}

template <int value> Entity filledLike(Elaborator &e, BuiltinCall &call) {
  if (!checkTensor(e, call))
    return Entity::poison();
  return Entity::ofTensor(e.constantInteger(call.args[0].tensorType(), value));
}

/// iota(n): 0 … n-1
Entity iota(Elaborator &e, BuiltinCall &call) {
  const Entity &size = call.args[0];
  if (!size.isInteger() || !e.requireNotNegative(size.integer, call.argRanges[0], "the size of iota")) {
    e.error(call.argRanges[0], "iota needs a dimension, got " + describe(size));
    return Entity::poison();
  }
  if (!e.checkMagnitude(size, call.argRanges[0]))
    return Entity::poison();
  dl::TensorType type = e.tensorOf(size.integer, IntegerType::get(&e.context, 32));
  return Entity::ofTensor(e.emit<dl::IotaOp>(type, 0));
}

Entity randomUniform(Elaborator &e, BuiltinCall &call) {
  Entity dims = call.args[0].kind == Entity::Kind::None ? Entity::ofTuple({}) : call.args[0];
  std::optional<SmallVector<dl::PolynomialAttr>> shape = e.toShape(dims, call.argRanges[0], call.name);
  return shape ? Entity::ofTensor(e.random(e.tensorOf(*shape, f32(e)), call.name)) : Entity::poison();
}

/// shape(x): known now.
Entity shapeOf(Elaborator &e, BuiltinCall &call) {
  if (!checkTensor(e, call))
    return Entity::poison();
  std::vector<Entity> sizes;
  for (dl::PolynomialAttr size : call.args[0].tensorType().getShape())
    sizes.push_back(Entity::ofInteger(size));
  return Entity::ofTuple(std::move(sizes));
}

/// rank(x): the number of dimensions, known now.
Entity rankOf(Elaborator &e, BuiltinCall &call) {
  const Entity &x = call.args[0];
  if (x.isTuple())
    return e.integer(static_cast<int64_t>(x.tuple->elements.size()));
  if (x.isTensor())
    return e.integer(x.tensorType().getRank());
  e.error(call.argRanges[0], "rank needs a tensor or a tuple, got " + describe(x));
  return Entity::poison();
}

//===----------------------------------------------------------------------===//
// Moving elements
//===----------------------------------------------------------------------===//

/// reshape(x, dims): one of dims may be -1, what is left.
Entity reshape(Elaborator &e, BuiltinCall &call) {
  if (!checkTensor(e, call))
    return Entity::poison();
  dl::TensorType type = call.args[0].tensorType();
  std::vector<Entity> dims =
      call.args[1].isTuple() ? call.args[1].tuple->elements : std::vector<Entity>{call.args[1]};
  if (dims.size() == 1 && dims.front().isTuple()) {
    std::vector<Entity> inner = dims.front().tuple->elements;
    dims = std::move(inner);
  }
  int64_t open = -1;
  dl::PolynomialAttr known = e.poly(1);
  for (auto [axis, size] : llvm::enumerate(dims)) {
    if (size.isInteger() && size.integer.isConstant(-1) && open < 0)
      open = axis;
    else if (size.isInteger() && !e.checkMagnitude(size, call.argRanges[1]))
      return Entity::poison();
    else if (!size.isInteger() ||
             !e.requireNotNegative(size.integer, call.argRanges[1], "a size of reshape")) {
      e.error(call.argRanges[1], "reshape needs dimensions, and one -1 at most, got " + describe(size));
      return Entity::poison();
    } else {
      known = known * size.integer;
      if (!e.checkMagnitude(Entity::ofInteger(known), call.argRanges[1]))
        return Entity::poison();
    }
  }
  auto fail = [&] {
    e.error(call.range, "reshape of " + describe(type) + " with " + dl::toString(type.getElementCount()) +
                            " elements to " + describe(Entity::ofTuple(dims)) + " with " +
                            dl::toString(known) + (open >= 0 ? " times what is left" : ""));
    return Entity::poison();
  };
  if (open >= 0) {
    std::optional<dl::PolynomialAttr> rest;
    if (!known.isConstant(0))
      rest = dl::divideExactly(type.getElementCount(), known);
    if (!rest)
      return fail();
    dims[open] = Entity::ofInteger(*rest);
    known = known * *rest;
  }
  if (known != type.getElementCount())
    return fail();
  SmallVector<dl::PolynomialAttr> shape;
  for (const Entity &size : dims)
    shape.push_back(size.integer);
  if (type.getShape() == ArrayRef(shape))
    return call.args[0];
  auto result = e.emit<dl::ReshapeOp>(type.withShape(shape), call.args[0].value);
  e.reshapes.insert(result);
  return Entity::ofTensor(result);
}

/// transpose(x) swaps the last two dimensions, transpose(x, order) permutes.
Entity transpose(Elaborator &e, BuiltinCall &call) {
  if (!checkTensor(e, call))
    return Entity::poison();
  dl::TensorType type = call.args[0].tensorType();
  int64_t rank = type.getRank();
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (call.args[1].kind == Entity::Kind::None) {
    if (rank < 2) {
      e.error(call.argRanges[0], "transpose needs at least two dimensions, got " + describe(type));
      return Entity::poison();
    }
    std::swap(order[rank - 1], order[rank - 2]);
  } else {
    std::vector<Entity> axes =
        call.args[1].isTuple() ? call.args[1].tuple->elements : std::vector<Entity>{call.args[1]};
    SmallVector<int64_t> given;
    for (const Entity &axis : axes) {
      std::optional<int64_t> index = e.normalizeAxis(axis, rank, call.argRanges[1], "transpose");
      if (!index)
        return Entity::poison();
      given.push_back(*index);
    }
    if (given.size() != order.size() || !std::is_permutation(given.begin(), given.end(), order.begin())) {
      e.error(call.argRanges[1], "transpose needs each of the " + llvm::Twine(rank) + " axes of " +
                                     describe(type) + " once, got " + describe(call.args[1]));
      return Entity::poison();
    }
    order = given;
  }
  return Entity::ofTensor(e.emit<dl::TransposeOp>(call.args[0].value, order));
}

Entity broadcastToDims(Elaborator &e, BuiltinCall &call) {
  std::optional<SmallVector<dl::PolynomialAttr>> shape =
      e.toShape(call.args[1], call.argRanges[1], "broadcast_to");
  if (!shape)
    return Entity::poison();
  const Entity &x = call.args[0];
  if (!x.isNumeric()) {
    e.error(call.argRanges[0], "broadcast_to needs a tensor, got " + describe(x));
    return Entity::poison();
  }
  Value value = e.toValue(x, f32(e));
  auto type = llvm::cast<dl::TensorType>(value.getType());
  std::optional<SmallVector<dl::PolynomialAttr>> common = e.broadcastShapes(type, type.withShape(*shape));
  if (!common || *common != *shape) {
    e.error(call.range,
            "broadcast_to cannot make " + describe(type.withShape(*shape)) + " of " + describe(type));
    return Entity::poison();
  }
  return Entity::ofTensor(e.broadcastTo(value, *shape));
}

/// concat([a, b], axis=0)
Entity concat(Elaborator &e, BuiltinCall &call) {
  const Entity &parts = call.args[0];
  if (!parts.isTuple() || parts.tuple->elements.empty() ||
      !llvm::all_of(parts.tuple->elements, [](const Entity &part) { return part.isTensor(); })) {
    e.error(call.argRanges[0], "concat needs a tuple of tensors, got " + describe(parts));
    return Entity::poison();
  }
  dl::TensorType first = parts.tuple->elements.front().tensorType();
  Entity axisEntity = call.args[1].kind == Entity::Kind::None ? e.integer(0) : call.args[1];
  std::optional<int64_t> axis = e.normalizeAxis(axisEntity, first.getRank(), call.argRanges[1], "concat");
  if (!axis)
    return Entity::poison();
  dl::PolynomialAttr length = e.poly(0);
  SmallVector<Value> values;
  for (const Entity &part : parts.tuple->elements) {
    dl::TensorType type = part.tensorType();
    if (type.getElementType() != first.getElementType() || type.getRank() != first.getRank() ||
        type.dropAxes(*axis) != first.dropAxes(*axis)) {
      e.error(call.argRanges[0], "concat needs tensors that differ in axis " + llvm::Twine(*axis) +
                                     " only, got " + describe(first) + " and " + describe(type));
      return Entity::poison();
    }
    length = length + type.getDim(*axis);
    values.push_back(part.value);
  }
  SmallVector<dl::PolynomialAttr> shape(first.getShape());
  shape[*axis] = length;
  return Entity::ofTensor(e.emit<dl::ConcatOp>(first.withShape(shape), *axis, values));
}

/// stack([a, b], axis=0): along a new axis.
Entity stack(Elaborator &e, BuiltinCall &call) {
  const Entity &parts = call.args[0];
  if (!parts.isTuple() || parts.tuple->elements.empty() ||
      !llvm::all_of(parts.tuple->elements, [](const Entity &part) { return part.isTensor(); })) {
    e.error(call.argRanges[0], "stack needs a tuple of tensors, got " + describe(parts));
    return Entity::poison();
  }
  dl::TensorType first = parts.tuple->elements.front().tensorType();
  Entity axisEntity = call.args[1].kind == Entity::Kind::None ? e.integer(0) : call.args[1];
  std::optional<int64_t> axis = e.normalizeAxis(axisEntity, first.getRank() + 1, call.argRanges[1], "stack");
  if (!axis)
    return Entity::poison();
  SmallVector<dl::PolynomialAttr> shape(first.getShape());
  shape.insert(shape.begin() + *axis, e.poly(1));
  SmallVector<Value> values;
  for (const Entity &part : parts.tuple->elements) {
    if (part.tensorType() != first) {
      e.error(call.argRanges[0],
              "stack needs tensors of one type, got " + describe(first) + " and " + describe(part));
      return Entity::poison();
    }
    values.push_back(e.emit<dl::ReshapeOp>(first.withShape(shape), part.value));
  }
  shape[*axis] = e.poly(static_cast<int64_t>(values.size()));
  return Entity::ofTensor(e.emit<dl::ConcatOp>(first.withShape(shape), *axis, values));
}

/// The sizes of split's parts: so many equal ones, or those that are given.
std::optional<SmallVector<dl::PolynomialAttr>> splitSizes(Elaborator &e, BuiltinCall &call,
                                                          dl::PolynomialAttr length) {
  const Entity &parts = call.args[1];
  if (parts.isTuple()) {
    std::optional<SmallVector<dl::PolynomialAttr>> sizes = e.toShape(parts, call.argRanges[1], "split");
    dl::PolynomialAttr total = e.poly(0);
    for (dl::PolynomialAttr size : sizes.value_or(SmallVector<dl::PolynomialAttr>()))
      total = total + size;
    if (!sizes || total == length)
      return sizes;
    e.error(call.argRanges[1],
            "split's sizes add up to " + dl::toString(total) + ", but the axis has " + dl::toString(length));
    return std::nullopt;
  }
  std::optional<int64_t> count = parts.isInteger() ? parts.integer.getConstantValue() : std::nullopt;
  std::optional<dl::PolynomialAttr> size;
  constexpr int64_t kMaxParts = 10000;
  if (count && *count >= 1 && *count <= kMaxParts)
    size = dl::divideExactly(length, e.poly(*count));
  if (size)
    return SmallVector<dl::PolynomialAttr>(*count, *size);
  e.error(call.argRanges[1], "split needs sizes, or a number of parts that divides the axis of " +
                                 dl::toString(length) + ", got " + describe(parts));
  return std::nullopt;
}

/// split(x, parts, axis=0)
Entity split(Elaborator &e, BuiltinCall &call) {
  if (!checkTensor(e, call))
    return Entity::poison();
  dl::TensorType type = call.args[0].tensorType();
  Entity axisEntity = call.args[2].kind == Entity::Kind::None ? e.integer(0) : call.args[2];
  std::optional<int64_t> axis = e.normalizeAxis(axisEntity, type.getRank(), call.argRanges[2], "split");
  if (!axis)
    return Entity::poison();
  std::optional<SmallVector<dl::PolynomialAttr>> sizes = splitSizes(e, call, type.getDim(*axis));
  if (!sizes)
    return Entity::poison();
  SmallVector<dl::PolynomialAttr> shape(type.getShape());
  SmallVector<Attribute> offsets(type.getRank(), e.poly(0));
  SmallVector<int64_t> strides(type.getRank(), 1);
  dl::PolynomialAttr offset = e.poly(0);
  std::vector<Entity> parts;
  for (dl::PolynomialAttr size : *sizes) {
    shape[*axis] = size;
    offsets[*axis] = offset;
    parts.push_back(Entity::ofTensor(e.emit<dl::SliceOp>(type.withShape(shape), call.args[0].value,
                                                         e.builder.getArrayAttr(offsets), strides)));
    offset = offset + size;
  }
  return Entity::ofTuple(std::move(parts));
}

/// pad(x, low, high, value=0): low and high per dimension.
Entity pad(Elaborator &e, BuiltinCall &call) {
  if (!checkTensor(e, call))
    return Entity::poison();
  dl::TensorType type = call.args[0].tensorType();
  std::array<SmallVector<dl::PolynomialAttr>, 2> amounts;
  for (size_t side : {0, 1}) {
    std::optional<SmallVector<dl::PolynomialAttr>> sizes =
        e.toShape(call.args[side + 1], call.argRanges[side + 1], "pad");
    if (!sizes)
      return Entity::poison();
    if (static_cast<int64_t>(sizes->size()) != type.getRank()) {
      e.error(call.argRanges[side + 1], "pad needs " + llvm::Twine(type.getRank()) + " amounts for " +
                                            describe(type) + ", got " + llvm::Twine(sizes->size()));
      return Entity::poison();
    }
    amounts[side] = *sizes;
  }
  Entity number = call.args[3].kind == Entity::Kind::None ? e.integer(0) : call.args[3];
  if (!number.isNumber()) {
    e.error(call.argRanges[3], "pad's value is a number known at compile time, got " + describe(number));
    return Entity::poison();
  }
  Type element = type.getElementType();
  if (!e.fits(number, element) || (!isa<FloatType>(element) && number.isFloat())) {
    e.error(call.argRanges[3], describe(number) + " does not fit " + describe(e.tensorOf({}, element)) +
                                   ", the elements of what is padded");
    return Entity::poison();
  }
  TypedAttr value = isa<FloatType>(element)
                        ? TypedAttr(e.builder.getFloatAttr(element, number.asDouble()))
                        : TypedAttr(e.builder.getIntegerAttr(element, *number.integer.getConstantValue()));
  SmallVector<dl::PolynomialAttr> shape;
  SmallVector<Attribute> low;
  for (int64_t axis = 0; axis < type.getRank(); ++axis) {
    shape.push_back(type.getDim(axis) + amounts[0][axis] + amounts[1][axis]);
    low.push_back(amounts[0][axis]);
  }
  SmallVector<int64_t> interior(type.getRank(), 0);
  return Entity::ofTensor(e.emit<dl::PadOp>(type.withShape(shape), call.args[0].value, value,
                                            e.builder.getArrayAttr(low), interior));
}

constexpr Builtin kShapes[] = {
    {"zeros", "dims*", filled<0>},
    {"ones", "dims*", filled<1>},
    {"full", "dims value", full},
    {"zeros_like", "x", filledLike<0>},
    {"ones_like", "x", filledLike<1>},
    {"iota", "n", iota},
    {"random_uniform", "dims*", randomUniform},
    {"shape", "x", shapeOf},
    {"rank", "x", rankOf},
    {"reshape", "x dims", reshape},
    {"transpose", "x order?", transpose},
    {"broadcast_to", "x dims", broadcastToDims},
    {"concat", "parts axis?", concat},
    {"stack", "parts axis?", stack},
    {"split", "x parts axis?", split},
    {"pad", "x low high value?", pad},
};

} // namespace

ArrayRef<Builtin> shapeBuiltins() {
  return kShapes;
}

} // namespace dlc::frontend
