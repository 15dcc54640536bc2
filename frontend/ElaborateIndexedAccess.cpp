// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Subscripts of index notation: affine indices, indices that depend on data, and products that are
// contractions.

#include "frontend/Elaborator.h"
#include "frontend/IndexNotation.h"

namespace dlc::frontend {

//===----------------------------------------------------------------------===//
// Subscripts
//===----------------------------------------------------------------------===//

/// The index if its numbers are small: sizes have at most 2^40 elements, so that larger ones reach nothing,
/// and what is computed with these stays in 64 bits.
static std::optional<AffineIndex> bounded(AffineIndex index) {
  auto isSmall = [](int64_t number) { return number > -(int64_t(1) << 40) && number < int64_t(1) << 40; };
  if (!llvm::all_of(index.coefficients, isSmall) || !llvm::all_of(index.offset.getCoefficients(), isSmall))
    return std::nullopt;
  return index;
}

static std::optional<AffineIndex> scaled(AffineIndex index, int64_t factor) {
  if (factor <= -(1 << 22) || factor >= 1 << 22)
    return std::nullopt;
  for (int64_t &coefficient : index.coefficients)
    coefficient *= factor;
  index.offset = index.offset * factor;
  return bounded(std::move(index));
}

/// Nothing where `expr` is not affine; reports nothing.
std::optional<AffineIndex> Elaborator::affineIndex(const Expr *expr) {
  AffineIndex result{SmallVector<int64_t>(indexSpace->indices.size(), 0), poly(0)};
  auto isIndex = [&](StringRef name) { return indexSpace->find(name).has_value(); };
  if (!mentions(expr, isIndex)) {
    Entity entity = elaborate(expr);
    if (!entity.isInteger())
      return std::nullopt;
    result.offset = entity.integer;
    return bounded(std::move(result));
  }
  if (auto *name = llvm::dyn_cast<NameExpr>(expr)) {
    size_t axis = *indexSpace->find(name->name);
    result.coefficients[axis] = 1;
    result.offset = indexSpace->indices[axis].low;
    return result;
  }
  auto *unary = llvm::dyn_cast<UnaryExpr>(expr);
  if (unary && unary->op == UnaryOp::Negate) {
    std::optional<AffineIndex> operand = affineIndex(unary->operand);
    return operand ? scaled(*operand, -1) : std::nullopt;
  }
  auto *binary = llvm::dyn_cast<BinaryExpr>(expr);
  if (!binary)
    return std::nullopt;
  bool isSum = binary->op == BinaryOp::Add || binary->op == BinaryOp::Subtract;
  if (!isSum && binary->op != BinaryOp::Multiply)
    return std::nullopt;
  std::optional<AffineIndex> lhs = affineIndex(binary->lhs), rhs = affineIndex(binary->rhs);
  if (!lhs || !rhs)
    return std::nullopt;
  if (isSum) {
    std::optional<AffineIndex> right = scaled(*rhs, binary->op == BinaryOp::Add ? 1 : -1);
    if (!right)
      return std::nullopt;
    for (auto [own, added] : llvm::zip_equal(lhs->coefficients, right->coefficients))
      own += added;
    lhs->offset = lhs->offset + right->offset;
    return bounded(std::move(*lhs));
  }
  auto constantOf = [](const AffineIndex &index) -> std::optional<int64_t> {
    if (llvm::any_of(index.coefficients, [](int64_t c) { return c != 0; }))
      return std::nullopt;
    return index.offset.getConstantValue();
  };
  if (std::optional<int64_t> factor = constantOf(*rhs))
    return scaled(*lhs, *factor);
  if (std::optional<int64_t> factor = constantOf(*lhs))
    return scaled(*rhs, *factor);
  return std::nullopt;
}

/// Whether an affine index stays within an axis, for all sizes or by a constraint; reports if it cannot.
bool Elaborator::checkIndexRange(const AffineIndex &index, const Subscript &subscript, dl::TensorType type,
                                 int64_t axis, SourceRange whole) {
  dl::PolynomialAttr least = index.offset, most = index.offset;
  for (auto [coefficient, own] : llvm::zip_equal(index.coefficients, indexSpace->indices)) {
    dl::PolynomialAttr reach = (own.extent - 1) * coefficient;
    (coefficient < 0 ? least : most) = (coefficient < 0 ? least : most) + reach;
  }
  if (requireNotNegative(least, whole) && requireNotNegative(type.getDim(axis) - 1 - most, whole))
    return true;
  error(subscript.range, "index " + sources.text(subscript.range) + " runs from " + dl::toString(least) +
                             " to " + dl::toString(most) + ", outside of axis " + llvm::Twine(axis) + " of " +
                             describe(type));
  return false;
}

/// A value with one axis per entry of `used` (axes of the space, ascending) as a value of the space.
Value Elaborator::alignToSpace(Value value, ArrayRef<size_t> used) {
  auto type = llvm::cast<dl::TensorType>(value.getType());
  if (!used.empty()) {
    SmallVector<dl::PolynomialAttr> shape(indexSpace->indices.size() - used.front(), poly(1));
    for (auto [axis, position] : llvm::enumerate(used))
      shape[position - used.front()] = type.getDim(axis);
    // Also where nothing changes, so that the tensor itself and its elements are two values.
    value = emit<dl::ReshapeOp>(type.withShape(shape), value);
    indexSpace->values.insert(value);
  }
  return value;
}

/// The axes of the space that any of the indices uses.
static SmallVector<size_t> usedAxes(ArrayRef<AffineIndex> indices) {
  SmallVector<size_t> used;
  for (size_t axis = 0; !indices.empty() && axis < indices.front().coefficients.size(); ++axis)
    if (llvm::any_of(indices, [&](const AffineIndex &index) { return index.coefficients[axis] != 0; }))
      used.push_back(axis);
  return used;
}

/// For each axis of the tensor the axis of the space that it is, if each is another whole one; else nothing.
std::optional<SmallVector<size_t>> Elaborator::plainAxes(ArrayRef<AffineIndex> indices, dl::TensorType type) {
  SmallVector<size_t> axes;
  for (auto [axis, index] : llvm::enumerate(indices)) {
    std::optional<size_t> only;
    for (auto [position, coefficient] : llvm::enumerate(index.coefficients)) {
      if (coefficient == 0)
        continue;
      if (coefficient != 1 || only)
        return std::nullopt;
      only = position;
    }
    if (!only || !index.offset.isConstant(0) || indexSpace->indices[*only].extent != type.getDim(axis) ||
        llvm::is_contained(axes, *only))
      return std::nullopt;
    axes.push_back(*only);
  }
  return axes;
}

/// x[affine, …] over the axes of the space in `used`.
Value Elaborator::readAffine(Value x, ArrayRef<AffineIndex> indices, ArrayRef<size_t> used) {
  auto type = llvm::cast<dl::TensorType>(x.getType());
  if (std::optional<SmallVector<size_t>> axes = plainAxes(indices, type)) {
    SmallVector<int64_t> order;
    for (size_t position : used)
      order.push_back(llvm::find(*axes, position) - axes->begin());
    return llvm::equal(order, llvm::seq<int64_t>(order.size())) ? x : Value(emit<dl::TransposeOp>(x, order));
  }
  SmallVector<int64_t> coefficients, divisors(indices.size(), 1);
  SmallVector<Attribute> offsets;
  SmallVector<dl::PolynomialAttr> shape;
  for (size_t position : used)
    shape.push_back(indexSpace->indices[position].extent);
  for (const AffineIndex &index : indices) {
    for (size_t position : used)
      coefficients.push_back(index.coefficients[position]);
    offsets.push_back(index.offset);
  }
  return emit<dl::SubscriptOp>(type.withShape(shape), x, coefficients, builder.getArrayAttr(offsets),
                               divisors);
}

/// x[…, chosen, …]: the axis `axis` of x is indexed by a value of the space, the others by affine indices.
Value Elaborator::readComputed(Value x, ArrayRef<AffineIndex> indices, size_t axis, Value chosen) {
  auto type = llvm::cast<dl::TensorType>(x.getType());
  // What is emitted here moves elements to where they belong, whatever the index.
  auto own = [&](Value value) {
    indexSpace->values.insert(value);
    return value;
  };
  // 1. The index, without axes that it does not use.
  size_t rank = indexSpace->indices.size();
  auto chosenType = llvm::cast<dl::TensorType>(chosen.getType());
  SmallVector<size_t> ofIndex;
  SmallVector<dl::PolynomialAttr> shape;
  for (size_t i = 0; i < static_cast<size_t>(chosenType.getRank()); ++i)
    if (!chosenType.getDim(i).isConstant(1)) {
      ofIndex.push_back(rank - chosenType.getRank() + i);
      shape.push_back(chosenType.getDim(i));
    }
  if (shape.size() != static_cast<size_t>(chosenType.getRank()))
    chosen = own(emit<dl::ReshapeOp>(chosenType.withShape(shape), chosen));
  // 2. The table, in an index space with one more index: the whole chosen axis, last.
  SmallVector<AffineIndex> extended(indices);
  indexSpace->indices.push_back({"", poly(0), type.getDim(axis)});
  for (AffineIndex &index : extended)
    index.coefficients.push_back(0);
  extended[axis] = {SmallVector<int64_t>(rank + 1, 0), poly(0)};
  extended[axis].coefficients.back() = 1;
  SmallVector<size_t> ofTable = usedAxes(extended);
  Value table = readAffine(x, extended, ofTable);
  indexSpace->indices.pop_back();
  // 3. Shared axes first, then the chosen one or the index's own, then the table's.
  SmallVector<int64_t> tableOrder, indexOrder;
  SmallVector<size_t> result;
  auto positionIn = [](ArrayRef<size_t> axes, size_t wanted) {
    return llvm::find(axes, wanted) - axes.begin();
  };
  for (size_t position : ofIndex)
    if (llvm::is_contained(ofTable, position)) {
      tableOrder.push_back(positionIn(ofTable, position));
      indexOrder.push_back(positionIn(ofIndex, position));
      result.push_back(position);
    }
  auto batch = static_cast<int64_t>(tableOrder.size());
  tableOrder.push_back(static_cast<int64_t>(ofTable.size()) - 1);
  for (size_t position : ofIndex)
    if (!llvm::is_contained(ofTable, position)) {
      indexOrder.push_back(positionIn(ofIndex, position));
      result.push_back(position);
    }
  for (size_t position : ArrayRef(ofTable).drop_back())
    if (!llvm::is_contained(ofIndex, position)) {
      tableOrder.push_back(positionIn(ofTable, position));
      result.push_back(position);
    }
  Value gathered = own(emit<dl::GatherOp>(emit<dl::TransposeOp>(table, tableOrder),
                                          own(emit<dl::TransposeOp>(chosen, indexOrder)), batch));
  // 4. In the order of the space.
  SmallVector<size_t> sorted(result);
  llvm::sort(sorted);
  SmallVector<int64_t> order;
  for (size_t position : sorted)
    order.push_back(positionIn(result, position));
  return alignToSpace(own(emit<dl::TransposeOp>(gathered, order)), sorted);
}

/// x[2*i + u, label[i], j] inside of index notation.
Entity Elaborator::elaborateIndexedAccess(const IndexExpr *expr) {
  Entity base = subscriptedBase(expr);
  if (base.isPoison())
    return base;
  if (!base.isTensor()) {
    error(expr->base->range, describe(base) + " cannot be indexed");
    return Entity::poison();
  }
  if (indexSpace->contains(base)) {
    error(expr->base->range,
          sources.text(expr->base->range) + " is one element for each place, and has no index");
    return Entity::poison();
  }
  dl::TensorType type = base.tensorType();
  bool isWhole =
      llvm::all_of(expr->subscripts, [](const Subscript &s) { return s.kind == Subscript::Kind::Expr; });
  if (!isWhole || static_cast<size_t>(type.getRank()) != expr->subscripts.size()) {
    error(expr->range, "index notation needs one index for each of the " + llvm::Twine(type.getRank()) +
                           " dimensions of " + describe(type) + ", got " + sources.text(expr->range));
    return Entity::poison();
  }
  SmallVector<AffineIndex> indices;
  std::optional<size_t> computedAxis;
  Value computed;
  for (auto [axis, subscript] : llvm::enumerate(expr->subscripts)) {
    if (std::optional<AffineIndex> index = affineIndex(subscript.begin)) {
      // As everywhere, a negative constant counts from the end.
      bool isConstant = llvm::all_of(index->coefficients, [](int64_t c) { return c == 0; });
      if (std::optional<int64_t> value = index->offset.getConstantValue(); isConstant && value && *value < 0)
        index->offset = index->offset + type.getDim(axis);
      if (!checkIndexRange(*index, subscript, type, static_cast<int64_t>(axis), expr->range))
        return Entity::poison();
      indices.push_back(*index);
      continue;
    }
    Entity entity = elaborate(subscript.begin);
    if (entity.isPoison())
      return entity;
    bool isIndex = indexSpace->contains(entity) && (entity.tensorType().getElementType().isInteger(32) ||
                                                    entity.tensorType().getElementType().isInteger(64));
    if (!isIndex || computedAxis) {
      error(subscript.range,
            isIndex
                ? llvm::Twine("only one index of a tensor may depend on data")
                : "an index is affine in index names, or an element of i32 or i64, got " + describe(entity));
      return Entity::poison();
    }
    computedAxis = axis;
    computed = entity.value;
    indices.push_back({SmallVector<int64_t>(indexSpace->indices.size(), 0), poly(0)});
  }
  currentLocation = locate(expr->range);
  if (computedAxis)
    return Entity::ofTensor(readComputed(base.value, indices, *computedAxis, computed));
  SmallVector<size_t> used = usedAxes(indices);
  return Entity::ofTensor(alignToSpace(readAffine(base.value, indices, used), used));
}

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

/// sum[k](a[i, k] * b[k, j]) of whole tensors as a contraction; nothing where it is none. The first
/// `reduced` indices of the space are summed over.
std::optional<Value> Elaborator::asContraction(const ReductionExpr *expr, size_t reduced) {
  auto *product = llvm::dyn_cast<BinaryExpr>(expr->body);
  if (expr->reduction != ReductionKind::Sum || !product || product->op != BinaryOp::Multiply)
    return std::nullopt;
  SmallVector<Value, 2> factors;
  SmallVector<std::string, 2> letters;
  SmallVector<bool> inResult(indexSpace->indices.size(), false);
  for (const Expr *side : {product->lhs, product->rhs}) {
    auto *access = llvm::dyn_cast<IndexExpr>(side);
    if (!access)
      return std::nullopt;
    Entity base = subscriptedBase(access);
    if (!base.isTensor() || !isa<FloatType>(base.tensorType().getElementType()) ||
        static_cast<size_t>(base.tensorType().getRank()) != access->subscripts.size())
      return std::nullopt;
    SmallVector<AffineIndex> indices;
    for (const Subscript &subscript : access->subscripts) {
      std::optional<AffineIndex> index =
          subscript.kind == Subscript::Kind::Expr ? affineIndex(subscript.begin) : std::nullopt;
      if (!index)
        return std::nullopt;
      indices.push_back(*index);
    }
    std::optional<SmallVector<size_t>> axes = plainAxes(indices, base.tensorType());
    if (!axes || indexSpace->indices.size() > 26)
      return std::nullopt;
    std::string own;
    for (size_t axis : *axes) {
      own += static_cast<char>('a' + axis);
      inResult[axis] = axis >= reduced;
    }
    factors.push_back(base.value);
    letters.push_back(own);
  }
  if (llvm::cast<dl::TensorType>(factors[0].getType()).getElementType() !=
      llvm::cast<dl::TensorType>(factors[1].getType()).getElementType())
    return std::nullopt;
  for (size_t axis = 0; axis < reduced; ++axis)
    for (const std::string &own : letters)
      if (own.find(static_cast<char>('a' + axis)) == std::string::npos)
        return std::nullopt;
  std::string result;
  SmallVector<dl::PolynomialAttr> shape;
  SmallVector<size_t> used;
  for (auto [axis, isUsed] : llvm::enumerate(inResult))
    if (isUsed) {
      result += static_cast<char>('a' + axis);
      shape.push_back(indexSpace->indices[axis].extent);
      used.push_back(axis);
    }
  currentLocation = locate(expr->range);
  auto type = llvm::cast<dl::TensorType>(factors[0].getType()).withShape(shape);
  Value value =
      emit<dl::ContractOp>(type, letters[0] + "," + letters[1] + "->" + result, factors[0], factors[1]);
  return alignToSpace(value, used);
}

} // namespace dlc::frontend
