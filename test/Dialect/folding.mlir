// RUN: %dlc-opt %s --canonicalize --split-input-file | FileCheck %s

// Tests that additions and multiplications fold only where every bit stays: x + -0, x - 0, x * 1, x / 1.
// CHECK-LABEL: func.func @neutral_elements
// CHECK-SAME: (%[[X:.*]]: !dl.tensor<[n], f32>)
// CHECK-NEXT: return %[[X]], %[[X]], %[[X]], %[[X]]
func.func @neutral_elements(%x: !dl.tensor<[n], f32>) -> (!dl.tensor<[n], f32>, !dl.tensor<[n], f32>, !dl.tensor<[n], f32>, !dl.tensor<[n], f32>) {
  %minus_zero = dl.constant -0.0 : f32 : !dl.tensor<[n], f32>
  %zero = dl.constant 0.0 : f32 : !dl.tensor<[n], f32>
  %one = dl.constant 1.0 : f32 : !dl.tensor<[n], f32>
  %0 = dl.add %minus_zero, %x : !dl.tensor<[n], f32>
  %1 = dl.sub %x, %zero : !dl.tensor<[n], f32>
  %2 = dl.mul %one, %x : !dl.tensor<[n], f32>
  %3 = dl.div %x, %one : !dl.tensor<[n], f32>
  return %0, %1, %2, %3 : !dl.tensor<[n], f32>, !dl.tensor<[n], f32>, !dl.tensor<[n], f32>, !dl.tensor<[n], f32>
}

// -----

// Tests that x + 0 stays (for x = -0 it is +0), x - -0 likewise, x * 0 (infinities, NaN) and x - x.
// CHECK-LABEL: func.func @not_bit_exact
// CHECK: dl.add
// CHECK: dl.sub
// CHECK: dl.mul
// CHECK: dl.sub
func.func @not_bit_exact(%x: !dl.tensor<[n], f32>) -> (!dl.tensor<[n], f32>, !dl.tensor<[n], f32>, !dl.tensor<[n], f32>, !dl.tensor<[n], f32>) {
  %minus_zero = dl.constant -0.0 : f32 : !dl.tensor<[n], f32>
  %zero = dl.constant 0.0 : f32 : !dl.tensor<[n], f32>
  %0 = dl.add %x, %zero : !dl.tensor<[n], f32>
  %1 = dl.sub %x, %minus_zero : !dl.tensor<[n], f32>
  %2 = dl.mul %x, %zero : !dl.tensor<[n], f32>
  %3 = dl.sub %x, %x : !dl.tensor<[n], f32>
  return %0, %1, %2, %3 : !dl.tensor<[n], f32>, !dl.tensor<[n], f32>, !dl.tensor<[n], f32>, !dl.tensor<[n], f32>
}

// -----

// Tests that integers have no such worries.
// CHECK-LABEL: func.func @integers
// CHECK-SAME: (%[[X:.*]]: !dl.tensor<[n], i32>)
// CHECK-NEXT: %[[ZERO:.*]] = dl.constant 0 : i32
// CHECK-NEXT: return %[[X]], %[[ZERO]], %[[ZERO]]
func.func @integers(%x: !dl.tensor<[n], i32>) -> (!dl.tensor<[n], i32>, !dl.tensor<[n], i32>, !dl.tensor<[n], i32>) {
  %zero = dl.constant 0 : i32 : !dl.tensor<[n], i32>
  %0 = dl.add %zero, %x : !dl.tensor<[n], i32>
  %1 = dl.mul %x, %zero : !dl.tensor<[n], i32>
  %2 = dl.sub %x, %x : !dl.tensor<[n], i32>
  return %0, %1, %2 : !dl.tensor<[n], i32>, !dl.tensor<[n], i32>, !dl.tensor<[n], i32>
}

// -----

