// Tests what memory planning and the passes around it say of options and programs that they cannot take.
// RUN: not %dlc-opt %s --dl-plan-memory 2>&1 | FileCheck %s
// CHECK: error: 'dl.add' op expected only dispatches, state accesses, aliases and loops
// RUN: not %dlc-opt %s --dl-plan-memory="verify=n" 2>&1 | FileCheck %s --check-prefix=VERIFY
// VERIFY: error: expected name=number in verify, got n
// RUN: not %dlc-opt %s --dl-form-dispatches="scan=sometimes" 2>&1 | FileCheck %s --check-prefix=SCAN
// SCAN: error: expected scan=auto, loop or dispatch, got sometimes
// RUN: not %dlc-opt %s --dl-emit-ptx="target=x86-64-v3" 2>&1 | FileCheck %s --check-prefix=PTX
// PTX: error: dl-emit-ptx: expected target=sm_80 or sm_90a, got x86-64-v3
dl.state parameter @w : !dl.tensor<[3], f32>
func.func @f(%x: !dl.tensor<[n], f32>) -> (!dl.tensor<[n], f32>, !dl.tensor<[3], f32>) attributes {dl.entry = "infer", dl.symbols = ["n"]} {
  %w = dl.load_state @w : !dl.tensor<[3], f32>
  %y = dl.add %x, %x : !dl.tensor<[n], f32>
  return %y, %w : !dl.tensor<[n], f32>, !dl.tensor<[3], f32>
}
