// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From kernels at the "loops" level to machine code: LLVM dialect, LLVM IR, object, image (CPU) or PTX (GPU).

#ifndef DLC_COMPILER_CODEGEN_LOWERING_H
#define DLC_COMPILER_CODEGEN_LOWERING_H

#include "compiler/Codegen/KernelContext.h"

#include <memory>

namespace llvm {
class LLVMContext;
class Module;
} // namespace llvm

namespace dlc::codegen {

/// Where a kernel lies in an image, in bytes. PTX: the name of the entry, which may differ from the kernel's,
/// and where its text is.
struct KernelCode {
  std::string name;
  uint64_t offset = 0, size = 0;
};

/// The code of a variant: one relocation-free image that may be mapped anywhere, or PTX text.
struct CodeImage {
  std::string bytes;
  std::vector<KernelCode> kernels;
  std::vector<artifact::Import> imports; ///< Of instrumented kernels, for Variant::imports.
};

/// Texts of the phases, filled when asked for (`--emit`).
struct EmitHooks {
  std::string *llvm = nullptr;     ///< LLVM IR after optimization.
  std::string *assembly = nullptr; ///< CPU only.
  std::string *object = nullptr;   ///< The relocatable ELF object, CPU only.
};

struct LoweringOptions {
  /// Instrument the kernels with LLVM's AddressSanitizer (Sanitize.h): the image then has imports.
  bool sanitize = false;
};

/// LLVM IR in a context of its own, so that variants can be compiled on several threads.
class LlvmKernels {
public:
  LlvmKernels();
  LlvmKernels(LlvmKernels &&);
  LlvmKernels &operator=(LlvmKernels &&);
  ~LlvmKernels();

  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::Module> module;
  std::vector<std::string> names;
};

/// Registers what translateKernels needs. Call once per MLIR context before it.
void registerCodegenDialects(DialectRegistry &registry);

/// 1. Lowers a module of kernels (consumed: it holds the LLVM dialect afterwards) and translates it.
FailureOr<LlvmKernels> translateKernels(ModuleOp kernels, const TargetDescription &target,
                                        const LoweringOptions &options = {});

/// 2. Optimizes and generates code. Different kernels may be compiled on different threads at a time. On
/// failure `error` says what is wrong: a bug of ours.
FailureOr<CodeImage> compileKernels(LlvmKernels &kernels, const TargetDescription &target, std::string &error,
                                    const LoweringOptions &options = {}, const EmitHooks &hooks = {});

/// Both steps; errors become diagnostics.
FailureOr<CodeImage> emitImage(ModuleOp kernels, const TargetDescription &target,
                               const LoweringOptions &options = {}, const EmitHooks &hooks = {});

/// The parts of translateKernels and compileKernels.
LogicalResult lowerKernelsToLlvmDialect(ModuleOp kernels, const TargetDescription &target);
/// Links an object's code and constants to an image at address 0; fails on any undefined symbol.
FailureOr<CodeImage> linkImage(StringRef object, ArrayRef<std::string> names, std::string &error);

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_LOWERING_H
