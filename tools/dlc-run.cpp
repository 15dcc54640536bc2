// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dlc-run: trains and infers with compiled models. Links the runtime, not the compiler.
#include "tools/cli/program.h"

int main(int argc, char **argv) {
  return dlc::cli::run_program(argc, argv, /*compiler=*/nullptr);
}
