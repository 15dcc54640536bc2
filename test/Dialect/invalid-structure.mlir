// RUN: %dlc-opt %s --split-input-file --verify-diagnostics

// Tests C1 of state.
// expected-error@+1 {{'dl.state' op expected constant dimensions, got '!dl.tensor<[n], f32>'}}
dl.state parameter @w : !dl.tensor<[n], f32>

// -----

// Tests C2 of state.
// expected-error@+1 {{'dl.state' op expected an initial value of type 'f32', got 'f64'}}
dl.state metric @w : !dl.tensor<[], f32> initial 0.0 : f64

// -----

// Tests C3 of state.
// expected-error@+1 {{'dl.state' op expected optimizer state to name its parameter}}
dl.state optimizer @w.m : !dl.tensor<[3], f32>

// -----

// Tests C4 of state.
// expected-error@+1 {{'dl.state' op expected a layout that orders 2 axes, got [0, 0]}}
dl.state parameter @w : !dl.tensor<[3, 4], f32> layout [0, 0]

// -----

// Tests loads of what is no state.
func.func @f() {
  // expected-error@+1 {{'dl.load_state' op names no dl.state: @w}}
  %r = dl.load_state @w : !dl.tensor<[3], f32>
  return
}

// -----

// Tests C1 of load_state.
dl.state parameter @w : !dl.tensor<[3], f32>
func.func @f() -> !dl.tensor<[4], f32> {
  // expected-error@+1 {{'dl.load_state' op expected '!dl.tensor<[3], f32>' as @w is declared, got '!dl.tensor<[4], f32>'}}
  %r = dl.load_state @w : !dl.tensor<[4], f32>
  return %r : !dl.tensor<[4], f32>
}

// -----

// Tests C1 of store_state.
dl.state parameter @w : !dl.tensor<[3], f32>
func.func @f(%x: !dl.tensor<[4], f32>) {
  // expected-error@+1 {{'dl.store_state' op expected '!dl.tensor<[3], f32>' as @w is declared, got '!dl.tensor<[4], f32>'}}
  dl.store_state @w, %x : !dl.tensor<[4], f32>
  return
}

// -----

// Tests the number of axes of scan.
func.func @f(%x: !dl.tensor<[t, n], f32>, %h: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.scan' op expected 1 axes and 1 stack axes, got 2 and 1}}
  %r:2 = dl.scan <t> xs(%x) axes [0, 1] carries(%h) stack_axes [0] : (!dl.tensor<[t, n], f32>), (!dl.tensor<[n], f32>) -> (!dl.tensor<[n], f32>), (!dl.tensor<[t, n], f32>) {
  ^bb0(%i: !dl.tensor<[], i64>, %a: !dl.tensor<[n], f32>, %b: !dl.tensor<[n], f32>):
    dl.yield %b, %a : !dl.tensor<[n], f32>, !dl.tensor<[n], f32>
  }
  return
}

// -----

// Tests C3 of scan, number of finals.
func.func @f(%x: !dl.tensor<[t, n], f32>, %h: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.scan' op expected 1 final carries, got 0}}
  %r = dl.scan <t> xs(%x) axes [0] carries(%h) stack_axes [0] : (!dl.tensor<[t, n], f32>), (!dl.tensor<[n], f32>) -> (), (!dl.tensor<[t, n], f32>) {
  ^bb0(%i: !dl.tensor<[], i64>, %a: !dl.tensor<[n], f32>, %b: !dl.tensor<[n], f32>):
    dl.yield %b, %a : !dl.tensor<[n], f32>, !dl.tensor<[n], f32>
  }
  return
}

// -----

// Tests C3 of scan, number of block arguments.
func.func @f(%x: !dl.tensor<[t, n], f32>, %h: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.scan' op expected 3 block arguments, got 2}}
  %r:2 = dl.scan <t> xs(%x) axes [0] carries(%h) stack_axes [0] : (!dl.tensor<[t, n], f32>), (!dl.tensor<[n], f32>) -> (!dl.tensor<[n], f32>), (!dl.tensor<[t, n], f32>) {
  ^bb0(%i: !dl.tensor<[], i64>, %a: !dl.tensor<[n], f32>):
    dl.yield %a, %a : !dl.tensor<[n], f32>, !dl.tensor<[n], f32>
  }
  return
}

// -----

