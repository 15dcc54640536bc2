// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs GPU kernels without a GPU and compares them with the CPU's, bit by bit.
//
// The kernels of the GPU's one mapping share nothing between threads, so their LLVM IR, taken before the
// NVPTX back end, runs on the host one thread after another: the thread's and the block's numbers become
// variables. Inputs/gpu-bits.mlir holds the dispatches; every one must give the same bytes both ways.

#include "compiler/Codegen/Lowering.h"
#include "compiler/Numerics.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/IntrinsicsNVPTX.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace mlir;
using namespace dlc;
using namespace dlc::codegen;

namespace {

using Bytes = std::vector<uint8_t>;

/// The values of the symbols that the file uses; the batch is no multiple of anything.
int64_t valueOfSymbol(StringRef name) {
  return name == "n" ? 5 : 3;
}

int64_t evaluate(dl::PolynomialAttr polynomial) {
  return *dl::evaluate(polynomial, [](StringRef name) { return std::optional(valueOfSymbol(name)); });
}

/// Numbers around 0 in every type; integers are small, so that they can be labels.
Bytes makeOperand(dl::TensorType type, uint64_t site) {
  Type element = type.getElementType();
  int64_t count = evaluate(type.getElementCount());
  unsigned width = std::max(8u, element.getIntOrFloatBitWidth()) / 8;
  Bytes bytes(count * width + 64);
  for (int64_t i = 0; i < count; ++i) {
    uint32_t word = numerics::philoxWord(numerics::randomKey(1, site), 0, 0, i);
    float number = 2 * numerics::uniformFromWord(word) - 1;
    double wide = number;
    int64_t integer = element.isInteger(1) ? word & 1 : word % 7;
    const void *source = element.isF32()   ? static_cast<const void *>(&number)
                         : element.isF64() ? static_cast<const void *>(&wide)
                                           : static_cast<const void *>(&integer);
    std::memcpy(&bytes[i * width], source, width);
  }
  return bytes;
}

Bytes makeResult(dl::TensorType type) {
  unsigned width = std::max(8u, type.getElementType().getIntOrFloatBitWidth()) / 8;
  return Bytes(evaluate(type.getElementCount()) * width, 0xAB);
}

struct Arguments {
  std::vector<Bytes> operands, results;
  std::vector<int64_t> symbols;

  explicit Arguments(dl::DispatchOp dispatch) {
    for (auto [i, type] : llvm::enumerate(dispatch.getInputs().getTypes()))
      operands.push_back(makeOperand(cast<dl::TensorType>(type), i));
    for (Type type : dispatch.getOutputs().getTypes())
      results.push_back(makeResult(cast<dl::TensorType>(type)));
    auto function = dispatch->getParentOfType<func::FuncOp>();
    for (Attribute name : function->getAttrOfType<ArrayAttr>(dl::kSymbolsAttr))
      symbols.push_back(valueOfSymbol(cast<StringAttr>(name)));
  }

  std::vector<void *> pointers() {
    std::vector<void *> all;
    for (Bytes &bytes : operands)
      all.push_back(bytes.data());
    for (Bytes &bytes : results)
      all.push_back(bytes.data());
    return all;
  }
};

/// Reads a variable instead of a special register.
void replaceRegister(llvm::Module &module, llvm::Intrinsic::ID id, const char *name) {
  llvm::Type *i32 = llvm::Type::getInt32Ty(module.getContext());
  auto *variable = new llvm::GlobalVariable(module, i32, false, llvm::GlobalValue::ExternalLinkage,
                                            llvm::ConstantInt::get(i32, 0), name);
  llvm::Function *intrinsic = llvm::Intrinsic::getDeclarationIfExists(&module, id);
  if (!intrinsic)
    return;
  for (llvm::User *user : llvm::make_early_inc_range(intrinsic->users())) {
    auto *call = llvm::cast<llvm::CallInst>(user);
    llvm::IRBuilder<> builder(call);
    call->replaceAllUsesWith(builder.CreateLoad(i32, variable, /*isVolatile=*/true));
    call->eraseFromParent();
  }
  intrinsic->eraseFromParent();
}

/// `void run(ptr arguments)`: calls the kernel with what stands in an array of 8-byte values.
void addCaller(llvm::Module &module, llvm::Function *kernel) {
  llvm::LLVMContext &context = module.getContext();
  auto *pointer = llvm::PointerType::get(context, 0);
  auto *type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), {pointer}, false);
  auto *caller = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, "run", module);
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(context, "", caller));
  SmallVector<llvm::Value *> values;
  for (llvm::Argument &argument : kernel->args())
    values.push_back(builder.CreateLoad(
        argument.getType(), builder.CreateConstGEP1_64(pointer, caller->getArg(0), argument.getArgNo())));
  builder.CreateCall(kernel, values);
  builder.CreateRetVoid();
}

class GpuBits : public testing::Test {
protected:
  GpuBits() {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    DialectRegistry registry;
    registry.insert<dl::DlDialect, func::FuncDialect>();
    registerCodegenDialects(registry);
    context.appendDialectRegistry(registry);
  }

