// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The phases in order. What all variants share comes first: the text becomes a dl module, gradients are built
// and everything is simplified. From dispatches on, each variant (one kind of CPU or GPU) goes its own way,
// because tiles, fusion and memory differ; variants are compiled at the same time, each on a thread.

#include "compiler/Pipeline.h"

#include "compiler/Autodiff/Autodiff.h"
#include "compiler/CrashContext.h"
#include "compiler/DescribeModule.h"
#include "compiler/Dialect/Dl.h"
#include "compiler/Memory/EmitSchedule.h"
#include "compiler/PrintWithLocations.h"
#include "compiler/Transforms/Passes.h"
#include "compiler/VariantCompiler.h"
#include "frontend/Frontend.h"
#include "frontend/Parser.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "runtime/dlc_runtime.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/raw_ostream.h"

#include <set>
#include <thread>

namespace dlc {

using namespace mlir;

namespace {

/// How the text of an error begins that says what dlc cannot do yet.
constexpr llvm::StringLiteral kNotSupported = "not supported: ";

class Compiler {
public:
  Compiler(const std::string &path, const CompileOptions &options, llvm::raw_ostream &messages)
      : path(path), options(options), messages(messages), context(makeRegistry()) {
    context.loadAllAvailableDialects();
    context.printOpOnDiagnostic(false);
    diagnosticHandler = context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
      report(diagnostic);
      return success();
    });
  }
  ~Compiler() { context.getDiagEngine().eraseHandler(diagnosticHandler); }

  CompileStatus compile(std::string &artifact);
  CompileStatus emit(Phase phase, const std::string &variant, llvm::raw_ostream &out);

private:
  static DialectRegistry makeRegistry() {
    DialectRegistry registry;
    registry.insert<dl::DlDialect, func::FuncDialect>();
    VariantCompiler::registerDialects(registry);
    return registry;
  }

  /// What a pass says of the user's program. MLIR calls this from one thread at a time.
  void report(Diagnostic &diagnostic) {
    std::string text = diagnostic.str();
    std::vector<artifact::SourceLocation> places = memory::sourceLocations(diagnostic.getLocation());
    frontend::SourceRange range = places.empty()
                                      ? frontend::SourceRange()
                                      : sources.find(places[0].file, places[0].line, places[0].column);
    if (diagnostic.getSeverity() != DiagnosticSeverity::Remark) {
      declined |= llvm::StringRef(text).starts_with(kNotSupported);
      late.error(range, text);
    } else if (std::string remark = sources.describe(range) + ": remark: " + text;
               options.verbose && remarks.insert(remark).second) {
      messages << remark << "\n";
    }
  }

  /// What failed behind the frontend: a limitation that says so, or a bug of ours.
  CompileStatus failure(const llvm::Twine &phase) {
    late.render(messages, options.color);
    return declined ? CompileStatus::UserError : bug(phase);
  }

  CompileStatus bug(const llvm::Twine &phase) {
    messages << "dlc: internal error: the phase '" << phase << "' failed on " << path
             << "; this is a bug of dlc, not of your model\n";
    return CompileStatus::Bug;
  }

  CompileStatus importSource();
  CompileStatus differentiate();
  CompileStatus chooseTargets(std::vector<const codegen::TargetDescription *> &targets);
  CompileStatus chooseTarget(Phase phase, const std::string &name, const codegen::TargetDescription *&target);
  CompileStatus userError(const llvm::Twine &text) {
    messages << "dlc: error: " << text << "\n";
    return CompileStatus::UserError;
  }

  const std::string &path;
  const CompileOptions &options;
  llvm::raw_ostream &messages;
  frontend::SourceManager sources;
  frontend::DiagnosticEngine late{sources}; ///< Errors of the passes; each variant finds the same ones.
  bool declined = false;
  std::set<std::string> remarks; ///< Those printed: variants repeat them.
  MLIRContext context;
  DiagnosticEngine::HandlerID diagnosticHandler = 0;
  OwningOpRef<ModuleOp> module;
};

