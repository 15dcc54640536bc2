// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the verbs print: a JSON object a line, a progress bar on a terminal, plain lines on a pipe.
#ifndef DLC_TOOLS_CLI_OUTPUT_H
#define DLC_TOOLS_CLI_OUTPUT_H

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace dlc::cli {

/// One line of --json: {"event":"...", ...}. Reals have nine significant digits, which is every bit of an
/// f32; what is not finite becomes null.
class JsonLine {
public:
  explicit JsonLine(std::string_view event);
  JsonLine &add(std::string_view key, std::string_view value);
  JsonLine &add(std::string_view key, const char *value) { return add(key, std::string_view(value)); }
  JsonLine &add(std::string_view key, int64_t value);
  JsonLine &add(std::string_view key, uint64_t value);
  JsonLine &add(std::string_view key, double value);
  JsonLine &add(std::string_view key, const std::vector<std::string> &values);
  /// Numbers in digits as to_chars writes them: "inf" and "nan" become null.
  JsonLine &add_number(std::string_view key, const std::string &digits);
  JsonLine &add_numbers(std::string_view key, const std::vector<std::string> &digits);
  /// Prints it to standard output and flushes.
  void print();

private:
  void key(std::string_view name);
  void add_list(std::string_view key, const std::vector<std::string> &texts,
                std::string (*written)(const std::string &));
  std::string text_;
};

/// The object that ends a run under --json that failed: {"event":"error","message":"...","exit":1}.
void print_json_error(std::string_view message, int exit);

/// text as a JSON string, quotes included. Bytes that are not UTF-8 are kept as they are.
std::string json_string(std::string_view text);

/// A name and a number: loss, accuracy.
struct Figure {
  std::string name;
  double value;
  bool significant = false; ///< Shown with significant digits, as learning rates are, not with decimals.
};

/// The value; NaN without its sign, which says nothing and would be printed.
inline double without_nan_sign(double value) {
  return std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value;
}

/// "step.loss 0.1234  step.accuracy 0.9567"
std::string format_figures(const std::vector<Figure> &figures);
/// "9 s", "1:02", "1:02:03"
std::string format_duration(double seconds);
/// "12.3 KiB"
std::string format_bytes(uint64_t bytes);
/// "12,345,678"
std::string format_count(int64_t count);

/// Seconds since some fixed moment.
double now_seconds();

/// The state of a training or an evaluation, as the bar shows it.
struct Progress {
  std::string label;                     ///< "epoch 1/3"
  int64_t done = 0, total = 0;           ///< Steps of the whole, for the bar; total 0 when it is not known.
  int64_t part_done = 0, part_total = 0; ///< Steps of this epoch.
  std::vector<Figure> figures;
  double rate = 0;         ///< Samples a second.
  double seconds_left = 0; ///< Negative when it is not known.
};

/// One line at the bottom of a terminal, redrawn at most ten times a second. Does nothing on a pipe and under
/// --json.
class ProgressBar {
public:
  explicit ProgressBar(bool json);
  ~ProgressBar() { clear(); }
  /// Whether draw would draw now: ask before collecting what it shows.
  bool due() const;
  void draw(const Progress &progress);
  /// Removes the line, so that others can be printed.
  void clear();

private:
  bool active_, drawn_ = false;
  double next_ = 0;
};

/// The columns of the terminal on standard output; 80 when it is none.
int terminal_width();
bool on_terminal();

} // namespace dlc::cli

#endif // DLC_TOOLS_CLI_OUTPUT_H
