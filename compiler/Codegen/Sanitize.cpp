// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Codegen/Sanitize.h"

#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/TargetParser/Triple.h"
#include "llvm/Transforms/Instrumentation/AddressSanitizer.h"

namespace dlc::codegen {
namespace {

/// Checks before every access. The image has no constructor that could register tables of constants, and no
/// stack frame of a kernel outlives its call.
void addChecks(llvm::Module &module) {
  for (llvm::GlobalVariable &global : module.globals()) {
    llvm::GlobalValue::SanitizerMetadata metadata;
    metadata.NoAddress = true;
    global.setSanitizerMetadata(metadata);
  }
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graph;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graph, modules);
  llvm::AddressSanitizerOptions options;
  options.UseAfterReturn = llvm::AsanDetectStackUseAfterReturnMode::Never;
  options.InsertVersionCheck = false;
  llvm::ModulePassManager passes;
  passes.addPass(llvm::AddressSanitizerPass(options, /*UseGlobalGC=*/false, /*UseOdrIndicator=*/false,
                                            llvm::AsanDtorKind::None, llvm::AsanCtorKind::None));
  passes.run(module, modules);
}

/// Defines every function of the sanitizer that is called, in assembly: a slot and a jump through it.
void defineImports(llvm::Module &module) {
  bool isX86 = module.getTargetTriple().isX86();
  std::string text;
  for (const llvm::Function &function : module) {
    if (!function.isDeclaration() || function.use_empty() || !function.getName().starts_with("__asan_"))
      continue;
    std::string name = function.getName().str(), slot = kImportPrefix + name;
    text += ".p2align 3\n.type " + slot + ", @object\n.size " + slot + ", 8\n" + slot + ":\n.quad 0\n";
    text += ".hidden " + name + "\n.globl " + name + "\n" + name + ":\n";
    text += isX86 ? "jmpq *" + slot + "(%rip)\n" : "ldr x16, " + slot + "\nbr x16\n";
  }
  if (!text.empty())
    module.appendModuleInlineAsm(".text\n" + text);
}

} // namespace

void instrumentKernels(llvm::Module &module) {
  addChecks(module);
  defineImports(module);
}

} // namespace dlc::codegen
