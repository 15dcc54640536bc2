// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The memory of states in their resident layout. A session has two stores: one with parameters and buffers,
// which other sessions may share, and one with everything else.

#ifndef DLC_RUNTIME_STATE_STORE_H
#define DLC_RUNTIME_STATE_STORE_H

#include "runtime/red_zones.h"

namespace dlc::runtime {

struct state_store {
  int32_t references; // atomic
  struct memory memory;
  struct device device; // memory operations only
  uint8_t *base;
  uint64_t size;
  bool red_zones;
  uint32_t count;      // states held
  uint64_t block_size; // of this struct and the placements
  // Behind the struct: the placements of the held states, in ascending order of state.
  placement *places() { return reinterpret_cast<placement *>(this + 1); }
  const placement *places() const { return reinterpret_cast<const placement *>(this + 1); }
};

// Which states a store holds.
enum class store_kind { shared, own, own_without_optimizer };

inline bool store_holds(store_kind kind, const schema::State *state) {
  if (kind == store_kind::shared)
    return is_shared_state(state);
  return !is_shared_state(state) &&
         (kind == store_kind::own || state->role() != schema::StateRole::Optimizer);
}

// Bytes of states (aligned, with red zones), and of the store's own bookkeeping.
uint64_t state_bytes(const schema::Metadata *metadata, store_kind kind, bool red_zones);
uint64_t store_block_size(const schema::Metadata *metadata, store_kind kind);

// Allocates and zeroes; writes the addresses of the states it holds into `addresses`, by state index.
dlc_code_t create_state_store(const dlc_allocator_t &hook, const device &device,
                              const schema::Metadata *metadata, store_kind kind, bool red_zones,
                              state_store **out_store, dlc_status_t *status);
void fill_state_addresses(state_store *store, const schema::Metadata *metadata, store_kind kind,
                          void **addresses);
state_store *retain_state_store(state_store *store);
void release_state_store(state_store *store);

zoned_block state_zones(const state_store *store);

// Copies between the logical row-major order of the caller and the resident one: resident axis i is logical
// axis permutation[i].
dlc_code_t write_state(device *device, const schema::State *state, const schema::StateLayout *layout,
                       void *resident, const void *logical, dlc_status_t *status);
dlc_code_t read_state(device *device, const schema::State *state, const schema::StateLayout *layout,
                      const void *resident, void *logical, dlc_status_t *status);
// Sets every element to `value`, converted to the state's type.
dlc_code_t fill_state(device *device, const schema::State *state, void *resident, double value,
                      dlc_status_t *status);

} // namespace dlc::runtime

#endif // DLC_RUNTIME_STATE_STORE_H
