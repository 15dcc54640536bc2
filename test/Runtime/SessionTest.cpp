// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests what sessions keep: states in resident layouts, hyperparameters, seeds, iterations, metrics; sharing
// weights between concurrent sessions; choosing a variant; memory within the plan.

#include "test/Runtime/Models.h"

#include <algorithm>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

using namespace dlc::artifact;
using namespace dlc::test;

namespace {

class Session : public testing::Test {
protected:
  void SetUp() override {
    artifact = load(makeLittleModel());
    ASSERT_TRUE(artifact);
    session = open(artifact.get());
    ASSERT_TRUE(session);
    step = dlc_artifact_entry_find(artifact.get(), "step");
    predict = dlc_artifact_entry_find(artifact.get(), "predict");
    w = dlc_artifact_state_find(artifact.get(), "w");
    m = dlc_artifact_state_find(artifact.get(), "step.m.w");
  }

  std::vector<float> read(int32_t state, dlc_session_t *from = nullptr) {
    dlc_state_info_t info;
    EXPECT_EQ(dlc_artifact_state(artifact.get(), state, &info, nullptr), DLC_OK);
    std::vector<float> values(size_t(info.element_count));
    dlc_status_t status;
    EXPECT_EQ(
        dlc_session_state_read(from ? from : session.get(), state, values.data(), values.size() * 4, &status),
        DLC_OK)
        << status.message;
    return values;
  }

  float train(std::vector<float> x) {
    float loss = -1;
    dlc_tensor_t argument = tensor(x.data(), DLC_F32, {int64_t(x.size() / 3), 3});
    dlc_tensor_t result = tensor(&loss, DLC_F32, {});
    dlc_status_t status;
    EXPECT_EQ(dlc_session_run(session.get(), step, &argument, 1, &result, 1, &status), DLC_OK)
        << status.message;
    return loss;
  }

  static std::vector<float> infer(dlc_session_t *from, int32_t entry, std::vector<float> x) {
    std::vector<float> y(x.size());
    dlc_tensor_t argument = tensor(x.data(), DLC_F32, {int64_t(x.size() / 3), 3});
    dlc_tensor_t result = tensor(y.data(), DLC_F32, {int64_t(x.size() / 3), 3});
    dlc_status_t status;
    EXPECT_EQ(dlc_session_run(from, entry, &argument, 1, &result, 1, &status), DLC_OK) << status.message;
    return y;
  }

