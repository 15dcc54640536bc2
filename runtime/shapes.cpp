// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Data types, shapes and symbolic dimensions of arguments and results.

#include "runtime/artifact.h"
#include "runtime/expression.h"

#include <stdio.h>

namespace dlc::runtime {

const char *format_shape(const dlc_tensor_t &tensor, shape_text &buffer) {
  char *end = buffer.text;
  *end++ = '[';
  for (int32_t axis = 0; axis < tensor.rank; ++axis)
    end += snprintf(end, 24, axis ? ", %lld" : "%lld", static_cast<long long>(tensor.dims[axis]));
  *end++ = ']';
  *end = '\0';
  return buffer.text;
}

// The first constraint that these dims do not satisfy; a value that overflows does not satisfy any.
static dlc_code_t check_constraints(const schema::Metadata &metadata, const schema::Entry *entry,
                                    const int64_t *dims, dlc_status_t *status) {
  for (uint32_t i = 0; entry->constraints() && i < entry->constraints()->size(); ++i) {
    const schema::Constraint *constraint = entry->constraints()->Get(i);
    int64_t value;
    if (expression_value(metadata, constraint->value(), dims, &value) && value >= 0)
      continue;
    char at[160] = "";
    size_t length = 0;
    for (uint32_t s = 0; s < entry->symbols()->size() && length < sizeof(at); ++s)
      length += size_t(snprintf(at + length, sizeof(at) - length, s ? ", %s = %lld" : "%s = %lld",
                                entry->symbols()->Get(s)->name()->c_str(), static_cast<long long>(dims[s])));
    const schema::SourceLocation *location = constraint->location();
    return fail(status, DLC_INVALID_ARGUMENT, "%s: %s at %s (%s:%u:%u)", entry->name()->c_str(),
                constraint->text()->c_str(), at, metadata.sources()->Get(location->file())->c_str(),
                location->line(), location->column());
  }
  return DLC_OK;
}

dlc_code_t check_dims(const artifact *artifact, const schema::Entry *entry, const int64_t *dims,
                      int32_t dim_count, dlc_status_t *status) {
  int32_t expected = int32_t(entry->symbols()->size());
  if (dim_count != expected)
    return fail(status, DLC_INVALID_ARGUMENT, "%s has %d symbolic dimensions, %d values given",
                entry->name()->c_str(), expected, dim_count);
  for (int32_t i = 0; i < expected; ++i) {
    const schema::Symbol *symbol = entry->symbols()->Get(uint32_t(i));
    auto value = static_cast<long long>(dims[i]);
    if (dims[i] < symbol->min() || dims[i] > symbol->max()) {
      if (symbol->max() == INT64_MAX)
        return fail(status, DLC_INVALID_ARGUMENT, "%s: %s = %lld, at least %lld expected",
                    entry->name()->c_str(), symbol->name()->c_str(), value,
                    static_cast<long long>(symbol->min()));
      return fail(status, DLC_INVALID_ARGUMENT,
                  "%s: %s = %lld, %lld to %lld expected (bounds of --max and --bind, or the model's own)",
                  entry->name()->c_str(), symbol->name()->c_str(), value,
                  static_cast<long long>(symbol->min()), static_cast<long long>(symbol->max()));
    }
    if (dims[i] % symbol->multiple_of() != 0)
      return fail(status, DLC_INVALID_ARGUMENT, "%s: %s = %lld, a multiple of %lld expected",
                  entry->name()->c_str(), symbol->name()->c_str(), value,
                  static_cast<long long>(symbol->multiple_of()));
  }
  return check_constraints(*artifact->metadata, entry, dims, status);
}

// "result: dimension 1 is t - 5 = -2 at t = 3"
static dlc_code_t fail_dimension(const schema::Metadata *metadata, const schema::Entry *entry,
                                 const schema::Value *value, int32_t axis, const int64_t *dims, bool negative,
                                 int64_t dim, dlc_status_t *status) {
  char formula[64], at[128] = "";
  expression_text(*metadata, value->dims()->Get(uint32_t(axis)), *entry, formula, sizeof(formula));
  for (uint32_t i = 0; i < entry->symbols()->size(); ++i) {
    size_t used = strlen(at);
    snprintf(at + used, sizeof(at) - used, "%s%s = %lld", used ? ", " : " at ",
             entry->symbols()->Get(i)->name()->c_str(), static_cast<long long>(dims[i]));
  }
  if (negative)
    return fail(status, DLC_OVERFLOW, "%s: dimension %d is %s = %lld%s", value->name()->c_str(), axis,
                formula, static_cast<long long>(dim), at);
  return fail(status, DLC_OVERFLOW, "%s: dimension %d, %s, is too large%s", value->name()->c_str(), axis,
              formula, at);
}

dlc_code_t value_shape(const schema::Metadata *metadata, const schema::Entry *entry,
                       const schema::Value *value, const int64_t *dims, dlc_tensor_t *out_shape,
                       uint64_t *out_size, dlc_status_t *status) {
  memset(out_shape, 0, sizeof(*out_shape));
  out_shape->dtype = dlc_dtype_t(value->dtype());
  out_shape->rank = value->dims() ? int32_t(value->dims()->size()) : 0;
  int64_t size = int64_t(dlc_dtype_size(out_shape->dtype));
  for (int32_t axis = 0; axis < out_shape->rank; ++axis) {
    int64_t dim;
    bool known = expression_value(*metadata, value->dims()->Get(uint32_t(axis)), dims, &dim);
    if (!known || dim < 0 || __builtin_mul_overflow(size, dim, &size) || size > int64_t(1) << 46)
      return fail_dimension(metadata, entry, value, axis, dims, known && dim < 0, dim, status);
    out_shape->dims[axis] = dim;
  }
  *out_size = uint64_t(size);
  return DLC_OK;
}

} // namespace dlc::runtime

