// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Codegen/CPU/TiledKernel.h"

#include "compiler/Codegen/ValueBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace dlc::codegen {

/// f32 tiles are the target's; a row of 16 f64 takes twice the registers.
static TileShape chooseTile(const TargetDescription &target, Type element) {
  TileShape tile{target.tileRows, target.tileColumns / kTileLanes};
  if (element.isF64())
    tile = target.registerLanes >= 16 ? TileShape{12, 1} : TileShape{2, 1};
  return tile;
}

TiledKernel::TiledKernel(KernelContext &context, Operation *root)
    : context(context), emitter(context.emitter), root(root),
      rootType(cast<dl::TensorType>(root->getResult(0).getType())),
      element(computeType(rootType.getElementType())), tile(chooseTile(context.target, element)),
      scratchOffset(emitter.constant(0)), remainingGroup(context.group) {}

//===----------------------------------------------------------------------===//
// Scratch memory
//===----------------------------------------------------------------------===//

Value TiledKernel::allocate(dl::PolynomialAttr count, Type type) {
  constexpr int64_t kAlignment = 64;
  dl::PolynomialAttr bytes = count * (type.getIntOrFloatBitWidth() / 8);
  Value view = context.scratchView(scratchOffset, type);
  Value lines = emitter.ceilDivide(emitter.evaluate(bytes), constant(kAlignment));
  scratchOffset = emitter.add(scratchOffset, emitter.mul(lines, constant(kAlignment)));
  scratchBytes = scratchBytes + context.expression(bytes).ceilDiv(kAlignment) * kAlignment;
  context.kernel.scratch = scratchBytes;
  return view;
}

Value TiledKernel::loadScratch(Value memory, Value position) {
  return vector::LoadOp::create(builder(), emitter.vectorOf(element), memory, ValueRange{position});
}

void TiledKernel::storeScratch(Value value, Value memory, Value position) {
  vector::StoreOp::create(builder(), value, memory, ValueRange{position});
}

Value TiledKernel::startOfSum(dl::PolynomialAttr terms) {
  auto splat = [&](double number) -> Value {
    Attribute value = FloatAttr::get(element, number);
    return arith::ConstantOp::create(builder(), DenseElementsAttr::get(emitter.vectorOf(element), value));
  };
  if (dl::isNeverNegative(terms - 1))
    return splat(-0.0);
  Value hasTerms = emitter.less(constant(0), emitter.evaluate(terms));
  return arith::SelectOp::create(builder(), hasTerms, splat(-0.0), splat(0.0));
}

void TiledKernel::fill(Value memory, Value count, Value vector) {
  emitter.forLoop(constant(0), count, kTileLanes, {}, [&](Value at, ValueRange) -> SmallVector<Value> {
    storeScratch(vector, memory, at);
    return {};
  });
}

//===----------------------------------------------------------------------===//
// Work-groups and loops
//===----------------------------------------------------------------------===//

Value TiledKernel::splitGroups(dl::PolynomialAttr size, int64_t block) {
  if (std::optional<int64_t> constantSize = size.getConstantValue(); constantSize && *constantSize <= block)
    return constant(0);
  context.kernel.groups = context.kernel.groups * context.expression(size).ceilDiv(block);
  Value count = emitter.ceilDivide(emitter.evaluate(size), constant(block));
  Value index = emitter.remainder(remainingGroup, count);
  remainingGroup = emitter.divide(remainingGroup, count);
  return index;
}

void TiledKernel::forRowTiles(Value rows, llvm::function_ref<void(Value, Extent)> body) {
  auto loop = [&](Value from, Value to, int64_t step, auto heightOf) {
    emitter.forLoop(from, to, step, {}, [&](Value first, ValueRange) -> SmallVector<Value> {
      body(first, heightOf(first));
      return {};
    });
  };
  if (std::optional<int64_t> count = IndexMath::asConstant(rows)) {
    if (*count == 0)
      return;
    int64_t tiles = (*count + tile.rows - 1) / tile.rows;
    int64_t height = (*count + tiles - 1) / tiles, whole = *count / height * height;
    Extent constantHeight = builder().getIndexAttr(height);
    if (whole == height)
      body(constant(0), constantHeight);
    else
      loop(constant(0), constant(whole), height, [&](Value) { return constantHeight; });
    if (whole < *count)
      body(constant(whole), builder().getIndexAttr(*count - whole));
    return;
  }
  loop(constant(0), rows, tile.rows,
       [&](Value first) -> Extent { return emitter.minimum(emitter.sub(rows, first), constant(tile.rows)); });
}

