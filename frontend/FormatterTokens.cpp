// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tokens for the formatter: which comments stand before each, whether a space does, and where a line may be
// broken. A token means different things in different places (`-`, `:`, `=`, `where`), which its neighbours
// and the brackets around it tell.
#include "frontend/FormatterImpl.h"
#include "llvm/ADT/SmallVector.h"

using namespace dlc::frontend;
using namespace dlc::frontend::format;
using llvm::StringRef;

unsigned format::displayWidth(StringRef text) {
  // Bytes that go on with a character of UTF-8 are not counted.
  return llvm::count_if(text, [](char c) { return (c & 0xC0) != 0x80; });
}

/// True if an empty line, or one with nothing but `;`, stands in what separates two tokens or comments.
static bool hasBlankLine(StringRef between) {
  size_t newline = between.find('\n');
  while (newline != StringRef::npos) {
    size_t next = between.find_first_not_of(" \t\r;", newline + 1);
    if (next == StringRef::npos || between[next] != '\n') {
      newline = next == StringRef::npos ? next : between.find('\n', next);
      continue;
    }
    return true;
  }
  return false;
}

//===----------------------------------------------------------------------===//
// Comments
//===----------------------------------------------------------------------===//

/// Joins the two lists of the lexer: every comment goes to the token behind it.
static std::vector<FormatToken> attachComments(const LexedFile &lexed, FileId file,
                                               const SourceManager &sources) {
  StringRef text = sources.text(file);
  std::vector<FormatToken> tokens;
  auto comment = lexed.comments.begin();
  uint32_t end = text.starts_with("\xEF\xBB\xBF") ? 3 : 0; // of what was read last
  bool afterEnd = false;
  for (const Token &token : lexed.tokens) {
    if (token.isAny(TokenKind::Newline, TokenKind::Semicolon)) {
      afterEnd = true;
      continue;
    }
    FormatToken result;
    result.kind = token.kind;
    result.text = token.text;
    result.width = displayWidth(token.text);
    result.line = sources.lineColumn(token.range).line;
    result.afterEnd = afterEnd;
    // The end of the file is said to be where the last token ends; the comments behind that belong to it.
    uint32_t begin = token.is(TokenKind::EndOfFile) ? text.size() : token.range.begin;
    for (; comment != lexed.comments.end() && comment->begin < begin; ++comment) {
      StringRef between = text.slice(end, comment->begin);
      result.comments.push_back({sources.text(*comment).rtrim(),
                                 !tokens.empty() && result.comments.empty() && !between.contains('\n'),
                                 hasBlankLine(between)});
      end = comment->end;
    }
    result.blankBefore = hasBlankLine(text.slice(end, begin));
    tokens.push_back(std::move(result));
    end = token.range.end;
    afterEnd = false;
  }
  return tokens;
}

//===----------------------------------------------------------------------===//
// Spaces and breaks
//===----------------------------------------------------------------------===//

namespace {
/// Walks over the tokens once and sets what depends on their neighbours.
class Annotator {
public:
  explicit Annotator(std::vector<FormatToken> &tokens) : tokens(tokens) {}
  void run();

private:
  /// What is known between two brackets.
  struct Scope {
    TokenKind open = TokenKind::LeftBrace;
    unsigned scans = 0;   ///< heads of scans that have not come to their block yet
    bool hasType = false; ///< a `:` has been read since the last comma: a type, or `carry`
  };

  const FormatToken &previous(size_t distance = 1) const {
    static const FormatToken none;
    return at >= distance ? tokens[at - distance] : none;
  }
  const FormatToken &next() const { return tokens[std::min(at + 1, tokens.size() - 1)]; }
  bool startsStatement() const;
  bool previousEndsOperand() const;
  bool isMember() const { return previous().kind == TokenKind::Dot; }
  bool isClauseWord() const;
  bool isSliceColon() const;
  bool isSpacedEqual() const;
  bool isPatternStar() const;
  bool isAttachedBracket() const;
  bool decideSpace() const;
  void decideBreaks();
  void updateScopes();

