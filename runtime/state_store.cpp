// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/state_store.h"

namespace dlc::runtime {
namespace {

// Copies `state` element by element when its layout is permuted; `copy(resident offset, logical offset,
// bytes)` moves one piece.
template <typename Copy>
dlc_code_t for_each_piece(const schema::State *state, const schema::StateLayout *layout, Copy copy) {
  uint64_t size = state_size(state);
  if (size == 0)
    return DLC_OK;
  if (!layout->permutation() || layout->permutation()->size() == 0)
    return copy(0, 0, size);

  // Walk the resident order with an odometer; `strides` are those of the logical tensor, in resident axis
  // order.
  uint64_t element = dlc_dtype_size(dlc_dtype_t(state->dtype()));
  uint32_t rank = state->dims()->size();
  uint64_t logical_strides[DLC_MAX_RANK], strides[DLC_MAX_RANK], dims[DLC_MAX_RANK],
      position[DLC_MAX_RANK] = {};
  uint64_t stride = element;
  for (uint32_t axis = rank; axis-- > 0;) {
    logical_strides[axis] = stride;
    stride *= uint64_t(state->dims()->Get(axis));
  }
  for (uint32_t axis = 0; axis < rank; ++axis) {
    strides[axis] = logical_strides[layout->permutation()->Get(axis)];
    dims[axis] = uint64_t(state->dims()->Get(layout->permutation()->Get(axis)));
  }
  uint64_t logical = 0;
  for (uint64_t resident = 0; resident < size; resident += element) {
    DLC_TRY(copy(resident, logical, element));
    for (uint32_t axis = rank; axis-- > 0;) {
      logical += strides[axis];
      if (++position[axis] < dims[axis])
        break;
      logical -= strides[axis] * dims[axis];
      position[axis] = 0;
    }
  }
  return DLC_OK;
}

// The bytes of `value` in a data type; the number of bytes is returned.
template <typename T> uint64_t encode(T value, uint8_t *out) {
  memcpy(out, &value, sizeof(value));
  return sizeof(value);
}

uint64_t encode_element(schema::Dtype dtype, double value, uint8_t *out) {
  switch (dtype) {
  case schema::Dtype::F32:
    return encode(float(value), out);
  case schema::Dtype::F64:
    return encode(value, out);
  case schema::Dtype::BF16: { // initial values are simple numbers: the upper half of an f32, rounded to
                              // nearest even
    auto single = float(value);
    uint32_t bits;
    memcpy(&bits, &single, sizeof(bits));
    return encode(uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16), out);
  }
  case schema::Dtype::F16:
    return encode(uint16_t(value == 0 ? 0 : 0x3c00), out); // only 0 and 1 pass the verifier
  case schema::Dtype::I8:
    return encode(int8_t(value), out);
  case schema::Dtype::U8:
    return encode(uint8_t(value), out);
  case schema::Dtype::I32:
    return encode(int32_t(value), out);
  case schema::Dtype::I64:
    return encode(int64_t(value), out);
  case schema::Dtype::Bool:
    return encode(uint8_t(value != 0), out);
  }
  return 0;
}

template <typename Action>
void for_each_held(const schema::Metadata *metadata, store_kind kind, Action action) {
  for (uint32_t i = 0; i < metadata->states()->size(); ++i)
    if (store_holds(kind, metadata->states()->Get(i)))
      action(i, metadata->states()->Get(i));
}

} // namespace

uint64_t state_bytes(const schema::Metadata *metadata, store_kind kind, bool red_zones) {
  uint64_t zone = red_zones ? red_zone_size : 0, end = zone;
  for_each_held(metadata, kind, [&](uint32_t, const schema::State *state) {
    end = align_up(end + state_size(state), buffer_alignment) + zone;
  });
  return end;
}

uint64_t store_block_size(const schema::Metadata *metadata, store_kind kind) {
  uint64_t count = 0;
  for_each_held(metadata, kind, [&](uint32_t, const schema::State *) { ++count; });
  return sizeof(state_store) + count * sizeof(placement);
}

