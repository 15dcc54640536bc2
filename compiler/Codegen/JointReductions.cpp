// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Codegen/JointReductions.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"

namespace dlc::codegen {

using namespace mlir;

namespace {

constexpr size_t kMostReductions = 4;

/// Operations that read a value element by element, each with the broadcast in between, if there is one: two
/// values that have such a use in common are read at the same positions.
class AlignedUses {
public:
  explicit AlignedUses(Value value) { collect(value, {}); }

  bool meets(const AlignedUses &other) const {
    return llvm::any_of(uses, [&](const Use &use) { return other.uses.contains(use); });
  }

private:
  using Use = std::pair<Operation *, Attribute>;

  void collect(Value value, Attribute broadcast) {
    for (Operation *user : value.getUsers()) {
      if (auto spread = dyn_cast<dl::BroadcastOp>(user); spread && !broadcast)
        collect(spread.getResult(), spread.getDimsAttr());
      bool isAligned = user->hasTrait<dl::Elementwise>() || isa<dl::YieldOp>(user);
      if (isAligned && uses.insert({user, broadcast}).second)
        for (Value result : user->getResults())
          collect(result, broadcast);
    }
  }

  llvm::DenseSet<Use> uses;
};

/// Whether `op` needs the result of one of `others`, within their block.
bool needsOneOf(Operation *op, ArrayRef<dl::ReduceOp> others) {
  llvm::DenseSet<Operation *> seen;
  SmallVector<Operation *> work{op};
  while (!work.empty())
    for (Value operand : work.pop_back_val()->getOperands())
      if (Operation *producer = operand.getDefiningOp(); producer && seen.insert(producer).second) {
        if (llvm::is_contained(others, producer))
          return true;
        work.push_back(producer);
      }
  return false;
}

} // namespace

SmallVector<dl::ReduceOp> reductionsWith(dl::ReduceOp op) {
  SmallVector<dl::ReduceOp> joint{op};
  AlignedUses uses(op.getResult());
  for (auto other : op->getBlock()->getOps<dl::ReduceOp>()) {
    if (joint.size() == kMostReductions)
      break;
    bool isSameLoop = other != op && other.getAxes() == op.getAxes() &&
                      other.getOperand().getType().getShape() == op.getOperand().getType().getShape();
    if (!isSameLoop || !uses.meets(AlignedUses(other.getResult())))
      continue;
    bool isIndependent = !needsOneOf(other, joint) &&
                         llvm::none_of(joint, [&](dl::ReduceOp one) { return needsOneOf(one, {other}); });
    if (isIndependent)
      joint.push_back(other);
  }
  return joint;
}

} // namespace dlc::codegen
