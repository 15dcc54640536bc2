// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads and stores of elements: scalar, contiguous, every second, or gathered, under the mask and the guard.

#include "compiler/Codegen/ValueBuilder.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

#include "llvm/ADT/Sequence.h"
#include <numeric>

namespace dlc::codegen {

namespace {

/// Where the lanes of a position lie: at offset + lane·stride, or at offset + lanes[l].
struct Address {
  Value offset; ///< Index.
  int64_t stride = 0;
  Value lanes; ///< vector<16xi32> or null.
};

Address computeAddress(ElementEmitter &emitter, const Memory &memory, dl::TensorType type,
                       ArrayRef<Index> position) {
  ValueBuilder values(emitter);
  Address address{memory.offset ? memory.offset : emitter.constant(0), 0, {}};
  // Indices over several axes are taken as they are where the axes are contiguous.
  Position expanded;
  int64_t axis = 0;
  for (const Index &index : position) {
    bool contiguous = true;
    for (int64_t i = axis; i + 1 < axis + index.axes; ++i)
      contiguous &= memory.strides[i] == memory.strides[i + 1] * type.getDim(i + 1);
    if (contiguous)
      expanded.push_back(index);
    else
      llvm::append_range(expanded, emitter.expand(type.getShape().slice(axis, index.axes), {index}));
    axis += index.axes;
  }
  axis = 0;
  for (const Index &index : expanded) {
    axis += index.axes;
    if (index.axes == 0)
      continue;
    dl::PolynomialAttr stride = memory.strides[axis - 1];
    Value strideValue = emitter.evaluate(stride);
    address.offset = emitter.add(address.offset, emitter.mul(emitter.uniformValue(index), strideValue));
    if (index.isUniform())
      continue;
    std::optional<int64_t> constant = stride.getConstantValue();
    if (!index.lanes && constant) {
      address.stride += index.stride * *constant;
      continue;
    }
    Value lanes = emitter.laneOffsets(index);
    if (!stride.isConstant(1)) {
      Value stride32 = emitter.create<arith::IndexCastOp>({strideValue}, values.i32(), strideValue);
      lanes = values.muli(lanes, stride32);
    }
    address.lanes = address.lanes ? values.addi(address.lanes, lanes) : lanes;
  }
  if (address.lanes && address.stride != 0) {
    Index constantPart{address.offset, address.stride, {}, 1, 1, 0};
    address.lanes = values.addi(address.lanes, emitter.laneOffsets(constantPart));
    address.stride = 0;
  }
  return address;
}

/// Elements as they lie in memory to elements in registers.
Value fromStorage(ValueBuilder &values, Value stored, Type elementType) {
  if (elementType.isInteger(1))
    return values.cmpi(arith::CmpIPredicate::ne, stored, values.constant(stored, 0));
  if (elementType.isBF16())
    return values.bitcast(values.shli(values.extui(stored, values.i32()), 16), values.f32());
  if (elementType.isF16())
    return values.extf(values.bitcast(stored, elementType), values.f32());
  return stored;
}

Value toStorage(ValueBuilder &values, Value element, Type elementType) {
  if (elementType.isInteger(1))
    return values.extui(element, values.i8());
  if (elementType.isBF16()) // Already rounded.
    return values.trunci(values.shrui(values.bitcast(element, values.i32()), 16), values.i16());
  if (elementType.isF16())
    return values.bitcast(values.truncf(element, elementType), values.i16());
  return element;
}

} // namespace

Value ElementEmitter::load(const Memory &memory, dl::TensorType type, ArrayRef<Index> position) {
  ValueBuilder values(*this);
  Type stored = storageType(type.getElementType());
  Address address = computeAddress(*this, memory, type, position);
  auto place = [&](ValueRange operands) {
    if (memory.isConstant)
      placeFor(operands, conditionLevel());
  };
  if (!address.lanes && address.stride == 0) {
    Value offset = address.offset, used = guard;
    if (mask && llvm::any_of(position, [](const Index &index) { return index.mayLieOutside; })) {
      Value any = anyLane(mask);
      used = used ? values.andi(used, any) : any;
    }
    // A scalar that will not be used may lie outside: read the first element instead.
    if (used)
      offset = create<arith::SelectOp>({used, offset, constant(0)}, used, offset, constant(0));
    OpBuilder::InsertionGuard insertion(builder);
    place({memory.memref, offset});
    Value element = memref::LoadOp::create(builder, memory.memref, offset);
    return fromStorage(values, element, type.getElementType());
  }

  VectorType vector = vectorOf(stored);
  Value active = mask;
  if (guard) {
    Value all = broadcast(guard);
    active = active ? values.andi(active, all) : all;
  }
  auto zeros = [&] { return constantOf(vector, 0); };
  auto loadRow = [&](Value offset, Value active) -> Value {
    OpBuilder::InsertionGuard insertion(builder);
    if (!active) {
      place({memory.memref, offset});
      return vector::LoadOp::create(builder, vector, memory.memref, offset);
    }
    Value zero = zeros();
    place({memory.memref, offset, active});
    return vector::MaskedLoadOp::create(builder, vector, memory.memref, offset, active, zero);
  };
  Value result;
  if (!address.lanes && address.stride == 1) {
    result = loadRow(address.offset, active);
  } else if (!address.lanes && address.stride == 2 && (!active || (maskCount && !guard)) && lanes == 16) {
    // Elements 0, 2, … 30 out of two rows, of which the second starts at 15: element 31 may not exist.
    Value firstMask, secondMask;
    if (active) {
      Value needed = sub(mul(maskCount, constant(2)), constant(1));
      firstMask = firstLanes(needed);
      secondMask = firstLanes(sub(needed, constant(15)));
    }
    Value first = loadRow(address.offset, firstMask);
    Value second = loadRow(add(address.offset, constant(15)), secondMask);
    SmallVector<int64_t> lanesTaken;
    for (int64_t i = 0; i < 8; ++i)
      lanesTaken.push_back(2 * i);
    for (int64_t i = 0; i < 8; ++i)
      lanesTaken.push_back(16 + 2 * i + 1);
    result = create<vector::ShuffleOp>({first, second}, first, second, lanesTaken);
  } else {
    Value offsets = address.lanes;
    if (!offsets)
      offsets = laneOffsets(Index{address.offset, address.stride, {}, 1, 1, 0});
    Value zero = zeros();
    if (!active)
      active = constantOf(vectorOf(builder.getI1Type()), 1);
    OpBuilder::InsertionGuard insertion(builder);
    place({memory.memref, address.offset, offsets, active});
    result = vector::GatherOp::create(builder, vector, memory.memref, ValueRange{address.offset}, offsets,
                                      active, zero);
  }
  return fromStorage(values, result, type.getElementType());
}

void ElementEmitter::store(const Memory &memory, dl::TensorType type, ArrayRef<Index> position,
                           Value element) {
  ValueBuilder values(*this);
  Address address = computeAddress(*this, memory, type, position);
  element = toStorage(values, element, type.getElementType());
  if (!address.lanes && address.stride == 0) {
    // The lanes stand along an axis of size 1, which the position lacks: the first is the element.
    if (isa<VectorType>(element.getType()))
      element = create<vector::ExtractOp>({element}, element, int64_t(0));
    if (!guard) {
      memref::StoreOp::create(builder, element, memory.memref, address.offset);
      return;
    }
    auto branch = scf::IfOp::create(builder, TypeRange{}, guard, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard insertion(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    memref::StoreOp::create(builder, element, memory.memref, address.offset);
    return;
  }
  element = broadcast(element);
  Value active = mask;
  if (guard) {
    Value all = broadcast(guard);
    active = active ? values.andi(active, all) : all;
  }
  if (!address.lanes && address.stride == 1) {
    std::optional<int64_t> count = maskCount && !guard ? getConstantIntValue(maskCount) : std::nullopt;
    if (count && !hasMaskRegisters)
      storeFirstLanes(memory.memref, address.offset, element, *count);
    else if (active)
      vector::MaskedStoreOp::create(builder, memory.memref, address.offset, active, element);
    else
      vector::StoreOp::create(builder, element, memory.memref, address.offset);
    return;
  }
  Value offsets = address.lanes;
  if (!offsets)
    offsets = laneOffsets(Index{address.offset, address.stride, {}, 1, 1, 0});
  if (!active)
    active = constantOf(vectorOf(builder.getI1Type()), 1);
  vector::ScatterOp::create(builder, Type(), memory.memref, ValueRange{address.offset}, offsets, active,
                            element);
}

void ElementEmitter::storeFirstLanes(Value memref, Value offset, Value element, int64_t count) {
  count = std::min(count, lanes);
  for (int64_t at = 0, size = lanes; size >= 1; size /= 2) {
    if (at + size > count)
      continue;
    Value piece = element;
    if (size < lanes)
      piece = vector::ShuffleOp::create(builder, element, element, llvm::to_vector(llvm::seq(at, at + size)));
    vector::StoreOp::create(builder, piece, memref, add(offset, constant(at)));
    at += size;
  }
}

} // namespace dlc::codegen
