// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/memory.h"

#include <stdlib.h>

namespace dlc::runtime {
namespace {

void *allocate_from_libc(void *, size_t size, size_t alignment) {
  void *pointer = nullptr;
  return posix_memalign(&pointer, alignment < sizeof(void *) ? sizeof(void *) : alignment, size) == 0
             ? pointer
             : nullptr;
}

void release_to_libc(void *, void *pointer, size_t, size_t) {
  free(pointer);
}

constexpr dlc_allocator_t libc_allocator = {nullptr, allocate_from_libc, release_to_libc};

} // namespace

const dlc_allocator_t &default_allocator() {
  return libc_allocator;
}

} // namespace dlc::runtime
