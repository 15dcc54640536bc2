// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Passes from dl to dl that run between differentiation and memory planning, in this order.

#ifndef DLC_TRANSFORMS_PASSES
#define DLC_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def FormDispatchesPass : Pass<"dl-form-dispatches", "::mlir::ModuleOp"> {
  let summary = "Put every computation into a dl.dispatch";
  let description = [{
    Each entry becomes a list of dispatches between loads of state (first), aliases (reshape), loops and stores of
    state (last). What is grouped together is described in Fusion.h. Afterwards no dispatch reads a state after the
    dispatch that computes its new value, unless the values themselves demand it.

    Precondition: no dl.gradient is left; canonical form (no dead operations).
  }];
  let options = [
    Option<"scan", "scan", "std::string", "\"auto\"",
           "where loops run: 'loop' (in the schedule), 'dispatch' (inside one kernel where legal) or 'auto'">,
    Option<"fuseUpdates", "fuse-updates", "bool", "true",
           "compute a parameter's update where its gradient is computed">
  ];
  let dependentDialects = ["::dlc::dl::DlDialect"];
}

#endif // DLC_TRANSFORMS_PASSES
