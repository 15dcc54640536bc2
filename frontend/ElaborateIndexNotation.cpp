// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Index notation: `let y[i, j] = sum[k](a[i, k] * b[k, j])`. Subscripts become dl.subscript (or a
// transposition, or dl.gather where they depend on data; ElaborateIndexedAccess.cpp), arithmetic stays what
// it is, reductions are dl.reduce over leading axes, and a sum of a product of two plain tensors is
// dl.contract.

#include "frontend/Elaborator.h"
#include "frontend/IndexNotation.h"

namespace dlc::frontend {

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

/// What a subscript stands behind, elaborated once and outside of the notation.
Entity Elaborator::subscriptedBase(const IndexExpr *expr) {
  auto [known, isNew] = indexSpace->bases.try_emplace(expr->base, Entity::poison());
  if (isNew) {
    Entity base = elaborate(expr->base);
    indexSpace->bases[expr->base] = base;
    return base;
  }
  return known->second;
}

/// The range that the uses of an index as a whole subscript in `body` give it; null after an error.
dl::PolynomialAttr Elaborator::inferExtent(const Identifier &name, ArrayRef<IndexBinding> bindings,
                                           const Expr *body) {
  dl::PolynomialAttr extent;
  SourceRange from;
  bool isGood = true;
  forEachSubscripted(body, [&](const IndexExpr *access) {
    auto isSame = [&](const Subscript &subscript) {
      auto *plain =
          subscript.kind == Subscript::Kind::Expr ? llvm::dyn_cast<NameExpr>(subscript.begin) : nullptr;
      return plain && plain->name == name.text;
    };
    auto isIndex = [&](StringRef other) {
      return indexSpace->find(other) ||
             llvm::any_of(bindings, [&](const IndexBinding &binding) { return binding.name.text == other; });
    };
    if (llvm::none_of(access->subscripts, isSame) || mentions(access->base, isIndex))
      return;
    Entity base = subscriptedBase(access);
    isGood &= !base.isPoison();
    if (!base.isTensor() || static_cast<size_t>(base.tensorType().getRank()) != access->subscripts.size())
      return; // reported where it is read
    for (auto [axis, subscript] : llvm::enumerate(access->subscripts)) {
      if (!isSame(subscript) || !isGood)
        continue;
      dl::PolynomialAttr size = base.tensorType().getDim(axis);
      if (extent && extent != size) {
        error(access->range, "index " + name.text + " has the range " + dl::toString(size) + " here, and " +
                                 dl::toString(extent) + " elsewhere")
            .note("it has the other range here", from);
        isGood = false;
      }
      extent = size;
      from = access->range;
    }
  });
  if (!extent && isGood)
    error(name.range,
          "the range of index " + name.text + " does not follow from a use such as x[" + name.text + "]")
        .note("give it, such as " + name.text + " in 0..n");
  return isGood ? extent : dl::PolynomialAttr();
}

/// Adds indices in front of those that there are; false after an error. `body` is what they are used in.
bool Elaborator::addIndices(ArrayRef<IndexBinding> bindings, const Expr *body, bool fromZero) {
  SmallVector<IndexSpace::Index> added;
  for (const IndexBinding &binding : bindings) {
    IndexSpace::Index index{binding.name.text, poly(0), {}};
    if (!binding.extent) {
      index.extent = inferExtent(binding.name, bindings, body);
      if (!index.extent)
        return false;
      added.push_back(index);
      continue;
    }
    Entity low = elaborate(binding.extent->begin), high = elaborate(binding.extent->end);
    if (low.isPoison() || high.isPoison())
      return false;
    if (!low.isInteger() || !high.isInteger()) {
      error(binding.extent->range,
            "the range of an index is two ints, got " + describe(low) + " and " + describe(high));
      return false;
    }
    if (fromZero && !low.integer.isConstant(0)) {
      error(binding.extent->range, "an index of the left side starts at 0, got " + dl::toString(low.integer));
      return false;
    }
    index.low = low.integer;
    index.extent = high.integer - low.integer;
    if (!requireNotNegative(index.extent, binding.extent->range)) {
      error(binding.extent->range, "the range of index " + binding.name.text + " is empty: " +
                                       dl::toString(low.integer) + " to " + dl::toString(high.integer));
      return false;
    }
    added.push_back(index);
  }
  indexSpace->indices.insert(indexSpace->indices.begin(), added.begin(), added.end());
  // As a value, an index is the numbers of its axis.
  for (auto [axis, binding] : llvm::enumerate(bindings)) {
    const IndexSpace::Index &index = indexSpace->indices[axis];
    SmallVector<dl::PolynomialAttr> shape(indexSpace->indices.size() - axis, poly(1));
    shape.front() = index.extent;
    currentLocation = locate(binding.name.range);
    dl::TensorType type = tensorOf(shape, IntegerType::get(&context, 32));
    Value value = emit<dl::IotaOp>(type, 0);
    if (!index.low.isConstant(0)) {
      Value low = emit<dl::CastOp>(tensorOf({}, type.getElementType()), emit<dl::DimOp>(index.low));
      value = emit<dl::AddOp>(value, broadcastTo(low, shape));
    }
    indexSpace->values.insert(value);
    Binding bound;
    bound.entity = Entity::ofTensor(value);
    bind(binding.name, std::move(bound));
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

Entity Elaborator::elaborateReduction(const ReductionExpr *expr) {
  if (!indexSpace) {
    error(expr->range,
          stringify(expr->reduction) + "[…] needs index notation, such as let y[i] = sum[k](x[i, k])");
    return Entity::poison();
  }
  Scope inner(scope);
  Restore<Scope *> inScope(scope, &inner);
  size_t outer = indexSpace->indices.size(), reduced = expr->indices.size();
  auto leave = [&](Entity result) {
    indexSpace->indices.erase(indexSpace->indices.begin(), indexSpace->indices.end() - outer);
    return result;
  };
  if (!addIndices(expr->indices, expr->body, /*fromZero=*/false))
    return leave(Entity::poison());
  if (std::optional<Value> contraction = asContraction(expr, reduced))
    return leave(Entity::ofTensor(*contraction));
  Entity body = elaborate(expr->body);
  if (body.isPoison())
    return leave(body);
  bool isNumber = body.isNumeric();
  if (body.isTensor())
    isNumber = !body.tensorType().getElementType().isInteger(1) &&
               (body.tensorType().isScalar() || indexSpace->contains(body));
  if (!isNumber) {
    error(expr->body->range, stringify(expr->reduction) +
                                 "[…] needs a number for each place of its indices, got " + describe(body));
    return leave(Entity::poison());
  }
  currentLocation = locate(expr->range);
  Value value = toValue(body, Float32Type::get(&context));
  auto type = llvm::cast<dl::TensorType>(value.getType());
  // All axes of the reduced indices, and of the others those that there are.
  SmallVector<dl::PolynomialAttr> shape(indexSpace->indices.size(), poly(1));
  std::copy(type.getShape().begin(), type.getShape().end(), shape.end() - type.getRank());
  for (size_t axis = 0; axis < reduced; ++axis)
    shape[axis] = indexSpace->indices[axis].extent;
  static constexpr dl::ReduceKind kKinds[] = {dl::ReduceKind::Sum, dl::ReduceKind::Max, dl::ReduceKind::Min,
                                              dl::ReduceKind::Prod};
  Value result = emit<dl::ReduceOp>(kKinds[static_cast<int>(expr->reduction)], broadcastTo(value, shape),
                                    llvm::to_vector(llvm::seq<int64_t>(reduced)));
  indexSpace->values.insert(result);
  return leave(Entity::ofTensor(result));
}

//===----------------------------------------------------------------------===//
// Statements, and what may stand in them
//===----------------------------------------------------------------------===//

/// Whether all elements of a value are one number.
static bool isUniform(Value value) {
  SmallVector<Value> work{value};
  llvm::DenseSet<Value> seen;
  while (!work.empty()) {
    Value at = work.pop_back_val();
    if (!seen.insert(at).second || llvm::cast<dl::TensorType>(at.getType()).isScalar() ||
        at.getDefiningOp<dl::ConstantOp>())
      continue;
    Operation *op = at.getDefiningOp();
    if (!op || !(op->hasTrait<dl::Elementwise>() || isa<dl::BroadcastOp, dl::ReshapeOp>(op)))
      return false;
    llvm::append_range(work, op->getOperands());
  }
  return true;
}

/// Whether a reshape adds or drops leading axes of size 1 alone, so that each index keeps its axis.
static bool keepsAxes(Operation *op) {
  auto stripped = [](Value value) {
    return llvm::cast<dl::TensorType>(value.getType()).getShape().drop_while([](dl::PolynomialAttr size) {
      return size.isConstant(1);
    });
  };
  return stripped(op->getOperand(0)) == stripped(op->getResult(0));
}

/// Checks what was emitted behind `before` for an expression: values that depend on indices are combined
/// element by element, with each other and with scalars.
bool Elaborator::checkElementwise(Operation *before, SourceRange range) {
  mlir::Block *block = builder.getInsertionBlock();
  for (mlir::Block::iterator op = before ? std::next(before->getIterator()) : block->begin();
       op != builder.getInsertionPoint(); ++op) {
    auto depends = [&](Value operand) { return indexSpace->values.contains(operand); };
    bool any = false; // in the bodies of loops, too
    op->walk([&](Operation *inner) { any |= llvm::any_of(inner->getOperands(), depends); });
    if (!any || llvm::any_of(op->getResults(), depends)) // of a part that was checked
      continue;
    bool isAllowed = op->hasTrait<dl::Elementwise>() || isa<dl::BroadcastOp>(*op) ||
                     (isa<dl::ReshapeOp>(*op) && (!reshapes.contains(&*op) || keepsAxes(&*op)));
    if (!isAllowed) {
      error(range, sources.text(range) + " is not computed element by element: " +
                       op->getName().stripDialect() + " takes whole tensors");
      return false;
    }
    for (Value operand : op->getOperands())
      if (!depends(operand) && !isUniform(operand)) {
        error(range, describe(llvm::cast<dl::TensorType>(operand.getType())) +
                         " stands beside elements without an index of its own");
        return false;
      }
    indexSpace->values.insert(op->result_begin(), op->result_end());
  }
  return true;
}

/// An operator or call inside of index notation.
Entity Elaborator::elaborateIndexedExpr(const Expr *expr, const NameHint &hint) {
  mlir::Block *block = builder.getInsertionBlock();
  Operation *before =
      builder.getInsertionPoint() == block->begin() ? nullptr : &*std::prev(builder.getInsertionPoint());
  Entity result = expr->kind == ExprKind::Call     ? elaborateCall(llvm::cast<CallExpr>(expr), hint)
                  : expr->kind == ExprKind::Binary ? elaborateBinary(llvm::cast<BinaryExpr>(expr))
                                                   : elaborateUnary(llvm::cast<UnaryExpr>(expr));
  if (!result.isPoison() && !checkElementwise(before, expr->range))
    return Entity::poison();
  if (indexSpace->contains(result)) {
    // Reshaping keeps to the elements but not to their places.
    ArrayRef<dl::PolynomialAttr> shape = result.tensorType().getShape();
    bool fits = shape.size() <= indexSpace->indices.size();
    for (size_t axis = 0; fits && axis < shape.size(); ++axis)
      fits = shape[axis].isConstant(1) ||
             shape[axis] == indexSpace->indices[indexSpace->indices.size() - shape.size() + axis].extent;
    if (!fits) {
      error(expr->range, sources.text(expr->range) + " is not computed element by element");
      return Entity::poison();
    }
  }
  return result;
}

Entity Elaborator::elaborateIndexedLet(const LetStmt *stmt) {
  IndexSpace space;
  reshapes.clear();
  Scope inner(scope);
  Restore<Scope *> inScope(scope, &inner);
  Restore<IndexSpace *> inSpace(indexSpace, &space);
  if (!addIndices(stmt->indices, stmt->value, /*fromZero=*/true))
    return Entity::poison();
  Entity value = elaborate(stmt->value);
  if (value.isPoison())
    return value;
  bool isElement =
      value.isTensor() ? value.tensorType().isScalar() || space.contains(value) : value.isNumeric();
  if (!isElement) {
    error(stmt->value->range, "index notation gives one number for each place, got " + describe(value));
    return Entity::poison();
  }
  SmallVector<dl::PolynomialAttr> shape;
  for (const IndexSpace::Index &index : space.indices)
    shape.push_back(index.extent);
  currentLocation = locate(stmt->range);
  Value result = toValue(value, Float32Type::get(&context));
  if (!checkElementCount(llvm::cast<dl::TensorType>(result.getType()).withShape(shape), stmt->range))
    return Entity::poison();
  return Entity::ofTensor(broadcastTo(result, shape));
}

} // namespace dlc::frontend
