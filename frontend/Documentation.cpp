// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/Documentation.h"
#include "frontend/Builtins.h"
#include "frontend/Diagnostics.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace dlc::frontend;
using llvm::StringRef;

/// A signature names a function outside of parentheses: `sum max (x, axis=…)`.
bool BuiltinDoc::describes(StringRef name) const {
  int depth = 0;
  for (size_t i = 0; i < signature.size(); ++i) {
    depth += (signature[i] == '(') - (signature[i] == ')');
    auto isWord = [&](size_t at) {
      return at < signature.size() && (llvm::isAlnum(signature[at]) || signature[at] == '_');
    };
    if (depth == 0 && !(i != 0 && isWord(i - 1)) && signature.substr(i).starts_with(name) &&
        !isWord(i + name.size()))
      return true;
  }
  return false;
}

bool dlc::frontend::isOffered(const CallableDecl &decl) {
  return decl.doc.contains("Source:");
}

/// From the keyword up to the body, as written.
static StringRef signatureOf(const CallableDecl &decl, const SourceManager &sources) {
  return sources.text(SourceRange{decl.range.file, decl.range.begin, decl.body->range.begin}).rtrim();
}

/// The lines of a text as one.
static std::string join(StringRef text) {
  std::string joined;
  for (StringRef line : llvm::split(text, '\n'))
    joined += (joined.empty() || line.trim().empty() ? "" : " ") + line.trim().str();
  return joined;
}

/// Up to the first point that ends a sentence: at the end of a line, or before a capital letter.
static std::string firstSentence(StringRef doc) {
  for (size_t i = 0; i < doc.size(); ++i) {
    StringRef rest = doc.substr(i + 1);
    bool isEnd = rest.empty() || rest.starts_with("\n") ||
                 (rest.size() > 1 && rest[0] == ' ' && llvm::isUpper(rest[1]));
    if (doc[i] == '.' && isEnd)
      return join(doc.take_front(i + 1));
  }
  return join(doc);
}

template <typename Visit> static void forEachCallable(const Program &program, Visit visit) {
  for (const SourceFile &file : program.files)
    for (const Decl *decl : file.decls)
      if (const auto *callable = llvm::dyn_cast<CallableDecl>(decl))
        visit(file, *callable);
}

bool dlc::frontend::printDocumentation(StringRef name, const Program &program, const SourceManager &sources,
                                       llvm::raw_ostream &os, std::string &suggestion) {
  bool isFirst = true;
  auto separate = [&] {
    os << (isFirst ? "" : "\n");
    isFirst = false;
  };
  std::vector<StringRef> names(builtinNames());
  forEachCallable(program, [&](const SourceFile &, const CallableDecl &decl) {
    names.push_back(decl.name.text);
    if (decl.name.text != name)
      return;
    separate();
    os << signatureOf(decl, sources) << "\n";
    if (!decl.doc.empty())
      for (StringRef line : llvm::split(decl.doc, '\n'))
        os << (line.empty() ? "" : "  ") << line << "\n";
    os << "  Declared in " << sources.name(decl.range.file) << ":" << sources.lineColumn(decl.range).line
       << ".\n";
  });
  if (llvm::is_contained(builtinNames(), name))
    for (const BuiltinDoc &doc : builtinDocs())
      if (doc.describes(name)) {
        separate();
        os << llvm::join(llvm::split(doc.signature, '`'), "") << "\n  " << doc.meaning << "\n  Built in.\n";
      }
  suggestion = nearestName(name, names).str();
  return !isFirst;
}

void dlc::frontend::printDocumentationList(const Program &program, const SourceManager &sources,
                                           llvm::raw_ostream &os) {
  size_t width = 0;
  forEachCallable(program, [&](const SourceFile &, const CallableDecl &decl) {
    width = std::max(width, decl.name.text.size());
  });
  for (DeclKind kind :
       {DeclKind::Layer, DeclKind::Function, DeclKind::Model, DeclKind::Train, DeclKind::Eval,
        DeclKind::Infer, DeclKind::Metric, DeclKind::Optimizer, DeclKind::Schedule, DeclKind::Initializer}) {
    bool isFirst = true;
    forEachCallable(program, [&](const SourceFile &file, const CallableDecl &decl) {
      if (decl.kind != kind || (file.isStandardLibrary && !isOffered(decl)))
        return;
      if (isFirst)
        os << stringify(kind) << "\n";
      isFirst = false;
      std::string name = decl.name.text.str();
      name.resize(width, ' ');
      os << "  " << StringRef(name + "  " + firstSentence(decl.doc)).rtrim() << "\n";
    });
  }
  os << "built-in function\n";
  for (const BuiltinDoc &doc : builtinDocs())
    os << "  " << llvm::join(llvm::split(doc.signature, '`'), "") << "\n      " << doc.meaning << "\n";
}

/// Documentation is plain text: what Markdown would take for markup is escaped, outside of backquotes.
static std::string escapeMarkdown(StringRef text) {
  std::string escaped;
  bool isCode = false;
  for (char c : text) {
    isCode ^= c == '`';
    if (!isCode && StringRef("*_<>[]|\\").contains(c))
      escaped += '\\';
    escaped += c;
  }
  return escaped;
}

void dlc::frontend::printLibraryPage(const Program &program, const SourceManager &sources,
                                     llvm::raw_ostream &os) {
  os << "# The standard library\n\n"
        "Generated from the comments in this folder: `dlc doc --page > frontend/std/README.md`. What serves "
        "the\n"
        "library itself is left out; `dlc doc NAME` prints a declaration, `dlc doc` lists all.\n";
  const SourceFile *current = nullptr;
  forEachCallable(program, [&](const SourceFile &file, const CallableDecl &decl) {
    if (!file.isStandardLibrary || !isOffered(decl))
      return;
    if (current != &file) {
      StringRef name = llvm::sys::path::filename(sources.name(file.file));
      os << "\n## [" << name << "](" << name << ")\n";
    }
    current = &file;
    os << "- `" << join(signatureOf(decl, sources)) << "`: " << escapeMarkdown(join(decl.doc)) << "\n";
  });
}
