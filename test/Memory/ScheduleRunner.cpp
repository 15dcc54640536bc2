// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/Memory/ScheduleRunner.h"

#include "mlir/IR/BuiltinOps.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

namespace dlc::test {

using namespace mlir;
using namespace memory;
using reference::Tensor;

void write(Tensor &tensor, char *memory) {
  forEachElement(tensor, memory, [&](reference::Element &element, auto &cell) {
    using Cell = std::remove_reference_t<decltype(cell)>;
    cell = std::is_floating_point_v<Cell> ? Cell(element.real) : Cell(element.integer);
    element.real = static_cast<double>(cell);
  });
}

double largestDifference(Tensor &expected, char *memory, double floor) {
  double worst = 0;
  forEachElement(expected, memory, [&](const reference::Element &element, auto &cell) {
    using Cell = std::remove_reference_t<decltype(cell)>;
    double wanted = std::is_floating_point_v<Cell> ? element.real : static_cast<double>(element.integer);
    double difference = std::abs(static_cast<double>(cell) - wanted) / std::max(floor, std::abs(wanted));
    if (static_cast<double>(cell) == wanted) // Infinities, too.
      return;
    worst = std::isnan(difference) ? INFINITY : std::max(worst, difference);
  });
  return worst;
}

ScheduleRunner::ScheduleRunner(const Schedule &schedule, const SymbolValues &symbols)
    : schedule(schedule), symbols(symbols), placement(*placeBuffers(schedule, symbols)),
      arena(placement.peak) {
  func::FuncOp entry = schedule.entry;
  for (StringAttr name : entry->getAttrOfType<ArrayAttr>(dl::kSymbolsAttr).getAsRange<StringAttr>())
    dims.push_back(symbols.lookup(name.getValue()));
  for (dl::StateOp state : schedule.states)
    states.push_back(blockOf(state.getType()));
  for (Type type : entry.getArgumentTypes())
    arguments.push_back(blockOf(type));
  for (Type type : entry.getResultTypes())
    results.push_back(blockOf(type));
}

Block ScheduleRunner::blockOf(Type type) const {
  return Block(*evaluate(byteSize(cast<dl::TensorType>(type)), symbols));
}

Tensor ScheduleRunner::emptyTensor(Type type) const {
  auto tensor = cast<dl::TensorType>(type);
  SmallVector<int64_t> shape;
  for (dl::PolynomialAttr dim : tensor.getShape())
    shape.push_back(*evaluate(dim, symbols));
  return Tensor(tensor.getElementType(), shape);
}

bool ScheduleRunner::run(StringRef variant) {
  memset(arena.data, 0x7B, placement.peak);
  if (!compile(variant))
    return false;
  execute(schedule.commands);
  return true;
}

static void collect(const std::vector<Command> &commands, llvm::SetVector<Operation *> &dispatches) {
  for (const Command &command : commands) {
    collect(command.body, dispatches);
    if (command.kind == Command::Kind::Run)
      dispatches.insert(command.dispatch);
  }
}

bool ScheduleRunner::compile(StringRef variant) {
  const codegen::TargetDescription *target = codegen::findTarget(variant);
  llvm::SetVector<Operation *> dispatches;
  collect(schedule.commands, dispatches);
  kernels.clear();
  if (dispatches.empty())
    return true;
  OwningOpRef<ModuleOp> holder = ModuleOp::create(UnknownLoc::get(dispatches.front()->getContext()));
  std::vector<codegen::Kernel> generated;
  for (Operation *dispatch : dispatches) {
    std::string name = "kernel" + std::to_string(generated.size());
    FailureOr<codegen::Kernel> kernel =
        codegen::generateKernel(cast<dl::DispatchOp>(dispatch), *target, *holder, name);
    if (failed(kernel)) {
      ADD_FAILURE() << "no kernel for " << cast<dl::DispatchOp>(dispatch).getName().str();
      return false;
    }
    generated.push_back(std::move(*kernel));
  }
  FailureOr<codegen::CodeImage> image = codegen::emitImage(*holder, *target);
  if (failed(image)) {
    ADD_FAILURE() << "no image for " << variant.str();
    return false;
  }
  for (auto [dispatch, kernel] : llvm::zip_equal(dispatches, generated)) {
    codegen::CodeImage single = *image;
    llvm::erase_if(single.kernels, [&](const codegen::KernelCode &code) { return code.name != kernel.name; });
    kernels[dispatch] = std::make_unique<LoadedKernel>(single, std::move(kernel));
  }
  return true;
}

void ScheduleRunner::execute(const std::vector<Command> &commands) {
  for (const Command &command : commands) {
    if (command.kind == Command::Kind::Loop) {
      for (int64_t i = 0; i < *evaluate(command.count, symbols); ++i) {
        counters.push_back(i);
        execute(command.body);
        counters.pop_back();
      }
      continue;
    }
    std::vector<void *> pointers;
    std::vector<int64_t> positions(command.bindings.size());
    for (auto [position, binding] : llvm::zip(positions, command.bindings))
      pointers.push_back(address(binding, position));
    kernels[command.dispatch]->run(pointers, dims);
  }
}

void *ScheduleRunner::address(const Binding &binding, int64_t &counter) {
  int64_t offset = *evaluate(binding.offset, symbols);
  if (binding.remainder)
    offset += *evaluate(binding.remainder->scale, symbols) *
              (*evaluate(binding.remainder->value, symbols) % binding.remainder->modulus);
  for (auto [term, i] : llvm::zip(binding.terms, counters))
    offset += *evaluate(term.stride, symbols) * (term.modulus ? (i + term.bias) % term.modulus : i);
  switch (binding.base) {
  case Base::Buffer:
    return arena.data + placement.offsets[binding.index] + offset;
  case Base::State:
    return states[binding.index].data + offset;
  case Base::Argument:
    return arguments[binding.index].data + offset;
  case Base::Result:
    return results[binding.index].data + offset;
  case Base::LoopCounter:
    counter = offset;
    return &counter;
  }
  return nullptr;
}

} // namespace dlc::test
