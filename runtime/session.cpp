// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Creating sessions, preparing entries and running them.

#include "runtime/session.h"

#include <stdarg.h>
#include <stdio.h>

namespace dlc::runtime {
namespace {

// The variant that was asked for, or the last usable one of the device: they are ordered from the least to
// the most demanding.
dlc_code_t choose_variant(const artifact *artifact, const dlc_session_options_t &options,
                          uint32_t *out_variant, dlc_status_t *status) {
  const auto &variants = *artifact->metadata->variants();
  if (options.device && strcmp(options.device, "cpu") != 0 && strcmp(options.device, "cuda") != 0)
    return fail(status, DLC_INVALID_ARGUMENT, "unknown device \"%s\", cpu or cuda expected", options.device);
  bool wants_cuda = options.device && strcmp(options.device, "cuda") == 0;
  if (options.variant) {
    int32_t index = dlc_artifact_variant_find(artifact, options.variant);
    if (index < 0)
      return fail(status, DLC_NOT_FOUND, "the artifact has no variant %s; the first of its %u is %s",
                  options.variant, variants.size(), variants.Get(0)->name()->c_str());
    if (!artifact->variants[index].usable)
      return fail(status, DLC_UNSUPPORTED, "this machine cannot run the variant %s: it lacks %s",
                  options.variant, artifact->variants[index].missing);
    *out_variant = uint32_t(index);
    return DLC_OK;
  }
  int32_t best = -1, least = -1;
  for (uint32_t i = 0; i < variants.size(); ++i) {
    if ((variants.Get(i)->target() == schema::Target::Cuda) != wants_cuda)
      continue;
    least = least < 0 ? int32_t(i) : least;
    best = artifact->variants[i].usable ? int32_t(i) : best;
  }
  if (least < 0)
    return fail(status, DLC_UNSUPPORTED, "the artifact has no code for %s; compile it with --target %s",
                wants_cuda ? "cuda" : "the cpu", wants_cuda ? "cuda" : "cpu");
  if (best < 0)
    return fail(status, DLC_UNSUPPORTED, "this machine cannot run even the variant %s: it lacks %s",
                variants.Get(uint32_t(least))->name()->c_str(), artifact->variants[least].missing);
  *out_variant = uint32_t(best);
  return DLC_OK;
}

dlc_code_t check_options(const artifact *artifact, const dlc_session_options_t &options,
                         dlc_status_t *status) {
  if (options.threads < 0 || options.threads > DLC_MAX_THREADS)
    return fail(status, DLC_INVALID_ARGUMENT, "%d threads asked for, 0 (all) to %d expected", options.threads,
                DLC_MAX_THREADS);
  if (options.flags & ~uint32_t(DLC_SESSION_RED_ZONES))
    return fail(status, DLC_INVALID_ARGUMENT, "unknown session flags 0x%x", options.flags);
  if (options.share_states && options.share_states->artifact != artifact)
    return fail(status, DLC_INVALID_ARGUMENT,
                "a session can only share the states of a session of the same artifact");
  return DLC_OK;
}

[[gnu::format(printf, 2, 3)]] void log_info(const session *session, const char *format, ...) {
  if (!session->log.write)
    return;
  char message[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof(message), format, arguments);
  va_end(arguments);
  session->log.write(session->log.context, DLC_LOG_INFO, message);
}

dlc_code_t open_states(session *session, const dlc_session_options_t &options, dlc_status_t *status) {
  const schema::Metadata *metadata = session->artifact->metadata;
  const dlc_allocator_t &hook = session->memory.hook;
  store_kind own = options.share_states ? store_kind::own_without_optimizer : store_kind::own;
  if (options.share_states)
    session->shared_states = retain_state_store(options.share_states->shared_states);
  else
    DLC_TRY(create_state_store(hook, session->device, metadata, store_kind::shared, session->red_zones,
                               &session->shared_states, status));
  DLC_TRY(create_state_store(hook, session->device, metadata, own, session->red_zones, &session->own_states,
                             status));
  fill_state_addresses(session->shared_states, metadata, store_kind::shared, session->states);
  fill_state_addresses(session->own_states, metadata, own, session->states);
  for (schema::StateRole role : {schema::StateRole::Iteration, schema::StateRole::Hyperparameter,
                                 schema::StateRole::Seed, schema::StateRole::Metric})
    DLC_TRY(reset_states(session, role, -1, status));
  return DLC_OK;
}

// The session's struct is there, zeroed; on failure the caller releases it.
dlc_code_t open_session(session *session, const dlc_session_options_t &options, dlc_status_t *status) {
  session->device.operations = device_for(session->artifact->metadata->variants()->Get(session->variant));
  // The zones are checked where they lie: only in the host's memory.
  session->red_zones = options.flags & DLC_SESSION_RED_ZONES && session->device.operations->uses_host_memory;
  session->shares_states = options.share_states != nullptr;
  if (options.log)
    session->log = *options.log;
  if (options.cancellation)
    session->device.cancellation = *options.cancellation;
  if (options.observer)
    session->device.observer = *options.observer;
  if (options.executor)
    session->device.executor = *options.executor;
  session->device.memory = &session->memory;
  session->device.workers = !session->device.operations->uses_host_memory ? 1
                            : options.threads                             ? options.threads
                                                                          : available_processors();
  if (session->device.workers > 1 && !session->device.executor.run)
    DLC_TRY(create_thread_pool(&session->memory, session->device.workers, &session->device.pool, status));
  DLC_TRY(session->device.operations->open(&session->device, session->artifact, session->variant, status));
  DLC_TRY(open_states(session, options, status));
  log_info(session, "variant %s, %d threads, %llu bytes of states",
           session->artifact->metadata->variants()->Get(session->variant)->name()->c_str(),
           session->device.workers,
           static_cast<unsigned long long>(session->own_states->size + session->shared_states->size));
  return DLC_OK;
}

void release_arena(session *session) {
  if (!session->arena)
    return;
  if (session->red_zones)
    unpoison_red_zones({session->arena, session->arena_size, nullptr, 0});
  session->device.operations->release(&session->device, session->arena, session->arena_size);
  session->arena = nullptr;
  session->arena_size = 0;
}

// Makes arena and scratch at least as large as an entry needs. The old ones go first, so that the peak is
// that of the largest entry; if the new ones cannot be had, runs are refused until a smaller entry is
// prepared.
dlc_code_t grow_memory(session *session, const schedule &plan, dlc_status_t *status) {
  device &device = session->device;
  if (plan.arena_size > session->arena_size) {
    release_arena(session);
    session->arena_generation += 1;
    session->arena = static_cast<uint8_t *>(device.operations->allocate(&device, plan.arena_size));
    if (!session->arena)
      return fail(status, DLC_OUT_OF_MEMORY, "cannot allocate %llu bytes for buffers; use smaller dims",
                  static_cast<unsigned long long>(plan.arena_size));
    session->arena_size = plan.arena_size;
    log_info(session, "%llu bytes for buffers", static_cast<unsigned long long>(plan.arena_size));
  }
  if (plan.scratch_size > device.scratch_stride) {
    session->memory.release(device.scratch, session->scratch_size);
    session->scratch_size = 0;
    device.scratch_stride = 0;
    uint64_t size = plan.scratch_size * uint64_t(device.workers);
    device.scratch = static_cast<uint8_t *>(session->memory.allocate(size));
    if (!device.scratch)
      return fail(status, DLC_OUT_OF_MEMORY,
                  "cannot allocate %llu bytes of scratch memory; use fewer threads",
                  static_cast<unsigned long long>(size));
    session->scratch_size = size;
    device.scratch_stride = plan.scratch_size;
  }
  return DLC_OK;
}

// Everything that a run needs, in one block: the struct, the schedule's arrays, the argument pointers.
dlc_code_t build_prepared(session *session, uint32_t entry, const int64_t *dims, prepared *result,
                          dlc_status_t *status) {
  const artifact *artifact = session->artifact;
  const schema::Entry *signature = artifact->metadata->entries()->Get(entry);
  const schema::Variant *variant = artifact->metadata->variants()->Get(session->variant);
  uint64_t schedule_size = align_up(schedule_block_size(variant->plans()->Get(entry), signature), 8);
  result->session = session;
  result->entry = entry;
  if (signature->symbols()->size() > 0)
    memcpy(result->dims, dims, signature->symbols()->size() * sizeof(int64_t));
  result->arguments = reinterpret_cast<void **>(reinterpret_cast<uint8_t *>(result + 1) + schedule_size);
  DLC_TRY(build_schedule(artifact, session->variant, entry, result->dims, session->shares_states,
                         session->red_zones, result + 1, &result->plan, status));
  DLC_TRY(grow_memory(session, result->plan, status));
  const auto *bytes = static_cast<const uint8_t *>(artifact->mapping);
  result->work = {
      artifact,
      &artifact->variants[session->variant],
      variant,
      signature,
      &result->plan,
      result->dims,
      session->arena,
      variant->constants() < 0 ? nullptr : bytes + artifact->sections[variant->constants()].offset,
      session->states,
      result->arguments,
      {session->shared_states, session->own_states},
      session->red_zones,
      nullptr,
  };
  result->arena_generation = session->arena_generation;
  return session->device.operations->capture(&session->device, &result->work, status);
}

// The memory of the arena at a placement: where staging goes.
uint8_t *staging(const prepared *prepared, uint32_t index) {
  return prepared->work.arena + prepared->plan.buffers[prepared->plan.buffer_count + index].offset;
}

dlc_code_t check_tensor(const prepared *prepared, uint32_t index, const dlc_tensor_t &tensor,
                        dlc_status_t *status) {
  const schedule &plan = prepared->plan;
  const schema::Entry *entry = prepared->work.entry;
  const dlc_tensor_t &expected = plan.shapes[index];
  bool is_argument = index < plan.argument_count;
  const schema::Value *value =
      is_argument ? entry->arguments()->Get(index) : entry->results()->Get(index - plan.argument_count);
  const char *what = is_argument ? "argument" : "result";
  const char *name = value->name()->c_str();
  if (tensor.dtype != expected.dtype)
    return fail(status, DLC_INVALID_ARGUMENT, "%s: %s %s has type %s, %s expected", entry->name()->c_str(),
                what, name, dlc_dtype_name(tensor.dtype), dlc_dtype_name(expected.dtype));
  shape_text expected_text, actual_text;
  if (tensor.rank != expected.rank)
    return fail(status, DLC_INVALID_ARGUMENT, "%s: %s %s has rank %d, shape %s expected",
                entry->name()->c_str(), what, name, tensor.rank, format_shape(expected, expected_text));
  if (memcmp(tensor.dims, expected.dims, sizeof(int64_t) * size_t(expected.rank)) != 0)
    return fail(status, DLC_INVALID_ARGUMENT, "%s: %s %s has shape %s, prepared for %s",
                entry->name()->c_str(), what, name, format_shape(tensor, actual_text),
                format_shape(expected, expected_text));
  if (!tensor.data && plan.buffers[plan.buffer_count + index].size > 0)
    return fail(status, DLC_INVALID_ARGUMENT, "%s: %s %s has no data", entry->name()->c_str(), what, name);
  return DLC_OK;
}

// Points every argument and result at the caller's memory, or at staging when kernels cannot use it in place.
dlc_code_t bind_tensors(prepared *prepared, const dlc_tensor_t *arguments, const dlc_tensor_t *results,
                        dlc_status_t *status) {
  const schedule &plan = prepared->plan;
  device &device = prepared->session->device;
  for (uint32_t i = 0; i < plan.argument_count + plan.result_count; ++i) {
    const dlc_tensor_t &tensor = i < plan.argument_count ? arguments[i] : results[i - plan.argument_count];
    DLC_TRY(check_tensor(prepared, i, tensor, status));
    bool in_place = device.operations->uses_host_memory && !prepared->work.red_zones &&
                    reinterpret_cast<uintptr_t>(tensor.data) % buffer_alignment == 0;
    prepared->arguments[i] = in_place ? tensor.data : staging(prepared, i);
    if (!in_place && i < plan.argument_count)
      DLC_TRY(device.operations->upload(&device, prepared->arguments[i], tensor.data,
                                        plan.buffers[plan.buffer_count + i].size, status));
  }
  return DLC_OK;
}

dlc_code_t fetch_results(const prepared *prepared, const dlc_tensor_t *results, dlc_status_t *status) {
  const schedule &plan = prepared->plan;
  device &device = prepared->session->device;
  for (uint32_t i = 0; i < plan.result_count; ++i)
    if (prepared->arguments[plan.argument_count + i] != results[i].data)
      DLC_TRY(device.operations->download(
          &device, results[i].data, prepared->arguments[plan.argument_count + i],
          plan.buffers[plan.buffer_count + plan.argument_count + i].size, status));
  return DLC_OK;
}

} // namespace

uint64_t session_block_size(const schema::Metadata *metadata) {
  return sizeof(session) + metadata->states()->size() * sizeof(void *);
}

uint64_t prepared_block_size(const artifact *artifact, uint32_t variant, uint32_t entry) {
  const schema::Entry *signature = artifact->metadata->entries()->Get(entry);
  const schema::Plan *plan = artifact->metadata->variants()->Get(variant)->plans()->Get(entry);
  return sizeof(prepared) + align_up(schedule_block_size(plan, signature), 8) +
         (uint64_t(signature->arguments()->size()) + signature->results()->size()) * sizeof(void *);
}

void release_prepared(session *session, prepared *prepared) {
  session->device.operations->discard(&session->device, &prepared->work);
  session->memory.release(prepared, prepared->block_size);
}

} // namespace dlc::runtime

