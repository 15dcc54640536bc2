// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests that nothing allocates after prepare: neither through the allocator hook nor through the C library,
// whose allocation functions this program replaces by counting ones (AddressSanitizer has its own, so there
// only the hook is counted).

#include "test/Runtime/Models.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>

namespace {
std::atomic<int64_t> allocations = 0;
} // namespace

#if !__has_feature(address_sanitizer) && defined(__GLIBC__)
extern "C" {
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

[[gnu::visibility("default")]] void *malloc(size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
[[gnu::visibility("default")]] void *calloc(size_t count, size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
[[gnu::visibility("default")]] void *realloc(void *pointer, size_t size) {
  ++allocations;
  return __libc_realloc(pointer, size);
}
[[gnu::visibility("default")]] int posix_memalign(void **out, size_t alignment, size_t size) {
  ++allocations;
  *out = __libc_memalign(alignment, size);
  return *out ? 0 : 12;
}
}
#define COUNTS_MALLOC 1
#else
#define COUNTS_MALLOC 0
#endif

using namespace dlc::test;

namespace {

TEST(Allocation, RunsAllocateNothing) {
  ArtifactHandle artifact = load(makeLittleModel());
  for (int32_t threads : {1, 2, 4}) {
    dlc_session_options_t options = {};
    options.threads = threads;
    int64_t before = allocations;
    SessionHandle session = open(artifact.get(), options);
    if (COUNTS_MALLOC)
      EXPECT_GT(allocations, before) << "the counting functions are not in use";

    int32_t step = dlc_artifact_entry_find(artifact.get(), "step");
    int32_t predict = dlc_artifact_entry_find(artifact.get(), "predict");
    int32_t w = dlc_artifact_state_find(artifact.get(), "w");
    dlc_status_t status;
    ASSERT_EQ(dlc_session_initialize(session.get(), &status), DLC_OK) << status.message;
    int64_t large = 64, small = 5; // as for a last partial batch
    dlc_prepared_t *whole, *rest, *inference;
    ASSERT_EQ(dlc_session_prepare(session.get(), step, &large, 1, &whole, &status), DLC_OK) << status.message;
    ASSERT_EQ(dlc_session_prepare(session.get(), step, &small, 1, &rest, &status), DLC_OK) << status.message;
    ASSERT_EQ(dlc_session_prepare(session.get(), predict, &large, 1, &inference, &status), DLC_OK)
        << status.message;

    static float x[64 * 3 + 1], y[64 * 3], loss, weights[6]; // x + 1 is not aligned: it is staged
    dlc_tensor_t batch = tensor(x + 1, DLC_F32, {64, 3}), partial = tensor(x, DLC_F32, {5, 3});
    dlc_tensor_t report = tensor(&loss, DLC_F32, {}), output = tensor(y, DLC_F32, {64, 3});
    dlc_memory_stats_t start, end;
    dlc_session_memory(session.get(), &start);
    before = allocations;
    dlc_code_t codes = DLC_OK;
    auto check = [&](dlc_code_t code) { codes = code != DLC_OK ? code : codes; };
    for (int i = 0; i < 200; ++i) {
      check(dlc_prepared_run(whole, &batch, 1, &report, 1, &status));
      check(dlc_prepared_run(rest, &partial, 1, &report, 1, &status));
      check(dlc_session_run(session.get(), step, &partial, 1, &report, 1, &status));
      check(dlc_prepared_run(inference, &batch, 1, &output, 1, &status));
      check(dlc_session_state_read(session.get(), w, weights, sizeof(weights), &status));
      check(dlc_session_state_write(session.get(), w, weights, sizeof(weights), &status));
      check(dlc_session_hyperparameter_set(session.get(), "lr", 0.1, &status));
      check(dlc_session_metrics_reset(session.get(), step, &status));
      if (dlc_prepared_run(whole, &partial, 1, &report, 1, &status) != DLC_INVALID_ARGUMENT)
        codes = DLC_MALFORMED; // failing must not allocate either
    }
    int64_t after = allocations;
    dlc_session_memory(session.get(), &end);
    EXPECT_EQ(codes, DLC_OK) << status.message;
    EXPECT_EQ(after, before) << "a run allocated through the C library";
    EXPECT_EQ(start.allocation_count, end.allocation_count);
    EXPECT_EQ(start.peak_bytes, end.peak_bytes);
  }
}

} // namespace
