// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The elaborator: walks the bodies of the entries, evaluates what is known at compile time, checks shapes and
// emits dl operations for the rest. Layers are templates over compile-time values and shapes, so a body is
// walked once per call, with the names bound to that call's entities.
//
// The methods are spread over files by meaning, in the order in which an entry passes through them:
//   ElaborateEntries     module, entries, their arguments and results
//   ElaborateCalls       frames, results; ElaborateArguments: arguments to parameters
//   ElaborateTypes       types and unification
//   ElaborateGradientClause  a layer's own rule
//   ElaborateStates      instances, parameters, buffers, counters, seeds: everything that is a dl.state
//   ElaborateStatements  statements but for training
//   ElaborateTraining    minimize, optimizers; ElaborateClip: functions of gradients;
//                        ElaborateAccumulation: gradients of several steps
//   ElaborateMetrics     metrics, report
//   ElaborateExpressions names, operators, members; ElaborateSubscripts; ElaborateScan: scan
//   ElaborateIndex…      ElaborateIndexNotation and ElaborateIndexedAccess: let y[i, j] = …
//   CompileTime          arithmetic on values known now; Constraints: what sizes must satisfy
//   Broadcasting         conversions and NumPy's rules: what two tensors must have in common
//   Builtins*            the primitive functions, by family
//   ElaborateFit         the fit block
//
// Errors are reported once and leave a poisoned entity, which makes everything built on it silent.
#ifndef DLC_FRONTEND_ELABORATOR_H
#define DLC_FRONTEND_ELABORATOR_H

#include "frontend/Entity.h"
#include "frontend/Frontend.h"
#include "frontend/IndexNotation.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringSet.h"
#include <set>

namespace dlc::data {
struct LoaderSignature;
}

namespace dlc::frontend {

using namespace mlir;

/// What a call's instance is named after.
struct NameHint {
  enum class Kind {
    None,      ///< nothing names it
    Name,      ///< `let name = call`
    Enclosing, ///< `return call`: takes the name of the instance around it
  };
  Kind kind = Kind::None;
  llvm::StringRef name;
};

/// A parameter of a layer: a dl.state, and what is known about it in the order of declaration.
struct ParameterInfo {
  std::string name;
  dl::TensorType type;
  SourceRange range;         ///< of its declaration
  SourceRange useSite;       ///< the user's call that made it
  const CallableDecl *model; ///< that it was made in; null: in an entry
  const CallableDecl *entry; ///< that made it
  Value initial;             ///< its first value, in the entry `init`
};

/// The function being filled: an entry, or "init".
struct EntryContext {
  const CallableDecl *decl = nullptr; ///< null for init
  func::FuncOp func;
  llvm::StringMap<Value> states;         ///< current value of each state that was read or written
  llvm::StringMap<unsigned> occurrences; ///< of random sites, by text
  llvm::StringMap<unsigned> metricNames;
  std::vector<unsigned> parameters; ///< indexes of those that were read, in the order of reading
  llvm::DenseMap<Value, unsigned> parameterValues; ///< what was read or written: which parameter it is
  llvm::DenseSet<unsigned> trained;                ///< indexes of those that a minimize's loss depends on
  bool hasMinimize = false, changesState = false;
  std::optional<Entity> gradients; ///< of the last minimize, a tuple
  llvm::DenseMap<const CallableDecl *, Entity>
      ofGradients;                             ///< what was computed from them, without arguments
  SourceRange minimized;                       ///< the first minimize's loss
  llvm::StringMap<unsigned> optimizers;        ///< of one name, for the names of hyperparameters
  Value iteration;                             ///< i64, null until it is needed
  llvm::DenseSet<Value> accumulated;           ///< values of metrics' accumulators: over many batches
  std::vector<dl::ConstraintAttr> constraints; ///< on the sizes that are given at run time
  std::vector<Operation *> scans;              ///< around the insertion point, outermost first
  struct Result {
    std::string name;
    Value value;
    bool isMetric = false;
    bool isReport = false;
    SourceRange range;
  };
  std::vector<Result> results;
  bool isInit() const { return !decl; }
  bool isTraining() const { return decl && decl->kind == DeclKind::Train; }
};

/// A call of a primitive function with its evaluated arguments.
struct BuiltinCall {
  const CallExpr *expr = nullptr;
  llvm::StringRef name;
  std::vector<Entity> args; ///< by the builtin's parameters; absent optional ones are None
  std::vector<SourceRange> argRanges;
  SourceRange range;
};

class Elaborator {
public:
  Elaborator(const Program &program, const SourceManager &sources, DiagnosticEngine &diags,
             MLIRContext &context, const ImportOptions &options);

