// RUN: %dlc-opt %s --split-input-file --dl-form-dispatches | FileCheck %s
// RUN: %dlc-opt %s --split-input-file --dl-form-dispatches "--dl-plan-memory=print=0 verify=n=2,t=3" -o /dev/null

// Tests that a cheap producer that only the contraction needs enters as a prologue, an expensive one does not.
// CHECK-LABEL: func.func @prologue
// CHECK: dl.dispatch "prologue.exp"
// CHECK-NEXT: ^bb0
// CHECK-NEXT: dl.exp
// CHECK-NEXT: dl.yield
// CHECK: dl.dispatch "prologue.contract"
// CHECK: dl.mul
// CHECK: dl.contract
// CHECK: dl.yield
// CHECK-NOT: dl.dispatch
func.func @prologue(%x: !dl.tensor<[n, 64], f32>, %s: !dl.tensor<[64], f32>, %w: !dl.tensor<[10, 64], f32>) -> !dl.tensor<[n, 10], f32>
    attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %sb = dl.broadcast %s [1] : !dl.tensor<[64], f32> to !dl.tensor<[n, 64], f32>
  %a = dl.mul %x, %sb : !dl.tensor<[n, 64], f32>
  %e = dl.exp %w : !dl.tensor<[10, 64], f32>
  %r = dl.contract "nk,jk->nj" %a, %e : (!dl.tensor<[n, 64], f32>, !dl.tensor<[10, 64], f32>) -> !dl.tensor<[n, 10], f32>
  return %r : !dl.tensor<[n, 10], f32>
}

// -----

// Tests that a product which two contractions need is computed once, by itself.
// CHECK-LABEL: func.func @shared
// CHECK: %[[A:.*]] = dl.dispatch "shared.mul"
// CHECK: dl.dispatch "shared.contract"(%[[A]]
// CHECK: dl.dispatch "shared.contract.2"(%[[A]]
func.func @shared(%x: !dl.tensor<[n, 64], f32>, %w: !dl.tensor<[10, 64], f32>, %v: !dl.tensor<[10, 64], f32>)
    -> (!dl.tensor<[n, 10], f32>, !dl.tensor<[n, 10], f32>) attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %a = dl.mul %x, %x : !dl.tensor<[n, 64], f32>
  %r = dl.contract "nk,jk->nj" %a, %w : (!dl.tensor<[n, 64], f32>, !dl.tensor<[10, 64], f32>) -> !dl.tensor<[n, 10], f32>
  %s = dl.contract "nk,jk->nj" %a, %v : (!dl.tensor<[n, 64], f32>, !dl.tensor<[10, 64], f32>) -> !dl.tensor<[n, 10], f32>
  return %r, %s : !dl.tensor<[n, 10], f32>, !dl.tensor<[n, 10], f32>
}

// -----

// Tests that of two contractions that are added, the second one takes the first one's result in its epilogue.
// CHECK-LABEL: func.func @sum_of_products
// CHECK: %[[A:.*]] = dl.dispatch "sum_of_products.contract"
// CHECK: dl.dispatch "sum_of_products.contract.tanh"({{.*}}%[[A]]
// CHECK: dl.contract
// CHECK: dl.add
// CHECK: dl.tanh
func.func @sum_of_products(%x: !dl.tensor<[n, 64], f32>, %w: !dl.tensor<[10, 64], f32>, %y: !dl.tensor<[n, 32], f32>, %v: !dl.tensor<[10, 32], f32>)
    -> !dl.tensor<[n, 10], f32> attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %r = dl.contract "nk,jk->nj" %x, %w : (!dl.tensor<[n, 64], f32>, !dl.tensor<[10, 64], f32>) -> !dl.tensor<[n, 10], f32>
  %s = dl.contract "nk,jk->nj" %y, %v : (!dl.tensor<[n, 32], f32>, !dl.tensor<[10, 32], f32>) -> !dl.tensor<[n, 10], f32>
  %t = dl.add %r, %s : !dl.tensor<[n, 10], f32>
  %u = dl.tanh %t : !dl.tensor<[n, 10], f32>
  return %u : !dl.tensor<[n, 10], f32>
}

// -----

