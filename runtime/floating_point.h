// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Strict f32 means IEEE arithmetic on every thread that runs a kernel: round to nearest, denormals kept, no
// traps. The application's own settings come back afterwards.

#ifndef DLC_RUNTIME_FLOATING_POINT_H
#define DLC_RUNTIME_FLOATING_POINT_H

#include <stdint.h>

namespace dlc::runtime {

class floating_point_scope {
public:
#if defined(__x86_64__)
  floating_point_scope() : saved(__builtin_ia32_stmxcsr()) {
    __builtin_ia32_ldmxcsr(0x1f80); // all exceptions masked, nearest, neither FTZ nor DAZ
  }
  ~floating_point_scope() { __builtin_ia32_ldmxcsr(saved); }

private:
  uint32_t saved;
#elif defined(__aarch64__)
  floating_point_scope() {
    __asm__ volatile("mrs %0, fpcr" : "=r"(saved));
    __asm__ volatile("msr fpcr, %0" : : "r"(uint64_t(0)));
  }
  ~floating_point_scope() { __asm__ volatile("msr fpcr, %0" : : "r"(saved)); }

private:
  uint64_t saved;
#endif

public:
  floating_point_scope(const floating_point_scope &) = delete;
  floating_point_scope &operator=(const floating_point_scope &) = delete;
};

} // namespace dlc::runtime

#endif // DLC_RUNTIME_FLOATING_POINT_H