  std::vector<FormatToken> &tokens;
  size_t at = 0;
  llvm::SmallVector<Scope> scopes = {Scope()};
  std::vector<bool> isOperandEnd; ///< of each token before `at`
  bool previousIsUnary = false;   ///< the token before is a sign
  bool previousIsSlice = false;   ///< the token before is the `:` of a slice
  bool previousIsTight = false;   ///< the token before is an `=` without spaces
};
} // namespace

bool Annotator::startsStatement() const {
  return at == 0 || previous().kind == TokenKind::LeftBrace || previous().kind == TokenKind::EndOfFile ||
         (tokens[at].afterEnd && scopes.back().open == TokenKind::LeftBrace && scopes.back().scans == 0);
}

bool Annotator::previousEndsOperand() const {
  return at != 0 && isOperandEnd[at - 1];
}

/// The words that are keywords in their places: where one stands behind a value it can be nothing else, since
/// two values never follow each other in one statement. A function may be called `where`, too.
bool Annotator::isClauseWord() const {
  static constexpr StringRef words[] = {"where", "over", "axis", "reverse", "carry",
                                        "as",    "with", "clip", "every",   "on"};
  const FormatToken &token = tokens[at];
  if (token.kind != TokenKind::Name || !llvm::is_contained(words, token.text) || isMember() ||
      next().kind == TokenKind::LeftArrow)
    return false;
  return previous().kind == TokenKind::KwScan || previousEndsOperand() ||
         (previous().kind == TokenKind::Star && previous(2).kind == TokenKind::Dot);
}

bool Annotator::isSliceColon() const {
  return tokens[at].kind == TokenKind::Colon && scopes.back().open == TokenKind::LeftBracket &&
         scopes.back().scans == 0;
}

/// `let a = 1`, `report a = 1` and `x: int = 1` have spaces, `f(a=1)` and `over axis=1` have none.
bool Annotator::isSpacedEqual() const {
  if (previous().text == "axis" && previous(2).text == "over")
    return false;
  const Scope &scope = scopes.back();
  return scope.open == TokenKind::LeftBrace || scope.hasType || scope.scans != 0;
}

/// The `*` of `decoder.*` and `*.bias`.
bool Annotator::isPatternStar() const {
  return tokens[at].kind == TokenKind::Star && (isMember() || next().kind == TokenKind::Dot);
}

/// A bracket that calls or indexes what is before it.
bool Annotator::isAttachedBracket() const {
  if (previous().kind == TokenKind::KwGradient)
    return true;
  return previousEndsOperand() && !(previous().kind == TokenKind::RightBrace && tokens[at].afterEnd);
}

bool Annotator::decideSpace() const {
  const FormatToken &token = tokens[at];
  switch (previous().kind) {
  case TokenKind::LeftParen:
  case TokenKind::LeftBracket:
  case TokenKind::Dot:
  case TokenKind::DotDot:
    return false;
  case TokenKind::Comma:
    return token.kind != TokenKind::RightParen && token.kind != TokenKind::RightBracket;
  default:
    break;
  }
  switch (token.kind) {
  case TokenKind::RightParen:
  case TokenKind::RightBracket:
  case TokenKind::Comma:
  case TokenKind::DotDot:
  case TokenKind::Dot:
  case TokenKind::Colon:
    return false;
  case TokenKind::Equal:
    return isSpacedEqual();
  case TokenKind::Ellipsis: // of a pack with a name, `w...`
    return !previousEndsOperand();
  case TokenKind::LeftParen:
  case TokenKind::LeftBracket:
    if (isAttachedBracket())
      return false;
    break;
  default:
    break;
  }
  return !previousIsUnary && !previousIsSlice && !previousIsTight;
}

static BreakLevel levelOfOperator(TokenKind kind) {
  switch (kind) {
  case TokenKind::DotDot:
    return BreakLevel::Range;
  case TokenKind::KwOr:
    return BreakLevel::Or;
  case TokenKind::KwAnd:
    return BreakLevel::And;
  case TokenKind::EqualEqual:
  case TokenKind::NotEqual:
  case TokenKind::Less:
  case TokenKind::LessEqual:
  case TokenKind::Greater:
  case TokenKind::GreaterEqual:
    return BreakLevel::Comparison;
  case TokenKind::Plus:
  case TokenKind::Minus:
    return BreakLevel::Sum;
  case TokenKind::Star:
  case TokenKind::Slash:
  case TokenKind::SlashSlash:
  case TokenKind::Percent:
    return BreakLevel::Product;
  case TokenKind::StarStar:
    return BreakLevel::Power;
  default:
    return BreakLevel::None;
  }
}

