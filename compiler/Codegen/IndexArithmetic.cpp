// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic on indices while code is generated: scalars of type index with constant folding, and the indices
// of all lanes. Positions.cpp has what becomes of them under other shapes.

#include "compiler/Codegen/ValueBuilder.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

#include <numeric>

namespace dlc::codegen {

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

static std::optional<int64_t> constantOfIndex(Value value) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return constant.getSExtValue();
  return std::nullopt;
}

Value ElementEmitter::constantOf(TypedAttr attribute) {
  Type type = computeType(attribute.getType());
  if (type != attribute.getType()) {
    if (auto number = dyn_cast<FloatAttr>(attribute))
      attribute = FloatAttr::get(type, number.getValueAsDouble());
    else
      attribute = IntegerAttr::get(type, cast<IntegerAttr>(attribute).getValue());
  }
  Value &known = scopes.front()->attributes[attribute];
  if (!known)
    known = create<arith::ConstantOp>({}, attribute);
  return known;
}

Value ElementEmitter::constantOf(Type type, double value) {
  Type scalar = getElementTypeOrSelf(type);
  TypedAttr attribute;
  if (isa<FloatType>(scalar))
    attribute = FloatAttr::get(scalar, value);
  else if (isa<IndexType>(scalar))
    attribute = IntegerAttr::get(scalar, static_cast<int64_t>(value));
  else
    attribute = IntegerAttr::get(
        scalar,
        APInt(64, static_cast<uint64_t>(static_cast<int64_t>(value))).trunc(scalar.getIntOrFloatBitWidth()));
  if (auto shaped = dyn_cast<VectorType>(type))
    attribute = DenseElementsAttr::get(shaped, static_cast<Attribute>(attribute));
  Value &known = scopes.front()->attributes[attribute];
  if (!known)
    known = create<arith::ConstantOp>({}, attribute);
  return known;
}

Value ElementEmitter::constant(int64_t value) {
  Attribute attribute = builder.getIndexAttr(value);
  Value &known = scopes.front()->attributes[attribute];
  if (!known)
    known = create<arith::ConstantIndexOp>({}, value);
  return known;
}

Value ElementEmitter::evaluate(dl::PolynomialAttr polynomial) {
  if (std::optional<int64_t> value = polynomial.getConstantValue())
    return constant(*value);
  if (Value known = scopes.front()->attributes.lookup(polynomial))
    return known;
  Value total;
  for (auto [coefficient, monomial] :
       llvm::zip_equal(polynomial.getCoefficients(), polynomial.getMonomials())) {
    Value term = constant(coefficient);
    for (StringAttr symbol : monomial.getAsRange<StringAttr>())
      term = mul(term, symbols(symbol.getValue()));
    total = total ? add(total, term) : term;
  }
  if (dl::isNeverNegative(polynomial - 1))
    positive.insert(total);
  scopes.front()->attributes[polynomial] = total;
  return total;
}

Value ElementEmitter::arithmetic(int kind, Value a, Value b, llvm::function_ref<Value()> make) {
  std::tuple<int, Value, Value> key(kind, a, b);
  for (std::unique_ptr<Scope> &scope : llvm::reverse(scopes))
    if (Value known = scope->arithmetic.lookup(key))
      return known;
  Value result = make();
  scopes[levelOf(result)]->arithmetic[key] = result;
  return result;
}

Value ElementEmitter::add(Value a, Value b) {
  std::optional<int64_t> x = constantOfIndex(a), y = constantOfIndex(b);
  if (x && y)
    return constant(*x + *y);
  if (x == 0)
    return b;
  if (y == 0)
    return a;
  return arithmetic(0, a, b, [&] { return create<arith::AddIOp>({a, b}, a, b); });
}

Value ElementEmitter::sub(Value a, Value b) {
  std::optional<int64_t> x = constantOfIndex(a), y = constantOfIndex(b);
  if (x && y)
    return constant(*x - *y);
  if (y == 0)
    return a;
  return arithmetic(1, a, b, [&] { return create<arith::SubIOp>({a, b}, a, b); });
}

Value ElementEmitter::mul(Value a, Value b) {
  std::optional<int64_t> x = constantOfIndex(a), y = constantOfIndex(b);
  if (x && y)
    return constant(*x * *y);
  if (x == 0 || y == 0)
    return constant(0);
  if (x == 1)
    return b;
  if (y == 1)
    return a;
  return arithmetic(2, a, b, [&] { return create<arith::MulIOp>({a, b}, a, b); });
}

