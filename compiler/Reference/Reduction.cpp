// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions and contractions.

#include "compiler/Reference/Rules.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <limits>

namespace dlc::reference {

using namespace mlir;

namespace {

/// The result of reducing no elements.
Element neutral(dl::ReduceKind kind, Type elementType) {
  if (kind == dl::ReduceKind::Sum)
    return {};
  if (kind == dl::ReduceKind::Prod)
    return {1, 1};
  double infinity = std::numeric_limits<double>::infinity();
  bool isMax = kind == dl::ReduceKind::Max;
  int64_t extreme = 0;
  if (auto type = dyn_cast<IntegerType>(elementType)) {
    unsigned width = type.getWidth();
    if (type.isUnsigned())
      extreme = isMax ? 0 : static_cast<int64_t>(llvm::maxUIntN(width));
    else
      extreme = isMax ? llvm::minIntN(width) : llvm::maxIntN(width);
  }
  return {isMax ? -infinity : infinity, extreme};
}

Element combine(dl::ReduceKind kind, Element a, Element b, Type elementType) {
  auto integer = [&](uint64_t value) {
    return isa<FloatType>(elementType) ? 0 : wrap(static_cast<int64_t>(value), elementType);
  };
  auto l = static_cast<uint64_t>(a.integer), r = static_cast<uint64_t>(b.integer);
  switch (kind) {
  case dl::ReduceKind::Sum:
    return {a.real + b.real, integer(l + r)};
  case dl::ReduceKind::Prod:
    return {a.real * b.real, integer(l * r)};
  case dl::ReduceKind::Max:
    return {std::isnan(a.real) || a.real >= b.real ? a.real : b.real, std::max(a.integer, b.integer)};
  case dl::ReduceKind::Min:
    return {std::isnan(a.real) || a.real <= b.real ? a.real : b.real, std::min(a.integer, b.integer)};
  }
  llvm_unreachable("unknown reduction");
}

void reduce(dl::ReduceOp op, const Tensor &x, Tensor &result) {
  llvm::fill(result.elements, neutral(op.getKind(), result.elementType));
  forEachIndex(x.shape, [&](ArrayRef<int64_t> index) {
    Shape kept;
    for (auto [axis, i] : llvm::enumerate(index))
      if (!llvm::is_contained(op.getAxes(), static_cast<int64_t>(axis)))
        kept.push_back(i);
    Element &target = result.elements[result.offset(kept)];
    target = combine(op.getKind(), target, x.elements[x.offset(index)], result.elementType);
  });
}

void argMax(dl::ArgMaxOp op, const Tensor &x, Tensor &result) {
  int64_t axis = op.getAxis();
  forEachIndex(result.shape, [&](ArrayRef<int64_t> index) {
    Shape source(index);
    source.insert(source.begin() + axis, 0);
    double best = 0;
    for (int64_t i = 0; i < x.shape[axis]; ++i) {
      source[axis] = i;
      double value = x.number(x.offset(source));
      if (i == 0 || value > best || (std::isnan(value) && !std::isnan(best))) {
        best = value;
        result.elements[result.offset(index)].integer = i;
      }
    }
  });
}

void contract(dl::ContractOp op, const Tensor &lhs, const Tensor &rhs, Tensor &result) {
  std::string letters = op.getResultLetters().str() + op.getReducedLetters();
  // Where one step along each letter leads in a tensor with these letters.
  auto strides = [&](StringRef own, const Tensor &tensor) {
    Shape steps(letters.size(), 0), ownSteps = rowMajorStrides(tensor.shape);
    for (auto [axis, letter] : llvm::enumerate(own))
      steps[letters.find(letter)] = ownSteps[axis];
    return steps;
  };
  Shape lhsSteps = strides(op.getLhsLetters(), lhs), rhsSteps = strides(op.getRhsLetters(), rhs);
  Shape resultSteps = strides(op.getResultLetters(), result);
  Shape sizes;
  for (char letter : letters) {
    size_t axis = op.getLhsLetters().find(letter);
    sizes.push_back(axis != StringRef::npos ? lhs.shape[axis] : rhs.shape[op.getRhsLetters().find(letter)]);
  }
  forEachIndex(sizes, [&](ArrayRef<int64_t> index) {
    int64_t l = 0, r = 0, out = 0;
    for (auto [axis, i] : llvm::enumerate(index)) {
      l += lhsSteps[axis] * i;
      r += rhsSteps[axis] * i;
      out += resultSteps[axis] * i;
    }
    result.elements[out].real += lhs.real(l) * rhs.real(r);
  });
}

} // namespace

bool evaluateReduction(Operation *op, Operands operands, Tensor &result) {
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](dl::ReduceOp reduceOp) { return reduce(reduceOp, *operands[0], result), true; })
      .Case([&](dl::ArgMaxOp argMaxOp) { return argMax(argMaxOp, *operands[0], result), true; })
      .Case([&](dl::ContractOp contractOp) {
        return contract(contractOp, *operands[0], *operands[1], result), true;
      })
      .Default(false);
}

} // namespace dlc::reference
