// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM dialect to LLVM IR to an object. No pass may turn loops into calls, and nothing may be contracted or
// reordered: the numbers are part of the language.

#include "compiler/Codegen/Lowering.h"

#include "compiler/Codegen/GPU/Ptx.h"
#include "compiler/Codegen/MaskedAccess.h"
#include "compiler/Codegen/Sanitize.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"
#include "llvm/Transforms/Scalar.h"
#include "llvm/Transforms/Utils.h"
#include "llvm/Transforms/Utils/Cloning.h"

#include <mutex>

namespace dlc::codegen {

LlvmKernels::LlvmKernels() = default;
LlvmKernels::LlvmKernels(LlvmKernels &&) = default;
LlvmKernels &LlvmKernels::operator=(LlvmKernels &&) = default;
LlvmKernels::~LlvmKernels() {
  module.reset();
} // Before its context.

void registerCodegenDialects(DialectRegistry &registry) {
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerNVVMDialectTranslation(registry);
}

static void initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser(); // for the imports of instrumented kernels
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
}

static std::unique_ptr<llvm::TargetMachine> createMachine(const TargetDescription &target,
                                                          std::string &error) {
  initializeTargets();
  llvm::Triple triple(target.triple);
  const llvm::Target *found = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!found)
    return nullptr;
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  std::unique_ptr<llvm::TargetMachine> machine(found->createTargetMachine(
      triple, target.cpu, target.features, options, llvm::Reloc::PIC_,
      target.isCpu() ? std::optional(llvm::CodeModel::Small) : std::nullopt, llvm::CodeGenOptLevel::Default));
  if (!machine)
    error = "LLVM has no target " + target.triple;
  return machine;
}

FailureOr<LlvmKernels> translateKernels(ModuleOp kernels, const TargetDescription &target,
                                        const LoweringOptions &options) {
  DialectRegistry registry;
  registerCodegenDialects(registry);
  kernels.getContext()->appendDialectRegistry(registry);
  if (!target.isCpu())
    nameEntries(kernels);
  LlvmKernels result;
  for (auto function : kernels.getOps<func::FuncOp>())
    if (!function.isPrivate()) // Private functions are parts of kernels: micro-kernels, transpositions.
      result.names.push_back(function.getName().str());
  if (failed(lowerKernelsToLlvmDialect(kernels, target)))
    return failure();
  result.context = std::make_unique<llvm::LLVMContext>();
  result.module = translateModuleToLLVMIR(kernels, *result.context, target.name);
  if (!result.module)
    return failure();
  for (llvm::Function &function : *result.module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr(llvm::Attribute::NoUnwind);
    function.addFnAttr("no-builtins");
    if (target.preferredVectorBits != 0 && target.isCpu()) {
      std::string bits = std::to_string(target.preferredVectorBits);
      function.addFnAttr("prefer-vector-width", bits);
      function.addFnAttr("min-legal-vector-width", bits);
    }
    if (options.sanitize)
      function.addFnAttr(llvm::Attribute::SanitizeAddress);
  }
  return result;
}

/// No unrolling, no vectorising (kernels are written as vectors), no recognising of loops as memset.
static constexpr const char kPipeline[] =
    "deadargelim,function(early-cse,instcombine<max-iterations=1;no-verify-fixpoint>,loop-mssa(licm),"
    "early-cse<memssa>,simplifycfg,adce)";

static bool optimize(llvm::Module &module, llvm::TargetMachine &machine, unsigned registerBits,
                     const LoweringOptions &options, std::string &error) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graph;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graph, modules);
  llvm::ModulePassManager passes;
  if (llvm::Error problem = builder.parsePassPipeline(passes, kPipeline)) {
    error = llvm::toString(std::move(problem));
    return false;
  }
  passes.run(module, modules);
  if (registerBits != 0)
    legalizeMaskedAccesses(module, registerBits);
  if (options.sanitize)
    instrumentKernels(module);
  return true;
}

namespace {

/// On CPUs without loop strength reduction and what prepares for it, a fifth of the time that code generation
/// takes: x86's addresses have room for what it would save, and inner loops are written with few of them. PTX
/// needs it, and LLVM's own switch is one for all targets.
class KernelPassManager : public llvm::legacy::PassManager {
public:
  explicit KernelPassManager(bool isCpu) {
    if (isCpu)
      for (llvm::Pass *pass :
           {llvm::createLoopStrengthReducePass(), llvm::createCanonicalizeFreezeInLoopsPass()}) {
        leftOut.push_back(pass->getPassID());
        delete pass;
      }
  }
  void add(llvm::Pass *pass) override {
    if (llvm::is_contained(leftOut, pass->getPassID()))
      delete pass;
    else
      PassManager::add(pass);
  }

private:
  SmallVector<llvm::AnalysisID, 2> leftOut;
};

} // namespace

static bool generate(llvm::Module &module, llvm::TargetMachine &machine, llvm::CodeGenFileType type,
                     SmallVectorImpl<char> &bytes, std::string &error) {
  llvm::raw_svector_ostream stream(bytes);
  KernelPassManager passes(machine.getTargetTriple().isX86());
  if (machine.addPassesToEmitFile(passes, stream, nullptr, type)) {
    error = "LLVM cannot generate code for " + machine.getTargetTriple().str();
    return false;
  }
  passes.run(module);
  return true;
}

FailureOr<CodeImage> compileKernels(LlvmKernels &kernels, const TargetDescription &target, std::string &error,
                                    const LoweringOptions &options, const EmitHooks &hooks) {
  std::unique_ptr<llvm::TargetMachine> machine = createMachine(target, error);
  if (!machine)
    return failure();
  llvm::Module &module = *kernels.module;
  module.setTargetTriple(machine->getTargetTriple());
  module.setDataLayout(machine->createDataLayout());
  auto registerBits = static_cast<unsigned>(target.isCpu() ? target.registerLanes * 32 : 0);
  if (!optimize(module, *machine, registerBits, options, error))
    return failure();
  if (hooks.llvm) {
    llvm::raw_string_ostream stream(*hooks.llvm);
    module.print(stream, nullptr);
  }
  SmallVector<char, 0> bytes;
  if (hooks.assembly || !target.isCpu()) {
    // Code generation changes the module: text comes from a copy when the object is wanted, too.
    std::unique_ptr<llvm::Module> copy = llvm::CloneModule(module);
    if (!generate(*copy, *machine, llvm::CodeGenFileType::AssemblyFile, bytes, error))
      return failure();
    if (hooks.assembly)
      hooks.assembly->assign(bytes.begin(), bytes.end());
  }
  if (!target.isCpu())
    return finishPtx(StringRef(bytes.data(), bytes.size()), kernels.names, error);
  bytes.clear();
  if (!generate(module, *machine, llvm::CodeGenFileType::ObjectFile, bytes, error))
    return failure();
  StringRef object(bytes.data(), bytes.size());
  if (hooks.object)
    *hooks.object = object.str();
  return linkImage(object, kernels.names, error);
}

FailureOr<CodeImage> emitImage(ModuleOp module, const TargetDescription &target,
                               const LoweringOptions &options, const EmitHooks &hooks) {
  Location loc = module.getLoc();
  FailureOr<LlvmKernels> kernels = translateKernels(module, target, options);
  if (failed(kernels))
    return failure();
  std::string error;
  FailureOr<CodeImage> image = compileKernels(*kernels, target, error, options, hooks);
  if (failed(image))
    emitError(loc, "code generation for ") << target.name << ": " << error;
  return image;
}

} // namespace dlc::codegen
