// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What this processor and its operating system can run.

#ifndef DLC_RUNTIME_CPU_FEATURES_H
#define DLC_RUNTIME_CPU_FEATURES_H

namespace dlc::runtime {

// Whether the feature of this LLVM name ("avx2", "avx512f", "neon") is there: the processor has it and the
// operating system saves its registers. Unknown names are not there.
bool cpu_has_feature(const char *name);

} // namespace dlc::runtime

#endif // DLC_RUNTIME_CPU_FEATURES_H
