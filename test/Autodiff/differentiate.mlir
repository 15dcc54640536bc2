// RUN: %dlc-opt %s --split-input-file --dl-differentiate --verify-diagnostics | FileCheck %s

// Tests that only the gradients that are needed are built: none for the input, one contraction for the weight.
// CHECK-LABEL: func.func @only_what_is_needed
// CHECK-SAME: (%[[X:.*]]: !dl.tensor<[n, 3], f32>, %[[W:.*]]: !dl.tensor<[4, 3], f32>)
// CHECK: %[[ONE:.*]] = dl.constant 1.000000e+00
// CHECK: %[[DZ:.*]] = dl.broadcast %[[ONE]] []
// CHECK-NEXT: %[[DW:.*]] = dl.contract "mn,mk->nk" %[[DZ]], %[[X]]
// CHECK-NEXT: return %[[DW]]
func.func @only_what_is_needed(%x: !dl.tensor<[n, 3], f32>, %w: !dl.tensor<[4, 3], f32>) -> !dl.tensor<[4, 3], f32> {
  %z = dl.contract "mk,nk->mn" %x, %w : (!dl.tensor<[n, 3], f32>, !dl.tensor<[4, 3], f32>) -> !dl.tensor<[n, 4], f32>
  %loss = dl.reduce sum %z [0, 1] : !dl.tensor<[n, 4], f32> to !dl.tensor<[], f32>
  %dw = dl.gradient %loss wrt(%w) : !dl.tensor<[], f32>, (!dl.tensor<[4, 3], f32>)
  return %dw : !dl.tensor<[4, 3], f32>
}

// -----

// Tests that the backward pass of relu needs only its result: r > 0 exactly where x > 0.
// CHECK-LABEL: func.func @relu_compares_its_result
// CHECK: %[[ZERO:.*]] = dl.constant 0.0
// CHECK: %[[R:.*]] = dl.max %[[ZERO]], %{{.*}}
// CHECK: %[[MASK:.*]] = dl.compare gt %[[R]], %[[ZERO]]
// CHECK: dl.select %[[MASK]]
func.func @relu_compares_its_result(%x: !dl.tensor<[n], f32>) -> !dl.tensor<[n], f32> {
  %zero = dl.constant 0.0 : f32 : !dl.tensor<[n], f32>
  %r = dl.max %zero, %x : !dl.tensor<[n], f32>
  %loss = dl.reduce sum %r [0] : !dl.tensor<[n], f32> to !dl.tensor<[], f32>
  %dx = dl.gradient %loss wrt(%x) : !dl.tensor<[], f32>, (!dl.tensor<[n], f32>)
  return %dx : !dl.tensor<[n], f32>
}

// -----

// Tests that a value which the loss does not depend on, or only through stop_gradient, gets zeros, and that
// stop_gradient goes afterwards.
// CHECK-LABEL: func.func @unreached_is_zero
// CHECK-NOT: dl.stop_gradient
// CHECK-DAG: %[[N:.*]] = dl.constant 0.000000e+00 : f32 : <[n], f32>
// CHECK-DAG: %[[T:.*]] = dl.constant 0.000000e+00 : f32 : <[t], f32>
// CHECK: return %[[N]], %[[T]]
func.func @unreached_is_zero(%x: !dl.tensor<[n], f32>, %y: !dl.tensor<[t], f32>) -> (!dl.tensor<[n], f32>, !dl.tensor<[t], f32>) {
  %s = dl.stop_gradient %x : !dl.tensor<[n], f32>
  %loss = dl.reduce sum %s [0] : !dl.tensor<[n], f32> to !dl.tensor<[], f32>
  %dx, %dy = dl.gradient %loss wrt(%x, %y) : !dl.tensor<[], f32>, (!dl.tensor<[n], f32>, !dl.tensor<[t], f32>)
  return %dx, %dy : !dl.tensor<[n], f32>, !dl.tensor<[t], f32>
}

// -----

