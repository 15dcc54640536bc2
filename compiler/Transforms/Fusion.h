// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which operations of a block share a dispatch. The operations that compute are nodes of a graph; clusters of
// nodes grow by merging along data edges, most saved memory traffic first, as long as the merged cluster is
// of one of these kinds and the clusters stay free of cycles:
//
//   contraction  One contract or convolution, the root. Cheap elementwise or moving producers that nothing
//                else uses (prologue), and elementwise operations with the root's number of elements
//                (epilogue).
//   reduction    Reductions that keep no leading axis, over one shape (bias gradients, means over the batch).
//                Prologue as above; elementwise operations on the result's shape as epilogue.
//   row          Everything else. All shapes share leading dimensions, the rows, and no operation mixes rows:
//                within a row elementwise operations, reductions and windows combine freely (softmax with its
//                loss and gradient).
//   scalar       Rank 0 throughout (hyperparameters, bias corrections).
//   single       One scatter_add or argsort.
//   loop         One scan that runs inside a dispatch (ScanForms.h).
//
// Constants, iota, dim, random, broadcast and comparisons are cloned into each dispatch that uses them; a
// reshape between dispatches is an alias and stays outside.

#ifndef DLC_COMPILER_TRANSFORMS_FUSION_H
#define DLC_COMPILER_TRANSFORMS_FUSION_H

#include "compiler/Dialect/Dl.h"
#include "compiler/Limits.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/StringSet.h"

namespace dlc::fusion {

using namespace mlir;

/// What an operation is to dispatch formation.
enum class OpClass {
  Inline,      ///< Cloned into each dispatch that uses it.
  Alias,       ///< A reshape: free outside of dispatches.
  Elementwise, ///< Element i of the result needs element i of the operands.
  Move,        ///< Moves elements: transpose, slice, pad, concat, subscript, gather, reshape of a
               ///< strided value.
  Window,      ///< Pooling.
  Reduce,      ///< reduce, argmax.
  Contraction, ///< contract, convolutions.
  Single,      ///< A dispatch of its own: scatter_add, argsort, the key of an initial value.
  Loop,        ///< scan.
  Outside,     ///< State accesses, terminators, dispatches.
};

OpClass classify(Operation *op);

/// Cheap enough to be evaluated again for each panel of a contraction that an element enters.
bool isCheap(Operation *op);

class FusionGraph {
public:
  struct Node {
    Operation *op;
    OpClass opClass;
    unsigned cluster;
    SmallVector<unsigned> producers, consumers; ///< By data.
    SmallVector<unsigned> before, after; ///< By order alone: readers of a state come before its writer.
    bool usedOutside = false;            ///< By a store, a terminator or a loop that stays one.
  };

  /// `loopsAsDispatches`: the scans of the block that become one dispatch each.
  FusionGraph(Block &block, const llvm::DenseSet<Operation *> &loopsAsDispatches);

  /// Merges clusters until nothing is gained. With `fuseUpdates`, a store's producer may join the
  /// contraction that it depends on.
  void fuse(bool fuseUpdates);

  /// Clusters in an order of execution, each with its operations in program order.
  SmallVector<SmallVector<Operation *>> schedule() const;

  /// The class of `op` in this block: an Inline operation that is needed in memory is Elementwise, cheap
  /// arithmetic on generated tensors Inline, an alias in a loop's body a Move.
  OpClass classOf(Operation *op) const;

  /// Calls `visit` for each value that `value` is computed from by inline operations and aliases alone.
  void traceSources(Value value, llvm::function_ref<void(Value)> visit) const;

  /// Whether `op` (Inline) is cloned into dispatches of this block that need it.
  bool isInlineHere(Operation *op) const;

  bool isLoopDispatch(Operation *op) const { return loopsAsDispatches.contains(op); }

private:
  using Members = llvm::SmallPtrSet<Operation *, 16>;
  /// What fusing may make of one dispatch; copies of results may come on top.
  static constexpr unsigned kMaxFusedBindings = kMaxBindings - 16;
  /// Operations of a dispatch at each position, functions weighed: the time to compile a kernel grows faster
  /// than its length.
  static constexpr unsigned kMaxWeight = 256;

