// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/cli/evaluation.h"

#include <algorithm>

namespace dlc::cli {

using data::Status;

Status Evaluation::set_up(const std::vector<Turn> &turns, const data::Splits &splits,
                          std::optional<int64_t> asked, std::optional<int64_t> preferred) {
  for (const Turn &turn : turns) {
    auto same = [&](const Turn &other) { return other.entry == turn.entry; };
    Part part = {turn.entry, turn.entry->name, nullptr, {}};
    if (std::count_if(turns.begin(), turns.end(), same) > 1)
      part.label += "." + turn.split;
    DLC_DATA_TRY(find_split(splits, turn, part.rows));
    DLC_DATA_TRY(
        choose_batching(artifact_, *part.entry, *part.rows, asked, preferred, Rest::left_out, part.batching));
    print_note(part.batching, json_);
    parts_.push_back(std::move(part));
  }
  return {};
}

std::vector<std::string> Evaluation::figure_names() const {
  std::vector<std::string> names;
  for (const Part &part : parts_)
    for (const Value &result : part.entry->results)
      if (result.report != DLC_REPORT_NONE)
        names.push_back(part.label + "." + result.name);
  return names;
}

int64_t Evaluation::rows() const {
  int64_t count = 0;
  for (const Part &part : parts_)
    count += part.rows->size() - part.batching.left_out;
  return count;
}

int64_t Evaluation::rows_left_out() const {
  int64_t count = 0;
  for (const Part &part : parts_)
    count += part.batching.left_out;
  return count;
}

Status Evaluation::run(const Part &part, dlc_session_t *session, bool (*stop)(),
                       std::vector<Figure> &out_figures) {
  Feed feed;
  DLC_DATA_TRY(feed.bind(*part.entry, *part.rows));
  EntryRunner runner(artifact_, session, *part.entry, numerics_);
  Reports reports(runner, part.label);
  DLC_DATA_TRY(reports.reset());
  int64_t batch = part.batching.batch;
  data::Prefetcher batcher(*part.rows, feed.columns(), batch, 0, /*shuffle=*/false, part.batching.drop_last,
                           /*augment=*/false, feed.depth(batch));
  double start = now_seconds();
  int64_t batches = batcher.batches_per_epoch();
  for (int64_t i = 0; i < batches; ++i) {
    if (stop && stop())
      return {};
    DLC_DATA_TRY(feed.load(batcher));
    DLC_DATA_TRY(runner.run(feed.tensors(), feed.places()));
    reports.add(feed.rows());
    if (bar_.due()) {
      double seconds = now_seconds() - start, done = static_cast<double>(reports.rows());
      double rate = seconds > 0 ? done / seconds : 0;
      bar_.draw({part.label, i + 1, batches, i + 1, batches, reports.figures(), rate,
                 rate > 0 ? (static_cast<double>(batcher.rows_per_epoch()) - done) / rate : -1});
    }
  }
  std::vector<Figure> figures = reports.figures();
  out_figures.insert(out_figures.end(), figures.begin(), figures.end());
  return {};
}

Status Evaluation::run(dlc_session_t *session, bool (*stop)(), std::vector<Figure> &out_figures) {
  out_figures.clear();
  for (const Part &part : parts_) {
    Status status = run(part, session, stop, out_figures);
    bar_.clear();
    DLC_DATA_TRY(status);
    if (stop && stop()) {
      out_figures.clear();
      return {};
    }
  }
  return {};
}

} // namespace dlc::cli
