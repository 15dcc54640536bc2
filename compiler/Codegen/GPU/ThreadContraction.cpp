// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Codegen/GPU/ThreadContraction.h"

#include "compiler/Codegen/ValueBuilder.h"
#include "compiler/Numerics.h"

#include "llvm/ADT/TypeSwitch.h"

namespace dlc::codegen {

namespace {

dl::TensorType typeOf(Value value) {
  return cast<dl::TensorType>(value.getType());
}

/// Σ over k < the product of `sizes` of left(k) · right(k) in chunks (Numerics.h), with k's row-major parts
/// given as one index per size.
class ChunkedSum {
public:
  using Factors = llvm::function_ref<std::pair<Value, Value>(const Position &)>;

  ChunkedSum(ElementEmitter &emitter, Type elementType, ArrayRef<dl::PolynomialAttr> sizes, MLIRContext *mlir,
             Factors factors)
      : emitter(emitter), v(emitter), sizes(sizes), factors(factors),
        start(emitter.constantOf(computeType(elementType), 0)), count(dl::product(mlir, sizes)) {}

  Value emit() {
    std::optional<int64_t> known = count.getConstantValue();
    if (known && *known <= numerics::kContractionChunk)
      return emitNest({}, emitter.constant(0), {start}, [&](const Position &k, Value, ValueRange sums) {
        return SmallVector<Value>{accumulate(k, sums[0])};
      })[0];
    auto isLoop = [](dl::PolynomialAttr size) { return !size.isConstant(1); };
    return llvm::count_if(sizes, isLoop) == 1 ? emitOneAxis() : emitManyAxes();
  }

private:
  using Body = llvm::function_ref<SmallVector<Value>(const Position &k, Value linear, ValueRange sums)>;

  Value accumulate(const Position &k, Value sum) {
    auto [left, right] = factors(k);
    return left && right ? v.fma(left, right, sum) : sum; // Null after an error.
  }

  /// The sum so far and one more chunk; the first chunk is the start.
  Value addChunk(Value isFirst, Value sum, Value chunk) {
    return v.select(isFirst, chunk, v.addf(sum, chunk));
  }

  Value equal(Value a, Value b) {
    return emitter.create<arith::CmpIOp>({a, b}, arith::CmpIPredicate::eq, a, b);
  }

  /// One loop per axis; `linear` is k so far.
  SmallVector<Value> emitNest(const Position &outer, Value linear, ValueRange sums, Body body) {
    size_t axis = outer.size();
    if (axis == sizes.size())
      return body(outer, linear, sums);
    Value size = emitter.evaluate(sizes[axis]);
    auto inner = [&](Value i, ValueRange sums) {
      Position k = outer;
      k.push_back(Index::uniform(i));
      return emitNest(k, emitter.add(emitter.mul(linear, size), i), sums, body);
    };
    if (sizes[axis].isConstant(1))
      return inner(emitter.constant(0), sums);
    return emitter.forLoop(emitter.constant(0), size, 1, sums, inner);
  }

  /// A loop over chunks, and one over the elements of a chunk.
  Value emitOneAxis() {
    Value zero = emitter.constant(0), total = emitter.evaluate(count);
    Value size = emitter.constant(numerics::kContractionChunk);
    return emitter.forLoop(zero, total, numerics::kContractionChunk, {start},
                           [&](Value begin, ValueRange sums) -> SmallVector<Value> {
                             Value end = emitter.minimum(total, emitter.add(begin, size));
                             Value chunk = emitter.forLoop(
                                 begin, end, 1, {start}, [&](Value i, ValueRange sums) -> SmallVector<Value> {
                                   Position k;
                                   for (dl::PolynomialAttr axisSize : sizes)
                                     k.push_back(Index::uniform(axisSize.isConstant(1) ? zero : i));
                                   return {accumulate(k, sums[0])};
                                 })[0];
                             return {addChunk(equal(begin, zero), sums[0], chunk)};
                           })[0];
  }

  /// A loop per axis, so that nothing is divided; a chunk ends wherever k says so.
  Value emitManyAxes() {
    Value zero = emitter.constant(0), size = emitter.constant(numerics::kContractionChunk);
    SmallVector<Value> sums =
        emitNest({}, zero, {start, start},
                 [&](const Position &k, Value linear, ValueRange sums) -> SmallVector<Value> {
                   Value isWhole = equal(emitter.remainder(linear, size), zero);
                   Value ends = v.andi(isWhole, v.notb(equal(linear, zero)));
                   Value sum = v.select(ends, addChunk(equal(linear, size), sums[0], sums[1]), sums[0]);
                   return {sum, accumulate(k, v.select(ends, start, sums[1]))};
                 });
    Value isOnly = v.notb(emitter.less(size, emitter.evaluate(count)));
    return addChunk(isOnly, sums[0], sums[1]);
  }

