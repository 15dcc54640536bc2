// RUN: %dlc-opt %s --split-input-file --verify-diagnostics

// Tests an element type that is not in the list.
// expected-error@+1 {{expected element type f32, f64, bf16, f16, i8, ui8, i32, i64 or i1, got 'i16'}}
func.func private @f(!dl.tensor<[n], i16>)

// -----

// Tests a negative size.
// expected-error@+1 {{axis 1 has the negative size -3}}
func.func private @f(!dl.tensor<[n, 2 - 5], f32>)

// -----

// Tests C1 of select.
func.func @f(%c: !dl.tensor<[n], i1>, %a: !dl.tensor<[t], f32>) {
  // expected-error@+1 {{'dl.select' op expected a condition of the result's shape '!dl.tensor<[t], f32>', got '!dl.tensor<[n], i1>'}}
  %r = "dl.select"(%c, %a, %a) : (!dl.tensor<[n], i1>, !dl.tensor<[t], f32>, !dl.tensor<[t], f32>) -> !dl.tensor<[t], f32>
  return
}

// -----

// Tests C1 of cast.
func.func @f(%a: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.cast' op expected operand and result of one shape, got '!dl.tensor<[n], f32>' and '!dl.tensor<[t], i32>'}}
  %r = dl.cast %a : !dl.tensor<[n], f32> to !dl.tensor<[t], i32>
  return
}

// -----

// Tests operands of different types.
func.func @f(%a: !dl.tensor<[n], f32>, %b: !dl.tensor<[t], f32>) {
  // expected-error@+1 {{'dl.add' op requires the same type for all operands and results}}
  %r = "dl.add"(%a, %b) : (!dl.tensor<[n], f32>, !dl.tensor<[t], f32>) -> !dl.tensor<[n], f32>
  return
}

// -----

// Tests the arithmetic of bools.
func.func @f(%a: !dl.tensor<[n], i1>) {
  // expected-error@+1 {{'dl.add' op operand #0 must be dl tensor of numbers, but got '!dl.tensor<[n], i1>'}}
  %r = dl.add %a, %a : !dl.tensor<[n], i1>
  return
}

// -----

// Tests the exponential of an integer.
func.func @f(%a: !dl.tensor<[n], i32>) {
  // expected-error@+1 {{'dl.exp' op operand #0 must be dl tensor of floating-point type, but got '!dl.tensor<[n], i32>'}}
  %r = dl.exp %a : !dl.tensor<[n], i32>
  return
}

// -----

