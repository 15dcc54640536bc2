// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass dl-simplify: what makes dispatches fewer and smaller without changing a bit of any result.

#include "compiler/Transforms/Passes.h"
#include "compiler/Transforms/TransposePatterns.h"

#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace dlc {

#define GEN_PASS_DEF_SIMPLIFYPASS
#include "compiler/Transforms/Passes.h.inc"

namespace {

using namespace mlir;

/// x > c = max(x, c) > c, NaN included: then backward needs the activation only, not what went into it.
struct CompareActivation : OpRewritePattern<dl::CompareOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(dl::CompareOp op, PatternRewriter &rewriter) const override {
    bool swapped = op.getPredicate() == dl::Predicate::Lt;
    if (op.getPredicate() != dl::Predicate::Gt && !swapped)
      return rewriter.notifyMatchFailure(op, "expected gt or lt");
    Value value = swapped ? op.getRhs() : op.getLhs(), bound = swapped ? op.getLhs() : op.getRhs();
    for (Operation *user : value.getUsers()) {
      auto max = dyn_cast<dl::MaxOp>(user);
      if (!max || max->getBlock() != op->getBlock() || !max->isBeforeInBlock(op) ||
          max.getLhs() == max.getRhs())
        continue;
      if (!llvm::is_contained(max->getOperands(), value) || !llvm::is_contained(max->getOperands(), bound))
        continue;
      rewriter.modifyOpInPlace(op, [&] { op->setOperand(swapped ? 1 : 0, max.getResult()); });
      return success();
    }
    return rewriter.notifyMatchFailure(op, "expected a max of the same values before it");
  }
};

/// Zeros of a type.
dl::ConstantOp createZero(OpBuilder &builder, Location location, dl::TensorType type) {
  return dl::ConstantOp::create(builder, location, type, builder.getZeroAttr(type.getElementType()));
}

bool isEmpty(Type type) {
  auto tensor = dyn_cast<dl::TensorType>(type);
  return tensor && tensor.getElementCount().isConstant(0);
}

/// A tensor without elements is computed by nothing, and a contraction or convolution of one, whose sums have
/// no terms, is 0: kernels never meet sizes that are known to be 0.
struct FoldEmpty : RewritePattern {
  explicit FoldEmpty(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isa_and_present<dl::DlDialect>(op->getDialect()) || op->getNumResults() != 1 ||
        op->getNumRegions() != 0 || isa<dl::ConstantOp>(op) || !isPure(op))
      return rewriter.notifyMatchFailure(op, "expected a pure operation with one result");
    bool isContraction = isa<dl::ContractOp, dl::ConvOp, dl::ConvInputGradOp, dl::ConvWeightGradOp>(op);
    if (!isEmpty(op->getResult(0).getType()) &&
        !(isContraction && llvm::any_of(op->getOperandTypes(), isEmpty)))
      return rewriter.notifyMatchFailure(op,
                                         "expected an empty result, or an empty operand of a contraction");
    auto type = cast<dl::TensorType>(op->getResult(0).getType());
    rewriter.replaceOp(op, createZero(rewriter, op->getLoc(), type));
    return success();
  }
};

/// A kernel has 64 operands and results at most, and concatenates all its operands: many are joined in steps.
struct SplitConcat : OpRewritePattern<dl::ConcatOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(dl::ConcatOp op, PatternRewriter &rewriter) const override {
    constexpr size_t kMaxInputs = 32;
    if (op.getInputs().size() <= kMaxInputs)
      return rewriter.notifyMatchFailure(op, "expected more operands");
    int64_t axis = op.getAxis();
    SmallVector<Value> parts;
    for (size_t first = 0; first < op.getInputs().size(); first += kMaxInputs) {
      auto inputs = op.getInputs().slice(first, std::min(kMaxInputs, op.getInputs().size() - first));
      SmallVector<dl::PolynomialAttr> shape(op.getType().getShape());
      shape[axis] = dl::PolynomialAttr::getConstant(getContext(), 0);
      for (Value input : inputs)
        shape[axis] = shape[axis] + cast<dl::TensorType>(input.getType()).getDim(axis);
      parts.push_back(
          dl::ConcatOp::create(rewriter, op.getLoc(), op.getType().withShape(shape), axis, inputs));
    }
    rewriter.modifyOpInPlace(op, [&] { op.getInputsMutable().assign(parts); });
    return success();
  }
};

/// What a loop's body computes from outer values alone is computed once. Constants and their like stay: they
/// cost nothing inside, and memory outside.
void hoistInvariants(dl::ScanOp scan) {
  for (Operation &op : llvm::make_early_inc_range(scan.getBody().front())) {
    bool generates =
        isa<dl::ConstantOp, dl::IotaOp, dl::DimOp, dl::BroadcastOp, dl::RandomKeyOp, dl::RandomOp>(op);
    if (generates || op.hasTrait<OpTrait::IsTerminator>() || op.getNumRegions() > 0 || !isPure(&op))
      continue;
    bool invariant = llvm::all_of(op.getOperands(), [&](Value operand) {
      return !scan.getBody().isAncestor(operand.getParentRegion());
    });
    if (invariant && op.getNumOperands() > 0)
      op.moveBefore(scan);
  }
}

struct Simplify : impl::SimplifyPassBase<Simplify> {
  using SimplifyPassBase::SimplifyPassBase;

  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet set(context);
    populateTransposeFolding(set);
    set.add<CompareActivation, FoldEmpty, SplitConcat>(context);
    for (RegisteredOperationName name : context->getRegisteredOperations())
      if (name.getDialectNamespace() == dl::DlDialect::getDialectNamespace())
        name.getCanonicalizationPatterns(set, context);
    patterns = std::move(set);
    return success();
  }

  void runOnOperation() override {
    // Equal values first: max(x, c) and x > c must name the same c.
    IRRewriter rewriter(&getContext());
    auto mergeEqual = [&] {
      DominanceInfo dominance(getOperation());
      eliminateCommonSubExpressions(rewriter, dominance, getOperation());
    };
    mergeEqual();
    if (failed(applyPatternsGreedily(getOperation(), patterns))) {
      getOperation().emitError("dl-simplify did not come to an end");
      return signalPassFailure();
    }
    getOperation().walk(hoistInvariants);
    mergeEqual();
  }

  FrozenRewritePatternSet patterns;
};

} // namespace
} // namespace dlc
