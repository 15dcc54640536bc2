// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dlc: the verbs of dlc-run, and the compiler.
#include "compiler/Pipeline.h"
#include "tools/cli/feed.h"
#include "tools/cli/output.h"
#include "tools/cli/program.h"
#include "tools/crash.h"
#include "tools/source.h"

#include "runtime/data/file.h"

#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <span>
#include <unistd.h>

using dlc::cli::Options;
using dlc::data::Status;

namespace {

int fail(const Status &status) {
  bool bug = status.fault() == dlc::data::Fault::bug;
  fprintf(stderr, "dlc: error: %s%s\n", bug ? "a bug in dlc, please report it: " : "",
          status.message().c_str());
  return dlc::cli::exit_status(status);
}

/// The variant that this machine runs best.
std::string native_variant() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("x86-64-v4") ? "x86-64-v4" : "x86-64-v3";
#else
  return "aarch64";
#endif
}

/// The compiler's options out of the command line.
Status read_options(const Options &options, dlc::CompileOptions &out_options) {
  if (options.precision != "f32")
    return Status::input("--precision " + options.precision + " is not there yet: expected f32");
  for (const std::string &target : options.targets)
    out_options.cuda |= target == "cuda";
  if (!options.targets.empty())
    out_options.cpu =
        std::find(options.targets.begin(), options.targets.end(), "cpu") != options.targets.end();
  for (const std::string &cpu : options.cpus)
    out_options.cpuVariants.push_back(cpu == "native" ? native_variant() : cpu);
  for (const auto &[name, value] : options.bind)
    out_options.bind[name] = value;
  for (const auto &[name, value] : options.max)
    out_options.max[name] = value;
  out_options.scan = options.scan == "loop"       ? dlc::ScanForm::Loop
                     : options.scan == "dispatch" ? dlc::ScanForm::Dispatch
                                                  : dlc::ScanForm::Auto;
  out_options.fuse = options.fuse && options.check_numerics.empty();
  out_options.verify = options.verify;
  out_options.verbose = options.verbose;
  out_options.sanitize = options.sanitize;
  out_options.color = isatty(STDERR_FILENO) && !options.json;
  return {};
}

/// "64MiB" and the like; 0 when it is none.
uint64_t parse_size(const std::string &text) {
  char *end = nullptr;
  double value = strtod(text.c_str(), &end);
  const std::string unit = end;
  double scale = unit.empty() || unit == "B" ? 1
                 : unit == "KiB"             ? 1024.0
                 : unit == "MiB"             ? 1024.0 * 1024
                 : unit == "GiB"             ? 1024.0 * 1024 * 1024
                                             : 0;
  double bytes = value * scale;
  return bytes >= 1 && bytes < std::ldexp(1.0, 64) ? static_cast<uint64_t>(bytes) : 0;
}

/// What a session that trains and evaluates needs: the largest arena and scratch of its entries, and the
/// bookkeeping of each, once for full batches and once more for the last ones of an epoch.
class TrainingMemory {
public:
  void add(const dlc::cli::Entry &entry, const dlc_memory_plan_t &plan) {
    names_ += (names_.empty() ? "" : " and ") + entry.name;
    arena_ = std::max(arena_, plan.arena_bytes);
    scratch_ = std::max(scratch_, plan.scratch_bytes);
    prepared_ += plan.prepared_bytes * (entry.symbols.empty() ? 1 : 2);
    fixed_ = plan.peak_bytes - plan.arena_bytes - plan.scratch_bytes - plan.prepared_bytes;
  }
  uint64_t peak() const { return fixed_ + arena_ + scratch_ + prepared_; }
  const std::string &names() const { return names_; }

private:
  std::string names_;
  uint64_t arena_ = 0, scratch_ = 0, prepared_ = 0;
  uint64_t fixed_ = 0; ///< States, the session itself, init entries: the same for every entry.
};

