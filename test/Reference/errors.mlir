// RUN: %dlc-opt %s --dl-evaluate=symbols=n=2 --split-input-file --verify-diagnostics -o /dev/null
// RUN: not %dlc-opt %s --dl-evaluate=symbols=n -o /dev/null 2>&1 | FileCheck %s

// Tests that a symbol without a value is named, in a type and in an attribute.
// CHECK: error: expected name=value, got n
// expected-error@+1 {{no value is given for a symbol in n + t}}
func.func @type(%x: !dl.tensor<[n + t], f32>) {
  return
}

// -----

// Tests the same for an operation's own polynomials.
func.func @dim() -> !dl.tensor<[], i64> {
  // expected-error@+1 {{no value is given for a symbol in 2*t}}
  %d = dl.dim <2*t> : !dl.tensor<[], i64>
  return %d : !dl.tensor<[], i64>
}

// -----

// Tests that a function without a body is refused.
func.func private @external() -> !dl.tensor<[], i64>
// expected-error@-1 {{the reference evaluates functions of one block}}

// -----

// Tests that an operation of another dialect is refused.
func.func @other() {
  %c = arith.constant 1 : i64
  // expected-error@-1 {{the reference evaluates dl operations only}}
  return
}

// -----

// Tests that a stop_gradient in a loop, which difference quotients would not notice, is refused.
func.func @stop(%x: !dl.tensor<[2], f32>) -> !dl.tensor<[2], f32> {
  // expected-error@+1 {{the reference differentiates no loop around dl.stop_gradient}}
  %all = dl.scan <2> xs(%x) axes [0] carries() stack_axes [0] : (!dl.tensor<[2], f32>), () -> (), (!dl.tensor<[2], f32>) {
  ^bb0(%i: !dl.tensor<[], i64>, %xt: !dl.tensor<[], f32>):
    %s = dl.stop_gradient %xt : !dl.tensor<[], f32>
    dl.yield %s : !dl.tensor<[], f32>
  }
  %loss = dl.reduce sum %all [0] : !dl.tensor<[2], f32> to !dl.tensor<[], f32>
  %g = dl.gradient %loss wrt(%x) : !dl.tensor<[], f32>, (!dl.tensor<[2], f32>)
  return %g : !dl.tensor<[2], f32>
}
