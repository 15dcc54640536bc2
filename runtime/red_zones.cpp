// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/red_zones.h"
#include "runtime/state_store.h"

extern "C" {
[[gnu::weak]] void __asan_poison_memory_region(const volatile void *address, size_t size);
[[gnu::weak]] void __asan_unpoison_memory_region(const volatile void *address, size_t size);
}

namespace dlc::runtime {
namespace {

constexpr uint8_t zone_pattern = 0xa5;

// Calls action(begin, end, index of the placement behind it) for every gap.
template <typename Action> void for_each_gap(const zoned_block &block, Action action) {
  uint64_t begin = 0;
  for (uint32_t i = 0; i < block.count; ++i) {
    action(begin, block.placements[i].offset, i);
    begin = block.placements[i].offset + block.placements[i].size;
  }
  action(begin, block.size, block.count);
}

// Reads poisoned memory on purpose.
[[gnu::no_sanitize("address")]] bool is_intact(const uint8_t *bytes, uint64_t size) {
  for (uint64_t i = 0; i < size; ++i)
    if (*static_cast<const volatile uint8_t *>(bytes + i) != zone_pattern)
      return false;
  return true;
}

dlc_code_t report_damage(const execution *execution, uint32_t command, const char *what, int64_t index,
                         dlc_status_t *status) {
  const schema::Kernel *kernel =
      execution->variant->kernels()->Get(execution->plan->commands[command].kernel);
  return fail(status, DLC_CORRUPTED,
              "%s: command %u, kernel %s, wrote outside its buffers: the red zone before %s %lld is damaged; "
              "this is a "
              "bug in dlc, please report it",
              execution->entry->name()->c_str(), command, kernel->name()->c_str(), what,
              static_cast<long long>(index));
}

} // namespace

void fill_red_zones(const zoned_block &block) {
  unpoison_red_zones(block);
  for_each_gap(block, [&](uint64_t begin, uint64_t end, uint32_t) {
    memset(block.base + begin, zone_pattern, end - begin);
    if (__asan_poison_memory_region)
      __asan_poison_memory_region(block.base + begin, end - begin);
  });
}

void unpoison_red_zones(const zoned_block &block) {
  if (__asan_unpoison_memory_region)
    __asan_unpoison_memory_region(block.base, block.size);
}

int64_t find_damaged_red_zone(const zoned_block &block) {
  int64_t damaged = -1;
  for_each_gap(block, [&](uint64_t begin, uint64_t end, uint32_t index) {
    if (damaged < 0 && !is_intact(block.base + begin, end - begin))
      damaged = index;
  });
  return damaged;
}

zoned_block arena_zones(const execution *execution) {
  const schedule &plan = *execution->plan;
  return {execution->arena, plan.arena_size, plan.buffers,
          plan.buffer_count + plan.argument_count + plan.result_count};
}

dlc_code_t check_red_zones(const execution *execution, uint32_t command, dlc_status_t *status) {
  int64_t damaged = find_damaged_red_zone(arena_zones(execution));
  if (damaged >= 0 && damaged < execution->plan->buffer_count)
    return report_damage(execution, command, "buffer", damaged, status);
  if (damaged >= 0)
    return report_damage(execution, command, "argument or result", damaged - execution->plan->buffer_count,
                         status);
  for (const state_store *store : execution->stores) {
    damaged = store->red_zones ? find_damaged_red_zone(state_zones(store)) : -1;
    if (damaged >= 0)
      return report_damage(execution, command, store == execution->stores[0] ? "shared state" : "state",
                           damaged, status);
  }
  return DLC_OK;
}

} // namespace dlc::runtime
