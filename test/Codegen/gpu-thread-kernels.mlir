// RUN: %dlc-opt %s --dl-emit-ptx="target=sm_80" -o %t.mlir | FileCheck %s
// RUN: %dlc-opt %s --dl-emit-ptx="target=sm_90a" -o %t.mlir | FileCheck %s --check-prefix=HOPPER
// RUN: %dlc-opt %s --dl-emit-ptx="target=sm_80 emit=groups" -o %t.mlir | FileCheck %s --check-prefix=GROUPS
// RUN: %dlc-opt %s --dl-emit-ptx="target=sm_80" -o %t.mlir | FileCheck %s --check-prefix=STRICT

// CHECK: .version 7.0
// CHECK: .target sm_80
// HOPPER: .version 8.0
// HOPPER: .target sm_90a

// Tests that every rounding is the strict one: products and sums carry .rn, so that ptxas does not contract them;
// nothing is approximate, denormals stay, and no function is called.
// STRICT-NOT: {{add|sub|mul|fma|div|sqrt}}.f{{32|64}}
// STRICT-NOT: .approx
// STRICT-NOT: .ftz
// STRICT-NOT: .extern
// STRICT-NOT: call

// Tests that a chain of elementwise operations runs a thread per element, over all axes at once.
// CHECK-LABEL: .visible .entry scale_relu(
// CHECK-NEXT:    .param .u64 .ptr {{.*}}scale_relu_param_0,
// CHECK-NEXT:    .param .u64 .ptr {{.*}}scale_relu_param_1,
// CHECK-NEXT:    .param .u64 .ptr {{.*}}scale_relu_param_2,
// CHECK-NEXT:    .param .u64 scale_relu_param_3
// CHECK:         .maxntid 128, 1, 1
// CHECK-DAG:     %tid.x
// CHECK-DAG:     %ctaid.x
// CHECK:         ld.global.b32
// CHECK:         mul.rn.f32
// CHECK:         add.rn.f32
// CHECK:         st.global.b32
// GROUPS: scale.relu: 640 s0 * 128 ceildiv
func.func @scale_relu(%x: !dl.tensor<[n, 64, 10], f32>, %b: !dl.tensor<[64], f32>) -> !dl.tensor<[n, 64, 10], f32>
    attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %y = dl.dispatch "scale.relu" (%x, %b) : (!dl.tensor<[n, 64, 10], f32>, !dl.tensor<[64], f32>)
      -> (!dl.tensor<[n, 64, 10], f32>) {
  ^bb0(%a: !dl.tensor<[n, 64, 10], f32>, %c: !dl.tensor<[64], f32>):
    %cb = dl.broadcast %c [1] : !dl.tensor<[64], f32> to !dl.tensor<[n, 64, 10], f32>
    %two = dl.constant 3.0 : f32 : !dl.tensor<[n, 64, 10], f32>
    %m = dl.mul %a, %two : !dl.tensor<[n, 64, 10], f32>
    %s = dl.add %m, %cb : !dl.tensor<[n, 64, 10], f32>
    %zero = dl.constant 0.0 : f32 : !dl.tensor<[n, 64, 10], f32>
    %r = dl.max %s, %zero : !dl.tensor<[n, 64, 10], f32>
    dl.yield %r : !dl.tensor<[n, 64, 10], f32>
  }
  return %y : !dl.tensor<[n, 64, 10], f32>
}

// Tests that reductions along the rows give a thread to each row, which loops over the columns.
// CHECK-LABEL: .visible .entry softmax(
// CHECK:         div.rn.f32
// GROUPS: softmax: s0 128 ceildiv
func.func @softmax(%x: !dl.tensor<[n, 10], f32>) -> (!dl.tensor<[n, 10], f32>, !dl.tensor<[n], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %y:2 = dl.dispatch "softmax" (%x) : (!dl.tensor<[n, 10], f32>) -> (!dl.tensor<[n, 10], f32>, !dl.tensor<[n], f32>) {
  ^bb0(%a: !dl.tensor<[n, 10], f32>):
    %m = dl.reduce max %a [1] : !dl.tensor<[n, 10], f32> to !dl.tensor<[n], f32>
    %mb = dl.broadcast %m [0] : !dl.tensor<[n], f32> to !dl.tensor<[n, 10], f32>
    %d = dl.sub %a, %mb : !dl.tensor<[n, 10], f32>
    %e = dl.exp %d : !dl.tensor<[n, 10], f32>
    %s = dl.reduce sum %e [1] : !dl.tensor<[n, 10], f32> to !dl.tensor<[n], f32>
    %sb = dl.broadcast %s [0] : !dl.tensor<[n], f32> to !dl.tensor<[n, 10], f32>
    %r = dl.div %e, %sb : !dl.tensor<[n, 10], f32>
    dl.yield %r, %s : !dl.tensor<[n, 10], f32>, !dl.tensor<[n], f32>
  }
  return %y#0, %y#1 : !dl.tensor<[n, 10], f32>, !dl.tensor<[n], f32>
}

