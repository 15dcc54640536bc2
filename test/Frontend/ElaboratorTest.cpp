// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs with mutated tokens: the frontend either makes a verified module or reports errors, never both,
// never neither, and never stops working.

#include "frontend/Frontend.h"
#include "frontend/Parser.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"
#include <fstream>
#include <random>
#include <sstream>

using namespace dlc::frontend;

namespace {

std::string readModel(const std::string &name) {
  std::ifstream file(std::string(DLC_SOURCE_DIR) + "/models/" + name + "/" + name + ".dl");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Words, numbers and operators, with the white space behind them.
std::vector<std::string> tokenize(const std::string &text) {
  std::vector<std::string> tokens;
  auto isWord = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  for (size_t i = 0; i < text.size();) {
    size_t end = i + 1;
    if (isWord(text[i]))
      while (end < text.size() && isWord(text[end]))
        ++end;
    while (end < text.size() && std::isspace(static_cast<unsigned char>(text[end])))
      ++end;
    tokens.push_back(text.substr(i, end - i));
    i = end;
  }
  return tokens;
}

/// What compiling a text did: a module, errors, and the text of the messages.
struct Outcome {
  bool hasModule = false, hasErrors = false;
  std::string messages;
};

Outcome compile(const std::string &text) {
  SourceManager sources;
  DiagnosticEngine diags(sources);
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  FileId file = sources.addText("mutant.dl", text);
  Outcome outcome;
  std::unique_ptr<Program> program = parseProgram(file, sources, diags);
  if (program && !diags.hasErrors())
    outcome.hasModule = static_cast<bool>(generateModule(*program, sources, diags, context));
  outcome.hasErrors = diags.hasErrors();
  llvm::raw_string_ostream os(outcome.messages);
  diags.render(os);
  return outcome;
}

void mutate(const std::string &model, unsigned count) {
  std::vector<std::string> tokens = tokenize(readModel(model));
  ASSERT_GT(tokens.size(), 100u);
  std::mt19937 random(20);
  auto pick = [&](size_t size) { return std::uniform_int_distribution<size_t>(0, size - 1)(random); };
  const std::vector<std::string> others{"0 ",        "1 ",   "9223372036854775807 ",
                                        "0.5 ",      "n ",   "-",
                                        "[",         "*",    "/ ",
                                        "** ",       "% ",   "\"text\" ",
                                        "training ", "f32 ", "iteration ",
                                        "relu",      "sum",  "zeros",
                                        "true ",     "f32",  "scan ",
                                        "shape",     "axis="};
  unsigned accepted = 0;
  for (unsigned i = 0; i < count; ++i) {
    std::vector<std::string> mutant = tokens;
    for (size_t edits = 1 + pick(2); edits > 0; --edits) {
      size_t at = pick(mutant.size());
      switch (pick(5)) {
      case 0:
        mutant.erase(mutant.begin() + at);
        break;
      case 1:
        mutant.insert(mutant.begin() + at, mutant[pick(mutant.size())]);
        break;
      case 2:
        mutant[at] = mutant[pick(mutant.size())];
        break;
      case 3:
        std::swap(mutant[at], mutant[pick(mutant.size())]);
        break;
      default:
        mutant[at] = others[pick(others.size())];
      }
    }
    std::string text;
    for (const std::string &token : mutant)
      text += token;
    SCOPED_TRACE(text);
    Outcome outcome = compile(text);
    EXPECT_NE(outcome.hasModule, outcome.hasErrors) << outcome.messages;
    EXPECT_EQ(outcome.messages.find("a bug in dlc"), std::string::npos) << outcome.messages;
    accepted += outcome.hasModule;
  }
  // Otherwise the mutants would only exercise the first check.
  EXPECT_GT(accepted, count / 50);
}

TEST(ElaboratorTest, AcceptsTheModels) {
  for (const char *model : {"mnist", "rnn"}) {
    Outcome outcome = compile(readModel(model));
    EXPECT_TRUE(outcome.hasModule) << outcome.messages;
    EXPECT_EQ(outcome.messages, "");
  }
}

TEST(ElaboratorTest, SurvivesMutantsOfMnist) {
  mutate("mnist", 600);
}
TEST(ElaboratorTest, SurvivesMutantsOfRnn) {
  mutate("rnn", 400);
}

} // namespace
