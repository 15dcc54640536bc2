// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ctrl-C and termination during a training: the first asks the loop to stop, the second ends the process.
#ifndef DLC_TOOLS_CLI_INTERRUPT_H
#define DLC_TOOLS_CLI_INTERRUPT_H

namespace dlc::cli {

/// Watches SIGINT and SIGTERM until it is destroyed. One at a time.
class InterruptWatch {
public:
  InterruptWatch();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch &) = delete;
  InterruptWatch &operator=(const InterruptWatch &) = delete;

  /// The number of the signal that came, or 0.
  static int signal_number();
  static bool requested() { return signal_number() != 0; }
};

} // namespace dlc::cli

#endif // DLC_TOOLS_CLI_INTERRUPT_H