using namespace dlc;
using namespace dlc::runtime;

dlc_code_t dlc_session_create(dlc_artifact_t *artifact, const dlc_session_options_t *options,
                              dlc_session_t **out_session, dlc_status_t *status) {
  static constexpr dlc_session_options_t defaults = {};
  const dlc_session_options_t &chosen = options ? *options : defaults;
  *out_session = nullptr;
  succeed(status);
  DLC_TRY(check_options(artifact, chosen, status));
  uint32_t variant;
  DLC_TRY(choose_variant(artifact, chosen, &variant, status));
  if (chosen.share_states && chosen.share_states->variant != variant) {
    if (chosen.variant)
      return fail(status, DLC_INVALID_ARGUMENT,
                  "a session can only share the states of a session of the same variant");
    variant = chosen.share_states->variant;
  }
  memory memory(chosen.allocator ? *chosen.allocator : artifact->allocator);
  uint64_t size = session_block_size(artifact->metadata);
  void *block = memory.allocate(size);
  if (!block)
    return fail(status, DLC_OUT_OF_MEMORY, "cannot allocate %llu bytes for a session",
                static_cast<unsigned long long>(size));
  memset(block, 0, size);
  auto *session = static_cast<dlc_session *>(block);
  session->memory = memory;
  session->block_size = size;
  session->variant = variant;
  session->artifact = retain_artifact(artifact);
  session->states = reinterpret_cast<void **>(session + 1);
  if (dlc_code_t code = open_session(session, chosen, status); code != DLC_OK) {
    dlc_session_release(session);
    return code;
  }
  *out_session = session;
  return DLC_OK;
}

