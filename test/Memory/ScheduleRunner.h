// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a schedule command by command, with the kernels of a variant, on memory laid out by the plan. No
// runtime takes part.

#ifndef DLC_TEST_MEMORY_SCHEDULERUNNER_H
#define DLC_TEST_MEMORY_SCHEDULERUNNER_H

#include "compiler/Memory/Schedule.h"
#include "compiler/Reference/Tensor.h"
#include "test/Codegen/KernelTestbed.h"

namespace dlc::test {

/// Bytes at a multiple of 64.
struct Block {
  std::vector<char> storage;
  char *data;
  explicit Block(int64_t bytes) : storage(bytes + 64, 0x7B) {
    data = storage.data() + (64 - reinterpret_cast<uintptr_t>(storage.data()) % 64) % 64;
  }
  Block(Block &&) = default; // a moved vector keeps its memory
};

/// Calls `visit` with each element and its cell in memory (f32, f64, i32, i64).
template <typename Visit> void forEachElement(reference::Tensor &tensor, char *memory, Visit visit) {
  mlir::Type type = tensor.elementType;
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

/// Writes the elements to memory, and rounds them to what stands there.
void write(reference::Tensor &tensor, char *memory);

/// The largest difference from what is expected, relative to max(floor, |expected|); infinite for NaN.
double largestDifference(reference::Tensor &expected, char *memory, double floor);

class ScheduleRunner {
public:
  ScheduleRunner(const memory::Schedule &schedule, const memory::SymbolValues &symbols);

  /// Memory of the entry's arguments and results and of the states, in order; filled by the test.
  std::vector<Block> states, arguments, results;

  Block blockOf(mlir::Type type) const;
  reference::Tensor emptyTensor(mlir::Type type) const;
  /// Generates the kernels of a variant, all in one image, and runs the schedule; false after a test failure.
  bool run(llvm::StringRef variant);

private:
  bool compile(llvm::StringRef variant);
  void execute(const std::vector<memory::Command> &commands);
  void *address(const memory::Binding &binding, int64_t &counter);

  const memory::Schedule &schedule;
  const memory::SymbolValues &symbols;
  memory::Placement placement;
  Block arena;
  std::vector<int64_t> dims, counters;
  llvm::DenseMap<mlir::Operation *, std::unique_ptr<LoadedKernel>> kernels;
};

} // namespace dlc::test

#endif // DLC_TEST_MEMORY_SCHEDULERUNNER_H
