// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/Runtime/Models.h"
#include "test/Runtime/kernels.h"

#include <gtest/gtest.h>

namespace dlc::test {

using namespace artifact;

Variant makeVariant(size_t entryCount, const std::string &name) {
  Variant variant;
  variant.name = name;
  const unsigned char *start = __start_dlc_kernels, *stop = __stop_dlc_kernels;
  variant.code.assign(start, stop);
  auto add = [&](const char *kernelName, dlc_kernel_t function, Expression scratch = 0) {
    Kernel kernel;
    kernel.name = kernelName;
    kernel.codeOffset = uint64_t(reinterpret_cast<const unsigned char *>(function) - start);
    kernel.codeSize = 16; // shown by inspect only; all are longer
    kernel.scratch = std::move(scratch);
    kernel.locations = {{"little.dl", uint32_t(10 + variant.kernels.size()), 3}};
    variant.kernels.push_back(std::move(kernel));
  };
  add("init", kernel_init);
  add("predict", kernel_predict);
  add("step", kernel_step);
  add("addresses", kernel_addresses);
  add("mark", kernel_mark, 128);
  add("add", kernel_add);
  add("append", kernel_append);
  add("overrun", kernel_overrun);
  add("control", kernel_control);
  add("copy", kernel_copy);
  add("report", kernel_report);
  variant.plans.resize(entryCount);
  return variant;
}

Import reportImport() {
  auto *slot = reinterpret_cast<const volatile unsigned char *>(&kernel_report_slot);
  return {"__asan_report_load4", uint64_t(slot - __start_dlc_kernels)};
}

Binding bind(BindingKind kind, uint32_t index, Access access, Expression extent, Expression offset,
             std::vector<LoopTerm> terms) {
  return {kind, index, access, std::move(offset), std::move(extent), std::move(terms)};
}

Command run(uint32_t kernel, Expression groups, std::vector<Binding> bindings) {
  Command command;
  command.kernel = kernel;
  command.groups = std::move(groups);
  command.bindings = std::move(bindings);
  return command;
}

Command loop(Expression count, std::vector<Command> body) {
  Command command;
  command.kind = Command::Kind::Loop;
  command.count = std::move(count);
  command.body = std::move(body);
  return command;
}

ArtifactDescription makeOneEntry(Entry entry, Plan plan) {
  ArtifactDescription description;
  description.compilerVersion = "test";
  description.sourceName = "one.dl";
  entry.name = "run";
  description.entries = {std::move(entry)};
  description.variants = {makeVariant(1)};
  description.variants[0].plans[0] = std::move(plan);
  return description;
}

namespace {

enum StateIndex : uint32_t { W, M, Iteration, Lr, Seed, Count };
enum EntryIndex : uint32_t { Init, Step, Test, Predict };

std::vector<Plan> makeLittlePlans() {
  Expression n = Expression::symbol(0);
  Expression rows = n * 12;
  Binding x = bind(BindingKind::Argument, 0, Access::Read, rows);
  Binding w = bind(BindingKind::State, W, Access::Read, 24);
  Binding updatedW = bind(BindingKind::State, W, Access::ReadWrite, 24);
  std::vector<Plan> plans(4);

  plans[Init].commands = {
      run(InitKernel, 1,
          {bind(BindingKind::State, Seed, Access::Read, 8), bind(BindingKind::State, W, Access::Write, 24)})};

  // The argument takes a detour through two buffers.
  plans[Step].buffers = {{rows, {}}, {rows, {0}}};
  auto copyRows = [&](Binding from, Binding to) {
    from.extent = to.extent = n * 4;
    from.terms = to.terms = {{n * 4}};
    return loop(3, {run(CopyKernel, 1, {std::move(from), std::move(to)})});
  };
  plans[Step].commands = {
      copyRows(x, bind(BindingKind::Buffer, 0, Access::Write, rows)),
      copyRows(bind(BindingKind::Buffer, 0, Access::Read, rows),
               bind(BindingKind::Buffer, 1, Access::Write, rows)),
      run(StepKernel, 1,
          {bind(BindingKind::Buffer, 1, Access::Read, rows), bind(BindingKind::State, Lr, Access::Read, 8),
           updatedW, bind(BindingKind::State, M, Access::ReadWrite, 24),
           bind(BindingKind::State, Iteration, Access::ReadWrite, 8),
           bind(BindingKind::State, Count, Access::ReadWrite, 4),
           bind(BindingKind::Result, 0, Access::Write, 4)}),
  };
  plans[Step].commands.back().flops = n * 6 + 18;
  plans[Step].commands.back().bytes = n * 12 + 48;

  plans[Test].commands = {
      run(AppendKernel, 1,
          {bind(BindingKind::State, Seed, Access::Read, 8), bind(BindingKind::Result, 0, Access::Write, 8)})};
  plans[Predict].commands = {
      run(PredictKernel, n, {x, w, bind(BindingKind::Result, 0, Access::Write, rows)})};
  return plans;
}

} // namespace

ArtifactDescription makeLittleModel() {
  Expression n = Expression::symbol(0);
  ArtifactDescription description;
  description.compilerVersion = "test";
  description.sourceName = "little.dl";
  description.sourceHash = 42;
  description.flags = "--max n=64";
  Value x = {"x", Dtype::F32, {n, 3}, ReportKind::None};
  std::vector<Symbol> symbols = {{"n", 1, 64, 1}};
  description.entries = {
      {"init", EntryKind::Init, {}, {}, {}, {}},
      {"step", EntryKind::Train, symbols, {x}, {{"loss", Dtype::F32, {}, ReportKind::Value}}, {}},
      {"test", EntryKind::Eval, symbols, {x}, {{"seed", Dtype::I64, {}, ReportKind::Metric}}, {}},
      {"predict", EntryKind::Infer, symbols, {x}, {{"y", Dtype::F32, {n, 3}, ReportKind::None}}, {}},
  };
  description.entries.back().constraints = {{Expression(64) - n, "y needs 64 - n >= 0", {"little.dl", 7, 3}}};
  description.states = {
      {"w", Dtype::F32, {2, 3}, StateRole::Parameter, -1, -1, 0},
      {"step.m.w", Dtype::F32, {2, 3}, StateRole::Optimizer, Step, W, 0},
      {"step.iteration", Dtype::I64, {}, StateRole::Iteration, Step, -1, 0},
      {"step.lr", Dtype::F64, {}, StateRole::Hyperparameter, Step, -1, 0.5},
      {"seed", Dtype::I64, {}, StateRole::Seed, -1, -1, 0},
      {"step.count", Dtype::F32, {}, StateRole::Metric, Step, -1, 2},
  };
  description.variants = {makeVariant(4), makeVariant(4, "impossible")};
  description.variants[1].features = {"no-such-feature", "nor-this"};
  for (Variant &variant : description.variants) {
    variant.layouts.resize(description.states.size());
    variant.layouts[W].permutation = {1, 0};
    variant.plans = makeLittlePlans();
  }
  description.variants[0].constants = "constants";
  description.fit = {{"data.loader", FitKind::Identifier, "mnist", 0}, {"batch", FitKind::Number, "", 64}};
  return description;
}

ArtifactHandle load(const ArtifactDescription &description) {
  std::string bytes = writeArtifact(description);
  dlc_artifact_t *result = nullptr;
  dlc_status_t status;
  EXPECT_EQ(dlc_artifact_load_memory(bytes.data(), bytes.size(), nullptr, &result, &status), DLC_OK)
      << status.message;
  return ArtifactHandle(result);
}

SessionHandle open(dlc_artifact_t *artifact, dlc_session_options_t options) {
  dlc_session_t *result = nullptr;
  dlc_status_t status;
  EXPECT_EQ(dlc_session_create(artifact, &options, &result, &status), DLC_OK) << status.message;
  return SessionHandle(result);
}

dlc_status_t loadBroken(const std::string &bytes) {
  dlc_artifact_t *result = nullptr;
  dlc_status_t status;
  dlc_code_t code = dlc_artifact_load_memory(bytes.data(), bytes.size(), nullptr, &result, &status);
  EXPECT_NE(code, DLC_OK);
  EXPECT_EQ(code, status.code);
  EXPECT_EQ(result, nullptr);
  dlc_artifact_release(result);
  return status;
}

dlc_tensor_t tensor(void *data, dlc_dtype_t dtype, std::vector<int64_t> dims) {
  dlc_tensor_t result = {data, dtype, int32_t(dims.size()), {}};
  std::copy(dims.begin(), dims.end(), result.dims);
  return result;
}

} // namespace dlc::test