  ElementEmitter &emitter;
  ValueBuilder v;
  ArrayRef<dl::PolynomialAttr> sizes;
  Factors factors;
  Value start;
  dl::PolynomialAttr count;
};

Value emitChunks(ElementEmitter &emitter, Type elementType, ArrayRef<dl::PolynomialAttr> sizes,
                 MLIRContext *mlir, ChunkedSum::Factors factors) {
  return ChunkedSum(emitter, elementType, sizes, mlir, factors).emit();
}

Value emitContract(ElementEmitter &emitter, dl::ContractOp op, ArrayRef<Index> position) {
  Position at = emitter.expand(op.getType().getShape(), position);
  DenseMap<char, Index> letters;
  for (auto [letter, index] : llvm::zip_equal(op.getResultLetters(), at))
    letters[letter] = index;
  std::string reduced = op.getReducedLetters();
  SmallVector<dl::PolynomialAttr> sizes;
  for (char letter : reduced)
    sizes.push_back(op.getLetterSize(letter));
  return emitChunks(emitter, op.getType().getElementType(), sizes, op.getContext(), [&](const Position &k) {
    for (auto [letter, index] : llvm::zip_equal(reduced, k))
      letters[letter] = index;
    auto positionOf = [&](StringRef names) {
      Position result;
      for (char letter : names)
        result.push_back(letters[letter]);
      return result;
    };
    Value left = emitter.emit(op.getLhs(), positionOf(op.getLhsLetters()));
    return std::pair(left, emitter.emit(op.getRhs(), positionOf(op.getRhsLetters())));
  });
}

/// The pieces that the three convolutions share.
class Convolution {
public:
  template <typename Op>
  Convolution(ElementEmitter &emitter, Op op)
      : emitter(emitter), v(emitter), mlir(op.getContext()), strides(op.getStrides()),
        low(op.getPaddingLow()), dilations(op.getDilations()), groups(op.getGroups()) {}

  /// y[n, o, p] = Σ (c, k) x[n, c, p · stride + k · dilation - low] · w[o, c, k]
  Value forward(dl::ConvOp op, ArrayRef<Index> position) {
    Position y = emitter.expand(op.getType().getShape(), position);
    dl::TensorType filter = typeOf(op.getFilter()), x = typeOf(op.getInput());
    Index first = firstOfGroup(y[1], filter.getDim(0), filter.getDim(1));
    return emitChunks(emitter, filter.getElementType(), llvm::to_vector(filter.getShape().drop_front(1)),
                      mlir, [&](const Position &k) {
                        Position at{y[0], emitter.sum(first, k[0])}, weight{y[1]};
                        weight.append(k.begin(), k.end());
                        for (size_t axis = 0; axis < strides.size(); ++axis)
                          at.push_back(inputAt(y[2 + axis], k[1 + axis], axis));
                        Value input = insideOrZero(op.getInput(), at, x);
                        return std::pair(input, emitter.emit(op.getFilter(), weight));
                      });
  }

  /// dx[n, c, i] = Σ (o, k) dy[n, o, p] · w[o, c, k] where i = p · stride + k · dilation - low
  Value inputGradient(dl::ConvInputGradOp op, ArrayRef<Index> position) {
    Position x = emitter.expand(op.getType().getShape(), position);
    dl::TensorType filter = typeOf(op.getFilter()), y = typeOf(op.getGradient());
    dl::PolynomialAttr outputsPerGroup =
        *dl::divideExactly(filter.getDim(0), dl::PolynomialAttr::getConstant(mlir, groups));
    SmallVector<dl::PolynomialAttr> sizes{outputsPerGroup};
    llvm::append_range(sizes, filter.getShape().drop_front(2));
    auto [group, channel] = emitter.divideWithRemainder(x[1], filter.getDim(1));
    Index first =
        groups == 1 ? Index::uniform(emitter.constant(0), 0) : emitter.scale(group, outputsPerGroup);
    return emitChunks(
        emitter, filter.getElementType(), sizes, mlir, [&, channel = channel](const Position &k) {
          Index output = emitter.sum(first, k[0]);
          Position at{x[0], output}, weight{output, groups == 1 ? x[1] : channel};
          weight.append(k.begin() + 1, k.end());
          Value condition;
          for (size_t axis = 0; axis < strides.size(); ++axis) {
            // p = (i + low - k · dilation) / stride, if that is whole and an output.
            Index tap = emitter.scale(k[1 + axis], dl::PolynomialAttr::getConstant(mlir, dilations[axis]));
            Value distance =
                emitter.sub(emitter.uniformValue(x[2 + axis].plus(low[axis])), emitter.uniformValue(tap));
            Value strideValue = emitter.constant(strides[axis]);
            Value bound = emitter.mul(emitter.evaluate(y.getDim(2 + axis)), strideValue);
            Value inside =
                emitter.create<arith::CmpIOp>({distance, bound}, arith::CmpIPredicate::ult, distance, bound);
            condition = condition ? v.andi(condition, inside) : inside;
            if (strides[axis] > 1) {
              Value rest = emitter.remainder(distance, strideValue), none = emitter.constant(0);
              condition = v.andi(condition,
                                 emitter.create<arith::CmpIOp>({rest}, arith::CmpIPredicate::eq, rest, none));
            }
            at.push_back(Index::uniform(emitter.divide(distance, strideValue)));
          }
          Value gradient = underGuard(condition, [&] { return emitter.emit(op.getGradient(), at); });
          return std::pair(gradient, emitter.emit(op.getFilter(), weight));
        });
  }