// Tests that constants fold in the arithmetic of their type: 0.1 + 0.2 is 0.3 in f32 only after rounding, 16777216 + 1
// is lost there, and i8 wraps.
// CHECK-LABEL: func.func @constants
// CHECK-DAG: %[[SUM:.*]] = dl.constant 3.000000e-01 : f32
// CHECK-DAG: %[[LOST:.*]] = dl.constant 0x4B800000 : f32
// CHECK-DAG: %[[WRAPPED:.*]] = dl.constant -128 : i8
// CHECK-DAG: %[[ROOT:.*]] = dl.constant 1.41421354 : f32
// CHECK-DAG: %[[FLOOR:.*]] = dl.constant -4 : i32
// CHECK: return %[[SUM]], %[[LOST]], %[[WRAPPED]], %[[ROOT]], %[[FLOOR]]
func.func @constants() -> (!dl.tensor<[], f32>, !dl.tensor<[], f32>, !dl.tensor<[], i8>, !dl.tensor<[], f32>, !dl.tensor<[], i32>) {
  %tenth = dl.constant 0.1 : f32 : !dl.tensor<[], f32>
  %fifth = dl.constant 0.2 : f32 : !dl.tensor<[], f32>
  %sum = dl.add %tenth, %fifth : !dl.tensor<[], f32>
  %big = dl.constant 16777216.0 : f32 : !dl.tensor<[], f32>
  %one = dl.constant 1.0 : f32 : !dl.tensor<[], f32>
  %lost = dl.add %big, %one : !dl.tensor<[], f32>
  %127 = dl.constant 127 : i8 : !dl.tensor<[], i8>
  %1 = dl.constant 1 : i8 : !dl.tensor<[], i8>
  %wrapped = dl.add %127, %1 : !dl.tensor<[], i8>
  %two = dl.constant 2.0 : f32 : !dl.tensor<[], f32>
  %root = dl.sqrt %two : !dl.tensor<[], f32>
  %m7 = dl.constant -7 : i32 : !dl.tensor<[], i32>
  %i2 = dl.constant 2 : i32 : !dl.tensor<[], i32>
  %floor = dl.div %m7, %i2 : !dl.tensor<[], i32>
  return %sum, %lost, %wrapped, %root, %floor
    : !dl.tensor<[], f32>, !dl.tensor<[], f32>, !dl.tensor<[], i8>, !dl.tensor<[], f32>, !dl.tensor<[], i32>
}

// -----

// Tests that an integer division by zero and functions whose polynomials belong to code generation stay.
// CHECK-LABEL: func.func @constants_that_stay
// CHECK: dl.div
// CHECK: dl.exp
// CHECK: dl.tanh
func.func @constants_that_stay() -> (!dl.tensor<[], i32>, !dl.tensor<[], f32>, !dl.tensor<[], f32>) {
  %seven = dl.constant 7 : i32 : !dl.tensor<[], i32>
  %zero = dl.constant 0 : i32 : !dl.tensor<[], i32>
  %0 = dl.div %seven, %zero : !dl.tensor<[], i32>
  %one = dl.constant 1.0 : f32 : !dl.tensor<[], f32>
  %1 = dl.exp %one : !dl.tensor<[], f32>
  %2 = dl.tanh %one : !dl.tensor<[], f32>
  return %0, %1, %2 : !dl.tensor<[], i32>, !dl.tensor<[], f32>, !dl.tensor<[], f32>
}

// -----

