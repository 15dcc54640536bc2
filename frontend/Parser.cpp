// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tokens and declarations; how the files of a program are found is in Program.cpp.
#include "frontend/Parser.h"
#include "frontend/ParserImpl.h"
#include "llvm/ADT/StringSwitch.h"

using namespace dlc::frontend;
using llvm::SmallVector;
using llvm::StringRef;
using llvm::Twine;

SourceFile dlc::frontend::parseFile(FileId file, const SourceManager &sources, ASTContext &context,
                                    DiagnosticEngine &diags) {
  return {file, /*isStandardLibrary=*/false, ParserImpl(file, sources, context, diags).parseFile()};
}

//===----------------------------------------------------------------------===//
// Tokens
//===----------------------------------------------------------------------===//

std::string ParserImpl::describeToken(const Token &token) const {
  switch (token.kind) {
  case TokenKind::Name:
  case TokenKind::Integer:
  case TokenKind::Float:
    return ("'" + token.text + "'").str();
  default:
    return describe(token.kind);
  }
}

std::nullptr_t ParserImpl::reportExpected(const Twine &what) {
  StringRef hint =
      is(TokenKind::LeftArrow) ? "; a comparison with a negative number is written 'a < -b'" : "";
  if (!is(TokenKind::Invalid)) // the lexer has reported that
    diags.error(here(), "expected " + what + ", found " + describeToken(token()) + hint);
  return nullptr;
}

bool ParserImpl::expect(TokenKind kind, StringRef where) {
  if (accept(kind))
    return true;
  reportExpected(describe(kind) + " " + where);
  return false;
}

std::optional<Identifier> ParserImpl::expectName(StringRef what) {
  if (is(TokenKind::Name)) {
    const Token &name = take();
    return Identifier{name.text, name.range};
  }
  if (isKeyword(token().kind))
    diags.error(here(), "'" + token().text + "' is a keyword and cannot be " + what);
  else
    reportExpected(what);
  return std::nullopt;
}

bool ParserImpl::parseList(TokenKind close, llvm::function_ref<bool()> parseElement) {
  while (!accept(close)) {
    if (!parseElement())
      return false;
    if (accept(TokenKind::Comma) || is(close))
      continue;
    reportExpected("',' or " + describe(close));
    return false;
  }
  return true;
}

ParserImpl::Nesting::Nesting(ParserImpl &parser) : parser(parser), isAllowed(++parser.depth <= maxDepth) {
  if (!isAllowed)
    parser.diags.error(parser.here(), "nested more than " + Twine(maxDepth) + " levels deep");
}

bool ParserImpl::countOperator() {
  if (++operators <= maxOperators)
    return true;
  diags.error(here(),
              "an expression of more than " + Twine(maxOperators) + " operators; name its parts with 'let'");
  return false;
}

//===----------------------------------------------------------------------===//
// Declarations
//===----------------------------------------------------------------------===//

static std::optional<DeclKind> declKindOf(TokenKind kind) {
  switch (kind) {
  case TokenKind::KwImport:
    return DeclKind::Import;
  case TokenKind::KwFit:
    return DeclKind::Fit;
  case TokenKind::KwLayer:
    return DeclKind::Layer;
  case TokenKind::KwFunction:
    return DeclKind::Function;
  case TokenKind::KwModel:
    return DeclKind::Model;
  case TokenKind::KwTrain:
    return DeclKind::Train;
  case TokenKind::KwEval:
    return DeclKind::Eval;
  case TokenKind::KwInfer:
    return DeclKind::Infer;
  case TokenKind::KwMetric:
    return DeclKind::Metric;
  case TokenKind::KwOptimizer:
    return DeclKind::Optimizer;
  case TokenKind::KwSchedule:
    return DeclKind::Schedule;
  case TokenKind::KwInitializer:
    return DeclKind::Initializer;
  default:
    return std::nullopt;
  }
}

std::string ParserImpl::describeKind(DeclKind kind) {
  StringRef word = stringify(kind);
  bool isEntry = kind == DeclKind::Train || kind == DeclKind::Eval || kind == DeclKind::Infer;
  return ((StringRef("eio").contains(word[0]) ? "an " : "a ") + word + (isEntry ? " entry" : "")).str();
}

/// file ::= (declaration end | end)*
/// end  ::= newline | ";" | end of file
llvm::ArrayRef<const Decl *> ParserImpl::parseFile() {
  SmallVector<const Decl *> decls;
  while (true) {
    while (accept(TokenKind::Newline) || accept(TokenKind::Semicolon))
      ;
    if (is(TokenKind::EndOfFile))
      break;
    if (const Decl *decl = parseDecl())
      decls.push_back(decl);
    else
      skipToDecl();
  }
  return context.copy(llvm::ArrayRef<const Decl *>(decls));
}

/// Skips to a line that starts with a declaration's keyword.
void ParserImpl::skipToDecl() {
  while (!is(TokenKind::EndOfFile)) {
    if (at != 0 && lexed.tokens[at - 1].isAny(TokenKind::Newline, TokenKind::Semicolon) &&
        declKindOf(token().kind))
      return;
    take();
  }
}