  OwningOpRef<ModuleOp> run();

  //===--- Entries (ElaborateEntries.cpp) ---===//
  void collectDeclarations();
  void elaborateEntry(const CallableDecl *decl);
  static bool isEntry(const CallableDecl *decl);
  /// --bind and --max name dimensions that there are, and do not contradict each other.
  void checkOptions();
  void elaborateEntryArguments(const CallableDecl *decl);
  bool checkRank(dl::TensorType type, SourceRange range, const llvm::Twine &what);
  void finishEntry(const CallableDecl *decl);
  void elaborateFit(const FitDecl *fit);
  void elaborateFitSetting(const FitItem &item, mlir::NamedAttrList &attributes);
  void checkBest(const Expr *expr, llvm::StringRef text, ArrayRef<Attribute> evaluated);
  void elaborateFitRun(const FitItem &item, SmallVectorImpl<Attribute> &runs);
  Attribute elaborateLoader(const Expr *expr);
  const data::LoaderSignature *findLoader(const NameExpr *name);
  Attribute elaborateLoaderSetting(const data::LoaderSignature &loader, const Argument &argument);
  Attribute elaborateSetting(const Expr *expr);
  Attribute settingAttribute(const Entity &value);
  /// What a name at a place of the text declares: the library's own there, the user's first elsewhere.
  const CallableDecl *findDecl(llvm::StringRef name, SourceRange at) const;
  const CallableDecl *findInitializer(llvm::StringRef name, SourceRange at) const;

  //===--- Calls (ElaborateCalls.cpp) ---===//
  struct Arg {
    Entity entity;
    SourceRange range;
    const Expr *expr = nullptr; ///< null for defaults and bound arguments
    bool isGiven = false;
  };
  Entity elaborateCall(const CallExpr *call, const NameHint &hint);
  Entity callDecl(const CallableDecl *decl, const CallExpr *call, const NameHint &hint,
                  const std::shared_ptr<Instance> &instance);
  Entity runBody(const CallableDecl *decl);
  Entity checkResult(const CallableDecl *decl, Entity result, SourceRange range);
  void explainExtraDimensions(Diagnostic &diag, const CallableDecl *decl, const TensorType *declared,
                              dl::TensorType actual);

  //===--- Arguments (ElaborateArguments.cpp) ---===//
  bool matchArguments(const CallableDecl *decl, const CallExpr *call, const Instance *instance,
                      std::vector<Arg> &args);
  Entity convertDefault(const TensorType *type, Entity entity, SourceRange range, const llvm::Twine &what);
  /// Binds arguments, defaults and dimensions in the current (new) scope.
  bool bindArguments(const CallableDecl *decl, std::vector<Arg> &args, SourceRange callRange);
  bool defineArgument(const Parameter &param, const Arg &arg, Entity entity);
  bool defineDefault(const CallableDecl *decl, const Parameter &param, Arg &arg);
  bool defineConstants(const CallableDecl *decl, std::vector<Arg> &args, SourceRange callRange);
  struct Deferred;
  bool defineTensor(const CallableDecl *decl, const Parameter &param, const Arg &arg,
                    std::vector<Deferred> &deferred);
  bool checkDeferred(const CallableDecl *decl, llvm::ArrayRef<Deferred> deferred);

  //===--- Gradient clauses (ElaborateGradientClause.cpp) ---===//
  /// What a gradient clause has a gradient for: a tensor argument, or a param.
  struct GradientArgument {
    llvm::StringRef name;
    Value value;
  };
  llvm::SmallVector<GradientArgument> gradientArguments(const CallableDecl *decl);
  /// The results, with the clause's rule.
  Entity applyGradientClause(const GradientStmt *rule, Entity result,
                             llvm::ArrayRef<GradientArgument> arguments);
  std::optional<llvm::SmallVector<Value>> elaborateGradientBody(const GradientStmt *rule,
                                                                llvm::ArrayRef<GradientArgument> arguments);

