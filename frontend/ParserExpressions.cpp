// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Expressions, from what binds least to what binds most:
//   ..   or   and   not   == != < <= > >=   + -   * / // %   unary -   **   call, index, member
#include "frontend/ParserImpl.h"
#include "llvm/ADT/StringSwitch.h"

using namespace dlc::frontend;
using llvm::SmallVector;
using llvm::StringRef;
using llvm::Twine;

const Expr *ParserImpl::makeBinary(BinaryOp op, SourceRange opRange, SourceRange begin, const Expr *lhs,
                                   const Expr *rhs) {
  auto *expr = context.create<BinaryExpr>(since(begin));
  expr->op = op;
  expr->opRange = opRange;
  expr->lhs = lhs;
  expr->rhs = rhs;
  return expr;
}

/// expr ::= or (".." or)?
const Expr *ParserImpl::parseExpr() {
  Nesting nesting(*this);
  if (!nesting)
    return nullptr;
  SourceRange begin = here();
  const Expr *first = parseOr();
  if (!first || !accept(TokenKind::DotDot))
    return first;
  const Expr *last = parseOr();
  if (!last)
    return nullptr;
  auto *expr = context.create<RangeExpr>(since(begin));
  expr->begin = first;
  expr->end = last;
  return expr;
}

/// or ::= and ("or" and)*
const Expr *ParserImpl::parseOr() {
  SourceRange begin = here();
  const Expr *lhs = parseAnd();
  while (lhs && is(TokenKind::KwOr)) {
    SourceRange op = take().range;
    const Expr *rhs = countOperator() ? parseAnd() : nullptr;
    lhs = rhs ? makeBinary(BinaryOp::Or, op, begin, lhs, rhs) : nullptr;
  }
  return lhs;
}

/// and ::= not ("and" not)*
const Expr *ParserImpl::parseAnd() {
  SourceRange begin = here();
  const Expr *lhs = parseNot();
  while (lhs && is(TokenKind::KwAnd)) {
    SourceRange op = take().range;
    const Expr *rhs = countOperator() ? parseNot() : nullptr;
    lhs = rhs ? makeBinary(BinaryOp::And, op, begin, lhs, rhs) : nullptr;
  }
  return lhs;
}

/// not ::= "not" not | comparison
const Expr *ParserImpl::parseNot() {
  if (!is(TokenKind::KwNot))
    return parseComparison();
  Nesting nesting(*this);
  if (!nesting)
    return nullptr;
  SourceRange begin = take().range;
  const Expr *operand = parseNot();
  if (!operand)
    return nullptr;
  auto *expr = context.create<UnaryExpr>(since(begin));
  expr->op = UnaryOp::Not;
  expr->operand = operand;
  return expr;
}

static std::optional<BinaryOp> comparisonOf(TokenKind kind) {
  switch (kind) {
  case TokenKind::EqualEqual:
    return BinaryOp::Equal;
  case TokenKind::NotEqual:
    return BinaryOp::NotEqual;
  case TokenKind::Less:
    return BinaryOp::Less;
  case TokenKind::LessEqual:
    return BinaryOp::LessEqual;
  case TokenKind::Greater:
    return BinaryOp::Greater;
  case TokenKind::GreaterEqual:
    return BinaryOp::GreaterEqual;
  default:
    return std::nullopt;
  }
}

/// comparison ::= sum (("==" | "!=" | "<" | "<=" | ">" | ">=") sum)?
const Expr *ParserImpl::parseComparison() {
  SourceRange begin = here();
  const Expr *lhs = parseSum();
  std::optional<BinaryOp> op = comparisonOf(token().kind);
  if (!lhs || !op)
    return lhs;
  SourceRange opRange = take().range;
  const Expr *rhs = parseSum();
  if (!rhs)
    return nullptr;
  if (comparisonOf(token().kind)) {
    diags.error(here(), "comparisons do not chain; write a < b and b < c");
    return nullptr;
  }
  return makeBinary(*op, opRange, begin, lhs, rhs);
}

/// sum ::= product (("+" | "-") product)*
const Expr *ParserImpl::parseSum() {
  SourceRange begin = here();
  const Expr *lhs = parseProduct();
  while (lhs && token().isAny(TokenKind::Plus, TokenKind::Minus)) {
    BinaryOp op = is(TokenKind::Plus) ? BinaryOp::Add : BinaryOp::Subtract;
    SourceRange opRange = take().range;
    const Expr *rhs = countOperator() ? parseProduct() : nullptr;
    lhs = rhs ? makeBinary(op, opRange, begin, lhs, rhs) : nullptr;
  }
  return lhs;
}

