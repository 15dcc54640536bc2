// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/Documentation.h"
#include "frontend/Parser.h"
#include "tools/source.h"

#include "llvm/Support/raw_ostream.h"

#include <cstdio>
#include <unistd.h>

int dlc::document(const cli::Options &options) {
  frontend::SourceManager sources;
  frontend::DiagnosticEngine diags(sources);
  // Without a file of the user's, the program is the library alone.
  auto program = options.model.empty() ? frontend::parseProgram(sources.addText("", ""), sources, diags)
                                       : frontend::parseProgram(options.model, sources, diags);
  if (diags.hasErrors()) {
    diags.render(llvm::errs(), isatty(STDERR_FILENO));
    return cli::exit_input;
  }
  std::string text, suggestion;
  llvm::raw_string_ostream os(text);
  if (options.page)
    frontend::printLibraryPage(*program, sources, os);
  else if (options.name.empty())
    frontend::printDocumentationList(*program, sources, os);
  else if (!frontend::printDocumentation(options.name, *program, sources, os, suggestion)) {
    fprintf(stderr, "dlc: error: nothing is called '%s'%s\n", options.name.c_str(),
            suggestion.empty() ? "; dlc doc lists what there is"
                               : ("; did you mean " + suggestion + "?").c_str());
    return cli::exit_input;
  }
  if (fwrite(text.data(), 1, text.size(), stdout) != text.size() || fflush(stdout) != 0) {
    fprintf(stderr, "dlc: error: cannot write to standard output\n");
    return cli::exit_machine;
  }
  return cli::exit_done;
}
