// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A whole scan in one kernel. Its carried values are independent per row (the leading axis), so a work-group
// runs all iterations of a few rows: carries stay in its scratch memory, and fifty time steps cost one
// fork-join.
//
// In each iteration,
//   1. the contractions of the body run in program order: the left operand is computed into scratch memory,
//      the micro-kernel multiplies it with the right one, [k, n] and the same in every iteration, read in
//      place;
//   2. what the body yields is computed element by element: the next carries into the other half of their
//      memory, the elements of the stacks into the results.

#include "compiler/Codegen/CPU/Pack.h"
#include "compiler/Codegen/CPU/TiledKernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace dlc::codegen {
namespace {

/// Rows of a work-group: enough to feed the multipliers, few enough for several threads.
constexpr int64_t kRows = 8;

/// A matrix in scratch memory: one row per row of the group, 16-element vectors stored whole.
struct ScratchMatrix {
  Value memory;
  dl::PolynomialAttr columns, pitch;
};

class ScanKernel {
public:
  ScanKernel(KernelContext &context, dl::ScanOp scan)
      : context(context), scan(scan), emitter(context.emitter), kernel(context, scan.getOperation()) {}

  LogicalResult emit();

private:
  LogicalResult checkBody();
  static dl::TensorType typeOf(Value value) { return cast<dl::TensorType>(value.getType()); }
  ImplicitLocOpBuilder &builder() { return emitter.getBuilder(); }
  Value constant(int64_t value) { return emitter.constant(value); }
  void loop(Value low, Value high, int64_t step, llvm::function_ref<void(Value)> body);

  /// Elements of a row of `type`.
  dl::PolynomialAttr rowSize(dl::TensorType type);
  ScratchMatrix allocateMatrix(dl::TensorType type, int64_t copies = 1);
  /// The matrix, from element `first` of its memory on, as the place of a value with the given type.
  Memory asMemory(const ScratchMatrix &matrix, dl::TensorType type, Value first);
  /// Calls `body` with the positions of all elements of the group's rows of `type`, under the mask of a row's
  /// tail.
  void forElements(dl::TensorType type, llvm::function_ref<void(ArrayRef<Index>)> body);

  void bindSlices(Value index);
  void prepareContraction(dl::ContractOp op);
  void emitContraction(dl::ContractOp op);
  void emitYields(Value index, Value nextHalf);
  void emitIteration(Value number);
  void emitResults();
  Position insertAxis(ArrayRef<Index> position, dl::TensorType type, int64_t axis, Value index);

