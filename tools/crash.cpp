// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/crash.h"

#include "compiler/CrashContext.h"

#include "llvm/Support/ErrorHandling.h"

#include <csignal>
#include <cstring>
#include <new>
#include <unistd.h>

namespace dlc {
namespace {

// Everything here runs in a process that is broken: system calls only, no allocation, no lock.

void say(const char *text) {
  // A write that fails leaves nothing to be done.
  [[maybe_unused]] ssize_t written = write(STDERR_FILENO, text, strlen(text));
}

const char *signal_text(int number) {
  switch (number) {
  case SIGSEGV:
    return "segmentation fault";
  case SIGBUS:
    return "bus error";
  case SIGFPE:
    return "division by zero";
  case SIGILL:
    return "illegal instruction";
  default:
    return "aborted";
  }
}

void handle_crash(int number) {
  say("dlc: error: a bug in dlc, please report it: it crashed (");
  say(signal_text(number));
  say(")");
  if (const char *phase = currentPhase) {
    say(" in the phase '");
    say(phase);
    say("'");
  }
  say("\n");
  _exit(70);
}

[[noreturn]] void end_without_memory() {
  say("dlc: error: out of memory\n");
  _exit(2);
}

} // namespace

void report_crashes() {
#if defined(__has_feature)
  constexpr bool sanitized = __has_feature(address_sanitizer);
#else
  constexpr bool sanitized = false;
#endif
  if (!sanitized) {
    static SignalStack stack; // of the main thread
    struct sigaction action = {};
    action.sa_handler = handle_crash;
    // The handler is left by _exit only; a second fault inside it shall end the process the hard way.
    action.sa_flags = static_cast<int>(SA_ONSTACK | SA_RESETHAND);
    sigemptyset(&action.sa_mask);
    for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
      sigaction(number, &action, nullptr);
  }
  std::set_new_handler([] { end_without_memory(); });
  llvm::install_bad_alloc_error_handler([](void *, const char *, bool) { end_without_memory(); });
}

} // namespace dlc
