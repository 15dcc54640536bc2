// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The schedule verifier: runs the commands on identities instead of numbers.
//
//   1. Meaning. The entry's operations are followed in program order, loops unrolled. Every element of every
//      value gets an identity: a fresh one where a dispatch computes it, the same one where it is moved by
//      an alias, a slice or a stack. This says what each run of a dispatch must read.
//   2. Machine. The commands run in their order on memory whose bytes hold identities. Each element read, at
//      its address and through its strides, must have the identity of step 1; what is written gets its
//      identity.
//   3. Within one run, an element may be written over an element that is read only index for index.
//
// A dropped conflict, a shifted offset, a wrong stride, swapped commands or an early overwrite all show up as
// a wrong identity. See Schedule.h.

#include "compiler/Memory/Schedule.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <map>
#include <memory>

namespace dlc::memory {
namespace {

using Identity = uint64_t;
using Identities = std::shared_ptr<std::vector<Identity>>;
constexpr Identity kInterior = Identity(1) << 63; ///< Marks the bytes of an element after its first.
constexpr Identity kCounter = Identity(1) << 62;  ///< Plus the value of a loop's counter.

/// One dispatch in one iteration of the loops around it.
struct Instance {
  std::vector<Identities> operands, results;
  bool ran = false;
};
using InstanceKey = std::pair<Operation *, std::vector<int64_t>>;

/// Step 1.
class Meaning {
public:
  Meaning(const Schedule &schedule, const SymbolValues &symbols) : symbols(symbols) {
    for (dl::StateOp state : schedule.states) {
      states[state.getSymNameAttr()] = fresh(cast<dl::TensorType>(state.getType()));
      initialStates.push_back(states[state.getSymNameAttr()]);
    }
    func::FuncOp entry = schedule.entry;
    for (Value argument : entry.getArguments()) {
      values[argument] = fresh(cast<dl::TensorType>(argument.getType()));
      arguments.push_back(values[argument]);
    }
    follow(entry.front());
    for (dl::StateOp state : schedule.states)
      finalStates.push_back(states[state.getSymNameAttr()]);
    for (Value result : entry.front().getTerminator()->getOperands())
      results.push_back(values[result]);
  }

  std::optional<std::string> fault; ///< A size that is none at these symbols.
  std::map<InstanceKey, Instance> instances;
  std::vector<Identities> initialStates, finalStates, arguments, results;

private:
  int64_t size(dl::PolynomialAttr polynomial) {
    std::optional<int64_t> value = evaluate(polynomial, symbols);
    if (value && *value >= 0)
      return *value;
    fault = "the size " + dl::toString(polynomial) + " is " + (value ? std::to_string(*value) : "unknown") +
            " at these dimensions";
    return 0;
  }

  Identities fresh(dl::TensorType type) {
    auto identities = std::make_shared<std::vector<Identity>>(size(type.getElementCount()));
    for (Identity &identity : *identities)
      identity = ++last;
    return identities;
  }

  /// A copy: what is inserted next may move the map's entries.
  Identities identitiesOf(Value value) { return values.at(value); }

  /// How the elements of `whole` at `index` on `axis` lie: outer runs of `inner` elements.
  template <typename Visit>
  void forEachOfSlice(dl::TensorType whole, int64_t axis, int64_t index, Visit visit) {
    int64_t outer = 1, inner = 1, length = size(whole.getDim(axis));
    for (int64_t i = 0; i < whole.getRank(); ++i)
      (i < axis ? outer : inner) *= i == axis ? 1 : size(whole.getDim(i));
    for (int64_t o = 0, element = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i, ++element)
        visit((o * length + index) * inner + i, element);
  }