  ArtifactHandle artifact;
  SessionHandle session;
  int32_t step, predict, w, m;
};

using Values = std::vector<float>;

TEST_F(Session, KeepsStatesInTheirResidentLayout) {
  Values logical = {1, 2, 3, 10, 20, 30}; // [2, 3]
  ASSERT_EQ(dlc_session_state_write(session.get(), w, logical.data(), 24, nullptr), DLC_OK);
  EXPECT_EQ(read(w), logical);
  // The kernel sees w as [3, 2]: y[j] = x[j] + w[0, j] + w[1, j].
  EXPECT_EQ(infer(session.get(), predict, {100, 200, 300}), (Values{111, 222, 333}));
}

TEST_F(Session, InitializesFromTheSeed) {
  dlc_status_t status;
  ASSERT_EQ(dlc_session_seed_set(session.get(), 7, &status), DLC_OK) << status.message;
  ASSERT_EQ(dlc_session_initialize(session.get(), &status), DLC_OK) << status.message;
  EXPECT_EQ(read(w), (Values{7, 9, 11, 8, 10, 12})); // the kernel wrote 7, 8, … in the resident order
  uint64_t seed = 0;
  ASSERT_EQ(dlc_session_seed_get(session.get(), &seed, nullptr), DLC_OK);
  EXPECT_EQ(seed, 7u);
}

TEST_F(Session, TrainsWithHyperparametersIterationsAndMetrics) {
  ASSERT_EQ(dlc_session_initialize(session.get(), nullptr), DLC_OK);
  int32_t count = dlc_artifact_state_find(artifact.get(), "step.count");
  double lr = 0;
  ASSERT_EQ(dlc_session_hyperparameter_get(session.get(), "step.lr", &lr, nullptr), DLC_OK);
  EXPECT_EQ(lr, 0.5);
  ASSERT_EQ(dlc_session_hyperparameter_set(session.get(), "lr", 2, nullptr), DLC_OK);
  EXPECT_EQ(train({1, 2, 3, 4, 5, 6}), 21);
  EXPECT_EQ(read(m), Values(6, 21));
  EXPECT_EQ(read(w), (Values{42, 44, 46, 43, 45, 47}));
  EXPECT_EQ(train({1, 0, 0}), 1);
  EXPECT_EQ(read(count), Values{5}); // 2 at first, then 2 and 1 rows
  int64_t iteration = 0;
  ASSERT_EQ(dlc_session_iteration_get(session.get(), step, &iteration, nullptr), DLC_OK);
  EXPECT_EQ(iteration, 2);
  ASSERT_EQ(dlc_session_iteration_set(session.get(), step, 40, nullptr), DLC_OK);
  train({0, 0, 0});
  ASSERT_EQ(dlc_session_iteration_get(session.get(), step, &iteration, nullptr), DLC_OK);
  EXPECT_EQ(iteration, 41);
  ASSERT_EQ(dlc_session_metrics_reset(session.get(), step, nullptr), DLC_OK);
  EXPECT_EQ(read(count), Values{2});
  ASSERT_EQ(dlc_session_initialize(session.get(), nullptr), DLC_OK);
  ASSERT_EQ(dlc_session_iteration_get(session.get(), step, &iteration, nullptr), DLC_OK);
  EXPECT_EQ(iteration, 0);
  ASSERT_EQ(dlc_session_hyperparameter_get(session.get(), "lr", &lr, nullptr), DLC_OK);
  EXPECT_EQ(lr, 2) << "initialize leaves hyperparameters alone";
}

TEST_F(Session, NamesWhatIsWrong) {
  dlc_status_t status;
  EXPECT_EQ(dlc_session_hyperparameter_set(session.get(), "rate", 1, &status), DLC_NOT_FOUND);
  EXPECT_STREQ(status.message, "there is no hyperparameter rate; there is step.lr");
  float value;
  EXPECT_EQ(dlc_session_state_read(session.get(), w, &value, 4, &status), DLC_INVALID_ARGUMENT);
  EXPECT_STREQ(status.message, "state w has 24 bytes (f32), 4 given");
  dlc_session_options_t options = {};
  dlc_session_t *refused = nullptr;
  options.threads = DLC_MAX_THREADS + 1;
  EXPECT_EQ(dlc_session_create(artifact.get(), &options, &refused, &status), DLC_INVALID_ARGUMENT);
  EXPECT_STREQ(status.message, "1025 threads asked for, 0 (all) to 1024 expected");
  // A short name that two entries have names neither.
  ArtifactDescription description = makeLittleModel();
  auto lr = std::find_if(description.states.begin(), description.states.end(),
                         [](const State &state) { return state.name == "step.lr"; });
  State other = *lr;
  other.name = "other.lr";
  description.states.push_back(other);
  for (Variant &variant : description.variants)
    variant.layouts.resize(description.states.size());
  ArtifactHandle doubled = load(description);
  SessionHandle both = open(doubled.get());
  EXPECT_EQ(dlc_session_hyperparameter_set(both.get(), "lr", 1, &status), DLC_INVALID_ARGUMENT);
  EXPECT_STREQ(status.message, "several hyperparameters are called lr: say step.lr or other.lr");
  EXPECT_EQ(dlc_session_state_read(session.get(), -1, &value, 4, &status), DLC_INVALID_ARGUMENT);
  int64_t iteration;
  EXPECT_EQ(dlc_session_iteration_get(session.get(), predict, &iteration, &status), DLC_NOT_FOUND);
  EXPECT_STREQ(status.message, "predict has no iteration: it does not train");
  EXPECT_EQ(dlc_session_run(session.get(), 9, nullptr, 0, nullptr, 0, &status), DLC_INVALID_ARGUMENT);
}

TEST_F(Session, ChoosesVariants) {
  EXPECT_EQ(dlc_session_variant(session.get()), 0);
  dlc_session_options_t options = {};
  dlc_session_t *refused = nullptr;
  dlc_status_t status;
  options.variant = "impossible";
  EXPECT_EQ(dlc_session_create(artifact.get(), &options, &refused, &status), DLC_UNSUPPORTED);
  EXPECT_STREQ(status.message,
               "this machine cannot run the variant impossible: it lacks no-such-feature nor-this");
  options.variant = "x86-64-v9";
  EXPECT_EQ(dlc_session_create(artifact.get(), &options, &refused, &status), DLC_NOT_FOUND);
  options.variant = nullptr;
  options.device = "cuda";
  EXPECT_EQ(dlc_session_create(artifact.get(), &options, &refused, &status), DLC_UNSUPPORTED);
  EXPECT_STREQ(status.message, "the artifact has no code for cuda; compile it with --target cuda");
  options.device = "toaster";
  EXPECT_EQ(dlc_session_create(artifact.get(), &options, &refused, &status), DLC_INVALID_ARGUMENT);
  EXPECT_EQ(refused, nullptr);

  // When not even the least variant runs, its name and what is missing are said.
  ArtifactDescription description = makeLittleModel();
  description.variants[0].features = {"a-feature-of-the-future"};
  ArtifactHandle future = load(description);
  EXPECT_EQ(dlc_session_create(future.get(), nullptr, &refused, &status), DLC_UNSUPPORTED);
  EXPECT_STREQ(status.message,
               "this machine cannot run even the variant generic: it lacks a-feature-of-the-future");
}

TEST_F(Session, SharedStatesCannotBeWritten) {
  dlc_session_options_t options = {};
  options.share_states = session.get();
  SessionHandle reader = open(artifact.get(), options);
  ASSERT_TRUE(reader);
  dlc_status_t status;
  Values values(6);
  EXPECT_EQ(dlc_session_state_write(reader.get(), w, values.data(), 24, &status), DLC_INVALID_ARGUMENT);
  EXPECT_STREQ(status.message, "w is shared: write it in the session that owns it");
  EXPECT_EQ(dlc_session_state_read(reader.get(), m, values.data(), 24, &status), DLC_INVALID_ARGUMENT);
  EXPECT_EQ(dlc_session_initialize(reader.get(), &status), DLC_INVALID_ARGUMENT);
  float x[3] = {}, loss;
  dlc_tensor_t argument = tensor(x, DLC_F32, {1, 3}), result = tensor(&loss, DLC_F32, {});
  EXPECT_EQ(dlc_session_run(reader.get(), step, &argument, 1, &result, 1, &status), DLC_INVALID_ARGUMENT);
  EXPECT_STREQ(status.message,
               "step writes w, which this session only shares; run it in the session that owns the "
               "states");
  // What the owner writes is seen; the owner may go first.
  values = {1, 2, 3, 4, 5, 6};
  ASSERT_EQ(dlc_session_state_write(session.get(), w, values.data(), 24, nullptr), DLC_OK);
  session.reset();
  EXPECT_EQ(infer(reader.get(), predict, {0, 0, 0}), (Values{5, 7, 9}));
}

TEST_F(Session, ConcurrentSessionsShareWeights) {
  Values values = {1, 2, 3, 4, 5, 6};
  ASSERT_EQ(dlc_session_state_write(session.get(), w, values.data(), 24, nullptr), DLC_OK);
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      dlc_session_options_t options = {};
      options.share_states = session.get();
      options.threads = 1 + t % 2;
      SessionHandle reader = open(artifact.get(), options);
      for (int i = 0; i < 100; ++i) {
        auto base = float(t * 1000 + i);
        wrong += infer(reader.get(), predict, Values(size_t(3 * (1 + i % 5)), base))[1] != base + 7;
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(Session, StaysWithinThePlannedMemory) {
  for (int32_t threads : {1, 3})
    for (int64_t n : {1, 7, 64}) {
      dlc_memory_plan_t plan;
      dlc_status_t status;
      ASSERT_EQ(dlc_variant_memory_plan(artifact.get(), 0, step, &n, threads, &plan, &status), DLC_OK)
          << status.message;
      dlc_session_options_t options = {};
      options.threads = threads;
      session = open(artifact.get(), options);
      ASSERT_EQ(dlc_session_initialize(session.get(), nullptr), DLC_OK);
      train(Values(size_t(3 * n)));
      dlc_memory_stats_t stats;
      dlc_session_memory(session.get(), &stats);
      EXPECT_EQ(stats.peak_bytes, plan.peak_bytes);
      EXPECT_EQ(stats.state_bytes, plan.state_bytes);
      EXPECT_EQ(stats.arena_bytes, plan.arena_bytes);
      EXPECT_EQ(stats.scratch_bytes, plan.scratch_bytes);
    }
}

TEST_F(Session, LogsWhatItChoseAndAllocated) {
  std::vector<std::string> lines;
  dlc_log_t log = {&lines, [](void *context, dlc_log_level_t level, const char *message) {
                     EXPECT_EQ(level, DLC_LOG_INFO);
                     static_cast<std::vector<std::string> *>(context)->push_back(message);
                   }};
  dlc_session_options_t options = {};
  options.log = &log;
  options.threads = 2;
  session = open(artifact.get(), options);
  train({1, 2, 3});
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "variant generic, 2 threads, 384 bytes of states");
  EXPECT_EQ(lines[1], "256 bytes for buffers"); // two of 12 bytes, the staged argument and result
}

TEST_F(Session, GivesAllMemoryBack) {
  struct Counter {
    int64_t bytes = 0, blocks = 0;
  } counter;
  dlc_allocator_t allocator = {&counter,
                               [](void *context, size_t size, size_t alignment) -> void * {
                                 auto *counter = static_cast<Counter *>(context);
                                 counter->bytes += int64_t(size);
                                 counter->blocks += 1;
                                 return std::aligned_alloc(alignment,
                                                           (size + alignment - 1) / alignment * alignment);
                               },
                               [](void *context, void *pointer, size_t size, size_t) {
                                 auto *counter = static_cast<Counter *>(context);
                                 counter->bytes -= int64_t(size);
                                 counter->blocks -= 1;
                                 std::free(pointer);
                               }};
  dlc_session_options_t options = {};
  options.allocator = &allocator;
  options.threads = 2;
  session = open(artifact.get(), options);
  ASSERT_EQ(dlc_session_initialize(session.get(), nullptr), DLC_OK);
  train(Values(12));
  options.share_states = session.get();
  SessionHandle reader = open(artifact.get(), options);
  infer(reader.get(), predict, Values(30));
  EXPECT_GT(counter.blocks, 4);
  session.reset();
  reader.reset();
  EXPECT_EQ(counter.bytes, 0);
  EXPECT_EQ(counter.blocks, 0);
}

} // namespace
