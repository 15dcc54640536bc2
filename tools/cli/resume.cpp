// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/cli/resume.h"

namespace dlc::cli {

std::string shell_quote(const std::string &word) {
  bool plain =
      !word.empty() && word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                              "-_./=,:+@%") == std::string::npos;
  if (plain)
    return word;
  std::string quoted = "'";
  for (char c : word) // A single quote cannot stand inside single quotes: it ends them, and new ones begin.
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string resume_command(const std::vector<std::string> &words, const std::string &checkpoint) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string &word = words[i];
    if (word == "--resume" || word == "--weights" || word == "--init")
      ++i; // and its value
    else if (i == 0)
      text = shell_quote(word.substr(word.rfind('/') + 1));
    else if (!word.starts_with("--resume=") && !word.starts_with("--weights=") &&
             !word.starts_with("--init="))
      text += " " + shell_quote(word);
  }
  return text + " --resume " + shell_quote(checkpoint);
}

} // namespace dlc::cli
