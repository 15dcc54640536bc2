// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emits the code that computes elements of dl values inside a dispatch, on demand: asked for a value at a
// position, it walks the dl operations backwards to the operands and emits arith, vector and memref
// operations. Fusion is nothing but this walk.
//
//  - An element that is the same in all lanes is emitted as a scalar, others as vector<16xT>; operations
//    broadcast scalars where they meet vectors.
//  - Scopes mirror the loops that are being built. An operation is placed in the outermost scope in which its
//    operands exist, so what does not depend on an inner loop is computed outside of it. Values are
//    remembered per scope and dropped when it is left.
//  - The lane mask and the guard say which lanes (or whether the scalar) will be used; loads touch memory for
//    no others. Results of unused lanes are arbitrary.

#ifndef DLC_COMPILER_CODEGEN_ELEMENTEMITTER_H
#define DLC_COMPILER_CODEGEN_ELEMENTEMITTER_H

#include "compiler/Codegen/Index.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <functional>

namespace dlc::codegen {

class ElementEmitter {
public:
  /// Supplies the element(s) of a value that the emitter does not compute itself (the result of a
  /// contraction in registers, a carried value): a scalar if the position is uniform, else a vector.
  using Source = std::function<Value(ArrayRef<Index>)>;
  /// The value of a symbolic dimension as an index, available in the whole kernel.
  using SymbolValues = std::function<Value(StringRef)>;

  /// `builder` must stand in the kernel's entry block; code is emitted at its insertion point from now on.
  /// `lanes` is 16 or 1 (then no vector is ever emitted). Without mask registers, a store of a constant
  /// number of lanes is emitted as plain stores of 8, 4, 2 and 1 lanes: AVX2's masked stores take dozens of
  /// cycles.
  ElementEmitter(ImplicitLocOpBuilder &builder, int64_t lanes, bool hasMaskRegisters, SymbolValues symbols);

  //===--- Where values come from ---===//
  void bind(Value value, Memory memory);
  void bind(Value value, Source source);
  void unbind(Value value);
  /// The memory that a value is bound to, or null.
  const Memory *getMemory(Value value) const;

  //===--- Elements ---===//
  /// The element(s) of `value` at `position`: a scalar when all lanes agree, else a vector. The type is
  /// computeType of the element type. Emits an error and returns null for what cannot be computed by
  /// element (an unbound contraction, convolution or scan).
  Value emit(Value value, ArrayRef<Index> position);
  /// What `make` emits for an element of `value`, remembered as `emit` remembers.
  Value emitOnce(Value value, ArrayRef<Index> position, llvm::function_ref<Value()> make);
  /// `emit`, broadcast to a vector if it is a scalar.
  Value emitVector(Value value, ArrayRef<Index> position);
  /// Stores element(s) of `type` (the value's dl type) honouring mask and guard.
  void store(const Memory &memory, dl::TensorType type, ArrayRef<Index> position, Value element);
  /// Stores the first `count` lanes at an offset, by as few whole stores as there are bits in `count`.
  void storeFirstLanes(Value memref, Value offset, Value element, int64_t count);
  Value load(const Memory &memory, dl::TensorType type, ArrayRef<Index> position);

  //===--- Loops and scopes ---===//
  /// Declares that code is now emitted into `block`, a block of `anchor`, which stands in the innermost scope
  /// so far. The builder's insertion point is the caller's business.
  void enter(Operation *anchor, Block *block);
  void leave();
  /// Builds `for (iv = lower; iv < upper; iv += step)` with carried values, in a scope of its own. `body`
  /// returns the next values. `inits` are evaluated before.
  SmallVector<Value> forLoop(Value lower, Value upper, int64_t step, ValueRange inits,
                             llvm::function_ref<SmallVector<Value>(Value iv, ValueRange carried)> body);
  /// Builds `if (condition) then else` with results, each branch in a scope of its own.
  SmallVector<Value> ifElse(Value condition, llvm::function_ref<SmallVector<Value>()> then,
                            llvm::function_ref<SmallVector<Value>()> otherwise);