/// The bounds of an entry's dimensions, and as text " at n = 64"; the name of one that has none.
std::string find_bounds(const dlc::cli::Artifact &artifact, const dlc::cli::Entry &entry,
                        std::vector<int64_t> &out_dims, std::string &out_text) {
  for (size_t i = 0; i < entry.symbols.size(); ++i) {
    dlc_symbol_info_t symbol;
    if (dlc_entry_symbol(artifact.handle(), entry.index, static_cast<int32_t>(i), &symbol, nullptr) !=
            DLC_OK ||
        symbol.max == INT64_MAX)
      return entry.symbols[i];
    out_dims.push_back(symbol.max);
    out_text += (out_text.empty() ? " at " : ", ") + entry.symbols[i] + " = " + std::to_string(symbol.max);
  }
  return "";
}

/// Prints the most memory that each entry, and a session that trains, needs where the dimensions are bounded,
/// and holds it against --max-memory.
Status check_memory(const Options &options, const dlc::cli::Artifact &artifact, std::string &out_summary) {
  uint64_t limit = options.max_memory.empty() ? UINT64_MAX : parse_size(options.max_memory);
  if (limit == 0)
    return Status::input("--max-memory: expected a size such as 64MiB, found '" + options.max_memory + "'");
  auto hold = [&](const std::string &who, uint64_t peak) {
    if (peak > limit)
      return Status::input(who + " needs " + dlc::cli::format_bytes(peak) + ", --max-memory allows " +
                           dlc::cli::format_bytes(limit));
    out_summary += "  " + who + ": peak memory " + dlc::cli::format_bytes(peak) + " with one thread\n";
    return Status();
  };
  std::vector<TrainingMemory> training(static_cast<size_t>(artifact.info().variant_count));
  bool trains = false;
  for (const dlc::cli::Entry &entry : artifact.entries()) {
    if (entry.kind == DLC_ENTRY_INIT) // Every other entry's figure has them in it.
      continue;
    std::vector<int64_t> dims;
    std::string at, unbounded = find_bounds(artifact, entry, dims, at);
    if (!unbounded.empty() && limit != UINT64_MAX)
      return Status::input("--max-memory: the memory of " + entry.name + " depends on " + unbounded +
                           ", which has no bound: give --max " + unbounded + "=N");
    if (!unbounded.empty())
      continue;
    trains |= entry.kind == DLC_ENTRY_TRAIN;
    uint64_t peak = 0;
    for (size_t variant = 0; variant < training.size(); ++variant) {
      dlc_memory_plan_t plan;
      dlc_status_t status;
      if (dlc_variant_memory_plan(artifact.handle(), static_cast<int32_t>(variant), entry.index, dims.data(),
                                  1, &plan, &status) != DLC_OK)
        return dlc::data::from_runtime(status);
      peak = std::max(peak, plan.peak_bytes);
      if (entry.kind != DLC_ENTRY_INFER)
        training[variant].add(entry, plan);
    }
    DLC_DATA_TRY(hold(entry.name + at, peak));
  }
  uint64_t peak = 0;
  for (const TrainingMemory &session : training)
    peak = std::max(peak, session.peak());
  return trains ? hold("a session that runs " + training[0].names(), peak) : Status();
}

/// What dlc train would stumble over, but a --data may cure.
void check_fit(const Options &options, const dlc::cli::Artifact &artifact) {
  std::string loader = artifact.fit_text("data.loader");
  if (!loader.empty() && artifact.fit_text("data.path").empty())
    fprintf(stderr, "dlc: warning: %s: %s() names no path: dlc train will need --data\n",
            options.model.c_str(), loader.c_str());
}

/// Prints the diagnostics; out_messages has them, too.
int compile_bytes(const Options &options, const dlc::CompileOptions &compile_options,
                  std::vector<std::byte> &out_bytes, std::string &out_messages) {
  std::string artifact;
  llvm::raw_string_ostream messages(out_messages);
  dlc::CompileStatus status = dlc::compileToArtifact(options.model, compile_options, messages, artifact);
  fputs(out_messages.c_str(), stderr);
  auto bytes = std::as_bytes(std::span(artifact));
  out_bytes.assign(bytes.begin(), bytes.end());
  return static_cast<int>(status);
}

