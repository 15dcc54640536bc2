// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A session: states, a device, and the entries prepared so far, which share one arena.

#ifndef DLC_RUNTIME_SESSION_H
#define DLC_RUNTIME_SESSION_H

#include "runtime/state_store.h"

struct dlc_prepared {
  dlc_prepared *next;
  dlc_session *session;
  uint32_t entry;
  uint64_t arena_generation; // of the session, when `work` was captured
  uint64_t block_size; // of this struct and what lies behind it: the schedule's arrays, then `arguments`
  int64_t dims[DLC_MAX_SYMBOLS];
  dlc::runtime::schedule plan;
  dlc::runtime::execution work;
  void **arguments; // arguments, then results: what this run binds
};

struct dlc_session {
  dlc::runtime::memory memory;
  dlc_artifact *artifact;
  uint32_t variant;
  bool shares_states, red_zones;
  dlc::runtime::device device;
  dlc_log_t log;
  dlc::runtime::state_store *shared_states, *own_states;
  void **states; // addresses by state index; NULL: not held. Behind the struct
  dlc_prepared *prepared;
  uint8_t *arena;
  uint64_t arena_size, arena_generation;
  uint64_t scratch_size; // all workers'
  uint64_t block_size;   // of this struct and `states`
};

namespace dlc::runtime {

using session = ::dlc_session;
using prepared = ::dlc_prepared;

// Bytes of the blocks that a session and a prepared entry allocate for themselves.
uint64_t session_block_size(const schema::Metadata *metadata);
uint64_t prepared_block_size(const artifact *artifact, uint32_t variant, uint32_t entry);

void release_prepared(session *session, prepared *prepared);

// Sets states of a role (and of an owner, unless -1 is given) to their initial values.
dlc_code_t reset_states(session *session, schema::StateRole role, int32_t owner, dlc_status_t *status);

} // namespace dlc::runtime

#endif // DLC_RUNTIME_SESSION_H
