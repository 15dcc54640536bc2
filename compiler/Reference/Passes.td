// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DLC_REFERENCE_PASSES
#define DLC_REFERENCE_PASSES

include "mlir/Pass/PassBase.td"

def EvaluatePass : Pass<"dl-evaluate", "::mlir::ModuleOp"> {
  let summary = "Evaluates every function in f64 and prints its results";
  let description = [{
    For tests: what a pass must not change. Floating-point inputs are uniform in [-1, 1), integers in
    [0, `dl.range`) by the argument's attribute of that name (default 2), both from Philox by argument number;
    states without an initial value are uniform in [-1, 1) by their name. States that are written are printed too.
  }];
  let options = [
    ListOption<"symbols", "symbols", "std::string", "Values of symbolic dimensions: n=2,t=3">,
  ];
}

#endif // DLC_REFERENCE_PASSES
