// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sorting by merge exchange (Batcher 1968; Knuth, The Art of Computer Programming 5.2.2, algorithm M): a
// network for any number of elements, so the steps do not depend on the data, and no memory is needed beside
// the result. Elements are compared with their indices, which makes the order total, and the sort stable.

#include "compiler/Codegen/IndexKernels.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace dlc::codegen {

namespace {

class RowSorter {
public:
  RowSorter(KernelContext &context, dl::ArgSortOp op, ArrayRef<Index> row)
      : emitter(context.emitter), values(emitter), op(op), row(row), order(context.results[0]) {
    order.isConstant = false;
  }

  LogicalResult sort() {
    Value count = emitter.evaluate(op.getType().getShape().back());
    loop(emitter.constant(0), count, [&](Value i) { setOrder(i, asI32(i)); });
    // ceil(log2(count)) sizes p = 2^(levels - 1), ..., 2, 1
    Value levels = logarithm(count), one = emitter.constant(1);
    loop(emitter.constant(0), levels, [&](Value level) {
      Value p = shift(one, emitter.sub(emitter.sub(levels, level), one));
      Value top = shift(one, emitter.sub(levels, one));
      exchange(count, p, emitter.constant(0), p);
      // then the merges with distances q - p for q = top, top / 2, ..., 2p
      loop(emitter.constant(0), level, [&](Value step) {
        Value q = emitter.create<arith::ShRUIOp>({top, step}, top, step);
        exchange(count, p, p, emitter.sub(q, p));
      });
    });
    return success(!failed);
  }

private:
  void loop(Value low, Value high, llvm::function_ref<void(Value)> body) {
    emitter.forLoop(low, high, 1, {}, [&](Value i, ValueRange) -> SmallVector<Value> {
      body(i);
      return {};
    });
  }
  Value shift(Value value, Value bits) { return emitter.create<arith::ShLIOp>({value, bits}, value, bits); }
  Value asI32(Value index) { return emitter.create<arith::IndexCastOp>({index}, values.i32(), index); }

  /// The least l with 2^l >= count.
  Value logarithm(Value count) {
    Value last = emitter.create<arith::IndexCastOp>({count}, values.i64(), count);
    last = values.subi(last, emitter.constantOf(values.i64(), 1));
    Value zeros = emitter.create<math::CountLeadingZerosOp>({last}, last);
    Value bits = values.subi(emitter.constantOf(values.i64(), 64), zeros);
    return emitter.create<arith::IndexCastOp>({bits}, emitter.getBuilder().getIndexType(), bits);
  }

  /// Puts elements i and i + distance in order, for all i with (i and p) = r.
  void exchange(Value count, Value p, Value r, Value distance) {
    loop(emitter.constant(0), emitter.sub(count, distance), [&](Value i) {
      Value bit = emitter.create<arith::AndIOp>({i, p}, i, p);
      Value takesPart = emitter.create<arith::CmpIOp>({bit, r}, arith::CmpIPredicate::eq, bit, r);
      when(takesPart, [&] {
        Value j = emitter.add(i, distance);
        Value first = getOrder(i), second = getOrder(j);
        Value a = key(first), b = key(second);
        if (failed)
          return;
        when(comesBefore(b, second, a, first), [&] {
          setOrder(i, second);
          setOrder(j, first);
        });
      });
    });
  }

  void when(Value condition, llvm::function_ref<void()> body) {
    emitter.ifElse(
        condition,
        [&]() -> SmallVector<Value> {
          body();
          return {};
        },
        []() -> SmallVector<Value> { return {}; });
  }

  Value comesBefore(Value a, Value aIndex, Value b, Value bIndex) {
    Value indexLess = values.cmpi(arith::CmpIPredicate::slt, aIndex, bIndex);
    if (!isa<FloatType>(a.getType())) {
      bool isUnsigned = op.getOperand().getType().getElementType().isUnsignedInteger();
      Value less = values.cmpi(isUnsigned ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt, a, b);
      return values.ori(less, values.andi(values.cmpi(arith::CmpIPredicate::eq, a, b), indexLess));
    }
    Value aIsNaN = values.isNaN(a), bIsNaN = values.isNaN(b);
    Value less =
        values.ori(values.cmpf(arith::CmpFPredicate::OLT, a, b), values.andi(bIsNaN, values.notb(aIsNaN)));
    Value equal = values.ori(values.cmpf(arith::CmpFPredicate::OEQ, a, b), values.andi(aIsNaN, bIsNaN));
    return values.ori(less, values.andi(equal, indexLess));
  }

  Position at(Value i) {
    Position position(row);
    position.push_back(Index::uniform(i));
    return position;
  }
  Value getOrder(Value i) { return emitter.load(order, op.getType(), at(i)); }
  void setOrder(Value i, Value element) { emitter.store(order, op.getType(), at(i), element); }
  Value key(Value order) {
    Value index = emitter.create<arith::IndexCastOp>({order}, emitter.getBuilder().getIndexType(), order);
    Value element = emitter.emit(op.getOperand(), at(index));
    failed |= !element;
    return element;
  }

  ElementEmitter &emitter;
  ValueBuilder values;
  dl::ArgSortOp op;
  Position row;
  Memory order;
  bool failed = false;
};

} // namespace

LogicalResult sortRow(KernelContext &context, dl::ArgSortOp op, ArrayRef<Index> row) {
  return RowSorter(context, op, row).sort();
}

} // namespace dlc::codegen
