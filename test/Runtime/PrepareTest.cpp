// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests that prepare places buffers so that no two conflicting ones overlap, at the lowest possible offsets,
// and that it refuses dims and bindings that do not fit.

#include "test/Runtime/Models.h"

#include <gtest/gtest.h>

#include <random>

using namespace dlc::artifact;
using namespace dlc::test;

namespace {

constexpr uint32_t maxBuffers = 40;

/// An entry whose only command reports the addresses of all its buffers. dims[0] of the kernel is the number
/// of buffers, so n is bound to it.
ArtifactDescription makeAddresses(std::vector<Buffer> buffers) {
  auto count = int64_t(buffers.size());
  Entry entry;
  entry.symbols = {{"n", 1, INT64_MAX, 1}};
  entry.results = {{"addresses", Dtype::I64, {Expression::symbol(0)}, ReportKind::None}};
  Plan plan;
  std::vector<Binding> bindings;
  for (uint32_t i = 0; i < count; ++i)
    bindings.push_back(bind(BindingKind::Buffer, i, Access::Write, buffers[i].size));
  bindings.push_back(bind(BindingKind::Result, 0, Access::Write, count * 8));
  plan.buffers = std::move(buffers);
  plan.commands = {run(AddressesKernel, 1, bindings)};
  return makeOneEntry(entry, plan);
}

dlc_code_t prepare(dlc_session_t *session, std::vector<int64_t> dims, dlc_status_t *status) {
  dlc_prepared_t *prepared;
  return dlc_session_prepare(session, 0, dims.data(), int32_t(dims.size()), &prepared, status);
}

TEST(Prepare, NeverOverlapsConflictingBuffers) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    uint32_t count = 1 + uint32_t(random() % maxBuffers);
    std::vector<Buffer> buffers(count);
    std::vector<uint64_t> sizes(count);
    std::vector<std::vector<bool>> conflicts(count, std::vector<bool>(count));
    uint64_t density = random() % 101;
    for (uint32_t i = 0; i < count; ++i) {
      sizes[i] = random() % 10 == 0 ? 0 : random() % 1000;
      buffers[i].size = int64_t(sizes[i]);
      for (uint32_t j = 0; j < i; ++j)
        if (random() % 100 < density) {
          conflicts[i][j] = true;
          // Either side may name the pair.
          if (random() % 2)
            buffers[i].conflicts.push_back(j);
          else
            buffers[j].conflicts.push_back(i);
        }
    }
    ArtifactHandle artifact = load(makeAddresses(buffers));
    ASSERT_TRUE(artifact);
    SessionHandle session = open(artifact.get());
    std::vector<int64_t> addresses(count);
    dlc_tensor_t result = tensor(addresses.data(), DLC_I64, {count});
    int64_t dims = count;
    dlc_prepared_t *prepared;
    dlc_status_t status;
    ASSERT_EQ(dlc_session_prepare(session.get(), 0, &dims, 1, &prepared, &status), DLC_OK) << status.message;
    ASSERT_EQ(dlc_prepared_run(prepared, nullptr, 0, &result, 1, &status), DLC_OK) << status.message;

    int64_t arena = *std::min_element(addresses.begin(), addresses.end());
    auto end = [&](uint32_t i) { return addresses[i] + (int64_t(sizes[i]) + 63) / 64 * 64; };
    uint64_t highest = 0;
    for (uint32_t i = 0; i < count; ++i) {
      EXPECT_EQ(addresses[i] % 64, 0);
      highest = std::max(highest, uint64_t(end(i) - arena));
      // First fit: at every lower multiple of 64 some conflicting buffer is in the way.
      for (int64_t lower = arena; lower < addresses[i]; lower += 64) {
        bool blocked = false;
        for (uint32_t j = 0; j < i; ++j)
          blocked |=
              conflicts[i][j] && sizes[j] > 0 && lower < end(j) && addresses[j] < lower + int64_t(sizes[i]);
        EXPECT_TRUE(blocked) << "buffer " << i << " could lie lower";
      }
      for (uint32_t j = 0; j < i; ++j)
        if (conflicts[i][j] && sizes[i] > 0 && sizes[j] > 0)
          EXPECT_TRUE(end(i) <= addresses[j] || end(j) <= addresses[i]) << i << " overlaps " << j;
    }
    dlc_memory_stats_t stats;
    dlc_session_memory(session.get(), &stats);
    EXPECT_EQ(stats.arena_bytes, highest + (uint64_t(count) * 8 + 63) / 64 * 64);
  }
}