//===----------------------------------------------------------------------===//
// Epilogue
//===----------------------------------------------------------------------===//

bool TiledKernel::dependsOnRoot(Value value) {
  Operation *op = value.getDefiningOp();
  if (op == root)
    return true;
  if (!op)
    return false;
  auto [entry, isNew] = dependence.try_emplace(value, false);
  if (!isNew)
    return entry->second;
  bool result = llvm::any_of(op->getOperands(), [&](Value operand) { return dependsOnRoot(operand); });
  return dependence[value] = result;
}

/// Whether `op` is a broadcast along axes of size 1: a reshape.
static bool addsAxesOnly(Operation *op) {
  auto broadcast = dyn_cast<dl::BroadcastOp>(op);
  return broadcast &&
         broadcast.getOperand().getType().getElementCount() == broadcast.getType().getElementCount();
}

FailureOr<Position> TiledKernel::mapFromRoot(Value value, ArrayRef<Index> position) {
  Operation *op = value.getDefiningOp();
  if (op == root)
    return Position(position);
  auto type = cast<dl::TensorType>(value.getType());
  if (!dependsOnRoot(value)) { // The same elements in row-major order, if there are as many.
    if (type.getElementCount() != rootType.getElementCount())
      return failure();
    return emitter.regroup(rootType.getShape(), position, type.getShape());
  }
  Value source = *llvm::find_if(op->getOperands(), [&](Value operand) { return dependsOnRoot(operand); });
  FailureOr<Position> from = mapFromRoot(source, position);
  if (failed(from))
    return failure();
  auto sourceType = cast<dl::TensorType>(source.getType());
  if (isa<dl::ReshapeOp>(op) || addsAxesOnly(op))
    return emitter.regroup(sourceType.getShape(), *from, type.getShape());
  if (auto transpose = dyn_cast<dl::TransposeOp>(op)) {
    Position axes = emitter.expand(sourceType.getShape(), *from), result;
    for (int64_t axis : transpose.getPermutation())
      result.push_back(axes[axis]);
    return result;
  }
  if (op->hasTrait<dl::Elementwise>())
    return from;
  return failure();
}

LogicalResult TiledKernel::checkEpilogue() {
  std::function<bool(Value)> passes = [&](Value value) -> bool {
    Operation *op = value.getDefiningOp();
    if (op == root)
      return true;
    if (!dependsOnRoot(value))
      return cast<dl::TensorType>(value.getType()).getElementCount() == rootType.getElementCount();
    if (!isa<dl::ReshapeOp, dl::TransposeOp>(op) && !addsAxesOnly(op) && !op->hasTrait<dl::Elementwise>())
      return false;
    return llvm::all_of(op->getOperands(),
                        [&](Value operand) { return !dependsOnRoot(operand) || passes(operand); });
  };
  for (Value yielded : context.dispatch.getBody().front().getTerminator()->getOperands())
    if (!passes(yielded))
      return context.dispatch.emitError("internal error: a result of dispatch \"")
             << context.dispatch.getName() << "\" is not computed element by element from its contraction";
  return success();
}

void TiledKernel::emitEpilogue(ArrayRef<Index> position, llvm::function_ref<Value()> sum) {
  Value loaded = sum();
  if (llvm::all_of(position,
                   [](const Index &index) { return index.isUniform(); })) // No axis along the lanes.
    loaded = vector::ExtractOp::create(builder(), loaded, 0);
  loaded = ValueBuilder(emitter).roundTo(loaded, rootType.getElementType());
  emitter.bind(root->getResult(0), [loaded](ArrayRef<Index>) { return loaded; });
  // All values before any store: a result may take the memory of an operand of another.
  SmallVector<std::pair<Position, Value>, 4> values;
  for (unsigned i = 0; i < context.results.size(); ++i) {
    Value yielded = context.getYielded(i);
    Position at = *mapFromRoot(yielded, position);
    values.emplace_back(at, emitter.emit(yielded, at));
  }
  for (auto [i, entry] : llvm::enumerate(values))
    context.store(i, entry.first, entry.second);
  emitter.unbind(root->getResult(0));
}

} // namespace dlc::codegen
