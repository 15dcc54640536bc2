// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Primitive functions that combine elements: reductions, and products of tensors.

#include "frontend/Builtins.h"
#include "frontend/Elaborator.h"

namespace dlc::frontend {

std::optional<int64_t> Elaborator::normalizeAxis(const Entity &axis, int64_t rank, SourceRange range,
                                                 StringRef what) {
  if (axis.isConstantInteger()) {
    int64_t value = *axis.integer.getConstantValue();
    if (value >= -rank && value < rank)
      return value < 0 ? value + rank : value;
  }
  error(range, what + " needs an axis from " + llvm::Twine(-rank) + " to " + llvm::Twine(rank - 1) +
                   ", got " + describe(axis));
  return std::nullopt;
}

std::string bindLetters(StringRef letters, dl::TensorType type, LetterSizes &sizes) {
  if (static_cast<int64_t>(letters.size()) != type.getRank())
    return ("expected " + llvm::Twine(type.getRank()) + " letters for " + describe(type) + ", got " + letters)
        .str();
  for (auto [axis, letter] : llvm::enumerate(letters)) {
    if (letter < 'a' || letter > 'z' || letters.find(letter, axis + 1) != StringRef::npos)
      return ("expected distinct lower-case letters, got " + letters).str();
    auto [known, isNew] = sizes.try_emplace(letter, type.getDim(axis));
    if (!isNew && known->second != type.getDim(axis))
      return (llvm::Twine(letter) + " has size " + dl::toString(known->second) + " and size " +
              dl::toString(type.getDim(axis)))
          .str();
  }
  return "";
}

namespace {

struct Reduction {
  SmallVector<int64_t> axes; ///< ascending
  bool keep = false;
};

/// The arguments x, axis and keep at `first` of a call.
std::optional<Reduction> reductionOf(Elaborator &e, BuiltinCall &call, size_t axisArg, size_t keepArg) {
  const Entity &x = call.args[0];
  if (!x.isTensor() || x.tensorType().getElementType().isInteger(1)) {
    Diagnostic &diag =
        e.error(call.argRanges[0], call.name + " needs a tensor of numbers, got " + describe(x));
    if (x.isTensor())
      diag.note("cast(x, f32) counts what is true");
    return std::nullopt;
  }
  int64_t rank = x.tensorType().getRank();
  Reduction reduction;
  const Entity &axis = call.args[axisArg], &keep = call.args[keepArg];
  if (axis.kind == Entity::Kind::None) {
    for (int64_t i = 0; i < rank; ++i)
      reduction.axes.push_back(i);
  } else {
    std::vector<Entity> axes = axis.isTuple() ? axis.tuple->elements : std::vector<Entity>{axis};
    for (const Entity &one : axes) {
      std::optional<int64_t> index = e.normalizeAxis(one, rank, call.argRanges[axisArg], call.name);
      if (!index)
        return std::nullopt;
      if (llvm::is_contained(reduction.axes, *index)) {
        e.error(call.argRanges[axisArg], call.name + " names axis " + llvm::Twine(*index) + " twice");
        return std::nullopt;
      }
      reduction.axes.push_back(*index);
    }
    llvm::sort(reduction.axes);
  }
  if (keep.kind != Entity::Kind::None) {
    if (!keep.isBool()) {
      e.error(call.argRanges[keepArg], call.name + "'s keep expects bool, got " + describe(keep));
      return std::nullopt;
    }
    reduction.keep = keep.flag;
  }
  return reduction;
}

Value reduce(Elaborator &e, dl::ReduceKind kind, Value x, const Reduction &reduction) {
  auto type = llvm::cast<dl::TensorType>(x.getType());
  Value result = reduction.axes.empty() ? x : Value(e.emit<dl::ReduceOp>(kind, x, reduction.axes));
  if (!reduction.keep || reduction.axes.empty())
    return result;
  SmallVector<dl::PolynomialAttr> shape(type.getShape());
  for (int64_t axis : reduction.axes)
    shape[axis] = e.poly(1);
  return e.emit<dl::ReshapeOp>(type.withShape(shape), result);
}

/// sum and prod of a tuple are known now.
template <BinaryOp op> std::optional<Entity> foldTuple(Elaborator &e, BuiltinCall &call, Entity start) {
  if (!call.args[0].isTuple())
    return std::nullopt;
  for (const Entity &element : call.args[0].tuple->elements)
    start = e.binary(op, start, element, call.range, call.range, call.range);
  return start;
}

Entity sum(Elaborator &e, BuiltinCall &call) {
  if (std::optional<Entity> folded = foldTuple<BinaryOp::Add>(e, call, e.integer(0)))
    return *folded;
  std::optional<Reduction> reduction = reductionOf(e, call, 1, 2);
  return reduction ? Entity::ofTensor(reduce(e, dl::ReduceKind::Sum, call.args[0].value, *reduction))
                   : Entity::poison();
}

Entity prod(Elaborator &e, BuiltinCall &call) {
  if (std::optional<Entity> folded = foldTuple<BinaryOp::Multiply>(e, call, e.integer(1)))
    return *folded;
  std::optional<Reduction> reduction = reductionOf(e, call, 1, 2);
  return reduction ? Entity::ofTensor(reduce(e, dl::ReduceKind::Prod, call.args[0].value, *reduction))
                   : Entity::poison();
}

Entity mean(Elaborator &e, BuiltinCall &call) {
  std::optional<Reduction> reduction = reductionOf(e, call, 1, 2);
  if (!reduction)
    return Entity::poison();
  dl::TensorType type = call.args[0].tensorType();
  if (!isa<FloatType>(type.getElementType())) {
    e.error(call.argRanges[0], "mean needs a floating-point tensor, got " + describe(type));
    return Entity::poison();
  }
  dl::PolynomialAttr count = e.poly(1);
  for (int64_t axis : reduction->axes)
    count = count * type.getDim(axis);
  // Narrow types hold neither a large sum nor a large count.
  bool isNarrow = type.getElementType().getIntOrFloatBitWidth() < 32;
  Value x = call.args[0].value;
  if (isNarrow)
    x = e.emit<dl::CastOp>(e.tensorOf(type.getShape(), Float32Type::get(&e.context)), x);
  Entity total = Entity::ofTensor(reduce(e, dl::ReduceKind::Sum, x, *reduction));
  Entity result =
      e.binary(BinaryOp::Divide, total, Entity::ofInteger(count), call.range, call.range, call.range);
  if (!isNarrow || !result.isTensor())
    return result;
  dl::TensorType narrow = e.tensorOf(result.tensorType().getShape(), type.getElementType());
  return Entity::ofTensor(e.emit<dl::CastOp>(narrow, result.value));
}

/// max(a, b), elementwise, and max(x, axis=…), a reduction.
template <typename OpTy, dl::ReduceKind kind> Entity extremum(Elaborator &e, BuiltinCall &call) {
  auto isBetter = [&](const Entity &number, const Entity &best) {
    BinaryOp comparison = kind == dl::ReduceKind::Max ? BinaryOp::Greater : BinaryOp::Less;
    return e.binary(comparison, number, best, call.range, call.range, call.range);
  };
  if (call.args[1].kind == Entity::Kind::None) {
    if (call.args[0].isTuple() && !call.args[0].tuple->elements.empty()) {
      Entity best = call.args[0].tuple->elements.front();
      for (const Entity &element : call.args[0].tuple->elements) {
        Entity replaces = isBetter(element, best);
        if (!replaces.isBool())
          return Entity::poison();
        best = replaces.flag ? element : best;
      }
      return best;
    }
    std::optional<Reduction> reduction = reductionOf(e, call, 2, 3);
    return reduction ? Entity::ofTensor(reduce(e, kind, call.args[0].value, *reduction)) : Entity::poison();
  }
  for (size_t extra : {2, 3}) {
    if (call.args[extra].kind == Entity::Kind::None)
      continue;
    e.error(call.argRanges[extra], call.name + "(a, b) is elementwise and takes no axis or keep");
    return Entity::poison();
  }
  const Entity &a = call.args[0], &b = call.args[1];
  if (a.isNumber() && b.isNumber())
    return isBetter(b, a).flag ? b : a;
  for (size_t side : {0, 1}) {
    const Entity &entity = call.args[side];
    if (!entity.isTensor() || !entity.tensorType().getElementType().isInteger(1))
      continue;
    e.error(call.argRanges[side], call.name + " needs numbers, got " + describe(entity));
    return Entity::poison();
  }
  std::array<Entity, 2> sides{a, b};
  if (!e.unifyOperands(sides, {call.argRanges[0], call.argRanges[1]}, call.range, call.name))
    return Entity::poison();
  Value result = e.emit<OpTy>(sides[0].value.getType(), sides[0].value, sides[1].value);
  return sides[0].isTensor() ? Entity::ofTensor(result) : Entity::ofScalar(result);
}

Entity argmax(Elaborator &e, BuiltinCall &call) {
  const Entity &x = call.args[0];
  if (!x.isTensor() || x.tensorType().getElementType().isInteger(1) || x.tensorType().isScalar()) {
    e.error(call.argRanges[0], "argmax needs a tensor of numbers, got " + describe(x));
    return Entity::poison();
  }
  dl::TensorType type = x.tensorType();
  Entity axis = call.args[1].kind == Entity::Kind::None ? e.integer(-1) : call.args[1];
  std::optional<int64_t> index = e.normalizeAxis(axis, type.getRank(), call.argRanges[1], "argmax");
  if (!index)
    return Entity::poison();
  dl::TensorType result = type.dropAxes(*index).withElementType(IntegerType::get(&e.context, 32));
  return Entity::ofTensor(e.emit<dl::ArgMaxOp>(result, x.value, *index));
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Both operands as floating-point tensors of one element type.
bool checkFactors(Elaborator &e, BuiltinCall &call, const Entity &a, const Entity &b, size_t first) {
  for (auto [side, range] :
       {std::pair(&a, call.argRanges[first]), std::pair(&b, call.argRanges[first + 1])}) {
    if (side->isTensor() && isa<FloatType>(side->tensorType().getElementType()))
      continue;
    e.error(range, call.name + " needs a floating-point tensor, got " + describe(*side));
    return false;
  }
  if (a.tensorType().getElementType() == b.tensorType().getElementType())
    return true;
  e.error(call.range, call.name + " needs one element type, got " + describe(a) + " and " + describe(b))
      .note("types change only by cast(x, " + describe(e.tensorOf({}, a.tensorType().getElementType())) +
            ")");
  return false;
}

/// matmul(a, b): the last dimension of a with the last but one of b; those before are batches and broadcast.
Entity matmul(Elaborator &e, BuiltinCall &call) {
  Entity a = call.args[0], b = call.args[1];
  if (!checkFactors(e, call, a, b, 0))
    return Entity::poison();
  dl::TensorType left = a.tensorType(), right = b.tensorType();
  if (left.isScalar() || right.isScalar()) {
    e.error(call.range, "matmul needs tensors of at least one dimension, got " + describe(left) + " and " +
                            describe(right));
    return Entity::poison();
  }
  int64_t rightAxis = right.getRank() >= 2 ? right.getRank() - 2 : 0;
  if (left.getDim(left.getRank() - 1) != right.getDim(rightAxis)) {
    e.error(call.range, "matmul needs " + dl::toString(left.getDim(left.getRank() - 1)) +
                            " rows on the right of " + describe(left) + ", got " + describe(right));
    return Entity::poison();
  }
  // Batches: the dimensions before the last two. When the right side has none, all of the left side's leading
  // dimensions are rows.
  int64_t rightBatches = std::max<int64_t>(0, right.getRank() - 2);
  int64_t leftBatches = std::max<int64_t>(0, left.getRank() - 2);
  const bool leftIsVector = left.getRank() == 1, rightIsVector = right.getRank() == 1;
  if (rightBatches) {
    auto lead = [](dl::TensorType type, int64_t count) {
      return type.withShape(type.getShape().take_front(count));
    };
    std::optional<SmallVector<dl::PolynomialAttr>> batches =
        e.broadcastShapes(lead(left, leftBatches), lead(right, rightBatches));
    if (!batches) {
      e.error(call.range,
              "matmul needs batches that broadcast, got " + describe(left) + " and " + describe(right));
      return Entity::poison();
    }
    auto grow = [&](Entity &side, dl::TensorType type, int64_t own) {
      SmallVector<dl::PolynomialAttr> shape(*batches);
      llvm::append_range(shape, type.getShape().drop_front(own));
      side.value = e.broadcastTo(side.value, shape);
    };
    grow(a, left, leftBatches);
    grow(b, right, rightBatches);
    left = a.tensorType();
    right = b.tensorType();
    leftBatches = rightBatches = batches->size();
  }
  if (leftBatches > 10) {
    e.error(call.range, "matmul takes at most 10 batch dimensions, got " + llvm::Twine(leftBatches));
    return Entity::poison();
  }
  std::string batch = StringRef("abcdefghij").take_front(leftBatches).str();
  std::string lhs = batch + (leftIsVector ? "k" : "mk");
  std::string rhs = (rightBatches ? batch : "") + std::string(rightIsVector ? "k" : "kn");
  std::string out = StringRef(lhs).drop_back().str() + (rightIsVector ? "" : "n");
  SmallVector<dl::PolynomialAttr> shape(left.getShape().drop_back());
  if (!rightIsVector)
    shape.push_back(right.getDim(right.getRank() - 1));
  return Entity::ofTensor(
      e.emit<dl::ContractOp>(left.withShape(shape), lhs + "," + rhs + "->" + out, a.value, b.value));
}

/// contract("mk,nk->mn", a, b)
Entity contract(Elaborator &e, BuiltinCall &call) {
  const Entity &equation = call.args[0], &a = call.args[1], &b = call.args[2];
  if (!equation.isString()) {
    e.error(call.argRanges[0], "contract needs an equation such as \"mk,nk->mn\", got " + describe(equation));
    return Entity::poison();
  }
  if (!checkFactors(e, call, a, b, 1))
    return Entity::poison();
  StringRef text = equation.text;
  auto [inputs, result] = text.split("->");
  auto [left, right] = inputs.split(',');
  auto fail = [&](const llvm::Twine &message) {
    e.error(call.argRanges[0], "contract \"" + text + "\": " + message);
    return Entity::poison();
  };
  if (!text.contains("->") || !inputs.contains(','))
    return fail("expected an equation such as \"mk,nk->mn\"");
  LetterSizes sizes;
  for (auto [letters, operand] : {std::pair(left, &a), std::pair(right, &b)})
    if (std::string problem = bindLetters(letters, operand->tensorType(), sizes); !problem.empty())
      return fail(problem);
  SmallVector<dl::PolynomialAttr> shape;
  for (auto [axis, letter] : llvm::enumerate(result)) {
    if (!sizes.contains(letter) || result.find(letter, axis + 1) != StringRef::npos)
      return fail("the result's letters must be distinct and stand on the left, got " + result);
    shape.push_back(sizes[letter]);
  }
  for (char letter : (left + right).str())
    if (!result.contains(letter) && !(left.contains(letter) && right.contains(letter)))
      return fail(llvm::Twine(letter) + " is summed over, but stands in one operand only");
  return Entity::ofTensor(e.emit<dl::ContractOp>(a.tensorType().withShape(shape), text, a.value, b.value));
}

constexpr Builtin kReductions[] = {
    {"sum", "x axis? keep?", sum},
    {"prod", "x axis? keep?", prod},
    {"mean", "x axis? keep?", mean},
    {"max", "a b? axis? keep?", extremum<dl::MaxOp, dl::ReduceKind::Max>},
    {"min", "a b? axis? keep?", extremum<dl::MinOp, dl::ReduceKind::Min>},
    {"argmax", "x axis?", argmax},
    {"matmul", "a b", matmul},
    {"contract", "equation a b", contract},
};

} // namespace

ArrayRef<Builtin> reductionBuiltins() {
  return kReductions;
}

} // namespace dlc::frontend
