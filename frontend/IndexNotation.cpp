// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/IndexNotation.h"

#include "frontend/ASTWalk.h"

namespace dlc::frontend {

void forEachSubscripted(const Expr *expr, llvm::function_ref<void(const IndexExpr *)> visit) {
  walk(expr, [&](const Expr *part) {
    if (auto *index = llvm::dyn_cast<IndexExpr>(part))
      visit(index);
  });
}

bool mentions(const Expr *expr, llvm::function_ref<bool(llvm::StringRef)> isName) {
  bool found = false;
  walk(expr, [&](const Expr *part) {
    if (auto *name = llvm::dyn_cast<NameExpr>(part))
      found |= isName(name->name);
  });
  return found;
}

} // namespace dlc::frontend
