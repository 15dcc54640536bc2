// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The polynomials are Chebyshev fits computed in 40 digits over the reduced ranges; fma in Horner's form
// keeps their rounding error below half a unit. Test: test/Codegen/MathFunctionsTest.cpp measures the worst
// error.

#include "compiler/Codegen/MathFunctions.h"

#include <limits>

namespace dlc::codegen {

using FloatPredicate = arith::CmpFPredicate;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// The format of a floating-point type.
struct Format {
  unsigned fractionBits;
  int64_t bias;
  Type integer;

  static Format of(ValueBuilder &v, Value x) {
    if (ValueBuilder::scalarOf(x.getType()).isF64())
      return {52, 1023, v.i64()};
    return {23, 127, v.i32()};
  }
};

bool isDouble(Value x) {
  return ValueBuilder::scalarOf(x.getType()).isF64();
}

/// 2^n for an integer n in the range of normal numbers.
Value powerOfTwo(ValueBuilder &v, Value n, const Format &format, Type scalar) {
  Value biased = v.addi(n, v.constant(n, static_cast<double>(format.bias)));
  return v.bitcast(v.shli(biased, format.fractionBits), scalar);
}

/// x rounded to the nearest integer, as a float and as an integer, by adding 1.5 · 2^fractionBits: no
/// conversion that a NaN would make undefined. |x| < 2^(fractionBits - 1).
std::pair<Value, Value> roundToInteger(ValueBuilder &v, Value x) {
  Format format = Format::of(v, x);
  Value magic = v.constant(x, std::ldexp(1.5, static_cast<int>(format.fractionBits)));
  Value shifted = v.addf(x, magic);
  Value integer = v.subi(v.bitcast(shifted, format.integer), v.bitcast(magic, format.integer));
  return {v.subf(shifted, magic), integer};
}

/// sign of `from`, magnitude of `magnitude` (which is not negative).
Value copySign(ValueBuilder &v, Value magnitude, Value from) {
  Format format = Format::of(v, from);
  Value bits = v.bitcast(from, format.integer);
  Value sign =
      v.shli(v.shrui(bits, format.fractionBits == 52 ? 63 : 31), format.fractionBits == 52 ? 63 : 31);
  return v.bitcast(v.ori(v.bitcast(magnitude, format.integer), sign), ValueBuilder::scalarOf(from.getType()));
}

/// e^(x + low), |low| much smaller than x: x = n ln 2 + r, e^r = 1 + r + r² P(r), scaled by 2^n in two steps
/// so that subnormal results round once and overflow comes by itself.
Value emitExpOfSum(ValueBuilder &v, Value x, Value low) {
  Format format = Format::of(v, x);
  bool wide = isDouble(x);
  // Beyond these bounds the result is infinity or 0 whatever x is; a NaN stays.
  double upper = wide ? 710 : 89, lower = wide ? -746 : -104.5;
  x = v.select(v.cmpf(FloatPredicate::OGT, x, v.constant(x, upper)), v.constant(x, upper), x);
  x = v.select(v.cmpf(FloatPredicate::OLT, x, v.constant(x, lower)), v.constant(x, lower), x);
  auto [whole, n] = roundToInteger(v, v.mulf(x, v.constant(x, 1.4426950408889634)));
  Value r = v.fma(whole, v.constant(x, wide ? -0.6931471805599453 : -0.6931471824645996), x);
  r = v.fma(whole, v.constant(x, wide ? -2.3190468138462996e-17 : 1.9046542121259336e-9), r);
  if (low)
    r = v.addf(r, low);
  static const double narrowP[] = {5.0e-1, 1.6666576989698775683e-1, 4.1666554617204574203e-2,
                                   8.3631790527225773704e-3, 1.3926183587713494542e-3};
  static const double wideP[] = {5.0e-1,
                                 1.6666666666666670991e-1,
                                 4.1666666666666669755e-2,
                                 8.3333333333261351258e-3,
                                 1.3888888888883748305e-3,
                                 1.9841269874820625271e-4,
                                 2.4801587325547741216e-5,
                                 2.755725540020642443e-6,
                                 2.7557273643110295328e-7,
                                 2.5105217004720745164e-8,
                                 2.0914686968086877233e-9};
  Value p = v.polynomial(r, wide ? ArrayRef<double>(wideP) : ArrayRef<double>(narrowP));
  Value y = v.addf(v.fma(v.mulf(r, r), p, r), v.constant(x, 1));
  Value half = v.shrsi(n, 1);
  Type scalar = ValueBuilder::scalarOf(x.getType());
  y = v.mulf(y, powerOfTwo(v, half, format, scalar));
  return v.mulf(y, powerOfTwo(v, v.subi(n, half), format, scalar));
}

/// x = 2^exponent · mantissa with the mantissa in [√½, √2), for positive finite x.
struct Decomposed {
  Value mantissa, exponent;
};
Decomposed decompose(ValueBuilder &v, Value x) {
  Format format = Format::of(v, x);
  bool wide = isDouble(x);
  // Subnormal numbers are scaled up first.
  Value smallest = v.constant(x, wide ? 0x1p-1022 : 0x1p-126);
  Value isSmall = v.cmpf(FloatPredicate::OLT, x, smallest);
  x = v.select(isSmall, v.mulf(x, v.constant(x, wide ? 0x1p54 : 0x1p25)), x);
  Value bits = v.bitcast(x, format.integer);
  // Subtracting √½'s bits makes the exponent field step where the mantissa passes √2.
  int64_t root = wide ? 0x3FE6A09E667F3BCD : 0x3F3504F3;
  Value rootBits = v.emitter.constantOf(cast<TypedAttr>(IntegerAttr::get(format.integer, root)));
  Value n = v.shrsi(v.subi(bits, rootBits), format.fractionBits);
  Value mantissa =
      v.bitcast(v.subi(bits, v.shli(n, format.fractionBits)), ValueBuilder::scalarOf(x.getType()));
  Value shift = v.select(isSmall, v.constant(n, wide ? -54 : -25), v.constant(n, 0));
  // |exponent| < 2^11: exact, and cheaper than a 64-bit conversion.
  Value exponent = v.sitofp(v.trunci(v.addi(n, shift), v.i32()), ValueBuilder::scalarOf(x.getType()));
  return {mantissa, exponent};
}

Value logSpecialCases(ValueBuilder &v, Value x, Value result) {
  result = v.select(v.cmpf(FloatPredicate::OEQ, x, v.constant(x, kInfinity)), x, result);
  result = v.select(v.cmpf(FloatPredicate::OEQ, x, v.constant(x, 0)), v.constant(x, -kInfinity), result);
  // Below zero and NaN.
  return v.select(v.cmpf(FloatPredicate::ULT, x, v.constant(x, 0)), v.constant(x, kNaN), result);
}

const double kLogQ[] = {6.6666666666666697077e-1, 3.9999999999898890514e-1, 2.8571428626253837606e-1,
                        2.2222211089379496214e-1, 1.8182892432536871201e-1, 1.5331611722055007885e-1,
                        1.4617807153417324964e-1};

/// log x as an unevaluated sum of two doubles, x positive and finite; relative error below 2^-60.
std::pair<Value, Value> emitLogPair(ValueBuilder &v, Value x) {
  auto [m, e] = decompose(v, x);
  Value one = v.constant(x, 1), two = v.constant(x, 2);
  // s = f / (2 + f) with the division's and the sum's rest.
  Value f = v.subf(m, one), d = v.addf(f, two);
  Value dLow = v.subf(f, v.subf(d, two));
  Value s = v.divf(f, d);
  Value rest = v.fma(v.negf(s), d, f);
  rest = v.fma(v.negf(s), dLow, rest);
  Value sLow = v.divf(rest, d);
  // log m = 2s + s³ Q(s²).
  Value z = v.mulf(s, s);
  Value tail = v.fma(v.mulf(z, s), v.polynomial(z, kLogQ), v.mulf(two, sLow));
  Value high = v.mulf(two, s);
  // e · ln 2: the leading part has 32 bits, so its product with e is exact.
  Value eHigh = v.mulf(e, v.constant(x, 0x1.62e42feep-1));
  Value eLow = v.mulf(e, v.constant(x, 0x1.a39ef35793c76p-33));
  // Whichever is larger goes first: the exponent's part, unless it is 0.
  Value sum = v.addf(eHigh, high);
  Value back = v.subf(sum, eHigh);
  Value error = v.addf(v.subf(eHigh, v.subf(sum, back)), v.subf(high, back));
  Value low = v.addf(v.addf(error, eLow), tail);
  Value top = v.addf(sum, low);
  return {top, v.addf(v.subf(sum, top), low)};
}

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

/// a^n for whole n, |n| <= 2^31, by repeated squaring.
Value emitWholePower(ValueBuilder &v, Value a, Value n) {
  ElementEmitter &emitter = v.emitter;
  v.unify(a, n);
  Value one = v.constant(a, 1);
  Value magnitude = v.absf(n);
  SmallVector<Value> state{one, a, magnitude};
  // 1. While bits are left: multiply where the bit is set, square. (a² is not formed after the last bit, but
  // nothing would read it.)
  state =
      emitter.forLoop(emitter.constant(0), emitter.constant(32), 1, state, [&](Value, ValueRange carried) {
        Value result = carried[0], power = carried[1], rest = carried[2];
        Value half = v.floor(v.mulf(rest, v.constant(rest, 0.5)));
        Value bit = v.cmpf(FloatPredicate::UNE, v.addf(half, half), rest);
        return SmallVector<Value>{v.select(bit, v.mulf(result, power), result), v.mulf(power, power), half};
      });
  // 2. A negative exponent is the reciprocal.
  return v.select(v.cmpf(FloatPredicate::OLT, n, v.constant(n, 0)), v.divf(one, state[0]), state[0]);
}

/// The constant that all lanes hold, if the code shows it.
std::optional<double> knownConstant(Value x) {
  if (auto broadcast = x.getDefiningOp();
      broadcast && broadcast->getName().getStringRef() == "vector.broadcast")
    x = broadcast->getOperand(0);
  if (auto constant = x.getDefiningOp<arith::ConstantOp>()) {
    if (auto number = dyn_cast<FloatAttr>(constant.getValue()))
      return number.getValueAsDouble();
    if (auto splat = dyn_cast<SplatElementsAttr>(constant.getValue()))
      return splat.getSplatValue<APFloat>().convertToDouble();
  }
  return std::nullopt;
}

} // namespace