  void follow(Block &block) {
    for (Operation &op : block) {
      if (auto load = dyn_cast<dl::LoadStateOp>(op)) {
        values[load] = states.at(load.getStateAttr().getAttr());
      } else if (auto store = dyn_cast<dl::StoreStateOp>(op)) {
        states[store.getStateAttr().getAttr()] = values.at(store.getValue());
      } else if (auto reshape = dyn_cast<dl::ReshapeOp>(op)) {
        values[reshape] = identitiesOf(reshape.getOperand());
      } else if (isa<dl::DispatchOp>(op)) {
        Instance instance;
        for (Value operand : op.getOperands())
          instance.operands.push_back(values.at(operand));
        for (Value result : op.getResults()) {
          values[result] = fresh(cast<dl::TensorType>(result.getType()));
          instance.results.push_back(values[result]);
        }
        instances[{&op, iterations}] = std::move(instance);
      } else if (auto scan = dyn_cast<dl::ScanOp>(op)) {
        followLoop(scan);
      }
    }
  }

  void followLoop(dl::ScanOp scan) {
    Operation *yield = scan.getBody().front().getTerminator();
    size_t carries = scan.getInits().size();
    for (auto [carry, init] : llvm::zip(scan.getCarries(), scan.getInits()))
      values[carry] = identitiesOf(init);
    for (Value stack : scan.getStacks())
      values[stack] = fresh(cast<dl::TensorType>(stack.getType()));
    int64_t count = size(scan.getCount());
    for (int64_t i = 0; i < count; ++i) {
      int64_t index = scan.getReverse() ? count - 1 - i : i;
      values[scan.getIndex()] = std::make_shared<std::vector<Identity>>(1, kCounter + index);
      for (auto [x, axis, slice] : llvm::zip(scan.getXs(), scan.getXsAxes(), scan.getSlices())) {
        auto part = std::make_shared<std::vector<Identity>>();
        const std::vector<Identity> &whole = *values.at(x);
        forEachOfSlice(cast<dl::TensorType>(x.getType()), axis, index,
                       [&](int64_t at, int64_t) { part->push_back(whole[at]); });
        values[slice] = part;
      }
      iterations.push_back(i);
      follow(scan.getBody().front());
      iterations.pop_back();
      for (auto [number, stack, axis] : llvm::enumerate(scan.getStacks(), scan.getStackAxes())) {
        const std::vector<Identity> &part = *values.at(yield->getOperand(carries + number));
        std::vector<Identity> &whole = *values.at(stack);
        forEachOfSlice(cast<dl::TensorType>(stack.getType()), axis, index,
                       [&](int64_t at, int64_t element) { whole[at] = part[element]; });
      }
      SmallVector<Identities> next;
      for (size_t carry = 0; carry < carries; ++carry)
        next.push_back(values.at(yield->getOperand(carry)));
      for (size_t carry = 0; carry < carries; ++carry)
        values[scan.getCarries()[carry]] = next[carry];
    }
    for (auto [carry, final] : llvm::zip(scan.getCarries(), scan.getFinals()))
      values[final] = identitiesOf(carry);
  }

  const SymbolValues &symbols;
  Identity last = 0;
  llvm::DenseMap<Value, Identities> values;
  llvm::DenseMap<StringAttr, Identities> states;
  std::vector<int64_t> iterations;
};

/// Which element of which result of which run of a dispatch wrote a byte; runs count from 1.
struct Writer {
  uint64_t run = 0;
  uint64_t element = 0;
  unsigned result = 0;
};

/// Bytes of one base, each with the identity that was written last, and who wrote it.
struct Memory {
  std::string name;
  std::vector<Identity> bytes;
  std::vector<Writer> writers;
  explicit Memory(std::string name = {}, int64_t size = 0)
      : name(std::move(name)), bytes(size, 0), writers(size) {}
};

/// Step 2 and 3.
class Machine {
public:
  Machine(const Schedule &schedule, const SymbolValues &symbols, const Placement &placement, Meaning &meaning)
      : schedule(schedule), symbols(symbols), placement(placement), meaning(meaning),
        arena("arena", placement.peak) {
    for (auto [index, identities] : llvm::enumerate(meaning.initialStates)) {
      dl::StateOp state = schedule.states[index];
      states.push_back(
          filled("state @" + state.getSymName().str(), cast<dl::TensorType>(state.getType()), *identities));
    }
    func::FuncOp entry = schedule.entry;
    for (auto [argument, identities] : llvm::zip(entry.getArguments(), meaning.arguments))
      arguments.push_back(filled("argument", cast<dl::TensorType>(argument.getType()), *identities));
    for (Type type : entry.getResultTypes())
      results.emplace_back("result", size(byteSize(cast<dl::TensorType>(type))));
  }

