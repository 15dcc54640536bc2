// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dl-hoist-scan-accumulations. A carry that is only a running sum, c' = c + g, becomes one operation after
// the loop, where g is linear in what can be stacked:
//   sum over t of contract(p_t, q_t)  =  contract over (t, k) of the stacks of p and q
//   sum over t of reduce(p_t)         =  reduce over (t, axes) of the stack of p
// also under transpose, reshape and neg, which move behind the sum, and per term of a sum.

#include "compiler/Autodiff/Autodiff.h"
#include "compiler/Autodiff/Rules.h"
#include "compiler/Dialect/NominalSize.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace dlc::autodiff {

using namespace mlir;

#define GEN_PASS_DEF_HOISTSCANACCUMULATIONSPASS
#include "compiler/Autodiff/Passes.h.inc"

namespace {

/// One term of a running sum: `root`, a contraction or a sum, under `wrappers` (outermost first).
struct Term {
  Operation *root;
  SmallVector<Operation *> wrappers;
};

class Accumulations {
public:
  explicit Accumulations(dl::ScanOp scan) : scan(scan), stacks(scan) {}

  void hoist() {
    separateTerms();
    for (auto [j, carry] : llvm::enumerate(scan.getCarries()))
      collect(j);
    if (sums.empty())
      return;
    SmallVector<SmallVector<SmallVector<size_t>>> positions; // of each operand of each term of each sum
    for (auto &[j, terms] : sums) {
      auto &ofSum = positions.emplace_back();
      for (Term &term : terms) {
        auto &ofTerm = ofSum.emplace_back();
        for (Value operand : term.root->getOperands())
          ofTerm.push_back(isSlice(operand) ? 0 : stacks.add(operand));
      }
    }
    scan = stacks.apply([](Value, Value) {});
    ImplicitLocOpBuilder builder(scan.getLoc(), scan.getContext());
    builder.setInsertionPointAfter(scan);
    for (auto [sum, ofSum] : llvm::zip(sums, positions))
      replaceFinal(sum.first, sum.second, ofSum, builder);
  }

private:
  /// A term of several sums (the same gradient of two biases) becomes one operation per sum.
  void separateTerms() {
    for (Operation &op : llvm::make_early_inc_range(scan.getBody().front())) {
      if (!isa<dl::ReduceOp, dl::ContractOp, dl::TransposeOp, dl::ReshapeOp, dl::NegOp>(op) ||
          !llvm::all_of(op.getUsers(), llvm::IsaPred<dl::AddOp>))
        continue;
      OpBuilder builder(&op);
      while (!op.use_empty() && !op.hasOneUse())
        op.getUses().begin()->set(builder.clone(op)->getResult(0));
    }
  }

  bool isInside(Value value) { return scan.getBody().isAncestor(value.getParentRegion()); }
  bool isSlice(Value value) { return llvm::is_contained(scan.getSlices(), value); }

  /// Finds the terms of carry j's sum that can leave the loop.
  void collect(size_t j) {
    Operation *yield = scan.getBody().front().getTerminator();
    auto add = yield->getOperand(j).getDefiningOp<dl::AddOp>();
    BlockArgument carry = scan.getCarries()[j];
    if (!add || !carry.hasOneUse() || !add->hasOneUse())
      return;
    if (add.getLhs() != carry && add.getRhs() != carry)
      return;
    SmallVector<Term> terms;
    collectTerms(add.getLhs() == carry ? add.getRhs() : add.getLhs(), {}, terms);
    if (!terms.empty())
      sums.emplace_back(j, std::move(terms));
  }

  void collectTerms(Value value, SmallVector<Operation *> wrappers, SmallVector<Term> &terms) {
    Operation *op = value.getDefiningOp();
    if (!op || op->getBlock() != &scan.getBody().front() || !value.hasOneUse())
      return;
    if (auto add = dyn_cast<dl::AddOp>(op); add && wrappers.empty()) {
      collectTerms(add.getLhs(), {}, terms);
      collectTerms(add.getRhs(), {}, terms);
    } else if (isa<dl::TransposeOp, dl::ReshapeOp, dl::NegOp>(op)) {
      wrappers.push_back(op);
      collectTerms(op->getOperand(0), wrappers, terms);
    } else if (auto reduce = dyn_cast<dl::ReduceOp>(op)) {
      if (reduce.getKind() == dl::ReduceKind::Sum && isInside(reduce.getOperand()) && reserveStacks(op))
        terms.push_back({op, wrappers});
    } else if (auto contract = dyn_cast<dl::ContractOp>(op)) {
      if (isInside(contract.getLhs()) && isInside(contract.getRhs()) && spareLetter(contract) &&
          reserveStacks(op))
        terms.push_back({op, wrappers});
    }
  }

  /// Plans to keep the operands of all iterations, unless all that is kept were larger than what the scan
  /// goes over and keeps already.
  bool reserveStacks(Operation *op) {
    constexpr int64_t kLittle = 64 * 1024;
    auto bytes = [](Value value) { return dl::nominalBytes(cast<dl::TensorType>(value.getType())); };
    int64_t allowed = kLittle;
    for (Value x : scan.getXs())
      allowed += bytes(x);
    for (Value stack : scan.getStacks())
      allowed += bytes(stack);
    auto kept = scan.getBody().front().getTerminator()->getOperands().drop_front(scan.getCarries().size());
    int64_t wanted = stackedBytes, iterations = dl::nominalValue(scan.getCount());
    SmallVector<Value> fresh;
    for (Value operand : op->getOperands())
      if (!isSlice(operand) && !llvm::is_contained(kept, operand) && !toStack.contains(operand) &&
          !llvm::is_contained(fresh, operand)) {
        fresh.push_back(operand);
        wanted += bytes(operand) * iterations;
      }
    if (wanted > allowed)
      return false;
    stackedBytes = wanted;
    toStack.insert(fresh.begin(), fresh.end());
    return true;
  }

