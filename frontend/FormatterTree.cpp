// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tokens to a tree of where lines may be broken, and its measures. Brackets and blocks nest; between them a
// stretch of text is cut at the places of its smallest break level, each part at those of the next, and so
// on: `let y = a + b * c` is (let y =) ((a +) ((b *) (c))).
#include "frontend/FormatterImpl.h"

using namespace dlc::frontend;
using namespace dlc::frontend::format;
using llvm::ArrayRef;

using NodePtr = std::unique_ptr<Node>;
using Nodes = std::vector<NodePtr>;

namespace {
class TreeBuilder {
public:
  explicit TreeBuilder(ArrayRef<FormatToken> tokens) : tokens(tokens) {}
  Nodes buildStatements(bool isTopLevel);

private:
  const FormatToken &token() const { return tokens[at]; }
  bool isMember() const { return at != 0 && tokens[at - 1].kind == TokenKind::Dot; }
  bool awaitsBlock(bool isTopLevel, bool isFirst) const;
  NodePtr buildStatement(bool isTopLevel);
  NodePtr buildUnit();
  NodePtr buildBrackets();
  NodePtr buildBlock();

  ArrayRef<FormatToken> tokens;
  size_t at = 0;
};
} // namespace

//===----------------------------------------------------------------------===//
// Measures
//===----------------------------------------------------------------------===//

static bool isBreakable(BreakLevel level) {
  return level != BreakLevel::Else && level != BreakLevel::Keyword;
}

static unsigned spaceBefore(const Node &node) {
  return node.first->spaceBefore ? 1 : 0;
}

static void measureToken(Node &node) {
  node.flat = node.lead = node.need = node.oneLine = node.first->width;
  node.isRigid = true;
}

/// A Sequence or a Chain.
static void measureParts(Node &node) {
  bool isChain = node.kind == NodeKind::Chain && isBreakable(node.level);
  unsigned offset = 0; // of a part, where all that can be broken before it was
  node.isRigid = true;
  for (const NodePtr &child : node.children) {
    bool isFirst = child == node.children.front();
    bool isCommented = !isFirst && !child->first->comments.empty();
    unsigned space = isFirst ? 0 : spaceBefore(*child);
    node.isForced |= isCommented;
    if (!node.isForced)
      node.flat += space + child->flat;
    node.isForced |= child->isForced;

    node.isRigid &= isFirst || !(isChain || isCommented);
    if (node.isRigid)
      node.lead += space + child->lead;
    node.isRigid &= child->isRigid;

    offset = isFirst ? 0 : isChain || isCommented ? node.hang : offset + space;
    node.need = std::max(node.need, offset + child->need);
    offset += child->isRigid ? child->flat : 1;

    node.oneLine += space + child->oneLine;
    node.hasOneLine &= child->hasOneLine && !isCommented;
  }
}

static void measureBrackets(Node &node) {
  node.flat = node.lead = node.need = node.oneLine = 1;
  node.isRigid = node.last->comments.empty();
  node.isForced = node.hasOneLine = false;
  if (!node.children.empty()) {
    const Node &content = *node.children.front();
    bool isCommented = !content.first->comments.empty();
    node.isForced = isCommented || content.isForced;
    node.flat += isCommented ? 0 : content.flat;
    node.lead += isCommented ? 0 : content.lead;
    node.isRigid &= !isCommented && content.isRigid;
    node.need += content.need;
    node.oneLine += content.oneLine;
    node.hasOneLine = content.hasOneLine && !isCommented;
  } else {
    node.hasOneLine = true;
  }
  node.isForced |= !node.last->comments.empty();
  node.hasOneLine &= node.last->comments.empty();
  node.flat += node.isForced ? 0 : 1;
  node.lead += node.isRigid ? 1 : 0;
  ++node.need;
  ++node.oneLine;
}

static void measureBlock(Node &node) {
  node.flat = node.lead = node.need = 1;
  node.isForced = true;
  node.oneLine = 2;
  // No comment can stand in what begins and ends on one line.
  node.hasOneLine = node.children.empty() ? node.last->comments.empty() : node.first->line == node.last->line;
  for (const NodePtr &statement : node.children) {
    node.oneLine += 2 + statement->oneLine; // "{ " and " }" around all, "; " between two
    node.hasOneLine &= statement->hasOneLine;
  }
}

//===----------------------------------------------------------------------===//
// Structure
//===----------------------------------------------------------------------===//

static NodePtr makeParts(NodeKind kind, BreakLevel level, Nodes children) {
  auto node = std::make_unique<Node>();
  node->kind = kind;
  node->level = level;
  node->first = children.front()->first;
  node->last = children.back()->last;
  node->children = std::move(children);
  return node;
}

