// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dl-differentiate. For each request, in program order:
//   1. Activity: which values depend on `wrt` through operations that a gradient flows through.
//   2. The loss gets the gradient 1; the operations before the request are visited in reverse, and each whose
//      result has a gradient passes it to its active operands by its rule.
//   3. The gradients of `wrt` replace the request's results.
// After the last request dl.stop_gradient has served its purpose and goes.
// (Griewank, Walther: Evaluating Derivatives, 2nd edition, chapter 3.)

#include "compiler/Autodiff/Autodiff.h"
#include "compiler/Autodiff/Rules.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/StringSwitch.h"

namespace dlc::autodiff {

using namespace mlir;

//===----------------------------------------------------------------------===//
// Gradients: sums of contributions, and formulas
//===----------------------------------------------------------------------===//

void Gradients::add(Value value, Value contribution) {
  if (!isActive(value))
    return;
  assert(value.getType() == contribution.getType() && "a gradient has the type of its value");
  Value &total = sums[value];
  total = total ? sum(total, contribution) : contribution;
}

void Gradients::flow(Value value, llvm::function_ref<Value()> formula) {
  if (isActive(value))
    add(value, formula());
}

void Gradients::move(Value from, Value to) {
  if (active.erase(from))
    active.insert(to);
  if (Value total = sums.lookup(from)) {
    sums.erase(from);
    sums[to] = total;
  }
}

Value Gradients::sum(Value a, Value b) {
  return dl::AddOp::create(builder, a, b);
}
Value Gradients::difference(Value a, Value b) {
  return dl::SubOp::create(builder, a, b);
}
Value Gradients::product(Value a, Value b) {
  return dl::MulOp::create(builder, a, b);
}
Value Gradients::quotient(Value a, Value b) {
  return dl::DivOp::create(builder, a, b);
}
Value Gradients::negative(Value x) {
  return dl::NegOp::create(builder, x);
}
Value Gradients::compare(dl::Predicate predicate, Value a, Value b) {
  return dl::CompareOp::create(builder, predicate, a, b);
}
Value Gradients::select(Value condition, Value a, Value b) {
  return dl::SelectOp::create(builder, cast<dl::TensorType>(a.getType()), condition, a, b);
}
Value Gradients::constant(dl::TensorType type, double value) {
  return dl::ConstantOp::create(builder, type, value);
}
Value Gradients::constant(Value like, double value) {
  return constant(cast<dl::TensorType>(like.getType()), value);
}
Value Gradients::broadcast(Value operand, ArrayRef<int64_t> axes, dl::TensorType type) {
  return dl::BroadcastOp::create(builder, type, operand, axes);
}

//===----------------------------------------------------------------------===//
// What is differentiable
//===----------------------------------------------------------------------===//

const RuleTable &RuleTable::get() {
  static const RuleTable table = [] {
    RuleTable rules;
    addElementwiseRules(rules);
    addShapeRules(rules);
    addIndexRules(rules);
    addContractionRules(rules);
    addReductionRules(rules);
    return rules;
  }();
  return table;
}

bool isDifferentiable(OperationName name) {
  return name.getStringRef() == dl::ScanOp::getOperationName() ||
         name.getStringRef() == dl::CustomGradientOp::getOperationName() || RuleTable::get().find(name);
}

StringRef reasonNotDifferentiable(OperationName name) {
  return llvm::StringSwitch<StringRef>(name.getStringRef())
      .Cases({"dl.constant", "dl.dim", "dl.iota", "dl.random", "dl.random_key", "dl.load_state"},
             "it has no operands to pass to")
      .Cases({"dl.compare", "dl.and", "dl.or", "dl.not", "dl.argmax", "dl.argsort"},
             "its result is not a real number")
      .Case("dl.floor", "it is constant between its steps")
      .Case("dl.stop_gradient", "it is there to stop gradients")
      .Cases({"dl.state", "dl.store_state", "dl.yield"}, "it has no result")
      .Case("dl.gradient", "it is expanded before a gradient that needs it")
      .Case("dl.dispatch", "dispatches are formed after differentiation")
      .Default("");
}

namespace {

//===----------------------------------------------------------------------===//
// Activity
//===----------------------------------------------------------------------===//

class ActivityAnalysis {
public:
  explicit ActivityAnalysis(llvm::DenseSet<Value> &active) : active(active) {}