/// Whether an index is at least 1, for all sizes.
bool ElementEmitter::isPositive(Value value) const {
  if (std::optional<int64_t> number = constantOfIndex(value))
    return *number > 0;
  if (positive.contains(value))
    return true;
  Operation *op = value.getDefiningOp();
  if (isa_and_present<arith::MulIOp, arith::AddIOp, arith::MinSIOp>(op))
    return isPositive(op->getOperand(0)) && isPositive(op->getOperand(1));
  if (isa_and_present<arith::MaxSIOp>(op))
    return isPositive(op->getOperand(0)) || isPositive(op->getOperand(1));
  if (auto quotient = dyn_cast_if_present<arith::DivUIOp>(op)) { // ceil(x / d) is (x + d - 1) / d
    auto sum = quotient.getLhs().getDefiningOp<arith::AddIOp>();
    std::optional<int64_t> d = constantOfIndex(quotient.getRhs());
    return sum && d && constantOfIndex(sum.getRhs()) == *d - 1 && isPositive(sum.getLhs());
  }
  return false;
}

/// A divisor: divisions leave loops and conditions, and with them what kept one by 0 from being computed.
Value ElementEmitter::atLeastOne(Value divisor) {
  if (isPositive(divisor))
    return divisor;
  Value one = constant(1);
  return arithmetic(7, divisor, one, [&] { return create<arith::MaxSIOp>({divisor, one}, divisor, one); });
}

Value ElementEmitter::divide(Value a, Value b) {
  std::optional<int64_t> x = constantOfIndex(a), y = constantOfIndex(b);
  if (x && y && *y > 0)
    return constant(*x / *y);
  if (y == 1)
    return a;
  // (i · c) / d is i · (c / d) where d divides c.
  if (auto product = a.getDefiningOp<arith::MulIOp>(); product && y)
    if (std::optional<int64_t> c = constantOfIndex(product.getRhs()); c && *c % *y == 0)
      return mul(product.getLhs(), constant(*c / *y));
  b = atLeastOne(b);
  return arithmetic(3, a, b, [&] { return create<arith::DivUIOp>({a, b}, a, b); });
}

Value ElementEmitter::remainder(Value a, Value b) {
  std::optional<int64_t> x = constantOfIndex(a), y = constantOfIndex(b);
  if (x && y && *y > 0)
    return constant(*x % *y);
  if (y == 1)
    return constant(0);
  if (auto product = a.getDefiningOp<arith::MulIOp>(); product && y)
    if (std::optional<int64_t> c = constantOfIndex(product.getRhs()); c && *c % *y == 0)
      return constant(0);
  b = atLeastOne(b);
  return arithmetic(4, a, b, [&] { return create<arith::RemUIOp>({a, b}, a, b); });
}

Value ElementEmitter::ceilDivide(Value a, Value b) {
  return divide(add(a, sub(b, constant(1))), b);
}

Value ElementEmitter::minimum(Value a, Value b) {
  std::optional<int64_t> x = constantOfIndex(a), y = constantOfIndex(b);
  if (x && y)
    return constant(std::min(*x, *y));
  return arithmetic(5, a, b, [&] { return create<arith::MinSIOp>({a, b}, a, b); });
}

Value ElementEmitter::less(Value a, Value b) {
  return arithmetic(6, a, b, [&] { return create<arith::CmpIOp>({a, b}, arith::CmpIPredicate::slt, a, b); });
}

//===----------------------------------------------------------------------===//
// Lanes
//===----------------------------------------------------------------------===//

Value ElementEmitter::uniformValue(const Index &index) {
  return index.offset == 0 ? index.base : add(index.base, constant(index.offset));
}

Value ElementEmitter::laneOffsets(const Index &index) {
  if (index.lanes)
    return index.lanes;
  SmallVector<int32_t> offsets;
  for (int64_t lane = 0; lane < lanes; ++lane)
    offsets.push_back(static_cast<int32_t>(lane * index.stride));
  Attribute attribute = builder.getI32VectorAttr(offsets);
  Value &known = scopes.front()->attributes[attribute];
  if (!known)
    known = create<arith::ConstantOp>({}, cast<TypedAttr>(attribute));
  return known;
}

Value ElementEmitter::wideValue(const Index &index) {
  ValueBuilder values(*this);
  Value base = uniformValue(index);
  Value wide = create<arith::IndexCastOp>({base}, builder.getI64Type(), base);
  if (index.isUniform())
    return wide;
  return values.addi(wide, values.extsi(laneOffsets(index), values.i64()));
}

Value ElementEmitter::narrowValue(const Index &index) {
  ValueBuilder values(*this);
  Value base = uniformValue(index);
  Value narrow = create<arith::IndexCastOp>({base}, values.i32(), base);
  return index.isUniform() ? narrow : values.addi(narrow, laneOffsets(index));
}

