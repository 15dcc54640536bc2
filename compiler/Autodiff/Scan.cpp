// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rule of scan: another scan, in the other direction.
//
// One iteration computes (c', s) = f(i, x, c; k) from the index, slices x of xs, carries c and captured
// values k. The reverse iteration receives dc' (carried) and ds (slices of the stacks' gradients) and
// computes
//   (dx, dc, dk) = (df/d(x, c, k))^T (dc', ds),
// carries dc on, stacks dx, and adds dk up in further carries. What it needs from the forward iteration is
// either sliced again from xs, recomputed when that costs nothing, or saved by the forward scan in stacks
// with a leading loop dimension.

#include "compiler/Autodiff/Rules.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SmallBitVector.h"

namespace dlc::autodiff {

using namespace mlir;

namespace {

/// Operations that only move elements or fill them in: repeating one is cheaper than saving its result.
bool isRecomputed(Operation *op) {
  return isa<dl::ConstantOp, dl::DimOp, dl::IotaOp, dl::RandomKeyOp, dl::RandomOp, dl::BroadcastOp,
             dl::TransposeOp, dl::ReshapeOp>(op);
}

class ReverseScan {
public:
  ReverseScan(dl::ScanOp scan, Gradients &outer)
      : scan(scan), outer(outer), builder(scan.getLoc(), scan.getContext()),
        inner(builder, outer.activeValues()) {}

  void build() {
    // Operands and results become known on the way; until then another scan holds the body.
    ArrayRef<int64_t> none;
    placeholder = dl::ScanOp::create(outer.builder, TypeRange(), TypeRange(), scan.getCount(), ValueRange(),
                                     ValueRange(), none, none);
    body = &placeholder.getBody().emplaceBlock();
    index = body->addArgument(scan.getIndex().getType(), scan.getLoc());
    builder.setInsertionPointToStart(body);

    seedGradients();
    SmallVector<Operation *> operations;
    for (Operation &op : forwardBlock().without_terminator())
      operations.push_back(&op);
    differentiate(operations, inner);
    builder.setLoc(scan.getLoc());
    yieldGradients();
    resolveForwardValues();
    saveForwardValues();
    replaceByScan();
  }

private:
  Block &forwardBlock() { return scan.getBody().front(); }
  ValueRange yielded() { return forwardBlock().getTerminator()->getOperands(); }
  bool isForwardValue(Value value) { return scan.getBody().isAncestor(value.getParentRegion()); }

  /// A block argument that runs through slices of `x` along `axis`.
  BlockArgument addSlice(Value x, int64_t axis) {
    auto type = cast<dl::TensorType>(x.getType()).dropAxes(axis);
    BlockArgument slice = body->insertArgument(1 + xs.size(), type, scan.getLoc());
    xs.push_back(x);
    xsAxes.push_back(axis);
    return slice;
  }

  BlockArgument addCarry(Value init) {
    inits.push_back(init);
    return body->addArgument(init.getType(), scan.getLoc());
  }

  /// Which carries the gradients that arrive depend on: those with a gradient after the loop, and those that
  /// such values are computed from, in any number of iterations.
  llvm::SmallBitVector usefulCarries() {
    size_t numCarries = scan.getCarries().size();
    llvm::SmallBitVector useful(numCarries);
    for (auto [j, final] : llvm::enumerate(scan.getFinals()))
      useful[j] = static_cast<bool>(outer.get(final));
    for (bool changed = true; changed;) {
      changed = false;
      llvm::DenseSet<Value> reached;
      for (auto [position, value] : llvm::enumerate(yielded()))
        if (position < numCarries ? useful[position]
                                  : static_cast<bool>(outer.get(scan.getStacks()[position - numCarries])))
          reached.insert(value);
      for (Operation &op : llvm::reverse(forwardBlock().without_terminator())) {
        if (llvm::none_of(op.getResults(), [&](Value result) { return reached.contains(result); }))
          continue;
        op.walk([&](Operation *nested) { reached.insert(nested->operand_begin(), nested->operand_end()); });
      }
      for (auto [j, carry] : llvm::enumerate(scan.getCarries())) {
        if (!useful[j] && reached.contains(carry))
          changed = useful[j] = true;
      }
    }
    for (auto [j, carry] : llvm::enumerate(scan.getCarries()))
      if (!outer.isActive(carry))
        useful.reset(j);
    return useful;
  }

