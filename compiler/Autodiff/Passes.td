// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DLC_AUTODIFF_PASSES
#define DLC_AUTODIFF_PASSES

include "mlir/Pass/PassBase.td"

def DifferentiatePass : Pass<"dl-differentiate"> {
  let summary = "Replaces every dl.gradient by the operations that compute it (reverse mode)";
  let description = [{
    Requests are expanded in program order, so that the gradient of a gradient finds the inner one already made of dl
    operations. Only values on a path from `wrt` to the loss get a gradient; a value of `wrt` that the loss does not
    depend on gets zeros. Contributions to one value are added in the reverse order of its uses. Afterwards every
    dl.stop_gradient is replaced by its operand.
  }];
}

def HoistScanAccumulationsPass : Pass<"dl-hoist-scan-accumulations"> {
  let summary = "Turns sums of contractions over a scan's iterations into one contraction after it";
  let description = [{
    A reverse scan adds up the gradient of a captured weight, one small contraction per iteration. Where a carry is
    only such a sum, the contraction's operands are stacked instead and contracted once over (iteration, k); likewise
    sum reductions (biases).
  }];
}

#endif // DLC_AUTODIFF_PASSES