// Tests that an operation that undoes or repeats the one before disappears.
// CHECK-LABEL: func.func @twice
// CHECK-SAME: (%[[X:.*]]: !dl.tensor<[n], f32>, %[[B:.*]]: !dl.tensor<[n], i1>)
// CHECK-NEXT: %[[ABS:.*]] = dl.abs %[[X]]
// CHECK-NEXT: %[[FLOOR:.*]] = dl.floor %[[X]]
// CHECK-NEXT: return %[[X]], %[[B]], %[[ABS]], %[[FLOOR]], %[[X]]
func.func @twice(%x: !dl.tensor<[n], f32>, %b: !dl.tensor<[n], i1>)
    -> (!dl.tensor<[n], f32>, !dl.tensor<[n], i1>, !dl.tensor<[n], f32>, !dl.tensor<[n], f32>, !dl.tensor<[n], f32>) {
  %neg = dl.neg %x : !dl.tensor<[n], f32>
  %0 = dl.neg %neg : !dl.tensor<[n], f32>
  %not = dl.not %b : !dl.tensor<[n], i1>
  %1 = dl.not %not : !dl.tensor<[n], i1>
  %2 = dl.abs %neg : !dl.tensor<[n], f32>
  %floor = dl.floor %x : !dl.tensor<[n], f32>
  %3 = dl.floor %floor : !dl.tensor<[n], f32>
  %4 = dl.max %x, %x : !dl.tensor<[n], f32>
  return %0, %1, %2, %3, %4 : !dl.tensor<[n], f32>, !dl.tensor<[n], i1>, !dl.tensor<[n], f32>, !dl.tensor<[n], f32>, !dl.tensor<[n], f32>
}

// -----

// Tests comparisons: of constants; of a value with itself, where NaN leaves only the strict ones decided.
// CHECK-LABEL: func.func @compare
// CHECK-SAME: (%[[X:.*]]: !dl.tensor<[n], f32>, %[[I:.*]]: !dl.tensor<[n], i32>)
// CHECK-DAG: %[[TRUE:.*]] = dl.constant true
// CHECK-DAG: %[[FALSE:.*]] = dl.constant false
// CHECK: %[[ISNUMBER:.*]] = dl.compare eq %[[X]], %[[X]]
// CHECK: return %[[TRUE]], %[[FALSE]], %[[ISNUMBER]], %[[TRUE]]
func.func @compare(%x: !dl.tensor<[n], f32>, %i: !dl.tensor<[n], i32>)
    -> (!dl.tensor<[n], i1>, !dl.tensor<[n], i1>, !dl.tensor<[n], i1>, !dl.tensor<[n], i1>) {
  %one = dl.constant 1.0 : f32 : !dl.tensor<[n], f32>
  %two = dl.constant 2.0 : f32 : !dl.tensor<[n], f32>
  %0 = dl.compare lt %one, %two : !dl.tensor<[n], f32>
  %1 = dl.compare gt %x, %x : !dl.tensor<[n], f32>
  %2 = dl.compare eq %x, %x : !dl.tensor<[n], f32>
  %3 = dl.compare le %i, %i : !dl.tensor<[n], i32>
  return %0, %1, %2, %3 : !dl.tensor<[n], i1>, !dl.tensor<[n], i1>, !dl.tensor<[n], i1>, !dl.tensor<[n], i1>
}

// -----

// Tests selections that are decided, and logic with constants.
// CHECK-LABEL: func.func @select_and_logic
// CHECK-SAME: (%[[C:.*]]: !dl.tensor<[n], i1>, %[[A:[^:]*]]: !dl.tensor<[n], f32>, %[[B:[^:]*]]: !dl.tensor<[n], f32>)
// CHECK: return %[[A]], %[[B]], %[[C]], %[[C]], %[[C]]
func.func @select_and_logic(%c: !dl.tensor<[n], i1>, %a: !dl.tensor<[n], f32>, %b: !dl.tensor<[n], f32>)
    -> (!dl.tensor<[n], f32>, !dl.tensor<[n], f32>, !dl.tensor<[n], i1>, !dl.tensor<[n], i1>, !dl.tensor<[n], i1>) {
  %true = dl.constant true : !dl.tensor<[n], i1>
  %false = dl.constant false : !dl.tensor<[n], i1>
  %0 = dl.select %true, %a, %b : !dl.tensor<[n], f32>
  %1 = dl.select %c, %b, %b : !dl.tensor<[n], f32>
  %2 = dl.select %c, %true, %false : !dl.tensor<[n], i1>
  %3 = dl.and %c, %true : !dl.tensor<[n], i1>
  %4 = dl.or %false, %c : !dl.tensor<[n], i1>
  return %0, %1, %2, %3, %4 : !dl.tensor<[n], f32>, !dl.tensor<[n], f32>, !dl.tensor<[n], i1>, !dl.tensor<[n], i1>, !dl.tensor<[n], i1>
}

