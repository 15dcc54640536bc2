// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests that a schedule runs every group once for any number of threads, that loops bind what they say, and
// what the hooks and the red zones do.

#include "test/Runtime/Models.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

using namespace dlc::artifact;
using namespace dlc::test;

namespace {

/// One result `out` of `count` elements, written by the plan.
ArtifactDescription makeWriter(Dtype dtype, Expression count, Plan plan) {
  Entry entry;
  entry.symbols = {{"n", 0, INT64_MAX, 1}};
  entry.results = {{"out", dtype, {std::move(count)}, ReportKind::None}};
  return makeOneEntry(entry, std::move(plan));
}

template <typename T>
dlc_status_t runWriter(dlc_session_t *session, int64_t n, dlc_dtype_t dtype, std::vector<T> &out) {
  dlc_prepared_t *prepared;
  dlc_status_t status;
  if (dlc_session_prepare(session, 0, &n, 1, &prepared, &status) != DLC_OK)
    return status;
  dlc_tensor_t result = tensor(out.data(), dtype, {int64_t(out.size())});
  dlc_prepared_run(prepared, nullptr, 0, &result, 1, &status);
  return status;
}

ArtifactDescription makeMarks() {
  Expression n = Expression::symbol(0);
  Plan plan;
  // Two commands in a row: the second adds to what the first left.
  Binding out = bind(BindingKind::Result, 0, Access::ReadWrite, n * 8);
  plan.commands = {run(MarkKernel, n, {out}), run(MarkKernel, n, {out})};
  return makeWriter(Dtype::I64, n, plan);
}

void expectMarks(const std::vector<int64_t> &out) {
  for (size_t group = 0; group < out.size(); ++group)
    ASSERT_EQ(out[group], int64_t(2 * (group + 1))) << group;
}

TEST(Executor, RunsEveryGroupOnceOnAnyNumberOfThreads) {
  ArtifactHandle artifact = load(makeMarks());
  for (int32_t threads : {1, 2, 3, 4, 7}) {
    dlc_session_options_t options = {};
    options.threads = threads;
    SessionHandle session = open(artifact.get(), options);
    ASSERT_TRUE(session);
    EXPECT_EQ(dlc_session_threads(session.get()), threads);
    for (int64_t n : {0, 1, 2, 3, 5, 64, 1000, 1001}) {
      dlc_prepared_t *prepared;
      dlc_status_t status;
      ASSERT_EQ(dlc_session_prepare(session.get(), 0, &n, 1, &prepared, &status), DLC_OK) << status.message;
      for (int repeat = 0; repeat < 50; ++repeat) {
        alignas(
            64) static int64_t out[1001]; // aligned: written in place, so both commands add to these zeros
        std::fill_n(out, n, 0);
        dlc_tensor_t result = tensor(out, DLC_I64, {n});
        ASSERT_EQ(dlc_prepared_run(prepared, nullptr, 0, &result, 1, &status), DLC_OK) << status.message;
        expectMarks({out, out + n});
      }
    }
  }
}

TEST(Executor, RunsOnTheApplicationsThreads) {
  std::atomic<int> calls = 0;
  dlc_executor_t executor = {
      &calls, [](void *context, void (*task)(void *, int32_t), void *argument, int32_t workers) {
        ++*static_cast<std::atomic<int> *>(context);
        std::vector<std::thread> threads;
        for (int32_t worker = workers; worker-- > 0;)
          threads.emplace_back(task, argument, worker);
        for (std::thread &thread : threads)
          thread.join();
      }};
  ArtifactHandle artifact = load(makeMarks());
  dlc_session_options_t options = {};
  options.threads = 3;
  options.executor = &executor;
  SessionHandle session = open(artifact.get(), options);
  alignas(64) int64_t out[100] = {};
  dlc_tensor_t result = tensor(out, DLC_I64, {100});
  dlc_prepared_t *prepared;
  int64_t n = 100;
  ASSERT_EQ(dlc_session_prepare(session.get(), 0, &n, 1, &prepared, nullptr), DLC_OK);
  dlc_status_t status;
  ASSERT_EQ(dlc_prepared_run(prepared, nullptr, 0, &result, 1, &status), DLC_OK) << status.message;
  expectMarks({out, out + 100});
  EXPECT_EQ(calls, 2);
}

TEST(Executor, BindsLoopCountersForwardsBackwardsAndNested) {
  Expression n = Expression::symbol(0);
  Plan plan;
  // out[3*i + j] = 100*(n-1-i) + j, written from the end.
  Binding counter = bind(BindingKind::LoopCounter, 0, Access::Read, 8, (n - 1) * 100, {{-100}, {1}});
  Binding out = bind(BindingKind::Result, 0, Access::Write, 8, 0, {{24}, {8}});
  plan.commands = {
      loop(n, {loop(3, {run(AppendKernel, 1, {counter, out})}), loop(0, {run(OverrunKernel, 1, {out})})})};
  ArtifactHandle artifact = load(makeWriter(Dtype::I64, n * 3, plan));
  SessionHandle session = open(artifact.get());
  std::vector<int64_t> result(12);
  dlc_status_t status = runWriter(session.get(), 4, DLC_I64, result);
  ASSERT_EQ(status.code, DLC_OK) << status.message;
  for (int64_t i = 0; i < 4; ++i)
    for (int64_t j = 0; j < 3; ++j)
      EXPECT_EQ(result[size_t(3 * i + j)], 100 * (3 - i) + j);
}

TEST(Executor, PingPongCarriesComputeFibonacci) {
  // A carry of two slots of 4 floats, and a second one a step behind: c[i+1] = c[i] + d[i], d[i+1] = c[i].
  Expression n = Expression::symbol(0);
  Entry entry;
  entry.symbols = {{"n", 0, INT64_MAX, 1}};
  entry.arguments = {{"start", Dtype::F32, {4}, ReportKind::None},
                     {"zero", Dtype::F32, {4}, ReportKind::None}};
  entry.results = {{"out", Dtype::F32, {n, 4}, ReportKind::None}};
  auto carry = [](uint32_t buffer, Access access, uint32_t bias) {
    return bind(BindingKind::Buffer, buffer, access, 16, 0, {{16, 2, bias}});
  };
  Binding zero = bind(BindingKind::Argument, 1, Access::Read, 16);
  Plan plan;
  plan.buffers = {{32, {}}, {32, {0}}};
  plan.commands = {
      run(AddKernel, 1,
          {bind(BindingKind::Argument, 0, Access::Read, 16), zero,
           bind(BindingKind::Buffer, 0, Access::Write, 16)}),
      run(AddKernel, 1, {zero, zero, bind(BindingKind::Buffer, 1, Access::Write, 16)}),
      loop(n,
           {
               run(AddKernel, 1,
                   {carry(0, Access::Read, 0), carry(1, Access::Read, 0), carry(0, Access::Write, 1)}),
               run(AddKernel, 1, {carry(0, Access::Read, 0), zero, carry(1, Access::Write, 1)}),
               run(AddKernel, 1,
                   {carry(0, Access::Read, 1), zero,
                    bind(BindingKind::Result, 0, Access::Write, 16, 0, {{16}})}),
           }),
  };
  ArtifactHandle artifact = load(makeOneEntry(entry, plan));
  for (uint32_t flags : {0u, uint32_t(DLC_SESSION_RED_ZONES)}) {
    dlc_session_options_t options = {};
    options.flags = flags;
    SessionHandle session = open(artifact.get(), options);
    float start[4] = {1, 1, 1, 1}, nothing[4] = {};
    std::vector<float> out(10 * 4);
    dlc_tensor_t arguments[] = {tensor(start, DLC_F32, {4}), tensor(nothing, DLC_F32, {4})};
    dlc_tensor_t result = tensor(out.data(), DLC_F32, {10, 4});
    dlc_prepared_t *prepared;
    int64_t steps = 10;
    dlc_status_t status;
    ASSERT_EQ(dlc_session_prepare(session.get(), 0, &steps, 1, &prepared, &status), DLC_OK) << status.message;
    ASSERT_EQ(dlc_prepared_run(prepared, arguments, 2, &result, 1, &status), DLC_OK) << status.message;
    float expected[] = {1, 2, 3, 5, 8, 13, 21, 34, 55, 89};
    for (size_t i = 0; i < 10; ++i)
      EXPECT_EQ(out[4 * i], expected[i]);
  }
}

// An observer sees every command before and after it ran, with its operands and the loop's position, and stops
// the run where it likes.
TEST(Executor, TellsTheObserverOfEveryCommand) {
  struct Seen {
    std::vector<int64_t> before, after; // the loop's positions
    std::vector<int64_t> values;        // the result as it was then
    int64_t stop_at;
  } seen = {{}, {}, {}, 2};
  dlc_observer_t observer = {
      &seen, [](void *context, uint32_t command, int is_done, void *const *operands, const int64_t *counters) {
        auto &seen = *static_cast<Seen *>(context);
        EXPECT_EQ(command, 1u);
        (is_done ? seen.after : seen.before).push_back(counters[0]);
        seen.values.push_back(*static_cast<const int64_t *>(operands[1]));
        return int(is_done && counters[0] == seen.stop_at);
      }};
  Expression n = Expression::symbol(0);
  Plan plan;
  plan.commands = {loop(n, {run(AppendKernel, 1,
                                {bind(BindingKind::LoopCounter, 0, Access::Read, 8, 1, {{1}}),
                                 bind(BindingKind::Result, 0, Access::Write, 8, 0, {{8}})})})};
  ArtifactHandle artifact = load(makeWriter(Dtype::I64, n, plan));
  dlc_session_options_t options = {};
  options.observer = &observer;
  SessionHandle session = open(artifact.get(), options);
  alignas(64) int64_t out[4] = {};
  dlc_tensor_t result = tensor(out, DLC_I64, {4});
  dlc_prepared_t *prepared;
  int64_t dims = 4;
  dlc_status_t status;
  ASSERT_EQ(dlc_session_prepare(session.get(), 0, &dims, 1, &prepared, &status), DLC_OK) << status.message;
  EXPECT_EQ(dlc_prepared_run(prepared, nullptr, 0, &result, 1, &status), DLC_CANCELLED);
  EXPECT_STREQ(status.message, "run was cancelled at command 1 of 3");
  EXPECT_EQ(seen.before, (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(seen.after, (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(seen.values, (std::vector<int64_t>{0, 1, 0, 2, 0, 3}));
  EXPECT_EQ(out[3], 0);
  seen.stop_at = -1;
  EXPECT_EQ(dlc_prepared_run(prepared, nullptr, 0, &result, 1, &status), DLC_OK) << status.message;
  EXPECT_EQ(out[3], 4);
}

TEST(Executor, StopsWhenCancelled) {
  struct Countdown {
    int left;
  } countdown = {3};
  dlc_cancellation_t cancellation = {
      &countdown, [](void *context) { return int(static_cast<Countdown *>(context)->left-- == 0); }};
  Expression n = Expression::symbol(0);
  Plan plan;
  plan.commands = {loop(n, {run(AppendKernel, 1,
                                {bind(BindingKind::LoopCounter, 0, Access::Read, 8, 1, {{1}}),
                                 bind(BindingKind::Result, 0, Access::Write, 8, 0, {{8}})})})};
  ArtifactHandle artifact = load(makeWriter(Dtype::I64, n, plan));
  dlc_session_options_t options = {};
  options.cancellation = &cancellation;
  SessionHandle session = open(artifact.get(), options);
  alignas(64) int64_t out[8] = {};
  dlc_tensor_t result = tensor(out, DLC_I64, {8});
  dlc_prepared_t *prepared;
  int64_t dims = 8;
  dlc_status_t status;
  ASSERT_EQ(dlc_session_prepare(session.get(), 0, &dims, 1, &prepared, &status), DLC_OK) << status.message;
  EXPECT_EQ(dlc_prepared_run(prepared, nullptr, 0, &result, 1, &status), DLC_CANCELLED);
  EXPECT_STREQ(status.message, "run was cancelled at command 1 of 3");
  EXPECT_EQ(out[2], 3);
  EXPECT_EQ(out[3], 0);
  countdown.left = 1000;
  EXPECT_EQ(dlc_prepared_run(prepared, nullptr, 0, &result, 1, &status), DLC_OK) << status.message;
  EXPECT_EQ(out[7], 8);
}

#if defined(__x86_64__)
TEST(Executor, SetsAndRestoresTheFloatingPointEnvironment) {
  Expression n = Expression::symbol(0);
  Plan plan;
  plan.commands = {run(ControlKernel, n, {bind(BindingKind::Result, 0, Access::Write, n * 4)})};
  ArtifactHandle artifact = load(makeWriter(Dtype::I32, n, plan));
  for (int32_t threads : {1, 4}) {
    dlc_session_options_t options = {};
    options.threads = threads;
    SessionHandle session = open(artifact.get(), options);
    unsigned before = _mm_getcsr();
    unsigned odd = (before | 0x8040) ^ 0x2000; // flush to zero, denormals are zero, another rounding
    _mm_setcsr(odd);
    std::vector<int32_t> out(64);
    dlc_status_t status = runWriter(session.get(), 64, DLC_I32, out);
    EXPECT_EQ(_mm_getcsr() & ~0x3fu, odd & ~0x3fu);
    _mm_setcsr(before);
    ASSERT_EQ(status.code, DLC_OK) << status.message;
    for (int32_t control : out)
      EXPECT_EQ(control & ~0x3f, 0x1f80); // its low bits are sticky flags
  }
}
#endif

TEST(Executor, RedZonesFindAKernelThatWritesTooFar) {
  Plan plan;
  plan.buffers = {{64, {}}, {16, {0}}};
  Binding target = bind(BindingKind::Buffer, 1, Access::Write, 16);
  plan.commands = {run(MarkKernel, 1, {bind(BindingKind::Buffer, 0, Access::Write, 8)}),
                   run(OverrunKernel, 1, {target})};
  for (bool writesResult : {false, true}) {
    Plan chosen = plan;
    if (writesResult)
      chosen.commands[1].bindings[0].kind = BindingKind::Result, chosen.commands[1].bindings[0].index = 0;
    ArtifactHandle artifact = load(makeWriter(Dtype::F32, 4, chosen));
    dlc_session_options_t options = {};
    options.flags = DLC_SESSION_RED_ZONES;
    SessionHandle session = open(artifact.get(), options);
    std::vector<float> out(4);
    dlc_status_t status = runWriter(session.get(), 1, DLC_F32, out);
    EXPECT_EQ(status.code, DLC_CORRUPTED);
    EXPECT_NE(std::string(status.message).find("command 1, kernel overrun, wrote outside its buffers"),
              std::string::npos)
        << status.message;
  }
}

TEST(Executor, RedZonesSurroundStates) {
  Plan plan;
  plan.commands = {run(OverrunKernel, 1, {bind(BindingKind::State, 0, Access::Write, 16)})};
  ArtifactDescription description = makeOneEntry({}, plan);
  description.states = {{"w", Dtype::F32, {4}, StateRole::Parameter, -1, -1, 0},
                        {"v", Dtype::F32, {4}, StateRole::Parameter, -1, -1, 0}};
  ArtifactHandle artifact = load(description);
  dlc_session_options_t options = {};
  options.flags = DLC_SESSION_RED_ZONES;
  SessionHandle session = open(artifact.get(), options);
  dlc_status_t status;
  EXPECT_EQ(dlc_session_run(session.get(), 0, nullptr, 0, nullptr, 0, &status), DLC_CORRUPTED);
  EXPECT_NE(std::string(status.message).find("the red zone before shared state 1"), std::string::npos)
      << status.message;
}

TEST(Executor, ChecksTensorsAgainstThePreparedShapes) {
  Entry entry;
  entry.symbols = {{"n", 1, INT64_MAX, 1}};
  Expression n = Expression::symbol(0);
  entry.arguments = {{"x", Dtype::F32, {n, 3}, ReportKind::None}};
  entry.results = {{"y", Dtype::F32, {n, 3}, ReportKind::None}};
  ArtifactHandle artifact = load(makeOneEntry(entry, {}));
  SessionHandle session = open(artifact.get());
  float data[30];
  dlc_prepared_t *prepared;
  int64_t dims = 4;
  ASSERT_EQ(dlc_session_prepare(session.get(), 0, &dims, 1, &prepared, nullptr), DLC_OK);
  auto message = [&](dlc_tensor_t argument, dlc_tensor_t result) {
    dlc_status_t status;
    EXPECT_EQ(dlc_prepared_run(prepared, &argument, 1, &result, 1, &status), DLC_INVALID_ARGUMENT);
    return std::string(status.message);
  };
  dlc_tensor_t good = tensor(data, DLC_F32, {4, 3});
  EXPECT_EQ(message(tensor(data, DLC_F32, {5, 3}), good),
            "run: argument x has shape [5, 3], prepared for [4, 3]");
  EXPECT_EQ(message(tensor(data, DLC_I32, {4, 3}), good), "run: argument x has type i32, f32 expected");
  EXPECT_EQ(message(tensor(data, DLC_F32, {12}), good), "run: argument x has rank 1, shape [4, 3] expected");
  EXPECT_EQ(message(good, tensor(data, DLC_F32, {4, 4})),
            "run: result y has shape [4, 4], prepared for [4, 3]");
  EXPECT_EQ(message(tensor(nullptr, DLC_F32, {4, 3}), good), "run: argument x has no data");
  dlc_status_t status;
  EXPECT_EQ(dlc_prepared_run(prepared, nullptr, 0, nullptr, 0, &status), DLC_INVALID_ARGUMENT);
  EXPECT_STREQ(status.message, "run takes 1 arguments and gives 1 results; called with 0 and 0");
  dlc_tensor_t wrong = tensor(data, DLC_F32, {4, 2});
  EXPECT_EQ(dlc_session_run(session.get(), 0, &wrong, 1, &good, 1, &status), DLC_INVALID_ARGUMENT);
  EXPECT_STREQ(status.message, "run: argument x has shape [4, 2], [4, 3] expected");
  EXPECT_EQ(dlc_session_run(session.get(), 0, &good, 1, &good, 1, &status), DLC_OK) << status.message;
}

} // namespace
