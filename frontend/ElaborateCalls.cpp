// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls of layers, functions and models: arguments to parameters, a frame for the body, and the check of what
// it returns.

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

bool Elaborator::matchArguments(const CallableDecl *decl, const CallExpr *call, const Instance *instance,
                                std::vector<Arg> &args) {
  StringRef callee = decl->name.text;
  args.assign(decl->params.size(), Arg());
  if (instance) {
    for (auto &[name, entity] : instance->bound)
      for (auto [param, arg] : llvm::zip(decl->params, args))
        if (param.name.text == name)
          arg = {entity, instance->range, nullptr, true};
  }
  bool isGood = true;
  size_t position = 0;
  for (const Argument &argument : call ? call->args : ArrayRef<Argument>()) {
    size_t index = decl->params.size();
    if (argument.name) {
      index = llvm::find_if(decl->params,
                            [&](const Parameter &param) { return param.name.text == argument.name.text; }) -
              decl->params.begin();
      if (index == decl->params.size()) {
        std::vector<StringRef> names;
        for (const Parameter &param : decl->params)
          names.push_back(param.name.text);
        error(argument.name.range, callee + " has no parameter '" + argument.name.text + "'")
            .suggest(nearestName(argument.name.text, names));
        isGood = false;
        continue;
      }
    } else {
      // Through an instance, positions count what it has not bound yet.
      while (position < args.size() && instance && args[position].isGiven)
        ++position;
      index = position++;
      if (index >= decl->params.size()) {
        error(argument.range, callee + " takes " + llvm::Twine(decl->params.size()) +
                                  (decl->params.size() == 1 ? " argument" : " arguments") + ", got " +
                                  llvm::Twine(call->args.size()));
        return false;
      }
    }
    if (args[index].isGiven) {
      error(argument.range, decl->params[index].name.text + " is given twice");
      isGood = false;
      continue;
    }
    args[index] = {elaborate(argument.value), argument.value->range, argument.value, true};
    isGood &= !args[index].entity.isPoison();
  }
  return isGood;
}

/// A default of a tensor's type: a number fills its shape, but one of any rank (`f32[weights...] = 1`), which
/// it leaves at rank 0.
Entity Elaborator::convertDefault(const TensorType *type, Entity entity, SourceRange range,
                                  const llvm::Twine &what) {
  bool hasPack = llvm::any_of(type->dims, [](const DimensionExpr &dim) { return dim.isEllipsis(); });
  if (hasPack && !entity.isTensor())
    return convertToElement(entity, elementType(type->element), range, what);
  return checkDeclaredType(std::move(entity), type, range, what);
}

