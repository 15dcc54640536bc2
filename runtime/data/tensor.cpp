// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/tensor.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <numeric>

namespace dlc::data {

std::string format(const char *text, ...) {
  va_list arguments, again;
  va_start(arguments, text);
  va_copy(again, arguments);
  int length = vsnprintf(nullptr, 0, text, arguments);
  va_end(arguments);
  std::string result(length > 0 ? static_cast<size_t>(length) : 0, '\0');
  if (length > 0)
    vsnprintf(result.data(), result.size() + 1, text, again);
  va_end(again);
  return result;
}

namespace {
struct TypeInfo {
  const char *name;
  size_t size;
};
constexpr TypeInfo type_infos[] = {{"f32", 4}, {"f64", 8}, {"bf16", 2}, {"f16", 2}, {"i8", 1},
                                   {"u8", 1},  {"i32", 4}, {"i64", 8},  {"bool", 1}};
} // namespace

const char *type_name(DataType type) {
  return type_infos[static_cast<size_t>(type)].name;
}

size_t type_size(DataType type) {
  return type_infos[static_cast<size_t>(type)].size;
}

bool is_real(DataType type) {
  return type <= DataType::f16;
}

std::string format_shape(const Shape &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i)
      text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

std::string format_type(DataType type, const Shape &shape) {
  return type_name(type) + format_shape(shape);
}

std::optional<int64_t> element_count(const Shape &shape) {
  int64_t count = 1;
  for (int64_t dimension : shape)
    if (dimension < 0 || __builtin_mul_overflow(count, dimension, &count))
      return std::nullopt;
  return count;
}

std::optional<int64_t> byte_count(DataType type, const Shape &shape) {
  std::optional<int64_t> count = element_count(shape);
  int64_t bytes = 0;
  if (!count || __builtin_mul_overflow(*count, static_cast<int64_t>(type_size(type)), &bytes))
    return std::nullopt;
  return bytes;
}

float widen_f16(uint16_t half) {
  uint32_t sign = (half & 0x8000u) << 16, exponent = half >> 10 & 31, mantissa = half & 0x3ffu;
  if (exponent == 0) {
    float value = static_cast<float>(mantissa) * 0x1p-24f;
    return sign ? -value : value;
  }
  if (exponent == 31)
    return std::bit_cast<float>(sign | 0x7f800000u | mantissa << 13);
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
}

namespace {
/// Levenshtein distance, one row at a time.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t substituted = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}
} // namespace

std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string> &candidates) {
  std::optional<std::string> best;
  size_t best_distance = std::min(name.size() / 3 + 1, name.size() / 2);
  for (const std::string &candidate : candidates) {
    // A suffix in common ("model.fc1.weight" for "fc1.weight") is what a wrapper adds: closer than any typing
    // mistake.
    bool wrapped = (name.size() > candidate.size() && name.ends_with(candidate) &&
                    name[name.size() - candidate.size() - 1] == '.') ||
                   (candidate.size() > name.size() && candidate.ends_with(name) &&
                    candidate[candidate.size() - name.size() - 1] == '.');
    size_t distance = wrapped ? 1 : edit_distance(name, candidate);
    if (distance > 0 && distance <= best_distance && (!best || distance < best_distance)) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

} // namespace dlc::data
