// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/prepare.h"
#include "runtime/expression.h"

namespace dlc::runtime {
namespace {

// Beyond this no sum of sizes can be trusted to fit, and no machine has the memory.
constexpr int64_t size_limit = int64_t(1) << 46;

struct builder {
  const artifact *source;
  const schema::Metadata &metadata;
  const schema::Variant *variant;
  const schema::Entry *entry;
  const schema::Plan *plan;
  const int64_t *dims;
  bool shares_states, red_zones;
  schedule *out;
  dlc_status_t *status;

  struct loop {
    uint32_t begin;
    int64_t count;
  };
  loop loops[DLC_MAX_LOOP_DEPTH];
  uint32_t depth = 0;

  dlc_code_t overflow(const char *what, uint64_t index) const {
    return fail(status, DLC_OVERFLOW, "%s: %s %llu does not fit at these dims; use smaller ones",
                entry->name()->c_str(), what, static_cast<unsigned long long>(index));
  }

  dlc_code_t evaluate(uint32_t expression, int64_t least, int64_t most, const char *what, uint64_t index,
                      int64_t *out_value) const {
    if (!expression_value(metadata, expression, dims, out_value) || *out_value < least || *out_value > most)
      return overflow(what, index);
    return DLC_OK;
  }

  // 1. Shapes of arguments and results.
  dlc_code_t build_shapes() const {
    uint32_t arguments = out->argument_count, results = out->result_count;
    for (uint32_t i = 0; i < arguments + results; ++i) {
      const schema::Value *value =
          i < arguments ? entry->arguments()->Get(i) : entry->results()->Get(i - arguments);
      DLC_TRY(value_shape(&metadata, entry, value, dims, &out->shapes[i],
                          &out->buffers[out->buffer_count + i].size, status));
    }
    return DLC_OK;
  }

  // 2. The arena: buffers, then staging for what the caller passes.
  dlc_code_t build_arena() const {
    for (uint32_t i = 0; i < out->buffer_count; ++i) {
      int64_t size;
      DLC_TRY(evaluate(plan->buffers()->Get(i)->size(), 0, size_limit, "the size of buffer", i, &size));
      out->buffers[i].size = uint64_t(size);
    }
    if (!place_buffers(plan, red_zones, out->buffers, &out->arena_size))
      return overflow("the memory of buffers up to", out->buffer_count);
    for (uint32_t i = 0; i < out->argument_count + out->result_count; ++i) {
      placement &staging = out->buffers[out->buffer_count + i];
      staging.offset = out->arena_size + (red_zones ? red_zone_size : 0);
      out->arena_size = align_up(staging.offset + staging.size, buffer_alignment);
    }
    if (red_zones)
      out->arena_size += red_zone_size;
    if (out->arena_size > uint64_t(size_limit))
      return overflow("the memory of arguments and results", out->argument_count + out->result_count);
    return DLC_OK;
  }

  uint64_t base_size(const schema::Binding *binding) const {
    switch (binding->kind()) {
    case schema::BindingKind::Buffer:
      return out->buffers[binding->index()].size;
    case schema::BindingKind::State:
      return state_size(metadata.states()->Get(binding->index()));
    case schema::BindingKind::Argument:
      return out->buffers[out->buffer_count + binding->index()].size;
    case schema::BindingKind::Result:
      return out->buffers[out->buffer_count + out->argument_count + binding->index()].size;
    case schema::BindingKind::Constant:
      return source->sections[variant->constants()].size;
    case schema::BindingKind::LoopCounter:
      break;
    }
    return 0;
  }

  // Widens [low, high] by what a term adds to an address over the iterations of its loop. The loop runs at
  // least once.
  static bool add_term_range(const prepared_term &term, int64_t count, int64_t *low, int64_t *high) {
    int64_t first = 0, last = count - 1; // the least and the greatest multiple of the stride
    if (term.modulus > 0) {
      first = last = term.bias % term.modulus;
      int64_t steps = count < term.modulus ? count : term.modulus;
      for (int64_t i = 1; i < steps; ++i) {
        int64_t position = (i + term.bias) % term.modulus;
        first = position < first ? position : first;
        last = position > last ? position : last;
      }
    }
    int64_t a, b;
    if (__builtin_mul_overflow(term.stride, first, &a) || __builtin_mul_overflow(term.stride, last, &b))
      return false;
    return !__builtin_add_overflow(*low, a < b ? a : b, low) &&
           !__builtin_add_overflow(*high, a < b ? b : a, high);
  }

