// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tests that a kernel compiled with the sanitizer becomes an image with imports, and that in a process with
// AddressSanitizer it runs and is caught when it leaves its buffer.

#include "compiler/Codegen/Lowering.h"
#include "runtime/dlc_runtime.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/SourceMgr.h"
#include <gtest/gtest.h>

namespace {

using namespace dlc;

/// out[0] = in[dims[0]]: element 4 is outside the argument.
constexpr const char kernelText[] = R"(
  define void @kernel(ptr %args) sanitize_address {
    %buffers = load ptr, ptr %args
    %inPlace = getelementptr ptr, ptr %buffers, i64 0
    %outPlace = getelementptr ptr, ptr %buffers, i64 1
    %in = load ptr, ptr %inPlace
    %out = load ptr, ptr %outPlace
    %dimsPlace = getelementptr ptr, ptr %args, i64 1
    %dims = load ptr, ptr %dimsPlace
    %n = load i64, ptr %dims
    %element = getelementptr float, ptr %in, i64 %n
    %value = load float, ptr %element
    store float %value, ptr %out
    ret void
  }
)";

codegen::CodeImage compile(bool sanitize) {
  const codegen::TargetDescription *target = codegen::findTarget("x86-64-v3");
  codegen::LlvmKernels kernels;
  kernels.context = std::make_unique<llvm::LLVMContext>();
  llvm::SMDiagnostic diagnostic;
  kernels.module = llvm::parseAssemblyString(kernelText, diagnostic, *kernels.context);
  kernels.names = {"kernel"};
  std::string error;
  codegen::LoweringOptions options;
  options.sanitize = sanitize;
  auto image = codegen::compileKernels(kernels, *target, error, options);
  EXPECT_TRUE(succeeded(image)) << error;
  return failed(image) ? codegen::CodeImage() : *image;
}

TEST(Sanitize, OnlyInstrumentedImagesHaveImports) {
  EXPECT_TRUE(compile(false).imports.empty());
  codegen::CodeImage image = compile(true);
  ASSERT_FALSE(image.imports.empty());
  for (const artifact::Import &import : image.imports) {
    EXPECT_EQ(import.name.substr(0, 14), "__asan_report_");
    EXPECT_EQ(import.slot % 8, 0u);
    EXPECT_EQ(image.bytes.substr(import.slot, 8), std::string(8, '\0'));
  }
}

TEST(Sanitize, CatchesAReadBehindAnArgument) {
  codegen::CodeImage image = compile(true);
  artifact::ArtifactDescription description;
  description.entries = {{"run", artifact::EntryKind::Infer, {{"i", 0, 100, 1}}, {}, {}, {}}};
  description.entries[0].arguments = {{"in", artifact::Dtype::F32, {4}, artifact::ReportKind::None}};
  description.entries[0].results = {{"out", artifact::Dtype::F32, {}, artifact::ReportKind::None}};
  artifact::Variant variant;
  variant.name = "x86-64-v3";
  variant.code = image.bytes;
  variant.imports = image.imports;
  variant.kernels.resize(1);
  variant.kernels[0].name = "kernel";
  variant.kernels[0].codeOffset = image.kernels[0].offset;
  artifact::Command command;
  command.bindings = {{artifact::BindingKind::Argument, 0, artifact::Access::Read, 0, 16, {}},
                      {artifact::BindingKind::Result, 0, artifact::Access::Write, 0, 4, {}}};
  variant.plans.resize(1);
  variant.plans[0].commands = {command};
  description.variants = {variant};
  std::string bytes = artifact::writeArtifact(description);

  dlc_artifact_t *loaded = nullptr;
  dlc_status_t status;
  ASSERT_EQ(dlc_artifact_load_memory(bytes.data(), bytes.size(), nullptr, &loaded, &status), DLC_OK)
      << status.message;
  dlc_variant_info_t info;
  ASSERT_EQ(dlc_artifact_variant(loaded, 0, &info, &status), DLC_OK);
#if __has_feature(address_sanitizer)
  dlc_session_options_t options = {};
  options.threads = 1;
  options.flags = DLC_SESSION_RED_ZONES;
  dlc_session_t *session = nullptr;
  ASSERT_EQ(dlc_session_create(loaded, &options, &session, &status), DLC_OK) << status.message;
  float in[4] = {1, 2, 3, 4}, out = 0;
  dlc_tensor_t argument = {in, DLC_F32, 1, {4}}, result = {&out, DLC_F32, 0, {}};
  auto run = [&](int64_t index) {
    dlc_prepared_t *prepared;
    if (dlc_session_prepare(session, 0, &index, 1, &prepared, &status) == DLC_OK)
      dlc_prepared_run(prepared, &argument, 1, &result, 1, &status);
  };
  run(3);
  EXPECT_EQ(status.code, DLC_OK) << status.message;
  EXPECT_EQ(out, 4);
  EXPECT_DEATH(run(4), "AddressSanitizer: use-after-poison");
  dlc_session_release(session);
#else
  EXPECT_FALSE(info.usable);
  EXPECT_NE(std::string(info.missing).find("AddressSanitizer"), std::string::npos);
#endif
  dlc_artifact_release(loaded);
}

} // namespace
