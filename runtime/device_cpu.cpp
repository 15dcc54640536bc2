// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CPU as a device: host memory, nothing to capture, runs by walking the schedule.

#include "runtime/cpu_features.h"
#include "runtime/executor.h"

#include <dlfcn.h>
#include <stdio.h>
#include <sys/mman.h>

namespace dlc::runtime {
namespace {

// Which machine code this runtime itself is made of: code for another architecture can be inspected, not run.
bool is_native_variant(const char *name) {
#if defined(__x86_64__)
  return strcmp(name, "aarch64") != 0;
#elif defined(__aarch64__)
  return strncmp(name, "x86-64", 6) != 0 && strcmp(name, "amx") != 0;
#else
  return false;
#endif
}

void find_missing_on_cpu(const schema::Variant *variant, char *missing, size_t size) {
  auto add = [&](const char *text) {
    size_t used = strlen(missing);
    snprintf(missing + used, size - used, "%s%s", used ? " " : "", text);
  };
  if (!is_native_variant(variant->name()->c_str()))
    return add("another processor architecture");
  if (variant->features())
    for (const flatbuffers::String *feature : *variant->features())
      if (!cpu_has_feature(feature->c_str()))
        add(feature->c_str());
  // Instrumented kernels run only where the sanitizer is; dlsym finds it, wherever it is linked.
  for (uint32_t i = 0; variant->imports() && i < variant->imports()->size(); ++i)
    if (!dlsym(RTLD_DEFAULT, variant->imports()->Get(i)->name()->c_str()))
      return add("AddressSanitizer");
}

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
    .name = "cpu",
    .uses_host_memory = true,
    .find_missing = find_missing_on_cpu,
    .open = open_cpu,
    .close = close_cpu,
    .allocate = allocate_on_cpu,
    .release = release_on_cpu,
    .upload = copy_on_cpu,
    .download = copy_on_cpu,
    .clear = clear_on_cpu,
    .capture = capture_on_cpu,
    .discard = discard_on_cpu,
    .run = execute,
};

} // namespace dlc::runtime
