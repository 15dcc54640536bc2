// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers of states, scans, gradient requests and dispatches; the generated definitions of all operations.

#include "compiler/Dialect/Dl.h"

#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/Sequence.h"

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
  if (std::optional<ArrayRef<int64_t>> layout = getLayout()) { // (C4)
    SmallVector<int64_t> axes(*layout);
    llvm::sort(axes);
    if (!llvm::equal(axes, llvm::seq<int64_t>(0, type.getRank())))
      return emitOpError("expected a layout that orders ")
             << type.getRank() << " axes, got [" << *layout << "]";
  }
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

namespace {

/// Removes what a scan computes for nobody, and carries that never change:
///   - a carry whose yielded value is the carry itself becomes its initial value;
///   - a carry whose final value is unused and which no value depends on but its own next one is dropped;
///   - unused stacks and unused slices are dropped; one of two equal xs too.
struct SimplifyScan : OpRewritePattern<ScanOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ScanOp scan, PatternRewriter &rewriter) const override {
    Block &body = scan.getBody().front();
    auto yield = cast<YieldOp>(body.getTerminator());
    size_t numXs = scan.getXs().size(), numCarries = scan.getInits().size();
    llvm::BitVector dropX(numXs), dropCarry = unneededCarries(scan), dropStack(scan.getStacks().size());
    bool changed = false;

    for (size_t i = 0; i < numXs; ++i) {
      for (size_t k = 0; k < i; ++k) {
        if (scan.getXs()[k] != scan.getXs()[i] || scan.getXsAxes()[k] != scan.getXsAxes()[i] ||
            scan.getSlices()[i].use_empty())
          continue;
        rewriter.replaceAllUsesWith(scan.getSlices()[i], scan.getSlices()[k]);
        break;
      }
      dropX[i] = scan.getSlices()[i].use_empty();
    }
    for (size_t j = 0; j < numCarries; ++j) {
      BlockArgument carry = scan.getCarries()[j];
      if (yield.getValues()[j] != carry)
        continue;
      Value init = scan.getInits()[j];
      rewriter.replaceAllUsesWith(scan.getFinals()[j], init);
      rewriter.replaceUsesWithIf(carry, init, [&](OpOperand &use) {
        return use.getOwner() != yield || use.getOperandNumber() != j;
      });
      dropCarry.set(j);
    }
    for (auto [l, stack] : llvm::enumerate(scan.getStacks()))
      dropStack[l] = stack.use_empty();
    changed = dropX.any() || dropCarry.any() || dropStack.any();
    if (!changed)
      return rewriter.notifyMatchFailure(scan, "every slice, carry and stack is needed");

    // A dropped carry may still be computed from itself: cut the circle.
    llvm::BitVector eraseArguments(body.getNumArguments());
    for (unsigned i : dropX.set_bits())
      eraseArguments.set(1 + i);
    for (unsigned j : dropCarry.set_bits()) {
      rewriter.replaceAllUsesWith(scan.getCarries()[j], scan.getInits()[j]);
      eraseArguments.set(1 + numXs + j);
    }
    auto kept = [](auto range, const llvm::BitVector &dropped) {
      using Element = std::decay_t<decltype(*range.begin())>;
      SmallVector<std::conditional_t<std::is_same_v<Element, int64_t>, int64_t, Value>> result;
      for (auto [position, element] : llvm::enumerate(range))
        if (!dropped[position])
          result.push_back(element);
      return result;
    };
    llvm::BitVector dropYield = dropCarry;
    dropYield.resize(numCarries + dropStack.size());
    for (unsigned l : dropStack.set_bits())
      dropYield.set(numCarries + l);
    rewriter.modifyOpInPlace(yield,
                             [&] { yield.getValuesMutable().assign(kept(yield.getValues(), dropYield)); });

