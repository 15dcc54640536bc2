// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DLC_DL_OP_BASE
#define DLC_DL_OP_BASE

include "compiler/Dialect/DlTypes.td"
include "compiler/Dialect/DlEnums.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/IR/OpAsmInterface.td"

// Element i of the result depends on element i of the operands alone; all shapes are equal.
def Dl_Elementwise : NativeOpTrait<"Elementwise"> {
  let cppNamespace = "::dlc::dl";
}

class Dl_Op<string mnemonic, list<Trait> traits = []> : Op<Dl_Dialect, mnemonic, traits>;

#endif // DLC_DL_OP_BASE
