// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers and builders of reductions, contractions, convolutions and pooling.

#include "compiler/Dialect/Dl.h"

#include "mlir/IR/OpImplementation.h"

using namespace mlir;

namespace dlc::dl {
//===----------------------------------------------------------------------===//
// ReduceOp, ArgMaxOp
//===----------------------------------------------------------------------===//

void ReduceOp::build(OpBuilder &builder, OperationState &state, ReduceKind kind, Value operand,
                     ArrayRef<int64_t> axes) {
  build(builder, state, cast<TensorType>(operand.getType()).dropAxes(axes), kind, operand, axes);
}

OpFoldResult ReduceOp::fold(FoldAdaptor) {
  // A sum starts at +0, so the sum of -0 alone is +0.
  bool keepsBits = getKind() != ReduceKind::Sum || isa<IntegerType>(getType().getElementType());
  if (getAxes().empty() && keepsBits)
    return getOperand();
  return {};
}

LogicalResult ReduceOp::verify() {
  TensorType operand = getOperand().getType();
  int64_t previous = -1;
  for (int64_t axis : getAxes()) { // (C1)
    if (axis <= previous || axis >= operand.getRank())
      return emitOpError("expected distinct increasing axes below ") << operand.getRank() << ", got " << axis;
    previous = axis;
  }
  if (TensorType expected = operand.dropAxes(getAxes()); getType() != expected) // (C2)
    return emitOpError("expected result ") << expected << ", got " << getType();
  return success();
}

LogicalResult ArgMaxOp::verify() {
  TensorType operand = getOperand().getType();
  int64_t axis = getAxis();
  if (axis < 0 || axis >= operand.getRank()) // (C1)
    return emitOpError("expected an axis from 0 to ") << operand.getRank() - 1 << ", got " << axis;
  TensorType expected = operand.dropAxes(axis).withElementType(IntegerType::get(getContext(), 32));
  if (getType() != expected) // (C2)
    return emitOpError("expected result ") << expected << ", got " << getType();
  return success();
}

//===----------------------------------------------------------------------===//
// ContractOp
//===----------------------------------------------------------------------===//

StringRef ContractOp::getLhsLetters() {
  return getEquation().split(',').first;
}
StringRef ContractOp::getRhsLetters() {
  return getEquation().split(',').second.split("->").first;
}
StringRef ContractOp::getResultLetters() {
  return getEquation().split("->").second;
}

std::string ContractOp::getReducedLetters() {
  std::string letters;
  for (char letter : getLhsLetters())
    if (!getResultLetters().contains(letter))
      letters.push_back(letter);
  return letters;
}

PolynomialAttr ContractOp::getLetterSize(char letter) {
  size_t axis = getLhsLetters().find(letter);
  if (axis != StringRef::npos)
    return getLhs().getType().getDim(axis);
  return getRhs().getType().getDim(getRhsLetters().find(letter));
}

LogicalResult ContractOp::verify() {
  StringRef equation = getEquation();
  if (!equation.contains(',') || !equation.contains("->")) // (C1)
    return emitOpError("expected an equation like \"mk,nk->mn\", got \"") << equation << "\"";
  std::array<std::pair<StringRef, TensorType>, 3> sides{{{getLhsLetters(), getLhs().getType()},
                                                         {getRhsLetters(), getRhs().getType()},
                                                         {getResultLetters(), getType()}}};
  for (auto [letters, type] : sides) { // (C1)
    if (static_cast<int64_t>(letters.size()) != type.getRank())
      return emitOpError("expected ")
             << type.getRank() << " letters for " << type << ", got \"" << letters << "\"";
    for (size_t i = 0; i < letters.size(); ++i)
      if (letters[i] < 'a' || letters[i] > 'z' || letters.find(letters[i], i + 1) != StringRef::npos)
        return emitOpError("expected distinct lower-case letters, got \"") << letters << "\"";
  }
  for (auto [letters, type] : sides) { // (C2), (C3)
    for (auto [axis, letter] : llvm::enumerate(letters)) {
      bool inLhs = getLhsLetters().contains(letter), inRhs = getRhsLetters().contains(letter);
      if (!inLhs && !inRhs)
        return emitOpError("letter '") << letter << "' of the result stands in no operand";
      if (!getResultLetters().contains(letter) && !(inLhs && inRhs))
        return emitOpError("letter '") << letter << "' is summed over but stands in one operand only";
      if (type.getDim(axis) != getLetterSize(letter))
        return emitOpError("letter '") << letter << "' has size " << toString(getLetterSize(letter))
                                       << " and size " << toString(type.getDim(axis));
    }
  }
  Type element = getType().getElementType();
  if (getLhs().getType().getElementType() != element ||
      getRhs().getType().getElementType() != element) // (C4)
    return emitOpError("expected one element type, got ")
           << getLhs().getType() << ", " << getRhs().getType() << " and " << getType();
  return success();
}

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

namespace {

/// floor((size + low + high - extent) / stride) + 1. With a symbolic size, stride 1 only.
FailureOr<PolynomialAttr> windowedSize(PolynomialAttr size, int64_t low, int64_t high, int64_t extent,
                                       int64_t stride) {
  PolynomialAttr span = size + (low + high - extent);
  if (std::optional<int64_t> value = span.getConstantValue()) {
    if (*value < 0)
      return failure();
    return PolynomialAttr::getConstant(size.getContext(), *value / stride + 1);
  }
  if (stride != 1)
    return failure();
  return span + 1;
}

/// Says why windowedSize found no size.
LogicalResult refuseWindow(Operation *op, StringRef window, TensorType input, int64_t axis) {
  if (!input.getDim(axis + 2).isConstant())
    return op->emitOpError("a strided axis needs a constant size, got ")
           << toString(input.getDim(axis + 2)) << " on spatial axis " << axis << " of " << input;
  return op->emitOpError("the ") << window << " does not fit into spatial axis " << axis << " of " << input;
}

/// Checks (C1) to (C5) of conv for input -> filter -> output, whichever of them is the result.
template <typename ConvOp>
LogicalResult verifyConvolution(ConvOp op, TensorType input, TensorType filter, TensorType output) {
  int64_t rank = input.getRank(), spatial = rank - 2;
  if (spatial < 1 || filter.getRank() != rank || output.getRank() != rank)
    return op.emitOpError("expected input, filter and output of one rank of at least 3, got ")
           << input << ", " << filter << " and " << output;
  std::array<ArrayRef<int64_t>, 4> lists{op.getStrides(), op.getPaddingLow(), op.getPaddingHigh(),
                                         op.getDilations()};
  for (ArrayRef<int64_t> list : lists) // (C1)
    if (static_cast<int64_t>(list.size()) != spatial)
      return op.emitOpError("expected ")
             << spatial << " strides, paddings and dilations, got " << list.size();
  for (int64_t axis = 0; axis < spatial; ++axis) // (C1)
    if (lists[0][axis] < 1 || lists[1][axis] < 0 || lists[2][axis] < 0 || lists[3][axis] < 1)
      return op.emitOpError("expected stride and dilation >= 1 and padding >= 0 on spatial axis ") << axis;
  int64_t groups = op.getGroups();
  if (groups < 1 || filter.getDim(1) * groups != input.getDim(1)) // (C2)
    return op.emitOpError("expected ") << toString(filter.getDim(1) * groups) << " input channels (" << groups
                                       << " groups of the filter's " << toString(filter.getDim(1))
                                       << "), got " << toString(input.getDim(1));
  if (!divideExactly(filter.getDim(0), PolynomialAttr::getConstant(op.getContext(), groups))) // (C3)
    return op.emitOpError("expected output channels divisible by ")
           << groups << " groups, got " << toString(filter.getDim(0));
  if (output.getDim(0) != input.getDim(0) || output.getDim(1) != filter.getDim(0))
    return op.emitOpError("expected batch ")
           << toString(input.getDim(0)) << " and channels " << toString(filter.getDim(0)) << " in " << output;
  for (int64_t axis = 0; axis < spatial; ++axis) { // (C4)
    std::optional<int64_t> kernel = filter.getDim(axis + 2).getConstantValue();
    if (!kernel)
      return op.emitOpError("expected a constant kernel size, got ") << toString(filter.getDim(axis + 2));
    FailureOr<PolynomialAttr> size = windowedSize(input.getDim(axis + 2), lists[1][axis], lists[2][axis],
                                                  lists[3][axis] * (*kernel - 1) + 1, lists[0][axis]);
    if (failed(size))
      return refuseWindow(op, "kernel", input, axis);
    if (*size != output.getDim(axis + 2))
      return op.emitOpError("expected output size ") << toString(*size) << " on spatial axis " << axis
                                                     << ", got " << toString(output.getDim(axis + 2));
  }
  if (input.getElementType() != filter.getElementType() ||
      input.getElementType() != output.getElementType()) // (C5)
    return op.emitOpError("expected one element type, got ") << input << ", " << filter << " and " << output;
  return success();
}

/// Checks (C1) to (C3) of max_pool for input -> output.
template <typename PoolOp> LogicalResult verifyPool(PoolOp op, TensorType input, TensorType output) {
  int64_t rank = input.getRank(), spatial = rank - 2;
  if (spatial < 1 || output.getRank() != rank)
    return op.emitOpError("expected input and output of one rank of at least 3, got ")
           << input << " and " << output;
  std::array<ArrayRef<int64_t>, 4> lists{op.getWindow(), op.getStrides(), op.getPaddingLow(),
                                         op.getPaddingHigh()};
  for (ArrayRef<int64_t> list : lists) // (C1)
    if (static_cast<int64_t>(list.size()) != spatial)
      return op.emitOpError("expected ") << spatial << " windows, strides and paddings, got " << list.size();
  if (input.getDim(0) != output.getDim(0) || input.getDim(1) != output.getDim(1)) // (C2)
    return op.emitOpError("expected batch and channels of ") << input << ", got " << output;
  for (int64_t axis = 0; axis < spatial; ++axis) {
    int64_t window = lists[0][axis], stride = lists[1][axis], low = lists[2][axis], high = lists[3][axis];
    if (window < 1 || stride < 1 || low < 0 || high < 0 || low >= window || high >= window) // (C1)
      return op.emitOpError("expected window and stride >= 1 and 0 <= padding < window on spatial axis ")
             << axis;
    FailureOr<PolynomialAttr> size = windowedSize(input.getDim(axis + 2), low, high, window, stride);
    if (failed(size))
      return refuseWindow(op, "window", input, axis);
    if (*size != output.getDim(axis + 2)) // (C2)
      return op.emitOpError("expected output size ") << toString(*size) << " on spatial axis " << axis
                                                     << ", got " << toString(output.getDim(axis + 2));
  }
  if (input.getElementType() != output.getElementType()) // (C3)
    return op.emitOpError("expected one element type, got ") << input << " and " << output;
  return success();
}

} // namespace

LogicalResult ConvOp::verify() {
  return verifyConvolution(*this, getInput().getType(), getFilter().getType(), getType());
}
LogicalResult ConvInputGradOp::verify() {
  return verifyConvolution(*this, getType(), getFilter().getType(), getGradient().getType());
}
LogicalResult ConvWeightGradOp::verify() {
  return verifyConvolution(*this, getInput().getType(), getType(), getGradient().getType());
}

LogicalResult MaxPoolOp::verify() {
  return verifyPool(*this, getInput().getType(), getType());
}
LogicalResult MaxPoolGradOp::verify() {
  if (getType() != getInput().getType()) // (C4)
    return emitOpError("expected result ") << getInput().getType() << ", got " << getType();
  return verifyPool(*this, getInput().getType(), getGradient().getType());
}
LogicalResult MaxPoolSelectOp::verify() {
  if (getValues().getType() != getInput().getType()) // (C4)
    return emitOpError("expected values of type ")
           << getInput().getType() << ", got " << getValues().getType();
  return verifyPool(*this, getInput().getType(), getType());
}

} // namespace dlc::dl
