// Dispatches that must give the same bits on the CPU and the GPU (GpuBitsTest.cpp), with n = 5 and t = 3.

// Products and sums that must not become fma.
func.func @elementwise(%o_x: !dl.tensor<[n, t, 10], f32>, %o_b: !dl.tensor<[10], f32>) -> (!dl.tensor<[n, t, 10], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %r = dl.dispatch "elementwise" (%o_x, %o_b) : (!dl.tensor<[n, t, 10], f32>, !dl.tensor<[10], f32>)
      -> (!dl.tensor<[n, t, 10], f32>) {
  ^bb0(%x: !dl.tensor<[n, t, 10], f32>, %b: !dl.tensor<[10], f32>):
    %bb = dl.broadcast %b [2] : !dl.tensor<[10], f32> to !dl.tensor<[n, t, 10], f32>
    %s = dl.mul %x, %bb : !dl.tensor<[n, t, 10], f32>
    %a = dl.add %s, %x : !dl.tensor<[n, t, 10], f32>
    %h = dl.tanh %a : !dl.tensor<[n, t, 10], f32>
    %z = dl.constant 0.0 : f32 : !dl.tensor<[n, t, 10], f32>
    %r = dl.max %z, %h : !dl.tensor<[n, t, 10], f32>
    dl.yield %r : !dl.tensor<[n, t, 10], f32>
  }
  return %r : !dl.tensor<[n, t, 10], f32>
}

// The functions that every target computes alike.
func.func @mathematics(%o_x: !dl.tensor<[n, 37], f32>) -> (!dl.tensor<[n, 37], f32>, !dl.tensor<[n, 37], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %r:2 = dl.dispatch "mathematics" (%o_x) : (!dl.tensor<[n, 37], f32>)
      -> (!dl.tensor<[n, 37], f32>, !dl.tensor<[n, 37], f32>) {
  ^bb0(%x: !dl.tensor<[n, 37], f32>):
    %v0 = dl.exp %x : !dl.tensor<[n, 37], f32>
    %v1 = dl.sin %v0 : !dl.tensor<[n, 37], f32>
    %v2 = dl.erf %v1 : !dl.tensor<[n, 37], f32>
    %v3 = dl.cos %v2 : !dl.tensor<[n, 37], f32>
    %v4 = dl.abs %v3 : !dl.tensor<[n, 37], f32>
    %one = dl.constant 1.0 : f32 : !dl.tensor<[n, 37], f32>
    %p = dl.add %v4, %one : !dl.tensor<[n, 37], f32>
    %l = dl.log %p : !dl.tensor<[n, 37], f32>
    %q = dl.sqrt %p : !dl.tensor<[n, 37], f32>
    %w = dl.pow %p, %q : !dl.tensor<[n, 37], f32>
    %r = dl.div %w, %l : !dl.tensor<[n, 37], f32>
    dl.yield %r, %l : !dl.tensor<[n, 37], f32>, !dl.tensor<[n, 37], f32>
  }
  return %r#0, %r#1 : !dl.tensor<[n, 37], f32>, !dl.tensor<[n, 37], f32>
}

// Random numbers.
func.func @dropout(%o_x: !dl.tensor<[n, 70], f32>, %o_seed: !dl.tensor<[], i64>, %o_step: !dl.tensor<[], i64>) -> (!dl.tensor<[n, 70], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %r = dl.dispatch "dropout" (%o_x, %o_seed, %o_step) : (!dl.tensor<[n, 70], f32>, !dl.tensor<[], i64>, !dl.tensor<[], i64>)
      -> (!dl.tensor<[n, 70], f32>) {
  ^bb0(%x: !dl.tensor<[n, 70], f32>, %seed: !dl.tensor<[], i64>, %step: !dl.tensor<[], i64>):
    %u.key = dl.random_key site 77 seed %seed
    %u = dl.random key %u.key iteration %step : !dl.tensor<[n, 70], f32>
    %half = dl.constant 0.25 : f32 : !dl.tensor<[n, 70], f32>
    %k = dl.compare ge %u, %half : !dl.tensor<[n, 70], f32>
    %z = dl.constant 0.0 : f32 : !dl.tensor<[n, 70], f32>
    %r = dl.select %k, %x, %z : !dl.tensor<[n, 70], f32>
    dl.yield %r : !dl.tensor<[n, 70], f32>
  }
  return %r : !dl.tensor<[n, 70], f32>
}

