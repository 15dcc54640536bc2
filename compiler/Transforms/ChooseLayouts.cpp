// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass dl-choose-layouts: in which order of axes a variant keeps its parameters.
//
// A contraction reads its right operand in vectors along the result's last letter. A matrix that is
// contiguous along a summed letter instead, such as a linear layer's weight [out, in], must be transposed on
// the way: in inference at batch 1 that costs more than the multiplication. The pass keeps a parameter, with
// the optimizer state that belongs to it, transposed when its readers then transpose fewer elements.

#include "compiler/Transforms/Passes.h"
#include "compiler/Transforms/TransposePatterns.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace dlc {

#define GEN_PASS_DEF_CHOOSELAYOUTSPASS
#include "compiler/Transforms/Passes.h.inc"

namespace {

using namespace mlir;

/// The axis of `op`'s operand `value` that should come last: the one of the result's last letter. None when
/// the operand is read element by element (the other operand has that letter), in which case any will do.
std::optional<int64_t> wantedLastAxis(dl::ContractOp op, Value value) {
  auto inOperand = [&](unsigned operand, char letter) {
    return (operand == 0 ? op.getLhsLetters() : op.getRhsLetters()).contains(letter);
  };
  for (char letter : llvm::reverse(op.getResultLetters())) {
    if (inOperand(0, letter) && inOperand(1, letter)) // A batch of products.
      continue;
    unsigned vectors = inOperand(0, letter) ? 0 : 1;
    if (op->getOperand(vectors) != value)
      return std::nullopt;
    return static_cast<int64_t>((vectors == 0 ? op.getLhsLetters() : op.getRhsLetters()).find(letter));
  }
  return std::nullopt;
}

/// A parameter and the optimizer state of its shape: they are updated together, element by element.
struct Family {
  dl::StateOp parameter;
  SmallVector<dl::StateOp, 4> states; ///< With the parameter.
  SmallVector<dl::LoadStateOp> loads;
  SmallVector<dl::StoreStateOp> stores;

  int64_t rank() { return cast<dl::TensorType>(parameter.getType()).getRank(); }
};

/// Whether everything that computes the family's new values and reads its old ones takes another order of
/// axes without a transposed copy: elementwise operations and contractions do.
class Movability {
public:
  explicit Movability(Family &family) : family(family) {}

  bool check() {
    for (dl::StoreStateOp store : family.stores)
      if (!visit(store.getValue(), isInitial(store->getParentOfType<func::FuncOp>())))
        return false;
    for (Value value : visited) {
      bool isShared = llvm::any_of(value.getUsers(), [&](Operation *user) {
        if (isa<dl::ContractOp>(user) && value.getDefiningOp<dl::LoadStateOp>())
          return false;
        if (auto store = dyn_cast<dl::StoreStateOp>(user))
          return !llvm::is_contained(family.stores, store);
        return user->getNumResults() != 1 || !visited.contains(user->getResult(0));
      });
      if (isShared && !value.getDefiningOp<dl::ConstantOp>() && !value.getDefiningOp<dl::BroadcastOp>())
        return false;
    }
    return llvm::all_of(family.loads, [&](dl::LoadStateOp load) {
      return visited.contains(load) ||
             llvm::all_of(load->getUsers(), [](Operation *user) { return isa<dl::ContractOp>(user); });
    });
  }

private:
  bool visit(Value value, bool initial) {
    if (!visited.insert(value).second)
      return true;
    Operation *op = value.getDefiningOp();
    if (!op)
      return false;
    if (op->hasTrait<dl::Elementwise>())
      return llvm::all_of(op->getOperands(), [&](Value operand) { return visit(operand, initial); });
    if (auto load = dyn_cast<dl::LoadStateOp>(op))
      return llvm::is_contained(family.loads, load);
    if (auto broadcast = dyn_cast<dl::BroadcastOp>(op))
      return broadcast.getOperand().getType().getRank() <= 1;
    // Initial values are computed once.
    return initial || isa<dl::ContractOp, dl::ConstantOp>(op);
  }

  Family &family;
  llvm::DenseSet<Value> visited;
};

struct ChooseLayouts : impl::ChooseLayoutsPassBase<ChooseLayouts> {
  using ChooseLayoutsPassBase::ChooseLayoutsPassBase;

  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet set(context);
    populateTransposeFolding(set);
    populateTransposeHoisting(set);
    patterns = std::move(set);
    return success();
  }