// Tests C3 of scan, index.
func.func @f(%x: !dl.tensor<[t, n], f32>, %h: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.scan' op expected the first block argument of type '!dl.tensor<[], i64>', got '!dl.tensor<[], i32>'}}
  %r:2 = dl.scan <t> xs(%x) axes [0] carries(%h) stack_axes [0] : (!dl.tensor<[t, n], f32>), (!dl.tensor<[n], f32>) -> (!dl.tensor<[n], f32>), (!dl.tensor<[t, n], f32>) {
  ^bb0(%i: !dl.tensor<[], i32>, %a: !dl.tensor<[n], f32>, %b: !dl.tensor<[n], f32>):
    dl.yield %b, %a : !dl.tensor<[n], f32>, !dl.tensor<[n], f32>
  }
  return
}

// -----

// Tests C1 of scan.
func.func @f(%x: !dl.tensor<[t, n], f32>, %h: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.scan' op expected axis 1 of operand 0 to have size t, got '!dl.tensor<[t, n], f32>'}}
  %r:2 = dl.scan <t> xs(%x) axes [1] carries(%h) stack_axes [0] : (!dl.tensor<[t, n], f32>), (!dl.tensor<[n], f32>) -> (!dl.tensor<[n], f32>), (!dl.tensor<[t, n], f32>) {
  ^bb0(%i: !dl.tensor<[], i64>, %a: !dl.tensor<[n], f32>, %b: !dl.tensor<[n], f32>):
    dl.yield %b, %a : !dl.tensor<[n], f32>, !dl.tensor<[n], f32>
  }
  return
}

// -----

// Tests C3 of scan, slice.
func.func @f(%x: !dl.tensor<[t, n], f32>, %h: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.scan' op expected slice 0 of type '!dl.tensor<[n], f32>', got '!dl.tensor<[n], f64>'}}
  %r:2 = dl.scan <t> xs(%x) axes [0] carries(%h) stack_axes [0] : (!dl.tensor<[t, n], f32>), (!dl.tensor<[n], f32>) -> (!dl.tensor<[n], f32>), (!dl.tensor<[t, n], f32>) {
  ^bb0(%i: !dl.tensor<[], i64>, %a: !dl.tensor<[n], f64>, %b: !dl.tensor<[n], f32>):
    dl.yield %b, %b : !dl.tensor<[n], f32>, !dl.tensor<[n], f32>
  }
  return
}

// -----

// Tests C3 of scan, number of yielded values.
func.func @f(%x: !dl.tensor<[t, n], f32>, %h: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.scan' op expected 2 yielded values, got 1}}
  %r:2 = dl.scan <t> xs(%x) axes [0] carries(%h) stack_axes [0] : (!dl.tensor<[t, n], f32>), (!dl.tensor<[n], f32>) -> (!dl.tensor<[n], f32>), (!dl.tensor<[t, n], f32>) {
  ^bb0(%i: !dl.tensor<[], i64>, %a: !dl.tensor<[n], f32>, %b: !dl.tensor<[n], f32>):
    dl.yield %b : !dl.tensor<[n], f32>
  }
  return
}

// -----

// Tests C2 of scan.
func.func @f(%x: !dl.tensor<[t, n], f32>, %h: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.scan' op expected carry 0 to keep its type '!dl.tensor<[n], f32>', got '!dl.tensor<[n], f64>'}}
  %r:2 = dl.scan <t> xs(%x) axes [0] carries(%h) stack_axes [0] : (!dl.tensor<[t, n], f32>), (!dl.tensor<[n], f32>) -> (!dl.tensor<[n], f64>), (!dl.tensor<[t, n], f32>) {
  ^bb0(%i: !dl.tensor<[], i64>, %a: !dl.tensor<[n], f32>, %b: !dl.tensor<[n], f32>):
    dl.yield %b, %a : !dl.tensor<[n], f32>, !dl.tensor<[n], f32>
  }
  return
}

// -----

// Tests C3 of scan, stack.
func.func @f(%x: !dl.tensor<[t, n], f32>, %h: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.scan' op expected stack 0 to be '!dl.tensor<[n], f32>' with size t inserted at axis 0, got '!dl.tensor<[n, t], f32>'}}
  %r:2 = dl.scan <t> xs(%x) axes [0] carries(%h) stack_axes [0] : (!dl.tensor<[t, n], f32>), (!dl.tensor<[n], f32>) -> (!dl.tensor<[n], f32>), (!dl.tensor<[n, t], f32>) {
  ^bb0(%i: !dl.tensor<[], i64>, %a: !dl.tensor<[n], f32>, %b: !dl.tensor<[n], f32>):
    dl.yield %b, %a : !dl.tensor<[n], f32>, !dl.tensor<[n], f32>
  }
  return
}

// -----

// Tests C1 of gradient.
func.func @f(%l: !dl.tensor<[n], f32>, %w: !dl.tensor<[3], f32>) {
  // expected-error@+1 {{'dl.gradient' op expected a scalar loss, got '!dl.tensor<[n], f32>'}}
  %g = dl.gradient %l wrt(%w) : !dl.tensor<[n], f32>, (!dl.tensor<[3], f32>)
  return
}

