// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order in which rows are trained on: a seeded permutation per epoch, cut into batches.
#ifndef DLC_RUNTIME_DATA_BATCHER_H
#define DLC_RUNTIME_DATA_BATCHER_H

#include "runtime/data/status.h"

#include <cstdint>
#include <span>
#include <vector>

namespace dlc::data {

/// splitmix64 (Steele, Lea, Flood 2014): a bijection of 64-bit numbers that looks random.
constexpr uint64_t splitmix64(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return x ^ x >> 31;
}

/// The order of an epoch, 0 <= epoch: a permutation of 0 to size - 1, the same on every machine.
///
/// Fisher-Yates from the end: for i = size - 1 down to 1, swap entries i and j, where j is drawn from [0, i]
/// as floor(r * (i + 1) / 2^64), r = splitmix64(key + k) for the k-th draw (k = 0, 1, ...; draws whose low
/// product word is under 2^64 mod (i + 1) are rejected, so that every j is equally likely, Lemire 2019), and
/// key = splitmix64(splitmix64(seed) ^ epoch).
void shuffled_order(uint64_t seed, int64_t epoch, int64_t size, std::vector<int64_t> &out_order);

/// Where a run over a data set stands. Saved in checkpoints; restoring it gives the same batches from there
/// on.
struct Position {
  int64_t epoch = 0; ///< Completed epochs.
  int64_t row = 0;   ///< Rows of the current epoch that have been used.
  bool operator==(const Position &) const = default;
};

/// Cuts data sets into batches. The last batch of an epoch has what is left, at least one row; with
/// drop_last, for what takes full batches only, these rows are left out (other ones in every epoch when
/// shuffling).
class Batcher {
public:
  /// size and batch at least 1; with drop_last, size is at least batch. Without shuffling, rows come in their
  /// own order.
  Batcher(int64_t size, int64_t batch, uint64_t seed, bool shuffle, bool drop_last = false);

  /// The rows of the next batch, valid until the next call.
  std::span<const int64_t> next();
  Position position() const { return position_; }
  /// Fails when position lies outside the data set: a checkpoint of other data.
  Status restore(Position position);
  /// How many batches an epoch has.
  int64_t batches_per_epoch() const { return (rows_per_epoch() + batch_ - 1) / batch_; }
  /// How many rows an epoch uses.
  int64_t rows_per_epoch() const { return drop_last_ ? size_ - size_ % batch_ : size_; }
  /// Whether the current epoch has no further batch.
  bool epoch_complete() const { return rows_left() < (drop_last_ ? batch_ : 1); }

private:
  void order_epoch();
  int64_t rows_left() const { return size_ - position_.row; }

  int64_t size_, batch_;
  uint64_t seed_;
  bool shuffle_, drop_last_;
  Position position_;
  std::vector<int64_t> order_; ///< Of position_.epoch.
};

} // namespace dlc::data

#endif // DLC_RUNTIME_DATA_BATCHER_H
