// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Worst errors of the elementary functions over dense samples, in units in the last place, against long
// double.

#include "test/Codegen/KernelTestbed.h"
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

namespace dlc::test {
namespace {

using Function = long double (*)(long double);

template <typename T> double errorInUlps(T got, long double want) {
  T rounded = static_cast<T>(want);
  if (std::isnan(want))
    return std::isnan(got) ? 0 : 1e9;
  if (got == rounded)
    return std::isinf(rounded) ? 0 : static_cast<double>(0);
  if (std::isinf(rounded) || std::isinf(got) || std::isnan(got))
    return 1e9;
  int exponent;
  std::frexp(rounded, &exponent);
  int digits = std::numeric_limits<T>::digits;
  exponent = std::max(exponent, std::numeric_limits<T>::min_exponent);
  long double ulp = std::ldexp(1.0L, exponent - digits);
  return static_cast<double>(std::fabs((static_cast<long double>(got) - want) / ulp));
}

template <typename T> std::string elementName() {
  return sizeof(T) == 4 ? "f32" : "f64";
}

template <typename T> std::string unary(const std::string &op) {
  std::string tensor = "!dl.tensor<[n], " + elementName<T>() + ">";
  return "func.func @f(%x: " + tensor + ") -> " + tensor +
         " attributes {dl.symbols = [\"n\"]} {\n %r = dl.dispatch \"k\" (%x) : (" + tensor + ") -> (" +
         tensor + ") {\n ^bb0(%a: " + tensor + "):\n %b = dl." + op + " %a : " + tensor +
         "\n dl.yield %b : " + tensor + "\n }\n return %r : " + tensor + "\n}\n";
}

template <typename T> std::vector<T> runKernel(const LoadedKernel &kernel, const std::vector<T> &x) {
  std::vector<T> y(x.size());
  kernel.run({const_cast<T *>(x.data()), y.data()}, {static_cast<int64_t>(x.size())});
  return y;
}

template <typename T>
void checkUnary(const std::string &op, Function function, T low, T high, bool logarithmic, double limit) {
  KernelTestbed testbed;
  std::mt19937_64 generator(11);
  std::vector<T> x;
  constexpr int count = 400000;
  for (int i = 0; i < count; ++i) {
    double u = static_cast<double>(generator() >> 11) * 0x1p-53;
    if (logarithmic)
      x.push_back(static_cast<T>(
          std::exp(std::log(static_cast<double>(low)) +
                   u * (std::log(static_cast<double>(high)) - std::log(static_cast<double>(low))))));
    else
      x.push_back(static_cast<T>(static_cast<double>(low) +
                                 u * (static_cast<double>(high) - static_cast<double>(low))));
  }
  std::vector<T> first;
  for (const std::string &variant : KernelTestbed::variants()) {
    auto kernel = testbed.load(unary<T>(op), variant);
    ASSERT_TRUE(kernel);
    std::vector<T> y = runKernel(*kernel, x);
    double worst = 0;
    T at = 0;
    for (int i = 0; i < count; ++i) {
      double error = errorInUlps<T>(y[i], function(static_cast<long double>(x[i])));
      if (error > worst)
        worst = error, at = x[i];
    }
    printf("%-5s %s %s [%g, %g]: worst %.3f ulp at %.17g\n", op.c_str(), elementName<T>().c_str(),
           variant.c_str(), static_cast<double>(low), static_cast<double>(high), worst,
           static_cast<double>(at));
    EXPECT_LE(worst, limit) << op << " at " << at;
    if (first.empty())
      first = y;
    else
      EXPECT_EQ(memcmp(first.data(), y.data(), y.size() * sizeof(T)), 0) << op << " differs between variants";
  }
}

TEST(MathFunctions, Exp) {
  checkUnary<float>("exp", std::exp, -110, 90, false, 2);
  checkUnary<float>("exp", std::exp, -1, 1, false, 2);
  checkUnary<double>("exp", std::exp, -750, 715, false, 2);
  checkUnary<double>("exp", std::exp, -1, 1, false, 2);
}

TEST(MathFunctions, Log) {
  checkUnary<float>("log", std::log, 1e-44f, 3e38f, true, 2);
  checkUnary<float>("log", std::log, 0.5f, 2, false, 2);
  checkUnary<double>("log", std::log, 1e-310, 1e308, true, 2);
  checkUnary<double>("log", std::log, 0.5, 2, false, 2);
}

TEST(MathFunctions, Tanh) {
  checkUnary<float>("tanh", std::tanh, -12, 12, false, 2);
  checkUnary<float>("tanh", std::tanh, 1e-30f, 1, true, 2);
  checkUnary<double>("tanh", std::tanh, -25, 25, false, 2);
  checkUnary<double>("tanh", std::tanh, 1e-30, 1, true, 2);
}

TEST(MathFunctions, Erf) {
  checkUnary<float>("erf", std::erf, -5, 5, false, 2);
  checkUnary<float>("erf", std::erf, 1e-30f, 1, true, 2);
  checkUnary<double>("erf", std::erf, -7, 7, false, 2);
  checkUnary<double>("erf", std::erf, 1e-30, 1, true, 2);
}

TEST(MathFunctions, SinAndCos) {
  checkUnary<float>("sin", std::sin, -10, 10, false, 2);
  checkUnary<float>("cos", std::cos, -10, 10, false, 2);
  checkUnary<float>("sin", std::sin, 1e-30f, 1, true, 2);
  checkUnary<float>("sin", std::sin, 1, 3e38f, true, 2);
  checkUnary<float>("cos", std::cos, 1, 3e38f, true, 2);
  checkUnary<double>("sin", std::sin, -10, 10, false, 2);
  checkUnary<double>("cos", std::cos, -10, 10, false, 2);
}

template <typename T> void checkPow(double limit) {
  KernelTestbed testbed;
  std::string tensor = "!dl.tensor<[n], " + elementName<T>() + ">";
  std::string text = "func.func @f(%x: " + tensor + ", %y: " + tensor + ") -> " + tensor +
                     " attributes {dl.symbols = [\"n\"]} {\n %r = dl.dispatch \"k\" (%x, %y) : (" + tensor +
                     ", " + tensor + ") -> (" + tensor + ") {\n ^bb0(%a: " + tensor + ", %b: " + tensor +
                     "):\n %c = dl.pow %a, %b : " + tensor + "\n dl.yield %c : " + tensor +
                     "\n }\n return %r : " + tensor + "\n}\n";
  std::mt19937_64 generator(13);
  std::vector<T> x, y;
  for (int i = 0; i < 100000; ++i) {
    x.push_back(static_cast<T>(std::exp(static_cast<double>(generator() % 20001) * 1e-3 - 10)));
    y.push_back(static_cast<T>(static_cast<double>(generator() % 16001) * 1e-3 - 8 + 1e-4));
  }
  T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  // Edges: whole exponents, zero, infinity, negative bases.
  for (T a : {T(0), T(1), T(2), T(0.5), T(-2), infinity, nan})
    for (T b : {T(0), T(1), T(2), T(3), T(-1), T(-2), T(0.5), T(-0.5), infinity, -infinity})
      x.push_back(a), y.push_back(b);
  for (const std::string &variant : KernelTestbed::variants()) {
    auto kernel = testbed.load(text, variant);
    ASSERT_TRUE(kernel);
    std::vector<T> r(x.size());
    kernel->run({x.data(), y.data(), r.data()}, {static_cast<int64_t>(x.size())});
    double worst = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      double error =
          errorInUlps<T>(r[i], std::pow(static_cast<long double>(x[i]), static_cast<long double>(y[i])));
      worst = std::max(worst, error);
      EXPECT_LE(error, limit) << x[i] << " ^ " << y[i] << " = " << r[i];
    }
    printf("pow   %s %s: worst %.3f ulp\n", elementName<T>().c_str(), variant.c_str(), worst);
  }
}

TEST(MathFunctions, Pow) {
  checkPow<float>(2);
  checkPow<double>(2);
}

} // namespace
} // namespace dlc::test