  /// The gradients that enter an iteration: carried ones of the carries, slices of those of the stacks.
  void seedGradients() {
    llvm::SmallBitVector useful = usefulCarries();
    size_t numCarries = scan.getCarries().size();
    for (auto [l, stack] : llvm::enumerate(scan.getStacks()))
      if (Value gradient = outer.get(stack))
        inner.add(yielded()[numCarries + l], addSlice(gradient, scan.getStackAxes()[l]));
    for (unsigned j : useful.set_bits()) {
      Value final = scan.getFinals()[j];
      Value gradient = outer.get(final);
      BlockArgument carried = addCarry(gradient ? gradient : outer.constant(final, 0));
      differentiatedCarries.push_back(j);
      inner.add(yielded()[j], carried);
    }
  }

  /// The gradients that leave an iteration: of the carries before it, of captured values, of the slices.
  void yieldGradients() {
    SmallVector<Value> carries, stacks;
    for (unsigned j : differentiatedCarries) {
      Value gradient = inner.get(scan.getCarries()[j]);
      carries.push_back(gradient ? gradient : inner.constant(scan.getCarries()[j], 0));
    }
    for (auto [value, gradient] : inner.all()) {
      if (isForwardValue(value))
        continue;
      BlockArgument total = addCarry(outer.constant(value, 0));
      captured.push_back(value);
      carries.push_back(inner.sum(total, gradient));
    }
    for (auto [i, slice] : llvm::enumerate(scan.getSlices())) {
      if (Value gradient = inner.get(slice)) {
        differentiatedXs.push_back(i);
        stacks.push_back(gradient);
      }
    }
    llvm::append_range(carries, stacks);
    dl::YieldOp::create(builder, carries);
  }

  /// Replaces the forward iteration's values in the reverse body by what stands for them there.
  void resolveForwardValues() {
    ImplicitLocOpBuilder atStart(scan.getLoc(), body, body->begin());
    body->walk([&](Operation *op) {
      for (OpOperand &operand : op->getOpOperands())
        if (isForwardValue(operand.get()))
          operand.set(resolve(operand.get(), atStart));
    });
  }

  Value resolve(Value value, ImplicitLocOpBuilder &atStart) {
    if (!isForwardValue(value))
      return value;
    auto known = resolved.find(value);
    if (known != resolved.end())
      return known->second;
    Value result;
    if (value == scan.getIndex()) {
      result = index;
    } else if (auto slice = llvm::find(scan.getSlices(), value); slice != scan.getSlices().end()) {
      size_t i = slice - scan.getSlices().begin();
      result = addSlice(scan.getXs()[i], scan.getXsAxes()[i]);
    } else if (Operation *op = value.getDefiningOp(); op && isRecomputed(op)) {
      IRMapping mapping;
      for (Value operand : op->getOperands())
        mapping.map(operand, resolve(operand, atStart));
      result = atStart.clone(*op, mapping)->getResult(0);
    } else {
      result = body->insertArgument(1 + xs.size(), value.getType(), scan.getLoc());
      xs.push_back(Value()); // saveForwardValues fills it in
      xsAxes.push_back(0);
      saved.emplace_back(value, xs.size() - 1);
    }
    resolved[value] = result;
    return result;
  }

  /// Lets the forward scan stack the values that are needed and that it does not stack yet.
  void saveForwardValues() {
    ScanStacks stacks(scan);
    SmallVector<size_t> positions;
    for (auto [value, slot] : saved)
      positions.push_back(stacks.add(value));
    dl::ScanOp extended = stacks.apply([&](Value from, Value to) { outer.move(from, to); });
    if (extended != scan)
      scan = extended;
    for (auto [position, entry] : llvm::zip(positions, saved)) {
      xs[entry.second] = scan.getStacks()[position];
      xsAxes[entry.second] = scan.getStackAxes()[position];
    }
  }

