// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Leaves, and operations that move elements.

#include "compiler/Numerics.h"
#include "compiler/Reference/Rules.h"

#include "llvm/ADT/TypeSwitch.h"

namespace dlc::reference {

using namespace mlir;

Element elementOf(TypedAttr value) {
  if (auto real = dyn_cast<FloatAttr>(value))
    return {real.getValueAsDouble(), 0};
  auto integer = cast<IntegerAttr>(value);
  return {0, wrap(integer.getValue().getSExtValue(), integer.getType())};
}

bool evaluateShape(Operation *op, Operands operands, SizeOf sizeOf, Tensor &result) {
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](dl::ConstantOp constant) {
        llvm::fill(result.elements, elementOf(constant.getValue()));
        return true;
      })
      .Case([&](dl::DimOp dim) {
        result.elements[0].integer = sizeOf(dim.getValue());
        return true;
      })
      .Case([&](dl::IotaOp iota) {
        forEachIndex(result.shape, [&](ArrayRef<int64_t> index) {
          int64_t i = index[iota.getAxis()];
          result.elements[result.offset(index)] = {static_cast<double>(i),
                                                   result.isFloat() ? 0 : wrap(i, result.elementType)};
        });
        return true;
      })
      .Case([&](dl::RandomKeyOp key) {
        result.elements[0].integer = static_cast<int64_t>(
            numerics::randomKey(operands[0]->integer(), static_cast<uint64_t>(key.getSite())));
        return true;
      })
      .Case([&](dl::RandomOp) {
        uint64_t key = operands[0]->integer(), iteration = operands[1]->integer();
        uint64_t index = operands.size() > 2 ? operands[2]->integer() : 0;
        for (int64_t i = 0; i < result.size(); ++i)
          result.elements[i].real = numerics::uniformFromWord(numerics::philoxWord(key, iteration, index, i));
        return true;
      })
      .Case([&](dl::BroadcastOp broadcast) {
        forEachIndex(result.shape, [&](ArrayRef<int64_t> index) {
          Shape source;
          for (int64_t axis : broadcast.getDims())
            source.push_back(index[axis]);
          result.elements[result.offset(index)] = operands[0]->elements[operands[0]->offset(source)];
        });
        return true;
      })
      .Case([&](dl::TransposeOp transpose) {
        forEachIndex(result.shape, [&](ArrayRef<int64_t> index) {
          Shape source(index.size());
          for (auto [axis, sourceAxis] : llvm::enumerate(transpose.getPermutation()))
            source[sourceAxis] = index[axis];
          result.elements[result.offset(index)] = operands[0]->elements[operands[0]->offset(source)];
        });
        return true;
      })
      .Case([&](dl::ReshapeOp) {
        result.elements = operands[0]->elements;
        return true;
      })
      .Case([&](dl::SliceOp slice) {
        forEachIndex(result.shape, [&](ArrayRef<int64_t> index) {
          Shape source(index.size());
          for (size_t axis = 0; axis < index.size(); ++axis)
            source[axis] = sizeOf(cast<dl::PolynomialAttr>(slice.getOffsets()[axis])) +
                           slice.getStrides()[axis] * index[axis];
          result.elements[result.offset(index)] = operands[0]->elements[operands[0]->offset(source)];
        });
        return true;
      })
      .Case([&](dl::PadOp pad) {
        llvm::fill(result.elements, elementOf(pad.getValue()));
        forEachIndex(operands[0]->shape, [&](ArrayRef<int64_t> index) {
          Shape target(index.size());
          for (size_t axis = 0; axis < index.size(); ++axis)
            target[axis] = sizeOf(cast<dl::PolynomialAttr>(pad.getLow()[axis])) +
                           (1 + pad.getInterior()[axis]) * index[axis];
          result.elements[result.offset(target)] = operands[0]->elements[operands[0]->offset(index)];
        });
        return true;
      })
      .Case([&](dl::ConcatOp concat) {
        int64_t axis = concat.getAxis(), start = 0;
        for (const Tensor *operand : operands) {
          forEachIndex(operand->shape, [&](ArrayRef<int64_t> index) {
            Shape target(index);
            target[axis] += start;
            result.elements[result.offset(target)] = operand->elements[operand->offset(index)];
          });
          start += operand->shape[axis];
        }
        return true;
      })
      .Default(false);
}

} // namespace dlc::reference
