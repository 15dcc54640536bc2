// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/encoding.h"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

namespace dlc::data {

using nlohmann::json;

namespace {

/// The bytes of the code point that text begins with; 0 where it is not valid UTF-8 (Unicode 15, table 3-7).
size_t code_point_bytes(std::string_view text) {
  auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  auto continues = [&](size_t from, size_t to) {
    for (size_t i = from; i < to; ++i)
      if ((byte(i) & 0xc0u) != 0x80u)
        return false;
    return true;
  };
  unsigned first = byte(0), second = byte(1);
  if (first < 0x80)
    return 1;
  if (first >= 0xc2 && first <= 0xdf)
    return continues(1, 2) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    bool overlong = first == 0xe0 && second < 0xa0, surrogate = first == 0xed && second >= 0xa0;
    return !overlong && !surrogate && continues(1, 3) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    bool overlong = first == 0xf0 && second < 0x90, beyond = first == 0xf4 && second >= 0x90;
    return !overlong && !beyond && continues(1, 4) ? 4 : 0;
  }
  return 0;
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/// A token for a message.
std::string quote(std::string_view token) {
  return token == "\n" ? "a newline" : "'" + std::string(token) + "'";
}

} // namespace

std::string_view next_token(Vocabulary::Unit unit, std::string_view &text) {
  if (unit == Vocabulary::Unit::word)
    while (!text.empty() && is_space(text[0]))
      text.remove_prefix(1);
  size_t length = 0;
  while (length < text.size()) {
    char c = text[length];
    bool ends_word = unit == Vocabulary::Unit::word && (is_space(c) || c == '\n');
    if (ends_word && length > 0)
      break;
    size_t bytes = code_point_bytes(text.substr(length));
    if (bytes == 0) {
      text.remove_prefix(length);
      return {};
    }
    length += bytes;
    if (ends_word || unit == Vocabulary::Unit::character)
      break;
  }
  std::string_view token = text.substr(0, length);
  text.remove_prefix(length);
  return token;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    size_t bytes = code_point_bytes(text);
    if (bytes == 0)
      return false;
    text.remove_prefix(bytes);
  }
  return true;
}

Vocabulary::Vocabulary(Unit unit, std::vector<std::string> tokens, int32_t padding, int32_t unknown)
    : unit_(unit), tokens_(std::move(tokens)), padding_(padding), unknown_(unknown) {
  for (size_t i = 0; i < tokens_.size(); ++i)
    ids_.emplace(tokens_[i], static_cast<int32_t>(i));
}

int32_t Vocabulary::find(std::string_view token) const {
  auto found = ids_.find(std::string(token));
  return found == ids_.end() ? unknown_ : found->second;
}

Status Vocabulary::encode(std::string_view text, std::vector<int32_t> &out_ids) const {
  std::vector<int32_t> ids;
  std::string_view rest = text;
  for (;;) {
    std::string_view token = next_token(unit_, rest);
    if (token.empty()) {
      if (rest.empty())
        break;
      return Status::input(format("invalid UTF-8 at offset %zu", text.size() - rest.size()));
    }
    int32_t id = find(token);
    if (id < 0)
      return Status::input(quote(token) +
                           format(" at offset %zu is not one of the %zu tokens of the vocabulary",
                                  static_cast<size_t>(token.data() - text.data()), tokens_.size()));
    ids.push_back(id);
  }
  out_ids = std::move(ids);
  return {};
}

Status Vocabulary::decode(std::span<const int32_t> ids, std::string &out_text) const {
  std::string text;
  for (int32_t id : ids) {
    if (id < 0 || id >= size())
      return Status::input(format("token %d: expected 0 to %d", id, size() - 1));
    if (id == padding_)
      continue;
    const std::string &token = tokens_[static_cast<size_t>(id)];
    if (unit_ == Unit::word && !text.empty() && text.back() != '\n' && token != "\n")
      text += ' ';
    text += token;
  }
  out_text = std::move(text);
  return {};
}

std::vector<std::string> most_frequent(std::span<const std::string_view> tokens, int64_t limit,
                                       int64_t min_count) {
  std::unordered_map<std::string_view, int64_t> counts;
  for (std::string_view token : tokens)
    ++counts[token];
  std::vector<std::pair<int64_t, std::string_view>> order; // by the negated count
  for (const auto &[token, count] : counts)
    if (count >= min_count)
      order.emplace_back(-count, token);
  std::sort(order.begin(), order.end());
  order.resize(std::min(order.size(), static_cast<size_t>(std::max<int64_t>(limit, 0))));
  std::vector<std::string> names;
  for (const auto &[count, token] : order)
    names.emplace_back(token);
  return names;
}

const Vocabulary *find_vocabulary(const Encodings &encodings) {
  const Vocabulary *found = nullptr;
  for (const auto &[column, encoding] : encodings) {
    if (!encoding->vocabulary)
      continue;
    if (found && !(*found == *encoding->vocabulary))
      return nullptr;
    found = &*encoding->vocabulary;
  }
  return found;
}

std::shared_ptr<const Encoding> find_classes(const Encodings &encodings) {
  auto label = encodings.find("label");
  return label != encodings.end() && !label->second->classes.empty() ? label->second : nullptr;
}

