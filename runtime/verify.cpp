// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything that the runtime later trusts is checked here, once, when an artifact is loaded: every offset,
// index, size, enumerator, expression and the nesting of loops. What depends on dimensions is checked by
// prepare.

#include "runtime/artifact.h"
#include "runtime/expression.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace dlc::runtime {
namespace {

// Sizes up to here leave room for sums of many of them in 64 bits.
constexpr uint64_t size_limit = uint64_t(1) << 46;

// Whether fill_state can convert an initial value without undefined behaviour.
bool is_representable(double value, schema::Dtype dtype) {
  switch (dtype) {
  case schema::Dtype::F16:
    return value == 0 || value == 1;
  case schema::Dtype::I8:
    return value >= -128 && value <= 127;
  case schema::Dtype::U8:
    return value >= 0 && value <= 255;
  case schema::Dtype::I32:
    return value >= -0x1p31 && value < 0x1p31;
  case schema::Dtype::I64:
    return value >= -0x1p63 && value < 0x1p63;
  default:
    return true;
  }
}

// FlatBuffers' own verifier leaves the alignment of a vector's elements alone.
template <typename Vector> bool is_aligned_for_i64(const Vector *vector) {
  return !vector || vector->size() == 0 ||
         reinterpret_cast<uintptr_t>(vector->Data()) % alignof(int64_t) == 0;
}

// Where in the artifact a check failed, for the message.
struct verifier {
  const schema::Metadata &metadata;
  const dlc_artifact_section_t *sections;
  uint32_t section_count;
  dlc_status_t *status;

  dlc_code_t malformed(const char *what, const char *name, uint64_t index, const char *problem) const {
    return fail(status, DLC_MALFORMED, "malformed artifact: %s %s (%llu): %s; compile the model again", what,
                name, static_cast<unsigned long long>(index), problem);
  }

  bool expression(uint32_t index, uint32_t symbols) const {
    return expression_is_valid(metadata, index, symbols);
  }

  dlc_code_t check_value(const schema::Value *value, uint32_t index, uint32_t symbols) const {
    const char *name = value->name()->c_str();
    if (value->dtype() > schema::Dtype::MAX)
      return malformed("value", name, index, "unknown data type");
    if (value->report() > schema::ReportKind::MAX)
      return malformed("value", name, index, "unknown report kind");
    if (value->places() < 0 ||
        (value->places_location() && value->places_location()->file() >= metadata.sources()->size()))
      return malformed("value", name, index, "bad places");
    uint32_t rank = value->dims() ? value->dims()->size() : 0;
    if (rank > DLC_MAX_RANK)
      return malformed("value", name, index, "rank above 8");
    for (uint32_t axis = 0; axis < rank; ++axis)
      if (!expression(value->dims()->Get(axis), symbols))
        return malformed("value", name, index, "bad dimension expression");
    return DLC_OK;
  }

  dlc_code_t check_entry(const schema::Entry *entry, uint32_t index) const {
    const char *name = entry->name()->c_str();
    uint32_t symbols = entry->symbols()->size();
    if (entry->kind() > schema::EntryKind::MAX)
      return malformed("entry", name, index, "unknown kind");
    if (symbols > DLC_MAX_SYMBOLS)
      return malformed("entry", name, index, "more than 16 symbols");
    for (const schema::Symbol *symbol : *entry->symbols())
      if (symbol->min() < 0 || symbol->max() < symbol->min() || symbol->multiple_of() < 1)
        return malformed("entry", name, index, "contradictory bounds of a symbol");
    if (entry->kind() == schema::EntryKind::Init &&
        (symbols != 0 || entry->arguments()->size() != 0 || entry->results()->size() != 0))
      return malformed("entry", name, index, "an init entry has no symbols, arguments or results");
    for (uint32_t i = 0; i < entry->arguments()->size(); ++i)
      DLC_TRY(check_value(entry->arguments()->Get(i), i, symbols));
    for (uint32_t i = 0; i < entry->results()->size(); ++i)
      DLC_TRY(check_value(entry->results()->Get(i), i, symbols));
    for (uint32_t i = 0; entry->constraints() && i < entry->constraints()->size(); ++i) {
      const schema::Constraint *constraint = entry->constraints()->Get(i);
      if (!expression(constraint->value(), symbols) || !constraint->location() ||
          constraint->location()->file() >= metadata.sources()->size())
        return malformed("constraint of", name, i, "its expression or its source file is bad");
    }
    for (uint32_t i = 0; i < index; ++i)
      if (strcmp(metadata.entries()->Get(i)->name()->c_str(), name) == 0)
        return malformed("entry", name, index, "a second entry of this name");
    return DLC_OK;
  }

