// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All memory of the runtime goes through a `memory` object: the allocator hook plus the counters that
// dlc_session_memory shows.

#ifndef DLC_RUNTIME_MEMORY_H
#define DLC_RUNTIME_MEMORY_H

#include "runtime/dlc_runtime.h"

#include <string.h>

namespace dlc::runtime {

inline constexpr uint64_t buffer_alignment = 64;

inline uint64_t align_up(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

// The C library's allocator as a hook.
const dlc_allocator_t &default_allocator();

struct memory {
  dlc_allocator_t hook;
  uint64_t current = 0, peak = 0, count = 0;

  explicit memory(const dlc_allocator_t &hook) : hook(hook) {}

  // NULL when there is none. `size` 0 gives NULL too: callers ask only for what they need.
  void *allocate(uint64_t size, uint64_t alignment = buffer_alignment) {
    if (size == 0)
      return nullptr;
    void *pointer = hook.allocate(hook.context, size, alignment);
    if (!pointer)
      return nullptr;
    count += 1;
    current += size;
    peak = current > peak ? current : peak;
    return pointer;
  }

  void release(void *pointer, uint64_t size, uint64_t alignment = buffer_alignment) {
    if (!pointer)
      return;
    current -= size;
    hook.release(hook.context, pointer, size, alignment);
  }
};

} // namespace dlc::runtime

#endif // DLC_RUNTIME_MEMORY_H
