// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks a function and evaluates it: states, scans, dispatches and gradients here, everything else by the
// rules of its family.

#include "compiler/Reference/Evaluator.h"

#include "compiler/Reference/Rules.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <limits>

namespace dlc::reference {

using namespace mlir;

namespace {

/// Values by SSA value. Copies share the tensors.
using Environment = llvm::DenseMap<Value, std::shared_ptr<const Tensor>>;

class Evaluator {
public:
  Evaluator(States &states, const Symbols &symbols) : states(states), symbols(symbols) {}

  /// Evaluates the operations of `block` up to its terminator; the values are added to `environment`.
  LogicalResult evaluateBlock(Block &block, Environment &environment) {
    for (Operation &op : block.without_terminator())
      if (failed(evaluateOp(&op, environment)))
        return failure();
    return success();
  }

  static const Tensor &get(const Environment &environment, Value value) {
    auto found = environment.find(value);
    assert(found != environment.end() && "operand evaluated before its use");
    return *found->second;
  }

  static void set(Environment &environment, Value value, Tensor tensor) {
    environment[value] = std::make_shared<const Tensor>(std::move(tensor));
  }

  /// The concrete shape of a type; a diagnostic at `op` when a symbol has no value.
  FailureOr<Tensor> zeros(Operation *op, Type type) {
    auto tensorType = cast<dl::TensorType>(type);
    Shape shape;
    for (dl::PolynomialAttr size : tensorType.getShape()) {
      FailureOr<int64_t> value = sizeOf(op, size);
      if (failed(value))
        return failure();
      shape.push_back(*value);
    }
    return Tensor(tensorType.getElementType(), shape);
  }

private:
  FailureOr<int64_t> sizeOf(Operation *op, dl::PolynomialAttr polynomial) {
    std::optional<int64_t> value = dl::evaluate(polynomial, [&](StringRef name) -> std::optional<int64_t> {
      auto found = symbols.find(name);
      return found == symbols.end() ? std::nullopt : std::optional(found->second);
    });
    if (!value)
      return op->emitError("no value is given for a symbol in ") << dl::toString(polynomial);
    return *value;
  }

  LogicalResult evaluateOp(Operation *op, Environment &environment) {
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case([&](dl::LoadStateOp load) { return evaluateLoad(load, environment); })
        .Case([&](dl::StoreStateOp store) {
          states[store.getState()] = get(environment, store.getValue());
          return success();
        })
        .Case([&](dl::ScanOp scan) { return evaluateScan(scan, environment); })
        .Case([&](dl::DispatchOp dispatch) { return evaluateDispatch(dispatch, environment); })
        .Case([&](dl::GradientOp gradient) { return evaluateGradient(gradient, environment); })
        .Case([&](dl::CustomGradientOp custom) {
          for (auto [value, result] : llvm::zip(custom.getValues(), custom.getOutputs()))
            set(environment, result, get(environment, value));
          return success();
        })
        .Default([&](Operation *) { return evaluatePure(op, environment); });
  }

  /// An operation with one result and no region.
  LogicalResult evaluatePure(Operation *op, Environment &environment) {
    if (!isa_and_nonnull<dl::DlDialect>(op->getDialect()) || op->getNumResults() != 1)
      return op->emitError("the reference evaluates dl operations only");
    SmallVector<const Tensor *> operands;
    for (Value operand : op->getOperands())
      operands.push_back(&get(environment, operand));
    FailureOr<Tensor> result = zeros(op, op->getResult(0).getType());
    if (failed(result))
      return failure();
    bool hasSizes = true;
    auto size = [&](dl::PolynomialAttr polynomial) {
      FailureOr<int64_t> value = sizeOf(op, polynomial);
      hasSizes &= succeeded(value);
      return value.value_or(0);
    };
    if (!evaluateElementwise(op, operands, *result) && !evaluateShape(op, operands, size, *result) &&
        !evaluateIndex(op, operands, size, *result) && !evaluateReduction(op, operands, *result) &&
        !evaluateWindowed(op, operands, *result))
      return op->emitError("the reference has no rule for this operation");
    if (!hasSizes)
      return failure();
    set(environment, op->getResult(0), std::move(*result));
    return success();
  }

