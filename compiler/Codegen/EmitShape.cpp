// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations that move elements: each turns the position in its result into one in its operand.

#include "compiler/Codegen/ValueBuilder.h"

namespace dlc::codegen {

/// One index per axis of the type.
static Position expandIn(ElementEmitter &emitter, Value value, ArrayRef<Index> position) {
  return emitter.expand(cast<dl::TensorType>(value.getType()).getShape(), position);
}

Value ElementEmitter::emitIota(dl::IotaOp op, ArrayRef<Index> position) {
  ValueBuilder values(*this);
  Type element = computeType(op.getType().getElementType());
  Value number = wideValue(expandIn(*this, op, position)[op.getAxis()]);
  if (isa<FloatType>(element))
    return values.sitofp(number, element);
  return values.trunci(number, element);
}

Value ElementEmitter::emitBroadcast(dl::BroadcastOp op, ArrayRef<Index> position) {
  // An index over several axes passes as one if the operand has all of them, or none.
  ArrayRef<int64_t> dims = op.getDims();
  ArrayRef<dl::PolynomialAttr> shape = op.getType().getShape();
  Position result;
  int64_t axis = 0;
  for (const Index &index : position) {
    int64_t end = axis + index.axes;
    unsigned kept = llvm::count_if(dims, [&](int64_t dim) { return dim >= axis && dim < end; });
    if (kept == index.axes) {
      if (kept > 0)
        result.push_back(index);
    } else if (kept > 0) {
      Position parts = expand(shape.slice(axis, index.axes), {index});
      for (int64_t dim : dims)
        if (dim >= axis && dim < end)
          result.push_back(parts[dim - axis]);
    }
    axis = end;
  }
  return emit(op.getOperand(), result);
}

Value ElementEmitter::emitTranspose(dl::TransposeOp op, ArrayRef<Index> position) {
  ArrayRef<int64_t> permutation = op.getPermutation();
  ArrayRef<dl::PolynomialAttr> shape = op.getType().getShape();
  // Indices keep covering axes that stay neighbours.
  SmallVector<std::pair<int64_t, Index>> placed; // First operand axis, index.
  int64_t axis = 0;
  for (const Index &index : position) {
    bool neighbours = true;
    for (int64_t i = axis; i + 1 < axis + index.axes; ++i)
      neighbours &= permutation[i + 1] == permutation[i] + 1;
    if (neighbours && index.axes > 0) {
      placed.push_back({permutation[axis], index});
    } else {
      for (auto [i, part] : llvm::enumerate(expand(shape.slice(axis, index.axes), {index})))
        placed.push_back({permutation[axis + i], part});
    }
    axis += index.axes;
  }
  llvm::sort(placed, [](auto &a, auto &b) { return a.first < b.first; });
  Position result;
  for (auto &[first, index] : placed)
    result.push_back(index);
  return emit(op.getOperand(), result);
}

/// How many leading axes of a position an operation that works axis by axis leaves alone, so that indices
/// over several axes may stay; others are expanded.
static Position expandUnless(ElementEmitter &emitter, dl::TensorType type, ArrayRef<Index> position,
                             llvm::function_ref<bool(int64_t)> untouched,
                             SmallVectorImpl<int64_t> &firstAxes) {
  Position result;
  int64_t axis = 0;
  for (const Index &index : position) {
    bool all = true;
    for (int64_t i = axis; i < axis + index.axes; ++i)
      all &= untouched(i);
    if (all || index.axes == 1) {
      result.push_back(index);
      firstAxes.push_back(axis);
    } else {
      for (auto [i, part] :
           llvm::enumerate(emitter.expand(type.getShape().slice(axis, index.axes), {index}))) {
        result.push_back(part);
        firstAxes.push_back(axis + i);
      }
    }
    axis += index.axes;
  }
  return result;
}

Value ElementEmitter::emitSlice(dl::SliceOp op, ArrayRef<Index> position) {
  dl::TensorType from = op.getOperand().getType();
  MLIRContext *context = builder.getContext();
  SmallVector<int64_t> firstAxes;
  auto offsetOf = [&](int64_t axis) { return cast<dl::PolynomialAttr>(op.getOffsets()[axis]); };
  Position result = expandUnless(
      *this, op.getType(), position,
      [&](int64_t axis) {
        return offsetOf(axis).isConstant(0) && op.getStrides()[axis] == 1 &&
               from.getDim(axis) == op.getType().getDim(axis);
      },
      firstAxes);
  for (auto [index, axis] : llvm::zip_equal(result, firstAxes)) {
    if (index.axes != 1)
      continue;
    index = scale(index, dl::PolynomialAttr::getConstant(context, op.getStrides()[axis]));
    if (std::optional<int64_t> offset = offsetOf(axis).getConstantValue())
      index.offset += *offset;
    else
      index = sum(index, Index::uniform(evaluate(offsetOf(axis))));
  }
  return emit(op.getOperand(), result);
}

Value ElementEmitter::emitWhere(Value value, ArrayRef<Index> position, Value scalarCondition,
                                Value laneCondition, Value otherwise) {
  ValueBuilder values(*this);
  Value element;
  auto evaluateInside = [&] { element = emit(value, position); };
  auto underMask = [&] { laneCondition ? withMask(laneCondition, evaluateInside) : evaluateInside(); };
  scalarCondition ? withGuard(scalarCondition, underMask) : underMask();
  if (!element)
    return {};
  if (laneCondition)
    element = values.select(laneCondition, element, otherwise);
  if (scalarCondition)
    element = values.select(scalarCondition, element, otherwise);
  return element;
}

Value ElementEmitter::emitPad(dl::PadOp op, ArrayRef<Index> position) {
  ValueBuilder values(*this);
  dl::TensorType from = op.getOperand().getType();
  SmallVector<int64_t> firstAxes;
  auto lowOf = [&](int64_t axis) { return cast<dl::PolynomialAttr>(op.getLow()[axis]); };
  auto untouched = [&](int64_t axis) {
    return lowOf(axis).isConstant(0) && op.getInterior()[axis] == 0 &&
           from.getDim(axis) == op.getType().getDim(axis);
  };
  Position inside = expandUnless(*this, op.getType(), position, untouched, firstAxes);
  // An axis at a time: i is inside when i - low is a multiple of interior + 1 and its quotient less than the
  // size.
  Value scalarCondition, laneCondition;
  for (auto [index, axis] : llvm::zip_equal(inside, firstAxes)) {
    if (index.axes != 1 || untouched(axis))
      continue;
    dl::PolynomialAttr low = lowOf(axis);
    int64_t spread = op.getInterior()[axis] + 1;
    Index shifted = index.isUniform() ? index : index.outside(); // A uniform one is guarded.
    if (std::optional<int64_t> constantLow = low.getConstantValue())
      shifted.offset -= *constantLow;
    else
      shifted.base = sub(shifted.base, evaluate(low)), shifted.multiple = 1;
    Value size = evaluate(from.getDim(axis) * spread);
    Value wide = wideValue(shifted);
    Value wideSize = create<arith::IndexCastOp>({size}, values.i64(), size);
    // Unsigned comparison also refuses what is below 0.
    Value condition = values.cmpi(arith::CmpIPredicate::ult, wide, wideSize);
    if (spread > 1) {
      Value rest = values.remui(wide, values.constant(wide, spread));
      condition =
          values.andi(condition, values.cmpi(arith::CmpIPredicate::eq, rest, values.constant(wide, 0)));
      Value bounded = values.select(condition, wide, values.constant(wide, 0));
      Value quotient = values.divui(bounded, values.constant(wide, spread));
      if (shifted.isUniform()) {
        index = Index::uniform(create<arith::IndexCastOp>({quotient}, builder.getIndexType(), quotient));
      } else {
        index = Index::uniform(constant(0), 0);
        index.lanes = values.trunci(quotient, values.i32());
      }
    } else {
      index = shifted;
    }
    Value &all = shifted.isUniform() ? scalarCondition : laneCondition;
    all = all ? values.andi(all, condition) : condition;
  }
  return emitWhere(op.getOperand(), inside, scalarCondition, laneCondition, constantOf(op.getValue()));
}

Value ElementEmitter::emitConcat(dl::ConcatOp op, ArrayRef<Index> position) {
  ValueBuilder values(*this);
  int64_t along = op.getAxis();
  SmallVector<int64_t> firstAxes;
  Position parts =
      expandUnless(*this, op.getType(), position, [&](int64_t axis) { return axis != along; }, firstAxes);
  size_t which = llvm::find(firstAxes, along) - firstAxes.begin();
  Index index = parts[which];
  Value wide = wideValue(index), result;
  dl::PolynomialAttr start = dl::PolynomialAttr::getConstant(builder.getContext(), 0);
  for (Value input : op.getInputs()) {
    dl::PolynomialAttr size = cast<dl::TensorType>(input.getType()).getDim(along);
    Index local = index.isUniform() ? index : index.outside();
    if (std::optional<int64_t> constantStart = start.getConstantValue())
      local.offset -= *constantStart;
    else
      local.base = sub(local.base, evaluate(start)), local.multiple = 1;
    Value bound = evaluate(start + size);
    Value begin = evaluate(start);
    Value wideBound = create<arith::IndexCastOp>({bound}, values.i64(), bound);
    Value wideBegin = create<arith::IndexCastOp>({begin}, values.i64(), begin);
    Value condition = values.andi(values.cmpi(arith::CmpIPredicate::sge, wide, wideBegin),
                                  values.cmpi(arith::CmpIPredicate::slt, wide, wideBound));
    parts[which] = local;
    Value element;
    auto body = [&] { element = emit(input, parts); };
    isa<VectorType>(condition.getType()) ? withMask(condition, body) : withGuard(condition, body);
    if (!element)
      return {};
    result = result ? values.select(condition, element, result) : element;
    start = start + size;
  }
  return result;
}

} // namespace dlc::codegen
