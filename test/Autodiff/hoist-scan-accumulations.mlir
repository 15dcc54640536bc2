// RUN: %dlc-opt %s --dl-hoist-scan-accumulations --canonicalize | FileCheck %s
// RUN: %dlc-opt %s --dl-evaluate=symbols=n=2,t=3 -o %t.before > %t.expected
// RUN: %dlc-opt %s --dl-hoist-scan-accumulations --dl-evaluate=symbols=n=2,t=3 -o %t.after > %t.actual
// RUN: diff %t.expected %t.actual

// Tests that a running sum of contractions becomes one contraction over the stacks: a slice comes from the tensor
// that is scanned, another value is stacked; the sum of a bias likewise.
// CHECK-LABEL: func.func @weights_and_bias
// CHECK-SAME: (%[[X:[^:]*]]: !dl.tensor<[n, t, 3], f32>
// CHECK: %[[H:.*]], %[[STACK:.*]] = dl.scan <t> xs() axes [] carries(%{{[^,]*}}) stack_axes [0]
// CHECK-NOT: dl.contract "mn,mk->nk"
// CHECK: }
// CHECK-DAG: dl.contract "tmn,mtk->nk" %[[STACK]], %[[X]]
// CHECK-DAG: dl.reduce sum %[[STACK]] [0, 1]
func.func @weights_and_bias(%x: !dl.tensor<[n, t, 3], f32>, %h0: !dl.tensor<[n, 4], f32>)
    -> (!dl.tensor<[n, 4], f32>, !dl.tensor<[4, 3], f32>, !dl.tensor<[4], f32>) {
  %zero = dl.constant 0.0 : f32 : !dl.tensor<[4, 3], f32>
  %one = dl.constant 1.0 : f32 : !dl.tensor<[4], f32>
  %h, %dw, %db = dl.scan <t> xs(%x) axes [1] carries(%h0, %zero, %one) stack_axes []
    : (!dl.tensor<[n, t, 3], f32>), (!dl.tensor<[n, 4], f32>, !dl.tensor<[4, 3], f32>, !dl.tensor<[4], f32>)
    -> (!dl.tensor<[n, 4], f32>, !dl.tensor<[4, 3], f32>, !dl.tensor<[4], f32>), () {
  ^bb0(%i: !dl.tensor<[], i64>, %xt: !dl.tensor<[n, 3], f32>, %hp: !dl.tensor<[n, 4], f32>,
       %w: !dl.tensor<[4, 3], f32>, %b: !dl.tensor<[4], f32>):
    %hn = dl.tanh %hp : !dl.tensor<[n, 4], f32>
    %g = dl.contract "mn,mk->nk" %hn, %xt : (!dl.tensor<[n, 4], f32>, !dl.tensor<[n, 3], f32>) -> !dl.tensor<[4, 3], f32>
    %w1 = dl.add %w, %g : !dl.tensor<[4, 3], f32>
    %s = dl.reduce sum %hn [0] : !dl.tensor<[n, 4], f32> to !dl.tensor<[4], f32>
    %b1 = dl.add %b, %s : !dl.tensor<[4], f32>
    dl.yield %hn, %w1, %b1 : !dl.tensor<[n, 4], f32>, !dl.tensor<[4, 3], f32>, !dl.tensor<[4], f32>
  }
  return %h, %dw, %db : !dl.tensor<[n, 4], f32>, !dl.tensor<[4, 3], f32>, !dl.tensor<[4], f32>
}

// Tests that a term which is no contraction keeps its carry while its neighbour leaves, under a transposition.
// CHECK-LABEL: func.func @part_of_a_sum
// CHECK: %[[FINAL:.*]], %[[STACK:.*]] = dl.scan <t> xs(%[[X:.*]]) axes [0] carries(%{{.*}}) stack_axes [0]
// CHECK: %[[G:.*]] = dl.contract "tm,tn->mn" %[[STACK]], %[[X]]
// CHECK: %[[T:.*]] = dl.transpose %[[G]] [1, 0]
// CHECK: dl.add %[[FINAL]], %[[T]]
func.func @part_of_a_sum(%x: !dl.tensor<[t, n], f32>) -> !dl.tensor<[n, n], f32> {
  %zero = dl.constant 0.0 : f32 : !dl.tensor<[n, n], f32>
  %sum = dl.scan <t> xs(%x) axes [0] carries(%zero) stack_axes []
    : (!dl.tensor<[t, n], f32>), (!dl.tensor<[n, n], f32>) -> (!dl.tensor<[n, n], f32>), () {
  ^bb0(%i: !dl.tensor<[], i64>, %xt: !dl.tensor<[n], f32>, %s: !dl.tensor<[n, n], f32>):
    %e = dl.exp %xt : !dl.tensor<[n], f32>
    %g = dl.contract "m,n->mn" %e, %xt : (!dl.tensor<[n], f32>, !dl.tensor<[n], f32>) -> !dl.tensor<[n, n], f32>
    %gt = dl.transpose %g [1, 0] : !dl.tensor<[n, n], f32> to !dl.tensor<[n, n], f32>
    %rows = dl.broadcast %e [0] : !dl.tensor<[n], f32> to !dl.tensor<[n, n], f32>
    %both = dl.add %gt, %rows : !dl.tensor<[n, n], f32>
    %next = dl.add %s, %both : !dl.tensor<[n, n], f32>
    dl.yield %next : !dl.tensor<[n, n], f32>
  }
  return %sum : !dl.tensor<[n, n], f32>
}

