// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/npy.h"

#include "runtime/data/file.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cinttypes>
#include <cstring>

namespace dlc::data {
namespace {

struct NpyType {
  DataType type;
  const char *code; ///< What follows the byte order in 'descr'.
};
constexpr NpyType npy_types[] = {
    {DataType::f32, "f4"}, {DataType::f64, "f8"}, {DataType::f16, "f2"}, {DataType::i8, "i1"},
    {DataType::u8, "u1"},  {DataType::i32, "i4"}, {DataType::i64, "i8"}, {DataType::boolean, "b1"},
};

/// What the header says.
struct Header {
  DataType type = DataType::f32;
  bool swapped = false;
  bool fortran_order = false;
  Shape shape;
};

/// Reads the header: the text of a Python dictionary with the keys descr, fortran_order and shape, in any
/// order.
///   dict  = "{" { string ":" value "," } "}" ;  value = string | "True" | "False" | "(" { integer "," } ")"
class HeaderParser {
public:
  HeaderParser(std::string_view text) : text_(text) {}

  /// Null on success, else what was expected; position() tells where.
  const char *parse(Header &header, std::string &descr) {
    if (!eat('{'))
      return "'{'";
    bool seen_descr = false, seen_order = false, seen_shape = false;
    while (!eat('}')) {
      std::string_view key;
      if (!string(key))
        return "a key in quotes or '}'";
      if (!eat(':'))
        return "':'";
      if (key == "descr") {
        std::string_view value;
        if (!string(value))
          return "a type in quotes (records are not supported)";
        descr = value;
        seen_descr = true;
      } else if (key == "fortran_order") {
        if (!word("True") && !word("False"))
          return "True or False";
        header.fortran_order = text_[position_ - 2] == 'u';
        seen_order = true;
      } else if (key == "shape") {
        if (!tuple(header.shape))
          return "a tuple of dimensions";
        seen_shape = true;
      } else {
        return "the keys descr, fortran_order and shape only";
      }
      if (!eat(',') && !peek('}'))
        return "',' or '}'";
    }
    return seen_descr && seen_order && seen_shape ? nullptr : "the keys descr, fortran_order and shape";
  }
  size_t position() const { return position_; }

private:
  void space() {
    while (position_ < text_.size() && isspace(static_cast<unsigned char>(text_[position_])))
      ++position_;
  }
  bool peek(char c) {
    space();
    return position_ < text_.size() && text_[position_] == c;
  }
  bool eat(char c) {
    bool there = peek(c);
    position_ += there;
    return there;
  }
  bool word(std::string_view expected) {
    space();
    bool there = text_.substr(position_).starts_with(expected);
    position_ += there ? expected.size() : 0;
    return there;
  }
  bool string(std::string_view &out) {
    space();
    if (!peek('\'') && !peek('"'))
      return false;
    size_t end = text_.find(text_[position_], position_ + 1);
    if (end == std::string_view::npos)
      return false;
    out = text_.substr(position_ + 1, end - position_ - 1);
    position_ = end + 1;
    return true;
  }
  bool tuple(Shape &shape) {
    if (!eat('('))
      return false;
    while (!eat(')')) {
      int64_t dimension = 0;
      space();
      auto [end, error] = std::from_chars(text_.data() + position_, text_.data() + text_.size(), dimension);
      if (error != std::errc() || dimension < 0 || shape.size() == 32)
        return false;
      position_ = static_cast<size_t>(end - text_.data());
      eat('L'); // Python 2 wrote 3L
      shape.push_back(dimension);
      if (!eat(',') && !peek(')'))
        return false;
    }
    return true;
  }

  std::string_view text_;
  size_t position_ = 0;
};

void swap_bytes(std::byte *bytes, size_t count, size_t size) {
  for (size_t i = 0; i < count; ++i)
    std::reverse(bytes + i * size, bytes + (i + 1) * size);
}

/// Column-major to row-major.
std::vector<std::byte> reorder(const std::vector<std::byte> &from, const Shape &shape, size_t size) {
  std::vector<std::byte> to(from.size());
  std::vector<int64_t> index(shape.size(), 0);
  std::vector<size_t> stride(shape.size());
  size_t product = size;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    stride[axis] = product;
    product *= static_cast<size_t>(shape[axis]);
  }
  size_t source = 0;
  for (size_t target = 0; target < to.size(); target += size) {
    memcpy(to.data() + target, from.data() + source, size);
    for (size_t axis = shape.size(); axis-- > 0;) {
      source += stride[axis];
      if (++index[axis] < shape[axis])
        break;
      source -= stride[axis] * static_cast<size_t>(shape[axis]);
      index[axis] = 0;
    }
  }
  return to;
}

} // namespace

