// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compiler as one function: a .dl file in, an artifact (or the text of any phase on the way) out. Read
// Pipeline.cpp first: it lists the phases in order, with the reason for the order.

#ifndef DLC_COMPILER_PIPELINE_H
#define DLC_COMPILER_PIPELINE_H

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llvm {
class raw_ostream;
}

namespace dlc {

/// What `--emit` can print, in the order in which it comes into being. From Dispatch on, each variant has its
/// own.
enum class Phase { Ast, Dl, Grad, Dispatch, Schedule, Loops, Llvm, Asm, Ptx, Object, Artifact };

/// "ast", "dl", …; nothing for another name.
std::optional<Phase> parsePhase(std::string_view name);

/// Where an in-dispatch scan is possible: let the cost model choose, or force one form (for tests).
enum class ScanForm { Auto, Loop, Dispatch };

struct CompileOptions {
  /// Names of variants, such as "x86-64-v3"; empty: x86-64-v3 and x86-64-v4.
  std::vector<std::string> cpuVariants;
  /// Also sm_80 and sm_90a.
  bool cuda = false;
  bool cpu = true;
  std::map<std::string, int64_t> bind; ///< --bind n=64: fixes a symbolic dimension in every entry.
  std::map<std::string, int64_t> max;  ///< --max n=256: bounds it; the printed peak memory is for that bound.
  ScanForm scan = ScanForm::Auto;
  bool fuse = true;      ///< Let operations share kernels; the results are the same without.
  bool verify = false;   ///< Run the schedule verifier on every schedule.
  bool verbose = false;  ///< Print what a fast path declined, and why.
  bool sanitize = false; ///< Instrument CPU kernels with AddressSanitizer.
  bool color = false;    ///< Colour in diagnostics.
};

/// The names of the variants that there are, in the order in which they are compiled.
std::vector<std::string> cpuVariantNames();

/// Equals the programs' exit statuses.
enum class CompileStatus { Done = 0, UserError = 1, MachineError = 2, Bug = 70 };

/// Compiles the file at `path`. Diagnostics and remarks go to `messages`; `artifact` gets the bytes of the
/// .dla file. On a failure `artifact` stays empty and `messages` says what was wrong.
CompileStatus compileToArtifact(const std::string &path, const CompileOptions &options,
                                llvm::raw_ostream &messages, std::string &artifact);

/// Prints one phase to `out`. `variant` is empty while the phase is shared, and may be while only one variant
/// is compiled; otherwise the message lists the variants.
CompileStatus emitPhase(const std::string &path, const CompileOptions &options, Phase phase,
                        const std::string &variant, llvm::raw_ostream &out, llvm::raw_ostream &messages);

} // namespace dlc

#endif // DLC_COMPILER_PIPELINE_H
