// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Transforms/TransposePatterns.h"

#include "compiler/Dialect/Dl.h"

namespace dlc {

using namespace mlir;

namespace {

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

/// Whether everything that uses `value` is this very transpose, possibly several times.
bool isOnlyTransposedBy(Value value, dl::TransposeOp op) {
  return llvm::all_of(value.getUsers(), [&](Operation *user) {
    auto other = dyn_cast<dl::TransposeOp>(user);
    return other && other.getPermutation() == op.getPermutation();
  });
}

void replaceUsers(PatternRewriter &rewriter, Value transposed, Value replacement) {
  for (Operation *user : llvm::make_early_inc_range(transposed.getUsers()))
    rewriter.replaceOp(user, replacement);
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
    if (!contract || !isOnlyTransposedBy(contract, op))
      return rewriter.notifyMatchFailure(op, "expected a contract that only this transpose uses");
    std::string result;
    for (int64_t source : op.getPermutation())
      result.push_back(contract.getResultLetters()[source]);
    auto equation = rewriter.getStringAttr(contract.getLhsLetters() + "," + contract.getRhsLetters() + "->" +
                                           StringRef(result));
    rewriter.setInsertionPoint(contract);
    auto replacement = dl::ContractOp::create(rewriter, contract.getLoc(), op.getType(), equation,
                                              contract.getLhs(), contract.getRhs());
    replaceUsers(rewriter, contract, replacement);
    rewriter.eraseOp(contract);
    return success();
  }
};

/// transpose(f(a, b)) = f(transpose(a), transpose(b)) for an elementwise f.
struct HoistOverElementwise : OpRewritePattern<dl::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(dl::TransposeOp op, PatternRewriter &rewriter) const override {
    Operation *source = op.getOperand().getDefiningOp();
    if (!source || !source->hasTrait<dl::Elementwise>() || !isOnlyTransposedBy(op.getOperand(), op))
      return rewriter.notifyMatchFailure(op,
                                         "expected an elementwise operation that only this transpose uses");
    rewriter.setInsertionPoint(source);
    IRMapping mapping;
    for (Value operand : source->getOperands())
      if (!mapping.contains(operand))
        mapping.map(operand, dl::TransposeOp::create(rewriter, op.getLoc(), operand, op.getPermutation()));
    Operation *replacement = rewriter.clone(*source, mapping);
    replacement->getResult(0).setType(op.getType());
    replaceUsers(rewriter, source->getResult(0), replacement->getResult(0));
    rewriter.eraseOp(source);
    return success();
  }
};

/// transpose(broadcast(x)) = broadcast(x) along other axes, where those of x keep their order.
struct HoistOverBroadcast : OpRewritePattern<dl::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(dl::TransposeOp op, PatternRewriter &rewriter) const override {
    auto broadcast = op.getOperand().getDefiningOp<dl::BroadcastOp>();
    if (!broadcast)
      return rewriter.notifyMatchFailure(op, "expected a broadcast operand");
    SmallVector<int64_t> dims;
    for (int64_t dim : broadcast.getDims())
      dims.push_back(llvm::find(op.getPermutation(), dim) - op.getPermutation().begin());
    if (!llvm::is_sorted(dims))
      return rewriter.notifyMatchFailure(op, "expected the broadcast's axes to keep their order");
    rewriter.replaceOpWithNewOp<dl::BroadcastOp>(op, op.getType(), broadcast.getOperand(), dims);
    return success();
  }
};

} // namespace

void populateTransposeFolding(RewritePatternSet &patterns) {
  patterns.add<FoldTransposeIntoOperand, FoldTransposeOfContract>(patterns.getContext());
}

void populateTransposeHoisting(RewritePatternSet &patterns) {
  patterns.add<HoistOverElementwise, HoistOverBroadcast>(patterns.getContext());
}

} // namespace dlc