Value emitExp(ValueBuilder &v, Value x) {
  return emitExpOfSum(v, x, {});
}

Value emitLog(ValueBuilder &v, Value x) {
  auto [m, e] = decompose(v, x);
  Value f = v.subf(m, v.constant(x, 1));
  Value result;
  if (isDouble(x)) {
    // log(1 + f) = f - (f²/2 - s (f²/2 + s² Q(s²))), s = f / (2 + f).
    Value s = v.divf(f, v.addf(f, v.constant(x, 2))), z = v.mulf(s, s);
    Value half = v.mulf(v.mulf(f, f), v.constant(x, 0.5));
    Value r = v.mulf(z, v.polynomial(z, kLogQ));
    Value eLow = v.mulf(e, v.constant(x, 0x1.a39ef35793c76p-33));
    Value inner = v.subf(half, v.addf(v.mulf(s, v.addf(half, r)), eLow));
    result = v.addf(v.mulf(e, v.constant(x, 0x1.62e42feep-1)), v.subf(f, inner));
  } else {
    // log(1 + f) = f - f²/2 + f³ P(f); ln 2 in two parts, the first with 15 bits.
    static const double p[] = {
        3.3333331180030048052e-1,  -2.4999996957950882045e-1, 2.0000715748892101743e-1,
        -1.6667802319501254074e-1, 1.4249057645697480404e-1,  -1.2425687331451106113e-1,
        1.1685419923486739308e-1,  -1.1479733846637635556e-1, 6.9716114714511778317e-2};
    Value square = v.mulf(f, f);
    Value tail = v.mulf(v.mulf(f, square), v.polynomial(f, p));
    tail = v.fma(e, v.constant(x, 1.42860682030941723212e-6), tail);
    tail = v.fma(square, v.constant(x, -0.5), tail);
    result = v.fma(e, v.constant(x, 0.693145751953125), v.addf(f, tail));
  }
  return logSpecialCases(v, x, result);
}

