// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dlc-run: trains and infers with compiled models. Links the runtime, not the compiler.
#include "tools/cli/program.h"

#include <new>
#include <unistd.h>

int main(int argc, char **argv) {
  // Where there is no memory left, there is none for a message either.
  std::set_new_handler([] {
    static constexpr char text[] = "dlc-run: error: out of memory\n";
    [[maybe_unused]] ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
    _exit(dlc::cli::exit_machine);
  });
  return dlc::cli::run_program(argc, argv, /*compiler=*/nullptr);
}
