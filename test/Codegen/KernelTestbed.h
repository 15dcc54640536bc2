// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs single dispatches: parses a function that holds one, generates its kernel for every CPU variant that
// this machine can run, loads the image and calls it, work-group by work-group, on buffers that end at an
// inaccessible page and on buffers that begin behind one. Results are compared with the reference evaluator
// and, bit by bit, between variants.

#ifndef DLC_TEST_CODEGEN_KERNELTESTBED_H
#define DLC_TEST_CODEGEN_KERNELTESTBED_H

#include "compiler/Codegen/Lowering.h"
#include "compiler/Reference/Evaluator.h"
#include "mlir/IR/OwningOpRef.h"

#include <map>
#include <memory>

namespace dlc::test {

using Symbols = std::map<std::string, int64_t>;

/// Memory between two pages that must not be touched: it ends where the second begins, or begins where the
/// first ends.
class GuardedBuffer {
public:
  enum class Side { Begin, End };
  explicit GuardedBuffer(size_t bytes, Side side = Side::End);
  ~GuardedBuffer();
  GuardedBuffer(const GuardedBuffer &) = delete;
  char *data() const { return begin; }
  size_t size() const { return bytes; }

private:
  char *mapping, *begin;
  size_t mapped, bytes;
};

/// A loaded kernel of one variant.
class LoadedKernel {
public:
  LoadedKernel(const codegen::CodeImage &image, codegen::Kernel kernel);
  ~LoadedKernel();
  LoadedKernel(const LoadedKernel &) = delete;
  /// Runs all work-groups in order.
  void run(const std::vector<void *> &buffers, const std::vector<int64_t> &dims) const;
  int64_t groups(const std::vector<int64_t> &dims) const;
  const codegen::Kernel kernel;

private:
  void *mapping;
  size_t mapped;
  uint64_t offset;
};

class KernelTestbed {
public:
  KernelTestbed();

  /// Inputs that a test gives by itself; the others are pseudo-random (floats in [lowest, highest], integers
  /// in
  /// [-5, 10], bools).
  std::map<unsigned, std::vector<double>> inputs;
  double lowest = -2, highest = 2;
  /// Largest differences allowed: |got - expected| <= absolute + relative · |expected|.
  double absolute = 1e-6, relative = 2e-6;
  /// Skip the comparison with the reference (it rounds nowhere and adds in another order).
  bool compareWithReference = true;
  /// Number of work-groups of the last check, on the last variant.
  int64_t lastGroups = 0;

  /// Checks the one dispatch in `text`, a module.
  void check(llvm::StringRef text, const Symbols &symbols = {});
  /// The same, and returns the results as numbers.
  std::vector<std::vector<double>> run(llvm::StringRef text, const Symbols &symbols = {});
  /// The same for a dispatch whose operands and results are those of the function around it.
  std::vector<std::vector<double>> run(dl::DispatchOp dispatch, const Symbols &symbols);
  /// Copies a dispatch into a function of its own at the end of `module`, for `run`.
  static dl::DispatchOp isolate(dl::DispatchOp dispatch, mlir::ModuleOp module);
  /// Generates the kernel of the one dispatch in `text` for a variant.
  std::unique_ptr<LoadedKernel> load(llvm::StringRef text, llvm::StringRef variant);
  /// Names of the CPU variants that this machine can run.
  static std::vector<std::string> variants();

  mlir::MLIRContext context;
};

/// A module whose entry runs one dispatch of `body` from `inputs` to `outputs` (comma-separated tensor types
/// in short: f32[n, 10]); the body's arguments are %a0, %a1, …, and `yield` names what it yields.
std::string dispatch(const std::vector<std::string> &inputs, const std::vector<std::string> &outputs,
                     const std::string &body, const std::string &yield, const std::string &symbols = "\"n\"");
/// !dl.tensor<[shape], element>
std::string t(const std::string &shape, const std::string &element = "f32");

} // namespace dlc::test

#endif // DLC_TEST_CODEGEN_KERNELTESTBED_H
