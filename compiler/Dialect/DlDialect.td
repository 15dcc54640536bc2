// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef DLC_DL_DIALECT
#define DLC_DL_DIALECT

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

def Dl_Dialect : Dialect {
  let name = "dl";
  let cppNamespace = "::dlc::dl";
  let summary = "Neural networks as static graphs over tensors with symbolic dimensions";
  let description = [{
    Tensors are values; everything that persists between runs is a `dl.state`, read by `dl.load_state` and
    written by `dl.store_state`. Entry points are `func.func` with the attributes `dl.entry` (init, train,
    eval or infer) and `dl.symbols` (the names of the symbolic dimensions, in the order in which kernels
    receive their values), and `dl.constraints` where not all sizes are possible (an array of
    `#dl.constraint` over these names, checked when the entry is prepared); arguments and results carry
    `dl.name`.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let hasOperationAttrVerify = 1;
}

#endif // DLC_DL_DIALECT
