// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations whose elements are found by computed indices.

#include "compiler/Codegen/ValueBuilder.h"

namespace dlc::codegen {

/// The indices of a gathered position: those of the index tensor, then those of the axes behind the chosen
/// one. Indices over several axes stay whole unless they belong to both.
static std::pair<Position, Position> splitGathered(ElementEmitter &emitter,
                                                   ArrayRef<dl::PolynomialAttr> shape,
                                                   ArrayRef<Index> position, int64_t indexRank) {
  Position chosen, rest;
  int64_t axis = 0;
  for (const Index &index : position) {
    int64_t end = axis + index.axes;
    if (end <= indexRank) {
      chosen.push_back(index);
    } else if (axis >= indexRank) {
      rest.push_back(index);
    } else {
      for (auto [i, part] : llvm::enumerate(emitter.expand(shape.slice(axis, index.axes), {index})))
        (axis + static_cast<int64_t>(i) < indexRank ? chosen : rest).push_back(part);
    }
    axis = end;
  }
  return {chosen, rest};
}

Index clampedIndex(ElementEmitter &emitter, Value element, dl::PolynomialAttr size) {
  ValueBuilder values(emitter);
  auto wide = [&](int64_t value) { return emitter.constantOf(values.i64(), static_cast<double>(value)); };
  Value sizeValue = emitter.evaluate(size);
  Value last = values.subi(emitter.create<arith::IndexCastOp>({sizeValue}, values.i64(), sizeValue), wide(1));
  Value index =
      ValueBuilder::scalarOf(element.getType()).isInteger(64) ? element : values.extsi(element, values.i64());
  index = values.select(values.cmpi(arith::CmpIPredicate::slt, index, last), index, last);
  index = values.select(values.cmpi(arith::CmpIPredicate::sgt, index, wide(0)), index, wide(0));
  if (!isa<VectorType>(index.getType()))
    return Index::uniform(
        emitter.create<arith::IndexCastOp>({index}, emitter.getBuilder().getIndexType(), index));
  Index result = Index::uniform(emitter.constant(0), 0);
  result.lanes = values.trunci(index, values.i32());
  if (std::optional<int64_t> known = size.getConstantValue(); known && *known > 0 && *known <= INT32_MAX)
    result.mostLane = static_cast<int32_t>(*known - 1);
  return result;
}

Value ElementEmitter::emitGather(dl::GatherOp op, ArrayRef<Index> position) {
  dl::TensorType table = op.getOperand().getType();
  int64_t batch = op.getBatch(), indexRank = op.getIndex().getType().getRank();
  auto [chosen, rest] = splitGathered(*this, op.getType().getShape(), position, indexRank);
  Value element = emit(op.getIndex(), chosen);
  if (!element)
    return {};
  Position result;
  if (batch > 0) {
    Position all = expand(op.getIndex().getType().getShape(), chosen);
    result.append(all.begin(), all.begin() + batch);
  }
  dl::PolynomialAttr size = table.getDim(batch);
  result.push_back(clampedIndex(*this, element, size));
  llvm::append_range(result, rest);
  if (dl::isNeverNegative(size - 1))
    return emit(op.getOperand(), result);
  Value zero = constantOf(computeType(table.getElementType()), 0);
  return emitWhere(op.getOperand(), result, less(constant(0), evaluate(size)), Value(), zero);
}

/// One element at a time: all updates of the batch are looked at. CPU/IndexKernels.cpp has
/// a kernel for whole tensors.
Value ElementEmitter::emitScatterAdd(dl::ScatterAddOp op, ArrayRef<Index> position) {
  ValueBuilder values(*this);
  dl::TensorType updates = op.getUpdates().getType(), index = op.getIndex().getType();
  int64_t batch = op.getBatch();
  Position all = expand(op.getType().getShape(), position);
  Position shared(all.begin(), all.begin() + batch), rest(all.begin() + batch + 1, all.end());
  Value own = wideValue(all[batch]);
  dl::PolynomialAttr count = dl::product(builder.getContext(), index.getShape().drop_front(batch));
  Type scalar = computeType(updates.getElementType());
  bool isVector = llvm::any_of(all, [](const Index &i) { return !i.isUniform(); });
  Value zero = constantOf(isVector ? static_cast<Type>(vectorOf(scalar)) : scalar, 0);
  bool failed = false;
  SmallVector<Value> total = forLoop(
      constant(0), evaluate(count), 1, {zero}, [&](Value i, ValueRange carried) -> SmallVector<Value> {
        Position at = shared;
        if (index.getRank() > batch)
          at.push_back(Index::uniform(i).covering(index.getRank() - batch));
        Value element = emit(op.getIndex(), at);
        llvm::append_range(at, rest);
        Value update = element ? emit(op.getUpdates(), at) : Value();
        if (!update) {
          failed = true;
          return {carried[0]};
        }
        Value chosen = wideValue(clampedIndex(*this, element, op.getType().getDim(batch)));
        Value isOwn = values.cmpi(arith::CmpIPredicate::eq, chosen, own);
        Value sum =
            isa<FloatType>(scalar) ? values.addf(carried[0], update) : values.addi(carried[0], update);
        return {values.select(isOwn, sum, carried[0])};
      });
  return failed ? Value() : values.roundTo(total[0], updates.getElementType());
}

Value ElementEmitter::emitSubscript(dl::SubscriptOp op, ArrayRef<Index> position) {
  ValueBuilder values(*this);
  dl::TensorType x = op.getOperand().getType();
  MLIRContext *context = builder.getContext();
  Position own = expand(op.getType().getShape(), position), result;
  Value scalarCondition, laneCondition;
  for (int64_t axis = 0; axis < x.getRank(); ++axis) {
    // 1. The affine function.
    std::optional<Index> total;
    bool descends = false;
    for (auto [i, coefficient] : llvm::enumerate(op.getRow(axis))) {
      if (coefficient == 0)
        continue;
      Index part = scale(own[i], dl::PolynomialAttr::getConstant(context, coefficient));
      descends |= coefficient < 0 && !part.isUniform();
      total = total ? sum(*total, part) : part;
    }
    Index index = total.value_or(Index::uniform(constant(0), 0)).covering(1);
    if (std::optional<int64_t> offset = op.getOffset(axis).getConstantValue())
      index.offset += *offset;
    else
      index = sum(index, Index::uniform(evaluate(op.getOffset(axis))));
    if (op.staysInside(axis) && !descends) {
      result.push_back(index);
      continue;
    }
    // 2. The condition that there is such an element.
    int64_t divisor = op.getDivisors()[axis];
    if (!index.isUniform())
      index = index.outside();
    Value size = evaluate(x.getDim(axis) * divisor), wide = wideValue(index);
    Value wideSize = create<arith::IndexCastOp>({size}, values.i64(), size);
    // Unsigned comparison also refuses what is below 0.
    Value condition = values.cmpi(arith::CmpIPredicate::ult, wide, wideSize);
    if (divisor > 1) {
      Value rest = values.remui(wide, values.constant(wide, static_cast<double>(divisor)));
      condition =
          values.andi(condition, values.cmpi(arith::CmpIPredicate::eq, rest, values.constant(wide, 0)));
    }
    Value &all = index.isUniform() ? scalarCondition : laneCondition;
    all = all ? values.andi(all, condition) : condition;
    // 3. The index, 0 where there is none, unless it is a plain one whose lanes are masked.
    if (divisor == 1 && (index.isUniform() || (!index.lanes && index.stride >= 0))) {
      result.push_back(index);
      continue;
    }
    Value bounded = values.select(condition, wide, values.constant(wide, 0));
    Value quotient =
        divisor == 1 ? bounded : values.divui(bounded, values.constant(wide, static_cast<double>(divisor)));
    if (index.isUniform()) {
      result.push_back(
          Index::uniform(create<arith::IndexCastOp>({quotient}, builder.getIndexType(), quotient)));
      continue;
    }
    Index gathered = Index::uniform(constant(0), 0);
    gathered.lanes = values.trunci(quotient, values.i32());
    if (std::optional<int64_t> known = x.getDim(axis).getConstantValue();
        known && *known > 0 && *known <= INT32_MAX)
      gathered.mostLane = static_cast<int32_t>(*known - 1);
    result.push_back(gathered);
  }
  Type element = computeType(x.getElementType());
  return emitWhere(op.getOperand(), result, scalarCondition, laneCondition, constantOf(element, 0));
}

} // namespace dlc::codegen
