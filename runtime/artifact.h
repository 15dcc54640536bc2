// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A loaded artifact: the file's bytes, verified, and where each variant's code is mapped. Immutable after
// loading.

#ifndef DLC_RUNTIME_ARTIFACT_H
#define DLC_RUNTIME_ARTIFACT_H

#include "runtime/memory.h"
#include "runtime/schema/artifact_header.h"
#include "runtime/status.h"

#include "artifact_generated.h"

namespace dlc::runtime {

// What loading found out about one variant.
struct variant_record {
  bool usable;
  char missing[112];   // features that this machine lacks, space separated
  const uint8_t *code; // CPU and usable: the image, read+execute; CUDA: the PTX text
  void *code_mapping;  // to unmap, or NULL
  size_t code_mapping_size;
};

} // namespace dlc::runtime

struct dlc_artifact {
  int32_t references; // atomic
  dlc_allocator_t allocator;
  void *mapping; // the whole file, readable
  size_t mapping_size;
  size_t size; // bytes of the artifact
  const dlc::schema::Metadata *metadata;
  const dlc_artifact_section_t *sections;
  dlc::runtime::variant_record *variants; // one per metadata->variants()
  uint64_t bookkeeping_size;              // of the block that holds this struct and `variants`
};

namespace dlc::runtime {

using artifact = ::dlc_artifact;

// Reads the fixed header, the section table and the metadata of `size` bytes and checks all of them. The
// bytes are aligned to 16 at least.
dlc_code_t verify_artifact(const uint8_t *bytes, size_t size, const schema::Metadata **out_metadata,
                           dlc_status_t *status);

artifact *retain_artifact(artifact *artifact);

inline const schema::Entry *entry_at(const artifact *artifact, int32_t index) {
  const auto *entries = artifact->metadata->entries();
  return index >= 0 && uint32_t(index) < entries->size() ? entries->Get(uint32_t(index)) : nullptr;
}

// Fails with the number of entries.
dlc_code_t check_entry(const artifact *artifact, int32_t index, dlc_status_t *status);
dlc_code_t check_variant(const artifact *artifact, int32_t index, dlc_status_t *status);

// Logical bytes of a state; verified not to overflow.
inline int64_t state_elements(const schema::State *state) {
  int64_t count = 1;
  for (uint32_t axis = 0; state->dims() && axis < state->dims()->size(); ++axis)
    count *= state->dims()->Get(axis);
  return count;
}
inline uint64_t state_size(const schema::State *state) {
  return uint64_t(state_elements(state)) * dlc_dtype_size(dlc_dtype_t(state->dtype()));
}

// Checks the dims against the entry's symbols (count, minimum, maximum, multiple) and constraints.
dlc_code_t check_dims(const artifact *artifact, const schema::Entry *entry, const int64_t *dims,
                      int32_t dim_count, dlc_status_t *status);

// The shape of an argument or result at these dims, and its bytes.
dlc_code_t value_shape(const schema::Metadata *metadata, const schema::Entry *entry,
                       const schema::Value *value, const int64_t *dims, dlc_tensor_t *out_shape,
                       uint64_t *out_size, dlc_status_t *status);

// "[64, 1, 28, 28]" into `buffer`, which is returned.
struct shape_text {
  char text[8 * 22 + 4];
};
const char *format_shape(const dlc_tensor_t &tensor, shape_text &buffer);

} // namespace dlc::runtime

#endif // DLC_RUNTIME_ARTIFACT_H
