// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers, builders and folds of the leaves and of the operations that move elements.

#include "compiler/Dialect/Dl.h"

#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;

namespace dlc::dl {
namespace {

LogicalResult verifySameElementType(Operation *op, TensorType operand, TensorType result) {
  if (operand.getElementType() != result.getElementType())
    return op->emitOpError("expected operand and result of one element type, got ")
           << operand << " and " << result;
  return success();
}

} // namespace

//===----------------------------------------------------------------------===//
// ConstantOp
//===----------------------------------------------------------------------===//

void ConstantOp::build(OpBuilder &builder, OperationState &state, TensorType type, double value) {
  Type element = type.getElementType();
  TypedAttr attribute;
  if (isa<FloatType>(element))
    attribute = builder.getFloatAttr(element, value);
  else
    attribute = builder.getIntegerAttr(element, static_cast<int64_t>(value));
  build(builder, state, type, attribute);
}

OpFoldResult ConstantOp::fold(FoldAdaptor) {
  return getValue();
}

LogicalResult ConstantOp::verify() {
  if (getValue().getType() != getType().getElementType()) // (C1)
    return emitOpError("expected a value of type ")
           << getType().getElementType() << ", got " << getValue().getType();
  return success();
}

//===----------------------------------------------------------------------===//
// DimOp, IotaOp
//===----------------------------------------------------------------------===//

OpFoldResult DimOp::fold(FoldAdaptor) {
  if (std::optional<int64_t> value = getValue().getConstantValue())
    return IntegerAttr::get(IntegerType::get(getContext(), 64), *value);
  return {};
}

LogicalResult IotaOp::verify() {
  int64_t axis = getAxis();
  if (axis < 0 || axis >= getType().getRank()) // (C1)
    return emitOpError("expected an axis from 0 to ") << getType().getRank() - 1 << ", got " << axis;
  return success();
}

//===----------------------------------------------------------------------===//
// BroadcastOp
//===----------------------------------------------------------------------===//

OpFoldResult BroadcastOp::fold(FoldAdaptor adaptor) {
  if (getOperand().getType() == getType())
    return getOperand();
  if (auto inner = getOperand().getDefiningOp<BroadcastOp>()) {
    SmallVector<int64_t> dims;
    for (int64_t axis : inner.getDims())
      dims.push_back(getDims()[axis]);
    setOperand(inner.getOperand());
    setDims(dims);
    return getResult();
  }
  return adaptor.getOperand(); // a filled tensor stays filled
}

LogicalResult BroadcastOp::verify() {
  TensorType operand = getOperand().getType(), result = getType();
  ArrayRef<int64_t> dims = getDims();
  if (static_cast<int64_t>(dims.size()) != operand.getRank()) // (C1)
    return emitOpError("expected ") << operand.getRank() << " dims for operand " << operand << ", got "
                                    << dims.size();
  int64_t previous = -1;
  for (auto [axis, dim] : llvm::enumerate(dims)) {
    if (dim <= previous || dim >= result.getRank()) // (C2)
      return emitOpError("expected strictly increasing dims below ")
             << result.getRank() << ", got " << dim << " for operand axis " << axis;
    previous = dim;
    if (operand.getDim(axis) != result.getDim(dim)) // (C3)
      return emitOpError("expected operand axis ") << axis << " of size " << toString(result.getDim(dim))
                                                   << ", got " << toString(operand.getDim(axis));
  }
  return verifySameElementType(*this, operand, result); // (C4)
}

//===----------------------------------------------------------------------===//
// TransposeOp
//===----------------------------------------------------------------------===//

void TransposeOp::build(OpBuilder &builder, OperationState &state, Value operand,
                        ArrayRef<int64_t> permutation) {
  auto type = cast<TensorType>(operand.getType());
  SmallVector<PolynomialAttr> shape;
  for (int64_t axis : permutation)
    shape.push_back(type.getDim(axis));
  build(builder, state, type.withShape(shape), operand, permutation);
}

OpFoldResult TransposeOp::fold(FoldAdaptor adaptor) {
  if (llvm::all_of(llvm::enumerate(getPermutation()),
                   [](auto entry) { return static_cast<int64_t>(entry.index()) == entry.value(); }))
    return getOperand();
  if (auto inner = getOperand().getDefiningOp<TransposeOp>()) {
    SmallVector<int64_t> permutation;
    for (int64_t axis : getPermutation())
      permutation.push_back(inner.getPermutation()[axis]);
    setOperand(inner.getOperand());
    setPermutation(permutation);
    return getResult();
  }
  return adaptor.getOperand();
}

LogicalResult TransposeOp::verify() {
  TensorType operand = getOperand().getType(), result = getType();
  ArrayRef<int64_t> permutation = getPermutation();
  if (static_cast<int64_t>(permutation.size()) != operand.getRank() ||
      result.getRank() != operand.getRank()) // (C1)
    return emitOpError("expected a permutation of ")
           << operand.getRank() << " axes and a result of that rank, got " << permutation.size()
           << " entries and " << result;
  llvm::SmallBitVector seen(permutation.size());
  for (auto [axis, source] : llvm::enumerate(permutation)) {
    if (source < 0 || source >= operand.getRank() || seen.test(source)) // (C1)
      return emitOpError("expected a permutation of the operand's axes, got ") << source << " at " << axis;
    seen.set(source);
    if (operand.getDim(source) != result.getDim(axis)) // (C2)
      return emitOpError("expected result axis ") << axis << " of size " << toString(operand.getDim(source))
                                                  << ", got " << toString(result.getDim(axis));
  }
  return verifySameElementType(*this, operand, result); // (C3)
}

//===----------------------------------------------------------------------===//
// ReshapeOp
//===----------------------------------------------------------------------===//

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  if (getOperand().getType() == getType())
    return getOperand();
  if (auto producer = getOperand().getDefiningOp<ReshapeOp>()) {
    setOperand(producer.getOperand());
    return getResult();
  }
  return adaptor.getOperand();
}

