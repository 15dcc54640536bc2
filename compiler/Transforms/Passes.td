// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Passes from dl to dl that run between differentiation and memory planning, in this order.

#ifndef DLC_TRANSFORMS_PASSES
#define DLC_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def SimplifyPass : Pass<"dl-simplify", "::mlir::ModuleOp"> {
  let summary = "Canonicalize, and fold transposes and activations so that less is stored";
  let description = [{
    Only rewrites that keep every bit: transposes move into the equations of contractions unless that would change
    the order of summation, comparisons of an activation's input become comparisons of its result, what a loop
    computes from outer values moves out of it. Tensors without elements become constants, so that no kernel meets
    sizes that are known to be 0, and what joins many tensors does so in steps that a kernel's operands suffice for.
  }];
  let dependentDialects = ["::dlc::dl::DlDialect"];
}

def ChooseLayoutsPass : Pass<"dl-choose-layouts", "::mlir::ModuleOp"> {
  let summary = "Choose the order of axes in which each parameter is kept";
  let description = [{
    A parameter that more contractions read along another axis than along its last is kept with that axis last,
    together with its optimizer state: the types of the states change, `layout` says how, and the transposes that
    this brings move into the equations of contractions. A parameter stays as it is where something would need a
    transposed copy (a reduction over it, a gradient that is no contraction).

    Precondition: no dl.gradient is left; dl-simplify has run.
  }];
  let dependentDialects = ["::dlc::dl::DlDialect"];
}

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
    Option<"fuse", "fuse", "bool", "true",
           "let operations share dispatches; otherwise each has its own, and every loop is one of the schedule">,
    Option<"fuseUpdates", "fuse-updates", "bool", "true",
           "compute a parameter's update where its gradient is computed">
  ];
  let dependentDialects = ["::dlc::dl::DlDialect"];
}

#endif // DLC_TRANSFORMS_PASSES
