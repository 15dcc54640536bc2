// RUN: %dlc-opt %s --split-input-file --dl-form-dispatches=scan=dispatch -verify-diagnostics -o /dev/null

// Tests that a scan which mixes rows stays a loop, and that the remark says why.
func.func @mixes_rows(%h0: !dl.tensor<[n, 8], f32>, %g: !dl.tensor<[n, n], f32>) -> !dl.tensor<[n, 8], f32>
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  // expected-remark @+1 {{this scan stays a loop of the schedule: its body contains the contraction "mn,nk->mk", not of rows with a matrix from outside}}
  %last = dl.scan #dl.poly<t> xs() axes [] carries(%h0) stack_axes []
      : (), (!dl.tensor<[n, 8], f32>) -> (!dl.tensor<[n, 8], f32>), () {
  ^bb0(%i: !dl.tensor<[], i64>, %h: !dl.tensor<[n, 8], f32>):
    %mixed = dl.contract "mn,nk->mk" %g, %h : (!dl.tensor<[n, n], f32>, !dl.tensor<[n, 8], f32>) -> !dl.tensor<[n, 8], f32>
    dl.yield %mixed : !dl.tensor<[n, 8], f32>
  }
  return %last : !dl.tensor<[n, 8], f32>
}

// -----

// Tests that a reduction over rows keeps a loop.
func.func @sums_rows(%h0: !dl.tensor<[n, 8], f32>) -> !dl.tensor<[n, 8], f32> attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  // expected-remark @+1 {{this scan stays a loop of the schedule: its body contains a reduce that mixes rows}}
  %last = dl.scan #dl.poly<t> xs() axes [] carries(%h0) stack_axes []
      : (), (!dl.tensor<[n, 8], f32>) -> (!dl.tensor<[n, 8], f32>), () {
  ^bb0(%i: !dl.tensor<[], i64>, %h: !dl.tensor<[n, 8], f32>):
    %sum = dl.reduce sum %h [0] : !dl.tensor<[n, 8], f32> to !dl.tensor<[8], f32>
    %sumb = dl.broadcast %sum [1] : !dl.tensor<[8], f32> to !dl.tensor<[n, 8], f32>
    %next = dl.sub %h, %sumb : !dl.tensor<[n, 8], f32>
    dl.yield %next : !dl.tensor<[n, 8], f32>
  }
  return %last : !dl.tensor<[n, 8], f32>
}

// -----

// Tests that carries of different leading dimensions keep a loop.
func.func @different_rows(%h0: !dl.tensor<[n, 8], f32>, %s0: !dl.tensor<[8], f32>) -> !dl.tensor<[n, 8], f32>
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  // expected-remark @+1 {{this scan stays a loop of the schedule: carried values have different leading dimensions}}
  %last, %s = dl.scan #dl.poly<t> xs() axes [] carries(%h0, %s0) stack_axes []
      : (), (!dl.tensor<[n, 8], f32>, !dl.tensor<[8], f32>) -> (!dl.tensor<[n, 8], f32>, !dl.tensor<[8], f32>), () {
  ^bb0(%i: !dl.tensor<[], i64>, %h: !dl.tensor<[n, 8], f32>, %c: !dl.tensor<[8], f32>):
    %next = dl.tanh %h : !dl.tensor<[n, 8], f32>
    %d = dl.tanh %c : !dl.tensor<[8], f32>
    dl.yield %next, %d : !dl.tensor<[n, 8], f32>, !dl.tensor<[8], f32>
  }
  return %last : !dl.tensor<[n, 8], f32>
}

// -----

// Tests that state is accessed outside of loops only.
dl.state parameter @s : !dl.tensor<[8], f32>
func.func @state_in_loop(%h0: !dl.tensor<[8], f32>) -> !dl.tensor<[8], f32> attributes {dl.entry = "infer", dl.symbols = ["t"]} {
  %last = dl.scan #dl.poly<t> xs() axes [] carries(%h0) stack_axes [] : (), (!dl.tensor<[8], f32>) -> (!dl.tensor<[8], f32>), () {
  ^bb0(%i: !dl.tensor<[], i64>, %h: !dl.tensor<[8], f32>):
    // expected-error @+1 {{'dl.load_state' op expected state to be accessed outside of loops}}
    %s = dl.load_state @s : !dl.tensor<[8], f32>
    %next = dl.add %h, %s : !dl.tensor<[8], f32>
    dl.yield %next : !dl.tensor<[8], f32>
  }
  return %last : !dl.tensor<[8], f32>
}
