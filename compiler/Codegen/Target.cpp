// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "compiler/Codegen/Target.h"

namespace dlc::codegen {

static std::vector<TargetDescription> makeTargets() {
  std::vector<TargetDescription> targets;
  {
    TargetDescription v3;
    v3.name = v3.cpu = "x86-64-v3";
    v3.triple = "x86_64-unknown-linux-gnu";
    v3.requiredFeatures = {"avx2", "bmi2", "f16c", "fma"};
    targets.push_back(v3);
  }
  {
    TargetDescription v4;
    v4.name = v4.cpu = "x86-64-v4";
    v4.triple = "x86_64-unknown-linux-gnu";
    v4.requiredFeatures = {"avx2",     "bmi2",     "f16c",     "fma",     "avx512f",
                           "avx512bw", "avx512cd", "avx512dq", "avx512vl"};
    v4.registerLanes = 16;
    v4.tileRows = 14;
    v4.tileColumns = 32;
    v4.blockRows = 224;
    v4.preferredVectorBits = 512;
    targets.push_back(v4);
  }
  for (auto [name, ptx] : {std::pair("sm_80", 70), std::pair("sm_90a", 80)}) {
    TargetDescription gpu;
    gpu.name = gpu.cpu = name;
    gpu.kind = TargetDescription::Kind::Cuda;
    gpu.triple = "nvptx64-nvidia-cuda";
    gpu.features = "+ptx" + std::to_string(ptx);
    gpu.requiredFeatures = {name};
    gpu.lanes = gpu.registerLanes = 1;
    targets.push_back(gpu);
  }
  return targets;
}

static const std::vector<TargetDescription> &allTargets() {
  static const std::vector<TargetDescription> targets = makeTargets();
  return targets;
}

const TargetDescription *findTarget(llvm::StringRef name) {
  for (const TargetDescription &target : allTargets())
    if (target.name == name)
      return &target;
  return nullptr;
}

std::vector<const TargetDescription *> targetsOfKind(TargetDescription::Kind kind) {
  std::vector<const TargetDescription *> result;
  for (const TargetDescription &target : allTargets())
    if (target.kind == kind)
      result.push_back(&target);
  return result;
}

} // namespace dlc::codegen