// -----

// Tests C2 of gradient.
func.func @f(%l: !dl.tensor<[], f32>, %w: !dl.tensor<[3], f32>) {
  // expected-error@+1 {{'dl.gradient' op expected one gradient per value, of its type}}
  %g = "dl.gradient"(%l, %w) : (!dl.tensor<[], f32>, !dl.tensor<[3], f32>) -> !dl.tensor<[4], f32>
  return
}

// -----

// Tests C1 of dispatch, arguments.
func.func @f(%x: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.dispatch' op expected block arguments of the operands' types}}
  %r = dl.dispatch "d"(%x) : (!dl.tensor<[n], f32>) -> (!dl.tensor<[3], f32>) {
  ^bb0(%a: !dl.tensor<[3], f32>):
    dl.yield %a : !dl.tensor<[3], f32>
  }
  return
}

// -----

// Tests C1 of dispatch, results.
func.func @f(%x: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.dispatch' op expected yielded values of the results' types}}
  %r = dl.dispatch "d"(%x) : (!dl.tensor<[n], f32>) -> (!dl.tensor<[3], f32>) {
  ^bb0(%a: !dl.tensor<[n], f32>):
    dl.yield %a : !dl.tensor<[n], f32>
  }
  return
}

// -----

// Tests a dispatch that reads a value from outside.
func.func @f(%x: !dl.tensor<[n], f32>) {
  // expected-note@+1 {{required by region isolation constraints}}
  %r = dl.dispatch "d"() : () -> (!dl.tensor<[n], f32>) {
    // expected-error@+1 {{'dl.yield' op using value defined outside the region}}
    dl.yield %x : !dl.tensor<[n], f32>
  }
  return
}

// -----

// Tests yields outside scans and dispatches.
func.func @f(%x: !dl.tensor<[n], f32>) {
  // expected-error@+1 {{'dl.yield' op expects parent op to be one of 'dl.scan, dl.custom_gradient, dl.dispatch'}}
  dl.yield %x : !dl.tensor<[n], f32>
  return
}

// -----

// Tests what a constraint may ask.
// expected-error@+1 {{expected not_negative, zero, not_zero or multiple_of}}
func.func private @f() attributes {dl.symbols = ["n"], dl.constraints = [#dl.constraint<n positive, "x" at "":0:0>]}

// -----

// Tests C2 of constraints.
// expected-error@+1 {{expected a text that names what needs the constraint}}
func.func private @f() attributes {dl.symbols = ["n"], dl.constraints = [#dl.constraint<n zero, "" at "":0:0>]}

// -----

// Tests that an entry's constraints are an array.
// expected-error@+1 {{'func.func' op expected dl.constraints to be an array beside dl.symbols}}
func.func private @f() attributes {dl.symbols = ["n"], dl.constraints = #dl.constraint<n zero, "x" at "":0:0>}

// -----

// Tests that an entry's constraints are constraints.
// expected-error@+1 {{'func.func' op expected dl.constraints to hold constraints, got 1 : i64}}
func.func private @f() attributes {dl.symbols = ["n"], dl.constraints = [1]}

// -----

// Tests that constraints are over the entry's symbols.
// expected-error@+1 {{'func.func' op expected a constraint in the symbols ["n"], got "t"}}
func.func private @f() attributes {dl.symbols = ["n"], dl.constraints = [#dl.constraint<n multiple_of t, "x" at "":0:0>]}

// -----

// Tests C1 of custom_gradient.
func.func @f(%x: !dl.tensor<[3], f32>) {
  // expected-error@+1 {{'dl.custom_gradient' op expected results of the types of its values}}
  %r = "dl.custom_gradient"(%x, %x) <{operandSegmentSizes = array<i32: 1, 1, 0>}> ({
  ^bb0(%d: !dl.tensor<[4], f32>):
    dl.yield %x : !dl.tensor<[3], f32>
  }) : (!dl.tensor<[3], f32>, !dl.tensor<[3], f32>) -> !dl.tensor<[4], f32>
  return
}

// -----

// Tests C2 of custom_gradient.
func.func @f(%x: !dl.tensor<[3], f32>) {
  // expected-error@+1 {{'dl.custom_gradient' op expected a body from the gradients of the results and the captures to those of the arguments}}
  %r = dl.custom_gradient values(%x) of(%x) captures(%x) : (!dl.tensor<[3], f32>), (!dl.tensor<[3], f32>), (!dl.tensor<[3], f32>) {
  ^bb0(%d: !dl.tensor<[3], f32>):
    dl.yield %d : !dl.tensor<[3], f32>
  }
  return
}