  KernelContext &context;
  dl::ScanOp scan;
  ElementEmitter &emitter;
  TiledKernel kernel;
  Value firstRow, rowCount;
  SmallVector<ScratchMatrix> carries; ///< Each twice as large: two halves.
  SmallVector<Value> halves;          ///< Elements of one half.
  struct Product {
    ScratchMatrix left, result;
    Value right, rightOffset; ///< [k, n] with neighbouring columns side by side.
    dl::PolynomialAttr rightPitch, depth, columns;
  };
  DenseMap<Operation *, Product> products;
  /// Values that stand in scratch memory in the present iteration, with the first element's index.
  DenseMap<Value, std::pair<ScratchMatrix, Value>> inScratch;
};

void ScanKernel::loop(Value low, Value high, int64_t step, llvm::function_ref<void(Value)> body) {
  emitter.forLoop(low, high, step, {}, [&](Value i, ValueRange) -> SmallVector<Value> {
    body(i);
    return {};
  });
}

LogicalResult ScanKernel::checkBody() {
  for (Operation &op : scan.getBody().front()) {
    auto contract = dyn_cast<dl::ContractOp>(op);
    if (!contract)
      continue;
    StringRef lhs = contract.getLhsLetters(), rhs = contract.getRhsLetters(),
              result = contract.getResultLetters();
    bool isPlain = lhs.size() == 2 && rhs.size() == 2 && result.size() == 2 && lhs[0] == result[0] &&
                   lhs[1] == rhs[0] && rhs[1] == result[1];
    if (!isPlain || scan.getBody().isAncestor(contract.getRhs().getParentRegion()))
      return contract.emitError(
                 "internal error: a contraction inside a scan kernel must be \"nk,kj->nj\" with a "
                 "right operand from outside, got \"")
             << contract.getEquation() << "\"";
    if (!isa<Float32Type, Float64Type>(contract.getType().getElementType()))
      return contract.emitError("not supported: a contraction of ")
             << contract.getType() << " inside a scan kernel";
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Matrices in scratch memory
//===----------------------------------------------------------------------===//

dl::PolynomialAttr ScanKernel::rowSize(dl::TensorType type) {
  return dl::product(scan.getContext(), type.getShape().drop_front());
}

ScratchMatrix ScanKernel::allocateMatrix(dl::TensorType type, int64_t copies) {
  ScratchMatrix matrix;
  matrix.columns = rowSize(type);
  if (std::optional<int64_t> columns = matrix.columns.getConstantValue())
    matrix.pitch = kernel.polynomial(llvm::alignTo(*columns, 2 * kTileLanes) + kPackSlack);
  else
    matrix.pitch = matrix.columns + 2 * kTileLanes;
  matrix.memory = kernel.allocate(matrix.pitch * (copies * kRows), storageType(type.getElementType()));
  // Products take all rows, also those beyond the last, so they must hold numbers: 0 as good as any.
  if (type.getElementType() == kernel.element) {
    VectorType vector = emitter.vectorOf(kernel.element);
    Value zero = arith::ConstantOp::create(builder(), vector, builder().getZeroAttr(vector));
    kernel.fill(matrix.memory, emitter.evaluate(matrix.pitch * (copies * kRows) - kTileLanes), zero);
  }
  return matrix;
}

Memory ScanKernel::asMemory(const ScratchMatrix &matrix, dl::TensorType type, Value first) {
  Memory memory;
  memory.memref = matrix.memory;
  memory.strides = rowMajorStrides(type);
  memory.strides[0] = matrix.pitch;
  memory.offset = emitter.sub(first, emitter.mul(firstRow, emitter.evaluate(matrix.pitch)));
  memory.isConstant = false;
  return memory;
}

void ScanKernel::forElements(dl::TensorType type, llvm::function_ref<void(ArrayRef<Index>)> body) {
  loop(constant(0), rowCount, 1, [&](Value r) {
    Position position{Index::uniform(emitter.add(firstRow, r))};
    if (type.getRank() == 1)
      return body(position);
    dl::PolynomialAttr columns = rowSize(type);
    Value end = emitter.evaluate(columns);
    loop(constant(0), end, kTileLanes, [&](Value column) {
      Index lanes = Index::contiguous(column, kTileLanes).covering(type.getRank() - 1);
      position.push_back(lanes);
      std::optional<int64_t> known = columns.getConstantValue();
      if (known && *known % kTileLanes == 0)
        body(position);
      else
        emitter.withFirstLanes(emitter.sub(end, column), [&] { body(position); });
      position.pop_back();
    });
  });
}

Position ScanKernel::insertAxis(ArrayRef<Index> position, dl::TensorType type, int64_t axis, Value index) {
  Position result = emitter.expand(type.getShape(), position);
  result.insert(result.begin() + axis, Index::uniform(index));
  return result;
}

//===----------------------------------------------------------------------===//
// One iteration
//===----------------------------------------------------------------------===//

void ScanKernel::bindSlices(Value index) {
  emitter.bind(scan.getIndex(), [this, index](ArrayRef<Index>) {
    return emitter.create<arith::IndexCastOp>({index}, builder().getI64Type(), index);
  });
  for (auto [slice, whole, axis] : llvm::zip_equal(scan.getSlices(), scan.getXs(), scan.getXsAxes())) {
    if (const Memory *found = emitter.getMemory(whole)) {
      Memory memory = *found;
      Value shift = emitter.mul(index, emitter.evaluate(memory.strides[axis]));
      memory.offset = memory.offset ? emitter.add(memory.offset, shift) : shift;
      memory.strides.erase(memory.strides.begin() + axis);
      emitter.bind(slice, memory);
      continue;
    }
    dl::TensorType type = typeOf(slice);
    emitter.bind(slice, [this, whole = Value(whole), type, axis = axis, index](ArrayRef<Index> position) {
      return emitter.emit(whole, insertAxis(position, type, axis, index));
    });
  }
}

void ScanKernel::prepareContraction(dl::ContractOp op) {
  Product product;
  dl::TensorType leftType = op.getLhs().getType(), rightType = op.getRhs().getType();
  product.depth = rightType.getDim(0);
  product.columns = rightType.getDim(1);
  product.left = allocateMatrix(leftType);
  product.result = allocateMatrix(op.getType());
  const Memory *memory = emitter.getMemory(op.getRhs());
  if (memory && memory->strides[1].isConstant(1)) {
    product.right = memory->memref;
    product.rightOffset = memory->offset ? memory->offset : constant(0);
    product.rightPitch = memory->strides[0];
  } else {
    context.remark("scan copies the right operand of a contraction");
    product.rightPitch = product.columns + 2 * kTileLanes;
    product.rightOffset = constant(0);
    product.right = kernel.allocate(product.rightPitch * product.depth, op.getType().getElementType());
    Value end = emitter.evaluate(product.columns);
    loop(constant(0), emitter.evaluate(product.depth), 1, [&](Value k) {
      loop(constant(0), end, kTileLanes, [&](Value column) {
        Value elements;
        emitter.withFirstLanes(emitter.sub(end, column), [&] {
          elements =
              emitter.emitVector(op.getRhs(), {Index::uniform(k), Index::contiguous(column, kTileLanes)});
        });
        Value line = emitter.mul(k, emitter.evaluate(product.rightPitch));
        kernel.storeScratch(elements, product.right, emitter.add(line, column));
      });
    });
  }
  products[op] = product;
}

void ScanKernel::emitContraction(dl::ContractOp op) {
  const Product &product = products[op];
  dl::TensorType leftType = op.getLhs().getType();
  // 1. The left operand, where it is not there yet; later uses read it from there.
  if (!inScratch.contains(op.getLhs())) {
    Memory left = asMemory(product.left, leftType, constant(0));
    forElements(leftType, [&](ArrayRef<Index> position) {
      emitter.store(left, leftType, position, emitter.emit(op.getLhs(), position));
    });
    if (!emitter.getMemory(op.getLhs()))
      emitter.bind(op.getLhs(), left);
    inScratch[op.getLhs()] = {product.left, constant(0)};
  }
  auto [left, leftBase] = inScratch[op.getLhs()];

  // 2. The product. All rows, or one: inference of a single sequence should not pay for eight.
  std::optional<int64_t> depth = product.depth.getConstantValue();
  Value end = emitter.evaluate(product.depth), columns = emitter.evaluate(product.columns);
  Value leftPitch = emitter.evaluate(left.pitch), resultPitch = emitter.evaluate(product.result.pitch);
  Value rightPitch = emitter.evaluate(product.rightPitch);
  bool isOneChunk = depth && *depth <= kChunk;
  int64_t vectors = kernel.tile.vectors;
  auto multiply = [&, left = left, leftBase = leftBase](int64_t rows) -> SmallVector<Value> {
    int64_t tiles = (rows + kernel.tile.rows - 1) / kernel.tile.rows, height = (rows + tiles - 1) / tiles;
    loop(constant(0), columns, vectors * kTileLanes, [&](Value column) {
      auto chunk = [&](Value from, Value to, TileUpdate update) {
        for (int64_t row = 0; row < rows; row += height) {
          Value first = emitter.add(leftBase, emitter.mul(constant(row), leftPitch));
          ScalarOperand a{
              left.memory, emitter.add(first, from), leftPitch, {builder().getIndexAttr(1), {}, {}}};
          VectorOperand b{product.right, {}, {rightPitch, {}, {}}, {}};
          Value base = emitter.add(emitter.add(product.rightOffset, column), emitter.mul(from, rightPitch));
          std::optional<int64_t> known = product.columns.getConstantValue();
          for (int64_t v = 0; v < vectors; ++v) {
            b.bases.push_back(emitter.add(base, constant(v * kTileLanes)));
            if (!known || *known % (vectors * kTileLanes) != 0)
              b.masks.push_back(
                  emitter.firstLanes(emitter.sub(columns, emitter.add(column, constant(v * kTileLanes)))));
          }
          TileOperand c{product.result.memory, emitter.add(emitter.mul(constant(row), resultPitch), column),
                        resultPitch};
          DepthCount count{emitter.sub(to, from), depth && *depth % 2 == 0 ? 2 : 1};
          emitMicroKernel(builder(), builder().getLoc(), {height, vectors}, a, b, count, c, update);
        }
      };
      if (isOneChunk)
        return chunk(constant(0), end, TileUpdate::Set);
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t v = 0; v < vectors; ++v) {
          Value at = emitter.add(emitter.add(emitter.mul(constant(row), resultPitch), column),
                                 constant(v * kTileLanes));
          kernel.storeScratch(kernel.startOfSum(product.depth), product.result.memory, at);
        }
      loop(constant(0), end, kChunk, [&](Value from) {
        chunk(from, emitter.minimum(end, emitter.add(from, constant(kChunk))), TileUpdate::Add);
      });
    });
    return {};
  };
  Value isSingle = arith::CmpIOp::create(builder(), arith::CmpIPredicate::eq, rowCount, constant(1));
  emitter.ifElse(isSingle, [&] { return multiply(1); }, [&] { return multiply(kRows); });

  // 3. From now on, it is in memory.
  emitter.bind(op.getResult(), asMemory(product.result, op.getType(), constant(0)));
  inScratch[op.getResult()] = {product.result, constant(0)};
}

void ScanKernel::emitYields(Value index, Value nextHalf) {
  auto yield = cast<dl::YieldOp>(scan.getBody().front().getTerminator());
  unsigned carryCount = scan.getInits().size();
  auto dispatchYields = context.dispatch.getBody().front().getTerminator()->getOperands();

  // What is stored where: values of one type share their loop.
  struct Target {
    Value value;
    Memory memory;
    int64_t stackAxis; ///< -1: a carry.
    dl::TensorType type;
  };
  llvm::MapVector<Type, SmallVector<Target>> byType;
  for (auto [i, value] : llvm::enumerate(yield.getValues())) {
    dl::TensorType type = typeOf(value);
    if (i < carryCount) {
      Value first = emitter.mul(nextHalf, halves[i]);
      byType[type].push_back({value, asMemory(carries[i], type, first), -1, type});
      continue;
    }
    Value stack = scan.getStacks()[i - carryCount];
    for (auto [result, yielded] : llvm::enumerate(dispatchYields))
      if (yielded == stack)
        byType[type].push_back(
            {value, context.results[result], scan.getStackAxes()[i - carryCount], typeOf(stack)});
  }
  for (auto &[type, targets] : byType) {
    auto elementType = cast<dl::TensorType>(type);
    forElements(elementType, [&](ArrayRef<Index> position) {
      SmallVector<Value, 4> values; // All before any store.
      for (Target &target : targets)
        values.push_back(emitter.emit(target.value, position));
      for (auto [target, value] : llvm::zip_equal(targets, values)) {
        Position at = target.stackAxis < 0 ? Position(position)
                                           : insertAxis(position, elementType, target.stackAxis, index);
        emitter.store(target.memory, target.type, at, value);
      }
    });
  }
}

void ScanKernel::emitIteration(Value number) {
  Value index = number;
  if (scan.getReverse())
    index = emitter.sub(emitter.evaluate(scan.getCount() - 1), number);
  bindSlices(index);
  Value half = emitter.remainder(number, constant(2));
  for (auto [i, carry] : llvm::enumerate(scan.getCarries())) {
    Value first = emitter.mul(half, halves[i]);
    emitter.bind(carry, asMemory(carries[i], typeOf(carry), first));
    if (typeOf(carry).getElementType() == kernel.element)
      inScratch[carry] = {carries[i], first};
  }
  for (Operation &op : scan.getBody().front())
    if (auto contract = dyn_cast<dl::ContractOp>(op))
      emitContraction(contract);
  emitYields(index, emitter.sub(constant(1), half));
}

void ScanKernel::emitResults() {
  Value half = emitter.remainder(emitter.evaluate(scan.getCount()), constant(2));
  for (auto [i, result] : llvm::enumerate(scan.getFinals()))
    emitter.bind(result, asMemory(carries[i], typeOf(result), emitter.mul(half, halves[i])));
  for (unsigned i = 0; i < context.results.size(); ++i) {
    Value yielded = context.getYielded(i);
    if (llvm::is_contained(scan.getStacks(), yielded))
      continue;
    forElements(typeOf(yielded), [&](ArrayRef<Index> position) {
      context.store(i, position, emitter.emit(yielded, position));
    });
  }
}

LogicalResult ScanKernel::emit() {
  if (failed(checkBody()))
    return failure();
  // 1. A block of rows. Every value that is carried or yielded has the rows in front.
  dl::PolynomialAttr rows = typeOf(scan.getInits()[0]).getDim(0);
  Value block = kernel.splitGroups(rows, kRows);
  firstRow = emitter.mul(block, constant(kRows));
  rowCount = emitter.minimum(constant(kRows), emitter.sub(emitter.evaluate(rows), firstRow));

  // 2. Scratch memory and the initial carries.
  for (Value init : scan.getInits()) {
    dl::TensorType type = typeOf(init);
    ScratchMatrix matrix = allocateMatrix(type, 2);
    carries.push_back(matrix);
    halves.push_back(emitter.evaluate(matrix.pitch * kRows));
    Memory memory = asMemory(matrix, type, constant(0));
    forElements(type, [&, init = init](ArrayRef<Index> position) {
      emitter.store(memory, type, position, emitter.emit(init, position));
    });
  }
  for (Operation &op : scan.getBody().front())
    if (auto contract = dyn_cast<dl::ContractOp>(op))
      prepareContraction(contract);

  // 3. The iterations, and what is left after them.
  loop(constant(0), emitter.evaluate(scan.getCount()), 1, [&](Value number) { emitIteration(number); });
  emitResults();
  return success();
}

} // namespace

LogicalResult emitScanKernel(KernelContext &context) {
  auto scans = context.dispatch.getBody().front().getOps<dl::ScanOp>();
  if (scans.empty() || (*scans.begin()).getInits().empty())
    return context.dispatch.emitError("internal error: dispatch \"")
           << context.dispatch.getName() << "\" has no scan with carried values";
  return ScanKernel(context, *scans.begin()).emit();
}

} // namespace dlc::codegen
