// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// All operations of the dialect, by family.

include "compiler/Dialect/DlElementwiseOps.td"
include "compiler/Dialect/DlShapeOps.td"
include "compiler/Dialect/DlIndexOps.td"
include "compiler/Dialect/DlReductionOps.td"
include "compiler/Dialect/DlStructureOps.td"
