// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The syntax tree of a .dl file: what the parser makes, and semantic analysis reads.
//
// Ownership: every node, list and string lives in the arena of one ASTContext and dies with it; nodes hold
// plain pointers and are never destroyed one by one. Names are StringRefs into the SourceManager's texts,
// which must live as long. The tree says what was written, not what it means: names are not resolved, types
// not checked. Nothing changes it after parsing; a later stage keeps its results in tables of its own,
// because a layer's body means something else for every instance.
//
// Every node has the range of its text. Kinds are enums, and llvm::isa, cast and dyn_cast work.
// After a syntax error the tree holds what could be read; pointers that are not marked "may be null" never
// are.
#ifndef DLC_FRONTEND_AST_H
#define DLC_FRONTEND_AST_H

#include "frontend/ASTExpr.h"
#include "llvm/Support/Allocator.h"
#include <memory>
#include <type_traits>
#include <vector>

namespace llvm {
class raw_ostream;
}

namespace dlc::frontend {

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

enum class StmtKind {
  Let,
  Var,
  Assign,
  Param,
  State,
  Finish,
  If,
  For,
  Scan,
  Return,
  Yield,
  Minimize,
  Report,
  Gradient,
};

struct Stmt {
  const StmtKind kind;
  SourceRange range;

protected:
  Stmt(StmtKind kind, SourceRange range) : kind(kind), range(range) {}
};

template <StmtKind K> struct StmtOf : Stmt {
  explicit StmtOf(SourceRange range) : Stmt(K, range) {}
  static bool classof(const Stmt *stmt) { return stmt->kind == K; }
};

/// `{ … }`
struct Block {
  llvm::ArrayRef<const Stmt *> stmts;
  SourceRange range; ///< with its braces
};

/// `let y = …`, `let y: f32[n] = …`, `let (a, b) = …`, `let y[i, j] = …`
struct LetStmt : StmtOf<StmtKind::Let> {
  using StmtOf::StmtOf;
  llvm::ArrayRef<Identifier> names; ///< one, or those of a tuple
  bool isTuple = false;
  bool isIndexed = false;               ///< index notation
  llvm::ArrayRef<IndexBinding> indices; ///< may be empty: `let s[] = sum[i](x[i])`
  const TypeExpr *type = nullptr;       ///< may be null
  const Expr *value = nullptr;
};

/// `var h = x`
struct VarStmt : StmtOf<StmtKind::Var> {
  using StmtOf::StmtOf;
  Declarator variable; ///< has an init
};

/// `h <- h + 1`
struct AssignStmt : StmtOf<StmtKind::Assign> {
  using StmtOf::StmtOf;
  Identifier target;
  const Expr *value = nullptr;
};

/// `param weight: f32[features, k] = kaiming_uniform()`
struct ParamStmt : StmtOf<StmtKind::Param> {
  using StmtOf::StmtOf;
  Declarator variable;         ///< has a type and an init
  const Expr *known = nullptr; ///< behind `as`: the last part of its name outside, a string; null for its own
};

/// `state m = zeros_like(p)`, and in a metric `accumulate hits: f32 = 0, count: f32 = 0`
struct StateStmt : StmtOf<StmtKind::State> {
  using StmtOf::StmtOf;
  bool isAccumulate = false;
  llvm::ArrayRef<Declarator> variables; ///< each has an init
};

/// `finish hits / count`: a metric's value from its accumulators.
struct FinishStmt : StmtOf<StmtKind::Finish> {
  using StmtOf::StmtOf;
  const Expr *value = nullptr;
};

/// `if … { … } else if … { … } else { … }`, decided at compile time.
struct IfStmt : StmtOf<StmtKind::If> {
  using StmtOf::StmtOf;
  const Expr *condition = nullptr;
  const Block *thenBlock = nullptr;
  const Block *elseBlock = nullptr; ///< may be null; `else if` is a block of that one statement
};

/// `for i in 0..6 as layers { … }`: unrolled at compile time, over a range or a tuple.
struct ForStmt : StmtOf<StmtKind::For> {
  using StmtOf::StmtOf;
  Identifier variable;
  const Expr *sequence = nullptr;
  Identifier as; ///< names the instances made inside `as.0.…`; may be empty
  const Block *body = nullptr;
};

/// A scan that stands alone: only its carries are used afterwards.
struct ScanStmt : StmtOf<StmtKind::Scan> {
  using StmtOf::StmtOf;
  const ScanExpr *scan = nullptr;
};

struct ReturnStmt : StmtOf<StmtKind::Return> {
  using StmtOf::StmtOf;
  const Expr *value = nullptr;
};

struct YieldStmt : StmtOf<StmtKind::Yield> {
  using StmtOf::StmtOf;
  const Expr *value = nullptr;
};

/// Which parameters a group of `minimize` takes: `rest`, `discriminator`, `decoder.*`, `*.bias`,
/// `layers.0.weight`. A `*` stands for one or more parts of the name; a pattern that names an instance takes
/// all parameters under it.
struct ParameterPattern {
  bool isRest = false;
  llvm::ArrayRef<llvm::StringRef> parts; ///< names, numbers and "*"; empty for `rest`
  SourceRange range;
};

/// `over decoder.*, head with adamw(decay=0)`; without `over` there is one group whose patterns are empty,
/// and it takes every parameter that the loss depends on.
struct MinimizeGroup {
  llvm::ArrayRef<ParameterPattern> patterns;
  const Expr *optimizer = nullptr; ///< `adam(lr=1e-3)`, or a name
  SourceRange range;
};

/// `minimize loss over decoder.* with adamw(decay=0), rest with adamw(decay=0.1) clip clip_norm(1.0) every 4`
struct MinimizeStmt : StmtOf<StmtKind::Minimize> {
  using StmtOf::StmtOf;
  const Expr *loss = nullptr;
  llvm::ArrayRef<MinimizeGroup> groups; ///< at least one
  const Expr *clip = nullptr;           ///< may be null; over the gradients of all groups together
  const Expr *every = nullptr;          ///< may be null; of how many steps one updates
};

/// `report loss, top = accuracy(logits, label)`. Without a name of its own an item is called by the name that
/// is its value or that its value calls.
struct ReportStmt : StmtOf<StmtKind::Report> {
  using StmtOf::StmtOf;
  llvm::ArrayRef<Argument> items;
};

/// `gradient(dy) { … return dx }`: a layer's own rule. `upstream` names the gradients of the layer's results;
/// the block returns the gradients of its tensor arguments, then of its params, in order.
struct GradientStmt : StmtOf<StmtKind::Gradient> {
  using StmtOf::StmtOf;
  llvm::ArrayRef<Identifier> upstream; ///< at least one
  const Block *body = nullptr;
};

//===----------------------------------------------------------------------===//
// Declarations
//===----------------------------------------------------------------------===//

enum class DeclKind {
  Import,
  Fit,
  // The callable ones.
  Layer,
  Function,
  Model,
  Train,
  Eval,
  Infer,
  Metric,
  Optimizer,
  Schedule,
  Initializer,
};

/// The keyword: "layer", "train", …
llvm::StringRef stringify(DeclKind kind);

struct Decl {
  const DeclKind kind;
  SourceRange range;
  llvm::StringRef doc; ///< the comment lines right above, without their `#`; may be empty

protected:
  Decl(DeclKind kind, SourceRange range) : kind(kind), range(range) {}
};

/// `import "blocks.dl"`: relative to the file that says it.
struct ImportDecl : Decl {
  explicit ImportDecl(SourceRange range) : Decl(DeclKind::Import, range) {}
  static bool classof(const Decl *decl) { return decl->kind == DeclKind::Import; }
  llvm::StringRef path;
  SourceRange pathRange;
};

/// A parameter of a signature: `x: f32[n, k]`, `kernel: int[2] = 3`.
struct Parameter {
  Identifier name;
  const TypeExpr *type = nullptr;
  const Expr *defaultValue = nullptr; ///< may be null
  SourceRange range;
};

/// Every declaration with a signature and a body; `kind` is one of the callable kinds.
///
/// optimizer NAME(…) for p, g  : `bound` names the parameter and its gradient.
/// initializer NAME(…) for dims : `bound` names the tuple of the new tensor's dimensions.
struct CallableDecl : Decl {
  CallableDecl(DeclKind kind, SourceRange range) : Decl(kind, range) {}
  static bool classof(const Decl *decl) { return decl->kind >= DeclKind::Layer; }
  Identifier name;
  llvm::ArrayRef<Parameter> params;
  const TypeExpr *result = nullptr;         ///< the declared one; may be null
  llvm::ArrayRef<Identifier> bound;         ///< after `for`; empty but for the two kinds above
  llvm::ArrayRef<const Expr *> constraints; ///< `where n % 4 == 0, k > 1`
  const Block *body = nullptr;
  SourceRange signatureRange; ///< keyword to the end of the parameter list
};

/// One line of a fit block.
struct FitItem {
  enum class Kind {
    Setting, ///< `name = value`
    Train,   ///< `train name on value`
    Eval,    ///< `eval name on value`
  };
  Kind kind = Kind::Setting;
  Identifier name; ///< of the setting, or of the entry
  const Expr *value = nullptr;
  SourceRange range;
};

/// `fit { data = …; train step on data.train; epochs = 3 }`
struct FitDecl : Decl {
  explicit FitDecl(SourceRange range) : Decl(DeclKind::Fit, range) {}
  static bool classof(const Decl *decl) { return decl->kind == DeclKind::Fit; }
  llvm::ArrayRef<FitItem> items;
};

/// One parsed file.
struct SourceFile {
  FileId file = 0;
  bool isStandardLibrary = false;
  llvm::ArrayRef<const Decl *> decls;
};

/// The arena.
class ASTContext {
public:
  ASTContext() = default;
  ASTContext(const ASTContext &) = delete;
  ASTContext &operator=(const ASTContext &) = delete;

