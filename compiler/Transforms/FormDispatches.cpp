// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass dl-form-dispatches: puts every computation of an entry into a dl.dispatch. What shares a dispatch
// is decided in Fusion.cpp.

#include "compiler/Transforms/Fusion.h"
#include "compiler/Transforms/Passes.h"
#include "compiler/Transforms/ScanForms.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace dlc {

#define GEN_PASS_DEF_FORMDISPATCHESPASS
#include "compiler/Transforms/Passes.h.inc"

namespace {

using namespace mlir;

/// Leaves loads of states before all stores, and one store per state: a load after a store is the stored
/// value.
LogicalResult orderStateAccesses(func::FuncOp entry) {
  WalkResult nested = entry.walk([&](Operation *op) {
    bool accesses = isa<dl::LoadStateOp, dl::StoreStateOp>(op);
    if (accesses && op->getBlock() != &entry.front()) {
      op->emitOpError("expected state to be accessed outside of loops");
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  if (nested.wasInterrupted())
    return failure();
  llvm::DenseMap<StringAttr, dl::StoreStateOp> stores;
  llvm::DenseMap<StringAttr, dl::LoadStateOp> loads;
  for (Operation &op : llvm::make_early_inc_range(entry.front())) {
    if (auto load = dyn_cast<dl::LoadStateOp>(op)) {
      StringAttr state = load.getStateAttr().getAttr();
      if (dl::StoreStateOp store = stores.lookup(state))
        load.getResult().replaceAllUsesWith(store.getValue());
      else if (dl::LoadStateOp first = loads.lookup(state))
        load.getResult().replaceAllUsesWith(first.getResult());
      else
        loads[state] = load;
      if (load.use_empty())
        load.erase();
    } else if (auto store = dyn_cast<dl::StoreStateOp>(op)) {
      dl::StoreStateOp &last = stores[store.getStateAttr().getAttr()];
      if (last)
        last.erase();
      last = store;
    }
  }
  return success();
}

struct FormDispatches : impl::FormDispatchesPassBase<FormDispatches> {
  using FormDispatchesPassBase::FormDispatchesPassBase;

  void runOnOperation() override {
    if (scan != "auto" && scan != "loop" && scan != "dispatch") {
      getOperation().emitError("expected scan=auto, loop or dispatch, got ") << scan;
      return signalPassFailure();
    }
    for (auto entry : getOperation().getOps<func::FuncOp>()) {
      if (!entry->hasAttr(dl::kEntryAttr))
        continue;
      if (failed(orderStateAccesses(entry)))
        return signalPassFailure();
      llvm::StringSet<> names;
      formIn(entry.front(), names, entry.getSymName());
    }
  }

  /// Whether a scan runs inside one dispatch. With matrices that do not stay in a core's cache, the loop is
  /// better: there each step multiplies all rows at once.
  bool runsInDispatch(dl::ScanOp loop) {
    constexpr int64_t kCacheBytes = 512 * 1024;
    if (scan == "loop" || (scan == "auto" && !fuse))
      return false;
    std::optional<std::string> reason = reasonAgainstDispatch(loop);
    if (!reason && scan != "dispatch" && matrixBytes(loop) > kCacheBytes)
      reason = "it multiplies by " + std::to_string(matrixBytes(loop)) +
               " bytes of matrices in each step, more than " + std::to_string(kCacheBytes);
    if (reason)
      loop.emitRemark("this scan stays a loop of the schedule: ") << *reason;
    return !reason;
  }

  /// Bodies of loops first: what they capture then is what their dispatches need.
  void formIn(Block &block, llvm::StringSet<> &names, StringRef entry) {
    llvm::DenseSet<Operation *> loopsAsDispatches;
    for (auto loop : llvm::make_early_inc_range(block.getOps<dl::ScanOp>())) {
      if (runsInDispatch(loop)) {
        normalizeContractions(loop);
        loopsAsDispatches.insert(loop);
      } else {
        formIn(loop.getBody().front(), names, entry);
      }
    }
    fusion::FusionGraph graph(block, loopsAsDispatches);
    if (fuse)
      graph.fuse(fuseUpdates);
    fusion::emitDispatches(block, graph, names, entry);
  }
};

} // namespace
} // namespace dlc
