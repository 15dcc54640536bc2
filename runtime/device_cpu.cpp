// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CPU as a device: host memory, nothing to capture, runs by walking the schedule.

#include "runtime/executor.h"

#include <sys/mman.h>

namespace dlc::runtime {
namespace {

dlc_code_t open_cpu(device *, const artifact *, uint32_t, dlc_status_t *) {
  return DLC_OK;
}
void close_cpu(device *) {}

// Large blocks ask for huge pages: activations of a training step span thousands of small ones.
void *allocate_on_cpu(device *device, uint64_t size) {
  constexpr uint64_t huge_page = uint64_t(2) << 20;
  void *block = device->memory->allocate(size);
  uint64_t begin = align_up(reinterpret_cast<uintptr_t>(block), huge_page);
  uint64_t end = (reinterpret_cast<uintptr_t>(block) + size) & ~(huge_page - 1);
  if (block && begin < end)
    madvise(reinterpret_cast<void *>(begin), end - begin, MADV_HUGEPAGE); // advice: it may fail
  return block;
}

void release_on_cpu(device *device, void *pointer, uint64_t size) {
  device->memory->release(pointer, size);
}

dlc_code_t copy_on_cpu(device *, void *destination, const void *source, uint64_t size, dlc_status_t *) {
  if (size > 0)
    memcpy(destination, source, size);
  return DLC_OK;
}

dlc_code_t clear_on_cpu(device *, void *destination, uint64_t size, dlc_status_t *) {
  if (size > 0)
    memset(destination, 0, size);
  return DLC_OK;
}

dlc_code_t capture_on_cpu(device *, execution *, dlc_status_t *) {
  return DLC_OK;
}
void discard_on_cpu(device *, execution *) {}

} // namespace

const device_operations cpu_device = {
    "cpu",       true,        open_cpu,     close_cpu,      allocate_on_cpu, release_on_cpu,
    copy_on_cpu, copy_on_cpu, clear_on_cpu, capture_on_cpu, discard_on_cpu,  execute,
};

} // namespace dlc::runtime
