// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/parallel.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <pthread.h>
#include <sched.h>
#include <vector>

namespace dlc::data {
namespace {

struct Work {
  int64_t count;
  const std::function<Status(int64_t)> &body;
  std::atomic<int64_t> next = 0;
  std::atomic<int64_t> end; ///< Indices from here on need no call: a lower one failed.
  std::mutex mutex;
  Status failure; ///< Of index end.
};

void *run(void *argument) {
  Work &work = *static_cast<Work *>(argument);
  for (;;) {
    int64_t index = work.next.fetch_add(1);
    if (index >= work.end)
      return nullptr;
    Status status = work.body(index);
    if (status.ok())
      continue;
    std::lock_guard lock(work.mutex);
    if (index < work.end) {
      work.end = index;
      work.failure = std::move(status);
    }
  }
}

int64_t processors() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

} // namespace

Status parallel_for(int64_t count, const std::function<Status(int64_t)> &body) {
  Work work = {count, body, 0, count, {}, {}};
  // std::thread would end the program where there is no further thread to be had.
  std::vector<pthread_t> threads;
  for (int64_t i = std::min(processors(), count) - 1; i > 0; --i) {
    pthread_t thread;
    if (pthread_create(&thread, nullptr, run, &work) != 0)
      break;
    threads.push_back(thread);
  }
  run(&work);
  for (pthread_t thread : threads)
    pthread_join(thread, nullptr);
  return work.failure;
}

} // namespace dlc::data
