// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/cli/numerics.h"

#include "artifact_generated.h"
#include "tools/cli/output.h"

#include <algorithm>
#include <bit>
#include <cinttypes>
#include <cmath>
#include <cstring>
#include <fstream>

namespace dlc::cli {

using data::DataType;
using data::Status;

namespace {

void take(Statistics &statistics, double value) {
  bool is_bad = !std::isfinite(value);
  if (is_bad && statistics.first_bad < 0)
    statistics.first_bad = statistics.count;
  statistics.nans += std::isnan(value);
  statistics.infinities += std::isinf(value);
  if (!is_bad) {
    bool is_first = statistics.count == statistics.nans + statistics.infinities;
    statistics.least = is_first ? value : std::min(statistics.least, value);
    statistics.largest = is_first ? value : std::max(statistics.largest, value);
  }
  ++statistics.count;
}

Statistics inspect(const NumericsCheck::Operand &operand, const void *address) {
  Statistics statistics;
  int64_t count = 1;
  for (int64_t size : operand.dims)
    count *= size;
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = i, offset = 0;
    for (size_t axis = operand.dims.size(); axis-- > 0; rest /= operand.dims[axis])
      offset += rest % operand.dims[axis] * operand.strides[axis];
    take(statistics, element_value(operand.type, address, offset));
  }
  return statistics;
}

/// "   13 |   let y = exp(x)", and where the column points; empty when the source is not there.
std::string excerpt(const std::string &file, uint32_t line, uint32_t column) {
  std::ifstream source(file);
  std::string text;
  for (uint32_t i = 0; i < line; ++i)
    if (!std::getline(source, text))
      return "";
  std::string number = data::format("%5u", line);
  return "\n" + number + " | " + text + "\n" + std::string(number.size(), ' ') + " | " +
         std::string(column > 0 ? column - 1 : 0, ' ') + "^";
}

} // namespace

std::string Statistics::format() const {
  std::string text = format_count(count) + (count == 1 ? " value" : " values");
  if (count > nans + infinities)
    text += least == largest ? data::format(", %.6g", least) : data::format(", %.6g to %.6g", least, largest);
  if (nans > 0)
    text += ", " + format_count(nans) + " NaN";
  if (infinities > 0)
    text += ", " + format_count(infinities) + " infinite";
  if (first_bad >= 0)
    text += data::format(", the first at %" PRId64, first_bad);
  return text;
}

Status NumericsCheck::open(const Options &options, bool &out_wanted) {
  out_wanted = !options.check_numerics.empty();
  infinities_ = options.check_numerics != "nan";
  if (out_wanted && options.device == "cuda")
    return Status::input("--check-numerics looks at the commands of the CPU: leave out --device cuda");
  return out_wanted ? artifact_.read_metadata(metadata_) : Status();
}

dlc_observer_t NumericsCheck::observer() {
  return {this,
          [](void *context, uint32_t command, int is_done, void *const *operands, const int64_t *counters) {
            return static_cast<NumericsCheck *>(context)->observe(command, is_done != 0, operands, counters);
          }};
}

Status NumericsCheck::begin(dlc_session_t *session, const Entry &entry, std::span<const int64_t> dims) {
  watches_ = true;
  finding_.clear();
  makers_.clear();
  int32_t variant = dlc_session_variant(session);
  if (entry_ == &entry && variant_ == variant &&
      std::equal(dims.begin(), dims.end(), dims_.begin(), dims_.end()))
    return {};
  return read_commands(variant, entry, dims);
}

