// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/prefetcher.h"

namespace dlc::data {

Prefetcher::Prefetcher(const DataSet &rows, std::vector<size_t> columns, int64_t batch, uint64_t seed,
                       bool shuffle, bool drop_last, bool augment, size_t depth)
    : rows_(rows), columns_(std::move(columns)), seed_(seed), augment_(augment), depth_(depth),
      consumed_(rows.size(), batch, seed, shuffle, drop_last), reading_(consumed_) {}

Prefetcher::~Prefetcher() {
  stop();
}

/// Reads the next batch of reading_.
Status Prefetcher::read(Batch &batch) {
  std::span<const int64_t> rows = reading_.next();
  Draws draws = {seed_, reading_.position().epoch};
  batch.rows.assign(rows.begin(), rows.end());
  batch.buffers.resize(columns_.size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    batch.buffers[i].resize(rows.size() * static_cast<size_t>(rows_.columns()[columns_[i]].row_bytes()));
    DLC_DATA_TRY(rows_.read(columns_[i], rows, batch.buffers[i].data(), augment_ ? &draws : nullptr));
  }
  return {};
}

void *Prefetcher::run(void *self) {
  static_cast<Prefetcher *>(self)->read_ahead();
  return nullptr;
}

/// The thread: reads until it is stopped, or until a batch fails.
void Prefetcher::read_ahead() {
  for (bool ok = true; ok;) {
    Read read_one;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || ready_.size() < depth_; });
      if (stopping_)
        return;
      if (!free_.empty()) {
        read_one.batch = std::move(free_.back());
        free_.pop_back();
      }
    }
    read_one.status = read(read_one.batch);
    ok = read_one.status.ok();
    std::lock_guard lock(mutex_);
    ready_.push_back(std::move(read_one));
    changed_.notify_all();
  }
}

void Prefetcher::start() {
  if (!has_thread_ && depth_ > 0)
    has_thread_ = pthread_create(&thread_, nullptr, run, this) == 0;
}

void Prefetcher::stop() {
  if (!has_thread_)
    return;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  pthread_join(thread_, nullptr);
  has_thread_ = false;
  stopping_ = false;
  ready_.clear();
}

Status Prefetcher::next(Batch &batch) {
  start();
  Status status;
  if (!has_thread_) {
    status = read(batch);
  } else {
    std::unique_lock lock(mutex_);
    free_.push_back(std::move(batch));
    changed_.wait(lock, [&] { return !ready_.empty(); });
    batch = std::move(ready_.front().batch);
    status = std::move(ready_.front().status);
    ready_.pop_front();
    changed_.notify_all();
  }
  if (!status.ok()) {
    DLC_DATA_TRY(restore(position()));
    return status;
  }
  consumed_.next();
  return {};
}

Status Prefetcher::restore(Position position) {
  DLC_DATA_TRY(consumed_.restore(position));
  stop();
  return reading_.restore(position);
}

} // namespace dlc::data
