// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/ASTWalk.h"

#include "llvm/ADT/STLExtras.h"

namespace dlc::frontend {

void walk(const Expr *expr, llvm::function_ref<void(const Expr *)> visit) {
  if (!expr)
    return;
  visit(expr);
  switch (expr->kind) {
  case ExprKind::Unary:
    return walk(llvm::cast<UnaryExpr>(expr)->operand, visit);
  case ExprKind::Binary:
    walk(llvm::cast<BinaryExpr>(expr)->lhs, visit);
    return walk(llvm::cast<BinaryExpr>(expr)->rhs, visit);
  case ExprKind::Call:
    walk(llvm::cast<CallExpr>(expr)->callee, visit);
    for (const Argument &argument : llvm::cast<CallExpr>(expr)->args)
      walk(argument.value, visit);
    return;
  case ExprKind::Index:
    walk(llvm::cast<IndexExpr>(expr)->base, visit);
    for (const Subscript &subscript : llvm::cast<IndexExpr>(expr)->subscripts)
      for (const Expr *part : {subscript.begin, subscript.end, subscript.step})
        walk(part, visit);
    return;
  case ExprKind::Member:
    return walk(llvm::cast<MemberExpr>(expr)->base, visit);
  case ExprKind::Tuple:
    for (const Expr *element : llvm::cast<TupleExpr>(expr)->elements)
      walk(element, visit);
    return;
  case ExprKind::Reduction:
    return walk(llvm::cast<ReductionExpr>(expr)->body, visit);
  default: // literals, names, ranges; a scan has a scope of its own
    return;
  }
}

bool holdsReturn(const Block *block) {
  return block && llvm::any_of(block->stmts, [](const Stmt *stmt) {
           if (auto *choice = llvm::dyn_cast<IfStmt>(stmt))
             return holdsReturn(choice->thenBlock) || holdsReturn(choice->elseBlock);
           if (auto *loop = llvm::dyn_cast<ForStmt>(stmt))
             return holdsReturn(loop->body);
           return llvm::isa<ReturnStmt>(stmt);
         });
}

} // namespace dlc::frontend
