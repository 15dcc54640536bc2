// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dlc-bench-kernels [VARIANT]: speed of generated contraction kernels on one thread, as a share of the
// multiply-add peak measured in the same run. Times are of the thread's processor, best of several, with
// operands in the caches.

#include "compiler/Codegen/KernelContext.h"
#include "compiler/Codegen/Lowering.h"
#include "mlir/Parser/Parser.h"
#include "tools/bench/peak.h"

#include <sys/mman.h>
#include <time.h>

#include <cstdio>
#include <cstring>
#include <map>

using namespace mlir;

namespace {

struct Case {
  const char *name;
  const char *operation;               ///< Of %a and %b.
  const char *first, *second, *result; ///< Tensor types without the element type.
  double multiplyAdds;                 ///< At the sizes below.
};

constexpr const char *kConvolution = " strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1";
constexpr int64_t kBatch = 64;

const Case kCases[] = {
    {"256 x 256 x 256", "contract \"mk,kj->mj\"", "256, 256", "256, 256", "256, 256", 256.0 * 256 * 256},
    {"linear 3136 -> 128", "contract \"nk,jk->nj\"", "n, 3136", "128, 3136", "n, 128", 64.0 * 3136 * 128},
    {"linear, input gradient", "contract \"nj,jk->nk\"", "n, 128", "128, 3136", "n, 3136", 64.0 * 3136 * 128},
    {"linear, weight gradient", "contract \"nj,nk->jk\"", "n, 128", "n, 3136", "128, 3136",
     64.0 * 3136 * 128},
    {"conv 1 -> 32, 28 x 28", "conv", "n, 1, 28, 28", "32, 1, 3, 3", "n, 32, 28, 28", 64.0 * 32 * 9 * 784},
    {"its weight gradient", "conv_weight_grad", "n, 32, 28, 28", "n, 1, 28, 28", "32, 1, 3, 3",
     64.0 * 32 * 9 * 784},
    {"conv 32 -> 32, 32 x 32", "conv", "n, 32, 32, 32", "32, 32, 3, 3", "n, 32, 32, 32",
     64.0 * 32 * 288 * 1024},
    {"its input gradient", "conv_input_grad", "n, 32, 32, 32", "32, 32, 3, 3", "n, 32, 32, 32",
     64.0 * 32 * 288 * 1024},
    {"its weight gradient", "conv_weight_grad", "n, 32, 32, 32", "n, 32, 32, 32", "32, 32, 3, 3",
     64.0 * 32 * 288 * 1024},
    {"conv 128 -> 128, 8 x 8", "conv", "n, 128, 8, 8", "128, 128, 3, 3", "n, 128, 8, 8",
     64.0 * 128 * 1152 * 64},
    {"its weight gradient", "conv_weight_grad", "n, 128, 8, 8", "n, 128, 8, 8", "128, 128, 3, 3",
     64.0 * 128 * 1152 * 64},
    {"conv 32 -> 64, 14 x 14", "conv", "n, 32, 14, 14", "64, 32, 3, 3", "n, 64, 14, 14",
     64.0 * 64 * 288 * 196},
    {"its input gradient", "conv_input_grad", "n, 64, 14, 14", "64, 32, 3, 3", "n, 32, 14, 14",
     64.0 * 64 * 288 * 196},
    {"its weight gradient", "conv_weight_grad", "n, 64, 14, 14", "n, 32, 14, 14", "64, 32, 3, 3",
     64.0 * 64 * 288 * 196},
};

double seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Multiply-adds per second from registers.
double measurePeak(bool isWide) {
  double start = seconds();
  dlc::bench::PeakRun run = isWide ? dlc::bench::runAvx512() : dlc::bench::runAvx2();
  return run.multiplyAdds / (seconds() - start);
}

double peak(bool isWide) {
  double best = 0;
  for (int i = 0; i < 5; ++i)
    best = std::max(best, measurePeak(isWide));
  return best;
}

std::string moduleText(const Case &test) {
  auto type = [](const char *shape) { return "!dl.tensor<[" + std::string(shape) + "], f32>"; };
  std::string a = type(test.first), b = type(test.second), r = type(test.result);
  std::string attributes = strncmp(test.operation, "conv", 4) == 0 ? kConvolution : "";
  return "func.func @f(%x: " + a + ", %y: " + b + ") -> " + r +
         " attributes {dl.symbols = [\"n\"]} {\n  %r = " + "dl.dispatch \"k\" (%x, %y) : (" + a + ", " + b +
         ") -> (" + r + ") {\n  ^bb0(%a: " + a + ", %b: " + b + "):\n    %v = dl." + test.operation +
         " %a, %b" + attributes + " : (" + a + ", " + b + ") -> " + r + "\n    dl.yield %v : " + r +
         "\n  }\n  return %r : " + r + "\n}\n";
}

/// Seconds of one run of all work-groups, or nothing on an error.
std::optional<double> measure(const Case &test, const dlc::codegen::TargetDescription &target) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  context.loadDialect<dlc::dl::DlDialect, func::FuncDialect>();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(moduleText(test), &context);
  if (!module)
    return std::nullopt;
  OwningOpRef<ModuleOp> kernels = ModuleOp::create(module->getLoc());
  dlc::dl::DispatchOp dispatch;
  module->walk([&](dlc::dl::DispatchOp op) { dispatch = op; });
  auto kernel = dlc::codegen::generateKernel(dispatch, target, *kernels, "kernel");
  if (failed(kernel))
    return std::nullopt;
  auto image = dlc::codegen::emitImage(*kernels, target);
  if (failed(image))
    return std::nullopt;