Value ElementEmitter::linear(const Memory &memory, ArrayRef<Index> position) {
  Value offset = memory.offset ? memory.offset : constant(0);
  for (auto [index, stride] : llvm::zip_equal(position, memory.strides)) {
    assert(index.isUniform() && index.axes == 1 && "a scalar's address needs one uniform index per axis");
    offset = add(offset, mul(uniformValue(index), evaluate(stride)));
  }
  return offset;
}

Value ElementEmitter::firstLanes(Value count) {
  if (std::optional<int64_t> known = constantOfIndex(count)) {
    SmallVector<bool> bits;
    for (int64_t lane = 0; lane < lanes; ++lane)
      bits.push_back(lane < *known);
    TypedAttr attribute = DenseElementsAttr::get(vectorOf(builder.getI1Type()), ArrayRef<bool>(bits));
    Value &constant = scopes.front()->attributes[attribute];
    if (!constant)
      constant = create<arith::ConstantOp>({}, attribute);
    return constant;
  }
  ValueBuilder values(*this);
  // The count is at most a few hundred wherever it matters; clamping keeps any other from wrapping around.
  Value clamped = minimum(count, constant(lanes));
  return arithmetic(7, clamped, Value(), [&] {
    Value count32 = create<arith::IndexCastOp>({clamped}, values.i32(), clamped);
    Value all = laneOffsets(Index{clamped, 1, {}, 1, 1, 0});
    return values.cmpi(arith::CmpIPredicate::slt, all, count32);
  });
}

Value ElementEmitter::anyLane(Value mask) {
  return arithmetic(8, mask, Value(),
                    [&] { return create<vector::ReductionOp>({mask}, vector::CombiningKind::OR, mask); });
}

static int64_t greatestCommonDivisor(int64_t a, int64_t b) {
  return std::gcd(a, b);
}

/// The largest constant that divides every value of the polynomial for sure.
static int64_t constantFactor(dl::PolynomialAttr polynomial) {
  int64_t factor = 0;
  for (int64_t coefficient : polynomial.getCoefficients())
    factor = std::gcd(factor, coefficient);
  return factor;
}

/// What the base is a multiple of; 0 when it is the constant 0.
static int64_t knownMultiple(const Index &index) {
  if (std::optional<int64_t> value = constantOfIndex(index.base))
    return *value;
  return index.multiple;
}

/// What lanes add to the base at most, none adding less than 0; nothing when that is not known.
static std::optional<int64_t> laneReach(const Index &index, int64_t lanes) {
  if (index.lanes)
    return index.mostLane >= 0 ? std::optional(index.mostLane) : std::nullopt;
  return index.stride >= 0 ? std::optional((lanes - 1) * index.stride) : std::nullopt;
}

Index ElementEmitter::scale(const Index &index, dl::PolynomialAttr factor) {
  ValueBuilder values(*this);
  if (factor.isConstant(1))
    return index.covering(1);
  Index result;
  result.mayLieOutside = index.mayLieOutside;
  Value factorValue = evaluate(factor);
  std::optional<int64_t> constantFactorValue = factor.getConstantValue();
  result.multiple = knownMultiple(index) * constantFactor(factor);
  if (constantFactorValue) {
    result.base = mul(index.base, factorValue);
    result.offset = index.offset * *constantFactorValue;
  } else {
    result.base = mul(uniformValue(index), factorValue);
    if (index.offset != 0)
      result.multiple = constantFactor(factor);
  }
  if (index.isUniform())
    return result;
  if (!index.lanes && constantFactorValue) {
    result.stride = index.stride * *constantFactorValue;
    return result;
  }
  Value factor32 = create<arith::IndexCastOp>({factorValue}, values.i32(), factorValue);
  result.lanes = values.muli(laneOffsets(index), factor32);
  if (std::optional<int64_t> reach = laneReach(index, lanes);
      reach && constantFactorValue && *constantFactorValue > 0 && *reach < INT32_MAX / *constantFactorValue)
    result.mostLane = static_cast<int32_t>(*reach * *constantFactorValue);
  return result;
}

Index ElementEmitter::sum(const Index &a, const Index &b) {
  ValueBuilder values(*this);
  Index result;
  result.base = add(a.base, b.base);
  result.offset = a.offset + b.offset;
  result.mayLieOutside = a.mayLieOutside || b.mayLieOutside;
  result.multiple = greatestCommonDivisor(knownMultiple(a), knownMultiple(b));
  if (a.lanes || b.lanes) {
    if (a.isUniform())
      result.lanes = b.lanes;
    else if (b.isUniform())
      result.lanes = a.lanes;
    else
      result.lanes = values.addi(laneOffsets(a), laneOffsets(b));
    std::optional<int64_t> ofA = laneReach(a, lanes), ofB = laneReach(b, lanes);
    if (ofA && ofB && *ofA + *ofB < INT32_MAX)
      result.mostLane = static_cast<int32_t>(*ofA + *ofB);
  } else {
    result.stride = a.stride + b.stride;
  }
  return result;
}