dlc_code_t create_state_store(const dlc_allocator_t &hook, const device &device,
                              const schema::Metadata *metadata, store_kind kind, bool red_zones,
                              state_store **out_store, dlc_status_t *status) {
  memory memory(hook);
  uint64_t block_size = store_block_size(metadata, kind);
  auto *store = static_cast<state_store *>(memory.allocate(block_size));
  if (!store)
    return fail(status, DLC_OUT_OF_MEMORY, "cannot allocate %llu bytes",
                static_cast<unsigned long long>(block_size));
  memset(static_cast<void *>(store), 0, block_size);
  store->references = 1;
  store->block_size = block_size;
  store->memory = memory;
  store->device = device;
  store->device.memory = &store->memory;
  store->red_zones = red_zones;
  store->size = state_bytes(metadata, kind, red_zones);
  if (store->size > 0) {
    store->base = static_cast<uint8_t *>(device.operations->allocate(&store->device, store->size));
    if (!store->base) {
      uint64_t size = store->size;
      release_state_store(store);
      return fail(status, DLC_OUT_OF_MEMORY, "cannot allocate %llu bytes for the states",
                  static_cast<unsigned long long>(size));
    }
  }
  uint64_t zone = red_zones ? red_zone_size : 0, end = zone;
  for_each_held(metadata, kind, [&](uint32_t, const schema::State *state) {
    store->places()[store->count++] = {end, state_size(state)};
    end = align_up(end + state_size(state), buffer_alignment) + zone;
  });
  if (dlc_code_t code = device.operations->clear(&store->device, store->base, store->size, status);
      code != DLC_OK) {
    release_state_store(store);
    return code;
  }
  if (red_zones)
    fill_red_zones(state_zones(store));
  *out_store = store;
  return DLC_OK;
}

void fill_state_addresses(state_store *store, const schema::Metadata *metadata, store_kind kind,
                          void **addresses) {
  uint32_t held = 0;
  for_each_held(metadata, kind, [&](uint32_t index, const schema::State *) {
    addresses[index] = store->base + store->places()[held++].offset;
  });
}

state_store *retain_state_store(state_store *store) {
  __atomic_fetch_add(&store->references, 1, __ATOMIC_RELAXED);
  return store;
}

void release_state_store(state_store *store) {
  if (!store || __atomic_sub_fetch(&store->references, 1, __ATOMIC_ACQ_REL) != 0)
    return;
  if (store->base && store->red_zones)
    unpoison_red_zones(state_zones(store));
  if (store->base)
    store->device.operations->release(&store->device, store->base, store->size);
  memory memory = store->memory; // it must outlive its own block
  memory.release(store, store->block_size);
}

zoned_block state_zones(const state_store *store) {
  return {store->base, store->size, store->places(), store->count};
}

dlc_code_t write_state(device *device, const schema::State *state, const schema::StateLayout *layout,
                       void *resident, const void *logical, dlc_status_t *status) {
  return for_each_piece(state, layout, [&](uint64_t to, uint64_t from, uint64_t size) {
    return device->operations->upload(device, static_cast<uint8_t *>(resident) + to,
                                      static_cast<const uint8_t *>(logical) + from, size, status);
  });
}

dlc_code_t read_state(device *device, const schema::State *state, const schema::StateLayout *layout,
                      const void *resident, void *logical, dlc_status_t *status) {
  return for_each_piece(state, layout, [&](uint64_t from, uint64_t to, uint64_t size) {
    return device->operations->download(device, static_cast<uint8_t *>(logical) + to,
                                        static_cast<const uint8_t *>(resident) + from, size, status);
  });
}

dlc_code_t fill_state(device *device, const schema::State *state, void *resident, double value,
                      dlc_status_t *status) {
  uint8_t element[8];
  uint64_t size = encode_element(state->dtype(), value, element);
  int64_t count = state_elements(state);
  for (int64_t i = 0; i < count; ++i)
    DLC_TRY(device->operations->upload(device, static_cast<uint8_t *>(resident) + uint64_t(i) * size, element,
                                       size, status));
  return DLC_OK;
}

} // namespace dlc::runtime
