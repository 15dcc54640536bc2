// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/Formatter.h"
#include "frontend/FormatterImpl.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include <gtest/gtest.h>
#include <random>

using namespace dlc::frontend;

namespace {

/// Every text of the tree without syntax errors, with its name.
std::vector<std::pair<std::string, std::string>> allTexts() {
  std::vector<std::pair<std::string, std::string>> texts;
  std::error_code error;
  for (const char *folder : {"/frontend", "/models", "/test"})
    for (llvm::sys::fs::recursive_directory_iterator i(DLC_SOURCE_DIR + std::string(folder), error), end;
         i != end && !error; i.increment(error))
      if (llvm::StringRef(i->path()).ends_with(".dl"))
        texts.emplace_back(i->path(), (*llvm::MemoryBuffer::getFile(i->path()))->getBuffer().str());
  std::sort(texts.begin(), texts.end());
  llvm::erase_if(texts, [](const auto &text) {
    SourceManager sources;
    DiagnosticEngine diags(sources);
    return !formatFile(sources.addText("test.dl", text.second), sources, diags);
  });
  return texts;
}

/// The formatted text, or nothing for one with syntax errors. Fails the test if something was lost, or if
/// formatting it again changes it.
std::optional<std::string> checkedFormat(llvm::StringRef text, const std::string &name) {
  SourceManager sources;
  DiagnosticEngine diags(sources);
  FileId file = sources.addText("test.dl", text);
  std::optional<std::string> once = formatFile(file, sources, diags);
  if (!once)
    return std::nullopt;
  EXPECT_EQ(findFormattingLoss(file, sources, *once), "") << name << "\n" << text.str() << "\n-->\n" << *once;
  FileId second = sources.addText("formatted.dl", *once);
  EXPECT_EQ(formatFile(second, sources, diags).value_or("syntax errors"), *once) << name << "\n"
                                                                                 << text.str();
  return once;
}

// Tests that every text of the tree keeps its tokens, comments and tree, and is longer than a line only where
// a comment is, or where the parts of a line cannot be broken.
TEST(Formatter, keepsEveryTextOfTheTree) {
  std::vector<std::pair<std::string, std::string>> texts = allTexts();
  EXPECT_GT(texts.size(), 30u);
  for (const auto &[name, text] : texts) {
    std::optional<std::string> formatted = checkedFormat(text, name);
    ASSERT_TRUE(formatted);
    for (llvm::StringRef line : llvm::split(*formatted, '\n')) {
      EXPECT_FALSE(line.ends_with(" ")) << name;
      if (!line.contains('#')) {
        EXPECT_LE(format::displayWidth(line), formatWidth) << name << ": " << line.str();
      }
    }
  }
}

/// The text with its layout changed at random: what stands between two tokens becomes other blanks, ends of
/// lines, comments. Many of the results have syntax errors.
std::string changeLayout(llvm::StringRef text, std::mt19937 &random, unsigned oneIn) {
  SourceManager sources;
  DiagnosticEngine diags(sources);
  LexedFile lexed = lex(sources.addText("test.dl", text), sources, diags);
  static constexpr const char *gaps[] = {" ",         "\t  ",          "\n",           "\n\n\n",
                                         " # here\n", "\n  # own\n\n", "#a\n#b\n#c\n", "\n\n# own\n"};
  std::string result;
  size_t end = 0;
  for (const Token &token : lexed.tokens) {
    if (token.is(TokenKind::EndOfFile))
      break;
    result += text.slice(end, token.range.begin);
    if (random() % oneIn == 0)
      result += gaps[random() % std::size(gaps)];
    else if (token.is(TokenKind::Newline) && random() % oneIn == 0)
      result += ";";
    result += token.text;
    end = token.range.end;
  }
  return result + text.substr(end).str();
}

// Tests that nothing is lost, and that the second run changes nothing, whatever the layout was, and wherever
// comments stand.
TEST(Formatter, keepsRandomLayouts) {
  std::mt19937 random(1);
  std::vector<std::pair<std::string, std::string>> texts = allTexts();
  unsigned formatted = 0;
  for (unsigned i = 0; i < 6000; ++i) {
    const auto &[name, text] = texts[i % texts.size()];
    unsigned oneIn = 1u << (2 + random() % 8);
    formatted += checkedFormat(changeLayout(text, random, oneIn), name).has_value();
    if (HasFailure())
      return;
  }
  EXPECT_GT(formatted, 1500u);
}

// Tests that the layout follows from the tokens alone: where no comment and no block of one line is, joining
// lines at brackets gives the same text.
TEST(Formatter, doesNotDependOnTheLayoutBefore) {
  std::string spread =
      "layer f(\n x :f32[n\n,4 ],\n\n y: int\n=3)\n-> f32 [n\n]\nwhere y>\n0\n{\n let z=g(x,\n"
      "y)+\n1;return z }\n";
  std::string joined =
      "layer f(x: f32[n, 4], y: int = 3) -> f32[n] where y>0 {\nlet z = g(x, y) + 1\nreturn z\n}";
  EXPECT_EQ(checkedFormat(spread, ""), checkedFormat(joined, ""));
}

/// A program whose lines are too long in every way, from names of random lengths.
std::string makeLongExpression(std::mt19937 &random, unsigned depth) {
  auto name = [&] { return std::string(1 + random() % 24, static_cast<char>('a' + random() % 26)) + "_"; };
  if (depth == 0)
    return random() % 3 ? name() : std::to_string(random());
  auto part = [&] { return makeLongExpression(random, random() % depth); };
  switch (random() % 8) {
  case 0:
    return part() + " + " + part() + " - " + part();
  case 1:
    return "(" + part() + " and " + part() + " or not " + part() + ")";
  case 2:
    return "[" + part() + ", " + part() + "]";
  case 3:
    return name() + "[" + part() + ", " + part() + ":" + part() + ", ...]";
  case 4:
    return "scan xt in (" + part() + ") over axis=1 carry h = " + part() + " { h <- " + part() + " }";
  case 5:
    return "-" + name() + " * (" + part() + ") ** 2";
  default:
    return name() + "(" + part() + ", " + part() + ", keyword=" + part() + ")";
  }
}

// Tests that long statements are broken so that the same is read, and that no line is longer than it must be.
TEST(Formatter, breaksLongStatements) {
  std::mt19937 random(2);
  unsigned formatted = 0;
  for (unsigned i = 0; i < 3000; ++i) {
    std::string text = "layer f(x: f32) {\n";
    for (unsigned statement = 0; statement < 3; ++statement)
      text += "  let y = " + makeLongExpression(random, 5) + "\n";
    std::optional<std::string> result = checkedFormat(text + "}\n", "");
    formatted += result.has_value();
    if (HasFailure())
      return;
  }
  EXPECT_GT(formatted, 1500u);
}

// Tests that what changes the meaning is found: a token, a comment, the end of a statement.
TEST(Formatter, findsWhatIsLost) {
  SourceManager sources;
  FileId file = sources.addText("test.dl", "# doc\nlayer f(x: f32) { let a = 1 # c\nreturn a }\n");
  auto loss = [&](llvm::StringRef text) { return findFormattingLoss(file, sources, text); };
  EXPECT_EQ(loss("# doc\nlayer f(x: f32) {\n  let a = 1  # c\n  return a\n}\n"), "");
  EXPECT_EQ(loss("# doc\nlayer f(x: f32) {\n  let a = 2  # c\n  return a\n}\n"),
            "token 11 was '1' and became '2'");
  EXPECT_EQ(loss("# doc\nlayer f(x: f32) {\n  let a = 1\n  return a\n}\n"),
            "the comments are different, or elsewhere");
  EXPECT_EQ(loss("# doc\nlayer f(x: f32) {\n  let a = 1\n  return a  # c\n}\n"),
            "the comments are different, or elsewhere");
  EXPECT_EQ(loss("# doc\n\nlayer f(x: f32) {\n  let a = 1  # c\n  return a\n}\n"),
            "the syntax tree is different");
  EXPECT_EQ(loss("# doc\nlayer f(x: f32) {\n  let a = 1 return a  # c\n}\n"),
            "the formatted text has syntax errors");
}

} // namespace
