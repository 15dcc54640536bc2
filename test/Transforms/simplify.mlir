// RUN: %dlc-opt %s --dl-simplify --split-input-file | FileCheck %s

// Tests that a transposed weight becomes letters of the equation.
// CHECK-LABEL: func.func @transposed_operand
// CHECK-SAME: (%[[X:.*]]: {{.*}}, %[[W:.*]]: {{.*}})
// CHECK-NEXT: %[[R:.*]] = dl.contract "mk,nk->mn" %[[X]], %[[W]]
// CHECK-NEXT: return %[[R]]
func.func @transposed_operand(%x: !dl.tensor<[n, 64], f32>, %w: !dl.tensor<[10, 64], f32>) -> !dl.tensor<[n, 10], f32> {
  %t = dl.transpose %w [1, 0] : !dl.tensor<[10, 64], f32> to !dl.tensor<[64, 10], f32>
  %r = dl.contract "mk,kn->mn" %x, %t : (!dl.tensor<[n, 64], f32>, !dl.tensor<[64, 10], f32>) -> !dl.tensor<[n, 10], f32>
  return %r : !dl.tensor<[n, 10], f32>
}

// -----

// Tests that a transposed result becomes letters of the equation.
// CHECK-LABEL: func.func @transposed_result
// CHECK: dl.contract "mk,kn->nm"
// CHECK-NOT: dl.transpose
func.func @transposed_result(%x: !dl.tensor<[n, 64], f32>, %w: !dl.tensor<[64, 10], f32>) -> !dl.tensor<[10, n], f32> {
  %r = dl.contract "mk,kn->mn" %x, %w : (!dl.tensor<[n, 64], f32>, !dl.tensor<[64, 10], f32>) -> !dl.tensor<[n, 10], f32>
  %t = dl.transpose %r [1, 0] : !dl.tensor<[n, 10], f32> to !dl.tensor<[10, n], f32>
  return %t : !dl.tensor<[10, n], f32>
}

// -----

// Tests that a left operand stays transposed when its letters give the order of summation.
// CHECK-LABEL: func.func @order_of_summation
// CHECK: dl.transpose
// CHECK: dl.contract "mkl,kln->mn"
func.func @order_of_summation(%x: !dl.tensor<[n, 4, 8], f32>, %w: !dl.tensor<[8, 4, 10], f32>) -> !dl.tensor<[n, 10], f32> {
  %t = dl.transpose %x [0, 2, 1] : !dl.tensor<[n, 4, 8], f32> to !dl.tensor<[n, 8, 4], f32>
  %r = dl.contract "mkl,kln->mn" %t, %w : (!dl.tensor<[n, 8, 4], f32>, !dl.tensor<[8, 4, 10], f32>) -> !dl.tensor<[n, 10], f32>
  return %r : !dl.tensor<[n, 10], f32>
}

// -----

// Tests that backward compares the activation, so that its input need not be kept; ge differs at equality and stays.
// CHECK-LABEL: func.func @activation
// CHECK-SAME: (%[[X:.*]]: {{.*}})
// CHECK: %[[R:.*]] = dl.max %[[X]], %[[ZERO:.*]] :
// CHECK: dl.compare gt %[[R]], %[[ZERO]]
// CHECK: dl.compare ge %[[X]], %[[ZERO]]
func.func @activation(%x: !dl.tensor<[n, 10], f32>)
    -> (!dl.tensor<[n, 10], f32>, !dl.tensor<[n, 10], i1>, !dl.tensor<[n, 10], i1>) {
  %zero = dl.constant 0.0 : f32 : !dl.tensor<[n, 10], f32>
  %r = dl.max %x, %zero : !dl.tensor<[n, 10], f32>
  %again = dl.constant 0.0 : f32 : !dl.tensor<[n, 10], f32>
  %p = dl.compare gt %x, %again : !dl.tensor<[n, 10], f32>
  %q = dl.compare ge %x, %again : !dl.tensor<[n, 10], f32>
  return %r, %p, %q : !dl.tensor<[n, 10], f32>, !dl.tensor<[n, 10], i1>, !dl.tensor<[n, 10], i1>
}

// -----

