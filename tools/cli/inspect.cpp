// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dlc inspect: what is in an artifact.
#include "tools/cli/batching.h"
#include "tools/cli/output.h"
#include "tools/cli/verbs.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <map>

namespace dlc::cli {

using data::format;
using data::from_runtime;
using data::Status;

namespace {

const char *kind_word(dlc_entry_kind_t kind) {
  constexpr const char *words[] = {"init", "train", "eval", "infer"};
  return words[kind];
}

/// Columns of text, each as wide as its widest cell; those in right are set to the right.
class Table {
public:
  explicit Table(std::vector<bool> right) : right_(std::move(right)) {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  void print() const {
    std::vector<size_t> width(right_.size());
    for (const auto &row : rows_)
      for (size_t i = 0; i < row.size(); ++i)
        width[i] = std::max(width[i], row[i].size());
    for (const auto &row : rows_) {
      std::string line = " ";
      for (size_t i = 0; i < row.size(); ++i) {
        std::string space(width[i] - row[i].size(), ' ');
        line += " " + (right_[i] ? space + row[i] : row[i] + space) + " ";
      }
      line.erase(line.find_last_not_of(' ') + 1);
      printf("%s\n", line.c_str());
    }
  }

private:
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

class Inspector {
public:
  Inspector(const Artifact &artifact, const Options &options) : artifact_(artifact), options_(options) {
    for (const Entry &entry : artifact.entries())
      dims_[entry.name] = choose_dims(entry);
  }
  Status print();

private:
  Status check_dims() const;
  void summary();
  Status entries();
  void parameters();
  Status variants();
  Status memory(int32_t variant, const Entry &entry);
  Status dispatches(int32_t variant, const Entry &entry);
  std::vector<int64_t> choose_dims(const Entry &entry) const;
  const std::vector<int64_t> &dims(const Entry &entry) const { return dims_.at(entry.name); }
  int64_t size(const Entry &entry, size_t index, int64_t rows, int64_t others) const;
  Status plan(int32_t variant, const Entry &entry, const std::vector<int64_t> &values,
              dlc_memory_plan_t *out_plan = nullptr) const;
  Status evaluate(dlc_expression_t expression, const Entry &entry, int64_t &out_value) const;
  std::string dims_text(const Entry &entry) const;

  const Artifact &artifact_;
  const Options &options_;
  std::map<std::string, std::vector<int64_t>> dims_; ///< By entry.
};

/// The dimensions that figures are shown for, within their bounds: --dims; of the rows, --batch or the fit
/// block's batch, else the least that the entry takes; of others, the least power of two.
std::vector<int64_t> Inspector::choose_dims(const Entry &entry) const {
  std::optional<int64_t> batch = options_.batch;
  if (std::optional<double> fit = artifact_.fit_number("batch"); fit && !batch)
    batch = static_cast<int64_t>(*fit);
  std::vector<int64_t> values;
  for (int64_t rows = 1; rows <= (batch ? 1 : 64); ++rows)
    for (int64_t others = 1; others <= 1 << 16; others *= 2) {
      values.clear();
      for (size_t i = 0; i < entry.symbols.size(); ++i)
        values.push_back(size(entry, i, batch.value_or(rows), others));
      if (plan(0, entry, values).ok())
        return values;
    }
  return values;
}

int64_t Inspector::size(const Entry &entry, size_t index, int64_t rows, int64_t others) const {
  const std::string &name = entry.symbols[index];
  for (const auto &[asked, value] : options_.dims)
    if (asked == name)
      return value;
  int64_t value = rows_symbol(artifact_, entry) == index ? rows : others;
  return keep_to_bounds(artifact_, entry, index, value);
}

Status Inspector::plan(int32_t variant, const Entry &entry, const std::vector<int64_t> &values,
                       dlc_memory_plan_t *out_plan) const {
  dlc_memory_plan_t planned;
  dlc_status_t status;
  if (dlc_variant_memory_plan(artifact_.handle(), variant, entry.index, values.data(), options_.threads,
                              out_plan ? out_plan : &planned, &status) != DLC_OK)
    return from_runtime(status);
  return {};
}

/// That --dims names symbols of the program, and that every entry takes the sizes that one asks for; found
/// out before half a page is printed.
Status Inspector::check_dims() const {
  for (const auto &[asked, value] : options_.dims) {
    std::vector<std::string> names;
    for (const Entry &entry : artifact_.entries())
      for (const std::string &name : entry.symbols)
        if (std::find(names.begin(), names.end(), name) == names.end())
          names.push_back(name);
    if (std::find(names.begin(), names.end(), asked) == names.end())
      return Status::input("--dims " + asked + ": no such dimension; there is: " + data::join(names));
  }
  if (options_.batch || !options_.dims.empty())
    for (const Entry &entry : artifact_.entries())
      for (int32_t v = 0; v < artifact_.info().variant_count; ++v)
        DLC_DATA_TRY(plan(v, entry, dims(entry)));
  return {};
}

std::string Inspector::dims_text(const Entry &entry) const {
  const std::vector<int64_t> &values = dims(entry);
  std::string text;
  for (size_t i = 0; i < values.size(); ++i)
    text += (i ? ", " : "") + entry.symbols[i] + " = " + std::to_string(values[i]);
  return text;
}

Status Inspector::evaluate(dlc_expression_t expression, const Entry &entry, int64_t &out_value) const {
  dlc_status_t status;
  if (dlc_expression_evaluate(artifact_.handle(), expression, entry.index, dims(entry).data(), &out_value,
                              &status) != DLC_OK)
    return from_runtime(status);
  return {};
}

void Inspector::summary() {
  const dlc_artifact_info_t &info = artifact_.info();
  int64_t parameters = 0;
  for (const dlc_state_info_t &state : artifact_.states())
    if (state.role == DLC_STATE_PARAMETER)
      parameters += state.element_count;
  if (options_.json) {
    JsonLine line("artifact");
    line.add("source", info.source_name).add("source_hash", format("%016" PRIx64, info.source_hash));
    line.add("compiler", info.compiler_version)
        .add("schema", int64_t{info.schema_version})
        .add("flags", info.flags);
    line.add("bytes", static_cast<int64_t>(info.size)).add("parameters", parameters).print();
    return;
  }
  printf("%s: compiled by dlc %s, schema %d, %s, source hash %016" PRIx64 "%s%s\n", info.source_name,
         info.compiler_version, info.schema_version, format_bytes(info.size).c_str(), info.source_hash,
         *info.flags ? ", flags " : "", info.flags);
}

Status Inspector::entries() {
  if (!options_.json)
    printf("\nentries\n");
  Table table({false, false, false});
  for (const Entry &entry : artifact_.entries()) {
    std::string arguments, results;
    for (const Value &value : entry.arguments)
      arguments += (arguments.empty() ? "" : ", ") + value.name + ": " + value.signature;
    for (const Value &value : entry.results)
      results += (results.empty() ? "" : ", ") + value.name + ": " + value.signature;
    if (options_.json)
      JsonLine("entry")
          .add("name", entry.name)
          .add("kind", kind_word(entry.kind))
          .add("arguments", arguments)
          .add("results", results)
          .print();
    else
      table.add({kind_word(entry.kind), entry.name,
                 "(" + arguments + ")" + (results.empty() ? "" : " -> " + results)});
  }
  table.print();
  return {};
}

void Inspector::parameters() {
  int64_t total = 0, bytes = 0, tensors = 0;
  Table table({false, false, true});
  constexpr const char *roles[] = {"parameter",      "buffer", "optimizer", "iteration",
                                   "hyperparameter", "seed",   "metric",    "schedule"};
  std::vector<std::string> hyperparameters;
  for (const dlc_state_info_t &state : artifact_.states()) {
    data::Shape shape(state.dims, state.dims + state.rank);
    std::string type = data::format_type(static_cast<data::DataType>(state.dtype), shape);
    if (options_.json) {
      JsonLine line("state");
      line.add("name", state.name)
          .add("role", roles[state.role])
          .add("type", type)
          .add("count", state.element_count);
      if (state.role == DLC_STATE_HYPERPARAMETER)
        line.add("initial", state.initial);
      line.print();
    }
    if (state.role == DLC_STATE_PARAMETER || state.role == DLC_STATE_BUFFER) {
      table.add({state.name, type,
                 format_count(state.element_count) + (state.role == DLC_STATE_BUFFER ? " (buffer)" : "")});
      total += state.element_count;
      bytes += state.element_count * static_cast<int64_t>(dlc_dtype_size(state.dtype));
      ++tensors;
    } else if (state.role == DLC_STATE_HYPERPARAMETER) {
      hyperparameters.push_back(format("%s = %g", state.name, state.initial));
    }
  }
  if (options_.json)
    return;
  printf("\nparameters: %" PRId64 " tensors, %s elements, %s\n", tensors, format_count(total).c_str(),
         format_bytes(static_cast<uint64_t>(bytes)).c_str());
  table.print();
  if (!hyperparameters.empty()) {
    printf("\nhyperparameters (--set)\n");
    for (const std::string &text : hyperparameters)
      printf("  %s\n", text.c_str());
  }
}

Status Inspector::memory(int32_t variant, const Entry &entry) {
  dlc_memory_plan_t plan;
  DLC_DATA_TRY(this->plan(variant, entry, dims(entry), &plan));
  if (options_.json)
    JsonLine("memory")
        .add("entry", entry.name)
        .add("dims", dims_text(entry))
        .add("threads", int64_t{plan.threads})
        .add("state_bytes", plan.state_bytes)
        .add("arena_bytes", plan.arena_bytes)
        .add("scratch_bytes", plan.scratch_bytes)
        .add("peak_bytes", plan.peak_bytes)
        .print();
  else
    printf("  memory: %s = states %s + arena %s + scratch %s for %d thread%s\n",
           format_bytes(plan.peak_bytes).c_str(), format_bytes(plan.state_bytes).c_str(),
           format_bytes(plan.arena_bytes).c_str(), format_bytes(plan.scratch_bytes).c_str(), plan.threads,
           plan.threads == 1 ? "" : "s");
  return {};
}

Status Inspector::dispatches(int32_t variant, const Entry &entry) {
  Table table({false, false, true, true, true, true});
  table.add({"kernel", "source", "groups", "flops", "bytes", "code"});
  int64_t total_flops = 0, total_bytes = 0;
  int32_t count = dlc_variant_dispatch_count(artifact_.handle(), variant, entry.index);
  for (int32_t i = 0; i < count; ++i) {
    dlc_dispatch_info_t info;
    dlc_status_t status;
    if (dlc_variant_dispatch(artifact_.handle(), variant, entry.index, i, &info, &status) != DLC_OK)
      return from_runtime(status);
    int64_t groups = 0, flops = 0, bytes = 0, runs = 1;
    DLC_DATA_TRY(evaluate(info.groups, entry, groups));
    DLC_DATA_TRY(evaluate(info.flops, entry, flops));
    DLC_DATA_TRY(evaluate(info.bytes, entry, bytes));
    for (int32_t loop = 0; loop < info.loop_depth; ++loop) {
      int64_t times = 0;
      DLC_DATA_TRY(evaluate(info.loop_counts[loop], entry, times));
      runs *= times;
    }
    total_flops += flops * runs;
    total_bytes += bytes * runs;
    std::string source =
        *info.source_file ? format("%s:%d:%d", info.source_file, info.source_line, info.source_column) : "";
    if (options_.json)
      JsonLine("dispatch")
          .add("entry", entry.name)
          .add("kernel", info.kernel)
          .add("source", source)
          .add("runs", runs)
          .add("groups", groups)
          .add("flops", flops)
          .add("flops_formula", artifact_.format(info.flops, entry))
          .add("bytes", bytes)
          .add("bytes_formula", artifact_.format(info.bytes, entry))
          .add("code_bytes", static_cast<int64_t>(info.code_size))
          .print();
    else
      table.add({(runs == 1 ? "" : std::to_string(runs) + " x ") + std::string(info.kernel), source,
                 format_count(groups), format_count(flops), format_count(bytes),
                 format_count(static_cast<int64_t>(info.code_size))});
  }
  if (options_.json)
    return {};
  table.add({"all", "", "", format_count(total_flops), format_count(total_bytes), ""});
  table.print();
  return {};
}

Status Inspector::variants() {
  for (int32_t v = 0; v < artifact_.info().variant_count; ++v) {
    dlc_variant_info_t info;
    dlc_status_t status;
    if (dlc_artifact_variant(artifact_.handle(), v, &info, &status) != DLC_OK)
      return from_runtime(status);
    if (options_.json)
      JsonLine("variant")
          .add("name", info.name)
          .add("device", info.device)
          .add("usable", info.usable ? "yes" : "no")
          .add("kernels", int64_t{info.kernel_count})
          .add("code_bytes", static_cast<int64_t>(info.code_size))
          .add("constant_bytes", static_cast<int64_t>(info.constant_size))
          .print();
    else
      printf("\nvariant %s: %s of code in %d kernels, %s of constants%s%s\n", info.name,
             format_bytes(info.code_size).c_str(), info.kernel_count,
             format_bytes(info.constant_size).c_str(),
             info.usable ? "" : "; this machine cannot run it, it lacks ", info.usable ? "" : info.missing);
    for (const Entry &entry : artifact_.entries()) {
      if (entry.kind == DLC_ENTRY_INIT)
        continue;
      if (!options_.json)
        printf("\n%s %s%s%s\n", info.name, entry.name.c_str(), entry.symbols.empty() ? "" : ", ",
               dims_text(entry).c_str());
      DLC_DATA_TRY(memory(v, entry));
      DLC_DATA_TRY(dispatches(v, entry));
    }
  }
  return {};
}

Status Inspector::print() {
  DLC_DATA_TRY(check_dims());
  summary();
  DLC_DATA_TRY(entries());
  parameters();
  return variants();
}

} // namespace

Status inspect(const Artifact &artifact, const Options &options) {
  return Inspector(artifact, options).print();
}

} // namespace dlc::cli
