// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/cli/feed.h"

#include "runtime/data/file.h"

#include <algorithm>
#include <cinttypes>
#include <filesystem>
#include <unistd.h>

namespace dlc::cli {

using data::DataSet;
using data::DataSpec;
using data::from_runtime;
using data::Status;

namespace {

std::vector<std::string> column_names(const DataSet &rows) {
  std::vector<std::string> names;
  for (const data::Column &column : rows.columns())
    names.push_back(column.name);
  return names;
}

/// What --data says. "loader:path" names a loader, unless there is such a file: paths may have colons.
Status parse_option(const std::string &text, DataSpec &out_spec) {
  size_t colon = text.find(':');
  bool is_path = colon == std::string::npos || text.substr(0, colon).find('/') != std::string::npos ||
                 access(text.c_str(), F_OK) == 0;
  if (access(text.c_str(), F_OK) != 0 && data::is_data_spec(text))
    return data::parse_data_spec(text, out_spec);
  out_spec = is_path ? DataSpec{"", text, {}} : DataSpec{text.substr(0, colon), text.substr(colon + 1), {}};
  return {};
}

/// What --data says, and what it leaves to the fit block.
Status choose_data(const Artifact &artifact, const Options &options, DataSpec &out_spec) {
  DataSpec spec, fit = artifact.fit_data();
  DLC_DATA_TRY(parse_option(options.data, spec));
  if (spec.loader.empty())
    spec.loader = fit.loader;
  if (spec.loader.empty())
    return Status::input(
        std::string(artifact.info().source_name) +
        " has no fit block that names its data: expected --data loader:path, with one of the loaders " +
        data::join(data::loader_names()));
  const data::LoaderSignature *known = nullptr;
  DLC_DATA_TRY(data::find_loader(spec.loader, known));
  // What is run on all rows takes none of them away for a validation.
  bool draws_validation =
      std::any_of(known->settings.begin(), known->settings.end(),
                  [](const data::LoaderSetting &one) { return one.name == "validation"; });
  if (options.verb == Verb::run && options.split.empty() && draws_validation &&
      !spec.settings.has("validation"))
    spec.settings.add("validation", data::SettingValue::of(0.0));
  // What the command line does not say is as in the fit block, if that is about the same loader.
  if (spec.loader == fit.loader) {
    spec.settings.add_missing(fit.settings);
    if (spec.path.empty())
      spec.path = fit.path;
  }
  if (spec.path.empty())
    return Status::input(spec.loader + " needs a path: expected --data PATH");
  out_spec = std::move(spec);
  return {};
}

/// That output is no file in the folder of a data set whose format it has.
Status check_not_in_data(const DataSpec &spec, const std::string &output) {
  std::error_code error;
  auto folder = std::filesystem::canonical(spec.path, error),
       file = std::filesystem::canonical(output, error);
  if (error || !std::filesystem::is_directory(folder, error) || file.extension() != "." + spec.loader)
    return {};
  auto inside = std::mismatch(folder.begin(), folder.end(), file.begin(), file.end());
  return inside.first == folder.end()
             ? Status::input("cannot write " + output + ": it is a file of the data set " + spec.path)
             : Status();
}

} // namespace

Status open_data(const Artifact &artifact, const Options &options, const data::Encodings &fitted,
                 data::Splits &out_splits) {
  DataSpec spec;
  DLC_DATA_TRY(choose_data(artifact, options, spec));
  return data::open_data(spec, fitted, out_splits);
}

Status check_not_read(const Artifact &artifact, const Options &options, const std::string &output) {
  std::vector<std::string> sources = {options.model, options.weights, options.init};
  for (const auto &[name, file] : options.in)
    sources.push_back(file);
  // A run on --in reads no data, and what is wrong with the data is said where it is opened.
  if (DataSpec spec; options.in.empty() && choose_data(artifact, options, spec).ok()) {
    sources.push_back(spec.path);
    DLC_DATA_TRY(check_not_in_data(spec, output));
  }
  for (const std::string &source : sources)
    DLC_DATA_TRY(data::check_not_source(output, source));
  return {};
}

Status find_split(const data::Splits &splits, const Turn &turn, const DataSet *&out_split) {
  auto found = splits.find(turn.split);
  if (found == splits.end()) {
    std::string line = (turn.entry->kind == DLC_ENTRY_TRAIN ? "train " : "eval ") + turn.entry->name;
    return Status::input("the data has no split " + turn.split +
                         "; there is: " + data::join(data::split_names(splits)) +
                         (turn.is_default && !splits.empty()
                              ? "; without a line such as " + line + " on data." + splits.rbegin()->first +
                                    " in the fit block, " + line + " runs on " + turn.split
                              : ""));
  }
  out_split = found->second.get();
  return {};
}

Status Feed::bind(const Entry &entry, const DataSet &rows) {
  rows_ = &rows;
  for (const Value &argument : entry.arguments) {
    std::optional<size_t> index = rows.find(argument.name);
    if (!index) {
      std::vector<std::string> names = column_names(rows);
      std::optional<std::string> near = data::nearest_name(argument.name, names);
      return Status::input(entry.name + " takes " + argument.name + ": " + argument.signature +
                           ", which the data does not have; it has: " + data::join(names) +
                           (near ? " (did you mean " + *near + "?)" : ""));
    }
    const data::Column &column = rows.columns()[*index];
    bool fits = column.type == argument.type && column.shape.size() + 1 == argument.dims.size();
    for (size_t axis = 0; fits && axis < column.shape.size(); ++axis)
      fits = argument.sizes[axis + 1] < 0 || argument.sizes[axis + 1] == column.shape[axis];
    if (!fits) {
      std::string found = std::string(data::type_name(column.type)) + "[rows";
      for (int64_t dimension : column.shape)
        found += ", " + std::to_string(dimension);
      return Status::input(entry.name + " takes " + argument.name + ": expected " + argument.signature +
                           ", found " + found + "] in the data");
    }
    if (argument.places > 0 && column.classes > argument.places)
      return Status::input(data::format("%s takes %s: the data has %" PRId64
                                        " different ones, and the model has "
                                        "places for %" PRId64 " (%s)",
                                        entry.name.c_str(), argument.name.c_str(), column.classes,
                                        argument.places, argument.places_location.c_str()));
    columns_.push_back(*index);
    dlc_tensor_t tensor = {};
    tensor.dtype = static_cast<dlc_dtype_t>(column.type);
    tensor.rank = static_cast<int32_t>(argument.dims.size());
    std::copy(column.shape.begin(), column.shape.end(), tensor.dims + 1);
    tensors_.push_back(tensor);
  }
  return {};
}

void Feed::show_batch() {
  for (size_t i = 0; i < columns_.size(); ++i) {
    tensors_[i].data = batch_.buffers[i].data();
    tensors_[i].dims[0] = this->rows();
  }
}

Status Feed::load(std::span<const int64_t> rows) {
  batch_.rows.assign(rows.begin(), rows.end());
  batch_.buffers.resize(columns_.size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    std::vector<std::byte> &buffer = batch_.buffers[i];
    buffer.resize(rows.size() * static_cast<size_t>(rows_->columns()[columns_[i]].row_bytes()));
    DLC_DATA_TRY(rows_->read(columns_[i], rows, buffer.data()));
  }
  show_batch();
  return {};
}

Status Feed::load(data::Prefetcher &source) {
  DLC_DATA_TRY(source.next(batch_));
  show_batch();
  return {};
}

size_t Feed::depth(int64_t batch) const {
  int64_t bytes = 0;
  for (size_t column : columns_)
    bytes += batch * rows_->columns()[column].row_bytes();
  // Handing a batch from thread to thread takes some ten microseconds, in which these bytes are read.
  constexpr int64_t worth = 64 << 10;
  return bytes < worth ? 0 : 2;
}

Status EntryRunner::prepare_dims(const std::vector<int64_t> &dims) {
  for (const std::unique_ptr<Prepared> &known : prepared_)
    if (known->dims == dims) {
      current_ = known.get();
      return {};
    }
  auto prepared = std::make_unique<Prepared>();
  prepared->dims = dims;
  dlc_status_t status;
  if (dlc_session_prepare(session_, entry_.index, dims.data(), static_cast<int32_t>(dims.size()),
                          &prepared->handle, &status) != DLC_OK)
    return from_runtime(status);
  for (size_t i = 0; i < entry_.results.size(); ++i) {
    dlc_tensor_t tensor;
    if (dlc_entry_result_shape(artifact_.handle(), entry_.index, static_cast<int32_t>(i), dims.data(),
                               &tensor, &status) != DLC_OK)
      return from_runtime(status);
    data::Shape shape(tensor.dims, tensor.dims + tensor.rank);
    // The runtime has refused what is larger than 2^46 bytes.
    int64_t bytes = *data::byte_count(entry_.results[i].type, shape);
    tensor.data = prepared->buffers.emplace_back(static_cast<size_t>(bytes)).data();
    prepared->results.push_back(tensor);
  }
  current_ = prepared.get();
  prepared_.push_back(std::move(prepared));
  return {};
}

Status EntryRunner::prepare_sizes(std::span<const dlc_tensor_t> arguments) {
  std::vector<int64_t> dims(entry_.symbols.size());
  dlc_status_t status;
  int32_t count = static_cast<int32_t>(arguments.size());
  if (dlc_entry_dims_solve(artifact_.handle(), entry_.index, arguments.data(), count, dims.data(), &status) !=
      DLC_OK)
    return from_runtime(status);
  return prepare_dims(dims);
}

Status EntryRunner::check_places(std::span<const dlc_tensor_t> arguments,
                                 std::span<const int64_t> rows) const {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Value &argument = entry_.arguments[i];
    if (argument.places == 0)
      continue;
    int64_t count = 1;
    for (int32_t axis = 0; axis < arguments[i].rank; ++axis)
      count *= arguments[i].dims[axis];
    for (int64_t element = 0; element < count; ++element) {
      double value = element_value(argument.type, arguments[i].data, element);
      if (value < static_cast<double>(argument.places) && value >= static_cast<double>(argument.least_place))
        continue;
      std::string where = "element " + std::to_string(element);
      if (!rows.empty())
        where = "row " + std::to_string(rows[static_cast<size_t>(element / (count / arguments[i].dims[0]))]) +
                " of the data (from 0)";
      return Status::input(data::format(
          "%s takes %s: %s has %.0f, and the model has places for %" PRId64 " to %" PRId64 " (%s)",
          entry_.name.c_str(), argument.name.c_str(), where.c_str(), value, argument.least_place,
          argument.places - 1, argument.places_location.c_str()));
    }
  }
  return {};
}

