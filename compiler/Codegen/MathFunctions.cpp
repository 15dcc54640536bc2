// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The polynomials are Chebyshev fits computed in 40 digits over the reduced ranges; fma in Horner's form
// keeps their rounding error below half a unit. Test: test/Codegen/MathFunctionsTest.cpp measures the worst
// error.

#include "compiler/Codegen/MathFunctions.h"
#include "compiler/Codegen/FloatParts.h"

#include <limits>

namespace dlc::codegen {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

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

/// a^n for a whole n in [-1, 4], by multiplications.
Value emitSmallPower(ValueBuilder &v, Value a, int64_t n) {
  Value one = v.constant(a, 1), square = n > 1 ? v.mulf(a, a) : Value();
  switch (n) {
  case -1:
    return v.divf(one, a);
  case 0:
    return one;
  case 1:
    return a;
  case 2:
    return square;
  case 3:
    return v.mulf(a, square);
  default:
    return v.mulf(square, square);
  }
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

Value emitPow(ValueBuilder &v, Value a, Value b) {
  constexpr int64_t kLowest = -1, kHighest = 4;
  Type scalar = ValueBuilder::scalarOf(a.getType());
  // 1. Small whole exponents, known or not.
  std::optional<double> exponent = knownConstant(b);
  if (exponent && std::floor(*exponent) == *exponent && *exponent >= kLowest && *exponent <= kHighest)
    return emitSmallPower(v, a, static_cast<int64_t>(*exponent));
  v.unify(a, b);
  // 2. |a|^b = e^(b log |a|); the product's rounding error goes into the exponential.
  Value x = a, y = b;
  if (!scalar.isF64()) {
    x = v.extf(x, v.f64());
    y = v.extf(y, v.f64());
  }
  Value magnitude = v.absf(x);
  auto [high, low] = emitLogPair(v, magnitude);
  Value product = v.mulf(y, high);
  Value productLow = v.fma(y, low, v.fma(y, high, v.negf(product)));
  Value result = emitExpOfSum(v, product, productLow);
  // A product beyond the exponential's range makes the low part meaningless (infinity less infinity).
  Value isLarge = v.cmpf(FloatPredicate::OGT, v.absf(product), v.constant(product, 746));
  result = v.select(isLarge, emitExp(v, product), result);
  // 3. The edges of IEEE 754, of the magnitude: a = 0 or infinite, b infinite.
  Value zero = v.constant(x, 0), one = v.constant(x, 1), infinity = v.constant(x, kInfinity);
  Value limit =
      v.select(v.xori(v.cmpf(FloatPredicate::OGT, magnitude, one), v.cmpf(FloatPredicate::OLT, y, zero)),
               infinity, zero);
  Value isExtreme = v.ori(
      v.ori(v.cmpf(FloatPredicate::OEQ, magnitude, zero), v.cmpf(FloatPredicate::OEQ, magnitude, infinity)),
      v.cmpf(FloatPredicate::OEQ, v.absf(y), infinity));
  result = v.select(isExtreme, limit, result);
  result = v.select(v.ori(v.isNaN(x), v.isNaN(y)), v.constant(x, kNaN), result);
  result = v.select(v.cmpf(FloatPredicate::OEQ, magnitude, one),
                    v.select(v.isNaN(y), v.constant(x, kNaN), one), result);
  // 4. The sign: odd powers of negative numbers are negative; other real powers do not exist, but for 0 and
  // infinity.
  Value halves = v.mulf(y, v.constant(y, 0.5));
  Value isWhole = v.cmpf(FloatPredicate::OEQ, v.floor(y), y);
  Value isOdd = v.andi(isWhole, v.cmpf(FloatPredicate::UNE, v.floor(halves), halves));
  Value invalid =
      v.andi(v.andi(v.cmpf(FloatPredicate::OLT, x, zero), v.cmpf(FloatPredicate::OLT, magnitude, infinity)),
             v.notb(isWhole));
  result = v.select(invalid, v.constant(x, kNaN), result);
  result = v.select(isOdd, copySign(v, result, x), result);
  if (!scalar.isF64())
    result = v.truncf(result, scalar);
  for (int64_t n = kLowest; n <= kHighest; ++n)
    result = v.select(v.cmpf(FloatPredicate::OEQ, b, v.constant(b, static_cast<double>(n))),
                      emitSmallPower(v, a, n), result);
  // 1 to any power, NaN included.
  return v.select(v.cmpf(FloatPredicate::OEQ, a, v.constant(a, 1)), v.constant(a, 1), result);
}

} // namespace dlc::codegen
