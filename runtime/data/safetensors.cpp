// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/safetensors.h"

#include <algorithm>
#include <cinttypes>
#include <set>

#include <nlohmann/json.hpp>

namespace dlc::data {
namespace {

using nlohmann::json;

/// The format's names of our element types, in the order of DataType.
constexpr const char *format_names[] = {"F32", "F64", "BF16", "F16", "I8", "U8", "I32", "I64", "BOOL"};

/// The format's own ceiling.
constexpr int64_t max_header_bytes = 100'000'000;

/// A non-negative integer of the header, or nothing.
std::optional<int64_t> header_integer(const json &value) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > INT64_MAX)
    return std::nullopt;
  return static_cast<int64_t>(value.get<uint64_t>());
}

/// A string or a number as the header has it. What has parts is named by its kind alone: it may be nested as
/// deeply as the file is long.
std::string describe(const json &value) {
  return value.is_structured() ? std::string("an ") + value.type_name()
                               : value.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// Reads one tensor's record. Returns what is wrong with it, or an empty string.
std::string parse_entry(const json &record, int64_t data_start, int64_t data_size,
                        SafetensorsFile::Entry &entry) {
  if (!record.is_object() || !record.contains("dtype") || !record.contains("shape") ||
      !record.contains("data_offsets"))
    return "expected an object with dtype, shape and data_offsets";
  const json &dtype = record["dtype"], &shape = record["shape"], &offsets = record["data_offsets"];
  auto known = std::find_if(std::begin(format_names), std::end(format_names), [&](const char *name) {
    return dtype.is_string() && dtype.get_ref<const std::string &>() == name;
  });
  if (known == std::end(format_names))
    return "dtype " + describe(dtype) + ", expected one of F32, F64, BF16, F16, I8, U8, I32, I64, BOOL";
  entry.type = static_cast<DataType>(known - std::begin(format_names));
  if (!shape.is_array())
    return "shape should be a list";
  for (const json &dimension : shape) {
    std::optional<int64_t> value = header_integer(dimension);
    if (!value)
      return "dimension " + describe(dimension) + " in shape";
    entry.shape.push_back(*value);
  }
  if (!offsets.is_array() || offsets.size() != 2 || !header_integer(offsets[0]) ||
      !header_integer(offsets[1]))
    return "data_offsets should be two non-negative integers";
  int64_t begin = *header_integer(offsets[0]), end = *header_integer(offsets[1]);
  if (begin > end || end > data_size)
    return format("data_offsets [%" PRId64 ", %" PRId64 "] exceed the %" PRId64
                  " bytes after the header (a truncated file?)",
                  begin, end, data_size);
  std::optional<int64_t> size = byte_count(entry.type, entry.shape);
  if (!size || *size != end - begin)
    return format("%s should have %s bytes, its data_offsets give %" PRId64,
                  format_type(entry.type, entry.shape).c_str(),
                  size ? std::to_string(*size).c_str() : "more than 2^63", end - begin);
  entry.offset = data_start + begin;
  entry.size = *size;
  return "";
}

} // namespace

Status SafetensorsFile::open(const std::string &path) {
  DLC_DATA_TRY(file_.open(path));
  const char *file = path.c_str();
  if (file_.size() < 8)
    return Status::input(
        format("%s: not a safetensors file: expected 8 bytes of header length at offset 0, found %" PRId64,
               file, file_.size()));
  unsigned char start[8];
  DLC_DATA_TRY(file_.read(0, start, 8));
  uint64_t length = 0;
  for (int i = 8; i-- > 0;)
    length = length << 8 | start[i];
  if (length > static_cast<uint64_t>(max_header_bytes) || static_cast<int64_t>(length) > file_.size() - 8)
    return Status::input(
        format("%s: not a safetensors file, or truncated: the header at offset 8 should have %" PRIu64
               " bytes, found %" PRId64,
               file, length, file_.size() - 8));
  std::string text(length, '\0');
  DLC_DATA_TRY(file_.read(8, text.data(), static_cast<int64_t>(length)));

  std::set<std::string> seen;
  std::string repeated;
  json header = json::parse(
      text,
      [&](int depth, json::parse_event_t event, json &value) {
        if (event == json::parse_event_t::key && depth == 1 && !seen.insert(value.get<std::string>()).second)
          repeated = value.get<std::string>();
        return true;
      },
      /*allow_exceptions=*/false);
  if (!header.is_object())
    return Status::input(format("%s: not a safetensors file: the %" PRIu64
                                " bytes at offset 8 should be a JSON object",
                                file, length));
  if (!repeated.empty())
    return Status::input(format("%s: the name %s occurs twice in the header", file, repeated.c_str()));

  int64_t data_start = 8 + static_cast<int64_t>(length), data_size = file_.size() - data_start;
  entries_.clear();
  metadata_.clear();
  for (const auto &[name, record] : header.items()) {
    if (name == "__metadata__") {
      for (const auto &[key, value] : record.items())
        if (value.is_string())
          metadata_[key] = value.get<std::string>();
      continue;
    }
    Entry entry;
    entry.name = name;
    if (std::string wrong = parse_entry(record, data_start, data_size, entry); !wrong.empty())
      return Status::input(format("%s: tensor %s: %s", file, name.c_str(), wrong.c_str()));
    entries_.push_back(std::move(entry));
  }
  std::sort(entries_.begin(), entries_.end(), [](const Entry &a, const Entry &b) {
    return std::tie(a.offset, a.size, a.name) < std::tie(b.offset, b.size, b.name);
  });
  int64_t next = data_start;
  for (const Entry &entry : entries_) {
    if (entry.offset != next)
      return Status::input(format("%s: tensor %s starts at offset %" PRId64 ", expected %" PRId64
                                  ": tensors must follow each other without %s",
                                  file, entry.name.c_str(), entry.offset, next,
                                  entry.offset < next ? "overlaps" : "holes"));
    next += entry.size;
  }
  if (next != file_.size())
    return Status::input(format("%s: %" PRId64 " bytes at offset %" PRId64 " belong to no tensor", file,
                                file_.size() - next, next));
  return {};
}

const SafetensorsFile::Entry *SafetensorsFile::find(std::string_view name) const {
  auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry &entry) { return entry.name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

Status write_safetensors(const std::string &path, const std::vector<NamedTensor> &tensors,
                         const std::map<std::string, std::string> &metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty())
    for (const auto &[key, value] : metadata)
      header["__metadata__"][key] = value;
  std::vector<Piece> pieces(1);
  int64_t offset = 0;
  for (const NamedTensor &tensor : tensors) {
    std::optional<int64_t> size = byte_count(tensor.type, tensor.shape);
    int64_t end = 0;
    if (!size || __builtin_add_overflow(offset, *size, &end))
      return Status::bug("write_safetensors: the size of " + tensor.name + " overflows");
    if (tensor.name == "__metadata__" || header.contains(tensor.name))
      return Status::bug("write_safetensors: the name " + tensor.name + " is taken");
    header[tensor.name] = {{"dtype", format_names[static_cast<size_t>(tensor.type)]},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, end}}};
    pieces.push_back({tensor.elements, static_cast<size_t>(*size)});
    offset = end;
  }
  std::string text = header.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  // Elements start at a multiple of 8 bytes.
  text.append((8 - text.size() % 8) % 8, ' ');
  std::string start(8, '\0');
  for (int i = 0; i < 8; ++i)
    start[static_cast<size_t>(i)] = static_cast<char>(text.size() >> (8 * i) & 0xff);
  start += text;
  pieces[0] = {start.data(), start.size()};
  return replace_file(path, pieces);
}

} // namespace dlc::data
