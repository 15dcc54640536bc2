// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/cli/rows.h"

#include <algorithm>
#include <numeric>

namespace dlc::cli {

using data::Status;

Status run_rows(const Artifact &artifact, EntryRunner &runner, const data::DataSet &rows,
                std::span<const int64_t> places, int64_t batch,
                const std::function<Status(int64_t first, int64_t count)> &take) {
  const Entry &entry = runner.entry();
  Feed feed;
  DLC_DATA_TRY(feed.bind(entry, rows));
  auto total = static_cast<int64_t>(places.size());
  std::vector<int64_t> filled;
  for (int64_t first = 0; first < total; first += batch) {
    int64_t count = std::min(batch, total - first);
    std::span<const int64_t> part = places.subspan(static_cast<size_t>(first), static_cast<size_t>(count));
    if (count < batch && !takes_rows(artifact, entry, feed.tensors(), count).ok()) {
      filled.assign(part.begin(), part.end());
      filled.resize(static_cast<size_t>(batch), part.back());
      part = filled;
    }
    DLC_DATA_TRY(feed.load(part));
    DLC_DATA_TRY(runner.run(feed.tensors(), feed.places()));
    for (size_t i = 0; i < entry.results.size(); ++i)
      if (const dlc_tensor_t &result = runner.results()[i];
          result.rank == 0 || result.dims[0] != static_cast<int64_t>(part.size()))
        return Status::input(entry.name + " returns " + entry.results[i].name + ": " +
                             entry.results[i].signature + ", expected a row for each row of the data");
    DLC_DATA_TRY(take(first, count));
  }
  return {};
}

Status choose_rows(const data::Splits &splits, const std::string &split, const data::DataSet *&out_rows) {
  std::vector<std::string> names = data::split_names(splits);
  if (split.empty() && names.size() != 1)
    return Status::input("the data has the splits " + data::join(names) +
                         ": expected --split with one of them");
  auto found = split.empty() ? splits.begin() : splits.find(split);
  if (found == splits.end()) {
    std::optional<std::string> near = data::nearest_name(split, names);
    return Status::input("--split " + split + ": the data has no such split; there is: " + data::join(names) +
                         (near ? " (did you mean " + *near + "?)" : ""));
  }
  out_rows = found->second.get();
  return {};
}

Status collect_results(const Artifact &artifact, const Options &options, EntryRunner &runner,
                       const data::DataSet &rows, std::vector<data::Tensor> &out_results) {
  const Entry &entry = runner.entry();
  Batching batching;
  DLC_DATA_TRY(choose_batching(artifact, entry, rows, options.batch,
                               static_cast<int64_t>(artifact.fit_number("batch").value_or(64)), Rest::filled,
                               batching));
  print_note(batching, options.json);
  std::vector<int64_t> places(static_cast<size_t>(rows.size()));
  std::iota(places.begin(), places.end(), int64_t{0});
  std::vector<data::Tensor> results(entry.results.size());
  int64_t batches = (rows.size() + batching.batch - 1) / batching.batch;
  ProgressBar bar(options.json);
  double start = now_seconds();
  auto take = [&](int64_t first, int64_t count) {
    for (size_t i = 0; i < results.size(); ++i) {
      const dlc_tensor_t &batch = runner.results()[i];
      data::Shape shape(batch.dims, batch.dims + batch.rank);
      if (first > 0 && !std::equal(shape.begin() + 1, shape.end(), results[i].shape.begin() + 1))
        return Status::input(entry.name + " returns " + entry.results[i].name + ": " +
                             entry.results[i].signature + ", expected rows of one size, found " +
                             data::format_type(results[i].type, results[i].shape) + " and then " +
                             data::format_type(results[i].type, shape));
      shape[0] = count;
      const auto *bytes = static_cast<const std::byte *>(batch.data);
      results[i].type = entry.results[i].type;
      results[i].bytes.insert(results[i].bytes.end(), bytes,
                              bytes + *data::byte_count(results[i].type, shape));
      shape[0] = first + count;
      results[i].shape = std::move(shape);
    }
    if (bar.due()) {
      int64_t done = first / batching.batch + 1;
      double seconds = now_seconds() - start, rate = static_cast<double>(first + count) / seconds;
      bar.draw({entry.name,
                done,
                batches,
                done,
                batches,
                {},
                rate,
                static_cast<double>(rows.size() - first - count) / rate});
    }
    return Status();
  };
  Status status = run_rows(artifact, runner, rows, places, batching.batch, take);
  bar.clear();
  DLC_DATA_TRY(status);
  out_results = std::move(results);
  return {};
}

} // namespace dlc::cli