// Reductions along rows, with results per row and per element.
func.func @cross_entropy(%o_x: !dl.tensor<[n, 10], f32>, %o_label: !dl.tensor<[n], i32>) -> (!dl.tensor<[n], f32>, !dl.tensor<[n, 10], f32>, !dl.tensor<[n], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %r:3 = dl.dispatch "cross_entropy" (%o_x, %o_label) : (!dl.tensor<[n, 10], f32>, !dl.tensor<[n], i32>)
      -> (!dl.tensor<[n], f32>, !dl.tensor<[n, 10], f32>, !dl.tensor<[n], f32>) {
  ^bb0(%x: !dl.tensor<[n, 10], f32>, %label: !dl.tensor<[n], i32>):
    %m = dl.reduce max %x [1] : !dl.tensor<[n, 10], f32> to !dl.tensor<[n], f32>
    %mb = dl.broadcast %m [0] : !dl.tensor<[n], f32> to !dl.tensor<[n, 10], f32>
    %d = dl.sub %x, %mb : !dl.tensor<[n, 10], f32>
    %e = dl.exp %d : !dl.tensor<[n, 10], f32>
    %s = dl.reduce sum %e [1] : !dl.tensor<[n, 10], f32> to !dl.tensor<[n], f32>
    %sb = dl.broadcast %s [0] : !dl.tensor<[n], f32> to !dl.tensor<[n, 10], f32>
    %p = dl.div %e, %sb : !dl.tensor<[n, 10], f32>
    %i = dl.iota 1 : !dl.tensor<[n, 10], i32>
    %lb = dl.broadcast %label [0] : !dl.tensor<[n], i32> to !dl.tensor<[n, 10], i32>
    %c = dl.compare eq %i, %lb : !dl.tensor<[n, 10], i32>
    %o = dl.cast %c : !dl.tensor<[n, 10], i1> to !dl.tensor<[n, 10], f32>
    %g = dl.sub %p, %o : !dl.tensor<[n, 10], f32>
    %lp = dl.log %p : !dl.tensor<[n, 10], f32>
    %pick = dl.mul %o, %lp : !dl.tensor<[n, 10], f32>
    %sum = dl.reduce sum %pick [1] : !dl.tensor<[n, 10], f32> to !dl.tensor<[n], f32>
    %loss = dl.neg %sum : !dl.tensor<[n], f32>
    %best = dl.argmax %x 1 : !dl.tensor<[n, 10], f32> to !dl.tensor<[n], i32>
    %right = dl.compare eq %best, %label : !dl.tensor<[n], i32>
    %hit = dl.cast %right : !dl.tensor<[n], i1> to !dl.tensor<[n], f32>
    dl.yield %loss, %g, %hit : !dl.tensor<[n], f32>, !dl.tensor<[n, 10], f32>, !dl.tensor<[n], f32>
  }
  return %r#0, %r#1, %r#2 : !dl.tensor<[n], f32>, !dl.tensor<[n, 10], f32>, !dl.tensor<[n], f32>
}

// Reductions over leading axes.
func.func @bias_grad(%o_x: !dl.tensor<[n, 6, t, 7], f32>) -> (!dl.tensor<[6], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %r = dl.dispatch "bias_grad" (%o_x) : (!dl.tensor<[n, 6, t, 7], f32>)
      -> (!dl.tensor<[6], f32>) {
  ^bb0(%x: !dl.tensor<[n, 6, t, 7], f32>):
    %r = dl.reduce sum %x [0, 2, 3] : !dl.tensor<[n, 6, t, 7], f32> to !dl.tensor<[6], f32>
    dl.yield %r : !dl.tensor<[6], f32>
  }
  return %r : !dl.tensor<[6], f32>
}

// More than two blocks of 4096.
func.func @long_sum(%o_x: !dl.tensor<[n, 2000], f32>) -> (!dl.tensor<[], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %r = dl.dispatch "long_sum" (%o_x) : (!dl.tensor<[n, 2000], f32>)
      -> (!dl.tensor<[], f32>) {
  ^bb0(%x: !dl.tensor<[n, 2000], f32>):
    %r = dl.reduce sum %x [0, 1] : !dl.tensor<[n, 2000], f32> to !dl.tensor<[], f32>
    dl.yield %r : !dl.tensor<[], f32>
  }
  return %r : !dl.tensor<[], f32>
}

