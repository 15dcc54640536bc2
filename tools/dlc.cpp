// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dlc: the verbs of dlc-run, and the compiler.
#include "compiler/Pipeline.h"
#include "tools/cli/output.h"
#include "tools/cli/program.h"
#include "tools/cli/session.h"

#include "runtime/data/file.h"

#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <unistd.h>

using dlc::cli::Options;
using dlc::data::Status;

namespace {

int fail(const Status &status) {
  llvm::outs().flush();
  fprintf(stderr, "dlc: error: %s\n", status.message().c_str());
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
  out_options.verify = options.verify;
  out_options.verbose = options.verbose;
  out_options.sanitize = options.sanitize;
  out_options.color = isatty(STDERR_FILENO);
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
  return value > 0 ? static_cast<uint64_t>(value * scale) : 0;
}

/// Prints the most memory that each entry needs where all its dimensions are bounded, and holds it against
/// --max-memory.
Status check_memory(const Options &options, const std::vector<std::byte> &bytes, std::string &out_summary) {
  dlc::cli::Artifact artifact;
  if (Status status = artifact.load_memory(bytes); !status.ok())
    return Status::bug("the artifact that was written does not load: " + status.message());
  uint64_t limit = options.max_memory.empty() ? UINT64_MAX : parse_size(options.max_memory);
  if (limit == 0)
    return Status::input("--max-memory: expected a size such as 64MiB, found '" + options.max_memory + "'");
  for (const dlc::cli::Entry &entry : artifact.entries()) {
    std::vector<int64_t> dims;
    std::string unbounded, at;
    for (size_t i = 0; i < entry.symbols.size(); ++i) {
      dlc_symbol_info_t symbol;
      if (dlc_entry_symbol(artifact.handle(), entry.index, static_cast<int32_t>(i), &symbol, nullptr) !=
          DLC_OK)
        continue;
      if (symbol.max == INT64_MAX && unbounded.empty())
        unbounded = symbol.name;
      dims.push_back(symbol.max);
      at += (at.empty() ? " at " : ", ") + entry.symbols[i] + " = " + std::to_string(symbol.max);
    }
    if (!unbounded.empty()) {
      if (limit != UINT64_MAX)
        return Status::input("--max-memory: the memory of " + entry.name + " depends on " + unbounded +
                             ", which has no bound: give --max " + unbounded + "=N");
      continue;
    }
    uint64_t peak = 0;
    for (int32_t variant = 0; variant < artifact.info().variant_count; ++variant) {
      dlc_memory_plan_t plan;
      dlc_status_t status;
      if (dlc_variant_memory_plan(artifact.handle(), variant, entry.index, dims.data(), 1, &plan, &status) !=
          DLC_OK)
        return dlc::data::from_runtime(status);
      peak = std::max(peak, plan.peak_bytes);
    }
    if (peak > limit)
      return Status::input(entry.name + at + " needs " + dlc::cli::format_bytes(peak) +
                           ", --max-memory allows " + dlc::cli::format_bytes(limit));
    if (entry.kind != DLC_ENTRY_INIT)
      out_summary +=
          "  " + entry.name + at + ": peak memory " + dlc::cli::format_bytes(peak) + " with one thread\n";
  }
  return {};
}

int compile_bytes(const Options &options, const dlc::CompileOptions &compile_options,
                  std::vector<std::byte> &out_bytes) {
  std::string artifact;
  dlc::CompileStatus status = dlc::compileToArtifact(options.model, compile_options, llvm::errs(), artifact);
  llvm::errs().flush();
  out_bytes.resize(artifact.size());
  memcpy(out_bytes.data(), artifact.data(), artifact.size());
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
  dlc::CompileStatus status =
      dlc::emitPhase(options.model, compile_options, *phase, variant, stream, llvm::errs());
  llvm::errs().flush();
  if (status != dlc::CompileStatus::Done)
    return static_cast<int>(status);
  if (!options.output.empty()) {
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
  if (!options.emit.empty() && options.emit != "artifact")
    return emit(options, compile_options);
  std::vector<std::byte> bytes;
  if (int exit = compile_bytes(options, compile_options, bytes))
    return exit;
  std::string summary;
  if (Status status = check_memory(options, bytes, summary); !status.ok())
    return fail(status);
  std::string output = options.output;
  if (output.empty()) {
    output = options.model.substr(options.model.rfind('/') + 1);
    output = output.substr(0, output.rfind('.')) + ".dla";
  }
  if (Status status = dlc::data::replace_file(output, {{bytes.data(), bytes.size()}}); !status.ok())
    return fail(status);
  printf("%s: %s\n%s", output.c_str(), dlc::cli::format_bytes(bytes.size()).c_str(), summary.c_str());
  return 0;
}

int compile_in_memory(const Options &options, std::vector<std::byte> &out_artifact) {
  dlc::CompileOptions compile_options;
  if (Status status = read_options(options, compile_options); !status.ok())
    return fail(status);
  compile_options.sanitize = false; // For these verbs the flag means red zones around buffers.
  if (options.verb != dlc::cli::Verb::inspect && options.cpus.empty())
    compile_options.cpuVariants = {native_variant()};
  return compile_bytes(options, compile_options, out_artifact);
}

} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  const dlc::cli::Compiler compiler = {compile, compile_in_memory};
  return dlc::cli::run_program(argc, argv, &compiler);
}
