// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The vector-Jacobian products: what a rule is given and how rules are registered. Internal to
// compiler/Autodiff.
//
// A rule for r = f(x, ...) receives dr, the gradient of the loss with respect to r, and passes to each
// operand x that needs it dx = (df/dx)^T dr, built out of dl operations, so that it can be differentiated
// again.

#ifndef DLC_COMPILER_AUTODIFF_RULES_H
#define DLC_COMPILER_AUTODIFF_RULES_H

#include "compiler/Dialect/Dl.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"

namespace dlc::autodiff {

/// Gradients of one region's values, as they are built; and the operations of which formulas are made.
class Gradients {
public:
  /// `active` are the values that depend on what is differentiated; the others get no gradient.
  Gradients(mlir::ImplicitLocOpBuilder &builder, llvm::DenseSet<mlir::Value> &active)
      : builder(builder), active(active) {}

  bool isActive(mlir::Value value) const { return active.contains(value); }
  /// The sum of the contributions so far; null when there are none.
  mlir::Value get(mlir::Value value) const { return sums.lookup(value); }
  /// Adds a contribution to the gradient of `value`, if that is active.
  void add(mlir::Value value, mlir::Value contribution);
  /// Adds what `formula` builds, and builds it only if `value` is active.
  void flow(mlir::Value value, llvm::function_ref<mlir::Value()> formula);
  /// `from` was replaced by `to`.
  void move(mlir::Value from, mlir::Value to);
  /// All values with a gradient, in the order of their first contribution.
  const llvm::MapVector<mlir::Value, mlir::Value> &all() const { return sums; }
  llvm::DenseSet<mlir::Value> &activeValues() { return active; }

  // Formulas. Operands have one type.
  mlir::Value sum(mlir::Value a, mlir::Value b);
  mlir::Value difference(mlir::Value a, mlir::Value b);
  mlir::Value product(mlir::Value a, mlir::Value b);
  mlir::Value quotient(mlir::Value a, mlir::Value b);
  mlir::Value negative(mlir::Value x);
  mlir::Value compare(dl::Predicate predicate, mlir::Value a, mlir::Value b);
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b);
  /// Filled with `value`, of the type of `like`.
  mlir::Value constant(mlir::Value like, double value);
  mlir::Value constant(dl::TensorType type, double value);
  /// The operand on `axes` (increasing) of `type`, repeated along its other axes.
  mlir::Value broadcast(mlir::Value operand, llvm::ArrayRef<int64_t> axes, dl::TensorType type);

  mlir::ImplicitLocOpBuilder &builder;

private:
  llvm::DenseSet<mlir::Value> &active;
  llvm::MapVector<mlir::Value, mlir::Value> sums;
};

/// Rules by operation name, for operations with one result.
class RuleTable {
public:
  using Rule = std::function<void(mlir::Operation *, mlir::Value, Gradients &)>;

  template <typename OpType> void add(void (*rule)(OpType, mlir::Value, Gradients &)) {
    rules[OpType::getOperationName()] = [rule](mlir::Operation *op, mlir::Value gradient, Gradients &g) {
      rule(mlir::cast<OpType>(op), gradient, g);
    };
  }
  /// Null when there is none.
  const Rule *find(mlir::OperationName name) const {
    auto found = rules.find(name.getStringRef());
    return found == rules.end() ? nullptr : &found->second;
  }
  static const RuleTable &get();

private:
  llvm::StringMap<Rule> rules;
};

void addElementwiseRules(RuleTable &table);
void addShapeRules(RuleTable &table);
void addIndexRules(RuleTable &table);
void addContractionRules(RuleTable &table);
void addReductionRules(RuleTable &table);

/// The gradient type of a value: tensors of floating-point type have one.
inline bool hasGradientType(mlir::Value value) {
  auto type = mlir::dyn_cast<dl::TensorType>(value.getType());
  return type && mlir::isa<mlir::FloatType>(type.getElementType());
}

// Differentiate.cpp, for Scan.cpp:

/// Builds the gradients of all values that the results of `operations` (in order) were computed from,
/// starting from the gradients that `gradients` already has.
void differentiate(llvm::ArrayRef<mlir::Operation *> operations, Gradients &gradients);

/// The same for one scan. `scan` is replaced when it must save values for the reverse scan.
void differentiateScan(dl::ScanOp scan, Gradients &gradients);

/// Lets a scan stack values of its body at axis 0, each once.
class ScanStacks {
public:
  explicit ScanStacks(dl::ScanOp scan) : scan(scan) {}
  /// The position among the stacks that `value` has, or will have after apply().
  size_t add(mlir::Value value);
  /// Replaces the scan if there is a new stack; `onReplace` is told which result became which.
  dl::ScanOp apply(llvm::function_ref<void(mlir::Value, mlir::Value)> onReplace);

private:
  dl::ScanOp scan;
  llvm::SmallVector<mlir::Value> values;
};

} // namespace dlc::autodiff

#endif // DLC_COMPILER_AUTODIFF_RULES_H
