// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What runs a schedule. A session owns one device: the CPU walks the commands on its workers; a CUDA driver
// captures them once per prepared dims into a graph and launches that. Sessions, states and schedules are the
// same for both.

#ifndef DLC_RUNTIME_DEVICE_H
#define DLC_RUNTIME_DEVICE_H

#include "runtime/prepare.h"
#include "runtime/thread_pool.h"

namespace dlc::runtime {

struct device;
struct state_store;

// One entry at given dims with all the memory that it works on. Addresses are the device's.
struct execution {
  const artifact *source;
  const variant_record *record;
  const schema::Variant *variant;
  const schema::Entry *entry;
  const schedule *plan;
  const int64_t *dims;
  uint8_t *arena;
  const uint8_t *constants;
  void *const *states;          // by state index; NULL: not held by the session
  void *const *arguments;       // arguments, then results; set for each run
  const state_store *stores[2]; // shared and own states, for their red zones
  bool red_zones;
  void *captured; // the device's own, from `capture`
};

struct device_operations {
  const char *name;
  // Whether the caller's memory can be used in place. Otherwise arguments and results always go through
  // staging.
  bool uses_host_memory;
  // Appends to `missing` (NUL-terminated, `size` bytes) what this machine lacks for the variant; nothing: it
  // can run.
  void (*find_missing)(const schema::Variant *variant, char *missing, size_t size);
  dlc_code_t (*open)(device *device, const artifact *artifact, uint32_t variant, dlc_status_t *status);
  void (*close)(device *device);
  // Memory of the device, 64-byte aligned; NULL when there is none.
  void *(*allocate)(device *device, uint64_t size);
  void (*release)(device *device, void *pointer, uint64_t size);
  dlc_code_t (*upload)(device *device, void *destination, const void *source, uint64_t size,
                       dlc_status_t *status);
  dlc_code_t (*download)(device *device, void *destination, const void *source, uint64_t size,
                         dlc_status_t *status);
  dlc_code_t (*clear)(device *device, void *destination, uint64_t size, dlc_status_t *status);
  // Called when an execution is prepared and again when the arena has moved; `discard` undoes it, and accepts
  // one that was never captured.
  dlc_code_t (*capture)(device *device, execution *execution, dlc_status_t *status);
  void (*discard)(device *device, execution *execution);
  dlc_code_t (*run)(device *device, const execution *execution, dlc_status_t *status);
};

struct device {
  const device_operations *operations;
  memory *memory;
  void *driver; // of a device that needs one
  dlc_cancellation_t cancellation;
  dlc_observer_t observer;
  // CPU: workers and their scratch memory, `scratch_stride` bytes each.
  int32_t workers;
  dlc_executor_t executor; // run == NULL: the pool
  thread_pool *pool;
  uint8_t *scratch;
  uint64_t scratch_stride;
};

extern const device_operations cpu_device;
// The driver for CUDA variants, where one is linked into the runtime.
extern const device_operations cuda_device [[gnu::weak]];

inline const device_operations *device_for(const schema::Variant *variant) {
  return variant->target() == schema::Target::Cpu ? &cpu_device : &cuda_device;
}

} // namespace dlc::runtime

#endif // DLC_RUNTIME_DEVICE_H
