// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arguments to parameters: which is which, conversions, defaults, and the dimensions that follow from them.

#include "frontend/Elaborator.h"

namespace dlc::frontend {

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

/// "linear's features"
static std::string parameterOf(const CallableDecl *decl, const Parameter &param) {
  return (decl->name.text + "'s " + param.name.text).str();
}

/// Binds a parameter in the current scope; false for what is poison.
bool Elaborator::defineArgument(const Parameter &param, const Arg &arg, Entity entity) {
  bool isGood = !entity.isPoison();
  Binding binding;
  binding.kind = Binding::Kind::Argument;
  binding.entity = std::move(entity);
  binding.range = arg.range ? arg.range : param.range;
  binding.type = param.type;
  scope->names[param.name.text] = std::move(binding);
  return isGood;
}

/// A schedule computes with numbers and scalars in f64: an int given for an f32 is a float there.
static bool keepsScalar(const CallableDecl *decl, Type element, const TensorType *type, Entity &entity) {
  bool keeps =
      decl->kind == DeclKind::Schedule && type->dims.empty() && entity.isNumeric() && !entity.isTensor();
  if (keeps && entity.isConstantInteger() && llvm::isa<FloatType>(element))
    entity = Entity::ofFloat(entity.asDouble());
  return keeps;
}

bool Elaborator::defineDefault(const CallableDecl *decl, const Parameter &param, Arg &arg) {
  arg.entity = elaborate(param.defaultValue);
  arg.range = param.defaultValue->range;
  std::string what = parameterOf(decl, param);
  if (auto *type = llvm::dyn_cast<ConstantTypeExpr>(param.type))
    return defineArgument(param, arg, convertConstant(arg.entity, type, arg.range, what));
  auto *type = llvm::cast<TensorType>(param.type);
  if (keepsScalar(decl, elementType(type->element), type, arg.entity))
    return defineArgument(param, arg, arg.entity);
  return defineArgument(param, arg, convertDefault(type, arg.entity, arg.range, what));
}

bool Elaborator::defineConstants(const CallableDecl *decl, std::vector<Arg> &args, SourceRange callRange) {
  bool isGood = true;
  for (auto [param, arg] : llvm::zip(decl->params, args)) {
    if (!arg.isGiven && !param.defaultValue) {
      error(callRange,
            decl->name.text + " is missing " + param.name.text + ": " + sources.text(param.type->range))
          .note("declared here", param.range);
      isGood = false;
      continue;
    }
    if (auto *type = llvm::dyn_cast<ConstantTypeExpr>(param.type); arg.isGiven && type)
      isGood &=
          defineArgument(param, arg, convertConstant(arg.entity, type, arg.range, parameterOf(decl, param)));
  }
  return isGood;
}

/// "linear's x expects f32[n, k], got f32[3]", and why.
void Elaborator::reportMismatch(const llvm::Twine &what, const TensorType *type, dl::TensorType actual,
                                SourceRange range, const Mismatch &mismatch) {
  Diagnostic &diag =
      error(range, what + " expects " + sources.text(type->range) + ", got " + describe(actual));
  if (!mismatch.dimension.empty() && mismatch.boundAt)
    diag.note(mismatch.dimension + " is " + mismatch.bound + " because of this argument", mismatch.boundAt);
  else if (!mismatch.dimension.empty() && mismatch.dimension != mismatch.bound)
    diag.note(mismatch.dimension + " is " + mismatch.bound);
  if (elementType(type->element) != actual.getElementType())
    diag.note("types change only by cast(x, " + stringify(type->element) + ")");
}

bool Elaborator::defineTensor(const CallableDecl *decl, const Parameter &param, const Arg &arg,
                              std::vector<Deferred> &deferred) {
  auto *type = llvm::cast<TensorType>(param.type);
  Type element = elementType(type->element);
  std::string what = parameterOf(decl, param);
  Entity entity = arg.entity;
  if (keepsScalar(decl, element, type, entity))
    return defineArgument(param, arg, entity);
  // A number stands for a scalar, also where it may have dimensions and a number is what it is otherwise.
  bool mayBeScalar =
      type->dims.empty() || (param.defaultValue && type->dims.size() == 1 && type->dims[0].isEllipsis());
  if (!entity.isTensor() && mayBeScalar)
    entity = convertToElement(entity, element, arg.range, what);
  Mismatch mismatch;
  if (entity.isTensor() && !unify(type, entity.tensorType(), arg.range, &deferred, mismatch)) {
    reportMismatch(what, type, entity.tensorType(), arg.range, mismatch);
    entity = Entity::poison();
  } else if (!entity.isTensor() && !entity.isPoison()) {
    error(arg.range, what + " expects " + sources.text(type->range) + ", got " + describe(entity));
    entity = Entity::poison();
  }
  return defineArgument(param, arg, entity);
}

/// Dimensions that are expressions, once all names are bound.
bool Elaborator::checkDeferred(const CallableDecl *decl, ArrayRef<Deferred> deferred) {
  bool isGood = true;
  for (const Deferred &wait : deferred) {
    if (!isEvaluable(wait.size, scope)) {
      error(wait.range,
            "the sizes in " + sources.text(wait.size->range) + " do not follow from the arguments");
      return false;
    }
    std::optional<dl::PolynomialAttr> expected = evaluateDimension(wait.size);
    if (!expected)
      return false;
    if (*expected == wait.actual)
      continue;
    isGood = false;
    reportMismatch(decl->name.text, wait.type, wait.actualType, wait.range,
                   {sources.text(wait.size->range).str(), dl::toString(*expected), "", {}});
  }
  return isGood;
}

bool Elaborator::bindArguments(const CallableDecl *decl, std::vector<Arg> &args, SourceRange callRange) {
  // 1. Compile-time arguments, so that types may name them.
  if (!defineConstants(decl, args, callRange))
    return false;
  // 2. Defaults in order; they may use what stands before them, also dimensions: those wait for step 4.
  auto isLiteral = [](const Expr *expr) {
    if (auto *unary = llvm::dyn_cast<UnaryExpr>(expr))
      expr = unary->operand;
    return llvm::isa<IntegerExpr, FloatExpr, BoolExpr, StringExpr>(expr);
  };
  auto hasDimensions = [](const Parameter &param) {
    auto *type = llvm::dyn_cast<TensorType>(param.type);
    return type && !type->dims.empty();
  };
  bool isGood = true;
  for (auto [param, arg] : llvm::zip(decl->params, args))
    if (!arg.isGiven && isLiteral(param.defaultValue) && !hasDimensions(param))
      isGood &= defineDefault(decl, param, arg);
  // 3. Tensors: convert scalars, bind dimensions.
  std::vector<Deferred> deferred;
  for (auto [param, arg] : llvm::zip(decl->params, args))
    if (arg.isGiven && llvm::isa<TensorType>(param.type))
      isGood &= defineTensor(decl, param, arg, deferred);
  if (!isGood)
    return false;
  // 4. What waited: defaults, then dimensions that are expressions.
  for (auto [param, arg] : llvm::zip(decl->params, args))
    if (!arg.isGiven && !scope->find(param.name.text))
      isGood &= defineDefault(decl, param, arg);
  return checkDeferred(decl, deferred) && isGood && checkConstraints(decl, callRange);
}

} // namespace dlc::frontend
