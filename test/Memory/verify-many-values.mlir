// Tests that the verifier keeps values apart whose table grows while one takes the elements of another.
// RUN: %dlc-opt %s --dl-plan-memory="verify=n=2" -o /dev/null

func.func @f(%r0: !dl.tensor<[8], f32>) -> !dl.tensor<[8], f32> attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %r1 = dl.reshape %r0 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r2 = dl.reshape %r1 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r3 = dl.reshape %r2 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r4 = dl.reshape %r3 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r5 = dl.reshape %r4 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r6 = dl.reshape %r5 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r7 = dl.reshape %r6 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r8 = dl.reshape %r7 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r9 = dl.reshape %r8 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r10 = dl.reshape %r9 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r11 = dl.reshape %r10 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r12 = dl.reshape %r11 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r13 = dl.reshape %r12 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r14 = dl.reshape %r13 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r15 = dl.reshape %r14 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r16 = dl.reshape %r15 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r17 = dl.reshape %r16 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r18 = dl.reshape %r17 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r19 = dl.reshape %r18 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r20 = dl.reshape %r19 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r21 = dl.reshape %r20 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r22 = dl.reshape %r21 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r23 = dl.reshape %r22 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r24 = dl.reshape %r23 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r25 = dl.reshape %r24 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r26 = dl.reshape %r25 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r27 = dl.reshape %r26 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r28 = dl.reshape %r27 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r29 = dl.reshape %r28 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r30 = dl.reshape %r29 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r31 = dl.reshape %r30 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r32 = dl.reshape %r31 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r33 = dl.reshape %r32 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r34 = dl.reshape %r33 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r35 = dl.reshape %r34 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r36 = dl.reshape %r35 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r37 = dl.reshape %r36 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r38 = dl.reshape %r37 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r39 = dl.reshape %r38 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r40 = dl.reshape %r39 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r41 = dl.reshape %r40 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r42 = dl.reshape %r41 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r43 = dl.reshape %r42 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r44 = dl.reshape %r43 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r45 = dl.reshape %r44 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r46 = dl.reshape %r45 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r47 = dl.reshape %r46 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r48 = dl.reshape %r47 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r49 = dl.reshape %r48 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r50 = dl.reshape %r49 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r51 = dl.reshape %r50 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r52 = dl.reshape %r51 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r53 = dl.reshape %r52 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r54 = dl.reshape %r53 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r55 = dl.reshape %r54 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r56 = dl.reshape %r55 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r57 = dl.reshape %r56 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r58 = dl.reshape %r57 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %r59 = dl.reshape %r58 : !dl.tensor<[8], f32> to !dl.tensor<[2, 4], f32>
  %r60 = dl.reshape %r59 : !dl.tensor<[2, 4], f32> to !dl.tensor<[8], f32>
  %sum = dl.dispatch "sum" (%r30, %r60) : (!dl.tensor<[8], f32>, !dl.tensor<[8], f32>) -> (!dl.tensor<[8], f32>) {
  ^bb0(%x: !dl.tensor<[8], f32>, %y: !dl.tensor<[8], f32>):
    %s = dl.add %x, %y : !dl.tensor<[8], f32>
    dl.yield %s : !dl.tensor<[8], f32>
  }
  return %sum : !dl.tensor<[8], f32>
}
