// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/cli/program.h"

#include "tools/cli/output.h"
#include "tools/cli/verbs.h"

#include <cstdio>

namespace dlc::cli {

int exit_status(const data::Status &status) {
  switch (status.fault()) {
  case data::Fault::none:
    return exit_done;
  case data::Fault::input:
    return exit_input;
  case data::Fault::machine:
    return exit_machine;
  case data::Fault::bug:
    return exit_bug;
  }
  return exit_bug;
}

namespace {

/// Prints what went wrong, to standard error and, under --json, as the last object too.
int fail(const char *program, const Options &options, const data::Status &status) {
  fflush(stdout);
  bool bug = status.fault() == data::Fault::bug;
  fprintf(stderr, "%s: error: %s%s\n", program, bug ? "a bug in dlc, please report it: " : "",
          status.message().c_str());
  if (options.json)
    print_json_error(status.message(), exit_status(status));
  return exit_status(status);
}

} // namespace

int run_program(int argc, char **argv, const Compiler *compiler) {
  const char *program = compiler ? "dlc" : "dlc-run";
  Options options;
  if (std::optional<int> exit =
          parse_options(argc, argv, compiler ? &compiler->cpu_variants : nullptr, options))
    return *exit;
  if (options.verb == Verb::compile)
    return compiler->compile(options);
  if (options.verb == Verb::format)
    return compiler->format(options);
  if (options.verb == Verb::document)
    return compiler->document(options);

  Artifact artifact;
  data::Status status;
  if (options.model.ends_with(".dl")) {
    if (!compiler)
      return fail(program, options,
                  data::Status::input(
                      options.model +
                      " is a model's source: dlc-run takes compiled models; make one with dlc compile " +
                      options.model));
    std::vector<std::byte> bytes;
    std::string messages;
    if (int exit = compiler->compile_in_memory(options, bytes, messages)) {
      if (options.json)
        print_json_error(messages, exit);
      return exit;
    }
    status = artifact.load_memory(bytes);
  } else if (!options.targets.empty() || !options.bind.empty()) {
    status =
        data::Status::input(std::string(options.bind.empty() ? "--target" : "--bind") +
                            " shapes a model while it is compiled, and " + options.model + " is compiled");
  } else {
    status = artifact.load_file(options.model);
  }
  int exit = exit_done;
  if (status.ok()) {
    switch (options.verb) {
    case Verb::compile:
    case Verb::format:
    case Verb::document:
      break;
    case Verb::train:
      status = train(artifact, options, exit);
      break;
    case Verb::eval:
      status = eval(artifact, options);
      break;
    case Verb::run:
      status = run(artifact, options);
      break;
    case Verb::inspect:
      status = inspect(artifact, options);
      break;
    }
  }
  if (!status.ok())
    return fail(program, options, status);
  if (fflush(stdout) != 0 || ferror(stdout))
    return fail(program, options, data::Status::machine("cannot write to standard output"));
  return exit;
}

} // namespace dlc::cli
