// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What dlc and dlc-run share: the verbs that work on an artifact.
#ifndef DLC_TOOLS_CLI_PROGRAM_H
#define DLC_TOOLS_CLI_PROGRAM_H

#include "runtime/data/status.h"
#include "tools/cli/options.h"

#include <cstddef>
#include <vector>

namespace dlc::cli {

/// What only dlc can do. dlc-run passes none. All functions print their own diagnostics and return an exit
/// status.
struct Compiler {
  /// The compile verb: writes the artifact or prints a phase.
  int (*compile)(const Options &options);
  /// Compiles options.model in memory, for the verbs that work on artifacts. out_messages gets what was
  /// printed.
  int (*compile_in_memory)(const Options &options, std::vector<std::byte> &out_artifact,
                           std::string &out_messages);
  /// The fmt verb: formats options.files.
  int (*format)(const Options &options);
  /// The doc verb: prints documentation.
  int (*document)(const Options &options);
  /// The CPU variants that there are, for the help.
  std::vector<std::string> cpu_variants;
};

/// The whole program: parses the command line, runs the verb, prints errors. Returns the exit status.
int run_program(int argc, char **argv, const Compiler *compiler);

/// 1, 2 or 70.
int exit_status(const data::Status &status);

} // namespace dlc::cli

#endif // DLC_TOOLS_CLI_PROGRAM_H