/// Phase `dl`: parse, check, and build the graph. Whatever is wrong here is the user's to mend.
CompileStatus Compiler::importSource() {
  PhaseScope phase("dl");
  frontend::DiagnosticEngine diagnostics(sources);
  frontend::ImportOptions importOptions;
  for (const auto &[name, value] : options.bind)
    importOptions.dimensions[name] = value;
  for (const auto &[name, value] : options.max)
    importOptions.bounds[name] = value;
  module = frontend::importFile(path, sources, diagnostics, context, importOptions);
  diagnostics.render(messages, options.color);
  if (!module)
    return CompileStatus::UserError;
  for (const auto *bounds : {&options.bind, &options.max})
    for (const auto &[name, value] : *bounds)
      if (value < 1)
        return userError("expected a positive size for dimension '" + name + "', got " + llvm::Twine(value));
  return failed(verify(*module)) ? failure("dl") : CompileStatus::Done;
}

/// Phase `grad`. Differentiation comes first, on the graph as written: rules refer to the operations of the
/// language. Then sums over a scan's iterations leave the loop, which needs both the reverse scan and dead
/// values gone.
CompileStatus Compiler::differentiate() {
  PhaseScope phase("grad");
  PassManager passes(&context);
  passes.addPass(autodiff::createDifferentiatePass());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(autodiff::createHoistScanAccumulationsPass());
  passes.addPass(createSimplifyPass());
  return failed(passes.run(*module)) ? failure("grad") : CompileStatus::Done;
}

CompileStatus Compiler::chooseTargets(std::vector<const codegen::TargetDescription *> &targets) {
  using Kind = codegen::TargetDescription::Kind;
  std::vector<std::string> names = options.cpuVariants;
  if (names.empty())
    names = cpuVariantNames();
  if (options.cpu)
    for (const codegen::TargetDescription *target : codegen::targetsOfKind(Kind::Cpu))
      if (llvm::is_contained(names, target->name))
        targets.push_back(target);
  for (const std::string &name : names) {
    const codegen::TargetDescription *target = codegen::findTarget(name);
    if (target && target->kind == Kind::Cpu)
      continue;
    return userError("no CPU variant is called '" + name +
                     "'; there is: " + llvm::join(cpuVariantNames(), ", "));
  }
  if (options.cuda)
    llvm::append_range(targets, codegen::targetsOfKind(Kind::Cuda));
  return CompileStatus::Done;
}

CompileStatus Compiler::compile(std::string &artifact) {
  std::vector<const codegen::TargetDescription *> targets;
  if (CompileStatus status = chooseTargets(targets); status != CompileStatus::Done)
    return status;
  if (CompileStatus status = importSource(); status != CompileStatus::Done)
    return status;
  if (CompileStatus status = differentiate(); status != CompileStatus::Done)
    return status;

  // Everything up to the memory plan is code that CPU and GPU share; see VariantCompiler.
  std::vector<VariantCompiler> variants;
  for (const codegen::TargetDescription *target : targets)
    variants.emplace_back(*module, *target, options);
  std::vector<std::thread> threads;
  for (VariantCompiler &variant : variants)
    threads.emplace_back([&variant] {
      SignalStack stack;
      variant.run(Phase::Artifact);
    });
  for (std::thread &thread : threads)
    thread.join();

  artifact::ArtifactDescription description;
  description.compilerVersion = DLC_RUNTIME_VERSION;
  description.sourceName = path;
  // Every file counts, those that are imported and the standard library, too.
  std::string texts;
  for (unsigned file = 1; file <= sources.fileCount(); ++file)
    (texts += sources.text(frontend::FileId(file))) += '\0';
  description.sourceHash = artifact::hashBytes(texts.data(), texts.size());
  for (const auto &[name, value] : options.bind)
    description.flags += "--bind " + name + "=" + std::to_string(value) + " ";
  for (const auto &[name, value] : options.max)
    description.flags += "--max " + name + "=" + std::to_string(value) + " ";
  if (!options.fuse)
    description.flags += "--no-fuse ";
  describeModule(*module, options.max, description);
  for (VariantCompiler &variant : variants) {
    messages << variant.takeMessages();
    if (!variant.succeeded())
      return failure(variant.failedPhase());
    description.variants.push_back(variant.takeDescription());
  }
  artifact = artifact::writeArtifact(description);
  return CompileStatus::Done;
}