// Tests that a contraction is a loop of fma with its prologue and epilogue in the same thread. k has 3136
// elements: chunks of 256 are summed apart and added.
// CHECK-LABEL: .visible .entry fc1(
// CHECK:         fma.rn.f32
// CHECK:         add.rn.f32
// GROUPS: fc1: 128 s0 * 128 ceildiv
func.func @fc1(%x: !dl.tensor<[n, 64, 7, 7], f32>, %w: !dl.tensor<[128, 3136], f32>, %b: !dl.tensor<[128], f32>)
    -> !dl.tensor<[n, 128], f32> attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %y = dl.dispatch "fc1" (%x, %w, %b)
      : (!dl.tensor<[n, 64, 7, 7], f32>, !dl.tensor<[128, 3136], f32>, !dl.tensor<[128], f32>)
      -> (!dl.tensor<[n, 128], f32>) {
  ^bb0(%a: !dl.tensor<[n, 64, 7, 7], f32>, %v: !dl.tensor<[128, 3136], f32>, %c: !dl.tensor<[128], f32>):
    %flat = dl.reshape %a : !dl.tensor<[n, 64, 7, 7], f32> to !dl.tensor<[n, 3136], f32>
    %p = dl.contract "mk,nk->mn" %flat, %v
        : (!dl.tensor<[n, 3136], f32>, !dl.tensor<[128, 3136], f32>) -> !dl.tensor<[n, 128], f32>
    %cb = dl.broadcast %c [1] : !dl.tensor<[128], f32> to !dl.tensor<[n, 128], f32>
    %s = dl.add %p, %cb : !dl.tensor<[n, 128], f32>
    dl.yield %s : !dl.tensor<[n, 128], f32>
  }
  return %y : !dl.tensor<[n, 128], f32>
}

// Tests that the three convolutions compute an element per thread, and that what lies outside of the input is
// multiplied as zero.
// CHECK-LABEL: .visible .entry conv_relu(
// CHECK:         fma.rn.f32
// CHECK-LABEL: .visible .entry conv_input(
// CHECK:         fma.rn.f32
// CHECK-LABEL: .visible .entry conv_weight(
// CHECK:         fma.rn.f32
// GROUPS: conv.relu: 25088 s0 * 128 ceildiv
// GROUPS: conv.input: 784 s0 * 128 ceildiv
// GROUPS: conv.weight: 3
func.func @conv(%x: !dl.tensor<[n, 1, 28, 28], f32>, %w: !dl.tensor<[32, 1, 3, 3], f32>,
                %dy: !dl.tensor<[n, 32, 28, 28], f32>)
    -> (!dl.tensor<[n, 32, 28, 28], f32>, !dl.tensor<[n, 1, 28, 28], f32>, !dl.tensor<[32, 1, 3, 3], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %y = dl.dispatch "conv.relu" (%x, %w) : (!dl.tensor<[n, 1, 28, 28], f32>, !dl.tensor<[32, 1, 3, 3], f32>)
      -> (!dl.tensor<[n, 32, 28, 28], f32>) {
  ^bb0(%a: !dl.tensor<[n, 1, 28, 28], f32>, %v: !dl.tensor<[32, 1, 3, 3], f32>):
    %r = dl.conv %a, %v strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1
      : (!dl.tensor<[n, 1, 28, 28], f32>, !dl.tensor<[32, 1, 3, 3], f32>) -> !dl.tensor<[n, 32, 28, 28], f32>
    dl.yield %r : !dl.tensor<[n, 32, 28, 28], f32>
  }
  %dx = dl.dispatch "conv.input" (%dy, %w) : (!dl.tensor<[n, 32, 28, 28], f32>, !dl.tensor<[32, 1, 3, 3], f32>)
      -> (!dl.tensor<[n, 1, 28, 28], f32>) {
  ^bb0(%a: !dl.tensor<[n, 32, 28, 28], f32>, %v: !dl.tensor<[32, 1, 3, 3], f32>):
    %r = dl.conv_input_grad %a, %v strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1
      : (!dl.tensor<[n, 32, 28, 28], f32>, !dl.tensor<[32, 1, 3, 3], f32>) -> !dl.tensor<[n, 1, 28, 28], f32>
    dl.yield %r : !dl.tensor<[n, 1, 28, 28], f32>
  }
  %dw = dl.dispatch "conv.weight" (%dy, %x) : (!dl.tensor<[n, 32, 28, 28], f32>, !dl.tensor<[n, 1, 28, 28], f32>)
      -> (!dl.tensor<[32, 1, 3, 3], f32>) {
  ^bb0(%a: !dl.tensor<[n, 32, 28, 28], f32>, %v: !dl.tensor<[n, 1, 28, 28], f32>):
    %r = dl.conv_weight_grad %a, %v strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1
      : (!dl.tensor<[n, 32, 28, 28], f32>, !dl.tensor<[n, 1, 28, 28], f32>) -> !dl.tensor<[32, 1, 3, 3], f32>
    dl.yield %r : !dl.tensor<[32, 1, 3, 3], f32>
  }
  return %y, %dx, %dw : !dl.tensor<[n, 32, 28, 28], f32>, !dl.tensor<[n, 1, 28, 28], f32>, !dl.tensor<[32, 1, 3, 3], f32>
}

