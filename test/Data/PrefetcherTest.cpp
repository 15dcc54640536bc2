// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/prefetcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <unistd.h>

namespace dlc::data {
namespace {

/// Row i is the number i, with draws i + 1000 * (epoch + 1). Counts how often it is read, and may fail.
class Counted : public DataSet {
public:
  const std::vector<Column> &columns() const override { return columns_; }
  int64_t size() const override { return 10; }

  mutable std::atomic<int> reads = 0;
  std::atomic<int> failing = -1; ///< The row that cannot be read.
  std::atomic<int> delay = 0;    ///< Microseconds a batch takes.

protected:
  Status read_rows(size_t, std::span<const int64_t> rows, const Draws *draws, void *out) const override {
    ++reads;
    if (delay > 0)
      usleep(static_cast<useconds_t>(delay));
    for (int32_t *to = static_cast<int32_t *>(out); int64_t row : rows) {
      if (row == failing)
        return Status::input(format("row %d is damaged", static_cast<int>(row)));
      *to++ = static_cast<int32_t>(row + (draws ? 1000 * (draws->epoch + 1) : 0));
    }
    return {};
  }

private:
  std::vector<Column> columns_ = {{"row", DataType::i32, {}, 0}};
};

using Rows = std::vector<int32_t>;

Rows next(Prefetcher &prefetcher) {
  static Prefetcher::Batch batch; // its memory is used again, whatever it was
  Status status = prefetcher.next(batch);
  EXPECT_TRUE(status.ok()) << status.message();
  Rows rows(batch.rows.size());
  memcpy(rows.data(), batch.buffers.at(0).data(), rows.size() * 4);
  return rows;
}

/// The rows of so many batches, in the batcher's order.
std::vector<Rows> expected(int batches, int64_t batch, uint64_t seed, Position from = {}) {
  Batcher batcher(10, batch, seed, true);
  EXPECT_TRUE(batcher.restore(from).ok());
  std::vector<Rows> all;
  for (int i = 0; i < batches; ++i) {
    Rows &rows = all.emplace_back();
    for (int64_t row : batcher.next())
      rows.push_back(static_cast<int32_t>(row + 1000 * (batcher.position().epoch + 1)));
  }
  return all;
}

TEST(Prefetcher, BatchesAreTheBatchers) {
  for (size_t depth : {0, 1, 2, 7}) {
    Counted set;
    set.delay = 100;
    Prefetcher prefetcher(set, {0}, 4, 5, true, false, true, depth);
    Batcher batcher(10, 4, 5, true);
    for (const Rows &rows : expected(20, 4, 5)) {
      EXPECT_EQ(next(prefetcher), rows);
      batcher.next();
      EXPECT_EQ(prefetcher.position(), batcher.position());
      EXPECT_EQ(prefetcher.epoch_complete(), batcher.epoch_complete());
    }
  }
}

TEST(Prefetcher, NoMoreThanDepthIsReadAhead) {
  Counted set;
  Prefetcher prefetcher(set, {0}, 2, 5, true, false, false, 3);
  EXPECT_EQ(set.reads, 0);
  next(prefetcher);
  for (int i = 0; i < 1000 && set.reads < 4; ++i)
    usleep(1000);
  usleep(20000);
  EXPECT_EQ(set.reads, 4);
}

TEST(Prefetcher, RestoringGoesOnFromThere) {
  Counted set;
  Prefetcher prefetcher(set, {0}, 3, 9, true, false, true, 2);
  for (int i = 0; i < 5; ++i)
    next(prefetcher);
  Position position = prefetcher.position();
  std::vector<Rows> wanted = expected(6, 3, 9, position);
  EXPECT_EQ(next(prefetcher), wanted[0]);
  EXPECT_EQ(next(prefetcher), wanted[1]);
  ASSERT_TRUE(prefetcher.restore(position).ok());
  EXPECT_EQ(prefetcher.position(), position);
  Prefetcher other(set, {0}, 3, 9, true, false, true, 2);
  ASSERT_TRUE(other.restore(position).ok());
  for (const Rows &rows : wanted) {
    EXPECT_EQ(next(prefetcher), rows);
    EXPECT_EQ(next(other), rows);
  }
  EXPECT_EQ(prefetcher.restore({0, 11}).message(),
            "data position epoch 0, row 11 lies outside the data set of 10 rows");
  EXPECT_EQ(next(prefetcher), expected(7, 3, 9, position)[6]);
}

TEST(Prefetcher, AFailureComesInItsTurnAndMayPass) {
  Counted set;
  std::vector<Rows> wanted = expected(4, 4, 5);
  set.failing = wanted[1][2] - 1000;
  Prefetcher prefetcher(set, {0}, 4, 5, true, false, true, 3);
  EXPECT_EQ(next(prefetcher), wanted[0]);
  Position before = prefetcher.position();
  Prefetcher::Batch batch;
  std::string message = "row " + std::to_string(set.failing) + " is damaged";
  EXPECT_EQ(prefetcher.next(batch).message(), message);
  EXPECT_EQ(prefetcher.position(), before);
  EXPECT_EQ(prefetcher.next(batch).message(), message);
  set.failing = -1;
  for (size_t i = 1; i < wanted.size(); ++i)
    EXPECT_EQ(next(prefetcher), wanted[i]);
}

TEST(Prefetcher, EndsWhileItReads) {
  Counted set;
  set.delay = 2000;
  for (int i = 0; i < 20; ++i) {
    Prefetcher prefetcher(set, {0}, 2, 5, true, false, false, 2);
    next(prefetcher);
  }
  Prefetcher unused(set, {0}, 2, 5, true, false, false, 2);
}

} // namespace
} // namespace dlc::data