  dlc_code_t check_state(const schema::State *state, uint32_t index) const {
    const char *name = state->name()->c_str();
    if (state->dtype() > schema::Dtype::MAX)
      return malformed("state", name, index, "unknown data type");
    if (state->role() > schema::StateRole::MAX)
      return malformed("state", name, index, "unknown role");
    uint32_t rank = state->dims() ? state->dims()->size() : 0;
    if (rank > DLC_MAX_RANK)
      return malformed("state", name, index, "rank above 8");
    if (!is_aligned_for_i64(state->dims()))
      return malformed("state", name, index, "its dimensions are not aligned");
    // Zero extents count as one, so that strides over the other axes cannot overflow either.
    uint64_t size = dlc_dtype_size(dlc_dtype_t(state->dtype()));
    for (uint32_t axis = 0; axis < rank; ++axis) {
      int64_t dim = state->dims()->Get(axis);
      if (dim < 0 || __builtin_mul_overflow(size, uint64_t(dim ? dim : 1), &size) || size > size_limit)
        return malformed("state", name, index, "impossible shape");
    }
    if (state->owner() < -1 || state->owner() >= int64_t(metadata.entries()->size()))
      return malformed("state", name, index, "owner is not an entry");
    if (state->parameter() != -1 &&
        (state->parameter() < 0 || uint32_t(state->parameter()) >= metadata.states()->size() ||
         metadata.states()->Get(uint32_t(state->parameter()))->role() != schema::StateRole::Parameter))
      return malformed("state", name, index, "parameter is not a parameter's state");
    schema::Dtype scalar =
        state->role() == schema::StateRole::Hyperparameter ? schema::Dtype::F64
        : state->role() == schema::StateRole::Iteration || state->role() == schema::StateRole::Seed
            ? schema::Dtype::I64
            : state->dtype();
    bool is_scalar_role =
        state->role() >= schema::StateRole::Iteration && state->role() <= schema::StateRole::Seed;
    if (state->dtype() != scalar || (is_scalar_role && rank != 0))
      return malformed("state", name, index, "type or rank does not fit its role");
    if (!is_representable(state->initial(), state->dtype()))
      return malformed("state", name, index, "its type cannot hold its initial value");
    return DLC_OK;
  }

  dlc_code_t check_state_names() const {
    // Quadratic in states whose names' lengths are equal: thousands at most.
    const auto &states = *metadata.states();
    for (uint32_t i = 0; i < states.size(); ++i)
      for (uint32_t j = 0; j < i; ++j)
        if (states[i]->name()->size() == states[j]->name()->size() &&
            memcmp(states[i]->name()->data(), states[j]->name()->data(), states[i]->name()->size()) == 0)
          return malformed("state", states[i]->name()->c_str(), i, "a second state of this name");
    return DLC_OK;
  }

  dlc_code_t check_kernel(const schema::Kernel *kernel, uint32_t index,
                          const schema::Variant *variant) const {
    const char *name = kernel->name()->c_str();
    uint64_t code_size = sections[variant->code()].size;
    if (variant->target() == schema::Target::Cpu &&
        (kernel->code_offset() >= code_size || kernel->code_size() > code_size - kernel->code_offset()))
      return malformed("kernel", name, index, "lies outside the code section");
    if (variant->target() == schema::Target::Cuda && (kernel->block() < 1 || kernel->block() > 1024))
      return malformed("kernel", name, index, "needs 1 to 1024 threads per block");
    if (kernel->locations())
      for (const schema::SourceLocation *location : *kernel->locations())
        if (location->file() >= metadata.sources()->size())
          return malformed("kernel", name, index, "its source file is not in the list");
    return DLC_OK;
  }

