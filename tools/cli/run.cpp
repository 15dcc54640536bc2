// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dlc run: one run of one entry on .npy files, numbers and text, or one over the rows of a data set.
#include "runtime/data/file.h"
#include "runtime/data/npy.h"
#include "tools/cli/results.h"
#include "tools/cli/rows.h"
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

template <typename T> bool parse_all(const std::string &text, T &out_value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out_value);
  return error == std::errc() && end == text.data() + text.size();
}

/// text as a number of a rank-0 type; false when it is none of that type.
bool parse_number(const std::string &text, data::DataType type, data::Tensor &out_tensor) {
  auto parse = [&](auto value) {
    if (!parse_all(text, value))
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
  case data::DataType::i8:
    return parse(int8_t{});
  case data::DataType::u8:
    return parse(uint8_t{});
  case data::DataType::i32:
    return parse(int32_t{});
  case data::DataType::i64:
    return parse(int64_t{});
  case data::DataType::boolean:
    return (text == "0" || text == "1") && parse(uint8_t{});
  case data::DataType::bf16:
  case data::DataType::f16:
    break;
  }
  return false;
}

/// Fails at what is a number, but not one of the argument's type.
Status refuse_other_number(const Value &argument, const std::string &text) {
  double number = 0;
  if (!parse_all(text, number))
    return {};
  bool is_half = argument.type == data::DataType::f16 || argument.type == data::DataType::bf16;
  return Status::input("--in " + argument.name + ": " + text + " is no " + data::type_name(argument.type) +
                       (is_half ? " that the command line takes: " + std::string("give a .npy file") +
                                      conversion_hint(argument)
                                : ""));
}

/// What --in gives for an argument: a .npy file, a number where there are no dimensions, or text where the
/// weights have a vocabulary.
Status read_argument(const Artifact &artifact, const Entry &entry, const Value &argument,
                     const std::string &given, const data::Encodings &encodings, data::Tensor &out_tensor) {
  if (argument.dims.empty()) {
    if (parse_number(given, argument.type, out_tensor))
      return {};
    DLC_DATA_TRY(refuse_other_number(argument, given));
  }
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
      return Status::input("no --in " + argument.name + "=FILE.npy, which " + signature(entry) +
                           " takes, and no --data whose columns it could take");
    DLC_DATA_TRY(read_argument(artifact, entry, argument, given->second, encodings, tensors.emplace_back()));
  }
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

/// What the runtime sees of a tensor.
dlc_tensor_t view(data::Tensor &tensor) {
  dlc_tensor_t seen = {tensor.bytes.data(),
                       static_cast<dlc_dtype_t>(tensor.type),
                       static_cast<int32_t>(tensor.shape.size()),
                       {}};
  std::copy(tensor.shape.begin(), tensor.shape.end(), seen.dims);
  return seen;
}

Status run_once(EntryRunner &runner, std::vector<data::Tensor> &arguments) {
  std::vector<dlc_tensor_t> views;
  for (data::Tensor &argument : arguments)
    views.push_back(view(argument));
  return runner.run(views);
}

/// Where the arguments come from.
struct Source {
  std::vector<data::Tensor> arguments; ///< What --in gives.
  data::Splits splits;                 ///< What --data and --split name.
  const data::DataSet *rows = nullptr; ///< Of the splits; null: there are the arguments.
};

/// Reads the arguments, or opens the data. A data set's encodings stand in for those of weights that have
/// none.
Status open_source(const Artifact &artifact, const Entry &entry, const Options &options,
                   data::Encodings &encodings, Source &source) {
  if (options.data.empty() && options.split.empty())
    return options.batch ? Status::input("--batch: expected --data or --split, too, whose rows it counts")
                         : read_arguments(artifact, entry, options, encodings, source.arguments);
  DLC_DATA_TRY(open_data(artifact, options, encodings, source.splits));
  DLC_DATA_TRY(choose_rows(source.splits, options.split, source.rows));
  if (encodings.empty())
    encodings = source.rows->encodings();
  return {};
}

} // namespace

Status run(const Artifact &artifact, const Options &options) {
  const Entry *entry = nullptr;
  DLC_DATA_TRY(artifact.find_entry(options.entry, entry));
  DLC_DATA_TRY(check_names(*entry, options));
  std::vector<std::string> paths;
  DLC_DATA_TRY(match_results(*entry, options, paths));
  for (const std::string &path : paths) {
    DLC_DATA_TRY(check_not_read(artifact, options, path));
    if (!path.empty() && path != "-")
      DLC_DATA_TRY(check_result_file(path));
  }

  SessionHandle session;
  NumericsCheck numerics(artifact);
  bool checks_numerics = false;
  DLC_DATA_TRY(numerics.open(options, checks_numerics));
  dlc_observer_t observer = numerics.observer();
  DLC_DATA_TRY(create_session(artifact, options, session, checks_numerics ? &observer : nullptr));
  data::Encodings encodings;
  if (!options.weights.empty())
    DLC_DATA_TRY(data::load_weights(artifact.handle(), session.get(), options.weights, &encodings));
  Source source;
  DLC_DATA_TRY(open_source(artifact, *entry, options, encodings, source));
  if (options.weights.empty())
    DLC_DATA_TRY(initialize(artifact, options, session.get()));
  DLC_DATA_TRY(set_hyperparameters(artifact, options, session.get()));

  numerics.set_moment(entry->name);
  EntryRunner runner(artifact, session.get(), *entry, checks_numerics ? &numerics : nullptr);
  std::vector<data::Tensor> collected;
  if (source.rows)
    DLC_DATA_TRY(collect_results(artifact, options, runner, *source.rows, collected));
  else
    DLC_DATA_TRY(run_once(runner, source.arguments));
  for (size_t i = 0; i < entry->results.size(); ++i)
    DLC_DATA_TRY(write_result(entry->results[i], source.rows ? view(collected[i]) : runner.results()[i],
                              paths[i], encodings, options.json));
  if (options.json)
    JsonLine("done").print();
  return {};
}

} // namespace dlc::cli
