// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/Diagnostics.h"
#include "frontend/Lexer.h"
#include "llvm/Support/raw_ostream.h"
#include <gtest/gtest.h>

using namespace dlc::frontend;

namespace {

class Diagnostics : public testing::Test {
protected:
  SourceManager sources;
  DiagnosticEngine diags{sources};

  /// The range of the first occurrence of `piece`.
  SourceRange find(FileId file, llvm::StringRef piece) {
    uint32_t begin = sources.text(file).find(piece);
    return {file, begin, begin + static_cast<uint32_t>(piece.size())};
  }
  std::string render(bool color = false) {
    std::string text;
    llvm::raw_string_ostream os(text);
    diags.render(os, color);
    return text;
  }
  /// What the lexer says about a text.
  std::string messagesOfLexing(llvm::StringRef text) {
    lex(sources.addText("t.dl", text), sources, diags);
    return render();
  }
};

// Tests the format with a note, its place and its suggestion, as the design shows it.
TEST_F(Diagnostics, rendersTheDesignsExample) {
  std::string text(10, '\n');
  text += "  let fc1 = linear(block2, 10)\n\n  return fc2\n";
  FileId file = sources.addText("mnist.dl", text);
  diags.error(find(file, "fc2"), "mnist returns f32[n, 64, 7, 10], declared f32[n, 10]")
      .note("the extra dimensions come from block2, f32[n, 64, 7, 7], used here", find(file, "block2"),
            "flatten(block2)");
  EXPECT_EQ(render(), "mnist.dl:13:10: error: mnist returns f32[n, 64, 7, 10], declared f32[n, 10]\n"
                      "   13 |   return fc2\n"
                      "      |          ^~~\n"
                      "  note: the extra dimensions come from block2, f32[n, 64, 7, 7], used here: "
                      "mnist.dl:11:20; did you mean flatten(block2)?\n");
}

// Tests that messages are ordered by file, then by place, then as reported, whatever the order of reporting.
TEST_F(Diagnostics, ordersByPlace) {
  FileId first = sources.addText("a.dl", "one two\n"), second = sources.addText("b.dl", "three\n");
  diags.error(find(second, "three"), "c");
  diags.error(find(first, "two"), "b");
  diags.warning(find(first, "one"), "a1");
  diags.error(find(first, "one"), "a2");
  EXPECT_EQ(render(), "a.dl:1:1: warning: a1\n    1 | one two\n      | ^~~\n"
                      "a.dl:1:1: error: a2\n    1 | one two\n      | ^~~\n"
                      "a.dl:1:5: error: b\n    1 | one two\n      |     ^~~\n"
                      "b.dl:1:1: error: c\n    1 | three\n      | ^~~~~\n");
  EXPECT_EQ(diags.errorCount(), 3u);
  EXPECT_EQ(diags.warningCount(), 1u);
}

// Tests that what is reported twice, as for a layer that is checked once per call, is shown once, with its
// notes.
TEST_F(Diagnostics, showsRepetitionsOnce) {
  FileId file = sources.addText("a.dl", "x\n");
  diags.error(find(file, "x"), "wrong").note("why");
  diags.error(find(file, "x"), "wrong").note("why");
  EXPECT_EQ(render(), "a.dl:1:1: error: wrong\n    1 | x\n      | ^\n  note: why\n");
  EXPECT_EQ(diags.errorCount(), 1u);
}

// Tests that the limit counts errors alone, and that those left out are counted.
TEST_F(Diagnostics, showsTwentyErrors) {
  FileId file = sources.addText("a.dl", std::string(40, 'x') + "\n");
  for (uint32_t i = 0; i < 22; ++i)
    diags.error({file, i, i + 1}, "wrong");
  diags.warning({file, 30, 31}, "odd");
  std::string text = render();
  EXPECT_NE(text.find("a.dl:1:20: error: wrong"), std::string::npos);
  EXPECT_EQ(text.find("a.dl:1:21: error: wrong"), std::string::npos);
  EXPECT_NE(text.find("a.dl:1:31: warning: odd"), std::string::npos);
  EXPECT_TRUE(llvm::StringRef(text).ends_with("and 2 more errors\n"));
}

// Tests an error without a place, an empty range at the end of a line, and a range over several lines.
TEST_F(Diagnostics, rendersUnusualRanges) {
  diags.error({}, "cannot read 'x.dl': No such file or directory");
  FileId file = sources.addText("a.dl", "ab\r\ncd\n");
  diags.error({file, 2, 2}, "end");
  diags.error({file, 1, 6}, "long");
  EXPECT_EQ(render(), "dlc: error: cannot read 'x.dl': No such file or directory\n"
                      "a.dl:1:2: error: long\n    1 | ab\n      |  ^\n"
                      "a.dl:1:3: error: end\n    1 | ab\n      |   ^\n");
}

// Tests that columns and tildes count characters, not bytes, and that a tab is one character wide.
TEST_F(Diagnostics, countsCharacters) {
  FileId file = sources.addText("a.dl", "\t\"äöü\" größe\n");
  SourceRange range = find(file, "größe");
  diags.error(range, "wrong");
  EXPECT_EQ(render(), "a.dl:1:8: error: wrong\n    1 |  \"äöü\" größe\n      |        ^~~~~\n");
  EXPECT_EQ(sources.find("a.dl", 1, 8), range.start());
  EXPECT_FALSE(sources.find("b.dl", 1, 8).isValid());
  EXPECT_FALSE(sources.find("a.dl", 3, 1).isValid());
}

// Tests that colours come only when asked for, and that control characters of a file never reach the
// terminal.
TEST_F(Diagnostics, coloursOnRequest) {
  FileId file = sources.addText("a.dl", "x\033[31m\n");
  diags.error(find(file, "x"), "wrong");
  EXPECT_EQ(render().find('\033'), std::string::npos);
  EXPECT_NE(render(true).find("\033[1;31merror: "), std::string::npos);
}

// Tests that the nearest name is found by edit distance, and that a far one is none.
TEST_F(Diagnostics, suggestsNearNames) {
  llvm::StringRef names[] = {"linear", "conv2d", "relu", "n"};
  EXPECT_EQ(nearestName("liner", names), "linear");
  EXPECT_EQ(nearestName("Linear", names), "linear");
  EXPECT_EQ(nearestName("conv3d", names), "conv2d");
  EXPECT_EQ(nearestName("rleu", names), "relu"); // two edits of four letters
  EXPECT_EQ(nearestName("m", names), "");
  EXPECT_EQ(nearestName("attention", names), "");
  EXPECT_EQ(nearestName("", names), "");
  diags.error({}, "unknown name 'liner'").suggest(nearestName("liner", names));
  diags.error({}, "unknown name 'm'").suggest(nearestName("m", names));
  EXPECT_EQ(render(),
            "dlc: error: unknown name 'liner'; did you mean linear?\ndlc: error: unknown name 'm'\n");
}

// Tests bytes that are no text: they are named by their number, never printed.
TEST_F(Diagnostics, namesBadBytes) {
  EXPECT_EQ(messagesOfLexing("a\x01\n"),
            "t.dl:1:2: error: unexpected control character 0x1\n    1 | a \n      |  ^\n");
}
TEST_F(Diagnostics, namesInvalidUtf8) {
  EXPECT_NE(messagesOfLexing("a \xFF\n").find("t.dl:1:3: error: this byte is not valid UTF-8: 0xFF\n"),
            std::string::npos);
}
TEST_F(Diagnostics, namesInvalidUtf8InStrings) {
  EXPECT_NE(messagesOfLexing("\"\xFF\"\n").find("t.dl:1:1: error: this string is not valid UTF-8\n"),
            std::string::npos);
}

// Tests that neither a byte order mark, nor Windows line ends, nor a missing last newline matter, and that
// comments are kept.
TEST_F(Diagnostics, readsWindowsFiles) {
  FileId file = sources.addText("t.dl", "\xEF\xBB\xBFlet a = 1\r\n# größer\r\nlet b");
  LexedFile lexed = lex(file, sources, diags);
  EXPECT_EQ(render(), "");
  std::vector<TokenKind> kinds;
  for (const Token &token : lexed.tokens)
    kinds.push_back(token.kind);
  EXPECT_EQ(kinds, (std::vector{TokenKind::KwLet, TokenKind::Name, TokenKind::Equal, TokenKind::Integer,
                                TokenKind::Newline, TokenKind::KwLet, TokenKind::Name, TokenKind::Newline,
                                TokenKind::EndOfFile}));
  ASSERT_EQ(lexed.comments.size(), 1u);
  EXPECT_EQ(sources.text(lexed.comments[0]).rtrim(), "# größer");
}

} // namespace
