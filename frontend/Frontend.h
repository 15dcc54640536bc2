// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The frontend as the tools see it: the text of a .dl file in, a verified module of the dl dialect out.
//
//   SourceManager sources;
//   DiagnosticEngine diags(sources);
//   auto module = importFile("mnist.dl", sources, diags, context);
//   diags.render(llvm::errs(), isTerminal);
//   if (!module) return 1;
#ifndef DLC_FRONTEND_FRONTEND_H
#define DLC_FRONTEND_FRONTEND_H

#include "frontend/AST.h"
#include "frontend/Diagnostics.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringMap.h"

namespace dlc::frontend {

struct ImportOptions {
  /// `--bind n=64`: symbolic dimensions of the entries that get a fixed size.
  llvm::StringMap<int64_t> dimensions;
  /// `--max n=256`: bounds of symbolic dimensions. The frontend only checks that there are such.
  llvm::StringMap<int64_t> bounds;
};

/// Checks a parsed program and builds its module: the states, the entries and "init" (contract in
/// compiler/Dialect: dl.entry, dl.symbols, dl.name, dl.report), and the attribute `dl.fit` for the fit block.
/// Returns null exactly if `diags` has errors afterwards. `program` must be free of syntax errors.
mlir::OwningOpRef<mlir::ModuleOp> generateModule(const Program &program, const SourceManager &sources,
                                                 DiagnosticEngine &diags, mlir::MLIRContext &context,
                                                 const ImportOptions &options = {});

/// parseProgram, then generateModule.
mlir::OwningOpRef<mlir::ModuleOp> importFile(llvm::StringRef path, SourceManager &sources,
                                             DiagnosticEngine &diags, mlir::MLIRContext &context,
                                             const ImportOptions &options = {});

/// Resolves the names of all declarations, also of those that nothing calls: unknown names, names bound
/// twice, assignments to what cannot change; warns of bindings that nothing reads.
void checkNames(const Program &program, DiagnosticEngine &diags);

} // namespace dlc::frontend

#endif // DLC_FRONTEND_FRONTEND_H
