// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One variant's way from the differentiated module to code: dispatches, schedules, kernels, image or PTX.
// Internal to the pipeline.

#ifndef DLC_COMPILER_VARIANTCOMPILER_H
#define DLC_COMPILER_VARIANTCOMPILER_H

#include "compiler/Artifact/ArtifactWriter.h"
#include "compiler/Codegen/KernelContext.h"
#include "compiler/Codegen/Lowering.h"
#include "compiler/Codegen/Target.h"
#include "compiler/Memory/Schedule.h"
#include "compiler/Pipeline.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace dlc {

class VariantCompiler {
public:
  /// Clones the module; several compilers of one context may then run on different threads.
  VariantCompiler(mlir::ModuleOp module, const codegen::TargetDescription &target,
                  const CompileOptions &options);

  static void registerDialects(mlir::DialectRegistry &registry);

  /// Runs all phases up to `last`.
  void run(Phase last);

  bool succeeded() const { return failure.empty(); }
  /// The phase that failed, for the message.
  const std::string &failedPhase() const { return failure; }
  /// Errors, and with --verbose what fast paths declined.
  std::string takeMessages() { return std::move(messages); }
  artifact::Variant takeDescription() { return std::move(description); }
  /// Prints the phase that `run` ended with.
  void print(Phase phase, llvm::raw_ostream &out);

private:
  bool formDispatches();
  bool planMemory();
  bool generateKernels();
  bool generateCode(Phase last);
  void describe();
  /// The index of the kernel that computes what `dispatch` does; kernels are shared between equal dispatches.
  std::optional<unsigned> kernelFor(dl::DispatchOp dispatch);

  const codegen::TargetDescription &target;
  const CompileOptions &options;
  mlir::OwningOpRef<mlir::ModuleOp> module;       ///< dl, with dispatches after formDispatches.
  std::vector<memory::Schedule> schedules;        ///< One per entry, in the artifact's order.
  mlir::OwningOpRef<mlir::ModuleOp> kernelModule; ///< Functions at the loops level.
  std::vector<codegen::Kernel> kernels;
  std::vector<dl::DispatchOp> kernelDispatches; ///< The first dispatch of each kernel.
  llvm::DenseMap<mlir::Operation *, unsigned> kernelOfDispatch;
  llvm::StringMap<unsigned> kernelByText;
  std::string loopsText, llvmText, assemblyText, objectText;
  artifact::Variant description;
  std::string messages, failure;
};

} // namespace dlc

#endif // DLC_COMPILER_VARIANTCOMPILER_H
