// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/thread_pool.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace dlc::runtime {

struct pool_thread {
  thread_pool *pool;
  int32_t worker;
  pthread_t handle;
};

// A run is announced by a new `generation` and open for workers to enter until the caller has finished its
// own share. The caller then waits only for those that did enter: on a loaded machine a worker that has not
// even been scheduled yet delays nobody. `generation` and `entered` are futexes. Each sleeper announces
// itself before it looks at its futex for the last time, so whoever changes the futex either sees the sleeper
// or is seen by it.
struct thread_pool {
  alignas(64) uint32_t generation;
  uint32_t worker_sleepers;
  alignas(64) uint32_t entered; // `open_run` and the number of workers inside
  uint32_t caller_sleeps;
  alignas(64) void (*task)(void *argument, int32_t worker);
  void *argument;
  bool stops;
  int32_t workers;
  int32_t spins; // how long to wait awake
  pool_thread *threads;
};

namespace {

constexpr uint32_t open_run = 0x80000000;

void futex_wait(uint32_t *word, uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}
void futex_wake(uint32_t *word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

uint32_t load(const uint32_t *word) {
  return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

// True when a run was open; which one does not matter, because work is taken, not assigned.
bool enter_run(thread_pool *pool) {
  uint32_t entered = load(&pool->entered);
  while (entered & open_run)
    if (__atomic_compare_exchange_n(&pool->entered, &entered, entered + 1, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST))
      return true;
  return false;
}

void leave_run(thread_pool *pool) {
  if (__atomic_sub_fetch(&pool->entered, 1, __ATOMIC_SEQ_CST) == 0 && load(&pool->caller_sleeps))
    futex_wake(&pool->entered);
}

void *worker_main(void *argument) {
  auto *self = static_cast<pool_thread *>(argument);
  thread_pool *pool = self->pool;
  uint32_t seen = 0;
  for (;;) {
    uint32_t generation;
    for (int32_t spin = 0; (generation = load(&pool->generation)) == seen && spin < pool->spins; ++spin)
      pause_briefly();
    while (generation == seen) {
      __atomic_fetch_add(&pool->worker_sleepers, 1, __ATOMIC_SEQ_CST);
      futex_wait(&pool->generation, seen);
      __atomic_fetch_sub(&pool->worker_sleepers, 1, __ATOMIC_SEQ_CST);
      generation = load(&pool->generation);
    }
    seen = generation;
    if (__atomic_load_n(&pool->stops, __ATOMIC_SEQ_CST))
      return nullptr;
    if (enter_run(pool)) {
      pool->task(pool->argument, self->worker);
      leave_run(pool);
    }
  }
}

void announce(thread_pool *pool) {
  __atomic_fetch_add(&pool->generation, 1, __ATOMIC_SEQ_CST);
  if (load(&pool->worker_sleepers) > 0)
    futex_wake(&pool->generation);
}

void stop_threads(thread_pool *pool, int32_t started) {
  __atomic_store_n(&pool->stops, true, __ATOMIC_SEQ_CST);
  announce(pool);
  for (int32_t i = 0; i < started; ++i)
    pthread_join(pool->threads[i].handle, nullptr);
}

} // namespace

uint64_t thread_pool_size(int32_t workers) {
  return workers < 2 ? 0 : sizeof(thread_pool) + uint64_t(workers - 1) * sizeof(pool_thread);
}

int32_t available_processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    return CPU_COUNT(&set) > 0 ? CPU_COUNT(&set) : 1;
  long online = sysconf(_SC_NPROCESSORS_ONLN); // more processors than a cpu_set_t holds
  return online > 0 ? int32_t(online) : 1;
}

dlc_code_t create_thread_pool(memory *memory, int32_t workers, thread_pool **out_pool, dlc_status_t *status) {
  void *block = memory->allocate(thread_pool_size(workers));
  if (!block)
    return fail(status, DLC_OUT_OF_MEMORY, "cannot allocate a pool of %d threads", workers);
  memset(block, 0, thread_pool_size(workers));
  auto *pool = static_cast<thread_pool *>(block);
  pool->workers = workers;
  // Spinning only helps when the others run at the same time.
  pool->spins = workers <= available_processors() ? 4000 : 0;
  pool->threads = reinterpret_cast<pool_thread *>(pool + 1);
  for (int32_t i = 0; i < workers - 1; ++i) {
    pool->threads[i] = {pool, i + 1, {}};
    if (int error = pthread_create(&pool->threads[i].handle, nullptr, worker_main, &pool->threads[i])) {
      stop_threads(pool, i);
      memory->release(block, thread_pool_size(workers));
      return fail(status, DLC_OUT_OF_MEMORY, "cannot start thread %d of %d: %s; ask for fewer threads", i + 2,
                  workers, strerror(error));
    }
  }
  *out_pool = pool;
  return DLC_OK;
}

void release_thread_pool(memory *memory, thread_pool *pool) {
  if (!pool)
    return;
  stop_threads(pool, pool->workers - 1);
  memory->release(pool, thread_pool_size(pool->workers));
}

void run_on_thread_pool(thread_pool *pool, void (*task)(void *argument, int32_t worker), void *argument) {
  pool->task = task;
  pool->argument = argument;
  __atomic_store_n(&pool->entered, open_run, __ATOMIC_SEQ_CST);
  announce(pool);
  task(argument, 0);
  uint32_t inside = __atomic_and_fetch(&pool->entered, ~open_run, __ATOMIC_SEQ_CST);
  for (int32_t spin = 0; inside != 0 && spin < pool->spins; ++spin) {
    pause_briefly();
    inside = load(&pool->entered);
  }
  if (inside == 0)
    return;
  __atomic_store_n(&pool->caller_sleeps, 1, __ATOMIC_SEQ_CST);
  while ((inside = load(&pool->entered)) != 0)
    futex_wait(&pool->entered, inside);
  __atomic_store_n(&pool->caller_sleeps, 0, __ATOMIC_SEQ_CST);
}

} // namespace dlc::runtime
