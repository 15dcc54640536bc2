// Tests that the verifier tells more than sixteen results of a dispatch apart: the last is overwritten in place by the
// next dispatch, rightly.
// RUN: %dlc-opt %s --dl-plan-memory="verify=n=2" -o /dev/null

func.func @f(%x: !dl.tensor<[n, 4], f32>) -> (!dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>) attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %a:17 = dl.dispatch "many" (%x) : (!dl.tensor<[n, 4], f32>) -> (!dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>) {
  ^bb0(%v: !dl.tensor<[n, 4], f32>):
    %r0 = dl.neg %v : !dl.tensor<[n, 4], f32>
    %r1 = dl.neg %v : !dl.tensor<[n, 4], f32>
    %r2 = dl.neg %v : !dl.tensor<[n, 4], f32>
    %r3 = dl.neg %v : !dl.tensor<[n, 4], f32>
    %r4 = dl.neg %v : !dl.tensor<[n, 4], f32>
    %r5 = dl.neg %v : !dl.tensor<[n, 4], f32>
    %r6 = dl.neg %v : !dl.tensor<[n, 4], f32>
    %r7 = dl.neg %v : !dl.tensor<[n, 4], f32>
    %r8 = dl.neg %v : !dl.tensor<[n, 4], f32>
    %r9 = dl.neg %v : !dl.tensor<[n, 4], f32>
    %r10 = dl.neg %v : !dl.tensor<[n, 4], f32>
    %r11 = dl.neg %v : !dl.tensor<[n, 4], f32>
    %r12 = dl.neg %v : !dl.tensor<[n, 4], f32>
    %r13 = dl.neg %v : !dl.tensor<[n, 4], f32>
    %r14 = dl.neg %v : !dl.tensor<[n, 4], f32>
    %r15 = dl.neg %v : !dl.tensor<[n, 4], f32>
    %r16 = dl.neg %v : !dl.tensor<[n, 4], f32>
    dl.yield %r0, %r1, %r2, %r3, %r4, %r5, %r6, %r7, %r8, %r9, %r10, %r11, %r12, %r13, %r14, %r15, %r16 : !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>
  }
  %b = dl.dispatch "next" (%a#16) : (!dl.tensor<[n, 4], f32>) -> (!dl.tensor<[n, 4], f32>) {
  ^bb0(%v: !dl.tensor<[n, 4], f32>):
    %r = dl.exp %v : !dl.tensor<[n, 4], f32>
    dl.yield %r : !dl.tensor<[n, 4], f32>
  }
  %c = dl.dispatch "last" (%b) : (!dl.tensor<[n, 4], f32>) -> (!dl.tensor<[n, 4], f32>) {
  ^bb0(%v: !dl.tensor<[n, 4], f32>):
    %r = dl.exp %v : !dl.tensor<[n, 4], f32>
    dl.yield %r : !dl.tensor<[n, 4], f32>
  }
  return %a#0, %a#1, %a#2, %a#3, %a#4, %a#5, %a#6, %a#7, %a#8, %a#9, %a#10, %a#11, %a#12, %a#13, %a#14, %a#15, %c : !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>, !dl.tensor<[n, 4], f32>
}
