// RUN: %dlc-opt %s | %dlc-opt | FileCheck %s
// RUN: %dlc-opt %s --mlir-print-op-generic | %dlc-opt | FileCheck %s

// Tests that every operation prints what it parses; the operations are the examples of their documentation.

// CHECK: dl.state parameter @fc1.weight : !dl.tensor<[128, 3136], f32>
dl.state parameter @fc1.weight : !dl.tensor<[128, 3136], f32>
// CHECK: dl.state hyperparameter @step.lr : !dl.tensor<[], f64> initial 1.000000e-03 : f64 owner "step"
dl.state hyperparameter @step.lr : !dl.tensor<[], f64> initial 1.0e-3 : f64 owner "step"
// CHECK: dl.state optimizer @step.fc1.weight.m : !dl.tensor<[128, 3136], f32> owner "step" of @fc1.weight
dl.state optimizer @step.fc1.weight.m : !dl.tensor<[128, 3136], f32> owner "step" of @fc1.weight

// CHECK-LABEL: func.func @states
func.func @states() -> !dl.tensor<[128, 3136], f32> {
  // CHECK: %[[W:.*]] = dl.load_state @fc1.weight : <[128, 3136], f32>
  %w = dl.load_state @fc1.weight : !dl.tensor<[128, 3136], f32>
  // CHECK: dl.store_state @fc1.weight, %[[W]] : <[128, 3136], f32>
  dl.store_state @fc1.weight, %w : !dl.tensor<[128, 3136], f32>
  return %w : !dl.tensor<[128, 3136], f32>
}

// CHECK: func.func @constrained
// CHECK-SAME: dl.constraints = [#dl.constraint<n - 8 not_negative, "x[7]" at "model.dl":1:43>,
// CHECK-SAME: #dl.constraint<n multiple_of 4*t, "the signature" at "model.dl":3:30>,
// CHECK-SAME: #dl.constraint<n - t zero, "a" at "":0:0>, #dl.constraint<n - t not_zero, "b" at "":0:0>]
func.func @constrained(%x: !dl.tensor<[n, t], f32>) attributes {
    dl.entry = "infer", dl.symbols = ["n", "t"],
    dl.constraints = [#dl.constraint<n - 8 not_negative, "x[7]" at "model.dl":1:43>,
                      #dl.constraint<n multiple_of 4*t, "the signature" at "model.dl":3:30>,
                      #dl.constraint<n - t zero, "a" at "":0:0>,
                      #dl.constraint<n - t not_zero, "b" at "":0:0>]} {
  return
}

// CHECK-LABEL: func.func @unary
func.func @unary(%x: !dl.tensor<[n, 10], f32>, %b: !dl.tensor<[n, 10], i1>) attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  // CHECK: dl.neg %{{.*}} : <[n, 10], f32>
  %0 = dl.neg %x : !dl.tensor<[n, 10], f32>
  // CHECK: dl.abs
  %1 = dl.abs %x : !dl.tensor<[n, 10], f32>
  // CHECK: dl.exp
  %2 = dl.exp %x : !dl.tensor<[n, 10], f32>
  // CHECK: dl.log
  %3 = dl.log %x : !dl.tensor<[n, 10], f32>
  // CHECK: dl.sqrt
  %4 = dl.sqrt %x : !dl.tensor<[n, 10], f32>
  // CHECK: dl.tanh
  %5 = dl.tanh %x : !dl.tensor<[n, 10], f32>
  // CHECK: dl.sin
  %6 = dl.sin %x : !dl.tensor<[n, 10], f32>
  // CHECK: dl.cos
  %7 = dl.cos %x : !dl.tensor<[n, 10], f32>
  // CHECK: dl.erf
  %8 = dl.erf %x : !dl.tensor<[n, 10], f32>
  // CHECK: dl.floor
  %9 = dl.floor %x : !dl.tensor<[n, 10], f32>
  // CHECK: dl.flush
  %10 = dl.flush %x : !dl.tensor<[n, 10], f32>
  // CHECK: dl.not %{{.*}} : <[n, 10], i1>
  %11 = dl.not %b : !dl.tensor<[n, 10], i1>
  // CHECK: dl.stop_gradient
  %12 = dl.stop_gradient %x : !dl.tensor<[n, 10], f32>
  return
}

