// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What expressions are made of: literals, tuples, scans.
#include "frontend/ParserImpl.h"
#include <limits>

using namespace dlc::frontend;
using llvm::SmallVector;
using llvm::StringRef;

/// primary ::= name | number | string | "true" | "false" | parenthesised | bracketed | scan
const Expr *ParserImpl::parsePrimary() {
  const Token &first = token();
  switch (first.kind) {
  case TokenKind::Name: {
    take();
    auto *expr = context.create<NameExpr>(first.range);
    expr->name = first.text;
    return expr;
  }
  case TokenKind::KwTrue:
  case TokenKind::KwFalse: {
    take();
    auto *expr = context.create<BoolExpr>(first.range);
    expr->value = first.is(TokenKind::KwTrue);
    return expr;
  }
  case TokenKind::Integer:
    return parseInteger();
  case TokenKind::Float:
    return parseFloat();
  case TokenKind::String:
    return parseString();
  case TokenKind::LeftParen:
    return parseParenthesised();
  case TokenKind::LeftBracket:
    return parseBracketed();
  case TokenKind::KwScan:
    return parseScan();
  case TokenKind::Plus:
    diags.error(here(), "expected a value, found '+'; there is no unary '+'");
    return nullptr;
  case TokenKind::Dot:
    if (token(1).is(TokenKind::Integer)) {
      diags.error(here().to(token(1).range), "a number has a digit before its point")
          .suggest("0." + token(1).text);
      return nullptr;
    }
    return reportExpected("a value");
  default:
    if (isKeyword(first.kind))
      diags.error(here(), "expected a value, found the keyword '" + first.text + "'");
    else
      reportExpected("a value");
    return nullptr;
  }
}

/// Removes the underscores of 1_000.
static std::string digitsOf(StringRef text) {
  std::string digits;
  for (char c : text)
    if (c != '_')
      digits += c;
  return digits;
}

const Expr *ParserImpl::parseInteger() {
  const Token &number = take();
  auto *expr = context.create<IntegerExpr>(number.range);
  if (StringRef(digitsOf(number.text)).getAsInteger(10, expr->value))
    diags.error(number.range, "this number does not fit into 64 bits; the largest is 9223372036854775807");
  return expr;
}

const Expr *ParserImpl::parseFloat() {
  const Token &number = take();
  auto *expr = context.create<FloatExpr>(number.range);
  // Correctly rounded, and independent of the locale.
  if (StringRef(digitsOf(number.text)).getAsDouble(expr->value, /*AllowInexact=*/true) ||
      expr->value > std::numeric_limits<double>::max())
    diags.error(number.range, "this number is too large for a float; the largest is about 1.8e308");
  return expr;
}

const Expr *ParserImpl::parseString() {
  const Token &string = take();
  auto *expr = context.create<StringExpr>(string.range);
  StringRef written = string.text;
  written.consume_front("\"");
  written.consume_back("\""); // absent if the lexer has reported that
  std::string value;
  for (size_t i = 0; i < written.size(); ++i) {
    if (written[i] == '\\' && i + 1 < written.size()) {
      ++i;
      value += written[i] == 'n' ? '\n' : written[i] == 't' ? '\t' : written[i];
    } else {
      value += written[i];
    }
  }
  expr->value = context.copy(StringRef(value));
  return expr;
}

/// parenthesised ::= "(" expr ")" | "(" expr "," (expr ("," expr)* ","?)? ")"
/// (a) is a, (a,) is a tuple of one.
const Expr *ParserImpl::parseParenthesised() {
  SourceRange begin = take().range;
  SmallVector<const Expr *> elements;
  auto parseElement = [&] {
    const Expr *element = parseExpr();
    elements.push_back(element);
    return element != nullptr;
  };
  if (!parseList(TokenKind::RightParen, parseElement))
    return nullptr;
  if (elements.empty()) {
    diags.error(since(begin), "expected a value between the parentheses; the empty tuple is written []");
    return nullptr;
  }
  bool hasComma = elements.size() > 1 || (at >= 2 && lexed.tokens[at - 2].is(TokenKind::Comma));
  if (!hasComma)
    return elements.front();
  auto *expr = context.create<TupleExpr>(since(begin));
  expr->elements = context.copy(llvm::ArrayRef<const Expr *>(elements));
  return expr;
}

/// bracketed ::= "[" (expr ("," expr)* ","?)? "]"
const Expr *ParserImpl::parseBracketed() {
  SourceRange begin = take().range;
  SmallVector<const Expr *> elements;
  auto parseElement = [&] {
    const Expr *element = parseExpr();
    elements.push_back(element);
    return element != nullptr;
  };
  if (!parseList(TokenKind::RightBracket, parseElement))
    return nullptr;
  auto *expr = context.create<TupleExpr>(since(begin));
  expr->isBracketed = true;
  expr->elements = context.copy(llvm::ArrayRef<const Expr *>(elements));
  return expr;
}

/// scan       ::= "scan" (scan-input ("," scan-input)*)? "over" (sum | "axis" "=" sum) "reverse"?
///                ("carry" declarator ("," declarator)*)? block
/// scan-input ::= name "in" or
const Expr *ParserImpl::parseScan() {
  SourceRange begin = take().range;
  auto *expr = context.create<ScanExpr>(begin);
  SmallVector<ScanInput, 2> inputs;
  skipNewlineBeforeWord("over");
  if (!token().isWord("over") || token(1).is(TokenKind::KwIn)) {
    do {
      ScanInput &input = inputs.emplace_back();
      auto name = expectName("the name of a sequence's element, or 'over'");
      if (!name)
        return nullptr;
      input.name = *name;
      if (!expect(TokenKind::KwIn, "and the sequence, as in scan xt in x over t"))
        return nullptr;
      if (!(input.sequence = parseOr()))
        return nullptr;
    } while (accept(TokenKind::Comma));
  }
  expr->inputs = context.copy(llvm::ArrayRef<ScanInput>(inputs));

  skipNewlineBeforeWord("over");
  if (!acceptWord("over"))
    return reportExpected("'over' and the dimension to scan, as in scan xt in x over t");
  if (token().isWord("axis") && token(1).is(TokenKind::Equal)) {
    take();
    take();
    expr->overIsAxis = true;
  }
  expr->over = parseSum();
  if (!expr->over)
    return nullptr;
  skipNewlineBeforeWord("reverse");
  expr->isReverse = acceptWord("reverse");

  SmallVector<Declarator, 2> carries;
  skipNewlineBeforeWord("carry");
  if (acceptWord("carry"))
    do {
      if (!parseDeclarator(carries.emplace_back(), "the name of a carry", Part::Optional))
        return nullptr;
    } while (accept(TokenKind::Comma));
  expr->carries = context.copy(llvm::ArrayRef<Declarator>(carries));

  ++scanDepth;
  expr->body = parseBlock();
  --scanDepth;
  if (!expr->body)
    return nullptr;
  expr->range = since(begin);
  return expr;
}