void dlc_session_release(dlc_session_t *session) {
  if (!session)
    return;
  device &device = session->device;
  while (prepared *first = session->prepared) {
    session->prepared = first->next;
    release_prepared(session, first);
  }
  release_arena(session);
  session->memory.release(device.scratch, session->scratch_size);
  release_thread_pool(&session->memory, device.pool);
  release_state_store(session->own_states);
  release_state_store(session->shared_states);
  if (device.operations)
    device.operations->close(&device);
  dlc_artifact_release(session->artifact);
  memory memory = session->memory; // it must outlive its own block
  memory.release(session, session->block_size);
}

int32_t dlc_session_variant(const dlc_session_t *session) {
  return int32_t(session->variant);
}
int32_t dlc_session_threads(const dlc_session_t *session) {
  return session->device.workers;
}

dlc_code_t dlc_session_prepare(dlc_session_t *session, int32_t entry, const int64_t *dims, int32_t dim_count,
                               dlc_prepared_t **out_prepared, dlc_status_t *status) {
  *out_prepared = nullptr;
  succeed(status);
  DLC_TRY(check_entry(session->artifact, entry, status));
  DLC_TRY(check_dims(session->artifact, entry_at(session->artifact, entry), dims, dim_count, status));
  for (prepared *known = session->prepared; known; known = known->next)
    if (known->entry == uint32_t(entry) &&
        (dim_count == 0 || memcmp(known->dims, dims, size_t(dim_count) * sizeof(int64_t)) == 0)) {
      DLC_TRY(grow_memory(session, known->plan, status)); // only after an earlier failure
      *out_prepared = known;
      return DLC_OK;
    }
  uint64_t size = prepared_block_size(session->artifact, session->variant, uint32_t(entry));
  void *block = session->memory.allocate(size);
  if (!block)
    return fail(status, DLC_OUT_OF_MEMORY, "cannot allocate %llu bytes for a prepared entry",
                static_cast<unsigned long long>(size));
  memset(block, 0, size);
  auto *result = static_cast<prepared *>(block);
  result->block_size = size;
  if (dlc_code_t code = build_prepared(session, uint32_t(entry), dims, result, status); code != DLC_OK) {
    release_prepared(session, result);
    return code;
  }
  result->next = session->prepared;
  session->prepared = result;
  *out_prepared = result;
  return DLC_OK;
}

