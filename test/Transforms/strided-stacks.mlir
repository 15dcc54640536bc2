// RUN: %dlc-opt %s --dl-form-dispatches=scan=loop | FileCheck %s
// RUN: %dlc-opt %s --dl-form-dispatches=scan=loop "--dl-plan-memory=verify=n=2,t=3" -o /dev/null | FileCheck %s --check-prefix=PLAN

// Tests that a value that a strided stack keeps, and that is also needed under another shape, is reshaped inside of the
// dispatch that needs it: no alias of the stack's element remains in the loop's body. RunScheduleTest runs this, too.
// CHECK-LABEL: func.func @columns
// CHECK: dl.scan <t> xs(%arg0) axes [1] {{.*}} stack_axes [1]
// CHECK: %[[H:.*]] = dl.dispatch "columns.tanh"
// CHECK-NEXT: ^bb0
// CHECK-NEXT: dl.add
// CHECK-NEXT: dl.tanh
// CHECK-NEXT: dl.yield
// CHECK-NEXT: }
// CHECK-NEXT: %[[C:.*]] = dl.dispatch "columns.contract"(%[[H]], %arg1) : (!dl.tensor<[n], f32>, !dl.tensor<[n, n], f32>)
// CHECK-NEXT: ^bb0
// CHECK-NEXT: dl.reshape
// CHECK-NEXT: dl.contract
// CHECK-NEXT: dl.yield
// CHECK-NEXT: }
// CHECK-NEXT: %[[NEXT:.*]] = dl.dispatch "columns.reshape"(%[[C]])
// CHECK: dl.yield %[[NEXT]], %[[H]]
// PLAN: loop i0 < t {
// PLAN-NEXT: run "columns.tanh" (argument 0 + (4)*i0, buffer 1) -> (buffer 0 + (4)*i0)
// PLAN-NEXT: run "columns.contract" (buffer 0 + (4)*i0, argument 1) -> (buffer 2)
func.func @columns(%x: !dl.tensor<[n, t], f32>, %w: !dl.tensor<[n, n], f32>) -> !dl.tensor<[n, t], f32>
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %zero = dl.constant 0.0 : f32 : !dl.tensor<[n], f32>
  %last, %hs = dl.scan #dl.poly<t> xs(%x) axes [1] carries(%zero) stack_axes [1]
      : (!dl.tensor<[n, t], f32>), (!dl.tensor<[n], f32>) -> (!dl.tensor<[n], f32>), (!dl.tensor<[n, t], f32>) {
  ^bb0(%i: !dl.tensor<[], i64>, %xt: !dl.tensor<[n], f32>, %c: !dl.tensor<[n], f32>):
    %s = dl.add %xt, %c : !dl.tensor<[n], f32>
    %h = dl.tanh %s : !dl.tensor<[n], f32>
    %column = dl.reshape %h : !dl.tensor<[n], f32> to !dl.tensor<[n, 1], f32>
    %p = dl.contract "mk,kn->mn" %w, %column : (!dl.tensor<[n, n], f32>, !dl.tensor<[n, 1], f32>) -> !dl.tensor<[n, 1], f32>
    %next = dl.reshape %p : !dl.tensor<[n, 1], f32> to !dl.tensor<[n], f32>
    dl.yield %next, %h : !dl.tensor<[n], f32>, !dl.tensor<[n], f32>
  }
  return %hs : !dl.tensor<[n, t], f32>
}