/// The one variant that a phase behind Grad is printed for.
CompileStatus Compiler::chooseTarget(Phase phase, const std::string &name,
                                     const codegen::TargetDescription *&target) {
  std::vector<const codegen::TargetDescription *> targets;
  if (CompileStatus status = chooseTargets(targets); status != CompileStatus::Done)
    return status;
  std::string known = llvm::join(llvm::map_range(targets, [](const auto *one) { return one->name; }), ", ");
  if (!name.empty()) {
    auto found = llvm::find_if(targets, [&](const auto *one) { return one->name == name; });
    if (found == targets.end())
      return userError("--emit: no variant is called '" + name + "'; there is: " + known +
                       (codegen::findTarget(name) && !codegen::findTarget(name)->isCpu()
                            ? "; --target cuda adds those of GPUs"
                            : ""));
    target = *found;
  } else {
    if (phase == Phase::Ptx || phase == Phase::Asm || phase == Phase::Object)
      llvm::erase_if(targets, [&](const auto *one) { return one->isCpu() == (phase == Phase::Ptx); });
    if (targets.size() != 1)
      return userError(
          "--emit of this phase belongs to a variant; name one, as in --emit=PHASE:VARIANT, of: " + known);
    target = targets.front();
  }
  if (target->isCpu() ? phase == Phase::Ptx : phase == Phase::Asm || phase == Phase::Object)
    return userError(target->name +
                     " has no such phase: a CPU variant has asm and object, a CUDA variant ptx");
  return CompileStatus::Done;
}

CompileStatus Compiler::emit(Phase phase, const std::string &variantName, llvm::raw_ostream &out) {
  const codegen::TargetDescription *target = nullptr;
  if (phase > Phase::Grad) {
    if (CompileStatus status = chooseTarget(phase, variantName, target); status != CompileStatus::Done)
      return status;
  } else if (!variantName.empty()) {
    return userError("--emit: all variants share this phase: name none, found '" + variantName + "'");
  }
  if (phase == Phase::Ast) {
    frontend::DiagnosticEngine diagnostics(sources);
    std::unique_ptr<frontend::Program> program = frontend::parseProgram(path, sources, diagnostics);
    diagnostics.render(messages, options.color);
    if (!program || diagnostics.hasErrors())
      return CompileStatus::UserError;
    frontend::dumpAST(program->main(), sources, out);
    return CompileStatus::Done;
  }
  if (CompileStatus status = importSource(); status != CompileStatus::Done)
    return status;
  if (phase >= Phase::Grad)
    if (CompileStatus status = differentiate(); status != CompileStatus::Done)
      return status;
  if (phase <= Phase::Grad) {
    printWithLocations(*module, out);
    return CompileStatus::Done;
  }

  VariantCompiler variant(*module, *target, options);
  variant.run(phase);
  messages << variant.takeMessages();
  if (!variant.succeeded())
    return failure(variant.failedPhase());
  variant.print(phase, out);
  return CompileStatus::Done;
}

} // namespace

std::vector<std::string> cpuVariantNames() {
  std::vector<std::string> names;
  for (const codegen::TargetDescription *target :
       codegen::targetsOfKind(codegen::TargetDescription::Kind::Cpu))
    names.push_back(target->name);
  return names;
}

std::optional<Phase> parsePhase(std::string_view name) {
  return llvm::StringSwitch<std::optional<Phase>>(name)
      .Case("ast", Phase::Ast)
      .Case("dl", Phase::Dl)
      .Case("grad", Phase::Grad)
      .Case("dispatch", Phase::Dispatch)
      .Case("schedule", Phase::Schedule)
      .Case("loops", Phase::Loops)
      .Case("llvm", Phase::Llvm)
      .Case("asm", Phase::Asm)
      .Case("ptx", Phase::Ptx)
      .Case("object", Phase::Object)
      .Case("artifact", Phase::Artifact)
      .Default(std::nullopt);
}

CompileStatus compileToArtifact(const std::string &path, const CompileOptions &options,
                                llvm::raw_ostream &messages, std::string &artifact) {
  return Compiler(path, options, messages).compile(artifact);
}

CompileStatus emitPhase(const std::string &path, const CompileOptions &options, Phase phase,
                        const std::string &variant, llvm::raw_ostream &out, llvm::raw_ostream &messages) {
  if (phase != Phase::Artifact)
    return Compiler(path, options, messages).emit(phase, variant, out);
  std::string artifact;
  CompileStatus status = compileToArtifact(path, options, messages, artifact);
  out << artifact;
  return status;
}

} // namespace dlc