TEST(Prepare, SharesOneArenaAndReusesHandles) {
  ArtifactDescription description = makeAddresses({{Expression::symbol(1) * 64, {}}});
  description.entries[0].symbols.push_back({"m", 1, INT64_MAX, 1});
  ArtifactHandle artifact = load(description);
  SessionHandle session = open(artifact.get());
  dlc_prepared_t *small, *large, *again;
  int64_t one[] = {1, 1}, many[] = {1, 5000};
  ASSERT_EQ(dlc_session_prepare(session.get(), 0, one, 2, &small, nullptr), DLC_OK);
  ASSERT_EQ(dlc_session_prepare(session.get(), 0, many, 2, &large, nullptr), DLC_OK);
  ASSERT_EQ(dlc_session_prepare(session.get(), 0, one, 2, &again, nullptr), DLC_OK);
  EXPECT_EQ(small, again);
  EXPECT_NE(small, large);
  // The arena moved when the larger one was prepared, and the smaller one moved with it.
  int64_t smallAddress = 0, largeAddress = 1;
  dlc_tensor_t smallResult = tensor(&smallAddress, DLC_I64, {1}),
               largeResult = tensor(&largeAddress, DLC_I64, {1});
  dlc_status_t status;
  ASSERT_EQ(dlc_prepared_run(small, nullptr, 0, &smallResult, 1, &status), DLC_OK) << status.message;
  ASSERT_EQ(dlc_prepared_run(large, nullptr, 0, &largeResult, 1, &status), DLC_OK) << status.message;
  EXPECT_EQ(smallAddress, largeAddress);
}

TEST(Prepare, RefusesDimsThatAConstraintForbids) {
  Expression n = Expression::symbol(0), m = Expression::symbol(1);
  ArtifactDescription description = makeAddresses({{64, {}}});
  Entry &entry = description.entries[0];
  entry.name = "p";
  entry.symbols.push_back({"m", 1, INT64_MAX, 1});
  entry.constraints = {{n - 1, "x[0] needs n - 1 >= 0", {"at.dl", 1, 2}},
                       {m - n - 4, "x[7] needs m - n - 4 >= 0", {"at.dl", 3, 43}},
                       {Expression(0) - m.mod(n * 4), "the signature needs m % (4*n) == 0", {"at.dl", 1, 9}}};
  ArtifactHandle artifact = load(description);
  SessionHandle session = open(artifact.get());
  dlc_status_t status;
  EXPECT_EQ(prepare(session.get(), {1, 8}, &status), DLC_OK) << status.message;
  EXPECT_EQ(prepare(session.get(), {1, 4}, &status), DLC_INVALID_ARGUMENT);
  EXPECT_STREQ(status.message, "p: x[7] needs m - n - 4 >= 0 at n = 1, m = 4 (at.dl:3:43)");
  EXPECT_EQ(prepare(session.get(), {1, 9}, &status), DLC_INVALID_ARGUMENT);
  EXPECT_STREQ(status.message, "p: the signature needs m % (4*n) == 0 at n = 1, m = 9 (at.dl:1:9)");
  // What overflows is not satisfied.
  EXPECT_EQ(prepare(session.get(), {INT64_MAX / 2, INT64_MAX}, &status), DLC_INVALID_ARGUMENT);
  // The same check stands before every use of dims.
  dlc_tensor_t shape;
  int64_t dims[] = {1, 4};
  EXPECT_EQ(dlc_entry_result_shape(artifact.get(), 0, 0, dims, &shape, &status), DLC_INVALID_ARGUMENT);
  EXPECT_STREQ(status.message, "p: x[7] needs m - n - 4 >= 0 at n = 1, m = 4 (at.dl:3:43)");
}

