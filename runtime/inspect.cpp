// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading what an artifact says about itself: entries, states, variants, dispatches, defaults.

#include "runtime/artifact.h"
#include "runtime/expression.h"

namespace dlc::runtime {

dlc_code_t check_entry(const artifact *artifact, int32_t index, dlc_status_t *status) {
  if (!entry_at(artifact, index))
    return fail(status, DLC_INVALID_ARGUMENT, "entry %d asked for, the artifact has %u%s", index,
                artifact->metadata->entries()->size(), index < 0 ? " (no entry of that name?)" : "");
  return DLC_OK;
}

dlc_code_t check_variant(const artifact *artifact, int32_t index, dlc_status_t *status) {
  if (index < 0 || uint32_t(index) >= artifact->metadata->variants()->size())
    return fail(status, DLC_INVALID_ARGUMENT, "variant %d asked for, the artifact has %u", index,
                artifact->metadata->variants()->size());
  return DLC_OK;
}

namespace {

template <typename T>
int32_t find_by_name(const flatbuffers::Vector<flatbuffers::Offset<T>> *items, const char *name) {
  for (uint32_t i = 0; i < items->size(); ++i)
    if (strcmp(items->Get(i)->name()->c_str(), name) == 0)
      return int32_t(i);
  return -1;
}

void fill_value(const schema::Metadata *metadata, const schema::Value *value, dlc_value_info_t *out_info) {
  memset(out_info, 0, sizeof(*out_info));
  out_info->name = value->name()->c_str();
  out_info->dtype = dlc_dtype_t(value->dtype());
  out_info->rank = value->dims() ? int32_t(value->dims()->size()) : 0;
  for (int32_t axis = 0; axis < out_info->rank; ++axis)
    out_info->dims[axis] = int32_t(value->dims()->Get(uint32_t(axis)));
  out_info->report = dlc_report_t(value->report());
  if (const schema::SourceLocation *location = value->places_location()) {
    out_info->places = value->places();
    out_info->least_place = value->least_place();
    out_info->places_file = metadata->sources()->Get(location->file())->c_str();
    out_info->places_line = int32_t(location->line());
    out_info->places_column = int32_t(location->column());
  }
}

dlc_code_t check_index(int32_t index, uint32_t count, const char *what, const char *owner,
                       dlc_status_t *status) {
  if (index < 0 || uint32_t(index) >= count)
    return fail(status, DLC_INVALID_ARGUMENT, "%s %d of %s asked for, there are %u", what, index, owner,
                count);
  return DLC_OK;
}

} // namespace
} // namespace dlc::runtime

using namespace dlc;
using namespace dlc::runtime;

void dlc_artifact_info(const dlc_artifact_t *artifact, dlc_artifact_info_t *out_info) {
  const schema::Metadata *metadata = artifact->metadata;
  out_info->compiler_version = metadata->compiler_version()->c_str();
  out_info->source_name = metadata->source_name()->c_str();
  out_info->source_hash = metadata->source_hash();
  out_info->flags = metadata->flags()->c_str();
  out_info->schema_version = DLC_SCHEMA_VERSION;
  out_info->entry_count = int32_t(metadata->entries()->size());
  out_info->state_count = int32_t(metadata->states()->size());
  out_info->variant_count = int32_t(metadata->variants()->size());
  out_info->fit_count = int32_t(metadata->fit()->size());
  out_info->size = artifact->size;
}

dlc_code_t dlc_expression_evaluate(const dlc_artifact_t *artifact, dlc_expression_t expression,
                                   int32_t entry_index, const int64_t *dims, int64_t *out_value,
                                   dlc_status_t *status) {
  succeed(status);
  DLC_TRY(check_entry(artifact, entry_index, status));
  const schema::Entry *entry = entry_at(artifact, entry_index);
  if (!expression_is_valid(*artifact->metadata, uint32_t(expression), entry->symbols()->size()))
    return fail(status, DLC_INVALID_ARGUMENT, "expression %d does not belong to %s", expression,
                entry->name()->c_str());
  if (!expression_value(*artifact->metadata, uint32_t(expression), dims, out_value))
    return fail(status, DLC_OVERFLOW, "expression %d of %s overflows at these dims", expression,
                entry->name()->c_str());
  return DLC_OK;
}

