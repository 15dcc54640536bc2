// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Resolves names before anything is elaborated, in every declaration and every branch, called or not: unknown
// names, names bound twice, assignments to what cannot change, bindings that nothing reads.

#include "frontend/Builtins.h"
#include "frontend/Frontend.h"
#include "llvm/ADT/StringSet.h"

namespace dlc::frontend {

using namespace llvm;

namespace {

/// A local name.
struct Local {
  SourceRange range;
  bool isMutable = false;
  bool warnsIfUnused = false;
  bool isUsed = false;
};

class NameChecker {
public:
  NameChecker(const Program &program, DiagnosticEngine &diags) : diags(diags) {
    for (const SourceFile &file : program.files)
      for (const Decl *decl : file.decls)
        if (auto *callable = dyn_cast<CallableDecl>(decl))
          declare(callable, file.isStandardLibrary);
  }

  void check(const Decl *decl) {
    if (auto *callable = dyn_cast<CallableDecl>(decl))
      checkCallable(callable);
  }

private:
  using Names = StringMap<Local>;

  void declare(const CallableDecl *decl, bool isStandard) {
    auto &table = decl->kind == DeclKind::Initializer ? initializers : globals;
    StringRef name = decl->name.text;
    auto found = table.find(name);
    if (found != table.end() && !isStandard && !found->second.isStandard) {
      diags.error(decl->name.range, name + " is declared twice")
          .note("the first declaration is here", found->second.decl->name.range);
      return;
    }
    if (found == table.end() || found->second.isStandard)
      table[name] = {decl, isStandard};
  }

  //===--- Scopes ---===//

  Local *find(StringRef name) {
    for (Names &names : llvm::reverse(scopes))
      if (auto found = names.find(name); found != names.end())
        return &found->second;
    return nullptr;
  }

  void bind(const Identifier &name, bool isMutable, bool warnsIfUnused) {
    if (!name)
      return;
    if (Local *known = find(name.text)) {
      diags.error(name.range, name.text + " is bound twice: names are never shadowed")
          .note("the first binding is here", known->range);
      return;
    }
    scopes.back()[name.text] = {name.range, isMutable, warnsIfUnused && !name.text.starts_with("_"), false};
  }

  void pop() {
    for (auto &entry : scopes.back())
      if (entry.second.warnsIfUnused && !entry.second.isUsed)
        unused.push_back({entry.getKey().str(), entry.second.range, currentLoop.str()});
    scopes.pop_back();
  }

  /// What a `for … as` binds may be read through its name, behind it.
  void warnOfUnused() {
    for (const Unused &name : unused)
      if (name.loop.empty() || !loopNames.lookup(name.loop))
        diags.warning(name.range, "nothing reads " + name.text)
            .note("a name that begins with _ is meant to be unused");
    unused.clear();
    loopNames.clear();
  }

  StringRef nearest(StringRef name) {
    std::vector<StringRef> candidates;
    for (Names &names : llvm::reverse(scopes))
      for (auto &entry : names)
        candidates.push_back(entry.getKey());
    for (auto &entry : globals)
      candidates.push_back(entry.getKey());
    if (isInitializerCall)
      for (auto &entry : initializers)
        candidates.push_back(entry.getKey());
    llvm::append_range(candidates, builtinNames());
    llvm::append_range(candidates, specialNames());
    llvm::sort(candidates); // hash tables have no order of their own
    return nearestName(name, candidates);
  }

  void use(StringRef name, SourceRange range) {
    if (Local *local = find(name)) {
      local->isUsed = true;
      return;
    }
    if (auto loop = loopNames.find(name); loop != loopNames.end()) {
      loop->second = true;
      return;
    }
    if (globals.contains(name) || findBuiltin(name) || is_contained(specialNames(), name) ||
        (isInitializerCall && initializers.contains(name)))
      return;
    if (initializers.contains(name))
      diags.error(range, name + " is an initializer: it gives a param its first value");
    else
      diags.error(range, "unknown name '" + name + "'").suggest(nearest(name));
  }

  //===--- Declarations ---===//

  void checkCallable(const CallableDecl *decl) {
    scopes.emplace_back();
    // Names in types of parameters declare dimensions; parameters come first, they may stand in types.
    for (const Parameter &param : decl->params)
      bind(param.name, false, false);
    for (const Identifier &bound : decl->bound)
      bind(bound, decl->kind == DeclKind::Optimizer && &bound == decl->bound.begin(), false);
    for (const Parameter &param : decl->params) {
      declareDimensions(param.type);
      if (param.defaultValue)
        checkExpr(param.defaultValue);
    }
    if (decl->result)
      declareDimensions(decl->result);
    for (const Expr *constraint : decl->constraints)
      checkExpr(constraint);
    checkBlock(decl->body);
    pop();
    warnOfUnused();
  }

