// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/ParserImpl.h"
#include "llvm/ADT/StringSwitch.h"

using namespace dlc::frontend;
using llvm::SmallVector;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Blocks, recovery, placement
//===----------------------------------------------------------------------===//

/// True if a line that starts with this keyword is outside of every block. `train` and `eval` also start
/// lines of a fit block, which is not parsed here.
static bool startsDecl(TokenKind kind) {
  return kind >= TokenKind::KwImport && kind <= TokenKind::KwFit;
}

/// block ::= "{" (statement end | end)* statement? "}"
const Block *ParserImpl::parseBlock() {
  Nesting nesting(*this);
  if (!nesting)
    return nullptr;
  skipNewlineBefore(TokenKind::LeftBrace);
  SourceRange begin = here();
  if (is(TokenKind::Equal)) {
    diags.error(here(), "expected '{' and the body, found '='; a comparison is written '=='");
    return nullptr;
  }
  if (!expect(TokenKind::LeftBrace, "and the body"))
    return nullptr;
  SmallVector<const Stmt *> stmts;
  while (!is(TokenKind::RightBrace)) {
    if (accept(TokenKind::Newline) || accept(TokenKind::Semicolon))
      continue;
    if (is(TokenKind::EndOfFile) || startsDecl(token().kind)) {
      diags.error(here(), "expected '}' at the end of this block, found " + describeToken(token()))
          .note("the block starts here", begin);
      return nullptr;
    }
    const Stmt *stmt = parseStmt();
    if (stmt)
      stmts.push_back(stmt);
    if (!stmt || !expectStatementEnd("this statement"))
      skipStatement();
  }
  take();
  auto *block = context.create<Block>();
  block->stmts = context.copy(llvm::ArrayRef<const Stmt *>(stmts));
  block->range = since(begin);
  return block;
}

bool ParserImpl::expectStatementEnd(StringRef after) {
  if (token().isAny(TokenKind::Newline, TokenKind::Semicolon, TokenKind::RightBrace, TokenKind::EndOfFile))
    return true;
  if (is(TokenKind::Equal))
    diags.error(here(),
                "expected the end of the line behind " + after + ", found '='; a comparison is written '=='");
  else
    reportExpected("the end of the line behind " + after);
  return false;
}

/// Skips to the end of the current statement, whole blocks included. Stops before a `}` that closes the block
/// around it, and before a declaration.
void ParserImpl::skipStatement() {
  unsigned open = 0;
  for (; !is(TokenKind::EndOfFile); take()) {
    bool startsLine = at != 0 && lexed.tokens[at - 1].is(TokenKind::Newline);
    if (startsLine && startsDecl(token().kind) && declKind != DeclKind::Fit)
      return;
    if (is(TokenKind::LeftBrace))
      ++open;
    else if (is(TokenKind::RightBrace) && open-- == 0)
      return;
    else if (token().isAny(TokenKind::Newline, TokenKind::Semicolon) && open == 0)
      return;
  }
}

/// Where statements belong: one bit per kind of declaration.
static constexpr unsigned bit(DeclKind kind) {
  return 1u << static_cast<unsigned>(kind);
}

namespace {
struct Placement {
  unsigned kinds;
  const char *text;
};
} // namespace

static std::optional<Placement> placementOf(TokenKind keyword) {
  switch (keyword) {
  case TokenKind::KwParam:
    return Placement{bit(DeclKind::Layer) | bit(DeclKind::Model), "a layer or a model"};
  case TokenKind::KwState:
    return Placement{bit(DeclKind::Layer) | bit(DeclKind::Model) | bit(DeclKind::Optimizer),
                     "a layer, a model or an optimizer"};
  case TokenKind::KwAccumulate:
  case TokenKind::KwFinish:
    return Placement{bit(DeclKind::Metric), "a metric"};
  case TokenKind::KwMinimize:
    return Placement{bit(DeclKind::Train), "a train entry"};
  case TokenKind::KwReport:
    return Placement{bit(DeclKind::Train) | bit(DeclKind::Eval), "a train or an eval entry"};
  case TokenKind::KwGradient:
    return Placement{bit(DeclKind::Layer) | bit(DeclKind::Function), "a layer or a function"};
  case TokenKind::KwReturn:
    return Placement{bit(DeclKind::Layer) | bit(DeclKind::Function) | bit(DeclKind::Model) |
                         bit(DeclKind::Infer) | bit(DeclKind::Schedule) | bit(DeclKind::Initializer),
                     "a layer, a function, a model, an infer entry, a schedule or an initializer"};
  default:
    return std::nullopt;
  }
}

