// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations that work element by element.

#include "compiler/Numerics.h"
#include "compiler/Reference/Rules.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <limits>

namespace dlc::reference {

using namespace mlir;

namespace {

double maximum(double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return std::numeric_limits<double>::quiet_NaN();
  if (a == 0 && b == 0)
    return std::signbit(a) ? b : a;
  return a >= b ? a : b;
}

double minimum(double a, double b) {
  return -maximum(-a, -b);
}

/// a / b rounded towards negative infinity; 0 for b = 0, and the wrapped quotient for the one that overflows.
int64_t floorDivide(int64_t a, int64_t b) {
  if (b == 0)
    return 0;
  if (b == -1)
    return static_cast<int64_t>(-static_cast<uint64_t>(a));
  int64_t quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0));
}

template <typename T> bool compare(dl::Predicate predicate, T a, T b) {
  switch (predicate) {
  case dl::Predicate::Eq:
    return a == b;
  case dl::Predicate::Ne:
    return a != b;
  case dl::Predicate::Lt:
    return a < b;
  case dl::Predicate::Le:
    return a <= b;
  case dl::Predicate::Gt:
    return a > b;
  case dl::Predicate::Ge:
    return a >= b;
  }
  llvm_unreachable("unknown predicate");
}

/// x truncated towards zero and saturated to the type's range; NaN becomes 0.
int64_t saturate(double x, IntegerType type) {
  if (std::isnan(x))
    return 0;
  bool isUnsigned = type.isUnsigned();
  double low = isUnsigned ? 0.0 : -std::ldexp(1.0, type.getWidth() - 1);
  double end = std::ldexp(1.0, type.getWidth() - (isUnsigned ? 0 : 1)); // the first value above the range
  if (x <= low)
    return static_cast<int64_t>(low);
  if (x >= end)
    return type.getWidth() == 64 ? std::numeric_limits<int64_t>::max() : static_cast<int64_t>(end) - 1;
  return static_cast<int64_t>(x);
}

Element convert(Element x, Type from, Type to) {
  bool fromFloat = isa<FloatType>(from);
  if (isa<FloatType>(to))
    return {fromFloat ? x.real : static_cast<double>(x.integer), 0};
  if (to.isInteger(1))
    return {0, fromFloat ? x.real != 0 : x.integer != 0};
  return {0, fromFloat ? saturate(x.real, cast<IntegerType>(to)) : wrap(x.integer, to)};
}

/// Wrapping arithmetic goes through uint64_t, where overflow is defined.
uint64_t bits(int64_t x) {
  return static_cast<uint64_t>(x);
}

} // namespace

bool evaluateElementwise(Operation *op, Operands operands, Tensor &result) {
  auto unary = [&](auto real, auto integer) {
    for (int64_t i = 0; i < result.size(); ++i) {
      if (result.isFloat())
        result.elements[i].real = real(operands[0]->real(i));
      else
        result.elements[i].integer = wrap(integer(operands[0]->integer(i)), result.elementType);
    }
    return true;
  };
  auto realUnary = [&](auto real) { return unary(real, [](int64_t x) { return x; }); };
  auto binary = [&](auto real, auto integer) {
    for (int64_t i = 0; i < result.size(); ++i) {
      if (result.isFloat())
        result.elements[i].real = real(operands[0]->real(i), operands[1]->real(i));
      else
        result.elements[i].integer =
            wrap(integer(operands[0]->integer(i), operands[1]->integer(i)), result.elementType);
    }
    return true;
  };
  auto boolBinary = [&](auto integer) { return binary([](double a, double) { return a; }, integer); };

  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](dl::NegOp) { return unary([](double x) { return -x; }, [](int64_t x) { return -bits(x); }); })
      .Case([&](dl::AbsOp) {
        return unary([](double x) { return std::fabs(x); },
                     [](int64_t x) { return x < 0 ? -bits(x) : bits(x); });
      })
      .Case([&](dl::ExpOp) { return realUnary([](double x) { return std::exp(x); }); })
      .Case([&](dl::LogOp) { return realUnary([](double x) { return std::log(x); }); })
      .Case([&](dl::SqrtOp) { return realUnary([](double x) { return std::sqrt(x); }); })
      .Case([&](dl::TanhOp) { return realUnary([](double x) { return std::tanh(x); }); })
      .Case([&](dl::SinOp) { return realUnary([](double x) { return std::sin(x); }); })
      .Case([&](dl::CosOp) { return realUnary([](double x) { return std::cos(x); }); })
      .Case([&](dl::ErfOp) { return realUnary([](double x) { return std::erf(x); }); })
      .Case([&](dl::FloorOp) { return realUnary([](double x) { return std::floor(x); }); })
      .Case([&](dl::FlushOp) {
        return realUnary([](double x) { return std::fabs(x) < numerics::kFlushThreshold ? 0.0 : x; });
      })
      .Case([&](dl::NotOp) { return unary([](double x) { return x; }, [](int64_t x) { return !x; }); })
      .Case(
          [&](dl::StopGradientOp) { return unary([](double x) { return x; }, [](int64_t x) { return x; }); })
      .Case([&](dl::AddOp) {
        return binary([](double a, double b) { return a + b; },
                      [](int64_t a, int64_t b) { return bits(a) + bits(b); });
      })
      .Case([&](dl::SubOp) {
        return binary([](double a, double b) { return a - b; },
                      [](int64_t a, int64_t b) { return bits(a) - bits(b); });
      })
      .Case([&](dl::MulOp) {
        return binary([](double a, double b) { return a * b; },
                      [](int64_t a, int64_t b) { return bits(a) * bits(b); });
      })
      .Case([&](dl::DivOp) { return binary([](double a, double b) { return a / b; }, floorDivide); })
      .Case([&](dl::RemOp) {
        return binary([](double a, double b) { return a - b * std::floor(a / b); },
                      [](int64_t a, int64_t b) { return bits(a) - bits(b) * bits(floorDivide(a, b)); });
      })
      .Case([&](dl::PowOp) {
        return binary([](double a, double b) { return std::pow(a, b); },
                      [](int64_t a, int64_t) { return a; });
      })
      .Case([&](dl::MaxOp) { return binary(maximum, [](int64_t a, int64_t b) { return std::max(a, b); }); })
      .Case([&](dl::MinOp) { return binary(minimum, [](int64_t a, int64_t b) { return std::min(a, b); }); })
      .Case([&](dl::AndOp) { return boolBinary([](int64_t a, int64_t b) { return a & b; }); })
      .Case([&](dl::OrOp) { return boolBinary([](int64_t a, int64_t b) { return a | b; }); })
      .Case([&](dl::CompareOp compareOp) {
        dl::Predicate predicate = compareOp.getPredicate();
        const Tensor &a = *operands[0], &b = *operands[1];
        for (int64_t i = 0; i < result.size(); ++i)
          result.elements[i].integer = a.isFloat() ? compare(predicate, a.real(i), b.real(i))
                                                   : compare(predicate, a.integer(i), b.integer(i));
        return true;
      })
      .Case([&](dl::SelectOp) {
        for (int64_t i = 0; i < result.size(); ++i)
          result.elements[i] = operands[operands[0]->integer(i) ? 1 : 2]->elements[i];
        return true;
      })
      .Case([&](dl::CastOp) {
        for (int64_t i = 0; i < result.size(); ++i)
          result.elements[i] =
              convert(operands[0]->elements[i], operands[0]->elementType, result.elementType);
        return true;
      })
      .Default(false);
}

} // namespace dlc::reference