  /// A type in a signature: its free names become dimensions.
  void declareDimensions(const TypeExpr *type) {
    if (auto *tuple = dyn_cast<TupleTypeExpr>(type))
      for (const TupleTypeElement &element : tuple->elements)
        declareDimensions(element.type);
    auto *tensor = dyn_cast<TensorType>(type);
    for (const DimensionExpr &dim : tensor ? tensor->dims : ArrayRef<DimensionExpr>())
      if (dim.size)
        declareDimension(dim.size);
  }
  void declareDimension(const Expr *expr) {
    if (auto *name = dyn_cast<NameExpr>(expr)) {
      if (!find(name->name))
        scopes.back()[name->name] = {name->range, false, false, true};
    } else if (auto *unary = dyn_cast<UnaryExpr>(expr)) {
      declareDimension(unary->operand);
    } else if (auto *binary = dyn_cast<BinaryExpr>(expr)) {
      declareDimension(binary->lhs);
      declareDimension(binary->rhs);
    } else {
      checkExpr(expr);
    }
  }

  /// A type in a body: a let may name dimensions of its value, everything else uses what is there.
  void checkType(const TypeExpr *type, bool declares) {
    if (!type)
      return;
    if (declares)
      return declareDimensions(type);
    if (auto *tensor = dyn_cast<TensorType>(type))
      for (const DimensionExpr &dim : tensor->dims)
        if (dim.size)
          checkExpr(dim.size);
  }

  //===--- Statements ---===//

  void checkBlock(const Block *block) {
    scopes.emplace_back();
    for (const Stmt *stmt : block->stmts)
      checkStmt(stmt);
    pop();
  }

  void checkInitial(const Expr *expr) {
    // The outermost call of an initial value looks among the initializers first.
    auto *call = dyn_cast<CallExpr>(expr);
    auto *callee = call ? dyn_cast<NameExpr>(call->callee) : nullptr;
    if (!callee)
      return checkExpr(expr);
    isInitializerCall = true;
    use(callee->name, callee->range);
    isInitializerCall = false;
    for (const Argument &arg : call->args)
      checkExpr(arg.value);
  }

  void checkStmt(const Stmt *stmt) {
    switch (stmt->kind) {
    case StmtKind::Let: {
      auto *let = cast<LetStmt>(stmt);
      if (let->isIndexed)
        return checkIndexed(let);
      checkExpr(let->value);
      checkType(let->type, true);
      for (const Identifier &name : let->names)
        bind(name, false, true);
      return;
    }
    case StmtKind::Var: {
      const Declarator &variable = cast<VarStmt>(stmt)->variable;
      checkExpr(variable.init);
      checkType(variable.type, true);
      return bind(variable.name, true, true);
    }
    case StmtKind::Assign: {
      auto *assign = cast<AssignStmt>(stmt);
      checkExpr(assign->value);
      Local *target = find(assign->target.text);
      if (!target)
        diags.error(assign->target.range, "unknown name '" + assign->target.text + "'")
            .suggest(nearest(assign->target.text));
      else if (!target->isMutable)
        diags
            .error(assign->target.range, assign->target.text + " cannot change: only var, carry and state do")
            .note("it is bound here", target->range);
      return;
    }
    case StmtKind::Param: {
      const Declarator &variable = cast<ParamStmt>(stmt)->variable;
      checkType(variable.type, false);
      checkInitial(variable.init);
      if (const Expr *known = cast<ParamStmt>(stmt)->known)
        checkExpr(known);
      return bind(variable.name, false, true);
    }
    case StmtKind::State:
      for (const Declarator &variable : cast<StateStmt>(stmt)->variables) {
        checkType(variable.type, false);
        checkInitial(variable.init);
        bind(variable.name, true, true);
      }
      return;
    case StmtKind::Finish:
      return checkExpr(cast<FinishStmt>(stmt)->value);
    case StmtKind::If: {
      auto *branch = cast<IfStmt>(stmt);
      checkExpr(branch->condition);
      checkBlock(branch->thenBlock);
      if (branch->elseBlock)
        checkBlock(branch->elseBlock);
      return;
    }
    case StmtKind::For: {
      auto *loop = cast<ForStmt>(stmt);
      checkExpr(loop->sequence);
      scopes.emplace_back();
      bind(loop->variable, false, false);
      StringRef outer = currentLoop;
      if (loop->as) {
        loopNames.try_emplace(loop->as.text, false);
        currentLoop = loop->as.text;
      }
      checkBlock(loop->body);
      pop();
      currentLoop = outer;
      return;
    }
    case StmtKind::Scan:
      return checkScan(cast<ScanStmt>(stmt)->scan);
    case StmtKind::Return:
      return checkExpr(cast<ReturnStmt>(stmt)->value);
    case StmtKind::Yield:
      return checkExpr(cast<YieldStmt>(stmt)->value);
    case StmtKind::Minimize: {
      auto *minimize = cast<MinimizeStmt>(stmt);
      checkExpr(minimize->loss);
      for (const MinimizeGroup &group : minimize->groups)
        checkExpr(group.optimizer);
      for (const Expr *clause : {minimize->clip, minimize->every})
        if (clause)
          checkExpr(clause);
      return;
    }
    case StmtKind::Report:
      for (const Argument &item : cast<ReportStmt>(stmt)->items)
        checkExpr(item.value);
      return;
    case StmtKind::Gradient: {
      auto *rule = cast<GradientStmt>(stmt);
      scopes.emplace_back();
      for (const Identifier &name : rule->upstream)
        bind(name, false, false);
      checkBlock(rule->body);
      return pop();
    }
    }
  }

