// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/Lexer.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/ConvertUTF.h"

using namespace dlc::frontend;
using llvm::StringRef;

std::string dlc::frontend::describe(TokenKind kind) {
  switch (kind) {
#define DLC_TOKEN(name, spelling)                                                                            \
  case TokenKind::name:                                                                                      \
    return spelling;
#define DLC_KEYWORD(name, spelling)                                                                          \
  case TokenKind::name:                                                                                      \
    return "'" spelling "'";
#include "frontend/Tokens.def"
  }
  return "";
}

bool dlc::frontend::isKeyword(TokenKind kind) {
  return kind >= TokenKind::KwImport;
}

static TokenKind classifyWord(StringRef word) {
  return llvm::StringSwitch<TokenKind>(word)
#define DLC_KEYWORD(name, spelling) .Case(spelling, TokenKind::name)
#include "frontend/Tokens.def"
      .Default(TokenKind::Name);
}

static bool isWordStart(char c) {
  return llvm::isAlpha(c) || c == '_';
}
static bool isWordPart(char c) {
  return llvm::isAlnum(c) || c == '_';
}

/// True if a line that ends in this token goes on in the next one: an operator, a comma, anything that wants
/// more.
static bool continuesLine(TokenKind kind) {
  switch (kind) {
  case TokenKind::Comma:
  case TokenKind::Dot:
  case TokenKind::DotDot:
  case TokenKind::Arrow:
  case TokenKind::LeftArrow:
  case TokenKind::Equal:
  case TokenKind::Plus:
  case TokenKind::Minus:
  case TokenKind::Star:
  case TokenKind::StarStar:
  case TokenKind::Slash:
  case TokenKind::SlashSlash:
  case TokenKind::Percent:
  case TokenKind::EqualEqual:
  case TokenKind::NotEqual:
  case TokenKind::Less:
  case TokenKind::LessEqual:
  case TokenKind::Greater:
  case TokenKind::GreaterEqual:
  case TokenKind::KwAnd:
  case TokenKind::KwOr:
  case TokenKind::KwNot:
  case TokenKind::KwIn:
    return true;
  default:
    return false;
  }
}

/// True if no expression can contain this keyword outside of a block.
static bool startsStatement(TokenKind kind) {
  switch (kind) {
  case TokenKind::KwIn:
  case TokenKind::KwScan:
  case TokenKind::KwAnd:
  case TokenKind::KwOr:
  case TokenKind::KwNot:
  case TokenKind::KwTrue:
  case TokenKind::KwFalse:
    return false;
  default:
    return isKeyword(kind);
  }
}

namespace {
class Lexer {
public:
  Lexer(FileId file, const SourceManager &sources, DiagnosticEngine &diags)
      : file(file), text(sources.text(file)), diags(diags) {}
  LexedFile run();

private:
  char peek(size_t ahead = 0) const { return at + ahead < text.size() ? text[at + ahead] : '\0'; }
  SourceRange range(size_t begin, size_t end) const {
    return {file, static_cast<uint32_t>(begin), static_cast<uint32_t>(end)};
  }
  void add(TokenKind kind, size_t begin, size_t end) {
    result.tokens.push_back({kind, range(begin, end), text.slice(begin, end)});
    startsLine = false;
  }
  void lexNewline();
  void lexComment();
  void lexWord();
  void lexNumber();
  void lexString();
  void lexOperator();
  void endStatement();
  void reportCharacter();
  bool isInBrackets() const { return !open.empty() && open.back() != '{'; }

  FileId file;
  StringRef text;
  DiagnosticEngine &diags;
  size_t at = 0;
  llvm::SmallVector<char> open; ///< the brackets that are open: in ( and [ a newline is a space
  bool startsLine = false;      ///< no token has been read on this line yet
  LexedFile result;
};
} // namespace

LexedFile Lexer::run() {
  at = text.starts_with("\xEF\xBB\xBF") ? 3 : 0; // a byte order mark
  while (at < text.size()) {
    char c = peek();
    if (c == '\n')
      lexNewline();
    else if (c == ' ' || c == '\t' || c == '\r')
      ++at;
    else if (c == '#')
      lexComment();
    else if (isWordStart(c))
      lexWord();
    else if (llvm::isDigit(c))
      lexNumber();
    else if (c == '"')
      lexString();
    else
      lexOperator();
  }
  lexNewline();
  // Where something is missing at the end, the message points behind what is there.
  size_t end = result.tokens.size() > 1 ? result.tokens[result.tokens.size() - 2].range.end : 0;
  add(TokenKind::EndOfFile, end, end);
  return std::move(result);
}

