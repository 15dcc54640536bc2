// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a schedule to the plan that an artifact holds.

#ifndef DLC_COMPILER_MEMORY_EMITSCHEDULE_H
#define DLC_COMPILER_MEMORY_EMITSCHEDULE_H

#include "compiler/Artifact/ArtifactWriter.h"
#include "compiler/Memory/Schedule.h"

namespace dlc::memory {

/// What code generation made of a dispatch.
struct KernelUse {
  uint32_t kernel = 0;             ///< Index into the variant's kernels.
  artifact::Expression groups = 1; ///< Work-groups of a run.
};

/// The plan of an entry. `useOf` is asked for every command. Indices of states are those of the module's
/// dl.state operations, symbols those of `dl.symbols`.
artifact::Plan emitSchedule(const Schedule &schedule, llvm::function_ref<KernelUse(dl::DispatchOp)> useOf);

/// Arithmetic operations of one run (a multiply-add counts as two, any other element of a result as one).
dl::PolynomialAttr countFlops(dl::DispatchOp dispatch);

/// Bytes of a dispatch's operands and results.
dl::PolynomialAttr countBytes(dl::DispatchOp dispatch);

/// The places in the source that an operation's location names, without repetition, the first one first.
std::vector<artifact::SourceLocation> sourceLocations(Location location);

} // namespace dlc::memory

#endif // DLC_COMPILER_MEMORY_EMITSCHEDULE_H
