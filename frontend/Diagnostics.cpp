// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/Diagnostics.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <tuple>

using namespace dlc::frontend;
using llvm::raw_ostream;
using llvm::StringRef;
using llvm::Twine;

Diagnostic &Diagnostic::note(const Twine &message, SourceRange range, const Twine &suggestion) {
  notes.push_back({message.str(), range, suggestion.str()});
  return *this;
}

Diagnostic &Diagnostic::suggest(const Twine &replacement) {
  suggestion = replacement.str();
  return *this;
}

Diagnostic &DiagnosticEngine::add(Severity severity, SourceRange range, const Twine &message) {
  std::string text = message.str();
  // The few diagnostics of a run do not need an index.
  bool isKnown = llvm::any_of(diagnostics, [&](const Diagnostic &known) {
    return known.severity == severity && known.range == range && known.message == text;
  });
  if (isKnown) { // the caller will add its notes once more, which must not double those that are shown
    repetitions.push_back({severity, range, std::move(text), "", {}});
    return repetitions.back();
  }
  ++(severity == Severity::Error ? errors : warnings);
  diagnostics.push_back({severity, range, std::move(text), "", {}});
  return diagnostics.back();
}

Diagnostic &DiagnosticEngine::error(SourceRange range, const Twine &message) {
  return add(Severity::Error, range, message);
}

Diagnostic &DiagnosticEngine::warning(SourceRange range, const Twine &message) {
  return add(Severity::Warning, range, message);
}

namespace {
/// Terminal colours, or empty strings.
struct Palette {
  explicit Palette(bool enabled)
      : bold(enabled ? "\033[1m" : ""), red(enabled ? "\033[1;31m" : ""),
        magenta(enabled ? "\033[1;35m" : ""), green(enabled ? "\033[1;32m" : ""),
        cyan(enabled ? "\033[1;36m" : ""), plain(enabled ? "\033[0m" : "") {}
  const char *bold, *red, *magenta, *green, *cyan, *plain;
};
} // namespace

/// The number of characters of a UTF-8 text: of bytes that do not continue one.
static unsigned countCharacters(StringRef text) {
  return llvm::count_if(text, [](char c) { return (c & 0xC0) != 0x80; });
}

/// What a terminal may get: no control characters, those of 0x80 to 0x9F included, and only valid UTF-8. As
/// many characters, counted as countCharacters does, stay as there were.
static void printLine(raw_ostream &os, StringRef line) {
  while (!line.empty()) {
    auto first = static_cast<unsigned char>(line[0]);
    unsigned length = std::min<size_t>(line.size(), llvm::getNumBytesForUTF8(first));
    const auto *begin = reinterpret_cast<const llvm::UTF8 *>(line.begin());
    if (!llvm::isLegalUTF8Sequence(begin, begin + length)) {
      if ((first & 0xC0) != 0x80) // others continue a character that was shown
        os << '?';
      length = 1;
    } else if (first < 0x20 || first == 0x7F ||
               (first == 0xC2 && static_cast<unsigned char>(line[1]) < 0xA0)) {
      os << ' '; // a tab would move the caret
    } else {
      os << line.take_front(length);
    }
    line = line.drop_front(length);
  }
}

/// The source line with its number, and below it a caret at the first character, tildes to the end of the
/// range or of the line.
static void renderSnippet(raw_ostream &os, const SourceManager &sources, SourceRange range, Palette palette) {
  LineColumn position = sources.lineColumn(range);
  os << llvm::format("%5u | ", position.line);
  printLine(os, sources.line(range.file, position.line));
  os << "\n      | ";
  os.indent(position.column - 1) << palette.green << '^';
  StringRef covered = sources.text(range).take_until([](char c) { return c == '\n' || c == '\r'; });
  for (unsigned i = 1, width = countCharacters(covered); i < width; ++i)
    os << '~';
  os << palette.plain << '\n';
}

static void renderSuggestion(raw_ostream &os, StringRef suggestion) {
  if (!suggestion.empty())
    os << "; did you mean " << suggestion << '?';
}

void DiagnosticEngine::renderOne(raw_ostream &os, const Diagnostic &diagnostic, bool color) const {
  Palette palette(color);
  bool isError = diagnostic.severity == Severity::Error;
  os << palette.bold;
  if (diagnostic.range)
    os << sources.describe(diagnostic.range) << ": ";
  else // about no line: it is the program that speaks
    os << "dlc: ";
  os << (isError ? palette.red : palette.magenta) << (isError ? "error: " : "warning: ") << palette.plain
     << palette.bold << diagnostic.message;
  renderSuggestion(os, diagnostic.suggestion);
  os << palette.plain << '\n';
  if (diagnostic.range)
    renderSnippet(os, sources, diagnostic.range, palette);
  for (const Note &note : diagnostic.notes) {
    os << "  " << palette.cyan << "note: " << palette.plain << note.message;
    if (note.range)
      os << ": " << sources.describe(note.range);
    renderSuggestion(os, note.suggestion);
    os << '\n';
  }
}

void DiagnosticEngine::render(raw_ostream &os, bool color) const {
  // Positions in `diagnostics`; the position breaks ties, so that equal places keep the order of reporting.
  llvm::SmallVector<size_t> ordered;
  for (size_t i = 0; i < diagnostics.size(); ++i)
    ordered.push_back(i);
  auto key = [&](size_t i) { return std::tuple(diagnostics[i].range.file, diagnostics[i].range.begin, i); };
  llvm::sort(ordered, [&](size_t a, size_t b) { return key(a) < key(b); });
  unsigned shown = 0;
  for (size_t i : ordered) {
    if (diagnostics[i].severity == Severity::Error && ++shown > errorLimit)
      continue;
    renderOne(os, diagnostics[i], color);
  }
  if (shown > errorLimit)
    os << "and " << shown - errorLimit << (shown - errorLimit == 1 ? " more error\n" : " more errors\n");
}

StringRef dlc::frontend::nearestName(StringRef name, llvm::ArrayRef<StringRef> candidates) {
  unsigned limit = (name.size() + 2) / 3;
  StringRef best;
  for (StringRef candidate : candidates) {
    // edit_distance gives limit + 1 once the distance is known to be larger.
    unsigned distance = name.edit_distance_insensitive(candidate, /*AllowReplacements=*/true, limit);
    // Of a name of one or two letters nothing would be left.
    if (distance > limit || distance >= name.size() || candidate == name)
      continue;
    best = candidate;
    if (distance == 0)
      break;
    limit = distance - 1;
  }
  return best;
}
