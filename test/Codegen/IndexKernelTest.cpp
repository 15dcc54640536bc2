// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels of the operations that find elements by indices, against the reference evaluator and between
// variants.

#include "test/Codegen/KernelTestbed.h"
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace dlc::test {
namespace {

std::string call(const std::string &op, const std::vector<std::string> &types, const std::string &result) {
  std::string text = "%r = " + op + " : (";
  for (size_t i = 0; i < types.size(); ++i)
    text += (i ? ", " : "") + types[i];
  return text + ") -> " + result;
}

TEST(IndexKernel, GathersRows) {
  for (int columns : {1, 16, 37}) {
    std::string c = std::to_string(columns);
    for (const char *type : {"i32", "i64"}) {
      KernelTestbed testbed; // indices from -5 to 10: some lie outside
      std::string text = dispatch(
          {"f32[7, " + c + "]", std::string(type) + "[n, 3]"}, {"f32[n, 3, " + c + "]"},
          call("dl.gather %a0, %a1 batch 0", {t("7, " + c), t("n, 3", type)}, t("n, 3, " + c)), "%r");
      for (int64_t n : {1, 5, 40})
        testbed.check(text, {{"n", n}});
    }
  }
}

TEST(IndexKernel, GathersOneElementPerRow) {
  KernelTestbed testbed;
  std::string text = dispatch({"f32[n, 10]", "i32[n]"}, {"f32[n]"},
                              call("dl.gather %a0, %a1 batch 1", {t("n, 10"), t("n", "i32")}, t("n")), "%r");
  for (int64_t n : {1, 15, 64, 300})
    testbed.check(text, {{"n", n}});
}

TEST(IndexKernel, GathersFromComputedRows) {
  // The table is an expression: the negative logarithm of a softmax, read at the label.
  KernelTestbed testbed;
  std::string full = t("n, 10"), row = t("n");
  std::string text = dispatch({"f32[n, 10]", "i32[n]"}, {"f32[n]"},
                              "%e = dl.exp %a0 : " + full + "\n%s = dl.reduce sum %e [1] : " + full + " to " +
                                  row + "\n%l = dl.log %s : " + row + "\n%b = dl.broadcast %l [0] : " + row +
                                  " to " + full + "\n%d = dl.sub %b, %a0 : " + full + "\n" +
                                  call("dl.gather %d, %a1 batch 1", {full, t("n", "i32")}, row),
                              "%r");
  for (int64_t n : {1, 15, 64})
    testbed.check(text, {{"n", n}});
}

TEST(IndexKernel, ScatterAddsInOrder) {
  for (const char *element : {"f32", "f64", "bf16", "i32"})
    for (int columns : {1, 32, 37, 100}) {
      std::string c = std::to_string(columns), type = element;
      KernelTestbed testbed;
      if (type == "bf16")
        testbed.relative = 1e-2, testbed.absolute = 1e-2;
      testbed.absolute = std::max(testbed.absolute, 1e-5);
      std::string text = dispatch({type + "[n, 2, " + c + "]", "i32[n, 2]"}, {type + "[7, " + c + "]"},
                                  call("dl.scatter_add %a0, %a1 batch 0",
                                       {t("n, 2, " + c, type), t("n, 2", "i32")}, t("7, " + c, type)),
                                  "%r");
      for (int64_t n : {1, 5, 40})
        testbed.check(text, {{"n", n}});
    }
}

TEST(IndexKernel, ScatterAddsPerRow) {
  KernelTestbed testbed;
  std::string text =
      dispatch({"f32[n]", "i32[n]"}, {"f32[n, 10]"},
               call("dl.scatter_add %a0, %a1 batch 1", {t("n"), t("n", "i32")}, t("n, 10")), "%r");
  std::string several =
      dispatch({"f32[n, 5, 3]", "i32[n, 5]"}, {"f32[n, 4, 3]"},
               call("dl.scatter_add %a0, %a1 batch 1", {t("n, 5, 3"), t("n, 5", "i32")}, t("n, 4, 3")), "%r");
  for (int64_t n : {1, 15, 5000}) {
    testbed.check(text, {{"n", n}});
    testbed.check(several, {{"n", n}});
  }
  EXPECT_GT(testbed.lastGroups, 1);
}

TEST(IndexKernel, SortsStably) {
  for (const char *element : {"f32", "f64", "i32", "ui8", "bf16"})
    for (int size : {1, 2, 3, 16, 37, 100}) {
      std::string shape = "n, " + std::to_string(size), type = element;
      KernelTestbed testbed; // integers from -5 to 10 are often equal
      std::string text = dispatch({type + "[" + shape + "]"}, {"i32[" + shape + "]"},
                                  "%r = dl.argsort %a0 : " + t(shape, type) + " to " + t(shape, "i32"), "%r");
      for (int64_t n : {1, 5})
        testbed.check(text, {{"n", n}});
    }
}

TEST(IndexKernel, SortsNotANumberToTheEnd) {
  KernelTestbed testbed;
  double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  testbed.inputs[0] = {nan, 1.0, infinity, -0.0, 0.0, nan, -infinity, 1.0};
  std::string text =
      dispatch({"f32[8]"}, {"i32[8]"}, "%r = dl.argsort %a0 : " + t("8") + " to " + t("8", "i32"), "%r", "");
  EXPECT_EQ(testbed.run(text, {}).front(), (std::vector<double>{6, 3, 4, 1, 7, 2, 0, 5}));
}

TEST(IndexKernel, ReadsAffineIndices) {
  struct Case {
    const char *x, *geometry, *r;
  };
  for (const Case &c :
       {Case{"n, 50", "[1, 0, 0, 0, 2, 1] offsets [#dl.poly<0>, #dl.poly<0>] divisors [1, 1]", "n, 24, 3"},
        {"n, 50", "[0, 1, 0, 1, 0, 2] offsets [#dl.poly<0>, #dl.poly<0>] divisors [1, 1]", "3, n, 24"},
        {"n, 50", "[1, 0, 0, -1] offsets [#dl.poly<0>, #dl.poly<49>] divisors [1, 1]", "n, 50"},
        {"n, 50", "[1, 0, 0, 1] offsets [#dl.poly<0>, #dl.poly<-3>] divisors [1, 1]", "n, 56"},
        {"n, 50", "[1, 0, 0, 1] offsets [#dl.poly<0>, #dl.poly<1>] divisors [1, 2]", "n, 110"},
        {"n, 50", "[1, 0, 0, 0, -2, 3] offsets [#dl.poly<-1>, #dl.poly<40>] divisors [1, 3]", "n + 2, 20, 7"},
        {"n, n", "[1, 1] offsets [#dl.poly<0>, #dl.poly<0>] divisors [1, 1]", "n"},
        {"2*n", "[-1, 1] offsets [#dl.poly<n>] divisors [1]", "n, n"}}) {
    KernelTestbed testbed;
    std::string text =
        dispatch({std::string("f32[") + c.x + "]"}, {std::string("f32[") + c.r + "]"},
                 std::string("%r = dl.subscript %a0 ") + c.geometry + " : " + t(c.x) + " to " + t(c.r), "%r");
    // The operand is an expression under another shape, so that indices are taken apart and put together.
    std::string flat = std::string("n, 50") == c.x ? "50*n" : "";
    std::string reshaped =
        dispatch({"f32[" + flat + "]"}, {std::string("f32[") + c.r + "]"},
                 "%e = dl.exp %a0 : " + t(flat) + "\n%x = dl.reshape %e : " + t(flat) + " to " + t(c.x) +
                     "\n%r = dl.subscript %x " + c.geometry + " : " + t(c.x) + " to " + t(c.r),
                 "%r");
    for (int64_t n : {1, 5, 40}) {
      testbed.check(text, {{"n", n}});
      if (!flat.empty())
        testbed.check(reshaped, {{"n", n}});
    }
  }
}

TEST(IndexKernel, ReducesWindows) {
  KernelTestbed testbed;
  std::string window = "[0, 0, 1, 0, 0, 1, 0, 0, 2, 0, 0, 1, 0, 0, 2] offsets [#dl.poly<0>, #dl.poly<0>, "
                       "#dl.poly<0>] divisors [1, 1, 1]";
  std::string text =
      dispatch({"f32[n, 12, 14]"}, {"f32[n, 6, 7]"},
               "%w = dl.subscript %a0 " + window + " : " + t("n, 12, 14") + " to " + t("2, 2, n, 6, 7") +
                   "\n%r = dl.reduce max %w [0, 1] : " + t("2, 2, n, 6, 7") + " to " + t("n, 6, 7"),
               "%r");
  for (int64_t n : {1, 5, 40})
    testbed.check(text, {{"n", n}});
}

} // namespace
} // namespace dlc::test