  size_t size = (image->bytes.size() + 4095) / 4096 * 4096;
  void *code = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(code, image->bytes.data(), image->bytes.size());
  mprotect(code, size, PROT_READ | PROT_EXEC);

  std::vector<std::vector<float>> memory;
  std::vector<void *> buffers;
  SmallVector<Type> types(dispatch.getInputs().getTypes());
  llvm::append_range(types, dispatch.getOutputs().getTypes());
  for (Type type : types) {
    auto count = dlc::dl::evaluate(cast<dlc::dl::TensorType>(type).getElementCount(),
                                   [](StringRef) { return std::optional(kBatch); });
    memory.emplace_back(static_cast<size_t>(*count), 0.25f);
  }
  for (std::vector<float> &tensor : memory)
    buffers.push_back(tensor.data());
  struct Arguments {
    void *const *buffers;
    const int64_t *dims;
    int64_t group;
    void *scratch;
  };
  void *scratch = aligned_alloc(64, static_cast<size_t>(*kernel->scratch.evaluate({kBatch}) + 127) / 64 * 64);
  auto function =
      reinterpret_cast<void (*)(const Arguments *)>(static_cast<char *>(code) + image->kernels[0].offset);
  int64_t groups = *kernel->groups.evaluate({kBatch}), dims[] = {kBatch};
  double best = 1e9;
  for (int i = 0; i < 20; ++i) {
    double start = seconds();
    for (int64_t group = 0; group < groups; ++group) {
      Arguments arguments{buffers.data(), dims, group, scratch};
      function(&arguments);
    }
    best = std::min(best, seconds() - start);
  }
  free(scratch);
  munmap(code, size);
  return best;
}

} // namespace

int main(int argc, char **argv) {
  bool isWide = __builtin_cpu_supports("x86-64-v4");
  const char *variant = argc > 1 ? argv[1] : isWide ? "x86-64-v4" : "x86-64-v3";
  const dlc::codegen::TargetDescription *target = dlc::codegen::findTarget(variant);
  if (argc > 2 || !target || !target->isCpu()) {
    fprintf(stderr, "dlc-bench-kernels: expected at most a CPU variant, got %s\n", variant);
    return 1;
  }
  printf("%-28s %10s %12s %8s   (%s, one thread, n = %d)\n", "kernel", "us", "GFLOP/s", "of peak", variant,
         static_cast<int>(kBatch));
  for (const Case &test : kCases) {
    std::optional<double> time = measure(test, *target);
    if (!time)
      return 70;
    double rate = test.multiplyAdds / *time;
    printf("%-28s %10.1f %12.1f %7.0f%%\n", test.name, *time * 1e6, 2e-9 * rate, 100 * rate / peak(isWide));
  }
  return 0;
}
