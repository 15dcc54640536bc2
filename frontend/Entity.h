// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a name or an expression means while a program is elaborated, and the scopes that hold names.
//
// The language has two times. Compile-time entities (integers, dimensions, floats, bools, strings, tuples,
// element types, instances, callables) live only in the compiler. Run-time entities are values of the dl
// dialect: tensors, and scalars, which are rank-0 f64 values made of hyperparameters, `iteration` and
// dimensions; a scalar is rounded to a tensor's element type where it first meets a tensor.
#ifndef DLC_FRONTEND_ENTITY_H
#define DLC_FRONTEND_ENTITY_H

#include "compiler/Dialect/Dl.h"
#include "frontend/AST.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dlc::frontend {

struct Entity;
struct Builtin;

/// A layer or model together with the arguments it was bound to; its parameters are found under `path`.
struct Instance {
  const CallableDecl *decl = nullptr;
  std::string path; ///< "" for the model of a one-model file
  std::vector<std::pair<llvm::StringRef, Entity>> bound;
  SourceRange range;   ///< the call that made it
  bool isPart = false; ///< the parameters below a name, which is no instance itself
};

struct TupleEntity {
  std::vector<Entity> elements;
  std::vector<std::string> names; ///< empty, or one per element ("" for none)
  unsigned nesting = 1;           ///< tuples in tuples
};

struct Entity {
  enum class Kind {
    Poison,  ///< an error was reported; everything made of it is silent
    None,    ///< the value of something that has none
    Integer, ///< `integer`: a constant or a polynomial in the symbolic dimensions
    Float,
    Bool,
    String,
    Tuple,
    ElementType,
    Tensor, ///< `value`, any shape and element type
    Scalar, ///< `value`, a rank-0 f64
    Instance,
    Callable,
    Builtin,
  };

  Kind kind = Kind::Poison;
  bool flag = false;
  double number = 0;
  dl::PolynomialAttr integer;
  std::string text;
  mlir::Type elementType;
  mlir::Value value;
  const CallableDecl *decl = nullptr;
  const Builtin *builtin = nullptr;
  std::shared_ptr<TupleEntity> tuple;
  std::shared_ptr<Instance> instance;

  static Entity poison() { return {}; }
  static Entity none() { return ofKind(Kind::None); }
  static Entity ofInteger(dl::PolynomialAttr value) {
    Entity entity = ofKind(Kind::Integer);
    entity.integer = value;
    return entity;
  }
  static Entity ofFloat(double value) {
    Entity entity = ofKind(Kind::Float);
    entity.number = value;
    return entity;
  }
  static Entity ofBool(bool value) {
    Entity entity = ofKind(Kind::Bool);
    entity.flag = value;
    return entity;
  }
  static Entity ofString(llvm::StringRef value) {
    Entity entity = ofKind(Kind::String);
    entity.text = value.str();
    return entity;
  }
  static Entity ofTuple(std::vector<Entity> elements, std::vector<std::string> names = {}) {
    Entity entity = ofKind(Kind::Tuple);
    unsigned nesting = 1;
    for (const Entity &element : elements)
      nesting = std::max(nesting, element.tuple ? element.tuple->nesting + 1 : 1);
    entity.tuple = std::make_shared<TupleEntity>(TupleEntity{std::move(elements), std::move(names), nesting});
    return entity;
  }
  static Entity ofElementType(mlir::Type type) {
    Entity entity = ofKind(Kind::ElementType);
    entity.elementType = type;
    return entity;
  }
  static Entity ofTensor(mlir::Value value) {
    Entity entity = ofKind(Kind::Tensor);
    entity.value = value;
    return entity;
  }
  static Entity ofScalar(mlir::Value value) {
    Entity entity = ofKind(Kind::Scalar);
    entity.value = value;
    return entity;
  }
  static Entity ofInstance(std::shared_ptr<Instance> instance) {
    Entity entity = ofKind(Kind::Instance);
    entity.instance = std::move(instance);
    return entity;
  }
  static Entity ofCallable(const CallableDecl *decl) {
    Entity entity = ofKind(Kind::Callable);
    entity.decl = decl;
    return entity;
  }
  static Entity ofBuiltin(const Builtin *builtin) {
    Entity entity = ofKind(Kind::Builtin);
    entity.builtin = builtin;
    return entity;
  }

