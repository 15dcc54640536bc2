// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// planMemory: from an entry made of dispatches to a schedule. Precondition: dl-form-dispatches. See
// Schedule.h for what the result means and Destinations.cpp for what is computed in place.

#include "compiler/Memory/Planner.h"
#include "runtime/dlc_runtime.h"

#include "llvm/ADT/STLExtras.h"

namespace dlc::memory {
namespace {

/// A temporary before buffers are numbered.
struct Storage {
  std::string name;
  dl::PolynomialAttr size;
  Block *block;              ///< Where it comes to life.
  unsigned first, last;      ///< Positions of the first and the last command that touch it.
  bool pinned = false;       ///< A carry or a stack: never reused by a result.
  SmallVector<Value> values; ///< What lies in it.
};

class Planner {
public:
  Planner(func::FuncOp entry, Schedule &schedule, Destinations destinations)
      : entry(entry), schedule(schedule), destinations(std::move(destinations)),
        zero(dl::PolynomialAttr::getConstant(entry.getContext(), 0)) {}

  LogicalResult run() {
    for (auto [index, argument] : llvm::enumerate(entry.getArguments()))
      places[argument] = Place{Base::Argument, unsigned(index), zero, std::nullopt, {}, {}};
    if (failed(planBlock(entry.front(), 0, schedule.commands)))
      return failure();
    numberBuffers();
    return success();
  }

private:
  LogicalResult planBlock(Block &block, unsigned depth, std::vector<Command> &commands) {
    for (Operation &op : block) {
      if (auto load = dyn_cast<dl::LoadStateOp>(op)) {
        auto state =
            llvm::find_if(schedule.states, [&](dl::StateOp s) { return s.getSymName() == load.getState(); });
        places[load] =
            Place{Base::State, unsigned(state - schedule.states.begin()), zero, std::nullopt, {}, {}};
      } else if (auto reshape = dyn_cast<dl::ReshapeOp>(op)) {
        const Place place = places.at(reshape.getOperand());
        if (!place.strides.empty())
          return op.emitOpError("expected a contiguous operand outside of dispatches");
        setPlace(reshape, place);
      } else if (auto dispatch = dyn_cast<dl::DispatchOp>(op)) {
        planDispatch(dispatch, commands);
      } else if (auto scan = dyn_cast<dl::ScanOp>(op)) {
        if (failed(planLoop(scan, depth, commands)))
          return failure();
      } else if (!isa<dl::StoreStateOp, dl::YieldOp, func::ReturnOp>(op)) {
        return op.emitOpError("expected only dispatches, state accesses, aliases and loops");
      }
    }
    return success();
  }

  void setPlace(Value value, Place place) {
    if (place.base == Base::Buffer)
      storages[place.index].values.push_back(value);
    places[value] = std::move(place);
  }

  Place newStorage(StringRef name, dl::PolynomialAttr size, Block *block) {
    storages.push_back({name.str(), size, block, position, position, false, {}});
    return Place{Base::Buffer, unsigned(storages.size() - 1), zero, std::nullopt, {}, {}};
  }

  void touch(const Place &place) {
    if (place.base == Base::Buffer)
      storages[place.index].last = position;
  }

  Binding bind(const Place &place, dl::TensorType type, Access access) {
    touch(place);
    Binding binding{place.base,
                    place.index,
                    access,
                    place.offset,
                    byteSize(type),
                    place.remainder,
                    place.terms,
                    type.getElementType(),
                    {},
                    {}};
    if (place.base == Base::LoopCounter)
      binding.extent = dl::PolynomialAttr::getConstant(entry.getContext(), 8);
    if (!place.strides.empty()) {
      dl::PolynomialAttr last = dl::PolynomialAttr::getConstant(entry.getContext(), 1);
      for (auto [size, stride] : llvm::zip(type.getShape(), place.strides))
        last = last + (size - 1) * stride;
      binding.extent = last * elementBytes(type.getElementType());
      binding.dims.assign(type.getShape().begin(), type.getShape().end());
      binding.strides.assign(place.strides.begin(), place.strides.end());
    }
    return binding;
  }

  void planDispatch(dl::DispatchOp dispatch, std::vector<Command> &commands) {
    ++position;
    Command command;
    command.dispatch = dispatch;
    llvm::SmallDenseSet<unsigned> reused;
    for (Value input : dispatch.getInputs())
      command.bindings.push_back(bind(places.at(input), cast<dl::TensorType>(input.getType()), Access::Read));
    for (OpResult result : dispatch->getResults()) {
      setPlace(result, placeResult(dispatch, result, reused));
      command.bindings.push_back(
          bind(places.at(result), cast<dl::TensorType>(result.getType()), Access::Write));
    }
    annotateStrides(dispatch);
    commands.push_back(std::move(command));
  }

