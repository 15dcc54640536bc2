// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/cli/cycle.h"

#include <algorithm>

namespace dlc::cli {

using data::Status;

size_t Cycle::runner_of(const Entry *entry) const {
  return static_cast<size_t>(std::find(entries_.begin(), entries_.end(), entry) - entries_.begin());
}

void Cycle::choose(const std::vector<Turn> &turns) {
  for (const Turn &turn : turns) {
    auto same = [&](const std::unique_ptr<Stream> &stream) {
      return stream->turn.entry == turn.entry && stream->turn.split == turn.split;
    };
    auto stream = std::find_if(streams_.begin(), streams_.end(), same);
    steps_.push_back({static_cast<size_t>(stream - streams_.begin()), runner_of(turn.entry), {}});
    if (stream == streams_.end())
      streams_.push_back(std::make_unique<Stream>(Stream{turn, nullptr, {}, {}}));
    if (steps_.back().runner == entries_.size())
      entries_.push_back(turn.entry);
  }
}

Status Cycle::check(const data::TrainingState &resumed, const std::string &path) const {
  // An application that saves checkpoints itself names no entry.
  if (resumed.streams.size() == 1 && streams_.size() == 1 && resumed.streams[0].entry.empty())
    return {};
  std::string found, expected;
  for (const data::BatchStream &stream : resumed.streams)
    found += (found.empty() ? "" : ", ") + stream.entry;
  for (const std::unique_ptr<Stream> &stream : streams_)
    expected += (expected.empty() ? "" : ", ") + stream->turn.entry->name;
  const char *entries = resumed.streams.size() > 1 ? "entries" : "entry";
  return found == expected ? Status()
                           : Status::input(path + " is a checkpoint of train " + entries + " " + found +
                                           ", expected " + expected);
}

Status Cycle::open(const data::Splits &splits, const Options &options, const data::TrainingState *resumed) {
  for (size_t i = 0; i < streams_.size(); ++i) {
    Stream &stream = *streams_[i];
    DLC_DATA_TRY(find_split(splits, stream.turn, stream.rows));
    std::optional<int64_t> preferred;
    if (resumed && resumed->streams[i].batch > 0)
      preferred = resumed->streams[i].batch;
    else if (std::optional<double> fit = artifact_.fit_number("batch"))
      preferred = static_cast<int64_t>(*fit);
    DLC_DATA_TRY(choose_batching(artifact_, *stream.turn.entry, *stream.rows, options.batch, preferred,
                                 Rest::left_out, stream.batching));
    print_note(stream.batching, options.json);
  }
  for (Step &step : steps_)
    DLC_DATA_TRY(step.feed.bind(*entries_[step.runner], *streams_[step.stream]->rows));
  return {};
}

Status Cycle::start(dlc_session_t *session, uint64_t seed, const data::TrainingState *resumed,
                    NumericsCheck *numerics) {
  for (const Entry *entry : entries_)
    runners_.push_back(std::make_unique<Runner>(artifact_, session, *entry, numerics));
  for (size_t i = streams_.size(); i-- > 0;) {
    Stream &stream = *streams_[i];
    auto step = std::find_if(steps_.begin(), steps_.end(), [&](const Step &one) { return one.stream == i; });
    int64_t batch = stream.batching.batch;
    stream.batcher = std::make_unique<data::Prefetcher>(*stream.rows, step->feed.columns(), batch, seed,
                                                        /*shuffle=*/true, stream.batching.drop_last,
                                                        /*augment=*/true, step->feed.depth(batch));
    if (!resumed)
      continue;
    const data::BatchStream &saved = resumed->streams[i];
    DLC_DATA_TRY(stream.batcher->restore(saved.position));
    // Backwards, because the first stream of an entry has its sums.
    runners_[runner_of(stream.turn.entry)]->reports.restore(saved.sums, saved.sum_rows);
  }
  return {};
}

std::vector<data::BatchStream> Cycle::save() const {
  std::vector<data::BatchStream> saved;
  std::vector<bool> has_sums(runners_.size());
  for (const std::unique_ptr<Stream> &stream : streams_) {
    saved.push_back({stream->turn.entry->name, stream->batcher->position(), stream->batching.batch, {}, 0});
    size_t runner = runner_of(stream->turn.entry);
    if (!has_sums[runner]) {
      saved.back().sums = runners_[runner]->reports.sums();
      saved.back().sum_rows = runners_[runner]->reports.rows();
    }
    has_sums[runner] = true;
  }
  return saved;
}

Status Cycle::load() {
  std::vector<data::Position> before;
  for (const std::unique_ptr<Stream> &stream : streams_)
    before.push_back(stream->batcher->position());
  cycle_rows_ = 0;
  for (Step &step : steps_) {
    Status status = step.feed.load(*streams_[step.stream]->batcher);
    if (status.ok())
      cycle_rows_ += step.stream == 0 ? step.feed.rows() : 0;
    if (status.ok())
      status = runners_[step.runner]->runner.prepare(step.feed.tensors(), step.feed.places());
    if (status.ok())
      continue;
    // These rows were not trained on.
    for (size_t i = 0; i < streams_.size(); ++i)
      DLC_DATA_TRY(streams_[i]->batcher->restore(before[i]));
    return status;
  }
  return {};
}

Status Cycle::run() {
  for (Step &step : steps_) {
    DLC_DATA_TRY(runners_[step.runner]->runner.run_prepared(step.feed.tensors()));
    runners_[step.runner]->reports.add(step.feed.rows());
  }
  return {};
}

Status Cycle::reset_reports() {
  for (const std::unique_ptr<Runner> &runner : runners_)
    DLC_DATA_TRY(runner->reports.reset());
  return {};
}

std::vector<Figure> Cycle::figures() const {
  std::vector<Figure> all;
  for (const std::unique_ptr<Runner> &runner : runners_) {
    std::vector<Figure> figures = runner->reports.figures();
    all.insert(all.end(), figures.begin(), figures.end());
  }
  return all;
}

std::vector<Figure> Cycle::last() const {
  std::vector<Figure> all;
  for (const std::unique_ptr<Runner> &runner : runners_) {
    std::vector<Figure> figures = runner->reports.last();
    all.insert(all.end(), figures.begin(), figures.end());
  }
  return all;
}

std::vector<Figure> Cycle::schedules() const {
  std::vector<Figure> figures;
  for (size_t i = 0; i < artifact_.states().size(); ++i) {
    const dlc_state_info_t &state = artifact_.states()[i];
    auto owns = [&](const Entry *entry) { return entry->index == state.owner; };
    double value = 0;
    if (state.role == DLC_STATE_SCHEDULE && std::any_of(entries_.begin(), entries_.end(), owns) &&
        dlc_session_state_read(runners_.front()->runner.session(), static_cast<int32_t>(i), &value,
                               sizeof value, nullptr) == DLC_OK)
      figures.push_back({state.name, value, true});
  }
  return figures;
}

int64_t Cycle::batches_per_cycle() const {
  return std::count_if(steps_.begin(), steps_.end(), [](const Step &step) { return step.stream == 0; });
}

int64_t Cycle::cycles_per_epoch() const {
  int64_t batches = batches_per_cycle();
  return (batcher().batches_per_epoch() + batches - 1) / batches;
}

std::string Cycle::format() const {
  std::string text;
  for (size_t first = 0, last = 0; first < steps_.size(); first = last) {
    while (last < steps_.size() && steps_[last].runner == steps_[first].runner)
      ++last;
    text += (first ? ", " : "") + entries_[steps_[first].runner]->name;
    if (last - first > 1)
      text += data::format(" x %zu", last - first);
  }
  return text;
}

std::string Cycle::list() const {
  std::string text;
  for (const Step &step : steps_)
    text += (text.empty() ? "" : ",") + entries_[step.runner]->name;
  return text;
}

} // namespace dlc::cli
