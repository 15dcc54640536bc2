// RUN: %dlc-opt %s --split-input-file --dl-form-dispatches=scan=loop "--dl-plan-memory=verify=n=2,t=3" -o /dev/null | FileCheck %s

// Tests that a carry whose last reader cannot write over it alternates between two halves, and that its end is found by
// the number of iterations.
// CHECK-LABEL: schedule @alternating {
// CHECK-NEXT: buffer 0: 512*n bytes
// CHECK-NEXT: run "alternating.constant" () -> (buffer 0)
// CHECK-NEXT: loop i0 < t {
// CHECK-NEXT: run "alternating.contract.tanh" (buffer 0 + (256*n)*(i0 mod 2), state @w) -> (buffer 0 + (256*n)*((i0 + 1) mod 2))
// CHECK-NEXT: }
// CHECK-NEXT: run "alternating.copy" (buffer 0 + (256*n)*(t mod 2)) -> (result last)
dl.state parameter @w : !dl.tensor<[64, 64], f32>
func.func @alternating() -> (!dl.tensor<[n, 64], f32> {dl.name = "last"}) attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %w = dl.load_state @w : !dl.tensor<[64, 64], f32>
  %zero = dl.constant 0.0 : f32 : !dl.tensor<[n, 64], f32>
  %last = dl.scan #dl.poly<t> xs() axes [] carries(%zero) stack_axes []
      : (), (!dl.tensor<[n, 64], f32>) -> (!dl.tensor<[n, 64], f32>), () {
  ^bb0(%i: !dl.tensor<[], i64>, %h: !dl.tensor<[n, 64], f32>):
    %p = dl.contract "mk,kn->mn" %h, %w : (!dl.tensor<[n, 64], f32>, !dl.tensor<[64, 64], f32>) -> !dl.tensor<[n, 64], f32>
    %next = dl.tanh %p : !dl.tensor<[n, 64], f32>
    dl.yield %next : !dl.tensor<[n, 64], f32>
  }
  return %last : !dl.tensor<[n, 64], f32>
}

// -----

// Tests that of two carries that change places one alternates, so that the other one's old value survives its copy.
// CHECK-LABEL: schedule @exchange {
// CHECK: loop i0 < t {
// CHECK-NEXT: {{.*}}(buffer 1) -> (buffer 0 + (4*n)*((i0 + 1) mod 2))
// CHECK-NEXT: {{.*}}(buffer 0 + (4*n)*(i0 mod 2)) -> (buffer 1)
// CHECK-NEXT: }
// CHECK-NEXT: {{.*}}(buffer 1) -> (result 0)
// CHECK-NEXT: {{.*}}(buffer 0 + (4*n)*(t mod 2)) -> (result 1)
func.func @exchange(%a: !dl.tensor<[n], f32>, %b: !dl.tensor<[n], f32>) -> (!dl.tensor<[n], f32>, !dl.tensor<[n], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %x, %y = dl.scan #dl.poly<t> xs() axes [] carries(%a, %b) stack_axes []
      : (), (!dl.tensor<[n], f32>, !dl.tensor<[n], f32>) -> (!dl.tensor<[n], f32>, !dl.tensor<[n], f32>), () {
  ^bb0(%i: !dl.tensor<[], i64>, %c: !dl.tensor<[n], f32>, %d: !dl.tensor<[n], f32>):
    dl.yield %d, %c : !dl.tensor<[n], f32>, !dl.tensor<[n], f32>
  }
  return %x, %y : !dl.tensor<[n], f32>, !dl.tensor<[n], f32>
}

// -----

// Tests that states that change places go through temporaries.
// CHECK-LABEL: schedule @swap_states {
// CHECK-NEXT: buffer 0
// CHECK-NEXT: run "p.copy" (state @p) -> (buffer 0)
// CHECK-NEXT: run "q.copy" (state @q) -> (state @p)
// CHECK-NEXT: run "q.copy.2" (buffer 0) -> (state @q)
dl.state buffer @p : !dl.tensor<[8], f32>
dl.state buffer @q : !dl.tensor<[8], f32>
func.func @swap_states() attributes {dl.entry = "train"} {
  %p = dl.load_state @p : !dl.tensor<[8], f32>
  %q = dl.load_state @q : !dl.tensor<[8], f32>
  dl.store_state @p, %q : !dl.tensor<[8], f32>
  dl.store_state @q, %p : !dl.tensor<[8], f32>
  return
}

// -----

