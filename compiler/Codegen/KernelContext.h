// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel while it is being built: the dispatch, its function at the "loops" level (scf, vector, memref,
// arith), and the emitter with the operands bound. The strategies (rows, contraction, scan) fill the
// function's body and say how many work-groups there are.

#ifndef DLC_COMPILER_CODEGEN_KERNELCONTEXT_H
#define DLC_COMPILER_CODEGEN_KERNELCONTEXT_H

#include "compiler/Artifact/ArtifactWriter.h"
#include "compiler/Codegen/ElementEmitter.h"
#include "compiler/Codegen/Target.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace dlc::codegen {

/// A finished kernel. `function` takes (group: index, one memref<?xS> per operand and result, one index per
/// symbol of the entry in dl.symbols order, scratch: memref<?xi8>) and returns nothing.
struct Kernel {
  std::string name;
  func::FuncOp function;
  artifact::Expression groups = 1;  ///< Over the entry's symbols.
  artifact::Expression scratch = 0; ///< Bytes per worker.
  std::vector<std::string> remarks; ///< Fast paths that were declined, and why.
};

class KernelContext {
public:
  /// Creates the function `name` at the end of `module` and stands in its entry block. Operands and results
  /// are bound with the strides of the dispatch's operand_strides / result_strides (row-major without them).
  KernelContext(dl::DispatchOp dispatch, const TargetDescription &target, ModuleOp module, StringRef name);

  dl::DispatchOp dispatch;
  const TargetDescription &target;
  SmallVector<StringAttr> symbols; ///< Of the entry, in order.
  func::FuncOp function;
  ImplicitLocOpBuilder builder;
  Value group;   ///< The work-group's number, index.
  Value scratch; ///< memref<?xi8>, 64-byte aligned, at least `kernel.scratch` bytes.
  SmallVector<Value> symbolValues;
  SmallVector<Memory> operands, results;
  ElementEmitter emitter;
  Kernel kernel;

  /// The value that the body yields as result i.
  Value getYielded(unsigned i);
  dl::TensorType getResultType(unsigned i);
  void store(unsigned result, ArrayRef<Index> position, Value element) {
    emitter.store(results[result], getResultType(result), position, element);
  }
  /// A part of the scratch memory as memref<?xS>, from a byte offset (a multiple of 64) on.
  Value scratchView(Value byteOffset, Type storageElement);
  /// A polynomial over the entry's symbols as the artifact writes it.
  artifact::Expression expression(dl::PolynomialAttr polynomial) const;
  void remark(const Twine &text) { kernel.remarks.push_back(text.str()); }
  /// Ends the function (func.return). The builder must stand at the end of the entry block.
  Kernel finish();
};

// The strategies. Each fills the body and sets kernel.groups and kernel.scratch; emits an error on failure.

/// Elementwise operations and reductions over rows (CPU/RowKernel.cpp).
LogicalResult emitRowKernel(KernelContext &context);
/// A dispatch whose root is contract, conv, conv_input_grad or conv_weight_grad (CPU/ContractionKernel.cpp).
LogicalResult emitContractionKernel(KernelContext &context);
/// A dispatch that holds a whole scan (CPU/ScanKernel.cpp).
LogicalResult emitScanKernel(KernelContext &context);
/// A dispatch that is one scatter_add or one argsort (CPU/IndexKernels.cpp).
LogicalResult emitScatterKernel(KernelContext &context, dl::ScatterAddOp op);
LogicalResult emitSortKernel(KernelContext &context, dl::ArgSortOp op);
/// One thread per element or row (GPU/ThreadKernel.cpp).
LogicalResult emitThreadKernel(KernelContext &context);

/// Chooses the strategy and builds the kernel into `module`.
FailureOr<Kernel> generateKernel(dl::DispatchOp dispatch, const TargetDescription &target, ModuleOp module,
                                 StringRef name);

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_KERNELCONTEXT_H