  /// The lanes in use (vector<16xi1>; null: all), restored by the caller. Use withMask/withGuard.
  Value getMask() const { return mask; }
  /// Emits `body` with the mask (vector<16xi1>) combined with the present one.
  void withMask(Value extra, llvm::function_ref<void()> body);
  /// Emits `body` for the first `count` lanes (an index; below 1: none, above 15: all). Not within another
  /// mask.
  void withFirstLanes(Value count, llvm::function_ref<void()> body);
  /// Emits `body` for scalars that matter only where `extra` (i1) holds.
  void withGuard(Value extra, llvm::function_ref<void()> body);
  /// The mask of the lanes l with base + l < bound.
  Value makeTailMask(Value base, Value bound) { return firstLanes(sub(bound, base)); }
  /// The mask of the lanes l with l < count (an index).
  Value firstLanes(Value count);
  /// Whether the mask has a lane (i1).
  Value anyLane(Value mask);

  //===--- Index arithmetic ---===//
  Value constant(int64_t value);             ///< Of type index.
  Value constantOf(Type type, double value); ///< Of a scalar or vector type (integers: value as it is).
  Value constantOf(TypedAttr attribute);
  Value evaluate(dl::PolynomialAttr polynomial); ///< Of type index, in the outermost scope.
  /// Constant-folding, placed in the outermost possible scope.
  Value add(Value a, Value b), sub(Value a, Value b), mul(Value a, Value b), minimum(Value a, Value b);
  Value divide(Value a, Value b), remainder(Value a, Value b),
      ceilDivide(Value a, Value b); ///< Operands >= 0.
  Value less(Value a, Value b);

  /// The same element of row-major data under another shape: how a position passes a reshape, in either
  /// direction. Axes that the shapes have in common pass unchanged.
  Position regroup(ArrayRef<dl::PolynomialAttr> from, ArrayRef<Index> position,
                   ArrayRef<dl::PolynomialAttr> to);
  /// One index per axis.
  Position expand(ArrayRef<dl::PolynomialAttr> shape, ArrayRef<Index> position);
  /// The whole position as one row-major linear index covering all axes.
  Index linearize(ArrayRef<dl::PolynomialAttr> shape, ArrayRef<Index> position);
  /// (index / divisor, index mod divisor), right for lanes >= 0; `divisor` > 0.
  std::pair<Index, Index> divideWithRemainder(const Index &index, dl::PolynomialAttr divisor);
  /// index · factor, a + b; both cover one axis.
  Index scale(const Index &index, dl::PolynomialAttr factor);
  Index sum(const Index &a, const Index &b);
  Value uniformValue(const Index &index); ///< base + offset.
  Value laneOffsets(const Index &index);  ///< vector<16xi32>: lane l's distance from base + offset.
  /// base + offset + lane's part, as i64: a scalar if uniform, else vector<16xi64>.
  Value wideValue(const Index &index);
  /// The same as i32, for an index that is known to fit.
  Value narrowValue(const Index &index);
  /// Where a uniform position lies in the memref, in elements.
  Value linear(const Memory &memory, ArrayRef<Index> position);

  //===--- Types and placement ---===//
  ImplicitLocOpBuilder &getBuilder() { return builder; }
  int64_t getLanes() const { return lanes; }
  VectorType vectorOf(Type scalar) const { return VectorType::get({lanes}, scalar); }
  Value broadcast(Value scalar); ///< To a vector; a vector stays.
  /// Creates an operation in the outermost scope in which its operands exist.
  template <typename OpTy, typename... Args> Value create(ValueRange operands, Args &&...args) {
    OpBuilder::InsertionGuard guard(builder);
    placeFor(operands);
    return OpTy::create(builder, std::forward<Args>(args)...)->getResult(0);
  }
  /// Moves the insertion point to the end of the outermost scope in which all operands exist (for use under
  /// an InsertionGuard).
  void placeFor(ValueRange operands, size_t outermost = 0);

private:
  struct Scope {
    Operation
        *anchor; ///< The operation in the scope outside whose block this is; null for the kernel's entry.
    Block *block;
    bool isConditional = false; ///< A branch of an `if`.
    struct Entry {
      Position position;
      Value result;
      Value mask; ///< The lanes of a vector that were in use; null: all, or a scalar.
    };
    DenseMap<std::pair<void *, int>, SmallVector<Entry, 2>> values;
    DenseMap<std::tuple<int, Value, Value>, Value> arithmetic;
    DenseMap<Attribute, Value> attributes; ///< Constants and polynomials, in the outermost scope.
  };

