// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Text to syntax tree. The grammar is in README.md, and its productions stand above the parser's methods.
#ifndef DLC_FRONTEND_PARSER_H
#define DLC_FRONTEND_PARSER_H

#include "frontend/AST.h"
#include "frontend/Diagnostics.h"

namespace dlc::frontend {

/// Parses one file into `context`. Never fails as a whole: errors go to `diags`, the parser takes up again at
/// the next statement or declaration, and what could be read is returned.
SourceFile parseFile(FileId file, const SourceManager &sources, ASTContext &context, DiagnosticEngine &diags);

/// Parses the standard library, the file at `path` and everything it imports. Returns null if the main file
/// could not be read; otherwise a program, complete if `diags` has no errors. A missing import, a cycle of
/// imports and syntax errors are reported to `diags`.
std::unique_ptr<Program> parseProgram(llvm::StringRef path, SourceManager &sources, DiagnosticEngine &diags);

/// The same for a main file that `sources` already holds (a test's text, standard input).
std::unique_ptr<Program> parseProgram(FileId main, SourceManager &sources, DiagnosticEngine &diags);

} // namespace dlc::frontend

#endif // DLC_FRONTEND_PARSER_H
