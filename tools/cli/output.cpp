// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/cli/output.h"

#include "runtime/data/status.h"

#include <charconv>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <sys/ioctl.h>
#include <unistd.h>

namespace dlc::cli {

using data::format;

std::string json_string(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      (quoted += '\\') += c;
    else if (c == '\n')
      quoted += "\\n";
    else if (static_cast<unsigned char>(c) < 0x20)
      quoted += format("\\u%04x", c);
    else
      quoted += c;
  }
  return quoted + "\"";
}

JsonLine::JsonLine(std::string_view event) {
  add("event", event);
}

void JsonLine::key(std::string_view name) {
  text_ += (text_.empty() ? "{" : ",") + json_string(name) + ":";
}

JsonLine &JsonLine::add(std::string_view name, std::string_view value) {
  key(name);
  text_ += json_string(value);
  return *this;
}

JsonLine &JsonLine::add(std::string_view name, int64_t value) {
  key(name);
  text_ += std::to_string(value);
  return *this;
}

JsonLine &JsonLine::add(std::string_view name, uint64_t value) {
  key(name);
  text_ += std::to_string(value);
  return *this;
}

/// The shortest digits that read back as the same f32, where it is one: what a model reports; else nine.
static std::string json_number(double value) {
  if (!std::isfinite(value))
    return "null";
  auto single = static_cast<float>(value);
  if (static_cast<double>(single) != value)
    return format("%.9g", value);
  char digits[32];
  return {digits, std::to_chars(digits, std::end(digits), single).ptr};
}

JsonLine &JsonLine::add(std::string_view name, double value) {
  key(name);
  text_ += json_number(value);
  return *this;
}

void JsonLine::add_list(std::string_view name, const std::vector<std::string> &texts,
                        std::string (*written)(const std::string &)) {
  key(name);
  text_ += '[';
  for (const std::string &text : texts)
    text_ += (&text == texts.data() ? "" : ",") + written(text);
  text_ += ']';
}

JsonLine &JsonLine::add(std::string_view name, const std::vector<std::string> &values) {
  add_list(name, values, [](const std::string &value) { return json_string(value); });
  return *this;
}

static std::string number_or_null(const std::string &digits) {
  return digits.find_first_of("in") == std::string::npos ? digits : "null";
}

JsonLine &JsonLine::add_number(std::string_view name, const std::string &digits) {
  key(name);
  text_ += number_or_null(digits);
  return *this;
}

JsonLine &JsonLine::add_numbers(std::string_view name, const std::vector<std::string> &digits) {
  add_list(name, digits, number_or_null);
  return *this;
}

void JsonLine::print() {
  printf("%s}\n", text_.c_str());
  fflush(stdout);
}

void print_json_error(std::string_view message, int exit) {
  while (message.ends_with('\n'))
    message.remove_suffix(1);
  JsonLine("error").add("message", message).add("exit", int64_t{exit}).print();
}

std::string format_figures(const std::vector<Figure> &figures) {
  std::string text;
  for (const Figure &figure : figures)
    text += format(figure.significant ? "%s%s %.4g" : "%s%s %.4f", text.empty() ? "" : "  ",
                   figure.name.c_str(), without_nan_sign(figure.value));
  return text;
}

std::string format_duration(double seconds) {
  if (seconds < 60)
    return format("%.*f s", seconds < 9.95 ? 1 : 0, seconds);
  int64_t whole = static_cast<int64_t>(seconds + 0.5);
  if (whole < 3600)
    return format("%" PRId64 ":%02" PRId64, whole / 60, whole % 60);
  return format("%" PRId64 ":%02" PRId64 ":%02" PRId64, whole / 3600, whole / 60 % 60, whole % 60);
}

std::string format_bytes(uint64_t bytes) {
  const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(units); ++unit)
    value /= 1024;
  return unit == 0 ? format("%" PRIu64 " B", bytes) : format("%.1f %s", value, units[unit]);
}

std::string format_count(int64_t count) {
  std::string digits = std::to_string(count);
  for (size_t at = digits.size(); at > 3 && isdigit(digits[at - 4]);)
    digits.insert(at -= 3, ",");
  return digits;
}

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool on_terminal() {
  return isatty(STDOUT_FILENO);
}

int terminal_width() {
  winsize size = {};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

ProgressBar::ProgressBar(bool json) : active_(!json && on_terminal()) {}

bool ProgressBar::due() const {
  return active_ && now_seconds() >= next_;
}

void ProgressBar::draw(const Progress &progress) {
  if (!due())
    return;
  next_ = now_seconds() + 0.1;
  drawn_ = true;
  std::string after = format(" %" PRId64 "/%" PRId64, progress.part_done, progress.part_total);
  if (!progress.figures.empty())
    after += "  " + format_figures(progress.figures);
  if (progress.rate > 0)
    after += "  " + format_count(static_cast<int64_t>(progress.rate)) + " samples/s";
  if (progress.seconds_left >= 0)
    after += "  " + format_duration(progress.seconds_left) + " left";
  // The bar takes the room that the text leaves, 30 columns at most; the last column stays free, or terminals
  // wrap.
  int width = terminal_width() - 1;
  int room = width - static_cast<int>(progress.label.size() + after.size()) - 3;
  std::string line = progress.label;
  if (room >= 6 && progress.part_total > 0) {
    int cells = room < 30 ? room : 30;
    int full = static_cast<int>(progress.part_done * cells / progress.part_total);
    line += " [" + std::string(static_cast<size_t>(full), '=') +
            std::string(static_cast<size_t>(cells - full), ' ') + "]";
  }
  line += after;
  if (static_cast<int>(line.size()) > width)
    line.resize(static_cast<size_t>(width > 0 ? width : 0));
  printf("\r\033[K%s", line.c_str());
  fflush(stdout);
}

void ProgressBar::clear() {
  if (!drawn_)
    return;
  printf("\r\033[K");
  fflush(stdout);
  drawn_ = false;
  next_ = 0;
}

} // namespace dlc::cli
