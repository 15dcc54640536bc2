// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the compiler's last phase writes: an ArtifactDescription, filled by memory planning (entries, states,
// schedules) and code generation (code images, kernels), becomes the bytes of a .dla file. The description
// mirrors runtime/schema/artifact.fbs, which documents the meaning of every field for the runtime; this
// header says how to fill it.
//
// The same description always gives the same bytes. The writer asserts what a bug of ours would violate; the
// runtime's loader verifies everything again.

#ifndef DLC_COMPILER_ARTIFACT_ARTIFACTWRITER_H
#define DLC_COMPILER_ARTIFACT_ARTIFACTWRITER_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dlc::artifact {

/// Values equal those of the schema and of dlc_runtime.h.
enum class Dtype : uint8_t { F32, F64, BF16, F16, I8, U8, I32, I64, Bool };
enum class EntryKind : uint8_t { Init, Train, Eval, Infer };
enum class StateRole : uint8_t {
  Parameter,
  Buffer,
  Optimizer,
  Iteration,
  Hyperparameter,
  Seed,
  Metric,
  Schedule
};
enum class ReportKind : uint8_t { None, Value, Metric };
enum class Target : uint8_t { Cpu, Cuda };
enum class FitKind : uint8_t { String, Number, Identifier };
enum class BindingKind : uint8_t { Buffer, State, Argument, Result, Constant, LoopCounter };
enum class Access : uint8_t { Read = 1, Write = 2, ReadWrite = 3 };

/// An integer expression over an entry's symbols (by their index in Entry::symbols) in reverse Polish
/// notation. Default: 0. Builders fold constants and neutral elements; equal expressions are stored once.
class Expression {
public:
  enum class Op : uint8_t { Constant, Symbol, Add, Sub, Mul, FloorDiv, CeilDiv, Mod, Min, Max };
  struct Instruction {
    Op op;
    int64_t value; ///< Constant: the value; Symbol: its index; otherwise 0.
    auto operator<=>(const Instruction &) const = default;
  };

  Expression() : code{{Op::Constant, 0}} {}
  Expression(int64_t constant) : code{{Op::Constant, constant}} {} // NOLINT: numbers are expressions
  static Expression symbol(unsigned index);
  static Expression binary(Op op, const Expression &a, const Expression &b);

  Expression operator+(const Expression &other) const { return binary(Op::Add, *this, other); }
  Expression operator-(const Expression &other) const { return binary(Op::Sub, *this, other); }
  Expression operator*(const Expression &other) const { return binary(Op::Mul, *this, other); }
  Expression floorDiv(const Expression &other) const { return binary(Op::FloorDiv, *this, other); }
  Expression ceilDiv(const Expression &other) const { return binary(Op::CeilDiv, *this, other); }
  Expression mod(const Expression &other) const { return binary(Op::Mod, *this, other); }
  Expression min(const Expression &other) const { return binary(Op::Min, *this, other); }
  Expression max(const Expression &other) const { return binary(Op::Max, *this, other); }

  bool isConstant() const { return code.size() == 1 && code[0].op == Op::Constant; }
  int64_t constantValue() const { return code[0].value; } ///< Only when isConstant().
  /// The value for given symbols; none when it overflows or divides by less than 1.
  std::optional<int64_t> evaluate(const std::vector<int64_t> &symbols) const;
  const std::vector<Instruction> &instructions() const { return code; }
  auto operator<=>(const Expression &) const = default;

private:
  std::vector<Instruction> code;
};

struct SourceLocation {
  std::string file; ///< As the user named it; empty: unknown.
  uint32_t line = 0, column = 0;
};

/// A dimension. The compiler writes what --max says; what `where` says is a constraint.
struct Symbol {
  std::string name;
  int64_t min = 1, max = INT64_MAX; ///< Inclusive.
  int64_t multipleOf = 1;
};

/// An argument or a result of an entry.
struct Value {
  std::string name;
  Dtype dtype = Dtype::F32;
  std::vector<Expression> dims;         ///< At most 8. Each symbol should be some argument's whole dimension.
  ReportKind report = ReportKind::None; ///< Results only.
  int64_t places = 0, leastPlace = 0;   ///< Arguments only: what compiler/PlaceCount.h finds.
  SourceLocation placesLocation = {};
};

/// What sizes must satisfy: `value` ≥ 0.
struct Constraint {
  Expression value;
  std::string text; ///< "x[7] needs n - 8 >= 0", for messages.
  SourceLocation location;
};

/// An entry's signature, shared by all variants. `init` entries have no arguments and no results.
struct Entry {
  std::string name;
  EntryKind kind = EntryKind::Infer;
  std::vector<Symbol>
      symbols; ///< In `dl.symbols` order: expressions and the kernels' `dims` use it. At most 16.
  std::vector<Value> arguments;
  std::vector<Value> results;
  std::vector<Constraint> constraints; ///< In the order in which they are checked and reported.
};

struct State {
  std::string name; ///< Unique. Parameters and buffers: PyTorch's names.
  Dtype dtype = Dtype::F32;
  std::vector<int64_t> dims; ///< At most 8.
  StateRole role = StateRole::Parameter;
  int32_t owner = -1; ///< Entry index: optimizer, iteration, hyperparameter (train entry), metric; -1: none.
  int32_t parameter = -1; ///< Optimizer states: the index of their parameter's state.
  double initial = 0; ///< Hyperparameter, metric, iteration and seed: the value of every element at first.
};