//===- JSON ---------------------------------------------------------------------------------------------===//
//
// {"columns": {"text": 0, "next": 0}, "encodings": [{"vocabulary": {"unit": "char", "tokens": ["\n", " "],
// "padding": -1, "unknown": -1}}]}, and in other encodings "classes": ["airplane", ...], of a table with
// "column": "kind", and "features": [{"name": "age", "mean": 29.7, "scale": 14.5, "missing": 29.7}, {"name":
// "sex", "categories": ["female"]}].

namespace {

json write(const Encoding &encoding) {
  json object = json::object();
  if (const std::optional<Vocabulary> &vocabulary = encoding.vocabulary)
    object["vocabulary"] = {{"unit", vocabulary->unit() == Vocabulary::Unit::character ? "char" : "word"},
                            {"tokens", vocabulary->tokens()},
                            {"padding", vocabulary->padding()},
                            {"unknown", vocabulary->unknown()}};
  if (!encoding.classes.empty())
    object["classes"] = encoding.classes;
  if (!encoding.column.empty())
    object["column"] = encoding.column;
  for (const Feature &feature : encoding.features) {
    json one = {{"name", feature.name}};
    if (feature.categories.empty())
      one.update({{"mean", feature.mean}, {"scale", feature.scale}, {"missing", feature.missing}});
    else
      one["categories"] = feature.categories;
    object["features"].push_back(std::move(one));
  }
  return object;
}

bool read(const json &object, const char *key, std::vector<std::string> &out) {
  if (!object.contains(key) || !object[key].is_array())
    return false;
  for (const json &one : object[key]) {
    if (!one.is_string())
      return false;
    out.push_back(one.get<std::string>());
  }
  return true;
}

bool read(const json &object, const char *key, double &out) {
  if (!object.contains(key) || !object[key].is_number())
    return false;
  out = object[key].get<double>();
  return true;
}

bool read(const json &object, std::optional<Vocabulary> &out) {
  std::vector<std::string> tokens;
  double padding = -1, unknown = -1;
  if (!object.is_object() || !read(object, "tokens", tokens) || tokens.empty() || tokens.size() > INT32_MAX ||
      !read(object, "padding", padding) || !read(object, "unknown", unknown))
    return false;
  auto is_id = [&](double id) {
    return id >= -1 && id < static_cast<double>(tokens.size()) &&
           id == static_cast<double>(static_cast<int32_t>(id));
  };
  const json unit = object.value("unit", json());
  bool known_unit = unit == "char" || unit == "word";
  if (!known_unit || !is_id(padding) || !is_id(unknown) ||
      std::set<std::string>(tokens.begin(), tokens.end()).size() != tokens.size())
    return false;
  out.emplace(unit == "char" ? Vocabulary::Unit::character : Vocabulary::Unit::word, std::move(tokens),
              static_cast<int32_t>(padding), static_cast<int32_t>(unknown));
  return true;
}

bool read(const json &object, Encoding &out) {
  if (!object.is_object())
    return false;
  if (object.contains("vocabulary") && !read(object["vocabulary"], out.vocabulary))
    return false;
  if (object.contains("classes") && !read(object, "classes", out.classes))
    return false;
  if (object.contains("column")) {
    if (!object["column"].is_string())
      return false;
    out.column = object["column"].get<std::string>();
  }
  if (!object.contains("features"))
    return true;
  if (!object["features"].is_array())
    return false;
  for (const json &one : object["features"]) {
    Feature &feature = out.features.emplace_back();
    if (!one.is_object() || !one.contains("name") || !one["name"].is_string())
      return false;
    feature.name = one["name"].get<std::string>();
    bool whole = one.contains("categories")
                     ? read(one, "categories", feature.categories) && !feature.categories.empty()
                     : read(one, "mean", feature.mean) && read(one, "scale", feature.scale) &&
                           read(one, "missing", feature.missing);
    if (!whole)
      return false;
  }
  return true;
}

bool read(const json &object, Encodings &out) {
  if (!object.is_object() || !object.contains("encodings") || !object["encodings"].is_array() ||
      !object.contains("columns") || !object["columns"].is_object())
    return false;
  std::vector<std::shared_ptr<const Encoding>> all;
  for (const json &one : object["encodings"]) {
    auto encoding = std::make_shared<Encoding>();
    if (!read(one, *encoding))
      return false;
    all.push_back(std::move(encoding));
  }
  for (const auto &[column, index] : object["columns"].items()) {
    if (!index.is_number_unsigned() || index.get<uint64_t>() >= all.size())
      return false;
    out[column] = all[index.get<size_t>()];
  }
  return true;
}

} // namespace

std::string write_encodings(const Encodings &encodings) {
  json object = {{"columns", json::object()}, {"encodings", json::array()}};
  std::vector<std::shared_ptr<const Encoding>> written;
  for (const auto &[column, encoding] : encodings) {
    auto known = std::find(written.begin(), written.end(), encoding);
    object["columns"][column] = known - written.begin();
    if (known != written.end())
      continue;
    written.push_back(encoding);
    object["encodings"].push_back(write(*encoding));
  }
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

Status read_encodings(const std::string &text, const std::string &source, Encodings &out_encodings) {
  Encodings encodings;
  json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!read(object, encodings))
    return Status::input(source + ": the description of the data is damaged: expected vocabularies, classes "
                                  "and features as dlc writes them");
  out_encodings = std::move(encodings);
  return {};
}

} // namespace dlc::data