/// Where the stretch `units` is cut between unit i - 1 and unit i.
static BreakLevel levelBetween(ArrayRef<NodePtr> units, size_t i) {
  return std::min(units[i - 1]->last->behind, units[i]->first->before);
}

/// Cuts at the smallest level, and the parts again. Takes the units.
static NodePtr cut(llvm::MutableArrayRef<NodePtr> units, bool isInBrackets) {
  if (units.size() == 1)
    return std::move(units.front());
  BreakLevel level = BreakLevel::None;
  for (size_t i = 1; i < units.size(); ++i)
    level = std::min(level, levelBetween(units, i));
  Nodes parts;
  if (level == BreakLevel::None) {
    std::move(units.begin(), units.end(), std::back_inserter(parts));
    NodePtr sequence = makeParts(NodeKind::Sequence, level, std::move(parts));
    measureParts(*sequence);
    return sequence;
  }
  std::vector<size_t> cuts;
  for (size_t i = 1; i < units.size(); ++i)
    if (levelBetween(units, i) == level)
      cuts.push_back(i);
  cuts.push_back(units.size());
  size_t begin = 0;
  for (size_t end : cuts) {
    parts.push_back(cut(units.slice(begin, end - begin), false));
    begin = end;
  }
  NodePtr chain = makeParts(NodeKind::Chain, level, std::move(parts));
  bool hangs = level == BreakLevel::Clause || level == BreakLevel::Value ||
               (level == BreakLevel::Comma && !isInBrackets);
  chain->hang = hangs ? 4 : 0;
  measureParts(*chain);
  return chain;
}

/// True if the token begins what ends with a block only, whatever ends of lines are before that.
bool TreeBuilder::awaitsBlock(bool isTopLevel, bool isFirst) const {
  if (isMember())
    return false;
  switch (token().kind) {
  case TokenKind::KwScan:
  case TokenKind::KwElse:
    return true;
  case TokenKind::KwIf:
    return true;
  case TokenKind::KwFor:
  case TokenKind::KwGradient:
    return isFirst && !isTopLevel;
  default:
    return isFirst && isTopLevel && token().kind != TokenKind::KwImport;
  }
}

NodePtr TreeBuilder::buildStatement(bool isTopLevel) {
  Nodes units;
  unsigned awaited = 0;
  while (!(token().kind == TokenKind::RightBrace || token().kind == TokenKind::EndOfFile)) {
    if (!units.empty() && token().afterEnd && awaited == 0 && token().kind != TokenKind::KwElse)
      break;
    // `else if` waits for one block.
    if (awaitsBlock(isTopLevel, units.empty()) &&
        !(token().kind == TokenKind::KwIf && !units.empty() && units.back()->last->kind == TokenKind::KwElse))
      ++awaited;
    if (token().kind == TokenKind::LeftBrace && awaited != 0)
      --awaited;
    units.push_back(buildUnit());
  }
  return cut(units, false);
}

Nodes TreeBuilder::buildStatements(bool isTopLevel) {
  Nodes statements;
  while (token().kind != TokenKind::RightBrace && token().kind != TokenKind::EndOfFile)
    statements.push_back(buildStatement(isTopLevel));
  return statements;
}

NodePtr TreeBuilder::buildUnit() {
  if (token().kind == TokenKind::LeftBrace)
    return buildBlock();
  if (token().kind == TokenKind::LeftParen || token().kind == TokenKind::LeftBracket)
    return buildBrackets();
  auto node = std::make_unique<Node>();
  node->first = node->last = &tokens[at++];
  measureToken(*node);
  return node;
}

NodePtr TreeBuilder::buildBrackets() {
  auto node = std::make_unique<Node>();
  node->kind = NodeKind::Brackets;
  node->first = &tokens[at++];
  Nodes units;
  while (token().kind != TokenKind::RightParen && token().kind != TokenKind::RightBracket)
    units.push_back(buildUnit());
  node->last = &tokens[at++];
  if (!units.empty())
    node->children.push_back(cut(units, true));
  measureBrackets(*node);
  return node;
}

NodePtr TreeBuilder::buildBlock() {
  auto node = std::make_unique<Node>();
  node->kind = NodeKind::Block;
  node->first = &tokens[at++];
  node->children = buildStatements(false);
  node->last = &tokens[at++];
  measureBlock(*node);
  return node;
}

Nodes format::buildStatements(ArrayRef<FormatToken> tokens) {
  return TreeBuilder(tokens).buildStatements(true);
}
