// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations that work element by element.

#include "compiler/Codegen/MathFunctions.h"
#include "compiler/Numerics.h"

#include "llvm/ADT/TypeSwitch.h"

namespace dlc::codegen {

namespace {

using IntPredicate = arith::CmpIPredicate;
using FloatPredicate = arith::CmpFPredicate;

/// Integer division rounded towards negative infinity, and its remainder. x / 0 is 0 and x mod 0 is x; the
/// quotient of the smallest number and -1 wraps around.
std::pair<Value, Value> floorDivide(ValueBuilder &values, Value a, Value b, bool isUnsigned) {
  Value zero = values.constant(b, 0), one = values.constant(b, 1);
  Value byZero = values.cmpi(IntPredicate::eq, b, zero);
  Value quotient, remainder;
  if (isUnsigned) {
    Value safe = values.select(byZero, one, b);
    quotient = values.divui(a, safe);
    remainder = values.subi(a, values.muli(quotient, safe));
  } else {
    Value byMinusOne = values.cmpi(IntPredicate::eq, b, values.constant(b, -1));
    Value safe = values.select(values.ori(byZero, byMinusOne), one, b);
    values.unify(a, safe);
    Value truncated = values.emitter.create<arith::DivSIOp>({a, safe}, a, safe);
    Value rest = values.subi(a, values.muli(truncated, safe));
    Value differs = values.cmpi(IntPredicate::slt, values.xori(rest, safe), zero);
    Value adjust = values.andi(differs, values.cmpi(IntPredicate::ne, rest, zero));
    quotient = values.select(adjust, values.subi(truncated, one), truncated);
    remainder = values.select(adjust, values.addi(rest, safe), rest);
    quotient = values.select(byMinusOne, values.subi(zero, a), quotient);
    remainder = values.select(byMinusOne, zero, remainder);
  }
  return {values.select(byZero, zero, quotient), values.select(byZero, a, remainder)};
}

/// An f64 as f32 on the way to bf16 or f16: it must keep what decides the second rounding. Round to odd.
Value roundToOdd(ValueBuilder &values, Value x) {
  Value single = values.truncf(x, values.f32());
  Value back = values.extf(single, values.f64());
  Value bits = values.bitcast(single, values.i32());
  Value inexact = values.cmpf(FloatPredicate::ONE, back, x);
  Value away = values.cmpf(FloatPredicate::OGT, values.absf(back), values.absf(x));
  Value truncated = values.select(away, values.subi(bits, values.constant(bits, 1)), bits);
  Value odd = values.ori(truncated, values.constant(bits, 1));
  return values.bitcast(values.select(inexact, odd, bits), values.f32());
}

/// An i32 or i64 as f32 on the same way.
Value narrowInteger(ValueBuilder &values, Value x) {
  if (ValueBuilder::scalarOf(x.getType()).isInteger(64)) {
    // What an f64 cannot hold becomes its last bit but one: to odd, too.
    auto limit = [&](int64_t value) {
      return values.emitter.constantOf(cast<TypedAttr>(IntegerAttr::get(values.i64(), value)));
    };
    constexpr int64_t kDropped = 11;
    Value isLarge =
        values.cmpi(IntPredicate::ugt, values.addi(x, limit(int64_t(1) << 53)), limit(int64_t(1) << 54));
    Value dropped = values.andi(x, limit((int64_t(1) << kDropped) - 1));
    Value sticky = values.extui(values.cmpi(IntPredicate::ne, dropped, values.constant(x, 0)), values.i64());
    Value odd = values.ori(values.subi(x, dropped), values.shli(sticky, kDropped));
    x = values.select(isLarge, odd, x);
  }
  return roundToOdd(values, values.sitofp(x, values.f64()));
}

Value emitCast(ValueBuilder &values, Value x, Type from, Type to) {
  if (from == to)
    return x;
  if (to.isInteger(1))
    return isa<FloatType>(from) ? values.cmpf(FloatPredicate::UNE, x, values.constant(x, 0))
                                : values.cmpi(IntPredicate::ne, x, values.constant(x, 0));
  Type target = computeType(to);
  if (isa<FloatType>(from)) {
    if (!isa<FloatType>(to))
      return values.toInteger(x, target, to.isUnsignedInteger());
    Type source = computeType(from);
    if (source.isF32() && target.isF64())
      return values.extf(x, target);
    if (source.isF64() && target.isF32() && !to.isF32()) {
      x = roundToOdd(values, x);
    } else if (source.isF64() && target.isF32()) {
      x = values.truncf(x, target);
    }
    return values.roundTo(x, to);
  }
  bool isUnsigned = from.isUnsignedInteger() || from.isInteger(1);
  if (isa<FloatType>(to)) {
    bool isNarrow = to.isBF16() || to.isF16();
    if (isNarrow && from.getIntOrFloatBitWidth() > 24)
      return values.roundTo(narrowInteger(values, x), to);
    Value number = isUnsigned ? values.uitofp(x, target) : values.sitofp(x, target);
    return values.roundTo(number, to);
  }
  unsigned width = from.getIntOrFloatBitWidth(), targetWidth = target.getIntOrFloatBitWidth();
  if (targetWidth > width)
    return isUnsigned ? values.extui(x, target) : values.extsi(x, target);
  return targetWidth < width ? values.trunci(x, target) : x;
}

Value emitCompare(ValueBuilder &values, dl::Predicate predicate, Value a, Value b, Type type) {
  if (isa<FloatType>(type)) {
    static constexpr FloatPredicate table[] = {FloatPredicate::OEQ, FloatPredicate::UNE, FloatPredicate::OLT,
                                               FloatPredicate::OLE, FloatPredicate::OGT, FloatPredicate::OGE};
    return values.cmpf(table[static_cast<int>(predicate)], a, b);
  }
  static constexpr IntPredicate signedTable[] = {IntPredicate::eq,  IntPredicate::ne,  IntPredicate::slt,
                                                 IntPredicate::sle, IntPredicate::sgt, IntPredicate::sge};
  static constexpr IntPredicate unsignedTable[] = {IntPredicate::eq,  IntPredicate::ne,  IntPredicate::ult,
                                                   IntPredicate::ule, IntPredicate::ugt, IntPredicate::uge};
  bool isUnsigned = type.isUnsignedInteger() || type.isInteger(1);
  return values.cmpi((isUnsigned ? unsignedTable : signedTable)[static_cast<int>(predicate)], a, b);
}

} // namespace

Value ElementEmitter::emitElementwise(Operation *op, ArrayRef<Index> position) {
  ValueBuilder v(*this);
  SmallVector<Value, 3> x;
  for (Value operand : op->getOperands()) {
    x.push_back(emit(operand, position));
    if (!x.back())
      return {};
  }
  Type type = cast<dl::TensorType>(op->getOperand(0).getType()).getElementType();
  Type resultType = cast<dl::TensorType>(op->getResult(0).getType()).getElementType();
  bool isFloat = isa<FloatType>(type), isUnsigned = type.isUnsignedInteger();

  Value result =
      llvm::TypeSwitch<Operation *, Value>(op)
          .Case([&](dl::NegOp) { return isFloat ? v.negf(x[0]) : v.subi(v.constant(x[0], 0), x[0]); })
          .Case([&](dl::AbsOp) -> Value {
            if (isFloat)
              return v.absf(x[0]);
            if (isUnsigned)
              return x[0];
            Value zero = v.constant(x[0], 0);
            return v.select(v.cmpi(IntPredicate::slt, x[0], zero), v.subi(zero, x[0]), x[0]);
          })
          .Case([&](dl::ExpOp) { return emitExp(v, x[0]); })
          .Case([&](dl::LogOp) { return emitLog(v, x[0]); })
          .Case([&](dl::SqrtOp) { return v.sqrt(x[0]); })
          .Case([&](dl::TanhOp) { return emitTanh(v, x[0]); })
          .Case([&](dl::SinOp) { return emitSin(v, x[0]); })
          .Case([&](dl::CosOp) { return emitCos(v, x[0]); })
          .Case([&](dl::ErfOp) { return emitErf(v, x[0]); })
          .Case([&](dl::FloorOp) { return v.floor(x[0]); })
          .Case([&](dl::FlushOp) {
            Value tiny =
                v.cmpf(FloatPredicate::OLT, v.absf(x[0]), v.constant(x[0], numerics::kFlushThreshold));
            return v.select(tiny, v.constant(x[0], 0), x[0]);
          })
          .Case([&](dl::NotOp) { return v.notb(x[0]); })
          .Case([&](dl::AddOp) { return isFloat ? v.addf(x[0], x[1]) : v.addi(x[0], x[1]); })
          .Case([&](dl::SubOp) { return isFloat ? v.subf(x[0], x[1]) : v.subi(x[0], x[1]); })
          .Case([&](dl::MulOp) { return isFloat ? v.mulf(x[0], x[1]) : v.muli(x[0], x[1]); })
          .Case([&](dl::DivOp) {
            return isFloat ? v.divf(x[0], x[1]) : floorDivide(v, x[0], x[1], isUnsigned).first;
          })
          .Case([&](dl::RemOp) -> Value {
            if (!isFloat)
              return floorDivide(v, x[0], x[1], isUnsigned).second;
            // Three operations, each rounded.
            Value whole = v.floor(v.roundTo(v.divf(x[0], x[1]), resultType));
            return v.subf(x[0], v.roundTo(v.mulf(x[1], whole), resultType));
          })
          .Case([&](dl::PowOp) { return emitPow(v, x[0], x[1]); })
          .Case([&](dl::MaxOp) -> Value {
            if (isFloat)
              return v.maxf(x[0], x[1]);
            return v.select(v.cmpi(isUnsigned ? IntPredicate::uge : IntPredicate::sge, x[0], x[1]), x[0],
                            x[1]);
          })
          .Case([&](dl::MinOp) -> Value {
            if (isFloat)
              return v.minf(x[0], x[1]);
            return v.select(v.cmpi(isUnsigned ? IntPredicate::ule : IntPredicate::sle, x[0], x[1]), x[0],
                            x[1]);
          })
          .Case([&](dl::AndOp) { return v.andi(x[0], x[1]); })
          .Case([&](dl::OrOp) { return v.ori(x[0], x[1]); })
          .Case([&](dl::CompareOp op) { return emitCompare(v, op.getPredicate(), x[0], x[1], type); })
          .Case([&](dl::SelectOp) { return v.select(x[0], x[1], x[2]); })
          .Case([&](dl::CastOp) { return emitCast(v, x[0], type, resultType); })
          .Default([](Operation *op) -> Value {
            op->emitError("code generation: this elementwise operation is not supported");
            return {};
          });
  if (!result || isa<dl::SelectOp, dl::CastOp, dl::CompareOp>(op))
    return result;
  return v.roundTo(result, resultType);
}

} // namespace dlc::codegen