  template <typename T, typename... Args> T *create(Args &&...args) {
    static_assert(std::is_trivially_destructible_v<T>, "the arena runs no destructors");
    return new (arena.Allocate<T>()) T(std::forward<Args>(args)...);
  }
  template <typename T> llvm::ArrayRef<T> copy(llvm::ArrayRef<T> elements) {
    static_assert(std::is_trivially_destructible_v<T>, "the arena runs no destructors");
    if (elements.empty())
      return {};
    T *memory = arena.Allocate<T>(elements.size());
    std::uninitialized_copy(elements.begin(), elements.end(), memory);
    return {memory, elements.size()};
  }
  llvm::StringRef copy(llvm::StringRef text) { return text.copy(arena); }

private:
  llvm::BumpPtrAllocator arena;
};

/// All files of a compilation: the standard library, then every imported file before the file that imports
/// it, the main file last. A file is there once, however often it is imported.
struct Program {
  ASTContext context;
  std::vector<SourceFile> files;

  const SourceFile &main() const { return files.back(); }
};

/// Writes the tree of a file for `--emit=ast`: declarations and statements one a line, indented; every
/// operation in parentheses, so that precedence shows.
void dumpAST(const SourceFile &file, const SourceManager &sources, llvm::raw_ostream &os);

} // namespace dlc::frontend

#endif // DLC_FRONTEND_AST_H