// Tests that a reshape between dispatches stays outside, as an alias, and one inside a chain goes along.
// CHECK-LABEL: func.func @aliases
// CHECK: %[[A:.*]] = dl.dispatch "aliases.conv"
// CHECK: %[[FLAT:.*]] = dl.reshape %[[A]]
// CHECK: dl.dispatch "aliases.contract"(%[[FLAT]]
// CHECK: dl.dispatch "aliases.max_pool.tanh"(%[[A]]
// CHECK: dl.max_pool
// CHECK: dl.reshape
// CHECK: dl.tanh
func.func @aliases(%x: !dl.tensor<[n, 1, 8, 8], f32>, %k: !dl.tensor<[4, 1, 3, 3], f32>, %w: !dl.tensor<[10, 256], f32>)
    -> (!dl.tensor<[n, 10], f32>, !dl.tensor<[n, 64], f32>) attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %a = dl.conv %x, %k strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1
    : (!dl.tensor<[n, 1, 8, 8], f32>, !dl.tensor<[4, 1, 3, 3], f32>) -> !dl.tensor<[n, 4, 8, 8], f32>
  %flat = dl.reshape %a : !dl.tensor<[n, 4, 8, 8], f32> to !dl.tensor<[n, 256], f32>
  %r = dl.contract "nk,jk->nj" %flat, %w : (!dl.tensor<[n, 256], f32>, !dl.tensor<[10, 256], f32>) -> !dl.tensor<[n, 10], f32>
  %p = dl.max_pool %a window [2, 2] strides [2, 2] padding [0, 0] to [0, 0] : (!dl.tensor<[n, 4, 8, 8], f32>) -> !dl.tensor<[n, 4, 4, 4], f32>
  %f = dl.reshape %p : !dl.tensor<[n, 4, 4, 4], f32> to !dl.tensor<[n, 64], f32>
  %t = dl.tanh %f : !dl.tensor<[n, 64], f32>
  return %r, %t : !dl.tensor<[n, 10], f32>, !dl.tensor<[n, 64], f32>
}

// -----

// Tests that a window does not take another into its dispatch, however little stands between them: it would be
// computed again for each element that the outer one overlaps.
// CHECK-LABEL: func.func @windows_of_windows
// CHECK: dl.dispatch "windows_of_windows.max_pool_grad
// CHECK: dl.max_pool_grad
// CHECK-NOT: dl.max_pool_grad
// CHECK: dl.dispatch "windows_of_windows.max_pool_grad
// CHECK: dl.max_pool_grad
func.func @windows_of_windows(%x: !dl.tensor<[n, 9], f32>, %y: !dl.tensor<[n, 9], f32>, %g: !dl.tensor<[n, 9], f32>)
    -> !dl.tensor<[n, 9], f32> attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %x3 = dl.reshape %x : !dl.tensor<[n, 9], f32> to !dl.tensor<[n, 1, 9], f32>
  %y3 = dl.reshape %y : !dl.tensor<[n, 9], f32> to !dl.tensor<[n, 1, 9], f32>
  %g3 = dl.reshape %g : !dl.tensor<[n, 9], f32> to !dl.tensor<[n, 1, 9], f32>
  %inner = dl.max_pool_grad %y3, %g3 window [3] strides [1] padding [1] to [1]
    : (!dl.tensor<[n, 1, 9], f32>, !dl.tensor<[n, 1, 9], f32>) -> !dl.tensor<[n, 1, 9], f32>
  %sum = dl.add %inner, %y3 : !dl.tensor<[n, 1, 9], f32>
  %outer = dl.max_pool_grad %x3, %sum window [3] strides [1] padding [1] to [1]
    : (!dl.tensor<[n, 1, 9], f32>, !dl.tensor<[n, 1, 9], f32>) -> !dl.tensor<[n, 1, 9], f32>
  %r = dl.reshape %outer : !dl.tensor<[n, 1, 9], f32> to !dl.tensor<[n, 9], f32>
  return %r : !dl.tensor<[n, 9], f32>
}

// -----

// Tests that a mean over the batch does not take the rows before it along: they would lose their parallelism.
// CHECK-LABEL: func.func @mean_of_rows
// CHECK: dl.dispatch "mean_of_rows.max.exp"
// CHECK: dl.dispatch "mean_of_rows.sum.div"
func.func @mean_of_rows(%x: !dl.tensor<[n, 64], f32>) -> !dl.tensor<[], f32> attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %m = dl.reduce max %x [1] : !dl.tensor<[n, 64], f32> to !dl.tensor<[n], f32>
  %e = dl.exp %m : !dl.tensor<[n], f32>
  %s = dl.reduce sum %e [0] : !dl.tensor<[n], f32> to !dl.tensor<[], f32>
  %n = dl.dim <n> : !dl.tensor<[], i64>
  %c = dl.cast %n : !dl.tensor<[], i64> to !dl.tensor<[], f32>
  %r = dl.div %s, %c : !dl.tensor<[], f32>
  return %r : !dl.tensor<[], f32>
}

// -----

// Tests that clusters never wait for each other: b needs a, and what joins them needs both, so a's epilogue ends before.
// CHECK-LABEL: func.func @no_cycle
// CHECK: dl.dispatch "no_cycle.contract"
// CHECK: dl.dispatch "no_cycle.max"
// CHECK: dl.reduce
// CHECK: dl.sub
func.func @no_cycle(%x: !dl.tensor<[n, 64], f32>, %w: !dl.tensor<[10, 64], f32>) -> !dl.tensor<[n, 10], f32>
    attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %a = dl.contract "nk,jk->nj" %x, %w : (!dl.tensor<[n, 64], f32>, !dl.tensor<[10, 64], f32>) -> !dl.tensor<[n, 10], f32>
  %m = dl.reduce max %a [1] : !dl.tensor<[n, 10], f32> to !dl.tensor<[n], f32>
  %mb = dl.broadcast %m [0] : !dl.tensor<[n], f32> to !dl.tensor<[n, 10], f32>
  %d = dl.sub %a, %mb : !dl.tensor<[n, 10], f32>
  return %d : !dl.tensor<[n, 10], f32>
}

