// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The graph of operations and clusters, and the order in which clusters merge. See Fusion.h.

#include "compiler/Transforms/Fusion.h"

#include "compiler/Dialect/NominalSize.h"
#include "compiler/Transforms/Passes.h"

#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/STLExtras.h"

#include <queue>

namespace dlc::fusion {

OpClass classify(Operation *op) {
  if (isa<dl::ConstantOp, dl::IotaOp, dl::DimOp, dl::RandomKeyOp, dl::RandomOp, dl::BroadcastOp,
          dl::CompareOp, dl::AndOp, dl::OrOp, dl::NotOp>(op))
    return OpClass::Inline;
  if (auto cast = dyn_cast<dl::CastOp>(op))
    return cast.getOperand().getType().getElementType().isInteger(1) ? OpClass::Inline : OpClass::Elementwise;
  if (isa<dl::ReshapeOp>(op))
    return OpClass::Alias;
  if (op->hasTrait<dl::Elementwise>())
    return OpClass::Elementwise;
  if (isa<dl::TransposeOp, dl::SliceOp, dl::PadOp, dl::ConcatOp, dl::SubscriptOp, dl::GatherOp>(op))
    return OpClass::Move;
  if (isa<dl::ScatterAddOp, dl::ArgSortOp>(op))
    return OpClass::Single;
  if (isa<dl::MaxPoolOp, dl::MaxPoolGradOp, dl::MaxPoolSelectOp>(op))
    return OpClass::Window;
  if (isa<dl::ReduceOp, dl::ArgMaxOp>(op))
    return OpClass::Reduce;
  if (isa<dl::ContractOp, dl::ConvOp, dl::ConvInputGradOp, dl::ConvWeightGradOp>(op))
    return OpClass::Contraction;
  if (isa<dl::ScanOp>(op))
    return OpClass::Loop;
  return OpClass::Outside;
}

FusionGraph::FusionGraph(Block &block, const llvm::DenseSet<Operation *> &loopsAsDispatches)
    : block(block), loopsAsDispatches(loopsAsDispatches), inLoopBody(isa<dl::ScanOp>(block.getParentOp())) {
  classifyOperations();
  materializeInlineUses();
  addNodes();
  addEdges();
  addStateOrder();
}

/// Decides the class of every operation of the block, once: what the classes rest on changes when dispatches
/// replace operations.
void FusionGraph::classifyOperations() {
  auto isScalar = [](Value value) { return cast<dl::TensorType>(value.getType()).isScalar(); };
  // Tensors that random numbers, constants and scalars become by cheap operations: a dropout mask.
  llvm::SmallPtrSet<Operation *, 16> generated;
  for (Operation &op : block) {
    OpClass opClass = classWithoutOperands(&op);
    bool cheap = opClass == OpClass::Inline || (opClass == OpClass::Elementwise && isCheap(&op));
    if (cheap && op.getNumResults() == 1 && !isScalar(op.getResult(0)) &&
        llvm::all_of(op.getOperands(), [&](Value operand) {
          return isScalar(operand) || generated.contains(operand.getDefiningOp());
        })) {
      generated.insert(&op);
      opClass = OpClass::Inline;
    }
    classes[&op] = opClass;
  }
}

OpClass FusionGraph::classWithoutOperands(Operation *op) const {
  OpClass opClass = classify(op);
  if (isa<dl::RandomKeyOp>(op) && isInitial(block.getParentOp()))
    return OpClass::Single; // so that initial values of one shape, which differ in the key alone, share a
                            // kernel
  if (opClass == OpClass::Alias && inLoopBody)
    return OpClass::Move; // slices and stack elements are strided, and cannot be seen under another shape
  return opClass;
}

OpClass FusionGraph::classOf(Operation *op) const {
  auto known = classes.find(op);
  return known != classes.end() ? known->second : classWithoutOperands(op);
}

bool FusionGraph::isInlineHere(Operation *op) const {
  if (classOf(op) != OpClass::Inline)
    return false;
  // A loop's body recomputes only what costs nothing.
  return op->getBlock() == &block || isa<dl::ConstantOp, dl::IotaOp, dl::DimOp, dl::BroadcastOp>(op);
}

void FusionGraph::traceSources(Value value, llvm::function_ref<void(Value)> visit) const {
  SmallVector<Value> work{value};
  llvm::SmallDenseSet<Value, 8> seen;
  while (!work.empty()) {
    Value next = work.pop_back_val();
    if (!seen.insert(next).second)
      continue;
    Operation *op = next.getDefiningOp();
    bool passesThrough =
        op && (isInlineHere(op) || (op->getBlock() == &block && classOf(op) == OpClass::Alias));
    if (passesThrough)
      llvm::append_range(work, llvm::reverse(op->getOperands()));
    else
      visit(next);
  }
}

/// An inline operation that a store, a terminator or a loop uses must be in memory: that use gets its own
/// copy.
void FusionGraph::materializeInlineUses() {
  llvm::SmallPtrSet<Operation *, 8> materialized;
  auto copyOf = [&](Operation *op) {
    OpBuilder builder(op);
    Operation *copy = builder.clone(*op);
    classes[copy] = classOf(op);
    return copy;
  };
  auto visitUse = [&](OpOperand &use) {
    Operation *source = use.get().getDefiningOp();
    OpOperand *innermost = &use; // the use of the inline operation itself, below any aliases
    while (source && source->getBlock() == &block && classOf(source) == OpClass::Alias) {
      if (!source->hasOneUse()) {
        source = copyOf(source);
        innermost->set(source->getResult(0));
      }
      innermost = &source->getOpOperand(0);
      source = innermost->get().getDefiningOp();
    }
    if (!source || source->getBlock() != &block ||
        (classOf(source) != OpClass::Inline && !materialized.contains(source)))
      return;
    if (!materialized.contains(source) && !source->hasOneUse()) {
      source = copyOf(source);
      innermost->set(source->getResult(0));
    }
    materialized.insert(source);
    classes[source] = OpClass::Elementwise;
  };
  for (Operation &op : llvm::make_early_inc_range(block)) {
    OpClass opClass = classify(&op);
    bool needsMemory = opClass == OpClass::Outside || (opClass == OpClass::Loop && !isLoopDispatch(&op));
    if (!needsMemory)
      continue;
    for (OpOperand &use : op.getOpOperands())
      visitUse(use);
    SmallVector<OpOperand *> captured;
    for (Region &region : op.getRegions())
      visitUsedValuesDefinedAbove(region, [&](OpOperand *use) { captured.push_back(use); });
    for (OpOperand *use : captured)
      visitUse(*use);
  }
}

void FusionGraph::addNodes() {
  for (Operation &op : block) {
    OpClass opClass = classOf(&op);
    if (opClass == OpClass::Inline || opClass == OpClass::Alias || opClass == OpClass::Outside)
      continue;
    unsigned index = nodes.size();
    nodeOf[&op] = index;
    nodes.push_back({&op, opClass, index, {}, {}, {}, {}});
    clusters.push_back({index});
  }
}

void FusionGraph::addEdges() {
  for (Operation &op : block) {
    auto consumer = nodeOf.find(&op);
    bool isNode = consumer != nodeOf.end();
    if (!isNode && classOf(&op) != OpClass::Outside)
      continue;
    auto addSource = [&](Value source) {
      Operation *definition = source.getDefiningOp();
      auto producer = definition ? nodeOf.find(definition) : nodeOf.end();
      if (producer == nodeOf.end())
        return;
      if (!isNode) {
        nodes[producer->second].usedOutside = true;
        return;
      }
      if (llvm::is_contained(nodes[producer->second].consumers, consumer->second))
        return;
      nodes[producer->second].consumers.push_back(consumer->second);
      nodes[consumer->second].producers.push_back(producer->second);
    };
    for (Value operand : op.getOperands())
      traceSources(operand, addSource);
    for (Region &region : op.getRegions()) {
      llvm::SetVector<Value> captured;
      getUsedValuesDefinedAbove(region, captured);
      for (Value value : captured)
        traceSources(value, addSource);
    }
  }
}

/// Readers of a state's old value come before the operation that computes the new one, so that the new value
/// can be written in place. Skipped where the values themselves demand the opposite.
void FusionGraph::addStateOrder() {
  llvm::DenseMap<StringAttr, SmallVector<unsigned>> readers;
  for (auto [index, node] : llvm::enumerate(nodes)) {
    auto visit = [&, index = index](Value source) {
      if (auto load = source.getDefiningOp<dl::LoadStateOp>())
        readers[load.getStateAttr().getAttr()].push_back(index);
    };
    for (Value operand : node.op->getOperands())
      traceSources(operand, visit);
    for (Region &region : node.op->getRegions()) {
      llvm::SetVector<Value> captured;
      getUsedValuesDefinedAbove(region, captured);
      for (Value value : captured)
        traceSources(value, visit);
    }
  }
  for (auto store : block.getOps<dl::StoreStateOp>()) {
    traceSources(store.getValue(), [&](Value source) {
      Operation *definition = source.getDefiningOp();
      auto writer = definition ? nodeOf.find(definition) : nodeOf.end();
      if (writer == nodeOf.end())
        return;
      for (unsigned reader : readers.lookup(store.getStateAttr().getAttr())) {
        if (reader == writer->second || reaches(nodes[writer->second].cluster, nodes[reader].cluster))
          continue;
        nodes[reader].after.push_back(writer->second);
        nodes[writer->second].before.push_back(reader);
      }
    });
  }
}

/// Whether a path leads from cluster `from` to cluster `to`.
bool FusionGraph::reaches(unsigned from, unsigned to) const {
  llvm::DenseSet<unsigned> seen{from};
  SmallVector<unsigned> work{from};
  while (!work.empty()) {
    unsigned cluster = work.pop_back_val();
    for (unsigned node : clusters[cluster]) {
      for (auto *successors : {&nodes[node].consumers, &nodes[node].after}) {
        for (unsigned successor : *successors) {
          unsigned next = nodes[successor].cluster;
          if (next == to && cluster != to)
            return true;
          if (seen.insert(next).second)
            work.push_back(next);
        }
      }
    }
  }
  return false;
}

/// Whether a path between the two clusters passes through a third.
bool FusionGraph::createsCycle(unsigned first, unsigned second) const {
  for (auto [from, to] : {std::pair(first, second), std::pair(second, first)}) {
    llvm::DenseSet<unsigned> seen{first, second};
    SmallVector<unsigned> work;
    auto push = [&](unsigned cluster) {
      for (unsigned node : clusters[cluster])
        for (auto *successors : {&nodes[node].consumers, &nodes[node].after})
          for (unsigned successor : *successors)
            if (seen.insert(nodes[successor].cluster).second)
              work.push_back(nodes[successor].cluster);
    };
    push(from);
    while (!work.empty()) {
      unsigned cluster = work.pop_back_val();
      for (unsigned node : clusters[cluster])
        for (auto *successors : {&nodes[node].consumers, &nodes[node].after})
          for (unsigned successor : *successors)
            if (nodes[successor].cluster == to)
              return true;
      push(cluster);
    }
  }
  return false;
}

void FusionGraph::merge(unsigned first, unsigned second) {
  for (unsigned node : clusters[second])
    nodes[node].cluster = first;
  SmallVector<unsigned> merged;
  std::merge(clusters[first].begin(), clusters[first].end(), clusters[second].begin(), clusters[second].end(),
             std::back_inserter(merged));
  clusters[first] = std::move(merged);
  clusters[second].clear();
}

bool FusionGraph::tryMerge(unsigned first, unsigned second, bool prologue) {
  SmallVector<unsigned> merged;
  std::merge(clusters[first].begin(), clusters[first].end(), clusters[second].begin(), clusters[second].end(),
             std::back_inserter(merged));
  if (weigh(merged) > kMaxWeight || !isLegal(merged, prologue) || countBindings(merged) > kMaxFusedBindings ||
      createsCycle(first, second))
    return false;
  merge(first, second);
  return true;
}

/// How many operands and results a dispatch of `cluster` has.
unsigned FusionGraph::countBindings(ArrayRef<unsigned> cluster) const {
  Members members;
  for (unsigned node : cluster)
    members.insert(nodes[node].op);
  llvm::DenseSet<Value> sources;
  unsigned results = 0;
  for (unsigned node : cluster) {
    for (Value operand : nodes[node].op->getOperands())
      traceSources(operand, [&](Value source) {
        if (!source.getDefiningOp() || !members.contains(source.getDefiningOp()))
          sources.insert(source);
      });
    results += escapes(node, members);
  }
  return sources.size() + results;
}

bool FusionGraph::escapes(unsigned node, const Members &members) const {
  return nodes[node].usedOutside || llvm::any_of(nodes[node].consumers, [&](unsigned consumer) {
           return !members.contains(nodes[consumer].op);
         });
}

/// Scalar arithmetic that needs no tensor: one dispatch, as early as possible.
void FusionGraph::mergeScalars() {
  llvm::DenseSet<unsigned> scalars;
  for (auto [index, node] : llvm::enumerate(nodes)) {
    if (node.opClass != OpClass::Elementwise ||
        !llvm::all_of(node.producers, [&](unsigned producer) { return scalars.contains(producer); }))
      continue;
    auto isScalar = [](Value value) { return cast<dl::TensorType>(value.getType()).isScalar(); };
    if (!llvm::all_of(node.op->getOperands(), isScalar) || !isScalar(node.op->getResult(0)))
      continue;
    scalars.insert(index);
    if (!scalarCluster)
      scalarCluster = nodes[index].cluster;
    else
      tryMerge(*scalarCluster, nodes[index].cluster, /*prologue=*/false);
  }
}

/// Every pair of clusters that shares a data edge, most saved traffic first. A value that no other cluster
/// needs saves its write and its read, another one a read.
SmallVector<FusionGraph::Candidate> FusionGraph::candidates() const {
  llvm::MapVector<std::pair<unsigned, unsigned>, Candidate> pairs;
  for (const Node &node : nodes) {
    int64_t bytes = 0;
    for (Type type : node.op->getResultTypes())
      bytes += dl::nominalBytes(cast<dl::TensorType>(type));
    llvm::SmallSetVector<unsigned, 4> consumers;
    for (unsigned consumer : node.consumers)
      if (nodes[consumer].cluster != node.cluster && node.cluster != scalarCluster)
        consumers.insert(nodes[consumer].cluster);
    for (unsigned consumer : consumers) {
      bool eliminates = consumers.size() == 1 && !node.usedOutside;
      Candidate &candidate =
          pairs.insert({{node.cluster, consumer}, {0, node.cluster, consumer, false}}).first->second;
      candidate.saved += eliminates ? 2 * bytes : bytes;
      candidate.eliminates |= eliminates;
    }
  }
  SmallVector<Candidate> result;
  for (auto &entry : pairs)
    result.push_back(entry.second);
  llvm::sort(result, [](const Candidate &a, const Candidate &b) {
    return std::tuple(-a.saved, a.first, a.second) < std::tuple(-b.saved, b.first, b.second);
  });
  return result;
}

void FusionGraph::mergeAlongEdges(bool prologue, bool eliminatingOnly, bool epiloguesOnly) {
  bool changed = true;
  while (changed) {
    changed = false;
    llvm::DenseSet<unsigned> touched; // their candidates are stale
    for (const Candidate &candidate : candidates()) {
      if (eliminatingOnly && !candidate.eliminates)
        continue;
      if (epiloguesOnly && llvm::none_of(clusters[candidate.first], [&](unsigned node) {
            return nodes[node].opClass == OpClass::Contraction;
          }))
        continue;
      if (touched.contains(candidate.first) || touched.contains(candidate.second))
        continue;
      if (tryMerge(candidate.first, candidate.second, prologue)) {
        touched.insert(candidate.first);
        touched.insert(candidate.second);
        changed = true;
      }
    }
  }
}

/// Independent reductions over one shape share a dispatch (the sums over a batch), and so do rows that are
/// computed from the same tensor (a softmax and an argmax of the same logits).
void FusionGraph::mergeSiblings() {
  enum class Kind { Other, Reductions, Rows };
  auto kindOf = [&](unsigned cluster) {
    Kind kind = clusters[cluster].empty() ? Kind::Other : Kind::Rows;
    for (unsigned node : clusters[cluster]) {
      if (nodes[node].opClass == OpClass::Contraction || nodes[node].opClass == OpClass::Loop)
        return Kind::Other;
      auto reduce = dyn_cast<dl::ReduceOp>(nodes[node].op);
      if (reduce && !reduce.getAxes().empty() && reduce.getAxes().front() == 0)
        kind = Kind::Reductions;
    }
    return kind;
  };
  auto sources = [&](unsigned cluster) {
    llvm::DenseSet<Value> result;
    for (unsigned node : clusters[cluster])
      for (Value operand : nodes[node].op->getOperands())
        traceSources(operand, [&](Value source) {
          if (!cast<dl::TensorType>(source.getType()).isScalar())
            result.insert(source);
        });
    return result;
  };
  for (unsigned first = 0; first < clusters.size(); ++first) {
    Kind kind = kindOf(first);
    if (kind == Kind::Other || first == scalarCluster)
      continue;
    llvm::DenseSet<Value> firstSources = sources(first);
    for (unsigned second = first + 1; second < clusters.size(); ++second) {
      if (kindOf(second) != kind || second == scalarCluster)
        continue;
      bool shares = llvm::any_of(sources(second), [&](Value v) { return firstSources.contains(v); });
      if ((kind == Kind::Reductions || shares) && !reaches(first, second) && !reaches(second, first))
        tryMerge(first, second, /*prologue=*/false);
    }
  }
}

void FusionGraph::fuse(bool fuseUpdates) {
  this->fuseUpdates = fuseUpdates;
  mergeScalars();
  // Values that stop existing come first; an epilogue before a prologue, which may be evaluated more than
  // once.
  mergeAlongEdges(/*prologue=*/false, /*eliminatingOnly=*/true, /*epiloguesOnly=*/true);
  mergeAlongEdges(/*prologue=*/false, /*eliminatingOnly=*/true);
  mergeAlongEdges(/*prologue=*/true, /*eliminatingOnly=*/true);
  mergeAlongEdges(/*prologue=*/false, /*eliminatingOnly=*/false);
  mergeSiblings();
}

SmallVector<SmallVector<Operation *>> FusionGraph::schedule() const {
  // Kahn's algorithm; among ready clusters the one that begins first in the program.
  llvm::DenseMap<unsigned, llvm::DenseSet<unsigned>> successors;
  llvm::DenseMap<unsigned, unsigned> waiting;
  for (const Node &node : nodes)
    for (auto *next : {&node.consumers, &node.after})
      for (unsigned successor : *next)
        if (nodes[successor].cluster != node.cluster &&
            successors[node.cluster].insert(nodes[successor].cluster).second)
          ++waiting[nodes[successor].cluster];
  std::priority_queue<std::pair<unsigned, unsigned>, std::vector<std::pair<unsigned, unsigned>>,
                      std::greater<>>
      ready;
  for (auto [index, cluster] : llvm::enumerate(clusters))
    if (!cluster.empty() && waiting.lookup(index) == 0)
      ready.push({cluster.front(), index});
  SmallVector<SmallVector<Operation *>> order;
  while (!ready.empty()) {
    unsigned cluster = ready.top().second;
    ready.pop();
    auto &ops = order.emplace_back();
    for (unsigned node : clusters[cluster])
      ops.push_back(nodes[node].op);
    for (unsigned successor : successors[cluster])
      if (--waiting[successor] == 0)
        ready.push({clusters[successor].front(), successor});
  }
  assert(order.size() == size_t(llvm::count_if(clusters, [](auto &c) { return !c.empty(); })) &&
         "clusters form a cycle");
  return order;
}

} // namespace dlc::fusion
