// RUN: %dlc-opt %s --dl-evaluate="symbols=n=2,t=3" -o /dev/null | FileCheck --match-full-lines %s

// Tests that a matrix product of counted numbers is what paper and pencil give.
// CHECK-LABEL: @contract
// CHECK-NEXT: result 0: f32[2, 2]: 5 5 14 14
func.func @contract() -> !dl.tensor<[n, 2], f32> {
  %one = dl.constant 1.0 : f32 : !dl.tensor<[n, 3], f32>
  %three = dl.constant 3.0 : f32 : !dl.tensor<[n, 3], f32>
  %row = dl.iota 0 : !dl.tensor<[n, 3], f32>
  %column = dl.iota 1 : !dl.tensor<[n, 3], f32>
  %offset = dl.mul %three, %row : !dl.tensor<[n, 3], f32>
  %x = dl.add %offset, %column : !dl.tensor<[n, 3], f32>
  %w = dl.iota 1 : !dl.tensor<[2, 3], f32>
  %r = dl.contract "mk,nk->mn" %x, %w : (!dl.tensor<[n, 3], f32>, !dl.tensor<[2, 3], f32>) -> !dl.tensor<[n, 2], f32>
  return %r : !dl.tensor<[n, 2], f32>
}

// Tests that scans carry, stack, slice and run backwards.
// CHECK-LABEL: @scan
// CHECK-NEXT: result 0: i64[]: 2100
// CHECK-NEXT: result 1: i64[3]: 0 1 4
// CHECK-NEXT: result 2: f32[2, 3]: 2 1 0 5 4 3
func.func @scan() -> (!dl.tensor<[], i64>, !dl.tensor<[3], i64>, !dl.tensor<[n, t], f32>) {
  %zero = dl.constant 0 : i64 : !dl.tensor<[], i64>
  %ten = dl.constant 10 : i64 : !dl.tensor<[], i64>
  %digits, %squares = dl.scan <t> xs() axes [] carries(%zero) stack_axes [0]
      : (), (!dl.tensor<[], i64>) -> (!dl.tensor<[], i64>), (!dl.tensor<[t], i64>) {
  ^bb0(%i: !dl.tensor<[], i64>, %d: !dl.tensor<[], i64>):
    dl.yield %d, %d : !dl.tensor<[], i64>, !dl.tensor<[], i64>
  }
  %last, %all = dl.scan <3> reverse xs() axes [] carries(%zero) stack_axes [0]
      : (), (!dl.tensor<[], i64>) -> (!dl.tensor<[], i64>), (!dl.tensor<[3], i64>) {
  ^bb0(%i: !dl.tensor<[], i64>, %d: !dl.tensor<[], i64>):
    %next = dl.add %d, %i : !dl.tensor<[], i64>
    %scaled = dl.mul %ten, %next : !dl.tensor<[], i64>
    %square = dl.mul %i, %i : !dl.tensor<[], i64>
    dl.yield %scaled, %square : !dl.tensor<[], i64>, !dl.tensor<[], i64>
  }
  %third = dl.constant 3.0 : f32 : !dl.tensor<[n, t], f32>
  %row = dl.iota 0 : !dl.tensor<[n, t], f32>
  %column = dl.iota 1 : !dl.tensor<[n, t], f32>
  %offset = dl.mul %third, %row : !dl.tensor<[n, t], f32>
  %x = dl.add %offset, %column : !dl.tensor<[n, t], f32>
  %start = dl.constant 2.0 : f32 : !dl.tensor<[n], f32>
  %flipped = dl.scan <t> xs(%x) axes [1] carries() stack_axes [1]
      : (!dl.tensor<[n, t], f32>), () -> (), (!dl.tensor<[n, t], f32>) {
  ^bb0(%i: !dl.tensor<[], i64>, %slice: !dl.tensor<[n], f32>):
    %two = dl.constant 2.0 : f32 : !dl.tensor<[n], f32>
    %f = dl.cast %i : !dl.tensor<[], i64> to !dl.tensor<[], f32>
    %b = dl.broadcast %f [] : !dl.tensor<[], f32> to !dl.tensor<[n], f32>
    %twice = dl.mul %two, %b : !dl.tensor<[n], f32>
    %plus = dl.add %slice, %two : !dl.tensor<[n], f32>
    %r = dl.sub %plus, %twice : !dl.tensor<[n], f32>
    dl.yield %r : !dl.tensor<[n], f32>
  }
  return %last, %all, %flipped : !dl.tensor<[], i64>, !dl.tensor<[3], i64>, !dl.tensor<[n, t], f32>
}

