// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Replaces the operations of a block by one dispatch per cluster. See Fusion.h.

#include "compiler/Transforms/Fusion.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"

namespace dlc::fusion {
namespace {

/// Builds the body of one dispatch by cloning its operations and what they use.
class DispatchBuilder {
public:
  DispatchBuilder(Block &outer, const FusionGraph &graph, ArrayRef<Operation *> ops)
      : outer(outer), graph(graph), members(ops.begin(), ops.end()), ops(ops),
        builder(ops.front()->getContext()) {}

  dl::DispatchOp build(OpBuilder &outside, StringRef name) {
    Region region;
    Block *body = new Block;
    region.push_back(body);
    builder.setInsertionPointToStart(body);
    for (Operation *op : ops) {
      for (Value operand : op->getOperands())
        map(operand, *body);
      llvm::SetVector<Value> captured;
      for (Region &nested : op->getRegions())
        getUsedValuesDefinedAbove(nested, captured);
      for (Value value : captured)
        map(value, *body);
      builder.clone(*op, mapping);
    }
    SmallVector<Value> yielded, results;
    SmallVector<Location> locations{mainOperation(ops)->getLoc()}; // what profiles point at comes first
    for (Operation *op : ops) {
      locations.push_back(op->getLoc());
      for (Value result : op->getResults()) {
        if (!escapes(result))
          continue;
        results.push_back(result);
        yielded.push_back(mapping.lookup(result));
      }
    }
    unifyShapes(yielded);
    dl::YieldOp::create(builder, ops.back()->getLoc(), yielded);
    Location location = FusedLoc::get(outer.getParentOp()->getContext(), locations);
    auto dispatch = dl::DispatchOp::create(outside, location, TypeRange(ValueRange(yielded)),
                                           outside.getStringAttr(name), operands.getArrayRef());
    dispatch.getBody().takeBody(region);
    for (auto [old, result] : llvm::zip(results, dispatch.getOutputs())) {
      Value value = result;
      if (value.getType() != old.getType())
        value = dl::ReshapeOp::create(outside, old.getLoc(), old.getType(), value);
      old.replaceAllUsesWith(value);
    }
    return dispatch;
  }

  bool hasResults() const {
    return llvm::any_of(ops, [&](Operation *op) {
      return llvm::any_of(op->getResults(), [&](Value result) { return escapes(result); });
    });
  }

private:
  /// Results with as many elements as the root's, or as the one of most axes, leave in its shape, so that one
  /// loop writes them all. A loop's body has no aliases outside of dispatches to undo that.
  void unifyShapes(SmallVector<Value> &yielded) {
    if (yielded.size() < 2 || isa<dl::ScanOp>(outer.getParentOp()) || isa<dl::ScanOp>(ops.front()))
      return;
    auto typeOf = [](Value value) { return cast<dl::TensorType>(value.getType()); };
    dl::TensorType common = typeOf(yielded.front());
    for (Value value : yielded)
      if (typeOf(value).getRank() > common.getRank())
        common = typeOf(value);
    for (Operation *op : ops)
      if (graph.classOf(op) == OpClass::Contraction)
        common = typeOf(op->getResult(0));
    for (Value &value : yielded)
      if (typeOf(value).getShape() != common.getShape() &&
          typeOf(value).getElementCount() == common.getElementCount())
        value =
            dl::ReshapeOp::create(builder, value.getLoc(), typeOf(value).withShape(common.getShape()), value);
  }

  /// Makes `value` available in the body: by cloning inline operations, and aliases of values that only exist
  /// there, else as an operand.
  void map(Value value, Block &body) {
    if (mapping.contains(value))
      return;
    Operation *op = value.getDefiningOp();
    if (op && (graph.isInlineHere(op) || isInternalAlias(op))) {
      for (Value operand : op->getOperands())
        map(operand, body);
      builder.clone(*op, mapping);
      return;
    }
    operands.insert(value);
    mapping.map(value, body.addArgument(value.getType(), value.getLoc()));
  }

  bool isInternalAlias(Operation *op) const {
    if (op->getBlock() != &outer || graph.classOf(op) != OpClass::Alias)
      return false;
    Operation *source = op->getOperand(0).getDefiningOp();
    return source && (members.contains(source) || graph.isInlineHere(source) || isInternalAlias(source));
  }

  /// Whether anything but the members, through inline operations and aliases, uses `value`.
  bool escapes(Value value) const {
    SmallVector<Value> work{value};
    llvm::SmallPtrSet<Operation *, 8> seen;
    while (!work.empty())
      for (Operation *user : work.pop_back_val().getUsers()) {
        Operation *ancestor = outer.findAncestorOpInBlock(*user);
        if (!ancestor || members.contains(ancestor))
          continue;
        bool passesThrough =
            ancestor == user && (graph.isInlineHere(user) || graph.classOf(user) == OpClass::Alias);
        if (!passesThrough)
          return true;
        if (seen.insert(user).second)
          work.push_back(user->getResult(0));
      }
    return false;
  }

  Block &outer;
  const FusionGraph &graph;
  llvm::SmallPtrSet<Operation *, 16> members;
  ArrayRef<Operation *> ops;
  OpBuilder builder;
  IRMapping mapping;
  llvm::SetVector<Value> operands;
};

/// Moves the aliases of `value` behind its definition. A reshape that a dispatch replaces stays where it is:
/// before its users, so that it goes when they are gone.
void placeAliases(Value value, Operation *after, const FusionGraph &graph) {
  for (Operation *user : value.getUsers())
    if (graph.classOf(user) == OpClass::Alias && user->getBlock() == after->getBlock()) {
      user->moveAfter(after);
      placeAliases(user->getResult(0), user, graph);
    }
}

} // namespace

void emitDispatches(Block &block, const FusionGraph &graph, llvm::StringSet<> &names, StringRef entry) {
  llvm::SmallPtrSet<Operation *, 32> replaced;
  OpBuilder builder(block.getTerminator());
  for (const SmallVector<Operation *> &ops : graph.schedule()) {
    Operation *front = ops.front();
    if (isa<dl::ScanOp>(front) && !graph.isLoopDispatch(front)) {
      front->moveBefore(block.getTerminator());
      for (Value result : front->getResults())
        placeAliases(result, front, graph);
      continue;
    }
    replaced.insert(ops.begin(), ops.end());
    DispatchBuilder dispatchBuilder(block, graph, ops);
    if (!dispatchBuilder.hasResults())
      continue;
    builder.setInsertionPoint(block.getTerminator());
    dl::DispatchOp dispatch = dispatchBuilder.build(builder, nameDispatch(ops, names, entry));
    for (Value result : dispatch.getOutputs())
      placeAliases(result, dispatch, graph);
  }
  for (dl::StoreStateOp store : llvm::to_vector(block.getOps<dl::StoreStateOp>()))
    store->moveBefore(block.getTerminator());
  // Users come later in the block than what they use, dead inline operations and aliases included.
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
    bool dead = replaced.contains(&op) || isa<dl::LoadStateOp>(op) || graph.classOf(&op) == OpClass::Alias ||
                graph.classOf(&op) == OpClass::Inline;
    if (dead && op.use_empty())
      op.erase();
  }
}

} // namespace dlc::fusion