    auto smaller = ScanOp::create(
        rewriter, scan.getLoc(), TypeRange(ValueRange(kept(scan.getFinals(), dropCarry))),
        TypeRange(ValueRange(kept(scan.getStacks(), dropStack))), scan.getCount(), kept(scan.getXs(), dropX),
        kept(scan.getInits(), dropCarry), kept(scan.getXsAxes(), dropX), kept(scan.getStackAxes(), dropStack),
        scan.getReverse());
    smaller->setDiscardableAttrs(scan->getDiscardableAttrDictionary());
    rewriter.inlineRegionBefore(scan.getBody(), smaller.getBody(), smaller.getBody().end());
    smaller.getBody().front().eraseArguments(eraseArguments);
    for (auto [from, to] : llvm::zip(kept(scan.getFinals(), dropCarry), smaller.getFinals()))
      rewriter.replaceAllUsesWith(from, to);
    for (auto [from, to] : llvm::zip(kept(scan.getStacks(), dropStack), smaller.getStacks()))
      rewriter.replaceAllUsesWith(from, to);
    rewriter.eraseOp(scan);
    return success();
  }

  /// Carries that reach no stack, no side effect and no final value that is used.
  static llvm::BitVector unneededCarries(ScanOp scan) {
    Block &body = scan.getBody().front();
    auto yielded = body.getTerminator()->getOperands();
    size_t numCarries = scan.getInits().size();
    llvm::BitVector needed(numCarries);
    for (auto [j, final] : llvm::enumerate(scan.getFinals()))
      needed[j] = !final.use_empty();
    for (bool changed = true; changed;) {
      changed = false;
      llvm::DenseSet<Value> reached;
      for (auto [position, value] : llvm::enumerate(yielded))
        if (position < numCarries ? needed[position] : !scan.getStacks()[position - numCarries].use_empty())
          reached.insert(value);
      for (Operation &op : llvm::reverse(body.without_terminator())) {
        bool isReached = llvm::any_of(op.getResults(), [&](Value value) { return reached.contains(value); });
        if (isReached || !isMemoryEffectFree(&op))
          op.walk([&](Operation *nested) { reached.insert(nested->operand_begin(), nested->operand_end()); });
      }
      for (auto [j, carry] : llvm::enumerate(scan.getCarries()))
        if (!needed[j] && reached.contains(carry))
          changed = needed[j] = true;
    }
    return needed.flip();
  }
};

} // namespace

void ScanOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<SimplifyScan>(context);
}

//===----------------------------------------------------------------------===//
// GradientOp, CustomGradientOp, DispatchOp
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

static ParseResult parseNamedOperands(OpAsmParser &parser, StringRef keyword,
                                      SmallVectorImpl<OpAsmParser::UnresolvedOperand> &operands) {
  return failure(parser.parseKeyword(keyword) ||
                 parser.parseOperandList(operands, OpAsmParser::Delimiter::Paren));
}

ParseResult CustomGradientOp::parse(OpAsmParser &parser, OperationState &state) {
  std::array<SmallVector<OpAsmParser::UnresolvedOperand>, 3> groups;
  SMLoc location = parser.getCurrentLocation();
  for (auto [keyword, operands] : llvm::zip(std::array<StringRef, 3>{"values", "of", "captures"}, groups))
    if (parseNamedOperands(parser, keyword, operands))
      return failure();
  if (parser.parseOptionalAttrDict(state.attributes) || parser.parseColon())
    return failure();
  std::array<int32_t, 3> sizes;
  for (auto [i, operands] : llvm::enumerate(groups)) {
    SmallVector<Type> types;
    if ((i > 0 && parser.parseComma()) || parseTypesInParentheses(parser, types) ||
        parser.resolveOperands(operands, types, location, state.operands))
      return failure();
    if (i == 0)
      state.addTypes(types);
    sizes[i] = static_cast<int32_t>(operands.size());
  }
  state.getOrAddProperties<Properties>().operandSegmentSizes = sizes;
  return parser.parseRegion(*state.addRegion());
}

void CustomGradientOp::print(OpAsmPrinter &printer) {
  printer << " values(" << getValues() << ") of(" << getArgs() << ") captures(" << getCaptures() << ")";
  printer.printOptionalAttrDict((*this)->getAttrs(), {"operandSegmentSizes"});
  printer << " : (" << getValues().getTypes() << "), (" << getArgs().getTypes() << "), ("
          << getCaptures().getTypes() << ") ";
  printer.printRegion(getBody());
}

LogicalResult CustomGradientOp::verify() {
  if (getOutputs().getTypes() != getValues().getTypes()) // (C1)
    return emitOpError("expected results of the types of its values");
  SmallVector<Type> expected(getOutputs().getTypes());
  llvm::append_range(expected, getCaptures().getTypes());
  auto yield = cast<YieldOp>(getBody().front().getTerminator());
  if (getBody().getArgumentTypes() != ArrayRef<Type>(expected) ||
      yield.getValues().getTypes() != getArgs().getTypes()) // (C2)
    return emitOpError(
        "expected a body from the gradients of the results and the captures to those of the arguments");
  return success();
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
