// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The files of a program: standard library, imports, main file, each parsed once.
#include "frontend/Parser.h"
#include "frontend/StandardLibrary.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Path.h"

using namespace dlc::frontend;
using llvm::StringRef;

namespace {
/// Depth-first over the imports, so that a file stands behind those it imports.
class Loader {
public:
  Loader(SourceManager &sources, DiagnosticEngine &diags, Program &program)
      : sources(sources), diags(diags), program(program) {}

  void loadStandardLibrary() {
    for (const StandardFile &file : standardLibrary())
      load(sources.addText(file.name, file.text), /*isStandardLibrary=*/true);
  }

  void load(FileId file, bool isStandardLibrary = false) {
    onPath.push_back(file);
    SourceFile parsed = parseFile(file, sources, program.context, diags);
    parsed.isStandardLibrary = isStandardLibrary;
    for (const Decl *decl : parsed.decls)
      if (const auto *import = llvm::dyn_cast<ImportDecl>(decl))
        loadImport(*import);
    onPath.pop_back();
    done.insert({file, true});
    program.files.push_back(parsed);
  }

private:
  void loadImport(const ImportDecl &import) {
    llvm::SmallString<128> path = llvm::sys::path::parent_path(sources.name(import.range.file));
    llvm::sys::path::append(path, import.path);
    if (llvm::sys::path::is_absolute(import.path))
      path = import.path;
    llvm::sys::path::remove_dots(path, /*remove_dot_dot=*/true);
    if (path.empty())
      path = ".";
    std::string reason;
    FileId file = import.path.empty() ? 0 : sources.addFile(path, reason);
    if (file == 0) {
      if (import.path.empty())
        diags.error(import.pathRange, "the name of the file to import is empty");
      else
        diags.error(import.pathRange, "cannot read '" + path + "': " + reason);
      return;
    }
    if (done.contains(file))
      return;
    if (auto cycle = llvm::find(onPath, file); cycle != onPath.end()) {
      std::string names;
      for (auto i = cycle; i != onPath.end(); ++i)
        names += sources.name(*i).str() + " imports ";
      diags.error(import.pathRange, "files import each other in a circle: " + names + sources.name(file));
      return;
    }
    // A chain of a hundred files is a program that writes itself.
    if (onPath.size() >= 100) {
      diags.error(import.pathRange, "imports are nested more than 100 deep");
      return;
    }
    load(file);
  }

  SourceManager &sources;
  DiagnosticEngine &diags;
  Program &program;
  llvm::SmallVector<FileId> onPath; ///< the files between the main one and the current one
  llvm::DenseMap<FileId, bool> done;
};
} // namespace

std::unique_ptr<Program> dlc::frontend::parseProgram(FileId main, SourceManager &sources,
                                                     DiagnosticEngine &diags) {
  auto program = std::make_unique<Program>();
  Loader loader(sources, diags, *program);
  loader.loadStandardLibrary();
  loader.load(main);
  return program;
}

std::unique_ptr<Program> dlc::frontend::parseProgram(StringRef path, SourceManager &sources,
                                                     DiagnosticEngine &diags) {
  std::string reason;
  FileId main = sources.addFile(path, reason);
  if (main == 0) {
    diags.error({}, "cannot read '" + path + "': " + reason);
    return nullptr;
  }
  return parseProgram(main, sources, diags);
}