  /// Creates the reverse scan and passes its results on.
  void replaceByScan() {
    SmallVector<Type> finalTypes, stackTypes;
    SmallVector<int64_t> stackAxes;
    for (Value init : inits)
      finalTypes.push_back(init.getType());
    for (size_t i : differentiatedXs) {
      stackTypes.push_back(scan.getXs()[i].getType());
      stackAxes.push_back(scan.getXsAxes()[i]);
    }
    auto reverse = dl::ScanOp::create(outer.builder, finalTypes, stackTypes, scan.getCount(), xs, inits,
                                      xsAxes, stackAxes, !scan.getReverse());
    reverse.getBody().takeBody(placeholder.getBody());
    placeholder.erase();
    auto finals = reverse.getFinals();
    for (auto [position, j] : llvm::enumerate(differentiatedCarries))
      outer.add(scan.getInits()[j], finals[position]);
    for (auto [position, value] : llvm::enumerate(captured))
      outer.add(value, finals[differentiatedCarries.size() + position]);
    for (auto [position, i] : llvm::enumerate(differentiatedXs))
      outer.add(scan.getXs()[i], reverse.getStacks()[position]);
  }

  dl::ScanOp scan;
  Gradients &outer;
  dl::ScanOp placeholder;
  Block *body = nullptr; // of the reverse scan
  BlockArgument index;
  ImplicitLocOpBuilder builder;
  Gradients inner;

  SmallVector<Value> xs, inits; // of the reverse scan
  SmallVector<int64_t> xsAxes;
  SmallVector<unsigned> differentiatedCarries, differentiatedXs; // of the forward scan
  SmallVector<Value> captured;
  llvm::DenseMap<Value, Value> resolved;
  SmallVector<std::pair<Value, size_t>> saved; // forward values, and their places in xs
};

} // namespace

size_t ScanStacks::add(Value value) {
  auto yielded = scan.getBody().front().getTerminator()->getOperands().drop_front(scan.getCarries().size());
  if (auto known = llvm::find(yielded, value); known != yielded.end())
    return known - yielded.begin();
  auto found = llvm::find(values, value);
  size_t position = yielded.size() + (found - values.begin());
  if (found == values.end())
    values.push_back(value);
  return position;
}

dl::ScanOp ScanStacks::apply(llvm::function_ref<void(Value, Value)> onReplace) {
  if (values.empty())
    return scan;
  SmallVector<Type> types(scan.getStacks().getTypes());
  SmallVector<int64_t> axes(scan.getStackAxes());
  for (Value value : values) {
    auto type = cast<dl::TensorType>(value.getType());
    SmallVector<dl::PolynomialAttr> shape{scan.getCount()};
    llvm::append_range(shape, type.getShape());
    types.push_back(type.withShape(shape));
    axes.push_back(0);
  }
  OpBuilder builder(scan);
  auto extended =
      dl::ScanOp::create(builder, scan.getLoc(), scan.getFinals().getTypes(), types, scan.getCount(),
                         scan.getXs(), scan.getInits(), scan.getXsAxes(), axes, scan.getReverse());
  extended->setDiscardableAttrs(scan->getDiscardableAttrDictionary());
  extended.getBody().takeBody(scan.getBody());
  Operation *yield = extended.getBody().front().getTerminator();
  yield->insertOperands(yield->getNumOperands(), values);
  size_t numFinals = scan.getFinals().size(), numStacks = scan.getStacks().size();
  auto replace = [&](ValueRange from, ValueRange to) {
    for (auto [before, after] : llvm::zip(from, to)) {
      before.replaceAllUsesWith(after);
      onReplace(before, after);
    }
  };
  replace(scan.getFinals(), extended.getFinals().take_front(numFinals));
  replace(scan.getStacks(), extended.getStacks().take_front(numStacks));
  scan.erase();
  return scan = extended;
}

void differentiateScan(dl::ScanOp scan, Gradients &gradients) {
  ReverseScan(scan, gradients).build();
}

} // namespace dlc::autodiff
