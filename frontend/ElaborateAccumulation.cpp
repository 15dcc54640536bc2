// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `minimize … every k`: gradients add up in a state of each parameter. What clips and updates sees the mean
// of those since the last update; in the last of k steps what it makes is kept.

#include "frontend/Elaborator.h"

namespace dlc::frontend {

/// False after an error. `every 1` is as if it was not there: no accumulation.
bool Elaborator::elaborateEvery(const Expr *expr, std::optional<Accumulation> &out_accumulation) {
  Entity steps = elaborate(expr);
  if (steps.isPoison())
    return false;
  std::optional<int64_t> count;
  if (steps.isConstantInteger())
    count = steps.integer.getConstantValue();
  if (!count || *count < 1) {
    error(expr->range, "every needs a number of steps, an int of at least 1, got " + describe(steps));
    return false;
  }
  if (*count == 1)
    return true;
  currentLocation = locate(expr->range);
  dl::TensorType type = counterType();
  Value length = constantInteger(type, *count), one = constantInteger(type, 1);
  Value before = emit<dl::SubOp>(type, loadIteration(), one);
  Accumulation step;
  step.position = emit<dl::RemOp>(type, before, length);
  step.updates = emit<dl::AddOp>(type, emit<dl::DivOp>(type, before, length), one);
  step.isLast = emit<dl::CompareOp>(dl::Predicate::Eq, step.position, constantInteger(type, *count - 1));
  out_accumulation = step;
  return true;
}

/// Replaces each gradient by the mean since the last update. False after an error.
bool Elaborator::accumulateGradients(const Accumulation &step, ArrayRef<unsigned> ofParameters,
                                     MutableArrayRef<Value> gradients, SourceRange range) {
  StringRef owner = entry->decl->name.text;
  Value count = emit<dl::AddOp>(counterType(), step.position, constantInteger(counterType(), 1));
  for (auto [parameter, gradient] : llvm::zip(ofParameters, gradients)) {
    const ParameterInfo &info = parameters[parameter];
    std::string state = (owner + "." + info.name + ".gradient").str();
    if (stateOps.contains(state)) {
      error(range, info.name + " has its gradient from another minimize of " + owner)
          .note("one minimize updates it: minimize … over names those that are meant");
      return false;
    }
    // Narrow types hold neither a large sum nor a large count.
    Type element = info.type.getElementType();
    dl::TensorType type = info.type;
    if (element.getIntOrFloatBitWidth() < 32)
      type = type.withElementType(Float32Type::get(&context));
    createState(dl::StateRole::Optimizer, state, type, {}, owner, info.name, range);
    auto zeros = [&] { return broadcastTo(toRankZero(integer(0), type.getElementType()), type.getShape()); };
    {
      OpBuilder::InsertionGuard guard(builder);
      Restore<EntryContext *> inInit(entry, &initEntry);
      builder.setInsertionPointToEnd(&initEntry.func.getBody().front());
      setInitial(state, zeros());
    }
    if (type != info.type)
      gradient = emit<dl::CastOp>(type, gradient);
    Value sum = emit<dl::AddOp>(type, loadState(state, type).value, gradient);
    Value divisor = emit<dl::CastOp>(tensorOf({}, type.getElementType()), count);
    gradient = emit<dl::DivOp>(type, sum, broadcastTo(divisor, type.getShape()));
    if (type != info.type)
      gradient = emit<dl::CastOp>(info.type, gradient);
    storeState(state, whereLast(step, zeros(), sum));
  }
  return true;
}

/// What a parameter or a state of its optimizer is after this step.
Value Elaborator::whereLast(const Accumulation &step, Value updated, Value old) {
  auto type = llvm::cast<dl::TensorType>(old.getType());
  return emit<dl::SelectOp>(type, broadcastTo(step.isLast, type.getShape()), updated, old);
}

} // namespace dlc::frontend
