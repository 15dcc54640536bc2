// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scopes, placement and the walk. The operations follow in Emit*.cpp, by family.

#include "compiler/Codegen/ElementEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/SaveAndRestore.h"

namespace dlc::codegen {

Type computeType(Type elementType) {
  if (elementType.isUnsignedInteger())
    return IntegerType::get(elementType.getContext(), elementType.getIntOrFloatBitWidth());
  if (elementType.isBF16() || elementType.isF16())
    return Float32Type::get(elementType.getContext());
  return elementType;
}

Type storageType(Type elementType) {
  if (elementType.isInteger(1))
    return IntegerType::get(elementType.getContext(), 8);
  if (elementType.isUnsignedInteger() || elementType.isBF16() || elementType.isF16())
    return IntegerType::get(elementType.getContext(), elementType.getIntOrFloatBitWidth());
  return elementType;
}

ElementEmitter::ElementEmitter(ImplicitLocOpBuilder &builder, int64_t lanes, bool hasMaskRegisters,
                               SymbolValues symbols)
    : builder(builder), lanes(lanes), hasMaskRegisters(hasMaskRegisters), symbols(std::move(symbols)) {
  enter(nullptr, builder.getInsertionBlock());
}

void ElementEmitter::bind(Value value, Memory memory) {
  memories[value] = std::move(memory);
}
void ElementEmitter::bind(Value value, Source source) {
  sources[value] = std::move(source);
}
void ElementEmitter::unbind(Value value) {
  memories.erase(value);
  sources.erase(value);
}

const Memory *ElementEmitter::getMemory(Value value) const {
  auto it = memories.find(value);
  return it == memories.end() ? nullptr : &it->second;
}

//===----------------------------------------------------------------------===//
// Scopes
//===----------------------------------------------------------------------===//

void ElementEmitter::enter(Operation *anchor, Block *block) {
  scopes.push_back(std::make_unique<Scope>());
  scopes.back()->anchor = anchor;
  scopes.back()->block = block;
}

void ElementEmitter::leave() {
  assert(scopes.size() > 1 && "the kernel's own scope is not left");
  llvm::erase_if(conditional, [&](auto &entry) { return entry.first == scopes.back().get(); });
  scopes.pop_back();
}

size_t ElementEmitter::levelOf(Value value) const {
  Block *block = value.getParentBlock();
  for (size_t level = scopes.size(); level-- > 0;)
    if (scopes[level]->block == block)
      return level;
  // Defined in a block outside of the function's scopes: visible everywhere below it.
  return scopes.size() - 1;
}

size_t ElementEmitter::levelOf(ArrayRef<Index> position) const {
  size_t level = 0;
  for (const Index &index : position) {
    level = std::max(level, levelOf(index.base));
    if (index.lanes)
      level = std::max(level, levelOf(index.lanes));
  }
  return level;
}

size_t ElementEmitter::conditionLevel() const {
  for (size_t level = scopes.size(); level-- > 0;)
    if (scopes[level]->isConditional)
      return level;
  return 0;
}

void ElementEmitter::placeFor(ValueRange operands, size_t outermost) {
  size_t level = outermost;
  for (Value operand : operands)
    level = std::max(level, levelOf(operand));
  if (level + 1 < scopes.size())
    builder.setInsertionPoint(scopes[level + 1]->anchor);
  else if (builder.getInsertionBlock() != scopes.back()->block)
    llvm::report_fatal_error("element emitter: the builder stands outside of the innermost scope");
}

SmallVector<Value> ElementEmitter::atLevel(size_t level, llvm::function_ref<SmallVector<Value>()> body) {
  if (level + 1 >= scopes.size())
    return body();
  SmallVector<std::unique_ptr<Scope>> inner;
  for (size_t i = level + 1; i < scopes.size(); ++i)
    inner.push_back(std::move(scopes[i]));
  scopes.truncate(level + 1);
  OpBuilder::InsertionGuard insertion(builder);
  builder.setInsertionPoint(inner.front()->anchor);
  SmallVector<Value> result = body();
  for (std::unique_ptr<Scope> &scope : inner)
    scopes.push_back(std::move(scope));
  return result;
}

SmallVector<Value> ElementEmitter::forLoop(Value lower, Value upper, int64_t step, ValueRange inits,
                                           llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  Value stepValue = constant(step);
  auto loop = scf::ForOp::create(builder, lower, upper, stepValue, inits);
  Block *block = loop.getBody();
  enter(loop, block);
  {
    OpBuilder::InsertionGuard insertion(builder);
    if (inits.empty())
      builder.setInsertionPoint(block->getTerminator());
    else
      builder.setInsertionPointToEnd(block);
    SmallVector<Value> results = body(loop.getInductionVar(), loop.getRegionIterArgs());
    if (!inits.empty())
      scf::YieldOp::create(builder, results);
  }
  leave();
  return SmallVector<Value>(loop.getResults());
}

SmallVector<Value> ElementEmitter::ifElse(Value condition, llvm::function_ref<SmallVector<Value>()> then,
                                          llvm::function_ref<SmallVector<Value>()> otherwise) {
  // The types of the results are known only when the first branch is built: build both, then wrap.
  auto branch =
      scf::IfOp::create(builder, TypeRange{}, condition, /*addThenBlock=*/true, /*addElseBlock=*/true);
  SmallVector<Value> thenValues, elseValues;
  auto fill = [&](Block *block, llvm::function_ref<SmallVector<Value>()> body, SmallVector<Value> &values) {
    enter(branch, block);
    scopes.back()->isConditional = true;
    {
      OpBuilder::InsertionGuard insertion(builder);
      builder.setInsertionPointToEnd(block);
      values = body();
    }
    leave();
  };
  for (Region *region : {&branch.getThenRegion(), &branch.getElseRegion()})
    region->front().clear();
  fill(branch.thenBlock(), then, thenValues);
  fill(branch.elseBlock(), otherwise, elseValues);
  // A scalar on one side and a vector on the other meet as vectors.
  for (auto [a, b] : llvm::zip_equal(thenValues, elseValues))
    if (isa<VectorType>(a.getType()) != isa<VectorType>(b.getType())) {
      OpBuilder::InsertionGuard insertion(builder);
      bool first = isa<VectorType>(b.getType());
      builder.setInsertionPointToEnd(first ? branch.thenBlock() : branch.elseBlock());
      Value &scalar = first ? a : b;
      scalar = vector::BroadcastOp::create(builder, vectorOf(scalar.getType()), scalar);
    }
  auto typed = scf::IfOp::create(builder, ValueRange(thenValues).getTypes(), condition, true, true);
  for (auto [from, to, values] : {std::tuple(&branch.getThenRegion(), &typed.getThenRegion(), &thenValues),
                                  std::tuple(&branch.getElseRegion(), &typed.getElseRegion(), &elseValues)}) {
    to->takeBody(*from);
    OpBuilder::InsertionGuard insertion(builder);
    builder.setInsertionPointToEnd(&to->front());
    scf::YieldOp::create(builder, *values);
  }
  branch.erase();
  return SmallVector<Value>(typed.getResults());
}

//===----------------------------------------------------------------------===//
// Masks and guards
//===----------------------------------------------------------------------===//

void ElementEmitter::forgetConditional(size_t mark) {
  while (conditional.size() > mark) {
    auto [scope, key] = conditional.pop_back_val();
    scope->values[key].pop_back();
  }
}

bool ElementEmitter::isWithin(Value other) const {
  if (!other)
    return true;
  // A mask within another one is made of both. The sum of a row takes all lanes again, in whatever tail it
  // is needed.
  for (Value present = mask; present;) {
    if (present == other)
      return true;
    auto both = present.getDefiningOp<arith::AndIOp>();
    present = both ? both.getLhs() : Value();
  }
  return false;
}

void ElementEmitter::withMask(Value extra, llvm::function_ref<void()> body) {
  llvm::SaveAndRestore savedMask(mask), savedCount(maskCount);
  size_t mark = conditional.size();
  mask = mask ? create<arith::AndIOp>({mask, extra}, mask, extra) : extra;
  maskCount = nullptr;
  ++conditionDepth;
  body();
  --conditionDepth;
  forgetConditional(mark);
}

void ElementEmitter::withFirstLanes(Value count, llvm::function_ref<void()> body) {
  assert(!mask && "a tail within another mask");
  llvm::SaveAndRestore savedMask(mask), savedCount(maskCount);
  size_t mark = conditional.size();
  mask = firstLanes(count);
  maskCount = count;
  ++conditionDepth;
  body();
  --conditionDepth;
  forgetConditional(mark);
}

void ElementEmitter::withGuard(Value extra, llvm::function_ref<void()> body) {
  llvm::SaveAndRestore savedGuard(guard);
  size_t mark = conditional.size();
  guard = guard ? create<arith::AndIOp>({guard, extra}, guard, extra) : extra;
  ++conditionDepth;
  body();
  --conditionDepth;
  forgetConditional(mark);
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

Value ElementEmitter::lookUp(Key key, ArrayRef<Index> position) {
  for (std::unique_ptr<Scope> &scope : llvm::reverse(scopes)) {
    auto it = scope->values.find(key);
    if (it == scope->values.end())
      continue;
    for (Scope::Entry &entry : llvm::reverse(it->second))
      if (ArrayRef<Index>(entry.position) == position && isWithin(entry.mask))
        return entry.result;
  }
  return {};
}

void ElementEmitter::remember(Key key, ArrayRef<Index> position, Value result) {
  size_t level = std::max(levelOf(result), levelOf(position));
  Value lanesInUse = isa<VectorType>(result.getType()) ? mask : Value();
  scopes[level]->values[key].push_back({Position(position), result, lanesInUse});
  if (conditionDepth > 0)
    conditional.push_back({scopes[level].get(), key});
}

Value ElementEmitter::broadcast(Value scalar) {
  if (isa<VectorType>(scalar.getType()))
    return scalar;
  Key key{scalar.getAsOpaquePointer(), -1};
  if (Value known = lookUp(key, {}))
    return known;
  Value result = create<vector::BroadcastOp>({scalar}, vectorOf(scalar.getType()), scalar);
  scopes[levelOf(result)]->values[key].push_back({{}, result, {}});
  return result;
}

Value ElementEmitter::emitVector(Value value, ArrayRef<Index> position) {
  Value element = emit(value, position);
  return element && lanes > 1 ? broadcast(element) : element;
}

Value ElementEmitter::emit(Value value, ArrayRef<Index> position) {
  if (auto it = sources.find(value); it != sources.end())
    return it->second(position);
  if (auto it = memories.find(value); it != memories.end() && !it->second.isConstant)
    return emitUncached(value, position);
  return emitOnce(value, position, [&] { return emitUncached(value, position); });
}

Value ElementEmitter::emitOnce(Value value, ArrayRef<Index> position, llvm::function_ref<Value()> make) {
  Key key{value.getAsOpaquePointer(), 0};
  if (Value known = lookUp(key, position))
    return known;
  Value result = make();
  if (result)
    remember(key, position, result);
  return result;
}

Value ElementEmitter::emitUncached(Value value, ArrayRef<Index> position) {
  auto type = cast<dl::TensorType>(value.getType());
  if (auto it = memories.find(value); it != memories.end())
    return load(it->second, type, position);
  Operation *op = value.getDefiningOp();
  if (!op) {
    emitError(value.getLoc(), "code generation: an argument of the dispatch is not bound");
    return {};
  }
  if (op->hasTrait<dl::Elementwise>())
    return emitElementwise(op, position);
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](dl::ConstantOp op) { return constantOf(op.getValue()); })
      .Case([&](dl::DimOp op) {
        Value index = evaluate(op.getValue());
        return create<arith::IndexCastOp>({index}, builder.getI64Type(), index);
      })
      .Case([&](dl::IotaOp op) { return emitIota(op, position); })
      .Case([&](dl::BroadcastOp op) { return emitBroadcast(op, position); })
      .Case([&](dl::TransposeOp op) { return emitTranspose(op, position); })
      .Case([&](dl::ReshapeOp op) {
        auto from = cast<dl::TensorType>(op.getOperand().getType());
        return emit(op.getOperand(), regroup(type.getShape(), position, from.getShape()));
      })
      .Case([&](dl::SliceOp op) { return emitSlice(op, position); })
      .Case([&](dl::PadOp op) { return emitPad(op, position); })
      .Case([&](dl::ConcatOp op) { return emitConcat(op, position); })
      .Case([&](dl::SubscriptOp op) { return emitSubscript(op, position); })
      .Case([&](dl::GatherOp op) { return emitGather(op, position); })
      .Case([&](dl::ScatterAddOp op) { return emitScatterAdd(op, position); })
      .Case([&](dl::RandomKeyOp op) { return emitRandomKey(op); })
      .Case([&](dl::RandomOp op) { return emitRandom(op, position); })
      .Case([&](dl::ReduceOp op) { return emitReduce(op, position); })
      .Case([&](dl::ArgMaxOp op) { return emitArgMax(op, position); })
      .Case([&](dl::MaxPoolOp op) { return emitMaxPool(op, position); })
      .Case([&](dl::MaxPoolGradOp op) { return emitMaxPoolGrad(op, position); })
      .Case([&](dl::MaxPoolSelectOp op) { return emitMaxPoolSelect(op, position); })
      .Default([](Operation *op) -> Value {
        op->emitError("code generation: no element of this operation can be computed alone");
        return {};
      });
}

} // namespace dlc::codegen
