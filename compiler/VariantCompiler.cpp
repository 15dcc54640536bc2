// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/VariantCompiler.h"
#include "compiler/CrashContext.h"

#include "compiler/DescribeModule.h"
#include "compiler/Memory/EmitSchedule.h"
#include "compiler/PrintWithLocations.h"
#include "compiler/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/raw_ostream.h"

namespace dlc {

using namespace mlir;

VariantCompiler::VariantCompiler(ModuleOp source, const codegen::TargetDescription &target,
                                 const CompileOptions &options)
    : target(target), options(options), module(source.clone()),
      kernelModule(ModuleOp::create(source.getLoc())) {}

void VariantCompiler::registerDialects(DialectRegistry &registry) {
  // All of them: a dialect that a pass loads later would change the context under the other variants'
  // threads.
  registry.insert<arith::ArithDialect, cf::ControlFlowDialect, math::MathDialect, memref::MemRefDialect,
                  scf::SCFDialect, ub::UBDialect, vector::VectorDialect>();
  codegen::registerCodegenDialects(registry);
}

void VariantCompiler::run(Phase last) {
  // Memory is planned on dispatches, and kernels are generated last: planning decides the strides that they
  // see.
  struct Step {
    Phase phase;
    const char *name;
    bool (VariantCompiler::*run)();
  };
  const Step steps[] = {{Phase::Dispatch, "dispatch", &VariantCompiler::formDispatches},
                        {Phase::Schedule, "schedule", &VariantCompiler::planMemory},
                        {Phase::Loops, "loops", &VariantCompiler::generateKernels}};
  for (const Step &step : steps) {
    if (last < step.phase)
      return;
    PhaseScope phase(step.name);
    if (!(this->*step.run)()) {
      failure = step.name + (":" + target.name);
      return;
    }
  }
  if (last == Phase::Loops)
    return;
  PhaseScope phase("code");
  if (!generateCode(last)) {
    failure = "code:" + target.name;
    return;
  }
  if (last == Phase::Artifact)
    describe();
}

bool VariantCompiler::formDispatches() {
  FormDispatchesPassOptions form;
  // A GPU kernel has no loop over a scan's steps yet: its scans are loops of the schedule.
  ScanForm scan = target.isCpu() ? options.scan : ScanForm::Loop;
  form.scan = scan == ScanForm::Loop ? "loop" : scan == ScanForm::Dispatch ? "dispatch" : "auto";
  form.fuse = options.fuse;
  PassManager passes(module->getContext());
  passes.addPass(createChooseLayoutsPass());
  passes.addPass(createFormDispatchesPass(form));
  return mlir::succeeded(passes.run(*module));
}

static bool isSatisfied(dl::ConstraintAttr constraint, const memory::SymbolValues &symbols) {
  std::optional<int64_t> value = memory::evaluate(constraint.getValue(), symbols);
  if (!value)
    return false;
  switch (constraint.getRequirement()) {
  case dl::Requirement::NotNegative:
    return *value >= 0;
  case dl::Requirement::Zero:
    return *value == 0;
  case dl::Requirement::NotZero:
    return *value != 0;
  case dl::Requirement::MultipleOf: {
    std::optional<int64_t> divisor = memory::evaluate(constraint.getDivisor(), symbols);
    return divisor && *divisor > 0 && *value % *divisor == 0;
  }
  }
  llvm_unreachable("unknown requirement");
}

/// Whether all tensors of the entry, but those that never have any, have elements at these sizes.
static bool hasElements(func::FuncOp entry, const memory::SymbolValues &symbols) {
  auto check = [&](Type type) {
    auto tensor = dyn_cast<dl::TensorType>(type);
    return !tensor || llvm::all_of(tensor.getShape(), [&](dl::PolynomialAttr size) {
      return size.isConstant() || memory::evaluate(size, symbols).value_or(0) >= 1;
    });
  };
  WalkResult result = entry.walk([&](Operation *op) {
    bool all = llvm::all_of(op->getResultTypes(), check);
    for (Region &region : op->getRegions())
      all &= llvm::all_of(region.getArgumentTypes(), check);
    return all ? WalkResult::advance() : WalkResult::interrupt();
  });
  return !result.wasInterrupted();
}

/// Small sizes that the entry's constraints allow, at which no tensor is empty, and different ones where
/// possible: a binding that only fits by accident shows.
static std::optional<memory::SymbolValues> smallSizes(func::FuncOp entry) {
  constexpr int64_t kLargest = 64;
  auto names = entry->getAttrOfType<ArrayAttr>(dl::kSymbolsAttr);
  auto constraints = entry->getAttrOfType<ArrayAttr>(dl::kConstraintsAttr);
  for (int64_t step : {1, 2, 4, 8, -1, 0}) {
    for (int64_t least = 2; least <= kLargest; ++least) {
      memory::SymbolValues symbols;
      int64_t size = step < 0 && names ? least + static_cast<int64_t>(names.size()) : least;
      for (Attribute name : names ? names.getValue() : ArrayRef<Attribute>()) {
        symbols[cast<StringAttr>(name).getValue()] = size;
        size += step;
      }
      bool areSatisfied =
          !constraints || llvm::all_of(constraints.getAsRange<dl::ConstraintAttr>(),
                                       [&](dl::ConstraintAttr c) { return isSatisfied(c, symbols); });
      if (areSatisfied && hasElements(entry, symbols))
        return symbols;
    }
  }
  return std::nullopt;
}

bool VariantCompiler::planMemory() {
  for (Operation *entry : entriesOf(*module)) {
    FailureOr<memory::Schedule> schedule = memory::planMemory(cast<func::FuncOp>(entry));
    if (failed(schedule))
      return false;
    if (options.verify) {
      std::optional<memory::SymbolValues> symbols = smallSizes(cast<func::FuncOp>(entry));
      std::string name = "schedule of " + cast<func::FuncOp>(entry).getName().str() + ": ";
      if (!symbols)
        messages += name + "not verified: no sizes up to 64 are allowed and give every tensor elements\n";
      else if (std::optional<std::string> violation = memory::verifySchedule(*schedule, *symbols)) {
        messages += name + *violation + "\n";
        return false;
      }
    }
    schedules.push_back(std::move(*schedule));
  }
  return true;
}

std::optional<unsigned> VariantCompiler::kernelFor(dl::DispatchOp dispatch) {
  // The training and the evaluating forward pass are often the same: compile such a kernel once.
  std::string text;
  {
    Operation *anonymous = dispatch->clone();
    cast<dl::DispatchOp>(anonymous).setName("");
    anonymous->setOperands({});
    llvm::raw_string_ostream os(text);
    anonymous->print(os, OpPrintingFlags().useLocalScope().printGenericOpForm());
    os << dispatch->getParentOfType<func::FuncOp>()->getAttr(dl::kSymbolsAttr);
    anonymous->destroy();
  }
  auto [known, isNew] = kernelByText.try_emplace(text, kernels.size());
  if (!isNew)
    return known->second;
  auto entry = dispatch->getParentOfType<func::FuncOp>();
  FailureOr<codegen::Kernel> kernel = codegen::generateKernel(
      dispatch, target, *kernelModule, (entry.getName() + "." + dispatch.getName()).str());
  if (failed(kernel))
    return std::nullopt;
  if (options.verbose)
    for (const std::string &remark : kernel->remarks)
      messages += target.name + ", " + kernel->name + ": " + remark + "\n";
  kernels.push_back(std::move(*kernel));
  kernelDispatches.push_back(dispatch);
  return known->second;
}

bool VariantCompiler::generateKernels() {
  bool generated = true;
  module->walk([&](dl::DispatchOp dispatch) {
    std::optional<unsigned> kernel = generated ? kernelFor(dispatch) : std::nullopt;
    generated &= kernel.has_value();
    if (kernel)
      kernelOfDispatch[dispatch] = *kernel;
  });
  return generated;
}

bool VariantCompiler::generateCode(Phase last) {
  description.name = target.name;
  description.features = target.requiredFeatures;
  codegen::LoweringOptions lowering;
  lowering.sanitize = options.sanitize;
  codegen::EmitHooks hooks;
  hooks.llvm = last == Phase::Llvm ? &llvmText : nullptr;
  hooks.assembly = last == Phase::Asm ? &assemblyText : nullptr;
  hooks.object = last == Phase::Object ? &objectText : nullptr;
  FailureOr<codegen::CodeImage> image = codegen::emitImage(*kernelModule, target, lowering, hooks);
  if (failed(image))
    return false;
  description.target = target.isCpu() ? artifact::Target::Cpu : artifact::Target::Cuda;
  description.code = std::move(image->bytes);
  description.imports = std::move(image->imports);
  for (const codegen::KernelCode &code : image->kernels) {
    artifact::Kernel &kernel = description.kernels.emplace_back();
    kernel.name = code.name;
    kernel.codeOffset = code.offset;
    kernel.codeSize = code.size;
    if (!target.isCpu())
      kernel.block = target.blockThreads;
  }
  return true;
}

void VariantCompiler::describe() {
  for (auto state : module->getOps<dl::StateOp>()) {
    artifact::StateLayout &layout = description.layouts.emplace_back();
    if (std::optional<ArrayRef<int64_t>> axes = state.getLayout())
      layout.permutation.assign(axes->begin(), axes->end());
  }
  for (auto [index, kernel] : llvm::enumerate(description.kernels)) {
    kernel.scratch = kernels[index].scratch;
    kernel.locations = memory::sourceLocations(kernelDispatches[index].getLoc());
  }
  for (const memory::Schedule &schedule : schedules)
    description.plans.push_back(memory::emitSchedule(schedule, [&](dl::DispatchOp dispatch) {
      unsigned kernel = kernelOfDispatch.at(dispatch);
      return memory::KernelUse{kernel, kernels[kernel].groups};
    }));
}

void VariantCompiler::print(Phase phase, llvm::raw_ostream &out) {
  switch (phase) {
  case Phase::Dispatch:
    printWithLocations(*module, out);
    return;
  case Phase::Schedule:
    for (const memory::Schedule &schedule : schedules)
      memory::print(schedule, out);
    return;
  case Phase::Loops:
    printWithLocations(*kernelModule, out);
    return;
  case Phase::Llvm:
    out << llvmText;
    return;
  case Phase::Asm:
    out << assemblyText;
    return;
  case Phase::Ptx:
    out << description.code;
    return;
  case Phase::Object:
    out << objectText;
    return;
  case Phase::Ast:
  case Phase::Dl:
  case Phase::Grad:
  case Phase::Artifact:
    llvm_unreachable("not a phase of a variant");
  }
}

} // namespace dlc