  bool isPositive(Value value) const;
  Value atLeastOne(Value divisor);
  size_t levelOf(Value value) const;
  /// The innermost scope that is entered under a condition: memory is not read outside of it.
  size_t conditionLevel() const;
  /// Emits `body` as if the scopes inside of `level` had not been entered yet.
  SmallVector<Value> atLevel(size_t level, llvm::function_ref<SmallVector<Value>()> body);
  size_t levelOf(ArrayRef<Index> position) const;
  Value arithmetic(int kind, Value a, Value b, llvm::function_ref<Value()> make);

  /// Remembered results: of a value (tag 0), or of a part that several positions share (tag > 0).
  using Key = std::pair<void *, int>;
  Value lookUp(Key key, ArrayRef<Index> position);
  void remember(Key key, ArrayRef<Index> position, Value result);
  void forgetConditional(size_t mark);
  /// Whether all lanes in use are lanes of `other`, a mask or null for all lanes.
  bool isWithin(Value other) const;

  // By family of operations; `position` is in the result.
  Value emitUncached(Value value, ArrayRef<Index> position);
  Value emitElementwise(Operation *op, ArrayRef<Index> position); // EmitElementwise.cpp
  Value emitIota(dl::IotaOp op, ArrayRef<Index> position);        // EmitShape.cpp
  Value emitBroadcast(dl::BroadcastOp op, ArrayRef<Index> position);
  Value emitTranspose(dl::TransposeOp op, ArrayRef<Index> position);
  Value emitSlice(dl::SliceOp op, ArrayRef<Index> position);
  Value emitPad(dl::PadOp op, ArrayRef<Index> position);
  Value emitConcat(dl::ConcatOp op, ArrayRef<Index> position);
  Value emitSubscript(dl::SubscriptOp op, ArrayRef<Index> position); // EmitIndex.cpp
  Value emitGather(dl::GatherOp op, ArrayRef<Index> position);
  Value emitScatterAdd(dl::ScatterAddOp op, ArrayRef<Index> position);
  /// An element of `value` where the conditions (of the scalar, of the lanes; null: always) hold, else
  /// `otherwise`; memory is read for no others.
  Value emitWhere(Value value, ArrayRef<Index> position, Value scalarCondition, Value laneCondition,
                  Value otherwise);                            // EmitShape.cpp
  Value emitRandomKey(dl::RandomKeyOp op);                     // EmitRandom.cpp
  Value emitRandom(dl::RandomOp op, ArrayRef<Index> position); // EmitRandom.cpp
  Value emitReduce(dl::ReduceOp op, ArrayRef<Index> position); // EmitReduction.cpp
  /// Emits a reduction's loops as far out as its kept indices allow.
  SmallVector<Value> atLevelOfReduction(ArrayRef<Index> position,
                                        llvm::function_ref<SmallVector<Value>()> body);
  Value emitArgMax(dl::ArgMaxOp op, ArrayRef<Index> position);
  Value emitMaxPool(dl::MaxPoolOp op, ArrayRef<Index> position); // EmitPooling.cpp
  Value emitMaxPoolGrad(dl::MaxPoolGradOp op, ArrayRef<Index> position);
  Value emitMaxPoolSelect(dl::MaxPoolSelectOp op, ArrayRef<Index> position);

  ImplicitLocOpBuilder &builder;
  int64_t lanes;
  bool hasMaskRegisters;
  SymbolValues symbols;
  DenseMap<Value, Memory> memories;
  DenseMap<Value, Source> sources;
  SmallVector<std::unique_ptr<Scope>> scopes;
  llvm::DenseSet<Value> positive; ///< Indices that are at least 1: polynomials of sizes.
  Value mask;                     ///< vector<16xi1> or null.
  Value maskCount;                ///< Index: the mask is the first so many lanes; null: some other mask.
  Value guard;                    ///< i1 or null.
  /// What was remembered under a mask or guard, to be forgotten with it.
  SmallVector<std::pair<Scope *, Key>> conditional;
  unsigned conditionDepth = 0;
};

/// The type that carries an element in registers: bool is i1, ui8 is i8, bf16 and f16 are f32 (rounded after
/// every operation), others themselves.
Type computeType(Type elementType);
/// The element type of the memref that holds it: bool and ui8 are i8, bf16 and f16 are i16.
Type storageType(Type elementType);

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_ELEMENTEMITTER_H
