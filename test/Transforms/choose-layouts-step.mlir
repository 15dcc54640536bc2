// RUN: %dlc-opt %s --dl-choose-layouts --verify-diagnostics | FileCheck %s

// Tests that a linear layer's weight is kept [in, out] with its optimizer state, that both contractions read it
// there, and that its update needs no transpose.
// CHECK: dl.state parameter @w : !dl.tensor<[64, 10], f32> layout [1, 0]
// CHECK: dl.state optimizer @step.w.m : !dl.tensor<[64, 10], f32> owner "step" of @w layout [1, 0]
// CHECK-LABEL: func.func @step
// CHECK-NOT: dl.transpose
// CHECK: %[[W:.*]] = dl.load_state @w : <[64, 10], f32>
// CHECK: dl.contract "mk,kn->mn" %{{.*}}, %[[W]]
// CHECK: %[[G:.*]] = dl.contract "mn,mk->kn"
// CHECK: %[[M:.*]] = dl.add %{{.*}}, %[[G]] : <[64, 10], f32>
// CHECK: dl.store_state @step.w.m, %[[M]] : <[64, 10], f32>
// CHECK: %[[RATE:.*]] = dl.broadcast %{{.*}} [] : <[], f32> to <[64, 10], f32>
// CHECK: %[[CHANGE:.*]] = dl.mul %[[RATE]], %[[M]]
// CHECK: %[[NEW:.*]] = dl.sub %[[W]], %[[CHANGE]]
// CHECK: dl.store_state @w, %[[NEW]] : <[64, 10], f32>
// CHECK-LABEL: func.func @predict
// CHECK-NOT: dl.transpose
// Initial values are transposed where they are stored.
// CHECK-LABEL: func.func @init
// CHECK: %[[INITIAL:.*]] = dl.random key
// CHECK: %[[RESIDENT:.*]] = dl.transpose %[[INITIAL]] [1, 0]
// CHECK: dl.store_state @w, %[[RESIDENT]]
// expected-remark@+1 {{@w is kept transposed: 2 contractions read along axis 0, 0 along the last}}
dl.state parameter @w : !dl.tensor<[10, 64], f32>
dl.state optimizer @step.w.m : !dl.tensor<[10, 64], f32> owner "step" of @w
func.func @step(%x: !dl.tensor<[n, 64], f32>, %g: !dl.tensor<[n, 10], f32>, %rate: !dl.tensor<[], f32>)
    -> !dl.tensor<[n, 10], f32> attributes {dl.entry = "train", dl.symbols = ["n"]} {
  %w = dl.load_state @w : !dl.tensor<[10, 64], f32>
  %m = dl.load_state @step.w.m : !dl.tensor<[10, 64], f32>
  %y = dl.contract "mk,nk->mn" %x, %w : (!dl.tensor<[n, 64], f32>, !dl.tensor<[10, 64], f32>) -> !dl.tensor<[n, 10], f32>
  %dw = dl.contract "mn,mk->nk" %g, %x : (!dl.tensor<[n, 10], f32>, !dl.tensor<[n, 64], f32>) -> !dl.tensor<[10, 64], f32>
  %rates = dl.broadcast %rate [] : !dl.tensor<[], f32> to !dl.tensor<[10, 64], f32>
  %new_m = dl.add %m, %dw : !dl.tensor<[10, 64], f32>
  dl.store_state @step.w.m, %new_m : !dl.tensor<[10, 64], f32>
  %change = dl.mul %rates, %new_m : !dl.tensor<[10, 64], f32>
  %new_w = dl.sub %w, %change : !dl.tensor<[10, 64], f32>
  dl.store_state @w, %new_w : !dl.tensor<[10, 64], f32>
  return %y : !dl.tensor<[n, 10], f32>
}
func.func @predict(%x: !dl.tensor<[n, 64], f32>) -> !dl.tensor<[n, 10], f32>
    attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %w = dl.load_state @w : !dl.tensor<[10, 64], f32>
  %y = dl.contract "mk,nk->mn" %x, %w : (!dl.tensor<[n, 64], f32>, !dl.tensor<[10, 64], f32>) -> !dl.tensor<[n, 10], f32>
  return %y : !dl.tensor<[n, 10], f32>
}
func.func @init() attributes {dl.entry = "init", dl.symbols = []} {
  %zero = dl.constant 0 : i64 : !dl.tensor<[], i64>
  %r.key = dl.random_key site 1 seed %zero
  %r = dl.random key %r.key iteration %zero : !dl.tensor<[10, 64], f32>
  dl.store_state @w, %r : !dl.tensor<[10, 64], f32>
  return
}
