// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers and type inference of the operations that work element by element.

#include "compiler/Dialect/Dl.h"

using namespace mlir;

namespace dlc::dl {
//===----------------------------------------------------------------------===//
// CompareOp
//===----------------------------------------------------------------------===//

LogicalResult CompareOp::inferReturnTypes(MLIRContext *context, std::optional<Location>, ValueRange operands,
                                          DictionaryAttr, OpaqueProperties, RegionRange,
                                          SmallVectorImpl<Type> &types) {
  auto operand = dyn_cast<TensorType>(operands.front().getType());
  if (!operand)
    return failure();
  types.push_back(operand.withElementType(IntegerType::get(context, 1)));
  return success();
}

//===----------------------------------------------------------------------===//
// SelectOp
//===----------------------------------------------------------------------===//

LogicalResult SelectOp::verify() {
  if (getCondition().getType().getShape() != getType().getShape()) // (C1)
    return emitOpError("expected a condition of the result's shape ")
           << getType() << ", got " << getCondition().getType();
  return success();
}

ParseResult SelectOp::parse(OpAsmParser &parser, OperationState &state) {
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  TensorType type;
  if (parser.parseOperandList(operands, 3) || parser.parseOptionalAttrDict(state.attributes) ||
      parser.parseColon() || parser.parseCustomTypeWithFallback(type))
    return failure();
  Type condition = type.withElementType(parser.getBuilder().getI1Type());
  state.addTypes(type);
  return parser.resolveOperands(operands, {condition, type, type}, parser.getNameLoc(), state.operands);
}

void SelectOp::print(OpAsmPrinter &printer) {
  printer << " " << getOperands();
  printer.printOptionalAttrDict((*this)->getAttrs());
  printer << " : ";
  printer.printStrippedAttrOrType(getType());
}

//===----------------------------------------------------------------------===//
// CastOp
//===----------------------------------------------------------------------===//

LogicalResult CastOp::verify() {
  if (getOperand().getType().getShape() != getType().getShape()) // (C1)
    return emitOpError("expected operand and result of one shape, got ")
           << getOperand().getType() << " and " << getType();
  return success();
}

} // namespace dlc::dl
