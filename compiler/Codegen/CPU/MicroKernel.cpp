// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Codegen/CPU/MicroKernel.h"

#include "compiler/Codegen/CPU/IndexMath.h"
#include "compiler/Codegen/SharedFunction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace dlc::codegen {
namespace {

/// Steps of k in one iteration of the main loop. Two hide the loop's own instructions; more cost code.
constexpr int64_t kUnroll = 2;

/// Emits one micro-kernel.
class MicroKernel {
public:
  MicroKernel(OpBuilder &builder, Location location, TileShape shape, const ScalarOperand &a,
              const VectorOperand &b)
      : builder(builder), location(location), math(builder, location), shape(shape), a(a), b(b),
        type(VectorType::get(kTileLanes, cast<MemRefType>(a.memory.getType()).getElementType())) {}

  void emit(DepthCount depth, const TileOperand &c, TileUpdate update);

private:
  /// accumulators[i, v] = fma(A[i, k], B[k, v], accumulators[i, v])
  void step(OpBuilder &nested, Value k, SmallVectorImpl<Value> &accumulators);
  Extent depthOffset(OpBuilder &nested, const DepthOffset &depth, Value k);
  Value loadVector(OpBuilder &nested, Value position, int64_t v, Value passThrough);

  OpBuilder &builder;
  Location location;
  IndexMath math;
  TileShape shape;
  const ScalarOperand &a;
  const VectorOperand &b;
  VectorType type;
  Value zero;
};

Value MicroKernel::loadVector(OpBuilder &nested, Value position, int64_t v, Value passThrough) {
  if (b.masks.empty())
    return vector::LoadOp::create(nested, location, type, b.memory, ValueRange{position});
  return vector::MaskedLoadOp::create(nested, location, type, b.memory, ValueRange{position}, b.masks[v],
                                      passThrough);
}

Extent MicroKernel::depthOffset(OpBuilder &nested, const DepthOffset &depth, Value k) {
  IndexMath at(nested, location);
  if (!depth.table)
    return at.mul(k, depth.stride);
  Value entry = memref::LoadOp::create(nested, location, depth.table, at.value(at.add(depth.first, k)));
  return arith::IndexCastOp::create(nested, location, nested.getIndexType(), entry).getResult();
}

void MicroKernel::step(OpBuilder &nested, Value k, SmallVectorImpl<Value> &accumulators) {
  IndexMath at(nested, location);
  Extent offset = depthOffset(nested, b.depth, k);
  SmallVector<Value, 8> columns;
  for (int64_t v = 0; v < shape.vectors; ++v)
    columns.push_back(loadVector(nested, at.value(at.add(b.bases[v], offset)), v, zero));
  Extent depth = at.add(a.base, depthOffset(nested, a.depth, k));
  for (int64_t i = 0; i < shape.rows; ++i) {
    Extent distance =
        a.rowOffsets.empty() ? at.mul(at.constant(i), a.rowStride) : at.constant(a.rowOffsets[i]);
    Value position = at.value(at.add(depth, distance));
    Value element = memref::LoadOp::create(nested, location, a.memory, position);
    Value row = vector::BroadcastOp::create(nested, location, type, element);
    for (int64_t v = 0; v < shape.vectors; ++v) {
      Value &sum = accumulators[i * shape.vectors + v];
      // Not vector.fma, which LLVM may split into two roundings.
      sum = math::FmaOp::create(nested, location, row, columns[v], sum);
    }
  }
}

void MicroKernel::emit(DepthCount depth, const TileOperand &c, TileUpdate update) {
  zero = arith::ConstantOp::create(builder, location, type, builder.getZeroAttr(type));
  SmallVector<Value> accumulators(shape.rows * shape.vectors, zero);
  auto loop = [&](Extent from, Extent to, int64_t unroll) {
    auto body = [&](OpBuilder &nested, Location, Value k, ValueRange carried) {
      SmallVector<Value> sums(carried);
      IndexMath at(nested, location);
      for (int64_t u = 0; u < unroll; ++u)
        step(nested, at.value(at.add(k, u)), sums);
      scf::YieldOp::create(nested, location, sums);
    };
    auto op = scf::ForOp::create(builder, location, math.value(from), math.value(to),
                                 math.value(math.constant(unroll)), accumulators, body);
    accumulators.assign(op.result_begin(), op.result_end());
  };
  std::optional<int64_t> constant = IndexMath::asConstant(depth.count);
  bool isWhole = (constant ? *constant : depth.multiple) % kUnroll == 0;
  Extent whole =
      isWhole ? Extent(depth.count) : math.mul(math.floorDiv(depth.count, math.constant(kUnroll)), kUnroll);
  if (!IndexMath::isConstant(whole, 0))
    loop(math.constant(0), whole, kUnroll);
  if (!isWhole)
    loop(whole, depth.count, 1);

  for (int64_t i = 0; i < shape.rows; ++i) {
    Extent row = math.add(c.base, math.mul(math.constant(i), c.rowStride));
    for (int64_t v = 0; v < shape.vectors; ++v) {
      Value position = math.value(math.add(row, v * kTileLanes));
      Value sum = accumulators[i * shape.vectors + v];
      if (update == TileUpdate::Add) {
        Value old = vector::LoadOp::create(builder, location, type, c.memory, ValueRange{position});
        sum = arith::AddFOp::create(builder, location, old, sum);
      }
      vector::StoreOp::create(builder, location, sum, c.memory, ValueRange{position});
    }
  }
}

/// Collects what a call passes: values become arguments, constants stay in the callee (and in its name)
/// unless all constants are to share it.
class Signature {
public:
  Signature(std::string name, IndexMath &math) : name(std::move(name)), math(math) {}

