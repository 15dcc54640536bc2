// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sine and cosine: the angle is reduced to a quarter turn, exactly however large it is, then a polynomial.

#include "compiler/Codegen/FloatParts.h"
#include "compiler/Codegen/MathFunctions.h"
#include "compiler/Codegen/SharedFunction.h"
#include "llvm/Support/raw_ostream.h"

namespace dlc::codegen {

namespace {

/// An angle as n quarter turns and a rest |r + low| <= π/4, |low| much smaller than r.
struct QuarterTurns {
  Value n, r, low;
};

/// For doubles, |x| < 2^30: x - n π/2 with π/2 in two parts.
QuarterTurns reduceByParts(ValueBuilder &v, Value x) {
  auto [whole, n] = roundToInteger(v, v.mulf(x, v.constant(x, 0.6366197723675814)));
  // The second part of π/2 meets the rounding error of the subtraction.
  Value high = v.fma(v.negf(whole), v.constant(x, 1.5707963267948966), x);
  Value product = v.mulf(whole, v.constant(x, 6.123233995736766e-17));
  Value r = v.subf(high, product);
  return {n, r, v.subf(v.subf(high, r), product)};
}

/// For doubles x >= 0 that are f32 numbers, all of them: x · 2/π with 2/π in pieces of 24 bits, so that each
/// product is exact; whole turns are dropped piece by piece (Payne, Hanek: Radian reduction for trigonometric
/// functions; SIGNUM 1983).
QuarterTurns reduceExactly(ValueBuilder &v, Value x) {
  static const double pieces[] = {0xA2F983p-24,  0x6E4E44p-48,  0x1529FCp-72,  0x2757D1p-96,
                                  0xF534DDp-120, 0xC0DB62p-144, 0x95993Cp-168, 0x439041p-192};
  Value sum, low;
  for (double piece : pieces) {
    Value product = v.mulf(x, v.constant(x, piece));
    Value turns = v.floor(v.mulf(product, v.constant(x, 0.25)));
    Value term = v.fma(turns, v.constant(x, -4), product);
    if (!sum) {
      sum = term;
      low = v.constant(x, 0);
      continue;
    }
    // The sum with its rounding error.
    Value next = v.addf(sum, term), part = v.subf(next, sum);
    Value error = v.addf(v.subf(sum, v.subf(next, part)), v.subf(term, part));
    sum = next;
    low = v.addf(low, error);
  }
  auto [whole, n] = roundToInteger(v, sum);
  Value fraction = v.subf(sum, whole), high = v.addf(fraction, low);
  Value rest = v.subf(low, v.subf(high, fraction));
  // Quarter turns to radians.
  Value half = v.constant(x, 1.5707963267948966);
  Value r = v.mulf(high, half);
  Value error = v.fma(high, half, v.negf(r));
  return {n, r, v.fma(rest, half, v.fma(high, v.constant(x, 6.123233995736766e-17), error))};
}

/// The same for doubles x >= 2^30: pieces of 53 bits, each product with its rounding error. Up to 62 bits
/// behind the point may cancel, so the sum is kept in three parts. A loop: unrolled it would be 600
/// operations.
QuarterTurns reduceExactlyWide(ValueBuilder &v, Value x) {
  // 2/π · 2^600, for the last pieces to be normal numbers; x is scaled back.
  static const double pieces[] = {
      0x145F306DC9C882p547,  0x14A7F09D5F47D4p494,  0x1A6EE06DB14ACCp441,  0x13C439041FE516p388,
      0x757BD778AC36Ep335,   0x91B8E909374B8p282,   0x324977504E8Cp229,    0x121CFE1DEB1CB1p176,
      0x534E7DD1046BEp123,   0x14BAED1213A671p70,   0x18135A2FBF209Cp17,   0x191D639835339Fp-36,
      0x93908BF177BF2p-89,   0xA0EC7FE25FFF7p-142,  0x102CC07F79788Cp-195, 0xB5A0A6D1F6D36p-248,
      0xFD9E4F96136E9p-301,  0x1D18FD9A797FA8p-354, 0x16BA93DD63F5F2p-407, 0x1F17B3D0739F78p-460,
      0x14A525D4D7F6BFp-513, 0xC47E357421580p-566,  0x198237E3DB5D5Fp-619};
  constexpr int64_t count = std::size(pieces);
  ElementEmitter &emitter = v.emitter;
  Value scaled = v.mulf(x, v.constant(x, 0x1p-600)), zero = v.constant(x, 0);
  // a + b and its rounding error.
  auto twoSum = [&](Value a, Value b) {
    Value sum = v.addf(a, b), part = v.subf(sum, a);
    return std::pair(sum, v.addf(v.subf(a, v.subf(sum, part)), v.subf(b, part)));
  };
  SmallVector<Value> sums = emitter.forLoop(
      emitter.constant(0), emitter.constant(count), 1, {zero, zero, zero}, [&](Value i, ValueRange sums) {
        Value piece = v.emitter.constantOf(v.f64(), pieces[0]);
        for (int64_t k = 1; k < count; ++k) {
          Value number = emitter.constant(k);
          Value isThis = emitter.create<arith::CmpIOp>({i, number}, arith::CmpIPredicate::eq, i, number);
          piece = v.select(isThis, v.emitter.constantOf(v.f64(), pieces[k]), piece);
        }
        Value product = v.mulf(scaled, piece), error = v.fma(scaled, piece, v.negf(product));
        SmallVector<Value> next(sums);
        for (Value term : {product, error}) {
          Value turns = v.floor(v.fma(term, v.constant(x, 0.25), v.constant(x, 0.5)));
          Value rest = v.fma(turns, v.constant(x, -4), term);
          std::tie(next[0], rest) = twoSum(next[0], rest);
          std::tie(next[1], rest) = twoSum(next[1], rest);
          next[2] = v.addf(next[2], rest);
        }
        return next;
      });
  auto [whole, n] = roundToInteger(v, sums[0]);
  auto [high, rest] = twoSum(v.subf(sums[0], whole), sums[1]);
  rest = v.addf(rest, sums[2]);
  // Quarter turns to radians.
  Value half = v.constant(x, 1.5707963267948966);
  Value r = v.mulf(high, half);
  Value error = v.fma(high, half, v.negf(r));
  return {n, r, v.fma(rest, half, v.fma(high, v.constant(x, 6.123233995736766e-17), error))};
}

/// For all doubles; the long way is taken only where an argument is large.
QuarterTurns reduceDouble(ValueBuilder &v, Value x) {
  ElementEmitter &emitter = v.emitter;
  QuarterTurns near = reduceByParts(v, x);
  Value magnitude = v.absf(x);
  Value isLarge = v.cmpf(FloatPredicate::OGE, magnitude, v.constant(x, 0x1p30));
  SmallVector<Value> angle{near.n, near.r, near.low};
  angle = emitter.ifElse(
      isa<VectorType>(isLarge.getType()) ? emitter.anyLane(isLarge) : isLarge,
      [&] {
        QuarterTurns far = reduceExactlyWide(v, magnitude);
        Value isNegative = v.cmpf(FloatPredicate::OLT, x, v.constant(x, 0));
        Value n = v.select(isNegative, v.subi(v.constant(far.n, 0), far.n), far.n);
        Value r = v.select(isNegative, v.negf(far.r), far.r);
        Value low = v.select(isNegative, v.negf(far.low), far.low);
        return SmallVector<Value>{v.select(isLarge, n, near.n), v.select(isLarge, r, near.r),
                                  v.select(isLarge, low, near.low)};
      },
      [&] { return angle; });
  return {angle[0], angle[1], angle[2]};
}

/// sin (quarter 0) or cos (quarter 1) of n quarter turns and r + low.
Value emitSinusoid(ValueBuilder &v, const QuarterTurns &angle, int64_t quarter) {
  Value r = angle.r, low = angle.low, z = v.mulf(r, r);
  static const double sinP[] = {-1.6666666666666664599e-1, 8.3333333333309245621e-3,
                                -1.9841269836722417756e-4, 2.755731608381635861e-6,
                                -2.5051127944014187575e-8, 1.5917848524808261007e-10};
  static const double cosP[] = {4.1666666666666665373e-2, -1.3888888888887382271e-3,
                                2.4801587298743069286e-5, -2.7557317260008838164e-7,
                                2.0876143827993132496e-9, -1.1382456778061305849e-11};
  // sin(r + low) = r + (r³ S + low (1 - z/2)), cos(r + low) = 1 - z/2 + (z² C - r low).
  Value one = v.constant(r, 1), half = v.constant(r, 0.5);
  Value sine =
      v.addf(r, v.fma(v.mulf(z, r), v.polynomial(z, sinP), v.mulf(low, v.fma(v.negf(half), z, one))));
  Value hz = v.mulf(half, z), w = v.subf(one, hz);
  Value rest = v.subf(v.subf(one, w), hz);
  Value cosine = v.addf(w, v.addf(rest, v.fma(v.mulf(z, z), v.polynomial(z, cosP), v.negf(v.mulf(r, low)))));
  Value turn = v.addi(angle.n, v.constant(angle.n, static_cast<double>(quarter)));
  Value zero = v.constant(turn, 0);
  Value isOdd = v.cmpi(arith::CmpIPredicate::ne, v.andi(turn, v.constant(turn, 1)), zero);
  Value isNegative = v.cmpi(arith::CmpIPredicate::ne, v.andi(turn, v.constant(turn, 2)), zero);
  Value result = v.select(isOdd, cosine, sine);
  return v.select(isNegative, v.negf(result), result);
}

Value sine(ValueBuilder &v, Value x) {
  Type scalar = ValueBuilder::scalarOf(x.getType());
  Value result;
  if (scalar.isF64()) {
    result = emitSinusoid(v, reduceDouble(v, x), 0);
  } else {
    // sin(-x) = -sin x.
    Value magnitude = emitSinusoid(v, reduceExactly(v, v.absf(v.extf(x, v.f64()))), 0);
    result = v.truncf(magnitude, scalar);
    result = v.select(v.cmpf(FloatPredicate::OLT, x, v.constant(x, 0)), v.negf(result), result);
  }
  // Zeros keep their sign.
  return v.select(v.cmpf(FloatPredicate::OEQ, x, v.constant(x, 0)), x, result);
}

Value cosine(ValueBuilder &v, Value x) {
  Type scalar = ValueBuilder::scalarOf(x.getType());
  if (scalar.isF64())
    return emitSinusoid(v, reduceDouble(v, x), 1);
  return v.truncf(emitSinusoid(v, reduceExactly(v, v.absf(v.extf(x, v.f64()))), 1), scalar);
}

/// Two hundred operations, which kernels that draw normal numbers would have four times each: vectors go to
/// one function of the module. Scalars, a GPU's among them, are computed in place.
Value emitShared(ValueBuilder &v, Value x, StringRef name, Value (*body)(ValueBuilder &, Value)) {
  auto type = dyn_cast<VectorType>(x.getType());
  if (!type)
    return body(v, x);
  ImplicitLocOpBuilder &builder = v.emitter.getBuilder();
  OpBuilder::InsertionGuard guard(builder);
  v.emitter.placeFor(x);
  std::string symbol;
  llvm::raw_string_ostream(symbol) << name << "_" << type.getElementType() << "_x" << type.getNumElements();
  return callShared(
      builder, builder.getLoc(), symbol, x, type, [&](OpBuilder &inside, ValueRange parameters) {
        ImplicitLocOpBuilder inner(builder.getLoc(), inside);
        ElementEmitter emitter(inner, type.getNumElements(), /*hasMaskRegisters=*/false, /*symbols=*/{});
        ValueBuilder values(emitter);
        return SmallVector<Value>{body(values, parameters[0])};
      })[0];
}

} // namespace

Value emitSin(ValueBuilder &v, Value x) {
  return emitShared(v, x, "sin", sine);
}
Value emitCos(ValueBuilder &v, Value x) {
  return emitShared(v, x, "cos", cosine);
}

} // namespace dlc::codegen