  //===--- Constraints (Constraints.cpp) ---===//
  /// Makes sure that a size, or what is left of one, is at least 0: false when it never is. What depends on
  /// the sizes becomes a constraint of the entry; `subject` names what needs it, and is the text at `range`
  /// if empty.
  bool requireNotNegative(dl::PolynomialAttr value, SourceRange range, const llvm::Twine &subject = "");
  void addConstraint(dl::Requirement requirement, dl::PolynomialAttr value, dl::PolynomialAttr divisor,
                     SourceRange range, const llvm::Twine &subject);
  /// A signature's `where`; without a call (of an entry) errors stand at the condition itself.
  bool checkConstraints(const CallableDecl *decl, SourceRange callRange);
  std::optional<bool> checkConstraint(const CallableDecl *decl, const Expr *condition, SourceRange callRange);
  Entity elaborateConstraint(const Expr *condition, SourceRange range, const llvm::Twine &subject);

  //===--- Types (ElaborateTypes.cpp) ---===//
  Type elementType(ElementType type);
  dl::TensorType tensorOf(llvm::ArrayRef<dl::PolynomialAttr> shape, Type elementType);
  dl::TensorType scalarType() { return tensorOf({}, Float64Type::get(&context)); }
  dl::TensorType counterType() { return tensorOf({}, IntegerType::get(&context, 64)); }
  /// Converts to a compile-time type; `what` starts the message: "linear's features".
  Entity convertConstant(Entity entity, const ConstantTypeExpr *type, SourceRange range,
                         const llvm::Twine &what);
  /// Converts numbers and scalars to a rank-0 type, checks the element type of tensors.
  Entity convertToElement(Entity entity, Type element, SourceRange range, const llvm::Twine &what);
  /// Matches a tensor's dimensions with a type's, binding names that are free. With `deferred`, expressions
  /// whose names are not bound yet are put there, to be checked at the end.
  struct Deferred {
    const TensorType *type;
    const Expr *size;
    dl::PolynomialAttr actual;
    dl::TensorType actualType;
    SourceRange range;
  };
  /// Why two types do not match: a name that has another value already.
  struct Mismatch {
    std::string dimension, bound, actual;
    SourceRange boundAt;
  };
  bool unify(const TensorType *type, dl::TensorType actual, SourceRange range,
             std::vector<Deferred> *deferred, Mismatch &mismatch);
  void reportMismatch(const llvm::Twine &what, const TensorType *type, dl::TensorType actual,
                      SourceRange range, const Mismatch &mismatch);
  /// The type as written with its names replaced by what they are bound to; free ones stay.
  std::string describeDeclared(const TensorType *type);
  /// Evaluates a type whose names are all bound; null after an error.
  dl::TensorType evaluateType(const TensorType *type);
  std::optional<dl::PolynomialAttr> evaluateDimension(const Expr *expr, bool report = true);

  //===--- States (ElaborateStates.cpp) ---===//
  /// The path of an instance made in the current frame.
  std::string instancePath(const NameHint &hint, const CallableDecl *decl, SourceRange range, Frame &callee);
  std::optional<std::string> parameterName(const ParamStmt *stmt);
  bool checkTrainable(const std::string &name, SourceRange useSite);
  bool checkUnshared(const Declarator &variable, const std::string &name, llvm::StringRef what);
  Entity elaborateParam(const ParamStmt *stmt);
  Entity loadState(llvm::StringRef name, dl::TensorType type);
  void storeState(llvm::StringRef name, Value value);
  dl::StateOp createState(dl::StateRole role, llvm::StringRef name, dl::TensorType type, TypedAttr initial,
                          llvm::StringRef owner, llvm::StringRef parameter, SourceRange range);
  Value loadSeed();
  Value loadIteration();
  Value scanPosition();
  /// A random tensor at a new site of the current frame.
  Value random(dl::TensorType type, llvm::StringRef name);
  /// In "init": what the state starts as.
  void setInitial(llvm::StringRef name, Value value);
  /// Evaluates an initial value in "init", converted to `type`; null after an error.
  /// `prepare` may rebind names that mean something else there.
  Value elaborateInitial(const Expr *expr, dl::TensorType type, llvm::StringRef name,
                         llvm::function_ref<void(Scope &)> prepare = {});
  Entity callInitializer(const CallableDecl *decl, const CallExpr *call, dl::TensorType type);
  Entity instanceMember(const Instance &instance, const Identifier &member);