// Tests that a reduction over the leading axes gives a thread to each kept element, and that square roots are
// correctly rounded.
// CHECK-LABEL: .visible .entry bias_grad(
// CHECK:         add.rn.f32
// CHECK:         sqrt.rn.f32
// GROUPS: bias_grad: 1
func.func @bias_grad(%x: !dl.tensor<[n, 64], f32>) -> !dl.tensor<[64], f32>
    attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %y = dl.dispatch "bias_grad" (%x) : (!dl.tensor<[n, 64], f32>) -> (!dl.tensor<[64], f32>) {
  ^bb0(%a: !dl.tensor<[n, 64], f32>):
    %s = dl.reduce sum %a [0] : !dl.tensor<[n, 64], f32> to !dl.tensor<[64], f32>
    %q = dl.sqrt %s : !dl.tensor<[64], f32>
    dl.yield %q : !dl.tensor<[64], f32>
  }
  return %y : !dl.tensor<[64], f32>
}

// Tests that operations with computed indices run a thread per element, which looks at all updates of a sum.
// CHECK-LABEL: .visible .entry gather(
// GROUPS: gather: 20 s0 * 128 ceildiv
func.func @gather(%x: !dl.tensor<[7, 20], f32>, %i: !dl.tensor<[n], i32>) -> !dl.tensor<[n, 20], f32>
    attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %y = dl.dispatch "gather" (%x, %i) : (!dl.tensor<[7, 20], f32>, !dl.tensor<[n], i32>) -> (!dl.tensor<[n, 20], f32>) {
  ^bb0(%a: !dl.tensor<[7, 20], f32>, %b: !dl.tensor<[n], i32>):
    %r = dl.gather %a, %b batch 0 : (!dl.tensor<[7, 20], f32>, !dl.tensor<[n], i32>) -> !dl.tensor<[n, 20], f32>
    dl.yield %r : !dl.tensor<[n, 20], f32>
  }
  return %y : !dl.tensor<[n, 20], f32>
}

// CHECK-LABEL: .visible .entry scatter(
// GROUPS: scatter: 2
func.func @scatter(%x: !dl.tensor<[n, 20], f32>, %i: !dl.tensor<[n], i32>) -> !dl.tensor<[7, 20], f32>
    attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %y = dl.dispatch "scatter" (%x, %i) : (!dl.tensor<[n, 20], f32>, !dl.tensor<[n], i32>) -> (!dl.tensor<[7, 20], f32>) {
  ^bb0(%a: !dl.tensor<[n, 20], f32>, %b: !dl.tensor<[n], i32>):
    %r = dl.scatter_add %a, %b batch 0 : (!dl.tensor<[n, 20], f32>, !dl.tensor<[n], i32>) -> !dl.tensor<[7, 20], f32>
    dl.yield %r : !dl.tensor<[7, 20], f32>
  }
  return %y : !dl.tensor<[7, 20], f32>
}

// Tests that a thread sorts a row, and that affine indices need no memory of their own.
// CHECK-LABEL: .visible .entry sort(
// GROUPS: sort: s0 128 ceildiv
func.func @sort(%x: !dl.tensor<[n, 20], f32>) -> !dl.tensor<[n, 20], i32>
    attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %y = dl.dispatch "sort" (%x) : (!dl.tensor<[n, 20], f32>) -> (!dl.tensor<[n, 20], i32>) {
  ^bb0(%a: !dl.tensor<[n, 20], f32>):
    %r = dl.argsort %a : !dl.tensor<[n, 20], f32> to !dl.tensor<[n, 20], i32>
    dl.yield %r : !dl.tensor<[n, 20], i32>
  }
  return %y : !dl.tensor<[n, 20], i32>
}

// CHECK-LABEL: .visible .entry window(
// GROUPS: window: 9 s0 * 128 ceildiv
func.func @window(%x: !dl.tensor<[n, 20], f32>) -> !dl.tensor<[n, 9], f32>
    attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %y = dl.dispatch "window" (%x) : (!dl.tensor<[n, 20], f32>) -> (!dl.tensor<[n, 9], f32>) {
  ^bb0(%a: !dl.tensor<[n, 20], f32>):
    %w = dl.subscript %a [0, 1, 0, 1, 0, 2] offsets [#dl.poly<0>, #dl.poly<0>] divisors [1, 1]
      : !dl.tensor<[n, 20], f32> to !dl.tensor<[3, n, 9], f32>
    %r = dl.reduce max %w [0] : !dl.tensor<[3, n, 9], f32> to !dl.tensor<[n, 9], f32>
    dl.yield %r : !dl.tensor<[n, 9], f32>
  }
  return %y : !dl.tensor<[n, 9], f32>
}