/// declaration ::= import | fit | callable
const Decl *ParserImpl::parseDecl() {
  std::optional<DeclKind> kind = declKindOf(token().kind);
  if (!kind) {
    static constexpr StringRef words[] = {"import", "layer",  "function",  "model",    "train",       "eval",
                                          "infer",  "metric", "optimizer", "schedule", "initializer", "fit"};
    if (is(TokenKind::Name)) {
      StringRef meant = llvm::StringSwitch<StringRef>(token().text)
                            .Cases({"def", "fn", "func", "loss"}, "function")
                            .Cases({"class", "module", "block"}, "layer")
                            .Case("network", "model")
                            .Cases({"init", "initialiser"}, "initializer")
                            .Default(nearestName(token().text, words));
      diags.error(here(), "expected a declaration, found '" + token().text + "'").suggest(meant);
    } else if (token().isAny(TokenKind::KwLet, TokenKind::KwVar)) {
      diags.error(here(), "expected a declaration, found " + describeToken(token()) +
                              "; values are bound inside of a layer, a model or an entry");
    } else if (is(TokenKind::RightBrace)) {
      diags.error(here(), "this '}' closes nothing");
    } else {
      reportExpected("a declaration");
    }
    return nullptr;
  }
  StringRef doc = docCommentAbove(here());
  declKind = *kind;
  operators = 0;
  Decl *decl = *kind == DeclKind::Import ? parseImport()
               : *kind == DeclKind::Fit  ? parseFit()
                                         : parseCallable(*kind);
  if (!decl)
    return nullptr;
  decl->doc = doc;
  if (!token().isAny(TokenKind::Newline, TokenKind::Semicolon, TokenKind::EndOfFile)) {
    reportExpected("the end of the line behind this declaration");
    skipToDecl();
  }
  return decl;
}

/// The comment lines right above a declaration, each without its `#` and one space. They document the first
/// declaration of a line, not one behind it.
StringRef ParserImpl::docCommentAbove(SourceRange range) {
  size_t before = at;
  while (before != 0 && lexed.tokens[before - 1].isAny(TokenKind::Newline, TokenKind::Semicolon))
    --before;
  unsigned here = sources.lineColumn(range).line;
  if (before != 0 && sources.lineColumn(lexed.tokens[before - 1].range).line == here)
    return "";
  SmallVector<StringRef> lines;
  for (unsigned line = here - 1; line > 0; --line) {
    StringRef text = sources.line(range.file, line).trim();
    if (!text.consume_front("#"))
      break;
    text.consume_front(" ");
    lines.push_back(text);
  }
  std::string doc;
  for (StringRef line : llvm::reverse(lines))
    doc += (doc.empty() ? "" : "\n") + line.str();
  return context.copy(doc);
}

/// import ::= "import" string
Decl *ParserImpl::parseImport() {
  SourceRange begin = take().range;
  if (!is(TokenKind::String))
    return reportExpected("the file to import, as in import \"blocks.dl\"");
  auto *decl = context.create<ImportDecl>(begin);
  decl->pathRange = here();
  decl->path = llvm::cast<StringExpr>(parseString())->value;
  decl->range = since(begin);
  return decl;
}

/// callable   ::= kind name "(" (parameter ("," parameter)* ","?)? ")"
///                ("for" name ("," name)*)? ("->" type)? ("where" expr ("," expr)*)? block
/// kind       ::= "layer" | "function" | "model" | "train" | "eval" | "infer" | "metric" | "optimizer"
///              | "schedule" | "initializer"
Decl *ParserImpl::parseCallable(DeclKind kind) {
  SourceRange begin = take().range;
  auto *decl = context.create<CallableDecl>(kind, begin);
  std::string what = ("the name of the " + stringify(kind)).str();
  auto name = expectName(what);
  if (!name)
    return nullptr;
  decl->name = *name;

  SmallVector<Parameter> params;
  if (!expect(TokenKind::LeftParen, "and the parameters") ||
      !parseList(TokenKind::RightParen, [&] { return parseParameter(params); }))
    return nullptr;
  decl->params = context.copy(llvm::ArrayRef<Parameter>(params));
  decl->signatureRange = since(begin);

  skipNewlineBefore(TokenKind::KwFor);
  if (!parseBoundNames(*decl))
    return nullptr;
  skipNewlineBefore(TokenKind::Arrow);
  if (accept(TokenKind::Arrow)) {
    decl->result = parseType();
    if (!decl->result)
      return nullptr;
  }
  skipNewlineBeforeWord("where");
  if (!parseConstraints(*decl))
    return nullptr;
  decl->body = parseBlock();
  if (!decl->body)
    return nullptr;
  decl->range = since(begin);
  return decl;
}

