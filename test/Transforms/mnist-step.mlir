// A training step of a small convolutional network, as differentiation leaves it: the shape of models/mnist with
// one convolution. Tests that the step needs one dispatch per contraction and few others.
// RUN: %dlc-opt %s --dl-form-dispatches | FileCheck %s

// CHECK-LABEL: func.func @step
// CHECK: dl.dispatch "step.scalars"
// The convolution with its bias and relu; only the activation leaves.
// CHECK: %[[RELU:.*]] = dl.dispatch "block1.y.conv.max"
// CHECK-NEXT: ^bb0
// CHECK-NEXT: dl.conv
// CHECK: dl.yield %{{[0-9]+}} : !dl.tensor<[n, 8, 28, 28], f32>
// Pooling and dropout; the mask does not leave.
// CHECK: %[[HIDDEN:.*]] = dl.dispatch "block1.max_pool"(%[[RELU]]
// CHECK: dl.random key
// CHECK: dl.yield %{{[0-9]+}} : !dl.tensor<[n, 1568], f32>
// CHECK: %[[LOGITS:.*]] = dl.dispatch "fc.contract"(%[[HIDDEN]]
// Softmax, its loss per row, its gradient and the guess in one dispatch over rows.
// CHECK: dl.dispatch "step.max.sum.argmax"(%[[LOGITS]]
// CHECK: dl.exp
// CHECK: dl.argmax
// The sums over the batch share one.
// CHECK: dl.dispatch "loss.sum.log.div"
// CHECK: dl.dispatch "fc.bias.update"
// The mask is computed again.
// CHECK: dl.dispatch "fc.contract.2"
// CHECK: dl.contract "nj,jk->nk"
// CHECK: dl.random key
// The old weights are read before the update, which happens where the gradient is computed.
// CHECK: dl.dispatch "fc.weight.update"
// CHECK: dl.contract "nj,nk->jk"
// CHECK: dl.sqrt
// CHECK: dl.dispatch "block1.max_pool_grad.select"
// CHECK: dl.dispatch "conv.bias.update"
// CHECK: dl.dispatch "conv.weight.update"
// CHECK-NOT: dl.dispatch
// CHECK: dl.store_state @step.iteration

dl.state parameter @conv.weight : !dl.tensor<[8, 1, 3, 3], f32>
dl.state parameter @conv.bias : !dl.tensor<[8], f32>
dl.state parameter @fc.weight : !dl.tensor<[10, 1568], f32>
dl.state parameter @fc.bias : !dl.tensor<[10], f32>
dl.state optimizer @step.fc.weight.m : !dl.tensor<[10, 1568], f32> owner "step" of @fc.weight
dl.state optimizer @step.fc.weight.v : !dl.tensor<[10, 1568], f32> owner "step" of @fc.weight
dl.state hyperparameter @step.lr : !dl.tensor<[], f64> initial 1.0e-3 : f64 owner "step"
dl.state iteration @step.iteration : !dl.tensor<[], i64> initial 0 : i64 owner "step"
dl.state seed @seed : !dl.tensor<[], i64>
dl.state metric @step.accuracy.hits : !dl.tensor<[], f32> initial 0.0 : f32 owner "step"
dl.state metric @step.accuracy.count : !dl.tensor<[], f32> initial 0.0 : f32 owner "step"

