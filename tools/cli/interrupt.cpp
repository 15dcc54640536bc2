// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/cli/interrupt.h"

#include <csignal>
#include <initializer_list>
#include <unistd.h>

namespace dlc::cli {
namespace {

volatile sig_atomic_t received = 0;

/// The step is finished first, then the training is saved; who cannot wait asks again.
void note(int number) {
  if (received) {
    signal(number, SIG_DFL);
    raise(number);
    return;
  }
  received = number;
  constexpr char text[] = "\nending after this step; once more ends at once\n";
  if (isatty(STDERR_FILENO))
    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
}

/// Ctrl-C, a polite kill, a terminal that goes away. A signal that the program was started to ignore, as
/// nohup and scripts in the background have it, stays ignored.
void install(void (*handler)(int), int flags) {
  struct sigaction action = {}, old = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  for (int number : {SIGINT, SIGTERM, SIGHUP})
    if (sigaction(number, nullptr, &old) == 0 && old.sa_handler != SIG_IGN)
      sigaction(number, &action, nullptr);
}

} // namespace

InterruptWatch::InterruptWatch() {
  received = 0;
  install(note, SA_RESTART);
}

InterruptWatch::~InterruptWatch() {
  install(SIG_DFL, 0);
}

int InterruptWatch::signal_number() {
  return received;
}

} // namespace dlc::cli