Status NumericsCheck::read_commands(int32_t variant, const Entry &entry, std::span<const int64_t> dims) {
  variant_ = variant;
  entry_ = &entry;
  dims_.assign(dims.begin(), dims.end());
  commands_.clear();
  const schema::Plan *plan = schema::GetMetadata(metadata_.data())
                                 ->variants()
                                 ->Get(static_cast<uint32_t>(variant))
                                 ->plans()
                                 ->Get(static_cast<uint32_t>(entry.index));
  dlc_status_t status = {};
  auto evaluate = [&](uint32_t expression) {
    int64_t value = 0;
    dlc_status_t failed;
    if (dlc_expression_evaluate(artifact_.handle(), static_cast<dlc_expression_t>(expression), entry.index,
                                dims_.data(), &value, &failed) != DLC_OK)
      status = failed;
    return value;
  };
  int32_t depth = 0;
  for (const schema::Command *command : *plan->commands()) {
    depth += command->kind() == schema::CommandKind::LoopBegin;
    depth -= command->kind() == schema::CommandKind::LoopEnd;
    Command &described = commands_.emplace_back();
    described.kernel = command->kernel();
    described.depth = depth;
    for (uint32_t i = 0; command->bindings() && i < command->bindings()->size(); ++i) {
      const schema::Binding *binding = command->bindings()->Get(i);
      Operand &operand = described.operands.emplace_back();
      operand.kind = static_cast<uint8_t>(binding->kind());
      operand.index = binding->index();
      operand.is_written = binding->access() != schema::Access::Read;
      operand.type = static_cast<DataType>(binding->dtype());
      for (uint32_t axis = 0; binding->dims() && axis < binding->dims()->size(); ++axis) {
        operand.dims.push_back(evaluate(binding->dims()->Get(axis)));
        operand.strides.push_back(evaluate(binding->strides()->Get(axis)));
      }
      if (!binding->dims()) {
        operand.dims = {evaluate(binding->extent()) / static_cast<int64_t>(data::type_size(operand.type))};
        operand.strides = {1};
      }
    }
  }
  return data::from_runtime(status);
}

/// Before a command: what it reads of arguments and states is checked, and what it will overwrite is looked
/// at, because nothing is left of that when its result is bad. Behind it: its results.
int NumericsCheck::observe(uint32_t index, bool is_done, void *const *operands, const int64_t *counters) {
  if (!watches_)
    return 0;
  const Command &command = commands_[index];
  if (!is_done)
    before_.assign(command.operands.size(), std::nullopt);
  for (size_t i = 0; i < command.operands.size(); ++i) {
    const Operand &operand = command.operands[i];
    if (!is_real(operand.type) || operand.kind == static_cast<uint8_t>(schema::BindingKind::LoopCounter))
      continue;
    bool is_given = operand.kind == static_cast<uint8_t>(schema::BindingKind::Argument) ||
                    operand.kind == static_cast<uint8_t>(schema::BindingKind::State);
    bool is_overwritten = false;
    for (size_t j = 0; j < command.operands.size(); ++j)
      is_overwritten |= command.operands[j].is_written && operands[j] == operands[i];
    if (is_done ? !operand.is_written : operand.is_written || (!is_given && !is_overwritten))
      continue;
    Statistics statistics = inspect(operand, operands[i]);
    if (!is_done)
      before_[i] = statistics;
    if (is_bad(statistics) && (is_done || is_given)) {
      report(command, i, operands, counters);
      return 1;
    }
  }
  for (const Operand &operand : command.operands)
    if (is_done && operand.is_written && operand.kind == static_cast<uint8_t>(schema::BindingKind::Buffer)) {
      std::erase_if(makers_, [&](const auto &maker) { return maker.first == operand.index; });
      makers_.emplace_back(operand.index, command.kernel);
    }
  return 0;
}

/// "argument image", "state fc1.weight", "what relu made".
std::string NumericsCheck::name(const Operand &operand) const {
  const schema::Metadata *metadata = schema::GetMetadata(metadata_.data());
  switch (static_cast<schema::BindingKind>(operand.kind)) {
  case schema::BindingKind::Argument:
    return "argument " + entry_->arguments[operand.index].name;
  case schema::BindingKind::Result:
    return "result " + entry_->results[operand.index].name;
  case schema::BindingKind::State:
    return std::string("state ") + artifact_.states()[operand.index].name;
  case schema::BindingKind::Constant:
    return "a constant";
  case schema::BindingKind::LoopCounter: // an integer: never looked at
  case schema::BindingKind::Buffer:
    break;
  }
  auto maker = std::find_if(makers_.begin(), makers_.end(),
                            [&](const auto &candidate) { return candidate.first == operand.index; });
  if (maker == makers_.end())
    return "a buffer"; // Not of a schedule that the compiler makes: it reads none that was not written.
  const schema::Variant *variant = metadata->variants()->Get(static_cast<uint32_t>(variant_));
  return "made by " + variant->kernels()->Get(maker->second)->name()->str();
}