  //===--- Statements (ElaborateStatements.cpp) ---===//
  void elaborateBlock(const Block *block);
  void elaborateStmt(const Stmt *stmt);
  void elaborateLet(const LetStmt *stmt);
  void elaborateAssign(const AssignStmt *stmt);
  void elaborateBuffers(const StateStmt *stmt);
  Entity elaborateBuffer(const Declarator &variable, const std::string &name);
  /// The type of a state from its declaration or its initial value; null after an error.
  dl::TensorType inferStateType(const Declarator &variable, llvm::function_ref<void(Scope &)> prepare = {});
  void elaborateIf(const IfStmt *stmt);
  std::optional<std::vector<Entity>> loopValues(const Expr *sequence);
  void elaborateFor(const ForStmt *stmt);
  Entity instancesOf(const Block *block);
  Entity checkDeclaredType(Entity entity, const TypeExpr *type, SourceRange range, const llvm::Twine &what);
  void bind(const Identifier &name, Binding binding);

  //===--- Gradients of several steps (ElaborateAccumulation.cpp) ---===//
  /// What `every k` makes of a step: the position-th of k, the last of which updates.
  struct Accumulation {
    Value position; ///< i64, 0 to k − 1
    Value updates;  ///< i64, with the one that this step is for: `iteration`, behind `with` and `clip`
    Value isLast;   ///< bool
  };
  bool elaborateEvery(const Expr *expr, std::optional<Accumulation> &out_accumulation);
  bool accumulateGradients(const Accumulation &step, llvm::ArrayRef<unsigned> ofParameters,
                           llvm::MutableArrayRef<Value> gradients, SourceRange range);
  Value whereLast(const Accumulation &step, Value updated, Value old);

  //===--- Training (ElaborateTraining.cpp) ---===//
  void elaborateMinimize(const MinimizeStmt *stmt);
  void elaborateReport(const ReportStmt *stmt);
  Entity callMetric(const CallableDecl *decl, std::vector<Arg> &args, const CallExpr *call,
                    const NameHint &hint);
  void elaborateAccumulate(const StateStmt *stmt);
  void elaborateOptimizerStates(const StateStmt *stmt);
  struct OptimizerGroup;
  void checkPatterns(llvm::ArrayRef<std::unique_ptr<OptimizerGroup>> groups,
                     llvm::ArrayRef<unsigned> reached);
  void reportUnknownPattern(const ParameterPattern &pattern, llvm::ArrayRef<unsigned> reached);
  Entity elaborateHyperparameter(Entity value, const std::string &state, const std::string &what,
                                 SourceRange range);
  bool prepareOptimizer(OptimizerGroup &group);
  bool bindHyperparameters(const CallableDecl *decl, const Expr *expr, llvm::ArrayRef<Arg> args, Scope &own);
  void updateParameter(OptimizerGroup &group, unsigned parameter, Value gradient,
                       const Accumulation *accumulation);
  /// The parameters that `loss` was computed from, in the order of declaration, each with its value there.
  std::vector<std::pair<unsigned, Value>> parametersOf(Value loss);
  void warnOfUntrained();
  void warnOfUnreached();

  //===--- Functions of gradients (ElaborateClip.cpp) ---===//
  void rememberGradients(llvm::ArrayRef<Value> gradients);
  Entity callWithGradients(const CallableDecl *decl, SourceRange range);
  bool clipGradients(const Expr *expr, llvm::MutableArrayRef<Value> gradients);

  //===--- Expressions (ElaborateExpressions.cpp, ElaborateScan.cpp) ---===//
  Entity elaborate(const Expr *expr, const NameHint &hint = {});
  Entity elaborateUnchecked(const Expr *expr, const NameHint &hint);
  Entity elaborateName(const NameExpr *expr);
  Entity elaborateTuple(const TupleExpr *expr);
  Entity elaborateUnary(const UnaryExpr *expr);
  Entity elaborateBinary(const BinaryExpr *expr);
  Entity elaborateMember(const MemberExpr *expr);
  Entity elaborateScan(const ScanExpr *expr);
  /// What a scan goes over, and what its carries start as.
  struct ScanOperands {
    llvm::SmallVector<Value> xs, inits;
    llvm::SmallVector<int64_t> axes; ///< Of the steps, in each of xs.
    dl::PolynomialAttr count;        ///< Of the steps.
  };
  bool elaborateScanInputs(const ScanExpr *expr, ScanOperands &operands);
  bool elaborateScanCarries(const ScanExpr *expr, ScanOperands &operands);
  std::optional<llvm::SmallVector<Value>> elaborateScanBody(const ScanExpr *expr, dl::ScanOp draft);
  std::optional<int64_t> scanAxis(const ScanExpr *scan, const ScanInput &input, dl::TensorType type);
  std::optional<bool> elaborateCondition(const Expr *expr, llvm::StringRef what);

