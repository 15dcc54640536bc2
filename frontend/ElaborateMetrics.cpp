// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Metrics, whose accumulators are states of the entry that calls them, and what an entry reports.

#include "frontend/Elaborator.h"

namespace dlc::frontend {

Entity Elaborator::callMetric(const CallableDecl *decl, std::vector<Arg> &args, const CallExpr *call,
                              const NameHint &hint) {
  StringRef name = decl->name.text;
  bool isPlace =
      !frame->caller && (entry->decl->kind == DeclKind::Train || entry->decl->kind == DeclKind::Eval);
  if (!isPlace || inScan()) {
    error(call->range, name + " is a metric: it is called in a train or eval entry, outside of scans");
    return Entity::poison();
  }
  Frame callee;
  callee.decl = decl;
  callee.caller = frame;
  callee.callRange = call->range;
  callee.path = hint.kind == NameHint::Kind::Name ? hint.name.str() : name.str();
  if (unsigned uses = entry->metricNames[callee.path]++)
    callee.path += "_" + std::to_string(uses);
  callee.locationName = callee.path;
  Scope body;
  Restore<Frame *> inFrame(frame, &callee);
  Restore<Scope *> inScope(scope, &body);
  if (!bindArguments(decl, args, call->range))
    return Entity::poison();
  Entity result = runBody(decl);
  if (result.kind == Entity::Kind::None) {
    error(call->range, name + " has no finish: a metric needs a value");
    return Entity::poison();
  }
  if (result.isNumeric() && !result.isTensor())
    result = Entity::ofTensor(toValue(result, Float32Type::get(&context)));
  return result;
}

void Elaborator::elaborateAccumulate(const StateStmt *stmt) {
  StringRef owner = entry->decl->name.text;
  for (const Declarator &variable : stmt->variables) {
    Binding binding;
    binding.kind = Binding::Kind::State;
    binding.state = (owner + "." + frame->path + "." + variable.name.text).str();
    Type element = Float32Type::get(&context);
    dl::TensorType type = tensorOf({}, element);
    if (auto *declared = llvm::dyn_cast_or_null<TensorType>(variable.type)) {
      type = evaluateType(declared);
    } else if (variable.type) {
      error(variable.type->range,
            "an accumulator is a run-time value, such as f32, got " + sources.text(variable.type->range));
      type = {};
    }
    for (dl::PolynomialAttr size : type ? type.getShape() : ArrayRef<dl::PolynomialAttr>()) {
      if (size.isConstant())
        continue;
      error(variable.range, "accumulator " + variable.name.text + " is " + describe(type) +
                                ", but its size must be known at compile time");
      type = {};
      break;
    }
    Entity initial = elaborate(variable.init);
    if (type && !initial.isPoison()) {
      if (!initial.isNumber()) {
        error(variable.init->range,
              "an accumulator starts at a number that is known at compile time, got " + describe(initial));
      } else if (element = type.getElementType();
                 !fits(initial, element) || (!isa<FloatType>(element) && initial.isFloat())) {
        error(variable.init->range, describe(initial) + " does not fit " + describe(type));
      } else if (!isa<FloatType>(element) && !isExactDouble(*initial.integer.getConstantValue())) {
        error(variable.init->range,
              "an accumulator of integers starts at most 2^53 away from 0, got " + describe(initial));
      } else {
        TypedAttr value =
            isa<FloatType>(element)
                ? TypedAttr(builder.getFloatAttr(element, initial.asDouble()))
                : TypedAttr(builder.getIntegerAttr(element, static_cast<int64_t>(initial.asDouble())));
        createState(dl::StateRole::Metric, binding.state, type, value, owner, "", variable.range);
        currentLocation = locate(variable.range);
        binding.entity = loadState(binding.state, type);
        entry->accumulated.insert(binding.entity.value);
      }
    }
    bind(variable.name, std::move(binding));
  }
}

//===----------------------------------------------------------------------===//
// report
//===----------------------------------------------------------------------===//

/// Where a reported value comes from: whether from accumulators, and whether from this step's batch
/// otherwise.
static std::pair<bool, bool> sourcesOf(Value value, const EntryContext &entry) {
  bool isAccumulated = false, isOfBatch = false;
  SmallVector<Value> work{value};
  llvm::DenseSet<Value> seen;
  while (!work.empty()) {
    Value at = work.pop_back_val();
    if (!seen.insert(at).second)
      continue;
    if (entry.accumulated.contains(at)) {
      isAccumulated = true;
      continue;
    }
    Operation *op = at.getDefiningOp();
    if (!op || isa<dl::LoadStateOp>(op)) {
      isOfBatch |= op || isa<func::FuncOp>(at.getParentBlock()->getParentOp());
      continue;
    }
    llvm::append_range(work, op->getOperands());
    op->walk([&](Operation *inner) { llvm::append_range(work, inner->getOperands()); });
  }
  return {isAccumulated, isOfBatch};
}

void Elaborator::elaborateReport(const ReportStmt *stmt) {
  if (inScan()) {
    error(stmt->range, "report cannot stand in a scan");
    return;
  }
  for (const Argument &item : stmt->items) {
    NameHint hint;
    StringRef name = item.name.text;
    if (item.name)
      hint = {NameHint::Kind::Name, name};
    Entity value = elaborate(item.value, hint);
    if (!item.name) {
      auto *call = llvm::dyn_cast<CallExpr>(item.value);
      auto *source = llvm::dyn_cast<NameExpr>(call ? call->callee : item.value);
      if (!source) {
        error(item.range, "this report needs a name").note("name it", {}, "report NAME = …");
        continue;
      }
      name = source->name;
    }
    if (value.isPoison())
      continue;
    bool isScalar = value.isTensor() ? value.tensorType().isScalar() : value.isNumeric();
    if (!isScalar) {
      Diagnostic &diag =
          error(item.value->range, "report " + name + " needs a scalar, got " + describe(value));
      if (value.isTensor())
        diag.note("mean(x) or sum(x) makes one");
      continue;
    }
    currentLocation = locate(item.range);
    Type f32 = Float32Type::get(&context);
    Value result = toValue(value, f32);
    if (llvm::cast<dl::TensorType>(result.getType()).getElementType() != f32)
      result = emit<dl::CastOp>(tensorOf({}, f32), result);
    auto [isMetric, isOfBatch] = sourcesOf(result, *entry);
    if (isMetric && isOfBatch) {
      error(item.value->range,
            "report " + name + " mixes what a metric has accumulated with values of one batch")
          .note("report both, or accumulate the second in a metric, too");
      continue;
    }
    entry->results.push_back({name.str(), result, isMetric, true, item.range});
  }
}

} // namespace dlc::frontend