  void checkIndexed(const LetStmt *let) {
    scopes.emplace_back();
    for (const IndexBinding &index : let->indices) {
      bind(index.name, false, false);
      if (index.extent)
        checkExpr(index.extent);
    }
    checkExpr(let->value);
    pop();
    bind(let->names.front(), false, true);
  }

  void checkScan(const ScanExpr *scan) {
    for (const ScanInput &input : scan->inputs)
      checkExpr(input.sequence);
    checkExpr(scan->over);
    for (const Declarator &carry : scan->carries) {
      checkType(carry.type, true);
      checkExpr(carry.init);
    }
    scopes.emplace_back();
    for (const ScanInput &input : scan->inputs)
      bind(input.name, false, false);
    for (const Declarator &carry : scan->carries)
      bind(carry.name, true, false);
    checkBlock(scan->body);
    pop();
    for (const Declarator &carry : scan->carries)
      bind(carry.name, false, false);
  }

  //===--- Expressions ---===//

  void checkExpr(const Expr *expr) {
    switch (expr->kind) {
    case ExprKind::Integer:
    case ExprKind::Float:
    case ExprKind::Bool:
    case ExprKind::String:
      return;
    case ExprKind::Name:
      return use(cast<NameExpr>(expr)->name, expr->range);
    case ExprKind::Tuple:
      for (const Expr *element : cast<TupleExpr>(expr)->elements)
        checkExpr(element);
      return;
    case ExprKind::Range:
      checkExpr(cast<RangeExpr>(expr)->begin);
      return checkExpr(cast<RangeExpr>(expr)->end);
    case ExprKind::Unary:
      return checkExpr(cast<UnaryExpr>(expr)->operand);
    case ExprKind::Binary:
      checkExpr(cast<BinaryExpr>(expr)->lhs);
      return checkExpr(cast<BinaryExpr>(expr)->rhs);
    case ExprKind::Call:
      checkExpr(cast<CallExpr>(expr)->callee);
      for (const Argument &arg : cast<CallExpr>(expr)->args)
        checkExpr(arg.value);
      return;
    case ExprKind::Index:
      checkExpr(cast<IndexExpr>(expr)->base);
      for (const Subscript &subscript : cast<IndexExpr>(expr)->subscripts)
        for (const Expr *part : {subscript.begin, subscript.end, subscript.step})
          if (part)
            checkExpr(part);
      return;
    case ExprKind::Member:
      return checkExpr(cast<MemberExpr>(expr)->base);
    case ExprKind::Reduction: {
      auto *reduction = cast<ReductionExpr>(expr);
      scopes.emplace_back();
      for (const IndexBinding &index : reduction->indices) {
        bind(index.name, false, false);
        if (index.extent)
          checkExpr(index.extent);
      }
      checkExpr(reduction->body);
      return pop();
    }
    case ExprKind::Scan:
      return checkScan(cast<ScanExpr>(expr));
    }
  }

  struct Global {
    const CallableDecl *decl = nullptr;
    bool isStandard = false;
  };
  struct Unused {
    std::string text;
    SourceRange range;
    std::string loop; ///< the innermost `for … as` around it
  };
  DiagnosticEngine &diags;
  StringMap<Global> globals, initializers;
  std::vector<Unused> unused;
  StringMap<bool> loopNames; ///< of a declaration's `for … as` so far: whether something uses them
  StringRef currentLoop;
  std::vector<Names> scopes;
  bool isInitializerCall = false; ///< the name being resolved is the callee of an initial value
};

} // namespace

void checkNames(const Program &program, DiagnosticEngine &diags) {
  NameChecker checker(program, diags);
  for (const SourceFile &file : program.files)
    for (const Decl *decl : file.decls)
      checker.check(decl);
}

} // namespace dlc::frontend
