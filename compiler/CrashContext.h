// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a program's signal handler needs from the compiler's threads: where they are, and room to run.

#ifndef DLC_COMPILER_CRASHCONTEXT_H
#define DLC_COMPILER_CRASHCONTEXT_H

#include <csignal>
#include <memory>

namespace dlc {

/// The phase that this thread is in, a literal such as "grad"; null outside of the compiler. A handler runs
/// on the thread that crashed, and may read it: it is in place before the thread's first instruction.
inline constinit thread_local const char *currentPhase = nullptr;

/// Sets the phase of this thread until it is destroyed.
class PhaseScope {
public:
  explicit PhaseScope(const char *name) : before(currentPhase) { currentPhase = name; }
  ~PhaseScope() { currentPhase = before; }
  PhaseScope(const PhaseScope &) = delete;
  PhaseScope &operator=(const PhaseScope &) = delete;

private:
  const char *before;
};

/// A stack of this thread's own for signal handlers: one that has overflowed its stack has no other. Lives as
/// long as the thread's work.
class SignalStack {
public:
  SignalStack() : memory(std::make_unique<char[]>(size)) {
    stack_t stack = {};
    stack.ss_sp = memory.get();
    stack.ss_size = size;
    sigaltstack(&stack, &before);
  }
  ~SignalStack() { sigaltstack(&before, nullptr); }
  SignalStack(const SignalStack &) = delete;
  SignalStack &operator=(const SignalStack &) = delete;

private:
  static constexpr size_t size = 64 * 1024; // The registers of AVX-512 and AMX alone take 11 KiB.
  std::unique_ptr<char[]> memory;
  stack_t before = {};
};

} // namespace dlc

#endif // DLC_COMPILER_CRASHCONTEXT_H
