// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `dlc doc`: the signatures and the documentation of declarations, and of the built-in functions.
#ifndef DLC_FRONTEND_DOCUMENTATION_H
#define DLC_FRONTEND_DOCUMENTATION_H

#include "frontend/AST.h"

namespace dlc::frontend {

/// A row of the table of built-in functions in README.md, where `|` separates its columns.
struct BuiltinDoc {
  llvm::StringLiteral signature; ///< one or more, in backquotes; names may share their parameters
  llvm::StringLiteral meaning;

  /// True if one of the signatures is that of a function of this name.
  bool describes(llvm::StringRef name) const;
};

/// In the order of the page.
llvm::ArrayRef<BuiltinDoc> builtinDocs();

/// True for what the library offers, which says where it comes from. The rest serves the library itself.
bool isOffered(const CallableDecl &decl);

/// Prints what is known of a name: of the program's declarations and the built-in functions. False, and
/// nothing is printed, if there is none; `suggestion` is then the nearest name, or empty.
bool printDocumentation(llvm::StringRef name, const Program &program, const SourceManager &sources,
                        llvm::raw_ostream &os, std::string &suggestion);

/// Every name with the first sentence of its documentation, by kind; of the library what it offers.
void printDocumentationList(const Program &program, const SourceManager &sources, llvm::raw_ostream &os);

/// The page std/README.md.
void printLibraryPage(const Program &program, const SourceManager &sources, llvm::raw_ostream &os);

} // namespace dlc::frontend

#endif // DLC_FRONTEND_DOCUMENTATION_H