  LogicalResult visit(Operation *op) {
    if (auto scan = dyn_cast<dl::ScanOp>(op))
      return visitScan(scan);
    if (auto custom = dyn_cast<dl::CustomGradientOp>(op)) {
      // Only what its body has gradients for counts.
      if (llvm::any_of(custom.getArgs(), [&](Value operand) { return active.contains(operand); }))
        activateResults(op);
      return success();
    }
    if (llvm::none_of(op->getOperands(), [&](Value operand) { return active.contains(operand); }))
      return success();
    if (isDifferentiable(op->getName())) {
      activateResults(op);
      return success();
    }
    bool stopsByDefinition =
        !reasonNotDifferentiable(op->getName()).empty() && !isa<dl::DispatchOp, dl::GradientOp>(op);
    if (stopsByDefinition || op->getNumResults() == 0)
      return success();
    InFlightDiagnostic diagnostic = op->emitError("no gradient flows through ") << op->getName();
    if (StringRef reason = reasonNotDifferentiable(op->getName()); !reason.empty())
      diagnostic << ": " << reason;
    return diagnostic;
  }

private:
  void activateResults(Operation *op) {
    for (Value result : op->getResults())
      activate(result);
  }

  bool activate(Value value) { return hasGradientType(value) && active.insert(value).second; }

  /// A carry is active when its initial or its next value is: iterates until nothing is added.
  LogicalResult visitScan(dl::ScanOp scan) {
    auto yielded = scan.getBody().front().getTerminator()->getOperands();
    for (auto [x, slice] : llvm::zip(scan.getXs(), scan.getSlices()))
      if (active.contains(x))
        activate(slice);
    for (bool changed = true; changed;) {
      changed = false;
      for (auto [j, carry] : llvm::enumerate(scan.getCarries()))
        if (active.contains(scan.getInits()[j]) || active.contains(yielded[j]))
          changed |= activate(carry);
      for (Operation &op : scan.getBody().front().without_terminator())
        if (failed(visit(&op)))
          return failure();
      for (auto [j, carry] : llvm::enumerate(scan.getCarries()))
        changed |= active.contains(yielded[j]) && !active.contains(carry);
    }
    for (auto [j, final] : llvm::enumerate(scan.getFinals()))
      if (active.contains(scan.getCarries()[j]))
        activate(final);
    for (auto [l, stack] : llvm::enumerate(scan.getStacks()))
      if (active.contains(yielded[scan.getCarries().size() + l]))
        activate(stack);
    return success();
  }

