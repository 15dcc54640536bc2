// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Row kernels of every shape of dispatch, against the reference evaluator and between variants.

#include "compiler/Numerics.h"
#include "test/Codegen/KernelTestbed.h"
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace dlc::test {
namespace {

TEST(RowKernel, AddsFlatArrays) {
  KernelTestbed testbed;
  std::string text =
      dispatch({"f32[n, 10]", "f32[n, 10]"}, {"f32[n, 10]"},
               "%s = dl.add %a0, %a1 : " + t("n, 10") + "\n%r = dl.mul %s, %a0 : " + t("n, 10"), "%r");
  for (int64_t n : {1, 2, 7, 100, 5000})
    testbed.check(text, {{"n", n}});
  EXPECT_GT(testbed.lastGroups, 1);
}

TEST(RowKernel, BroadcastsRowsAndColumns) {
  KernelTestbed testbed;
  std::string text =
      dispatch({"f32[n, 37]", "f32[37]", "f32[n]"}, {"f32[n, 37]"},
               "%b = dl.broadcast %a1 [1] : " + t("37") + " to " + t("n, 37") +
                   "\n%c = dl.broadcast %a2 [0] : " + t("n") + " to " + t("n, 37") +
                   "\n%s = dl.add %a0, %b : " + t("n, 37") + "\n%r = dl.mul %s, %c : " + t("n, 37"),
               "%r");
  for (int64_t n : {1, 3, 300})
    testbed.check(text, {{"n", n}});
}

TEST(RowKernel, SoftmaxOfRows) {
  KernelTestbed testbed;
  for (int columns : {1, 10, 16, 100}) {
    std::string c = std::to_string(columns), full = t("n, " + c), row = t("n");
    std::string text = dispatch(
        {"f32[n, " + c + "]"}, {"f32[n, " + c + "]", "f32[n]", "i32[n]"},
        "%m = dl.reduce max %a0 [1] : " + full + " to " + row + "\n%mb = dl.broadcast %m [0] : " + row +
            " to " + full + "\n%d = dl.sub %a0, %mb : " + full + "\n%e = dl.exp %d : " + full +
            "\n%s = dl.reduce sum %e [1] : " + full + " to " + row + "\n%sb = dl.broadcast %s [0] : " + row +
            " to " + full + "\n%p = dl.div %e, %sb : " + full + "\n%l = dl.log %s : " + row +
            "\n%i = dl.argmax %a0 1 : " + full + " to " + t("n", "i32"),
        "%p, %l, %i");
    for (int64_t n : {1, 5, 64})
      testbed.check(text, {{"n", n}});
  }
}

TEST(RowKernel, ReducesLeadingAxes) {
  KernelTestbed testbed;
  testbed.absolute = 1e-3;
  std::string text = dispatch({"f32[n, 37]"}, {"f32[37]"},
                              "%r = dl.reduce sum %a0 [0] : " + t("n, 37") + " to " + t("37"), "%r");
  for (int64_t n : {1, 15, 16, 17, 100, 5000})
    testbed.check(text, {{"n", n}});
}

TEST(RowKernel, ReducesOuterAndInnerAxes) {
  KernelTestbed testbed;
  testbed.absolute = 1e-3;
  // 14 · 14 is no multiple of 16, so vectors of the reduced index straddle images.
  std::string text =
      dispatch({"f32[n, 5, 14, 14]"}, {"f32[5]"},
               "%r = dl.reduce sum %a0 [0, 2, 3] : " + t("n, 5, 14, 14") + " to " + t("5"), "%r");
  for (int64_t n : {1, 2, 7, 40})
    testbed.check(text, {{"n", n}});
}

/// Sums over the same elements are one loop, but for one that needs another, or is used elsewhere.
TEST(RowKernel, ReducesTogether) {
  KernelTestbed testbed;
  testbed.absolute = 1e-2;
  std::string full = t("n, 5, 7, 7"), channels = t("5"), square = t("5, 5");
  std::string to = " [0, 2, 3] : " + full + " to " + channels + "\n";
  std::string text =
      dispatch({"f32[n, 5, 7, 7]", "f32[n, 5, 7, 7]"}, {"f32[5]", "f32[5]", "f32[5]", "f32[5, 5]"},
               "%p = dl.mul %a0, %a1 : " + full + "\n%x = dl.reduce sum %a0" + to + "%y = dl.reduce max %a1" +
                   to + "%z = dl.reduce sum %p" + to + "%xy = dl.sub %x, %y : " + channels +
                   "\n%u = dl.add %xy, %z : " + channels + "\n%xb = dl.broadcast %y [1] : " + channels +
                   " to " + full + "\n%d = dl.sub %a1, %xb : " + full + "\n%v = dl.reduce sum %d" + to +
                   "%rows = dl.broadcast %x [0] : " + channels + " to " + square +
                   "\n%columns = dl.broadcast %z [1] : " + channels + " to " + square +
                   "\n%outer = dl.add %rows, %columns : " + square,
               "%u, %v, %z, %outer");
  for (int64_t n : {1, 2, 40})
    testbed.check(text, {{"n", n}});
}

TEST(RowKernel, SumsInTheOrderOfTheNumerics) {
  KernelTestbed testbed;
  testbed.compareWithReference = false;
  for (int64_t n : {1, 10, 16, 100, 4096, 4097, 10000}) {
    std::vector<double> numbers;
    for (int64_t i = 0; i < n; ++i)
      numbers.push_back(static_cast<float>(std::sin(static_cast<double>(i)) * 3));
    float total = 0;
    for (int64_t block = 0; block < n; block += numerics::kReductionBlock) {
      float lanes[16] = {};
      for (int64_t i = block; i < std::min(n, block + numerics::kReductionBlock); ++i)
        lanes[(i - block) % 16] += static_cast<float>(numbers[i]);
      for (int distance = 8; distance >= 1; distance /= 2)
        for (int lane = 0; lane < distance; ++lane)
          lanes[lane] += lanes[lane + distance];
      total = block == 0 ? lanes[0] : total + lanes[0];
    }
    testbed.inputs[0] = numbers;
    // Along the lanes, and across them: a column of a matrix whose columns are equal.
    auto along = testbed.run(
        dispatch({"f32[n]"}, {"f32[]"}, "%r = dl.reduce sum %a0 [0] : " + t("n") + " to " + t(""), "%r"),
        {{"n", n}});
    ASSERT_EQ(along.size(), 1u);
    EXPECT_EQ(static_cast<float>(along[0][0]), total) << n;
    auto across = testbed.run(dispatch({"f32[n]"}, {"f32[20]"},
                                       "%b = dl.broadcast %a0 [0] : " + t("n") + " to " + t("n, 20") +
                                           "\n%r = dl.reduce sum %b [0] : " + t("n, 20") + " to " + t("20"),
                                       "%r"),
                              {{"n", n}});
    ASSERT_EQ(across.size(), 1u);
    for (double column : across[0])
      EXPECT_EQ(static_cast<float>(column), total) << n;
  }
}

TEST(RowKernel, PoolsWindows) {
  KernelTestbed testbed;
  for (auto [size, out] : {std::pair(28, 14), std::pair(14, 7), std::pair(7, 3), std::pair(66, 33)}) {
    std::string x = "n, 3, " + std::to_string(size) + ", " + std::to_string(size);
    std::string y = "n, 3, " + std::to_string(out) + ", " + std::to_string(out);
    std::string window = " window [2, 2] strides [2, 2] padding [0, 0] to [0, 0] : ";
    testbed.check(dispatch({"f32[" + x + "]"}, {"f32[" + y + "]"},
                           "%r = dl.max_pool %a0" + window + "(" + t(x) + ") -> " + t(y), "%r"),
                  {{"n", 2}});
    testbed.check(
        dispatch({"f32[" + x + "]", "f32[" + y + "]"}, {"f32[" + x + "]"},
                 "%r = dl.max_pool_grad %a0, %a1" + window + "(" + t(x) + ", " + t(y) + ") -> " + t(x), "%r"),
        {{"n", 2}});
    testbed.check(
        dispatch({"f32[" + x + "]", "f32[" + x + "]"}, {"f32[" + y + "]"},
                 "%r = dl.max_pool_select %a0, %a1" + window + "(" + t(x) + ", " + t(x) + ") -> " + t(y),
                 "%r"),
        {{"n", 2}});
  }
}

TEST(RowKernel, PoolsOverlappingAndPaddedWindows) {
  KernelTestbed testbed;
  std::string x = "n, 2, 11, 19", y = "n, 2, 6, 10";
  std::string window = " window [3, 3] strides [2, 2] padding [1, 1] to [1, 1] : ";
  testbed.check(dispatch({"f32[" + x + "]"}, {"f32[" + y + "]"},
                         "%r = dl.max_pool %a0" + window + "(" + t(x) + ") -> " + t(y), "%r"),
                {{"n", 2}});
  testbed.check(
      dispatch({"f32[" + x + "]", "f32[" + y + "]"}, {"f32[" + x + "]"},
               "%r = dl.max_pool_grad %a0, %a1" + window + "(" + t(x) + ", " + t(y) + ") -> " + t(x), "%r"),
      {{"n", 2}});
  testbed.check(
      dispatch({"f32[" + x + "]", "f32[" + x + "]"}, {"f32[" + y + "]"},
               "%r = dl.max_pool_select %a0, %a1" + window + "(" + t(x) + ", " + t(x) + ") -> " + t(y), "%r"),
      {{"n", 2}});
}

/// Of every distance between a row's end and the end of a register or of a vector.
TEST(RowKernel, PoolsRowsOfEveryWidth) {
  KernelTestbed testbed;
  std::string window = " window [3, 3] strides [1, 1] padding [1, 1] to [1, 1] : ";
  std::pair<const char *, std::vector<int>> cases[] = {
      {"f32", {1, 7, 8, 9, 16, 17, 24, 25, 33}}, {"f64", {3, 4, 5, 9, 12, 17}}, {"bf16", {1, 9, 17}}};
  for (auto &[element, widths] : cases)
    for (int width : widths) {
      testbed.relative = testbed.absolute = element[0] == 'b' ? 1e-2 : 1e-6;
      std::string x = "n, 1, 4, " + std::to_string(width), tensor = std::string(element) + "[" + x + "]";
      std::string type = t(x, element), binary = window + "(" + type + ", " + type + ") -> " + type;
      testbed.check(
          dispatch({tensor}, {tensor}, "%r = dl.max_pool %a0" + window + "(" + type + ") -> " + type, "%r"),
          {{"n", 3}});
      testbed.check(dispatch({tensor, tensor}, {tensor}, "%r = dl.max_pool_grad %a0, %a1" + binary, "%r"),
                    {{"n", 3}});
    }
}

/// An element of -infinity wins where it is the first that exists, not what stands for the padding.
TEST(RowKernel, PoolsMinusInfinity) {
  KernelTestbed testbed;
  double infinity = std::numeric_limits<double>::infinity();
  std::string x = t("n, 1, 7"), window = " window [3] strides [1] padding [1] to [1] : ";
  std::string select = "%r = dl.max_pool_select %a0, %a1" + window + "(" + x + ", " + x + ") -> " + x;
  std::string grad = "%r = dl.max_pool_grad %a0, %a1" + window + "(" + x + ", " + x + ") -> " + x;
  for (std::vector<double> image : {std::vector<double>{-infinity},
                                    {-infinity, -infinity, -infinity, 1, -infinity, -infinity, std::nan("")}})
    for (const std::string &body : {select, grad}) {
      testbed.inputs[0] = image;
      testbed.check(dispatch({"f32[n, 1, 7]", "f32[n, 1, 7]"}, {"f32[n, 1, 7]"}, body, "%r"), {{"n", 3}});
    }
}

TEST(RowKernel, SumsOverNoAxes) {
  KernelTestbed testbed;
  testbed.inputs[0] = {-0.0, 1, -2};
  auto sums = testbed.run(
      dispatch({"f32[n]"}, {"f32[n]"}, "%r = dl.reduce sum %a0 [] : " + t("n") + " to " + t("n"), "%r"),
      {{"n", 19}});
  ASSERT_EQ(sums.size(), 1u);
  EXPECT_FALSE(std::signbit(sums[0][0]));
}

TEST(RowKernel, MovesElements) {
  KernelTestbed testbed;
  testbed.check(dispatch({"f32[n, 12]"}, {"f32[12, n]"},
                         "%r = dl.transpose %a0 [1, 0] : " + t("n, 12") + " to " + t("12, n"), "%r"),
                {{"n", 21}});
  testbed.check(dispatch({"f32[n, 3, 35]"}, {"f32[n, 21, 5]"},
                         "%r = dl.reshape %a0 : " + t("n, 3, 35") + " to " + t("n, 21, 5"), "%r"),
                {{"n", 4}});
  testbed.check(dispatch({"f32[n, 41]"}, {"f32[n, 19]"},
                         "%r = dl.slice %a0 [#dl.poly<0>, #dl.poly<3>] strides [1, 2] : " + t("n, 41") +
                             " to " + t("n, 19"),
                         "%r"),
                {{"n", 4}});
  testbed.check(dispatch({"f32[n, 8]"}, {"f32[n, 21]"},
                         "%r = dl.pad %a0 value 1.5 : f32 low [#dl.poly<0>, #dl.poly<2>] interior [0, 1] : " +
                             t("n, 8") + " to " + t("n, 21"),
                         "%r"),
                {{"n", 3}});
  testbed.check(
      dispatch({"f32[n, 8]", "f32[n, 25]"}, {"f32[n, 33]"},
               "%r = dl.concat 1, %a0, %a1 : (" + t("n, 8") + ", " + t("n, 25") + ") -> " + t("n, 33"), "%r"),
      {{"n", 3}});
  testbed.check(dispatch({"f32[n, 8]"}, {"i32[n, 20]"}, "%r = dl.iota 1 : " + t("n, 20", "i32"), "%r"),
                {{"n", 3}});
}

/// What a vector that straddles the start of an operand reads must lie inside of it, also where its position
/// is divided: reshapes of what is not contiguous.
TEST(RowKernel, DividesPositionsBeforeAnOperand) {
  KernelTestbed testbed;
  for (int size : {1, 5, 7, 15, 16, 17}) {
    std::string c = std::to_string(size), flat = std::to_string(3 * size);
    std::string transposed = "%t = dl.transpose %a0 [0, 2, 1] : " + t("n, 3, " + c) + " to " +
                             t("n, " + c + ", 3") + "\n%f = dl.reshape %t : " + t("n, " + c + ", 3") +
                             " to " + t("n, " + flat) + "\n";
    std::string scaled = "%g = dl.broadcast %a1 [1] : " + t("3") + " to " + t("n, 3, " + c) +
                         "\n%m = dl.mul %a0, %g : " + t("n, 3, " + c) +
                         "\n%f = dl.reshape %m : " + t("n, 3, " + c) + " to " + t("n, " + flat) + "\n";
    for (int low : {1, 2, 17}) {
      std::string padded = std::to_string(3 * size + low + 1);
      std::string pad = "%r = dl.pad %f value 0.5 : f32 low [#dl.poly<0>, #dl.poly<" + std::to_string(low) +
                        ">] interior [0, 0] : " + t("n, " + flat) + " to " + t("n, " + padded);
      testbed.check(dispatch({"f32[n, 3, " + c + "]"}, {"f32[n, " + padded + "]"}, transposed + pad, "%r"),
                    {{"n", 3}});
      testbed.check(
          dispatch({"f32[n, 3, " + c + "]", "f32[3]"}, {"f32[n, " + padded + "]"}, scaled + pad, "%r"),
          {{"n", 3}});
    }
    // A constant and a symbolic part before it, and one behind.
    for (const char *before : {"2", "k"}) {
      std::string type = "n, " + std::string(before),
                  whole = "n, " + std::string(before) + " + " + std::to_string(3 * size + 17);
      testbed.check(dispatch({"f32[n, 3, " + c + "]", "f32[3]", "f32[" + type + "]", "f32[n, 17]"},
                             {"f32[" + whole + "]"},
                             scaled + "%r = dl.concat 1, %a2, %f, %a3 : (" + t(type) + ", " +
                                 t("n, " + flat) + ", " + t("n, 17") + ") -> " + t(whole),
                             "%r", "\"n\", \"k\""),
                    {{"n", 3}, {"k", 20}});
    }
    std::string x = "n, 3, " + c, pooled = t("n, " + flat + ", 1");
    testbed.check(dispatch({"f32[" + x + "]"}, {"f32[1, n, " + flat + "]"},
                           transposed + "%u = dl.reshape %f : " + t("n, " + flat) + " to " +
                               t("1, n, " + flat) +
                               "\n%r = dl.max_pool %u window [3] strides [1] padding [1] to [1] : (" +
                               t("1, n, " + flat) + ") -> " + t("1, n, " + flat),
                           "%r"),
                  {{"n", 3}});
  }
}

/// Where all lanes of a vector lie outside of an operand, even an element that they share must not be read.
TEST(RowKernel, ReadsNoElementForLanesOutside) {
  KernelTestbed testbed;
  for (const char *size : {"5", "16"})
    for (bool reduces : {false, true}) {
      std::string rows = "3, " + std::string(size);
      std::string first =
          reduces ? "%s = dl.reduce max %a0 [1] : " + t("3, 33") + " to " + t("3") + "\n" : "";
      std::string flatSize = std::to_string(3 * std::atoi(size)), whole = "k + " + flatSize;
      testbed.check(dispatch({reduces ? "f32[3, 33]" : "f32[3]", "f32[k]"}, {"f32[" + whole + "]"},
                             first + "%b = dl.broadcast " + (reduces ? "%s" : "%a0") + " [0] : " + t("3") +
                                 " to " + t(rows) + "\n%f = dl.reshape %b : " + t(rows) + " to " +
                                 t(flatSize) + "\n%r = dl.concat 0, %f, %a1 : (" + t(flatSize) + ", " +
                                 t("k") + ") -> " + t(whole),
                             "%r", "\"k\""),
                    {{"k", 20000}});
    }
}

TEST(RowKernel, ReducesWholeRowsInATailOfFewerColumns) {
  // The first four elements of a row are needed with their neighbours masked out, and all twelve for the sum.
  KernelTestbed testbed;
  std::string wide = t("n, 12"), rows = t("n"), zeros = "[#dl.poly<0>, #dl.poly<0>] strides [1, 1]";
  testbed.check(dispatch({"f32[n, 12]", "f32[n, 12]"}, {"f32[n, 4]"},
                         "%q = dl.mul %a0, %a1 : " + wide + "\n%s = dl.reduce sum %q [1] : " + wide + " to " +
                             rows + "\n%b = dl.broadcast %s [0] : " + rows + " to " + wide +
                             "\n%u = dl.add %q, %b : " + wide + "\n%r = dl.slice %u " + zeros + " : " + wide +
                             " to " + t("n, 4"),
                         "%r"),
                {{"n", 5}});
}

TEST(RowKernel, KeepsEveryElementType) {
  KernelTestbed testbed;
  for (const char *type : {"f32", "f64", "i8", "ui8", "i32", "i64"}) {
    testbed.relative = 1e-6;
    std::string f = t("n, 21", type);
    testbed.check(dispatch({std::string(type) + "[n, 21]", std::string(type) + "[n, 21]"},
                           {std::string(type) + "[n, 21]", "i1[n, 21]"},
                           "%s = dl.add %a0, %a1 : " + f + "\n%m = dl.max %s, %a0 : " + f +
                               "\n%q = dl.div %m, %a1 : " + f + "\n%c = dl.compare ge %s, %m : " + f,
                           "%m, %c"),
                  {{"n", 5}});
    testbed.check(dispatch({std::string(type) + "[n, 21]"}, {"f32[n, 21]"},
                           "%r = dl.cast %a0 : " + f + " to " + t("n, 21"), "%r"),
                  {{"n", 5}});
    testbed.check(dispatch({"f32[n, 21]"}, {std::string(type) + "[n, 21]"},
                           "%r = dl.cast %a0 : " + t("n, 21") + " to " + f, "%r"),
                  {{"n", 5}});
  }
  testbed.relative = 1e-2;
  for (const char *type : {"bf16", "f16"}) {
    std::string f = t("n, 21", type);
    testbed.check(dispatch({std::string(type) + "[n, 21]", std::string(type) + "[n, 21]"},
                           {std::string(type) + "[n, 21]"}, "%s = dl.add %a0, %a1 : " + f, "%s"),
                  {{"n", 5}});
  }
}

/// Of bf16 and f16: computed in f32 and rounded once, to nearest even, whether it is stored or used.
TEST(RowKernel, RoundsSums) {
  KernelTestbed testbed;
  testbed.compareWithReference = false;
  for (const char *type : {"bf16", "f16"}) {
    std::string narrow = t("n, 21", type), sum = t("n", type);
    auto results = testbed.run(
        dispatch({std::string(type) + "[n, 21]"}, {std::string(type) + "[n]", "f32[n]", "f32[n]"},
                 "%s = dl.reduce sum %a0 [1] : " + narrow + " to " + sum + "\n%c = dl.cast %s : " + sum +
                     " to " + t("n") + "\n%w = dl.cast %a0 : " + narrow + " to " + t("n, 21") +
                     "\n%e = dl.reduce sum %w [1] : " + t("n, 21") + " to " + t("n"),
                 "%s, %c, %e"),
        {{"n", 50}});
    for (size_t i = 0; i < results[0].size(); ++i) {
      auto exact = static_cast<float>(results[2][i]);
      uint32_t bits = std::bit_cast<uint32_t>(exact);
      float bfloat = std::bit_cast<float>((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000);
      float expected = type[0] == 'b' ? bfloat : static_cast<float>(static_cast<_Float16>(exact));
      EXPECT_EQ(results[0][i], expected) << type << " " << exact;
      EXPECT_EQ(results[1][i], expected) << type << " " << exact;
    }
  }
}

TEST(ContractionKernel, RoundsSums) {
  KernelTestbed testbed;
  testbed.relative = std::ldexp(1.0, -8);
  std::string x = t("n, 40", "bf16"), w = t("9, 40", "bf16"), y = t("n, 9", "bf16");
  auto results = testbed.run(dispatch({"bf16[n, 40]", "bf16[9, 40]"}, {"bf16[n, 9]", "f32[n, 9]"},
                                      "%v = dl.contract \"nk,jk->nj\" %a0, %a1 : (" + x + ", " + w + ") -> " +
                                          y + "\n%c = dl.cast %v : " + y + " to " + t("n, 9"),
                                      "%v, %c"),
                             {{"n", 17}});
  EXPECT_EQ(results[0], results[1]);
}

TEST(RowKernel, DividesIntegersTowardsMinusInfinity) {
  KernelTestbed testbed;
  testbed.inputs[0] = {7, -7, 7, -7, 6, -6, 0, 5};
  testbed.inputs[1] = {2, 2, -2, -2, 3, 3, 5, 1};
  for (const char *op : {"div", "rem"})
    testbed.check(dispatch({"i32[n]", "i32[n]"}, {"i32[n]"},
                           std::string("%r = dl.") + op + " %a0, %a1 : " + t("n", "i32"), "%r"),
                  {{"n", 24}});
}

TEST(RowKernel, SaturatesFloatsToIntegers) {
  KernelTestbed testbed;
  double infinity = std::numeric_limits<double>::infinity();
  testbed.inputs[0] = {0.5,  -0.5,     127.9,     128,          -128.9, -129, 3e9,
                       -3e9, infinity, -infinity, std::nan(""), 254.5,  256};
  for (const char *type : {"i8", "ui8", "i32"})
    testbed.check(dispatch({"f32[n]"}, {std::string(type) + "[n]"},
                           "%r = dl.cast %a0 : " + t("n") + " to " + t("n", type), "%r"),
                  {{"n", 26}});
}

TEST(RowKernel, DrawsRandomNumbers) {
  KernelTestbed testbed;
  for (const char *shape : {"n, 3136", "n, 10", "n"}) {
    std::string f = std::string("f32[") + shape + "]";
    testbed.inputs[0] = {12345};
    testbed.inputs[1] = {3};
    testbed.check(
        dispatch({"i64[]", "i64[]"}, {f},
                 "%key = dl.random_key site 77 seed %a0\n%u = dl.random key %key iteration %a1 : " + t(shape),
                 "%u"),
        {{"n", 70}});
  }
}

TEST(RowKernel, ComputesScalars) {
  KernelTestbed testbed;
  testbed.inputs[0] = {0.9};
  testbed.inputs[1] = {17};
  std::string d = t("", "f64");
  testbed.relative = 1e-14;
  testbed.check(dispatch({"f64[]", "i64[]"}, {"f64[]", "f32[]"},
                         "%i = dl.cast %a1 : " + t("", "i64") + " to " + d + "\n%p = dl.pow %a0, %i : " + d +
                             "\n%one = dl.constant 1.0 : f64 : " + d + "\n%q = dl.sub %one, %p : " + d +
                             "\n%f = dl.cast %q : " + d + " to " + t(""),
                         "%q, %f", ""),
                {});
}

TEST(RowKernel, UpdatesOneParameterWithSeveralResults) {
  KernelTestbed testbed;
  std::string f = t("128, 37"), s = t("");
  std::string text = dispatch(
      {"f32[128, 37]", "f32[128, 37]", "f32[128, 37]", "f32[]"}, {"f32[128, 37]", "f32[128, 37]"},
      "%lr = dl.broadcast %a3 [] : " + s + " to " + f + "\n%b = dl.constant 0.9 : f32 : " + f +
          "\n%m0 = dl.mul %b, %a2 : " + f + "\n%m1 = dl.add %m0, %a1 : " + f + "\n%m = dl.flush %m1 : " + f +
          "\n%u = dl.mul %lr, %m : " + f + "\n%p = dl.sub %a0, %u : " + f,
      "%p, %m", "");
  testbed.check(text);
}

TEST(RowKernel, SelectsAndCompares) {
  KernelTestbed testbed;
  testbed.inputs[0] = {-1, 0, 1, -0.0, std::nan(""), std::numeric_limits<double>::infinity(), 2};
  testbed.inputs[1] = {1, 0, -1, 0.0, 1, 1, std::nan("")};
  for (const char *predicate : {"eq", "ne", "lt", "le", "gt", "ge"})
    testbed.check(dispatch({"f32[n]", "f32[n]"}, {"f32[n]"},
                           std::string("%c = dl.compare ") + predicate + " %a0, %a1 : " + t("n") +
                               "\n%r = dl.select %c, %a0, %a1 : " + t("n"),
                           "%r"),
                  {{"n", 49}});
  for (const char *op : {"max", "min"})
    testbed.check(dispatch({"f32[n]", "f32[n]"}, {"f32[n]"},
                           std::string("%r = dl.") + op + " %a0, %a1 : " + t("n"), "%r"),
                  {{"n", 49}});
}

} // namespace
} // namespace dlc::test