func.func @pool(%o_x: !dl.tensor<[n, 3, 6, 6], f32>) -> (!dl.tensor<[n, 3, 3, 3], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %r = dl.dispatch "pool" (%o_x) : (!dl.tensor<[n, 3, 6, 6], f32>)
      -> (!dl.tensor<[n, 3, 3, 3], f32>) {
  ^bb0(%x: !dl.tensor<[n, 3, 6, 6], f32>):
    %r = dl.max_pool %x window [2, 2] strides [2, 2] padding [0, 0] to [0, 0] : (!dl.tensor<[n, 3, 6, 6], f32>) -> !dl.tensor<[n, 3, 3, 3], f32>
    dl.yield %r : !dl.tensor<[n, 3, 3, 3], f32>
  }
  return %r : !dl.tensor<[n, 3, 3, 3], f32>
}

func.func @pool_grad(%o_x: !dl.tensor<[n, 3, 6, 6], f32>, %o_dy: !dl.tensor<[n, 3, 3, 3], f32>) -> (!dl.tensor<[n, 3, 6, 6], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %r = dl.dispatch "pool_grad" (%o_x, %o_dy) : (!dl.tensor<[n, 3, 6, 6], f32>, !dl.tensor<[n, 3, 3, 3], f32>)
      -> (!dl.tensor<[n, 3, 6, 6], f32>) {
  ^bb0(%x: !dl.tensor<[n, 3, 6, 6], f32>, %dy: !dl.tensor<[n, 3, 3, 3], f32>):
    %r = dl.max_pool_grad %x, %dy window [2, 2] strides [2, 2] padding [0, 0] to [0, 0] : (!dl.tensor<[n, 3, 6, 6], f32>, !dl.tensor<[n, 3, 3, 3], f32>) -> !dl.tensor<[n, 3, 6, 6], f32>
    dl.yield %r : !dl.tensor<[n, 3, 6, 6], f32>
  }
  return %r : !dl.tensor<[n, 3, 6, 6], f32>
}

// Several results of one shape.
func.func @adam(%o_p: !dl.tensor<[31, 7], f32>, %o_g: !dl.tensor<[31, 7], f32>, %o_m: !dl.tensor<[31, 7], f32>, %o_lr: !dl.tensor<[], f64>) -> (!dl.tensor<[31, 7], f32>, !dl.tensor<[31, 7], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %r:2 = dl.dispatch "adam" (%o_p, %o_g, %o_m, %o_lr) : (!dl.tensor<[31, 7], f32>, !dl.tensor<[31, 7], f32>, !dl.tensor<[31, 7], f32>, !dl.tensor<[], f64>)
      -> (!dl.tensor<[31, 7], f32>, !dl.tensor<[31, 7], f32>) {
  ^bb0(%p: !dl.tensor<[31, 7], f32>, %g: !dl.tensor<[31, 7], f32>, %m: !dl.tensor<[31, 7], f32>, %lr: !dl.tensor<[], f64>):
    %b = dl.constant 0.9 : f32 : !dl.tensor<[31, 7], f32>
    %bm = dl.mul %b, %m : !dl.tensor<[31, 7], f32>
    %mg = dl.add %bm, %g : !dl.tensor<[31, 7], f32>
    %m2 = dl.flush %mg : !dl.tensor<[31, 7], f32>
    %lrf = dl.cast %lr : !dl.tensor<[], f64> to !dl.tensor<[], f32>
    %lrb = dl.broadcast %lrf [] : !dl.tensor<[], f32> to !dl.tensor<[31, 7], f32>
    %d = dl.mul %lrb, %m2 : !dl.tensor<[31, 7], f32>
    %p2 = dl.sub %p, %d : !dl.tensor<[31, 7], f32>
    dl.yield %p2, %m2 : !dl.tensor<[31, 7], f32>, !dl.tensor<[31, 7], f32>
  }
  return %r#0, %r#1 : !dl.tensor<[31, 7], f32>, !dl.tensor<[31, 7], f32>
}