Status read_npy(const std::string &path, Tensor &out_tensor) {
  InputFile file;
  DLC_DATA_TRY(file.open(path));
  unsigned char start[12];
  DLC_DATA_TRY(file.read(0, start, 8));
  if (memcmp(start, "\x93NUMPY", 6) != 0)
    return Status::input(format(
        "%s: not a .npy file: expected \\x93NUMPY at offset 0, found bytes %02x %02x %02x %02x %02x %02x",
        path.c_str(), start[0], start[1], start[2], start[3], start[4], start[5]));
  if (start[6] < 1 || start[6] > 3)
    return Status::input(
        format("%s: .npy version %d.%d at offset 6, expected 1 to 3", path.c_str(), start[6], start[7]));
  int length_bytes = start[6] == 1 ? 2 : 4;
  DLC_DATA_TRY(file.read(8, start + 8, length_bytes));
  int64_t length = 0;
  for (int i = length_bytes; i-- > 0;)
    length = length << 8 | start[8 + i];
  if (length > file.size())
    return Status::input(format("%s: truncated: the header at offset %d should have %" PRId64
                                " bytes, the file has %" PRId64,
                                path.c_str(), 8 + length_bytes, length, file.size()));
  std::string text(static_cast<size_t>(length), '\0');
  DLC_DATA_TRY(file.read(8 + length_bytes, text.data(), length));

  Header header;
  std::string descr;
  HeaderParser parser(text);
  if (const char *expected = parser.parse(header, descr))
    return Status::input(format("%s: bad .npy header at offset %zu: expected %s", path.c_str(),
                                8 + length_bytes + parser.position(), expected));
  const NpyType *known = std::find_if(std::begin(npy_types), std::end(npy_types), [&](const NpyType &entry) {
    return descr.size() == 3 && strchr("<>|=", descr[0]) && descr.substr(1) == entry.code;
  });
  if (known == std::end(npy_types))
    return Status::input(
        format("%s: elements of type '%s' are not supported: expected f2, f4, f8, i1, u1, i4, i8 or b1 "
               "(.npy has no bf16); convert with astype in NumPy",
               path.c_str(), descr.c_str()));
  header.type = known->type;
  header.swapped = descr[0] == '>';

  std::optional<int64_t> size = byte_count(header.type, header.shape);
  int64_t offset = 8 + length_bytes + length;
  if (!size || file.size() - offset != *size)
    return Status::input(
        format("%s: %s should have %s bytes of elements at offset %" PRId64 ", found %" PRId64, path.c_str(),
               format_type(header.type, header.shape).c_str(),
               size ? std::to_string(*size).c_str() : "more than 2^63", offset, file.size() - offset));
  Tensor tensor{header.type, header.shape, std::vector<std::byte>(static_cast<size_t>(*size))};
  DLC_DATA_TRY(file.read(offset, tensor.bytes.data(), *size));
  size_t element = type_size(header.type);
  if (header.swapped)
    swap_bytes(tensor.bytes.data(), tensor.bytes.size() / element, element);
  if (header.fortran_order && header.shape.size() > 1)
    tensor.bytes = reorder(tensor.bytes, header.shape, element);
  out_tensor = std::move(tensor);
  return {};
}

Status write_npy(const std::string &path, const NamedTensor &tensor) {
  std::optional<int64_t> size = byte_count(tensor.type, tensor.shape);
  if (!size)
    return Status::bug("write_npy: the size of " + format_type(tensor.type, tensor.shape) + " overflows");
  Piece elements = {tensor.elements, static_cast<size_t>(*size)};
  DataType type = tensor.type;
  std::vector<uint32_t> widened;
  if (type == DataType::bf16) {
    const uint16_t *narrow = static_cast<const uint16_t *>(tensor.elements);
    widened.resize(elements.size / 2);
    for (size_t i = 0; i < widened.size(); ++i)
      widened[i] = static_cast<uint32_t>(narrow[i]) << 16;
    elements = {widened.data(), widened.size() * 4};
    type = DataType::f32;
  }
  const char *code = "";
  for (const NpyType &entry : npy_types)
    if (entry.type == type)
      code = entry.code;

  // A Python tuple: "()", "(6,)", "(2, 3)".
  std::string shape = "(";
  for (size_t i = 0; i < tensor.shape.size(); ++i)
    shape += (i ? ", " : "") + std::to_string(tensor.shape[i]);
  shape += tensor.shape.size() == 1 ? ",)" : ")";
  std::string text = format("{'descr': '%c%s', 'fortran_order': False, 'shape': %s, }",
                            type_size(type) == 1 ? '|' : '<', code, shape.c_str());
  // Magic, version and length take 10 bytes; the elements start at a multiple of 64; a newline ends the
  // header.
  text.append(63 - (10 + text.size()) % 64, ' ');
  text += '\n';
  std::string start("\x93NUMPY\x01\x00", 8);
  start += static_cast<char>(text.size() & 0xff);
  start += static_cast<char>(text.size() >> 8);
  return replace_file(path, {{start.data(), start.size()}, {text.data(), text.size()}, elements});
}

} // namespace dlc::data