// Tests that the forward scan saves what the reverse scan needs and does not stack it twice: the state after the
// step is a stack already, the state before it is not.
// CHECK-LABEL: func.func @scan_saves_what_is_needed
// CHECK: %{{.*}}, %[[STACKS:.*]]:2 = dl.scan <t> xs(%{{.*}}) axes [0] carries(%{{.*}}) stack_axes [1, 0]
// CHECK: ^bb0(%{{.*}}, %{{.*}}, %[[H:.*]]: !dl.tensor<[n], f32>):
// CHECK: %[[NEXT:.*]] = dl.tanh
// CHECK: dl.yield %[[NEXT]], %[[NEXT]], %[[H]]
// CHECK: dl.scan <t> reverse xs({{.*}}%[[STACKS]]#{{[01]}}, %[[STACKS]]#{{[01]}}) axes
func.func @scan_saves_what_is_needed(%x: !dl.tensor<[t, n], f32>, %w: !dl.tensor<[n], f32>) -> !dl.tensor<[n], f32> {
  %zero = dl.constant 0.0 : f32 : !dl.tensor<[n], f32>
  %h, %all = dl.scan <t> xs(%x) axes [0] carries(%zero) stack_axes [1]
    : (!dl.tensor<[t, n], f32>), (!dl.tensor<[n], f32>) -> (!dl.tensor<[n], f32>), (!dl.tensor<[n, t], f32>) {
  ^bb0(%i: !dl.tensor<[], i64>, %xt: !dl.tensor<[n], f32>, %hp: !dl.tensor<[n], f32>):
    %wh = dl.mul %w, %hp : !dl.tensor<[n], f32>
    %z = dl.add %wh, %xt : !dl.tensor<[n], f32>
    %next = dl.tanh %z : !dl.tensor<[n], f32>
    dl.yield %next, %next : !dl.tensor<[n], f32>, !dl.tensor<[n], f32>
  }
  %loss = dl.reduce sum %all [0, 1] : !dl.tensor<[n, t], f32> to !dl.tensor<[], f32>
  %dw = dl.gradient %loss wrt(%w) : !dl.tensor<[], f32>, (!dl.tensor<[n], f32>)
  return %dw : !dl.tensor<[n], f32>
}

// -----

// Tests that parameters, which are loaded, are differentiated with respect to where they are loaded.
// CHECK-LABEL: func.func @loaded_parameter
// CHECK: %[[W:.*]] = dl.load_state @w
// CHECK: %[[DW:.*]] = dl.add
// CHECK: dl.store_state @w, %[[DW]]
dl.state parameter @w : !dl.tensor<[3], f32>
func.func @loaded_parameter() {
  %w = dl.load_state @w : !dl.tensor<[3], f32>
  %s = dl.mul %w, %w : !dl.tensor<[3], f32>
  %loss = dl.reduce sum %s [0] : !dl.tensor<[3], f32> to !dl.tensor<[], f32>
  %dw = dl.gradient %loss wrt(%w) : !dl.tensor<[], f32>, (!dl.tensor<[3], f32>)
  dl.store_state @w, %dw : !dl.tensor<[3], f32>
  return
}

// -----

// Tests that a gradient does not pass a dispatch, and that the message says why.
func.func @dispatches_come_later(%x: !dl.tensor<[n], f32>) -> !dl.tensor<[n], f32> {
  // expected-error@+1 {{no gradient flows through dl.dispatch: dispatches are formed after differentiation}}
  %y = dl.dispatch "exp"(%x) : (!dl.tensor<[n], f32>) -> (!dl.tensor<[n], f32>) {
  ^bb0(%a: !dl.tensor<[n], f32>):
    %r = dl.exp %a : !dl.tensor<[n], f32>
    dl.yield %r : !dl.tensor<[n], f32>
  }
  %loss = dl.reduce sum %y [0] : !dl.tensor<[n], f32> to !dl.tensor<[], f32>
  %dx = dl.gradient %loss wrt(%x) : !dl.tensor<[], f32>, (!dl.tensor<[n], f32>)
  return %dx : !dl.tensor<[n], f32>
}

// -----

// Tests that an operation of another dialect is named.
func.func private @f(!dl.tensor<[n], f32>) -> !dl.tensor<[n], f32>
func.func @other_dialects(%x: !dl.tensor<[n], f32>) -> !dl.tensor<[n], f32> {
  // expected-error@+1 {{no gradient flows through func.call}}
  %y = func.call @f(%x) : (!dl.tensor<[n], f32>) -> !dl.tensor<[n], f32>
  %loss = dl.reduce sum %y [0] : !dl.tensor<[n], f32> to !dl.tensor<[], f32>
  %dx = dl.gradient %loss wrt(%x) : !dl.tensor<[], f32>, (!dl.tensor<[n], f32>)
  return %dx : !dl.tensor<[n], f32>
}