// -----

// Tests chains of casts: through a type that holds every value they are one; i32 through f32 rounds, and i32 through
// f64 to i8 saturates where a direct cast would wrap.
// CHECK-LABEL: func.func @casts
// CHECK-SAME: (%[[X:[^:]*]]: !dl.tensor<[n], f32>, %[[I:[^:]*]]: !dl.tensor<[n], i32>)
// CHECK-NEXT: %[[ROUNDED:.*]] = dl.cast %[[I]] : <[n], i32> to <[n], f32>
// CHECK-NEXT: %[[BACK:.*]] = dl.cast %[[ROUNDED]]
// CHECK-NEXT: %[[WIDE:.*]] = dl.cast %[[I]] : <[n], i32> to <[n], f64>
// CHECK-NEXT: %[[SATURATED:.*]] = dl.cast %[[WIDE]] : <[n], f64> to <[n], i8>
// CHECK-NEXT: return %[[X]], %[[BACK]], %[[SATURATED]], %[[I]]
func.func @casts(%x: !dl.tensor<[n], f32>, %i: !dl.tensor<[n], i32>)
    -> (!dl.tensor<[n], f32>, !dl.tensor<[n], i32>, !dl.tensor<[n], i8>, !dl.tensor<[n], i32>) {
  %wide = dl.cast %x : !dl.tensor<[n], f32> to !dl.tensor<[n], f64>
  %0 = dl.cast %wide : !dl.tensor<[n], f64> to !dl.tensor<[n], f32>
  %rounded = dl.cast %i : !dl.tensor<[n], i32> to !dl.tensor<[n], f32>
  %1 = dl.cast %rounded : !dl.tensor<[n], f32> to !dl.tensor<[n], i32>
  %double = dl.cast %i : !dl.tensor<[n], i32> to !dl.tensor<[n], f64>
  %2 = dl.cast %double : !dl.tensor<[n], f64> to !dl.tensor<[n], i8>
  %3 = dl.cast %double : !dl.tensor<[n], f64> to !dl.tensor<[n], i32>
  return %0, %1, %2, %3 : !dl.tensor<[n], f32>, !dl.tensor<[n], i32>, !dl.tensor<[n], i8>, !dl.tensor<[n], i32>
}

// -----

// Tests casts of constants: rounding to nearest even, truncation, saturation, NaN.
// CHECK-LABEL: func.func @constant_casts
// CHECK-DAG: %[[A:.*]] = dl.constant 0x4B800000 : f32
// CHECK-DAG: %[[B:.*]] = dl.constant -1 : i32
// CHECK-DAG: %[[C:.*]] = dl.constant 127 : i8
// CHECK-DAG: %[[D:.*]] = dl.constant 0 : i32
// CHECK: return %[[A]], %[[B]], %[[C]], %[[D]]
func.func @constant_casts() -> (!dl.tensor<[], f32>, !dl.tensor<[], i32>, !dl.tensor<[], i8>, !dl.tensor<[], i32>) {
  %a = dl.constant 16777217 : i32 : !dl.tensor<[], i32>
  %0 = dl.cast %a : !dl.tensor<[], i32> to !dl.tensor<[], f32>
  %b = dl.constant -1.75 : f32 : !dl.tensor<[], f32>
  %1 = dl.cast %b : !dl.tensor<[], f32> to !dl.tensor<[], i32>
  %c = dl.constant 1.0e10 : f32 : !dl.tensor<[], f32>
  %2 = dl.cast %c : !dl.tensor<[], f32> to !dl.tensor<[], i8>
  %d = dl.constant 0x7FC00000 : f32 : !dl.tensor<[], f32>
  %3 = dl.cast %d : !dl.tensor<[], f32> to !dl.tensor<[], i32>
  return %0, %1, %2, %3 : !dl.tensor<[], f32>, !dl.tensor<[], i32>, !dl.tensor<[], i8>, !dl.tensor<[], i32>
}

