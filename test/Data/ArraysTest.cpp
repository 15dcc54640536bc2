// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/npy.h"
#include "runtime/data/safetensors.h"

#include "test/Data/LoaderFixture.h"

#include <limits>

namespace dlc::data {
namespace {

class Arrays : public LoaderTest {
protected:
  template <typename T>
  void npy(const std::string &name, DataType type, const Shape &shape, const std::vector<T> &values) {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    ASSERT_TRUE(write_npy(path(name), {"", type, shape, values.data()}).ok());
  }
};

TEST_F(Arrays, NpyFilesAreColumnsAndTypesAreConverted) {
  npy<double>("train/x.npy", DataType::f64, {2, 3}, {1, 2, 3, 4, 5, 0.1});
  npy<int64_t>("train/label.npy", DataType::i64, {2}, {7, -1});
  npy<float>("test/x.npy", DataType::f32, {1, 3}, {1, 2, 3});
  npy<uint16_t>("test/half.npy", DataType::f16, {1}, {0x3c00});
  Status status = open("npy", "");
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(all<float>("train", "x"), (std::vector<float>{1, 2, 3, 4, 5, 0.1f}));
  EXPECT_EQ(column("train", "x").shape, Shape{3});
  EXPECT_EQ(column("train", "label").type, DataType::i32);
  EXPECT_EQ(all<int32_t>("train", "label"), (std::vector<int32_t>{7, -1}));
  EXPECT_EQ(all<float>("test", "half"), std::vector<float>{1});
  ASSERT_TRUE(open("npy", "", "convert=false").ok());
  EXPECT_EQ(all<double>("train", "x")[5], 0.1);
  EXPECT_EQ(all<int64_t>("train", "label"), (std::vector<int64_t>{7, -1}));
}

TEST_F(Arrays, WithoutSplitsAShareValidates) {
  npy<int32_t>("row.npy", DataType::i32, {10}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  ASSERT_TRUE(open("npy", "", "validation=0.2").ok());
  // The first two of the order of batcher.h: 7, 8 (BatcherTest.cpp).
  EXPECT_EQ(all<int32_t>("validation", "row"), (std::vector<int32_t>{7, 8}));
  EXPECT_EQ(all<int32_t>("train", "row"), (std::vector<int32_t>{0, 1, 2, 3, 4, 5, 6, 9}));
}

TEST_F(Arrays, SafetensorsAreTheSame) {
  float x[] = {1, 2, 3, 4};
  uint8_t flags[] = {0, 1};
  uint16_t narrow[] = {0x3f80, 0x4000};
  ASSERT_TRUE(write_safetensors(path("d.safetensors"),
                                {{"x", DataType::f32, {2, 2}, x},
                                 {"flag", DataType::u8, {2}, flags},
                                 {"b", DataType::bf16, {2}, narrow}},
                                {})
                  .ok());
  Status status = open("safetensors", "d.safetensors", "validation=0");
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(all<float>("train", "x"), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(all<uint8_t>("train", "flag"), (std::vector<uint8_t>{0, 1}));
  EXPECT_EQ(all<float>("train", "b"), (std::vector<float>{1, 2}));
  std::filesystem::copy(path("d.safetensors"), path("test.safetensors"));
  ASSERT_TRUE(open("safetensors", "").ok());
  EXPECT_EQ(splits_.count("test"), 1u);
}

TEST_F(Arrays, BadFilesSayWhatAndWhere) {
  EXPECT_EQ(message(open("npy", "none")), "cannot open none: No such file or directory");
  std::filesystem::create_directories(path("d"));
  EXPECT_EQ(message(open("npy", "d")), "d: expected <column>.npy or <split>/<column>.npy, found neither");
  EXPECT_EQ(message(open("safetensors", "d")), "d: expected <split>.safetensors, found none");
  std::filesystem::create_directories(path("d/train"));
  EXPECT_EQ(message(open("npy", "d")), "d/train: no arrays: expected <column>.npy");
  npy<float>("d/train/x.npy", DataType::f32, {2, 1}, {1, 2});
  npy<float>("d/train/y.npy", DataType::f32, {3}, {1, 2, 3});
  EXPECT_EQ(message(open("npy", "d")), "d/train/y.npy: y has 3 rows, expected 2 as x");
  npy<float>("d/train/y.npy", DataType::f32, {}, {1});
  EXPECT_EQ(message(open("npy", "d")), "d/train/y.npy: y is f32[]: expected at least one row");
  npy<double>("d/train/y.npy", DataType::f64, {2}, {std::numeric_limits<double>::infinity(), 1e39});
  EXPECT_EQ(
      message(open("npy", "d")),
      "d/train/y.npy: element 1 of y is 1e+39, which f32 does not hold: expected convert=false for f64");
  npy<float>("d/train/y.npy", DataType::f32, {2, 1, 1, 1, 1, 1, 1, 1, 1}, {0, 0});
  EXPECT_EQ(message(open("npy", "d")), "d/train/y.npy: y has 9 dimensions, expected at most 8");
  npy<int64_t>("d/train/y.npy", DataType::i64, {2}, {1, int64_t{1} << 31});
  EXPECT_EQ(message(open("npy", "d")),
            "d/train/y.npy: element 1 of y is 2147483648, which i32 does not hold: "
            "expected convert=false for i64");
  write("d/train/y.npy", read("d/train/y.npy").substr(0, 130));
  EXPECT_EQ(open("npy", "d").fault(), Fault::input);
  npy<float>("d/train/y.npy", DataType::f32, {2}, {1, 2});
  npy<float>("d/validation/x.npy", DataType::f32, {2}, {1, 2});
  EXPECT_EQ(message(open("npy", "d", "validation=0.5")),
            "d: there is a split validation: expected validation=0");
  {
    NoMoreFiles limit;
    EXPECT_EQ(message(open("npy", "d")), "cannot list d: Too many open files");
  }
  write("s.safetensors", "x");
  EXPECT_EQ(open("safetensors", "s.safetensors").fault(), Fault::input);
  ASSERT_TRUE(write_safetensors(path("s.safetensors"), {}, {}).ok());
  EXPECT_EQ(message(open("safetensors", "s.safetensors")), "s.safetensors: no arrays: expected at least one");
}

} // namespace
} // namespace dlc::data
