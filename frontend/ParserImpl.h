// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The parser's class, private to Parser*.cpp: recursive descent with one or two tokens of lookahead.
//
// Errors: the method that meets one reports it and returns null (or false); its callers pass that on without
// another message, up to the loop over statements or declarations, which skips to where the next one can
// start.
#ifndef DLC_FRONTEND_PARSERIMPL_H
#define DLC_FRONTEND_PARSERIMPL_H

#include "frontend/AST.h"
#include "frontend/Diagnostics.h"
#include "frontend/Lexer.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace dlc::frontend {

class ParserImpl {
public:
  ParserImpl(FileId file, const SourceManager &sources, ASTContext &context, DiagnosticEngine &diags)
      : sources(sources), context(context), diags(diags), lexed(lex(file, sources, diags)) {}

  llvm::ArrayRef<const Decl *> parseFile();

private:
  //===--- Declarations (Parser.cpp) --------------------------------------===//
  const Decl *parseDecl();
  Decl *parseImport();
  Decl *parseFit();
  std::optional<FitItem> parseFitItem();
  Decl *parseCallable(DeclKind kind);
  bool parseParameter(llvm::SmallVectorImpl<Parameter> &params);
  bool parseBoundNames(CallableDecl &decl);
  bool parseConstraints(CallableDecl &decl);
  llvm::StringRef docCommentAbove(SourceRange range);
  void skipToDecl();

  //===--- Types (ParserTypes.cpp) ----------------------------------------===//
  const TypeExpr *parseType();
  const TypeExpr *parseTupleType();
  const TypeExpr *parseTensorType(ElementType element);
  const TypeExpr *parseConstantType(ConstantType constant);
  const TypeExpr *reportUnknownType();

  //===--- Statements (ParserStatements.cpp) ------------------------------===//
  const Block *parseBlock();
  const Stmt *parseStmt();
  const Stmt *parseStmtByKeyword();
  const Stmt *parseLet();
  const Stmt *parseVar();
  const Stmt *parseAssign();
  const Stmt *parseParam();
  const Stmt *parseState();
  const Stmt *parseFinish();
  const Stmt *parseIf();
  const Stmt *parseFor();
  const Stmt *parseScanStmt();
  const Stmt *parseReturn();
  const Stmt *parseYield();
  const Stmt *reportBareExpression();
  /// True if the statement that the current keyword starts may stand here; otherwise reports where it may.
  bool checkPlacement();
  bool expectStatementEnd(llvm::StringRef after);
  void skipStatement();
  /// Which parts of a declarator must be there.
  enum class Part { Required, Optional };
  bool parseDeclarator(Declarator &result, llvm::StringRef what, Part type);
  bool parseIndexBindings(llvm::SmallVectorImpl<IndexBinding> &bindings, llvm::StringRef what);

  //===--- Entries and gradients (ParserTraining.cpp) ---------------------===//
  const Stmt *parseMinimize();
  bool parseMinimizeGroup(llvm::SmallVectorImpl<MinimizeGroup> &groups);
  bool parsePattern(llvm::SmallVectorImpl<ParameterPattern> &patterns);
  const Stmt *parseReport();
  const Stmt *parseGradient();

  //===--- Expressions (ParserExpressions.cpp) ----------------------------===//
  const Expr *parseExpr();
  const Expr *parseOr();
  const Expr *parseAnd();
  const Expr *parseNot();
  const Expr *parseComparison();
  const Expr *parseSum();
  const Expr *parseProduct();
  const Expr *parseUnary();
  const Expr *parsePower();
  const Expr *parsePostfix();
  const Expr *parseCall(const Expr *callee, SourceRange begin);
  const Expr *parseIndex(const Expr *base, SourceRange begin);
  const Expr *parseReduction(ReductionKind kind, SourceRange begin);
  const Expr *parseMember(const Expr *base, SourceRange begin);
  bool parseArgument(llvm::SmallVectorImpl<Argument> &args);
  bool parseSubscript(llvm::SmallVectorImpl<Subscript> &subscripts);
  const Expr *makeBinary(BinaryOp op, SourceRange opRange, SourceRange begin, const Expr *lhs,
                         const Expr *rhs);

  //===--- Literals, tuples, scans (ParserPrimary.cpp) --------------------===//
  const Expr *parsePrimary();
  const Expr *parseInteger();
  const Expr *parseFloat();
  const Expr *parseString();
  const Expr *parseParenthesised();
  const Expr *parseBracketed();
  const Expr *parseScan();

  //===--- Tokens (Parser.cpp) --------------------------------------------===//
  const Token &token(size_t ahead = 0) const {
    return lexed.tokens[std::min(at + ahead, lexed.tokens.size() - 1)];
  }
  bool is(TokenKind kind) const { return token().is(kind); }
  SourceRange here() const { return token().range; }
  /// The range from `begin` to the end of the token before the current one.
  SourceRange since(SourceRange begin) const {
    return at == 0 ? begin : begin.to(lexed.tokens[at - 1].range);
  }
  /// Takes the current token.
  const Token &take() {
    const Token &taken = token();
    if (!taken.is(TokenKind::EndOfFile))
      ++at;
    return taken;
  }
  /// Takes the current token if it is of this kind.
  bool accept(TokenKind kind) { return is(kind) ? (take(), true) : false; }
  bool acceptWord(llvm::StringRef word) { return token().isWord(word) ? (take(), true) : false; }
  /// Takes a token of this kind, or reports that it is missing.
  bool expect(TokenKind kind, llvm::StringRef where);
  std::optional<Identifier> expectName(llvm::StringRef what);
  /// Skips a newline if the token behind it is this one: a header may go on in the next line.
  void skipNewlineBefore(TokenKind kind) {
    if (is(TokenKind::Newline) && token(1).is(kind))
      take();
  }
  void skipNewlineBeforeWord(llvm::StringRef word) {
    if (is(TokenKind::Newline) && token(1).isWord(word))
      take();
  }
  /// element ("," element)* ","? and the closing token, or the closing token alone.
  bool parseList(TokenKind close, llvm::function_ref<bool()> parseElement);
  /// "expected WHAT, found the current token"; returns null for all that return a pointer.
  std::nullptr_t reportExpected(const llvm::Twine &what);
  /// How messages show a token: 'let', 'x', the end of the line.
  std::string describeToken(const Token &token) const;

  /// Counts one operator of the current expression. The tree's height, and with it the stack that any walk
  /// over the tree needs, is bounded by these limits; 0 is reported as an error.
  bool countOperator();
  static constexpr unsigned maxOperators = 4000;
  static constexpr unsigned maxDepth = 100;

  /// Holds one level of nesting; false if it is one too many.
  struct Nesting {
    explicit Nesting(ParserImpl &parser);
    ~Nesting() { --parser.depth; }
    explicit operator bool() const { return isAllowed; }
    ParserImpl &parser;
    bool isAllowed;
  };

  /// "a layer", "an eval entry".
  static std::string describeKind(DeclKind kind);

  const SourceManager &sources;
  ASTContext &context;
  DiagnosticEngine &diags;
  LexedFile lexed;
  size_t at = 0;

  DeclKind declKind = DeclKind::Layer; ///< of the declaration being parsed
  unsigned scanDepth = 0;              ///< scans around the current statement
  unsigned depth = 0;
  unsigned operators = 0;
};

} // namespace dlc::frontend

#endif // DLC_FRONTEND_PARSERIMPL_H
