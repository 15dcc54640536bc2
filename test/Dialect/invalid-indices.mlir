// RUN: %dlc-opt %s --split-input-file --verify-diagnostics

// Tests C1 of subscript.
func.func @f(%x: !dl.tensor<[n, 7], f32>) {
  // expected-error@+1 {{'dl.subscript' op expected 2 rows of 1 coefficients, as many offsets and divisors, got 1 coefficients, 2 offsets and 2 divisors}}
  %r = dl.subscript %x [1] offsets [#dl.poly<0>, #dl.poly<0>] divisors [1, 1] : !dl.tensor<[n, 7], f32> to !dl.tensor<[n], f32>
  return
}

// -----

func.func @f(%x: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.subscript' op expected divisors of at least 1, got 0}}
  %r = dl.subscript %x [1] offsets [#dl.poly<0>] divisors [0] : !dl.tensor<[n], f32> to !dl.tensor<[n], f32>
  return
}

// -----

// Tests C2 of subscript.
func.func @f(%x: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.subscript' op expected operand and result of one element type, got '!dl.tensor<[n], f32>' and '!dl.tensor<[n], f64>'}}
  %r = dl.subscript %x [1] offsets [#dl.poly<0>] divisors [1] : !dl.tensor<[n], f32> to !dl.tensor<[n], f64>
  return
}

// -----

// Tests C1 of gather.
func.func @f(%x: !dl.tensor<[n, 7], f32>, %i: !dl.tensor<[t], i32>) {
  // expected-error@+1 {{'dl.gather' op expected 1 leading axes of equal sizes before the chosen one, got '!dl.tensor<[n, 7], f32>' and index '!dl.tensor<[t], i32>'}}
  %r = dl.gather %x, %i batch 1 : (!dl.tensor<[n, 7], f32>, !dl.tensor<[t], i32>) -> !dl.tensor<[t], f32>
  return
}

// -----

// Tests C2 of gather.
func.func @f(%x: !dl.tensor<[n, 7], f32>, %i: !dl.tensor<[t], i8>) {
  // expected-error@+1 {{'dl.gather' op operand #1 must be dl tensor of i32 or i64, but got '!dl.tensor<[t], i8>'}}
  %r = dl.gather %x, %i batch 0 : (!dl.tensor<[n, 7], f32>, !dl.tensor<[t], i8>) -> !dl.tensor<[t, 7], f32>
  return
}

// -----

// Tests C3 and C4 of gather.
func.func @f(%x: !dl.tensor<[n, 7], f32>, %i: !dl.tensor<[t], i32>) {
  // expected-error@+1 {{'dl.gather' op expected result '!dl.tensor<[t, 7], f32>', got '!dl.tensor<[t], f32>'}}
  %r = dl.gather %x, %i batch 0 : (!dl.tensor<[n, 7], f32>, !dl.tensor<[t], i32>) -> !dl.tensor<[t], f32>
  return
}

// -----

// Tests C1 and C4 of scatter_add.
func.func @f(%u: !dl.tensor<[t], f32>, %i: !dl.tensor<[t], i32>) {
  // expected-error@+1 {{'dl.scatter_add' op expected updates '!dl.tensor<[t, 7], f32>', got '!dl.tensor<[t], f32>'}}
  %r = dl.scatter_add %u, %i batch 0 : (!dl.tensor<[t], f32>, !dl.tensor<[t], i32>) -> !dl.tensor<[n, 7], f32>
  return
}

// -----

// Tests C3 of scatter_add.
func.func @f(%u: !dl.tensor<[t], f32>, %i: !dl.tensor<[t], i32>) {
  // expected-error@+1 {{'dl.scatter_add' op expected 1 leading axes of equal sizes before the chosen one, got '!dl.tensor<[n, 7], f32>' and index '!dl.tensor<[t], i32>'}}
  %r = dl.scatter_add %u, %i batch 1 : (!dl.tensor<[t], f32>, !dl.tensor<[t], i32>) -> !dl.tensor<[n, 7], f32>
  return
}

// -----

// Tests C1 of argsort.
func.func @f(%x: !dl.tensor<[], f32>) {
  // expected-error@+1 {{'dl.argsort' op expected an operand with an axis, got '!dl.tensor<[], f32>'}}
  %r = dl.argsort %x : !dl.tensor<[], f32> to !dl.tensor<[], i32>
  return
}

// -----

// Tests C2 of argsort.
func.func @f(%x: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.argsort' op expected result '!dl.tensor<[n], i32>', got '!dl.tensor<[n], i64>'}}
  %r = dl.argsort %x : !dl.tensor<[n], f32> to !dl.tensor<[n], i64>
  return
}