/// parameter ::= name ":" type ("=" expr)?
bool ParserImpl::parseParameter(llvm::SmallVectorImpl<Parameter> &params) {
  Parameter param;
  SourceRange begin = here();
  auto name = expectName("a parameter");
  if (!name)
    return false;
  param.name = *name;
  if (!accept(TokenKind::Colon)) {
    reportExpected("':' and the type of '" + name->text + "'");
    return false;
  }
  param.type = parseType();
  if (!param.type)
    return false;
  if (accept(TokenKind::Equal) && !(param.defaultValue = parseExpr()))
    return false;
  param.range = since(begin);
  for (const Parameter &other : params)
    if (other.name.text == name->text)
      diags.error(name->range, "there are two parameters '" + name->text + "'")
          .note("the first one is here", other.name.range);
  params.push_back(param);
  return true;
}

/// The names that a callable works on beside its parameters: `for p, g` of an optimizer, `for dims` of an
/// initializer; of a function `for gradients`, or `for g, gradients`.
bool ParserImpl::parseBoundNames(CallableDecl &decl) {
  struct Form {
    size_t least = 0, most = 0;
    StringRef example;
  } form;
  if (decl.kind == DeclKind::Optimizer)
    form = {2, 2, "'for p, g': the names of a parameter and its gradient"};
  else if (decl.kind == DeclKind::Initializer)
    form = {1, 1, "'for dims': the name of the new tensor's dimensions"};
  else if (decl.kind == DeclKind::Function)
    form = {0, 2, "'for gradients', or 'for g, gradients': all gradients of a step, or one and all"};
  SourceRange begin = here();
  if (!accept(TokenKind::KwFor)) {
    if (form.least != 0)
      reportExpected(form.example);
    return form.least == 0;
  }
  SmallVector<Identifier, 2> names;
  do {
    auto name = expectName("a name");
    if (!name)
      return false;
    names.push_back(*name);
  } while (accept(TokenKind::Comma));
  if (form.most == 0)
    diags.error(since(begin),
                describeKind(decl.kind) + " has no 'for'; an optimizer, an initializer or a function has");
  else if (names.size() < form.least || names.size() > form.most)
    diags.error(since(begin), "expected " + form.example + ", found " + Twine(names.size()) +
                                  (names.size() == 1 ? " name" : " names"));
  decl.bound = context.copy(llvm::ArrayRef<Identifier>(names));
  return true;
}

bool ParserImpl::parseConstraints(CallableDecl &decl) {
  if (!acceptWord("where"))
    return true;
  SmallVector<const Expr *> constraints;
  do {
    const Expr *constraint = parseExpr();
    if (!constraint)
      return false;
    constraints.push_back(constraint);
  } while (accept(TokenKind::Comma));
  decl.constraints = context.copy(llvm::ArrayRef<const Expr *>(constraints));
  return true;
}

/// fit ::= "fit" "{" (fit-item end | end)* "}"
Decl *ParserImpl::parseFit() {
  SourceRange begin = take().range;
  skipNewlineBefore(TokenKind::LeftBrace);
  if (!expect(TokenKind::LeftBrace, "behind 'fit'"))
    return nullptr;
  SmallVector<FitItem> items;
  while (!is(TokenKind::RightBrace) && !is(TokenKind::EndOfFile)) {
    if (accept(TokenKind::Newline) || accept(TokenKind::Semicolon))
      continue;
    std::optional<FitItem> item = parseFitItem();
    if (!item || !expectStatementEnd("this line of fit"))
      skipStatement();
    else
      items.push_back(*item);
  }
  if (!accept(TokenKind::RightBrace)) {
    diags.error(here(), "expected '}' at the end of fit, found the end of the file")
        .note("fit starts here", begin);
    return nullptr;
  }
  auto *decl = context.create<FitDecl>(since(begin));
  decl->items = context.copy(llvm::ArrayRef<FitItem>(items));
  return decl;
}

/// fit-item ::= name "=" expr | ("train" | "eval") name "on" expr
std::optional<FitItem> ParserImpl::parseFitItem() {
  operators = 0;
  FitItem item;
  SourceRange begin = here();
  if (token().isAny(TokenKind::KwTrain, TokenKind::KwEval)) {
    item.kind = is(TokenKind::KwTrain) ? FitItem::Kind::Train : FitItem::Kind::Eval;
    StringRef keyword = take().text;
    auto name = expectName("the entry to run");
    if (!name)
      return std::nullopt;
    item.name = *name;
    if (!acceptWord("on")) {
      reportExpected("'on' and its data, as in " + keyword + " " + name->text + " on data." + keyword);
      return std::nullopt;
    }
  } else {
    if (!is(TokenKind::Name)) {
      reportExpected("a setting such as 'epochs = 3', or 'train' or 'eval' and an entry");
      return std::nullopt;
    }
    const Token &name = take();
    item.name = {name.text, name.range};
    if (!accept(TokenKind::Equal)) {
      reportExpected("'=' behind the setting '" + name.text + "'");
      return std::nullopt;
    }
  }
  item.value = parseExpr();
  if (!item.value)
    return std::nullopt;
  item.range = since(begin);
  return item;
}