  void value(Value argument) { arguments.push_back(argument); }
  void extent(StringRef tag, Extent extent, Specialize specialize) {
    std::optional<int64_t> constant = IndexMath::asConstant(extent);
    if (constant && specialize == Specialize::Yes) {
      name += ("_" + tag + Twine(*constant)).str();
      return;
    }
    name += ("_" + tag + "x").str();
    value(math.value(extent));
  }

  std::string name;
  SmallVector<Value> arguments;

private:
  IndexMath &math;
};

/// The callee's side: takes its arguments in the order in which the signature was collected.
class Parameters {
public:
  Parameters(OpBuilder &builder, ValueRange values) : builder(builder), values(values) {}
  Value value() { return values[next++]; }
  Extent extent(Extent passed, Specialize specialize) {
    std::optional<int64_t> constant = IndexMath::asConstant(passed);
    if (constant && specialize == Specialize::Yes)
      return builder.getIndexAttr(*constant);
    return value();
  }

private:
  OpBuilder &builder;
  ValueRange values;
  unsigned next = 0;
};

void describe(Signature &signature, StringRef tag, const DepthOffset &depth, Specialize specialize) {
  if (!depth.table)
    return signature.extent(tag, depth.stride, specialize);
  signature.name += ("_" + tag + "t").str();
  signature.value(depth.table);
  signature.value(depth.first);
}

DepthOffset receive(Parameters &parameters, const DepthOffset &passed, Specialize specialize) {
  if (!passed.table)
    return {parameters.extent(passed.stride, specialize), {}, {}};
  Value table = parameters.value();
  return {passed.stride, table, parameters.value()};
}

} // namespace

