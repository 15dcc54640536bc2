// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Memory/EmitSchedule.h"

#include "compiler/Artifact/SizeExpression.h"

#include "llvm/ADT/STLExtras.h"

namespace dlc::memory {
namespace {

artifact::BindingKind kindOf(Base base) {
  switch (base) {
  case Base::Buffer:
    return artifact::BindingKind::Buffer;
  case Base::State:
    return artifact::BindingKind::State;
  case Base::Argument:
    return artifact::BindingKind::Argument;
  case Base::Result:
    return artifact::BindingKind::Result;
  case Base::LoopCounter:
    return artifact::BindingKind::LoopCounter;
  }
  llvm_unreachable("not a base");
}

class Emitter {
public:
  Emitter(const Schedule &schedule, llvm::function_ref<KernelUse(dl::DispatchOp)> useOf) : useOf(useOf) {
    func::FuncOp entry = schedule.entry;
    symbols = entry->getAttrOfType<ArrayAttr>(dl::kSymbolsAttr);
    if (!symbols)
      symbols = ArrayAttr::get(entry.getContext(), {});
  }

  artifact::Expression expression(dl::PolynomialAttr polynomial) const {
    return artifact::toExpression(polynomial, symbols);
  }

  artifact::Binding emit(const Binding &binding) const {
    artifact::Binding result;
    result.kind = kindOf(binding.base);
    result.index = binding.base == Base::LoopCounter ? 0 : binding.index;
    result.access = binding.access == Access::Read ? artifact::Access::Read : artifact::Access::Write;
    result.offset = expression(binding.offset);
    if (const std::optional<Remainder> &remainder = binding.remainder)
      result.offset =
          result.offset + expression(remainder->scale) * expression(remainder->value).mod(remainder->modulus);
    result.extent = expression(binding.extent);
    for (const LoopTerm &term : binding.terms)
      result.terms.push_back({expression(term.stride), term.modulus, term.bias});
    result.dtype = artifact::dtypeOf(binding.elementType);
    for (auto [size, stride] : llvm::zip(binding.dims, binding.strides)) {
      result.dims.push_back(expression(size));
      result.strides.push_back(expression(stride));
    }
    return result;
  }

  std::vector<artifact::Command> emit(const std::vector<Command> &commands) const {
    std::vector<artifact::Command> result;
    for (const Command &command : commands) {
      artifact::Command &emitted = result.emplace_back();
      if (command.kind == Command::Kind::Loop) {
        emitted.kind = artifact::Command::Kind::Loop;
        emitted.count = expression(command.count);
        emitted.body = emit(command.body);
        continue;
      }
      KernelUse use = useOf(command.dispatch);
      emitted.kernel = use.kernel;
      emitted.groups = use.groups;
      for (const Binding &binding : command.bindings)
        emitted.bindings.push_back(emit(binding));
      emitted.flops = expression(countFlops(command.dispatch));
      emitted.bytes = expression(countBytes(command.dispatch));
    }
    return result;
  }

private:
  llvm::function_ref<KernelUse(dl::DispatchOp)> useOf;
  ArrayAttr symbols; ///< Of the entry.
};

dl::PolynomialAttr flopsOf(Operation *op) {
  MLIRContext *context = op->getContext();
  auto elements = [](Value value) { return cast<dl::TensorType>(value.getType()).getElementCount(); };
  // Of a filter (o, c, kernel…): the products that enter one output element.
  auto perOutput = [&](Value filter) {
    return dl::product(context, cast<dl::TensorType>(filter.getType()).getShape().drop_front());
  };
  if (auto contract = dyn_cast<dl::ContractOp>(op)) {
    dl::PolynomialAttr count = elements(contract.getResult()) * 2;
    for (char letter : contract.getReducedLetters())
      count = count * contract.getLetterSize(letter);
    return count;
  }
  if (auto conv = dyn_cast<dl::ConvOp>(op))
    return elements(conv.getResult()) * perOutput(conv.getFilter()) * 2;
  if (auto conv = dyn_cast<dl::ConvInputGradOp>(op))
    return elements(conv.getGradient()) * perOutput(conv.getFilter()) * 2;
  if (auto conv = dyn_cast<dl::ConvWeightGradOp>(op))
    return elements(conv.getGradient()) * perOutput(conv.getResult()) * 2;
  if (isa<dl::ReduceOp, dl::ArgMaxOp, dl::MaxPoolOp, dl::MaxPoolGradOp, dl::MaxPoolSelectOp>(op))
    return elements(op->getOperand(0));
  if (op->hasTrait<dl::Elementwise>())
    return elements(op->getResult(0));
  dl::PolynomialAttr count = dl::PolynomialAttr::getConstant(context, 0);
  if (auto scan = dyn_cast<dl::ScanOp>(op)) {
    for (Operation &inner : scan.getBody().front())
      count = count + flopsOf(&inner);
    count = count * scan.getCount();
  }
  return count;
}

void collectLocations(Location location, std::vector<artifact::SourceLocation> &locations) {
  if (auto file = dyn_cast<FileLineColLoc>(location)) {
    artifact::SourceLocation found{file.getFilename().str(), file.getLine(), file.getColumn()};
    if (!llvm::any_of(locations, [&](const artifact::SourceLocation &known) {
          return known.file == found.file && known.line == found.line && known.column == found.column;
        }))
      locations.push_back(found);
  } else if (auto name = dyn_cast<NameLoc>(location)) {
    collectLocations(name.getChildLoc(), locations);
  } else if (auto call = dyn_cast<CallSiteLoc>(location)) {
    // The user's line says more than the standard library's.
    collectLocations(call.getCaller(), locations);
  } else if (auto fused = dyn_cast<FusedLoc>(location)) {
    for (Location part : fused.getLocations())
      collectLocations(part, locations);
  }
}

} // namespace

artifact::Plan emitSchedule(const Schedule &schedule, llvm::function_ref<KernelUse(dl::DispatchOp)> useOf) {
  Emitter emitter(schedule, useOf);
  artifact::Plan plan;
  for (const Buffer &buffer : schedule.buffers) {
    artifact::Buffer &emitted = plan.buffers.emplace_back();
    emitted.size = emitter.expression(buffer.size);
    emitted.conflicts.assign(buffer.conflicts.begin(), buffer.conflicts.end());
  }
  plan.commands = emitter.emit(schedule.commands);
  return plan;
}

dl::PolynomialAttr countFlops(dl::DispatchOp dispatch) {
  dl::PolynomialAttr count = dl::PolynomialAttr::getConstant(dispatch.getContext(), 0);
  for (Operation &op : dispatch.getBody().front())
    count = count + flopsOf(&op);
  return count;
}

dl::PolynomialAttr countBytes(dl::DispatchOp dispatch) {
  dl::PolynomialAttr count = dl::PolynomialAttr::getConstant(dispatch.getContext(), 0);
  for (ValueRange values : {ValueRange(dispatch.getInputs()), ValueRange(dispatch.getOutputs())})
    for (Value value : values)
      count = count + byteSize(cast<dl::TensorType>(value.getType()));
  return count;
}

std::vector<artifact::SourceLocation> sourceLocations(Location location) {
  std::vector<artifact::SourceLocation> locations;
  collectLocations(location, locations);
  return locations;
}

} // namespace dlc::memory