using namespace dlc;
using namespace dlc::runtime;

size_t dlc_dtype_size(dlc_dtype_t dtype) {
  static constexpr uint8_t sizes[] = {4, 8, 2, 2, 1, 1, 4, 8, 1};
  return uint32_t(dtype) < sizeof(sizes) ? sizes[dtype] : 0;
}

const char *dlc_dtype_name(dlc_dtype_t dtype) {
  static constexpr char names[][5] = {"f32", "f64", "bf16", "f16", "i8", "u8", "i32", "i64", "bool"};
  return uint32_t(dtype) < 9 ? names[dtype] : "?";
}

dlc_code_t dlc_entry_dims_solve(const dlc_artifact_t *artifact, int32_t entry_index,
                                const dlc_tensor_t *arguments, int32_t argument_count, int64_t *out_dims,
                                dlc_status_t *status) {
  succeed(status);
  DLC_TRY(check_entry(artifact, entry_index, status));
  const schema::Metadata &metadata = *artifact->metadata;
  const schema::Entry *entry = entry_at(artifact, entry_index);
  const char *name = entry->name()->c_str();
  if (argument_count != int32_t(entry->arguments()->size()))
    return fail(status, DLC_INVALID_ARGUMENT, "%s takes %u arguments, %d given", name,
                entry->arguments()->size(), argument_count);

  // 1. Every dimension that is a symbol alone gives the symbol's value; the first one counts.
  uint32_t solved = 0;
  for (uint32_t i = 0; i < entry->arguments()->size(); ++i) {
    const schema::Value *value = entry->arguments()->Get(i);
    int32_t rank = value->dims() ? int32_t(value->dims()->size()) : 0;
    if (arguments[i].dtype != dlc_dtype_t(value->dtype()))
      return fail(status, DLC_INVALID_ARGUMENT, "%s: argument %s has type %s, %s expected", name,
                  value->name()->c_str(), dlc_dtype_name(arguments[i].dtype),
                  dlc_dtype_name(dlc_dtype_t(value->dtype())));
    if (arguments[i].rank != rank)
      return fail(status, DLC_INVALID_ARGUMENT, "%s: argument %s has rank %d, %d expected", name,
                  value->name()->c_str(), arguments[i].rank, rank);
    for (int32_t axis = 0; axis < rank; ++axis) {
      int32_t symbol = expression_symbol(metadata, value->dims()->Get(uint32_t(axis)));
      if (symbol < 0 || (solved >> symbol & 1))
        continue;
      out_dims[symbol] = arguments[i].dims[axis];
      solved |= 1u << symbol;
    }
  }
  for (uint32_t i = 0; i < entry->symbols()->size(); ++i)
    if (!(solved >> i & 1))
      return fail(
          status, DLC_INVALID_ARGUMENT,
          "%s: the value of %s does not follow from the shapes of the arguments; prepare the entry with it",
          name, entry->symbols()->Get(i)->name()->c_str());
  DLC_TRY(check_dims(artifact, entry, out_dims, int32_t(entry->symbols()->size()), status));

  // 2. With these values every shape must fit.
  for (uint32_t i = 0; i < entry->arguments()->size(); ++i) {
    dlc_tensor_t expected;
    uint64_t size;
    DLC_TRY(value_shape(&metadata, entry, entry->arguments()->Get(i), out_dims, &expected, &size, status));
    if (memcmp(expected.dims, arguments[i].dims, sizeof(int64_t) * size_t(expected.rank)) != 0) {
      shape_text actual_text, expected_text;
      return fail(status, DLC_INVALID_ARGUMENT, "%s: argument %s has shape %s, %s expected", name,
                  entry->arguments()->Get(i)->name()->c_str(), format_shape(arguments[i], actual_text),
                  format_shape(expected, expected_text));
    }
  }
  return DLC_OK;
}

dlc_code_t dlc_entry_result_shape(const dlc_artifact_t *artifact, int32_t entry_index, int32_t result,
                                  const int64_t *dims, dlc_tensor_t *out_tensor, dlc_status_t *status) {
  succeed(status);
  DLC_TRY(check_entry(artifact, entry_index, status));
  const schema::Entry *entry = entry_at(artifact, entry_index);
  if (result < 0 || uint32_t(result) >= entry->results()->size())
    return fail(status, DLC_INVALID_ARGUMENT, "%s has %u results, result %d asked for",
                entry->name()->c_str(), entry->results()->size(), result);
  DLC_TRY(check_dims(artifact, entry, dims, int32_t(entry->symbols()->size()), status));
  uint64_t size;
  return value_shape(artifact->metadata, entry, entry->results()->Get(uint32_t(result)), dims, out_tensor,
                     &size, status);
}