  LogicalResult evaluateLoad(dl::LoadStateOp load, Environment &environment) {
    auto found = states.find(load.getState());
    if (found != states.end()) {
      set(environment, load.getResult(), found->second);
      return success();
    }
    auto state = SymbolTable::lookupNearestSymbolFrom<dl::StateOp>(load, load.getStateAttr());
    FailureOr<Tensor> initial = zeros(load, load.getType());
    if (failed(initial))
      return failure();
    if (!state || !state.getInitial())
      return load.emitError("no value is given for state ") << load.getState();
    llvm::fill(initial->elements, elementOf(*state.getInitial()));
    set(environment, load.getResult(), std::move(*initial));
    return success();
  }

  LogicalResult evaluateDispatch(dl::DispatchOp dispatch, Environment &environment) {
    Environment inner;
    for (auto [argument, input] : llvm::zip(dispatch.getBody().getArguments(), dispatch.getInputs()))
      inner[argument] = environment.find(input)->second;
    Block &block = dispatch.getBody().front();
    if (failed(evaluateBlock(block, inner)))
      return failure();
    for (auto [output, value] : llvm::zip(dispatch.getOutputs(), block.getTerminator()->getOperands()))
      environment[output] = inner.find(value)->second;
    return success();
  }

  LogicalResult evaluateScan(dl::ScanOp scan, Environment &environment) {
    FailureOr<int64_t> count = sizeOf(scan, scan.getCount());
    if (failed(count))
      return failure();
    SmallVector<Tensor> stacks;
    for (Value stack : scan.getStacks()) {
      FailureOr<Tensor> empty = zeros(scan, stack.getType());
      if (failed(empty))
        return failure();
      stacks.push_back(std::move(*empty));
    }
    Environment inner = environment;
    for (auto [carry, init] : llvm::zip(scan.getCarries(), scan.getInits()))
      inner[carry] = environment.find(init)->second;
    Block &block = scan.getBody().front();
    auto yielded = block.getTerminator()->getOperands();
    size_t numCarries = scan.getCarries().size();
    for (int64_t step = 0; step < *count; ++step) {
      int64_t i = scan.getReverse() ? *count - 1 - step : step;
      Tensor index(IntegerType::get(scan.getContext(), 64), {});
      index.elements[0].integer = i;
      set(inner, scan.getIndex(), std::move(index));
      for (auto [slice, x, axis] : llvm::zip(scan.getSlices(), scan.getXs(), scan.getXsAxes()))
        set(inner, slice, sliceAt(get(environment, x), axis, i));
      if (failed(evaluateBlock(block, inner)))
        return failure();
      SmallVector<std::shared_ptr<const Tensor>> next;
      for (Value value : yielded)
        next.push_back(inner.find(value)->second);
      for (auto [position, carry] : llvm::enumerate(scan.getCarries()))
        inner[carry] = next[position];
      for (auto [position, stack] : llvm::enumerate(stacks))
        insertAt(stack, scan.getStackAxes()[position], i, *next[numCarries + position]);
    }
    for (auto [final, carry] : llvm::zip(scan.getFinals(), scan.getCarries()))
      environment[final] = inner.find(carry)->second;
    for (auto [result, stack] : llvm::zip(scan.getStacks(), stacks))
      set(environment, result, std::move(stack));
    return success();
  }

  /// x with `axis` fixed at i and removed.
  static Tensor sliceAt(const Tensor &x, int64_t axis, int64_t i) {
    Shape shape(x.shape);
    shape.erase(shape.begin() + axis);
    Tensor result(x.elementType, shape);
    forEachIndex(shape, [&](ArrayRef<int64_t> index) {
      Shape source(index);
      source.insert(source.begin() + axis, i);
      result.elements[result.offset(index)] = x.elements[x.offset(source)];
    });
    return result;
  }

  /// The inverse of sliceAt: writes `slice` into `stack` at i.
  static void insertAt(Tensor &stack, int64_t axis, int64_t i, const Tensor &slice) {
    forEachIndex(slice.shape, [&](ArrayRef<int64_t> index) {
      Shape target(index);
      target.insert(target.begin() + axis, i);
      stack.elements[stack.offset(target)] = slice.elements[slice.offset(index)];
    });
  }

