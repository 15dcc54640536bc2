// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts of an artifact that all variants share, read off a dl module: entries with their signatures,
// states, and the defaults of the fit block.

#ifndef DLC_COMPILER_DESCRIBEMODULE_H
#define DLC_COMPILER_DESCRIBEMODULE_H

#include "compiler/Artifact/ArtifactWriter.h"
#include "compiler/Dialect/Dl.h"
#include "mlir/IR/BuiltinOps.h"

#include <map>

namespace dlc {

/// The entries of a module (functions with `dl.entry`) in program order; their index is the artifact's.
llvm::SmallVector<mlir::Operation *> entriesOf(mlir::ModuleOp module);

/// Fills entries, states and fit settings. `max` bounds symbols by name (--max).
void describeModule(mlir::ModuleOp module, const std::map<std::string, int64_t> &max,
                    artifact::ArtifactDescription &description);

} // namespace dlc

#endif // DLC_COMPILER_DESCRIBEMODULE_H
