// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `dlc fmt`: the one layout of a .dl file. The flow is Formatter.cpp: tokens and the comments between them
// (FormatterTokens.cpp), a tree of where lines may be broken (FormatterTree.cpp), the text
// (FormatterLayout.cpp), and the proof that nothing was lost.
//
// What the writer decides, and stays: which statements an empty line separates, where a comment stands, and
// whether a block stands on one line, as long as it fits. Everything else follows from the tokens alone, so
// that formatting a formatted text changes nothing.
#ifndef DLC_FRONTEND_FORMATTER_H
#define DLC_FRONTEND_FORMATTER_H

#include "frontend/Diagnostics.h"
#include <optional>
#include <string>

namespace dlc::frontend {

/// Columns of a line, in characters. Only what cannot be broken is longer: a comment, a string, a name.
constexpr unsigned formatWidth = 110;

/// The formatted text of a file. Nothing if it has syntax errors, which go to `diags`.
std::optional<std::string> formatFile(FileId file, const SourceManager &sources, DiagnosticEngine &diags);

/// What a formatted text has lost, or an empty string: it must have the tokens, the comments and the syntax
/// tree (with its documentation) of the original, which has no syntax errors. Ends of lines and `;` are
/// layout; the tree holds what they mean.
std::string findFormattingLoss(FileId original, const SourceManager &sources, llvm::StringRef formatted);

} // namespace dlc::frontend

#endif // DLC_FRONTEND_FORMATTER_H
