// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/cli/interrupt.h"

#include <csignal>

namespace dlc::cli {
namespace {

volatile sig_atomic_t received = 0;

void note(int number) {
  received = number;
}

void install(void (*handler)(int), int flags) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

} // namespace

InterruptWatch::InterruptWatch() {
  received = 0;
  // SA_RESETHAND: the second signal of a kind has its default effect.
  install(note, static_cast<int>(SA_RESETHAND) | SA_RESTART);
}

InterruptWatch::~InterruptWatch() {
  install(SIG_DFL, 0);
}

int InterruptWatch::signal_number() {
  return received;
}

} // namespace dlc::cli
