// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The stages of the formatter in order, and the proof that its result says the same.
#include "frontend/Formatter.h"
#include "frontend/FormatterImpl.h"
#include "frontend/Parser.h"
#include "llvm/Support/raw_ostream.h"

using namespace dlc::frontend;
using llvm::StringRef;

std::optional<std::string> dlc::frontend::formatFile(FileId file, const SourceManager &sources,
                                                     DiagnosticEngine &diags) {
  ASTContext context;
  unsigned before = diags.errorCount();
  parseFile(file, sources, context, diags);
  if (diags.errorCount() != before)
    return std::nullopt;
  std::vector<format::FormatToken> tokens = format::annotateTokens(file, sources);
  return format::layOut(format::buildStatements(tokens), tokens.back());
}

namespace {
/// What formatting must not change.
struct Content {
  std::vector<std::pair<TokenKind, StringRef>> tokens;
  std::vector<std::pair<size_t, StringRef>> comments; ///< Each behind that many tokens.
  std::string tree;
  bool hasErrors = false;
};
} // namespace

static Content readContent(FileId file, const SourceManager &sources) {
  Content content;
  DiagnosticEngine diags(sources);
  LexedFile lexed = lex(file, sources, diags);
  auto comment = lexed.comments.begin(), end = lexed.comments.end();
  auto addCommentsBefore = [&](uint32_t offset) {
    for (; comment != end && comment->begin < offset; ++comment)
      content.comments.push_back({content.tokens.size(), sources.text(*comment).rtrim()});
  };
  for (const Token &token : lexed.tokens) {
    addCommentsBefore(token.range.begin);
    if (!token.isAny(TokenKind::Newline, TokenKind::Semicolon))
      content.tokens.push_back({token.kind, token.text});
  }
  addCommentsBefore(UINT32_MAX);
  ASTContext context;
  llvm::raw_string_ostream os(content.tree);
  DiagnosticEngine syntax(sources);
  dumpAST(parseFile(file, sources, context, syntax), sources, os);
  content.hasErrors = syntax.hasErrors();
  return content;
}

std::string dlc::frontend::findFormattingLoss(FileId original, const SourceManager &sources,
                                              StringRef formatted) {
  SourceManager formattedSources;
  Content before = readContent(original, sources);
  Content after = readContent(formattedSources.addText(sources.name(original), formatted), formattedSources);
  if (after.hasErrors)
    return "the formatted text has syntax errors";
  if (before.tokens != after.tokens) {
    auto [old, found] =
        std::mismatch(before.tokens.begin(), before.tokens.end(), after.tokens.begin(), after.tokens.end());
    return "token " + std::to_string(old - before.tokens.begin()) + " was '" +
           (old == before.tokens.end() ? "" : old->second.str()) + "' and became '" +
           (found == after.tokens.end() ? "" : found->second.str()) + "'";
  }
  if (before.comments != after.comments)
    return "the comments are different, or elsewhere";
  if (before.tree != after.tree)
    return "the syntax tree is different";
  return "";
}