static std::optional<BinaryOp> productOf(TokenKind kind) {
  switch (kind) {
  case TokenKind::Star:
    return BinaryOp::Multiply;
  case TokenKind::Slash:
    return BinaryOp::Divide;
  case TokenKind::SlashSlash:
    return BinaryOp::FloorDivide;
  case TokenKind::Percent:
    return BinaryOp::Remainder;
  default:
    return std::nullopt;
  }
}

/// product ::= unary (("*" | "/" | "//" | "%") unary)*
const Expr *ParserImpl::parseProduct() {
  SourceRange begin = here();
  const Expr *lhs = parseUnary();
  while (lhs) {
    std::optional<BinaryOp> op = productOf(token().kind);
    if (!op)
      break;
    SourceRange opRange = take().range;
    const Expr *rhs = countOperator() ? parseUnary() : nullptr;
    lhs = rhs ? makeBinary(*op, opRange, begin, lhs, rhs) : nullptr;
  }
  return lhs;
}

/// unary ::= "-" unary | power
const Expr *ParserImpl::parseUnary() {
  if (!is(TokenKind::Minus))
    return parsePower();
  Nesting nesting(*this);
  if (!nesting)
    return nullptr;
  SourceRange begin = take().range;
  const Expr *operand = parseUnary();
  if (!operand)
    return nullptr;
  auto *expr = context.create<UnaryExpr>(since(begin));
  expr->op = UnaryOp::Negate;
  expr->operand = operand;
  return expr;
}

/// power ::= postfix ("**" unary)?
/// So that -x ** 2 is -(x ** 2), 2 ** -1 is allowed, and a ** b ** c is a ** (b ** c).
const Expr *ParserImpl::parsePower() {
  SourceRange begin = here();
  const Expr *lhs = parsePostfix();
  if (!lhs || !is(TokenKind::StarStar))
    return lhs;
  Nesting nesting(*this);
  if (!nesting)
    return nullptr;
  SourceRange opRange = take().range;
  const Expr *rhs = parseUnary();
  return rhs ? makeBinary(BinaryOp::Power, opRange, begin, lhs, rhs) : nullptr;
}

static std::optional<ReductionKind> reductionOf(const Expr *callee) {
  const auto *name = llvm::dyn_cast<NameExpr>(callee);
  if (!name)
    return std::nullopt;
  return llvm::StringSwitch<std::optional<ReductionKind>>(name->name)
      .Case("sum", ReductionKind::Sum)
      .Case("max", ReductionKind::Max)
      .Case("min", ReductionKind::Min)
      .Case("prod", ReductionKind::Prod)
      .Default(std::nullopt);
}

/// A local may be called sum, too: sum[:, 0] is an index, sum[i](x[i]) a reduction.
/// postfix ::= primary (call | index | member)* | reduction (call | index | member)*
const Expr *ParserImpl::parsePostfix() {
  SourceRange begin = here();
  const Expr *expr = parsePrimary();
  while (expr && token().isAny(TokenKind::LeftParen, TokenKind::LeftBracket, TokenKind::Dot)) {
    if (!countOperator())
      return nullptr;
    if (is(TokenKind::LeftParen))
      expr = parseCall(expr, begin);
    else if (is(TokenKind::Dot))
      expr = parseMember(expr, begin);
    else if (auto reduction = reductionOf(expr);
             reduction && !token(1).isAny(TokenKind::Colon, TokenKind::Ellipsis))
      expr = parseReduction(*reduction, begin);
    else
      expr = parseIndex(expr, begin);
  }
  return expr;
}

/// call ::= "(" (argument ("," argument)* ","?)? ")"
const Expr *ParserImpl::parseCall(const Expr *callee, SourceRange begin) {
  take();
  SmallVector<Argument> args;
  auto parseOne = [&] {
    bool isNamed = !args.empty() && args.back().name;
    if (!parseArgument(args))
      return false;
    if (isNamed && !args.back().name) {
      diags.error(args.back().range,
                  "a positional argument stands behind a named one; positional ones come first");
      return false;
    }
    return true;
  };
  if (!parseList(TokenKind::RightParen, parseOne))
    return nullptr;
  auto *expr = context.create<CallExpr>(since(begin));
  expr->callee = callee;
  expr->args = context.copy(llvm::ArrayRef<Argument>(args));
  return expr;
}