TEST(Prepare, RefusesDimsThatOverflow) {
  Expression n = Expression::symbol(0);
  ArtifactHandle artifact = load(makeAddresses({{n * n * n, {}}}));
  SessionHandle session = open(artifact.get());
  dlc_status_t status;
  for (int64_t value : {int64_t(1) << 22, int64_t(1) << 40, INT64_MAX}) {
    EXPECT_EQ(prepare(session.get(), {value}, &status), DLC_OVERFLOW) << value;
    const char *said = value == INT64_MAX
                           ? "addresses: dimension 0, n, is too large at n = 9223372036854775807"
                           : "run: the size of buffer 0 does not fit at these dims; use smaller ones";
    EXPECT_STREQ(status.message, said);
  }
  EXPECT_EQ(prepare(session.get(), {16}, &status), DLC_OK) << status.message;
}

TEST(Prepare, ChecksDimsAgainstTheSymbols) {
  Entry entry;
  entry.symbols = {{"n", 2, 12, 1}, {"m", 1, INT64_MAX, 4}};
  ArtifactHandle artifact = load(makeOneEntry(entry, {}));
  SessionHandle session = open(artifact.get());
  dlc_status_t status;
  EXPECT_EQ(prepare(session.get(), {12, 8}, &status), DLC_OK) << status.message;
  EXPECT_EQ(prepare(session.get(), {13, 8}, &status), DLC_INVALID_ARGUMENT);
  EXPECT_STREQ(status.message,
               "run: n = 13, 2 to 12 expected (bounds of --max and --bind, or the model's own)");
  EXPECT_EQ(prepare(session.get(), {1, 8}, &status), DLC_INVALID_ARGUMENT);
  EXPECT_EQ(prepare(session.get(), {12, 6}, &status), DLC_INVALID_ARGUMENT);
  EXPECT_STREQ(status.message, "run: m = 6, a multiple of 4 expected");
  EXPECT_EQ(prepare(session.get(), {12, 0}, &status), DLC_INVALID_ARGUMENT);
  EXPECT_STREQ(status.message, "run: m = 0, at least 1 expected");
  EXPECT_EQ(prepare(session.get(), {12}, &status), DLC_INVALID_ARGUMENT);
  EXPECT_STREQ(status.message, "run has 2 symbolic dimensions, 1 values given");
}

// Tests that a result whose size is impossible names its formula, its value and the dims that gave it.
TEST(Prepare, NamesADimensionThatIsNegativeOrTooLarge) {
  Expression n = Expression::symbol(0), t = Expression::symbol(1);
  Entry entry;
  entry.symbols = {{"n", 1, INT64_MAX, 1}, {"t", 1, INT64_MAX, 1}};
  entry.results = {{"tail", Dtype::F32, {n, t - 5}, ReportKind::None}};
  ArtifactHandle artifact = load(makeOneEntry(entry, {}));
  dlc_status_t status;
  dlc_tensor_t shape;
  auto result = [&](std::vector<int64_t> dims) {
    return dlc_entry_result_shape(artifact.get(), 0, 0, dims.data(), &shape, &status);
  };
  EXPECT_EQ(result({2, 5}), DLC_OK) << status.message;
  EXPECT_EQ(result({2, 3}), DLC_OVERFLOW);
  EXPECT_STREQ(status.message, "tail: dimension 1 is t - 5 = -2 at n = 2, t = 3");
  EXPECT_EQ(result({int64_t(1) << 60, 7}), DLC_OVERFLOW);
  EXPECT_STREQ(status.message, "tail: dimension 0, n, is too large at n = 1152921504606846976, t = 7");
}

// Tests that a size which no argument has alone must be given, not guessed.
TEST(Prepare, NamesASizeThatDoesNotFollowFromTheShapes) {
  Entry entry;
  entry.symbols = {{"n", 1, INT64_MAX, 1}, {"t", 1, INT64_MAX, 1}};
  entry.arguments = {{"x", Dtype::F32, {Expression::symbol(0), Expression::symbol(1) * 2}, ReportKind::None}};
  ArtifactHandle artifact = load(makeOneEntry(entry, {}));
  dlc_status_t status;
  float elements[8];
  dlc_tensor_t x = tensor(elements, DLC_F32, {2, 4});
  int64_t dims[2];
  EXPECT_EQ(dlc_entry_dims_solve(artifact.get(), 0, &x, 1, dims, &status), DLC_INVALID_ARGUMENT);
  EXPECT_STREQ(
      status.message,
      "run: the value of t does not follow from the shapes of the arguments; prepare the entry with it");
}