size_t dlc_expression_format(const dlc_artifact_t *artifact, dlc_expression_t expression, int32_t entry_index,
                             char *buffer, size_t size) {
  if (size > 0)
    buffer[0] = '\0';
  const schema::Entry *entry = entry_at(artifact, entry_index);
  if (!entry || !expression_is_valid(*artifact->metadata, uint32_t(expression), entry->symbols()->size()))
    return 0;
  return expression_text(*artifact->metadata, uint32_t(expression), *entry, buffer, size);
}

dlc_code_t dlc_artifact_entry(const dlc_artifact_t *artifact, int32_t index, dlc_entry_info_t *out_info,
                              dlc_status_t *status) {
  succeed(status);
  DLC_TRY(check_entry(artifact, index, status));
  const schema::Entry *entry = entry_at(artifact, index);
  out_info->name = entry->name()->c_str();
  out_info->kind = dlc_entry_kind_t(entry->kind());
  out_info->symbol_count = int32_t(entry->symbols()->size());
  out_info->argument_count = int32_t(entry->arguments()->size());
  out_info->result_count = int32_t(entry->results()->size());
  return DLC_OK;
}

int32_t dlc_artifact_entry_find(const dlc_artifact_t *artifact, const char *name) {
  return find_by_name(artifact->metadata->entries(), name);
}

dlc_code_t dlc_entry_symbol(const dlc_artifact_t *artifact, int32_t entry_index, int32_t index,
                            dlc_symbol_info_t *out_info, dlc_status_t *status) {
  succeed(status);
  DLC_TRY(check_entry(artifact, entry_index, status));
  const schema::Entry *entry = entry_at(artifact, entry_index);
  DLC_TRY(check_index(index, entry->symbols()->size(), "symbol", entry->name()->c_str(), status));
  const schema::Symbol *symbol = entry->symbols()->Get(uint32_t(index));
  *out_info = {symbol->name()->c_str(), symbol->min(), symbol->max(), symbol->multiple_of()};
  return DLC_OK;
}

dlc_code_t dlc_entry_argument(const dlc_artifact_t *artifact, int32_t entry_index, int32_t index,
                              dlc_value_info_t *out_info, dlc_status_t *status) {
  succeed(status);
  DLC_TRY(check_entry(artifact, entry_index, status));
  const schema::Entry *entry = entry_at(artifact, entry_index);
  DLC_TRY(check_index(index, entry->arguments()->size(), "argument", entry->name()->c_str(), status));
  fill_value(artifact->metadata, entry->arguments()->Get(uint32_t(index)), out_info);
  return DLC_OK;
}

dlc_code_t dlc_entry_result(const dlc_artifact_t *artifact, int32_t entry_index, int32_t index,
                            dlc_value_info_t *out_info, dlc_status_t *status) {
  succeed(status);
  DLC_TRY(check_entry(artifact, entry_index, status));
  const schema::Entry *entry = entry_at(artifact, entry_index);
  DLC_TRY(check_index(index, entry->results()->size(), "result", entry->name()->c_str(), status));
  fill_value(artifact->metadata, entry->results()->Get(uint32_t(index)), out_info);
  return DLC_OK;
}

dlc_code_t dlc_artifact_state(const dlc_artifact_t *artifact, int32_t index, dlc_state_info_t *out_info,
                              dlc_status_t *status) {
  succeed(status);
  DLC_TRY(check_index(index, artifact->metadata->states()->size(), "state", "the artifact", status));
  const schema::State *state = artifact->metadata->states()->Get(uint32_t(index));
  memset(out_info, 0, sizeof(*out_info));
  out_info->name = state->name()->c_str();
  out_info->dtype = dlc_dtype_t(state->dtype());
  out_info->rank = state->dims() ? int32_t(state->dims()->size()) : 0;
  for (int32_t axis = 0; axis < out_info->rank; ++axis)
    out_info->dims[axis] = state->dims()->Get(uint32_t(axis));
  out_info->role = dlc_state_role_t(state->role());
  out_info->owner = state->owner();
  out_info->parameter = state->parameter();
  out_info->initial = state->initial();
  out_info->element_count = state_elements(state);
  return DLC_OK;
}