// CHECK-LABEL: func.func @binary
func.func @binary(%a: !dl.tensor<[n, 10], f32>, %b: !dl.tensor<[n, 10], f32>, %c: !dl.tensor<[n, 10], i1>) {
  // CHECK: dl.add %{{.*}}, %{{.*}} : <[n, 10], f32>
  %0 = dl.add %a, %b : !dl.tensor<[n, 10], f32>
  // CHECK: dl.sub
  %1 = dl.sub %a, %b : !dl.tensor<[n, 10], f32>
  // CHECK: dl.mul
  %2 = dl.mul %a, %b : !dl.tensor<[n, 10], f32>
  // CHECK: dl.div
  %3 = dl.div %a, %b : !dl.tensor<[n, 10], f32>
  // CHECK: dl.rem
  %4 = dl.rem %a, %b : !dl.tensor<[n, 10], f32>
  // CHECK: dl.pow
  %5 = dl.pow %a, %b : !dl.tensor<[n, 10], f32>
  // CHECK: dl.max
  %6 = dl.max %a, %b : !dl.tensor<[n, 10], f32>
  // CHECK: dl.min
  %7 = dl.min %a, %b : !dl.tensor<[n, 10], f32>
  // CHECK: dl.and
  %8 = dl.and %c, %c : !dl.tensor<[n, 10], i1>
  // CHECK: dl.or
  %9 = dl.or %c, %c : !dl.tensor<[n, 10], i1>
  // CHECK: dl.compare ge %{{.*}}, %{{.*}} : <[n, 10], f32>
  %10 = dl.compare ge %a, %b : !dl.tensor<[n, 10], f32>
  // CHECK: dl.select %{{.*}}, %{{.*}}, %{{.*}} : <[n, 10], f32>
  %11 = dl.select %10, %a, %b : !dl.tensor<[n, 10], f32>
  // CHECK: dl.cast %{{.*}} : <[n, 10], f32> to <[n, 10], i32>
  %12 = dl.cast %a : !dl.tensor<[n, 10], f32> to !dl.tensor<[n, 10], i32>
  return
}

// CHECK-LABEL: func.func @leaves
func.func @leaves(%seed: !dl.tensor<[], i64>, %iteration: !dl.tensor<[], i64>) {
  // CHECK: dl.constant 0.000000e+00 : f32 : <[n, 10], f32>
  %zero = dl.constant 0.0 : f32 : !dl.tensor<[n, 10], f32>
  // CHECK: dl.dim <n> : <[], i64>
  %rows = dl.dim <n> : !dl.tensor<[], i64>
  // CHECK: dl.iota 1 : <[n, 10], i32>
  %column = dl.iota 1 : !dl.tensor<[n, 10], i32>
  // CHECK: %[[KEY:.*]] = dl.random_key site 77 seed %{{.*}}
  // CHECK: dl.random key %[[KEY]] iteration %{{.*}} : <[n, 10], f32>
  %u.key = dl.random_key site 77 seed %seed
  %u = dl.random key %u.key iteration %iteration : !dl.tensor<[n, 10], f32>
  // CHECK: %[[KEY:.*]] = dl.random_key site 78 seed %{{.*}}
  // CHECK: dl.random key %[[KEY]] iteration %{{.*}} index %{{.*}} : <[n, 10], f32>
  %v.key = dl.random_key site 78 seed %seed
  %v = dl.random key %v.key iteration %iteration index %rows : !dl.tensor<[n, 10], f32>
  return
}

