// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/cli/session.h"

#include "runtime/data/file.h"
#include "runtime/schema/artifact_header.h"

#include <bit>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

namespace dlc::cli {

using data::DataType;
using data::from_runtime;
using data::Status;

namespace {

const char *kind_name(dlc_entry_kind_t kind) {
  switch (kind) {
  case DLC_ENTRY_INIT:
    return "init";
  case DLC_ENTRY_TRAIN:
    return "train";
  case DLC_ENTRY_EVAL:
    return "eval";
  case DLC_ENTRY_INFER:
    return "infer";
  }
  return "unknown";
}

std::string join(const std::vector<std::string> &names) {
  std::string text;
  for (const std::string &name : names)
    text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

/// "no WHAT is called NAME; there is: a, b (did you mean a?)"
Status unknown_name(const std::string &what, const std::string &name, const std::vector<std::string> &known) {
  std::optional<std::string> near = data::nearest_name(name, known);
  return Status::input("no " + what + " is called " + name + "; there is: " + join(known) +
                       (near ? " (did you mean " + *near + "?)" : ""));
}

/// "h - 4" for the runtime's "h + -4".
std::string with_subtractions(std::string text) {
  constexpr std::string_view added = " + -";
  for (size_t at = 0; (at = text.find(added, at)) != std::string::npos;)
    text.replace(at, added.size(), " - ");
  return text;
}

} // namespace

Status Artifact::load_file(const std::string &path) {
  dlc_artifact_t *artifact = nullptr;
  dlc_status_t status;
  if (dlc_artifact_load_file(path.c_str(), nullptr, &artifact, &status) != DLC_OK) {
    // That a file is missing, or no file, is the user's mistake; that it cannot be read is the machine's.
    struct stat info;
    bool users = status.code == DLC_IO && (access(path.c_str(), R_OK) != 0 ||
                                           stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode));
    return users ? Status::input(status.message) : from_runtime(status);
  }
  handle_.reset(artifact);
  path_ = path;
  return read_tables();
}

Status Artifact::read_metadata(std::vector<std::byte> &out_metadata) const {
  data::InputFile file;
  if (!path_.empty())
    DLC_DATA_TRY(file.open(path_));
  auto read = [&](uint64_t offset, void *out, uint64_t size) {
    if (!path_.empty())
      return file.read(static_cast<int64_t>(offset), out, static_cast<int64_t>(size));
    memcpy(out, bytes_.data() + offset, size);
    return Status();
  };
  dlc_artifact_header_t header; // The runtime has verified it.
  DLC_DATA_TRY(read(0, &header, sizeof header));
  out_metadata.resize(header.metadata_size);
  return read(header.metadata_offset, out_metadata.data(), out_metadata.size());
}

Status Artifact::load_memory(const std::vector<std::byte> &bytes) {
  dlc_artifact_t *artifact = nullptr;
  dlc_status_t status;
  if (dlc_artifact_load_memory(bytes.data(), bytes.size(), nullptr, &artifact, &status) != DLC_OK)
    return from_runtime(status);
  handle_.reset(artifact);
  bytes_ = bytes;
  return read_tables();
}

Status Artifact::read_tables() {
  dlc_artifact_info(handle(), &info_);
  dlc_status_t status;
  for (int32_t i = 0; i < info_.entry_count; ++i) {
    dlc_entry_info_t info;
    if (dlc_artifact_entry(handle(), i, &info, &status) != DLC_OK)
      return from_runtime(status);
    Entry entry;
    entry.index = i;
    entry.name = info.name;
    entry.kind = info.kind;
    for (int32_t s = 0; s < info.symbol_count; ++s) {
      dlc_symbol_info_t symbol;
      if (dlc_entry_symbol(handle(), i, s, &symbol, &status) != DLC_OK)
        return from_runtime(status);
      entry.symbols.push_back(symbol.name);
    }
    entry.arguments = read_values(i, info.argument_count, false);
    entry.results = read_values(i, info.result_count, true);
    entries_.push_back(std::move(entry));
  }
  for (int32_t i = 0; i < info_.state_count; ++i) {
    dlc_state_info_t info;
    if (dlc_artifact_state(handle(), i, &info, &status) != DLC_OK)
      return from_runtime(status);
    states_.push_back(info);
  }
  return {};
}

std::vector<Value> Artifact::read_values(int32_t entry, int32_t count, bool results) const {
  std::vector<Value> values;
  for (int32_t i = 0; i < count; ++i) {
    dlc_value_info_t info;
    dlc_status_t status;
    if ((results ? dlc_entry_result : dlc_entry_argument)(handle(), entry, i, &info, &status) != DLC_OK)
      continue;
    Value value;
    value.name = info.name;
    value.type = static_cast<DataType>(info.dtype);
    value.dims.assign(info.dims, info.dims + info.rank);
    value.report = info.report;
    if (info.places > 0) {
      value.places = info.places;
      value.least_place = info.least_place;
      value.places_location =
          data::format("%s:%d:%d", info.places_file, info.places_line, info.places_column);
    }
    value.signature = std::string(data::type_name(value.type)) + "[";
    for (int32_t d = 0; d < info.rank; ++d) {
      char text[256];
      dlc_expression_format(handle(), info.dims[d], entry, text, sizeof text);
      value.signature += (d ? ", " : "") + with_subtractions(text);
      bool is_number = std::string_view(text).find_first_not_of("0123456789") == std::string_view::npos;
      value.sizes.push_back(is_number ? std::atoll(text) : -1);
    }
    value.signature += "]";
    values.push_back(std::move(value));
  }
  return values;
}

Status Artifact::find_entry(const std::string &name, const Entry *&out_entry) const {
  std::vector<std::string> names;
  for (const Entry &entry : entries_) {
    if (entry.name == name) {
      out_entry = &entry;
      return {};
    }
    if (entry.kind != DLC_ENTRY_INIT)
      names.push_back(entry.name);
  }
  return unknown_name("entry", name, names);
}

/// The entry and the split of each line of this kind in the fit block.
std::vector<std::pair<std::string, std::string>> Artifact::fit_lines(dlc_entry_kind_t kind) const {
  const std::string entry = std::string(kind_name(kind)) + ".entry",
                    split = std::string(kind_name(kind)) + ".split";
  std::vector<std::pair<std::string, std::string>> lines;
  for (int32_t i = 0; i < info_.fit_count; ++i) {
    dlc_fit_info_t fit;
    if (dlc_artifact_fit(handle(), i, &fit, nullptr) != DLC_OK)
      continue;
    if (fit.key == entry)
      lines.emplace_back(fit.text, "");
    else if (fit.key == split && !lines.empty())
      lines.back().second = fit.text;
  }
  return lines;
}

Status Artifact::choose_turns(dlc_entry_kind_t kind, const std::string &flag,
                              std::vector<Turn> &out_turns) const {
  std::vector<std::string> candidates;
  for (const Entry &entry : entries_)
    if (entry.kind == kind)
      candidates.push_back(entry.name);
  const std::string default_split = kind == DLC_ENTRY_TRAIN ? "train" : "test";
  std::vector<std::pair<std::string, std::string>> lines = fit_lines(kind);
  bool is_default = flag.empty() && lines.empty() && candidates.size() == 1;
  if (!flag.empty()) {
    // Its first line alone: --entry runs an entry by itself.
    std::erase_if(lines, [&](const auto &line) { return line.first != flag; });
    lines.resize(1, {flag, default_split});
  } else if (is_default) {
    lines.emplace_back(candidates[0], default_split);
  } else if (lines.empty()) {
    return Status::input(
        data::format("%s has %s %s entry%s", info_.source_name, candidates.empty() ? "no" : "more than one",
                     kind_name(kind),
                     candidates.empty() ? "" : ("; --entry chooses one of: " + join(candidates)).c_str()));
  }
  for (const auto &[name, split] : lines) {
    Turn turn = {nullptr, split, is_default};
    if (Status status = find_entry(name, turn.entry); !status.ok())
      return unknown_name(std::string(kind_name(kind)) + " entry", name, candidates);
    if (turn.entry->kind != kind)
      return Status::input(data::format("%s is an entry of kind %s, expected %s: %s", name.c_str(),
                                        kind_name(turn.entry->kind), kind_name(kind),
                                        join(candidates).c_str()));
    out_turns.push_back(turn);
  }
  return {};
}

std::string Artifact::fit_text(const char *key) const {
  for (int32_t i = 0; i < info_.fit_count; ++i) {
    dlc_fit_info_t fit;
    if (dlc_artifact_fit(handle(), i, &fit, nullptr) == DLC_OK && fit.kind != DLC_FIT_NUMBER &&
        !strcmp(fit.key, key))
      return fit.text;
  }
  return "";
}

std::optional<double> Artifact::fit_number(const char *key) const {
  for (int32_t i = 0; i < info_.fit_count; ++i) {
    dlc_fit_info_t fit;
    if (dlc_artifact_fit(handle(), i, &fit, nullptr) == DLC_OK && fit.kind == DLC_FIT_NUMBER &&
        !strcmp(fit.key, key))
      return fit.number;
  }
  return std::nullopt;
}

data::DataSpec Artifact::fit_data() const {
  constexpr std::string_view prefix = "data.";
  data::DataSpec spec = {fit_text("data.loader"), fit_text("data.path"), {}};
  for (int32_t i = 0; i < info_.fit_count; ++i) {
    dlc_fit_info_t fit;
    if (dlc_artifact_fit(handle(), i, &fit, nullptr) != DLC_OK)
      continue;
    std::string_view key = fit.key;
    if (!key.starts_with(prefix) || key == "data.loader" || key == "data.path")
      continue;
    data::SettingValue value = fit.kind == DLC_FIT_NUMBER ? data::SettingValue::of(fit.number)
                               : fit.kind == DLC_FIT_STRING
                                   ? data::SettingValue::of(std::string(fit.text))
                                   : data::SettingValue::of(!strcmp(fit.text, "true"));
    spec.settings.add(std::string(key.substr(prefix.size())), std::move(value));
  }
  return spec;
}

std::string Artifact::format(dlc_expression_t expression, const Entry &entry) const {
  char first;
  size_t length = dlc_expression_format(handle(), expression, entry.index, &first, 1);
  std::string text(length + 1, '\0');
  dlc_expression_format(handle(), expression, entry.index, text.data(), text.size());
  text.resize(length);
  return with_subtractions(std::move(text));
}

Status create_session(const Artifact &artifact, const Options &options, SessionHandle &out_session,
                      const dlc_observer_t *observer) {
  dlc_session_options_t session_options = {};
  session_options.observer = observer;
  if (!options.cpus.empty() && options.cpus[0] != "native") {
    std::vector<std::string> names;
    for (int32_t i = 0; i < artifact.info().variant_count; ++i) {
      dlc_variant_info_t info;
      if (dlc_artifact_variant(artifact.handle(), i, &info, nullptr) == DLC_OK)
        names.push_back(info.name);
    }
    if (dlc_artifact_variant_find(artifact.handle(), options.cpus[0].c_str()) < 0)
      return unknown_name("variant", options.cpus[0], names);
    session_options.variant = options.cpus[0].c_str();
  }
  session_options.device = options.device.empty() ? nullptr : options.device.c_str();
  session_options.threads = options.threads;
  session_options.flags = options.red_zones ? DLC_SESSION_RED_ZONES : 0;
  dlc_session_t *session = nullptr;
  dlc_status_t status;
  if (dlc_session_create(artifact.handle(), &session_options, &session, &status) != DLC_OK) {
    bool sanitized = status.code == DLC_UNSUPPORTED && strstr(status.message, "AddressSanitizer");
    return from_runtime(status).with(sanitized ? "; compiled with --sanitize, it runs in programs that are "
                                                 "built with -fsanitize=address, such as "
                                                 "dlc-run of cmake --preset sanitize"
                                               : "");
  }
  out_session.reset(session);
  if (options.drew_seed && !options.json)
    fprintf(stderr, "note: drew --seed %" PRIu64 "\n", *options.seed);
  if (options.seed && dlc_session_seed_set(session, *options.seed, &status) != DLC_OK)
    return from_runtime(status);
  return {};
}

Status set_hyperparameters(const Artifact &artifact, const Options &options, dlc_session_t *session) {
  for (const auto &[name, value] : options.set) {
    dlc_status_t status;
    if (dlc_session_hyperparameter_set(session, name.c_str(), value, &status) == DLC_OK)
      continue;
    std::vector<std::string> known;
    for (const dlc_state_info_t &state : artifact.states()) {
      if (state.role == DLC_STATE_HYPERPARAMETER)
        known.push_back(state.name);
      if (state.role == DLC_STATE_SCHEDULE &&
          (state.name == name || std::string(state.name).ends_with("." + name)))
        return Status::input(name + " follows a schedule, whose values --set cannot change");
    }
    return status.code == DLC_NOT_FOUND ? unknown_name("hyperparameter", name, known) : from_runtime(status);
  }
  return {};
}

double element_value(DataType type, const void *elements, int64_t index) {
  switch (type) {
  case DataType::f32:
    return static_cast<const float *>(elements)[index];
  case DataType::f64:
    return static_cast<const double *>(elements)[index];
  case DataType::bf16:
    return std::bit_cast<float>(static_cast<uint32_t>(static_cast<const uint16_t *>(elements)[index]) << 16);
  case DataType::f16:
    return data::widen_f16(static_cast<const uint16_t *>(elements)[index]);
  case DataType::i8:
    return static_cast<const int8_t *>(elements)[index];
  case DataType::u8:
  case DataType::boolean:
    return static_cast<const uint8_t *>(elements)[index];
  case DataType::i32:
    return static_cast<const int32_t *>(elements)[index];
  case DataType::i64:
    return static_cast<double>(static_cast<const int64_t *>(elements)[index]);
  }
  return 0;
}

} // namespace dlc::cli