/// total / divisor, where total is less than the divisor plus `reach`: small numbers take one multiplication
/// by the divisor's reciprocal, 2^16 / d rounded up, which is exact while total · (its excess over 2^16 / d)
/// · d < 2^16.
static Value divideLanes(ValueBuilder &values, Value total, Value divisor, std::optional<int64_t> d,
                         std::optional<int64_t> reach) {
  constexpr int64_t kOne = 1 << 16;
  if (d && reach && *d < kOne && *reach < kOne) {
    int64_t most = *d - 1 + *reach, reciprocal = llvm::divideCeil(kOne, *d), excess = reciprocal * *d - kOne;
    if (most * excess < kOne && most * reciprocal <= INT32_MAX)
      return values.shrui(values.muli(total, values.constant(total, static_cast<double>(reciprocal))), 16);
  }
  return values.divui(total, divisor);
}

std::pair<Index, Index> ElementEmitter::divideWithRemainder(const Index &index, dl::PolynomialAttr divisor) {
  ValueBuilder values(*this);
  std::optional<int64_t> d = divisor.getConstantValue();
  if (d == 1)
    return {index.covering(1), Index::uniform(constant(0), 0)};
  Value divisorValue = atLeastOne(evaluate(divisor));
  int64_t factor = constantFactor(divisor);
  int64_t common = greatestCommonDivisor(knownMultiple(index), factor);
  auto quotientMultiple = [&]() -> int64_t {
    int64_t multiple = knownMultiple(index);
    return d && multiple % *d == 0 ? multiple / *d : 1;
  };
  // The division is unsigned, and the base may lie before the axis, by no more than the lanes reach if any of
  // them is inside: divide as if it stood so many divisors further on.
  std::optional<int64_t> reach = laneReach(index, lanes);
  int64_t moved = 0;
  if (index.mayLieOutside && !index.isUniform()) {
    int64_t most = reach.value_or(int64_t(1) << 31);
    moved = llvm::divideCeil(std::max<int64_t>(most + std::max<int64_t>(index.offset, 0), 0), d.value_or(1));
  }
  auto divideBase = [&](Value base) -> std::pair<Value, Value> {
    base = add(base, mul(divisorValue, constant(moved)));
    return {sub(divide(base, divisorValue), constant(moved)), this->remainder(base, divisorValue)};
  };
  // What varies stays below the common factor of base and divisor, so it never carries into the quotient.
  if (int64_t span = index.offset + reach.value_or(0);
      !index.lanes && reach && index.offset >= 0 && (span < common || (index.isUniform() && span == 0))) {
    auto [quotientBase, start] = divideBase(index.base);
    Index quotient = Index::uniform(quotientBase, quotientMultiple());
    quotient.mayLieOutside = index.mayLieOutside;
    Index remainder{start, index.stride, {}, 1, common, index.offset};
    return {quotient, remainder};
  }
  // Every lane moves by whole divisors.
  if (d && !index.lanes && index.stride % *d == 0 && knownMultiple(index) % *d == 0) {
    int64_t low = ((index.offset % *d) + *d) % *d;
    Index quotient{divideBase(index.base).first, index.stride / *d,  {}, 1, quotientMultiple(),
                   (index.offset - low) / *d,    index.mayLieOutside};
    return {quotient, Index::uniform(constant(0), 0).plus(low)};
  }
  auto [quotientBase, start] = divideBase(uniformValue(index));
  Index quotient = Index::uniform(quotientBase), remainder = Index::uniform(start);
  quotient.mayLieOutside = index.mayLieOutside;
  if (index.isUniform())
    return {quotient, remainder};
  remainder = Index::uniform(constant(0), 0);
  Value start32 = create<arith::IndexCastOp>({start}, values.i32(), start);
  Value total = values.addi(laneOffsets(index), start32);
  Value divisor32 = broadcast(create<arith::IndexCastOp>({divisorValue}, values.i32(), divisorValue));
  if (d && reach && *reach < *d) {
    Value wraps = values.cmpi(arith::CmpIPredicate::sge, total, divisor32);
    quotient.lanes = values.extui(wraps, values.i32());
    remainder.lanes = values.select(wraps, values.subi(total, divisor32), total);
  } else {
    quotient.lanes = divideLanes(values, total, divisor32, d, reach);
    remainder.lanes = values.subi(total, values.muli(quotient.lanes, divisor32));
  }
  if (d && *d + reach.value_or(0) <= INT32_MAX) {
    remainder.mostLane = static_cast<int32_t>(*d - 1);
    if (reach)
      quotient.mostLane = static_cast<int32_t>((*d - 1 + *reach) / *d);
  }
  return {quotient, remainder};
}

} // namespace dlc::codegen