int emit(const Options &options, const dlc::CompileOptions &compile_options) {
  std::string name = options.emit.substr(0, options.emit.find(':'));
  std::string variant = name.size() < options.emit.size() ? options.emit.substr(name.size() + 1) : "";
  std::optional<dlc::Phase> phase = dlc::parsePhase(name);
  if (!phase) {
    std::vector<std::string> known = {"ast",  "dl",  "grad", "dispatch", "schedule", "loops",
                                      "llvm", "asm", "ptx",  "object",   "artifact"};
    std::string list;
    for (const std::string &word : known)
      list += (list.empty() ? "" : ", ") + word;
    std::optional<std::string> near = dlc::data::nearest_name(name, known);
    return fail(Status::input("--emit: no phase is called " + name + "; there is: " + list +
                              (near ? " (did you mean " + *near + "?)" : "")));
  }
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (variant.empty() && options.emit.ends_with(':'))
    return fail(Status::input("--emit '" + options.emit + "': expected a variant behind the colon"));
  dlc::CompileStatus status =
      dlc::emitPhase(options.model, compile_options, *phase, variant, stream, llvm::errs());
  llvm::errs().flush();
  if (status != dlc::CompileStatus::Done)
    return static_cast<int>(status);
  if (!options.output.empty() && options.output != "-") {
    Status written = dlc::data::replace_file(options.output, {{text.data(), text.size()}});
    return written.ok() ? 0 : fail(written);
  }
  if (*phase == dlc::Phase::Object && isatty(STDOUT_FILENO))
    return fail(Status::input("an object file is not for a terminal: give -o FILE"));
  if (fwrite(text.data(), 1, text.size(), stdout) != text.size() || fflush(stdout) != 0)
    return fail(Status::machine("cannot write to standard output"));
  return 0;
}

int compile(const Options &options) {
  dlc::CompileOptions compile_options;
  if (Status status = read_options(options, compile_options); !status.ok())
    return fail(status);
  std::string output = options.output;
  if (output.empty()) {
    output = options.model.substr(options.model.rfind('/') + 1);
    output = output.substr(0, output.rfind('.')) + ".dla";
  }
  bool emits = !options.emit.empty() && options.emit != "artifact";
  if (Status status = dlc::data::check_not_source(emits ? options.output : output, options.model);
      !status.ok())
    return fail(status);
  if (output.ends_with(".dl"))
    return fail(Status::input("cannot write " + output + ": files with this ending are sources of models"));
  if (emits)
    return emit(options, compile_options);
  std::vector<std::byte> bytes;
  std::string messages, summary;
  if (int exit = compile_bytes(options, compile_options, bytes, messages))
    return exit;
  dlc::cli::Artifact artifact;
  if (Status status = artifact.load_memory(bytes); !status.ok())
    return fail(Status::bug("the artifact that was written does not load: " + status.message()));
  if (Status status = check_memory(options, artifact, summary); !status.ok())
    return fail(status);
  check_fit(options, artifact);
  if (Status status = dlc::data::replace_file(output, {{bytes.data(), bytes.size()}}); !status.ok())
    return fail(status);
  printf("%s: %s\n%s", output.c_str(), dlc::cli::format_bytes(bytes.size()).c_str(), summary.c_str());
  return 0;
}

int compile_in_memory(const Options &options, std::vector<std::byte> &out_artifact,
                      std::string &out_messages) {
  dlc::CompileOptions compile_options;
  if (Status status = read_options(options, compile_options); !status.ok()) {
    out_messages = status.message();
    return fail(status);
  }
  if (options.verb != dlc::cli::Verb::inspect && options.cpus.empty())
    compile_options.cpuVariants = {native_variant()};
  return compile_bytes(options, compile_options, out_artifact, out_messages);
}

} // namespace

int main(int argc, char **argv) {
  dlc::report_crashes();
  const dlc::cli::Compiler compiler = {compile, compile_in_memory, dlc::format, dlc::document,
                                       dlc::cpuVariantNames()};
  return dlc::cli::run_program(argc, argv, &compiler);
}