  llvm::DenseSet<Value> &active;
};

} // namespace

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// r = values, dargs = body(dr, captures): the body takes the place of the rule.
static void differentiateCustom(dl::CustomGradientOp op, Gradients &gradients) {
  IRMapping mapping;
  Block &body = op.getBody().front();
  for (auto [result, argument] : llvm::zip(op.getOutputs(), body.getArguments())) {
    Value gradient = gradients.get(result);
    mapping.map(argument, gradient ? gradient : gradients.constant(result, 0));
  }
  for (auto [capture, argument] :
       llvm::zip_equal(op.getCaptures(), body.getArguments().drop_front(op.getNumResults())))
    mapping.map(argument, capture);
  for (Operation &inner : body.without_terminator())
    gradients.builder.clone(inner, mapping);
  for (auto [argument, gradient] : llvm::zip_equal(op.getArgs(), body.getTerminator()->getOperands()))
    gradients.add(argument, mapping.lookupOrDefault(gradient));
}

void differentiate(ArrayRef<Operation *> operations, Gradients &gradients) {
  for (Operation *op : llvm::reverse(operations)) {
    if (llvm::none_of(op->getResults(), [&](Value result) { return gradients.get(result); }))
      continue;
    gradients.builder.setLoc(op->getLoc());
    if (auto scan = dyn_cast<dl::ScanOp>(op)) {
      differentiateScan(scan, gradients);
      continue;
    }
    if (auto custom = dyn_cast<dl::CustomGradientOp>(op)) {
      differentiateCustom(custom, gradients);
      continue;
    }
    // Without a rule only `wrt` itself has a gradient: a parameter is the result of a dl.load_state.
    if (const RuleTable::Rule *rule = RuleTable::get().find(op->getName()))
      (*rule)(op, gradients.get(op->getResult(0)), gradients);
  }
}

#define GEN_PASS_DEF_DIFFERENTIATEPASS
#include "compiler/Autodiff/Passes.h.inc"

namespace {

/// The scans around a request, the outermost first.
SmallVector<dl::ScanOp> scansAround(dl::GradientOp request) {
  SmallVector<dl::ScanOp> scans;
  for (auto scan = dyn_cast<dl::ScanOp>(request->getParentOp()); scan;
       scan = dyn_cast<dl::ScanOp>(scan->getParentOp()))
    scans.insert(scans.begin(), scan);
  return scans;
}

/// Whether a value of a scan's body is computed, by whatever operations, from one of `sources`.
bool dependsOn(Value value, const llvm::DenseSet<Value> &sources, llvm::DenseSet<Value> &seen) {
  if (sources.contains(value))
    return true;
  Operation *op = value.getDefiningOp();
  if (!op || isa<dl::StopGradientOp>(op) || !seen.insert(value).second)
    return false;
  bool depends = false;
  op->walk([&](Operation *nested) {
    for (Value operand : nested->getOperands())
      depends |= dependsOn(operand, sources, seen);
  });
  return depends;
}

/// The slices and carries of a scan that other iterations, or the tensors it runs over, connect with values
/// outside of it that are active.
SmallVector<Value> entangled(dl::ScanOp scan, const llvm::DenseSet<Value> &activeOutside) {
  llvm::DenseSet<Value> sources = activeOutside;
  SmallVector<Value> found;
  auto add = [&](Value value) {
    bool isNew = hasGradientType(value) && sources.insert(value).second;
    if (isNew)
      found.push_back(value);
    return isNew;
  };
  for (auto [x, slice] : llvm::zip(scan.getXs(), scan.getSlices()))
    if (activeOutside.contains(x))
      add(slice);
  auto yielded = scan.getBody().front().getTerminator()->getOperands();
  for (bool changed = true; changed;) {
    changed = false;
    for (auto [j, carry] : llvm::enumerate(scan.getCarries())) {
      llvm::DenseSet<Value> seen;
      if (activeOutside.contains(scan.getInits()[j]) || dependsOn(yielded[j], sources, seen))
        changed |= add(carry);
    }
  }
  return found;
}

/// The operations that a request's gradients may flow through: those before it, in its block and in those
/// around it. Makes what depends on `wrt` active. `around`: what connects an iteration of the scans around it
/// with such values, which no gradient may reach: it would have to flow through other iterations.
LogicalResult findOperations(dl::GradientOp request, llvm::DenseSet<Value> &active,
                             SmallVectorImpl<Operation *> &operations, SmallVectorImpl<Value> &around) {
  SmallVector<Operation *> ends;
  for (dl::ScanOp scan : scansAround(request))
    ends.push_back(scan);
  ends.push_back(request);
  for (Operation *end : ends) {
    // Values of the body that are asked for do not act on what is outside.
    for (Value value : request.getWrt())
      if (value.getParentBlock() == end->getBlock())
        active.insert(value);
    ActivityAnalysis activity(active);
    for (Operation &op : end->getBlock()->getOperations()) {
      if (&op == end)
        break;
      operations.push_back(&op);
      if (failed(activity.visit(&op)))
        return failure();
    }
    if (end == request)
      break;
    SmallVector<Value> connected = entangled(cast<dl::ScanOp>(end), active);
    active.insert(connected.begin(), connected.end());
    llvm::append_range(around, connected);
  }
  return success();
}

LogicalResult expand(dl::GradientOp request) {
  SmallVector<Operation *> operations;
  SmallVector<Value> around;
  llvm::DenseSet<Value> active;
  if (failed(findOperations(request, active, operations, around)))
    return failure();

  ImplicitLocOpBuilder builder(request.getLoc(), request);
  Gradients gradients(builder, active);
  if (gradients.isActive(request.getLoss())) {
    gradients.add(request.getLoss(), gradients.constant(request.getLoss(), 1));
    differentiate(operations, gradients);
  }
  for (Value value : around)
    if (gradients.get(value))
      return request.emitError(
          "not supported: the gradient flows through other iterations of the scan around "
          "it, by a carry or a slice that the loss depends on; take it behind the scan, or "
          "compute the loss from this iteration alone, or use stop_gradient");
  builder.setLoc(request.getLoc());
  for (auto [wrt, result] : llvm::zip(request.getWrt(), request.getGradients())) {
    Value gradient = gradients.get(wrt);
    result.replaceAllUsesWith(gradient ? gradient : gradients.constant(wrt, 0));
  }
  request.erase();
  return success();
}

struct DifferentiatePass : impl::DifferentiatePassBase<DifferentiatePass> {
  void runOnOperation() override {
    SmallVector<dl::GradientOp> requests;
    getOperation()->walk<WalkOrder::PreOrder>([&](dl::GradientOp op) { requests.push_back(op); });
    for (dl::GradientOp request : requests)
      if (failed(expand(request)))
        return signalPassFailure();
    // No request is left that could see them: what follows need not know them.
    getOperation()->walk([](Operation *op) {
      if (auto stop = dyn_cast<dl::StopGradientOp>(op))
        stop.replaceAllUsesWith(stop.getOperand());
      else if (auto custom = dyn_cast<dl::CustomGradientOp>(op))
        custom.replaceAllUsesWith(custom.getValues());
      else
        return;
      op->erase();
    });
  }
  void getDependentDialects(DialectRegistry &registry) const override { registry.insert<dl::DlDialect>(); }
};

} // namespace

void registerAutodiffPasses() {
  registerPass([] { return createDifferentiatePass(); });
  registerPass([] { return createHoistScanAccumulationsPass(); });
}

} // namespace dlc::autodiff
