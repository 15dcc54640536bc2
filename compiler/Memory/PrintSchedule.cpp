// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The text of schedules: `--emit=schedule` and the tests.

#include "compiler/Memory/EmitSchedule.h"
#include "compiler/Memory/Schedule.h"

namespace dlc::memory {
namespace {

void printBinding(const Schedule &schedule, const Binding &binding, llvm::raw_ostream &os) {
  auto name = [&](auto attributes, unsigned index) {
    auto attribute = attributes(index, dl::kNameAttr);
    return attribute ? cast<StringAttr>(attribute).getValue().str() : std::to_string(index);
  };
  func::FuncOp entry = schedule.entry;
  switch (binding.base) {
  case Base::Buffer:
    os << "buffer " << binding.index;
    break;
  case Base::State: {
    dl::StateOp state = schedule.states[binding.index];
    os << "state @" << state.getSymName();
    break;
  }
  case Base::Argument:
    os << "argument " << name([&](unsigned i, StringRef a) { return entry.getArgAttr(i, a); }, binding.index);
    break;
  case Base::Result:
    os << "result "
       << name([&](unsigned i, StringRef a) { return entry.getResultAttr(i, a); }, binding.index);
    break;
  case Base::LoopCounter:
    os << "counter";
    break;
  }
  if (!binding.offset.isConstant(0))
    os << " + " << dl::toString(binding.offset);
  if (binding.remainder)
    os << " + (" << dl::toString(binding.remainder->scale) << ")*(" << dl::toString(binding.remainder->value)
       << " mod " << binding.remainder->modulus << ")";
  for (auto [level, term] : llvm::enumerate(binding.terms)) {
    if (term.stride.isConstant(0))
      continue;
    os << " + (" << dl::toString(term.stride) << ")*";
    if (term.modulus == 0)
      os << "i" << level;
    else if (term.bias == 0)
      os << "(i" << level << " mod " << term.modulus << ")";
    else
      os << "((i" << level << " + " << term.bias << ") mod " << term.modulus << ")";
  }
}

void printCommands(const Schedule &schedule, const std::vector<Command> &commands, unsigned depth,
                   llvm::raw_ostream &os) {
  for (const Command &command : commands) {
    os.indent(2 * depth + 2);
    if (command.kind == Command::Kind::Loop) {
      os << "loop i" << depth << " < " << dl::toString(command.count) << " {\n";
      printCommands(schedule, command.body, depth + 1, os);
      os.indent(2 * depth + 2) << "}\n";
      continue;
    }
    dl::DispatchOp dispatch = command.dispatch;
    os << "run \"" << dispatch.getName() << "\" (";
    for (auto [index, binding] : llvm::enumerate(command.bindings)) {
      if (index == dispatch.getInputs().size())
        os << ") -> (";
      else if (index > 0)
        os << ", ";
      printBinding(schedule, binding, os);
    }
    os << ")";
    std::vector<artifact::SourceLocation> places = sourceLocations(dispatch.getLoc());
    if (!places.empty())
      os << "  // " << places[0].file << ":" << places[0].line << ":" << places[0].column;
    os << "\n";
  }
}

} // namespace

void print(const Schedule &schedule, llvm::raw_ostream &os) {
  func::FuncOp entry = schedule.entry;
  os << "schedule @" << entry.getSymName() << " {\n";
  for (auto [index, buffer] : llvm::enumerate(schedule.buffers)) {
    os << "  buffer " << index << ": " << dl::toString(buffer.size) << " bytes of \"" << buffer.name << "\"";
    if (!buffer.conflicts.empty()) {
      os << ", not with ";
      llvm::interleaveComma(buffer.conflicts, os);
    }
    os << "\n";
  }
  printCommands(schedule, schedule.commands, 0, os);
  os << "}\n";
}

} // namespace dlc::memory