  /// By the definition of a gradient: for each element of each value, the loss is evaluated again with the
  /// element moved. D(h) = (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h has an error of O(h^4); where D(h) and
  /// D(h/2) disagree, there is a kink within 2h, and the slope is NaN.
  LogicalResult evaluateGradient(dl::GradientOp gradient, Environment &environment) {
    for (auto [wrt, result] : llvm::zip(gradient.getWrt(), gradient.getGradients())) {
      SmallVector<Operation *> between = operationsBetween(wrt, gradient);
      for (Operation *op : between) {
        bool hidesStop =
            op->walk([](dl::StopGradientOp) { return WalkResult::interrupt(); }).wasInterrupted();
        if (hidesStop)
          return op->emitError("the reference differentiates no loop around dl.stop_gradient");
      }
      const Tensor &x = get(environment, wrt);
      Tensor slope(x.elementType, x.shape);
      for (int64_t i = 0; i < x.size(); ++i) {
        double h = 1e-3 * std::max(1.0, std::fabs(x.real(i)));
        double rise[3]; // f(k h / 2) - f(-k h / 2) for k = 1, 2, 4
        for (int step = 0; step < 3; ++step) {
          double values[2];
          for (int side = 0; side < 2; ++side) {
            Environment moved = environment;
            Tensor shifted = x;
            shifted.elements[i].real += (side ? -h : h) * (1 << step) / 2;
            set(moved, wrt, std::move(shifted));
            for (Operation *op : between)
              if (failed(evaluateOp(op, moved)))
                return failure();
            values[side] = get(moved, gradient.getLoss()).real();
          }
          rise[step] = values[0] - values[1];
        }
        double coarse = (8 * rise[1] - rise[2]) / (12 * h), fine = (8 * rise[0] - rise[1]) / (6 * h);
        bool isKink = std::fabs(coarse - fine) > 1e-8 * std::max(1.0, std::fabs(fine));
        slope.elements[i].real = isKink ? std::numeric_limits<double>::quiet_NaN() : coarse;
      }
      set(environment, result, std::move(slope));
    }
    return success();
  }

  /// What must be evaluated again after a change of `wrt`, in order. The operation that defines `wrt` and
  /// stop_gradient, which is constant by definition, keep their values.
  static SmallVector<Operation *> operationsBetween(Value wrt, dl::GradientOp gradient) {
    SmallVector<Operation *> operations;
    llvm::SmallPtrSet<Operation *, 16> reached;
    // What comes first: in the blocks of the scans around it, then in its own.
    SmallVector<Operation *> before;
    for (Operation *end = gradient; end; end = dyn_cast<dl::ScanOp>(end->getParentOp())) {
      auto first = end->getBlock()->begin();
      SmallVector<Operation *> own;
      for (Operation &op : llvm::make_range(first, end->getIterator()))
        own.push_back(&op);
      before.insert(before.begin(), own.begin(), own.end());
    }
    for (Operation *each : before) {
      Operation &op = *each;
      if (&op == wrt.getDefiningOp() || isa<dl::StopGradientOp, dl::StoreStateOp>(op))
        continue;
      bool depends = false;
      op.walk([&](Operation *nested) {
        for (Value operand : nested->getOperands())
          depends |= operand == wrt || (operand.getDefiningOp() && reached.contains(operand.getDefiningOp()));
      });
      if (depends) {
        reached.insert(&op);
        operations.push_back(&op);
      }
    }
    return operations;
  }

  States &states;
  const Symbols &symbols;
};

} // namespace

FailureOr<SmallVector<Tensor>> evaluate(func::FuncOp function, ArrayRef<Tensor> inputs, States &states,
                                        const Symbols &symbols) {
  Evaluator evaluator(states, symbols);
  if (function.isExternal() || !function.getBody().hasOneBlock())
    return function.emitError("the reference evaluates functions of one block");
  Block &block = function.getBody().front();
  if (inputs.size() != block.getNumArguments())
    return function.emitError("expected ") << block.getNumArguments() << " inputs, got " << inputs.size();
  Environment environment;
  for (auto [position, argument, input] : llvm::enumerate(block.getArguments(), inputs)) {
    FailureOr<Tensor> expected = evaluator.zeros(function, argument.getType());
    if (failed(expected))
      return failure();
    if (expected->shape != input.shape || expected->elementType != input.elementType)
      return function.emitError("input ")
             << position << " does not have the type " << argument.getType() << " at the given dimensions";
    Evaluator::set(environment, argument, input);
  }
  if (failed(evaluator.evaluateBlock(block, environment)))
    return failure();
  SmallVector<Tensor> results;
  for (Value value : block.getTerminator()->getOperands())
    results.push_back(Evaluator::get(environment, value));
  return results;
}

} // namespace dlc::reference
