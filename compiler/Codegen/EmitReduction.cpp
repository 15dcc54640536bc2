// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions inside a kernel, in the order of compiler/Numerics.h, in one of two ways:
//
//  - along the lanes: the result is one element; 16 neighbours of the reduced index are a vector, and the 16
//    accumulators are one vector;
//  - across: the result has an element per lane (or there are no lanes, on a GPU). The accumulators run one
//    after another, in the order in which the tree wants them: 0, 8, 4, 12, 2, ... A partial sum is kept per
//    level of the tree, as a binary counter keeps its digits.

#include "compiler/Codegen/JointReductions.h"
#include "compiler/Codegen/ValueBuilder.h"
#include "compiler/Numerics.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/SaveAndRestore.h"

#include <limits>
#include <numeric>

namespace dlc::codegen {

namespace {

using numerics::kReductionBlock;
using numerics::kReductionLanes;

/// The positions of the reduced elements: kept indices and the reduced ones, put together.
struct ReducedSpace {
  dl::TensorType type; ///< The operand's.
  SmallVector<int64_t> axes;
  Position kept; ///< One index or more per run of kept axes.
  SmallVector<int64_t> keptAxes;
  SmallVector<dl::PolynomialAttr> runSizes; ///< Of the runs of consecutive reduced axes.
  SmallVector<std::pair<int64_t, int64_t>> runs;
  dl::PolynomialAttr count;

  ReducedSpace(ElementEmitter &emitter, dl::TensorType type, ArrayRef<int64_t> axes, ArrayRef<Index> position)
      : type(type), axes(axes) {
    SmallVector<int64_t> remaining;
    for (int64_t axis = 0; axis < type.getRank(); ++axis)
      if (!llvm::is_contained(axes, axis))
        remaining.push_back(axis);
    size_t next = 0;
    for (const Index &index : position) {
      bool neighbours = true;
      for (size_t i = next; i + 1 < next + index.axes; ++i)
        neighbours &= remaining[i + 1] == remaining[i] + 1;
      if (neighbours && index.axes > 0) {
        kept.push_back(index);
        keptAxes.push_back(remaining[next]);
      } else if (index.axes > 0) {
        SmallVector<dl::PolynomialAttr> shape;
        for (unsigned i = 0; i < index.axes; ++i)
          shape.push_back(type.getDim(remaining[next + i]));
        for (auto [i, part] : llvm::enumerate(emitter.expand(shape, {index}))) {
          kept.push_back(part);
          keptAxes.push_back(remaining[next + i]);
        }
      }
      next += index.axes;
    }
    count = dl::PolynomialAttr::getConstant(type.getContext(), 1);
    for (size_t i = 0; i < axes.size();) {
      size_t end = i + 1;
      while (end < axes.size() && axes[end] == axes[end - 1] + 1)
        ++end;
      dl::PolynomialAttr size = dl::PolynomialAttr::getConstant(type.getContext(), 1);
      for (size_t j = i; j < end; ++j)
        size = size * type.getDim(axes[j]);
      runs.push_back({axes[i], static_cast<int64_t>(end - i)});
      runSizes.push_back(size);
      count = count * size;
      i = end;
    }
  }

