// A training step of a recurrent network: 28 rows of an image, one after another. Tests the loops of its forward and
// backward pass in both forms.
// RUN: %dlc-opt %s --dl-differentiate --canonicalize --cse --dl-hoist-scan-accumulations --dl-simplify -o %t --mlir-print-debuginfo
// RUN: %dlc-opt %t --dl-form-dispatches=scan=loop | FileCheck %s --check-prefix=LOOP
// RUN: %dlc-opt %t --dl-form-dispatches=scan=auto | FileCheck %s --check-prefix=WHOLE

// The input's product waits for the recurrent one, bias and tanh are its epilogue.
// LOOP-LABEL: func.func @step
// LOOP: dl.scan <t> xs(%{{.*}}) axes [1]
// LOOP: dl.dispatch "rnn.contract"
// LOOP: dl.dispatch "rnn.contract.tanh"
// LOOP: dl.contract
// LOOP-NOT: dl.contract
// LOOP: dl.tanh
// LOOP: dl.dispatch "fc.contract"
// LOOP: dl.scan <t> reverse
// LOOP: dl.dispatch "{{.*}}.mul.sub"
// LOOP: dl.dispatch "rnn.contract
// One contraction over time and batch per weight, with its update.
// LOOP: dl.dispatch "rnn.weight_hh.update"
// LOOP: dl.contract "tmn,tmk->nk"

// Weights are transposed outside, so that a step multiplies by [k, n].
// WHOLE-LABEL: func.func @step
// WHOLE: dl.dispatch "rnn.transpose"
// WHOLE: dl.dispatch "rnn.scan"
// WHOLE: dl.scan
// WHOLE: dl.contract "mk,kn->mn"
// WHOLE: dl.contract "mk,kn->mn"
// WHOLE: dl.dispatch "rnn.scan.2"
// WHOLE: dl.scan <t> reverse
// WHOLE: dl.contract "mn,nk->mk"

dl.state parameter @rnn.weight_ih : !dl.tensor<[64, 28], f32>
dl.state parameter @rnn.weight_hh : !dl.tensor<[64, 64], f32>
dl.state parameter @rnn.bias : !dl.tensor<[64], f32>
dl.state parameter @fc.weight : !dl.tensor<[10, 64], f32>
dl.state hyperparameter @step.lr : !dl.tensor<[], f64> initial 1.0e-3 : f64 owner "step"

func.func @step(%image: !dl.tensor<[n, t, 28], f32> {dl.name = "image"}, %target: !dl.tensor<[n, 10], f32> {dl.name = "target"})
    -> (!dl.tensor<[], f32> {dl.name = "loss", dl.report = "value"})
    attributes {dl.entry = "train", dl.symbols = ["n", "t"]} {
  %wih = dl.load_state @rnn.weight_ih : !dl.tensor<[64, 28], f32>
  %whh = dl.load_state @rnn.weight_hh : !dl.tensor<[64, 64], f32>
  %b = dl.load_state @rnn.bias : !dl.tensor<[64], f32>
  %wfc = dl.load_state @fc.weight : !dl.tensor<[10, 64], f32>
  %zero = dl.constant 0.0 : f32 : !dl.tensor<[n, 64], f32>
  %last = dl.scan #dl.poly<t> xs(%image) axes [1] carries(%zero) stack_axes []
      : (!dl.tensor<[n, t, 28], f32>), (!dl.tensor<[n, 64], f32>) -> (!dl.tensor<[n, 64], f32>), () {
  ^bb0(%i: !dl.tensor<[], i64>, %xt: !dl.tensor<[n, 28], f32>, %h: !dl.tensor<[n, 64], f32>):
    %wiht = dl.transpose %wih [1, 0] : !dl.tensor<[64, 28], f32> to !dl.tensor<[28, 64], f32>
    %in = dl.contract "mk,kn->mn" %xt, %wiht : (!dl.tensor<[n, 28], f32>, !dl.tensor<[28, 64], f32>) -> !dl.tensor<[n, 64], f32> loc("rnn")
    %whht = dl.transpose %whh [1, 0] : !dl.tensor<[64, 64], f32> to !dl.tensor<[64, 64], f32>
    %rec = dl.contract "mk,kn->mn" %h, %whht : (!dl.tensor<[n, 64], f32>, !dl.tensor<[64, 64], f32>) -> !dl.tensor<[n, 64], f32> loc("rnn")
    %sum = dl.add %in, %rec : !dl.tensor<[n, 64], f32>
    %bb = dl.broadcast %b [1] : !dl.tensor<[64], f32> to !dl.tensor<[n, 64], f32>
    %pre = dl.add %sum, %bb : !dl.tensor<[n, 64], f32>
    %next = dl.tanh %pre : !dl.tensor<[n, 64], f32> loc("rnn")
    dl.yield %next : !dl.tensor<[n, 64], f32>
  } loc("rnn")
  %logits = dl.contract "mk,nk->mn" %last, %wfc : (!dl.tensor<[n, 64], f32>, !dl.tensor<[10, 64], f32>) -> !dl.tensor<[n, 10], f32> loc("fc")
  %difference = dl.sub %logits, %target : !dl.tensor<[n, 10], f32>
  %square = dl.mul %difference, %difference : !dl.tensor<[n, 10], f32>
  %loss = dl.reduce sum %square [0, 1] : !dl.tensor<[n, 10], f32> to !dl.tensor<[], f32> loc("loss")
  %dwih, %dwhh, %db, %dwfc = dl.gradient %loss wrt(%wih, %whh, %b, %wfc) : !dl.tensor<[], f32>,
    (!dl.tensor<[64, 28], f32>, !dl.tensor<[64, 64], f32>, !dl.tensor<[64], f32>, !dl.tensor<[10, 64], f32>)
  %lr64 = dl.load_state @step.lr : !dl.tensor<[], f64>
  %lr = dl.cast %lr64 : !dl.tensor<[], f64> to !dl.tensor<[], f32>
  %lr1 = dl.broadcast %lr [] : !dl.tensor<[], f32> to !dl.tensor<[64, 28], f32>
  %s1 = dl.mul %lr1, %dwih : !dl.tensor<[64, 28], f32>
  %n1 = dl.sub %wih, %s1 : !dl.tensor<[64, 28], f32>
  dl.store_state @rnn.weight_ih, %n1 : !dl.tensor<[64, 28], f32>
  %lr2 = dl.broadcast %lr [] : !dl.tensor<[], f32> to !dl.tensor<[64, 64], f32>
  %s2 = dl.mul %lr2, %dwhh : !dl.tensor<[64, 64], f32>
  %n2 = dl.sub %whh, %s2 : !dl.tensor<[64, 64], f32>
  dl.store_state @rnn.weight_hh, %n2 : !dl.tensor<[64, 64], f32>
  %lr3 = dl.broadcast %lr [] : !dl.tensor<[], f32> to !dl.tensor<[64], f32>
  %s3 = dl.mul %lr3, %db : !dl.tensor<[64], f32>
  %n3 = dl.sub %b, %s3 : !dl.tensor<[64], f32>
  dl.store_state @rnn.bias, %n3 : !dl.tensor<[64], f32>
  %lr4 = dl.broadcast %lr [] : !dl.tensor<[], f32> to !dl.tensor<[10, 64], f32>
  %s4 = dl.mul %lr4, %dwfc : !dl.tensor<[10, 64], f32>
  %n4 = dl.sub %wfc, %s4 : !dl.tensor<[10, 64], f32>
  dl.store_state @fc.weight, %n4 : !dl.tensor<[10, 64], f32>
  return %loss : !dl.tensor<[], f32>
}
