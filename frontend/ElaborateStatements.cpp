// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Statements: bindings, mutation, buffers, and control that is decided at compile time.

#include "frontend/ASTWalk.h"
#include "frontend/Elaborator.h"

namespace dlc::frontend {

void Elaborator::bind(const Identifier &name, Binding binding) {
  binding.range = name.range;
  scope->names[name.text] = std::move(binding); // bound twice is an error of checkNames
}

void Elaborator::elaborateBlock(const Block *block) {
  for (const Stmt *stmt : block->stmts) {
    if (frame->returned)
      return;
    elaborateStmt(stmt);
  }
}

void Elaborator::elaborateStmt(const Stmt *stmt) {
  constexpr unsigned kMaxStatements = 1000000;
  if (++statements > kMaxStatements) {
    if (statements == kMaxStatements + 1)
      error(stmt->range, "the program unrolls to more than " + llvm::Twine(kMaxStatements) + " statements")
          .note("scan loops at run time");
    frame->returned = Entity::poison();
    return;
  }
  switch (stmt->kind) {
  case StmtKind::Let:
    return elaborateLet(llvm::cast<LetStmt>(stmt));
  case StmtKind::Var: {
    const Declarator &variable = llvm::cast<VarStmt>(stmt)->variable;
    Binding binding;
    binding.kind = Binding::Kind::Var;
    binding.entity = elaborate(variable.init, {NameHint::Kind::Name, variable.name.text});
    if (variable.type)
      binding.entity =
          checkDeclaredType(binding.entity, variable.type, variable.init->range, variable.name.text);
    binding.init = variable.init;
    binding.type = variable.type;
    return bind(variable.name, std::move(binding));
  }
  case StmtKind::Assign:
    return elaborateAssign(llvm::cast<AssignStmt>(stmt));
  case StmtKind::Param: {
    auto *param = llvm::cast<ParamStmt>(stmt);
    Binding binding;
    binding.kind = Binding::Kind::Parameter;
    binding.entity = elaborateParam(param);
    binding.type = param->variable.type;
    return bind(param->variable.name, std::move(binding));
  }
  case StmtKind::State: {
    auto *state = llvm::cast<StateStmt>(stmt);
    if (frame->decl->kind == DeclKind::Optimizer)
      return elaborateOptimizerStates(state);
    return state->isAccumulate ? elaborateAccumulate(state) : elaborateBuffers(state);
  }
  case StmtKind::Finish:
  case StmtKind::Return: {
    bool isReturn = stmt->kind == StmtKind::Return;
    const Expr *value = isReturn ? llvm::cast<ReturnStmt>(stmt)->value : llvm::cast<FinishStmt>(stmt)->value;
    Entity result = elaborate(value, {isReturn ? NameHint::Kind::Enclosing : NameHint::Kind::None, ""});
    frame->returned = std::move(result);
    frame->returnExpr = value;
    frame->returnRange = value->range;
    return;
  }
  case StmtKind::If:
    return elaborateIf(llvm::cast<IfStmt>(stmt));
  case StmtKind::For:
    return elaborateFor(llvm::cast<ForStmt>(stmt));
  case StmtKind::Scan:
    elaborate(llvm::cast<ScanStmt>(stmt)->scan);
    return;
  case StmtKind::Yield: {
    auto *yield = llvm::cast<YieldStmt>(stmt);
    if (yielded) {
      error(yield->range, "a scan yields once per step").note("the first yield is here", yieldRange);
      return;
    }
    yielded = elaborate(yield->value);
    yieldRange = yield->value->range;
    return;
  }
  case StmtKind::Minimize:
    return elaborateMinimize(llvm::cast<MinimizeStmt>(stmt));
  case StmtKind::Report:
    return elaborateReport(llvm::cast<ReportStmt>(stmt));
  case StmtKind::Gradient:
    if (!llvm::is_contained(frame->decl->body->stmts, stmt))
      error(stmt->range, "a gradient clause stands directly in the body of its layer or function");
    return; // applied by runBody, which has the results
  }
}

//===----------------------------------------------------------------------===//
// Bindings
//===----------------------------------------------------------------------===//

Entity Elaborator::checkDeclaredType(Entity entity, const TypeExpr *type, SourceRange range,
                                     const llvm::Twine &what) {
  if (entity.isPoison())
    return entity;
  if (auto *constant = llvm::dyn_cast<ConstantTypeExpr>(type))
    return convertConstant(entity, constant, range, what);
  auto *tensor = llvm::dyn_cast<TensorType>(type);
  if (!tensor) {
    auto *tuple = llvm::cast<TupleTypeExpr>(type);
    if (!entity.isTuple() || entity.tuple->elements.size() != tuple->elements.size()) {
      error(range, what + " is declared a tuple of " + llvm::Twine(tuple->elements.size()) + ", got " +
                       describe(entity));
      return Entity::poison();
    }
    std::vector<Entity> elements;
    std::vector<std::string> names;
    for (auto [element, part] : llvm::zip(tuple->elements, entity.tuple->elements)) {
      elements.push_back(checkDeclaredType(part, element.type, range, what));
      names.push_back(element.name.text.str());
    }
    return Entity::ofTuple(std::move(elements), std::move(names));
  }
  // A number or a scalar fills the declared shape.
  if (!entity.isTensor() && entity.isNumeric()) {
    entity = convertToElement(entity, elementType(tensor->element), range, what);
    if (entity.isPoison() || tensor->dims.empty())
      return entity;
    dl::TensorType full = evaluateType(tensor);
    return full ? Entity::ofTensor(broadcastTo(entity.value, full.getShape())) : Entity::poison();
  }
  Mismatch why;
  if (entity.isTensor() && unify(tensor, entity.tensorType(), range, nullptr, why))
    return entity;
  Diagnostic &diag =
      error(range, what + " is declared " + describeDeclared(tensor) + ", got " + describe(entity));
  if (why.boundAt)
    diag.note(why.dimension + " is " + why.bound + " because of this", why.boundAt);
  return Entity::poison();
}

void Elaborator::elaborateLet(const LetStmt *stmt) {
  Restore<std::string> naming(lastLetName,
                              frame->locationName.empty() ? stmt->names.front().text.str() : lastLetName);
  Entity value = stmt->isIndexed ? elaborateIndexedLet(stmt)
                                 : elaborate(stmt->value, {NameHint::Kind::Name, stmt->names.front().text});
  if (stmt->type)
    value = checkDeclaredType(value, stmt->type, stmt->value->range, stmt->names.front().text);
  if (value.kind == Entity::Kind::None) {
    error(stmt->value->range, "there is no value to bind to " + stmt->names.front().text);
    value = Entity::poison();
  }
  if (!stmt->isTuple) {
    Binding binding;
    binding.entity = std::move(value);
    binding.init = stmt->value;
    binding.type = stmt->type;
    return bind(stmt->names.front(), std::move(binding));
  }
  size_t count = stmt->names.size();
  if (!value.isPoison() && (!value.isTuple() || value.tuple->elements.size() != count)) {
    error(stmt->value->range, "expected a tuple of " + llvm::Twine(count) + " for the " + llvm::Twine(count) +
                                  " names, got " +
                                  (value.isTuple() ? "one of " + llvm::Twine(value.tuple->elements.size())
                                                   : llvm::Twine(describe(value))));
    value = Entity::poison();
  }
  for (auto [position, name] : llvm::enumerate(stmt->names)) {
    Binding binding;
    binding.entity = value.isPoison() ? value : value.tuple->elements[position];
    bind(name, std::move(binding));
  }
}

void Elaborator::elaborateAssign(const AssignStmt *stmt) {
  NameHint hint;
  if (frame->inNamedLoop)
    hint.kind = NameHint::Kind::Enclosing;
  Entity value = elaborate(stmt->value, hint);
  Binding *target = scope->find(stmt->target.text);
  if (!target)
    return; // reported by checkNames
  // A scan's body reaches its own names only: what it changed outside would be lost.
  for (Scope *at = scope; at && !at->names.contains(stmt->target.text); at = at->parent) {
    if (at->isScanBody) {
      error(stmt->target.range, stmt->target.text + " is bound outside the scan and cannot change in it")
          .note("it is bound here; make it a carry of the scan", target->range);
      return;
    }
  }
  if (value.isPoison() || target->entity.isPoison()) {
    target->entity = Entity::poison();
    return;
  }
  if (target->kind != Binding::Kind::State) {
    if (target->type)
      value = checkDeclaredType(std::move(value), target->type, stmt->value->range, stmt->target.text);
    target->entity = std::move(value);
    return;
  }

  dl::TensorType type = target->entity.tensorType();
  std::string what = "state " + stmt->target.text.str();
  if (!value.isTensor()) {
    value = convertToElement(value, type.getElementType(), stmt->value->range, what);
    if (value.isPoison())
      return;
    value.value = broadcastTo(value.value, type.getShape());
  }
  if (value.tensorType() != type) {
    error(stmt->value->range,
          what + " is " + describe(type) + ", and cannot become " + describe(value.tensorType()))
        .note("it is declared here", target->range);
    return;
  }
  currentLocation = locate(stmt->range);
  if (frame->inGradientClause) {
    error(stmt->range, "a gradient clause changes no state").note("it is declared here", target->range);
    return;
  }
  if (frame->decl->kind != DeclKind::Optimizer && frame->decl->kind != DeclKind::Metric) {
    // A layer's buffer: only training writes, and what is read carries no gradient.
    if (!entry->isTraining() || !isTraining())
      return;
    entry->changesState = true;
    value.value = emit<dl::StopGradientOp>(value.value.getType(), value.value);
  }
  if (inScan()) {
    error(stmt->range, what + " cannot change in a scan; carry it and assign it afterwards");
    return;
  }
  storeState(target->state, value.value);
  if (frame->decl->kind == DeclKind::Metric)
    entry->accumulated.insert(value.value);
  target->entity = value;
}

/// State of a layer that is not trained: loaded here, in program order, with its initial value in "init".
void Elaborator::elaborateBuffers(const StateStmt *stmt) {
  for (const Declarator &variable : stmt->variables) {
    Binding binding;
    binding.kind = Binding::Kind::State;
    binding.type = variable.type;
    binding.state =
        frame->path.empty() ? variable.name.text.str() : (frame->path + "." + variable.name.text).str();
    currentLocation = locate(variable.range);
    binding.entity = elaborateBuffer(variable, binding.state);
    bind(variable.name, std::move(binding));
  }
}

Entity Elaborator::elaborateBuffer(const Declarator &variable, const std::string &name) {
  if (!checkUnshared(variable, name, "state"))
    return Entity::poison();
  auto known = stateOps.find(name);
  if (known == stateOps.end()) {
    dl::TensorType type = inferStateType(variable);
    if (!type)
      return Entity::poison();
    createState(dl::StateRole::Buffer, name, type, {}, "", "", variable.range);
    return elaborateInitial(variable.init, type, name) ? loadState(name, type) : Entity::poison();
  }
  auto type = llvm::cast<dl::TensorType>(known->second.getType());
  if (auto *declared = llvm::dyn_cast_or_null<TensorType>(variable.type)) {
    dl::TensorType here = evaluateType(declared);
    if (here && here != type)
      error(frame->caller ? frame->callRange : variable.range, "state " + llvm::Twine(name) + " is " +
                                                                   describe(here) + " here, but " +
                                                                   describe(type) + " where it was made");
    if (here != type)
      return Entity::poison();
  }
  return loadState(name, type);
}

dl::TensorType Elaborator::inferStateType(const Declarator &variable,
                                          llvm::function_ref<void(Scope &)> prepare) {
  dl::TensorType type;
  if (variable.type) {
    auto *declared = llvm::dyn_cast<TensorType>(variable.type);
    if (!declared) {
      error(variable.type->range,
            "a state is a tensor, such as f32[c], got " + sources.text(variable.type->range));
      return {};
    }
    type = evaluateType(declared);
  } else {
    // Evaluated once for its type; the operations are dropped again as dead code.
    OpBuilder::InsertionGuard guard(builder);
    Restore<EntryContext *> inInit(entry, &initEntry);
    builder.setInsertionPointToEnd(&initEntry.func.getBody().front());
    Scope inner(scope);
    Restore<Scope *> inScope(scope, &inner);
    if (prepare)
      prepare(inner);
    mlir::Block &block = initEntry.func.getBody().front();
    Operation *last = block.empty() ? nullptr : &block.back();
    llvm::StringMap<Value> known = initEntry.states;
    llvm::StringMap<unsigned> occurrences = initEntry.occurrences;
    Value iteration = initEntry.iteration;
    Entity entity = elaborate(variable.init);
    if (entity.isTensor())
      type = entity.tensorType();
    else if (!entity.isPoison())
      type = tensorOf({}, Float32Type::get(&context));
    while (!block.empty() && &block.back() != last)
      block.back().erase();
    initEntry.states = std::move(known);
    initEntry.occurrences = std::move(occurrences);
    initEntry.iteration = iteration;
  }
  for (dl::PolynomialAttr size : type ? type.getShape() : ArrayRef<dl::PolynomialAttr>()) {
    if (!size.isConstant()) {
      error(variable.range, "state " + variable.name.text + " is " + describe(type) +
                                ", but its size must be known at compile time");
      return {};
    }
  }
  return type;
}

//===----------------------------------------------------------------------===//
// Control
//===----------------------------------------------------------------------===//

std::optional<bool> Elaborator::elaborateCondition(const Expr *expr, StringRef what) {
  Entity condition = elaborate(expr);
  if (condition.isBool())
    return condition.flag;
  if (!condition.isPoison()) {
    Diagnostic &diag =
        error(expr->range, what + " needs a bool that is known at compile time, got " + describe(condition));
    if (condition.isTensor())
      diag.note("where(c, a, b) chooses between elements at run time");
  }
  return std::nullopt;
}

void Elaborator::elaborateIf(const IfStmt *stmt) {
  std::optional<bool> condition = elaborateCondition(stmt->condition, "if");
  if (!condition) {
    // What it would have returned is as unknown.
    if (holdsReturn(stmt->thenBlock) || holdsReturn(stmt->elseBlock))
      frame->returned = Entity::poison();
    return;
  }
  const Block *taken = *condition ? stmt->thenBlock : stmt->elseBlock;
  if (!taken)
    return;
  Scope inner(scope);
  Restore<Scope *> inScope(scope, &inner);
  elaborateBlock(taken);
}

/// The instances that a walked block binds: one itself, several as a tuple with their names.
Entity Elaborator::instancesOf(const Block *block) {
  std::vector<Entity> instances;
  std::vector<std::string> names;
  for (const Stmt *stmt : block->stmts) {
    auto *let = llvm::dyn_cast<LetStmt>(stmt);
    Binding *binding = let && !let->isTuple ? scope->find(let->names.front().text) : nullptr;
    if (!binding || binding->entity.kind != Entity::Kind::Instance)
      continue;
    instances.push_back(binding->entity);
    names.push_back(let->names.front().text.str());
  }
  return instances.size() == 1 ? instances.front() : Entity::ofTuple(std::move(instances), std::move(names));
}

/// What a for loop's variable stands for in each of its steps; nothing after an error.
std::optional<std::vector<Entity>> Elaborator::loopValues(const Expr *sequence) {
  auto *range = llvm::dyn_cast<RangeExpr>(sequence);
  if (!range) {
    Entity tuple = elaborate(sequence);
    if (tuple.isTuple())
      return tuple.tuple->elements;
    if (!tuple.isPoison())
      error(sequence->range, "a for loop runs over a range such as 0..6 or a tuple, got " + describe(tuple));
    return std::nullopt;
  }
  Entity begin = elaborate(range->begin), end = elaborate(range->end);
  if (begin.isPoison() || end.isPoison())
    return std::nullopt;
  if (!begin.isConstantInteger() || !end.isConstantInteger()) {
    const Entity &wrong = begin.isConstantInteger() ? end : begin;
    error(range->range, "a for loop needs int bounds that are known at compile time, got " + describe(wrong));
    return std::nullopt;
  }
  int64_t from = *begin.integer.getConstantValue(), to = *end.integer.getConstantValue();
  uint64_t steps = to > from ? static_cast<uint64_t>(to) - static_cast<uint64_t>(from) : 0;
  constexpr uint64_t kMaxSteps = 10000;
  if (steps > kMaxSteps) {
    error(range->range, "a for loop is unrolled and has at most " + llvm::Twine(kMaxSteps) + " steps, got " +
                            llvm::Twine(steps))
        .note("scan loops at run time");
    return std::nullopt;
  }
  std::vector<Entity> values;
  for (int64_t i = from; i < to; ++i)
    values.push_back(integer(i));
  return values;
}

void Elaborator::elaborateFor(const ForStmt *stmt) {
  std::optional<std::vector<Entity>> values = loopValues(stmt->sequence);
  if (!values) {
    if (holdsReturn(stmt->body))
      frame->returned = Entity::poison(); // what it would have returned is as unknown
    return;
  }
  std::vector<Entity> iterations;
  std::string outside = frame->path;
  Restore<bool> naming(frame->inNamedLoop, static_cast<bool>(stmt->as));
  for (auto [step, value] : llvm::enumerate(*values)) {
    if (frame->returned)
      break;
    Scope inner(scope);
    Restore<Scope *> inScope(scope, &inner);
    Binding binding;
    binding.entity = value;
    bind(stmt->variable, std::move(binding));
    if (stmt->as) {
      std::string part = (stmt->as.text + "." + llvm::Twine(step)).str();
      frame->path = outside.empty() ? part : outside + "." + part;
    }
    elaborateBlock(stmt->body);
    if (stmt->as)
      iterations.push_back(instancesOf(stmt->body));
  }
  frame->path = outside;
  if (stmt->as)
    frame->loops[stmt->as.text] = Entity::ofTuple(std::move(iterations));
}

} // namespace dlc::frontend
