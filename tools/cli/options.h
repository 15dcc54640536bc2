// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line of dlc and dlc-run: verbs, flags, help.
#ifndef DLC_TOOLS_CLI_OPTIONS_H
#define DLC_TOOLS_CLI_OPTIONS_H

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dlc::cli {

/// How a program ends. An interrupted training ends with 128 + the signal's number, as shells do.
enum ExitStatus {
  exit_done = 0,
  exit_input = 1,   ///< The user's input is wrong: a model, a file, a flag.
  exit_machine = 2, ///< The machine failed: a file, memory, a device.
  exit_bug = 70,    ///< A bug in dlc.
};

enum class Verb { compile, train, eval, run, inspect, format, document };

/// name=value, as --bind, --max, --set, --in and --out take it.
using Assignment = std::pair<std::string, std::string>;
using Bound = std::pair<std::string, int64_t>;

struct Options {
  Verb verb = Verb::train;
  std::string model; ///< A .dla file or, for dlc, a .dl file.
  bool json = false;

  // What shapes the artifact; for train, eval, run and inspect only when the model is a .dl file.
  std::string output;               ///< -o; empty: the model's name with .dla
  std::vector<std::string> targets; ///< cpu, cuda
  std::vector<std::string> cpus;    ///< Variants, or native. For the other verbs: the variant to run.
  std::vector<Bound> bind, max;
  std::vector<Bound> dims; ///< Of inspect: the sizes that figures are shown for.
  std::string emit;        ///< phase or phase:variant; empty: artifact
  std::string precision = "f32";
  std::string max_memory;    ///< bytes, or a number with KiB, MiB, GiB
  std::string scan = "auto"; ///< auto, loop, dispatch
  bool fuse = true;          ///< Let operations share kernels.
  bool verify = false;       ///< Run the schedule verifier.
  bool verbose = false;      ///< Say what a fast path declined.
  bool sanitize = false;     ///< Instrument the kernels.

  // The session.
  std::optional<uint64_t> seed;
  bool drew_seed = false; ///< --seed random
  int threads = 0;        ///< 0: as many as the process may use
  bool red_zones = false;
  std::string check_numerics; ///< "all", "nan", or empty
  std::string device;
  std::vector<std::pair<std::string, double>> set;
  std::string weights;

  // Data.
  std::string data; ///< A path for the fit block's loader, loader:path, or loader("path", key=value).
  std::optional<int64_t> batch;
  std::string entry;
  int64_t show = 0;  ///< Samples to show as pictures.
  std::string split; ///< Of run: the split whose rows are the arguments.

  // train
  std::optional<int64_t> epochs, steps;
  std::string save, resume, init;
  std::optional<int64_t> save_every;
  bool no_eval = false;
  std::optional<int64_t> evaluate_every, patience;
  std::string best; ///< A figure, or min: or max: and one.

  // run
  std::vector<Assignment> in, out;

  // fmt
  std::vector<std::string> files; ///< - is standard input.
  bool check = false;             ///< Name what is not formatted, and write nothing.
  bool to_stdout = false;         ///< Print the formatted text instead of writing it.

  // doc
  std::string name;  ///< What to document; empty: everything, in short. `model` may add a file.
  bool page = false; ///< Print the page of the standard library.

  std::vector<std::string> command; ///< The words of the command line, to repeat in messages.
};

/// Reads the command line. variants: the CPU variants of the compiler, for dlc, which has compile and takes
/// .dl files; null for dlc-run. Returns nothing when the verb shall run, else the exit status (help and
/// version were printed, or the error was).
std::optional<int> parse_options(int argc, char **argv, const std::vector<std::string> *variants,
                                 Options &out_options);

} // namespace dlc::cli

#endif // DLC_TOOLS_CLI_OPTIONS_H
