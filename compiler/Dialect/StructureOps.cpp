// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers of states, scans, gradient requests and dispatches; the generated definitions of all operations.

#include "compiler/Dialect/Dl.h"

#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"

namespace dlc::dl {
namespace {

/// `(type, type)`, where there may be none: ODS alone wants at least one.
mlir::ParseResult parseTypesInParentheses(mlir::OpAsmParser &parser,
                                          llvm::SmallVectorImpl<mlir::Type> &types) {
  return parser.parseCommaSeparatedList(mlir::AsmParser::Delimiter::Paren,
                                        [&] { return parser.parseType(types.emplace_back()); });
}

void printTypesInParentheses(mlir::OpAsmPrinter &printer, mlir::Operation *, mlir::TypeRange types) {
  printer << "(" << types << ")";
}

} // namespace
} // namespace dlc::dl

#define GET_OP_CLASSES
#include "compiler/Dialect/DlOps.cpp.inc"

using namespace mlir;

namespace dlc::dl {

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

LogicalResult StateOp::verify() {
  auto type = cast<TensorType>(getType());
  for (PolynomialAttr size : type.getShape())
    if (!size.isConstant()) // (C1)
      return emitOpError("expected constant dimensions, got ") << type;
  if (getInitial() && getInitial()->getType() != type.getElementType()) // (C2)
    return emitOpError("expected an initial value of type ")
           << type.getElementType() << ", got " << getInitial()->getType();
  if (getRole() == StateRole::Optimizer && !getParameter()) // (C3)
    return emitOpError("expected optimizer state to name its parameter");
  return success();
}

namespace {

LogicalResult verifyStateUse(Operation *op, FlatSymbolRefAttr name, Type type,
                             SymbolTableCollection &symbols) {
  auto state = symbols.lookupNearestSymbolFrom<StateOp>(op, name);
  if (!state)
    return op->emitOpError("names no dl.state: ") << name;
  if (state.getType() != type) // (C1)
    return op->emitOpError("expected ") << state.getType() << " as " << name << " is declared, got " << type;
  return success();
}

} // namespace

LogicalResult LoadStateOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyStateUse(*this, getStateAttr(), getType(), symbols);
}

LogicalResult StoreStateOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyStateUse(*this, getStateAttr(), getValue().getType(), symbols);
}

//===----------------------------------------------------------------------===//
// ScanOp
//===----------------------------------------------------------------------===//

LogicalResult ScanOp::verify() {
  size_t numXs = getXs().size(), numCarries = getInits().size(), numStacks = getStacks().size();
  if (getXsAxes().size() != numXs || getStackAxes().size() != numStacks)
    return emitOpError("expected ") << numXs << " axes and " << numStacks << " stack axes, got "
                                    << getXsAxes().size() << " and " << getStackAxes().size();
  if (getFinals().size() != numCarries)
    return emitOpError("expected ") << numCarries << " final carries, got " << getFinals().size();
  if (getBody().getNumArguments() != 1 + numXs + numCarries) // (C3)
    return emitOpError("expected ") << 1 + numXs + numCarries << " block arguments, got "
                                    << getBody().getNumArguments();
  auto indexType = TensorType::get(getContext(), {}, IntegerType::get(getContext(), 64));
  if (getIndex().getType() != indexType) // (C3)
    return emitOpError("expected the first block argument of type ")
           << indexType << ", got " << getIndex().getType();
  for (auto [position, x, axis, slice] : llvm::enumerate(getXs(), getXsAxes(), getSlices())) {
    auto type = cast<TensorType>(x.getType());
    if (axis < 0 || axis >= type.getRank() || type.getDim(axis) != getCount()) // (C1)
      return emitOpError("expected axis ") << axis << " of operand " << position << " to have size "
                                           << toString(getCount()) << ", got " << type;
    if (slice.getType() != type.dropAxes(axis)) // (C3)
      return emitOpError("expected slice ")
             << position << " of type " << type.dropAxes(axis) << ", got " << slice.getType();
  }
  auto yield = cast<YieldOp>(getBody().front().getTerminator());
  if (yield.getValues().size() != numCarries + numStacks) // (C3)
    return emitOpError("expected ") << numCarries + numStacks << " yielded values, got "
                                    << yield.getValues().size();
  for (size_t i = 0; i < numCarries; ++i) { // (C2)
    Type type = getInits()[i].getType();
    for (Type actual : {getCarries()[i].getType(), yield.getValues()[i].getType(), getFinals()[i].getType()})
      if (actual != type)
        return emitOpError("expected carry ") << i << " to keep its type " << type << ", got " << actual;
  }
  for (size_t i = 0; i < numStacks; ++i) { // (C3)
    auto stack = cast<TensorType>(getStacks()[i].getType());
    int64_t axis = getStackAxes()[i];
    Type element = yield.getValues()[numCarries + i].getType();
    if (axis < 0 || axis >= stack.getRank() || stack.getDim(axis) != getCount() ||
        stack.dropAxes(axis) != element)
      return emitOpError("expected stack ")
             << i << " to be " << element << " with size " << toString(getCount()) << " inserted at axis "
             << axis << ", got " << stack;
  }
  return success();
}

void ScanOp::getCanonicalizationPatterns(RewritePatternSet &, MLIRContext *) {}

//===----------------------------------------------------------------------===//
// GradientOp, DispatchOp
//===----------------------------------------------------------------------===//

LogicalResult GradientOp::verify() {
  if (!getLoss().getType().isScalar()) // (C1)
    return emitOpError("expected a scalar loss, got ") << getLoss().getType();
  if (getWrt().getTypes() != getGradients().getTypes()) // (C2)
    return emitOpError("expected one gradient per value, of its type");
  return success();
}

ParseResult GradientOp::parse(OpAsmParser &parser, OperationState &state) {
  OpAsmParser::UnresolvedOperand loss;
  SmallVector<OpAsmParser::UnresolvedOperand> wrt;
  Type lossType;
  SmallVector<Type> types;
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseOperand(loss) || parser.parseKeyword("wrt") ||
      parser.parseOperandList(wrt, OpAsmParser::Delimiter::Paren) ||
      parser.parseOptionalAttrDict(state.attributes) || parser.parseColonType(lossType) ||
      parser.parseComma() || parser.parseLParen())
    return failure();
  if (failed(parser.parseOptionalRParen()) && (parser.parseTypeList(types) || parser.parseRParen()))
    return failure();
  state.addTypes(types);
  return failure(parser.resolveOperand(loss, lossType, state.operands) ||
                 parser.resolveOperands(wrt, types, location, state.operands));
}

void GradientOp::print(OpAsmPrinter &printer) {
  printer << " " << getLoss() << " wrt(" << getWrt() << ")";
  printer.printOptionalAttrDict((*this)->getAttrs());
  printer << " : " << getLoss().getType() << ", (" << getWrt().getTypes() << ")";
}

LogicalResult DispatchOp::verify() {
  if (getBody().getArgumentTypes() != getInputs().getTypes()) // (C1)
    return emitOpError("expected block arguments of the operands' types");
  auto yield = cast<YieldOp>(getBody().front().getTerminator());
  if (yield.getValues().getTypes() != getOutputs().getTypes()) // (C1)
    return emitOpError("expected yielded values of the results' types");
  return success();
}

} // namespace dlc::dl