func.func @step(%image: !dl.tensor<[n, 1, 28, 28], f32> {dl.name = "image"}, %label: !dl.tensor<[n], i32> {dl.name = "label"})
    -> (!dl.tensor<[], f32> {dl.name = "loss", dl.report = "value"}, !dl.tensor<[], f32> {dl.name = "accuracy", dl.report = "metric"})
    attributes {dl.entry = "train", dl.symbols = ["n"]} {
  %one_i = dl.constant 1 : i64 : !dl.tensor<[], i64>
  %before = dl.load_state @step.iteration : !dl.tensor<[], i64>
  %iteration = dl.add %before, %one_i : !dl.tensor<[], i64>
  dl.store_state @step.iteration, %iteration : !dl.tensor<[], i64>
  %seed = dl.load_state @seed : !dl.tensor<[], i64>

  // Forward.
  %cw = dl.load_state @conv.weight : !dl.tensor<[8, 1, 3, 3], f32>
  %cb = dl.load_state @conv.bias : !dl.tensor<[8], f32>
  %conv = dl.conv %image, %cw strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1
    : (!dl.tensor<[n, 1, 28, 28], f32>, !dl.tensor<[8, 1, 3, 3], f32>) -> !dl.tensor<[n, 8, 28, 28], f32> loc("block1.y")
  %cbb = dl.broadcast %cb [1] : !dl.tensor<[8], f32> to !dl.tensor<[n, 8, 28, 28], f32>
  %biased = dl.add %conv, %cbb : !dl.tensor<[n, 8, 28, 28], f32>
  %zero = dl.constant 0.0 : f32 : !dl.tensor<[n, 8, 28, 28], f32>
  %relu = dl.max %biased, %zero : !dl.tensor<[n, 8, 28, 28], f32>
  %pool = dl.max_pool %relu window [2, 2] strides [2, 2] padding [0, 0] to [0, 0]
    : (!dl.tensor<[n, 8, 28, 28], f32>) -> !dl.tensor<[n, 8, 14, 14], f32> loc("block1")
  %flat = dl.reshape %pool : !dl.tensor<[n, 8, 14, 14], f32> to !dl.tensor<[n, 1568], f32>
  %random.key = dl.random_key site 77 seed %seed
  %random = dl.random key %random.key iteration %iteration : !dl.tensor<[n, 1568], f32>
  %rate = dl.constant 2.5e-1 : f32 : !dl.tensor<[n, 1568], f32>
  %keep = dl.compare ge %random, %rate : !dl.tensor<[n, 1568], f32>
  %mask = dl.cast %keep : !dl.tensor<[n, 1568], i1> to !dl.tensor<[n, 1568], f32>
  %scale = dl.constant 1.33333337 : f32 : !dl.tensor<[n, 1568], f32>
  %factor = dl.mul %mask, %scale : !dl.tensor<[n, 1568], f32>
  %hidden = dl.mul %flat, %factor : !dl.tensor<[n, 1568], f32> loc("hidden")
  %fw = dl.load_state @fc.weight : !dl.tensor<[10, 1568], f32>
  %fb = dl.load_state @fc.bias : !dl.tensor<[10], f32>
  %product = dl.contract "nk,jk->nj" %hidden, %fw
    : (!dl.tensor<[n, 1568], f32>, !dl.tensor<[10, 1568], f32>) -> !dl.tensor<[n, 10], f32> loc("fc")
  %fbb = dl.broadcast %fb [1] : !dl.tensor<[10], f32> to !dl.tensor<[n, 10], f32>
  %logits = dl.add %product, %fbb : !dl.tensor<[n, 10], f32>

  // cross_entropy and accuracy.
  %top = dl.reduce max %logits [1] : !dl.tensor<[n, 10], f32> to !dl.tensor<[n], f32>
  %topb = dl.broadcast %top [0] : !dl.tensor<[n], f32> to !dl.tensor<[n, 10], f32>
  %shifted = dl.sub %logits, %topb : !dl.tensor<[n, 10], f32>
  %exp = dl.exp %shifted : !dl.tensor<[n, 10], f32>
  %total = dl.reduce sum %exp [1] : !dl.tensor<[n, 10], f32> to !dl.tensor<[n], f32> loc("loss")
  %log = dl.log %total : !dl.tensor<[n], f32>
  %column = dl.iota 1 : !dl.tensor<[n, 10], i32>
  %labelb = dl.broadcast %label [0] : !dl.tensor<[n], i32> to !dl.tensor<[n, 10], i32>
  %is = dl.compare eq %column, %labelb : !dl.tensor<[n, 10], i32>
  %onehot = dl.cast %is : !dl.tensor<[n, 10], i1> to !dl.tensor<[n, 10], f32>
  %chosen = dl.mul %shifted, %onehot : !dl.tensor<[n, 10], f32>
  %picked = dl.reduce sum %chosen [1] : !dl.tensor<[n, 10], f32> to !dl.tensor<[n], f32>
  %each = dl.sub %log, %picked : !dl.tensor<[n], f32>
  %sum = dl.reduce sum %each [0] : !dl.tensor<[n], f32> to !dl.tensor<[], f32> loc("loss")
  %rows = dl.dim <n> : !dl.tensor<[], i64>
  %count = dl.cast %rows : !dl.tensor<[], i64> to !dl.tensor<[], f32>
  %loss = dl.div %sum, %count : !dl.tensor<[], f32>
  %guess = dl.argmax %logits 1 : !dl.tensor<[n, 10], f32> to !dl.tensor<[n], i32>
  %right = dl.compare eq %guess, %label : !dl.tensor<[n], i32>
  %rightf = dl.cast %right : !dl.tensor<[n], i1> to !dl.tensor<[n], f32>
  %hit = dl.reduce sum %rightf [0] : !dl.tensor<[n], f32> to !dl.tensor<[], f32> loc("accuracy")
  %hits0 = dl.load_state @step.accuracy.hits : !dl.tensor<[], f32>
  %hits = dl.add %hits0, %hit : !dl.tensor<[], f32>
  dl.store_state @step.accuracy.hits, %hits : !dl.tensor<[], f32>
  %count0 = dl.load_state @step.accuracy.count : !dl.tensor<[], f32>
  %seen = dl.add %count0, %count : !dl.tensor<[], f32>
  dl.store_state @step.accuracy.count, %seen : !dl.tensor<[], f32>
  %accuracy = dl.div %hits, %seen : !dl.tensor<[], f32>

  // Backward.
  %totalb = dl.broadcast %total [0] : !dl.tensor<[n], f32> to !dl.tensor<[n, 10], f32>
  %softmax = dl.div %exp, %totalb : !dl.tensor<[n, 10], f32>
  %difference = dl.sub %softmax, %onehot : !dl.tensor<[n, 10], f32>
  %countb = dl.broadcast %count [] : !dl.tensor<[], f32> to !dl.tensor<[n, 10], f32>
  %dlogits = dl.div %difference, %countb : !dl.tensor<[n, 10], f32>
  %dfb = dl.reduce sum %dlogits [0] : !dl.tensor<[n, 10], f32> to !dl.tensor<[10], f32> loc("fc")
  %dfw = dl.contract "nj,nk->jk" %dlogits, %hidden
    : (!dl.tensor<[n, 10], f32>, !dl.tensor<[n, 1568], f32>) -> !dl.tensor<[10, 1568], f32> loc("fc")
  %dhidden = dl.contract "nj,jk->nk" %dlogits, %fw
    : (!dl.tensor<[n, 10], f32>, !dl.tensor<[10, 1568], f32>) -> !dl.tensor<[n, 1568], f32> loc("fc")
  %dflat = dl.mul %dhidden, %factor : !dl.tensor<[n, 1568], f32>
  %dpool = dl.reshape %dflat : !dl.tensor<[n, 1568], f32> to !dl.tensor<[n, 8, 14, 14], f32>
  %drelu = dl.max_pool_grad %relu, %dpool window [2, 2] strides [2, 2] padding [0, 0] to [0, 0]
    : (!dl.tensor<[n, 8, 28, 28], f32>, !dl.tensor<[n, 8, 14, 14], f32>) -> !dl.tensor<[n, 8, 28, 28], f32> loc("block1")
  %positive = dl.compare gt %relu, %zero : !dl.tensor<[n, 8, 28, 28], f32>
  %dbiased = dl.select %positive, %drelu, %zero : !dl.tensor<[n, 8, 28, 28], f32>
  %dcb = dl.reduce sum %dbiased [0, 2, 3] : !dl.tensor<[n, 8, 28, 28], f32> to !dl.tensor<[8], f32> loc("block1.y")
  %dcw = dl.conv_weight_grad %dbiased, %image strides [1, 1] padding [1, 1] to [1, 1] dilations [1, 1] groups 1
    : (!dl.tensor<[n, 8, 28, 28], f32>, !dl.tensor<[n, 1, 28, 28], f32>) -> !dl.tensor<[8, 1, 3, 3], f32> loc("block1.y")

  // sgd, and momentum with a second moment for fc.weight.
  %lr64 = dl.load_state @step.lr : !dl.tensor<[], f64>
  %lr = dl.cast %lr64 : !dl.tensor<[], f64> to !dl.tensor<[], f32>
  %lrcw = dl.broadcast %lr [] : !dl.tensor<[], f32> to !dl.tensor<[8, 1, 3, 3], f32>
  %stepcw = dl.mul %lrcw, %dcw : !dl.tensor<[8, 1, 3, 3], f32>
  %newcw = dl.sub %cw, %stepcw : !dl.tensor<[8, 1, 3, 3], f32>
  dl.store_state @conv.weight, %newcw : !dl.tensor<[8, 1, 3, 3], f32>
  %lrcb = dl.broadcast %lr [] : !dl.tensor<[], f32> to !dl.tensor<[8], f32>
  %stepcb = dl.mul %lrcb, %dcb : !dl.tensor<[8], f32>
  %newcb = dl.sub %cb, %stepcb : !dl.tensor<[8], f32>
  dl.store_state @conv.bias, %newcb : !dl.tensor<[8], f32>
  %lrfb = dl.broadcast %lr [] : !dl.tensor<[], f32> to !dl.tensor<[10], f32>
  %stepfb = dl.mul %lrfb, %dfb : !dl.tensor<[10], f32>
  %newfb = dl.sub %fb, %stepfb : !dl.tensor<[10], f32>
  dl.store_state @fc.bias, %newfb : !dl.tensor<[10], f32>
  %m0 = dl.load_state @step.fc.weight.m : !dl.tensor<[10, 1568], f32>
  %v0 = dl.load_state @step.fc.weight.v : !dl.tensor<[10, 1568], f32>
  %beta = dl.constant 9.0e-1 : f32 : !dl.tensor<[10, 1568], f32>
  %rest = dl.constant 1.0e-1 : f32 : !dl.tensor<[10, 1568], f32>
  %m1 = dl.mul %beta, %m0 : !dl.tensor<[10, 1568], f32>
  %m2 = dl.mul %rest, %dfw : !dl.tensor<[10, 1568], f32>
  %m3 = dl.add %m1, %m2 : !dl.tensor<[10, 1568], f32>
  %m = dl.flush %m3 : !dl.tensor<[10, 1568], f32>
  dl.store_state @step.fc.weight.m, %m : !dl.tensor<[10, 1568], f32>
  %v1 = dl.mul %beta, %v0 : !dl.tensor<[10, 1568], f32>
  %v2 = dl.mul %m2, %dfw : !dl.tensor<[10, 1568], f32>
  %v3 = dl.add %v1, %v2 : !dl.tensor<[10, 1568], f32>
  %v = dl.flush %v3 : !dl.tensor<[10, 1568], f32>
  dl.store_state @step.fc.weight.v, %v : !dl.tensor<[10, 1568], f32>
  %root = dl.sqrt %v : !dl.tensor<[10, 1568], f32>
  %direction = dl.div %m, %root : !dl.tensor<[10, 1568], f32>
  %lrfw = dl.broadcast %lr [] : !dl.tensor<[], f32> to !dl.tensor<[10, 1568], f32>
  %stepfw = dl.mul %lrfw, %direction : !dl.tensor<[10, 1568], f32>
  %newfw = dl.sub %fw, %stepfw : !dl.tensor<[10, 1568], f32>
  dl.store_state @fc.weight, %newfw : !dl.tensor<[10, 1568], f32>
  return %loss, %accuracy : !dl.tensor<[], f32>, !dl.tensor<[], f32>
}
