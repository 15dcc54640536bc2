// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// check-kernels FILE.mlir [NAME=SIZE]... [--only=TEXT] [--skip=TEXT] [--tolerance=X] [--range=LOW,HIGH]
//               [--time]
//
// Generates the kernels of all dispatches of a module (as --emit=dispatch prints it), or of those whose names
// have one text and have not the other, runs each on pseudo-random operands (floats between LOW and HIGH;
// optimizers need positive second moments, long scans small weights) and compares the results with the
// reference evaluator and between variants. With --time it prints how long the phases of code generation and
// the kernels take instead. Exit status 1 when anything differs.

#include "test/Codegen/KernelTestbed.h"

#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>

#include <ctime>

using namespace mlir;
using namespace dlc;

/// Seconds of processor time that this process has used: what other processes do does not count.
static double used() {
  return static_cast<double>(clock()) / CLOCKS_PER_SEC;
}

static int64_t bytesOf(Type type, const test::Symbols &symbols) {
  auto tensor = cast<dl::TensorType>(type);
  int64_t count = dl::evaluate(tensor.getElementCount(), [&](StringRef name) -> std::optional<int64_t> {
                    auto it = symbols.find(name.str());
                    return it == symbols.end() ? std::nullopt : std::optional(it->second);
                  }).value_or(0);
  return std::max<int64_t>(1, count * std::max(1u, tensor.getElementType().getIntOrFloatBitWidth() / 8));
}

static void timeAll(MutableArrayRef<dl::DispatchOp> dispatches, const test::Symbols &symbols) {
  for (const std::string &variant : test::KernelTestbed::variants()) {
    const codegen::TargetDescription *target = codegen::findTarget(variant);
    OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(dispatches.front()->getContext()));
    double start = used();
    std::vector<codegen::Kernel> kernels;
    std::vector<dl::DispatchOp> made;
    for (auto [i, dispatch] : llvm::enumerate(dispatches)) {
      FailureOr<codegen::Kernel> kernel =
          codegen::generateKernel(dispatch, *target, *module, "kernel" + std::to_string(i));
      if (succeeded(kernel)) {
        kernels.push_back(std::move(*kernel));
        made.push_back(dispatch);
      }
    }
    int64_t operations = 0;
    module->walk([&](Operation *) { ++operations; });
    double built = used();
    FailureOr<codegen::LlvmKernels> llvmKernels = codegen::translateKernels(*module, *target);
    if (failed(llvmKernels))
      return;
    double translated = used();
    std::string error;
    FailureOr<codegen::CodeImage> image = codegen::compileKernels(*llvmKernels, *target, error);
    double compiled = used();
    if (failed(image)) {
      llvm::errs() << error << "\n";
      return;
    }
    printf("%s: %zu kernels, %ld operations, build %.0f ms, translate %.0f ms, compile %.0f ms, image %zu "
           "bytes\n",
           variant.c_str(), kernels.size(), operations, 1e3 * (built - start), 1e3 * (translated - built),
           1e3 * (compiled - translated), image->bytes.size());
    double total = 0;
    for (auto [i, kernel] : llvm::enumerate(kernels)) {
      codegen::CodeImage single = *image;
      single.kernels = {image->kernels[i]};
      for (const codegen::KernelCode &code : image->kernels)
        if (code.name == kernel.name)
          single.kernels = {code};
      test::LoadedKernel loaded(single, kernel);
      std::vector<int64_t> dims;
      for (auto &[name, value] : symbols)
        dims.push_back(value);
      std::vector<std::vector<char>> storage;
      std::vector<void *> buffers;
      auto add = [&](Value value) {
        storage.emplace_back(bytesOf(value.getType(), symbols) + 64);
        buffers.push_back(
            reinterpret_cast<void *>((reinterpret_cast<uintptr_t>(storage.back().data()) + 63) / 64 * 64));
      };
      llvm::for_each(made[i].getInputs(), add);
      llvm::for_each(made[i].getOutputs(), add);
      loaded.run(buffers, dims);
      double best = 1e9;
      for (int repeat = 0; repeat < 5; ++repeat) {
        double begin = used();
        loaded.run(buffers, dims);
        best = std::min(best, used() - begin);
      }
      total += best;
      printf("  %-36s %9.1f us %5ld groups %7lu bytes of code\n", made[i].getName().str().c_str(), best * 1e6,
             loaded.groups(dims), single.kernels[0].size);
    }
    printf("  total %.1f us\n", total * 1e6);
  }
}

int main(int argc, char **argv) {
  testing::InitGoogleTest(&argc, argv);
  test::KernelTestbed testbed;
  std::string file, only, skip;
  test::Symbols symbols;
  bool timing = false;
  double tolerance = 1e-4;
  for (int i = 1; i < argc; ++i) {
    StringRef argument = argv[i];
    if (argument == "--time")
      timing = true;
    else if (argument.consume_front("--range="))
      std::tie(testbed.lowest, testbed.highest) =
          std::pair(std::atof(argument.data()), std::atof(argument.split(',').second.data()));
    else if (argument.consume_front("--only="))
      only = argument.str();
    else if (argument.consume_front("--skip="))
      skip = argument.str();
    else if (argument.consume_front("--tolerance="))
      tolerance = std::atof(argument.data());
    else if (auto [name, value] = argument.split('='); !value.empty())
      symbols[name.str()] = std::atoll(value.data());
    else
      file = argument.str();
  }
  testbed.absolute = testbed.relative = tolerance;
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(file, &testbed.context);
  if (!module)
    return 1;
  std::vector<dl::DispatchOp> dispatches;
  OwningOpRef<ModuleOp> isolated = ModuleOp::create(module->getLoc());
  module->walk([&](dl::DispatchOp dispatch) {
    if (dispatch.getName().contains(only) && (skip.empty() || !dispatch.getName().contains(skip)))
      dispatches.push_back(test::KernelTestbed::isolate(dispatch, *isolated));
  });
  if (timing) {
    timeAll(dispatches, symbols);
    return 0;
  }
  struct Reporter : testing::EmptyTestEventListener {
    bool failed = false;
    void OnTestPartResult(const testing::TestPartResult &result) override { failed |= result.failed(); }
  };
  auto *reporter = new Reporter;
  testing::UnitTest::GetInstance()->listeners().Append(reporter);
  int failures = 0;
  for (dl::DispatchOp dispatch : dispatches) {
    reporter->failed = false;
    testbed.run(dispatch, symbols);
    printf("%s %s\n", reporter->failed ? "FAILED" : "ok    ", dispatch.getName().str().c_str());
    failures += reporter->failed;
  }
  printf("%zu kernels, %d failed\n", dispatches.size(), failures);
  return failures != 0;
}
