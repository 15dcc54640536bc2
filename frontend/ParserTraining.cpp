// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The statements of entries, and a layer's own gradient.
#include "frontend/ParserImpl.h"

using namespace dlc::frontend;
using llvm::SmallVector;
using llvm::StringRef;

/// minimize ::= "minimize" expr ("with" expr | "over" group ("," group)*) ("clip" expr)? ("every" expr)?
const Stmt *ParserImpl::parseMinimize() {
  SourceRange begin = take().range;
  auto *stmt = context.create<MinimizeStmt>(begin);
  stmt->loss = parseExpr();
  if (!stmt->loss)
    return nullptr;
  SmallVector<MinimizeGroup, 2> groups;
  SourceRange groupBegin = here();
  if (acceptWord("over")) {
    do {
      if (!parseMinimizeGroup(groups))
        return nullptr;
    } while (accept(TokenKind::Comma));
  } else if (acceptWord("with")) {
    MinimizeGroup &group = groups.emplace_back();
    group.optimizer = parseExpr();
    if (!group.optimizer)
      return nullptr;
    group.range = since(groupBegin);
  } else {
    return reportExpected("'with' and an optimizer, or 'over' and parameters");
  }
  stmt->groups = context.copy(llvm::ArrayRef<MinimizeGroup>(groups));
  if (acceptWord("clip") && !(stmt->clip = parseExpr()))
    return nullptr;
  if (acceptWord("every") && !(stmt->every = parseExpr()))
    return nullptr;
  stmt->range = since(begin);
  return stmt;
}

/// group ::= pattern ("," pattern)* "with" expr
bool ParserImpl::parseMinimizeGroup(llvm::SmallVectorImpl<MinimizeGroup> &groups) {
  SourceRange begin = here();
  SmallVector<ParameterPattern, 2> patterns;
  do {
    if (!parsePattern(patterns))
      return false;
  } while (accept(TokenKind::Comma));
  if (!acceptWord("with")) {
    reportExpected("'with' and an optimizer for these parameters");
    return false;
  }
  MinimizeGroup &group = groups.emplace_back();
  group.patterns = context.copy(llvm::ArrayRef<ParameterPattern>(patterns));
  group.optimizer = parseExpr();
  group.range = since(begin);
  return group.optimizer != nullptr;
}

/// pattern ::= "rest" | part ("." part)*
/// part    ::= name | digits | "*"
bool ParserImpl::parsePattern(llvm::SmallVectorImpl<ParameterPattern> &patterns) {
  SourceRange begin = here();
  ParameterPattern pattern;
  if (token().isWord("rest") && !token(1).is(TokenKind::Dot)) {
    take();
    pattern.isRest = true;
  } else {
    SmallVector<StringRef> parts;
    do {
      if (token().isAny(TokenKind::Name, TokenKind::Integer, TokenKind::Star) || isKeyword(token().kind)) {
        parts.push_back(take().text);
      } else {
        reportExpected(parts.empty() ? "parameters, as in decoder.*, head.weight or rest"
                                     : "a part of the parameters' name or '*'");
        return false;
      }
    } while (accept(TokenKind::Dot));
    pattern.parts = context.copy(llvm::ArrayRef<StringRef>(parts));
  }
  pattern.range = since(begin);
  patterns.push_back(pattern);
  return true;
}

/// report ::= "report" report-item ("," report-item)*
/// report-item ::= (name "=")? expr
const Stmt *ParserImpl::parseReport() {
  SourceRange begin = take().range;
  auto *stmt = context.create<ReportStmt>(begin);
  SmallVector<Argument> items;
  do {
    if (!parseArgument(items))
      return nullptr;
  } while (accept(TokenKind::Comma));
  stmt->items = context.copy(llvm::ArrayRef<Argument>(items));
  stmt->range = since(begin);
  return stmt;
}

/// gradient ::= "gradient" "(" name ("," name)* ","? ")" block
const Stmt *ParserImpl::parseGradient() {
  SourceRange begin = take().range;
  auto *stmt = context.create<GradientStmt>(begin);
  SmallVector<Identifier> upstream;
  auto parseName = [&] {
    auto name = expectName("the name of a result's gradient");
    if (name)
      upstream.push_back(*name);
    return name.has_value();
  };
  SourceRange open = here();
  if (!expect(TokenKind::LeftParen, "and the names of the results' gradients"))
    return nullptr;
  if (!parseList(TokenKind::RightParen, parseName))
    return nullptr;
  if (upstream.empty()) {
    diags.error(since(open), "expected the name of the result's gradient, as in gradient(dy)");
    return nullptr;
  }
  stmt->upstream = context.copy(llvm::ArrayRef<Identifier>(upstream));
  stmt->body = parseBlock();
  if (!stmt->body)
    return nullptr;
  stmt->range = since(begin);
  return stmt;
}