  dlc_code_t check_binding(const schema::Binding *binding, uint32_t command, const schema::Entry *entry,
                           const schema::Variant *variant, const schema::Plan *plan, uint32_t depth) const {
    const char *name = entry->name()->c_str();
    uint32_t symbols = entry->symbols()->size();
    uint32_t limit = 1;
    switch (binding->kind()) {
    case schema::BindingKind::Buffer:
      limit = plan->buffers()->size();
      break;
    case schema::BindingKind::State:
      limit = metadata.states()->size();
      break;
    case schema::BindingKind::Argument:
      limit = entry->arguments()->size();
      break;
    case schema::BindingKind::Result:
      limit = entry->results()->size();
      break;
    case schema::BindingKind::Constant:
      limit = variant->constants() >= 0 ? 1 : 0;
      break;
    case schema::BindingKind::LoopCounter:
      break;
    default:
      return malformed("command of", name, command, "unknown kind of binding");
    }
    if (binding->index() >= limit)
      return malformed("command of", name, command, "a binding's index is out of range");
    bool is_read_only = binding->kind() == schema::BindingKind::Argument ||
                        binding->kind() == schema::BindingKind::Constant ||
                        binding->kind() == schema::BindingKind::LoopCounter;
    if (binding->access() < schema::Access::Read || binding->access() > schema::Access::ReadWrite ||
        (is_read_only && binding->access() != schema::Access::Read))
      return malformed("command of", name, command, "a binding's access is not allowed");
    if (!expression(binding->offset(), symbols) || !expression(binding->extent(), symbols))
      return malformed("command of", name, command, "a binding's offset or extent is a bad expression");
    uint32_t terms = binding->terms() ? binding->terms()->size() : 0;
    if (terms > depth)
      return malformed("command of", name, command, "a binding has more terms than there are loops");
    for (uint32_t i = 0; i < terms; ++i) {
      const schema::LoopTerm *term = binding->terms()->Get(i);
      if (!expression(term->stride(), symbols) || term->modulus() > 1024 || term->bias() > 1024 ||
          (term->modulus() == 0 && term->bias() != 0))
        return malformed("command of", name, command, "a binding's stride, modulus or bias is bad");
    }
    return DLC_OK;
  }

  dlc_code_t check_plan(const schema::Plan *plan, const schema::Entry *entry,
                        const schema::Variant *variant) const {
    const char *name = entry->name()->c_str();
    uint32_t symbols = entry->symbols()->size();
    for (uint32_t i = 0; i < plan->buffers()->size(); ++i) {
      const schema::Buffer *buffer = plan->buffers()->Get(i);
      if (!expression(buffer->size(), symbols))
        return malformed("buffer of", name, i, "its size is a bad expression");
      if (buffer->conflicts())
        for (uint32_t j = 0; j < buffer->conflicts()->size(); ++j)
          if (buffer->conflicts()->Get(j) >= i ||
              (j > 0 && buffer->conflicts()->Get(j) <= buffer->conflicts()->Get(j - 1)))
            return malformed("buffer of", name, i,
                             "its conflicts are not earlier buffers in ascending order");
    }
    uint32_t depth = 0;
    for (uint32_t c = 0; c < plan->commands()->size(); ++c) {
      const schema::Command *command = plan->commands()->Get(c);
      switch (command->kind()) {
      case schema::CommandKind::LoopBegin:
        if (++depth > DLC_MAX_LOOP_DEPTH)
          return malformed("command of", name, c, "loops nest more than 4 deep");
        if (!expression(command->groups(), symbols))
          return malformed("command of", name, c, "its count is a bad expression");
        break;
      case schema::CommandKind::LoopEnd:
        if (depth-- == 0)
          return malformed("command of", name, c, "ends a loop that has not begun");
        break;
      case schema::CommandKind::Run: {
        if (command->kernel() >= variant->kernels()->size())
          return malformed("command of", name, c, "runs a kernel that does not exist");
        uint32_t scratch = variant->kernels()->Get(command->kernel())->scratch();
        if (!expression(command->groups(), symbols) || !expression(command->flops(), symbols) ||
            !expression(command->bytes(), symbols) || !expression(scratch, symbols))
          return malformed("command of", name, c,
                           "its group count, cost or scratch size is a bad expression");
        uint32_t bindings = command->bindings() ? command->bindings()->size() : 0;
        if (bindings > 64)
          return malformed("command of", name, c, "more than 64 bindings");
        for (uint32_t b = 0; b < bindings; ++b)
          DLC_TRY(check_binding(command->bindings()->Get(b), c, entry, variant, plan, depth));
        break;
      }
      default:
        return malformed("command of", name, c, "unknown kind");
      }
    }
    if (depth != 0)
      return malformed("commands of", name, plan->commands()->size(), "a loop does not end");
    return DLC_OK;
  }

  dlc_code_t check_layout(const schema::StateLayout *layout, uint32_t index) const {
    uint32_t length = layout->permutation() ? layout->permutation()->size() : 0;
    if (length == 0)
      return DLC_OK;
    const schema::State *state = metadata.states()->Get(index);
    uint32_t rank = state->dims() ? state->dims()->size() : 0;
    uint32_t seen = 0;
    if (length == rank)
      for (uint32_t axis = 0; axis < rank; ++axis)
        if (layout->permutation()->Get(axis) < rank)
          seen |= 1u << layout->permutation()->Get(axis);
    if (length != rank || seen != (1u << rank) - 1)
      return malformed("layout of state", state->name()->c_str(), index, "not a permutation of its axes");
    return DLC_OK;
  }

