// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dlc-opt: runs single passes of the compiler on MLIR text. What `mlir-opt` is to MLIR.

#include "compiler/Autodiff/Autodiff.h"
#include "compiler/Dialect/Dl.h"
#include "compiler/Reference/Evaluator.h"
#include "compiler/Memory/Passes.h"
#include "compiler/Transforms/Passes.h"

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

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<dlc::dl::DlDialect, mlir::arith::ArithDialect, mlir::cf::ControlFlowDialect,
                  mlir::func::FuncDialect, mlir::gpu::GPUDialect, mlir::index::IndexDialect,
                  mlir::LLVM::LLVMDialect, mlir::math::MathDialect, mlir::memref::MemRefDialect,
                  mlir::NVVM::NVVMDialect, mlir::scf::SCFDialect, mlir::ub::UBDialect,
                  mlir::vector::VectorDialect>();

  mlir::registerTransformsPasses(); // canonicalize, cse, symbol-dce, ...
  dlc::reference::registerReferencePasses();
  dlc::autodiff::registerAutodiffPasses();
  dlc::registerTransformsPasses();
  dlc::memory::registerMemoryPasses();

  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "dlc-opt: single passes of dlc\n", registry));
}
