// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/idx.h"

#include "runtime/data/file.h"

#include <cinttypes>

namespace dlc::data {
namespace {

uint32_t big_endian(const std::byte *bytes) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i)
    value = value << 8 | static_cast<uint32_t>(bytes[i]);
  return value;
}

} // namespace

Status read_idx_u8(const std::string &path, int expected_rank, Tensor &out_tensor) {
  std::vector<std::byte> bytes;
  DLC_DATA_TRY(read_file_gz(path, bytes));
  const char *file = path.c_str();
  size_t header = 4 + 4 * static_cast<size_t>(expected_rank);
  if (bytes.size() < 4)
    return Status::input(format("%s: truncated: expected a 4-byte magic number at offset 0, found %zu bytes",
                                file, bytes.size()));
  uint32_t magic = big_endian(bytes.data()), expected = 0x800u | static_cast<uint32_t>(expected_rank);
  if (magic != expected)
    return Status::input(format(
        "%s: wrong magic number at offset 0: expected 0x%08x (unsigned bytes of rank %d), found 0x%08x", file,
        expected, expected_rank, magic));
  if (bytes.size() < header)
    return Status::input(
        format("%s: truncated: expected %d dimensions of 4 bytes at offset 4, found %zu bytes", file,
               expected_rank, bytes.size() - 4));
  Tensor tensor;
  tensor.type = DataType::u8;
  for (size_t offset = 4; offset < header; offset += 4)
    tensor.shape.push_back(big_endian(bytes.data() + offset));
  std::optional<int64_t> size = byte_count(DataType::u8, tensor.shape);
  int64_t found = static_cast<int64_t>(bytes.size() - header);
  if (!size || *size != found)
    return Status::input(format("%s: %s: expected %s bytes at offset %zu for dimensions %s, found %" PRId64,
                                file, !size || *size > found ? "truncated" : "too long",
                                size ? std::to_string(*size).c_str() : "2^63 or more", header,
                                format_shape(tensor.shape).c_str(), found));
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(header));
  tensor.bytes = std::move(bytes);
  out_tensor = std::move(tensor);
  return {};
}

} // namespace dlc::data