  /// The operand's position for the given indices of the runs.
  Position at(ArrayRef<Index> runIndices) const {
    SmallVector<std::pair<int64_t, Index>> parts;
    for (auto [index, axis] : llvm::zip_equal(kept, keptAxes))
      parts.push_back({axis, index});
    for (auto [index, run] : llvm::zip_equal(runIndices, runs))
      parts.push_back({run.first, index.covering(run.second)});
    llvm::sort(parts, [](auto &a, auto &b) { return a.first < b.first; });
    Position position;
    for (auto &[axis, index] : parts)
      position.push_back(index);
    return position;
  }
};

/// Elements of the operand at a reduced index, which may span several runs of axes.
SmallVector<Value> elementsAt(ElementEmitter &emitter, const ReducedSpace &space, const Index &reduced,
                              llvm::function_ref<SmallVector<Value>(ArrayRef<Index>)> emitAt) {
  if (space.runs.empty())
    return emitAt(space.at({}));
  Index whole = reduced.covering(space.runSizes.size());
  if (reduced.isUniform() || space.runs.size() == 1)
    return emitAt(space.at(emitter.expand(space.runSizes, {whole})));
  // Sixteen neighbours mostly lie within one run of the innermost axes; only where they do not, they are
  // gathered.
  dl::PolynomialAttr inner = space.runSizes.back();
  auto [quotient, remainder] = emitter.divideWithRemainder(reduced, inner);
  SmallVector<dl::PolynomialAttr> outer(ArrayRef(space.runSizes).drop_back());
  auto positionOf = [&](const Index &quotient, const Index &remainder) {
    Position indices = emitter.expand(outer, {quotient.covering(outer.size())});
    indices.push_back(remainder);
    return space.at(indices);
  };
  if (quotient.isUniform() && !remainder.lanes)
    return emitAt(positionOf(quotient, remainder));
  Value base = emitter.uniformValue(reduced), size = emitter.evaluate(inner);
  Value start = emitter.remainder(base, size);
  Value last = emitter.add(start, emitter.constant(emitter.getLanes() - 1));
  return emitter.ifElse(
      emitter.less(last, size),
      [&] {
        Index row = Index::uniform(emitter.divide(base, size));
        return emitAt(positionOf(row, Index::contiguous(start)));
      },
      [&] { return emitAt(positionOf(quotient, remainder)); });
}

//===----------------------------------------------------------------------===//
// What is accumulated
//===----------------------------------------------------------------------===//

/// Combines accumulators; an accumulator is one value, or two for argmax (largest, its index).
struct Accumulation {
  virtual ~Accumulation() = default;
  virtual SmallVector<Value> start(bool asVector) = 0;
  virtual SmallVector<Value> combine(ArrayRef<Value> left, ArrayRef<Value> right) = 0;
};

struct KindAccumulation : Accumulation {
  KindAccumulation(ValueBuilder &v, dl::ReduceKind kind, Type elementType)
      : v(v), kind(kind), elementType(elementType) {}

  SmallVector<Value> start(bool asVector) override {
    Type type = computeType(elementType);
    Value scalar;
    double infinity = std::numeric_limits<double>::infinity();
    if (kind == dl::ReduceKind::Sum || kind == dl::ReduceKind::Prod) {
      scalar = v.emitter.constantOf(type, kind == dl::ReduceKind::Prod);
    } else if (isa<FloatType>(type)) {
      scalar = v.emitter.constantOf(type, kind == dl::ReduceKind::Max ? -infinity : infinity);
    } else {
      unsigned width = type.getIntOrFloatBitWidth();
      bool isUnsigned = elementType.isUnsignedInteger(), isMax = kind == dl::ReduceKind::Max;
      APInt value = isUnsigned ? (isMax ? APInt::getZero(width) : APInt::getMaxValue(width))
                               : (isMax ? APInt::getSignedMinValue(width) : APInt::getSignedMaxValue(width));
      scalar = v.emitter.constantOf(cast<TypedAttr>(IntegerAttr::get(type, value)));
    }
    return {asVector ? v.emitter.broadcast(scalar) : scalar};
  }

  SmallVector<Value> combine(ArrayRef<Value> left, ArrayRef<Value> right) override {
    Value a = left[0], b = right[0];
    bool isUnsigned = elementType.isUnsignedInteger();
    if (isa<FloatType>(elementType)) {
      switch (kind) {
      case dl::ReduceKind::Sum:
        return {v.addf(a, b)};
      case dl::ReduceKind::Prod:
        return {v.mulf(a, b)};
      case dl::ReduceKind::Max:
        return {v.maxf(a, b)};
      case dl::ReduceKind::Min:
        return {v.minf(a, b)};
      }
    }
    using P = arith::CmpIPredicate;
    switch (kind) {
    case dl::ReduceKind::Sum:
      return {v.addi(a, b)};
    case dl::ReduceKind::Prod:
      return {v.muli(a, b)};
    case dl::ReduceKind::Max:
      return {v.select(v.cmpi(isUnsigned ? P::uge : P::sge, a, b), a, b)};
    case dl::ReduceKind::Min:
      return {v.select(v.cmpi(isUnsigned ? P::ule : P::sle, a, b), a, b)};
    }
    llvm_unreachable("every kind is handled");
  }

