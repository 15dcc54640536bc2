// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/settings.h"

#include "runtime/data/tensor.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace dlc::data {

std::string join(const std::vector<std::string> &names) {
  std::string text;
  for (const std::string &name : names)
    text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::vector<std::string> loader_names() {
  std::vector<std::string> names;
  for (const LoaderSignature &loader : loader_signatures)
    names.emplace_back(loader.name);
  return names;
}

Status find_loader(const std::string &name, const LoaderSignature *&out_loader) {
  for (const LoaderSignature &loader : loader_signatures)
    if (loader.name == name) {
      out_loader = &loader;
      return {};
    }
  std::vector<std::string> names = loader_names();
  std::optional<std::string> near = nearest_name(name, names);
  return Status::input("no data loader is called " + name + "; there is: " + join(names) +
                       (near ? " (did you mean " + *near + "?)" : ""));
}

namespace {

/// "4", "0.25", "true", "\"char\"".
std::string write(const SettingValue &value) {
  switch (value.kind) {
  case SettingValue::Kind::number:
    return format("%.15g", value.number);
  case SettingValue::Kind::flag:
    return value.flag ? "true" : "false";
  case SettingValue::Kind::text:
    return '"' + value.text + '"';
  }
  return "";
}

bool is_of_kind(const SettingValue &value, SettingKind kind) {
  switch (kind) {
  case SettingKind::integer:
    return value.kind == SettingValue::Kind::number && value.number == std::floor(value.number);
  case SettingKind::number:
  case SettingKind::numbers:
    return value.kind == SettingValue::Kind::number;
  case SettingKind::flag:
    return value.kind == SettingValue::Kind::flag;
  case SettingKind::text:
  case SettingKind::texts:
    return value.kind == SettingValue::Kind::text;
  }
  return false;
}

bool is_choice(std::string_view choices, const std::string &text) {
  while (!choices.empty()) {
    size_t end = std::min(choices.find('|'), choices.size());
    if (choices.substr(0, end) == text)
      return true;
    choices.remove_prefix(std::min(end + 1, choices.size()));
  }
  return false;
}

/// What the setting should be, if value is not; otherwise empty.
std::string expected_instead(const LoaderSetting &setting, const SettingValue &value) {
  std::string kind(describe(setting.kind));
  if (!is_of_kind(value, setting.kind))
    return kind;
  if (value.kind == SettingValue::Kind::number &&
      (value.number < setting.least || value.number > setting.most))
    return kind + (setting.least > -no_limit ? format(" of at least %.15g", setting.least) : "") +
           (setting.most < no_limit ? format(" and at most %.15g", setting.most) : "");
  if (!setting.choices.empty() && !is_choice(setting.choices, value.text)) {
    std::string choices(setting.choices);
    for (size_t at; (at = choices.find('|')) != std::string::npos;)
      choices.replace(at, 1, ", ");
    return "one of " + choices;
  }
  return "";
}

} // namespace

Status Settings::check(const LoaderSignature &loader) const {
  std::string loader_name(loader.name);
  for (const auto &[name, values] : values_) {
    auto known = std::find_if(loader.settings.begin(), loader.settings.end(),
                              [&, &name = name](const LoaderSetting &one) { return one.name == name; });
    if (known == loader.settings.end()) {
      std::vector<std::string> names;
      for (const LoaderSetting &setting : loader.settings)
        names.emplace_back(setting.name);
      std::optional<std::string> near = nearest_name(name, names);
      return Status::input(loader_name + " has no setting " + name + "; it has: " + join(names) +
                           (near ? " (did you mean " + *near + "?)" : ""));
    }
    bool list = known->kind == SettingKind::numbers || known->kind == SettingKind::texts;
    if (values.size() != 1 && !list)
      return Status::input(loader_name + ": " + name + " is " + std::string(describe(known->kind)) +
                           format(", got a list of %zu", values.size()));
    for (const SettingValue &value : values)
      if (std::string expected = expected_instead(*known, value); !expected.empty())
        return Status::input(loader_name + ": " + name + " is " + expected + ", got " + write(value));
  }
  return {};
}

const SettingValue *Settings::find(const std::string &name) const {
  auto found = values_.find(name);
  return found == values_.end() || found->second.empty() ? nullptr : &found->second[0];
}

int64_t Settings::integer(const std::string &name, int64_t fallback) const {
  const SettingValue *value = find(name);
  return value ? static_cast<int64_t>(value->number) : fallback;
}

double Settings::number(const std::string &name, double fallback) const {
  const SettingValue *value = find(name);
  return value ? value->number : fallback;
}

bool Settings::flag(const std::string &name, bool fallback) const {
  const SettingValue *value = find(name);
  return value ? value->flag : fallback;
}

std::string Settings::text(const std::string &name, const std::string &fallback) const {
  const SettingValue *value = find(name);
  return value ? value->text : fallback;
}

std::vector<double> Settings::numbers(const std::string &name) const {
  std::vector<double> numbers;
  if (auto found = values_.find(name); found != values_.end())
    for (const SettingValue &value : found->second)
      numbers.push_back(value.number);
  return numbers;
}

std::vector<std::string> Settings::texts(const std::string &name) const {
  std::vector<std::string> texts;
  if (auto found = values_.find(name); found != values_.end())
    for (const SettingValue &value : found->second)
      texts.push_back(value.text);
  return texts;
}

//===- loader("path", key=value) ------------------------------------------------------------------------===//

namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

class SpecParser {
public:
  explicit SpecParser(const std::string &text) : text_(text) {}

  Status parse(DataSpec &out) {
    DataSpec spec;
    spec.loader = name();
    if (spec.loader.empty() || !take('('))
      return wrong("a loader and '('");
    while (!take(')')) {
      DLC_DATA_TRY(parse_argument(spec));
      if (take(','))
        continue;
      if (!take(')'))
        return wrong("',' or ')'");
      break;
    }
    skip_spaces();
    if (at_ < text_.size())
      return wrong("nothing behind ')'");
    out = std::move(spec);
    return {};
  }

private:
  Status parse_argument(DataSpec &spec) {
    skip_spaces();
    SettingValue value;
    if (peek() == '"') {
      if (!spec.path.empty())
        return wrong("one path, and everything else as key=value");
      DLC_DATA_TRY(parse_value(value));
      spec.path = value.text;
      return {};
    }
    std::string key = name();
    if (key.empty() || !take('='))
      return wrong("key=value");
    if (spec.settings.has(key))
      return Status::input(text_ + ": " + key + " is set twice");
    if (!take('[')) {
      DLC_DATA_TRY(parse_value(value));
      spec.settings.add(key, std::move(value));
      return {};
    }
    spec.settings.add_list(key);
    while (!take(']')) {
      DLC_DATA_TRY(parse_value(value));
      spec.settings.add(key, std::move(value));
      if (!take(','))
        return take(']') ? Status() : wrong("',' or ']'");
    }
    return {};
  }

  Status parse_value(SettingValue &out) {
    skip_spaces();
    if (peek() == '"')
      return parse_text(out);
    const char *start = text_.data() + at_, *end = text_.data() + text_.size();
    double number = 0;
    auto [stop, error] = std::from_chars(start, end, number);
    if (error == std::errc() && std::isfinite(number) &&
        (peek() == '-' || (peek() >= '0' && peek() <= '9'))) {
      at_ += static_cast<size_t>(stop - start);
      out = SettingValue::of(number);
      return {};
    }
    size_t before = at_;
    std::string word = name();
    if (word == "true" || word == "false") {
      out = SettingValue::of(word == "true");
      return {};
    }
    at_ = before;
    return wrong("a number, true, false or a \"string\"");
  }

  /// The language's strings: \n, \t, \" and \\.
  Status parse_text(SettingValue &out) {
    std::string text;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      char c = text_[at_];
      if (c == '\\' && at_ + 1 < text_.size()) {
        c = text_[++at_];
        c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
      }
      text += c;
    }
    if (at_ == text_.size())
      return wrong("'\"' at the end of the string");
    ++at_;
    out = SettingValue::of(std::move(text));
    return {};
  }

  std::string name() {
    skip_spaces();
    size_t start = at_;
    while (is_name_character(peek()))
      ++at_;
    return text_.substr(start, at_ - start);
  }
  bool take(char c) {
    skip_spaces();
    bool found = peek() == c;
    at_ += found;
    return found;
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_spaces() {
    while (peek() == ' ')
      ++at_;
  }
  Status wrong(const std::string &expected) const {
    return Status::input(text_ + ": expected " + expected + " at character " + std::to_string(at_ + 1) +
                         ", found " + (at_ < text_.size() ? "'" + text_.substr(at_, 1) + "'" : "the end"));
  }

  const std::string &text_;
  size_t at_ = 0;
};

} // namespace

bool is_data_spec(const std::string &text) {
  size_t end = 0;
  while (end < text.size() && is_name_character(text[end]))
    ++end;
  if (end == 0 || end == text.size() || text[end] != '(')
    return false;
  // Without its end, it is one if it begins like one.
  std::vector<std::string> loaders = loader_names();
  return text.ends_with(')') ||
         std::find(loaders.begin(), loaders.end(), text.substr(0, end)) != loaders.end();
}

Status parse_data_spec(const std::string &text, DataSpec &out_spec) {
  return SpecParser(text).parse(out_spec);
}

} // namespace dlc::data