std::string NumericsCheck::operand_line(const Command &command, size_t index,
                                        const Statistics &statistics) const {
  const Operand &operand = command.operands[index];
  bool is_new = operand.is_written && operand.kind == static_cast<uint8_t>(schema::BindingKind::Buffer);
  return std::string("\n  ") + (operand.is_written ? "writes " : "reads ") + data::type_name(operand.type) +
         ", " + (is_new ? "a new value" : name(operand)) + ": " + statistics.format();
}

void NumericsCheck::report(const Command &command, size_t bad, void *const *operands,
                           const int64_t *counters) {
  const schema::Metadata *metadata = schema::GetMetadata(metadata_.data());
  const schema::Kernel *kernel =
      metadata->variants()->Get(static_cast<uint32_t>(variant_))->kernels()->Get(command.kernel);
  std::vector<std::string> places;
  for (uint32_t i = 0; kernel->locations() && i < kernel->locations()->size(); ++i) {
    const schema::SourceLocation *location = kernel->locations()->Get(i);
    if (location->line() > 0)
      places.push_back(data::format("%s:%u:%u", metadata->sources()->Get(location->file())->c_str(),
                                    location->line(), location->column()));
  }
  const Operand &operand = command.operands[bad];
  Statistics statistics = inspect(operand, operands[bad]);
  const char *what = statistics.nans > 0 ? "NaN" : "infinity";
  finding_ =
      (places.empty() ? "" : places[0] + ": ") + moment_ + ": " +
      (operand.is_written ? std::string("the first ") + what + " is made by " + kernel->name()->str()
                          : name(operand) + " has " + what + " where " + kernel->name()->str() + " reads it");
  for (int32_t i = 0; i < command.depth; ++i)
    finding_ += data::format("%s%" PRId64, i == 0 ? ", in pass " : " of ", counters[i] + 1);
  if (!places.empty()) {
    const schema::SourceLocation *main = kernel->locations()->Get(0);
    finding_ += excerpt(metadata->sources()->Get(main->file())->str(), main->line(), main->column());
  }
  for (size_t i = 1; i < places.size(); ++i)
    finding_ += (i == 1 ? "\n  it also computes " : ", ") + places[i];
  for (size_t i = 0; i < command.operands.size(); ++i) {
    const Operand &other = command.operands[i];
    if (is_real(other.type) && (!other.is_written || operand.is_written))
      finding_ += operand_line(command, i, before_[i] ? *before_[i] : inspect(other, operands[i]));
  }
}

Status check_parameters(const Artifact &artifact, dlc_session_t *session) {
  std::vector<std::byte> bytes;
  for (size_t i = 0; i < artifact.states().size(); ++i) {
    const dlc_state_info_t &state = artifact.states()[i];
    if (state.role != DLC_STATE_PARAMETER)
      continue;
    auto type = static_cast<data::DataType>(state.dtype);
    bytes.resize(static_cast<size_t>(state.element_count) * data::type_size(type));
    dlc_status_t status;
    if (dlc_session_state_read(session, static_cast<int32_t>(i), bytes.data(), bytes.size(), &status) !=
        DLC_OK)
      return data::from_runtime(status);
    int64_t damaged = 0;
    for (int64_t element = 0; element < state.element_count; ++element)
      damaged += !std::isfinite(element_value(type, bytes.data(), element));
    if (damaged > 0)
      return Status::input(data::format("parameter %s has %" PRId64 " NaNs and infinities among its %" PRId64
                                        " numbers (--check-numerics finds where the first comes from)",
                                        state.name, damaged, state.element_count));
  }
  return {};
}

} // namespace dlc::cli
