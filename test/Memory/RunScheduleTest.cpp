// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole training steps, planned and compiled, run command by command on memory laid out by the plan; results
// and states are compared with the reference's evaluation of the original program. No runtime takes part.

#include "compiler/Autodiff/Autodiff.h"
#include "compiler/Memory/Schedule.h"
#include "compiler/Reference/Evaluator.h"
#include "compiler/Transforms/Passes.h"
#include "test/Codegen/KernelTestbed.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

namespace dlc::memory {
namespace {

using namespace mlir;
using reference::Tensor;

/// Bytes at a multiple of 64.
struct Block {
  std::vector<char> storage;
  char *data;
  explicit Block(int64_t bytes) : storage(bytes + 64, 0x7B) {
    data = storage.data() + (64 - reinterpret_cast<uintptr_t>(storage.data()) % 64) % 64;
  }
  Block(Block &&) = default; // a moved vector keeps its memory
};

template <typename Visit> void forEachElement(Tensor &tensor, char *memory, Visit visit) {
  Type type = tensor.elementType;
  for (auto [i, element] : llvm::enumerate(tensor.elements)) {
    if (type.isF32())
      visit(element, reinterpret_cast<float *>(memory)[i]);
    else if (type.isF64())
      visit(element, reinterpret_cast<double *>(memory)[i]);
    else if (type.isInteger(32))
      visit(element, reinterpret_cast<int32_t *>(memory)[i]);
    else
      visit(element, reinterpret_cast<int64_t *>(memory)[i]);
  }
}

void write(Tensor &tensor, char *memory) {
  forEachElement(tensor, memory, [&](reference::Element &element, auto &cell) {
    using Cell = std::remove_reference_t<decltype(cell)>;
    cell = std::is_floating_point_v<Cell> ? Cell(element.real) : Cell(element.integer);
    element.real = static_cast<double>(cell);
  });
}

class RunSchedule : public ::testing::Test {
protected:
  RunSchedule() : context(MLIRContext::Threading::DISABLED) {
    DialectRegistry registry;
    registry.insert<dl::DlDialect, func::FuncDialect>();
    codegen::registerCodegenDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  Tensor emptyTensor(Type type) {
    auto tensor = cast<dl::TensorType>(type);
    SmallVector<int64_t> shape;
    for (dl::PolynomialAttr dim : tensor.getShape())
      shape.push_back(*evaluate(dim, symbols));
    return Tensor(tensor.getElementType(), shape);
  }

  Tensor randomTensor(Type type, Block &block) {
    Tensor tensor = emptyTensor(type);
    for (reference::Element &element : tensor.elements) {
      element.real = std::uniform_real_distribution<float>(0.01f, 0.1f)(random);
      element.integer = random() % 10;
    }
    write(tensor, block.data);
    return tensor;
  }

  Block blockOf(Type type) { return Block(*evaluate(byteSize(cast<dl::TensorType>(type)), symbols)); }

  void expectClose(Tensor expected, char *memory, const std::string &what) {
    double worst = 0;
    forEachElement(expected, memory, [&](const reference::Element &element, auto &cell) {
      using Cell = std::remove_reference_t<decltype(cell)>;
      double wanted = std::is_floating_point_v<Cell> ? element.real : static_cast<double>(element.integer);
      double difference = std::abs(static_cast<double>(cell) - wanted) / std::max(0.01, std::abs(wanted));
      worst = std::isnan(difference) ? INFINITY : std::max(worst, difference);
    });
    EXPECT_LE(worst, 2e-4) << what; // f32 against f64
  }

  void check(const std::string &file, const std::string &scan, const std::string &variant) {
    OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(DLC_TEST_DIR "/Transforms/" + file, &context);
    ASSERT_TRUE(module);
    PassManager front(&context), back(&context);
    front.addPass(autodiff::createDifferentiatePass());
    front.addPass(createCanonicalizerPass());
    back.addPass(autodiff::createHoistScanAccumulationsPass());
    back.addPass(createSimplifyPass());
    FormDispatchesPassOptions options;
    options.scan = scan;
    back.addPass(createFormDispatchesPass(options));
    ASSERT_TRUE(succeeded(front.run(*module)));

    // 1. Expected.
    auto entry = *module->getOps<func::FuncOp>().begin();
    reference::States expectedStates;
    for (auto state : module->getOps<dl::StateOp>()) {
      states.push_back(blockOf(state.getType()));
      expectedStates[state.getSymName()] = randomTensor(state.getType(), states.back());
    }
    std::vector<Tensor> inputs;
    for (Type type : entry.getArgumentTypes()) {
      arguments.push_back(blockOf(type));
      inputs.push_back(randomTensor(type, arguments.back()));
    }
    for (Type type : entry.getResultTypes())
      results.push_back(blockOf(type));
    reference::Symbols values;
    for (auto &symbol : symbols)
      values[symbol.getKey()] = symbol.getValue();
    auto expected = reference::evaluate(entry, inputs, expectedStates, values);
    ASSERT_TRUE(succeeded(expected));

    // 2. The plan and its kernels.
    ASSERT_TRUE(succeeded(back.run(*module)));
    FailureOr<Schedule> schedule = planMemory(entry);
    ASSERT_TRUE(succeeded(schedule));
    ASSERT_EQ(verifySchedule(*schedule, symbols), std::nullopt);
    for (StringAttr name : entry->getAttrOfType<ArrayAttr>(dl::kSymbolsAttr).getAsRange<StringAttr>())
      dims.push_back(symbols.lookup(name.getValue()));
    placement = *placeBuffers(*schedule, symbols);
    Block arenaBlock(placement.peak);
    arena = arenaBlock.data;
    target = codegen::findTarget(variant);
    execute(schedule->commands);

    // 3. Compare.
    for (auto [i, result] : llvm::enumerate(*expected))
      expectClose(result, results[i].data, "result " + std::to_string(i));
    for (auto [i, state] : llvm::enumerate(schedule->states))
      expectClose(expectedStates[state.getSymName()], states[i].data, state.getSymName().str());
  }

  void execute(const std::vector<Command> &commands) {
    for (const Command &command : commands) {
      if (command.kind == Command::Kind::Loop) {
        for (int64_t i = 0; i < *evaluate(command.count, symbols); ++i) {
          counters.push_back(i);
          execute(command.body);
          counters.pop_back();
        }
        continue;
      }
      test::LoadedKernel *kernel = kernelOf(command.dispatch);
      if (!kernel)
        return;
      std::vector<void *> pointers;
      std::vector<int64_t> positions(command.bindings.size());
      for (auto [position, binding] : llvm::zip(positions, command.bindings))
        pointers.push_back(address(binding, position));
      kernel->run(pointers, dims);
    }
  }

  void *address(const Binding &binding, int64_t &counter) {
    int64_t offset = *evaluate(binding.offset, symbols);
    if (binding.remainder)
      offset += *evaluate(binding.remainder->scale, symbols) *
                (*evaluate(binding.remainder->value, symbols) % binding.remainder->modulus);
    for (auto [term, i] : llvm::zip(binding.terms, counters))
      offset += *evaluate(term.stride, symbols) * (term.modulus ? (i + term.bias) % term.modulus : i);
    switch (binding.base) {
    case Base::Buffer:
      return arena + placement.offsets[binding.index] + offset;
    case Base::State:
      return states[binding.index].data + offset;
    case Base::Argument:
      return arguments[binding.index].data + offset;
    case Base::Result:
      return results[binding.index].data + offset;
    case Base::LoopCounter:
      counter = offset;
      return &counter;
    }
    return nullptr;
  }

  test::LoadedKernel *kernelOf(dl::DispatchOp dispatch) {
    std::unique_ptr<test::LoadedKernel> &loaded = kernels[dispatch];
    if (loaded)
      return loaded.get();
    OwningOpRef<ModuleOp> holder = ModuleOp::create(dispatch.getLoc());
    FailureOr<codegen::Kernel> kernel = codegen::generateKernel(dispatch, *target, *holder, "kernel");
    if (failed(kernel)) {
      ADD_FAILURE() << "no kernel for " << dispatch.getName().str();
      return nullptr;
    }
    FailureOr<codegen::CodeImage> image = codegen::emitImage(*holder, *target);
    if (failed(image)) {
      ADD_FAILURE() << "no image for " << dispatch.getName().str();
      return nullptr;
    }
    loaded = std::make_unique<test::LoadedKernel>(*image, std::move(*kernel));
    return loaded.get();
  }

  MLIRContext context;
  SymbolValues symbols{{"n", 5}, {"t", 4}};
  std::mt19937 random{11};
  std::vector<Block> states, arguments, results;
  char *arena = nullptr;
  Placement placement;
  std::vector<int64_t> dims, counters;
  const codegen::TargetDescription *target = nullptr;
  llvm::DenseMap<Operation *, std::unique_ptr<test::LoadedKernel>> kernels;
};

TEST_F(RunSchedule, ConvolutionalStep) {
  check("mnist-step.mlir", "auto", test::KernelTestbed::variants().back());
}
TEST_F(RunSchedule, RecurrentStepInLoops) {
  check("rnn-step.mlir", "loop", test::KernelTestbed::variants().back());
}
TEST_F(RunSchedule, RecurrentStepInDispatches) {
  check("rnn-step.mlir", "dispatch", test::KernelTestbed::variants().front());
}

} // namespace
} // namespace dlc::memory