  ValueBuilder &v;
  dl::ReduceKind kind;
  Type elementType;
};

/// Several reductions of the same elements' positions, an accumulator each.
struct JointAccumulation : Accumulation {
  JointAccumulation(ValueBuilder &v, ArrayRef<dl::ReduceOp> ops) {
    for (dl::ReduceOp op : ops)
      parts.push_back(std::make_unique<KindAccumulation>(v, op.getKind(), op.getType().getElementType()));
  }

  SmallVector<Value> start(bool asVector) override {
    SmallVector<Value> values;
    for (auto &part : parts)
      values.push_back(part->start(asVector)[0]);
    return values;
  }

  SmallVector<Value> combine(ArrayRef<Value> left, ArrayRef<Value> right) override {
    SmallVector<Value> values;
    for (auto [i, part] : llvm::enumerate(parts))
      values.push_back(part->combine(left[i], right[i])[0]);
    return values;
  }

  SmallVector<std::unique_ptr<KindAccumulation>> parts;
};

/// Keeps the larger; of equals (and of NaNs, which are largest) the one of lower index.
struct ArgMaxAccumulation : Accumulation {
  ArgMaxAccumulation(ValueBuilder &v, Type elementType)
      : v(v), largest(v, dl::ReduceKind::Max, elementType) {}

  SmallVector<Value> start(bool asVector) override {
    // Before an element has come, the index is past all others.
    Value none = v.emitter.constantOf(v.i32(), std::numeric_limits<int32_t>::max());
    return {largest.start(asVector)[0], asVector ? v.emitter.broadcast(none) : none};
  }

  SmallVector<Value> combine(ArrayRef<Value> left, ArrayRef<Value> right) override {
    Value greater, equal;
    if (isa<FloatType>(largest.elementType)) {
      Value leftNaN = v.isNaN(left[0]), rightNaN = v.isNaN(right[0]);
      greater =
          v.ori(v.cmpf(arith::CmpFPredicate::OGT, right[0], left[0]), v.andi(rightNaN, v.notb(leftNaN)));
      equal = v.ori(v.cmpf(arith::CmpFPredicate::OEQ, right[0], left[0]), v.andi(rightNaN, leftNaN));
    } else {
      using P = arith::CmpIPredicate;
      greater = v.cmpi(largest.elementType.isUnsignedInteger() ? P::ugt : P::sgt, right[0], left[0]);
      equal = v.cmpi(P::eq, right[0], left[0]);
    }
    Value earlier = v.cmpi(arith::CmpIPredicate::slt, right[1], left[1]);
    Value take = v.ori(greater, v.andi(equal, earlier));
    return {v.select(take, right[0], left[0]), v.select(take, right[1], left[1])};
  }

