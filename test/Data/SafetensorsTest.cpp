// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/safetensors.h"

#include "test/Data/TestFiles.h"

namespace dlc::data {
namespace {

using Safetensors = FileTest;

std::string file_of(const std::string &header, const std::string &elements) {
  std::string length(8, '\0');
  for (size_t i = 0; i < 8; ++i)
    length[i] = static_cast<char>(header.size() >> 8 * i & 0xff);
  return length + header + elements;
}

TEST_F(Safetensors, TensorsAndMetadataComeBackAsTheyWereWritten) {
  float weight[6] = {1, 2, 3, 4, 5, 6};
  int64_t count = -7;
  std::vector<NamedTensor> tensors = {{"fc1.weight", DataType::f32, {2, 3}, weight},
                                      {"count", DataType::i64, {}, &count},
                                      {"empty", DataType::bf16, {0, 5}, nullptr}};
  ASSERT_TRUE(write_safetensors(path("a"), tensors, {{"format", "pt"}, {"quote", "\"\\"}}).ok());
  SafetensorsFile file;
  Status status = file.open(path("a"));
  ASSERT_TRUE(status.ok()) << status.message();
  ASSERT_EQ(file.entries().size(), 3u);
  EXPECT_EQ(file.metadata().at("quote"), "\"\\");
  const SafetensorsFile::Entry *entry = file.find("fc1.weight");
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(format_type(entry->type, entry->shape), "f32[2, 3]");
  EXPECT_EQ(entry->offset % 8, 0);
  float read[6];
  ASSERT_TRUE(file.read(*entry, read).ok());
  EXPECT_EQ(read[5], 6);
  int64_t read_count = 0;
  ASSERT_TRUE(file.read(*file.find("count"), &read_count).ok());
  EXPECT_EQ(read_count, -7);
  EXPECT_EQ(file.find("fc1"), nullptr);
  // The same input gives the same bytes.
  ASSERT_TRUE(write_safetensors(path("b"), tensors, {{"format", "pt"}, {"quote", "\"\\"}}).ok());
  EXPECT_EQ(FileTest::read("a"), FileTest::read("b"));
}

TEST_F(Safetensors, BadFilesSayWhatAndWhere) {
  auto opening = [&](const std::string &bytes) {
    SafetensorsFile file;
    Status status = file.open(write("x", bytes));
    EXPECT_EQ(status.fault(), Fault::input);
    return message(status);
  };
  EXPECT_EQ(opening("abc"),
            "x: not a safetensors file: expected 8 bytes of header length at offset 0, found 3");
  EXPECT_EQ(opening("PK\3\4aaaaaaaa"),
            "x: not a safetensors file, or truncated: the header at offset 8 should have "
            "7016996763726990160 bytes, found 4");
  EXPECT_EQ(opening(file_of("[1, 2]", "")),
            "x: not a safetensors file: the 6 bytes at offset 8 should be a JSON object");
  EXPECT_EQ(opening(file_of("{\"a\": 1}", "")),
            "x: tensor a: expected an object with dtype, shape and data_offsets");
  EXPECT_EQ(opening(file_of(R"({"a":{"dtype":"F8","shape":[1],"data_offsets":[0,1]}})", "x")),
            "x: tensor a: dtype \"F8\", expected one of F32, F64, BF16, F16, I8, U8, I32, I64, BOOL");
  // Nested too deeply to be printed by a function that calls itself.
  std::string deep = std::string(200000, '[') + std::string(200000, ']');
  EXPECT_EQ(opening(file_of("{\"a\":{\"dtype\":" + deep + ",\"shape\":[1],\"data_offsets\":[0,1]}}", "x")),
            "x: tensor a: dtype an array, expected one of F32, F64, BF16, F16, I8, U8, I32, I64, BOOL");
  EXPECT_EQ(opening(file_of("{\"a\":{\"dtype\":\"U8\",\"shape\":" + deep + ",\"data_offsets\":[0,1]}}", "x")),
            "x: tensor a: dimension an array in shape");
  EXPECT_EQ(opening(file_of(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", "1234")),
            "x: tensor a: dimension -1 in shape");
  EXPECT_EQ(opening(file_of(R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,4]}})", "1234")),
            "x: tensor a: shape should be a list");
  for (const char *offsets : {"4", "[4]", "[-4,0]", "[0,\"4\"]"})
    EXPECT_EQ(
        opening(file_of(format(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":%s}})", offsets), "1234")),
        "x: tensor a: data_offsets should be two non-negative integers");
  EXPECT_EQ(opening(file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "1234")),
            "x: tensor a: data_offsets [0, 8] exceed the 4 bytes after the header (a truncated file?)");
  EXPECT_EQ(opening(file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "1234")),
            "x: tensor a: f32[2] should have 8 bytes, its data_offsets give 4");
  EXPECT_EQ(
      opening(
          file_of(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}})", "1234")),
      "x: tensor a: f32[4294967296, 4294967296] should have more than 2^63 bytes, its data_offsets give 4");
  EXPECT_EQ(
      opening(file_of(
          R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
          "123")),
      "x: tensor b starts at offset 115, expected 114: tensors must follow each other without holes");
  EXPECT_EQ(
      opening(file_of(
          R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
          "123")),
      "x: tensor b starts at offset 114, expected 115: tensors must follow each other without overlaps");
  EXPECT_EQ(opening(file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "123")),
            "x: 2 bytes at offset 62 belong to no tensor");
  EXPECT_EQ(
      opening(file_of(
          R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
          "")),
      "x: the name a occurs twice in the header");
}

TEST_F(Safetensors, WhatNoFileCanHoldIsABug) {
  auto writing = [&](const std::vector<NamedTensor> &tensors) {
    Status status = write_safetensors(path("a"), tensors, {});
    EXPECT_EQ(status.fault(), Fault::bug);
    return status.message();
  };
  EXPECT_EQ(writing({{"w", DataType::f32, {int64_t{1} << 62}, nullptr}}),
            "write_safetensors: the size of w overflows");
  NamedTensor none = {"w", DataType::f32, {0}, nullptr};
  EXPECT_EQ(writing({none, none}), "write_safetensors: the name w is taken");
}

TEST_F(Safetensors, DamagedFilesNeverCrash) {
  std::string good = file_of(
      R"({"__metadata__":{"a":"b"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}})", "12345678");
  for (size_t i = 0; i < good.size(); ++i) {
    SafetensorsFile cut;
    EXPECT_FALSE(cut.open(write("cut", good.substr(0, i))).ok()) << i;
    for (int change : {1, 2, 0x10, 0x80}) {
      std::string bytes = good;
      bytes[i] = static_cast<char>(bytes[i] ^ change);
      SafetensorsFile bad;
      (void)!bad.open(write("bad", bytes)).ok();
    }
  }
}

} // namespace
} // namespace dlc::data