// Tests that a state's old value that leaves as a result, and an argument that does, are copied; a value that is both
// stored and returned is computed twice.
// CHECK-LABEL: schedule @returned {
// CHECK-NEXT: run "s.copy" (state @s) -> (result 0)
// CHECK-NEXT: run "s.update" (state @s, argument 0) -> (state @s, result 2)
// CHECK-NEXT: run "returned.copy" (argument 0) -> (result 1)
dl.state parameter @s : !dl.tensor<[8], f32>
func.func @returned(%x: !dl.tensor<[8], f32>) -> (!dl.tensor<[8], f32>, !dl.tensor<[8], f32>, !dl.tensor<[8], f32>)
    attributes {dl.entry = "train"} {
  %s = dl.load_state @s : !dl.tensor<[8], f32>
  %new = dl.add %s, %x : !dl.tensor<[8], f32>
  dl.store_state @s, %new : !dl.tensor<[8], f32>
  return %s, %x, %new : !dl.tensor<[8], f32>, !dl.tensor<[8], f32>, !dl.tensor<[8], f32>
}

// -----

// Tests that a state is not overwritten where the old value is needed out of order: w <- w·w.
// CHECK-LABEL: schedule @square {
// CHECK-NEXT: buffer 0: 256 bytes
// CHECK-NEXT: run "w.update" (state @w) -> (buffer 0)
// CHECK-NEXT: run "w.copy" (buffer 0) -> (state @w)
dl.state parameter @w : !dl.tensor<[8, 8], f32>
func.func @square() attributes {dl.entry = "train"} {
  %w = dl.load_state @w : !dl.tensor<[8, 8], f32>
  %new = dl.contract "ik,kj->ij" %w, %w : (!dl.tensor<[8, 8], f32>, !dl.tensor<[8, 8], f32>) -> !dl.tensor<[8, 8], f32>
  dl.store_state @w, %new : !dl.tensor<[8, 8], f32>
  return
}

// -----

// Tests that the value of a store is what a later load sees, and that only the last store remains.
// CHECK-LABEL: schedule @twice {
// CHECK-NEXT: run "s.update" (state @s, argument 0) -> (state @s)
// CHECK-NEXT: }
dl.state parameter @s : !dl.tensor<[8], f32>
func.func @twice(%x: !dl.tensor<[8], f32>) attributes {dl.entry = "train"} {
  %old = dl.load_state @s : !dl.tensor<[8], f32>
  %first = dl.add %old, %x : !dl.tensor<[8], f32>
  dl.store_state @s, %first : !dl.tensor<[8], f32>
  %again = dl.load_state @s : !dl.tensor<[8], f32>
  %second = dl.mul %again, %x : !dl.tensor<[8], f32>
  dl.store_state @s, %second : !dl.tensor<[8], f32>
  return
}

// -----

// Tests that an epilogue's result takes the place of an operand that dies there.
// CHECK-LABEL: schedule @reuse {
// CHECK-NEXT: buffer 0: 4096*n bytes of "reuse.contract"
// CHECK-NEXT: buffer 1: 256*n bytes of "reuse.contract.2", not with 0
// CHECK-NEXT: run "reuse.contract" (argument 0, state @w) -> (buffer 0)
// CHECK-NEXT: run "reuse.contract.2" (buffer 0, state @w) -> (buffer 1)
// CHECK-NEXT: run "reuse.contract.3" (buffer 1, state @w, buffer 0) -> (buffer 0)
// CHECK-NEXT: run "reuse.max" (buffer 0) -> (result 0)
dl.state parameter @w : !dl.tensor<[1024, 64], f32>
func.func @reuse(%x: !dl.tensor<[n, 64], f32>) -> !dl.tensor<[n, 1024], f32> attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %w = dl.load_state @w : !dl.tensor<[1024, 64], f32>
  %a = dl.contract "nk,mk->nm" %x, %w : (!dl.tensor<[n, 64], f32>, !dl.tensor<[1024, 64], f32>) -> !dl.tensor<[n, 1024], f32>
  %b = dl.contract "nm,mk->nk" %a, %w : (!dl.tensor<[n, 1024], f32>, !dl.tensor<[1024, 64], f32>) -> !dl.tensor<[n, 64], f32>
  %c = dl.contract "nk,mk->nm" %b, %w : (!dl.tensor<[n, 64], f32>, !dl.tensor<[1024, 64], f32>) -> !dl.tensor<[n, 1024], f32>
  %d = dl.add %a, %c : !dl.tensor<[n, 1024], f32>
  %top = dl.reduce max %d [1] : !dl.tensor<[n, 1024], f32> to !dl.tensor<[n], f32>
  %topb = dl.broadcast %top [0] : !dl.tensor<[n], f32> to !dl.tensor<[n, 1024], f32>
  %e = dl.sub %d, %topb : !dl.tensor<[n, 1024], f32>
  return %e : !dl.tensor<[n, 1024], f32>
}