  ValueBuilder &v;
  KindAccumulation largest;
};

//===----------------------------------------------------------------------===//
// The two orders
//===----------------------------------------------------------------------===//

using EmitElements = llvm::function_ref<SmallVector<Value>(const Index &reduced)>;

/// Runs `block` over the blocks of 4,096 and combines their results in order.
SmallVector<Value>
overBlocks(ElementEmitter &emitter, ValueBuilder &v, Accumulation &accumulation, dl::PolynomialAttr count,
           bool asVector, llvm::function_ref<SmallVector<Value>(Value begin, Value size, bool whole)> block) {
  std::optional<int64_t> constantCount = count.getConstantValue();
  Value total = emitter.evaluate(count);
  if (constantCount && *constantCount <= kReductionBlock)
    return block(emitter.constant(0), total, true);
  // The empty sum is a block without elements.
  Value zero = emitter.constant(0), blockSize = emitter.constant(kReductionBlock);
  Value one = emitter.constant(1);
  Value end = emitter.create<arith::MaxSIOp>({total, one}, total, one);
  return emitter.forLoop(
      zero, end, kReductionBlock, accumulation.start(asVector), [&](Value begin, ValueRange sums) {
        Value size = emitter.minimum(emitter.sub(total, begin), blockSize);
        SmallVector<Value> sum = block(begin, size, false);
        SmallVector<Value> both = accumulation.combine(SmallVector<Value>(sums), sum);
        Value isFirst = emitter.create<arith::CmpIOp>({begin, zero}, arith::CmpIPredicate::eq, begin, zero);
        for (auto [all, only] : llvm::zip_equal(both, sum))
          all = v.select(isFirst, only, all);
        return both;
      });
}

SmallVector<Value> reduceAlongLanes(ElementEmitter &emitter, ValueBuilder &v, Accumulation &accumulation,
                                    dl::PolynomialAttr count, EmitElements elements) {
  std::optional<int64_t> constantCount = count.getConstantValue();
  int64_t factor = 0;
  for (int64_t coefficient : count.getCoefficients())
    factor = std::gcd(factor, coefficient);
  auto block = [&](Value begin, Value size, bool whole) -> SmallVector<Value> {
    Value lanes = emitter.constant(kReductionLanes);
    Value vectors = emitter.divide(size, lanes);
    Value full = emitter.mul(vectors, lanes);
    SmallVector<Value> sums = accumulation.start(true);
    auto vectorAt = [&](Value offset, ValueRange sums) {
      SmallVector<Value> next = elements(Index::contiguous(emitter.add(begin, offset), kReductionLanes));
      for (Value &value : next)
        value = emitter.broadcast(value);
      return accumulation.combine(SmallVector<Value>(sums), next);
    };
    if (!constantCount || *constantCount >= 2 * kReductionLanes)
      sums = emitter.forLoop(emitter.constant(0), full, kReductionLanes, sums,
                             [&](Value offset, ValueRange sums) { return vectorAt(offset, sums); });
    else if (*constantCount >= kReductionLanes)
      sums = vectorAt(emitter.constant(0), sums);
    if (factor % kReductionLanes != 0) {
      Value rest = emitter.sub(size, full);
      auto tail = [&]() -> SmallVector<Value> {
        SmallVector<Value> result;
        emitter.withFirstLanes(rest, [&] {
          result = vectorAt(full, sums);
          for (auto [combined, before] : llvm::zip_equal(result, sums))
            combined = v.select(emitter.getMask(), combined, before);
        });
        return result;
      };
      if (constantCount)
        sums = tail();
      else
        sums = emitter.ifElse(emitter.less(emitter.constant(0), rest), tail, [&] { return sums; });
    }
    for (int64_t distance = kReductionLanes / 2; distance >= 1; distance /= 2) {
      // Halves of ever shorter vectors: lane l meets lane l + distance.
      SmallVector<Value> low, high;
      for (Value sum : sums) {
        SmallVector<int64_t> lower, upper;
        for (int64_t lane = 0; lane < distance; ++lane) {
          lower.push_back(lane);
          upper.push_back(lane + distance);
        }
        low.push_back(emitter.create<vector::ShuffleOp>({sum}, sum, sum, lower));
        high.push_back(emitter.create<vector::ShuffleOp>({sum}, sum, sum, upper));
      }
      sums = accumulation.combine(low, high);
    }
    for (Value &sum : sums)
      sum = emitter.create<vector::ExtractOp>({sum}, sum, int64_t(0));
    return sums;
  };
  return overBlocks(emitter, v, accumulation, count, false, block);
}

SmallVector<Value> reduceAcross(ElementEmitter &emitter, ValueBuilder &v, Accumulation &accumulation,
                                dl::PolynomialAttr count, bool asVector, EmitElements elements) {
  auto block = [&](Value begin, Value size, bool whole) -> SmallVector<Value> {
    constexpr int levels = 4; // 16 lanes.
    SmallVector<Value> neutral = accumulation.start(asVector);
    size_t width = neutral.size();
    SmallVector<Value> partial; // One accumulator per level, then the total.
    for (int level = 0; level <= levels; ++level)
      llvm::append_range(partial, neutral);
    SmallVector<Value> result = emitter.forLoop(
        emitter.constant(0), emitter.constant(kReductionLanes), 1, partial,
        [&](Value turn, ValueRange partial) {
          // 1. The lane whose turn it is: the turn's four bits reversed.
          Value bits = emitter.create<arith::IndexCastOp>({turn}, v.i32(), turn),
                lane32 = v.constant(bits, 0);
          for (int i = 0; i < levels; ++i) {
            Value bit = v.andi(v.shrui(bits, i), v.constant(bits, 1));
            lane32 = v.ori(lane32, v.shli(bit, levels - 1 - i));
          }
          Value lane =
              emitter.create<arith::IndexCastOp>({lane32}, emitter.getBuilder().getIndexType(), lane32);
          // 2. Its elements in order.
          SmallVector<Value> sum =
              emitter.forLoop(lane, size, kReductionLanes, neutral, [&](Value offset, ValueRange sums) {
                SmallVector<Value> next = elements(Index::uniform(emitter.add(begin, offset)));
                if (asVector)
                  for (Value &value : next)
                    value = emitter.broadcast(value);
                return accumulation.combine(SmallVector<Value>(sums), next);
              });
          // 3. Combine it with the partial sums of full subtrees, lowest level first; what is not complete
          // stays.
          SmallVector<Value> next(partial);
          Value carries; // Null: always.
          for (int level = 0; level <= levels; ++level) {
            auto slot = MutableArrayRef(next).slice(level * width, width);
            SmallVector<Value> before(slot);
            Value bit = level < levels
                            ? v.cmpi(arith::CmpIPredicate::ne,
                                     v.andi(v.shrui(bits, level), v.constant(bits, 1)), v.constant(bits, 0))
                            : Value();
            // The sum rests here if it came this far and this level is empty.
            Value rests = bit ? v.notb(bit) : Value();
            if (carries)
              rests = rests ? v.andi(carries, rests) : carries;
            for (auto [stored, was, now] : llvm::zip_equal(slot, before, sum))
              stored = v.select(rests, now, was);
            if (level == levels)
              break;
            carries = carries ? v.andi(carries, bit) : bit;
            SmallVector<Value> combined = accumulation.combine(before, sum);
            for (auto [value, both] : llvm::zip_equal(sum, combined))
              value = v.select(carries, both, value);
          }
          return next;
        });
    return SmallVector<Value>(ArrayRef(result).take_back(width));
  };
  return overBlocks(emitter, v, accumulation, count, asVector, block);
}

bool isUniform(ArrayRef<Index> position) {
  return llvm::all_of(position, [](const Index &index) { return index.isUniform(); });
}

/// Whether the lanes are neighbours of the reduced index.
bool isAlongLanes(const ElementEmitter &emitter, ArrayRef<Index> position) {
  return isUniform(position) && emitter.getLanes() == kReductionLanes;
}

SmallVector<Value> reduce(ElementEmitter &emitter, ValueBuilder &v, Accumulation &accumulation,
                          const ReducedSpace &space, ArrayRef<Index> position, EmitElements elements) {
  if (isAlongLanes(emitter, position))
    return reduceAlongLanes(emitter, v, accumulation, space.count, elements);
  return reduceAcross(emitter, v, accumulation, space.count, !isUniform(position), elements);
}

} // namespace

SmallVector<Value> ElementEmitter::atLevelOfReduction(ArrayRef<Index> position,
                                                      llvm::function_ref<SmallVector<Value>()> body) {
  bool oneElement = isUniform(position);
  // The loops depend on the kept indices only: they stand outside of loops that do not change those. A
  // uniform sum does not look at the lanes in use.
  size_t level = std::max(levelOf(position), conditionLevel());
  llvm::SaveAndRestore savedMask(mask), savedCount(maskCount), savedGuard(guard);
  // But where no lane is in use it may stand outside of its operand.
  if (oneElement && mask && llvm::any_of(position, [](const Index &index) { return index.mayLieOutside; })) {
    Value any = anyLane(mask);
    guard = guard ? create<arith::AndIOp>({guard, any}, guard, any) : any;
  }
  if (guard)
    level = std::max(level, levelOf(guard));
  if (!oneElement && mask)
    level = std::max(level, levelOf(mask));
  if (oneElement)
    mask = maskCount = nullptr;
  return atLevel(level, body);
}

Value ElementEmitter::emitReduce(dl::ReduceOp op, ArrayRef<Index> position) {
  // Along the lanes, what goes over the same elements is one loop. Across them partial sums fill the
  // registers; and what a kernel's loops supply may be there for one of the reductions alone.
  SmallVector<dl::ReduceOp> ops{op};
  if (isAlongLanes(*this, position) && sources.empty())
    ops = reductionsWith(op);
  llvm::erase_if(ops, [&](dl::ReduceOp other) {
    return other != op && lookUp({other.getResult().getAsOpaquePointer(), 0}, position);
  });
  SmallVector<Value> results = atLevelOfReduction(position, [&]() -> SmallVector<Value> {
    ValueBuilder v(*this);
    ReducedSpace space(*this, op.getOperand().getType(), op.getAxes(), position);
    JointAccumulation accumulation(v, ops);
    bool failed = false;
    SmallVector<Value> results = reduce(*this, v, accumulation, space, position, [&](const Index &reduced) {
      return elementsAt(*this, space, reduced, [&](ArrayRef<Index> at) {
        SmallVector<Value> elements;
        for (auto [one, neutral] : llvm::zip_equal(ops, accumulation.start(false))) {
          Value element = emit(one.getOperand(), at);
          failed |= !element;
          elements.push_back(element ? element : neutral);
        }
        return elements;
      });
    });
    if (failed)
      return {};
    for (auto [one, result] : llvm::zip_equal(ops, results))
      result = v.roundTo(result, one.getType().getElementType());
    return results;
  });
  if (results.empty())
    return {};
  for (auto [one, result] : llvm::drop_begin(llvm::zip_equal(ops, results)))
    remember({one.getResult().getAsOpaquePointer(), 0}, position, result);
  return results[0];
}

Value ElementEmitter::emitArgMax(dl::ArgMaxOp op, ArrayRef<Index> position) {
  SmallVector<Value> results = atLevelOfReduction(position, [&]() -> SmallVector<Value> {
    ValueBuilder v(*this);
    dl::TensorType type = op.getOperand().getType();
    ReducedSpace space(*this, type, {static_cast<int64_t>(op.getAxis())}, position);
    ArgMaxAccumulation accumulation(v, type.getElementType());
    bool failed = false;
    SmallVector<Value> result = reduce(*this, v, accumulation, space, position, [&](const Index &reduced) {
      return elementsAt(*this, space, reduced, [&](ArrayRef<Index> at) -> SmallVector<Value> {
        Value element = emit(op.getOperand(), at);
        failed |= !element;
        return {element ? element : accumulation.start(false)[0], v.trunci(wideValue(reduced), v.i32())};
      });
    });
    return failed ? SmallVector<Value>() : result;
  });
  if (results.empty())
    return {};
  if (dl::isNeverNegative(op.getOperand().getType().getDim(op.getAxis()) - 1))
    return results[1];
  ValueBuilder v(*this);
  Value index = results[1], none = v.constant(index, std::numeric_limits<int32_t>::max());
  return v.select(v.cmpi(arith::CmpIPredicate::eq, index, none), v.constant(index, 0), index);
}

} // namespace dlc::codegen
