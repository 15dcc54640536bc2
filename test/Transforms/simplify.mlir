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