Value emitTanh(ValueBuilder &v, Value x) {
  bool wide = isDouble(x);
  Value magnitude = v.absf(x), one = v.constant(x, 1), two = v.constant(x, 2);
  // 1. Near zero: x + x³ P(x²).
  static const double narrowP[] = {-3.3333328433318589256e-1, 1.3332718845589666647e-1,
                                   -5.3843263175278767977e-2, 2.0961329108563816505e-2,
                                   -6.0451650965224005985e-3};
  static const double wideP[] = {
      -3.3333333333333332558e-1, 1.3333333333332712905e-1,  -5.3968253967431738911e-2,
      2.1869488493563038118e-2,  -8.8632343954180955945e-3, 3.592110347096176598e-3,
      -1.4556615775702363613e-3, 5.8893480724470277213e-4,  -2.3463104528300405602e-4,
      8.5107079273541127234e-5,  -2.0598556673275166703e-5};
  Value z = v.mulf(x, x);
  Value p = v.polynomial(z, wide ? ArrayRef<double>(wideP) : ArrayRef<double>(narrowP));
  Value near = v.fma(v.mulf(z, magnitude), p, magnitude);
  // 2. Elsewhere: 1 - 2 / (e^(2x) + 1).
  Value e = emitExp(v, v.addf(magnitude, magnitude));
  Value far = v.subf(one, v.divf(two, v.addf(e, one)));
  Value isNear = v.cmpf(FloatPredicate::OLT, magnitude, v.constant(x, wide ? 0.55 : 0.625));
  return copySign(v, v.select(isNear, near, far), x);
}