  std::optional<std::string> run() {
    execute(schedule.commands);
    if (fault)
      return fault;
    for (auto &[key, instance] : meaning.instances)
      if (!instance.ran)
        return "\"" + cast<dl::DispatchOp>(key.first).getName().str() + "\" never runs";
    for (auto [index, state] : llvm::enumerate(states)) {
      dl::StateOp op = schedule.states[index];
      if (!holds(state, cast<dl::TensorType>(op.getType()), *meaning.finalStates[index]))
        return state.name + " does not end with its new value";
    }
    func::FuncOp entry = schedule.entry;
    for (auto [index, result] : llvm::enumerate(results))
      if (!holds(result, cast<dl::TensorType>(entry.getResultTypes()[index]), *meaning.results[index]))
        return "result " + std::to_string(index) + " does not end with its value";
    return std::nullopt;
  }

private:
  int64_t size(dl::PolynomialAttr polynomial) { return evaluate(polynomial, symbols).value_or(0); }

  static void write(Memory &memory, int64_t address, int64_t bytes, Identity identity) {
    for (int64_t byte = 0; byte < bytes; ++byte)
      memory.bytes[address + byte] = byte == 0 ? identity : identity | kInterior;
  }
  static bool reads(const Memory &memory, int64_t address, int64_t bytes, Identity identity) {
    for (int64_t byte = 0; byte < bytes; ++byte)
      if (memory.bytes[address + byte] != (byte == 0 ? identity : identity | kInterior))
        return false;
    return true;
  }

  Memory filled(std::string name, dl::TensorType type, const std::vector<Identity> &identities) {
    int64_t bytes = elementBytes(type.getElementType());
    Memory memory(std::move(name), bytes * identities.size());
    for (auto [element, identity] : llvm::enumerate(identities))
      write(memory, element * bytes, bytes, identity);
    return memory;
  }

  bool holds(const Memory &memory, dl::TensorType type, const std::vector<Identity> &identities) {
    int64_t bytes = elementBytes(type.getElementType());
    for (auto [element, identity] : llvm::enumerate(identities))
      if (!reads(memory, element * bytes, bytes, identity))
        return false;
    return true;
  }

  void execute(const std::vector<Command> &commands) {
    for (const Command &command : commands) {
      if (fault)
        return;
      if (command.kind == Command::Kind::Run) {
        runDispatch(command);
        continue;
      }
      int64_t count = size(command.count);
      for (int64_t i = 0; i < count && !fault; ++i) {
        counters.push_back(i);
        execute(command.body);
        counters.pop_back();
      }
    }
  }

  Memory *memoryOf(const Binding &binding) {
    switch (binding.base) {
    case Base::Buffer:
      return binding.index < schedule.buffers.size() ? &arena : nullptr;
    case Base::State:
      return binding.index < states.size() ? &states[binding.index] : nullptr;
    case Base::Argument:
      return binding.index < arguments.size() ? &arguments[binding.index] : nullptr;
    case Base::Result:
      return binding.index < results.size() ? &results[binding.index] : nullptr;
    case Base::LoopCounter:
      return nullptr;
    }
    return nullptr;
  }

  /// Base-relative bytes of a binding in the current iteration.
  int64_t position(const Binding &binding) {
    int64_t address = size(binding.offset);
    if (binding.remainder)
      address +=
          size(binding.remainder->scale) * (size(binding.remainder->value) % binding.remainder->modulus);
    for (auto [term, counter] : llvm::zip(binding.terms, counters))
      address += size(term.stride) * (term.modulus ? (counter + term.bias) % term.modulus : counter);
    return address;
  }