bool ParserImpl::checkPlacement() {
  StringRef keyword = token().text;
  if (is(TokenKind::KwYield) && scanDepth == 0) {
    diags.error(here(), "'yield' belongs in a scan");
    return false;
  }
  if (scanDepth != 0 && token().isAny(TokenKind::KwReturn, TokenKind::KwMinimize, TokenKind::KwReport,
                                      TokenKind::KwAccumulate, TokenKind::KwFinish)) {
    diags.error(here(),
                "'" + keyword + "' cannot stand in a scan; a scan gives values with 'yield' and carries");
    return false;
  }
  std::optional<Placement> placement = placementOf(token().kind);
  if (!placement || (placement->kinds & bit(declKind)))
    return true;
  diags.error(here(),
              "'" + keyword + "' belongs in " + placement->text + ", this is " + describeKind(declKind));
  return false;
}

/// statement ::= let | var | assignment | param | state | finish | if | for | return | yield | minimize |
/// report
///             | gradient
const Stmt *ParserImpl::parseStmt() {
  // The tree of a scan's body hangs below the expression that the scan is in: it counts with it.
  if (scanDepth == 0)
    operators = 0;
  if (!checkPlacement())
    return nullptr;
  return parseStmtByKeyword();
}

const Stmt *ParserImpl::parseStmtByKeyword() {
  switch (token().kind) {
  case TokenKind::KwLet:
    return parseLet();
  case TokenKind::KwVar:
    return parseVar();
  case TokenKind::KwParam:
    return parseParam();
  case TokenKind::KwState:
  case TokenKind::KwAccumulate:
    return parseState();
  case TokenKind::KwFinish:
    return parseFinish();
  case TokenKind::KwIf:
    return parseIf();
  case TokenKind::KwFor:
    return parseFor();
  case TokenKind::KwScan:
    return parseScanStmt();
  case TokenKind::KwReturn:
    return parseReturn();
  case TokenKind::KwYield:
    return parseYield();
  case TokenKind::KwMinimize:
    return parseMinimize();
  case TokenKind::KwReport:
    return parseReport();
  case TokenKind::KwGradient:
    return parseGradient();
  case TokenKind::KwElse:
    diags.error(here(), "this 'else' has no 'if'; it stands behind the '}' of one");
    return nullptr;
  case TokenKind::Name:
    return token(1).is(TokenKind::LeftArrow) ? parseAssign() : reportBareExpression();
  default:
    return reportBareExpression();
  }
}