  Place placeResult(dl::DispatchOp dispatch, OpResult result, llvm::SmallDenseSet<unsigned> &reused) {
    if (auto found = destinations.fixed.find(result); found != destinations.fixed.end())
      return found->second;
    if (auto found = destinations.yielded.find(result); found != destinations.yielded.end())
      return yieldPlaces.at(found->second);
    dl::PolynomialAttr size = byteSize(cast<dl::TensorType>(result.getType()));
    if (auto found = destinations.initial.find(result); found != destinations.initial.end()) {
      auto [scan, carry] = found->second;
      bool pingPong = destinations.carryForms.at(scan)[carry] == CarryForm::PingPong;
      Place place = newStorage(dispatch.getName(), pingPong ? size * 2 : size, dispatch->getBlock());
      storages[place.index].pinned = true;
      return place;
    }
    for (auto [index, input] : llvm::enumerate(dispatch.getInputs())) {
      const Place &place = places.at(input);
      if (place.base == Base::Buffer && !reused.contains(place.index) &&
          canReuse(storages[place.index], place, dispatch, result)) {
        reused.insert(place.index);
        return place;
      }
    }
    return newStorage(dispatch.getName(), size, dispatch->getBlock());
  }

  /// Whether `result` can be written over `storage`, all of whose values end their life in `dispatch`.
  bool canReuse(const Storage &storage, const Place &place, dl::DispatchOp dispatch, OpResult result) {
    if (storage.pinned || storage.block != dispatch->getBlock() || !place.strides.empty() ||
        storage.size != byteSize(cast<dl::TensorType>(result.getType())))
      return false;
    return llvm::all_of(storage.values, [&](Value value) {
      auto type = cast<dl::TensorType>(value.getType());
      auto resultType = cast<dl::TensorType>(result.getType());
      return elementBytes(type.getElementType()) == elementBytes(resultType.getElementType()) &&
             value.getDefiningOp() != dispatch && canOverwrite(value, dispatch, result.getResultNumber());
    });
  }

  void annotateStrides(dl::DispatchOp dispatch) {
    auto describe = [&](ValueRange values) -> ArrayAttr {
      bool strided = false;
      SmallVector<Attribute> all;
      for (Value value : values) {
        const Place &place = places.at(value);
        strided |= !place.strides.empty();
        all.push_back(ArrayAttr::get(entry.getContext(),
                                     SmallVector<Attribute>(place.strides.begin(), place.strides.end())));
      }
      return strided ? ArrayAttr::get(entry.getContext(), all) : nullptr;
    };
    if (ArrayAttr strides = describe(dispatch.getInputs()))
      dispatch->setAttr("operand_strides", strides);
    if (ArrayAttr strides = describe(dispatch.getOutputs()))
      dispatch->setAttr("result_strides", strides);
  }

  /// The element of `place` (of a tensor of type `type`) at the loop's current position on `axis`.
  Place elementOf(const Place &place, dl::TensorType type, int64_t axis, dl::ScanOp scan, unsigned depth) {
    Place element = place;
    SmallVector<dl::PolynomialAttr> strides = place.strides.empty()
                                                  ? SmallVector<dl::PolynomialAttr>(rowMajorStrides(type))
                                                  : SmallVector<dl::PolynomialAttr>(place.strides);
    dl::PolynomialAttr step = strides[axis] * elementBytes(type.getElementType());
    strides.erase(strides.begin() + axis);
    element.terms.resize(depth, LoopTerm{zero});
    if (scan.getReverse())
      element.offset = element.offset + (scan.getCount() - 1) * step;
    element.terms.push_back(LoopTerm{scan.getReverse() ? step * -1 : step});
    bool contiguous = strides == rowMajorStrides(type.dropAxes(axis));
    element.strides = contiguous ? SmallVector<dl::PolynomialAttr>{} : strides;
    return element;
  }

  LogicalResult planLoop(dl::ScanOp scan, unsigned depth, std::vector<Command> &commands) {
    if (depth == DLC_MAX_LOOP_DEPTH)
      return scan.emitError("not supported: more than ")
             << DLC_MAX_LOOP_DEPTH << " nested scans whose steps are commands of the schedule";
    ++position; // the loop's begin
    unsigned begin = position;
    auto one = dl::PolynomialAttr::getConstant(entry.getContext(), 1);
    Place counter{
        Base::LoopCounter, 0, zero, std::nullopt, SmallVector<LoopTerm, 2>(depth, LoopTerm{zero}), {}};
    counter.terms.push_back(LoopTerm{scan.getReverse() ? one * -1 : one});
    if (scan.getReverse())
      counter.offset = scan.getCount() - 1;
    places[scan.getIndex()] = counter;

    for (auto [x, axis, slice] : llvm::zip(scan.getXs(), scan.getXsAxes(), scan.getSlices())) {
      touch(places.at(x));
      setPlace(slice, elementOf(places.at(x), cast<dl::TensorType>(x.getType()), axis, scan, depth));
    }
    for (unsigned carry = 0; carry < scan.getInits().size(); ++carry) {
      Place start = places.at(scan.getInits()[carry]), now = start, next = start, last = start;
      touch(start);
      if (destinations.carryForms.at(scan)[carry] == CarryForm::PingPong) {
        dl::PolynomialAttr half = byteSize(cast<dl::TensorType>(scan.getInits()[carry].getType()));
        for (auto [place, bias] : {std::pair(&now, 0u), std::pair(&next, 1u)}) {
          place->terms.resize(depth, LoopTerm{zero});
          place->terms.push_back(LoopTerm{half, 2, bias});
        }
        last.remainder = Remainder{half, scan.getCount(), 2};
      }
      setPlace(scan.getCarries()[carry], now);
      yieldPlaces[{scan, carry}] = next;
      setPlace(scan.getFinals()[carry], last);
    }
    for (auto [index, stack, axis] : llvm::enumerate(scan.getStacks(), scan.getStackAxes())) {
      auto type = cast<dl::TensorType>(stack.getType());
      Place place = newStorage("stack", byteSize(type), scan->getBlock());
      storages[place.index].pinned = true;
      setPlace(stack, place);
      yieldPlaces[{scan, unsigned(scan.getInits().size() + index)}] =
          elementOf(place, type, axis, scan, depth);
    }

    Command loop;
    loop.kind = Command::Kind::Loop;
    loop.count = scan.getCount();
    unsigned outer = storages.size();
    if (failed(planBlock(scan.getBody().front(), depth + 1, loop.body)))
      return failure();
    ++position; // the loop's end
    // What a run of the body needs from outside, every run needs.
    for (Storage &storage : llvm::MutableArrayRef(storages).take_front(outer))
      if (storage.last >= begin)
        storage.last = position;
    commands.push_back(std::move(loop));
    return success();
  }