// -----

// Tests that constants and broadcasts that leave the entry, or start a loop, are put into memory.
// CHECK-LABEL: func.func @in_memory
// CHECK: %[[ZERO:.*]] = dl.dispatch "in_memory.constant"
// CHECK: dl.scan {{.*}} carries(%[[ZERO]])
// CHECK: %[[B:.*]] = dl.dispatch "in_memory.broadcast"
// CHECK: return %{{.*}}, %[[B]]
func.func @in_memory(%b: !dl.tensor<[8], f32>, %g: !dl.tensor<[n, n], f32>) -> (!dl.tensor<[n, 8], f32>, !dl.tensor<[n, 8], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %zero = dl.constant 0.0 : f32 : !dl.tensor<[n, 8], f32>
  %last = dl.scan #dl.poly<t> xs() axes [] carries(%zero) stack_axes []
      : (), (!dl.tensor<[n, 8], f32>) -> (!dl.tensor<[n, 8], f32>), () {
  ^bb0(%i: !dl.tensor<[], i64>, %h: !dl.tensor<[n, 8], f32>):
    %mixed = dl.contract "mn,nk->mk" %g, %h : (!dl.tensor<[n, n], f32>, !dl.tensor<[n, 8], f32>) -> !dl.tensor<[n, 8], f32>
    dl.yield %mixed : !dl.tensor<[n, 8], f32>
  }
  %bb = dl.broadcast %b [1] : !dl.tensor<[8], f32> to !dl.tensor<[n, 8], f32>
  return %last, %bb : !dl.tensor<[n, 8], f32>, !dl.tensor<[n, 8], f32>
}

// -----

// Tests that arithmetic on slices of a constant, the gradient of a concat, is no generated tensor: the slices are
// operations like others, which share its dispatch.
// CHECK-LABEL: func.func @gradient_of_concat
// CHECK: %[[G:.*]] = dl.dispatch "gradient_of_concat.slice.mul.add"(%{{.*}}) : (!dl.tensor<[], f32>)
// CHECK: dl.slice
// CHECK: dl.slice
// CHECK: dl.mul
// CHECK: dl.add
// CHECK: dl.dispatch "gradient_of_concat.contract"(%[[G]]
// CHECK: dl.dispatch "gradient_of_concat.sum"(%[[G]]
func.func @gradient_of_concat(%loss: !dl.tensor<[], f32>, %x: !dl.tensor<[n, 3], f32>)
    -> (!dl.tensor<[4, 3], f32>, !dl.tensor<[4], f32>) attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %g = dl.broadcast %loss [] : !dl.tensor<[], f32> to !dl.tensor<[n, 8], f32>
  %a = dl.slice %g [#dl.poly<0>, #dl.poly<0>] strides [1, 1] : !dl.tensor<[n, 8], f32> to !dl.tensor<[n, 4], f32>
  %b = dl.slice %g [#dl.poly<0>, #dl.poly<4>] strides [1, 1] : !dl.tensor<[n, 8], f32> to !dl.tensor<[n, 4], f32>
  %half = dl.constant 0.5 : f32 : !dl.tensor<[n, 4], f32>
  %c = dl.mul %b, %half : !dl.tensor<[n, 4], f32>
  %d = dl.add %a, %c : !dl.tensor<[n, 4], f32>
  %w = dl.contract "nj,nk->jk" %d, %x : (!dl.tensor<[n, 4], f32>, !dl.tensor<[n, 3], f32>) -> !dl.tensor<[4, 3], f32>
  %s = dl.reduce sum %d [0] : !dl.tensor<[n, 4], f32> to !dl.tensor<[4], f32>
  return %w, %s : !dl.tensor<[4, 3], f32>, !dl.tensor<[4], f32>
}

// -----

// Tests that arithmetic on generated tensors is computed again in each dispatch, and that the copy in memory of
// one that is returned, too, serves nothing else.
// CHECK-LABEL: func.func @generated_and_returned
// CHECK: %[[R:.*]] = dl.dispatch "generated_and_returned.sub"(%arg0)
// CHECK: dl.dispatch "generated_and_returned.mul"(%arg0, %arg1)
// CHECK: dl.random key
// CHECK: dl.sub
// CHECK: dl.mul
// CHECK: return %{{.*}}, %[[R]]
func.func @generated_and_returned(%s: !dl.tensor<[], i64>, %x: !dl.tensor<[n, 4], f32>)
    -> (!dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>) attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %r.key = dl.random_key site 7 seed %s
  %r = dl.random key %r.key iteration %s : !dl.tensor<[n, 4], f32>
  %half = dl.constant 0.5 : f32 : !dl.tensor<[n, 4], f32>
  %d = dl.sub %r, %half : !dl.tensor<[n, 4], f32>
  %y = dl.mul %d, %x : !dl.tensor<[n, 4], f32>
  return %y, %d : !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>
}
