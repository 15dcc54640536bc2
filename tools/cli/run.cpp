// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dlc run: one run of one entry; .npy files, numbers and text in and out.
#include "runtime/data/file.h"
#include "runtime/data/npy.h"
#include "tools/cli/feed.h"
#include "tools/cli/tokens.h"
#include "tools/cli/verbs.h"

#include <algorithm>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <unistd.h>

namespace dlc::cli {

using data::format;
using data::Status;

namespace {

std::string signature(const Entry &entry) {
  std::string text = entry.name + "(";
  for (const Value &argument : entry.arguments)
    text += (&argument == entry.arguments.data() ? "" : ", ") + argument.name + ": " + argument.signature;
  return text + ")";
}

/// NumPy's name of a type; empty where it has none.
const char *numpy_name(data::DataType type) {
  switch (type) {
  case data::DataType::f32:
    return "float32";
  case data::DataType::f64:
    return "float64";
  case data::DataType::f16:
    return "float16";
  case data::DataType::i8:
    return "int8";
  case data::DataType::u8:
    return "uint8";
  case data::DataType::i32:
    return "int32";
  case data::DataType::i64:
    return "int64";
  case data::DataType::boolean:
    return "bool";
  case data::DataType::bf16:
    break;
  }
  return "";
}

/// How to come by a file of the argument's type.
std::string conversion_hint(const Value &argument) {
  if (argument.type == data::DataType::bf16)
    return " (.npy has no bf16: declare the argument f32 and use cast(" + argument.name +
           ", bf16), or pass it through the C interface)";
  return format(" (NumPy converts with .astype('%s'))", numpy_name(argument.type));
}

/// That every --in names an argument.
Status check_names(const Entry &entry, const Options &options) {
  for (const auto &[name, text] : options.in) {
    auto same = [&](const Value &argument) { return argument.name == name; };
    if (std::any_of(entry.arguments.begin(), entry.arguments.end(), same))
      continue;
    std::vector<std::string> names;
    for (const Value &argument : entry.arguments)
      names.push_back(argument.name);
    std::optional<std::string> near = data::nearest_name(name, names);
    return Status::input("--in " + name + ": no such argument of " + signature(entry) +
                         (near ? " (did you mean " + *near + "?)" : ""));
  }
  return {};
}

/// text as a number of a rank-0 type; false when it is none.
bool parse_number(const std::string &text, data::DataType type, data::Tensor &out_tensor) {
  auto parse = [&](auto value) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
      return false;
    out_tensor = {type, {}, std::vector<std::byte>(sizeof value)};
    memcpy(out_tensor.bytes.data(), &value, sizeof value);
    return true;
  };
  switch (type) {
  case data::DataType::f32:
    return parse(float{});
  case data::DataType::f64:
    return parse(double{});
  case data::DataType::i32:
    return parse(int32_t{});
  case data::DataType::i64:
    return parse(int64_t{});
  default:
    return false;
  }
}

/// What --in gives for an argument: a .npy file, a number where there are no dimensions, or text where the
/// weights have a vocabulary.
Status read_argument(const Artifact &artifact, const Entry &entry, const Value &argument,
                     const std::string &given, const data::Encodings &encodings, data::Tensor &out_tensor) {
  if (argument.dims.empty() && parse_number(given, argument.type, out_tensor))
    return {};
  const data::Vocabulary *vocabulary = find_vocabulary(argument, encodings);
  if (vocabulary && !given.ends_with(".npy"))
    return encode_text(artifact, entry, argument, *vocabulary, given, out_tensor);
  if (argument.type == data::DataType::i32 && !given.ends_with(".npy") && access(given.c_str(), F_OK) != 0)
    return Status::input("--in " + argument.name + ": there is no file " + given +
                         ", and the weights have no vocabulary to read it as text with");
  DLC_DATA_TRY(data::read_npy(given, out_tensor));
  if (out_tensor.type != argument.type || out_tensor.shape.size() != argument.dims.size())
    return Status::input(format("%s: %s takes %s as %s, found %s%s", given.c_str(), entry.name.c_str(),
                                argument.name.c_str(), argument.signature.c_str(),
                                data::format_type(out_tensor.type, out_tensor.shape).c_str(),
                                out_tensor.type != argument.type ? conversion_hint(argument).c_str() : ""));
  return {};
}

/// Reads all arguments, in the entry's order.
Status read_arguments(const Artifact &artifact, const Entry &entry, const Options &options,
                      const data::Encodings &encodings, std::vector<data::Tensor> &tensors) {
  for (const Value &argument : entry.arguments) {
    auto same = [&](const Assignment &in) { return in.first == argument.name; };
    auto given = std::find_if(options.in.begin(), options.in.end(), same);
    if (given == options.in.end())
      return Status::input("no --in " + argument.name + "=FILE.npy, which " + signature(entry) + " takes");
    DLC_DATA_TRY(read_argument(artifact, entry, argument, given->second, encodings, tensors.emplace_back()));
  }
  return {};
}

/// Pairs --out files with results.
Status match_results(const Entry &entry, const Options &options, std::vector<std::string> &paths) {
  paths.resize(entry.results.size());
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
    paths[index] = path;
  }
  return {};
}

