// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mutate-programs [COUNT] [SEED] [COMPILED]: damages the .dl files of the tree in COUNT ways: bytes, tokens,
// numbers, lines, parts of other files. Each mutant goes through the formatter and the frontend; the first
// COMPILED of those that are programs go through the whole compiler. Whatever happens must be a module or an
// error, never a crash, a message that says it is a bug of dlc, or more than a minute of processor time. The
// program is meant to run under AddressSanitizer and UndefinedBehaviorSanitizer, too. A mutant that fails is
// printed.

#include "compiler/Pipeline.h"
#include "frontend/Formatter.h"
#include "frontend/Frontend.h"
#include "frontend/Lexer.h"
#include "frontend/Parser.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sys/time.h>
#include <unistd.h>

using namespace dlc;
using namespace dlc::frontend;

namespace {

/// Of processor time, so that a busy machine changes nothing.
constexpr unsigned secondsPerMutant = 60;
/// Programs with more bytes are not compiled: one that is right may take longer than that.
constexpr size_t maxCompiledSize = 3000;

/// The mutant at work, for the message of a handler, which must not allocate.
std::string currentMutant;

void say(llvm::StringRef text) {
  [[maybe_unused]] ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

void reportSignal(int number) {
  say(number == SIGPROF ? "this mutant takes too long:\n" : "this mutant crashes:\n");
  say(currentMutant);
  signal(number, SIG_DFL);
  if (number == SIGPROF)
    _exit(1);
  raise(number);
}

void startTimer() {
  itimerval limit = {{0, 0}, {secondsPerMutant, 0}};
  setitimer(ITIMER_PROF, &limit, nullptr);
}

struct Text {
  std::string path, text;
  std::vector<std::string> tokens; ///< each with what stands before it
};

std::vector<std::string> splitTokens(llvm::StringRef text) {
  SourceManager sources;
  DiagnosticEngine diags(sources);
  LexedFile lexed = lex(sources.addText("text.dl", text), sources, diags);
  std::vector<std::string> tokens;
  size_t end = 0;
  for (const Token &token : lexed.tokens) {
    tokens.push_back(text.slice(end, token.range.end).str());
    end = token.range.end;
  }
  return tokens;
}

std::vector<Text> readTexts() {
  std::vector<Text> texts;
  std::error_code error;
  for (const char *folder : {"/frontend", "/models", "/test"})
    for (llvm::sys::fs::recursive_directory_iterator i(DLC_SOURCE_DIR + std::string(folder), error), end;
         i != end && !error; i.increment(error)) {
      if (!llvm::StringRef(i->path()).ends_with(".dl"))
        continue;
      std::string text = (*llvm::MemoryBuffer::getFile(i->path()))->getBuffer().str();
      texts.push_back({i->path(), text, splitTokens(text)});
    }
  std::sort(texts.begin(), texts.end(), [](const Text &a, const Text &b) { return a.path < b.path; });
  return texts;
}

class Mutator {
public:
  Mutator(const std::vector<Text> &texts, uint64_t seed) : texts(texts), random(seed) {}

  /// Most edits put a token in the place of one of its kind, so that about half of the mutants can be read.
  std::string mutate(const Text &original) {
    std::vector<std::string> tokens = original.tokens;
    bool isGentle = pick(4) != 0;
    for (size_t edits = 1 + pick(3); edits > 0 && !tokens.empty(); --edits)
      isGentle ? replaceToken(tokens) : editTokens(tokens);
    std::string text;
    for (const std::string &token : tokens)
      text += token;
    if (pick(16) == 0)
      editBytes(text);
    return text;
  }

private:
  size_t pick(size_t size) { return random() % size; }
  const std::string &anyToken() {
    const Text &text = texts[pick(texts.size())];
    return text.tokens[pick(text.tokens.size())];
  }

  /// The first character of a token, or A for a letter, 0 for a digit.
  static char kindOf(const std::string &token) {
    size_t begin = token.find_first_not_of(" \n");
    char c = begin == std::string::npos ? ' ' : token[begin];
    return llvm::isAlpha(c) || c == '_'           ? 'A'
           : llvm::isDigit(c)                     ? '0'
           : llvm::StringRef("+-*/%").contains(c) ? '+'
                                                  : c;
  }

  /// A name becomes another name, a number another number, an operator another operator.
  void replaceToken(std::vector<std::string> &tokens) {
    std::string &token = tokens[pick(tokens.size())];
    for (size_t tries = 0; tries < 20; ++tries) {
      std::string other = pick(3) ? tokens[pick(tokens.size())] : anyToken();
      if (kindOf(token) != kindOf(other) || kindOf(token) == '#')
        continue;
      size_t begin = other.find_last_of(" \n");
      token = token.substr(0, token.find_last_of(" \n") + 1) + other.substr(begin + 1);
      return;
    }
  }

  void editTokens(std::vector<std::string> &tokens) {
    static const std::vector<std::string> numbers = {
        " 0", " 1", " 2", "-1", " 10000", " 2147483648", " 9223372036854775807", " 0.0", " 1e308", " 1e-320"};
    size_t at = pick(tokens.size());
    size_t length = std::min<size_t>(1 + pick(12), tokens.size() - at);
    switch (pick(8)) {
    case 0:
      tokens.erase(tokens.begin() + at);
      break;
    case 1:
      tokens.insert(tokens.begin() + at, tokens[pick(tokens.size())]);
      break;
    case 2:
      std::swap(tokens[at], tokens[pick(tokens.size())]);
      break;
    case 3:
      tokens[at] = anyToken();
      break;
    case 4: { // the next number becomes another one
      auto isNumber = [](const std::string &token) {
        size_t begin = token.find_first_not_of(" \n");
        return begin != std::string::npos && llvm::isDigit(token[begin]);
      };
      auto number = std::find_if(tokens.begin() + at, tokens.end(), isNumber);
      if (number != tokens.end())
        *number = numbers[pick(numbers.size())];
      break;
    }
    case 5: { // a part of another file
      const Text &other = texts[pick(texts.size())];
      size_t from = pick(other.tokens.size());
      size_t count = std::min<size_t>(1 + pick(40), other.tokens.size() - from);
      tokens.insert(tokens.begin() + at, other.tokens.begin() + from, other.tokens.begin() + from + count);
      break;
    }
    case 6: // a part twice, or not at all
      if (pick(2)) {
        std::vector<std::string> part(tokens.begin() + at, tokens.begin() + at + length);
        tokens.insert(tokens.begin() + at, part.begin(), part.end());
      } else {
        tokens.erase(tokens.begin() + at, tokens.begin() + at + length);
      }
      break;
    default: // one name becomes another one everywhere behind
      for (std::string from = tokens[at], to = tokens[pick(tokens.size())]; std::string &token : tokens)
        if (token == from)
          token = to;
    }
  }

  void editBytes(std::string &text) {
    if (text.empty())
      return;
    size_t at = pick(text.size());
    switch (pick(3)) {
    case 0:
      text.resize(at);
      break;
    case 1:
      text[at] = static_cast<char>(random());
      break;
    default:
      text[at] ^= static_cast<char>(1 << pick(8));
    }
  }

  const std::vector<Text> &texts;
  std::mt19937_64 random;
};

struct Counts {
  unsigned syntaxErrors = 0, errors = 0, modules = 0, compiled = 0;
};

bool fail(unsigned index, llvm::StringRef what) {
  llvm::errs() << "mutant " << index << ": " << what << "\n" << currentMutant << "\n";
  return false;
}

bool checkFormatter(unsigned index, FileId file, const SourceManager &sources) {
  DiagnosticEngine diags(sources);
  std::optional<std::string> formatted = formatFile(file, sources, diags);
  if (!formatted)
    return true;
  std::string loss = findFormattingLoss(file, sources, *formatted);
  if (!loss.empty())
    return fail(index, "formatting loses something: " + loss);
  SourceManager second;
  DiagnosticEngine secondDiags(second);
  if (formatFile(second.addText("mutant.dl", *formatted), second, secondDiags) != formatted)
    return fail(index, "formatting twice is not formatting once");
  return true;
}

bool compileWhole(unsigned index, const std::string &path) {
  std::ofstream(path) << currentMutant;
  CompileOptions options;
  options.cpuVariants = {"x86-64-v3"};
  options.verify = true;
  std::string messages, artifact;
  llvm::raw_string_ostream os(messages);
  CompileStatus status = compileToArtifact(path, options, os, artifact);
  if (status != CompileStatus::Done && status != CompileStatus::UserError)
    return fail(index, "the compiler ends with status " + std::to_string(static_cast<int>(status)) + "\n" +
                           messages);
  if ((status == CompileStatus::Done) == artifact.empty() ||
      (status == CompileStatus::UserError && messages.empty()))
    return fail(index, "the compiler gives neither an artifact nor a message");
  return true;
}

/// Name, so that imports are found: that of the file that the mutant was made from.
bool check(unsigned index, const std::string &name, const std::string &path, unsigned compiled,
           Counts &counts) {
  startTimer();
  SourceManager sources;
  DiagnosticEngine diags(sources);
  FileId file = sources.addText(name, currentMutant);
  if (!checkFormatter(index, file, sources))
    return false;
  std::unique_ptr<Program> program = parseProgram(file, sources, diags);
  if (diags.hasErrors()) {
    ++counts.syntaxErrors;
    return true;
  }
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  auto module = generateModule(*program, sources, diags, context);
  std::string messages;
  llvm::raw_string_ostream os(messages);
  diags.render(os);
  if (static_cast<bool>(module) == diags.hasErrors())
    return fail(index, "the frontend gives both a module and errors, or neither\n" + messages);
  if (llvm::StringRef(messages).contains("bug in dlc"))
    return fail(index, messages);
  if (!module) {
    ++counts.errors;
    return true;
  }
  ++counts.modules;
  if (mlir::failed(mlir::verify(*module)))
    return fail(index, "the verifier rejects the frontend's module");
  if (counts.compiled == compiled || currentMutant.size() > maxCompiledSize)
    return true;
  ++counts.compiled;
  startTimer();
  return compileWhole(index, path);
}

} // namespace

int main(int argc, char **argv) {
  unsigned count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1000;
  uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  unsigned compiled = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 50;
  for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPROF})
    signal(number, reportSignal);
  std::vector<Text> texts = readTexts();
  Mutator mutator(texts, seed);
  Counts counts;
  llvm::SmallString<128> path;
  if (llvm::sys::fs::createTemporaryFile("mutant", "dl", path)) {
    llvm::errs() << "cannot make a temporary file\n";
    return 2;
  }
  bool isGood = true;
  for (unsigned index = 0; index < count; ++index) {
    const Text &text = texts[index % texts.size()];
    currentMutant = mutator.mutate(text);
    isGood &= check(index, text.path, path.str().str(), compiled, counts);
  }
  llvm::sys::fs::remove(path);
  std::printf("%u mutants: %u with syntax errors, %u with other errors, %u modules, %u compiled\n", count,
              counts.syntaxErrors, counts.errors, counts.modules, counts.compiled);
  // Mutants that never get far would test little.
  if (counts.errors < count / 10 || counts.modules < count / 50) {
    llvm::errs() << "too few mutants are read\n";
    isGood = false;
  }
  return isGood ? 0 : 1;
}
