// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass dl-simplify: what makes dispatches fewer and smaller without changing a bit of any result.

#include "compiler/Transforms/Passes.h"

#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace dlc {

#define GEN_PASS_DEF_SIMPLIFYPASS
#include "compiler/Transforms/Passes.h.inc"

namespace {

using namespace mlir;

/// The letters of a transpose's operand, given those of its result.
std::string lettersBelow(dl::TransposeOp transpose, StringRef letters) {
  std::string below(letters.size(), ' ');
  for (auto [axis, source] : llvm::enumerate(transpose.getPermutation()))
    below[source] = letters[axis];
  return below;
}

std::string reducedIn(StringRef letters, StringRef result) {
  std::string reduced;
  for (char letter : letters)
    if (!result.contains(letter))
      reduced.push_back(letter);
  return reduced;
}

/// contract(transpose(a), b) = contract(a, b) with other letters. The order of the summed letters in the left
/// operand is the order of summation and must stay.
struct FoldTransposeIntoOperand : OpRewritePattern<dl::ContractOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(dl::ContractOp op, PatternRewriter &rewriter) const override {
    std::string lhs = op.getLhsLetters().str(), rhs = op.getRhsLetters().str();
    StringRef result = op.getResultLetters();
    Value left = op.getLhs(), right = op.getRhs();
    if (auto transpose = left.getDefiningOp<dl::TransposeOp>()) {
      std::string below = lettersBelow(transpose, lhs);
      if (reducedIn(below, result) == reducedIn(lhs, result)) {
        lhs = below;
        left = transpose.getOperand();
      }
    }
    if (auto transpose = right.getDefiningOp<dl::TransposeOp>()) {
      rhs = lettersBelow(transpose, rhs);
      right = transpose.getOperand();
    }
    if (left == op.getLhs() && right == op.getRhs())
      return rewriter.notifyMatchFailure(op,
                                         "expected a transposed operand that keeps the order of summation");
    rewriter.replaceOpWithNewOp<dl::ContractOp>(
        op, op.getType(), rewriter.getStringAttr(lhs + "," + rhs + "->" + result.str()), left, right);
    return success();
  }
};

/// transpose(contract(a, b)) = contract(a, b) with the result's letters in another order.
struct FoldTransposeOfContract : OpRewritePattern<dl::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(dl::TransposeOp op, PatternRewriter &rewriter) const override {
    auto contract = op.getOperand().getDefiningOp<dl::ContractOp>();
    if (!contract || !contract->hasOneUse())
      return rewriter.notifyMatchFailure(op, "expected a contract that only this transpose uses");
    std::string result;
    for (int64_t source : op.getPermutation())
      result.push_back(contract.getResultLetters()[source]);
    auto equation = rewriter.getStringAttr(contract.getLhsLetters() + "," + contract.getRhsLetters() + "->" +
                                           StringRef(result));
    rewriter.setInsertionPoint(contract);
    auto replacement = dl::ContractOp::create(rewriter, contract.getLoc(), op.getType(), equation,
                                              contract.getLhs(), contract.getRhs());
    rewriter.replaceOp(op, replacement);
    rewriter.eraseOp(contract);
    return success();
  }
};

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
    set.add<FoldTransposeIntoOperand, FoldTransposeOfContract, CompareActivation>(context);
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
