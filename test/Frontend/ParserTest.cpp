// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/Parser.h"
#include "frontend/StandardLibrary.h"
#include "llvm/Support/raw_ostream.h"
#include <gtest/gtest.h>
#include <random>

using namespace dlc::frontend;

namespace {

/// What is left of parsing a text: its tree as dumped, and its messages as rendered.
struct Parsed {
  std::string tree;
  std::string messages;
  unsigned errors = 0;
};

Parsed parse(llvm::StringRef text) {
  SourceManager sources;
  DiagnosticEngine diags(sources);
  FileId file = sources.addText("test.dl", text);
  ASTContext context;
  SourceFile parsed = parseFile(file, sources, context, diags);
  Parsed result;
  llvm::raw_string_ostream tree(result.tree), messages(result.messages);
  dumpAST(parsed, sources, tree);
  diags.render(messages);
  result.errors = diags.errorCount();
  return result;
}

constexpr const char *models[] = {DLC_SOURCE_DIR "/models/mnist/mnist.dl",
                                  DLC_SOURCE_DIR "/models/rnn/rnn.dl"};

/// Every text that the tree holds: the models and the standard library.
std::vector<std::string> allTexts() {
  std::vector<std::string> texts;
  for (const StandardFile &file : standardLibrary())
    texts.push_back(file.text.str());
  for (const char *path : models)
    texts.push_back((*llvm::MemoryBuffer::getFile(path))->getBuffer().str());
  return texts;
}

// Tests that the standard library and the models parse without a message, the library first.
TEST(Parser, readsTheStandardLibraryAndTheModels) {
  for (const char *path : models) {
    SourceManager sources;
    DiagnosticEngine diags(sources);
    auto program = parseProgram(path, sources, diags);
    ASSERT_TRUE(program);
    std::string messages;
    llvm::raw_string_ostream os(messages);
    diags.render(os);
    EXPECT_EQ(messages, "");
    EXPECT_EQ(program->files.size(), standardLibrary().size() + 1);
    EXPECT_TRUE(program->files.front().isStandardLibrary);
    EXPECT_FALSE(program->main().isStandardLibrary);
  }
}

// Tests that a dumped tree is a program again, and the same one: nothing that was written is lost.
TEST(Parser, dumpReadsBackAsTheSameTree) {
  for (const std::string &text : allTexts()) {
    Parsed first = parse(text);
    std::string dumped = first.tree.substr(first.tree.find('\n') + 1);
    Parsed second = parse(dumped);
    EXPECT_EQ(second.messages, "");
    EXPECT_EQ(second.tree, first.tree);
  }
}

// Tests that 500 texts with a few bytes deleted, doubled, swapped or replaced never crash the parser, and
// that it says something about a text that it does not take.
TEST(Parser, survivesMutatedTexts) {
  constexpr llvm::StringRef pieces[] = {
      "(", ")",   "[",     "]",    "{",    "}",    "\n",        ";",     ",",    "<-",
      "=", "..",  "...",   "let ", "#",    "\"",   "layer ",    "scan ", ":",    "over ",
      "1", "1e9", "train", "\\",   "\xFF", "\x01", "minimize ", "else ", " if ", "**"};
  std::mt19937 random(20240611);
  auto below = [&](size_t n) { return random() % n; };
  std::vector<std::string> texts = allTexts();
  unsigned rejected = 0;
  for (unsigned i = 0; i < 500; ++i) {
    std::string text = texts[below(texts.size())];
    for (unsigned change = 0, changes = 1 + below(5); change < changes && !text.empty(); ++change) {
      size_t at = below(text.size()), length = std::min<size_t>(1 + below(12), text.size() - at);
      switch (below(5)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, text.substr(at, length));
        break;
      case 2:
        text.insert(at, pieces[below(std::size(pieces))]);
        break;
      case 3:
        text[at] = static_cast<char>(below(256));
        break;
      case 4:
        text.resize(at + 1);
        break;
      }
    }
    Parsed parsed = parse(text);
    rejected += parsed.errors != 0;
    EXPECT_EQ(parsed.errors != 0, parsed.messages.find("error: ") != std::string::npos);
    if (parsed.errors == 0)
      EXPECT_EQ(parse(parsed.tree.substr(parsed.tree.find('\n') + 1)).tree, parsed.tree);
  }
  EXPECT_GT(rejected, 250u);
}

// Tests that neither nesting nor length can use up the stack.
TEST(Parser, limitsNestingAndLength) {
  auto body = [](const std::string &expr) { return "function f(x: f32) {\n  return " + expr + "\n}\n"; };
  std::string open(100000, '('), minus(100000, '-'), brackets(100000, '[');
  for (const std::string &deep : {open, minus, brackets})
    EXPECT_NE(parse(body(deep)).messages.find("error: nested more than 100 levels deep"), std::string::npos);
  std::string sum = "1", calls = "f", powers = "2";
  for (unsigned i = 0; i < 5000; ++i) {
    sum += "+1";
    calls += "()";
    powers += "**2";
  }
  EXPECT_NE(parse(body(sum)).messages.find("error: an expression of more than 4000 operators"),
            std::string::npos);
  EXPECT_NE(parse(body(calls)).messages.find("error: an expression of more than 4000 operators"),
            std::string::npos);
  EXPECT_NE(parse(body(powers)).messages.find("error: nested more than 100 levels deep"), std::string::npos);
  std::string blocks;
  for (unsigned i = 0; i < 5000; ++i)
    blocks += "if x {\n";
  EXPECT_NE(parse("layer f() {\n" + blocks).messages.find("nested more than 100 levels deep"),
            std::string::npos);
}

} // namespace