  /// dw[o, c, k] = Σ (n, p) dy[n, o, p] · x[n, c, p · stride + k · dilation - low]
  Value weightGradient(dl::ConvWeightGradOp op, ArrayRef<Index> position) {
    Position w = emitter.expand(op.getType().getShape(), position);
    dl::TensorType filter = op.getType(), x = typeOf(op.getInput()), y = typeOf(op.getGradient());
    SmallVector<dl::PolynomialAttr> sizes{y.getDim(0)};
    llvm::append_range(sizes, y.getShape().drop_front(2));
    Index first = firstOfGroup(w[0], filter.getDim(0), filter.getDim(1));
    return emitChunks(emitter, filter.getElementType(), sizes, mlir, [&](const Position &k) {
      Position output{k[0], w[0]}, at{k[0], emitter.sum(first, w[1])};
      output.append(k.begin() + 1, k.end());
      for (size_t axis = 0; axis < strides.size(); ++axis)
        at.push_back(inputAt(k[1 + axis], w[2 + axis], axis));
      Value gradient = emitter.emit(op.getGradient(), output);
      return std::pair(gradient, insideOrZero(op.getInput(), at, x));
    });
  }

private:
  /// The first input channel of output channel o's group.
  Index firstOfGroup(const Index &output, dl::PolynomialAttr outputs, dl::PolynomialAttr channelsPerGroup) {
    if (groups == 1)
      return Index::uniform(emitter.constant(0), 0);
    dl::PolynomialAttr perGroup = *dl::divideExactly(outputs, dl::PolynomialAttr::getConstant(mlir, groups));
    return emitter.scale(emitter.divideWithRemainder(output, perGroup).first, channelsPerGroup);
  }

  Index inputAt(const Index &output, const Index &tap, size_t axis) {
    Index start = emitter.scale(output, dl::PolynomialAttr::getConstant(mlir, strides[axis]));
    Index step = emitter.scale(tap, dl::PolynomialAttr::getConstant(mlir, dilations[axis]));
    return emitter.sum(start, step).plus(-low[axis]);
  }

  Value underGuard(Value condition, llvm::function_ref<Value()> body) {
    Value result;
    emitter.withGuard(condition, [&] { result = body(); });
    return result ? v.select(condition, result, v.constant(result, 0)) : result;
  }

  Value insideOrZero(Value tensor, const Position &at, dl::TensorType type) {
    Value condition;
    for (size_t axis = 0; axis < strides.size(); ++axis) {
      Value index = emitter.uniformValue(at[2 + axis]), size = emitter.evaluate(type.getDim(2 + axis));
      Value inside = emitter.create<arith::CmpIOp>({index, size}, arith::CmpIPredicate::ult, index, size);
      condition = condition ? v.andi(condition, inside) : inside;
    }
    return underGuard(condition, [&] { return emitter.emit(tensor, at); });
  }

  ElementEmitter &emitter;
  ValueBuilder v;
  MLIRContext *mlir;
  ArrayRef<int64_t> strides, low, dilations;
  int64_t groups;
};

} // namespace

LogicalResult bindContractions(KernelContext &context) {
  ElementEmitter &emitter = context.emitter;
  WalkResult walk = context.dispatch.getBody().walk([&](Operation *op) {
    auto bind = [&](Value result, std::function<Value(ArrayRef<Index>)> make) {
      emitter.bind(result, ElementEmitter::Source([&emitter, result, make](ArrayRef<Index> position) {
                     return emitter.emitOnce(result, position, [&] {
                       Value sum = make(position);
                       Type element = cast<dl::TensorType>(result.getType()).getElementType();
                       return sum ? ValueBuilder(emitter).roundTo(sum, element) : sum;
                     });
                   }));
    };
    return llvm::TypeSwitch<Operation *, WalkResult>(op)
        .Case([&](dl::ContractOp op) {
          bind(op, [&emitter, op](ArrayRef<Index> position) { return emitContract(emitter, op, position); });
          return WalkResult::advance();
        })
        .Case([&](dl::ConvOp op) {
          bind(op, [&emitter, op](ArrayRef<Index> position) {
            return Convolution(emitter, op).forward(op, position);
          });
          return WalkResult::advance();
        })
        .Case([&](dl::ConvInputGradOp op) {
          bind(op, [&emitter, op](ArrayRef<Index> position) {
            return Convolution(emitter, op).inputGradient(op, position);
          });
          return WalkResult::advance();
        })
        .Case([&](dl::ConvWeightGradOp op) {
          bind(op, [&emitter, op](ArrayRef<Index> position) {
            return Convolution(emitter, op).weightGradient(op, position);
          });
          return WalkResult::advance();
        })
        .Case([&](dl::ScanOp op) {
          op.emitError(
              "code generation: a GPU kernel cannot hold a scan; let the schedule run it (scan=loop)");
          return WalkResult::interrupt();
        })
        .Default([](Operation *) { return WalkResult::advance(); });
  });
  return failure(walk.wasInterrupted());
}

} // namespace dlc::codegen
