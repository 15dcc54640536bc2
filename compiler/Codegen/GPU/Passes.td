// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DLC_CODEGEN_GPU_PASSES
#define DLC_CODEGEN_GPU_PASSES

include "mlir/Pass/PassBase.td"

def EmitPtxPass : Pass<"dl-emit-ptx", "::mlir::ModuleOp"> {
  let summary = "Prints the PTX of every dispatch";
  let description = [{
    For tests: generates a kernel for each `dl.dispatch` of the module, prints the PTX module to standard output,
    and leaves the module as it was.
  }];
  let dependentDialects = ["::mlir::NVVM::NVVMDialect", "::mlir::LLVM::LLVMDialect", "::mlir::cf::ControlFlowDialect",
                           "::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::func::FuncDialect", "::mlir::vector::VectorDialect"];
  let options = [
    Option<"target", "target", "std::string", "\"sm_80\"", "sm_80 or sm_90a">,
    Option<"emit", "emit", "std::string", "\"ptx\"",
           "what to print: loops, llvm (as the back end is given it), ptx, or groups (blocks of each kernel)">,
  ];
}

#endif // DLC_CODEGEN_GPU_PASSES
