// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/cli/batching.h"

#include "tools/cli/feed.h"

#include <algorithm>
#include <charconv>
#include <cinttypes>

namespace dlc::cli {

using data::format;
using data::from_runtime;
using data::Status;

namespace {

/// The size of the first argument's first dimension as the artifact writes it: "64", "n", "2*n".
std::string rows_formula(const Artifact &artifact, const Entry &entry) {
  bool has_rows = !entry.arguments.empty() && !entry.arguments[0].dims.empty();
  return has_rows ? artifact.format(entry.arguments[0].dims[0], entry) : "";
}

/// The number of rows that the entry's sizes are fixed to, or nothing.
std::optional<int64_t> fixed_rows(const Artifact &artifact, const Entry &entry) {
  std::string formula = rows_formula(artifact, entry);
  int64_t count = 0;
  auto [end, error] = std::from_chars(formula.data(), formula.data() + formula.size(), count);
  return error == std::errc() && end == formula.data() + formula.size() ? std::optional(count) : std::nullopt;
}

} // namespace

std::optional<size_t> rows_symbol(const Artifact &artifact, const Entry &entry) {
  auto named = std::find(entry.symbols.begin(), entry.symbols.end(), rows_formula(artifact, entry));
  return named == entry.symbols.end() ? std::nullopt
                                      : std::optional(static_cast<size_t>(named - entry.symbols.begin()));
}

int64_t keep_to_bounds(const Artifact &artifact, const Entry &entry, size_t symbol, int64_t preferred) {
  dlc_symbol_info_t bounds;
  if (dlc_entry_symbol(artifact.handle(), entry.index, static_cast<int32_t>(symbol), &bounds, nullptr) !=
      DLC_OK)
    return preferred;
  int64_t count = std::clamp(preferred, bounds.min, bounds.max);
  int64_t unit = std::max<int64_t>(bounds.multiple_of, 1);
  return count >= unit ? count - count % unit : unit;
}

Status takes_rows(const Artifact &artifact, const Entry &entry, std::span<const dlc_tensor_t> arguments,
                  int64_t count) {
  std::vector<dlc_tensor_t> shapes(arguments.begin(), arguments.end());
  for (dlc_tensor_t &shape : shapes)
    shape.dims[0] = count;
  std::vector<int64_t> dims(std::max<size_t>(entry.symbols.size(), 1));
  dlc_status_t status;
  if (dlc_entry_dims_solve(artifact.handle(), entry.index, shapes.data(), static_cast<int32_t>(shapes.size()),
                           dims.data(), &status) != DLC_OK)
    return from_runtime(status);
  for (size_t i = 0; i < entry.results.size(); ++i) {
    dlc_tensor_t result;
    if (dlc_entry_result_shape(artifact.handle(), entry.index, static_cast<int32_t>(i), dims.data(), &result,
                               &status) != DLC_OK)
      return from_runtime(status);
  }
  return {};
}

Status choose_batching(const Artifact &artifact, const Entry &entry, const data::DataSet &rows,
                       std::optional<int64_t> asked, std::optional<int64_t> preferred, Rest rest,
                       Batching &out_batching) {
  Batching batching;
  Feed feed;
  DLC_DATA_TRY(feed.bind(entry, rows));
  std::optional<int64_t> fixed = fixed_rows(artifact, entry);
  if (fixed && asked.value_or(*fixed) != *fixed)
    return Status::input(format("--batch %" PRId64 ": %s takes batches of %" PRId64
                                " rows, its sizes were fixed when it was compiled",
                                *asked, entry.name.c_str(), *fixed));
  if (fixed && rows.size() < *fixed && rest == Rest::left_out)
    return Status::input(format("%s takes batches of %" PRId64 " rows, the data has %" PRId64,
                                entry.name.c_str(), *fixed, rows.size()));
  if (fixed)
    batching.batch = *fixed;
  else if (asked)
    batching.batch = *asked;
  else if (std::optional<size_t> symbol = rows_symbol(artifact, entry); preferred && symbol)
    batching.batch = keep_to_bounds(artifact, entry, *symbol, *preferred);
  else if (preferred)
    batching.batch = *preferred;
  else
    return Status::input(std::string(artifact.info().source_name) +
                         " has no fit block that says the batch: give --batch N");

  auto takes = [&](int64_t count) { return takes_rows(artifact, entry, feed.tensors(), count); };
  if (batching.batch > rows.size() && (rest == Rest::left_out || takes(rows.size()).ok())) {
    if (asked)
      batching.note = format("the data has %" PRId64 " rows: the batch is %" PRId64 ", not %" PRId64,
                             rows.size(), rows.size(), batching.batch);
    batching.batch = rows.size();
  }
  if (Status status = takes(batching.batch); !status.ok())
    return Status::input(format("a batch of %" PRId64 " rows: ", batching.batch) + status.message());
  int64_t over = rows.size() % batching.batch;
  if (over > 0 && rest == Rest::left_out && !takes(over).ok()) {
    batching.drop_last = true;
    batching.left_out = over;
    batching.note = format("%s does not take the %" PRId64 " row%s that batches of %" PRId64
                           " leave of %" PRId64 ": left out%s",
                           entry.name.c_str(), over, over == 1 ? "" : "s", batching.batch, rows.size(),
                           entry.kind == DLC_ENTRY_TRAIN ? ", others in every epoch" : "");
  }
  out_batching = std::move(batching);
  return {};
}

void print_note(const Batching &batching, bool json) {
  if (!json && !batching.note.empty())
    fprintf(stderr, "note: %s\n", batching.note.c_str());
}

} // namespace dlc::cli