/// Prepares a loop of `count` runs over a buffer of 64 bytes with one binding of 8 bytes.
dlc_code_t prepareBinding(Expression count, Expression offset, LoopTerm term, dlc_status_t *status) {
  Entry entry;
  entry.symbols = {{"n", 0, INT64_MAX, 1}};
  Plan plan;
  plan.buffers = {{64, {}}};
  plan.commands = {
      loop(count, {run(MarkKernel, 1, {bind(BindingKind::Buffer, 0, Access::Write, 8, offset, {term})})})};
  ArtifactHandle artifact = load(makeOneEntry(entry, plan));
  SessionHandle session = open(artifact.get());
  return prepare(session.get(), {8}, status);
}

TEST(Prepare, ChecksBindingsOverAllIterations) {
  Expression n = Expression::symbol(0);
  dlc_status_t status;
  EXPECT_EQ(prepareBinding(n, 0, {8}, &status), DLC_OK) << status.message;
  EXPECT_EQ(prepareBinding(n + 1, 0, {8}, &status), DLC_MALFORMED);
  EXPECT_NE(std::string(status.message).find("reaches bytes 0 to 72 of 64"), std::string::npos)
      << status.message;
  EXPECT_EQ(prepareBinding(n, 56, {-8}, &status), DLC_OK) << status.message;
  EXPECT_EQ(prepareBinding(n, 48, {-8}, &status), DLC_MALFORMED);
  EXPECT_NE(std::string(status.message).find("reaches bytes -8"), std::string::npos) << status.message;
  EXPECT_EQ(prepareBinding(n * 1000, 0, {32, 2, 1}, &status), DLC_OK) << status.message;
  EXPECT_EQ(prepareBinding(1, 32, {32, 2, 0}, &status), DLC_OK) << status.message;
  EXPECT_EQ(prepareBinding(1, 32, {32, 2, 1}, &status), DLC_MALFORMED);
  EXPECT_EQ(prepareBinding(0, 1000, {8}, &status), DLC_OK) << "a loop that never runs reaches nothing";
  EXPECT_EQ(prepareBinding(n - 9, 0, {8}, &status), DLC_OVERFLOW) << "a negative count";
  EXPECT_EQ(prepareBinding(INT32_MAX, 0, {int64_t(1) << 40}, &status), DLC_OVERFLOW);
}

TEST(Prepare, ReportsWhenMemoryIsShortAndRecovers) {
  // Everything up to a limit can be allocated.
  struct Limited {
    size_t limit;
  } limited = {64 << 10};
  dlc_allocator_t allocator = {&limited,
                               [](void *context, size_t size, size_t alignment) -> void * {
                                 return size > static_cast<Limited *>(context)->limit
                                            ? nullptr
                                            : std::aligned_alloc(alignment, (size + alignment - 1) /
                                                                                alignment * alignment);
                               },
                               [](void *, void *pointer, size_t, size_t) { std::free(pointer); }};
  ArtifactHandle artifact = load(makeAddresses({{Expression::symbol(0) * 1024, {}}}));
  dlc_session_options_t options = {};
  options.allocator = &allocator;
  SessionHandle session = open(artifact.get(), options);
  dlc_prepared_t *small, *large;
  int64_t one = 1, thousand = 1000;
  dlc_status_t status;
  ASSERT_EQ(dlc_session_prepare(session.get(), 0, &one, 1, &small, &status), DLC_OK) << status.message;
  EXPECT_EQ(dlc_session_prepare(session.get(), 0, &thousand, 1, &large, &status), DLC_OUT_OF_MEMORY);
  EXPECT_EQ(large, nullptr);
  int64_t address = 0;
  dlc_tensor_t result = tensor(&address, DLC_I64, {1});
  EXPECT_EQ(dlc_prepared_run(small, nullptr, 0, &result, 1, &status), DLC_OUT_OF_MEMORY);
  EXPECT_STREQ(status.message,
               "run lost its memory when a larger entry could not be prepared; prepare it again");
  ASSERT_EQ(dlc_session_prepare(session.get(), 0, &one, 1, &small, &status), DLC_OK) << status.message;
  EXPECT_EQ(dlc_prepared_run(small, nullptr, 0, &result, 1, &status), DLC_OK) << status.message;
}

} // namespace