void Lexer::lexNewline() {
  std::vector<Token> &tokens = result.tokens;
  bool endsStatement = !tokens.empty() && !tokens.back().is(TokenKind::Newline) &&
                       !(at < text.size() && (isInBrackets() || continuesLine(tokens.back().kind)));
  size_t end = std::min(at + 1, text.size());
  if (endsStatement)
    add(TokenKind::Newline, at, end);
  startsLine = true;
  at = end;
}

void Lexer::lexComment() {
  size_t begin = at;
  at = std::min(text.find('\n', at), text.size());
  result.comments.push_back(range(begin, at));
}

void Lexer::lexWord() {
  size_t begin = at;
  while (isWordPart(peek()))
    ++at;
  TokenKind kind = classifyWord(text.slice(begin, at));
  if (startsLine && startsStatement(kind))
    endStatement();
  add(kind, begin, at);
}

/// A line that starts with `let`, or a `}`, shows that what is before it was forgotten to be finished: a
/// bracket is open, or an operator has no right side. Ending the statement here confines the error to it.
void Lexer::endStatement() {
  if (result.tokens.empty() || result.tokens.back().isAny(TokenKind::Newline, TokenKind::Dot))
    return;
  while (isInBrackets())
    open.pop_back();
  size_t end = result.tokens.back().range.end;
  add(TokenKind::Newline, end, end);
}

/// number  ::= digits ("." digits)? (("e" | "E") ("+" | "-")? digits)?
/// digits  ::= digit (digit | "_")*
/// `0..6` is a range and `x[0].weight` a member: a point belongs to a number only before a digit.
void Lexer::lexNumber() {
  size_t begin = at;
  bool isFloat = false;
  auto skipDigits = [&] {
    while (llvm::isDigit(peek()) || peek() == '_')
      ++at;
  };
  skipDigits();
  // Behind a point stands the number of a part, as in layers.0.weight.
  bool isPart = !result.tokens.empty() && result.tokens.back().kind == TokenKind::Dot;
  if (isPart) {
    add(TokenKind::Integer, begin, at);
    return;
  }
  if (peek() == '.' && llvm::isDigit(peek(1))) {
    isFloat = true;
    ++at;
    skipDigits();
  }
  if (peek() == 'e' || peek() == 'E') {
    size_t sign = peek(1) == '+' || peek(1) == '-';
    if (llvm::isDigit(peek(1 + sign))) {
      isFloat = true;
      at += 1 + sign;
      skipDigits();
    }
  }
  size_t end = at;
  while (isWordPart(peek()))
    ++at;
  if (at != end)
    diags.error(range(begin, at), "'" + text.slice(begin, at) +
                                      "' is neither a number nor a name: a name starts with a letter or '_'");
  else if (peek() == '.' && peek(1) != '.' && !isWordStart(peek(1)) && !isFloat) {
    ++at;
    diags.error(range(begin, at), "a number has a digit behind its point")
        .suggest(text.slice(begin, at) + "0");
    isFloat = true;
  }
  add(isFloat ? TokenKind::Float : TokenKind::Integer, begin, end);
}

/// string ::= '"' (any character but '"', '\' and newline | '\' ('n' | 't' | '"' | '\'))* '"'
void Lexer::lexString() {
  size_t begin = at++;
  while (at < text.size() && peek() != '"' && peek() != '\n') {
    if (peek() == '\\') {
      if (!StringRef("nt\"\\").contains(peek(1)) || at + 1 >= text.size()) {
        // Shown with the whole character behind the backslash.
        size_t end = std::min(at + 2, text.size());
        while (end < text.size() && (text[end] & 0xC0) == 0x80)
          ++end;
        diags.error(range(at, end), "unknown escape in a string; there are \\n, \\t, \\\" and \\\\");
      }
      if (peek(1) != '\n')
        ++at;
    }
    ++at;
  }
  at = std::min(at, text.size());
  if (peek() != '"' || at >= text.size())
    diags.error(range(begin, at), "this string does not end on its line; expected a closing '\"'");
  else
    ++at;
  add(TokenKind::String, begin, at);
  StringRef content = result.tokens.back().text;
  if (!llvm::isLegalUTF8String(
          [p = reinterpret_cast<const llvm::UTF8 *>(content.begin())]() mutable { return &p; }(),
          reinterpret_cast<const llvm::UTF8 *>(content.end())))
    diags.error(range(begin, at), "this string is not valid UTF-8");
}

