// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass dl-plan-memory.

#include "compiler/Memory/Passes.h"
#include "compiler/Memory/Schedule.h"

namespace dlc::memory {

#define GEN_PASS_DEF_PLANMEMORYPASS
#include "compiler/Memory/Passes.h.inc"

namespace {

struct PlanMemory : impl::PlanMemoryPassBase<PlanMemory> {
  using PlanMemoryPassBase::PlanMemoryPassBase;

  void runOnOperation() override {
    SymbolValues symbols;
    for (const std::string &setting : verifyAt) {
      auto [name, text] = StringRef(setting).split('=');
      int64_t value;
      if (text.getAsInteger(10, value)) {
        getOperation().emitError("expected name=number in verify, got ") << setting;
        return signalPassFailure();
      }
      symbols[name] = value;
    }
    for (auto entry : getOperation().getOps<func::FuncOp>()) {
      if (!entry->hasAttr(dl::kEntryAttr))
        continue;
      FailureOr<Schedule> schedule = planMemory(entry);
      if (failed(schedule))
        return signalPassFailure();
      if (printSchedule)
        print(*schedule, llvm::outs());
      if (symbols.empty())
        continue;
      if (std::optional<std::string> fault = verifySchedule(*schedule, symbols)) {
        entry.emitError("schedule is wrong: ") << *fault;
        return signalPassFailure();
      }
    }
  }
};

} // namespace
} // namespace dlc::memory