Status EntryRunner::prepare(std::span<const dlc_tensor_t> arguments, std::span<const int64_t> rows) {
  DLC_DATA_TRY(prepare_sizes(arguments));
  return check_places(arguments, rows);
}

Status EntryRunner::run(std::span<const dlc_tensor_t> arguments, std::span<const int64_t> rows) {
  DLC_DATA_TRY(prepare(arguments, rows));
  return run_prepared(arguments);
}

Status EntryRunner::run_prepared(std::span<const dlc_tensor_t> arguments) {
  DLC_DATA_TRY(prepare_sizes(arguments));
  dlc_status_t status;
  int32_t count = static_cast<int32_t>(arguments.size());
  if (numerics_)
    DLC_DATA_TRY(numerics_->begin(session_, entry_, current_->dims));
  dlc_code_t code = dlc_prepared_run(current_->handle, arguments.data(), count, current_->results.data(),
                                     static_cast<int32_t>(current_->results.size()), &status);
  if (numerics_)
    numerics_->end();
  if (code != DLC_OK)
    return numerics_ && !numerics_->finding().empty() ? Status::input(numerics_->finding())
                                                      : from_runtime(status);
  return {};
}

Status Reports::reset() {
  sums_.clear();
  rows_ = 0;
  dlc_status_t status;
  if (dlc_session_metrics_reset(runner_.session(), runner_.entry().index, &status) != DLC_OK)
    return from_runtime(status);
  return {};
}