// CHECK-LABEL: func.func @shapes
func.func @shapes(%x: !dl.tensor<[n, 10], f32>, %bias: !dl.tensor<[10], f32>, %y: !dl.tensor<[n, 64, 7, 7], f32>,
                  %a: !dl.tensor<[n, 4], f32>, %b: !dl.tensor<[n, 6], f32>, %c: !dl.tensor<[n, 8], f32>) {
  // CHECK: dl.broadcast %{{.*}} [1] : <[10], f32> to <[n, 10], f32>
  %0 = dl.broadcast %bias [1] : !dl.tensor<[10], f32> to !dl.tensor<[n, 10], f32>
  // CHECK: dl.transpose %{{.*}} [1, 0] : <[n, 10], f32> to <[10, n], f32>
  %1 = dl.transpose %x [1, 0] : !dl.tensor<[n, 10], f32> to !dl.tensor<[10, n], f32>
  // CHECK: dl.reshape %{{.*}} : <[n, 64, 7, 7], f32> to <[n, 3136], f32>
  %2 = dl.reshape %y : !dl.tensor<[n, 64, 7, 7], f32> to !dl.tensor<[n, 3136], f32>
  // CHECK: dl.slice %{{.*}} [#dl.poly<0>, #dl.poly<1>] strides [1, 2] : <[n, 10], f32> to <[n, 5], f32>
  %3 = dl.slice %x [#dl.poly<0>, #dl.poly<1>] strides [1, 2] : !dl.tensor<[n, 10], f32> to !dl.tensor<[n, 5], f32>
  // CHECK: dl.pad %{{.*}} value 0.000000e+00 : f32 low [#dl.poly<0>, #dl.poly<1>] interior [0, 0]
  %4 = dl.pad %c value 0.0 : f32 low [#dl.poly<0>, #dl.poly<1>] interior [0, 0] : !dl.tensor<[n, 8], f32> to !dl.tensor<[n, 10], f32>
  // CHECK: dl.concat 1, %{{.*}}, %{{.*}} : (!dl.tensor<[n, 4], f32>, !dl.tensor<[n, 6], f32>) -> !dl.tensor<[n, 10], f32>
  %5 = dl.concat 1, %a, %b : (!dl.tensor<[n, 4], f32>, !dl.tensor<[n, 6], f32>) -> !dl.tensor<[n, 10], f32>
  return
}

// CHECK-LABEL: func.func @polynomials
// CHECK-SAME: !dl.tensor<[2*n*t + n - 1, n*n, 0], i1>
// CHECK-SAME: !dl.tensor<[n + 3], ui8>
func.func @polynomials(%x: !dl.tensor<[n - 1 + 2 * t * n, n * n, 3 - 3], i1>, %y: !dl.tensor<[1 + n + 2], ui8>) {
  return
}

// CHECK-LABEL: func.func @reductions
func.func @reductions(%x: !dl.tensor<[n, 64], f32>, %w: !dl.tensor<[10, 64], f32>) {
  // CHECK: dl.reduce sum %{{.*}} [1] : <[n, 64], f32> to <[n], f32>
  %0 = dl.reduce sum %x [1] : !dl.tensor<[n, 64], f32> to !dl.tensor<[n], f32>
  // CHECK: dl.reduce prod %{{.*}} [0, 1] : <[n, 64], f32> to <[], f32>
  %1 = dl.reduce prod %x [0, 1] : !dl.tensor<[n, 64], f32> to !dl.tensor<[], f32>
  // CHECK: dl.argmax %{{.*}} 1 : <[n, 64], f32> to <[n], i32>
  %2 = dl.argmax %x 1 : !dl.tensor<[n, 64], f32> to !dl.tensor<[n], i32>
  // CHECK: dl.contract "mk,nk->mn" %{{.*}}, %{{.*}} : (!dl.tensor<[n, 64], f32>, !dl.tensor<[10, 64], f32>) -> !dl.tensor<[n, 10], f32>
  %3 = dl.contract "mk,nk->mn" %x, %w : (!dl.tensor<[n, 64], f32>, !dl.tensor<[10, 64], f32>) -> !dl.tensor<[n, 10], f32>
  return
}

// CHECK-LABEL: func.func @windows
func.func @windows(%x: !dl.tensor<[n, 1, 28, 28], f32>, %w: !dl.tensor<[32, 1, 3, 3], f32>) {
  // CHECK: %[[Y:.*]] = dl.conv %{{.*}}, %{{.*}} strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1
  %y = dl.conv %x, %w strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1
    : (!dl.tensor<[n, 1, 28, 28], f32>, !dl.tensor<[32, 1, 3, 3], f32>) -> !dl.tensor<[n, 32, 28, 28], f32>
  // CHECK: dl.conv_input_grad %[[Y]], %{{.*}} strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1
  %dx = dl.conv_input_grad %y, %w strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1
    : (!dl.tensor<[n, 32, 28, 28], f32>, !dl.tensor<[32, 1, 3, 3], f32>) -> !dl.tensor<[n, 1, 28, 28], f32>
  // CHECK: dl.conv_weight_grad %[[Y]], %{{.*}} strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1
  %dw = dl.conv_weight_grad %y, %x strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1
    : (!dl.tensor<[n, 32, 28, 28], f32>, !dl.tensor<[n, 1, 28, 28], f32>) -> !dl.tensor<[32, 1, 3, 3], f32>
  // CHECK: %[[P:.*]] = dl.max_pool %[[Y]] window [2, 2] strides [2, 2] padding [0, 0] to [0, 0]
  %p = dl.max_pool %y window [2, 2] strides [2, 2] padding [0, 0] to [0, 0]
    : (!dl.tensor<[n, 32, 28, 28], f32>) -> !dl.tensor<[n, 32, 14, 14], f32>
  // CHECK: %[[G:.*]] = dl.max_pool_grad %[[Y]], %[[P]] window [2, 2] strides [2, 2] padding [0, 0] to [0, 0]
  %g = dl.max_pool_grad %y, %p window [2, 2] strides [2, 2] padding [0, 0] to [0, 0]
    : (!dl.tensor<[n, 32, 28, 28], f32>, !dl.tensor<[n, 32, 14, 14], f32>) -> !dl.tensor<[n, 32, 28, 28], f32>
  // CHECK: dl.max_pool_select %[[Y]], %[[G]] window [2, 2] strides [2, 2] padding [0, 0] to [0, 0]
  %s = dl.max_pool_select %y, %g window [2, 2] strides [2, 2] padding [0, 0] to [0, 0]
    : (!dl.tensor<[n, 32, 28, 28], f32>, !dl.tensor<[n, 32, 28, 28], f32>) -> !dl.tensor<[n, 32, 14, 14], f32>
  return
}

// CHECK-LABEL: func.func @scan
func.func @scan(%x: !dl.tensor<[n, t, 8], f32>, %zero: !dl.tensor<[n, 8], f32>) {
  // CHECK: dl.scan <t> xs(%{{.*}}) axes [1] carries(%{{.*}}) stack_axes [1]
  // CHECK-SAME: (!dl.tensor<[n, t, 8], f32>), (!dl.tensor<[n, 8], f32>) -> (!dl.tensor<[n, 8], f32>), (!dl.tensor<[n, t, 8], f32>) {
  %last, %all = dl.scan #dl.poly<t> xs(%x) axes [1] carries(%zero) stack_axes [1]
      : (!dl.tensor<[n, t, 8], f32>), (!dl.tensor<[n, 8], f32>) -> (!dl.tensor<[n, 8], f32>), (!dl.tensor<[n, t, 8], f32>) {
  // CHECK-NEXT: ^bb0(%{{.*}}: !dl.tensor<[], i64>, %[[XT:.*]]: !dl.tensor<[n, 8], f32>, %[[H:.*]]: !dl.tensor<[n, 8], f32>):
  ^bb0(%i: !dl.tensor<[], i64>, %xt: !dl.tensor<[n, 8], f32>, %h: !dl.tensor<[n, 8], f32>):
    %s = dl.add %xt, %h : !dl.tensor<[n, 8], f32>
    // CHECK: dl.yield %[[S:.*]], %[[S]]
    dl.yield %s, %s : !dl.tensor<[n, 8], f32>, !dl.tensor<[n, 8], f32>
  }
  // CHECK: dl.scan <5> reverse xs() axes [] carries() stack_axes [0]
  %squares = dl.scan #dl.poly<5> reverse xs() axes [] carries() stack_axes [0] : (), () -> (), (!dl.tensor<[5], i64>) {
  ^bb0(%i: !dl.tensor<[], i64>):
    %s = dl.mul %i, %i : !dl.tensor<[], i64>
    dl.yield %s : !dl.tensor<[], i64>
  }
  return
}

// CHECK-LABEL: func.func @gradient
func.func @gradient(%loss: !dl.tensor<[], f32>, %w: !dl.tensor<[4, 3], f32>, %b: !dl.tensor<[4], f32>) {
  // CHECK: dl.gradient %{{.*}} wrt(%{{.*}}, %{{.*}}) : !dl.tensor<[], f32>, (!dl.tensor<[4, 3], f32>, !dl.tensor<[4], f32>)
  %dw, %db = dl.gradient %loss wrt(%w, %b) : !dl.tensor<[], f32>, (!dl.tensor<[4, 3], f32>, !dl.tensor<[4], f32>)
  return
}

// CHECK-LABEL: func.func @dispatch
func.func @dispatch(%x: !dl.tensor<[n, 10], f32>) -> !dl.tensor<[n, 10], f32> {
  // CHECK: dl.dispatch "fc1.relu"(%{{.*}}) : (!dl.tensor<[n, 10], f32>) -> (!dl.tensor<[n, 10], f32>) {
  %y = dl.dispatch "fc1.relu" (%x) : (!dl.tensor<[n, 10], f32>) -> (!dl.tensor<[n, 10], f32>) {
  ^bb0(%a: !dl.tensor<[n, 10], f32>):
    %zero = dl.constant 0.0 : f32 : !dl.tensor<[n, 10], f32>
    %r = dl.max %zero, %a : !dl.tensor<[n, 10], f32>
    // CHECK: dl.yield %{{.*}} : !dl.tensor<[n, 10], f32>
    dl.yield %r : !dl.tensor<[n, 10], f32>
  }
  return %y : !dl.tensor<[n, 10], f32>
}

// Tests that the operations with indices print what they parse.
// CHECK-LABEL: @indices
// CHECK: dl.subscript %{{.*}} [1, 0, 0, 0, 2, 1] offsets [#dl.poly<0>, #dl.poly<n - 1>] divisors [1, 2]
// CHECK: dl.gather %{{.*}}, %{{.*}} batch 1 : (!dl.tensor<[n, 7], f32>, !dl.tensor<[n, 2], i64>) -> !dl.tensor<[n, 2], f32>
// CHECK: dl.scatter_add %{{.*}}, %{{.*}} batch 1 : (!dl.tensor<[n, 2], f32>, !dl.tensor<[n, 2], i64>) -> !dl.tensor<[n, 7], f32>
// CHECK: dl.argsort %{{.*}} : <[n, 7], f32> to <[n, 7], i32>
func.func @indices(%x: !dl.tensor<[n, 7], f32>, %i: !dl.tensor<[n, 2], i64>) -> !dl.tensor<[n, 3, 3], f32> {
  %r = dl.subscript %x [1, 0, 0, 0, 2, 1] offsets [#dl.poly<0>, #dl.poly<n - 1>] divisors [1, 2] : !dl.tensor<[n, 7], f32> to !dl.tensor<[n, 3, 3], f32>
  %g = dl.gather %x, %i batch 1 : (!dl.tensor<[n, 7], f32>, !dl.tensor<[n, 2], i64>) -> !dl.tensor<[n, 2], f32>
  %s = dl.scatter_add %g, %i batch 1 : (!dl.tensor<[n, 2], f32>, !dl.tensor<[n, 2], i64>) -> !dl.tensor<[n, 7], f32>
  %o = dl.argsort %s : !dl.tensor<[n, 7], f32> to !dl.tensor<[n, 7], i32>
  return %r : !dl.tensor<[n, 3, 3], f32>
}
