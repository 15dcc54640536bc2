// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Expressions and types of the syntax tree; AST.h, which includes this file, says what holds for all of it.
#ifndef DLC_FRONTEND_ASTEXPR_H
#define DLC_FRONTEND_ASTEXPR_H

#include "frontend/SourceManager.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Casting.h"

namespace dlc::frontend {

struct Expr;
struct Block;
struct TypeExpr;

/// A name as written, with its place. Empty where an optional name is absent.
struct Identifier {
  llvm::StringRef text;
  SourceRange range;
  explicit operator bool() const { return !text.empty(); }
};

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

enum class ExprKind {
  Integer,
  Float,
  Bool,
  String,
  Name,
  Tuple,
  Range,
  Unary,
  Binary,
  Call,
  Index,
  Member,
  Reduction,
  Scan,
};

struct Expr {
  const ExprKind kind;
  SourceRange range;

protected:
  Expr(ExprKind kind, SourceRange range) : kind(kind), range(range) {}
};

template <ExprKind K> struct ExprOf : Expr {
  explicit ExprOf(SourceRange range) : Expr(K, range) {}
  static bool classof(const Expr *expr) { return expr->kind == K; }
};

/// `42`
struct IntegerExpr : ExprOf<ExprKind::Integer> {
  using ExprOf::ExprOf;
  int64_t value = 0;
};

/// `1e-3`: has a point or an exponent.
struct FloatExpr : ExprOf<ExprKind::Float> {
  using ExprOf::ExprOf;
  double value = 0;
};

/// `true`, `false`
struct BoolExpr : ExprOf<ExprKind::Bool> {
  using ExprOf::ExprOf;
  bool value = false;
};

/// `"text"`, escapes resolved.
struct StringExpr : ExprOf<ExprKind::String> {
  using ExprOf::ExprOf;
  llvm::StringRef value;
};

/// A name: a variable, dimension, declaration, built-in function, data type (`f32` in `cast(x, f32)`),
/// `training`, `iteration`.
struct NameExpr : ExprOf<ExprKind::Name> {
  using ExprOf::ExprOf;
  llvm::StringRef name;
};

/// `[3, 5]` or `(a, b)`. Both mean a tuple; `[3]` has one element, `[]` none, `(a)` is just a.
struct TupleExpr : ExprOf<ExprKind::Tuple> {
  using ExprOf::ExprOf;
  llvm::ArrayRef<const Expr *> elements;
  bool isBracketed = false; ///< written with [ ]
};

/// `0..6`: 0 to 5.
struct RangeExpr : ExprOf<ExprKind::Range> {
  using ExprOf::ExprOf;
  const Expr *begin = nullptr;
  const Expr *end = nullptr;
};

enum class UnaryOp { Negate, Not };

struct UnaryExpr : ExprOf<ExprKind::Unary> {
  using ExprOf::ExprOf;
  UnaryOp op = UnaryOp::Negate;
  const Expr *operand = nullptr;
};

enum class BinaryOp {
  Add,
  Subtract,
  Multiply,
  Divide,
  FloorDivide,
  Remainder,
  Power,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  And,
  Or,
};

struct BinaryExpr : ExprOf<ExprKind::Binary> {
  using ExprOf::ExprOf;
  BinaryOp op = BinaryOp::Add;
  const Expr *lhs = nullptr;
  const Expr *rhs = nullptr;
  SourceRange opRange; ///< the operator alone: where a mismatch between the sides is shown
};

/// The operator as written: "+", "and", …
llvm::StringRef stringify(BinaryOp op);

/// An argument of a call, an item of a report: `value` or `name=value`.
struct Argument {
  Identifier name; ///< empty if positional
  const Expr *value = nullptr;
  SourceRange range;
};

/// `linear(hidden, features=10)`, also `head(x)` and `layers[0](x)`. Positional arguments come first.
struct CallExpr : ExprOf<ExprKind::Call> {
  using ExprOf::ExprOf;
  const Expr *callee = nullptr;
  llvm::ArrayRef<Argument> args;
};

/// One place between the brackets of `x[2, a:b:c, ..., :]`.
struct Subscript {
  enum class Kind {
    Expr,     ///< `begin` alone: an element, or an expression of index names in index notation
    Slice,    ///< begin:end:step, each may be null
    Ellipsis, ///< `...`: the dimensions in between, whole
  };
  Kind kind = Kind::Expr;
  SourceRange range;
  const Expr *begin = nullptr;
  const Expr *end = nullptr;
  const Expr *step = nullptr;
};

struct IndexExpr : ExprOf<ExprKind::Index> {
  using ExprOf::ExprOf;
  const Expr *base = nullptr;
  llvm::ArrayRef<Subscript> subscripts;
};

/// `head.weight`, `data.train`. The member may be a keyword.
struct MemberExpr : ExprOf<ExprKind::Member> {
  using ExprOf::ExprOf;
  const Expr *base = nullptr;
  Identifier member;
};

/// An index of index notation: `k`, or `k in 0..3` where its range does not follow from its use.
struct IndexBinding {
  Identifier name;
  const RangeExpr *extent = nullptr; ///< may be null
};

enum class ReductionKind { Sum, Max, Min, Prod };

/// The name as written: "sum", …
llvm::StringRef stringify(ReductionKind kind);

/// `sum[k](a[i, k] * b[k, j])`: index notation, only within `let y[i, j] = …`.
struct ReductionExpr : ExprOf<ExprKind::Reduction> {
  using ExprOf::ExprOf;
  ReductionKind reduction = ReductionKind::Sum;
  llvm::ArrayRef<IndexBinding> indices; ///< at least one
  const Expr *body = nullptr;
};

/// A name with a type and a value, each of them optional where the construct allows: a carry, a state, a
/// param.
struct Declarator {
  Identifier name;
  const TypeExpr *type = nullptr; ///< may be null
  const Expr *init = nullptr;     ///< may be null
  SourceRange range;
};

/// One sequence of a scan: `xt in x`.
struct ScanInput {
  Identifier name;
  const Expr *sequence = nullptr;
};

/// `scan xt in x, ut in u over t reverse carry h = …, c = … { … yield h }`
///
/// `over` names the dimension that all sequences are cut along: a dimension's name, as the types of the
/// sequences have it, or `axis=1`. Without inputs, `scan over 10 carry …`, it is the number of steps. The
/// value is what `yield` gives, stacked along that dimension; a scan without `yield` has none. Afterwards the
/// carries hold their last values.
struct ScanExpr : ExprOf<ExprKind::Scan> {
  using ExprOf::ExprOf;
  llvm::ArrayRef<ScanInput> inputs;
  const Expr *over = nullptr;
  bool overIsAxis = false;
  bool isReverse = false;
  llvm::ArrayRef<Declarator> carries; ///< each has an init, and may have a type
  const Block *body = nullptr;
};

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

enum class ElementType { F32, F64, BF16, F16, I8, U8, I32, I64, Bool };
enum class ConstantType { Int, Float, Bool, String };

/// "f32" and so on, in the order of the enumeration.
llvm::ArrayRef<llvm::StringRef> elementTypeNames();
llvm::StringRef stringify(ElementType type);
llvm::StringRef stringify(ConstantType type);
std::optional<ElementType> parseElementType(llvm::StringRef name);
std::optional<ConstantType> parseConstantType(llvm::StringRef name);

enum class TypeKind { Tensor, Constant, Tuple };

struct TypeExpr {
  const TypeKind kind;
  SourceRange range;

protected:
  TypeExpr(TypeKind kind, SourceRange range) : kind(kind), range(range) {}
};

/// A dimension of a tensor type: an expression such as `28`, `n`, `h/2`; or `...`, any number of dimensions.
struct DimensionExpr {
  const Expr *size = nullptr; ///< null for `...`
  llvm::StringRef pack; ///< of `w...` the name; "" of `...` alone, which is one pack in all of a signature
  SourceRange range;
  bool isEllipsis() const { return size == nullptr; }
};

/// `f32[n, 1, 28, 28]`, `f32[..., k]`, `f32` (a run-time scalar). At most one `...`. `bool[n]` is a tensor,
/// `bool` alone a constant.
struct TensorType : TypeExpr {
  explicit TensorType(SourceRange range) : TypeExpr(TypeKind::Tensor, range) {}
  static bool classof(const TypeExpr *type) { return type->kind == TypeKind::Tensor; }
  ElementType element = ElementType::F32;
  llvm::ArrayRef<DimensionExpr> dims;
};

/// `int`, `float`, `bool`, `string`: compile-time values. `int[2]`: two of them, one value standing for both;
/// `int[]`: any number.
struct ConstantTypeExpr : TypeExpr {
  explicit ConstantTypeExpr(SourceRange range) : TypeExpr(TypeKind::Constant, range) {}
  static bool classof(const TypeExpr *type) { return type->kind == TypeKind::Constant; }
  ConstantType constant = ConstantType::Int;
  bool isList = false;         ///< has brackets
  const Expr *count = nullptr; ///< null for `int` and `int[]`
};

/// One element of a tuple type, named or not.
struct TupleTypeElement {
  Identifier name; ///< may be empty
  const TypeExpr *type = nullptr;
};

/// `(f32[n, d], last: f32[n, h])`. At least two elements, or one with a name.
struct TupleTypeExpr : TypeExpr {
  explicit TupleTypeExpr(SourceRange range) : TypeExpr(TypeKind::Tuple, range) {}
  static bool classof(const TypeExpr *type) { return type->kind == TypeKind::Tuple; }
  llvm::ArrayRef<TupleTypeElement> elements;
};

} // namespace dlc::frontend

#endif // DLC_FRONTEND_ASTEXPR_H
