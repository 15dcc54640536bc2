// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/npy.h"

#include "test/Data/TestFiles.h"

#include <algorithm>

namespace dlc::data {
namespace {

using Npy = FileTest;

std::string npy(const std::string &header, const std::string &elements, char version = 1) {
  std::string length(version == 1 ? 2 : 4, '\0');
  length[0] = static_cast<char>(header.size());
  return std::string("\x93NUMPY") + version + std::string(1, '\0') + length + header + elements;
}

TEST_F(Npy, EveryTypeComesBackAsItWasWritten) {
  std::string bytes(8 * 6, '\0');
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(i * 37);
  for (DataType type : {DataType::f32, DataType::f64, DataType::f16, DataType::i8, DataType::u8,
                        DataType::i32, DataType::i64}) {
    for (const Shape &shape : {Shape{2, 3}, Shape{6}, Shape{}, Shape{0, 4}, Shape{1, 2, 1, 3}}) {
      ASSERT_TRUE(write_npy(path("a.npy"), {"", type, shape, bytes.data()}).ok());
      Tensor tensor;
      Status status = read_npy(path("a.npy"), tensor);
      ASSERT_TRUE(status.ok()) << status.message();
      EXPECT_EQ(format_type(tensor.type, tensor.shape), format_type(type, shape));
      EXPECT_TRUE(std::equal(tensor.bytes.begin(), tensor.bytes.end(),
                             reinterpret_cast<const std::byte *>(bytes.data())));
    }
  }
}

TEST_F(Npy, TheHeaderIsNumPys) {
  float elements[6] = {};
  ASSERT_TRUE(write_npy(path("a.npy"), {"", DataType::f32, {2, 3}, elements}).ok());
  std::string bytes = read("a.npy");
  EXPECT_EQ(bytes.size(), 128u + 24u);
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_EQ(bytes.substr(10, 58), "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), ");
  EXPECT_EQ(bytes[127], '\n');
  ASSERT_TRUE(write_npy(path("b.npy"), {"", DataType::u8, {6}, elements}).ok());
  EXPECT_NE(read("b.npy").find("'descr': '|u1', 'fortran_order': False, 'shape': (6,), }"),
            std::string::npos);
}

TEST_F(Npy, Bf16IsWrittenAsF32) {
  uint16_t narrow[2] = {0x3f80, 0xc040};
  ASSERT_TRUE(write_npy(path("a.npy"), {"", DataType::bf16, {2}, narrow}).ok());
  Tensor tensor;
  ASSERT_TRUE(read_npy(path("a.npy"), tensor).ok());
  EXPECT_EQ(tensor.type, DataType::f32);
  EXPECT_EQ(tensor.as<float>()[0], 1.0f);
  EXPECT_EQ(tensor.as<float>()[1], -3.0f);
}

TEST_F(Npy, FortranOrderAndBigEndianAreBroughtIntoOurs) {
  Tensor tensor;
  // 2 x 3, column by column: 1 4, 2 5, 3 6.
  Status status = read_npy(write("f.npy", npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }\n",
                                              "\x01\x04\x02\x05\x03\x06")),
                           tensor);
  ASSERT_TRUE(status.ok()) << status.message();
  for (uint8_t i = 0; i < 6; ++i)
    EXPECT_EQ(tensor.as<uint8_t>()[i], i + 1);
  status = read_npy(write("b.npy", npy("{'descr': '>i4', 'fortran_order': False, 'shape': (1,), }",
                                       std::string("\0\0\1\2", 4), 2)),
                    tensor);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(tensor.as<int32_t>()[0], 258);
}

TEST_F(Npy, BadFilesSayWhatAndWhere) {
  Tensor tensor;
  auto reading = [&](const std::string &bytes) {
    Status status = read_npy(write("x.npy", bytes), tensor);
    EXPECT_EQ(status.fault(), Fault::input);
    return message(status);
  };
  EXPECT_EQ(reading("PK\3\4 a zip file"),
            "x.npy: not a .npy file: expected \\x93NUMPY at offset 0, found bytes 50 4b 03 04 20 61");
  EXPECT_EQ(reading("\x93NU"), "x.npy: truncated: expected 8 bytes at offset 0, found 3");
  EXPECT_EQ(reading(npy("{}", "", 9)), "x.npy: .npy version 9.0 at offset 6, expected 1 to 3");
  EXPECT_EQ(reading(npy("{}", "").replace(8, 1, 1, '\x63')),
            "x.npy: truncated: the header at offset 10 should have 99 bytes, the file has 12");
  EXPECT_EQ(reading(npy("[]", "")), "x.npy: bad .npy header at offset 10: expected '{'");
  EXPECT_EQ(reading(npy("{3: 4}", "")),
            "x.npy: bad .npy header at offset 11: expected a key in quotes or '}'");
  EXPECT_EQ(reading(npy("{'descr'}", "")), "x.npy: bad .npy header at offset 18: expected ':'");
  EXPECT_EQ(reading(npy("{'fortran_order': 1}", "")),
            "x.npy: bad .npy header at offset 28: expected True or False");
  EXPECT_EQ(reading(npy("{'shap': (1,)}", "")),
            "x.npy: bad .npy header at offset 18: expected the keys descr, fortran_order and shape only");
  EXPECT_EQ(reading(npy("{'descr': '<f4' 'shape': (1,)}", "")),
            "x.npy: bad .npy header at offset 26: expected ',' or '}'");
  EXPECT_EQ(reading(npy("{'descr': '<f4', }", "")),
            "x.npy: bad .npy header at offset 28: expected the keys descr, fortran_order and shape");
  EXPECT_EQ(reading(npy("{'descr': [('a', '<f4')], }", "")),
            "x.npy: bad .npy header at offset 20: expected a type in quotes (records are not supported)");
  EXPECT_EQ(reading(npy("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", "12345678")),
            "x.npy: elements of type '<c8' are not supported: expected f2, f4, f8, i1, u1, i4, i8 or b1 "
            "(.npy has no bf16); convert with astype in NumPy");
  EXPECT_EQ(reading(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", "12345678")),
            "x.npy: f32[3] should have 12 bytes of elements at offset 67, found 8");
  EXPECT_EQ(
      reading(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", "1234")),
      "x.npy: f32[4294967296, 4294967296] should have more than 2^63 bytes of elements at offset 87, found "
      "4");
  EXPECT_EQ(reading(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }", "")),
            "x.npy: bad .npy header at offset 61: expected a tuple of dimensions");
}

TEST_F(Npy, SizesThatOverflowAreABug) {
  Status status = write_npy(path("a.npy"), {"", DataType::f32, {int64_t{1} << 62, 2}, nullptr});
  EXPECT_EQ(status.fault(), Fault::bug);
  EXPECT_EQ(status.message(), "write_npy: the size of f32[4611686018427387904, 2] overflows");
}

// Tests that no file that was cut or changed in one byte makes the reader fail otherwise than with a status.
TEST_F(Npy, DamagedFilesNeverCrash) {
  std::string good =
      npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }\n", std::string(24, 'x'));
  Tensor tensor;
  for (size_t i = 0; i < good.size(); ++i) {
    EXPECT_FALSE(read_npy(write("cut.npy", good.substr(0, i)), tensor).ok()) << i;
    for (int change : {1, 4, 0x20, 0x80}) {
      std::string bytes = good;
      bytes[i] = static_cast<char>(bytes[i] ^ change);
      (void)!read_npy(write("bad.npy", bytes), tensor).ok();
    }
  }
}

} // namespace
} // namespace dlc::data
