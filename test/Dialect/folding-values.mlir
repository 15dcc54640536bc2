// RUN: %dlc-opt %s --dl-evaluate -o %t.before > %t.expected
// RUN: %dlc-opt %s --canonicalize --dl-evaluate -o %t.after > %t.actual
// RUN: diff %t.expected %t.actual
// RUN: FileCheck %s < %t.after

// Tests that every operation on constants folds to what the reference computes; in f64 and in integers the two
// arithmetics are the same. Nothing but constants is left.
// CHECK-LABEL: func.func @folds
// CHECK-NOT: = dl.{{[abd-z]|ca|com}}
// CHECK: return
func.func @folds() -> (
     !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>,
     !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>,
     !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>,
     !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>,
     !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>,
     !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>,
     !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>,
     !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>,
     !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>,
     !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>,
     !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>,
     !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>,
     !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>,
     !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], ui8>,
     !dl.tensor<[], ui8>, !dl.tensor<[], ui8>, !dl.tensor<[], ui8>, !dl.tensor<[], ui8>, !dl.tensor<[], ui8>,
     !dl.tensor<[], ui8>, !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>,
     !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>,
     !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>,
     !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>,
     !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>,
     !dl.tensor<[], i8>, !dl.tensor<[], ui8>, !dl.tensor<[], i32>, !dl.tensor<[], i64>, !dl.tensor<[], i1>,
     !dl.tensor<[], i8>, !dl.tensor<[], ui8>, !dl.tensor<[], i32>, !dl.tensor<[], i64>, !dl.tensor<[], i1>,
     !dl.tensor<[], i8>, !dl.tensor<[], ui8>, !dl.tensor<[], i32>, !dl.tensor<[], i64>, !dl.tensor<[], i8>,
     !dl.tensor<[], ui8>, !dl.tensor<[], i64>, !dl.tensor<[], i1>, !dl.tensor<[], f64>, !dl.tensor<[], i8>,
     !dl.tensor<[], ui8>, !dl.tensor<[], i64>, !dl.tensor<[], i1>, !dl.tensor<[], f64>, !dl.tensor<[], i8>,
     !dl.tensor<[], ui8>, !dl.tensor<[], i64>, !dl.tensor<[], i1>, !dl.tensor<[], f64>, !dl.tensor<[], i8>,
     !dl.tensor<[], i32>, !dl.tensor<[], f64>) {
  %c1 = dl.constant 2.5 : f64 : !dl.tensor<[], f64>
  %c2 = dl.constant -3.75 : f64 : !dl.tensor<[], f64>
  %c3 = dl.constant 0.0 : f64 : !dl.tensor<[], f64>
  %c4 = dl.constant -0.0 : f64 : !dl.tensor<[], f64>
  %c5 = dl.constant 1.0e-310 : f64 : !dl.tensor<[], f64>
  %r6 = dl.neg %c1 : !dl.tensor<[], f64>
  %r7 = dl.neg %c2 : !dl.tensor<[], f64>
  %r8 = dl.neg %c5 : !dl.tensor<[], f64>
  %r9 = dl.abs %c1 : !dl.tensor<[], f64>
  %r10 = dl.abs %c2 : !dl.tensor<[], f64>
  %r11 = dl.abs %c5 : !dl.tensor<[], f64>
  %r12 = dl.floor %c1 : !dl.tensor<[], f64>
  %r13 = dl.floor %c2 : !dl.tensor<[], f64>
  %r14 = dl.floor %c5 : !dl.tensor<[], f64>
  %r15 = dl.flush %c1 : !dl.tensor<[], f64>
  %r16 = dl.flush %c2 : !dl.tensor<[], f64>
  %r17 = dl.flush %c5 : !dl.tensor<[], f64>
  %r18 = dl.sqrt %c1 : !dl.tensor<[], f64>
  %r19 = dl.add %c1, %c2 : !dl.tensor<[], f64>
  %r20 = dl.add %c2, %c1 : !dl.tensor<[], f64>
  %r21 = dl.add %c3, %c4 : !dl.tensor<[], f64>
  %r22 = dl.sub %c1, %c2 : !dl.tensor<[], f64>
  %r23 = dl.sub %c2, %c1 : !dl.tensor<[], f64>
  %r24 = dl.sub %c3, %c4 : !dl.tensor<[], f64>
  %r25 = dl.mul %c1, %c2 : !dl.tensor<[], f64>
  %r26 = dl.mul %c2, %c1 : !dl.tensor<[], f64>
  %r27 = dl.mul %c3, %c4 : !dl.tensor<[], f64>
  %r28 = dl.div %c1, %c2 : !dl.tensor<[], f64>
  %r29 = dl.div %c2, %c1 : !dl.tensor<[], f64>
  %r30 = dl.div %c3, %c4 : !dl.tensor<[], f64>
  %r31 = dl.rem %c1, %c2 : !dl.tensor<[], f64>
  %r32 = dl.rem %c2, %c1 : !dl.tensor<[], f64>
  %r33 = dl.rem %c3, %c4 : !dl.tensor<[], f64>
  %r34 = dl.max %c1, %c2 : !dl.tensor<[], f64>
  %r35 = dl.max %c2, %c1 : !dl.tensor<[], f64>
  %r36 = dl.max %c3, %c4 : !dl.tensor<[], f64>
  %r37 = dl.min %c1, %c2 : !dl.tensor<[], f64>
  %r38 = dl.min %c2, %c1 : !dl.tensor<[], f64>
  %r39 = dl.min %c3, %c4 : !dl.tensor<[], f64>
  %r40 = dl.pow %c2, %c3 : !dl.tensor<[], f64>
  %c41 = dl.constant 17 : i32 : !dl.tensor<[], i32>
  %c42 = dl.constant -5 : i32 : !dl.tensor<[], i32>
  %c43 = dl.constant 2147483647 : i32 : !dl.tensor<[], i32>
  %r44 = dl.neg %c41 : !dl.tensor<[], i32>
  %r45 = dl.neg %c42 : !dl.tensor<[], i32>
  %r46 = dl.neg %c43 : !dl.tensor<[], i32>
  %r47 = dl.abs %c41 : !dl.tensor<[], i32>
  %r48 = dl.abs %c42 : !dl.tensor<[], i32>
  %r49 = dl.abs %c43 : !dl.tensor<[], i32>
  %r50 = dl.add %c41, %c42 : !dl.tensor<[], i32>
  %r51 = dl.add %c42, %c41 : !dl.tensor<[], i32>
  %r52 = dl.add %c43, %c41 : !dl.tensor<[], i32>
  %r53 = dl.add %c43, %c42 : !dl.tensor<[], i32>
  %r54 = dl.sub %c41, %c42 : !dl.tensor<[], i32>
  %r55 = dl.sub %c42, %c41 : !dl.tensor<[], i32>
  %r56 = dl.sub %c43, %c41 : !dl.tensor<[], i32>
  %r57 = dl.sub %c43, %c42 : !dl.tensor<[], i32>
  %r58 = dl.mul %c41, %c42 : !dl.tensor<[], i32>
  %r59 = dl.mul %c42, %c41 : !dl.tensor<[], i32>
  %r60 = dl.mul %c43, %c41 : !dl.tensor<[], i32>
  %r61 = dl.mul %c43, %c42 : !dl.tensor<[], i32>
  %r62 = dl.div %c41, %c42 : !dl.tensor<[], i32>
  %r63 = dl.div %c42, %c41 : !dl.tensor<[], i32>
  %r64 = dl.div %c43, %c41 : !dl.tensor<[], i32>
  %r65 = dl.div %c43, %c42 : !dl.tensor<[], i32>
  %r66 = dl.rem %c41, %c42 : !dl.tensor<[], i32>
  %r67 = dl.rem %c42, %c41 : !dl.tensor<[], i32>
  %r68 = dl.rem %c43, %c41 : !dl.tensor<[], i32>
  %r69 = dl.rem %c43, %c42 : !dl.tensor<[], i32>
  %r70 = dl.max %c41, %c42 : !dl.tensor<[], i32>
  %r71 = dl.max %c42, %c41 : !dl.tensor<[], i32>
  %r72 = dl.max %c43, %c41 : !dl.tensor<[], i32>
  %r73 = dl.max %c43, %c42 : !dl.tensor<[], i32>
  %r74 = dl.min %c41, %c42 : !dl.tensor<[], i32>
  %r75 = dl.min %c42, %c41 : !dl.tensor<[], i32>
  %r76 = dl.min %c43, %c41 : !dl.tensor<[], i32>
  %r77 = dl.min %c43, %c42 : !dl.tensor<[], i32>
  %c78 = dl.constant 200 : ui8 : !dl.tensor<[], ui8>
  %c79 = dl.constant 100 : ui8 : !dl.tensor<[], ui8>
  %r80 = dl.add %c78, %c79 : !dl.tensor<[], ui8>
  %r81 = dl.sub %c78, %c79 : !dl.tensor<[], ui8>
  %r82 = dl.mul %c78, %c79 : !dl.tensor<[], ui8>
  %r83 = dl.div %c78, %c79 : !dl.tensor<[], ui8>
  %r84 = dl.rem %c78, %c79 : !dl.tensor<[], ui8>
  %r85 = dl.max %c78, %c79 : !dl.tensor<[], ui8>
  %r86 = dl.min %c78, %c79 : !dl.tensor<[], ui8>
  %r87 = dl.compare eq %c1, %c2 : !dl.tensor<[], f64>
  %r88 = dl.compare eq %c3, %c4 : !dl.tensor<[], f64>
  %r89 = dl.compare eq %c41, %c42 : !dl.tensor<[], i32>
  %r90 = dl.compare eq %c78, %c79 : !dl.tensor<[], ui8>
  %r91 = dl.compare ne %c1, %c2 : !dl.tensor<[], f64>
  %r92 = dl.compare ne %c3, %c4 : !dl.tensor<[], f64>
  %r93 = dl.compare ne %c41, %c42 : !dl.tensor<[], i32>
  %r94 = dl.compare ne %c78, %c79 : !dl.tensor<[], ui8>
  %r95 = dl.compare lt %c1, %c2 : !dl.tensor<[], f64>
  %r96 = dl.compare lt %c3, %c4 : !dl.tensor<[], f64>
  %r97 = dl.compare lt %c41, %c42 : !dl.tensor<[], i32>
  %r98 = dl.compare lt %c78, %c79 : !dl.tensor<[], ui8>
  %r99 = dl.compare le %c1, %c2 : !dl.tensor<[], f64>
  %r100 = dl.compare le %c3, %c4 : !dl.tensor<[], f64>
  %r101 = dl.compare le %c41, %c42 : !dl.tensor<[], i32>
  %r102 = dl.compare le %c78, %c79 : !dl.tensor<[], ui8>
  %r103 = dl.compare gt %c1, %c2 : !dl.tensor<[], f64>
  %r104 = dl.compare gt %c3, %c4 : !dl.tensor<[], f64>
  %r105 = dl.compare gt %c41, %c42 : !dl.tensor<[], i32>
  %r106 = dl.compare gt %c78, %c79 : !dl.tensor<[], ui8>
  %r107 = dl.compare ge %c1, %c2 : !dl.tensor<[], f64>
  %r108 = dl.compare ge %c3, %c4 : !dl.tensor<[], f64>
  %r109 = dl.compare ge %c41, %c42 : !dl.tensor<[], i32>
  %r110 = dl.compare ge %c78, %c79 : !dl.tensor<[], ui8>
  %r111 = dl.cast %c1 : !dl.tensor<[], f64> to !dl.tensor<[], i8>
  %r112 = dl.cast %c1 : !dl.tensor<[], f64> to !dl.tensor<[], ui8>
  %r113 = dl.cast %c1 : !dl.tensor<[], f64> to !dl.tensor<[], i32>
  %r114 = dl.cast %c1 : !dl.tensor<[], f64> to !dl.tensor<[], i64>
  %r115 = dl.cast %c1 : !dl.tensor<[], f64> to !dl.tensor<[], i1>
  %r116 = dl.cast %c2 : !dl.tensor<[], f64> to !dl.tensor<[], i8>
  %r117 = dl.cast %c2 : !dl.tensor<[], f64> to !dl.tensor<[], ui8>
  %r118 = dl.cast %c2 : !dl.tensor<[], f64> to !dl.tensor<[], i32>
  %r119 = dl.cast %c2 : !dl.tensor<[], f64> to !dl.tensor<[], i64>
  %r120 = dl.cast %c2 : !dl.tensor<[], f64> to !dl.tensor<[], i1>
  %c121 = dl.constant -1.0e20 : f64 : !dl.tensor<[], f64>
  %r122 = dl.cast %c121 : !dl.tensor<[], f64> to !dl.tensor<[], i8>
  %r123 = dl.cast %c121 : !dl.tensor<[], f64> to !dl.tensor<[], ui8>
  %r124 = dl.cast %c121 : !dl.tensor<[], f64> to !dl.tensor<[], i32>
  %r125 = dl.cast %c121 : !dl.tensor<[], f64> to !dl.tensor<[], i64>
  %r126 = dl.cast %c41 : !dl.tensor<[], i32> to !dl.tensor<[], i8>
  %r127 = dl.cast %c41 : !dl.tensor<[], i32> to !dl.tensor<[], ui8>
  %r128 = dl.cast %c41 : !dl.tensor<[], i32> to !dl.tensor<[], i64>
  %r129 = dl.cast %c41 : !dl.tensor<[], i32> to !dl.tensor<[], i1>
  %r130 = dl.cast %c41 : !dl.tensor<[], i32> to !dl.tensor<[], f64>
  %r131 = dl.cast %c42 : !dl.tensor<[], i32> to !dl.tensor<[], i8>
  %r132 = dl.cast %c42 : !dl.tensor<[], i32> to !dl.tensor<[], ui8>
  %r133 = dl.cast %c42 : !dl.tensor<[], i32> to !dl.tensor<[], i64>
  %r134 = dl.cast %c42 : !dl.tensor<[], i32> to !dl.tensor<[], i1>
  %r135 = dl.cast %c42 : !dl.tensor<[], i32> to !dl.tensor<[], f64>
  %r136 = dl.cast %c43 : !dl.tensor<[], i32> to !dl.tensor<[], i8>
  %r137 = dl.cast %c43 : !dl.tensor<[], i32> to !dl.tensor<[], ui8>
  %r138 = dl.cast %c43 : !dl.tensor<[], i32> to !dl.tensor<[], i64>
  %r139 = dl.cast %c43 : !dl.tensor<[], i32> to !dl.tensor<[], i1>
  %r140 = dl.cast %c43 : !dl.tensor<[], i32> to !dl.tensor<[], f64>
  %r141 = dl.cast %c78 : !dl.tensor<[], ui8> to !dl.tensor<[], i8>
  %r142 = dl.cast %c78 : !dl.tensor<[], ui8> to !dl.tensor<[], i32>
  %r143 = dl.cast %c78 : !dl.tensor<[], ui8> to !dl.tensor<[], f64>
  return
     %r6, %r7, %r8, %r9, %r10, %r11, %r12, %r13, %r14, %r15, %r16, %r17, %r18, %r19, %r20, %r21, %r22, %r23, %r24,
     %r25, %r26, %r27, %r28, %r29, %r30, %r31, %r32, %r33, %r34, %r35, %r36, %r37, %r38, %r39, %r40, %r44, %r45,
     %r46, %r47, %r48, %r49, %r50, %r51, %r52, %r53, %r54, %r55, %r56, %r57, %r58, %r59, %r60, %r61, %r62, %r63,
     %r64, %r65, %r66, %r67, %r68, %r69, %r70, %r71, %r72, %r73, %r74, %r75, %r76, %r77, %r80, %r81, %r82, %r83,
     %r84, %r85, %r86, %r87, %r88, %r89, %r90, %r91, %r92, %r93, %r94, %r95, %r96, %r97, %r98, %r99, %r100, %r101,
     %r102, %r103, %r104, %r105, %r106, %r107, %r108, %r109, %r110, %r111, %r112, %r113, %r114, %r115, %r116,
     %r117, %r118, %r119, %r120, %r122, %r123, %r124, %r125, %r126, %r127, %r128, %r129, %r130, %r131, %r132,
     %r133, %r134, %r135, %r136, %r137, %r138, %r139, %r140, %r141, %r142, %r143
   :
     !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>,
     !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>,
     !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>,
     !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>,
     !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>,
     !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>,
     !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>, !dl.tensor<[], f64>,
     !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>,
     !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>,
     !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>,
     !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>,
     !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>,
     !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>,
     !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], i32>, !dl.tensor<[], ui8>,
     !dl.tensor<[], ui8>, !dl.tensor<[], ui8>, !dl.tensor<[], ui8>, !dl.tensor<[], ui8>, !dl.tensor<[], ui8>,
     !dl.tensor<[], ui8>, !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>,
     !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>,
     !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>,
     !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>,
     !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>, !dl.tensor<[], i1>,
     !dl.tensor<[], i8>, !dl.tensor<[], ui8>, !dl.tensor<[], i32>, !dl.tensor<[], i64>, !dl.tensor<[], i1>,
     !dl.tensor<[], i8>, !dl.tensor<[], ui8>, !dl.tensor<[], i32>, !dl.tensor<[], i64>, !dl.tensor<[], i1>,
     !dl.tensor<[], i8>, !dl.tensor<[], ui8>, !dl.tensor<[], i32>, !dl.tensor<[], i64>, !dl.tensor<[], i8>,
     !dl.tensor<[], ui8>, !dl.tensor<[], i64>, !dl.tensor<[], i1>, !dl.tensor<[], f64>, !dl.tensor<[], i8>,
     !dl.tensor<[], ui8>, !dl.tensor<[], i64>, !dl.tensor<[], i1>, !dl.tensor<[], f64>, !dl.tensor<[], i8>,
     !dl.tensor<[], ui8>, !dl.tensor<[], i64>, !dl.tensor<[], i1>, !dl.tensor<[], f64>, !dl.tensor<[], i8>,
     !dl.tensor<[], i32>, !dl.tensor<[], f64>
}
