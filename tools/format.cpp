// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/Formatter.h"
#include "runtime/data/file.h"
#include "tools/cli/program.h"
#include "tools/source.h"

#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cstdio>
#include <unistd.h>

namespace dlc {
namespace {

using data::Status;

int fail(const Status &status) {
  fflush(stdout);
  fprintf(stderr, "dlc: error: %s%s\n",
          status.fault() == data::Fault::bug ? "a bug in dlc, please report it: " : "",
          status.message().c_str());
  return cli::exit_status(status);
}

/// A text and what it becomes.
struct Formatted {
  std::string before, after;
};

frontend::FileId add_standard_input(frontend::SourceManager &sources, std::string &out_reason) {
  auto buffer = llvm::MemoryBuffer::getSTDIN();
  if (buffer)
    return sources.addText("<standard input>", (*buffer)->getBuffer());
  out_reason = buffer.getError().message();
  return 0;
}

/// Reads and formats one file; its syntax errors are printed. The status is the process's.
int format_one(const std::string &path, Formatted &out) {
  frontend::SourceManager sources;
  frontend::DiagnosticEngine diags(sources);
  std::string reason;
  frontend::FileId file = path == "-" ? add_standard_input(sources, reason) : sources.addFile(path, reason);
  if (file == 0)
    return fail(Status::input("cannot read '" + path + "': " + reason));
  std::optional<std::string> text = frontend::formatFile(file, sources, diags);
  if (!text) {
    diags.render(llvm::errs(), isatty(STDERR_FILENO));
    return cli::exit_input;
  }
  out.before = sources.text(file).str();
  out.after = *text;
  std::string loss = frontend::findFormattingLoss(file, sources, out.after);
  if (!loss.empty())
    return fail(Status::bug(path + " stays as it is, because formatting would change what it says: " + loss));
  return cli::exit_done;
}

int print(const std::string &text) {
  if (fwrite(text.data(), 1, text.size(), stdout) != text.size() || fflush(stdout) != 0)
    return fail(Status::machine("cannot write to standard output"));
  return cli::exit_done;
}

} // namespace

int format(const cli::Options &options) {
  int exit = cli::exit_done;
  for (const std::string &path : options.files) {
    Formatted text;
    int status = format_one(path, text);
    if (status == cli::exit_done && options.check) {
      if (text.before != text.after) {
        fprintf(stderr, "dlc: error: %s is not formatted: dlc fmt %s does it\n", path.c_str(), path.c_str());
        status = cli::exit_input;
      }
    } else if (status == cli::exit_done && (options.to_stdout || path == "-")) {
      status = print(text.after);
    } else if (status == cli::exit_done && text.before != text.after) {
      Status written = data::replace_file(path, {{text.after.data(), text.after.size()}});
      status = written.ok() ? status : fail(written);
    }
    exit = std::max(exit, status);
  }
  return exit;
}

} // namespace dlc
