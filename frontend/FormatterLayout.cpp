// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The tree to text. What does not fit is filled: a part that does not fit into the rest of its line starts
// the next one, aligned with the first part, and is broken itself only if it does not fit there either. Where
// the widest unbreakable part does not fit behind an opening bracket or an `=`, the line is broken there.
#include "frontend/FormatterImpl.h"

using namespace dlc::frontend;
using namespace dlc::frontend::format;
using llvm::ArrayRef;
using llvm::StringRef;

namespace {
/// A line of the result; its comment is placed when those of the lines around it are known.
struct Line {
  std::string code;
  unsigned width = 0;
  unsigned indent = 0;
  StringRef comment;
};

class Layout {
public:
  void printStatements(ArrayRef<std::unique_ptr<Node>> statements, const FormatToken &close, unsigned indent);
  std::string join();

private:
  unsigned column() const { return lines.back().width; }
  bool fits(unsigned width) const { return column() + width <= formatWidth; }
  void write(StringRef text, unsigned width);
  void write(const FormatToken &token) { write(token.text, token.width); }
  void newLine(unsigned indent);
  void printCommentsAbove(const FormatToken &token, unsigned indent, bool isFirst);
  void printCommentsWithin(const FormatToken &token, unsigned indent);
  void separate(const Node &node, unsigned indent);

  /// Prints a node whose later lines start at `indent` unless it aligns them itself, and behind which `trail`
  /// columns follow before the line can be broken.
  void print(const Node &node, unsigned indent, unsigned trail);
  void printSequence(const Node &node, unsigned indent, unsigned trail);
  void printChain(const Node &node, unsigned trail);
  void printBrackets(const Node &node, unsigned indent, unsigned trail);
  void printBlock(const Node &node, unsigned trail);
  void printOnOneLine(const Node &node);
  void alignComments();

  std::vector<Line> lines;
  unsigned blockIndent = 0; ///< of the statement being printed
};
} // namespace

//===----------------------------------------------------------------------===//
// Lines and comments
//===----------------------------------------------------------------------===//

void Layout::write(StringRef text, unsigned width) {
  lines.back().code += text;
  lines.back().width += width;
}

void Layout::newLine(unsigned indent) {
  Line &line = lines.emplace_back();
  line.code.assign(indent, ' ');
  line.width = line.indent = indent;
}

/// The comments between two statements, and the empty lines, of which one stays. Ends where the token starts.
void Layout::printCommentsAbove(const FormatToken &token, unsigned indent, bool isFirst) {
  bool isClose = token.kind == TokenKind::RightBrace || token.kind == TokenKind::EndOfFile;
  for (const Comment &comment : token.comments) {
    if (comment.isTrailing) {
      lines.back().comment = comment.text;
      continue;
    }
    if (comment.blankBefore && !isFirst)
      lines.emplace_back();
    newLine(indent);
    write(comment.text, displayWidth(comment.text));
    isFirst = false;
  }
  if (token.blankBefore && !isFirst && !isClose)
    lines.emplace_back();
  if (!isClose)
    newLine(indent);
}

/// The comments inside a statement, after each of which the line ends.
void Layout::printCommentsWithin(const FormatToken &token, unsigned indent) {
  for (const Comment &comment : token.comments) {
    if (comment.isTrailing) {
      lines.back().comment = comment.text;
      continue;
    }
    newLine(indent);
    write(comment.text, displayWidth(comment.text));
  }
  newLine(indent);
}

/// Comments behind code on lines that follow each other start in one column, if there is room.
void Layout::alignComments() {
  for (size_t begin = 0; begin < lines.size();) {
    size_t end = begin;
    unsigned code = 0, comment = 0;
    for (; end < lines.size() && !lines[end].comment.empty(); ++end) {
      code = std::max(code, lines[end].width);
      comment = std::max(comment, displayWidth(lines[end].comment));
    }
    for (; begin < end; ++begin) {
      Line &line = lines[begin];
      line.code.append(code + 2 + comment <= formatWidth ? code + 2 - line.width : 2, ' ');
      line.code += line.comment;
    }
    begin = std::max(end, begin) + 1;
  }
}

std::string Layout::join() {
  alignComments();
  std::string text;
  for (const Line &line : lines)
    text += line.code + "\n";
  return text;
}

//===----------------------------------------------------------------------===//
// Statements and blocks
//===----------------------------------------------------------------------===//

void Layout::printStatements(ArrayRef<std::unique_ptr<Node>> statements, const FormatToken &close,
                             unsigned indent) {
  bool isFirst = true;
  for (const std::unique_ptr<Node> &statement : statements) {
    printCommentsAbove(*statement->first, indent, isFirst);
    blockIndent = indent;
    print(*statement, indent + 4, 0);
    isFirst = false;
  }
  printCommentsAbove(close, indent, isFirst);
}

void Layout::printBlock(const Node &node, unsigned trail) {
  if (node.hasOneLine && fits(node.oneLine + trail))
    return printOnOneLine(node);
  unsigned indent = blockIndent;
  write(*node.first);
  printStatements(node.children, *node.last, indent + 2);
  blockIndent = indent;
  newLine(indent);
  write(*node.last);
}

