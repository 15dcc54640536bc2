// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An entry at given dims: every expression of its plan evaluated, buffers placed, bounds checked. What is
// left for a run is additions and calls.

#ifndef DLC_RUNTIME_PREPARE_H
#define DLC_RUNTIME_PREPARE_H

#include "runtime/artifact.h"

namespace dlc::runtime {

// Bytes around every buffer in red-zone mode.
inline constexpr uint64_t red_zone_size = 64;

struct prepared_term {
  int64_t stride; // bytes
  uint32_t modulus, bias;
};

struct prepared_binding {
  schema::BindingKind kind;
  uint8_t term_count;
  uint32_t index;
  uint32_t first_term; // into prepared::terms
  int64_t offset;
};

struct prepared_command {
  schema::CommandKind kind;
  uint32_t kernel;
  uint32_t first_binding, binding_count; // Run
  uint32_t partner;                      // LoopBegin: its LoopEnd, and the other way round
  int64_t count;                         // Run: groups; LoopBegin: iterations
};

// A buffer's place in the arena; or the staging copy of an argument or result.
struct placement {
  uint64_t offset, size;
};

// The evaluated schedule. All arrays lie in one block behind the struct; nothing changes after prepare.
struct schedule {
  prepared_command *commands;
  prepared_binding *bindings;
  prepared_term *terms;
  placement *buffers;   // plan->buffers(), then staging for arguments, then for results
  dlc_tensor_t *shapes; // arguments, then results
  uint32_t command_count, buffer_count, argument_count, result_count;
  uint64_t arena_size;   // all placements, aligned
  uint64_t scratch_size; // of one worker, aligned
};

// Places buffers first-fit: each at the lowest multiple of 64 at which it overlaps no conflicting earlier
// one. Sizes are filled in already. With red zones nothing overlaps anything, and a zone lies before and
// after every buffer. False when the arena would not fit the limit.
bool place_buffers(const schema::Plan *plan, bool red_zones, placement *placements, uint64_t *out_arena_size);

// Bytes of the block that `build_schedule` fills, for a plan.
uint64_t schedule_block_size(const schema::Plan *plan, const schema::Entry *entry);

// Evaluates, places and checks. `block` has schedule_block_size bytes; `out` points into it.
dlc_code_t build_schedule(const artifact *artifact, uint32_t variant, uint32_t entry, const int64_t *dims,
                          bool shares_states, bool red_zones, void *block, schedule *out,
                          dlc_status_t *status);

// A state whose memory the session that owns it lends to others.
inline bool is_shared_state(const schema::State *state) {
  return state->role() == schema::StateRole::Parameter || state->role() == schema::StateRole::Buffer;
}

} // namespace dlc::runtime

#endif // DLC_RUNTIME_PREPARE_H