/// A term of an address: stride · i, or stride · ((i + bias) mod modulus) when modulus > 0; i = 0, 1, … in
/// its loop.
struct LoopTerm {
  Expression stride; ///< Bytes, may be negative (a reverse scan: offset = (t-1)·s, stride = -s).
  uint32_t modulus = 0;
  uint32_t bias = 0; ///< A ping-pong carry reads {s, 2, 0} and writes {s, 2, 1}.
};

/// An operand of a kernel: address = base(kind, index) + offset + Σ terms.
/// LoopCounter: the kernel gets a pointer to an i64 of value offset + Σ terms, so {terms = {{1}}} is the
/// innermost counter of one loop and {offset = t-1, terms = {{-1}}} its reverse.
struct Binding {
  BindingKind kind = BindingKind::Buffer;
  uint32_t index = 0; ///< Of the buffer, state, argument or result; 0 otherwise.
  Access access = Access::Read;
  Expression offset; ///< Bytes.
  Expression extent; ///< Bytes that the kernel may touch from the address on; `prepare` checks them against
                     ///< the base's size.
  std::vector<LoopTerm> terms; ///< By enclosing loop, outermost first; missing ones are 0.
  Dtype dtype = Dtype::F32;
  std::vector<Expression> dims = {}, strides = {}; ///< In elements, of a tensor that does not lie densely.
};

/// Run: `groups` work-groups of one kernel, all done before the next command starts. Loop: the body `count`
/// times.
struct Command {
  enum class Kind : uint8_t { Run, Loop } kind = Kind::Run;
  // Run:
  uint32_t kernel = 0;           ///< Index into Variant::kernels.
  Expression groups = 1;         ///< Work-groups; 0 skips the run.
  std::vector<Binding> bindings; ///< The dispatch's operands, then its results. At most 64.
  Expression flops, bytes;       ///< Of one run, for `inspect`.
  // Loop:
  Expression count;
  std::vector<Command> body; ///< Loops nest at most 4 deep.
};

/// A temporary, 64-byte aligned. The runtime places buffers first-fit in this order, at the lowest offset at
/// which it overlaps no conflicting one; so large ones should come first.
struct Buffer {
  Expression size; ///< Bytes.
  std::vector<uint32_t>
      conflicts; ///< Buffers that live at the same time, by index; either side of a pair suffices.
};

/// One entry as one variant runs it.
struct Plan {
  std::vector<Buffer> buffers;
  std::vector<Command> commands;
  uint64_t peakBound = 0; ///< Arena bytes for the symbols' maxima; 0 when one is unbounded.
};

struct Kernel {
  std::string name;        ///< Unique in its variant; for PTX the entry symbol.
  uint64_t codeOffset = 0; ///< CPU: where the function starts in Variant::code.
  uint64_t codeSize = 0; ///< Bytes of the function, for `inspect`; CPU: codeOffset + codeSize ≤ code.size().
  Expression scratch;    ///< Bytes per worker, over the symbols of the entry that runs it.
  uint32_t block = 0;    ///< PTX: threads per block (x).
  uint32_t sharedBytes = 0;              ///< PTX: dynamic shared memory.
  std::vector<SourceLocation> locations; ///< The main op first.
};

/// How a variant keeps a state: resident axis i is logical axis permutation[i]; empty is the identity.
/// Kernels see the resident layout; files and the C API the logical one.
struct StateLayout {
  std::vector<uint8_t> permutation;
};

/// A function of AddressSanitizer that instrumented kernels (`--sanitize`) call: the image holds 8 bytes for
/// its address, which the loader fills when the process has the sanitizer; otherwise the variant is not
/// usable. The image defines the function itself as a jump through the slot, so it still has no undefined
/// symbol.
struct Import {
  std::string name;  ///< "__asan_report_load4", …
  uint64_t slot = 0; ///< Offset in Variant::code, a multiple of 8.
};

/// Kernels of a CPU variant are C functions `void kernel(const dlc_kernel_args *)` inside one
/// position-independent image without relocations or imports. Kernels of a CUDA variant take each binding's
/// pointer, then each symbol as i64; a work-group is a block.
struct Variant {
  std::string name; ///< "x86-64-v3", "x86-64-v4", "aarch64", "sm_80", "sm_90a".
  Target target = Target::Cpu;
  std::vector<std::string>
      features;          ///< What the machine must have (runtime/cpu_features.cpp): "avx2", "sm_80".
  std::string code;      ///< The image's bytes, or PTX text (the writer adds the NUL).
  std::string constants; ///< May be empty.
  std::vector<Kernel> kernels;
  std::vector<StateLayout> layouts; ///< One per state, or empty when all are identities.
  std::vector<Plan> plans;          ///< One per entry.
  std::vector<Import> imports;      ///< Only with --sanitize.
};

/// Keys are those of dlc_fit_info in dlc_runtime.h.
struct FitSetting {
  std::string key;
  FitKind kind = FitKind::String;
  std::string text;
  double number = 0;
};

struct ArtifactDescription {
  std::string compilerVersion;
  std::string sourceName;
  uint64_t sourceHash = 0; ///< hashBytes of all source files, the standard library included.
  std::string flags;
  std::vector<Entry> entries;
  std::vector<State> states;
  std::vector<Variant> variants; ///< From the least to the most demanding; CPU first.
  std::vector<FitSetting> fit;
};

/// The bytes of the artifact file.
std::string writeArtifact(const ArtifactDescription &description);

/// xxhash64, seed 0.
uint64_t hashBytes(const void *data, size_t size);

/// Makes the checksum of an artifact right again after its bytes were changed (for tests). False when it is
/// too short.
bool repairChecksum(std::string &bytes);

} // namespace dlc::artifact

#endif // DLC_COMPILER_ARTIFACT_ARTIFACTWRITER_H