  //===--- Subscripts (ElaborateSubscripts.cpp) ---===//
  Entity elaborateIndex(const IndexExpr *expr);
  Entity indexTuple(const Entity &tuple, const IndexExpr *expr);
  Entity sliceTensor(const Entity &tensor, const IndexExpr *expr);
  struct AxisSlice;
  Value reverse(Value value, llvm::ArrayRef<AxisSlice> slices);
  std::optional<AxisSlice> sliceAxis(const Subscript &subscript, dl::TensorType type, int64_t axis,
                                     SourceRange whole);
  std::optional<dl::PolynomialAttr> subscriptBound(const Expr *position, dl::PolynomialAttr size,
                                                   dl::PolynomialAttr missing);
  std::optional<int64_t> subscriptStep(const Expr *step);

  //===--- Index notation (ElaborateIndexNotation.cpp, ElaborateIndexedAccess.cpp) ---===//
  Entity elaborateIndexedLet(const LetStmt *stmt);
  Entity elaborateReduction(const ReductionExpr *expr);
  Entity elaborateIndexedExpr(const Expr *expr, const NameHint &hint);
  Entity elaborateIndexedAccess(const IndexExpr *expr);
  Entity subscriptedBase(const IndexExpr *expr);
  dl::PolynomialAttr inferExtent(const Identifier &name, llvm::ArrayRef<IndexBinding> bindings,
                                 const Expr *body);
  bool addIndices(llvm::ArrayRef<IndexBinding> bindings, const Expr *body, bool fromZero);
  bool checkElementwise(Operation *before, SourceRange range);
  std::optional<AffineIndex> affineIndex(const Expr *expr);
  bool checkIndexRange(const AffineIndex &index, const Subscript &subscript, dl::TensorType type,
                       int64_t axis, SourceRange whole);
  Value alignToSpace(Value value, llvm::ArrayRef<size_t> used);
  std::optional<llvm::SmallVector<size_t>> plainAxes(llvm::ArrayRef<AffineIndex> indices,
                                                     dl::TensorType type);
  Value readAffine(Value x, llvm::ArrayRef<AffineIndex> indices, llvm::ArrayRef<size_t> used);
  Value readComputed(Value x, llvm::ArrayRef<AffineIndex> indices, size_t axis, Value chosen);
  std::optional<Value> asContraction(const ReductionExpr *expr, size_t reduced);

  //===--- Compile time (CompileTime.cpp) ---===//
  /// Whether sizes stay small enough for 64-bit arithmetic on them; reports otherwise.
  bool checkMagnitude(const Entity &entity, SourceRange range);
  bool checkElementCount(dl::TensorType type, SourceRange range);
  /// Folds an operator on compile-time entities; nothing if it needs run time.
  std::optional<Entity> foldAppended(const Entity &lhs, const Entity &rhs, SourceRange range);
  Entity foldIntegers(BinaryOp op, int64_t left, int64_t right, SourceRange range);
  Entity foldSizes(BinaryOp op, dl::PolynomialAttr lhs, dl::PolynomialAttr rhs, SourceRange range);
  std::optional<Entity> foldBinary(BinaryOp op, const Entity &lhs, const Entity &rhs, SourceRange range);
  std::optional<Entity> foldUnary(UnaryOp op, const Entity &operand);

  //===--- Broadcasting (Broadcasting.cpp) ---===//
  Entity binary(BinaryOp op, Entity lhs, Entity rhs, SourceRange opRange, SourceRange lhsRange,
                SourceRange rhsRange);
  Entity negate(const Entity &operand, SourceRange range);
  /// Brings numeric operands to one element type and shape; false after an error. All become run-time values;
  /// if none is a tensor they become scalars (f64).
  bool unifyOperands(llvm::MutableArrayRef<Entity> operands, llvm::ArrayRef<SourceRange> ranges,
                     SourceRange opRange, llvm::StringRef what);
  std::optional<llvm::SmallVector<dl::PolynomialAttr>> broadcastShapes(dl::TensorType lhs,
                                                                       dl::TensorType rhs);
  Value broadcastTo(Value value, llvm::ArrayRef<dl::PolynomialAttr> shape);
  /// A rank-0 value of a numeric entity that is no tensor.
  Value toRankZero(const Entity &entity, Type element);
  /// Number, scalar or tensor as a value; numbers and scalars become rank-0 values of `element`.
  Value toValue(const Entity &entity, Type element);
  Value constant(dl::TensorType type, double value);
  Value constantInteger(dl::TensorType type, int64_t value);
  /// Whether an integer constant is a value of an element type; floating-point types take all.
  static bool fits(const Entity &entity, Type element);

