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

// -----

// Tests that a scan without carried values, whose iterations are independent of each other, stays a loop.
func.func @carries_nothing(%x: !dl.tensor<[n, t, 8], f32>) -> !dl.tensor<[n, t, 8], f32> attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  // expected-remark @+1 {{this scan stays a loop of the schedule: it carries nothing}}
  %all = dl.scan #dl.poly<t> xs(%x) axes [1] carries() stack_axes [1]
      : (!dl.tensor<[n, t, 8], f32>), () -> (), (!dl.tensor<[n, t, 8], f32>) {
  ^bb0(%i: !dl.tensor<[], i64>, %xt: !dl.tensor<[n, 8], f32>):
    %y = dl.tanh %xt : !dl.tensor<[n, 8], f32>
    dl.yield %y : !dl.tensor<[n, 8], f32>
  }
  return %all : !dl.tensor<[n, t, 8], f32>
}

// -----

// Tests that a scan that carries a scalar, which has no rows, stays a loop.
func.func @carries_a_scalar(%s0: !dl.tensor<[], f32>) -> !dl.tensor<[], f32> attributes {dl.entry = "infer", dl.symbols = ["t"]} {
  // expected-remark @+1 {{this scan stays a loop of the schedule: a carried value is a scalar}}
  %last = dl.scan #dl.poly<t> xs() axes [] carries(%s0) stack_axes [] : (), (!dl.tensor<[], f32>) -> (!dl.tensor<[], f32>), () {
  ^bb0(%i: !dl.tensor<[], i64>, %s: !dl.tensor<[], f32>):
    %next = dl.tanh %s : !dl.tensor<[], f32>
    dl.yield %next : !dl.tensor<[], f32>
  }
  return %last : !dl.tensor<[], f32>
}

// -----

// Tests that a contraction of slices that have no rows keeps a loop.
func.func @contracts_without_rows(%h0: !dl.tensor<[n, 8], f32>, %v: !dl.tensor<[t, 4], f32>, %w: !dl.tensor<[4, 8], f32>)
    -> !dl.tensor<[n, 8], f32> attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  // expected-remark @+1 {{this scan stays a loop of the schedule: its body contains a contract without rows}}
  %last = dl.scan #dl.poly<t> xs(%v) axes [0] carries(%h0) stack_axes []
      : (!dl.tensor<[t, 4], f32>), (!dl.tensor<[n, 8], f32>) -> (!dl.tensor<[n, 8], f32>), () {
  ^bb0(%i: !dl.tensor<[], i64>, %vt: !dl.tensor<[4], f32>, %h: !dl.tensor<[n, 8], f32>):
    %u = dl.contract "k,kj->j" %vt, %w : (!dl.tensor<[4], f32>, !dl.tensor<[4, 8], f32>) -> !dl.tensor<[8], f32>
    %ub = dl.broadcast %u [1] : !dl.tensor<[8], f32> to !dl.tensor<[n, 8], f32>
    %next = dl.add %h, %ub : !dl.tensor<[n, 8], f32>
    dl.yield %next : !dl.tensor<[n, 8], f32>
  }
  return %last : !dl.tensor<[n, 8], f32>
}

// -----

// Tests that a matrix that is generated where it is used, and so lies nowhere, keeps a loop.
func.func @generated_matrix(%h0: !dl.tensor<[n, 8], f32>, %b: !dl.tensor<[8], f32>) -> !dl.tensor<[n, 8], f32>
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %w = dl.broadcast %b [1] : !dl.tensor<[8], f32> to !dl.tensor<[8, 8], f32>
  // expected-remark @+1 {{this scan stays a loop of the schedule: its body multiplies by a generated matrix}}
  %last = dl.scan #dl.poly<t> xs() axes [] carries(%h0) stack_axes []
      : (), (!dl.tensor<[n, 8], f32>) -> (!dl.tensor<[n, 8], f32>), () {
  ^bb0(%i: !dl.tensor<[], i64>, %h: !dl.tensor<[n, 8], f32>):
    %next = dl.contract "nk,kj->nj" %h, %w : (!dl.tensor<[n, 8], f32>, !dl.tensor<[8, 8], f32>) -> !dl.tensor<[n, 8], f32>
    dl.yield %next : !dl.tensor<[n, 8], f32>
  }
  return %last : !dl.tensor<[n, 8], f32>
}

// -----

// Tests that a yielded value without rows keeps a loop.
func.func @yields_without_rows(%h0: !dl.tensor<[n, 8], f32>, %v: !dl.tensor<[t, 4], f32>)
    -> (!dl.tensor<[n, 8], f32>, !dl.tensor<[t, 4], f32>) attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  // expected-remark @+1 {{this scan stays a loop of the schedule: a yielded value has other leading dimensions than the carried ones}}
  %last, %all = dl.scan #dl.poly<t> xs(%v) axes [0] carries(%h0) stack_axes [0]
      : (!dl.tensor<[t, 4], f32>), (!dl.tensor<[n, 8], f32>) -> (!dl.tensor<[n, 8], f32>), (!dl.tensor<[t, 4], f32>) {
  ^bb0(%i: !dl.tensor<[], i64>, %vt: !dl.tensor<[4], f32>, %h: !dl.tensor<[n, 8], f32>):
    %next = dl.tanh %h : !dl.tensor<[n, 8], f32>
    %w = dl.exp %vt : !dl.tensor<[4], f32>
    dl.yield %next, %w : !dl.tensor<[n, 8], f32>, !dl.tensor<[4], f32>
  }
  return %last, %all : !dl.tensor<[n, 8], f32>, !dl.tensor<[t, 4], f32>
}

// -----

// Tests that a scan around another one stays a loop, and the inner one with it.
func.func @nested(%h0: !dl.tensor<[n, 8], f32>) -> !dl.tensor<[n, 8], f32> attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  // expected-remark @+1 {{this scan stays a loop of the schedule: its body contains scan}}
  %last = dl.scan #dl.poly<t> xs() axes [] carries(%h0) stack_axes []
      : (), (!dl.tensor<[n, 8], f32>) -> (!dl.tensor<[n, 8], f32>), () {
  ^bb0(%i: !dl.tensor<[], i64>, %h: !dl.tensor<[n, 8], f32>):
    %next = dl.scan #dl.poly<3> xs() axes [] carries(%h) stack_axes []
        : (), (!dl.tensor<[n, 8], f32>) -> (!dl.tensor<[n, 8], f32>), () {
    ^bb0(%j: !dl.tensor<[], i64>, %g: !dl.tensor<[n, 8], f32>):
      %e = dl.tanh %g : !dl.tensor<[n, 8], f32>
      dl.yield %e : !dl.tensor<[n, 8], f32>
    }
    dl.yield %next : !dl.tensor<[n, 8], f32>
  }
  return %last : !dl.tensor<[n, 8], f32>
}
