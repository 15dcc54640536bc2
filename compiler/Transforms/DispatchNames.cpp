// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names of dispatches: what profiles, dumps and kernels are called by. "block1.y.conv.max" is the instance
// path of the operation that weighs most and the kinds of operation that characterise the dispatch.

#include "compiler/Transforms/Fusion.h"

#include "llvm/ADT/StringExtras.h"

namespace dlc::fusion {
namespace {

/// The innermost instance path that a location carries.
StringRef instancePath(Location location) {
  if (auto name = dyn_cast<NameLoc>(location))
    return name.getName().getValue();
  if (auto call = dyn_cast<CallSiteLoc>(location)) {
    StringRef callee = instancePath(call.getCallee());
    return callee.empty() ? instancePath(call.getCaller()) : callee;
  }
  if (auto fused = dyn_cast<FusedLoc>(location))
    for (Location part : fused.getLocations())
      if (StringRef path = instancePath(part); !path.empty())
        return path;
  return {};
}

/// How much an operation says about a dispatch; 0: nothing.
unsigned significance(Operation *op) {
  switch (classify(op)) {
  case OpClass::Contraction:
  case OpClass::Loop:
    return 4;
  case OpClass::Window:
  case OpClass::Reduce:
    return 3;
  case OpClass::Elementwise:
    return isa<dl::AddOp, dl::SubOp, dl::MulOp, dl::NegOp, dl::CastOp>(op) ? 1 : 2;
  default:
    return 1;
  }
}

std::string kindOf(Operation *op) {
  if (auto reduce = dyn_cast<dl::ReduceOp>(op))
    return dl::stringifyReduceKind(reduce.getKind()).str();
  return op->getName().stripDialect().str();
}

} // namespace

Operation *mainOperation(ArrayRef<Operation *> ops) {
  Operation *main = ops.front();
  for (Operation *op : ops)
    if (significance(op) > significance(main))
      main = op;
  return main;
}

std::string nameDispatch(ArrayRef<Operation *> ops, llvm::StringSet<> &names, StringRef entry) {
  // 1. The state that the dispatch updates names it.
  std::string name;
  for (Operation *op : ops)
    for (Operation *user : op->getUsers())
      if (auto store = dyn_cast<dl::StoreStateOp>(user); store && name.empty()) {
        auto state = SymbolTable::lookupNearestSymbolFrom<dl::StateOp>(store, store.getStateAttr());
        if (state && entry == "init")
          name = (state.getSymName() + ".init").str();
        else if (state && state.getRole() == dl::StateRole::Optimizer)
          name = (state.getParameterAttr().getValue() + ".update").str();
        else if (state && state.getRole() == dl::StateRole::Parameter)
          name = (state.getSymName() + ".update").str();
      }
  // 2. Otherwise the heaviest operation's instance, and up to three of the most telling kinds in order.
  if (name.empty()) {
    Operation *main = mainOperation(ops);
    unsigned threshold = significance(main);
    StringRef path = instancePath(main->getLoc());
    name = path.empty() ? entry.str() : path.str();
    bool scalar = llvm::all_of(ops, [](Operation *op) {
      return cast<dl::TensorType>(op->getResult(0).getType()).isScalar() && classify(op) != OpClass::Reduce;
    });
    SmallVector<std::string> kinds;
    for (unsigned level = threshold; level > 0 && kinds.size() < 3 && !scalar; --level) {
      if (level == 1 && !kinds.empty())
        break;
      for (Operation *op : ops)
        if (significance(op) == level && kinds.size() < 3 && !llvm::is_contained(kinds, kindOf(op)))
          kinds.push_back(kindOf(op));
    }
    if (scalar)
      kinds.push_back("scalars");
    for (const std::string &kind : kinds)
      name += "." + kind;
  }
  std::string unique = name;
  for (unsigned suffix = 2; !names.insert(unique).second; ++suffix)
    unique = name + "." + std::to_string(suffix);
  return unique;
}

} // namespace dlc::fusion