  /// A letter that the equation does not use; 0 when it uses all.
  static char spareLetter(dl::ContractOp op) {
    for (char letter : StringRef("tsabcdefghijklmnopqruvwxyz"))
      if (!op.getEquation().contains(letter))
        return letter;
    return 0;
  }

  /// The tensor that holds `operand` of every iteration, and the axis of the iterations.
  std::pair<Value, int64_t> stacked(Value operand, size_t position) {
    if (auto slice = llvm::find(scan.getSlices(), operand); slice != scan.getSlices().end()) {
      size_t i = slice - scan.getSlices().begin();
      return {scan.getXs()[i], scan.getXsAxes()[i]};
    }
    return {scan.getStacks()[position], scan.getStackAxes()[position]};
  }

  /// The term summed over all iterations.
  Value build(const Term &term, ArrayRef<size_t> positions, ImplicitLocOpBuilder &builder) {
    builder.setLoc(term.root->getLoc());
    Value total;
    if (auto reduce = dyn_cast<dl::ReduceOp>(term.root)) {
      auto [x, axis] = stacked(reduce.getOperand(), positions[0]);
      SmallVector<int64_t> axes{axis};
      for (int64_t own : reduce.getAxes())
        axes.push_back(own < axis ? own : own + 1);
      llvm::sort(axes);
      total = dl::ReduceOp::create(builder, dl::ReduceKind::Sum, x, axes);
    } else {
      auto contract = cast<dl::ContractOp>(term.root);
      auto [lhs, lhsAxis] = stacked(contract.getLhs(), positions[0]);
      auto [rhs, rhsAxis] = stacked(contract.getRhs(), positions[1]);
      std::string left = contract.getLhsLetters().str(), right = contract.getRhsLetters().str();
      char letter = spareLetter(contract);
      left.insert(left.begin() + lhsAxis, letter);
      right.insert(right.begin() + rhsAxis, letter);
      total = dl::ContractOp::create(builder, contract.getType(),
                                     left + "," + right + "->" + contract.getResultLetters().str(), lhs, rhs);
    }
    for (Operation *wrapper : llvm::reverse(term.wrappers)) {
      Operation *clone = builder.clone(*wrapper);
      clone->setOperand(0, total);
      total = clone->getResult(0);
    }
    return total;
  }

  void replaceFinal(size_t j, ArrayRef<Term> terms, ArrayRef<SmallVector<size_t>> positions,
                    ImplicitLocOpBuilder &builder) {
    Value final = scan.getFinals()[j];
    SmallVector<Value> totals;
    for (auto [term, ofTerm] : llvm::zip(terms, positions))
      totals.push_back(build(term, ofTerm, builder));
    builder.setLoc(scan.getLoc());

    // In the loop the terms vanish; what remains of c' = c + g is c, or c and the terms that stay.
    for (const Term &term : terms) {
      Operation *outermost = term.wrappers.empty() ? term.root : term.wrappers.front();
      OpOperand &use = *outermost->getUses().begin();
      auto add = cast<dl::AddOp>(use.getOwner());
      Value other = add->getOperand(1 - use.getOperandNumber());
      add.getResult().replaceAllUsesWith(other);
      add.erase();
    }
    bool isInvariant = scan.getBody().front().getTerminator()->getOperand(j) == scan.getCarries()[j];
    Value start = isInvariant ? scan.getInits()[j] : final;
    Value total = isPositiveZero(start) ? Value() : start;
    Operation *usesFinal = nullptr;
    for (Value term : totals) {
      total = total ? dl::AddOp::create(builder, total, term) : term;
      if (!usesFinal)
        usesFinal = total.getDefiningOp();
    }
    final.replaceAllUsesExcept(total, usesFinal);
  }

  static bool isPositiveZero(Value value) {
    auto constant = value.getDefiningOp<dl::ConstantOp>();
    auto number = constant ? dyn_cast<FloatAttr>(constant.getValue()) : FloatAttr();
    return number && number.getValue().isPosZero();
  }

  dl::ScanOp scan;
  ScanStacks stacks;
  llvm::DenseSet<Value> toStack;                          ///< The operands of the terms so far, but slices.
  int64_t stackedBytes = 0;                               ///< Of these, over all iterations.
  SmallVector<std::pair<size_t, SmallVector<Term>>> sums; // by carry
};

struct HoistScanAccumulationsPass : impl::HoistScanAccumulationsPassBase<HoistScanAccumulationsPass> {
  void runOnOperation() override {
    // Inner scans first: what they hoist may be a term of the outer one.
    SmallVector<dl::ScanOp> scans;
    getOperation()->walk([&](dl::ScanOp scan) { scans.push_back(scan); });
    for (dl::ScanOp scan : scans)
      Accumulations(scan).hoist();
    // The carries that were hoisted are loop-invariant now: remove them.
    RewritePatternSet patterns(&getContext());
    dl::ScanOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

} // namespace dlc::autodiff