  void runOnOperation() override {
    bool changed = false;
    for (Family &family : collectFamilies())
      if (std::optional<SmallVector<int64_t>> layout = choose(family)) {
        apply(family, *layout);
        changed = true;
      }
    if (!changed)
      return;
    for (auto entry : getOperation().getOps<func::FuncOp>()) {
      // Initial values are transposed where they are stored: nothing above takes a transpose in.
      if (isInitial(entry))
        continue;
      if (failed(applyPatternsGreedily(entry, patterns))) {
        entry.emitError("dl-choose-layouts did not come to an end");
        return signalPassFailure();
      }
    }
    IRRewriter rewriter(&getContext());
    DominanceInfo dominance(getOperation());
    eliminateCommonSubExpressions(rewriter, dominance, getOperation());
  }

private:
  SmallVector<Family> collectFamilies() {
    SmallVector<Family> families;
    llvm::StringMap<unsigned> familyOf;
    for (auto state : getOperation().getOps<dl::StateOp>()) {
      if (state.getRole() == dl::StateRole::Parameter &&
          cast<dl::TensorType>(state.getType()).getRank() >= 2) {
        familyOf[state.getSymName()] = families.size();
        families.emplace_back().parameter = state;
      }
    }
    for (auto state : getOperation().getOps<dl::StateOp>()) {
      StringRef name = state.getRole() == dl::StateRole::Parameter ? state.getSymName()
                                                                   : state.getParameter().value_or("");
      auto found = familyOf.find(name);
      if (found == familyOf.end() || families[found->second].parameter.getType() != state.getType())
        continue;
      families[found->second].states.push_back(state);
      familyOf[state.getSymName()] = found->second;
    }
    getOperation().walk([&](Operation *op) {
      if (auto load = dyn_cast<dl::LoadStateOp>(op)) {
        if (auto found = familyOf.find(load.getState()); found != familyOf.end())
          families[found->second].loads.push_back(load);
      } else if (auto store = dyn_cast<dl::StoreStateOp>(op)) {
        if (auto found = familyOf.find(store.getState()); found != familyOf.end())
          families[found->second].stores.push_back(store);
      }
    });
    return families;
  }

  /// Resident axis i is logical axis result[i]; none where the logical order is as good.
  std::optional<SmallVector<int64_t>> choose(Family &family) {
    // Readers by the axis that they want last; an entry may read several times.
    SmallVector<int64_t> readers(family.rank(), 0);
    for (dl::LoadStateOp load : family.loads)
      for (Operation *user : load->getUsers())
        if (auto contract = dyn_cast<dl::ContractOp>(user))
          if (std::optional<int64_t> axis = wantedLastAxis(contract, load))
            ++readers[*axis];
    int64_t best = llvm::max_element(readers) - readers.begin(), last = family.rank() - 1;
    if (readers[best] == readers[last] || !Movability(family).check())
      return std::nullopt;
    SmallVector<int64_t> layout;
    for (int64_t axis = 0; axis < family.rank(); ++axis)
      if (axis != best)
        layout.push_back(axis);
    layout.push_back(best);
    family.parameter.emitRemark("@") << family.parameter.getSymName()
                                     << " is kept transposed: " << readers[best]
                                     << " contractions read along axis " << best << ", " << readers[last]
                                     << " along the last";
    return layout;
  }

  void apply(Family &family, ArrayRef<int64_t> layout) {
    auto logical = cast<dl::TensorType>(family.parameter.getType());
    SmallVector<dl::PolynomialAttr> shape;
    SmallVector<int64_t> inverse(layout.size());
    for (auto [axis, source] : llvm::enumerate(layout)) {
      shape.push_back(logical.getDim(source));
      inverse[source] = axis;
    }
    dl::TensorType resident = logical.withShape(shape);
    for (dl::StateOp state : family.states) {
      state.setType(resident);
      state.setLayout(layout);
    }
    for (dl::LoadStateOp load : family.loads) {
      load.getResult().setType(resident);
      OpBuilder builder(load->getContext());
      builder.setInsertionPointAfter(load);
      auto value = dl::TransposeOp::create(builder, load.getLoc(), load.getResult(), inverse);
      load.getResult().replaceAllUsesExcept(value, value);
    }
    for (dl::StoreStateOp store : family.stores) {
      OpBuilder builder(store);
      store.getValueMutable().assign(
          dl::TransposeOp::create(builder, store.getLoc(), store.getValue(), layout).getResult());
    }
  }

  FrozenRewritePatternSet patterns;
};

} // namespace
} // namespace dlc
