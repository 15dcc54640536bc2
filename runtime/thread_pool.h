// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The runtime's own threads: the caller is worker 0, the pool has the others. A fork-join costs about a
// microsecond while the workers spin; after a short while without work they sleep in the kernel.

#ifndef DLC_RUNTIME_THREAD_POOL_H
#define DLC_RUNTIME_THREAD_POOL_H

#include "runtime/memory.h"
#include "runtime/status.h"

namespace dlc::runtime {

struct thread_pool;

// Starts workers - 1 threads (workers ≥ 2).
dlc_code_t create_thread_pool(memory *memory, int32_t workers, thread_pool **out_pool, dlc_status_t *status);
void release_thread_pool(memory *memory, thread_pool *pool);

// Calls task(argument, 0) on the caller and task(argument, w) on the workers w that come in time, and returns
// when all have returned. So the task must share out its work itself: whoever calls it takes from what is
// left.
void run_on_thread_pool(thread_pool *pool, void (*task)(void *argument, int32_t worker), void *argument);

// Bytes that a pool allocates; 0 for one worker, which needs none.
uint64_t thread_pool_size(int32_t workers);

// The processors that this process may use, at least 1.
int32_t available_processors();

} // namespace dlc::runtime

#endif // DLC_RUNTIME_THREAD_POOL_H