  dlc_code_t check_state_access(const schema::Binding *binding) const {
    const schema::State *state = metadata.states()->Get(binding->index());
    const char *name = entry->name()->c_str();
    if (!shares_states)
      return DLC_OK;
    if (state->role() == schema::StateRole::Optimizer)
      return fail(
          status, DLC_INVALID_ARGUMENT,
          "%s needs the optimizer state %s, which a session that shares states does not have; run it in the "
          "session that owns them",
          name, state->name()->c_str());
    if (is_shared_state(state) && binding->access() != schema::Access::Read)
      return fail(status, DLC_INVALID_ARGUMENT,
                  "%s writes %s, which this session only shares; run it in the session that owns the states",
                  name, state->name()->c_str());
    return DLC_OK;
  }

  // 3. One binding: evaluated, and checked to stay inside what it is bound to, over all iterations.
  dlc_code_t build_binding(const schema::Binding *binding, uint32_t command, prepared_binding *result,
                           uint32_t *term_count) const {
    *result = {binding->kind(), 0, binding->index(), *term_count, 0};
    int64_t extent;
    DLC_TRY(evaluate(binding->offset(), -size_limit, size_limit, "a binding's offset in command", command,
                     &result->offset));
    DLC_TRY(evaluate(binding->extent(), 0, size_limit, "a binding's extent in command", command, &extent));
    int64_t low = result->offset, high = result->offset;
    bool runs = true;
    for (uint32_t i = 0; i < depth; ++i)
      runs = runs && loops[i].count > 0;
    for (uint32_t i = 0; binding->terms() && i < binding->terms()->size(); ++i) {
      const schema::LoopTerm *term = binding->terms()->Get(i);
      prepared_term &prepared = out->terms[(*term_count)++];
      prepared = {0, term->modulus(), term->bias()};
      DLC_TRY(evaluate(term->stride(), -size_limit, size_limit, "a binding's stride in command", command,
                       &prepared.stride));
      result->term_count += 1;
      if (runs && !add_term_range(prepared, loops[i].count, &low, &high))
        return overflow("a binding's address in command", command);
    }
    if (binding->kind() == schema::BindingKind::LoopCounter || !runs)
      return DLC_OK;
    auto size = int64_t(base_size(binding));
    if (low < 0 || high > size || extent > size - high)
      return fail(
          status, DLC_MALFORMED,
          "malformed artifact: command %u of %s reaches bytes %lld to %lld of %lld; compile the model again",
          command, entry->name()->c_str(), static_cast<long long>(low), static_cast<long long>(high + extent),
          static_cast<long long>(size));
    return binding->kind() == schema::BindingKind::State ? check_state_access(binding) : DLC_OK;
  }

  // 4. The commands, in order.
  dlc_code_t build_commands() {
    uint32_t binding_count = 0, term_count = 0;
    for (uint32_t c = 0; c < out->command_count; ++c) {
      const schema::Command *command = plan->commands()->Get(c);
      prepared_command &prepared = out->commands[c];
      prepared = {command->kind(), command->kernel(), binding_count, 0, 0, 0};
      if (command->kind() == schema::CommandKind::LoopEnd) {
        prepared.partner = loops[--depth].begin;
        out->commands[prepared.partner].partner = c;
        continue;
      }
      DLC_TRY(evaluate(command->groups(), 0, INT32_MAX, "the count of command", c, &prepared.count));
      if (command->kind() == schema::CommandKind::LoopBegin) {
        loops[depth++] = {c, prepared.count};
        continue;
      }
      int64_t scratch;
      DLC_TRY(evaluate(variant->kernels()->Get(command->kernel())->scratch(), 0, size_limit,
                       "the scratch memory of command", c, &scratch));
      uint64_t aligned = align_up(uint64_t(scratch), buffer_alignment);
      out->scratch_size = aligned > out->scratch_size ? aligned : out->scratch_size;
      prepared.binding_count = command->bindings() ? command->bindings()->size() : 0;
      for (uint32_t b = 0; b < prepared.binding_count; ++b)
        DLC_TRY(build_binding(command->bindings()->Get(b), c, &out->bindings[binding_count++], &term_count));
    }
    return DLC_OK;
  }
};

struct block_counts {
  uint64_t commands, bindings = 0, terms = 0, placements, shapes;