// Tests that integers wrap, divide towards negative infinity, and that casts saturate.
// CHECK-LABEL: @integers
// CHECK-NEXT: result 0: i8[]: -128
// CHECK-NEXT: result 1: i32[]: -4
// CHECK-NEXT: result 2: i32[]: 1
// CHECK-NEXT: result 3: i32[]: 2147483647
// CHECK-NEXT: result 4: ui8[]: 0
func.func @integers() -> (!dl.tensor<[], i8>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], ui8>) {
  %127 = dl.constant 127 : i8 : !dl.tensor<[], i8>
  %1 = dl.constant 1 : i8 : !dl.tensor<[], i8>
  %sum = dl.add %127, %1 : !dl.tensor<[], i8>
  %m7 = dl.constant -7 : i32 : !dl.tensor<[], i32>
  %2 = dl.constant 2 : i32 : !dl.tensor<[], i32>
  %quotient = dl.div %m7, %2 : !dl.tensor<[], i32>
  %rest = dl.rem %m7, %2 : !dl.tensor<[], i32>
  %big = dl.constant 1.0e30 : f32 : !dl.tensor<[], f32>
  %saturated = dl.cast %big : !dl.tensor<[], f32> to !dl.tensor<[], i32>
  %negative = dl.neg %big : !dl.tensor<[], f32>
  %floor = dl.cast %negative : !dl.tensor<[], f32> to !dl.tensor<[], ui8>
  return %sum, %quotient, %rest, %saturated, %floor
    : !dl.tensor<[], i8>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], ui8>
}

// Tests windows: a 2x2 pool and its gradient goes to the first largest; a convolution with padding counts its taps.
// CHECK-LABEL: @windows
// CHECK-NEXT: result 0: f32[1, 1, 1, 2]: 5 7
// CHECK-NEXT: result 1: f32[1, 1, 2, 4]: 0 0 0 0 0 1 0 1
// CHECK-NEXT: result 2: f32[1, 1, 2, 4]: 4 6 6 4 4 6 6 4
func.func @windows() -> (!dl.tensor<[1, 1, 1, 2], f32>, !dl.tensor<[1, 1, 2, 4], f32>, !dl.tensor<[1, 1, 2, 4], f32>) {
  %flat = dl.iota 0 : !dl.tensor<[8], f32>
  %x = dl.reshape %flat : !dl.tensor<[8], f32> to !dl.tensor<[1, 1, 2, 4], f32>
  %y = dl.max_pool %x window [2, 2] strides [2, 2] padding [0, 0] to [0, 0]
    : (!dl.tensor<[1, 1, 2, 4], f32>) -> !dl.tensor<[1, 1, 1, 2], f32>
  %dy = dl.constant 1.0 : f32 : !dl.tensor<[1, 1, 1, 2], f32>
  %dx = dl.max_pool_grad %x, %dy window [2, 2] strides [2, 2] padding [0, 0] to [0, 0]
    : (!dl.tensor<[1, 1, 2, 4], f32>, !dl.tensor<[1, 1, 1, 2], f32>) -> !dl.tensor<[1, 1, 2, 4], f32>
  %one = dl.constant 1.0 : f32 : !dl.tensor<[1, 1, 2, 4], f32>
  %w = dl.constant 1.0 : f32 : !dl.tensor<[1, 1, 3, 3], f32>
  %c = dl.conv %one, %w strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1
    : (!dl.tensor<[1, 1, 2, 4], f32>, !dl.tensor<[1, 1, 3, 3], f32>) -> !dl.tensor<[1, 1, 2, 4], f32>
  return %y, %dx, %c : !dl.tensor<[1, 1, 1, 2], f32>, !dl.tensor<[1, 1, 2, 4], f32>, !dl.tensor<[1, 1, 2, 4], f32>
}

// Tests that a gradient is evaluated by its definition, and that stop_gradient is a constant to it: d(x^3 + 5x)/dx.
// CHECK-LABEL: @gradient
// CHECK-NEXT: result 0: f32[]: 17
func.func @gradient() -> !dl.tensor<[], f32> {
  %x = dl.constant 2.0 : f32 : !dl.tensor<[], f32>
  %5 = dl.constant 5.0 : f32 : !dl.tensor<[], f32>
  %square = dl.mul %x, %x : !dl.tensor<[], f32>
  %cube = dl.mul %x, %square : !dl.tensor<[], f32>
  %linear = dl.mul %x, %5 : !dl.tensor<[], f32>
  %sum = dl.add %cube, %linear : !dl.tensor<[], f32>
  %stopped = dl.stop_gradient %cube : !dl.tensor<[], f32>
  %loss = dl.add %sum, %stopped : !dl.tensor<[], f32>
  %g = dl.gradient %loss wrt(%x) : !dl.tensor<[], f32>, (!dl.tensor<[], f32>)
  return %g : !dl.tensor<[], f32>
}

// Tests that a gradient beside a kink is not a number instead of a wrong one: max(0, x) at 1e-4, and at 1.
// CHECK-LABEL: @kink
// CHECK-NEXT: result 0: f32[]: nan
// CHECK-NEXT: result 1: f32[]: 1
func.func @kink() -> (!dl.tensor<[], f32>, !dl.tensor<[], f32>) {
  %zero = dl.constant 0.0 : f32 : !dl.tensor<[], f32>
  %x = dl.constant 1.0e-4 : f32 : !dl.tensor<[], f32>
  %y = dl.constant 1.0 : f32 : !dl.tensor<[], f32>
  %rx = dl.max %zero, %x : !dl.tensor<[], f32>
  %ry = dl.max %zero, %y : !dl.tensor<[], f32>
  %gx = dl.gradient %rx wrt(%x) : !dl.tensor<[], f32>, (!dl.tensor<[], f32>)
  %gy = dl.gradient %ry wrt(%y) : !dl.tensor<[], f32>, (!dl.tensor<[], f32>)
  return %gx, %gy : !dl.tensor<[], f32>, !dl.tensor<[], f32>
}
