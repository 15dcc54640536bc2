// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Setting up a module, locations, and where errors are reported.

#include "frontend/Elaborator.h"

#include "frontend/Builtins.h"
#include "frontend/Parser.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringExtras.h"

namespace dlc::frontend {

Elaborator::Elaborator(const Program &program, const SourceManager &sources, DiagnosticEngine &diags,
                       MLIRContext &context, const ImportOptions &options)
    : program(program), sources(sources), diags(diags), context(context), options(options), builder(&context),
      currentLocation(UnknownLoc::get(&context)) {
  for (const SourceFile &file : program.files)
    standardFiles[file.file] = file.isStandardLibrary;
}

OwningOpRef<ModuleOp> Elaborator::run() {
  context.getOrLoadDialect<dl::DlDialect>();
  context.getOrLoadDialect<func::FuncDialect>();
  module = ModuleOp::create(FileLineColLoc::get(&context, sources.name(program.main().file), 1, 1));
  collectDeclarations();

  // States go in front of "init", which comes first and is filled while the entries are walked.
  builder.setInsertionPointToEnd(module->getBody());
  initEntry.func = func::FuncOp::create(builder, module->getLoc(), "init", builder.getFunctionType({}, {}));
  initEntry.func->setAttr(dl::kEntryAttr, builder.getStringAttr("init"));
  initEntry.func->setAttr(dl::kSymbolsAttr, builder.getArrayAttr({}));
  mlir::Block *initBody = initEntry.func.addEntryBlock();
  entry = &initEntry;
  createState(dl::StateRole::Seed, "seed", counterType(), builder.getI64IntegerAttr(0), "", "", {});
  entry = nullptr;

  unsigned entries = 0;
  for (const SourceFile &file : program.files) {
    for (const Decl *decl : file.decls) {
      if (auto *callable = llvm::dyn_cast<CallableDecl>(decl); callable && isEntry(callable)) {
        elaborateEntry(callable);
        ++entries;
      }
    }
  }
  // It may name what entries report, also of those behind it.
  for (const SourceFile &file : program.files)
    for (const Decl *decl : file.decls)
      if (auto *fit = llvm::dyn_cast<FitDecl>(decl))
        elaborateFit(fit);
  if (!entries)
    diags.error({program.main().file, 0, 0},
                "nothing to compile: the file has no train, eval or infer entry");
  checkOptions();
  warnOfUnreached();
  builder.setInsertionPointToEnd(initBody);
  func::ReturnOp::create(builder, initEntry.func.getLoc());
  if (diags.hasErrors())
    return nullptr;
  if (failed(mlir::verify(*module))) {
    diags.error({program.main().file, 0, 0},
                "a bug in dlc: the frontend made a module that the verifier rejects");
    return nullptr;
  }
  return std::move(module);
}

void Elaborator::checkOptions() {
  auto check = [&](const llvm::StringMap<int64_t> &sizes, StringRef option) {
    std::vector<StringRef> names(sizes.keys().begin(), sizes.keys().end());
    llvm::sort(names); // hash tables have no order of their own
    for (StringRef name : names)
      if (!dimensions.contains(name.str()))
        diags.error({}, option + ": no entry has a dimension called '" + name +
                            "'; there is: " + (dimensions.empty() ? "none" : llvm::join(dimensions, ", ")));
  };
  check(options.dimensions, "--bind");
  check(options.bounds, "--max");
  for (const std::string &name : dimensions) {
    auto bound = options.dimensions.find(name), max = options.bounds.find(name);
    if (bound != options.dimensions.end() && max != options.bounds.end() && bound->second > max->second)
      diags.error({}, "--bind gives " + llvm::Twine(name) + " the size " + llvm::Twine(bound->second) +
                          ", above the --max of " + llvm::Twine(max->second));
  }
}

bool Elaborator::isStandard(FileId file) const {
  return standardFiles.lookup(file);
}

SourceRange Elaborator::userRange(SourceRange range) const {
  for (Frame *at = frame; at && isStandard(range.file); at = at->caller)
    if (at->callRange)
      range = at->callRange;
  return range;
}

Diagnostic &Elaborator::error(SourceRange range, const llvm::Twine &message) {
  SourceRange user = userRange(range);
  Diagnostic &diag = diags.error(user, message);
  if (user != range)
    diag.note("in " + frame->decl->name.text + " of the standard library", range);
  return diag;
}

Diagnostic &Elaborator::warning(SourceRange range, const llvm::Twine &message) {
  return diags.warning(userRange(range), message);
}

/// The place in the text, and for the standard library's text the user's call behind it; around both, the
/// name of the instance.
Location Elaborator::locate(SourceRange range) {
  auto place = [&](SourceRange range) -> Location {
    LineColumn position = sources.lineColumn(range);
    return FileLineColLoc::get(&context, sources.name(range.file), position.line, position.column);
  };
  if (!range)
    return UnknownLoc::get(&context);
  Location location = place(range);
  SourceRange user = userRange(range);
  if (user != range && user)
    location = CallSiteLoc::get(location, place(user));
  StringRef name = frame && !frame->locationName.empty() ? StringRef(frame->locationName) : lastLetName;
  if (!name.empty())
    location = NameLoc::get(builder.getStringAttr(name), location);
  return location;
}

OwningOpRef<ModuleOp> generateModule(const Program &program, const SourceManager &sources,
                                     DiagnosticEngine &diags, MLIRContext &context,
                                     const ImportOptions &options) {
  checkNames(program, diags);
  return Elaborator(program, sources, diags, context, options).run();
}

OwningOpRef<ModuleOp> importFile(StringRef path, SourceManager &sources, DiagnosticEngine &diags,
                                 MLIRContext &context, const ImportOptions &options) {
  std::unique_ptr<Program> program = parseProgram(path, sources, diags);
  if (!program || diags.hasErrors())
    return nullptr;
  return generateModule(*program, sources, diags, context, options);
}

} // namespace dlc::frontend