  dlc_code_t check_variant(const schema::Variant *variant, uint32_t index) const {
    const char *name = variant->name()->c_str();
    if (variant->target() > schema::Target::MAX)
      return malformed("variant", name, index, "unknown target");
    uint32_t code_kind = variant->target() == schema::Target::Cpu ? DLC_SECTION_CODE : DLC_SECTION_PTX;
    if (variant->code() >= section_count || sections[variant->code()].kind != code_kind)
      return malformed("variant", name, index, "its code is not a section of code");
    if (variant->constants() != -1 &&
        (variant->constants() < 0 || uint32_t(variant->constants()) >= section_count ||
         sections[variant->constants()].kind != DLC_SECTION_CONSTANTS))
      return malformed("variant", name, index, "its constants are not a section of constants");
    for (uint32_t i = 0; i < variant->kernels()->size(); ++i)
      DLC_TRY(check_kernel(variant->kernels()->Get(i), i, variant));
    for (uint32_t i = 0; variant->imports() && i < variant->imports()->size(); ++i) {
      const schema::Import *import = variant->imports()->Get(i);
      uint64_t code_size = sections[variant->code()].size;
      if (variant->target() != schema::Target::Cpu || strncmp(import->name()->c_str(), "__asan_", 7) != 0 ||
          import->slot() % 8 != 0 || code_size < 8 || import->slot() > code_size - 8)
        return malformed("import", import->name()->c_str(), i,
                         "not a sanitizer's function, or its slot is not in the code");
    }
    if (variant->layouts()->size() != metadata.states()->size())
      return malformed("variant", name, index, "needs one layout per state");
    for (uint32_t i = 0; i < variant->layouts()->size(); ++i)
      DLC_TRY(check_layout(variant->layouts()->Get(i), i));
    if (variant->plans()->size() != metadata.entries()->size())
      return malformed("variant", name, index, "needs one plan per entry");
    for (uint32_t i = 0; i < variant->plans()->size(); ++i)
      DLC_TRY(check_plan(variant->plans()->Get(i), metadata.entries()->Get(i), variant));
    for (uint32_t i = 0; i < index; ++i)
      if (strcmp(metadata.variants()->Get(i)->name()->c_str(), name) == 0)
        return malformed("variant", name, index, "a second variant of this name");
    return DLC_OK;
  }

