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

/// What a loop's body computes from outer values alone is computed once. Constants and their like stay: they
/// cost nothing inside, and memory outside.
void hoistInvariants(dl::ScanOp scan) {
  for (Operation &op : llvm::make_early_inc_range(scan.getBody().front())) {
    bool generates = isa<dl::ConstantOp, dl::IotaOp, dl::DimOp, dl::BroadcastOp, dl::RandomOp>(op);
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
    set.add<CompareActivation>(context);
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
