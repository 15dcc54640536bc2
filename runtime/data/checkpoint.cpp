// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/checkpoint.h"

#include "runtime/data/safetensors.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cinttypes>
#include <cstring>

namespace dlc::data {
namespace {

/// Before the names of states that are not weights.
constexpr char state_prefix[] = "dlc/";
constexpr char format_key[] = "dlc.checkpoint";
constexpr char format_version[] = "1";

/// A state of the artifact and the name of its tensor in files.
struct StateEntry {
  int32_t index;
  std::string name;
  DataType type;
  Shape shape;
  size_t bytes;
};

bool is_weight(dlc_state_role_t role) {
  return role == DLC_STATE_PARAMETER || role == DLC_STATE_BUFFER;
}

std::vector<StateEntry> list_states(const dlc_artifact_t *artifact, bool weights_only) {
  dlc_artifact_info_t artifact_info;
  dlc_artifact_info(artifact, &artifact_info);
  std::vector<StateEntry> entries;
  for (int32_t i = 0; i < artifact_info.state_count; ++i) {
    dlc_state_info_t info;
    if (dlc_artifact_state(artifact, i, &info, nullptr) != DLC_OK || (weights_only && !is_weight(info.role)))
      continue;
    DataType type = static_cast<DataType>(info.dtype);
    entries.push_back({i, (is_weight(info.role) ? "" : state_prefix) + std::string(info.name), type,
                       Shape(info.dims, info.dims + info.rank),
                       static_cast<size_t>(info.element_count) * type_size(type)});
  }
  return entries;
}

bool widens(DataType from, DataType to) {
  return to == DataType::f32 && (from == DataType::bf16 || from == DataType::f16);
}

/// What the session wants beside what the file has. The lines name tensors and types.
struct Comparison {
  std::vector<StateEntry> fitting;
  std::vector<std::string> missing, differing, unexpected;
};

Comparison compare(const std::vector<StateEntry> &wanted, const SafetensorsFile &file, bool weights_only) {
  std::vector<std::string> wanted_names, file_names;
  for (const StateEntry &entry : wanted)
    wanted_names.push_back(entry.name);
  for (const SafetensorsFile::Entry &entry : file.entries())
    file_names.push_back(entry.name);
  auto has = [](const std::vector<std::string> &names, const std::string &name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  // Only a name that the other side does not use can have been meant.
  std::vector<std::string> unused_wanted, unused_file;
  std::copy_if(wanted_names.begin(), wanted_names.end(), std::back_inserter(unused_wanted),
               [&](const std::string &name) { return !has(file_names, name); });
  std::copy_if(file_names.begin(), file_names.end(), std::back_inserter(unused_file),
               [&](const std::string &name) {
                 return !has(wanted_names, name) && !(weights_only && name.starts_with(state_prefix));
               });

  Comparison result;
  for (const StateEntry &entry : wanted) {
    const SafetensorsFile::Entry *found = file.find(entry.name);
    const std::string type = format_type(entry.type, entry.shape);
    if (!found) {
      std::optional<std::string> near = nearest_name(entry.name, unused_file);
      result.missing.push_back(entry.name + " " + type + (near ? " (the file has " + *near + ")" : ""));
    } else if (found->shape != entry.shape ||
               (found->type != entry.type && !widens(found->type, entry.type))) {
      result.differing.push_back(entry.name + ": expected " + type + ", found " +
                                 format_type(found->type, found->shape));
    } else {
      result.fitting.push_back(entry);
    }
  }
  for (const std::string &name : unused_file) {
    const SafetensorsFile::Entry *entry = file.find(name);
    std::optional<std::string> near = nearest_name(name, unused_wanted);
    result.unexpected.push_back(name + " " + format_type(entry->type, entry->shape) +
                                (near ? " (did you mean " + *near + "?)" : ""));
  }
  return result;
}

/// That a file does not fit, with all the differences.
Status describe_differences(const dlc_artifact_t *artifact, const SafetensorsFile &file,
                            const Comparison &comparison) {
  dlc_artifact_info_t info;
  dlc_artifact_info(artifact, &info);
  size_t count = comparison.missing.size() + comparison.differing.size() + comparison.unexpected.size();
  std::string lines;
  for (const std::string &line : comparison.missing)
    lines += "\n  missing: " + line;
  for (const std::string &line : comparison.differing)
    lines += "\n  differs: " + line;
  for (const std::string &line : comparison.unexpected)
    lines += "\n  unexpected: " + line;
  return Status::input(format("%s does not fit %s: %zu difference%s%s", file.path().c_str(), info.source_name,
                              count, count == 1 ? "" : "s", lines.c_str()));
}

/// Writes the states that have a tensor of their type, or of one that widens to it, in the file.
Status read_states(dlc_session_t *session, const SafetensorsFile &file,
                   const std::vector<StateEntry> &states) {
  std::vector<std::byte> bytes;
  for (const StateEntry &state : states) {
    const SafetensorsFile::Entry &entry = *file.find(state.name);
    bytes.resize(state.bytes);
    DLC_DATA_TRY(file.read(entry, bytes.data()));
    if (entry.type != state.type) {
      // Backwards, because the wide elements overlap the narrow ones.
      for (size_t i = state.bytes / 4; i-- > 0;) {
        uint16_t narrow;
        memcpy(&narrow, bytes.data() + 2 * i, 2);
        float wide = entry.type == DataType::f16 ? widen_f16(narrow)
                                                 : std::bit_cast<float>(static_cast<uint32_t>(narrow) << 16);
        memcpy(bytes.data() + 4 * i, &wide, 4);
      }
    }
    dlc_status_t status;
    if (dlc_session_state_write(session, state.index, bytes.data(), state.bytes, &status) != DLC_OK)
      return from_runtime(status);
  }
  return {};
}

/// Checks everything first, then writes the states.
Status load_states(const dlc_artifact_t *artifact, dlc_session_t *session, const SafetensorsFile &file,
                   bool weights_only) {
  std::vector<StateEntry> wanted = list_states(artifact, weights_only);
  Comparison comparison = compare(wanted, file, weights_only);
  if (comparison.fitting.size() != wanted.size() || !comparison.unexpected.empty())
    return describe_differences(artifact, file, comparison);
  return read_states(session, file, wanted);
}

Status save_states(const dlc_artifact_t *artifact, dlc_session_t *session, bool weights_only,
                   const std::map<std::string, std::string> &metadata, const std::string &path) {
  std::vector<StateEntry> states = list_states(artifact, weights_only);
  std::vector<std::vector<std::byte>> elements;
  std::vector<NamedTensor> tensors;
  for (const StateEntry &state : states) {
    std::vector<std::byte> &bytes = elements.emplace_back(state.bytes);
    dlc_status_t status;
    if (dlc_session_state_read(session, state.index, bytes.data(), state.bytes, &status) != DLC_OK)
      return from_runtime(status);
    tensors.push_back({state.name, state.type, state.shape, bytes.data()});
  }
  return write_safetensors(path, tensors, metadata);
}

constexpr char encodings_key[] = "dlc.data";

void add_encodings(const Encodings &encodings, std::map<std::string, std::string> &metadata) {
  if (!encodings.empty())
    metadata[encodings_key] = write_encodings(encodings);
}

Status find_encodings(const SafetensorsFile &file, Encodings &out_encodings) {
  auto found = file.metadata().find(encodings_key);
  return found == file.metadata().end() ? Status()
                                        : read_encodings(found->second, file.path(), out_encodings);
}

/// What the keys of a stream begin with: "dlc." for the first, "dlc.stream1." for the next.
std::string stream_prefix(size_t index) {
  return index == 0 ? "dlc." : format("dlc.stream%zu.", index);
}

/// Reads whole numbers and reals out of the metadata; remembers the first that is missing or none.
class MetadataReader {
public:
  explicit MetadataReader(const std::map<std::string, std::string> &metadata) : metadata_(metadata) {}

  bool has(const std::string &key) const { return metadata_.count(key) != 0; }
  template <typename T> void read(const std::string &key, T &out) {
    auto found = metadata_.find(key);
    const std::string text = found == metadata_.end() ? "" : found->second;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if ((error != std::errc() || end != text.data() + text.size()) && bad_.empty())
      bad_ = key + ": expected a number, found " + (text.empty() ? "none" : "'" + text + "'");
  }
  BatchStream read_stream(size_t index) {
    BatchStream stream;
    const std::string prefix = stream_prefix(index), sums = prefix + "sum.";
    read(prefix + "epoch", stream.position.epoch);
    read(prefix + "row", stream.position.row);
    read(prefix + "batch", stream.batch);
    read(prefix + "sum_rows", stream.sum_rows);
    if (auto entry = metadata_.find(prefix + "entry"); entry != metadata_.end())
      stream.entry = entry->second;
    for (const auto &[key, text] : metadata_)
      if (key.starts_with(sums))
        read(key, stream.sums[key.substr(sums.size())]);
    return stream;
  }
  std::optional<BestEvaluation> read_best() {
    auto figure = metadata_.find("dlc.best.figure");
    if (figure == metadata_.end())
      return std::nullopt;
    BestEvaluation best;
    best.figure = figure->second;
    read("dlc.best.value", best.value);
    read("dlc.best.step", best.step);
    read("dlc.best.evaluated", best.evaluated);
    read("dlc.best.evaluations_since", best.evaluations_since);
    read("dlc.best.patience", best.patience);
    return best;
  }
  /// The key that could not be read, what was expected and what was found; or empty.
  const std::string &bad() const { return bad_; }

private:
  const std::map<std::string, std::string> &metadata_;
  std::string bad_;
};

} // namespace

Status from_runtime(const dlc_status_t &status) {
  switch (status.code) {
  case DLC_OK:
    return {};
  case DLC_IO:
  case DLC_OUT_OF_MEMORY:
  case DLC_DEVICE:
  case DLC_UNSUPPORTED:
    return Status::machine(status.message);
  case DLC_CORRUPTED:
    return Status::bug(status.message);
  default:
    return Status::input(status.message);
  }
}

std::string checkpoint_path(const std::string &path) {
  constexpr std::string_view ending = ".safetensors";
  if (path.ends_with(ending))
    return path.substr(0, path.size() - ending.size()) + ".checkpoint.safetensors";
  return path + ".checkpoint";
}

std::string weights_path(const std::string &checkpoint) {
  for (const std::string_view ending : {".safetensors", ""}) {
    std::string tail = ".checkpoint" + std::string(ending);
    if (checkpoint.ends_with(tail) && checkpoint.size() > tail.size())
      return checkpoint.substr(0, checkpoint.size() - tail.size()) + std::string(ending);
  }
  return "";
}

Status save_weights(const dlc_artifact_t *artifact, dlc_session_t *session, const Encodings &encodings,
                    const std::string &path) {
  // Hugging Face's loaders ask which framework's layout it is.
  std::map<std::string, std::string> metadata = {{"format", "pt"}};
  add_encodings(encodings, metadata);
  return save_states(artifact, session, /*weights_only=*/true, metadata, path);
}

Status load_weights(const dlc_artifact_t *artifact, dlc_session_t *session, const std::string &path,
                    Encodings *out_encodings) {
  SafetensorsFile file;
  DLC_DATA_TRY(file.open(path));
  Encodings encodings;
  DLC_DATA_TRY(find_encodings(file, encodings));
  DLC_DATA_TRY(load_states(artifact, session, file, /*weights_only=*/true));
  if (out_encodings)
    *out_encodings = std::move(encodings);
  return {};
}

Status load_fitting_weights(const dlc_artifact_t *artifact, dlc_session_t *session, const std::string &path,
                            LoadReport &out_report, Encodings &out_vocabularies) {
  SafetensorsFile file;
  DLC_DATA_TRY(file.open(path));
  Encodings encodings;
  DLC_DATA_TRY(find_encodings(file, encodings));
  Comparison comparison = compare(list_states(artifact, /*weights_only=*/true), file, /*weights_only=*/true);
  if (comparison.fitting.empty())
    return describe_differences(artifact, file, comparison).with("\nnothing of it fits");
  DLC_DATA_TRY(read_states(session, file, comparison.fitting));
  out_report = {{}, 0, comparison.missing, comparison.differing, comparison.unexpected};
  for (const StateEntry &state : comparison.fitting) {
    out_report.taken.push_back(state.name + " " + format_type(state.type, state.shape));
    out_report.taken_elements += static_cast<int64_t>(state.bytes / type_size(state.type));
  }
  out_vocabularies.clear();
  for (const auto &[column, encoding] : encodings)
    if (encoding->vocabulary) {
      Encoding kept;
      kept.vocabulary = encoding->vocabulary;
      out_vocabularies[column] = std::make_shared<const Encoding>(std::move(kept));
    }
  return {};
}

Status load_encodings(const std::string &path, Encodings &out_encodings) {
  SafetensorsFile file;
  DLC_DATA_TRY(file.open(path));
  return find_encodings(file, out_encodings);
}

Status save_checkpoint(const dlc_artifact_t *artifact, dlc_session_t *session, const TrainingState &training,
                       const std::string &path) {
  std::map<std::string, std::string> metadata = {
      {"format", "pt"},
      {format_key, format_version},
      {"dlc.step", std::to_string(training.step)},
      {"dlc.data_seed", std::to_string(training.data_seed)},
      {"dlc.sums_epoch", std::to_string(training.sums_epoch)},
  };
  for (size_t i = 0; i < training.streams.size(); ++i) {
    const BatchStream &stream = training.streams[i];
    const std::string prefix = stream_prefix(i);
    metadata[prefix + "epoch"] = std::to_string(stream.position.epoch);
    metadata[prefix + "row"] = std::to_string(stream.position.row);
    metadata[prefix + "batch"] = std::to_string(stream.batch);
    metadata[prefix + "entry"] = stream.entry;
    metadata[prefix + "sum_rows"] = std::to_string(stream.sum_rows);
    for (const auto &[name, sum] : stream.sums)
      metadata[prefix + "sum." + name] = format("%.17g", sum);
  }
  add_encodings(training.encodings, metadata);
  if (const std::optional<BestEvaluation> &best = training.best) {
    metadata["dlc.best.figure"] = best->figure;
    metadata["dlc.best.value"] = format("%.17g", best->value);
    metadata["dlc.best.step"] = std::to_string(best->step);
    metadata["dlc.best.evaluated"] = std::to_string(best->evaluated);
    metadata["dlc.best.evaluations_since"] = std::to_string(best->evaluations_since);
    metadata["dlc.best.patience"] = std::to_string(best->patience);
  }
  return save_states(artifact, session, /*weights_only=*/false, metadata, path);
}

Status load_checkpoint(const dlc_artifact_t *artifact, dlc_session_t *session, const std::string &path,
                       TrainingState &out_training) {
  SafetensorsFile file;
  DLC_DATA_TRY(file.open(path));
  const std::map<std::string, std::string> &metadata = file.metadata();
  auto version = metadata.find(format_key);
  if (version == metadata.end())
    return Status::input(path +
                         " holds weights only, not a checkpoint: there is nothing to resume; --weights " +
                         path + " starts a new training from them");
  if (version->second != format_version)
    return Status::input(path + ": checkpoint version " + version->second + ", expected " + format_version);
  TrainingState training;
  MetadataReader reader(metadata);
  reader.read("dlc.step", training.step);
  reader.read("dlc.data_seed", training.data_seed);
  training.streams = {reader.read_stream(0)};
  while (reader.has(stream_prefix(training.streams.size()) + "epoch"))
    training.streams.push_back(reader.read_stream(training.streams.size()));
  training.sums_epoch = training.streams[0].position.epoch;
  if (reader.has("dlc.sums_epoch"))
    reader.read("dlc.sums_epoch", training.sums_epoch);
  training.best = reader.read_best();
  if (!reader.bad().empty())
    return Status::input(path + ": metadata " + reader.bad());
  DLC_DATA_TRY(find_encodings(file, training.encodings));
  DLC_DATA_TRY(load_states(artifact, session, file, /*weights_only=*/false));
  out_training = std::move(training);
  return {};
}

} // namespace dlc::data