// Tests C1 of compare.
func.func @f(%a: !dl.tensor<[n], f32>) {
  // expected-error@+2 {{'dl.compare' op failed to infer returned types}}
  // expected-error@+1 {{'dl.compare' op inferred type(s) '!dl.tensor<[n], i1>' are incompatible with return type(s) of operation '!dl.tensor<[t], i1>'}}
  %r = "dl.compare"(%a, %a) <{predicate = #dl<predicate eq>}> : (!dl.tensor<[n], f32>, !dl.tensor<[n], f32>) -> !dl.tensor<[t], i1>
  return
}

// -----

// Tests C1 of constant.
func.func @f() {
  // expected-error@+1 {{'dl.constant' op expected a value of type 'f32', got 'i32'}}
  %r = dl.constant 1 : i32 : !dl.tensor<[n], f32>
  return
}

// -----

// Tests C1 of iota.
func.func @f() {
  // expected-error@+1 {{'dl.iota' op expected an axis from 0 to 0, got 1}}
  %r = dl.iota 1 : !dl.tensor<[n], f32>
  return
}

// -----

// Tests C1 of broadcast.
func.func @f(%a: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.broadcast' op expected 1 dims for operand '!dl.tensor<[n], f32>', got 0}}
  %r = dl.broadcast %a [] : !dl.tensor<[n], f32> to !dl.tensor<[n, 3], f32>
  return
}

// -----

// Tests C2 of broadcast, order.
func.func @f(%a: !dl.tensor<[n, n], f32>) {
  // expected-error@+1 {{'dl.broadcast' op expected strictly increasing dims below 2, got 0 for operand axis 1}}
  %r = dl.broadcast %a [1, 0] : !dl.tensor<[n, n], f32> to !dl.tensor<[n, n], f32>
  return
}

// -----

// Tests C2 of broadcast, range.
func.func @f(%a: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.broadcast' op expected strictly increasing dims below 2, got 2 for operand axis 0}}
  %r = dl.broadcast %a [2] : !dl.tensor<[n], f32> to !dl.tensor<[n, n], f32>
  return
}

// -----

// Tests C3 of broadcast.
func.func @f(%a: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.broadcast' op expected operand axis 0 of size 3, got n}}
  %r = dl.broadcast %a [1] : !dl.tensor<[n], f32> to !dl.tensor<[n, 3], f32>
  return
}

// -----

// Tests C4 of broadcast.
func.func @f(%a: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.broadcast' op expected operand and result of one element type, got '!dl.tensor<[n], f32>' and '!dl.tensor<[n, 3], f64>'}}
  %r = dl.broadcast %a [0] : !dl.tensor<[n], f32> to !dl.tensor<[n, 3], f64>
  return
}

// -----

// Tests C1 of transpose, number of axes.
func.func @f(%a: !dl.tensor<[n, 3], f32>) {
  // expected-error@+1 {{'dl.transpose' op expected a permutation of 2 axes and a result of that rank, got 1 entries and '!dl.tensor<[n, 3], f32>'}}
  %r = dl.transpose %a [0] : !dl.tensor<[n, 3], f32> to !dl.tensor<[n, 3], f32>
  return
}

// -----

// Tests C1 of transpose, an axis twice.
func.func @f(%a: !dl.tensor<[n, 3], f32>) {
  // expected-error@+1 {{'dl.transpose' op expected a permutation of the operand's axes, got 0 at 1}}
  %r = dl.transpose %a [0, 0] : !dl.tensor<[n, 3], f32> to !dl.tensor<[n, n], f32>
  return
}

// -----

// Tests C2 of transpose.
func.func @f(%a: !dl.tensor<[n, 3], f32>) {
  // expected-error@+1 {{'dl.transpose' op expected result axis 0 of size 3, got n}}
  %r = dl.transpose %a [1, 0] : !dl.tensor<[n, 3], f32> to !dl.tensor<[n, 3], f32>
  return
}

// -----

// Tests C3 of transpose.
func.func @f(%a: !dl.tensor<[n, 3], f32>) {
  // expected-error@+1 {{'dl.transpose' op expected operand and result of one element type, got '!dl.tensor<[n, 3], f32>' and '!dl.tensor<[3, n], f64>'}}
  %r = dl.transpose %a [1, 0] : !dl.tensor<[n, 3], f32> to !dl.tensor<[3, n], f64>
  return
}

// -----

// Tests C1 of reshape.
func.func @f(%a: !dl.tensor<[n, 64, 7, 7], f32>) {
  // expected-error@+1 {{'dl.reshape' op expected 3136*n elements as in '!dl.tensor<[n, 64, 7, 7], f32>', got 10*n in '!dl.tensor<[n, 10], f32>'}}
  %r = dl.reshape %a : !dl.tensor<[n, 64, 7, 7], f32> to !dl.tensor<[n, 10], f32>
  return
}

// -----

// Tests C2 of reshape.
func.func @f(%a: !dl.tensor<[n, 6], f32>) {
  // expected-error@+1 {{'dl.reshape' op expected operand and result of one element type, got '!dl.tensor<[n, 6], f32>' and '!dl.tensor<[6*n], i32>'}}
  %r = dl.reshape %a : !dl.tensor<[n, 6], f32> to !dl.tensor<[6*n], i32>
  return
}

// -----

// Tests C1 of slice, ranks.
func.func @f(%a: !dl.tensor<[n, 6], f32>) {
  // expected-error@+1 {{'dl.slice' op expected rank, offsets and strides of the operand's rank 2, got 2, 1 and 2}}
  %r = dl.slice %a [#dl.poly<0>] strides [1, 1] : !dl.tensor<[n, 6], f32> to !dl.tensor<[n, 3], f32>
  return
}

// -----

// Tests C1 of slice, stride.
func.func @f(%a: !dl.tensor<[6], f32>) {
  // expected-error@+1 {{'dl.slice' op expected a stride of at least 1 on axis 0, got 0}}
  %r = dl.slice %a [#dl.poly<0>] strides [0] : !dl.tensor<[6], f32> to !dl.tensor<[3], f32>
  return
}

// -----

// Tests C2 of slice.
func.func @f(%a: !dl.tensor<[6], f32>) {
  // expected-error@+1 {{'dl.slice' op slice of axis 0 leaves the operand: offset 2, stride 2, size 3 of 6}}
  %r = dl.slice %a [#dl.poly<2>] strides [2] : !dl.tensor<[6], f32> to !dl.tensor<[3], f32>
  return
}

// -----

// Tests C2 of slice with symbols that cancel.
func.func @f(%a: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.slice' op slice of axis 0 leaves the operand: offset 1, stride 1, size n of n}}
  %r = dl.slice %a [#dl.poly<1>] strides [1] : !dl.tensor<[n], f32> to !dl.tensor<[n], f32>
  return
}

// -----

// Tests C3 of slice.
func.func @f(%a: !dl.tensor<[6], f32>) {
  // expected-error@+1 {{'dl.slice' op expected operand and result of one element type, got '!dl.tensor<[6], f32>' and '!dl.tensor<[3], f64>'}}
  %r = dl.slice %a [#dl.poly<0>] strides [2] : !dl.tensor<[6], f32> to !dl.tensor<[3], f64>
  return
}

// -----

// Tests C1 of pad, ranks.
func.func @f(%a: !dl.tensor<[6], f32>) {
  // expected-error@+1 {{'dl.pad' op expected rank, low and interior of the operand's rank 1, got 1, 1 and 0}}
  %r = dl.pad %a value 0.0 : f32 low [#dl.poly<0>] interior [] : !dl.tensor<[6], f32> to !dl.tensor<[8], f32>
  return
}

// -----

// Tests C1 of pad, interior.
func.func @f(%a: !dl.tensor<[6], f32>) {
  // expected-error@+1 {{'dl.pad' op expected interior padding of at least 0 on axis 0, got -1}}
  %r = dl.pad %a value 0.0 : f32 low [#dl.poly<0>] interior [-1] : !dl.tensor<[6], f32> to !dl.tensor<[8], f32>
  return
}

// -----

// Tests C2 of pad.
func.func @f(%a: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.pad' op operand does not fit on axis 0: low 2, interior 0, size n in n + 1}}
  %r = dl.pad %a value 0.0 : f32 low [#dl.poly<2>] interior [0] : !dl.tensor<[n], f32> to !dl.tensor<[n + 1], f32>
  return
}

// -----

// Tests C3 of pad, value.
func.func @f(%a: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.pad' op expected a padding value of type 'f32', got 'i32'}}
  %r = dl.pad %a value 0 : i32 low [#dl.poly<0>] interior [0] : !dl.tensor<[n], f32> to !dl.tensor<[n + 1], f32>
  return
}

// -----

// Tests C3 of pad, element type.
func.func @f(%a: !dl.tensor<[n], f64>) {
  // expected-error@+1 {{'dl.pad' op expected operand and result of one element type, got '!dl.tensor<[n], f64>' and '!dl.tensor<[n + 1], f32>'}}
  %r = dl.pad %a value 0.0 : f32 low [#dl.poly<0>] interior [0] : !dl.tensor<[n], f64> to !dl.tensor<[n + 1], f32>
  return
}

// -----

// Tests C1 of concat, no operand.
func.func @f() {
  // expected-error@+1 {{'dl.concat' op expected at least one operand}}
  %r = "dl.concat"() <{axis = 0 : i64}> : () -> !dl.tensor<[n], f32>
  return
}

// -----

// Tests C1 of concat, axis.
func.func @f(%a: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.concat' op expected an axis from 0 to 0, got 1}}
  %r = dl.concat 1, %a : (!dl.tensor<[n], f32>) -> !dl.tensor<[n], f32>
  return
}

// -----

// Tests C2 of concat.
func.func @f(%a: !dl.tensor<[n, 4], f32>, %b: !dl.tensor<[t, 6], f32>) {
  // expected-error@+1 {{'dl.concat' op operand 1 of type '!dl.tensor<[t, 6], f32>' does not match the result '!dl.tensor<[n, 10], f32>' outside axis 1}}
  %r = dl.concat 1, %a, %b : (!dl.tensor<[n, 4], f32>, !dl.tensor<[t, 6], f32>) -> !dl.tensor<[n, 10], f32>
  return
}

// -----

// Tests C3 of concat.
func.func @f(%a: !dl.tensor<[n, 4], f32>) {
  // expected-error@+1 {{'dl.concat' op expected size 8 on axis 1, got 10}}
  %r = dl.concat 1, %a, %a : (!dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>) -> !dl.tensor<[n, 10], f32>
  return
}
