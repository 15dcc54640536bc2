// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Transforms/ScanForms.h"

#include "compiler/Dialect/NominalSize.h"
#include "compiler/Transforms/Fusion.h"

#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"

namespace dlc {

using namespace mlir;

namespace {

dl::TensorType typeOf(Value value) {
  return cast<dl::TensorType>(value.getType());
}

/// A contraction of rows with a matrix from outside, whichever side it stands on.
struct RowProduct {
  Value rows, matrix;
  std::string rowLetters, matrixLetters;
};

std::optional<RowProduct> asRowProduct(dl::ContractOp op, dl::ScanOp scan) {
  auto isOutside = [&](Value value) { return !scan.getBody().isAncestor(value.getParentRegion()); };
  StringRef result = op.getResultLetters();
  for (bool swapped : {false, true}) {
    RowProduct product{swapped ? op.getRhs() : op.getLhs(), swapped ? op.getLhs() : op.getRhs(),
                       (swapped ? op.getRhsLetters() : op.getLhsLetters()).str(),
                       (swapped ? op.getLhsLetters() : op.getRhsLetters()).str()};
    bool fits = isOutside(product.matrix) && !isOutside(product.rows) && result.size() == 2 &&
                product.rowLetters.size() == 2 && product.matrixLetters.size() == 2 &&
                product.rowLetters[0] == result[0] && product.rowLetters[1] != result[1] &&
                StringRef(product.matrixLetters).contains(product.rowLetters[1]) &&
                StringRef(product.matrixLetters).contains(result[1]);
    if (fits)
      return product;
  }
  return std::nullopt;
}

/// Follows which values of a scan's body have rows, and that no operation mixes them.
class RowAnalysis {
public:
  explicit RowAnalysis(dl::ScanOp scan) : scan(scan) {}

  std::optional<std::string> run() {
    if (scan.getInits().empty())
      return "it carries nothing";
    if (typeOf(scan.getInits().front()).isScalar())
      return "a carried value is a scalar";
    rows = typeOf(scan.getInits().front()).getDim(0);
    for (Value carry : scan.getCarries()) {
      if (!leadsWithRows(carry))
        return "carried values have different leading dimensions";
      byRow.insert(carry);
    }
    for (Value slice : scan.getSlices())
      if (leadsWithRows(slice))
        byRow.insert(slice);
    for (Operation &op : scan.getBody().front().without_terminator())
      if (std::optional<std::string> reason = visit(&op))
        return reason;
    for (Value value : scan.getBody().front().getTerminator()->getOperands())
      if (!leadsWithRows(value))
        return "a yielded value has other leading dimensions than the carried ones";
    return std::nullopt;
  }

private:
  bool leadsWithRows(Value value) { return typeOf(value).getRank() > 0 && typeOf(value).getDim(0) == rows; }

  std::optional<std::string> visit(Operation *op) {
    std::string name = op->getName().stripDialect().str();
    if (op->getNumRegions() > 0 || op->getNumResults() != 1)
      return "its body contains " + name;
    if (llvm::none_of(op->getOperands(), [&](Value operand) { return byRow.contains(operand); }))
      return isa<dl::ContractOp>(op) || fusion::classify(op) == fusion::OpClass::Contraction
                 ? std::optional<std::string>("its body contains a " + name + " without rows")
                 : std::nullopt;
    if (auto contract = dyn_cast<dl::ContractOp>(op)) {
      if (std::optional<std::string> reason = visit(contract))
        return reason;
    } else if (!keepsRowsApart(op)) {
      return "its body contains a " + name + " that mixes rows";
    }
    byRow.insert(op->getResult(0));
    return std::nullopt;
  }

  std::optional<std::string> visit(dl::ContractOp op) {
    std::optional<RowProduct> product = asRowProduct(op, scan);
    if (!product || !byRow.contains(product->rows))
      return "its body contains the contraction \"" + op.getEquation().str() +
             "\", not of rows with a matrix from outside";
    if (!isa<Float32Type, Float64Type>(op.getType().getElementType()))
      return "its body contains a contraction of other numbers than f32 and f64";
    Operation *definition = product->matrix.getDefiningOp();
    if (definition && fusion::classify(definition) == fusion::OpClass::Inline)
      return "its body multiplies by a generated matrix";
    return std::nullopt;
  }