void Annotator::decideBreaks() {
  FormatToken &token = tokens[at];
  if (isMember())
    return;
  switch (token.kind) {
  case TokenKind::Comma:
    token.behind = BreakLevel::Comma;
    return;
  case TokenKind::Equal:
    token.behind = isSpacedEqual() ? BreakLevel::Value : BreakLevel::Keyword;
    return;
  case TokenKind::LeftArrow:
    token.behind = BreakLevel::Value;
    return;
  case TokenKind::Arrow:
    token.before = BreakLevel::Clause;
    return;
  case TokenKind::KwElse:
    token.before = BreakLevel::Else;
    return;
  case TokenKind::KwFor: // of an optimizer's signature, `for p, g`, or a loop
    (startsStatement() ? token.behind : token.before) =
        startsStatement() ? BreakLevel::Keyword : BreakLevel::Clause;
    return;
  case TokenKind::KwIn:
    token.behind = BreakLevel::Keyword;
    return;
  default:
    break;
  }
  if (isClauseWord()) {
    if (llvm::is_contained({"where", "over", "reverse", "carry"}, token.text) && scopes.back().scans != 0)
      token.before = BreakLevel::Clause;
    token.behind = token.text == "axis" ? BreakLevel::None : BreakLevel::Keyword;
  } else if (isKeyword(token.kind) && startsStatement()) {
    token.behind = BreakLevel::Keyword;
  } else if (previousEndsOperand() && !isPatternStar()) {
    token.behind = levelOfOperator(token.kind);
  }
}

/// Enters and leaves brackets, and remembers what the token was.
void Annotator::updateScopes() {
  const FormatToken &token = tokens[at];
  bool isFirst = startsStatement();
  bool isWord = isClauseWord();
  bool wasOperand = previousEndsOperand();
  bool isOperand = false;
  previousIsUnary = false;
  previousIsSlice = isSliceColon();
  previousIsTight = token.kind == TokenKind::Equal && !isSpacedEqual();
  switch (token.kind) {
  case TokenKind::Name:
    isOperand = !isWord;
    break;
  case TokenKind::Integer:
  case TokenKind::Float:
  case TokenKind::String:
  case TokenKind::KwTrue:
  case TokenKind::KwFalse:
    isOperand = true;
    break;
  case TokenKind::LeftParen:
  case TokenKind::LeftBracket:
    scopes.push_back({token.kind});
    break;
  case TokenKind::LeftBrace:
    // What waits for its block has it.
    if (scopes.back().scans != 0)
      --scopes.back().scans;
    scopes.push_back({token.kind});
    break;
  case TokenKind::RightParen:
  case TokenKind::RightBracket:
  case TokenKind::RightBrace:
    isOperand = true;
    if (scopes.size() > 1)
      scopes.pop_back();
    break;
  case TokenKind::Comma:
    scopes.back().hasType = false;
    break;
  case TokenKind::Colon:
    scopes.back().hasType |= !isSliceColon();
    break;
  case TokenKind::Minus:
    previousIsUnary = !wasOperand;
    break;
  default:
    isOperand = isMember() && isKeyword(token.kind);
  }
  if (token.kind == TokenKind::KwScan && !isMember())
    ++scopes.back().scans;
  // A signature goes on over ends of lines until its block, as the head of a scan does.
  if (isFirst && scopes.size() == 1 && token.kind >= TokenKind::KwLayer && token.kind <= TokenKind::KwFit)
    ++scopes.back().scans;
  isOperandEnd.push_back(isOperand);
}

void Annotator::run() {
  for (at = 0; at < tokens.size(); ++at) {
    tokens[at].spaceBefore = at != 0 && decideSpace();
    decideBreaks();
    updateScopes();
  }
}

std::vector<FormatToken> format::annotateTokens(FileId file, const SourceManager &sources) {
  DiagnosticEngine ignored(sources);
  LexedFile lexed = lex(file, sources, ignored);
  std::vector<FormatToken> tokens = attachComments(lexed, file, sources);
  Annotator(tokens).run();
  return tokens;
}