  block_counts(const schema::Plan *plan, const schema::Entry *entry) {
    commands = plan->commands()->size();
    shapes = uint64_t(entry->arguments()->size()) + entry->results()->size();
    placements = plan->buffers()->size() + shapes;
    for (const schema::Command *command : *plan->commands()) {
      if (!command->bindings())
        continue;
      bindings += command->bindings()->size();
      for (const schema::Binding *binding : *command->bindings())
        terms += binding->terms() ? binding->terms()->size() : 0;
    }
  }
};

} // namespace

bool place_buffers(const schema::Plan *plan, bool red_zones, placement *placements,
                   uint64_t *out_arena_size) {
  uint64_t end = 0;
  for (uint32_t i = 0; i < plan->buffers()->size(); ++i) {
    const auto *conflicts = plan->buffers()->Get(i)->conflicts();
    uint64_t size = align_up(placements[i].size, buffer_alignment);
    uint64_t offset = 0;
    if (red_zones) {
      offset = end + red_zone_size;
    } else if (conflicts && size > 0) {
      // Whatever overlaps the candidate pushes it behind itself: no offset in between is free either.
      for (bool moved = true; moved;) {
        moved = false;
        for (uint32_t j : *conflicts) {
          const placement &other = placements[j];
          uint64_t other_end = align_up(other.offset + other.size, buffer_alignment);
          if (other.size > 0 && offset < other_end && other.offset < offset + size) {
            offset = other_end;
            moved = true;
          }
        }
      }
    }
    placements[i].offset = offset;
    end = offset + size > end ? offset + size : end;
    if (end > uint64_t(size_limit))
      return false;
  }
  *out_arena_size = end;
  return true;
}

uint64_t schedule_block_size(const schema::Plan *plan, const schema::Entry *entry) {
  block_counts counts(plan, entry);
  return counts.commands * sizeof(prepared_command) + counts.bindings * sizeof(prepared_binding) +
         counts.terms * sizeof(prepared_term) + counts.placements * sizeof(placement) +
         counts.shapes * sizeof(dlc_tensor_t) + 64;
}

dlc_code_t build_schedule(const artifact *artifact, uint32_t variant_index, uint32_t entry_index,
                          const int64_t *dims, bool shares_states, bool red_zones, void *block, schedule *out,
                          dlc_status_t *status) {
  const schema::Variant *variant = artifact->metadata->variants()->Get(variant_index);
  const schema::Entry *entry = artifact->metadata->entries()->Get(entry_index);
  const schema::Plan *plan = variant->plans()->Get(entry_index);
  block_counts counts(plan, entry);

  // Every element is a multiple of 8 bytes long or lies behind those that are.
  static_assert(sizeof(prepared_command) % 8 == 0 && sizeof(prepared_binding) % 8 == 0 &&
                sizeof(prepared_term) % 8 == 0 && sizeof(placement) % 8 == 0 &&
                sizeof(dlc_tensor_t) % 8 == 0);
  auto *cursor = static_cast<uint8_t *>(block);
  auto take = [&](auto *&array, uint64_t count) {
    array = reinterpret_cast<decltype(+array)>(cursor);
    cursor += count * sizeof(*array);
  };
  *out = {};
  take(out->commands, counts.commands);
  take(out->bindings, counts.bindings);
  take(out->terms, counts.terms);
  take(out->buffers, counts.placements);
  take(out->shapes, counts.shapes);
  out->command_count = plan->commands()->size();
  out->buffer_count = plan->buffers()->size();
  out->argument_count = entry->arguments()->size();
  out->result_count = entry->results()->size();

  builder builder = {artifact,      *artifact->metadata, variant, entry,  plan, dims,
                     shares_states, red_zones,           out,     status, {}};
  DLC_TRY(builder.build_shapes());
  DLC_TRY(builder.build_arena());
  return builder.build_commands();
}

} // namespace dlc::runtime
