// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/parallel.h"

#include <gtest/gtest.h>

#include <vector>

namespace dlc::data {
namespace {

TEST(Parallel, EveryIndexIsCalledOnce) {
  for (int64_t count : {0, 1, 2, 1000}) {
    std::vector<int> calls(static_cast<size_t>(count));
    ASSERT_TRUE(parallel_for(count, [&](int64_t i) {
                  ++calls[static_cast<size_t>(i)];
                  return Status();
                }).ok());
    EXPECT_EQ(calls, std::vector<int>(calls.size(), 1));
  }
}

TEST(Parallel, TheFirstFailureIsTheResult) {
  for (int round = 0; round < 50; ++round)
    EXPECT_EQ(parallel_for(500,
                           [](int64_t i) {
                             return i % 100 == 73 ? Status::input("number " + std::to_string(i)) : Status();
                           })
                  .message(),
              "number 73");
}

} // namespace
} // namespace dlc::data
