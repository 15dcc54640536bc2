// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/executor.h"
#include "runtime/floating_point.h"
#include "runtime/kernel_abi.h"
#include "runtime/red_zones.h"

namespace dlc::runtime {
namespace {

// One run of a kernel, shared by the workers. Each takes the next few groups until none is left; who takes
// which does not matter for the result.
struct kernel_run {
  dlc_kernel_t kernel;
  void *const *buffers;
  const int64_t *dims;
  uint8_t *scratch;
  uint64_t scratch_stride;
  int64_t groups;
  int64_t chunk;
  alignas(64) int64_t next; // atomic
};

// Kernels carry no type hash in front of them, which -fsanitize=function would read.
#if defined(__clang__)
[[clang::no_sanitize("function")]]
#endif
void run_groups(kernel_run *run, int32_t worker) {
  floating_point_scope scope;
  dlc_kernel_args_t args = {run->buffers, run->dims, 0,
                            run->scratch + uint64_t(worker) * run->scratch_stride};
  for (;;) {
    int64_t begin = __atomic_fetch_add(&run->next, run->chunk, __ATOMIC_RELAXED);
    if (begin >= run->groups)
      return;
    int64_t end = begin + run->chunk < run->groups ? begin + run->chunk : run->groups;
    for (args.group = begin; args.group < end; ++args.group)
      run->kernel(&args);
  }
}

void run_groups_task(void *argument, int32_t worker) {
  run_groups(static_cast<kernel_run *>(argument), worker);
}

struct walker {
  device *target;
  const execution &work;
  int64_t counters[DLC_MAX_LOOP_DEPTH] = {};

  uint8_t *base_of(const prepared_binding &binding) const {
    const schedule &plan = *work.plan;
    switch (binding.kind) {
    case schema::BindingKind::Buffer:
      return work.arena + plan.buffers[binding.index].offset;
    case schema::BindingKind::State:
      return static_cast<uint8_t *>(work.states[binding.index]);
    case schema::BindingKind::Argument:
      return static_cast<uint8_t *>(work.arguments[binding.index]);
    case schema::BindingKind::Result:
      return static_cast<uint8_t *>(work.arguments[plan.argument_count + binding.index]);
    case schema::BindingKind::Constant:
      return const_cast<uint8_t *>(work.constants); // bound for reading only
    case schema::BindingKind::LoopCounter:
      break;
    }
    return nullptr;
  }

  int64_t offset_of(const prepared_binding &binding) const {
    int64_t offset = binding.offset;
    for (uint32_t i = 0; i < binding.term_count; ++i) {
      const prepared_term &term = work.plan->terms[binding.first_term + i];
      int64_t position = term.modulus == 0 ? counters[i] : (counters[i] + term.bias) % term.modulus;
      offset += term.stride * position;
    }
    return offset;
  }

  // Whether the observer wants no more.
  bool run_kernel(uint32_t index) const {
    const prepared_command &command = work.plan->commands[index];
    const dlc_observer_t &observer = target->observer;
    if (command.count == 0)
      return false;
    void *buffers[64];
    int64_t positions[64]; // what loop counter bindings point at
    for (uint32_t i = 0; i < command.binding_count; ++i) {
      const prepared_binding &binding = work.plan->bindings[command.first_binding + i];
      if (binding.kind == schema::BindingKind::LoopCounter) {
        positions[i] = offset_of(binding);
        buffers[i] = &positions[i];
      } else {
        buffers[i] = base_of(binding) + offset_of(binding);
      }
    }
    if (observer.observe && observer.observe(observer.context, index, 0, buffers, counters))
      return true;
    uint64_t code_offset = work.variant->kernels()->Get(command.kernel)->code_offset();
    kernel_run run;
    run.kernel = reinterpret_cast<dlc_kernel_t>(const_cast<uint8_t *>(work.record->code + code_offset));
    run.buffers = buffers;
    run.dims = work.dims;
    run.scratch = target->scratch;
    run.scratch_stride = target->scratch_stride;
    run.groups = command.count;
    // A few chunks per worker even out their speeds; more would only cost.
    int64_t chunks = int64_t(target->workers) * 8;
    run.chunk = command.count > chunks ? command.count / chunks : 1;
    run.next = 0;
    if (command.count == 1 || target->workers == 1)
      run_groups(&run, 0);
    else if (target->executor.run)
      target->executor.run(target->executor.context, run_groups_task, &run, target->workers);
    else
      run_on_thread_pool(target->pool, run_groups_task, &run);
    return observer.observe && observer.observe(observer.context, index, 1, buffers, counters);
  }

  dlc_code_t walk(dlc_status_t *status) {
    const schedule &plan = *work.plan;
    const dlc_cancellation_t &cancellation = target->cancellation;
    uint32_t depth = 0;
    for (uint32_t c = 0; c < plan.command_count; ++c) {
      const prepared_command &command = plan.commands[c];
      if (command.kind == schema::CommandKind::LoopBegin) {
        if (command.count == 0)
          c = command.partner; // behind the loop's end
        else
          counters[depth++] = 0;
        continue;
      }
      if (command.kind == schema::CommandKind::LoopEnd) {
        if (++counters[depth - 1] < plan.commands[command.partner].count)
          c = command.partner; // the body again
        else
          --depth;
        continue;
      }
      if ((cancellation.is_cancelled && cancellation.is_cancelled(cancellation.context)) || run_kernel(c))
        return fail(status, DLC_CANCELLED, "%s was cancelled at command %u of %u",
                    work.entry->name()->c_str(), c, plan.command_count);
      if (work.red_zones)
        DLC_TRY(check_red_zones(&work, c, status));
    }
    return DLC_OK;
  }
};

} // namespace

dlc_code_t execute(device *device, const execution *execution, dlc_status_t *status) {
  return walker{device, *execution}.walk(status);
}

} // namespace dlc::runtime
