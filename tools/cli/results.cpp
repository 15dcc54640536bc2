// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/cli/results.h"

#include "runtime/data/file.h"
#include "runtime/data/npy.h"
#include "tools/cli/output.h"
#include "tools/cli/tokens.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace dlc::cli {

using data::format;
using data::Status;

namespace {

/// An element in digits that read back as the same; a real number in `significant` ones where that is not 0.
std::string digits(data::DataType type, const void *elements, int64_t index, int significant = 0) {
  char text[32];
  auto print = [&](auto value) { return std::string(text, std::to_chars(text, std::end(text), value).ptr); };
  if (type == data::DataType::i64)
    return print(static_cast<const int64_t *>(elements)[index]);
  double value = without_nan_sign(element_value(type, elements, index));
  if (!data::is_real(type))
    return print(static_cast<int64_t>(value));
  if (significant)
    return format("%.*g", significant, value);
  return type == data::DataType::f64 ? print(value) : print(static_cast<float>(value));
}

/// The first elements in digits, for results that no --out takes.
std::vector<std::string> first_elements(const dlc_tensor_t &tensor, data::DataType type, int significant,
                                        bool &out_more) {
  int64_t count = 1;
  for (int32_t i = 0; i < tensor.rank; ++i)
    count *= tensor.dims[i];
  std::vector<std::string> elements;
  for (int64_t i = 0; i < std::min<int64_t>(count, 10); ++i)
    elements.push_back(digits(type, tensor.data, i, significant));
  out_more = count > 10;
  return elements;
}

/// A result as a line: where it was written, or how it begins.
void print_result(const Value &result, const dlc_tensor_t &tensor, const std::string &path, bool json) {
  std::string type = data::format_type(result.type, data::Shape(tensor.dims, tensor.dims + tensor.rank));
  bool more = false;
  std::vector<std::string> elements = first_elements(tensor, result.type, json ? 0 : 6, more);
  if (json) {
    JsonLine line("result");
    line.add("name", result.name).add("type", type);
    if (!path.empty())
      line.add("file", path);
    else if (tensor.rank == 0)
      line.add_number("value", elements[0]);
    else
      line.add_numbers(more ? "first_values" : "values", elements);
    line.print();
    return;
  }
  std::string text = path.empty() ? "" : " in " + path;
  if (path.empty())
    for (const std::string &element : elements)
      text += " " + element;
  printf("%s: %s%s%s\n", result.name.c_str(), type.c_str(), text.c_str(), path.empty() && more ? " ..." : "");
}

/// A result as text, to standard output.
Status print_text(const Value &result, const dlc_tensor_t &tensor, const data::Encodings &encodings,
                  bool json) {
  const data::Vocabulary *vocabulary = find_vocabulary(result, encodings);
  if (!vocabulary)
    return Status::input("--out " + result.name + "=-: the weights have no vocabulary to write text with");
  std::string text;
  DLC_DATA_TRY(decode_tokens(result, *vocabulary, tensor, text));
  if (json)
    JsonLine("result").add("name", result.name).add("text", text).print();
  else
    fwrite(text.data(), 1, text.size(), stdout);
  return {};
}

/// A field of a CSV file, in quotes where it must be (RFC 4180).
std::string csv_field(const std::string &text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos)
    return text;
  std::string quoted = "\"";
  for (char c : text)
    quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

/// The names of a row's numbers: the result's own, or one for each column, which is called as the class that
/// it stands for where the data has as many.
std::string csv_header(const Value &result, int64_t columns, bool is_matrix,
                       const data::Encodings &encodings) {
  if (!is_matrix)
    return csv_field(result.name) + "\n";
  std::shared_ptr<const data::Encoding> label = data::find_classes(encodings);
  bool are_classes = label && static_cast<int64_t>(label->classes.size()) == columns;
  std::string line;
  for (int64_t i = 0; i < columns; ++i)
    line += (i ? "," : "") +
            csv_field(result.name + "." +
                      (are_classes ? label->classes[static_cast<size_t>(i)] : std::to_string(i)));
  return line + "\n";
}

/// A pipe, a terminal, /dev/null: it is written to as it is.
bool is_device(const std::string &path) {
  std::error_code error;
  return std::filesystem::exists(path, error) && !std::filesystem::is_regular_file(path, error);
}

/// A line for each row of [rows] or [rows, columns].
Status write_csv(const Value &result, const dlc_tensor_t &tensor, const std::string &path,
                 const data::Encodings &encodings) {
  if (tensor.rank < 1 || tensor.rank > 2)
    return Status::input("--out " + path + ": " + result.name + " is " + result.signature +
                         ": .csv files have one or two dimensions, .npy files any");
  int64_t columns = tensor.rank == 2 ? tensor.dims[1] : 1;
  std::string text = csv_header(result, columns, tensor.rank == 2, encodings);
  for (int64_t row = 0; row < tensor.dims[0]; ++row) {
    for (int64_t i = 0; i < columns; ++i)
      (text += i ? "," : "") += digits(result.type, tensor.data, row * columns + i);
    text += '\n';
  }
  return data::replace_file(path, {{text.data(), text.size()}});
}

} // namespace

Status match_results(const Entry &entry, const Options &options, std::vector<std::string> &out_paths) {
  out_paths.resize(entry.results.size());
  for (const auto &[name, path] : options.out) {
    size_t index = 0;
    if (name.empty() && entry.results.size() != 1)
      return Status::input(format("--out %s: %s has %zu results; name one: --out %s=%s", path.c_str(),
                                  entry.name.c_str(), entry.results.size(),
                                  entry.results.empty() ? "name" : entry.results[0].name.c_str(),
                                  path.c_str()));
    while (!name.empty() && index < entry.results.size() && entry.results[index].name != name)
      ++index;
    if (index == entry.results.size()) {
      std::string known;
      for (const Value &result : entry.results)
        known += (known.empty() ? "" : ", ") + result.name;
      return Status::input("--out " + name + ": no such result of " + entry.name + "; there is: " + known);
    }
    if (path == "-" && entry.results[index].type != data::DataType::i32)
      return Status::input("--out " + entry.results[index].name +
                           "=-: only tokens (i32) are written as text, " + entry.name + " returns " +
                           entry.results[index].signature);
    bool is_taken = path != "-" && std::find(out_paths.begin(), out_paths.end(), path) != out_paths.end();
    if (is_taken)
      return Status::input("--out: expected a file for each result, found " + path + " twice");
    out_paths[index] = path;
  }
  return {};
}

Status check_result_file(const std::string &path) {
  std::string ending = std::filesystem::path(path).extension();
  if (!ending.empty() && ending != ".npy" && ending != ".csv" && !is_device(path))
    return Status::input("--out " + path + ": expected a name that ends in .npy or .csv");
  return data::check_replaceable(path);
}

Status write_result(const Value &result, const dlc_tensor_t &tensor, const std::string &path,
                    const data::Encodings &encodings, bool json) {
  if (path == "-")
    return print_text(result, tensor, encodings, json);
  data::Shape shape(tensor.dims, tensor.dims + tensor.rank);
  if (path.ends_with(".csv"))
    DLC_DATA_TRY(write_csv(result, tensor, path, encodings));
  else if (!path.empty())
    DLC_DATA_TRY(data::write_npy(path, {result.name, result.type, shape, tensor.data}));
  print_result(result, tensor, path, json);
  return {};
}

} // namespace dlc::cli
