// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A scan runs either as a loop of the schedule, with dispatches in its body, or as a whole inside one
// dispatch, when rows (the leading axis of what it carries) do not depend on each other: then a work-group
// runs all steps of its rows, and fifty time steps cost one fork-join.

#ifndef DLC_COMPILER_TRANSFORMS_SCANFORMS_H
#define DLC_COMPILER_TRANSFORMS_SCANFORMS_H

#include "compiler/Dialect/Dl.h"

#include <string>

namespace dlc {

/// Why `scan` cannot run inside one dispatch; nothing when it can. What it needs:
///  - carries, and what is yielded, have one leading dimension, the rows; at least one value is carried;
///  - operations of the body keep rows apart: elementwise operations, reductions and moves over other axes,
///    contractions "nk,kj->nj" (in any order of letters) of rows with a matrix from outside.
std::optional<std::string> reasonAgainstDispatch(dl::ScanOp scan);

/// Bytes of the matrices from outside that the body multiplies by in every step, at nominal sizes.
int64_t matrixBytes(dl::ScanOp scan);

/// Brings the contractions of the body into the form "nk,kj->nj", transposing matrices before the scan.
/// Precondition: no reason against a dispatch.
void normalizeContractions(dl::ScanOp scan);

} // namespace dlc

#endif // DLC_COMPILER_TRANSFORMS_SCANFORMS_H