LogicalResult ReshapeOp::verify() {
  TensorType operand = getOperand().getType(), result = getType();
  if (operand.getElementCount() != result.getElementCount()) // (C1)
    return emitOpError("expected ") << toString(operand.getElementCount()) << " elements as in " << operand
                                    << ", got " << toString(result.getElementCount()) << " in " << result;
  return verifySameElementType(*this, operand, result); // (C2)
}

//===----------------------------------------------------------------------===//
// SliceOp, PadOp, ConcatOp
//===----------------------------------------------------------------------===//

OpFoldResult SliceOp::fold(FoldAdaptor adaptor) {
  if (getOperand().getType() == getType())
    return getOperand();
  return adaptor.getOperand();
}

LogicalResult SliceOp::verify() {
  TensorType operand = getOperand().getType(), result = getType();
  int64_t rank = operand.getRank();
  if (result.getRank() != rank || static_cast<int64_t>(getOffsets().size()) != rank ||
      static_cast<int64_t>(getStrides().size()) != rank) // (C1)
    return emitOpError("expected rank, offsets and strides of the operand's rank ")
           << rank << ", got " << result.getRank() << ", " << getOffsets().size() << " and "
           << getStrides().size();
  for (int64_t axis = 0; axis < rank; ++axis) {
    int64_t stride = getStrides()[axis];
    auto offset = cast<PolynomialAttr>(getOffsets()[axis]);
    if (stride < 1) // (C1)
      return emitOpError("expected a stride of at least 1 on axis ") << axis << ", got " << stride;
    // (C2) as a polynomial inequality that can be decided only when constant.
    std::optional<int64_t> low = offset.getConstantValue();
    std::optional<int64_t> slack =
        (operand.getDim(axis) - 1 - offset - (result.getDim(axis) - 1) * stride).getConstantValue();
    if ((low && *low < 0) || (slack && *slack < 0))
      return emitOpError("slice of axis ")
             << axis << " leaves the operand: offset " << toString(offset) << ", stride " << stride
             << ", size " << toString(result.getDim(axis)) << " of " << toString(operand.getDim(axis));
  }
  return verifySameElementType(*this, operand, result); // (C3)
}

OpFoldResult PadOp::fold(FoldAdaptor) {
  if (getOperand().getType() == getType())
    return getOperand();
  return {};
}

LogicalResult PadOp::verify() {
  TensorType operand = getOperand().getType(), result = getType();
  int64_t rank = operand.getRank();
  if (result.getRank() != rank || static_cast<int64_t>(getLow().size()) != rank ||
      static_cast<int64_t>(getInterior().size()) != rank) // (C1)
    return emitOpError("expected rank, low and interior of the operand's rank ")
           << rank << ", got " << result.getRank() << ", " << getLow().size() << " and "
           << getInterior().size();
  for (int64_t axis = 0; axis < rank; ++axis) {
    int64_t interior = getInterior()[axis];
    auto low = cast<PolynomialAttr>(getLow()[axis]);
    if (interior < 0) // (C1)
      return emitOpError("expected interior padding of at least 0 on axis ") << axis << ", got " << interior;
    // (C2) as far as it is constant.
    std::optional<int64_t> start = low.getConstantValue();
    std::optional<int64_t> slack =
        (result.getDim(axis) - 1 - low - (operand.getDim(axis) - 1) * (1 + interior)).getConstantValue();
    if ((start && *start < 0) || (slack && *slack < 0))
      return emitOpError("operand does not fit on axis ")
             << axis << ": low " << toString(low) << ", interior " << interior << ", size "
             << toString(operand.getDim(axis)) << " in " << toString(result.getDim(axis));
  }
  if (getValue().getType() != result.getElementType()) // (C3)
    return emitOpError("expected a padding value of type ")
           << result.getElementType() << ", got " << getValue().getType();
  return verifySameElementType(*this, operand, result); // (C3)
}

OpFoldResult ConcatOp::fold(FoldAdaptor) {
  if (getInputs().size() == 1)
    return getInputs().front();
  return {};
}

LogicalResult ConcatOp::verify() {
  TensorType result = getType();
  int64_t axis = getAxis();
  if (getInputs().empty()) // (C1)
    return emitOpError("expected at least one operand");
  if (axis < 0 || axis >= result.getRank()) // (C1)
    return emitOpError("expected an axis from 0 to ") << result.getRank() - 1 << ", got " << axis;
  PolynomialAttr total = PolynomialAttr::getConstant(getContext(), 0);
  for (auto [position, input] : llvm::enumerate(getInputs())) {
    auto type = cast<TensorType>(input.getType());
    if (type.getRank() != result.getRank() || type.getElementType() != result.getElementType() ||
        type.dropAxes(axis) != result.dropAxes(axis)) // (C2)
      return emitOpError("operand ") << position << " of type " << type << " does not match the result "
                                     << result << " outside axis " << axis;
    total = total + type.getDim(axis);
  }
  if (total != result.getDim(axis)) // (C3)
    return emitOpError("expected size ")
           << toString(total) << " on axis " << axis << ", got " << toString(result.getDim(axis));
  return success();
}

} // namespace dlc::dl