  bool isPoison() const { return kind == Kind::Poison; }
  bool isInteger() const { return kind == Kind::Integer; }
  bool isConstantInteger() const { return isInteger() && integer.isConstant(); }
  bool isFloat() const { return kind == Kind::Float; }
  bool isBool() const { return kind == Kind::Bool; }
  bool isString() const { return kind == Kind::String; }
  bool isTuple() const { return kind == Kind::Tuple; }
  bool isTensor() const { return kind == Kind::Tensor; }
  bool isScalar() const { return kind == Kind::Scalar; }
  /// A constant integer or a float: a number known now.
  bool isNumber() const { return isConstantInteger() || isFloat(); }
  /// Anything that arithmetic takes, but bools.
  bool isNumeric() const { return isInteger() || isFloat() || isScalar() || isTensor(); }
  double asDouble() const { return isFloat() ? number : static_cast<double>(*integer.getConstantValue()); }
  dl::TensorType tensorType() const { return llvm::cast<dl::TensorType>(value.getType()); }

private:
  static Entity ofKind(Kind kind) {
    Entity entity;
    entity.kind = kind;
    return entity;
  }
};

/// `f32[n, 10]`, `i32` for rank 0: as a program writes the type.
std::string describe(dl::TensorType type);
/// "f32[n, 10]", "int 3", "float 0.5", "a tuple of 2": what an entity is, for messages.
std::string describe(const Entity &entity);

/// A name in a scope.
struct Binding {
  enum class Kind { Let, Var, Argument, Dimension, Parameter, State };
  Kind kind = Kind::Let;
  Entity entity;
  SourceRange range;
  const Expr *init = nullptr;     ///< of a let: what it was bound to
  const TypeExpr *type = nullptr; ///< the declared type, if any: names dimensions
  std::string state;              ///< of a State: the symbol of its dl.state
};

/// One call of a layer, function, optimizer …, or the body of an entry.
struct Frame {
  const CallableDecl *decl = nullptr;
  std::string path;         ///< prefix of the parameters made here, without a dot at its end
  std::string locationName; ///< what kernels made here are named after
  Frame *caller = nullptr;
  SourceRange callRange;  ///< of the call, in the caller's text
  bool isUnnamed = false; ///< nothing but the callee's name tells this instance from others
  std::optional<Entity> returned;
  const Expr *returnExpr = nullptr; ///< what was returned, as it is written
  SourceRange returnRange;
  /// Names of instances made by this frame, with the calls that made them.
  llvm::StringMap<SourceRange> instanceNames;
  /// What `for … as` loops bound: per iteration its instance, or a tuple of its instances.
  llvm::StringMap<Entity> loops;
  bool inGradientClause = false;
  bool inNamedLoop = false; ///< directly in a `for … as`, whose path a call that is assigned takes
  std::vector<std::pair<llvm::StringRef, mlir::Value>> params; ///< of the body's param statements, in order
  llvm::StringSet<> stateNames;                                ///< of the parameters and buffers made here
  std::string innerParameter;                                  ///< one that a call below has made or read
  /// A second instance of one name; a parameter or buffer below it is an error.
  bool isDuplicate = false;
  SourceRange firstUse;
};

struct Scope {
  Scope *parent = nullptr;
  llvm::StringMap<Binding> names;
  /// Set in a scan's body: names from outside are read-only here.
  bool isScanBody = false;

  explicit Scope(Scope *parent = nullptr) : parent(parent) {}
  Binding *find(llvm::StringRef name) {
    for (Scope *scope = this; scope; scope = scope->parent)
      if (auto found = scope->names.find(name); found != scope->names.end())
        return &found->second;
    return nullptr;
  }
};

/// Whether states, whose initial values artifacts hold as doubles, can begin with the integer.
inline bool isExactDouble(int64_t value) {
  constexpr int64_t limit = int64_t{1} << 53;
  return value >= -limit && value <= limit;
}

} // namespace dlc::frontend

#endif // DLC_FRONTEND_ENTITY_H
