// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dlc-opt: runs single passes of the compiler on MLIR text. What `mlir-opt` is to MLIR.
// `dlc-opt --import-dl FILE.dl [--locations] [--bind n=64]` prints the module that the frontend makes.

#include "compiler/Autodiff/Autodiff.h"
#include "compiler/Codegen/GPU/Passes.h"
#include "compiler/Dialect/Dl.h"
#include "compiler/Memory/Passes.h"
#include "compiler/Reference/Evaluator.h"
#include "compiler/Transforms/Passes.h"
#include "frontend/Frontend.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Index/IR/IndexDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

/// Prints the dl module of a .dl file, the way into the single passes.
static int importDl(llvm::ArrayRef<llvm::StringRef> args) {
  dlc::frontend::ImportOptions options;
  mlir::OpPrintingFlags flags;
  llvm::StringRef path;
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i] == "--locations") {
      flags.enableDebugInfo(true, false);
    } else if (args[i] == "--bind" && i + 1 < args.size()) {
      auto [name, size] = args[++i].split('=');
      int64_t value = 0;
      if (size.getAsInteger(10, value)) {
        llvm::errs() << "dlc-opt: --bind takes NAME=SIZE, got " << args[i] << "\n";
        return 1;
      }
      options.dimensions[name] = value;
    } else {
      path = args[i];
    }
  }
  mlir::MLIRContext context;
  dlc::frontend::SourceManager sources;
  dlc::frontend::DiagnosticEngine diags(sources, /*errorLimit=*/1000);
  mlir::OwningOpRef<mlir::ModuleOp> module =
      dlc::frontend::importFile(path, sources, diags, context, options);
  diags.render(llvm::errs());
  if (!module)
    return 1;
  module->print(llvm::outs(), flags);
  return 0;
}

int main(int argc, char **argv) {
  if (argc > 2 && llvm::StringRef(argv[1]) == "--import-dl")
    return importDl(llvm::SmallVector<llvm::StringRef>(argv + 2, argv + argc));

  mlir::DialectRegistry registry;
  registry.insert<dlc::dl::DlDialect, mlir::arith::ArithDialect, mlir::cf::ControlFlowDialect,
                  mlir::func::FuncDialect, mlir::gpu::GPUDialect, mlir::index::IndexDialect,
                  mlir::LLVM::LLVMDialect, mlir::math::MathDialect, mlir::memref::MemRefDialect,
                  mlir::NVVM::NVVMDialect, mlir::scf::SCFDialect, mlir::ub::UBDialect,
                  mlir::vector::VectorDialect>();

  mlir::registerTransformsPasses(); // canonicalize, cse, symbol-dce, ...
  dlc::codegen::registerGpuPasses();
  dlc::reference::registerReferencePasses();
  dlc::autodiff::registerAutodiffPasses();
  dlc::registerTransformsPasses();
  dlc::memory::registerMemoryPasses();

  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "dlc-opt: single passes of dlc\n", registry));
}
