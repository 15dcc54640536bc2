// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/batcher.h"

#include <algorithm>
#include <numeric>

namespace dlc::data {

void shuffled_order(uint64_t seed, int64_t epoch, int64_t size, std::vector<int64_t> &out_order) {
  out_order.resize(static_cast<size_t>(size));
  std::iota(out_order.begin(), out_order.end(), int64_t{0});
  uint64_t next = splitmix64(splitmix64(seed) ^ static_cast<uint64_t>(epoch));
  for (uint64_t i = static_cast<uint64_t>(size); i-- > 1;) {
    uint64_t range = i + 1;
    unsigned __int128 product;
    do
      product = static_cast<unsigned __int128>(splitmix64(next++)) * range;
    while (static_cast<uint64_t>(product) < -range % range);
    std::swap(out_order[i], out_order[static_cast<uint64_t>(product >> 64)]);
  }
}

Batcher::Batcher(int64_t size, int64_t batch, uint64_t seed, bool shuffle, bool drop_last)
    : size_(size), batch_(std::min(batch, size)), seed_(seed), shuffle_(shuffle), drop_last_(drop_last) {
  order_epoch();
}

void Batcher::order_epoch() {
  if (shuffle_) {
    shuffled_order(seed_, position_.epoch, size_, order_);
  } else if (order_.empty()) {
    order_.resize(static_cast<size_t>(size_));
    std::iota(order_.begin(), order_.end(), int64_t{0});
  }
}

std::span<const int64_t> Batcher::next() {
  // The epoch ends lazily, so that rows handed out stay valid and position() says "all rows used" in between.
  if (epoch_complete()) {
    position_ = {position_.epoch + 1, 0};
    order_epoch();
  }
  int64_t count = std::min(batch_, rows_left());
  std::span<const int64_t> rows(order_.data() + position_.row, static_cast<size_t>(count));
  position_.row += count;
  return rows;
}

Status Batcher::restore(Position position) {
  if (position.epoch < 0 || position.row < 0 || position.row > size_)
    return Status::input(format("data position epoch %lld, row %lld lies outside the data set of %lld rows",
                                static_cast<long long>(position.epoch), static_cast<long long>(position.row),
                                static_cast<long long>(size_)));
  position_ = position;
  order_epoch();
  return {};
}

} // namespace dlc::data
