// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Visits of parts of the syntax tree.

#ifndef DLC_FRONTEND_ASTWALK_H
#define DLC_FRONTEND_ASTWALK_H

#include "frontend/AST.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace dlc::frontend {

/// Calls `visit` with `expr` and all expressions within it, outermost first, but not with those in a scan,
/// which has a scope of its own. Null is no expression.
void walk(const Expr *expr, llvm::function_ref<void(const Expr *)> visit);

/// Whether a statement of the block, or of a block within it, is a return. Null is an empty block.
bool holdsReturn(const Block *block);

} // namespace dlc::frontend

#endif // DLC_FRONTEND_ASTWALK_H
