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
