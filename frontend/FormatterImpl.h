// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What passes between the stages of the formatter, private to Formatter*.cpp.
#ifndef DLC_FRONTEND_FORMATTERIMPL_H
#define DLC_FRONTEND_FORMATTERIMPL_H

#include "frontend/Formatter.h"
#include "frontend/Lexer.h"
#include <memory>

namespace dlc::frontend::format {

//===----------------------------------------------------------------------===//
// Tokens
//===----------------------------------------------------------------------===//

/// A comment that stands before a token.
struct Comment {
  llvm::StringRef text;     ///< without blanks at its end
  bool isTrailing = false;  ///< behind other tokens on its line
  bool blankBefore = false; ///< an empty line stands before it
};

/// How eagerly a line is broken at a token; of several possible places in one stretch of text the smallest
/// value wins. Every kind but the last ones is a place where the grammar lets a line go on.
enum class BreakLevel : uint8_t {
  Else,    ///< before `else`: never broken, but it separates what is laid out on its own
  Clause,  ///< before `->`, `where`, `over`, `carry`, …
  Comma,   ///< behind `,`
  Value,   ///< behind `=` and `<-`: only if the value fits nowhere else
  Keyword, ///< behind `return`, `in`, a named argument's `=`: never broken
  Range,   ///< behind `..`
  Or,      ///< from here on: behind operators, from those that bind least to those that bind most
  And,
  Comparison,
  Sum,
  Product,
  Power,
  None,
};

/// A token other than the ends of lines and `;`, with what stands between it and the one before.
struct FormatToken {
  TokenKind kind = TokenKind::EndOfFile;
  llvm::StringRef text;
  unsigned width = 0;                   ///< in characters
  unsigned line = 0;                    ///< in the source
  std::vector<Comment> comments;        ///< before it
  bool blankBefore = false;             ///< an empty line stands directly before it
  bool afterEnd = false;                ///< the end of a line, or `;`, stands before it
  bool spaceBefore = false;             ///< on the same line as the token before, a space separates them
  BreakLevel before = BreakLevel::None; ///< whether a line may be broken before it
  BreakLevel behind = BreakLevel::None; ///< whether a line may be broken behind it
};

/// All tokens of a file without syntax errors. The last one is EndOfFile.
std::vector<FormatToken> annotateTokens(FileId file, const SourceManager &sources);

/// In characters.
unsigned displayWidth(llvm::StringRef text);

//===----------------------------------------------------------------------===//
// Tree
//===----------------------------------------------------------------------===//

enum class NodeKind {
  Token,
  Brackets, ///< ( … ) or [ … ]: at most one child
  Block,    ///< { … }: its children are statements
  Sequence, ///< children that nothing separates: f, (…), .weight
  Chain,    ///< children between which a line may be broken, all at one level
};

struct Node {
  NodeKind kind = NodeKind::Token;
  BreakLevel level = BreakLevel::None; ///< of a Chain
  unsigned hang = 0;                   ///< of a Chain: by how much its later lines are indented
  const FormatToken *first = nullptr;  ///< of Brackets and Block: the opening one
  const FormatToken *last = nullptr;   ///< of Brackets and Block: the closing one
  std::vector<std::unique_ptr<Node>> children;

  // Measures, in columns, without the space before the first token.
  unsigned flat = 0;      ///< up to the first forced end of line: a comment, or the `{` of a block
  bool isForced = false;  ///< there is one
  unsigned lead = 0;      ///< up to the first place where a line can be broken
  bool isRigid = false;   ///< there is none: lead is the whole
  unsigned need = 0;      ///< what its widest line takes if every possible break is made
  unsigned oneLine = 0;   ///< the whole on one line, its blocks included
  bool hasOneLine = true; ///< all of its blocks stand on one line in the source, and it has no comment
};

/// The statements of a file: its declarations. `tokens` must outlive the result.
std::vector<std::unique_ptr<Node>> buildStatements(llvm::ArrayRef<FormatToken> tokens);

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

/// `end` is the EndOfFile token, which holds the comments at the end.
std::string layOut(llvm::ArrayRef<std::unique_ptr<Node>> statements, const FormatToken &end);

} // namespace dlc::frontend::format

#endif // DLC_FRONTEND_FORMATTERIMPL_H