// A micro-kernel is a function of its own: the registers of the machine are then all its own, and every
// kernel of the module that needs the same one calls it.
void emitMicroKernel(OpBuilder &builder, Location location, TileShape shape, const ScalarOperand &a,
                     const VectorOperand &b, DepthCount depth, const TileOperand &c, TileUpdate update,
                     Specialize specialize) {
  Type element = cast<MemRefType>(a.memory.getType()).getElementType();
  std::string prefix;
  llvm::raw_string_ostream(prefix) << "tile_" << element << "_" << shape.rows << "x" << shape.columns()
                                   << (update == TileUpdate::Add ? "_add" : "_set");
  IndexMath math(builder, location);
  Signature signature(prefix, math);
  signature.value(a.memory);
  signature.value(a.base);
  if (a.rowOffsets.empty())
    signature.extent("r", a.rowStride, specialize);
  for (int64_t offset : a.rowOffsets)
    signature.name += "_o" + std::to_string(offset);
  describe(signature, "k", a.depth, Specialize::Yes);
  signature.value(b.memory);
  for (Value base : b.bases)
    signature.value(base);
  describe(signature, "b", b.depth, specialize);
  if (!b.masks.empty())
    signature.name += "_m";
  for (Value mask : b.masks)
    signature.value(mask);
  signature.extent("n", depth.count, specialize);
  std::optional<int64_t> knownCount = IndexMath::asConstant(depth.count);
  if (knownCount && specialize == Specialize::No)
    depth.multiple = *knownCount;
  if ((!knownCount || specialize == Specialize::No) && depth.multiple % kUnroll == 0)
    signature.name += "_even";
  signature.value(c.memory);
  signature.value(c.base);
  signature.extent("c", c.rowStride, Specialize::Yes);

  callShared(builder, location, signature.name, signature.arguments, {},
             [&](OpBuilder &nested, ValueRange values) {
               Parameters parameters(nested, values);
               ScalarOperand inA;
               inA.memory = parameters.value();
               inA.base = parameters.value();
               inA.rowOffsets = a.rowOffsets;
               if (a.rowOffsets.empty())
                 inA.rowStride = parameters.extent(a.rowStride, specialize);
               inA.depth = receive(parameters, a.depth, Specialize::Yes);
               VectorOperand inB;
               inB.memory = parameters.value();
               for (size_t v = 0; v < b.bases.size(); ++v)
                 inB.bases.push_back(parameters.value());
               inB.depth = receive(parameters, b.depth, specialize);
               for (size_t v = 0; v < b.masks.size(); ++v)
                 inB.masks.push_back(parameters.value());
               DepthCount count{parameters.extent(depth.count, specialize), depth.multiple};
               TileOperand inC;
               inC.memory = parameters.value();
               inC.base = parameters.value();
               inC.rowStride = parameters.extent(c.rowStride, Specialize::Yes);
               MicroKernel(nested, location, shape, inA, inB).emit(count, inC, update);
               return SmallVector<Value>();
             });
}

void emitMicroKernelRows(OpBuilder &builder, Location location, TileShape full, Extent rows,
                         const ScalarOperand &a, const VectorOperand &b, DepthCount depth,
                         const TileOperand &c, TileUpdate update) {
  assert(a.rowOffsets.empty() && "parts of a tile find their rows by the stride");
  if (std::optional<int64_t> constant = IndexMath::asConstant(rows)) {
    emitMicroKernel(builder, location, {*constant, full.vectors}, a, b, depth, c, update);
    return;
  }
  IndexMath math(builder, location);
  Value height = math.value(rows);
  auto compare = [&](arith::CmpIPredicate predicate, Value value, int64_t constant) -> Value {
    return arith::CmpIOp::create(builder, location, predicate, value, math.value(math.constant(constant)));
  };
  Value isFull = compare(arith::CmpIPredicate::eq, height, full.rows);
  auto branch = scf::IfOp::create(builder, location, isFull, /*withElseRegion=*/full.rows > 1);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  emitMicroKernel(builder, location, full, a, b, depth, c, update);
  if (full.rows == 1)
    return;

  // Fours, a two and a one. Four rows keep enough sums in flight, so that a smaller tile needs no more kinds.
  builder.setInsertionPointToStart(branch.elseBlock());
  auto part = [&](int64_t count, Value done) {
    ScalarOperand aPart = a;
    aPart.base = math.value(math.add(a.base, math.mul(done, a.rowStride)));
    TileOperand cPart = c;
    cPart.base = math.value(math.add(c.base, math.mul(done, c.rowStride)));
    emitMicroKernel(builder, location, {count, full.vectors}, aPart, b, depth, cPart, update, Specialize::No);
  };
  Value fours = arith::AndIOp::create(builder, location, height, math.value(math.constant(~int64_t(3))));
  if (full.rows > 4) {
    auto loop = scf::ForOp::create(builder, location, math.value(math.constant(0)), fours,
                                   math.value(math.constant(4)));
    OpBuilder::InsertionGuard inner(builder);
    builder.setInsertionPointToStart(loop.getBody());
    part(4, loop.getInductionVar());
  }
  Value done = fours;
  for (int64_t digit : {2, 1}) {
    if (digit >= full.rows)
      continue;
    Value bit = arith::AndIOp::create(builder, location, height, math.value(math.constant(digit)));
    auto isSet = scf::IfOp::create(builder, location, compare(arith::CmpIPredicate::ne, bit, 0));
    {
      OpBuilder::InsertionGuard inner(builder);
      builder.setInsertionPointToStart(isSet.thenBlock());
      part(digit, done);
    }
    done = math.value(math.add(done, bit));
  }
}

} // namespace dlc::codegen
