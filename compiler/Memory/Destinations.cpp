// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which values are computed directly where they are needed in the end: in a state, a result, a loop's carry
// or stack. Each such place gets exactly one value of a dispatch of its own:
//
//   1. a result of a dispatch, if it has no other destination;
//   2. the same value as one more result of that dispatch;
//   3. else (arguments, old states, slices, results of loops) a copy, made by a dispatch of its own.
//
// A state or a carry is overwritten in place only after the last use of its old value; a copy at the end, or
// two alternating halves, serve otherwise.

#include "compiler/Limits.h"
#include "compiler/Memory/Planner.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"

namespace dlc::memory {

Value stripAliases(Value value) {
  while (auto reshape = value.getDefiningOp<dl::ReshapeOp>())
    value = reshape.getOperand();
  return value;
}

bool isIndexForIndex(dl::DispatchOp dispatch, unsigned operand, unsigned result) {
  Block &body = dispatch.getBody().front();
  auto resultType = cast<dl::TensorType>(dispatch.getOutputs()[result].getType());
  llvm::DenseSet<Value> seen{body.getArgument(operand)};
  SmallVector<Value> work{body.getArgument(operand)};
  while (!work.empty()) {
    Value value = work.pop_back_val();
    if (cast<dl::TensorType>(value.getType()).getElementCount() != resultType.getElementCount())
      return false;
    for (OpOperand &use : value.getUses()) {
      if (use.getOwner()->getBlock() != &body) // of a scan inside: it sees the operand whole
        return false;
      if (isa<dl::YieldOp>(use.getOwner())) {
        Value reached = dispatch.getOutputs()[use.getOperandNumber()];
        if (cast<dl::TensorType>(reached.getType()).getShape() != resultType.getShape())
          return false;
        continue;
      }
      if (!use.getOwner()->hasTrait<dl::Elementwise>() && !isa<dl::ReshapeOp>(use.getOwner()))
        return false;
      if (seen.insert(use.getOwner()->getResult(0)).second)
        work.push_back(use.getOwner()->getResult(0));
    }
  }
  return true;
}

bool canOverwrite(Value old, dl::DispatchOp writer, unsigned result) {
  Block *block = writer->getBlock();
  for (OpOperand &use : old.getUses()) {
    Operation *user = ancestorIn(block, use.getOwner());
    if (!user)
      return false;
    if (isa<dl::ReshapeOp>(user) && user == use.getOwner()) {
      if (!canOverwrite(user->getResult(0), writer, result))
        return false;
      continue;
    }
    if (user == writer ? !isIndexForIndex(writer, use.getOperandNumber(), result)
                       : !user->isBeforeInBlock(writer))
      return false;
  }
  return true;
}

namespace {

class Chooser {
public:
  Chooser(func::FuncOp entry, ArrayRef<dl::StateOp> states) : entry(entry) {
    for (auto [index, state] : llvm::enumerate(states))
      stateIndex[dl::StateOp(state).getSymNameAttr()] = index;
  }

  Destinations run() {
    Block &block = entry.front();
    // Old values that leave the entry as they are: copied first, while they are intact.
    for (Operation &op : llvm::make_early_inc_range(block))
      if (isa<dl::StoreStateOp, func::ReturnOp>(op))
        for (OpOperand &use : op.getOpOperands())
          if (auto load = stripAliases(use.get()).getDefiningOp<dl::LoadStateOp>()) {
            OpBuilder builder(block.getParentOp()->getContext());
            builder.setInsertionPointAfter(load);
            Value copied = copy(builder, load.getResult(), load.getState());
            use.set(reshaped(use.getOwner(), copied, use.get().getType()));
          }
    for (auto store : llvm::to_vector(block.getOps<dl::StoreStateOp>()))
      chooseForState(store);
    auto returned = cast<func::ReturnOp>(block.getTerminator());
    for (OpOperand &use : returned->getOpOperands()) {
      Value value = own(use.get(), returned);
      chosen.fixed[value] = contiguous(Base::Result, use.getOperandNumber());
      use.set(reshaped(returned, value, use.get().getType()));
    }
    chooseInLoops(block);
    return std::move(chosen);
  }

private:
  Place contiguous(Base base, unsigned index) {
    Place place;
    place.base = base;
    place.index = index;
    place.offset = dl::PolynomialAttr::getConstant(entry.getContext(), 0);
    return place;
  }

  bool hasDestination(Value value) const {
    return chosen.fixed.contains(value) || chosen.yielded.contains(value) || chosen.initial.contains(value);
  }

  /// A dispatch that copies `value`.
  Value copy(OpBuilder &builder, Value value, const Twine &name) {
    std::string unique = (name + ".copy").str();
    for (unsigned suffix = 2; !names.insert(unique).second; ++suffix)
      unique = (name + ".copy." + Twine(suffix)).str();
    auto dispatch = dl::DispatchOp::create(builder, value.getLoc(), TypeRange(value.getType()),
                                           builder.getStringAttr(unique), ValueRange(value));
    OpBuilder::InsertionGuard guard(builder);
    Block *body = builder.createBlock(&dispatch.getBody(), {}, {value.getType()}, {value.getLoc()});
    dl::YieldOp::create(builder, value.getLoc(), ValueRange(body->getArgument(0)));
    return dispatch.getOutputs().front();
  }

