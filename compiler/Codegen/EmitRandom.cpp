// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random numbers: Philox4x32-10 on all lanes (compiler/Numerics.h has the definition as C++).

#include "compiler/Codegen/ValueBuilder.h"
#include "compiler/Numerics.h"

namespace dlc::codegen {

namespace {

Value emitSplitmix64(ValueBuilder &v, Value x) {
  auto constant = [&](uint64_t value) {
    return v.emitter.constantOf(cast<TypedAttr>(IntegerAttr::get(v.i64(), APInt(64, value))));
  };
  x = v.addi(x, constant(0x9E3779B97F4A7C15));
  x = v.muli(v.xori(x, v.shrui(x, 30)), constant(0xBF58476D1CE4E5B9));
  x = v.muli(v.xori(x, v.shrui(x, 27)), constant(0x94D049BB133111EB));
  return v.xori(x, v.shrui(x, 31));
}

/// The low and the high half of a 32 x 32 bit product.
std::pair<Value, Value> multiplyWide(ValueBuilder &v, Value x, uint32_t multiplier) {
  Value wide = v.extui(x, v.i64());
  Value product = v.muli(wide, v.constant(wide, multiplier));
  return {v.trunci(product, v.i32()), v.trunci(v.shrui(product, 32), v.i32())};
}

/// The four output words for a counter; `key` is i64. The rounds are a loop: unrolled they would be most of
/// the code, and of the time to generate it, of an entry that draws initial values.
SmallVector<Value> emitPhilox(ValueBuilder &v, Value key, SmallVector<Value> counter) {
  ElementEmitter &emitter = v.emitter;
  // Every part of the state is a vector if one is.
  bool asVector = llvm::any_of(counter, [](Value part) { return isa<VectorType>(part.getType()); });
  if (asVector)
    for (Value &part : counter)
      part = emitter.broadcast(part);
  SmallVector<Value> state = counter;
  llvm::append_values(state, v.trunci(key, v.i32()), v.trunci(v.shrui(key, 32), v.i32()));
  auto constant = [&](uint32_t value) {
    return emitter.constantOf(cast<TypedAttr>(IntegerAttr::get(v.i32(), APInt(32, value))));
  };
  state = emitter.forLoop(emitter.constant(0), emitter.constant(numerics::kPhiloxRounds), 1, state,
                          [&](Value, ValueRange c) {
                            Value key0 = c[4], key1 = c[5];
                            auto [low0, high0] = multiplyWide(v, c[0], numerics::kPhiloxMultiplier0);
                            auto [low1, high1] = multiplyWide(v, c[2], numerics::kPhiloxMultiplier1);
                            return SmallVector<Value>{v.xori(v.xori(high1, c[1]), key0),
                                                      low1,
                                                      v.xori(v.xori(high0, c[3]), key1),
                                                      low0,
                                                      v.addi(key0, constant(numerics::kPhiloxWeyl0)),
                                                      v.addi(key1, constant(numerics::kPhiloxWeyl1))};
                          });
  return SmallVector<Value>(ArrayRef(state).take_front(4));
}

} // namespace

Value ElementEmitter::emitRandomKey(dl::RandomKeyOp op) {
  Value seed = emit(op.getSeed(), {});
  if (!seed)
    return {};
  ValueBuilder v(*this);
  Value site = constantOf(cast<TypedAttr>(builder.getI64IntegerAttr(static_cast<int64_t>(op.getSite()))));
  return v.xori(emitSplitmix64(v, seed), site);
}

Value ElementEmitter::emitRandom(dl::RandomOp op, ArrayRef<Index> position) {
  ValueBuilder v(*this);
  Value key = emit(op.getKey(), {}), iteration = emit(op.getIteration(), {});
  Value scanIndex = op.getIndex() ? emit(op.getIndex(), {}) : constantOf(v.i64(), 0);
  if (!key || !iteration || !scanIndex)
    return {};
  Value counter2 = v.trunci(iteration, v.i32()), counter3 = v.trunci(scanIndex, v.i32());
  ArrayRef<dl::PolynomialAttr> shape = op.getType().getShape();
  Index element = linearize(shape, position);

  Value word;
  if (element.stride == 1 && !element.lanes && lanes == 16 && element.multiple % 64 == 0 &&
      element.offset % 16 == 0 && element.offset >= 0 && element.offset < 64) {
    // 16 neighbours from a multiple of 16 on are one evaluation; the four vectors of a block of 64 share it.
    Index block = element;
    block.offset = 0;
    int wanted = static_cast<int>(element.offset / 16);
    auto keyOf = [&](int i) { return Key{op.getOperation(), 1 + i}; };
    word = lookUp(keyOf(wanted), {block});
    if (!word) {
      Value first = mul(divide(element.base, constant(64)), constant(16));
      Value position64 = wideValue(Index::contiguous(first));
      SmallVector<Value> words = emitPhilox(
          v, key,
          {v.trunci(position64, v.i32()), v.trunci(v.shrui(position64, 32), v.i32()), counter2, counter3});
      for (int i = 0; i < 4; ++i)
        remember(keyOf(i), {block}, words[i]);
      word = words[wanted];
    }
  } else {
    // Indices of 32 bits where the tensor is known to be small: vectors of 64 bits are twice the registers.
    bool isSmall = op.getType().getElementCount().getConstantValue().value_or(INT64_MAX) <= INT32_MAX;
    Value e = isSmall ? narrowValue(element) : wideValue(element);
    Value position = v.addi(v.shli(v.shrui(e, 6), 4), v.andi(e, v.constant(e, 15)));
    Value high = isSmall ? constantOf(v.i32(), 0) : v.trunci(v.shrui(position, 32), v.i32());
    SmallVector<Value> words =
        emitPhilox(v, key, {isSmall ? position : v.trunci(position, v.i32()), high, counter2, counter3});
    Value which = v.andi(v.shrui(e, 4), v.constant(e, 3));
    if (!isSmall)
      which = v.trunci(which, v.i32());
    auto is = [&](int64_t i) { return v.cmpi(arith::CmpIPredicate::eq, which, v.constant(which, i)); };
    word = v.select(is(0), words[0], v.select(is(1), words[1], v.select(is(2), words[2], words[3])));
  }
  Type elementType = op.getType().getElementType(), compute = computeType(elementType);
  // 24 bits are exact in f32 and f64; bf16 and f16 would round, and round to 1: cut them off.
  int64_t bits = elementType.isBF16() ? 8 : elementType.isF16() ? 11 : 24;
  Value number = v.shrui(word, 32 - bits);
  return v.mulf(v.sitofp(number, compute), constantOf(compute, std::ldexp(1.0, static_cast<int>(-bits))));
}

} // namespace dlc::codegen