  /// The address of every element, in row-major order.
  std::vector<int64_t> addresses(dl::TensorType type, ArrayAttr strides, unsigned number, int64_t start) {
    SmallVector<int64_t> sizes, steps(type.getRank());
    for (dl::PolynomialAttr dim : type.getShape())
      sizes.push_back(size(dim));
    int64_t bytes = elementBytes(type.getElementType()), step = bytes, count = 1;
    for (int64_t axis = type.getRank() - 1; axis >= 0; --axis) {
      steps[axis] = step;
      step *= sizes[axis];
      count *= sizes[axis];
    }
    if (strides && number < strides.size())
      for (auto [axis, stride] : llvm::enumerate(cast<ArrayAttr>(strides[number])))
        if (axis < steps.size())
          steps[axis] = size(cast<dl::PolynomialAttr>(stride)) * bytes;
    std::vector<int64_t> result;
    result.reserve(count);
    SmallVector<int64_t> index(type.getRank(), 0);
    for (int64_t element = 0; element < count; ++element) {
      int64_t address = start;
      for (auto [i, s] : llvm::zip(index, steps))
        address += i * s;
      result.push_back(address);
      for (int64_t axis = type.getRank() - 1; axis >= 0 && ++index[axis] == sizes[axis]; --axis)
        index[axis] = 0;
    }
    return result;
  }

  /// Keeps the first fault.
  void fail(dl::DispatchOp dispatch, const Twine &what) {
    if (fault)
      return;
    std::string text;
    llvm::raw_string_ostream os(text);
    os << "\"" << dispatch.getName() << "\"";
    if (!counters.empty()) {
      os << " in iteration ";
      llvm::interleaveComma(counters, os);
    }
    os << ": " << what;
    fault = text;
  }

  void runDispatch(const Command &command) {
    dl::DispatchOp dispatch = command.dispatch;
    auto found = meaning.instances.find({dispatch, counters});
    if (found == meaning.instances.end() || found->second.ran)
      return fail(dispatch, found == meaning.instances.end() ? "is not in this loop" : "runs twice");
    Instance &instance = found->second;
    instance.ran = true;
    ++runNumber;
    if (command.bindings.size() != dispatch->getNumOperands() + dispatch->getNumResults())
      return fail(dispatch, "expected one binding per operand and result");
    std::vector<Access> operands, results;
    for (auto [number, binding] : llvm::enumerate(command.bindings)) {
      bool isOperand = number < dispatch->getNumOperands();
      std::optional<Access> access =
          isOperand ? bind(dispatch, number, binding, &instance)
                    : bind(dispatch, number - dispatch->getNumOperands(), binding, nullptr);
      if (!access)
        return;
      (isOperand ? operands : results).push_back(std::move(*access));
    }
    checkReads(dispatch, operands, instance);
    recordWriters(dispatch, results);
    checkOverwrites(dispatch, operands, results);
    for (auto [access, identities] : llvm::zip_equal(results, instance.results))
      for (auto [address, identity] : llvm::zip_equal(access.addresses, *identities))
        write(*access.memory, address, access.bytes, identity);
  }

  /// What an operand reads or a result writes: the addresses of its elements.
  struct Access {
    Memory *memory = nullptr; ///< Null for a loop's counter.
    std::vector<int64_t> addresses;
    int64_t bytes = 0; ///< Of an element.
  };

