// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dl-emit-ptx: what becomes of dispatches on a GPU, as text.

#include "compiler/Codegen/GPU/Passes.h"
#include "compiler/Codegen/Lowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace dlc::codegen {

#define GEN_PASS_DEF_EMITPTXPASS
#include "compiler/Codegen/GPU/Passes.h.inc"

namespace {

std::string toString(const artifact::Expression &expression) {
  static constexpr const char *names[] = {"", "", "+", "-", "*", "floordiv", "ceildiv", "mod", "min", "max"};
  std::string text;
  for (const artifact::Expression::Instruction &instruction : expression.instructions()) {
    if (!text.empty())
      text += ' ';
    if (instruction.op == artifact::Expression::Op::Constant)
      text += std::to_string(instruction.value);
    else if (instruction.op == artifact::Expression::Op::Symbol)
      text += "s" + std::to_string(instruction.value);
    else
      text += names[static_cast<int>(instruction.op)];
  }
  return text;
}

struct EmitPtxPass : impl::EmitPtxPassBase<EmitPtxPass> {
  using impl::EmitPtxPassBase<EmitPtxPass>::EmitPtxPassBase;

  void runOnOperation() override {
    const TargetDescription *description = findTarget(target);
    if (!description || description->isCpu()) {
      getOperation().emitError("dl-emit-ptx: expected target=sm_80 or sm_90a, got ") << target;
      return signalPassFailure();
    }
    OwningOpRef<ModuleOp> module = ModuleOp::create(getOperation().getLoc());
    std::vector<Kernel> kernels;
    WalkResult walked = getOperation().walk([&](dl::DispatchOp dispatch) {
      FailureOr<Kernel> kernel = generateKernel(dispatch, *description, *module, dispatch.getName().str());
      if (failed(kernel))
        return WalkResult::interrupt();
      kernels.push_back(std::move(*kernel));
      return WalkResult::skip();
    });
    if (walked.wasInterrupted())
      return signalPassFailure();
    if (emit == "loops") {
      module->print(llvm::outs());
      return;
    }
    if (emit == "groups") {
      for (const Kernel &kernel : kernels)
        llvm::outs() << kernel.name << ": " << toString(kernel.groups) << "\n";
      return;
    }
    std::string ir;
    EmitHooks hooks;
    hooks.llvm = &ir;
    FailureOr<CodeImage> image = emitImage(*module, *description, {}, hooks);
    if (failed(image))
      return signalPassFailure();
    llvm::outs() << (emit == "llvm" ? ir : image->bytes);
  }
};

} // namespace

void registerGpuPasses() {
  PassRegistration<EmitPtxPass>();
}

} // namespace dlc::codegen
