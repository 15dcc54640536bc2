// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Element types, shapes and tensors in memory: the common currency of the file formats.
#ifndef DLC_RUNTIME_DATA_TENSOR_H
#define DLC_RUNTIME_DATA_TENSOR_H

#include "runtime/data/status.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dlc::data {

/// The language's element types, with the numbers that the runtime's dlc_dtype_t gives them.
enum class DataType : uint8_t { f32, f64, bf16, f16, i8, u8, i32, i64, boolean };

/// "f32" … "bool".
const char *type_name(DataType type);
/// Whether its elements are floating-point numbers.
bool is_real(DataType type);
/// Bytes of one element.
size_t type_size(DataType type);

using Shape = std::vector<int64_t>;

/// "f32[64, 1, 28, 28]"; a rank-0 tensor is "f32[]".
std::string format_type(DataType type, const Shape &shape);
/// "[64, 1, 28, 28]".
std::string format_shape(const Shape &shape);

/// The number of elements, or nothing when a dimension is negative or the product does not fit in 63 bits.
std::optional<int64_t> element_count(const Shape &shape);
/// The number of bytes, under the same conditions.
std::optional<int64_t> byte_count(DataType type, const Shape &shape);

/// A dense row-major tensor that owns its elements.
struct Tensor {
  DataType type = DataType::f32;
  Shape shape;
  std::vector<std::byte> bytes; ///< byte_count(type, shape) of them, little-endian.

  template <typename T> T *as() { return reinterpret_cast<T *>(bytes.data()); }
  template <typename T> const T *as() const { return reinterpret_cast<const T *>(bytes.data()); }
};

/// A tensor under a name, over elements that somebody else owns and keeps for the duration of the call.
struct NamedTensor {
  std::string name;
  DataType type = DataType::f32;
  Shape shape;
  const void *elements = nullptr;
};

/// IEEE half to single precision, exactly.
float widen_f16(uint16_t half);

/// The nearest of candidates to name, if it is near enough to be what was meant (about a third of its
/// letters).
std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string> &candidates);

} // namespace dlc::data

#endif // DLC_RUNTIME_DATA_TENSOR_H