  //===--- Builtins (Builtins*.cpp) ---===//
  Entity callBuiltin(const Builtin *builtin, const CallExpr *call, const NameHint &hint);
  std::optional<int64_t> normalizeAxis(const Entity &axis, int64_t rank, SourceRange range,
                                       llvm::StringRef what);
  std::optional<llvm::SmallVector<dl::PolynomialAttr>> toShape(const Entity &dims, SourceRange range,
                                                               llvm::StringRef what);

  //===--- Infrastructure (Elaborator.cpp) ---===//
  Location locate(SourceRange range);
  /// Reports at the user's text: inside the standard library, at the call, with a note where inside.
  Diagnostic &error(SourceRange range, const llvm::Twine &message);
  Diagnostic &warning(SourceRange range, const llvm::Twine &message);
  SourceRange userRange(SourceRange range) const;
  bool isStandard(FileId file) const;
  template <typename OpTy, typename... Args> OpTy emit(Args &&...args) {
    return OpTy::create(builder, currentLocation, std::forward<Args>(args)...);
  }
  dl::PolynomialAttr poly(int64_t value) { return dl::PolynomialAttr::getConstant(&context, value); }
  Entity integer(int64_t value) { return Entity::ofInteger(poly(value)); }
  bool inScan() const { return entry && !entry->scans.empty(); }
  /// What the name `training` says here.
  bool isTraining() const { return trainingMode.value_or(entry && entry->isTraining()); }

  const Program &program;
  const SourceManager &sources;
  DiagnosticEngine &diags;
  MLIRContext &context;
  const ImportOptions &options;

  OpBuilder builder;
  Location currentLocation;
  OwningOpRef<ModuleOp> module;
  EntryContext *entry = nullptr;
  EntryContext initEntry;
  Frame *frame = nullptr;
  Scope *scope = nullptr;

  struct Declarations {
    llvm::StringMap<const CallableDecl *> callables;
    llvm::StringMap<const CallableDecl *> initializers; ///< kept apart: `zeros` is a function, too
  };
  Declarations decls;         ///< the user's win over the library's
  Declarations standardDecls; ///< what the library's text means, whatever the user declares
  llvm::DenseMap<FileId, bool> standardFiles;
  unsigned modelCount = 0;
  std::set<std::string> dimensions;      ///< the names that entries give sizes
  SourceRange fitRange;                  ///< of the fit block that was seen
  std::vector<ParameterInfo> parameters; ///< in the order of declaration
  llvm::StringMap<unsigned> parameterIndex;
  llvm::StringMap<dl::StateOp> stateOps;
  /// The initial value of the state whose initialiser is being evaluated: its name, for random sites.
  std::string initialName;
  IndexSpace *indexSpace = nullptr;     ///< of the index notation that is being walked
  llvm::DenseSet<Operation *> reshapes; ///< that a program asks for, since the last index notation began
  std::optional<Entity> yielded;        ///< of the scan whose body is being walked
  SourceRange yieldRange;
  std::optional<bool> trainingMode; ///< of eval_mode and train_mode around
  /// Of all train entries with a minimize: what they read.
  llvm::DenseSet<unsigned> inTraining;
  bool hasTraining = false;
  unsigned expressionDepth = 0;             ///< expressions around the one that is walked, through all calls
  unsigned statements = 0, expressions = 0; ///< walked so far, for the limits on unrolling
  /// What an optimizer's body is for.
  struct Update {
    unsigned parameter = 0;                            ///< its index
    std::vector<std::pair<std::string, Value>> states; ///< the optimizer's, with their values before
  };
  Update *update = nullptr;
  std::string lastLetName; ///< of the statement being elaborated: what callees without a name are shown as
};

/// Whether all names of a dimension's expression are bound.
bool isEvaluable(const Expr *expr, Scope *scope);

/// Sets a variable for the lifetime of a block.
template <typename T> class Restore {
public:
  Restore(T &variable, T value) : variable(variable), old(std::move(variable)) {
    variable = std::move(value);
  }
  ~Restore() { variable = std::move(old); }
  Restore(const Restore &) = delete;
  Restore &operator=(const Restore &) = delete;

private:
  T &variable;
  T old;
};

} // namespace dlc::frontend

#endif // DLC_FRONTEND_ELABORATOR_H