  /// Operand `number` of `instance`, or result `number` where that is null.
  std::optional<Access> bind(dl::DispatchOp dispatch, unsigned number, const Binding &binding,
                             const Instance *instance) {
    auto refuse = [&](const Twine &what) {
      fail(dispatch, (instance ? "operand " : "result ") + Twine(number) + what);
      return std::nullopt;
    };
    if (binding.base == Base::LoopCounter) {
      if (!instance || (*instance->operands[number])[0] != kCounter + position(binding))
        return refuse(" expected another value of the loop's counter");
      return Access();
    }
    Memory *memory = memoryOf(binding);
    if (!memory)
      return refuse(" is bound to something that is not there");
    if (!instance && binding.base == Base::Argument)
      return refuse(" would overwrite an argument");
    int64_t start = position(binding), extent = size(binding.extent);
    if (binding.base == Base::Buffer) {
      if (start < 0 || start + extent > size(schedule.buffers[binding.index].size))
        return refuse(" leaves buffer " + Twine(binding.index));
      start += placement.offsets[binding.index];
    }
    Value value = instance ? dispatch.getInputs()[number] : dispatch.getOutputs()[number];
    auto type = cast<dl::TensorType>(value.getType());
    auto strides = dispatch->getAttrOfType<ArrayAttr>(instance ? "operand_strides" : "result_strides");
    Access access{memory, addresses(type, strides, number, start), elementBytes(type.getElementType())};
    for (int64_t address : access.addresses)
      if (address < start || address + access.bytes > start + extent || address < 0 ||
          address + access.bytes > static_cast<int64_t>(memory->bytes.size()))
        return refuse(" leaves its " + memory->name);
    return access;
  }

  void checkReads(dl::DispatchOp dispatch, const std::vector<Access> &operands, const Instance &instance) {
    for (auto [number, access] : llvm::enumerate(operands))
      for (auto [element, address] : llvm::enumerate(access.addresses))
        if (!reads(*access.memory, address, access.bytes, (*instance.operands[number])[element]))
          return fail(dispatch, "operand " + Twine(number) + " expected another value in its " +
                                    access.memory->name + " at element " + Twine(element));
  }

  void recordWriters(dl::DispatchOp dispatch, const std::vector<Access> &results) {
    for (auto [number, access] : llvm::enumerate(results))
      for (auto [element, address] : llvm::enumerate(access.addresses))
        for (int64_t byte = 0; byte < access.bytes; ++byte) {
          Writer &writer = access.memory->writers[address + byte];
          if (writer.run == runNumber)
            return fail(dispatch, "result " + Twine(number) + " overlaps another result");
          writer = {runNumber, element, static_cast<unsigned>(number)};
        }
  }

  void checkOverwrites(dl::DispatchOp dispatch, const std::vector<Access> &operands,
                       const std::vector<Access> &results) {
    for (auto [number, access] : llvm::enumerate(operands))
      for (auto [element, address] : llvm::enumerate(access.addresses))
        for (int64_t byte = 0; byte < access.bytes; ++byte) {
          const Writer &writer = access.memory->writers[address + byte];
          if (writer.run != runNumber)
            continue;
          if (writer.element != element || results[writer.result].addresses[element] != address ||
              !isIndexForIndexOnce(dispatch, number, writer.result))
            return fail(dispatch, "operand " + Twine(number) + " is overwritten by result " +
                                      Twine(writer.result) + " while it is read");
        }
  }

  bool isIndexForIndexOnce(dl::DispatchOp dispatch, unsigned operand, unsigned result) {
    auto [entry, inserted] = inPlace.try_emplace(std::tuple(dispatch.getOperation(), operand, result), false);
    if (inserted)
      entry->second = isIndexForIndex(dispatch, operand, result);
    return entry->second;
  }

  const Schedule &schedule;
  const SymbolValues &symbols;
  const Placement &placement;
  Meaning &meaning;
  Memory arena;
  std::vector<Memory> states, arguments, results;
  std::vector<int64_t> counters;
  uint64_t runNumber = 0;
  std::map<std::tuple<Operation *, unsigned, unsigned>, bool> inPlace;
  std::optional<std::string> fault;
};

} // namespace

std::optional<std::string> verifySchedule(const Schedule &schedule, const SymbolValues &symbols,
                                          const Placement &placement) {
  Meaning meaning(schedule, symbols);
  if (meaning.fault)
    return meaning.fault;
  return Machine(schedule, symbols, placement, meaning).run();
}

std::optional<std::string> verifySchedule(const Schedule &schedule, const SymbolValues &symbols) {
  std::optional<Placement> placement = placeBuffers(schedule, symbols);
  if (!placement)
    return "a buffer's size cannot be evaluated";
  return verifySchedule(schedule, symbols, *placement);
}

} // namespace dlc::memory