bool Elaborator::bindArguments(const CallableDecl *decl, std::vector<Arg> &args, SourceRange callRange) {
  StringRef callee = decl->name.text;
  bool isGood = true;
  auto what = [&](const Parameter &param) { return (callee + "'s " + param.name.text).str(); };
  auto define = [&](const Parameter &param, const Arg &arg, Entity entity) {
    isGood &= !entity.isPoison();
    Binding binding;
    binding.kind = Binding::Kind::Argument;
    binding.entity = std::move(entity);
    binding.range = arg.range ? arg.range : param.range;
    binding.type = param.type;
    scope->names[param.name.text] = std::move(binding);
  };

  // A schedule computes with numbers and scalars in f64: an int given for an f32 is a float there.
  auto keepsScalar = [&](const TensorType *type, Entity &entity) {
    bool keeps =
        decl->kind == DeclKind::Schedule && type->dims.empty() && entity.isNumeric() && !entity.isTensor();
    if (keeps && entity.isConstantInteger() && llvm::isa<FloatType>(elementType(type->element)))
      entity = Entity::ofFloat(entity.asDouble());
    return keeps;
  };

  // 1. Compile-time arguments, so that types may name them.
  for (auto [param, arg] : llvm::zip(decl->params, args)) {
    if (!arg.isGiven && !param.defaultValue) {
      error(callRange, callee + " is missing " + param.name.text + ": " + sources.text(param.type->range))
          .note("declared here", param.range);
      isGood = false;
      continue;
    }
    auto *type = llvm::dyn_cast<ConstantTypeExpr>(param.type);
    if (arg.isGiven && type)
      define(param, arg, convertConstant(arg.entity, type, arg.range, what(param)));
  }
  if (!isGood)
    return false;
  // 2. Defaults in order; they may use what stands before them, also dimensions: those wait for step 3.
  auto defineDefault = [&](const Parameter &param, Arg &arg) {
    arg.entity = elaborate(param.defaultValue);
    arg.range = param.defaultValue->range;
    if (auto *type = llvm::dyn_cast<ConstantTypeExpr>(param.type))
      define(param, arg, convertConstant(arg.entity, type, arg.range, what(param)));
    else if (auto *tensor = llvm::dyn_cast<TensorType>(param.type))
      define(param, arg,
             keepsScalar(tensor, arg.entity) ? arg.entity
                                             : convertDefault(tensor, arg.entity, arg.range, what(param)));
  };
  auto isLiteral = [](const Expr *expr) {
    if (auto *unary = llvm::dyn_cast<UnaryExpr>(expr))
      expr = unary->operand;
    return llvm::isa<IntegerExpr, FloatExpr, BoolExpr, StringExpr>(expr);
  };
  auto hasDimensions = [](const Parameter &param) {
    auto *type = llvm::dyn_cast<TensorType>(param.type);
    return type && !type->dims.empty();
  };
  for (auto [param, arg] : llvm::zip(decl->params, args))
    if (!arg.isGiven && isLiteral(param.defaultValue) && !hasDimensions(param))
      defineDefault(param, arg);
  // 3. Tensors: convert scalars, bind dimensions.
  std::vector<Deferred> deferred;
  auto report = [&](const Parameter *param, const TensorType *type, dl::TensorType actual, SourceRange range,
                    const Mismatch &mismatch) {
    isGood = false;
    Diagnostic &diag = error(range, (param ? what(*param) : callee.str()) + " expects " +
                                        sources.text(type->range) + ", got " + describe(actual));
    if (!mismatch.dimension.empty() && mismatch.boundAt)
      diag.note(mismatch.dimension + " is " + mismatch.bound + " because of this argument", mismatch.boundAt);
    else if (!mismatch.dimension.empty() && mismatch.dimension != mismatch.bound)
      diag.note(mismatch.dimension + " is " + mismatch.bound);
    if (elementType(type->element) != actual.getElementType())
      diag.note("types change only by cast(x, " + stringify(type->element) + ")");
  };
  for (auto [param, arg] : llvm::zip(decl->params, args)) {
    auto *type = llvm::dyn_cast<TensorType>(param.type);
    if (!arg.isGiven || !type)
      continue;
    Entity entity = arg.entity;
    if (keepsScalar(type, entity)) {
      define(param, arg, entity);
      continue;
    }
    // A number stands for a scalar, also where it may have dimensions and a number is what it is otherwise.
    bool mayBeScalar =
        type->dims.empty() || (param.defaultValue && type->dims.size() == 1 && type->dims[0].isEllipsis());
    if (!entity.isTensor() && mayBeScalar)
      entity = convertToElement(entity, elementType(type->element), arg.range, what(param));
    Mismatch mismatch;
    if (entity.isTensor() && !unify(type, entity.tensorType(), arg.range, &deferred, mismatch)) {
      report(&param, type, entity.tensorType(), arg.range, mismatch);
      entity = Entity::poison();
    } else if (!entity.isTensor() && !entity.isPoison()) {
      error(arg.range, what(param) + " expects " + sources.text(type->range) + ", got " + describe(entity));
      entity = Entity::poison();
    }
    define(param, arg, entity);
  }
  if (!isGood)
    return false;
  // 4. What waited: defaults, then dimensions that are expressions.
  for (auto [param, arg] : llvm::zip(decl->params, args))
    if (!arg.isGiven && !scope->find(param.name.text))
      defineDefault(param, arg);
  for (const Deferred &wait : deferred) {
    if (!isEvaluable(wait.size, scope)) {
      error(wait.range,
            "the sizes in " + sources.text(wait.size->range) + " do not follow from the arguments");
      return false;
    }
    std::optional<dl::PolynomialAttr> expected = evaluateDimension(wait.size);
    if (!expected)
      return false;
    if (*expected != wait.actual)
      report(nullptr, wait.type, wait.actualType, wait.range,
             {sources.text(wait.size->range).str(), dl::toString(*expected), "", {}});
  }
  return isGood && checkConstraints(decl, callRange);
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