// Hyperparameters in f64.
func.func @scalars(%o_beta: !dl.tensor<[], f64>, %o_step: !dl.tensor<[], i64>) -> (!dl.tensor<[], f64>, !dl.tensor<[], i64>)
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %r:2 = dl.dispatch "scalars" (%o_beta, %o_step) : (!dl.tensor<[], f64>, !dl.tensor<[], i64>)
      -> (!dl.tensor<[], f64>, !dl.tensor<[], i64>) {
  ^bb0(%beta: !dl.tensor<[], f64>, %step: !dl.tensor<[], i64>):
    %one = dl.constant 1 : i64 : !dl.tensor<[], i64>
    %i = dl.add %step, %one : !dl.tensor<[], i64>
    %f = dl.cast %i : !dl.tensor<[], i64> to !dl.tensor<[], f64>
    %w = dl.pow %beta, %f : !dl.tensor<[], f64>
    %c = dl.constant 1.0 : f64 : !dl.tensor<[], f64>
    %r = dl.sub %c, %w : !dl.tensor<[], f64>
    dl.yield %r, %i : !dl.tensor<[], f64>, !dl.tensor<[], i64>
  }
  return %r#0, %r#1 : !dl.tensor<[], f64>, !dl.tensor<[], i64>
}

// A contraction of three chunks with an epilogue.
func.func @linear(%o_x: !dl.tensor<[n, 600], f32>, %o_w: !dl.tensor<[9, 600], f32>, %o_b: !dl.tensor<[9], f32>) -> (!dl.tensor<[n, 9], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %r = dl.dispatch "linear" (%o_x, %o_w, %o_b) : (!dl.tensor<[n, 600], f32>, !dl.tensor<[9, 600], f32>, !dl.tensor<[9], f32>)
      -> (!dl.tensor<[n, 9], f32>) {
  ^bb0(%x: !dl.tensor<[n, 600], f32>, %w: !dl.tensor<[9, 600], f32>, %b: !dl.tensor<[9], f32>):
    %y = dl.contract "mk,nk->mn" %x, %w : (!dl.tensor<[n, 600], f32>, !dl.tensor<[9, 600], f32>) -> !dl.tensor<[n, 9], f32>
    %bb = dl.broadcast %b [1] : !dl.tensor<[9], f32> to !dl.tensor<[n, 9], f32>
    %s = dl.add %y, %bb : !dl.tensor<[n, 9], f32>
    %z = dl.constant 0.0 : f32 : !dl.tensor<[n, 9], f32>
    %r = dl.max %s, %z : !dl.tensor<[n, 9], f32>
    dl.yield %r : !dl.tensor<[n, 9], f32>
  }
  return %r : !dl.tensor<[n, 9], f32>
}

// A reduced axis of symbolic size.
func.func @weight_grad(%o_x: !dl.tensor<[n, 9], f32>, %o_w: !dl.tensor<[n, 33], f32>) -> (!dl.tensor<[9, 33], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %r = dl.dispatch "weight_grad" (%o_x, %o_w) : (!dl.tensor<[n, 9], f32>, !dl.tensor<[n, 33], f32>)
      -> (!dl.tensor<[9, 33], f32>) {
  ^bb0(%x: !dl.tensor<[n, 9], f32>, %w: !dl.tensor<[n, 33], f32>):
    %r = dl.contract "mo,mk->ok" %x, %w : (!dl.tensor<[n, 9], f32>, !dl.tensor<[n, 33], f32>) -> !dl.tensor<[9, 33], f32>
    dl.yield %r : !dl.tensor<[9, 33], f32>
  }
  return %r : !dl.tensor<[9, 33], f32>
}

// Two reduced axes, more than a chunk.
func.func @two_letters(%o_x: !dl.tensor<[n, 90, 7], f32>, %o_w: !dl.tensor<[n, 90, 5], f32>) -> (!dl.tensor<[7, 5], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %r = dl.dispatch "two_letters" (%o_x, %o_w) : (!dl.tensor<[n, 90, 7], f32>, !dl.tensor<[n, 90, 5], f32>)
      -> (!dl.tensor<[7, 5], f32>) {
  ^bb0(%x: !dl.tensor<[n, 90, 7], f32>, %w: !dl.tensor<[n, 90, 5], f32>):
    %r = dl.contract "btk,btj->kj" %x, %w : (!dl.tensor<[n, 90, 7], f32>, !dl.tensor<[n, 90, 5], f32>) -> !dl.tensor<[7, 5], f32>
    dl.yield %r : !dl.tensor<[7, 5], f32>
  }
  return %r : !dl.tensor<[7, 5], f32>
}

