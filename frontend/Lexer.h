// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Text to tokens. A newline is a token where it may end a statement: not inside ( ) and [ ], not behind an
// operator or a comma, where the line goes on. A block inside brackets (`f(scan … { … })`) has newline tokens
// again.
#ifndef DLC_FRONTEND_LEXER_H
#define DLC_FRONTEND_LEXER_H

#include "frontend/Diagnostics.h"

namespace dlc::frontend {

enum class TokenKind {
#define DLC_TOKEN(name, spelling) name,
#define DLC_KEYWORD(name, spelling) name,
#include "frontend/Tokens.def"
};

/// As messages show it: `'+'`, `'let'`, `a name`, `the end of the line`.
std::string describe(TokenKind kind);

/// True for `let`, `layer`, …
bool isKeyword(TokenKind kind);

struct Token {
  TokenKind kind = TokenKind::EndOfFile;
  SourceRange range;
  llvm::StringRef text; ///< as written

  bool is(TokenKind other) const { return kind == other; }
  template <typename... Kinds> bool isAny(Kinds... kinds) const { return ((kind == kinds) || ...); }
  /// True for a name of that text: words such as `over` and `with` are keywords in their places only.
  bool isWord(llvm::StringRef word) const { return kind == TokenKind::Name && text == word; }
};

struct LexedFile {
  /// The last one is EndOfFile, and a Newline stands before it if anything does. Newlines never come in
  /// pairs.
  std::vector<Token> tokens;
  /// Every comment, from its `#` to the end of its line, in order.
  std::vector<SourceRange> comments;
};

/// Reads the whole file. A character that starts no token is an error, and becomes an Invalid token.
LexedFile lex(FileId file, const SourceManager &sources, DiagnosticEngine &diags);

} // namespace dlc::frontend

#endif // DLC_FRONTEND_LEXER_H
