// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/batcher.h"

#include <gtest/gtest.h>
#include <set>

#include <algorithm>
#include <numeric>

namespace dlc::data {
namespace {

std::vector<int64_t> order(uint64_t seed, int64_t epoch, int64_t size) {
  std::vector<int64_t> result;
  shuffled_order(seed, epoch, size, result);
  return result;
}

TEST(Batcher, OrderIsAPermutationThatDependsOnSeedAndEpochOnly) {
  std::vector<int64_t> first = order(1, 0, 1000);
  std::vector<int64_t> sorted = first;
  std::sort(sorted.begin(), sorted.end());
  std::vector<int64_t> all(1000);
  std::iota(all.begin(), all.end(), int64_t{0});
  EXPECT_EQ(sorted, all);
  EXPECT_EQ(first, order(1, 0, 1000));
  EXPECT_NE(first, order(2, 0, 1000));
  EXPECT_NE(first, order(1, 1, 1000));
  EXPECT_TRUE(order(1, 0, 0).empty());
  EXPECT_EQ(order(1, 0, 1), std::vector<int64_t>{0});
}

// Written out by the documented algorithm in Python (test/Data/shuffled_order.py): a change of the order
// breaks every checkpoint and every published figure.
TEST(Batcher, OrderIsTheDocumentedOne) {
  EXPECT_EQ(order(0, 0, 10), (std::vector<int64_t>{7, 8, 6, 9, 3, 0, 5, 4, 2, 1}));
  EXPECT_EQ(order(7, 3, 10), (std::vector<int64_t>{1, 2, 5, 7, 8, 9, 4, 0, 3, 6}));
}

// Every element is equally likely in every place: a chi-squared of 20 * 20 cells, 399 - 20 - 19 degrees of
// freedom (361), stays under the 99.9999 % point, about 498, for a fair shuffle.
TEST(Batcher, OrderIsFair) {
  constexpr int size = 20, rounds = 4000;
  std::vector<int> count(size * size);
  for (int epoch = 0; epoch < rounds; ++epoch) {
    std::vector<int64_t> shuffled = order(5, epoch, size);
    for (int i = 0; i < size; ++i)
      ++count[static_cast<size_t>(i * size + shuffled[static_cast<size_t>(i)])];
  }
  double expected = static_cast<double>(rounds) / size, squares = 0;
  for (int c : count)
    squares += (c - expected) * (c - expected) / expected;
  EXPECT_LT(squares, 498);
  EXPECT_GT(squares, 250);
}

TEST(Batcher, LastBatchHasWhatIsLeft) {
  Batcher batcher(10, 4, 0, /*shuffle=*/false);
  EXPECT_EQ(batcher.batches_per_epoch(), 3);
  std::vector<size_t> sizes;
  std::vector<int64_t> seen;
  for (int i = 0; i < 3; ++i) {
    std::span<const int64_t> rows = batcher.next();
    sizes.push_back(rows.size());
    seen.insert(seen.end(), rows.begin(), rows.end());
  }
  EXPECT_EQ(sizes, (std::vector<size_t>{4, 4, 2}));
  EXPECT_EQ(seen, (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(batcher.position(), (Position{0, 10}));
  EXPECT_EQ(batcher.next().size(), 4u);
  EXPECT_EQ(batcher.position(), (Position{1, 4}));
}

TEST(Batcher, ABatchLargerThanTheDataIsTheData) {
  Batcher batcher(3, 64, 0, true);
  EXPECT_EQ(batcher.next().size(), 3u);
  EXPECT_EQ(batcher.batches_per_epoch(), 1);
}

// Tests that a batcher restored at any position continues as the one that never stopped.
TEST(Batcher, RestoredPositionContinuesExactly) {
  for (int stop = 0; stop <= 12; ++stop) {
    Batcher straight(10, 3, 9, true);
    for (int i = 0; i < stop; ++i)
      straight.next();
    Batcher resumed(10, 3, 9, true);
    ASSERT_TRUE(resumed.restore(straight.position()).ok());
    for (int i = 0; i < 9; ++i) {
      std::span<const int64_t> a = straight.next(), b = resumed.next();
      EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end()))
          << "stopped after " << stop << ", step " << i;
    }
  }
}

// Tests that rows which full batches leave over are left out, other ones in every epoch, and that an epoch
// ends there.
TEST(Batcher, DropsTheLastRowsOfAnEpoch) {
  Batcher batcher(10, 4, 9, true, /*drop_last=*/true);
  EXPECT_EQ(batcher.batches_per_epoch(), 2);
  EXPECT_EQ(batcher.rows_per_epoch(), 8);
  std::set<std::set<int64_t>> left_out;
  for (int epoch = 0; epoch < 6; ++epoch) {
    std::set<int64_t> unused;
    for (int64_t row = 0; row < 10; ++row)
      unused.insert(row);
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(batcher.epoch_complete(), i == 0 && epoch > 0);
      std::span<const int64_t> rows = batcher.next();
      ASSERT_EQ(rows.size(), 4u);
      for (int64_t row : rows)
        EXPECT_EQ(unused.erase(row), 1u);
    }
    EXPECT_EQ(batcher.position(), (Position{epoch, 8}));
    left_out.insert(unused);
  }
  EXPECT_GT(left_out.size(), 2u);
  EXPECT_EQ(batcher.restore({0, 11}).message(),
            "data position epoch 0, row 11 lies outside the data set of 10 rows");
}

// A training that goes on with another batch: the rows that do not fill one any more are left out.
TEST(Batcher, APositionOfAnotherBatchIsWithinItsEpoch) {
  for (int64_t row : {4, 6, 7, 9, 10}) {
    Batcher batcher(10, 4, 9, true, /*drop_last=*/true);
    ASSERT_TRUE(batcher.restore({0, row}).ok());
    EXPECT_EQ(batcher.epoch_complete(), row > 6);
    EXPECT_EQ(batcher.next().size(), 4u);
    EXPECT_EQ(batcher.position(), (row > 6 ? Position{1, 4} : Position{0, row + 4}));
  }
}

TEST(Batcher, APositionOutsideTheDataIsRefused) {
  Batcher batcher(10, 3, 9, true);
  EXPECT_EQ(batcher.restore({0, 11}).message(),
            "data position epoch 0, row 11 lies outside the data set of 10 rows");
  EXPECT_FALSE(batcher.restore({-1, 0}).ok());
}

} // namespace
} // namespace dlc::data
