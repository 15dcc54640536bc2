// RUN: %dlc-opt %s --canonicalize --dl-simplify --dl-form-dispatches=scan=auto | FileCheck %s

// Tests (here, and in InPlaceTest.cpp) a dispatch that is a whole scan: it captures a value that an elementwise operation
// of its body uses, and the end of its second carry is not used.
// CHECK: dl.dispatch "{{.*}}scan
// CHECK: dl.scan <t>
func.func @unused_end(%x: !dl.tensor<[n, 4], f32>, %y: !dl.tensor<[t, n, 4], f32>) -> !dl.tensor<[n, 4], f32>
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %zero = dl.constant 0.0 : f32 : !dl.tensor<[n, 4], f32>
  %one = dl.constant 1.0 : f32 : !dl.tensor<[n, 4], f32>
  %k = dl.exp %x : !dl.tensor<[n, 4], f32>
  %a, %b = dl.scan <t> xs(%y) axes [0] carries(%zero, %one) stack_axes []
    : (!dl.tensor<[t, n, 4], f32>), (!dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>)
    -> (!dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>), () {
  ^bb0(%i: !dl.tensor<[], i64>, %u: !dl.tensor<[n, 4], f32>, %p: !dl.tensor<[n, 4], f32>, %q: !dl.tensor<[n, 4], f32>):
    %qu = dl.mul %q, %u : !dl.tensor<[n, 4], f32>
    %p1 = dl.add %p, %qu : !dl.tensor<[n, 4], f32>
    %q1 = dl.mul %q, %k : !dl.tensor<[n, 4], f32>
    dl.yield %p1, %q1 : !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>
  }
  %r = dl.add %a, %one : !dl.tensor<[n, 4], f32>
  return %r : !dl.tensor<[n, 4], f32>
}