/// The first values, for results that no --out takes.
std::vector<double> first_values(const dlc_tensor_t &tensor, data::DataType type, bool &out_more) {
  int64_t count = 1;
  for (int32_t i = 0; i < tensor.rank; ++i)
    count *= tensor.dims[i];
  std::vector<double> values;
  for (int64_t i = 0; i < std::min<int64_t>(count, 10); ++i)
    values.push_back(element_value(type, tensor.data, i));
  out_more = count > 10;
  return values;
}

/// A result as a line: where it was written, or how it begins.
void print_result(const Value &result, const dlc_tensor_t &tensor, const std::string &path, bool json) {
  std::string type = data::format_type(result.type, data::Shape(tensor.dims, tensor.dims + tensor.rank));
  bool more = false;
  std::vector<double> values = first_values(tensor, result.type, more);
  if (json) {
    JsonLine line("result");
    line.add("name", result.name).add("type", type);
    if (!path.empty())
      line.add("file", path);
    else if (tensor.rank == 0)
      line.add("value", values[0]);
    else
      line.add(more ? "first_values" : "values", values);
    line.print();
    return;
  }
  std::string text = path.empty() ? "" : " in " + path;
  if (path.empty())
    for (double value : values)
      text += format(" %.6g", value);
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

/// Writes a result to where --out says, and prints its line.
Status write_result(const Value &result, const dlc_tensor_t &tensor, const std::string &path,
                    const data::Encodings &encodings, bool json) {
  if (path == "-")
    return print_text(result, tensor, encodings, json);
  data::Shape shape(tensor.dims, tensor.dims + tensor.rank);
  if (!path.empty())
    DLC_DATA_TRY(data::write_npy(path, {result.name, result.type, shape, tensor.data}));
  print_result(result, tensor, path, json);
  return {};
}

/// Without --weights: the initial values of the seed.
Status initialize(const Artifact &artifact, const Options &options, dlc_session_t *session) {
  dlc_status_t status;
  if (dlc_session_initialize(session, &status) != DLC_OK)
    return data::from_runtime(status);
  bool has_weights =
      std::any_of(artifact.states().begin(), artifact.states().end(), [](const dlc_state_info_t &state) {
        return state.role == DLC_STATE_PARAMETER || state.role == DLC_STATE_BUFFER;
      });
  if (has_weights && !options.json)
    fprintf(stderr, "note: no --weights: the parameters have the initial values of seed %" PRIu64 "\n",
            options.seed.value_or(0));
  return {};
}

} // namespace

Status run(const Artifact &artifact, const Options &options) {
  const Entry *entry = nullptr;
  DLC_DATA_TRY(artifact.find_entry(options.entry, entry));
  DLC_DATA_TRY(check_names(*entry, options));
  std::vector<std::string> paths;
  DLC_DATA_TRY(match_results(*entry, options, paths));

  for (const std::string &path : paths)
    for (const std::string &source : {options.model, options.weights})
      DLC_DATA_TRY(data::check_not_source(path, source));

  SessionHandle session;
  NumericsCheck numerics(artifact);
  bool checks_numerics = false;
  DLC_DATA_TRY(numerics.open(options, checks_numerics));
  dlc_observer_t observer = numerics.observer();
  DLC_DATA_TRY(create_session(artifact, options, session, checks_numerics ? &observer : nullptr));
  data::Encodings encodings;
  if (!options.weights.empty())
    DLC_DATA_TRY(data::load_weights(artifact.handle(), session.get(), options.weights, &encodings));
  std::vector<data::Tensor> tensors;
  DLC_DATA_TRY(read_arguments(artifact, *entry, options, encodings, tensors));
  if (options.weights.empty())
    DLC_DATA_TRY(initialize(artifact, options, session.get()));
  DLC_DATA_TRY(set_hyperparameters(artifact, options, session.get()));

  std::vector<dlc_tensor_t> arguments;
  for (data::Tensor &tensor : tensors) {
    dlc_tensor_t argument = {tensor.bytes.data(),
                             static_cast<dlc_dtype_t>(tensor.type),
                             static_cast<int32_t>(tensor.shape.size()),
                             {}};
    std::copy(tensor.shape.begin(), tensor.shape.end(), argument.dims);
    arguments.push_back(argument);
  }
  numerics.set_moment(entry->name);
  EntryRunner runner(artifact, session.get(), *entry, checks_numerics ? &numerics : nullptr);
  DLC_DATA_TRY(runner.run(arguments));
  for (size_t i = 0; i < entry->results.size(); ++i)
    DLC_DATA_TRY(write_result(entry->results[i], runner.results()[i], paths[i], encodings, options.json));
  if (options.json)
    JsonLine("done").print();
  return {};
}

} // namespace dlc::cli
