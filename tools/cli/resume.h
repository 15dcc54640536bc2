// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line that continues a training.
#ifndef DLC_TOOLS_CLI_RESUME_H
#define DLC_TOOLS_CLI_RESUME_H

#include <string>
#include <vector>

namespace dlc::cli {

/// A word as a POSIX shell reads it back: as it is when it is plain, otherwise in single quotes.
std::string shell_quote(const std::string &word);

/// The same words, without their --resume, --weights and --init, and with --resume checkpoint.
std::string resume_command(const std::vector<std::string> &words, const std::string &checkpoint);

} // namespace dlc::cli

#endif // DLC_TOOLS_CLI_RESUME_H