  /// The kernel of a dispatch, compiled for the host.
  std::unique_ptr<llvm::orc::LLJIT> compile(dl::DispatchOp dispatch, StringRef targetName, Kernel &kernel) {
    const TargetDescription *target = findTarget(targetName);
    OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
    FailureOr<Kernel> generated = generateKernel(dispatch, *target, *module, "kernel");
    if (failed(generated))
      return nullptr;
    kernel = *generated;
    FailureOr<LlvmKernels> kernels = translateKernels(*module, *target);
    if (failed(kernels))
      return nullptr;
    if (!target->isCpu()) {
      llvm::Function *function = kernels->module->getFunction("kernel");
      function->setCallingConv(llvm::CallingConv::C);
      replaceRegister(*kernels->module, llvm::Intrinsic::nvvm_read_ptx_sreg_tid_x, "thread_number");
      replaceRegister(*kernels->module, llvm::Intrinsic::nvvm_read_ptx_sreg_ctaid_x, "block_number");
      addCaller(*kernels->module, function);
    }
    auto jit = llvm::orc::LLJITBuilder().create();
    if (!jit) {
      llvm::errs() << llvm::toString(jit.takeError()) << "\n";
      return nullptr;
    }
    kernels->module->setDataLayout((*jit)->getDataLayout());
    kernels->module->setTargetTriple((*jit)->getTargetTriple());
    llvm::orc::ThreadSafeModule threadSafe(std::move(kernels->module), std::move(kernels->context));
    if (llvm::Error error = (*jit)->addIRModule(std::move(threadSafe))) {
      llvm::errs() << llvm::toString(std::move(error)) << "\n";
      return nullptr;
    }
    return std::move(*jit);
  }

  static void *find(llvm::orc::LLJIT &jit, const char *name) {
    auto address = jit.lookup(name);
    if (!address) {
      ADD_FAILURE() << llvm::toString(address.takeError());
      return nullptr;
    }
    return address->toPtr<void *>();
  }

  // Generated code has no type signature in front, which the check of indirect calls would read.
  [[clang::no_sanitize("function")]] void runOnCpu(dl::DispatchOp dispatch, Arguments &arguments) {
    Kernel kernel;
    std::unique_ptr<llvm::orc::LLJIT> jit = compile(dispatch, "x86-64-v3", kernel);
    ASSERT_TRUE(jit);
    struct {
      void *const *buffers;
      const int64_t *dims;
      int64_t group;
      void *scratch;
    } args{};
    std::vector<void *> buffers = arguments.pointers();
    size_t scratchSize = *kernel.scratch.evaluate(arguments.symbols);
    std::unique_ptr<char, decltype(&std::free)> scratch(
        static_cast<char *>(std::aligned_alloc(64, (scratchSize + 127) / 64 * 64)), &std::free);
    args.buffers = buffers.data();
    args.dims = arguments.symbols.data();
    args.scratch = scratch.get();
    auto *function = reinterpret_cast<void (*)(const void *)>(find(*jit, "kernel"));
    ASSERT_TRUE(function);
    for (args.group = 0; args.group < *kernel.groups.evaluate(arguments.symbols); ++args.group)
      function(&args);
  }

  [[clang::no_sanitize("function")]] void runAsOnGpu(dl::DispatchOp dispatch, Arguments &arguments) {
    Kernel kernel;
    std::unique_ptr<llvm::orc::LLJIT> jit = compile(dispatch, "sm_80", kernel);
    ASSERT_TRUE(jit);
    std::vector<void *> values = arguments.pointers();
    for (int64_t symbol : arguments.symbols)
      values.push_back(reinterpret_cast<void *>(symbol));
    auto *function = reinterpret_cast<void (*)(void *)>(find(*jit, "run"));
    auto *thread = static_cast<int32_t *>(find(*jit, "thread_number"));
    auto *block = static_cast<int32_t *>(find(*jit, "block_number"));
    ASSERT_TRUE(function && thread && block);
    int64_t blocks = *kernel.groups.evaluate(arguments.symbols);
    for (*block = 0; *block < blocks; ++*block)
      for (*thread = 0; *thread < findTarget("sm_80")->blockThreads; ++*thread)
        function(values.data());
  }

  MLIRContext context;
};

TEST_F(GpuBits, EqualTheCpu) {
  const char *file = std::getenv("DLC_GPU_BITS");
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(file ? file : DLC_GPU_BITS_FILE, &context);
  ASSERT_TRUE(module);
  int count = 0;
  module->walk([&](dl::DispatchOp dispatch) {
    SCOPED_TRACE(dispatch.getName().str());
    ++count;
    Arguments cpu(dispatch), gpu(dispatch);
    runOnCpu(dispatch, cpu);
    runAsOnGpu(dispatch, gpu);
    for (auto [i, type] : llvm::enumerate(dispatch.getOutputs().getTypes())) {
      const Bytes &expected = cpu.results[i], &actual = gpu.results[i];
      auto [a, b] = std::mismatch(expected.begin(), expected.end(), actual.begin());
      EXPECT_EQ(a, expected.end()) << "result " << i << " differs from byte " << a - expected.begin()
                                   << " of " << expected.size()
                                   << " on: " << cast<dl::TensorType>(type).describe();
      // A test that fails to write passes otherwise.
      EXPECT_NE(expected, makeResult(cast<dl::TensorType>(type)));
    }
    return WalkResult::skip();
  });
  EXPECT_GE(count, 10);
  std::printf("%d dispatches compared\n", count);
}

} // namespace
