// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes as the artifact writes them.

#ifndef DLC_COMPILER_ARTIFACT_SIZEEXPRESSION_H
#define DLC_COMPILER_ARTIFACT_SIZEEXPRESSION_H

#include "compiler/Artifact/ArtifactWriter.h"
#include "compiler/Dialect/Dl.h"

namespace dlc::artifact {

/// A polynomial over the symbols of an entry (its dl.symbols, in order). A symbol that is not among them is a
/// bug of dlc, and fatal.
Expression toExpression(dl::PolynomialAttr polynomial, mlir::ArrayAttr symbols);

/// An element type of the dl dialect.
Dtype dtypeOf(mlir::Type element);

} // namespace dlc::artifact

#endif // DLC_COMPILER_ARTIFACT_SIZEEXPRESSION_H
