// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random programs of dl operations, the same for a seed on every machine.

#ifndef DLC_TEST_MEMORY_RANDOMGRAPH_H
#define DLC_TEST_MEMORY_RANDOMGRAPH_H

#include "compiler/Dialect/Dl.h"

#include "llvm/ADT/StringMap.h"

#include <string>

namespace dlc::test {

struct RandomGraph {
  /// A module with one function of f32 tensors. It returns the gradients of its arguments, and takes a step
  /// of its parameters.
  std::string text;
  llvm::StringMap<int64_t> symbols;
};

RandomGraph makeRandomGraph(mlir::MLIRContext &context, unsigned seed);

} // namespace dlc::test

#endif // DLC_TEST_MEMORY_RANDOMGRAPH_H