// A batch axis.
func.func @batched(%o_x: !dl.tensor<[n, t, 11], f32>, %o_w: !dl.tensor<[n, 11, 4], f32>) -> (!dl.tensor<[n, t, 4], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %r = dl.dispatch "batched" (%o_x, %o_w) : (!dl.tensor<[n, t, 11], f32>, !dl.tensor<[n, 11, 4], f32>)
      -> (!dl.tensor<[n, t, 4], f32>) {
  ^bb0(%x: !dl.tensor<[n, t, 11], f32>, %w: !dl.tensor<[n, 11, 4], f32>):
    %r = dl.contract "bik,bkj->bij" %x, %w : (!dl.tensor<[n, t, 11], f32>, !dl.tensor<[n, 11, 4], f32>) -> !dl.tensor<[n, t, 4], f32>
    dl.yield %r : !dl.tensor<[n, t, 4], f32>
  }
  return %r : !dl.tensor<[n, t, 4], f32>
}

// Convolutions; 32 channels of 3 by 3 are more than a chunk.
func.func @conv1(%o_x: !dl.tensor<[n, 1, 9, 9], f32>, %o_w: !dl.tensor<[4, 1, 3, 3], f32>) -> (!dl.tensor<[n, 4, 9, 9], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %r = dl.dispatch "conv1" (%o_x, %o_w) : (!dl.tensor<[n, 1, 9, 9], f32>, !dl.tensor<[4, 1, 3, 3], f32>)
      -> (!dl.tensor<[n, 4, 9, 9], f32>) {
  ^bb0(%x: !dl.tensor<[n, 1, 9, 9], f32>, %w: !dl.tensor<[4, 1, 3, 3], f32>):
    %r = dl.conv %x, %w strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1 : (!dl.tensor<[n, 1, 9, 9], f32>, !dl.tensor<[4, 1, 3, 3], f32>) -> !dl.tensor<[n, 4, 9, 9], f32>
    dl.yield %r : !dl.tensor<[n, 4, 9, 9], f32>
  }
  return %r : !dl.tensor<[n, 4, 9, 9], f32>
}

func.func @conv2(%o_x: !dl.tensor<[n, 32, 7, 7], f32>, %o_w: !dl.tensor<[5, 32, 3, 3], f32>) -> (!dl.tensor<[n, 5, 7, 7], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %r = dl.dispatch "conv2" (%o_x, %o_w) : (!dl.tensor<[n, 32, 7, 7], f32>, !dl.tensor<[5, 32, 3, 3], f32>)
      -> (!dl.tensor<[n, 5, 7, 7], f32>) {
  ^bb0(%x: !dl.tensor<[n, 32, 7, 7], f32>, %w: !dl.tensor<[5, 32, 3, 3], f32>):
    %r = dl.conv %x, %w strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1 : (!dl.tensor<[n, 32, 7, 7], f32>, !dl.tensor<[5, 32, 3, 3], f32>) -> !dl.tensor<[n, 5, 7, 7], f32>
    dl.yield %r : !dl.tensor<[n, 5, 7, 7], f32>
  }
  return %r : !dl.tensor<[n, 5, 7, 7], f32>
}

func.func @conv_strided(%o_x: !dl.tensor<[n, 4, 9, 9], f32>, %o_w: !dl.tensor<[6, 2, 3, 3], f32>) -> (!dl.tensor<[n, 6, 5, 5], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %r = dl.dispatch "conv_strided" (%o_x, %o_w) : (!dl.tensor<[n, 4, 9, 9], f32>, !dl.tensor<[6, 2, 3, 3], f32>)
      -> (!dl.tensor<[n, 6, 5, 5], f32>) {
  ^bb0(%x: !dl.tensor<[n, 4, 9, 9], f32>, %w: !dl.tensor<[6, 2, 3, 3], f32>):
    %r = dl.conv %x, %w strides [2, 2] padding [1, 1] to [1, 1] dilations [1, 1] groups 2 : (!dl.tensor<[n, 4, 9, 9], f32>, !dl.tensor<[6, 2, 3, 3], f32>) -> !dl.tensor<[n, 6, 5, 5], f32>
    dl.yield %r : !dl.tensor<[n, 6, 5, 5], f32>
  }
  return %r : !dl.tensor<[n, 6, 5, 5], f32>
}