  /// Storages become buffers, the largest first, because first-fit then wastes least.
  void numberBuffers() {
    SmallVector<unsigned> order = llvm::to_vector(llvm::seq<unsigned>(storages.size()));
    auto nominal = [&](unsigned index) { return nominalValue(storages[index].size); };
    llvm::sort(order, [&](unsigned a, unsigned b) {
      return std::tuple(-nominal(a), a) < std::tuple(-nominal(b), b);
    });
    SmallVector<unsigned> number(storages.size());
    for (auto [buffer, storage] : llvm::enumerate(order))
      number[storage] = buffer;
    for (auto [index, storage] : llvm::enumerate(order)) {
      const Storage &own = storages[storage];
      Buffer buffer{own.name, own.size, {}};
      for (unsigned earlier = 0; earlier < index; ++earlier) {
        const Storage &other = storages[order[earlier]];
        if (own.first <= other.last && other.first <= own.last)
          buffer.conflicts.push_back(earlier);
      }
      schedule.buffers.push_back(std::move(buffer));
    }
    auto renumber = [&](auto &self, std::vector<Command> &commands) -> void {
      for (Command &command : commands) {
        for (Binding &binding : command.bindings)
          if (binding.base == Base::Buffer)
            binding.index = number[binding.index];
        self(self, command.body);
      }
    };
    renumber(renumber, schedule.commands);
  }

  func::FuncOp entry;
  Schedule &schedule;
  Destinations destinations;
  dl::PolynomialAttr zero;
  unsigned position = 0;
  std::vector<Storage> storages;
  llvm::DenseMap<Value, Place> places;
  llvm::DenseMap<std::pair<Operation *, unsigned>, Place> yieldPlaces;
};

} // namespace

int64_t elementBytes(Type elementType) {
  return std::max<int64_t>(1, elementType.getIntOrFloatBitWidth() / 8);
}

dl::PolynomialAttr byteSize(dl::TensorType type) {
  return type.getElementCount() * elementBytes(type.getElementType());
}

std::optional<int64_t> evaluate(dl::PolynomialAttr polynomial, const SymbolValues &symbols) {
  return dl::evaluate(polynomial, [&](StringRef name) -> std::optional<int64_t> {
    auto found = symbols.find(name);
    return found == symbols.end() ? std::nullopt : std::optional(found->second);
  });
}

FailureOr<Schedule> planMemory(func::FuncOp entry) {
  Schedule schedule;
  schedule.entry = entry;
  llvm::append_range(schedule.states, entry->getParentOfType<ModuleOp>().getOps<dl::StateOp>());
  Destinations destinations = chooseDestinations(entry, schedule.states);
  if (failed(Planner(entry, schedule, std::move(destinations)).run()))
    return failure();
  return schedule;
}

std::optional<Placement> placeBuffers(const Schedule &schedule, const SymbolValues &symbols) {
  Placement placement;
  SmallVector<int64_t> sizes;
  for (const Buffer &buffer : schedule.buffers) {
    std::optional<int64_t> size = evaluate(buffer.size, symbols);
    if (!size || *size < 0)
      return std::nullopt;
    SmallVector<std::pair<int64_t, int64_t>> taken; // of conflicting buffers, by offset
    for (unsigned other : buffer.conflicts)
      taken.push_back({placement.offsets[other], placement.offsets[other] + sizes[other]});
    llvm::sort(taken);
    int64_t offset = 0;
    for (auto [begin, end] : taken) {
      if (offset + *size <= begin)
        break;
      offset = std::max(offset, (end + 63) / 64 * 64);
    }
    placement.offsets.push_back(offset);
    sizes.push_back(*size);
    placement.peak = std::max(placement.peak, offset + *size);
  }
  return placement;
}

} // namespace dlc::memory