  Value reshaped(Operation *before, Value value, Type type) {
    if (value.getType() == type)
      return value;
    OpBuilder builder(before);
    return dl::ReshapeOp::create(builder, value.getLoc(), type, value);
  }

  /// The same value once more, as a further result of its dispatch.
  Value duplicate(OpResult value) {
    auto dispatch = cast<dl::DispatchOp>(value.getOwner());
    auto yield = cast<dl::YieldOp>(dispatch.getBody().front().getTerminator());
    yield.getValuesMutable().append(yield.getValues()[value.getResultNumber()]);
    SmallVector<Type> types(dispatch.getResultTypes());
    types.push_back(value.getType());
    OpBuilder builder(dispatch);
    auto extended = dl::DispatchOp::create(builder, dispatch.getLoc(), types, dispatch.getNameAttr(),
                                           dispatch.getInputs());
    extended.getBody().takeBody(dispatch.getBody());
    for (auto [old, result] : llvm::zip(dispatch.getOutputs(), extended.getOutputs())) {
      auto move = [&](auto &map) {
        if (auto found = map.find(old); found != map.end()) {
          auto destination = found->second;
          map.erase(found);
          map[result] = destination;
        }
      };
      move(chosen.fixed);
      move(chosen.yielded);
      move(chosen.initial);
      old.replaceAllUsesWith(result);
    }
    dispatch.erase();
    return extended.getOutputs().back();
  }

  /// A result of a dispatch of the block of `user` that has no destination yet and the elements of `value`,
  /// perhaps under another shape. Copies go before `user`, or to the block's start when `first` says that the
  /// original may change later.
  Value own(Value value, Operation *user, bool first = false) {
    Block *block = user->getBlock();
    Value root = stripAliases(value);
    auto dispatch = root.getDefiningOp<dl::DispatchOp>();
    if (dispatch && dispatch->getBlock() == block) {
      if (!hasDestination(root))
        return root;
      if (dispatch->getNumOperands() + dispatch->getNumResults() < kMaxBindings)
        return duplicate(cast<OpResult>(root));
    }
    OpBuilder builder(user);
    if (first)
      builder.setInsertionPointToStart(block);
    return copy(builder, value, isa<func::ReturnOp>(user) ? entry.getSymName() : "carry");
  }

  /// A parameter is updated in place when everything that needs its old value comes first.
  void chooseForState(dl::StoreStateOp store) {
    Place place = contiguous(Base::State, stateIndex.lookup(store.getStateAttr().getAttr()));
    Type type = store.getValue().getType();
    Value value = own(store.getValue(), store);
    store.getValueMutable().set(reshaped(store, value, type));
    auto writer = cast<dl::DispatchOp>(value.getDefiningOp());
    unsigned result = cast<OpResult>(value).getResultNumber();
    for (auto load : entry.front().getOps<dl::LoadStateOp>()) {
      if (load.getState() != store.getState() || canOverwrite(load.getResult(), writer, result))
        continue;
      OpBuilder builder(entry.front().getTerminator());
      value = copy(builder, value, store.getState());
      store.getValueMutable().set(reshaped(entry.front().getTerminator(), value, type));
      store->moveBefore(entry.front().getTerminator());
      break;
    }
    chosen.fixed[value] = place;
  }

  void chooseInLoops(Block &block) {
    for (auto scan : llvm::to_vector(block.getOps<dl::ScanOp>())) {
      chooseYields(scan);
      chooseInitialValues(scan);
      chooseInLoops(scan.getBody().front());
    }
  }

  void chooseYields(dl::ScanOp scan) {
    auto yield = cast<dl::YieldOp>(scan.getBody().front().getTerminator());
    // Carries that a stack or another carry keeps are copied first, before they may be overwritten.
    for (OpOperand &use : yield->getOpOperands()) {
      bool isCarry = llvm::is_contained(scan.getCarries(), use.get());
      Value value = own(use.get(), yield, /*first=*/isCarry);
      chosen.yielded[value] = {scan, use.getOperandNumber()};
      use.set(value);
    }
    SmallVector<CarryForm> &forms = chosen.carryForms[scan];
    for (auto [carry, value] : llvm::zip(scan.getCarries(), yield.getValues())) {
      auto writer = cast<dl::DispatchOp>(value.getDefiningOp());
      forms.push_back(canOverwrite(carry, writer, cast<OpResult>(value).getResultNumber())
                          ? CarryForm::InPlace
                          : CarryForm::PingPong);
    }
  }

  void chooseInitialValues(dl::ScanOp scan) {
    for (auto [index, use] : llvm::enumerate(scan.getInitsMutable())) {
      Value value = use.get();
      bool isOwn = value.getDefiningOp<dl::DispatchOp>() && value.hasOneUse() && !hasDestination(value) &&
                   value.getDefiningOp()->getBlock() == scan->getBlock();
      if (!isOwn) {
        OpBuilder builder(scan);
        value = copy(builder, value, "carry");
        use.set(value);
      }
      chosen.initial[value] = {scan, index};
    }
  }

  func::FuncOp entry;
  llvm::DenseMap<StringAttr, unsigned> stateIndex;
  llvm::StringSet<> names;
  Destinations chosen;
};

} // namespace

Destinations chooseDestinations(func::FuncOp entry, ArrayRef<dl::StateOp> states) {
  return Chooser(entry, states).run();
}

} // namespace dlc::memory