// Tests that what a loop computes from outer values alone leaves it.
// CHECK-LABEL: func.func @invariant
// CHECK: dl.exp %{{.*}} : <[8], f32>
// CHECK: dl.scan
// CHECK-NOT: dl.exp
func.func @invariant(%x: !dl.tensor<[n, t, 8], f32>, %b: !dl.tensor<[8], f32>, %h0: !dl.tensor<[n, 8], f32>) -> !dl.tensor<[n, 8], f32> {
  %last = dl.scan #dl.poly<t> xs(%x) axes [1] carries(%h0) stack_axes []
      : (!dl.tensor<[n, t, 8], f32>), (!dl.tensor<[n, 8], f32>) -> (!dl.tensor<[n, 8], f32>), () {
  ^bb0(%i: !dl.tensor<[], i64>, %xt: !dl.tensor<[n, 8], f32>, %h: !dl.tensor<[n, 8], f32>):
    %e = dl.exp %b : !dl.tensor<[8], f32>
    %eb = dl.broadcast %e [1] : !dl.tensor<[8], f32> to !dl.tensor<[n, 8], f32>
    %s = dl.add %xt, %eb : !dl.tensor<[n, 8], f32>
    %m = dl.mul %s, %h : !dl.tensor<[n, 8], f32>
    dl.yield %m : !dl.tensor<[n, 8], f32>
  }
  return %last : !dl.tensor<[n, 8], f32>
}

// -----

// Tests that what has no elements is computed by nothing, and that a contraction without terms is 0.
// CHECK-LABEL: func.func @empty
// CHECK-NOT: dl.contract
// CHECK-NOT: dl.conv
// CHECK-DAG: %[[NONE:.*]] = dl.constant 0.000000e+00 : f32 : <[n, 0], f32>
// CHECK-DAG: %[[ZERO:.*]] = dl.constant 0.000000e+00 : f32 : <[n, 5], f32>
// CHECK-DAG: %[[IMAGE:.*]] = dl.constant 0.000000e+00 : f32 : <[n, 3, 6, 6], f32>
// CHECK: return %[[NONE]], %[[ZERO]], %[[IMAGE]]
func.func @empty(%x: !dl.tensor<[n, 4], f32>, %w: !dl.tensor<[4, 0], f32>, %v: !dl.tensor<[0, 5], f32>,
                 %i: !dl.tensor<[n, 0, 8, 8], f32>, %f: !dl.tensor<[3, 0, 3, 3], f32>)
    -> (!dl.tensor<[n, 0], f32>, !dl.tensor<[n, 5], f32>, !dl.tensor<[n, 3, 6, 6], f32>) {
  %a = dl.contract "mk,kn->mn" %x, %w : (!dl.tensor<[n, 4], f32>, !dl.tensor<[4, 0], f32>) -> !dl.tensor<[n, 0], f32>
  %e = dl.exp %a : !dl.tensor<[n, 0], f32>
  %b = dl.contract "mk,kn->mn" %e, %v : (!dl.tensor<[n, 0], f32>, !dl.tensor<[0, 5], f32>) -> !dl.tensor<[n, 5], f32>
  %c = dl.conv %i, %f strides [1, 1] padding [0, 0] to [0, 0] dilations [1, 1] groups 1 : (!dl.tensor<[n, 0, 8, 8], f32>, !dl.tensor<[3, 0, 3, 3], f32>) -> !dl.tensor<[n, 3, 6, 6], f32>
  return %e, %b, %c : !dl.tensor<[n, 0], f32>, !dl.tensor<[n, 5], f32>, !dl.tensor<[n, 3, 6, 6], f32>
}

// -----

// Tests that 34 tensors are joined in two steps, in order, and 32 in one.
// CHECK-LABEL: func.func @long_concat
// CHECK-SAME: (%[[A:.*]]: !dl.tensor<[n, 1], f32>, %[[B:.*]]: !dl.tensor<[n, 2], f32>)
// CHECK: %[[FIRST:.*]] = dl.concat 1, %[[A]], {{.*}} -> !dl.tensor<[n, 32], f32>
// CHECK: %[[REST:.*]] = dl.concat 1, %[[A]], %[[B]] : {{.*}} -> !dl.tensor<[n, 3], f32>
// CHECK: dl.concat 1, %[[FIRST]], %[[REST]] : {{.*}} -> !dl.tensor<[n, 35], f32>
// CHECK: dl.concat
// CHECK-NOT: dl.concat
func.func @long_concat(%a: !dl.tensor<[n, 1], f32>, %b: !dl.tensor<[n, 2], f32>) -> (!dl.tensor<[n, 35], f32>, !dl.tensor<[n, 33], f32>) {
  %long = dl.concat 1, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %b : (!dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 2], f32>) -> !dl.tensor<[n, 35], f32>
  %short = dl.concat 1, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %a, %b : (!dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 1], f32>, !dl.tensor<[n, 2], f32>) -> !dl.tensor<[n, 33], f32>
  return %long, %short : !dl.tensor<[n, 35], f32>, !dl.tensor<[n, 33], f32>
}
