// The declined cases; choose-layouts-step.mlir has the accepted one.
// RUN: %dlc-opt %s --dl-choose-layouts --split-input-file --verify-diagnostics | FileCheck %s

// Tests that a weight which as many contractions read along its last axis stays: its forward pass and its
// input's gradient in one entry.
// CHECK: dl.state parameter @w : !dl.tensor<[10, 64], f32>{{$}}
dl.state parameter @w : !dl.tensor<[10, 64], f32>
func.func @step(%x: !dl.tensor<[n, 64], f32>, %g: !dl.tensor<[n, 10], f32>)
    -> (!dl.tensor<[n, 10], f32>, !dl.tensor<[n, 64], f32>) attributes {dl.entry = "train", dl.symbols = ["n"]} {
  %w = dl.load_state @w : !dl.tensor<[10, 64], f32>
  %y = dl.contract "mk,nk->mn" %x, %w : (!dl.tensor<[n, 64], f32>, !dl.tensor<[10, 64], f32>) -> !dl.tensor<[n, 10], f32>
  %dx = dl.contract "mn,nk->mk" %g, %w : (!dl.tensor<[n, 10], f32>, !dl.tensor<[10, 64], f32>) -> !dl.tensor<[n, 64], f32>
  return %y, %dx : !dl.tensor<[n, 10], f32>, !dl.tensor<[n, 64], f32>
}

// -----

// Tests that a weight whose gradient something else reads, too, stays: a clipped norm sums it in its order.
// CHECK: dl.state parameter @w : !dl.tensor<[10, 64], f32>{{$}}
dl.state parameter @w : !dl.tensor<[10, 64], f32>
func.func @step(%x: !dl.tensor<[n, 64], f32>, %g: !dl.tensor<[n, 10], f32>)
    -> (!dl.tensor<[n, 10], f32>, !dl.tensor<[], f32>) attributes {dl.entry = "train", dl.symbols = ["n"]} {
  %w = dl.load_state @w : !dl.tensor<[10, 64], f32>
  %y = dl.contract "mk,nk->mn" %x, %w : (!dl.tensor<[n, 64], f32>, !dl.tensor<[10, 64], f32>) -> !dl.tensor<[n, 10], f32>
  %dw = dl.contract "mn,mk->nk" %g, %x : (!dl.tensor<[n, 10], f32>, !dl.tensor<[n, 64], f32>) -> !dl.tensor<[10, 64], f32>
  %norm = dl.reduce sum %dw [0, 1] : !dl.tensor<[10, 64], f32> to !dl.tensor<[], f32>
  %new_w = dl.sub %w, %dw : !dl.tensor<[10, 64], f32>
  dl.store_state @w, %new_w : !dl.tensor<[10, 64], f32>
  return %y, %norm : !dl.tensor<[n, 10], f32>, !dl.tensor<[], f32>
}

// -----

// Tests that a weight that is read in another way, too, stays: a penalty sums its elements.
// CHECK: dl.state parameter @w : !dl.tensor<[10, 64], f32>{{$}}
dl.state parameter @w : !dl.tensor<[10, 64], f32>
func.func @predict(%x: !dl.tensor<[n, 64], f32>) -> (!dl.tensor<[n, 10], f32>, !dl.tensor<[], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %w = dl.load_state @w : !dl.tensor<[10, 64], f32>
  %y = dl.contract "mk,nk->mn" %x, %w : (!dl.tensor<[n, 64], f32>, !dl.tensor<[10, 64], f32>) -> !dl.tensor<[n, 10], f32>
  %sum = dl.reduce sum %w [0, 1] : !dl.tensor<[10, 64], f32> to !dl.tensor<[], f32>
  return %y, %sum : !dl.tensor<[n, 10], f32>, !dl.tensor<[], f32>
}