  struct Candidate {
    int64_t saved;
    unsigned first, second; ///< Clusters, producer first.
    bool eliminates;        ///< A value need not be stored any more.
  };

  void classifyOperations();
  OpClass classWithoutOperands(Operation *op) const;
  void materializeInlineUses();
  void addNodes();
  void addEdges();
  void addStateOrder();
  void mergeScalars();
  void mergeAlongEdges(bool prologue, bool eliminatingOnly, bool epiloguesOnly = false);
  void mergeSiblings();
  bool tryMerge(unsigned first, unsigned second, bool prologue);
  SmallVector<Candidate> candidates() const;
  bool createsCycle(unsigned first, unsigned second) const;
  bool reaches(unsigned from, unsigned to) const;
  unsigned countBindings(ArrayRef<unsigned> cluster) const;
  void merge(unsigned first, unsigned second);

  /// FusionLegality.cpp: whether `nodes` (ascending) form a cluster of one of the kinds; `prologue` says
  /// whether producers of the root are wanted.
  bool isLegal(ArrayRef<unsigned> nodes, bool prologue) const;
  bool isLegalAroundContraction(ArrayRef<unsigned> nodes, const Members &members, Operation *root,
                                bool prologue) const;
  bool isLegalAroundReductions(ArrayRef<unsigned> nodes, const Members &members) const;
  bool isLegalAsRows(ArrayRef<unsigned> nodes, const Members &members) const;
  bool hasWritableResults(ArrayRef<unsigned> nodes, const Members &members) const;
  /// The code that a dispatch of `cluster` becomes, in elementary operations. What moves read is computed
  /// again for each position that they read it at: chains of slices and concats can double with each link.
  unsigned weigh(ArrayRef<unsigned> cluster) const;
  unsigned weighPositions(ArrayRef<unsigned> cluster, const Members &members) const;
  bool usesRandom(Value value) const;
  /// Whether something else than `members` needs the node's result.
  bool escapes(unsigned node, const Members &members) const;
  using RowLimits = llvm::DenseMap<Value, std::optional<int64_t>>;
  /// The leading axes that the chain of inline operations from a member to `value` leaves in place; nothing
  /// when no member is reached. `known`: what earlier calls for these members found.
  std::optional<int64_t> rowsThrough(Value value, const Members &members, RowLimits &known) const;
  /// Whether computing one element of `value` takes a member that is more than a little arithmetic, however
  /// many cheap ones stand between. A window would compute it again for each element that it overlaps.
  bool takesCostlyMember(Value value, const Members &members, llvm::SmallPtrSetImpl<Operation *> &seen) const;

  Block &block;
  const llvm::DenseSet<Operation *> &loopsAsDispatches;
  bool inLoopBody;
  bool fuseUpdates = true;
  std::optional<unsigned> scalarCluster;        ///< Of mergeScalars; stays as it is.
  llvm::DenseMap<Operation *, OpClass> classes; ///< Of the block's operations, and of copies of them.
  std::vector<Node> nodes;                      ///< In program order.
  llvm::DenseMap<Operation *, unsigned> nodeOf;
  SmallVector<SmallVector<unsigned>> clusters; ///< Nodes, ascending; empty when merged into another.
};

/// EmitDispatches.cpp: replaces the operations of the block by dispatches, one per cluster.
void emitDispatches(Block &block, const FusionGraph &graph, llvm::StringSet<> &names, StringRef entry);

/// DispatchNames.cpp: the operation that weighs most, the first of several.
Operation *mainOperation(ArrayRef<Operation *> ops);

/// DispatchNames.cpp: a name from instance path and kinds of operation, not yet in `names`.
std::string nameDispatch(ArrayRef<Operation *> ops, llvm::StringSet<> &names, StringRef entry);

} // namespace dlc::fusion

#endif // DLC_COMPILER_TRANSFORMS_FUSION_H