/// argument ::= (name "=")? expr
bool ParserImpl::parseArgument(llvm::SmallVectorImpl<Argument> &args) {
  Argument argument;
  SourceRange begin = here();
  if (token(1).is(TokenKind::Equal) && (is(TokenKind::Name) || isKeyword(token().kind))) {
    auto name = expectName("the name of an argument");
    if (!name)
      return false;
    argument.name = *name;
    take();
  }
  argument.value = parseExpr();
  if (!argument.value)
    return false;
  argument.range = since(begin);
  if (argument.name)
    for (const Argument &other : args)
      if (other.name && other.name.text == argument.name.text)
        diags.error(argument.name.range, "'" + argument.name.text + "' is given twice")
            .note("the first one is here", other.name.range);
  args.push_back(argument);
  return true;
}

/// index ::= "[" subscript ("," subscript)* ","? "]"
const Expr *ParserImpl::parseIndex(const Expr *base, SourceRange begin) {
  SourceRange open = take().range;
  SmallVector<Subscript> subscripts;
  if (!parseList(TokenKind::RightBracket, [&] { return parseSubscript(subscripts); }))
    return nullptr;
  if (subscripts.empty()) {
    diags.error(since(open), "expected an index or a slice between the brackets");
    return nullptr;
  }
  auto *expr = context.create<IndexExpr>(since(begin));
  expr->base = base;
  expr->subscripts = context.copy(llvm::ArrayRef<Subscript>(subscripts));
  return expr;
}

/// subscript ::= "..." | expr | expr? ":" expr? (":" expr?)?
bool ParserImpl::parseSubscript(llvm::SmallVectorImpl<Subscript> &subscripts) {
  Subscript subscript;
  SourceRange begin = here();
  auto endsPart = [&] { return token().isAny(TokenKind::Colon, TokenKind::Comma, TokenKind::RightBracket); };
  if (accept(TokenKind::Ellipsis)) {
    subscript.kind = Subscript::Kind::Ellipsis;
    for (const Subscript &other : subscripts)
      if (other.kind == Subscript::Kind::Ellipsis)
        diags.error(begin, "there is at most one '...' between brackets")
            .note("the first one is here", other.range);
  } else {
    if (!is(TokenKind::Colon) && !(subscript.begin = parseExpr()))
      return false;
    if (accept(TokenKind::Colon)) {
      subscript.kind = Subscript::Kind::Slice;
      if (!endsPart() && !(subscript.end = parseExpr()))
        return false;
      if (accept(TokenKind::Colon) && !endsPart() && !(subscript.step = parseExpr()))
        return false;
    }
  }
  subscript.range = since(begin);
  subscripts.push_back(subscript);
  return true;
}

/// reduction ::= ("sum" | "max" | "min" | "prod") "[" index-bindings "]" "(" expr ")"
const Expr *ParserImpl::parseReduction(ReductionKind kind, SourceRange begin) {
  SourceRange open = take().range;
  SmallVector<IndexBinding> bindings;
  if (!parseIndexBindings(bindings, "the name of an index"))
    return nullptr;
  if (bindings.empty()) {
    diags.error(since(open), "expected the indices to reduce over, as in sum[k](a[i, k] * b[k, j])");
    return nullptr;
  }
  if (!expect(TokenKind::LeftParen, "and what is reduced"))
    return nullptr;
  auto *expr = context.create<ReductionExpr>(begin);
  expr->reduction = kind;
  expr->indices = context.copy(llvm::ArrayRef<IndexBinding>(bindings));
  expr->body = parseExpr();
  if (!expr->body || !expect(TokenKind::RightParen, "behind what is reduced"))
    return nullptr;
  expr->range = since(begin);
  return expr;
}

/// member ::= "." (name | keyword)
const Expr *ParserImpl::parseMember(const Expr *base, SourceRange begin) {
  take();
  const Token &name = token();
  if (is(TokenKind::Integer)) {
    diags.error(here(),
                "expected the name of a member, found a number; instances of a loop are reached by [" +
                    name.text + "]");
    return nullptr;
  }
  if (!is(TokenKind::Name) && !isKeyword(name.kind))
    return reportExpected("the name of a member");
  take();
  auto *expr = context.create<MemberExpr>(since(begin));
  expr->base = base;
  expr->member = {name.text, name.range};
  return expr;
}
