// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Types as written, against the types that values have: conversions of compile-time arguments, and the
// unification that binds a signature's symbolic dimensions at a call.

#include "frontend/Elaborator.h"

#include "llvm/ADT/StringExtras.h"

namespace dlc::frontend {

/// The name under which a scope keeps what `...` stands for.
static std::string packName(const DimensionExpr &dim) {
  return (dim.pack + "...").str();
}

Type Elaborator::elementType(ElementType type) {
  switch (type) {
  case ElementType::F32:
    return Float32Type::get(&context);
  case ElementType::F64:
    return Float64Type::get(&context);
  case ElementType::BF16:
    return BFloat16Type::get(&context);
  case ElementType::F16:
    return Float16Type::get(&context);
  case ElementType::I8:
    return IntegerType::get(&context, 8);
  case ElementType::U8:
    return IntegerType::get(&context, 8, IntegerType::Unsigned);
  case ElementType::I32:
    return IntegerType::get(&context, 32);
  case ElementType::I64:
    return IntegerType::get(&context, 64);
  case ElementType::Bool:
    return IntegerType::get(&context, 1);
  }
  return {};
}

dl::TensorType Elaborator::tensorOf(ArrayRef<dl::PolynomialAttr> shape, Type elementType) {
  return dl::TensorType::get(&context, shape, elementType);
}

//===----------------------------------------------------------------------===//
// Compile-time types
//===----------------------------------------------------------------------===//

/// One value, not a list.
static std::optional<Entity> convertOne(const Entity &entity, ConstantType type) {
  switch (type) {
  case ConstantType::Int:
    if (entity.isInteger())
      return entity;
    break;
  case ConstantType::Float:
    if (entity.isFloat())
      return entity;
    if (entity.isConstantInteger())
      return Entity::ofFloat(entity.asDouble());
    break;
  case ConstantType::Bool:
    if (entity.isBool())
      return entity;
    break;
  case ConstantType::String:
    if (entity.isString())
      return entity;
    break;
  }
  return std::nullopt;
}

Entity Elaborator::convertConstant(Entity entity, const ConstantTypeExpr *type, SourceRange range,
                                   const llvm::Twine &what) {
  if (entity.isPoison())
    return entity;
  if (!type->isList) {
    if (std::optional<Entity> converted = convertOne(entity, type->constant))
      return *converted;
    bool isAtRunTime = type->constant == ConstantType::Bool && entity.isTensor() &&
                       entity.tensorType().getElementType().isInteger(1);
    Diagnostic &diag = error(range, what + " expects " + stringify(type->constant) + ", got " +
                                        describe(entity) + (isAtRunTime ? " at run time" : ""));
    if (isAtRunTime)
      diag.note("one of run time is declared bool[]");
    return Entity::poison();
  }

  std::optional<int64_t> count;
  if (type->count) {
    std::optional<dl::PolynomialAttr> size = evaluateDimension(type->count);
    if (!size)
      return Entity::poison();
    count = size->getConstantValue();
    constexpr int64_t kMaxCount = 1000;
    if (!count || *count > kMaxCount) {
      error(type->count->range,
            "a list has at most " + llvm::Twine(kMaxCount) + " values, got " + dl::toString(*size));
      return Entity::poison();
    }
  }
  std::vector<Entity> elements;
  bool fits = true;
  if (entity.isTuple()) {
    for (const Entity &element : entity.tuple->elements) {
      std::optional<Entity> converted = convertOne(element, type->constant);
      fits &= converted.has_value();
      elements.push_back(converted.value_or(Entity::poison()));
    }
    fits &= !count || *count == static_cast<int64_t>(elements.size());
  } else if (std::optional<Entity> converted = convertOne(entity, type->constant)) {
    elements.assign(count.value_or(1), *converted);
  } else {
    fits = false;
  }
  if (fits)
    return Entity::ofTuple(std::move(elements));
  error(range, what + " expects " + (count ? llvm::Twine(*count) + " values" : llvm::Twine("a tuple")) +
                   " of type " + stringify(type->constant) + ", got " + describe(entity));
  return Entity::poison();
}

Entity Elaborator::convertToElement(Entity entity, Type element, SourceRange range, const llvm::Twine &what) {
  if (entity.isPoison())
    return entity;
  dl::TensorType scalar = tensorOf({}, element);
  bool isFloat = isa<FloatType>(element);
  if (entity.isTensor() && entity.tensorType().getElementType() == element)
    return entity;
  if (entity.isConstantInteger() && !element.isInteger(1) && !fits(entity, element)) {
    error(range, describe(entity) + " does not fit " + describe(scalar));
    return Entity::poison();
  }
  if ((entity.isScalar() && isFloat) || (entity.isInteger() && !element.isInteger(1)) ||
      (entity.isFloat() && isFloat)) {
    currentLocation = locate(range);
    return Entity::ofTensor(toRankZero(entity, element));
  }
  if (entity.isBool() && element.isInteger(1)) {
    currentLocation = locate(range);
    return Entity::ofTensor(constantInteger(scalar, entity.flag));
  }
  error(range, what + " expects element type " + describe(scalar) + ", got " + describe(entity))
      .note("types change only by cast(x, " + describe(scalar) + ")");
  return Entity::poison();
}

//===----------------------------------------------------------------------===//
// Dimensions
//===----------------------------------------------------------------------===//

bool isEvaluable(const Expr *expr, Scope *scope) {
  if (auto *name = llvm::dyn_cast<NameExpr>(expr))
    return scope->find(name->name);
  if (auto *unary = llvm::dyn_cast<UnaryExpr>(expr))
    return isEvaluable(unary->operand, scope);
  if (auto *binary = llvm::dyn_cast<BinaryExpr>(expr))
    return isEvaluable(binary->lhs, scope) && isEvaluable(binary->rhs, scope);
  return true;
}

std::optional<dl::PolynomialAttr> Elaborator::evaluateDimension(const Expr *expr, bool report) {
  Entity entity = elaborate(expr);
  if (entity.isInteger()) {
    bool isSize =
        report ? requireNotNegative(entity.integer, expr->range, "dimension " + dl::toString(entity.integer))
               : !dl::isAlwaysNegative(entity.integer);
    if (isSize)
      return checkMagnitude(entity, expr->range) ? std::optional(entity.integer) : std::nullopt;
  }
  if (!entity.isPoison() && report)
    error(expr->range, "a dimension is a whole number that is not negative, got " + describe(entity));
  return std::nullopt;
}

dl::TensorType Elaborator::evaluateType(const TensorType *type) {
  SmallVector<dl::PolynomialAttr> shape;
  for (const DimensionExpr &dim : type->dims) {
    if (dim.isEllipsis()) {
      Binding *pack = scope->find(packName(dim));
      if (!pack) {
        error(dim.range,
              "'" + packName(dim) + "' stands for the dimensions of an argument, and no argument has it");
        return {};
      }
      for (const Entity &size : pack->entity.tuple->elements)
        shape.push_back(size.integer);
      continue;
    }
    std::optional<dl::PolynomialAttr> size = evaluateDimension(dim.size);
    if (!size)
      return {};
    shape.push_back(*size);
  }
  dl::TensorType result = tensorOf(shape, elementType(type->element));
  return checkElementCount(result, type->range) ? result : dl::TensorType();
}

std::string Elaborator::describeDeclared(const TensorType *type) {
  std::vector<std::string> dims;
  for (const DimensionExpr &dim : type->dims) {
    if (dim.isEllipsis()) {
      Binding *pack = scope->find(packName(dim));
      if (!pack)
        dims.push_back(packName(dim));
      else
        for (const Entity &size : pack->entity.tuple->elements)
          dims.push_back(dl::toString(size.integer));
      continue;
    }
    std::optional<dl::PolynomialAttr> size;
    if (isEvaluable(dim.size, scope))
      size = evaluateDimension(dim.size, /*report=*/false);
    dims.push_back(size ? dl::toString(*size) : sources.text(dim.range).str());
  }
  std::string text = stringify(type->element).str();
  return dims.empty() ? text : text + "[" + llvm::join(dims, ", ") + "]";
}

/// `[n, 10]`
static std::string describeShape(ArrayRef<Entity> sizes) {
  std::vector<std::string> parts;
  for (const Entity &size : sizes)
    parts.push_back(dl::toString(size.integer));
  return "[" + llvm::join(parts, ", ") + "]";
}

bool Elaborator::unify(const TensorType *type, dl::TensorType actual, SourceRange range,
                       std::vector<Deferred> *deferred, Mismatch &mismatch) {
  if (elementType(type->element) != actual.getElementType())
    return false;
  // 1. Ranks: everything but `...` stands for one dimension.
  const DimensionExpr *ellipsis =
      llvm::find_if(type->dims, [](const DimensionExpr &dim) { return dim.isEllipsis(); });
  bool hasPack = ellipsis != type->dims.end();
  int64_t fixed = static_cast<int64_t>(type->dims.size()) - (hasPack ? 1 : 0);
  if (hasPack ? actual.getRank() < fixed : actual.getRank() != fixed)
    return false;

  // 2. Dimension by dimension. A free name is bound, everything else must be equal.
  int64_t axis = 0;
  for (const DimensionExpr &dim : type->dims) {
    if (dim.isEllipsis()) {
      std::vector<Entity> sizes;
      for (int64_t count = actual.getRank() - fixed; count > 0; --count)
        sizes.push_back(Entity::ofInteger(actual.getDim(axis++)));
      if (Binding *pack = scope->find(packName(dim))) {
        const std::vector<Entity> &bound = pack->entity.tuple->elements;
        bool isEqual = bound.size() == sizes.size() && llvm::all_of(llvm::zip(bound, sizes), [](auto pair) {
                         return std::get<0>(pair).integer == std::get<1>(pair).integer;
                       });
        if (!isEqual) {
          mismatch = {packName(dim), describeShape(bound), describeShape(sizes), pack->range};
          return false;
        }
      } else {
        Binding binding;
        binding.kind = Binding::Kind::Dimension;
        binding.entity = Entity::ofTuple(std::move(sizes));
        binding.range = range;
        scope->names[packName(dim)] = std::move(binding);
      }
      continue;
    }
    dl::PolynomialAttr size = actual.getDim(axis++);
    auto *name = llvm::dyn_cast<NameExpr>(dim.size);
    Binding *bound = name ? scope->find(name->name) : nullptr;
    if (name && !bound) {
      Binding binding;
      binding.kind = Binding::Kind::Dimension;
      binding.entity = Entity::ofInteger(size);
      binding.range = range;
      scope->names[name->name] = std::move(binding);
      continue;
    }
    if (!isEvaluable(dim.size, scope) && deferred) {
      deferred->push_back({type, dim.size, size, actual, range});
      continue;
    }
    std::optional<dl::PolynomialAttr> expected = evaluateDimension(dim.size);
    if (!expected)
      return false;
    if (*expected != size) {
      mismatch = {sources.text(dim.range).str(), dl::toString(*expected), dl::toString(size),
                  bound ? bound->range : SourceRange()};
      return false;
    }
  }
  return true;
}

} // namespace dlc::frontend