// Tests that a sum which an iteration looks at stays where it is.
// CHECK-LABEL: func.func @sum_in_use
// CHECK: dl.scan
// CHECK: dl.contract "n,n->"
// CHECK: dl.yield
func.func @sum_in_use(%x: !dl.tensor<[t, n], f32>) -> (!dl.tensor<[], f32>, !dl.tensor<[t], f32>) {
  %zero = dl.constant 0.0 : f32 : !dl.tensor<[], f32>
  %sum, %all = dl.scan <t> xs(%x) axes [0] carries(%zero) stack_axes [0]
    : (!dl.tensor<[t, n], f32>), (!dl.tensor<[], f32>) -> (!dl.tensor<[], f32>), (!dl.tensor<[t], f32>) {
  ^bb0(%i: !dl.tensor<[], i64>, %xt: !dl.tensor<[n], f32>, %s: !dl.tensor<[], f32>):
    %g = dl.contract "n,n->" %xt, %xt : (!dl.tensor<[n], f32>, !dl.tensor<[n], f32>) -> !dl.tensor<[], f32>
    %next = dl.add %s, %g : !dl.tensor<[], f32>
    dl.yield %next, %next : !dl.tensor<[], f32>, !dl.tensor<[], f32>
  }
  return %sum, %all : !dl.tensor<[], f32>, !dl.tensor<[t], f32>
}

// Tests that one term of two sums (two biases of one layer) leaves the loop for both.
// CHECK-LABEL: func.func @shared_term
// CHECK: %[[STACK:.*]] = dl.scan <t> {{.*}} carries() stack_axes [0]
// CHECK-COUNT-2: dl.reduce sum %[[STACK]] [0, 1]
func.func @shared_term(%x: !dl.tensor<[t, n, 4], f32>) -> (!dl.tensor<[4], f32>, !dl.tensor<[4], f32>) {
  %zero = dl.constant 0.0 : f32 : !dl.tensor<[4], f32>
  %a, %b = dl.scan <t> xs(%x) axes [0] carries(%zero, %zero) stack_axes []
    : (!dl.tensor<[t, n, 4], f32>), (!dl.tensor<[4], f32>, !dl.tensor<[4], f32>)
    -> (!dl.tensor<[4], f32>, !dl.tensor<[4], f32>), () {
  ^bb0(%i: !dl.tensor<[], i64>, %xt: !dl.tensor<[n, 4], f32>, %p: !dl.tensor<[4], f32>, %q: !dl.tensor<[4], f32>):
    %e = dl.exp %xt : !dl.tensor<[n, 4], f32>
    %s = dl.reduce sum %e [0] : !dl.tensor<[n, 4], f32> to !dl.tensor<[4], f32>
    %p1 = dl.add %p, %s : !dl.tensor<[4], f32>
    %q1 = dl.add %q, %s : !dl.tensor<[4], f32>
    dl.yield %p1, %q1 : !dl.tensor<[4], f32>, !dl.tensor<[4], f32>
  }
  return %a, %b : !dl.tensor<[4], f32>, !dl.tensor<[4], f32>
}

// Tests that a sum of what is larger than all that the scan goes over and keeps stays where it is: its stack would take
// as many times the memory as there are iterations.
// CHECK-LABEL: func.func @sum_of_large_values
// CHECK: dl.scan <1000> xs() axes [] carries(%{{[^,)]*}}) stack_axes []
// CHECK: dl.reduce sum
// CHECK: dl.yield
func.func @sum_of_large_values(%x: !dl.tensor<[100000], f32>) -> !dl.tensor<[], f32> {
  %zero = dl.constant 0.0 : f32 : !dl.tensor<[], f32>
  %sum = dl.scan <1000> xs() axes [] carries(%zero) stack_axes []
    : (), (!dl.tensor<[], f32>) -> (!dl.tensor<[], f32>), () {
  ^bb0(%i: !dl.tensor<[], i64>, %s: !dl.tensor<[], f32>):
    %f = dl.cast %i : !dl.tensor<[], i64> to !dl.tensor<[], f32>
    %b = dl.broadcast %f [] : !dl.tensor<[], f32> to !dl.tensor<[100000], f32>
    %y = dl.mul %x, %b : !dl.tensor<[100000], f32>
    %r = dl.reduce sum %y [0] : !dl.tensor<[100000], f32> to !dl.tensor<[], f32>
    %next = dl.add %s, %r : !dl.tensor<[], f32>
    dl.yield %next : !dl.tensor<[], f32>
  }
  return %sum : !dl.tensor<[], f32>
}
