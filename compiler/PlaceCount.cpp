// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/PlaceCount.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/TypeSwitch.h"

namespace dlc {

using namespace mlir;

namespace {

bool isInteger(Value value) {
  Type type = cast<dl::TensorType>(value.getType()).getElementType();
  return type.isInteger() && !type.isInteger(1);
}

/// Whether the operation's result has the operand's elements, at other places.
bool movesElements(Operation *op) {
  return isa<dl::BroadcastOp, dl::ReshapeOp, dl::TransposeOp, dl::SliceOp, dl::StopGradientOp>(op) ||
         (isa<dl::CastOp>(op) && isInteger(op->getResult(0)));
}

/// What a value holds before it was moved.
Value sourceOf(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!movesElements(op))
      break;
    value = op->getOperand(0);
  }
  return value;
}

class PlaceCounter {
public:
  explicit PlaceCounter(Value argument) : found{0, 0, argument.getLoc()} { follow(argument); }

  PlaceCount result() const {
    return largestConstant >= found.count ? PlaceCount{0, 0, found.location} : found;
  }

private:
  void follow(Value value) {
    if (!seen.insert(value).second)
      return;
    for (OpOperand &use : value.getUses())
      visit(use);
  }

  void visit(OpOperand &use) {
    Operation *op = use.getOwner();
    if (movesElements(op))
      return follow(op->getResult(0));
    llvm::TypeSwitch<Operation *>(op)
        .Case([&](dl::ScanOp scan) {
          if (use.getOperandNumber() < scan.getXs().size())
            follow(scan.getSlices()[use.getOperandNumber()]);
        })
        .Case([&](dl::GatherOp gather) {
          if (use.get() == gather.getIndex())
            addAxis(op, gather.getOperand().getType().getShape()[gather.getBatch()]);
        })
        .Case([&](dl::CompareOp compare) {
          Value other = sourceOf(op->getOperand(1 - use.getOperandNumber()));
          if (auto iota = other.getDefiningOp<dl::IotaOp>();
              iota && compare.getPredicate() == dl::Predicate::Eq)
            addAxis(op, iota.getType().getShape()[iota.getAxis()]);
          else if (auto constant = other.getDefiningOp<dl::ConstantOp>())
            addConstant(compare.getPredicate(), numberOf(cast<IntegerAttr>(constant.getValue())));
        });
  }

  void addAxis(Operation *op, dl::PolynomialAttr size) {
    if (std::optional<int64_t> count = size.getConstantValue(); count && *count > found.count) {
      found.count = *count;
      found.location = op->getLoc();
    }
  }

  static llvm::APSInt numberOf(IntegerAttr constant) {
    return llvm::APSInt(constant.getValue(), constant.getType().isUnsignedInteger());
  }

  /// The smallest integer of a type is what no label is: the default of the library's ignore_index. An order
  /// against 0 or less (label >= 0, label > -1) tells all negative ones apart.
  void addConstant(dl::Predicate predicate, const llvm::APSInt &value) {
    int64_t constant = value.getExtValue();
    largestConstant = std::max(largestConstant, constant);
    bool isOrder = predicate != dl::Predicate::Eq && predicate != dl::Predicate::Ne;
    if (isOrder && constant <= 0)
      found.least = INT64_MIN;
    else if (value.isUnsigned() || !value.isMinSignedValue())
      found.least = std::min(found.least, constant);
  }

  llvm::DenseSet<Value> seen;
  PlaceCount found;
  int64_t largestConstant = -1;
};

} // namespace

PlaceCount countPlaces(Value argument) {
  return isInteger(argument) ? PlaceCounter(argument).result() : PlaceCount{0, 0, argument.getLoc()};
}

} // namespace dlc
