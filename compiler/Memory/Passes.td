// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DLC_MEMORY_PASSES
#define DLC_MEMORY_PASSES

include "mlir/Pass/PassBase.td"

def PlanMemoryPass : Pass<"dl-plan-memory", "::mlir::ModuleOp"> {
  let summary = "Plan the schedule of every entry, and print or verify it";
  let description = [{
    Inserts the copies and strides that the schedules need (see Schedule.h). The schedules themselves are not IR: the
    compiler calls planMemory; this pass is for dlc-opt.

    Precondition: dl-form-dispatches.
  }];
  let options = [
    Option<"printSchedule", "print", "bool", "true", "print the schedules to standard output">,
    ListOption<"verifyAt", "verify", "std::string", "verify each schedule for these symbols, as in n=2">
  ];
  let dependentDialects = ["::dlc::dl::DlDialect"];
}

#endif // DLC_MEMORY_PASSES
