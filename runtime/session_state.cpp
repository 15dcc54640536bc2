// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a session keeps between runs: reading and writing states, hyperparameters, seed, iteration and
// metrics; its memory.

#include "runtime/session.h"

namespace dlc::runtime {
namespace {

const schema::State *state_at(const session *session, uint32_t index) {
  return session->artifact->metadata->states()->Get(index);
}

const schema::StateLayout *layout_at(const session *session, uint32_t index) {
  return session->artifact->metadata->variants()->Get(session->variant)->layouts()->Get(index);
}

dlc_code_t check_state_access(const session *session, int32_t index, size_t size, bool writes,
                              dlc_status_t *status) {
  uint32_t count = session->artifact->metadata->states()->size();
  if (index < 0 || uint32_t(index) >= count)
    return fail(status, DLC_INVALID_ARGUMENT, "state %d asked for, the artifact has %u", index, count);
  const schema::State *state = state_at(session, uint32_t(index));
  if (size != state_size(state))
    return fail(status, DLC_INVALID_ARGUMENT, "state %s has %llu bytes (%s), %zu given",
                state->name()->c_str(), static_cast<unsigned long long>(state_size(state)),
                dlc_dtype_name(dlc_dtype_t(state->dtype())), size);
  if (!session->states[index])
    return fail(status, DLC_INVALID_ARGUMENT,
                "a session that shares states does not have the optimizer state %s", state->name()->c_str());
  if (writes && session->shares_states && is_shared_state(state))
    return fail(status, DLC_INVALID_ARGUMENT, "%s is shared: write it in the session that owns it",
                state->name()->c_str());
  return DLC_OK;
}

// Whether `name` is the part of `full` behind its last dot.
bool is_last_part(const char *full, const char *name) {
  const char *dot = strrchr(full, '.');
  return dot && strcmp(dot + 1, name) == 0;
}

dlc_code_t find_hyperparameter(const session *session, const char *name, int32_t *out_state,
                               dlc_status_t *status) {
  const auto &states = *session->artifact->metadata->states();
  int32_t found = -1;
  const char *known = nullptr;
  for (uint32_t i = 0; i < states.size(); ++i) {
    const schema::State *state = states.Get(i);
    if (state->role() != schema::StateRole::Hyperparameter)
      continue;
    const char *full = state->name()->c_str();
    known = known ? known : full;
    if (strcmp(full, name) == 0) {
      *out_state = int32_t(i);
      return DLC_OK;
    }
    if (!is_last_part(full, name))
      continue;
    if (found >= 0)
      return fail(status, DLC_INVALID_ARGUMENT, "several hyperparameters are called %s: say %s or %s", name,
                  states.Get(uint32_t(found))->name()->c_str(), full);
    found = int32_t(i);
  }
  if (found < 0)
    return fail(status, DLC_NOT_FOUND, "there is no hyperparameter %s; %s%s", name,
                known ? "there is " : "the model has none", known ? known : "");
  *out_state = found;
  return DLC_OK;
}

dlc_code_t find_iteration(const session *session, int32_t entry, int32_t *out_state, dlc_status_t *status) {
  DLC_TRY(check_entry(session->artifact, entry, status));
  for (uint32_t i = 0; i < session->artifact->metadata->states()->size(); ++i)
    if (state_at(session, i)->role() == schema::StateRole::Iteration &&
        state_at(session, i)->owner() == entry) {
      *out_state = int32_t(i);
      return DLC_OK;
    }
  return fail(status, DLC_NOT_FOUND, "%s has no iteration: it does not train",
              entry_at(session->artifact, entry)->name()->c_str());
}

} // namespace

dlc_code_t reset_states(session *session, schema::StateRole role, int32_t owner, dlc_status_t *status) {
  for (uint32_t i = 0; i < session->artifact->metadata->states()->size(); ++i) {
    const schema::State *state = state_at(session, i);
    if (state->role() == role && (owner < 0 || state->owner() == owner))
      DLC_TRY(fill_state(&session->device, state, session->states[i], state->initial(), status));
  }
  return DLC_OK;
}

} // namespace dlc::runtime

