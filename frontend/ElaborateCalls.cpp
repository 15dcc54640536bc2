// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls of layers, functions and models: a frame for the body, and the check of what it returns.

#include "frontend/Elaborator.h"

#include "frontend/Builtins.h"
#include "llvm/ADT/StringExtras.h"

namespace dlc::frontend {

const CallableDecl *Elaborator::findDecl(StringRef name, SourceRange at) const {
  return (isStandard(at.file) ? standardDecls : decls).callables.lookup(name);
}

const CallableDecl *Elaborator::findInitializer(StringRef name, SourceRange at) const {
  return (isStandard(at.file) ? standardDecls : decls).initializers.lookup(name);
}

Entity Elaborator::elaborateCall(const CallExpr *call, const NameHint &hint) {
  // A local that cannot be called (`let mean = mean(x)`) does not hide the function.
  auto *name = llvm::dyn_cast<NameExpr>(call->callee);
  Binding *local = name ? scope->find(name->name) : nullptr;
  if (name && (!local || local->entity.kind != Entity::Kind::Instance)) {
    if (const CallableDecl *decl = findDecl(name->name, name->range))
      return callDecl(decl, call, hint, nullptr);
    if (const Builtin *builtin = findBuiltin(name->name))
      return callBuiltin(builtin, call, hint);
    if (!local && findInitializer(name->name, name->range))
      return Entity::poison(); // checkNames has reported it
  }
  Entity callee = elaborate(call->callee);
  if (callee.kind == Entity::Kind::Instance && !callee.instance->isPart)
    return callDecl(callee.instance->decl, call, hint, callee.instance);
  if (callee.kind == Entity::Kind::Instance)
    error(call->callee->range, sources.text(call->callee->range) + " names parameters of a layer inside of " +
                                   callee.instance->decl->name.text + ", and cannot be called");
  else if (!callee.isPoison())
    error(call->callee->range, describe(callee) + " cannot be called");
  return Entity::poison();
}

/// The parameters that make the difference between a call and an instance.
static bool isTensorParameter(const Parameter &param) {
  return param.type && llvm::isa<TensorType>(param.type) && !param.defaultValue;
}

Entity Elaborator::callDecl(const CallableDecl *decl, const CallExpr *call, const NameHint &hint,
                            const std::shared_ptr<Instance> &instance) {
  StringRef name = decl->name.text;
  switch (decl->kind) {
  case DeclKind::Layer:
  case DeclKind::Function:
  case DeclKind::Model:
  case DeclKind::Schedule:
  case DeclKind::Metric:
    break;
  case DeclKind::Optimizer:
    error(call->range, name + " is an optimizer: it stands in minimize … with");
    return Entity::poison();
  default:
    error(call->range, name + " is an entry (" + stringify(decl->kind) + ") and cannot be called");
    return Entity::poison();
  }
  unsigned depth = 0;
  for (Frame *at = frame; at; at = at->caller, ++depth)
    if (at->decl == decl) {
      error(call->range, name + " calls itself: layers are unrolled at compile time, recursion never ends")
          .note(name + " is declared here", decl->name.range);
      return Entity::poison();
    }

  constexpr unsigned kMaxCalls = 500;
  if (depth > kMaxCalls) {
    error(call->range, "calls nest at most " + llvm::Twine(kMaxCalls) + " deep");
    return Entity::poison();
  }

  std::vector<Arg> args;
  if (!matchArguments(decl, call, instance.get(), args))
    return Entity::poison();
  if (decl->kind == DeclKind::Metric)
    return callMetric(decl, args, call, hint);

  Frame callee;
  callee.decl = decl;
  callee.caller = frame;
  callee.callRange = call->range;
  // Without its tensor arguments a call makes an instance.
  auto params = llvm::zip(decl->params, args);
  bool needsTensors = llvm::any_of(decl->params, isTensorParameter);
  bool hasTensors = llvm::any_of(
      params, [](auto pair) { return isTensorParameter(std::get<0>(pair)) && std::get<1>(pair).isGiven; });
  if (!instance && needsTensors && !hasTensors &&
      (decl->kind == DeclKind::Layer || decl->kind == DeclKind::Model)) {
    auto made = std::make_shared<Instance>();
    made->decl = decl;
    made->path = instancePath(hint, decl, call->range, callee);
    made->range = call->range;
    for (auto [param, arg] : params)
      if (arg.isGiven)
        made->bound.push_back({param.name.text, arg.entity});
    return Entity::ofInstance(made);
  }
  callee.path = instance ? instance->path : instancePath(hint, decl, call->range, callee);
  callee.locationName = callee.path;

  Scope body;
  Restore<Frame *> inFrame(frame, &callee);
  Restore<Scope *> inScope(scope, &body);
  if (!bindArguments(decl, args, call->range))
    return Entity::poison();
  if (decl->kind == DeclKind::Function && !decl->bound.empty())
    return callWithGradients(decl, call->range);
  return runBody(decl);
}

/// Walks the body in the current frame and scope, which hold the arguments.
Entity Elaborator::runBody(const CallableDecl *decl) {
  Restore<IndexSpace *> outOfNotation(indexSpace, nullptr);
  SmallVector<GradientArgument> arguments = gradientArguments(decl);
  elaborateBlock(decl->body);
  SourceRange returnRange = frame->returnRange;
  Entity result = checkResult(decl, frame->returned.value_or(Entity::none()),
                              frame->returned ? returnRange : decl->name.range);
  const GradientStmt *rule = nullptr;
  for (const Stmt *stmt : decl->body->stmts)
    if (auto *gradient = llvm::dyn_cast<GradientStmt>(stmt)) {
      if (rule)
        error(gradient->range, decl->name.text + " has two gradient clauses")
            .note("the first is here", rule->range);
      rule = gradient;
    }
  if (!rule || result.isPoison() || !entry || entry->isInit())
    return result;
  for (auto &[name, value] : frame->params)
    arguments.push_back({name, value});
  return applyGradientClause(rule, std::move(result), arguments);
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

Entity Elaborator::checkResult(const CallableDecl *decl, Entity result, SourceRange range) {
  if (!decl->result || result.isPoison())
    return result;
  auto mismatch = [&](const llvm::Twine &declared) -> Diagnostic & {
    return error(range, decl->name.text + " returns " + describe(result) + ", declared " + declared);
  };
  if (auto *type = llvm::dyn_cast<TensorType>(decl->result)) {
    if (type->dims.empty() && !result.isTensor() && result.isNumeric())
      result = convertToElement(result, elementType(type->element), range, decl->name.text);
    Mismatch why;
    if (result.isPoison() || (result.isTensor() && unify(type, result.tensorType(), range, nullptr, why)))
      return result;
    Diagnostic &diag = mismatch(describeDeclared(type));
    if (result.isTensor()) {
      bool hasPack = llvm::any_of(type->dims, [](const DimensionExpr &dim) { return dim.isEllipsis(); });
      if (!hasPack && result.tensorType().getRank() > static_cast<int64_t>(type->dims.size()))
        explainExtraDimensions(diag, decl, type, result.tensorType());
      else if (why.boundAt)
        diag.note(why.dimension + " is " + why.bound + " because of this argument", why.boundAt);
    }
    return Entity::poison();
  }
  if (auto *type = llvm::dyn_cast<TupleTypeExpr>(decl->result)) {
    if (!result.isTuple() || result.tuple->elements.size() != type->elements.size()) {
      Diagnostic &diag = mismatch("a tuple of " + llvm::Twine(type->elements.size()));
      if (!result.isTuple() && type->elements.size() == 1)
        diag.note("a name in parentheses makes a tuple", type->range,
                  "-> " + sources.text(type->elements.front().type->range));
      return Entity::poison();
    }
    std::vector<Entity> elements;
    std::vector<std::string> names;
    for (auto [element, part] : llvm::zip(type->elements, result.tuple->elements)) {
      elements.push_back(checkDeclaredType(part, element.type, range, decl->name.text + "'s result"));
      names.push_back(element.name.text.str());
      if (elements.back().isPoison())
        return Entity::poison();
    }
    return Entity::ofTuple(std::move(elements), std::move(names));
  }
  return convertConstant(result, llvm::cast<ConstantTypeExpr>(decl->result), range,
                         decl->name.text + "'s result");
}

namespace {
/// Follows a value back through everything that keeps the leading dimensions of its argument (`f32[..., k]`,
/// elementwise operations), to the name that brought them in.
struct ShapeTrace {
  struct Source {
    StringRef name;
    dl::TensorType type;
    SourceRange use;
  };
  Elaborator &elaborator;
  Scope *scope;
  llvm::DenseSet<const Expr *> seen = {}; ///< what names were bound to

  std::optional<Source> follow(const Expr *expr) {
    auto *name = llvm::dyn_cast<NameExpr>(expr);
    if (!name)
      return through(expr);
    Binding *binding = scope->find(name->name);
    if (!binding || !binding->entity.isTensor())
      return std::nullopt;
    if (binding->init && seen.insert(binding->init).second)
      if (std::optional<Source> source = through(binding->init))
        return source;
    return Source{name->name, binding->entity.tensorType(), name->range};
  }

  std::optional<Source> through(const Expr *expr) {
    if (auto *unary = llvm::dyn_cast<UnaryExpr>(expr))
      return follow(unary->operand);
    if (auto *binary = llvm::dyn_cast<BinaryExpr>(expr)) {
      std::optional<Source> lhs = follow(binary->lhs), rhs = follow(binary->rhs);
      return lhs && (!rhs || lhs->type.getRank() >= rhs->type.getRank()) ? lhs : rhs;
    }
    auto *call = llvm::dyn_cast<CallExpr>(expr);
    auto *callee = call ? llvm::dyn_cast<NameExpr>(call->callee) : nullptr;
    if (!callee)
      return std::nullopt;
    Binding *local = scope->find(callee->name);
    const CallableDecl *decl = local && local->entity.instance
                                   ? local->entity.instance->decl
                                   : elaborator.findDecl(callee->name, callee->range);
    if (!decl)
      return std::nullopt;
    for (auto [position, param] : llvm::enumerate(decl->params)) {
      auto *type = llvm::dyn_cast_or_null<TensorType>(param.type);
      if (!type || llvm::none_of(type->dims, [](const DimensionExpr &dim) { return dim.isEllipsis(); }))
        continue;
      for (auto [index, arg] : llvm::enumerate(call->args))
        if (arg.name ? arg.name.text == param.name.text : index == position)
          return follow(arg.value);
    }
    return std::nullopt;
  }
};
} // namespace

void Elaborator::explainExtraDimensions(Diagnostic &diag, const CallableDecl *decl,
                                        const TensorType *declared, dl::TensorType actual) {
  std::optional<ShapeTrace::Source> source;
  if (frame->returnExpr)
    source = ShapeTrace{*this, scope}.follow(frame->returnExpr);
  if (!source || source->type.getRank() <= static_cast<int64_t>(declared->dims.size()))
    return;
  // Flattening gives [n, everything else].
  bool fits = declared->dims.size() == 2 && findDecl("flatten", decl->name.range) &&
              evaluateDimension(declared->dims[0].size, /*report=*/false) == source->type.getDim(0);
  diag.note("the extra dimensions come from " + source->name + ", " + describe(source->type) + ", used here",
            source->use, fits ? "flatten(" + source->name + ")" : llvm::Twine());
}

} // namespace dlc::frontend
