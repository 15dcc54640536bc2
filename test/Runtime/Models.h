// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Hand-made artifacts for the tests of the runtime, and short ways to load and run them.

#ifndef DLC_TEST_RUNTIME_MODELS_H
#define DLC_TEST_RUNTIME_MODELS_H

#include "compiler/Artifact/ArtifactWriter.h"
#include "runtime/dlc_runtime.h"

#include <memory>
#include <string>
#include <vector>

namespace dlc::test {

enum KernelIndex : uint32_t {
  InitKernel,
  PredictKernel,
  StepKernel,
  AddressesKernel,
  MarkKernel,
  AddKernel,
  AppendKernel,
  OverrunKernel,
  ControlKernel,
  CopyKernel,
  ReportKernel,
};

/// A variant that every machine can run, with all test kernels and empty plans.
artifact::Variant makeVariant(size_t entryCount, const std::string &name = "generic");

/// A description with one infer entry "run" whose plan is given.
artifact::ArtifactDescription makeOneEntry(artifact::Entry entry, artifact::Plan plan);

/// A model with everything: states of every role (the parameter w f32[2,3] is kept transposed), an init, a
/// train, an eval and an infer entry, a loop, two variants, fit defaults. `step` and `predict` take x
/// f32[n,3].
artifact::ArtifactDescription makeLittleModel();

/// Where kernel_report expects the address of __asan_report_load4.
artifact::Import reportImport();

artifact::Binding bind(artifact::BindingKind kind, uint32_t index, artifact::Access access,
                       artifact::Expression extent, artifact::Expression offset = 0,
                       std::vector<artifact::LoopTerm> terms = {});
artifact::Command run(uint32_t kernel, artifact::Expression groups, std::vector<artifact::Binding> bindings);
artifact::Command loop(artifact::Expression count, std::vector<artifact::Command> body);

struct ArtifactDeleter {
  void operator()(dlc_artifact_t *artifact) const { dlc_artifact_release(artifact); }
};
struct SessionDeleter {
  void operator()(dlc_session_t *session) const { dlc_session_release(session); }
};
using ArtifactHandle = std::unique_ptr<dlc_artifact_t, ArtifactDeleter>;
using SessionHandle = std::unique_ptr<dlc_session_t, SessionDeleter>;

/// Loads from memory; a failure is a test failure and gives null.
ArtifactHandle load(const artifact::ArtifactDescription &description);
SessionHandle open(dlc_artifact_t *artifact, dlc_session_options_t options = {});
/// Loads bytes that must be refused; returns the status.
dlc_status_t loadBroken(const std::string &bytes);

/// A dense tensor over the caller's memory.
dlc_tensor_t tensor(void *data, dlc_dtype_t dtype, std::vector<int64_t> dims);

} // namespace dlc::test

#endif // DLC_TEST_RUNTIME_MODELS_H