void Lexer::lexOperator() {
  static constexpr std::pair<const char *, TokenKind> operators[] = {
      // Longer ones first.
      {"...", TokenKind::Ellipsis},    {"..", TokenKind::DotDot},      {"->", TokenKind::Arrow},
      {"<-", TokenKind::LeftArrow},    {"**", TokenKind::StarStar},    {"//", TokenKind::SlashSlash},
      {"==", TokenKind::EqualEqual},   {"!=", TokenKind::NotEqual},    {"<=", TokenKind::LessEqual},
      {">=", TokenKind::GreaterEqual}, {"(", TokenKind::LeftParen},    {")", TokenKind::RightParen},
      {"[", TokenKind::LeftBracket},   {"]", TokenKind::RightBracket}, {"{", TokenKind::LeftBrace},
      {"}", TokenKind::RightBrace},    {",", TokenKind::Comma},        {":", TokenKind::Colon},
      {";", TokenKind::Semicolon},     {".", TokenKind::Dot},          {"=", TokenKind::Equal},
      {"+", TokenKind::Plus},          {"-", TokenKind::Minus},        {"*", TokenKind::Star},
      {"/", TokenKind::Slash},         {"%", TokenKind::Percent},      {"<", TokenKind::Less},
      {">", TokenKind::Greater},
  };
  StringRef rest = text.substr(at);
  for (auto [spelling, kind] : operators) {
    if (!rest.starts_with(spelling))
      continue;
    if (kind == TokenKind::RightBrace && (startsLine || isInBrackets()))
      endStatement();
    size_t begin = at;
    at += StringRef(spelling).size();
    add(kind, begin, at);
    // A closing bracket without its opening one is the parser's to report.
    if (StringRef("([{").contains(spelling[0]))
      open.push_back(spelling[0]);
    else if (StringRef(")]}").contains(spelling[0]) && !open.empty())
      open.pop_back();
    return;
  }
  reportCharacter();
}

void Lexer::reportCharacter() {
  size_t begin = at++;
  while ((peek() & 0xC0) == 0x80)
    ++at;
  add(TokenKind::Invalid, begin, at);
  StringRef character = text.slice(begin, at);
  unsigned char first = character[0];
  if (first < 0x20 || first == 0x7F) {
    diags.error(range(begin, at), "unexpected control character 0x" + llvm::utohexstr(first));
    return;
  }
  const auto *p = reinterpret_cast<const llvm::UTF8 *>(character.begin());
  if (!llvm::isLegalUTF8String(&p, reinterpret_cast<const llvm::UTF8 *>(character.end()))) {
    diags.error(range(begin, at), "this byte is not valid UTF-8: 0x" + llvm::utohexstr(first));
    return;
  }
  if (first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0) { // U+0080 to U+009F
    diags.error(range(begin, at), "unexpected control character 0x" +
                                      llvm::utohexstr(static_cast<unsigned char>(character[1])));
    return;
  }
  Diagnostic &error = diags.error(range(begin, at), "unexpected character '" + character + "'");
  StringRef meant = llvm::StringSwitch<StringRef>(character)
                        .Case("@", "matmul(a, b)")
                        .Case("!", "not")
                        .Case("&", "and")
                        .Case("|", "or")
                        .Case("^", "**")
                        .Case("'", "\"")
                        .Cases({"×", "·"}, "*")
                        .Case("−", "-")
                        .Case("≤", "<=")
                        .Case("≥", ">=")
                        .Case("≠", "!=")
                        .Case("←", "<-")
                        .Case("→", "->")
                        .Default("");
  error.suggest(meant);
}

LexedFile dlc::frontend::lex(FileId file, const SourceManager &sources, DiagnosticEngine &diags) {
  return Lexer(file, sources, diags).run();
}
