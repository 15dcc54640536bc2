// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which sets of operations form a dispatch. See Fusion.h for the kinds.

#include "compiler/Transforms/Fusion.h"

#include "llvm/ADT/STLExtras.h"

namespace dlc::fusion {
namespace {

dl::TensorType resultType(Operation *op) {
  return cast<dl::TensorType>(op->getResult(0).getType());
}

/// How many leading equal dimensions two shapes share.
int64_t commonPrefix(ArrayRef<dl::PolynomialAttr> a, ArrayRef<dl::PolynomialAttr> b) {
  int64_t length = 0, limit = std::min(a.size(), b.size());
  while (length < limit && a[length] == b[length])
    ++length;
  return length;
}

int64_t fixedPrefix(ArrayRef<int64_t> positions) {
  int64_t length = 0;
  while (length < static_cast<int64_t>(positions.size()) && positions[length] == length)
    ++length;
  return length;
}

/// The leading axes along which an operation keeps rows apart.
int64_t rowLimit(Operation *op) {
  if (auto reduce = dyn_cast<dl::ReduceOp>(op))
    return reduce.getAxes().empty() ? resultType(op).getRank() : reduce.getAxes().front();
  if (auto argmax = dyn_cast<dl::ArgMaxOp>(op))
    return argmax.getAxis();
  if (isa<dl::MaxPoolOp, dl::MaxPoolGradOp, dl::MaxPoolSelectOp>(op))
    return 2; // batch and channel
  if (auto transpose = dyn_cast<dl::TransposeOp>(op))
    return fixedPrefix(transpose.getPermutation());
  if (auto concat = dyn_cast<dl::ConcatOp>(op))
    return concat.getAxis();
  if (auto reshape = dyn_cast<dl::ReshapeOp>(op))
    return commonPrefix(reshape.getOperand().getType().getShape(), resultType(op).getShape());
  if (auto subscript = dyn_cast<dl::SubscriptOp>(op)) {
    int64_t rows = 0,
            limit = std::min(subscript.getOperand().getType().getRank(), subscript.getType().getRank());
    while (rows < limit && subscript.isKept(rows))
      ++rows;
    return rows;
  }
  if (isa<dl::SliceOp, dl::PadOp>(op)) {
    // Axes that are neither cut nor filled keep their size.
    auto operand = cast<dl::TensorType>(op->getOperand(0).getType());
    return commonPrefix(operand.getShape(), resultType(op).getShape());
  }
  return resultType(op).getRank();
}

/// The leading axes along which an operation keeps the rows of one operand apart.
int64_t operandRowLimit(Operation *op, Value operand) {
  if (auto gather = dyn_cast<dl::GatherOp>(op)) {
    if (operand == gather.getOperand())
      return gather.getBatch();
    return gather.getIndex().getType().getRank();
  }
  return INT64_MAX;
}

bool isLeadingReduction(Operation *op) {
  auto reduce = dyn_cast<dl::ReduceOp>(op);
  return reduce && !reduce.getAxes().empty() && reduce.getAxes().front() == 0;
}

} // namespace

bool isCheap(Operation *op) {
  return isa<dl::AddOp, dl::SubOp, dl::MulOp, dl::NegOp, dl::AbsOp, dl::MaxOp, dl::MinOp, dl::SelectOp,
             dl::CastOp, dl::TransposeOp, dl::SliceOp, dl::PadOp, dl::ReshapeOp>(op);
}

bool FusionGraph::isLegal(ArrayRef<unsigned> cluster, bool prologue) const {
  Members members;
  Operation *root = nullptr;
  bool reduces = false;
  for (unsigned node : cluster) {
    Operation *op = nodes[node].op;
    members.insert(op);
    if (nodes[node].opClass == OpClass::Loop || nodes[node].opClass == OpClass::Single)
      return cluster.size() == 1;
    if (nodes[node].opClass == OpClass::Contraction) {
      if (root)
        return false;
      root = op;
    }
    reduces |= isLeadingReduction(op);
  }
  if (root)
    return isLegalAroundContraction(cluster, members, root, prologue);
  if (reduces)
    return isLegalAroundReductions(cluster, members);
  return isLegalAsRows(cluster, members);
}

/// Whether random numbers would be generated for `value` inside the dispatch.
bool FusionGraph::usesRandom(Value value) const {
  SmallVector<Value> work{value};
  llvm::SmallPtrSet<Operation *, 8> seen;
  while (!work.empty()) {
    Operation *op = work.pop_back_val().getDefiningOp();
    if (!op || !isInlineHere(op) || !seen.insert(op).second)
      continue;
    if (isa<dl::RandomOp>(op))
      return true;
    llvm::append_range(work, op->getOperands());
  }
  return false;
}

bool FusionGraph::isLegalAroundContraction(ArrayRef<unsigned> cluster, const Members &members,
                                           Operation *root, bool prologue) const {
  // Producers of the root, found backwards from it; nodes are in program order.
  llvm::DenseSet<unsigned> producers;
  for (unsigned node : llvm::reverse(cluster))
    if (llvm::any_of(nodes[node].consumers,
                     [&](unsigned c) { return nodes[c].op == root || producers.contains(c); }))
      producers.insert(node);
  dl::PolynomialAttr elements = resultType(root).getElementCount();
  for (unsigned node : cluster) {
    Operation *op = nodes[node].op;
    if (op == root)
      continue;
    if (producers.contains(node)) {
      // Prologue: cheap, and needed by nothing but the root.
      if (!prologue && nodes[node].cluster != nodes[nodeOf.lookup(root)].cluster)
        return false;
      bool feedsRootOnly = !nodes[node].usedOutside && llvm::all_of(nodes[node].consumers, [&](unsigned c) {
        return nodes[c].op == root || producers.contains(c);
      });
      if (!isCheap(op) || !feedsRootOnly)
        return false;
      if (llvm::any_of(op->getOperands(), [&](Value operand) { return usesRandom(operand); }))
        return false;
      continue;
    }
    // Epilogue: one element of the root's result, one of this.
    if (nodes[node].opClass != OpClass::Elementwise || resultType(op).getElementCount() != elements)
      return false;
    if (!fuseUpdates && llvm::any_of(op->getUsers(), llvm::IsaPred<dl::StoreStateOp>))
      return false;
  }
  return true;
}

bool FusionGraph::isLegalAroundReductions(ArrayRef<unsigned> cluster, const Members &members) const {
  llvm::DenseSet<unsigned> producers, consumers; // of the leading reductions
  dl::ReduceOp first;
  for (unsigned node : cluster) {
    if (llvm::any_of(nodes[node].producers, [&](unsigned p) {
          return members.contains(nodes[p].op) && (isLeadingReduction(nodes[p].op) || consumers.contains(p));
        }))
      consumers.insert(node);
    if (!isLeadingReduction(nodes[node].op))
      continue;
    auto reduce = cast<dl::ReduceOp>(nodes[node].op);
    if (!first)
      first = reduce;
    // One shape and the same axes, so that they run over the same elements.
    if (reduce.getAxes() != first.getAxes() ||
        reduce.getOperand().getType().getShape() != first.getOperand().getType().getShape() ||
        consumers.contains(node))
      return false;
  }
  for (unsigned node : llvm::reverse(cluster))
    if (llvm::any_of(nodes[node].consumers, [&](unsigned c) {
          return members.contains(nodes[c].op) && (isLeadingReduction(nodes[c].op) || producers.contains(c));
        }))
      producers.insert(node);
  for (unsigned node : cluster) {
    Operation *op = nodes[node].op;
    if (isLeadingReduction(op))
      continue;
    if (producers.contains(node)) {
      bool moves = nodes[node].opClass == OpClass::Elementwise || nodes[node].opClass == OpClass::Move;
      bool feedsReductionsOnly =
          !nodes[node].usedOutside && llvm::all_of(nodes[node].consumers, [&](unsigned c) {
            return members.contains(nodes[c].op) &&
                   (isLeadingReduction(nodes[c].op) || producers.contains(c));
          });
      if (!moves || !feedsReductionsOnly)
        return false;
      continue;
    }
    if (nodes[node].opClass != OpClass::Elementwise ||
        resultType(op).getShape() != resultType(first).getShape())
      return false;
  }
  return true;
}

std::optional<int64_t> FusionGraph::rowsThrough(Value value, const Members &members, RowLimits &known) const {
  Operation *op = value.getDefiningOp();
  if (!op)
    return std::nullopt;
  if (auto found = known.find(value); found != known.end())
    return found->second;
  auto type = cast<dl::TensorType>(value.getType());
  if (members.contains(op))
    return type.getRank();
  bool isAlias = op->getBlock() == &block && classOf(op) == OpClass::Alias;
  if (!isAlias && !isInlineHere(op))
    return std::nullopt;
  std::optional<int64_t> rows;
  for (Value operand : op->getOperands())
    if (std::optional<int64_t> limit = rowsThrough(operand, members, known))
      rows = std::min(rows.value_or(*limit), *limit);
  if (auto broadcast = dyn_cast<dl::BroadcastOp>(op); rows && broadcast)
    rows = std::min(*rows, fixedPrefix(broadcast.getDims()));
  if (auto reshape = dyn_cast<dl::ReshapeOp>(op); rows && reshape)
    rows = std::min(*rows, commonPrefix(reshape.getOperand().getType().getShape(), type.getShape()));
  known[value] = rows;
  return rows;
}

bool FusionGraph::takesCostlyMember(Value value, const Members &members,
                                    llvm::SmallPtrSetImpl<Operation *> &seen) const {
  bool found = false;
  traceSources(value, [&](Value source) {
    Operation *op = source.getDefiningOp();
    if (found || !op || !members.contains(op) || !seen.insert(op).second)
      return;
    found = !isCheap(op) || llvm::any_of(op->getOperands(), [&](Value operand) {
      return takesCostlyMember(operand, members, seen);
    });
  });
  return found;
}

bool FusionGraph::isLegalAsRows(ArrayRef<unsigned> cluster, const Members &members) const {
  if (cluster.size() == 1)
    return true;
  auto rank = [](Value value) { return cast<dl::TensorType>(value.getType()).getRank(); };
  bool allScalar = llvm::all_of(cluster, [&](unsigned node) {
    return llvm::all_of(nodes[node].op->getOperands(), [&](Value v) { return rank(v) == 0; }) &&
           rank(nodes[node].op->getResult(0)) == 0;
  });
  if (allScalar)
    return true;

  int64_t rows = INT64_MAX;
  RowLimits known;
  ArrayRef<dl::PolynomialAttr> shape = resultType(nodes[cluster.front()].op).getShape();
  for (unsigned node : cluster) {
    Operation *op = nodes[node].op;
    rows = std::min({rows, rowLimit(op), commonPrefix(shape, resultType(op).getShape())});
    for (Value operand : op->getOperands()) {
      if (std::optional<int64_t> limit = rowsThrough(operand, members, known)) {
        rows = std::min({rows, *limit, operandRowLimit(op, operand)});
        // A window of a window would be computed again for each element it overlaps.
        llvm::SmallPtrSet<Operation *, 16> seen;
        bool rereads = nodes[node].opClass == OpClass::Window || isa<dl::SubscriptOp, dl::GatherOp>(op);
        if (rereads && takesCostlyMember(operand, members, seen))
          return false;
      }
    }
    if (rows < 1)
      return false;
  }
  return hasWritableResults(cluster, members);
}

/// Results are written by one loop nest: all have the elements of the largest, or one per row of it.
bool FusionGraph::hasWritableResults(ArrayRef<unsigned> cluster, const Members &members) const {
  SmallVector<dl::TensorType> results;
  for (unsigned node : cluster)
    if (escapes(node, members))
      results.push_back(resultType(nodes[node].op));
  if (results.empty())
    return true;
  dl::TensorType largest =
      *std::max_element(results.begin(), results.end(),
                        [](dl::TensorType a, dl::TensorType b) { return a.getRank() < b.getRank(); });
  std::optional<int64_t> rows;
  for (dl::TensorType type : results) {
    if (type.getElementCount() == largest.getElementCount())
      continue;
    if (commonPrefix(type.getShape(), largest.getShape()) != type.getRank() ||
        rows.value_or(type.getRank()) != type.getRank())
      return false;
    rows = type.getRank();
  }
  return true;
}

/// The elementary operations that one element of an operation takes.
static unsigned weightOf(Operation *op) {
  constexpr unsigned kPolynomial = 8;
  bool isFunction = isa<dl::ExpOp, dl::LogOp, dl::TanhOp, dl::SinOp, dl::CosOp, dl::ErfOp, dl::PowOp>(op);
  return isFunction ? kPolynomial : 1;
}

unsigned FusionGraph::weigh(ArrayRef<unsigned> cluster) const {
  unsigned weight = 0;
  bool moves = false;
  Members members;
  for (unsigned node : cluster) {
    weight += weightOf(nodes[node].op);
    moves |= nodes[node].opClass == OpClass::Move;
    members.insert(nodes[node].op);
  }
  return weight > kMaxWeight || !moves ? weight : weighPositions(cluster, members);
}

/// A position is named by the moves between it and the results, 0 where there are none.
unsigned FusionGraph::weighPositions(ArrayRef<unsigned> cluster, const Members &members) const {
  llvm::DenseMap<std::tuple<Operation *, unsigned, unsigned>, unsigned> behind; // move, operand, position
  llvm::DenseSet<std::pair<Operation *, unsigned>> seen;
  SmallVector<std::pair<Operation *, unsigned>> work;
  for (unsigned node : cluster)
    if (escapes(node, members) && seen.insert({nodes[node].op, 0}).second)
      work.emplace_back(nodes[node].op, 0);
  unsigned weight = 0;
  while (!work.empty() && weight <= kMaxWeight) {
    auto [op, position] = work.pop_back_val();
    weight += weightOf(op);
    for (OpOperand &operand : op->getOpOperands()) {
      unsigned at = position;
      if (nodes[nodeOf.lookup(op)].opClass == OpClass::Move)
        at = behind.try_emplace({op, operand.getOperandNumber(), position}, behind.size() + 1).first->second;
      traceSources(operand.get(), [&](Value source) {
        Operation *producer = source.getDefiningOp();
        if (producer && members.contains(producer) && seen.insert({producer, at}).second)
          work.emplace_back(producer, at);
      });
    }
  }
  return weight;
}

} // namespace dlc::fusion
