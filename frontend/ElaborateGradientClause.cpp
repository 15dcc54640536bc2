// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `gradient(dy) { … }`: a layer's own rule, as dl.custom_gradient.
//
// The clause is elaborated where it stands, with placeholders for the gradients of the results. What depends
// on them then moves into the operation's body; what does not is part of the forward pass, and goes if
// nothing else needs it.

#include "frontend/Elaborator.h"
#include "mlir/Transforms/RegionUtils.h"

namespace dlc::frontend {

/// The tensors among a callable's results.
static SmallVector<Value> resultTensors(const Entity &result) {
  SmallVector<Value> values;
  if (result.isTensor())
    values.push_back(result.value);
  else if (result.isTuple())
    for (const Entity &element : result.tuple->elements)
      if (element.isTensor())
        values.push_back(element.value);
  return values;
}

static bool isDifferentiable(const Entity &entity) {
  return entity.isTensor() && isa<FloatType>(entity.tensorType().getElementType());
}

/// The operations behind `before` up to the insertion point that depend on one of the values, in order.
static SmallVector<Operation *> dependents(mlir::Block *block, Operation *before, mlir::Block::iterator end,
                                           ValueRange roots) {
  llvm::DenseSet<Value> reached(roots.begin(), roots.end());
  SmallVector<Operation *> found;
  for (auto op = before ? std::next(before->getIterator()) : block->begin(); op != end; ++op) {
    bool depends = false;
    op->walk([&](Operation *inner) {
      depends |= llvm::any_of(inner->getOperands(), [&](Value operand) { return reached.contains(operand); });
    });
    if (!depends)
      continue;
    reached.insert(op->result_begin(), op->result_end());
    found.push_back(&*op);
  }
  return found;
}

/// What the clause returns, one value per argument of its type; nothing after an error.
std::optional<SmallVector<Value>> Elaborator::elaborateGradientBody(const GradientStmt *rule,
                                                                    ArrayRef<GradientArgument> arguments) {
  Restore<std::optional<Entity>> newResult(frame->returned, std::nullopt);
  Restore<bool> inClause(frame->inGradientClause, true);
  elaborateBlock(rule->body);
  if (!frame->returned) {
    error(rule->range, "the gradient clause returns nothing, expected " + llvm::Twine(arguments.size()) +
                           (arguments.size() == 1 ? " gradient" : " gradients"));
    return std::nullopt;
  }
  Entity result = *frame->returned;
  if (result.isPoison())
    return std::nullopt;
  std::vector<Entity> given = result.isTuple() ? result.tuple->elements : std::vector<Entity>{result};
  if (given.size() != arguments.size()) {
    std::string names;
    for (const GradientArgument &argument : arguments)
      names += (names.empty() ? "" : ", ") + argument.name.str();
    error(frame->returnRange, "expected " + llvm::Twine(arguments.size()) +
                                  (arguments.size() == 1 ? " gradient, of " : " gradients, of ") + names +
                                  ", got " + llvm::Twine(given.size()));
    return std::nullopt;
  }
  SmallVector<Value> values;
  for (auto [gradient, argument] : llvm::zip_equal(given, arguments)) {
    auto type = llvm::cast<dl::TensorType>(argument.value.getType());
    if (!gradient.isTensor() && gradient.isNumeric())
      gradient = Entity::ofTensor(broadcastTo(toValue(gradient, type.getElementType()), type.getShape()));
    if (!gradient.isTensor() || gradient.tensorType() != type) {
      error(frame->returnRange,
            "the gradient of " + argument.name + " is " + describe(type) + ", got " + describe(gradient));
      return std::nullopt;
    }
    values.push_back(gradient.value);
  }
  return values;
}

Entity Elaborator::applyGradientClause(const GradientStmt *rule, Entity result,
                                       ArrayRef<GradientArgument> arguments) {
  SmallVector<Value> results = resultTensors(result);
  if (results.size() != rule->upstream.size()) {
    error(rule->range, "the gradient clause names " + llvm::Twine(rule->upstream.size()) +
                           " gradients, but there are " + llvm::Twine(results.size()) + " results");
    return Entity::poison();
  }
  if (arguments.empty()) {
    error(rule->range, "there is no argument or parameter to have a gradient");
    return Entity::poison();
  }
  if (!frame->innerParameter.empty()) {
    error(rule->range, "the gradient clause has no gradient for " + llvm::Twine(frame->innerParameter) +
                           ", a parameter of a layer that is called here")
        .note("a clause returns the gradients of arguments and of params of its own");
    return Entity::poison();
  }
  // 1. The clause, with placeholders.
  Scope inner(scope);
  Restore<Scope *> inScope(scope, &inner);
  currentLocation = locate(rule->range);
  SmallVector<Value> placeholders;
  for (auto [name, value] : llvm::zip_equal(rule->upstream, results)) {
    placeholders.push_back(emit<dl::ConstantOp>(llvm::cast<dl::TensorType>(value.getType()), 0));
    Binding binding;
    binding.entity = Entity::ofTensor(placeholders.back());
    bind(name, std::move(binding));
  }
  mlir::Block *block = builder.getInsertionBlock();
  Operation *before = placeholders.back().getDefiningOp();
  std::optional<SmallVector<Value>> gradients = elaborateGradientBody(rule, arguments);
  if (!gradients)
    return Entity::poison();
  SmallVector<Operation *> moved = dependents(block, before, builder.getInsertionPoint(), placeholders);
  // 2. The operation; its body first uses what it captures, then arguments for that.
  SmallVector<Value> differentiated;
  for (const GradientArgument &argument : arguments)
    differentiated.push_back(argument.value);
  auto op = emit<dl::CustomGradientOp>(ValueRange(results).getTypes(), results, differentiated, ValueRange());
  mlir::Block &body = op.getBody().emplaceBlock();
  for (Operation *inner : moved)
    inner->moveBefore(&body, body.end());
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(&body);
    emit<dl::YieldOp>(*gradients);
  }
  auto addArgument = [&](Value value) {
    BlockArgument argument = body.addArgument(value.getType(), currentLocation);
    value.replaceUsesWithIf(
        argument, [&](OpOperand &use) { return op.getBody().isAncestor(use.getOwner()->getParentRegion()); });
  };
  for (Value placeholder : placeholders) {
    addArgument(placeholder);
    placeholder.getDefiningOp()->erase();
  }
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(op.getBody(), captured);
  llvm::for_each(captured, addArgument);
  op.getCapturesMutable().assign(captured.getArrayRef());
  if (result.isTensor())
    return Entity::ofTensor(op.getResult(0));
  std::vector<Entity> elements = result.tuple->elements;
  size_t next = 0;
  for (Entity &element : elements)
    if (element.isTensor())
      element = Entity::ofTensor(op.getResult(next++));
  return Entity::ofTuple(std::move(elements), result.tuple->names);
}

/// The tensor arguments of the call whose body is about to be walked.
SmallVector<Elaborator::GradientArgument> Elaborator::gradientArguments(const CallableDecl *decl) {
  SmallVector<GradientArgument> arguments;
  for (const Parameter &param : decl->params)
    if (Binding *binding = scope->find(param.name.text); binding && isDifferentiable(binding->entity))
      arguments.push_back({param.name.text, binding->entity.value});
  return arguments;
}

} // namespace dlc::frontend
