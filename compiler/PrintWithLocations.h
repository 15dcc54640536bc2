// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DLC_COMPILER_PRINTWITHLOCATIONS_H
#define DLC_COMPILER_PRINTWITHLOCATIONS_H

#include "mlir/IR/Operation.h"
#include "llvm/Support/raw_ostream.h"

namespace dlc {

/// Prints `op` so that it parses again, and each operation's line of the user's source as a comment behind
/// it:
/// `%1 = dl.conv …  // mnist.dl:3:14`.
void printWithLocations(mlir::Operation *op, llvm::raw_ostream &out);

} // namespace dlc

#endif // DLC_COMPILER_PRINTWITHLOCATIONS_H
