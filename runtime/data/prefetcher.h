// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Batches that a thread reads ahead, so that the next is there when a step is done.
#ifndef DLC_RUNTIME_DATA_PREFETCHER_H
#define DLC_RUNTIME_DATA_PREFETCHER_H

#include "runtime/data/batcher.h"
#include "runtime/data/dataset.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <pthread.h>

namespace dlc::data {

/// Hands out the batches of a batcher with their rows read. The position is that of the batches that were
/// handed out, not of those that were read: a checkpoint is the same as without reading ahead.
///
/// Belongs to one thread at a time. Beside it, one thread reads, at most `depth` batches ahead; it never
/// touches what was handed out. Where there is no thread to be had, batches are read when they are asked for.
class Prefetcher {
public:
  struct Batch {
    std::vector<int64_t> rows;                   ///< Their places in the data set.
    std::vector<std::vector<std::byte>> buffers; ///< Each column's bytes, in the order of columns.
  };

  /// rows outlives this. columns: the indices of those that are wanted. With augment, rows are read with the
  /// draws of the batcher's seed and epoch. depth 0: batches are read when they are asked for.
  Prefetcher(const DataSet &rows, std::vector<size_t> columns, int64_t batch, uint64_t seed, bool shuffle,
             bool drop_last, bool augment, size_t depth);
  /// Ends the thread; waits for the batch that it is reading.
  ~Prefetcher();
  Prefetcher(const Prefetcher &) = delete;
  Prefetcher &operator=(const Prefetcher &) = delete;

  /// The next batch, in place of what batch had, whose memory is used again. A failure leaves the position,
  /// and the next call tries again.
  Status next(Batch &batch);

  /// Where the batches that were handed out end; as of a Batcher.
  Position position() const { return consumed_.position(); }
  bool epoch_complete() const { return consumed_.epoch_complete(); }
  int64_t batches_per_epoch() const { return consumed_.batches_per_epoch(); }
  int64_t rows_per_epoch() const { return consumed_.rows_per_epoch(); }
  /// Goes on from position; what was read ahead is thrown away.
  Status restore(Position position);

private:
  struct Read {
    Batch batch;
    Status status;
  };
  static void *run(void *self);
  void read_ahead();
  Status read(Batch &batch);
  void start();
  void stop();

  const DataSet &rows_;
  std::vector<size_t> columns_;
  uint64_t seed_;
  bool augment_;
  size_t depth_;
  Batcher consumed_; ///< The caller's.
  Batcher reading_;  ///< The thread's while there is one.

  bool has_thread_ = false;
  pthread_t thread_ = {};
  std::mutex mutex_; ///< Of everything below.
  std::condition_variable changed_;
  std::deque<Read> ready_; ///< In order; at most depth_.
  std::vector<Batch> free_;
  bool stopping_ = false;
};

} // namespace dlc::data

#endif // DLC_RUNTIME_DATA_PREFETCHER_H
