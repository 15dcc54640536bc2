// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What code generation knows about the machine that a variant runs on.

#ifndef DLC_COMPILER_CODEGEN_TARGET_H
#define DLC_COMPILER_CODEGEN_TARGET_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>
#include <vector>

namespace dlc::codegen {

struct TargetDescription {
  enum class Kind : uint8_t { Cpu, Cuda };

  std::string name; ///< "x86-64-v3", "x86-64-v4", "sm_80", "sm_90a".
  Kind kind = Kind::Cpu;
  std::string triple, cpu, features; ///< For LLVM's TargetMachine.
  /// What the artifact asks of the machine ("avx2", "fma", …); the runtime checks them.
  std::vector<std::string> requiredFeatures;

  /// Logical lanes of the kernels' vectors: 16 on every CPU (LLVM splits them into registers), 1 on a GPU.
  /// Part of the numerics: reductions have 16 lanes whatever the registers are.
  int64_t lanes = 16;
  /// f32 elements of one vector register.
  int64_t registerLanes = 8;
  /// Contraction micro-kernel: rows × columns of the register tile; columns are a multiple of `lanes`.
  int64_t tileRows = 6, tileColumns = 16;
  /// Cache blocking of contractions: rows of A kept packed at a time.
  int64_t blockRows = 192;
  /// "prefer-vector-width" in bits; 0: LLVM's choice.
  int64_t preferredVectorBits = 256;
  /// Row kernels give a work-group at least this many bytes of traffic.
  int64_t groupBytes = 32 * 1024;
  int64_t blockThreads = 128; ///< CUDA: threads of a block.

  bool isCpu() const { return kind == Kind::Cpu; }
};

/// The description of a variant by its name, or null.
const TargetDescription *findTarget(llvm::StringRef name);

/// All variants of a kind, from the least to the most demanding.
std::vector<const TargetDescription *> targetsOfKind(TargetDescription::Kind kind);

} // namespace dlc::codegen

#endif // DLC_COMPILER_CODEGEN_TARGET_H
