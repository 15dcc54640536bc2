// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Red zones: every gap between two placements of a block of memory holds a pattern that no kernel may change.
// With AddressSanitizer in the process the gaps are poisoned as well, so that instrumented kernels are caught
// reading them, at the access.

#ifndef DLC_RUNTIME_RED_ZONES_H
#define DLC_RUNTIME_RED_ZONES_H

#include "runtime/device.h"

namespace dlc::runtime {

// A block whose placements lie in ascending order, apart from each other.
struct zoned_block {
  uint8_t *base;
  uint64_t size;
  const placement *placements;
  uint32_t count;
};

// Writes and poisons the zones.
void fill_red_zones(const zoned_block &block);
// Makes the whole block accessible again, before it is released or zoned differently.
void unpoison_red_zones(const zoned_block &block);
// The first placement whose zone before it is damaged, `count` for the last zone, or -1.
int64_t find_damaged_red_zone(const zoned_block &block);

// The zones of an execution's arena and states, after a command.
dlc_code_t check_red_zones(const execution *execution, uint32_t command, dlc_status_t *status);

zoned_block arena_zones(const execution *execution);

} // namespace dlc::runtime

#endif // DLC_RUNTIME_RED_ZONES_H