func.func @conv2_input_grad(%o_x: !dl.tensor<[n, 32, 7, 7], f32>, %o_w: !dl.tensor<[32, 5, 3, 3], f32>) -> (!dl.tensor<[n, 5, 7, 7], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %r = dl.dispatch "conv2_input_grad" (%o_x, %o_w) : (!dl.tensor<[n, 32, 7, 7], f32>, !dl.tensor<[32, 5, 3, 3], f32>)
      -> (!dl.tensor<[n, 5, 7, 7], f32>) {
  ^bb0(%x: !dl.tensor<[n, 32, 7, 7], f32>, %w: !dl.tensor<[32, 5, 3, 3], f32>):
    %r = dl.conv_input_grad %x, %w strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1 : (!dl.tensor<[n, 32, 7, 7], f32>, !dl.tensor<[32, 5, 3, 3], f32>) -> !dl.tensor<[n, 5, 7, 7], f32>
    dl.yield %r : !dl.tensor<[n, 5, 7, 7], f32>
  }
  return %r : !dl.tensor<[n, 5, 7, 7], f32>
}

func.func @conv_strided_input_grad(%o_x: !dl.tensor<[n, 6, 5, 5], f32>, %o_w: !dl.tensor<[6, 2, 3, 3], f32>) -> (!dl.tensor<[n, 4, 9, 9], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %r = dl.dispatch "conv_strided_input_grad" (%o_x, %o_w) : (!dl.tensor<[n, 6, 5, 5], f32>, !dl.tensor<[6, 2, 3, 3], f32>)
      -> (!dl.tensor<[n, 4, 9, 9], f32>) {
  ^bb0(%x: !dl.tensor<[n, 6, 5, 5], f32>, %w: !dl.tensor<[6, 2, 3, 3], f32>):
    %r = dl.conv_input_grad %x, %w strides [2, 2] padding [1, 1] to [1, 1] dilations [1, 1] groups 2 : (!dl.tensor<[n, 6, 5, 5], f32>, !dl.tensor<[6, 2, 3, 3], f32>) -> !dl.tensor<[n, 4, 9, 9], f32>
    dl.yield %r : !dl.tensor<[n, 4, 9, 9], f32>
  }
  return %r : !dl.tensor<[n, 4, 9, 9], f32>
}

func.func @conv2_weight_grad(%o_x: !dl.tensor<[n, 5, 9, 9], f32>, %o_w: !dl.tensor<[n, 4, 9, 9], f32>) -> (!dl.tensor<[5, 4, 3, 3], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %r = dl.dispatch "conv2_weight_grad" (%o_x, %o_w) : (!dl.tensor<[n, 5, 9, 9], f32>, !dl.tensor<[n, 4, 9, 9], f32>)
      -> (!dl.tensor<[5, 4, 3, 3], f32>) {
  ^bb0(%x: !dl.tensor<[n, 5, 9, 9], f32>, %w: !dl.tensor<[n, 4, 9, 9], f32>):
    %r = dl.conv_weight_grad %x, %w strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1 : (!dl.tensor<[n, 5, 9, 9], f32>, !dl.tensor<[n, 4, 9, 9], f32>) -> !dl.tensor<[5, 4, 3, 3], f32>
    dl.yield %r : !dl.tensor<[5, 4, 3, 3], f32>
  }
  return %r : !dl.tensor<[5, 4, 3, 3], f32>
}

func.func @conv_strided_weight_grad(%o_x: !dl.tensor<[n, 6, 5, 5], f32>, %o_w: !dl.tensor<[n, 4, 9, 9], f32>) -> (!dl.tensor<[6, 2, 3, 3], f32>)
    attributes {dl.entry = "infer", dl.symbols = ["n", "t"]} {
  %r = dl.dispatch "conv_strided_weight_grad" (%o_x, %o_w) : (!dl.tensor<[n, 6, 5, 5], f32>, !dl.tensor<[n, 4, 9, 9], f32>)
      -> (!dl.tensor<[6, 2, 3, 3], f32>) {
  ^bb0(%x: !dl.tensor<[n, 6, 5, 5], f32>, %w: !dl.tensor<[n, 4, 9, 9], f32>):
    %r = dl.conv_weight_grad %x, %w strides [2, 2] padding [1, 1] to [1, 1] dilations [1, 1] groups 2 : (!dl.tensor<[n, 6, 5, 5], f32>, !dl.tensor<[n, 4, 9, 9], f32>) -> !dl.tensor<[6, 2, 3, 3], f32>
    dl.yield %r : !dl.tensor<[6, 2, 3, 3], f32>
  }
  return %r : !dl.tensor<[6, 2, 3, 3], f32>
}