// -----

// Tests that moves of elements compose and vanish where nothing moves.
// CHECK-LABEL: func.func @moves
// CHECK-SAME: (%[[X:[^:]*]]: !dl.tensor<[n, 6], f32>, %[[B:[^:]*]]: !dl.tensor<[6], f32>)
// CHECK-NEXT: %[[BROADCAST:.*]] = dl.broadcast %[[B]] [2] : <[6], f32> to <[t, n, 6], f32>
// CHECK-NEXT: %[[RESHAPE:.*]] = dl.reshape %[[X]] : <[n, 6], f32> to <[6*n], f32>
// CHECK-NEXT: return %[[X]], %[[BROADCAST]], %[[RESHAPE]], %[[X]], %[[X]], %[[X]], %[[X]]
func.func @moves(%x: !dl.tensor<[n, 6], f32>, %b: !dl.tensor<[6], f32>)
    -> (!dl.tensor<[n, 6], f32>, !dl.tensor<[t, n, 6], f32>, !dl.tensor<[6*n], f32>, !dl.tensor<[n, 6], f32>,
        !dl.tensor<[n, 6], f32>, !dl.tensor<[n, 6], f32>, !dl.tensor<[n, 6], f32>) {
  %t = dl.transpose %x [1, 0] : !dl.tensor<[n, 6], f32> to !dl.tensor<[6, n], f32>
  %0 = dl.transpose %t [1, 0] : !dl.tensor<[6, n], f32> to !dl.tensor<[n, 6], f32>
  %row = dl.broadcast %b [1] : !dl.tensor<[6], f32> to !dl.tensor<[n, 6], f32>
  %1 = dl.broadcast %row [1, 2] : !dl.tensor<[n, 6], f32> to !dl.tensor<[t, n, 6], f32>
  %split = dl.reshape %x : !dl.tensor<[n, 6], f32> to !dl.tensor<[n, 2, 3], f32>
  %2 = dl.reshape %split : !dl.tensor<[n, 2, 3], f32> to !dl.tensor<[6*n], f32>
  %3 = dl.slice %x [#dl.poly<0>, #dl.poly<0>] strides [1, 1] : !dl.tensor<[n, 6], f32> to !dl.tensor<[n, 6], f32>
  %4 = dl.pad %x value 0.0 : f32 low [#dl.poly<0>, #dl.poly<0>] interior [0, 0] : !dl.tensor<[n, 6], f32> to !dl.tensor<[n, 6], f32>
  %5 = dl.concat 0, %x : (!dl.tensor<[n, 6], f32>) -> !dl.tensor<[n, 6], f32>
  %6 = dl.reduce max %x [] : !dl.tensor<[n, 6], f32> to !dl.tensor<[n, 6], f32>
  return %0, %1, %2, %3, %4, %5, %6
    : !dl.tensor<[n, 6], f32>, !dl.tensor<[t, n, 6], f32>, !dl.tensor<[6*n], f32>, !dl.tensor<[n, 6], f32>,
      !dl.tensor<[n, 6], f32>, !dl.tensor<[n, 6], f32>, !dl.tensor<[n, 6], f32>
}

// -----

// Tests that a dimension without symbols is a constant, and that a filled tensor stays one when it is moved.
// CHECK-LABEL: func.func @filled
// CHECK-DAG: %[[DIM:.*]] = dl.constant 12 : i64
// CHECK-DAG: %[[FILLED:.*]] = dl.constant 2.000000e+00 : f32 : <[3*n], f32>
// CHECK: return %[[DIM]], %[[FILLED]]
func.func @filled() -> (!dl.tensor<[], i64>, !dl.tensor<[3*n], f32>) {
  %dim = dl.dim <12> : !dl.tensor<[], i64>
  %two = dl.constant 2.0 : f32 : !dl.tensor<[], f32>
  %rows = dl.broadcast %two [] : !dl.tensor<[], f32> to !dl.tensor<[n, 3], f32>
  %columns = dl.transpose %rows [1, 0] : !dl.tensor<[n, 3], f32> to !dl.tensor<[3, n], f32>
  %flat = dl.reshape %columns : !dl.tensor<[3, n], f32> to !dl.tensor<[3*n], f32>
  return %dim, %flat : !dl.tensor<[], i64>, !dl.tensor<[3*n], f32>
}

// -----

// Tests that a scan drops a stack and a slice that nobody reads, a carry that never changes (its value is the initial
// one) and a carry that only feeds itself.
// CHECK-LABEL: func.func @scan
// CHECK-SAME: (%[[X:[^:]*]]: !dl.tensor<[t, n], f32>, %[[A:[^:]*]]: !dl.tensor<[n], f32>)
// CHECK: %[[H:.*]] = dl.scan <t> xs(%[[X]]) axes [0] carries(%[[A]]) stack_axes []
// CHECK: ^bb0(%{{.*}}: !dl.tensor<[], i64>, %[[XT:.*]]: !dl.tensor<[n], f32>, %[[C:.*]]: !dl.tensor<[n], f32>):
// CHECK-NEXT: %[[S:.*]] = dl.mul %[[C]], %[[A]]
// CHECK-NEXT: %[[N:.*]] = dl.add %[[S]], %[[XT]]
// CHECK-NEXT: dl.yield %[[N]]
// CHECK: return %[[H]], %[[A]]
func.func @scan(%x: !dl.tensor<[t, n], f32>, %a: !dl.tensor<[n], f32>) -> (!dl.tensor<[n], f32>, !dl.tensor<[n], f32>) {
  %h, %same, %own, %all = dl.scan <t> xs(%x, %x, %x) axes [0, 0, 0] carries(%a, %a, %a) stack_axes [0]
    : (!dl.tensor<[t, n], f32>, !dl.tensor<[t, n], f32>, !dl.tensor<[t, n], f32>),
      (!dl.tensor<[n], f32>, !dl.tensor<[n], f32>, !dl.tensor<[n], f32>)
    -> (!dl.tensor<[n], f32>, !dl.tensor<[n], f32>, !dl.tensor<[n], f32>), (!dl.tensor<[t, n], f32>) {
  ^bb0(%i: !dl.tensor<[], i64>, %x1: !dl.tensor<[n], f32>, %unread: !dl.tensor<[n], f32>, %x2: !dl.tensor<[n], f32>,
       %c: !dl.tensor<[n], f32>, %s: !dl.tensor<[n], f32>, %o: !dl.tensor<[n], f32>):
    %0 = dl.mul %c, %s : !dl.tensor<[n], f32>
    %1 = dl.add %0, %x2 : !dl.tensor<[n], f32>
    %2 = dl.add %o, %x1 : !dl.tensor<[n], f32>
    %3 = dl.exp %1 : !dl.tensor<[n], f32>
    dl.yield %1, %s, %2, %3 : !dl.tensor<[n], f32>, !dl.tensor<[n], f32>, !dl.tensor<[n], f32>, !dl.tensor<[n], f32>
  }
  return %h, %same : !dl.tensor<[n], f32>, !dl.tensor<[n], f32>
}

// -----

// Tests that a sum over no axes stays where it may turn -0 into +0, and goes where there is no -0.
// CHECK-LABEL: func.func @sum_over_nothing
// CHECK: %[[SUM:.*]] = dl.reduce sum %arg0 []
// CHECK: return %[[SUM]], %arg1
func.func @sum_over_nothing(%x: !dl.tensor<[n], f32>, %i: !dl.tensor<[n], i32>)
    -> (!dl.tensor<[n], f32>, !dl.tensor<[n], i32>) {
  %0 = dl.reduce sum %x [] : !dl.tensor<[n], f32> to !dl.tensor<[n], f32>
  %1 = dl.reduce sum %i [] : !dl.tensor<[n], i32> to !dl.tensor<[n], i32>
  return %0, %1 : !dl.tensor<[n], f32>, !dl.tensor<[n], i32>
}
