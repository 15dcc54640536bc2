// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers, builders and folds of the operations that find elements by indices.

#include "compiler/Dialect/Dl.h"

#include "mlir/IR/OpImplementation.h"

using namespace mlir;

namespace dlc::dl {
//===----------------------------------------------------------------------===//
// SubscriptOp
//===----------------------------------------------------------------------===//

bool SubscriptOp::staysInside(int64_t axis) {
  if (getDivisors()[axis] != 1)
    return false;
  PolynomialAttr least = getOffset(axis), most = getOffset(axis);
  for (auto [result, coefficient] : llvm::enumerate(getRow(axis))) {
    PolynomialAttr reach = (getType().getDim(result) - 1) * coefficient;
    (coefficient < 0 ? least : most) = (coefficient < 0 ? least : most) + reach;
  }
  return isNeverNegative(least) && isAlwaysNegative(most - getOperand().getType().getDim(axis));
}

bool SubscriptOp::isKept(int64_t axis) {
  if (axis >= getType().getRank() || getType().getDim(axis) != getOperand().getType().getDim(axis) ||
      getDivisors()[axis] != 1 || !getOffset(axis).isConstant(0))
    return false;
  for (int64_t other = 0; other < getOperand().getType().getRank(); ++other)
    for (auto [result, coefficient] : llvm::enumerate(getRow(other))) {
      bool involved = other == axis || static_cast<int64_t>(result) == axis;
      bool isOwn = other == axis && static_cast<int64_t>(result) == axis;
      if (involved && coefficient != (isOwn ? 1 : 0))
        return false;
    }
  return true;
}

OpFoldResult SubscriptOp::fold(FoldAdaptor) {
  bool isIdentity = getType() == getOperand().getType();
  for (int64_t axis = 0; isIdentity && axis < getType().getRank(); ++axis)
    isIdentity = isKept(axis);
  return isIdentity ? OpFoldResult(getOperand()) : OpFoldResult();
}

LogicalResult SubscriptOp::verify() {
  TensorType operand = getOperand().getType();
  auto rank = static_cast<size_t>(operand.getRank()), width = static_cast<size_t>(getType().getRank());
  if (getCoefficients().size() != rank * width || getOffsets().size() != rank ||
      getDivisors().size() != rank) // (C1)
    return emitOpError("expected ") << rank << " rows of " << width
                                    << " coefficients, as many offsets and divisors, got "
                                    << getCoefficients().size() << " coefficients, " << getOffsets().size()
                                    << " offsets and " << getDivisors().size() << " divisors";
  for (int64_t divisor : getDivisors())
    if (divisor < 1) // (C1)
      return emitOpError("expected divisors of at least 1, got ") << divisor;
  if (operand.getElementType() != getType().getElementType()) // (C2)
    return emitOpError("expected operand and result of one element type, got ")
           << operand << " and " << getType();
  return success();
}

//===----------------------------------------------------------------------===//
// GatherOp, ScatterAddOp
//===----------------------------------------------------------------------===//

/// What gather(table, index) gives, and the updates that scatter_add(updates, index) takes; null when the
/// batch axes do not fit.
static TensorType gatheredType(TensorType table, TensorType index, int64_t batch) {
  if (batch < 0 || batch > index.getRank() || batch >= table.getRank() ||
      table.getShape().take_front(batch) != index.getShape().take_front(batch))
    return {};
  SmallVector<PolynomialAttr> shape(index.getShape());
  llvm::append_range(shape, table.getShape().drop_front(batch + 1));
  return table.withShape(shape);
}

void GatherOp::build(OpBuilder &builder, OperationState &state, Value operand, Value index, int64_t batch) {
  TensorType type =
      gatheredType(cast<TensorType>(operand.getType()), cast<TensorType>(index.getType()), batch);
  assert(type && "operand and index differ in their batch axes");
  build(builder, state, type, operand, index, builder.getI64IntegerAttr(batch));
}

static LogicalResult verifyGathered(Operation *op, TensorType table, TensorType index, int64_t batch,
                                    TensorType gathered, StringRef what) {
  TensorType expected = gatheredType(table, index, batch);
  if (!expected) // (C1)
    return op->emitOpError("expected ") << batch << " leading axes of equal sizes before the chosen one, got "
                                        << table << " and index " << index;
  if (gathered != expected) // (C3), (C4)
    return op->emitOpError("expected ") << what << " " << expected << ", got " << gathered;
  return success();
}

LogicalResult GatherOp::verify() {
  return verifyGathered(*this, getOperand().getType(), getIndex().getType(), getBatch(), getType(), "result");
}

LogicalResult ScatterAddOp::verify() {
  return verifyGathered(*this, getType(), getIndex().getType(), getBatch(), getUpdates().getType(),
                        "updates");
}

//===----------------------------------------------------------------------===//
// ArgSortOp
//===----------------------------------------------------------------------===//

void ArgSortOp::build(OpBuilder &builder, OperationState &state, Value operand) {
  build(builder, state, cast<TensorType>(operand.getType()).withElementType(builder.getI32Type()), operand);
}

LogicalResult ArgSortOp::verify() {
  TensorType operand = getOperand().getType();
  if (operand.isScalar()) // (C1)
    return emitOpError("expected an operand with an axis, got ") << operand;
  TensorType expected = operand.withElementType(IntegerType::get(getContext(), 32));
  if (getType() != expected) // (C2)
    return emitOpError("expected result ") << expected << ", got " << getType();
  return success();
}

} // namespace dlc::dl
