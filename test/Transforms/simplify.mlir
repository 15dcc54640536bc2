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

// -----

// Tests that a result whose own order is needed, too, is computed once and transposed.
// CHECK-LABEL: func.func @result_in_both_orders
// CHECK: %[[R:.*]] = dl.contract "mk,kn->mn"
// CHECK: %[[T:.*]] = dl.transpose %[[R]] [1, 0]
// CHECK: return %[[R]], %[[T]]
func.func @result_in_both_orders(%x: !dl.tensor<[n, 64], f32>, %w: !dl.tensor<[64, 10], f32>)
    -> (!dl.tensor<[n, 10], f32>, !dl.tensor<[10, n], f32>) {
  %r = dl.contract "mk,kn->mn" %x, %w : (!dl.tensor<[n, 64], f32>, !dl.tensor<[64, 10], f32>) -> !dl.tensor<[n, 10], f32>
  %t = dl.transpose %r [1, 0] : !dl.tensor<[n, 10], f32> to !dl.tensor<[10, n], f32>
  return %r, %t : !dl.tensor<[n, 10], f32>, !dl.tensor<[10, n], f32>
}

// -----

// Tests that a comparison before the activation keeps its operand.
// CHECK-LABEL: func.func @activation_later
// CHECK-SAME: (%[[X:.*]]: {{.*}})
// CHECK: dl.compare gt %[[X]],
// CHECK: dl.max %[[X]],
func.func @activation_later(%x: !dl.tensor<[n, 10], f32>) -> (!dl.tensor<[n, 10], i1>, !dl.tensor<[n, 10], f32>) {
  %zero = dl.constant 0.0 : f32 : !dl.tensor<[n, 10], f32>
  %p = dl.compare gt %x, %zero : !dl.tensor<[n, 10], f32>
  %r = dl.max %x, %zero : !dl.tensor<[n, 10], f32>
  return %p, %r : !dl.tensor<[n, 10], i1>, !dl.tensor<[n, 10], f32>
}

// -----

// Tests that a comparison in a loop keeps its operand where the activation stands outside.
// CHECK-LABEL: func.func @activation_outside
// CHECK-SAME: (%[[X:.*]]: {{.*}}, %{{.*}}: {{.*}})
// CHECK: dl.max %[[X]],
// CHECK: dl.compare gt %[[X]],
func.func @activation_outside(%x: !dl.tensor<[n, 8], f32>, %h0: !dl.tensor<[n, 8], f32>)
    -> (!dl.tensor<[n, 8], f32>, !dl.tensor<[n, 8], f32>) {
  %zero = dl.constant 0.0 : f32 : !dl.tensor<[n, 8], f32>
  %r = dl.max %x, %zero : !dl.tensor<[n, 8], f32>
  %last = dl.scan #dl.poly<t> xs() axes [] carries(%h0) stack_axes []
      : (), (!dl.tensor<[n, 8], f32>) -> (!dl.tensor<[n, 8], f32>), () {
  ^bb0(%i: !dl.tensor<[], i64>, %h: !dl.tensor<[n, 8], f32>):
    %p = dl.compare gt %x, %zero : !dl.tensor<[n, 8], f32>
    %next = dl.select %p, %h, %zero : !dl.tensor<[n, 8], f32>
    dl.yield %next : !dl.tensor<[n, 8], f32>
  }
  return %r, %last : !dl.tensor<[n, 8], f32>, !dl.tensor<[n, 8], f32>
}

// -----

// Tests that constants, broadcasts and other tensors that cost nothing inside a loop, and memory outside, stay there.
// CHECK-LABEL: func.func @generated_inside
// CHECK-NOT: dl.{{broadcast|iota|dim|random}}
// CHECK: dl.scan
// CHECK-DAG: dl.broadcast
// CHECK-DAG: dl.iota
// CHECK-DAG: dl.dim
// CHECK-DAG: dl.random key
// CHECK: dl.yield
func.func @generated_inside(%b: !dl.tensor<[8], f32>, %s: !dl.tensor<[], i64>, %h0: !dl.tensor<[n, 8], f32>) -> !dl.tensor<[n, 8], f32> {
  %last = dl.scan #dl.poly<t> xs() axes [] carries(%h0) stack_axes []
      : (), (!dl.tensor<[n, 8], f32>) -> (!dl.tensor<[n, 8], f32>), () {
  ^bb0(%i: !dl.tensor<[], i64>, %h: !dl.tensor<[n, 8], f32>):
    %bb = dl.broadcast %b [1] : !dl.tensor<[8], f32> to !dl.tensor<[n, 8], f32>
    %column = dl.iota 1 : !dl.tensor<[n, 8], f32>
    %u.key = dl.random_key site 3 seed %s
    %u = dl.random key %u.key iteration %s : !dl.tensor<[n, 8], f32>
    %n = dl.dim <n> : !dl.tensor<[], i64>
    %in = dl.add %n, %i : !dl.tensor<[], i64>
    %f = dl.cast %in : !dl.tensor<[], i64> to !dl.tensor<[], f32>
    %fb = dl.broadcast %f [] : !dl.tensor<[], f32> to !dl.tensor<[n, 8], f32>
    %h1 = dl.add %h, %bb : !dl.tensor<[n, 8], f32>
    %h2 = dl.mul %h1, %column : !dl.tensor<[n, 8], f32>
    %h3 = dl.mul %h2, %u : !dl.tensor<[n, 8], f32>
    %h4 = dl.mul %h3, %fb : !dl.tensor<[n, 8], f32>
    dl.yield %h4 : !dl.tensor<[n, 8], f32>
  }
  return %last : !dl.tensor<[n, 8], f32>
}