std::vector<Figure> Reports::last() const {
  std::vector<Figure> figures;
  const Entry &entry = runner_.entry();
  for (size_t i = 0; i < entry.results.size(); ++i)
    if (entry.results[i].report != DLC_REPORT_NONE)
      figures.push_back({prefix_ + entry.results[i].name,
                         element_value(entry.results[i].type, runner_.results()[i].data, 0)});
  return figures;
}

void Reports::add(int64_t rows) {
  rows_ += rows;
  const Entry &entry = runner_.entry();
  for (size_t i = 0; i < entry.results.size(); ++i)
    if (entry.results[i].report == DLC_REPORT_VALUE)
      sums_[entry.results[i].name] +=
          element_value(entry.results[i].type, runner_.results()[i].data, 0) * static_cast<double>(rows);
}

std::vector<Figure> Reports::figures() const {
  std::vector<Figure> figures;
  if (rows_ == 0 || runner_.results().empty())
    return figures;
  const Entry &entry = runner_.entry();
  for (size_t i = 0; i < entry.results.size(); ++i) {
    const Value &result = entry.results[i];
    std::string name = prefix_ + result.name;
    auto sum = sums_.find(result.name);
    if (result.report == DLC_REPORT_VALUE && sum != sums_.end())
      figures.push_back({name, sum->second / static_cast<double>(rows_)});
    else if (result.report == DLC_REPORT_METRIC)
      figures.push_back({name, element_value(result.type, runner_.results()[i].data, 0)});
  }
  return figures;
}

} // namespace dlc::cli