using namespace dlc;
using namespace dlc::runtime;

dlc_code_t dlc_session_initialize(dlc_session_t *session, dlc_status_t *status) {
  succeed(status);
  if (session->shares_states)
    return fail(status, DLC_INVALID_ARGUMENT, "initialize the session that owns the states");
  for (schema::StateRole role :
       {schema::StateRole::Parameter, schema::StateRole::Buffer, schema::StateRole::Optimizer,
        schema::StateRole::Iteration, schema::StateRole::Metric})
    DLC_TRY(reset_states(session, role, -1, status));
  const auto &entries = *session->artifact->metadata->entries();
  for (uint32_t i = 0; i < entries.size(); ++i) {
    if (entries.Get(i)->kind() != schema::EntryKind::Init)
      continue;
    prepared *prepared;
    DLC_TRY(dlc_session_prepare(session, int32_t(i), nullptr, 0, &prepared, status));
    DLC_TRY(dlc_prepared_run(prepared, nullptr, 0, nullptr, 0, status));
  }
  return DLC_OK;
}

dlc_code_t dlc_session_state_read(dlc_session_t *session, int32_t state, void *data, size_t size,
                                  dlc_status_t *status) {
  succeed(status);
  DLC_TRY(check_state_access(session, state, size, false, status));
  return read_state(&session->device, state_at(session, uint32_t(state)), layout_at(session, uint32_t(state)),
                    session->states[state], data, status);
}

dlc_code_t dlc_session_state_write(dlc_session_t *session, int32_t state, const void *data, size_t size,
                                   dlc_status_t *status) {
  succeed(status);
  DLC_TRY(check_state_access(session, state, size, true, status));
  return write_state(&session->device, state_at(session, uint32_t(state)),
                     layout_at(session, uint32_t(state)), session->states[state], data, status);
}

dlc_code_t dlc_session_seed_set(dlc_session_t *session, uint64_t seed, dlc_status_t *status) {
  succeed(status);
  for (uint32_t i = 0; i < session->artifact->metadata->states()->size(); ++i)
    if (state_at(session, i)->role() == schema::StateRole::Seed)
      DLC_TRY(dlc_session_state_write(session, int32_t(i), &seed, sizeof(seed), status));
  return DLC_OK;
}

dlc_code_t dlc_session_seed_get(const dlc_session_t *session, uint64_t *out_seed, dlc_status_t *status) {
  succeed(status);
  *out_seed = 0;
  for (uint32_t i = 0; i < session->artifact->metadata->states()->size(); ++i)
    if (state_at(session, i)->role() == schema::StateRole::Seed)
      return dlc_session_state_read(const_cast<dlc_session_t *>(session), int32_t(i), out_seed,
                                    sizeof(*out_seed), status);
  return DLC_OK;
}

dlc_code_t dlc_session_hyperparameter_set(dlc_session_t *session, const char *name, double value,
                                          dlc_status_t *status) {
  succeed(status);
  int32_t state;
  DLC_TRY(find_hyperparameter(session, name, &state, status));
  return dlc_session_state_write(session, state, &value, sizeof(value), status);
}

dlc_code_t dlc_session_hyperparameter_get(dlc_session_t *session, const char *name, double *out_value,
                                          dlc_status_t *status) {
  succeed(status);
  *out_value = 0;
  int32_t state;
  DLC_TRY(find_hyperparameter(session, name, &state, status));
  return dlc_session_state_read(session, state, out_value, sizeof(*out_value), status);
}

dlc_code_t dlc_session_iteration_set(dlc_session_t *session, int32_t entry, int64_t iteration,
                                     dlc_status_t *status) {
  succeed(status);
  int32_t state;
  DLC_TRY(find_iteration(session, entry, &state, status));
  return dlc_session_state_write(session, state, &iteration, sizeof(iteration), status);
}