  dlc_code_t check_metadata() const {
    if (metadata.entries()->size() == 0 || metadata.variants()->size() == 0)
      return malformed("metadata", "", 0, "has no entry or no variant");
    if (!is_aligned_for_i64(metadata.instructions()))
      return malformed("metadata", "", 0, "its expressions are not aligned");
    // Unused expressions are checked too, against the most symbols that an entry can have.
    for (uint32_t i = 0; i < metadata.expressions()->size(); ++i)
      if (!expression(i, DLC_MAX_SYMBOLS))
        return malformed("expression", "", i, "bad range, operation or stack");
    for (uint32_t i = 0; i < metadata.entries()->size(); ++i)
      DLC_TRY(check_entry(metadata.entries()->Get(i), i));
    for (uint32_t i = 0; i < metadata.states()->size(); ++i)
      DLC_TRY(check_state(metadata.states()->Get(i), i));
    DLC_TRY(check_state_names());
    for (uint32_t i = 0; i < metadata.variants()->size(); ++i)
      DLC_TRY(check_variant(metadata.variants()->Get(i), i));
    for (uint32_t i = 0; i < metadata.fit()->size(); ++i)
      if (metadata.fit()->Get(i)->kind() > schema::FitKind::MAX)
        return malformed("fit setting", metadata.fit()->Get(i)->key()->c_str(), i, "unknown kind");
    return DLC_OK;
  }
};

uint64_t checksum_of(const uint8_t *bytes, size_t size) {
  XXH64_state_t state;
  XXH64_reset(&state, 0);
  XXH64_update(&state, bytes, DLC_ARTIFACT_CHECKSUM_OFFSET);
  XXH64_update(&state, bytes + DLC_ARTIFACT_CHECKSUM_OFFSET + 8, size - DLC_ARTIFACT_CHECKSUM_OFFSET - 8);
  return XXH64_digest(&state);
}

dlc_code_t check_header(const uint8_t *bytes, size_t size, dlc_artifact_header_t &header,
                        dlc_status_t *status) {
  if (size < sizeof(header))
    return fail(status, DLC_MALFORMED, "not a dlc artifact: %zu bytes, at least %zu expected", size,
                sizeof(header));
  memcpy(&header, bytes, sizeof(header));
  if (memcmp(header.magic, DLC_ARTIFACT_MAGIC, sizeof(header.magic)) != 0)
    return fail(status, DLC_MALFORMED,
                "not a dlc artifact: its first bytes are not the magic number of a .dla file");
  if (header.schema_version != DLC_SCHEMA_VERSION)
    return fail(
        status, DLC_VERSION,
        "the artifact has schema version %u, this runtime (%s) reads version %d; compile the model with the "
        "dlc of this runtime, or update the runtime",
        header.schema_version, DLC_RUNTIME_VERSION, DLC_SCHEMA_VERSION);
  if (header.file_size != size)
    return fail(status, DLC_MALFORMED, "the artifact is %s: %zu bytes, %llu expected",
                size < header.file_size ? "truncated" : "longer than it says", size,
                static_cast<unsigned long long>(header.file_size));
  uint64_t checksum = checksum_of(bytes, size);
  if (header.checksum != checksum)
    return fail(status, DLC_MALFORMED,
                "the artifact is damaged: checksum %016llx, %016llx expected; copy it again",
                static_cast<unsigned long long>(checksum), static_cast<unsigned long long>(header.checksum));
  uint64_t table_end = sizeof(header) + uint64_t(header.section_count) * sizeof(dlc_artifact_section_t);
  if (header.section_count > DLC_ARTIFACT_MAX_SECTIONS || header.header_size != table_end || table_end > size)
    return fail(status, DLC_MALFORMED, "malformed artifact: %u sections in a header of %u bytes",
                header.section_count, header.header_size);
  if (header.metadata_offset < table_end || header.metadata_offset % 16 != 0 ||
      header.metadata_offset > size || header.metadata_size > size - header.metadata_offset)
    return fail(status, DLC_MALFORMED, "malformed artifact: the metadata lies outside the file");
  return DLC_OK;
}

dlc_code_t check_sections(const dlc_artifact_header_t &header, const dlc_artifact_section_t *sections,
                          const uint8_t *bytes, dlc_status_t *status) {
  uint64_t end = header.metadata_offset + header.metadata_size;
  for (uint32_t i = 0; i < header.section_count; ++i) {
    const dlc_artifact_section_t &section = sections[i];
    uint32_t least = section.kind == DLC_SECTION_CODE ? DLC_ARTIFACT_PAGE : 64;
    bool is_aligned = section.alignment >= least && (section.alignment & (section.alignment - 1)) == 0 &&
                      section.offset % section.alignment == 0;
    bool is_inside = section.offset >= end && section.offset <= header.file_size &&
                     section.size <= header.file_size - section.offset;
    bool is_known = section.kind >= DLC_SECTION_CODE && section.kind <= DLC_SECTION_CONSTANTS;
    if (!is_aligned || !is_inside || !is_known)
      return fail(status, DLC_MALFORMED, "malformed artifact: section %u is %s", i,
                  !is_known    ? "of unknown kind"
                  : !is_inside ? "outside the file or overlaps another"
                               : "not aligned");
    if (section.kind == DLC_SECTION_PTX &&
        (section.size == 0 || bytes[section.offset + section.size - 1] != 0))
      return fail(status, DLC_MALFORMED, "malformed artifact: section %u, PTX text, does not end in NUL", i);
    end = section.offset + section.size;
  }
  return DLC_OK;
}

} // namespace

dlc_code_t verify_artifact(const uint8_t *bytes, size_t size, const schema::Metadata **out_metadata,
                           dlc_status_t *status) {
  dlc_artifact_header_t header;
  DLC_TRY(check_header(bytes, size, header, status));
  const auto *sections = reinterpret_cast<const dlc_artifact_section_t *>(bytes + sizeof(header));
  DLC_TRY(check_sections(header, sections, bytes, status));

  const uint8_t *buffer = bytes + header.metadata_offset;
  // FlatBuffers itself cannot address more than 2 GiB.
  bool has_size = header.metadata_size >= 16 && header.metadata_size < (uint64_t(1) << 31);
  flatbuffers::Verifier structure(buffer, has_size ? header.metadata_size : 0);
  if (!has_size || !schema::VerifyMetadataBuffer(structure))
    return fail(status, DLC_MALFORMED,
                "malformed artifact: its metadata (%llu bytes) is not a valid FlatBuffer",
                static_cast<unsigned long long>(header.metadata_size));

  const schema::Metadata *metadata = schema::GetMetadata(buffer);
  verifier verifier = {*metadata, sections, header.section_count, status};
  DLC_TRY(verifier.check_metadata());
  *out_metadata = metadata;
  return DLC_OK;
}

} // namespace dlc::runtime