Value emitErf(ValueBuilder &v, Value x) {
  Value t = v.absf(x), z = v.mulf(x, x), one = v.constant(x, 1);
  if (!isDouble(x)) {
    // Near zero x + x P(x²); elsewhere 1 - e^(-t - t R(t)).
    static const double p[] = {1.28379166e-1,  -3.76125336e-1, 1.12819925e-1,
                               -2.67681349e-2, 4.99119423e-3,  -5.96761703e-4};
    static const double r[] = {-1.28717512e-1, -6.34846687e-1, -1.06777877e-1, 2.42546219e-2,
                               -3.88396438e-3, 3.83197126e-4,  -1.72853470e-5};
    Value near = v.fma(v.polynomial(z, p), t, t);
    // Beyond 4 the result is 1, and the polynomial may turn.
    Value bounded = v.select(v.cmpf(FloatPredicate::OGT, t, v.constant(x, 4)), v.constant(x, 4), t);
    Value far = v.subf(one, emitExp(v, v.fma(v.polynomial(bounded, r), bounded, v.negf(bounded))));
    Value isFar = v.cmpf(FloatPredicate::OGT, t, v.constant(x, 0.921875));
    return copySign(v, v.select(isFar, far, near), x);
  }
  // Near zero x + x P(x²); elsewhere 1 - e^(-x²) G(x) with G = e^(x²) erfc(x) around two centres.
  static const double p[] = {1.2837916709551257389e-1,  -3.7612638903183752379e-1, 1.1283791670955120236e-1,
                             -2.6866170645129840806e-2, 5.2239776254232983087e-3,  -8.5483270219348295955e-4,
                             1.205533290288873541e-4,   -1.4925647567519332125e-5, 1.6462045441468418937e-6,
                             -1.6364642158167615302e-7, 1.4792401209404813002e-8,  -1.2164560057283450081e-9,
                             8.7090451290531066896e-11, -4.2309458242953378173e-12};
  static const double middle[] = {
      2.84972234737436389e-1, -1.30976345514485241e-1, 5.57636300870872758e-2, -2.2259995241385179e-2,
      8.40431920732810269e-3, -3.02097465152352855e-3, 1.03920452246823894e-3, -3.43533352074033561e-4,
      1.0950528813741835e-4,  -3.37553659780842211e-5, 1.00866858921309176e-5, -2.92788979226253678e-6,
      8.27120525132779612e-7, -2.2789363581221838e-7,  6.12520707608440018e-8, -1.5873415383260978e-8,
      4.08461841811557535e-9, -1.22249370579755689e-9, 3.0001026025762733e-10};
  static const double outer[] = {
      1.293452747859879108e-1,    -2.8944331414318931001e-2,  6.3318662738225518292e-3,
      -1.355933171741322224e-3,   2.8457515762554052585e-4,   -5.8595479107757065816e-5,
      1.1848090069621630787e-5,   -2.3546436254050940643e-6,  4.6026751860933820564e-7,
      -8.850813972376636381e-8,   1.6773006171480238927e-8,   -3.161762228793261857e-9,
      5.8178782501960844651e-10,  -9.5316254188513598691e-11, 1.7180492822571879412e-11,
      -4.9783105180910427881e-12, 8.6232976206110771803e-13};
  Value near = v.fma(v.polynomial(z, p), t, t);
  Value bounded = v.select(v.cmpf(FloatPredicate::OGT, t, v.constant(x, 6)), v.constant(x, 6), t);
  Value isMiddle = v.cmpf(FloatPredicate::OLT, bounded, v.constant(x, 2.5));
  Value g = v.select(isMiddle, v.polynomial(v.subf(bounded, v.constant(x, 1.75)), middle),
                     v.polynomial(v.subf(bounded, v.constant(x, 4.25)), outer));
  Value square = v.mulf(bounded, bounded);
  Value squareLow = v.fma(bounded, bounded, v.negf(square));
  Value far = v.fma(v.negf(emitExpOfSum(v, v.negf(square), v.negf(squareLow))), g, one);
  Value isFar = v.cmpf(FloatPredicate::OGT, t, one);
  return copySign(v, v.select(isFar, far, near), x);
}