dlc_code_t dlc_prepared_run(dlc_prepared_t *prepared, const dlc_tensor_t *arguments, int32_t argument_count,
                            const dlc_tensor_t *results, int32_t result_count, dlc_status_t *status) {
  succeed(status);
  dlc_session *session = prepared->session;
  device &device = session->device;
  execution &work = prepared->work;
  const schedule &plan = prepared->plan;
  if (argument_count != int32_t(plan.argument_count) || result_count != int32_t(plan.result_count))
    return fail(
        status, DLC_INVALID_ARGUMENT, "%s takes %u arguments and gives %u results; called with %d and %d",
        work.entry->name()->c_str(), plan.argument_count, plan.result_count, argument_count, result_count);
  if (session->arena_size < plan.arena_size || device.scratch_stride < plan.scratch_size)
    return fail(status, DLC_OUT_OF_MEMORY,
                "%s lost its memory when a larger entry could not be prepared; prepare it "
                "again",
                work.entry->name()->c_str());
  if (prepared->arena_generation != session->arena_generation) {
    device.operations->discard(&device, &work);
    work.arena = session->arena;
    DLC_TRY(device.operations->capture(&device, &work, status));
    prepared->arena_generation = session->arena_generation;
  }
  if (work.red_zones) {
    unpoison_red_zones({session->arena, session->arena_size, nullptr, 0});
    if (plan.arena_size > 0)
      memset(work.arena, 0xff,
             plan.arena_size); // NaN in every float type: a read before the first write shows
    fill_red_zones(arena_zones(&work));
  }
  DLC_TRY(bind_tensors(prepared, arguments, results, status));
  DLC_TRY(device.operations->run(&device, &work, status));
  return fetch_results(prepared, results, status);
}

dlc_code_t dlc_session_run(dlc_session_t *session, int32_t entry, const dlc_tensor_t *arguments,
                           int32_t argument_count, const dlc_tensor_t *results, int32_t result_count,
                           dlc_status_t *status) {
  int64_t dims[DLC_MAX_SYMBOLS];
  prepared *prepared;
  DLC_TRY(dlc_entry_dims_solve(session->artifact, entry, arguments, argument_count, dims, status));
  DLC_TRY(dlc_session_prepare(session, entry, dims,
                              int32_t(entry_at(session->artifact, entry)->symbols()->size()), &prepared,
                              status));
  return dlc_prepared_run(prepared, arguments, argument_count, results, result_count, status);
}