dlc_code_t dlc_session_iteration_get(dlc_session_t *session, int32_t entry, int64_t *out_iteration,
                                     dlc_status_t *status) {
  succeed(status);
  *out_iteration = 0;
  int32_t state;
  DLC_TRY(find_iteration(session, entry, &state, status));
  return dlc_session_state_read(session, state, out_iteration, sizeof(*out_iteration), status);
}

dlc_code_t dlc_session_metrics_reset(dlc_session_t *session, int32_t entry, dlc_status_t *status) {
  succeed(status);
  DLC_TRY(check_entry(session->artifact, entry, status));
  return reset_states(session, schema::StateRole::Metric, entry, status);
}

void dlc_session_memory(const dlc_session_t *session, dlc_memory_stats_t *out_stats) {
  memset(out_stats, 0, sizeof(*out_stats));
  const memory *parts[] = {&session->memory, &session->own_states->memory,
                           session->shares_states ? nullptr : &session->shared_states->memory};
  for (const memory *part : parts) {
    if (!part)
      continue;
    out_stats->current_bytes += part->current;
    out_stats->peak_bytes += part->peak; // stores only grow while the session is created
    out_stats->allocation_count += part->count;
  }
  out_stats->state_bytes =
      session->own_states->size + (session->shares_states ? 0 : session->shared_states->size);
  out_stats->arena_bytes = session->arena_size;
  out_stats->scratch_bytes = session->scratch_size;
}

dlc_code_t dlc_variant_memory_plan(const dlc_artifact_t *artifact, int32_t variant, int32_t entry,
                                   const int64_t *dims, int32_t threads, dlc_memory_plan_t *out_plan,
                                   dlc_status_t *status) {
  memset(out_plan, 0, sizeof(*out_plan));
  succeed(status);
  DLC_TRY(check_variant(artifact, variant, status));
  DLC_TRY(check_entry(artifact, entry, status));
  const schema::Metadata *metadata = artifact->metadata;
  DLC_TRY(check_dims(artifact, entry_at(artifact, entry), dims,
                     int32_t(entry_at(artifact, entry)->symbols()->size()), status));
  uint64_t workers = uint64_t(threads > 0 ? threads : available_processors());
  uint64_t arena = 0, scratch = 0;
  uint64_t bookkeeping = session_block_size(metadata) + store_block_size(metadata, store_kind::shared) +
                         store_block_size(metadata, store_kind::own) + thread_pool_size(int32_t(workers));

  // The entry itself, and the init entries that a session runs before it.
  memory memory(artifact->allocator);
  for (uint32_t i = 0; i < metadata->entries()->size(); ++i) {
    if (i != uint32_t(entry) && metadata->entries()->Get(i)->kind() != schema::EntryKind::Init)
      continue;
    const schema::Plan *plan = metadata->variants()->Get(uint32_t(variant))->plans()->Get(i);
    uint64_t size = schedule_block_size(plan, metadata->entries()->Get(i));
    void *block = memory.allocate(size);
    if (!block)
      return fail(status, DLC_OUT_OF_MEMORY, "cannot allocate %llu bytes",
                  static_cast<unsigned long long>(size));
    memset(block, 0, size);
    schedule schedule;
    dlc_code_t code =
        build_schedule(artifact, uint32_t(variant), i, dims, false, false, block, &schedule, status);
    memory.release(block, size);
    if (code != DLC_OK)
      return code;
    arena = schedule.arena_size > arena ? schedule.arena_size : arena;
    scratch = schedule.scratch_size > scratch ? schedule.scratch_size : scratch;
    uint64_t prepared = prepared_block_size(artifact, uint32_t(variant), i);
    bookkeeping += prepared;
    if (i == uint32_t(entry))
      out_plan->prepared_bytes = prepared;
  }
  out_plan->state_bytes =
      state_bytes(metadata, store_kind::shared, false) + state_bytes(metadata, store_kind::own, false);
  out_plan->threads = int32_t(workers);
  out_plan->arena_bytes = arena;
  out_plan->scratch_bytes = scratch * workers;
  out_plan->peak_bytes =
      out_plan->state_bytes + out_plan->arena_bytes + out_plan->scratch_bytes + bookkeeping;
  return DLC_OK;
}
