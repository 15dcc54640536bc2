// RUN: %dlc-opt %s --dl-emit-ptx="target=sm_80" -verify-diagnostics -o %t.mlir

// Tests that a scan within a dispatch is declined with the remedy: no thread could hold what a row carries.
func.func @scan(%x: !dl.tensor<[n, t, 8], f32>, %h: !dl.tensor<[n, 8], f32>) -> !dl.tensor<[n, 8], f32>
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %y = dl.dispatch "sums" (%x, %h) : (!dl.tensor<[n, t, 8], f32>, !dl.tensor<[n, 8], f32>) -> (!dl.tensor<[n, 8], f32>) {
  ^bb0(%a: !dl.tensor<[n, t, 8], f32>, %zero: !dl.tensor<[n, 8], f32>):
    // expected-error @below {{code generation: a GPU kernel cannot hold a scan; let the schedule run it (scan=loop)}}
    %last = dl.scan <t> xs(%a) axes [1] carries(%zero) stack_axes []
        : (!dl.tensor<[n, t, 8], f32>), (!dl.tensor<[n, 8], f32>) -> (!dl.tensor<[n, 8], f32>), () {
    ^bb0(%i: !dl.tensor<[], i64>, %xt: !dl.tensor<[n, 8], f32>, %c: !dl.tensor<[n, 8], f32>):
      %s = dl.add %xt, %c : !dl.tensor<[n, 8], f32>
      dl.yield %s : !dl.tensor<[n, 8], f32>
    }
    dl.yield %last : !dl.tensor<[n, 8], f32>
  }
  return %y : !dl.tensor<[n, 8], f32>
}