/// Something that is no statement: says what the writer may have meant.
const Stmt *ParserImpl::reportBareExpression() {
  static constexpr StringRef words[] = {"let", "var",    "param", "state",    "accumulate", "finish",  "if",
                                        "for", "return", "yield", "minimize", "report",     "gradient"};
  const Token &first = token();
  if (first.is(TokenKind::Name) && token(1).is(TokenKind::Name)) { // as in `retrun x`
    StringRef meant = llvm::StringSwitch<StringRef>(first.text)
                          .Cases({"const", "val"}, "let")
                          .Case("while", "for")
                          .Case("elif", "else if")
                          .Default(nearestName(first.text, words));
    diags.error(first.range, "expected a statement, found '" + first.text + "'").suggest(meant);
    return nullptr;
  }
  if (first.is(TokenKind::Name) && token(1).isAny(TokenKind::Equal, TokenKind::Colon)) {
    diags.error(token(1).range, "'" + first.text + "' is bound with 'let " + first.text +
                                    " = …', or changed with '" + first.text + " <- …' if it is a 'var'");
    return nullptr;
  }
  SourceRange begin = here();
  if (isKeyword(first.kind) && !first.isAny(TokenKind::KwNot, TokenKind::KwTrue, TokenKind::KwFalse))
    return reportExpected("a statement");
  const Expr *value = parseExpr();
  if (!value)
    return nullptr;
  if (is(TokenKind::LeftArrow))
    diags.error(since(begin), "'<-' changes a variable; expected its name on the left");
  else
    diags.error(since(begin), "this value is not used; bind it with 'let' or give it back with 'return'");
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Bindings
//===----------------------------------------------------------------------===//

/// let    ::= "let" target (":" type)? "=" expr
/// target ::= name | "(" name ("," name)* ","? ")" | name "[" index-bindings "]"
const Stmt *ParserImpl::parseLet() {
  SourceRange begin = take().range;
  auto *stmt = context.create<LetStmt>(begin);
  SmallVector<Identifier, 2> names;
  auto parseName = [&] {
    auto name = expectName("a name");
    if (name)
      names.push_back(*name);
    return name.has_value();
  };
  SourceRange open = here();
  if (accept(TokenKind::LeftParen)) {
    stmt->isTuple = true;
    if (!parseList(TokenKind::RightParen, parseName))
      return nullptr;
    if (names.empty()) {
      diags.error(since(open), "expected the names of the parts, as in let (a, b) = …");
      return nullptr;
    }
  } else if (!parseName()) {
    return nullptr;
  } else if (is(TokenKind::Comma)) {
    diags.error(here(), "expected '=', found ','; the parts of a tuple are bound with parentheses, "
                        "let (a, b) = …");
    return nullptr;
  }
  stmt->names = context.copy(llvm::ArrayRef<Identifier>(names));
  if (!stmt->isTuple && accept(TokenKind::LeftBracket)) {
    stmt->isIndexed = true;
    SmallVector<IndexBinding> bindings;
    if (!parseIndexBindings(bindings, "an index"))
      return nullptr;
    stmt->indices = context.copy(llvm::ArrayRef<IndexBinding>(bindings));
  }
  if (accept(TokenKind::Colon) && !(stmt->type = parseType()))
    return nullptr;
  if (is(TokenKind::LeftArrow)) {
    diags.error(here(), "'let' binds a name for good with '='; 'var' makes one that '<-' can change");
    return nullptr;
  }
  if (!expect(TokenKind::Equal, "and the value"))
    return nullptr;
  stmt->value = parseExpr();
  if (!stmt->value)
    return nullptr;
  stmt->range = since(begin);
  return stmt;
}

/// index-bindings ::= (index-binding ("," index-binding)* ","?)?
/// index-binding  ::= name ("in" expr ".." expr)?
/// Called behind "[", takes the "]".
bool ParserImpl::parseIndexBindings(llvm::SmallVectorImpl<IndexBinding> &bindings, StringRef what) {
  auto parseBinding = [&] {
    IndexBinding binding;
    auto name = expectName(what);
    if (!name)
      return false;
    binding.name = *name;
    for (const IndexBinding &other : bindings)
      if (other.name.text == name->text)
        diags.error(name->range, "there are two indices '" + name->text + "'")
            .note("the first one is here", other.name.range);
    if (accept(TokenKind::KwIn)) {
      const Expr *extent = parseExpr();
      if (!extent)
        return false;
      binding.extent = llvm::dyn_cast<RangeExpr>(extent);
      if (!binding.extent) {
        diags.error(extent->range,
                    "expected the range of '" + name->text + "', as in " + name->text + " in 0..3");
        return false;
      }
    }
    bindings.push_back(binding);
    return true;
  };
  return parseList(TokenKind::RightBracket, parseBinding);
}

/// declarator ::= name (":" type)? "=" expr
bool ParserImpl::parseDeclarator(Declarator &result, StringRef what, Part type) {
  SourceRange begin = here();
  auto name = expectName(what);
  if (!name)
    return false;
  result.name = *name;
  if (accept(TokenKind::Colon)) {
    if (!(result.type = parseType()))
      return false;
  } else if (type == Part::Required) {
    reportExpected("':' and the type of '" + name->text + "'");
    return false;
  }
  if (!accept(TokenKind::Equal)) {
    reportExpected("'=' and the initial value of '" + name->text + "'");
    return false;
  }
  if (!(result.init = parseExpr()))
    return false;
  result.range = since(begin);
  return true;
}

/// var ::= "var" declarator
const Stmt *ParserImpl::parseVar() {
  SourceRange begin = take().range;
  auto *stmt = context.create<VarStmt>(begin);
  if (!parseDeclarator(stmt->variable, "the name of the variable", Part::Optional))
    return nullptr;
  stmt->range = since(begin);
  return stmt;
}

/// assignment ::= name "<-" expr
const Stmt *ParserImpl::parseAssign() {
  const Token &name = take();
  auto *stmt = context.create<AssignStmt>(name.range);
  stmt->target = {name.text, name.range};
  take();
  stmt->value = parseExpr();
  if (!stmt->value)
    return nullptr;
  stmt->range = since(name.range);
  return stmt;
}

/// param ::= "param" name ":" type "=" expr ("as" expr)?
const Stmt *ParserImpl::parseParam() {
  SourceRange begin = take().range;
  auto *stmt = context.create<ParamStmt>(begin);
  if (!parseDeclarator(stmt->variable, "the name of the parameter", Part::Required))
    return nullptr;
  if (acceptWord("as") && !(stmt->known = parseExpr()))
    return nullptr;
  stmt->range = since(begin);
  return stmt;
}

/// state ::= ("state" | "accumulate") declarator ("," declarator)*
const Stmt *ParserImpl::parseState() {
  SourceRange begin = here();
  auto *stmt = context.create<StateStmt>(begin);
  stmt->isAccumulate = take().is(TokenKind::KwAccumulate);
  StringRef what = stmt->isAccumulate ? "the name of the accumulator" : "the name of the state";
  SmallVector<Declarator, 2> variables;
  do {
    if (!parseDeclarator(variables.emplace_back(), what, Part::Optional))
      return nullptr;
  } while (accept(TokenKind::Comma));
  stmt->variables = context.copy(llvm::ArrayRef<Declarator>(variables));
  stmt->range = since(begin);
  return stmt;
}

//===----------------------------------------------------------------------===//
// Control
//===----------------------------------------------------------------------===//

/// if ::= "if" expr block ("else" (if | block))?
const Stmt *ParserImpl::parseIf() {
  Nesting nesting(*this);
  if (!nesting)
    return nullptr;
  SourceRange begin = take().range;
  auto *stmt = context.create<IfStmt>(begin);
  stmt->condition = parseExpr();
  if (!stmt->condition)
    return nullptr;
  stmt->thenBlock = parseBlock();
  if (!stmt->thenBlock)
    return nullptr;
  skipNewlineBefore(TokenKind::KwElse);
  if (accept(TokenKind::KwElse)) {
    if (is(TokenKind::KwIf)) {
      const Stmt *nested = parseIf();
      if (!nested)
        return nullptr;
      auto *block = context.create<Block>();
      block->stmts = context.copy(llvm::ArrayRef<const Stmt *>(nested));
      block->range = nested->range;
      stmt->elseBlock = block;
    } else if (!(stmt->elseBlock = parseBlock())) {
      return nullptr;
    }
  }
  stmt->range = since(begin);
  return stmt;
}

/// for ::= "for" name "in" expr ("as" name)? block
const Stmt *ParserImpl::parseFor() {
  SourceRange begin = take().range;
  auto *stmt = context.create<ForStmt>(begin);
  auto variable = expectName("the name of the loop's variable");
  if (!variable)
    return nullptr;
  stmt->variable = *variable;
  if (!expect(TokenKind::KwIn, "and a range, as in for i in 0..6"))
    return nullptr;
  stmt->sequence = parseExpr();
  if (!stmt->sequence)
    return nullptr;
  if (acceptWord("as")) {
    auto name = expectName("the name of the loop's instances");
    if (!name)
      return nullptr;
    stmt->as = *name;
  }
  stmt->body = parseBlock();
  if (!stmt->body)
    return nullptr;
  stmt->range = since(begin);
  return stmt;
}

/// scan-statement ::= scan
const Stmt *ParserImpl::parseScanStmt() {
  SourceRange begin = here();
  const Expr *scan = parseScan();
  if (!scan)
    return nullptr;
  auto *stmt = context.create<ScanStmt>(since(begin));
  stmt->scan = llvm::cast<ScanExpr>(scan);
  return stmt;
}

/// return ::= "return" expr
const Stmt *ParserImpl::parseReturn() {
  SourceRange begin = take().range;
  auto *stmt = context.create<ReturnStmt>(begin);
  stmt->value = parseExpr();
  if (!stmt->value)
    return nullptr;
  if (is(TokenKind::Comma)) {
    diags.error(here(),
                "expected the end of the line, found ','; several values are given back with parentheses, "
                "return (a, b)");
    return nullptr;
  }
  stmt->range = since(begin);
  return stmt;
}

/// yield ::= "yield" expr
const Stmt *ParserImpl::parseYield() {
  SourceRange begin = take().range;
  auto *stmt = context.create<YieldStmt>(begin);
  stmt->value = parseExpr();
  if (!stmt->value)
    return nullptr;
  if (is(TokenKind::Comma)) {
    diags.error(here(), "expected the end of the line, found ','; several values are given with parentheses, "
                        "yield (a, b)");
    return nullptr;
  }
  stmt->range = since(begin);
  return stmt;
}

/// finish ::= "finish" expr
const Stmt *ParserImpl::parseFinish() {
  SourceRange begin = take().range;
  auto *stmt = context.create<FinishStmt>(begin);
  stmt->value = parseExpr();
  if (!stmt->value)
    return nullptr;
  stmt->range = since(begin);
  return stmt;
}