Value emitSin(ValueBuilder &v, Value x) {
  Type scalar = ValueBuilder::scalarOf(x.getType());
  Value result;
  if (scalar.isF64()) {
    result = emitSinusoid(v, reduceByParts(v, x), 0);
  } else {
    // sin(-x) = -sin x.
    Value magnitude = emitSinusoid(v, reduceExactly(v, v.absf(v.extf(x, v.f64()))), 0);
    result = v.truncf(magnitude, scalar);
    result = v.select(v.cmpf(FloatPredicate::OLT, x, v.constant(x, 0)), v.negf(result), result);
  }
  // Zeros keep their sign.
  return v.select(v.cmpf(FloatPredicate::OEQ, x, v.constant(x, 0)), x, result);
}

Value emitCos(ValueBuilder &v, Value x) {
  Type scalar = ValueBuilder::scalarOf(x.getType());
  if (scalar.isF64())
    return emitSinusoid(v, reduceByParts(v, x), 1);
  return v.truncf(emitSinusoid(v, reduceExactly(v, v.absf(v.extf(x, v.f64()))), 1), scalar);
}

Value emitPow(ValueBuilder &v, Value a, Value b) {
  constexpr double kLargest = 2147483648.0;
  Type scalar = ValueBuilder::scalarOf(a.getType());
  std::optional<double> exponent = knownConstant(b);
  if (exponent && std::floor(*exponent) == *exponent && std::fabs(*exponent) <= 64) {
    auto n = static_cast<unsigned>(std::fabs(*exponent));
    Value result, power = a;
    for (; n > 0; n /= 2) {
      if (n % 2 == 1)
        result = result ? v.mulf(result, power) : power;
      if (n > 1)
        power = v.mulf(power, power);
    }
    if (!result)
      return v.constant(a, 1);
    return *exponent < 0 ? v.divf(v.constant(a, 1), result) : result;
  }
  v.unify(a, b);
  // 1. Whole exponents.
  Value whole = emitWholePower(
      v, a, v.select(v.cmpf(FloatPredicate::ULE, v.absf(b), v.constant(b, kLargest)), b, v.constant(b, 0)));
  Value isWhole = v.andi(v.cmpf(FloatPredicate::OEQ, v.floor(b), b),
                         v.cmpf(FloatPredicate::OLE, v.absf(b), v.constant(b, kLargest)));
  // 2. Others: e^(b log a) for positive finite a; the product's rounding error goes into the exponential.
  Value x = a, y = b;
  if (!scalar.isF64()) {
    x = v.extf(x, v.f64());
    y = v.extf(y, v.f64());
  }
  auto [high, low] = emitLogPair(v, x);
  Value product = v.mulf(y, high);
  Value productLow = v.fma(y, low, v.fma(y, high, v.negf(product)));
  Value general = emitExpOfSum(v, product, productLow);
  // A product beyond the exponential's range makes the low part meaningless (infinity less infinity).
  Value isLarge = v.cmpf(FloatPredicate::OGT, v.absf(product), v.constant(product, 746));
  general = v.select(isLarge, emitExp(v, product), general);
  // 3. The edges: a = 0 or infinity, a < 0 (no real power unless b is whole or infinite), NaN.
  Value zero = v.constant(x, 0), one = v.constant(x, 1), infinity = v.constant(x, kInfinity);
  Value positive = v.cmpf(FloatPredicate::OGT, y, zero);
  general = v.select(v.cmpf(FloatPredicate::OEQ, x, zero), v.select(positive, zero, infinity), general);
  general =
      v.select(v.cmpf(FloatPredicate::OEQ, v.absf(x), infinity), v.select(positive, infinity, zero), general);
  Value huge = v.cmpf(FloatPredicate::OGT, v.absf(y), v.constant(y, kLargest));
  Value invalid = v.andi(v.cmpf(FloatPredicate::OLT, x, zero), v.notb(huge));
  general = v.select(invalid, v.constant(x, kNaN), general);
  // A huge exponent is even or infinite: the base's magnitude alone decides.
  Value magnitude = v.absf(x);
  Value grows = v.xori(v.cmpf(FloatPredicate::OGT, magnitude, one), v.cmpf(FloatPredicate::OLT, y, zero));
  Value limit = v.select(v.cmpf(FloatPredicate::OEQ, magnitude, one), one, v.select(grows, infinity, zero));
  Value decided = v.andi(
      huge, v.ori(v.cmpf(FloatPredicate::OLE, x, zero), v.cmpf(FloatPredicate::OEQ, v.absf(y), infinity)));
  general = v.select(decided, limit, general);
  general = v.select(v.ori(v.isNaN(x), v.isNaN(y)), v.constant(x, kNaN), general);
  if (!scalar.isF64())
    general = v.truncf(general, scalar);
  return v.select(isWhole, whole, general);
}

} // namespace dlc::codegen