int32_t dlc_artifact_state_find(const dlc_artifact_t *artifact, const char *name) {
  return find_by_name(artifact->metadata->states(), name);
}

dlc_code_t dlc_artifact_variant(const dlc_artifact_t *artifact, int32_t index, dlc_variant_info_t *out_info,
                                dlc_status_t *status) {
  succeed(status);
  DLC_TRY(check_variant(artifact, index, status));
  const schema::Variant *variant = artifact->metadata->variants()->Get(uint32_t(index));
  const variant_record &record = artifact->variants[index];
  out_info->name = variant->name()->c_str();
  out_info->device = variant->target() == schema::Target::Cpu ? "cpu" : "cuda";
  out_info->usable = record.usable;
  out_info->missing = record.missing;
  out_info->kernel_count = int32_t(variant->kernels()->size());
  out_info->code_size = artifact->sections[variant->code()].size;
  out_info->constant_size = variant->constants() < 0 ? 0 : artifact->sections[variant->constants()].size;
  return DLC_OK;
}

int32_t dlc_artifact_variant_find(const dlc_artifact_t *artifact, const char *name) {
  return find_by_name(artifact->metadata->variants(), name);
}

int32_t dlc_variant_dispatch_count(const dlc_artifact_t *artifact, int32_t variant, int32_t entry) {
  if (!entry_at(artifact, entry) || check_variant(artifact, variant, nullptr) != DLC_OK)
    return 0;
  int32_t count = 0;
  for (const schema::Command *command :
       *artifact->metadata->variants()->Get(uint32_t(variant))->plans()->Get(uint32_t(entry))->commands())
    count += command->kind() == schema::CommandKind::Run;
  return count;
}

dlc_code_t dlc_variant_dispatch(const dlc_artifact_t *artifact, int32_t variant_index, int32_t entry_index,
                                int32_t dispatch, dlc_dispatch_info_t *out_info, dlc_status_t *status) {
  succeed(status);
  DLC_TRY(check_entry(artifact, entry_index, status));
  DLC_TRY(check_variant(artifact, variant_index, status));
  int32_t count = dlc_variant_dispatch_count(artifact, variant_index, entry_index);
  DLC_TRY(check_index(dispatch, uint32_t(count), "dispatch", entry_at(artifact, entry_index)->name()->c_str(),
                      status));

  const schema::Variant *variant = artifact->metadata->variants()->Get(uint32_t(variant_index));
  memset(out_info, 0, sizeof(*out_info));
  const schema::Command *run = nullptr;
  for (const schema::Command *command : *variant->plans()->Get(uint32_t(entry_index))->commands()) {
    if (command->kind() == schema::CommandKind::LoopBegin)
      out_info->loop_counts[out_info->loop_depth++] = int32_t(command->groups());
    else if (command->kind() == schema::CommandKind::LoopEnd)
      --out_info->loop_depth;
    else if (dispatch-- == 0) {
      run = command;
      break;
    }
  }
  const schema::Kernel *kernel = variant->kernels()->Get(run->kernel());
  out_info->kernel = kernel->name()->c_str();
  out_info->source_file = "";
  if (kernel->locations() && kernel->locations()->size() > 0) {
    const schema::SourceLocation *location = kernel->locations()->Get(0);
    out_info->source_file = artifact->metadata->sources()->Get(location->file())->c_str();
    out_info->source_line = int32_t(location->line());
    out_info->source_column = int32_t(location->column());
  }
  out_info->code_size = kernel->code_size();
  out_info->groups = int32_t(run->groups());
  out_info->flops = int32_t(run->flops());
  out_info->bytes = int32_t(run->bytes());
  return DLC_OK;
}

dlc_code_t dlc_artifact_fit(const dlc_artifact_t *artifact, int32_t index, dlc_fit_info_t *out_info,
                            dlc_status_t *status) {
  succeed(status);
  DLC_TRY(check_index(index, artifact->metadata->fit()->size(), "fit setting", "the artifact", status));
  const schema::FitSetting *setting = artifact->metadata->fit()->Get(uint32_t(index));
  *out_info = {setting->key()->c_str(), dlc_fit_kind_t(setting->kind()), setting->text()->c_str(),
               setting->number()};
  return DLC_OK;
}
