// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A schedule: how one entry runs. Commands run a dispatch or repeat other commands; bindings say where in
// memory each operand and result of a dispatch lies. Sizes, offsets and counts are polynomials in the entry's
// symbols. dl-plan-memory makes schedules, verifySchedule checks them, emitSchedule puts them into the
// artifact.
//
// What kernels must keep to, because plans rely on it:
//  - A dispatch reads and writes elements through `operand_strides` and `result_strides` (in elements, one
//    polynomial per axis; an empty array, or no attribute: row-major).
//  - A result may share memory with an operand that reaches results through elementwise operations alone (see
//    isIndexForIndex). A kernel computes results of one shape in one pass and reads element i of such
//    operands before it writes element i of any of these results (in vectors of 16 at most).
//  - Distinct results, and all other pairs of operand and result, do not overlap.

#ifndef DLC_COMPILER_MEMORY_SCHEDULE_H
#define DLC_COMPILER_MEMORY_SCHEDULE_H

#include "compiler/Dialect/Dl.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace dlc::memory {

using namespace mlir;

/// What a binding's address counts from.
enum class Base {
  Buffer,      ///< schedule.buffers[index]
  State,       ///< schedule.states[index]
  Argument,    ///< of the entry
  Result,      ///< of the entry
  LoopCounter, ///< an i64 of value offset + terms
};

enum class Access { Read = 1, Write = 2 };

/// stride · i, or stride · ((i + bias) mod modulus) when there is a modulus; i = 0, 1, … counts a loop's
/// runs.
struct LoopTerm {
  dl::PolynomialAttr stride; ///< Bytes, signed.
  unsigned modulus = 0, bias = 0;
  bool operator==(const LoopTerm &) const = default;
};

/// scale · (value mod modulus): where a carry that alternates between two halves ends up.
struct Remainder {
  dl::PolynomialAttr scale; ///< Bytes.
  dl::PolynomialAttr value;
  int64_t modulus;
  bool operator==(const Remainder &) const = default;
};

/// Where an operand or result of a dispatch starts.
struct Binding {
  Base base = Base::Buffer;
  unsigned index = 0;
  Access access = Access::Read;
  dl::PolynomialAttr offset; ///< Bytes.
  dl::PolynomialAttr extent; ///< Bytes from the address on that the dispatch may touch.
  std::optional<Remainder> remainder;
  SmallVector<LoopTerm, 2> terms; ///< By enclosing loop, outermost first; missing ones are 0.
  Type elementType;
  /// Sizes and strides in elements, of a tensor that does not lie densely.
  SmallVector<dl::PolynomialAttr> dims, strides;
};

struct Command {
  enum class Kind { Run, Loop } kind = Kind::Run;
  dl::DispatchOp dispatch;          ///< Run.
  SmallVector<Binding, 4> bindings; ///< Run: the dispatch's operands, then its results.
  dl::PolynomialAttr count;         ///< Loop: how often `body` runs.
  std::vector<Command> body;
};

/// A temporary. Buffers are placed in their order, each at the lowest offset, a multiple of 64, at which it
/// overlaps no earlier buffer that it conflicts with.
struct Buffer {
  std::string name;                ///< The dispatch that fills it first, for people.
  dl::PolynomialAttr size;         ///< Bytes.
  SmallVector<unsigned> conflicts; ///< Earlier buffers that live at the same time, ascending.
};

struct Schedule {
  func::FuncOp entry;
  SmallVector<dl::StateOp> states; ///< Of the module, in order.
  std::vector<Buffer> buffers;
  std::vector<Command> commands;
};

/// Values of the symbolic dimensions by name.
using SymbolValues = llvm::StringMap<int64_t>;

/// The value of a polynomial, or nothing on overflow or a missing symbol.
std::optional<int64_t> evaluate(dl::PolynomialAttr polynomial, const SymbolValues &symbols);

/// Plans an entry that dl-form-dispatches has gone over. Inserts copying dispatches into it, adds results to
/// dispatches whose values have several destinations, and sets strides on dispatches. A failure has been
/// reported.
FailureOr<Schedule> planMemory(func::FuncOp entry);

/// Where the buffers lie for given symbols, and the bytes of the arena; nothing when a size cannot be
/// evaluated.
struct Placement {
  SmallVector<int64_t> offsets;
  int64_t peak = 0;
};
std::optional<Placement> placeBuffers(const Schedule &schedule, const SymbolValues &symbols);

/// The bytes of an element in memory; a bool takes one.
int64_t elementBytes(Type elementType);

/// Bytes of a contiguous tensor.
dl::PolynomialAttr byteSize(dl::TensorType type);

/// Whether operand `operand` of a dispatch reaches its results through elementwise operations (and reshapes)
/// alone, and all results that it reaches have the type's number of elements and the shape of result
/// `result`.
bool isIndexForIndex(dl::DispatchOp dispatch, unsigned operand, unsigned result);

/// Rebuilds the data flow from the commands, the placed buffers and the strides of the dispatches, element by
/// element for the given (small) symbols, and compares it with the values of the entry: every read sees what
/// the program means, states and results end with the right values, and what one dispatch reads and writes at
/// the same time is legal. Returns a description of the first violation, or nothing.
std::optional<std::string> verifySchedule(const Schedule &schedule, const SymbolValues &symbols);

/// As above, with the buffers at the given offsets.
std::optional<std::string> verifySchedule(const Schedule &schedule, const SymbolValues &symbols,
                                          const Placement &placement);

/// The text of `--emit=schedule`.
void print(const Schedule &schedule, llvm::raw_ostream &os);

} // namespace dlc::memory

#endif // DLC_COMPILER_MEMORY_SCHEDULE_H