  bool keepsRowsApart(Operation *op) {
    if (op->hasTrait<dl::Elementwise>())
      return true;
    if (auto broadcast = dyn_cast<dl::BroadcastOp>(op))
      return !broadcast.getDims().empty() && broadcast.getDims()[0] == 0;
    if (auto reduce = dyn_cast<dl::ReduceOp>(op))
      return reduce.getAxes().empty() || reduce.getAxes()[0] > 0;
    if (auto argmax = dyn_cast<dl::ArgMaxOp>(op))
      return argmax.getAxis() > 0;
    if (auto transpose = dyn_cast<dl::TransposeOp>(op))
      return transpose.getPermutation()[0] == 0;
    if (auto concat = dyn_cast<dl::ConcatOp>(op))
      return concat.getAxis() > 0;
    if (isa<dl::MaxPoolOp, dl::MaxPoolGradOp, dl::MaxPoolSelectOp>(op))
      return true;
    if (auto subscript = dyn_cast<dl::SubscriptOp>(op))
      return leadsWithRows(op->getResult(0)) && subscript.isKept(0);
    if (auto gather = dyn_cast<dl::GatherOp>(op))
      return leadsWithRows(op->getResult(0)) && byRow.contains(gather.getIndex()) &&
             (gather.getBatch() > 0 || !byRow.contains(gather.getOperand()));
    if (auto scatter = dyn_cast<dl::ScatterAddOp>(op))
      return scatter.getBatch() > 0;
    if (isa<dl::ReshapeOp, dl::SliceOp, dl::PadOp>(op))
      return leadsWithRows(op->getOperand(0)) && leadsWithRows(op->getResult(0));
    return false;
  }

  dl::ScanOp scan;
  dl::PolynomialAttr rows;
  llvm::DenseSet<Value> byRow;
};

} // namespace

std::optional<std::string> reasonAgainstDispatch(dl::ScanOp scan) {
  llvm::SetVector<Value> outside(scan->operand_begin(), scan->operand_end());
  getUsedValuesDefinedAbove(scan.getBody(), outside);
  if (size_t bindings = outside.size() + scan->getNumResults(); bindings > kMaxBindings)
    return "it reads and writes " + std::to_string(bindings) + " tensors, more than the " +
           std::to_string(kMaxBindings) + " of a kernel";
  return RowAnalysis(scan).run();
}

int64_t matrixBytes(dl::ScanOp scan) {
  llvm::SmallPtrSet<Value, 4> matrices;
  int64_t bytes = 0;
  for (auto contract : scan.getBody().getOps<dl::ContractOp>())
    if (std::optional<RowProduct> product = asRowProduct(contract, scan))
      if (matrices.insert(product->matrix).second)
        bytes += dl::nominalBytes(typeOf(product->matrix));
  return bytes;
}

void normalizeContractions(dl::ScanOp scan) {
  llvm::DenseMap<Value, Value> transposed;
  for (auto contract : llvm::make_early_inc_range(scan.getBody().getOps<dl::ContractOp>())) {
    RowProduct product = *asRowProduct(contract, scan);
    std::string wanted{product.rowLetters[1], contract.getResultLetters()[1]};
    if (product.matrixLetters != wanted) {
      Value &matrix = transposed[product.matrix];
      if (!matrix) {
        OpBuilder builder(scan);
        matrix = dl::TransposeOp::create(builder, contract.getLoc(), product.matrix, ArrayRef<int64_t>{1, 0});
      }
      product.matrix = matrix;
    }
    // Factors of a product may change sides: there is one summed letter, so the order of summation stays.
    OpBuilder builder(contract);
    std::string equation = product.rowLetters + "," + wanted + "->" + contract.getResultLetters().str();
    auto replacement = dl::ContractOp::create(builder, contract.getLoc(), contract.getType(),
                                              builder.getStringAttr(equation), product.rows, product.matrix);
    contract.replaceAllUsesWith(replacement.getResult());
    contract.erase();
  }
}

} // namespace dlc
