// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// scan: a loop at run time over one dimension of its sequences.

#include "frontend/Elaborator.h"

namespace dlc::frontend {

/// The axis that a name denotes in a declared type, from the front, or from the back behind `...`; nothing if
/// the type has it twice.
static std::optional<int64_t> findAxis(const TypeExpr *type, StringRef name, int64_t rank) {
  auto *tensor = llvm::dyn_cast_or_null<TensorType>(type);
  if (!tensor)
    return std::nullopt;
  bool isBehindPack = false;
  std::optional<int64_t> found;
  for (auto [axis, dim] : llvm::enumerate(tensor->dims)) {
    isBehindPack |= dim.isEllipsis();
    auto *dimName = dim.size ? llvm::dyn_cast<NameExpr>(dim.size) : nullptr;
    if (!dimName || dimName->name != name)
      continue;
    if (found)
      return std::nullopt;
    found =
        isBehindPack ? rank - static_cast<int64_t>(tensor->dims.size() - axis) : static_cast<int64_t>(axis);
  }
  return found;
}

std::optional<int64_t> Elaborator::scanAxis(const ScanExpr *scan, const ScanInput &input,
                                            dl::TensorType type) {
  int64_t rank = type.getRank();
  std::string sequence = sources.text(input.sequence->range).str();
  Entity over = elaborate(scan->over);
  if (over.isPoison())
    return std::nullopt;
  if (scan->overIsAxis) {
    std::optional<int64_t> axis = over.isInteger() ? over.integer.getConstantValue() : std::nullopt;
    if (axis && *axis < 0)
      *axis += rank;
    if (axis && *axis >= 0 && *axis < rank)
      return axis;
    error(scan->over->range,
          "expected an axis of " + llvm::Twine(sequence) + ", " + describe(type) + ", got " + describe(over));
    return std::nullopt;
  }
  if (!over.isInteger()) {
    error(scan->over->range, "expected a dimension of " + llvm::Twine(sequence) + ", " + describe(type) +
                                 ", got " + describe(over));
    return std::nullopt;
  }
  // A name that the declared type of the sequence has says which axis, whatever the sizes are.
  auto *overName = llvm::dyn_cast<NameExpr>(scan->over);
  auto *sequenceName = llvm::dyn_cast<NameExpr>(input.sequence);
  if (overName && sequenceName)
    if (Binding *binding = scope->find(sequenceName->name))
      if (std::optional<int64_t> axis = findAxis(binding->type, overName->name, rank))
        return axis;
  std::optional<int64_t> found;
  for (int64_t axis = 0; axis < rank; ++axis) {
    if (type.getDim(axis) != over.integer)
      continue;
    if (found) {
      error(scan->over->range, "two axes of " + llvm::Twine(sequence) + ", " + describe(type) +
                                   ", have size " + dl::toString(over.integer))
          .note("name the axis instead", {}, "over axis=" + llvm::Twine(*found));
      return std::nullopt;
    }
    found = axis;
  }
  if (!found)
    error(scan->over->range, "no axis of " + llvm::Twine(sequence) + ", " + describe(type) + ", has size " +
                                 (overName ? overName->name + " = " : llvm::Twine()) +
                                 dl::toString(over.integer));
  return found;
}

/// Sequences, their axes and the number of steps.
bool Elaborator::elaborateScanInputs(const ScanExpr *expr, ScanOperands &operands) {
  bool isGood = true;
  for (const ScanInput &input : expr->inputs) {
    Entity sequence = elaborate(input.sequence);
    if (!sequence.isTensor()) {
      if (!sequence.isPoison())
        error(input.sequence->range, "a scan's sequence is a tensor, got " + describe(sequence));
      isGood = false;
      continue;
    }
    std::optional<int64_t> axis = scanAxis(expr, input, sequence.tensorType());
    if (!axis) {
      isGood = false;
      continue;
    }
    dl::PolynomialAttr size = sequence.tensorType().getDim(*axis);
    if (operands.count && size != operands.count) {
      error(input.sequence->range, "this sequence has " + llvm::Twine(dl::toString(size)) +
                                       " steps, the first one has " + dl::toString(operands.count))
          .note("the first sequence is here", expr->inputs.front().sequence->range);
      isGood = false;
    }
    if (!operands.count)
      operands.count = size;
    operands.xs.push_back(sequence.value);
    operands.axes.push_back(*axis);
  }
  if (expr->inputs.empty() && expr->overIsAxis) {
    error(expr->over->range, "over axis= needs a sequence, such as scan step in x over axis=0")
        .note("over 3 makes three steps");
    isGood = false;
  } else if (expr->inputs.empty()) {
    std::optional<dl::PolynomialAttr> steps = evaluateDimension(expr->over);
    isGood &= steps.has_value();
    operands.count = steps.value_or(poly(0));
  }
  return isGood;
}

/// What the carries start as.
bool Elaborator::elaborateScanCarries(const ScanExpr *expr, ScanOperands &operands) {
  bool isGood = true;
  for (const Declarator &carry : expr->carries) {
    Entity init = elaborate(carry.init);
    if (carry.type)
      init = checkDeclaredType(init, carry.type, carry.init->range, "carry " + carry.name.text);
    else if (!init.isTensor())
      init =
          convertToElement(init, Float32Type::get(&context), carry.init->range, "carry " + carry.name.text);
    isGood &= init.isTensor();
    operands.inits.push_back(init.isTensor() ? init.value : Value());
  }
  return isGood;
}

/// The carries as a step leaves them, then what it yields, if anything; nothing after an error.
std::optional<SmallVector<Value>> Elaborator::elaborateScanBody(const ScanExpr *expr, dl::ScanOp draft) {
  Scope inner(scope);
  inner.isScanBody = true;
  Restore<Scope *> inScope(scope, &inner);
  std::optional<Entity> noYield;
  Restore<std::optional<Entity>> yielding(yielded, noYield);
  entry->scans.push_back(draft);
  for (auto [position, input] : llvm::enumerate(expr->inputs)) {
    Binding binding;
    binding.entity = Entity::ofTensor(draft.getSlices()[position]);
    bind(input.name, std::move(binding));
  }
  for (auto [position, carry] : llvm::enumerate(expr->carries)) {
    Binding binding;
    binding.kind = Binding::Kind::Var;
    binding.entity = Entity::ofTensor(draft.getCarries()[position]);
    binding.type = carry.type;
    bind(carry.name, std::move(binding));
  }
  elaborateBlock(expr->body);
  currentLocation = draft.getLoc();

  bool isGood = true;
  SmallVector<Value> yields;
  for (auto [position, carry] : llvm::enumerate(expr->carries)) {
    Entity &last = inner.names[carry.name.text].entity;
    auto type = llvm::cast<dl::TensorType>(draft.getInits()[position].getType());
    if (!last.isTensor() && !last.isPoison())
      last = convertToElement(last, type.getElementType(), carry.range, "carry " + carry.name.text);
    isGood &= last.isTensor();
    if (!last.isTensor())
      continue;
    if (last.tensorType() != type) {
      error(carry.range, "carry " + carry.name.text + " starts as " + describe(type) +
                             ", but a step leaves " + describe(last.tensorType()))
          .note("a carry keeps its type; give it the shape of what the step computes");
      isGood = false;
    }
    yields.push_back(last.value);
  }
  if (yielded && yielded->isNumeric() && !yielded->isTensor())
    yielded = Entity::ofTensor(toValue(*yielded, Float32Type::get(&context)));
  if (yielded && yielded->isTensor()) {
    yields.push_back(yielded->value);
  } else if (yielded) {
    if (!yielded->isPoison())
      error(yieldRange, "a scan yields a tensor, got " + describe(*yielded));
    isGood = false;
  }
  entry->scans.pop_back();
  return isGood ? std::optional(std::move(yields)) : std::nullopt;
}

Entity Elaborator::elaborateScan(const ScanExpr *expr) {
  ScanOperands operands;
  bool isGood = elaborateScanInputs(expr, operands);
  isGood &= elaborateScanCarries(expr, operands);
  auto poison = [&] {
    for (const Declarator &carry : expr->carries)
      bind(carry.name, Binding());
    return Entity::poison();
  };
  if (!isGood)
    return poison();

  // The operation is made before its body, so that states read inside are loaded in front of it; its results
  // are known at the end, when the final operation takes the body over.
  Location location = locate(expr->range);
  SmallVector<Type> finals = llvm::to_vector(ValueRange(operands.inits).getTypes());
  auto makeScan = [&](ArrayRef<Type> stacks, ArrayRef<int64_t> stackAxes) {
    return dl::ScanOp::create(builder, location, finals, TypeRange(stacks), operands.count, operands.xs,
                              operands.inits, ArrayRef<int64_t>(operands.axes), stackAxes, expr->isReverse);
  };
  dl::ScanOp draft = makeScan({}, {});
  mlir::Block *body = builder.createBlock(&draft.getBody());
  body->addArgument(counterType(), location);
  for (auto [x, axis] : llvm::zip(operands.xs, operands.axes))
    body->addArgument(llvm::cast<dl::TensorType>(x.getType()).dropAxes(axis), location);
  for (Value init : operands.inits)
    body->addArgument(init.getType(), location);
  std::optional<SmallVector<Value>> yields = elaborateScanBody(expr, draft);
  if (!yields) {
    builder.setInsertionPointAfter(draft); // the module is not going to be used
    return poison();
  }

  // Yielded elements are stacked along the axis of the first sequence, or the last one if they have fewer
  // dimensions.
  SmallVector<Type> stackTypes;
  SmallVector<int64_t> stackAxes;
  if (yields->size() > operands.inits.size()) {
    auto element = llvm::cast<dl::TensorType>(yields->back().getType());
    int64_t axis = operands.axes.empty() ? 0 : std::min(operands.axes.front(), element.getRank());
    SmallVector<dl::PolynomialAttr> shape(element.getShape());
    shape.insert(shape.begin() + axis, operands.count);
    stackTypes.push_back(element.withShape(shape));
    stackAxes.push_back(axis);
  }
  builder.setInsertionPoint(draft);
  dl::ScanOp scan = makeScan(stackTypes, stackAxes);
  scan.getBody().takeBody(draft.getBody());
  builder.setInsertionPointToEnd(&scan.getBody().front());
  dl::YieldOp::create(builder, location, *yields);
  draft.erase();
  builder.setInsertionPointAfter(scan);
  for (auto [position, carry] : llvm::enumerate(expr->carries)) {
    Binding binding;
    binding.entity = Entity::ofTensor(scan.getFinals()[position]);
    binding.type = carry.type;
    bind(carry.name, std::move(binding));
  }
  return stackTypes.empty() ? Entity::none() : Entity::ofTensor(scan.getStacks().front());
}

} // namespace dlc::frontend
