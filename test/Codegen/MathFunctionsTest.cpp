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
  if (got == rounded) // A zero of the other sign is wrong.
    return std::signbit(got) == std::signbit(rounded) ? 0 : 1e9;
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
  checkUnary<double>("sin", std::sin, -1e9, 1e9, false, 2);
  checkUnary<double>("sin", std::sin, 1, 1e308, true, 2);
  checkUnary<double>("cos", std::cos, 1, 1e308, true, 2);
  checkUnary<double>("sin", std::sin, -1.7e308, -1e300, false, 2);
}

TEST(MathFunctions, SinAndCosNearMultiplesOfPi) {
  // The double whose distance from a multiple of π/2 is smallest, and neighbours of large multiples.
  std::vector<double> x{6381956970095103.0 * 0x1p797, 1e22, 0x1p30, -0x1p30, 0x1p1023, 3.0e15};
  for (int i = 30; i < 64; ++i)
    x.push_back(static_cast<double>(std::ldexp(3.14159265358979323846264338327950288L, i)));
  double infinity = std::numeric_limits<double>::infinity();
  KernelTestbed testbed;
  for (auto [op, function] :
       {std::pair("sin", static_cast<Function>(std::sin)), std::pair("cos", static_cast<Function>(std::cos))})
    for (const std::string &variant : KernelTestbed::variants()) {
      auto kernel = testbed.load(unary<double>(op), variant);
      ASSERT_TRUE(kernel);
      std::vector<double> y = runKernel(*kernel, x);
      for (size_t i = 0; i < x.size(); ++i)
        EXPECT_LE(errorInUlps<double>(y[i], function(static_cast<long double>(x[i]))), 2)
            << op << " " << x[i];
      for (double outside : runKernel<double>(*kernel, {infinity, -infinity, std::nan("")}))
        EXPECT_TRUE(std::isnan(outside));
    }
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
  // Whole exponents: of both signs, of bases near 1 very large ones, with subnormal results.
  for (int i = 0; i < 100000; ++i) {
    double a = std::exp(static_cast<double>(generator() % 20001) * 1e-4 - 1);
    auto b = static_cast<double>(generator() % 121) - 60;
    x.push_back(static_cast<T>(i % 2 ? a : -a));
    y.push_back(static_cast<T>(b));
    a = 1 + static_cast<double>(generator() % 20001) * 1e-8 - 1e-4;
    x.push_back(static_cast<T>(a));
    y.push_back(static_cast<T>(generator() % 1000000));
  }
  for (auto [a, b] :
       {std::pair(1.0001, 1e5), {2.0, -149.0}, {10.0, -40.0}, {2.5, -100.0}, {2.0, -1074.0}, {-2.0, -147.0}})
    x.push_back(static_cast<T>(a)), y.push_back(static_cast<T>(b));
  T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  // Edges: whole exponents, zeros, infinities, negative bases, NaN; 2^24 + 2 and 2^53 are even, 2^23 + 1 is
  // odd.
  for (T a : {T(0), T(-0.0), T(1), T(-1), T(2), T(0.5), T(-2), T(-0.5), infinity, -infinity, nan})
    for (T b : {T(0),     T(-0.0),   T(1),       T(2),        T(3),        T(4),
                T(5),     T(6),      T(-1),      T(-2),       T(-3),       T(0.5),
                T(-0.5),  T(2.5),    T(8388609), T(-8388609), T(16777218), T(9007199254740992),
                infinity, -infinity, nan})
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
