// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/dataset.h"
#include "runtime/data/idx.h"

#include "test/Data/TestFiles.h"

namespace dlc::data {
namespace {

using Mnist = FileTest;

std::string big_endian(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

std::string images(uint32_t count, uint32_t rows = 28, uint32_t columns = 28) {
  std::string bytes = big_endian(0x803) + big_endian(count) + big_endian(rows) + big_endian(columns);
  for (uint32_t i = 0; i < count * rows * columns; ++i)
    bytes += static_cast<char>(i % 256);
  return bytes;
}

std::string labels(const std::string &values) {
  return big_endian(0x801) + big_endian(static_cast<uint32_t>(values.size())) + values;
}

TEST_F(Mnist, RowsAreReadInTheGivenOrderAndScaled) {
  write("train-images-idx3-ubyte", images(3));
  write("train-labels-idx1-ubyte", labels("\x05\x01\x09"));
  write("t10k-images.idx3-ubyte", images(1));
  write("t10k-labels.idx1-ubyte", labels("\x03"));
  Splits splits;
  Status status = open_data({"mnist", folder_, {}}, {}, splits);
  ASSERT_TRUE(status.ok()) << status.message();
  const DataSet &train = *splits.at("train");
  EXPECT_EQ(train.size(), 3);
  EXPECT_EQ(splits.at("test")->size(), 1);
  ASSERT_EQ(train.find("label"), 1u);
  EXPECT_FALSE(train.find("labels"));
  EXPECT_EQ(format_type(train.columns()[0].type, train.columns()[0].shape), "f32[1, 28, 28]");
  int64_t rows[] = {2, 0};
  int32_t read_labels[2];
  ASSERT_TRUE(train.read(1, rows, read_labels).ok());
  EXPECT_EQ(read_labels[0], 9);
  EXPECT_EQ(read_labels[1], 5);
  std::vector<float> pixels(2 * 784);
  ASSERT_TRUE(train.read(0, rows, pixels.data()).ok());
  EXPECT_EQ(pixels[0], static_cast<float>(2 * 784 % 256) / 255.0f);
  EXPECT_EQ(pixels[784], 0.0f);
  EXPECT_EQ(pixels[784 + 255], 1.0f);
}

TEST_F(Mnist, BadFilesSayWhatAndWhere) {
  Splits splits;
  auto opening = [&](const std::string &image_bytes, const std::string &label_bytes) {
    write("train-images-idx3-ubyte", image_bytes);
    write("train-labels-idx1-ubyte", label_bytes);
    Status status = open_mnist(folder_, {}, {}, splits);
    EXPECT_EQ(status.fault(), Fault::input);
    EXPECT_TRUE(splits.empty());
    return message(status);
  };
  std::string two = labels("\x01\x02");
  EXPECT_EQ(opening("ab", two),
            "train-images-idx3-ubyte: truncated: expected a 4-byte magic number at offset 0, found 2 bytes");
  EXPECT_EQ(opening(two, two),
            "train-images-idx3-ubyte: wrong magic number at offset 0: expected 0x00000803 (unsigned bytes of "
            "rank 3), found 0x00000801");
  EXPECT_EQ(
      opening(images(2).substr(0, 10), two),
      "train-images-idx3-ubyte: truncated: expected 3 dimensions of 4 bytes at offset 4, found 6 bytes");
  EXPECT_EQ(opening(images(2).substr(0, 1000), two),
            "train-images-idx3-ubyte: truncated: expected 1568 bytes at offset 16 for dimensions [2, 28, "
            "28], found 984");
  EXPECT_EQ(opening(images(2) + "x", two), "train-images-idx3-ubyte: too long: expected 1568 bytes at offset "
                                           "16 for dimensions [2, 28, 28], found 1569");
  std::string most = big_endian(0xffffffff);
  EXPECT_EQ(opening(big_endian(0x803) + most + most + most, two),
            "train-images-idx3-ubyte: truncated: expected 2^63 or more bytes at offset 16 for dimensions "
            "[4294967295, 4294967295, 4294967295], found 0");
  EXPECT_EQ(opening(images(3), two),
            "train-labels-idx1-ubyte: wrong count at offset 4: expected 3 labels, one for each image of "
            "train-images-idx3-ubyte, found 2");
  EXPECT_EQ(opening(images(2), labels("\x01\x0a")),
            "train-labels-idx1-ubyte: label out of range at offset 9 (row 1): expected 0 to 9, found 10 "
            "(the setting classes allows more)");
  EXPECT_EQ(opening(images(0), labels("")), "train-images-idx3-ubyte: no images: expected at least 1 of at "
                                            "least 1 x 1 at offset 4, found [0, 28, 28]");
  EXPECT_EQ(opening(images(2, 28, 0), two), "train-images-idx3-ubyte: no images: expected at least 1 of at "
                                            "least 1 x 1 at offset 4, found [2, 28, 0]");
  // The training files are good, the test files are missing.
  EXPECT_EQ(opening(images(2), two),
            "mnist: no file t10k-images-idx3-ubyte or test-images-idx3-ubyte or the same with .gz");
  write("test-images-idx3-ubyte", images(1, 32, 30));
  EXPECT_EQ(opening(images(2), two), "mnist: no file test-labels-idx1-ubyte or the same with .gz");
  write("test-labels-idx1-ubyte", labels("\x03"));
  EXPECT_EQ(opening(images(2), two), "test-images-idx3-ubyte: wrong image size at offset 8: expected 28 x 28 "
                                     "as in train-images-idx3-ubyte, found 32 x 30");
}

TEST_F(Mnist, RelativesHaveOtherNamesSizesAndClasses) {
  write("emnist-letters-train-images-idx3-ubyte", images(10, 4, 6));
  write("emnist-letters-train-labels-idx1-ubyte", labels("\x1a\x01\x02\x03\x04\x05\x06\x07\x08\x09"));
  write("emnist-letters-test-images-idx3-ubyte", images(1, 4, 6));
  write("emnist-letters-test-labels-idx1-ubyte", labels("\x14"));
  Settings settings;
  settings.add("prefix", SettingValue::of(std::string("emnist-letters-")));
  settings.add("classes", SettingValue::of(27.0));
  settings.add("validation", SettingValue::of(0.2));
  Splits splits;
  Status status = open_data({"mnist", folder_, settings}, {}, splits);
  ASSERT_TRUE(status.ok()) << status.message();
  const DataSet &train = *splits.at("train"), &validation = *splits.at("validation");
  EXPECT_EQ(format_type(train.columns()[0].type, train.columns()[0].shape), "f32[1, 4, 6]");
  EXPECT_EQ(train.columns()[1].classes, 27);
  EXPECT_EQ(train.size(), 8);
  // The first two of the order of batcher.h, 7 and 8 (BatcherTest.cpp).
  ASSERT_EQ(validation.size(), 2);
  int64_t rows[] = {0, 1};
  int32_t read_labels[2];
  ASSERT_TRUE(validation.read(1, rows, read_labels).ok());
  EXPECT_EQ(read_labels[0], 7);
  EXPECT_EQ(read_labels[1], 8);
  ASSERT_TRUE(splits.at("test")->read(1, std::span(rows).first(1), read_labels).ok());
  EXPECT_EQ(read_labels[0], 20);
}

// Tests the real files: their sizes, and sums that a changed byte would change.
TEST_F(Mnist, TheCommittedFilesAreMnist) {
  Splits splits;
  Status status = open_mnist(DLC_MODELS "/data/mnist", {}, {}, splits);
  ASSERT_TRUE(status.ok()) << status.message();
  const DataSet &test = *splits.at("test");
  EXPECT_EQ(splits.at("train")->size(), 60000);
  ASSERT_EQ(test.size(), 10000);
  std::vector<int64_t> all(10000);
  for (size_t i = 0; i < all.size(); ++i)
    all[i] = static_cast<int64_t>(i);
  std::vector<int32_t> values(all.size());
  ASSERT_TRUE(test.read(1, all, values.data()).ok());
  EXPECT_EQ(std::vector<int32_t>(values.begin(), values.begin() + 10),
            (std::vector<int32_t>{7, 2, 1, 0, 4, 1, 4, 9, 5, 9}));
  int64_t sum = 0;
  for (int32_t value : values)
    sum += value;
  EXPECT_EQ(sum, 44434);
}

} // namespace
} // namespace dlc::data