//===----------------------------------------------------------------------===//
// Inside of statements
//===----------------------------------------------------------------------===//

/// Writes what stands between a node and the one before it.
void Layout::separate(const Node &node, unsigned indent) {
  if (!node.first->comments.empty())
    printCommentsWithin(*node.first, node.kind == NodeKind::Block ? blockIndent : indent);
  else if (node.first->spaceBefore)
    write(" ", 1);
}

void Layout::printOnOneLine(const Node &node) {
  if (node.kind == NodeKind::Token)
    return write(*node.first);
  bool isEnclosed = node.kind == NodeKind::Brackets || node.kind == NodeKind::Block;
  bool isBlock = node.kind == NodeKind::Block && !node.children.empty();
  if (isEnclosed)
    write(*node.first);
  for (const std::unique_ptr<Node> &child : node.children) {
    bool isFirst = child == node.children.front();
    if (isBlock)
      write(isFirst ? " " : "; ", isFirst ? 1 : 2);
    else if (!isFirst && child->first->spaceBefore)
      write(" ", 1);
    printOnOneLine(*child);
  }
  if (isBlock)
    write(" ", 1);
  if (isEnclosed)
    write(*node.last);
}

void Layout::print(const Node &node, unsigned indent, unsigned trail) {
  switch (node.kind) {
  case NodeKind::Token:
    return write(*node.first);
  case NodeKind::Sequence:
    return printSequence(node, indent, trail);
  case NodeKind::Chain:
    if (node.level == BreakLevel::Else)
      return printSequence(node, blockIndent, trail);
    if (node.level == BreakLevel::Keyword)
      return printSequence(node, indent, trail);
    return printChain(node, trail);
  case NodeKind::Brackets:
    return printBrackets(node, indent, trail);
  case NodeKind::Block:
    return printBlock(node, trail);
  }
}

void Layout::printSequence(const Node &node, unsigned indent, unsigned trail) {
  for (size_t i = 0; i < node.children.size(); ++i) {
    if (i != 0)
      separate(*node.children[i], indent);
    // What follows up to the next place for a break must fit as well.
    unsigned follows = 0;
    size_t j = i + 1;
    for (; j < node.children.size(); ++j) {
      const Node &next = *node.children[j];
      if (!next.first->comments.empty())
        break;
      follows += (next.first->spaceBefore ? 1 : 0) + next.lead;
      if (!next.isRigid)
        break;
    }
    print(*node.children[i], indent, follows + (j == node.children.size() ? trail : 0));
  }
}

/// What stays with the `)` of a signature, as long as it is short: `-> f32[n] {`, `for p, g {`. The
/// parameters are broken rather than that.
static unsigned tailOfSignature(const Node &next) {
  bool isTail = next.first->kind == TokenKind::Arrow || next.first->kind == TokenKind::KwFor;
  return isTail && next.first->comments.empty() && next.flat <= 40 ? 1 + next.flat : 0;
}

void Layout::printChain(const Node &node, unsigned trail) {
  unsigned indent = column() + node.hang;
  size_t linesBefore = lines.size();
  for (size_t i = 0; i < node.children.size(); ++i) {
    const Node *child = node.children[i].get();
    bool isLast = i + 1 == node.children.size();
    unsigned follows = isLast ? trail : tailOfSignature(*node.children[i + 1]);
    if (i != 0) {
      unsigned space = child->first->spaceBefore ? 1 : 0;
      bool isTooLong = !fits(space + child->flat + (child->isForced ? 0 : follows));
      if (node.level == BreakLevel::Value) // rather within the value than before it
        isTooLong &= !fits(space + child->need + follows);
      // Behind parameters of several lines, `where` and the like would be hard to find.
      if (node.level == BreakLevel::Clause && child->first->kind == TokenKind::Name)
        isTooLong |= lines.size() != linesBefore;
      if (child->first->comments.empty() && isTooLong && indent < column() + space)
        newLine(indent);
      else
        separate(*child, indent);
    }
    print(*child, indent, follows);
  }
}

void Layout::printBrackets(const Node &node, unsigned indent, unsigned trail) {
  if (!node.isForced && fits(node.flat + trail))
    return printOnOneLine(node);
  unsigned hanging = lines.back().indent + 4;
  write(*node.first);
  unsigned inner = column();
  if (!node.children.empty()) {
    const Node &content = *node.children.front();
    bool isTooLong = !fits(content.flat + (content.isForced ? 0 : 1 + trail)) && !fits(content.need + 1);
    if (isTooLong && hanging < inner)
      inner = hanging;
    if (!content.first->comments.empty())
      printCommentsWithin(*content.first, inner);
    else if (inner != column())
      newLine(inner);
    print(content, inner, 1 + trail);
  }
  if (!node.last->comments.empty())
    printCommentsWithin(*node.last, inner);
  write(*node.last);
}

std::string format::layOut(ArrayRef<std::unique_ptr<Node>> statements, const FormatToken &end) {
  Layout layout;
  layout.printStatements(statements, end, 0);
  return layout.join();
}
