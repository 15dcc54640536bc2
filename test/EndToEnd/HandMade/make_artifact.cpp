// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes the hand-made model's artifact: make_artifact IMAGE SYMBOLS OUTPUT, where IMAGE is the flat code of
// kernels.c and SYMBOLS what nm prints of it.
#include "compiler/Artifact/ArtifactWriter.h"

#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>

using namespace dlc::artifact;

namespace {

constexpr const char *sourceName = "handmade.dl";

std::string readFile(const char *path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

Kernel kernel(const std::string &name, const std::map<std::string, uint64_t> &symbols, uint64_t imageSize,
              uint32_t line) {
  Kernel result;
  result.name = name;
  auto found = symbols.find(name + "_kernel");
  if (found == symbols.end()) {
    fprintf(stderr, "make_artifact: no symbol %s_kernel\n", name.c_str());
    exit(1);
  }
  result.codeOffset = found->second;
  uint64_t end = imageSize;
  for (const auto &[other, offset] : symbols)
    if (offset > result.codeOffset && offset < end)
      end = offset;
  result.codeSize = end - result.codeOffset;
  result.locations = {{sourceName, line, 3}};
  return result;
}

Binding bind(BindingKind kind, uint32_t index, Access access, Expression bytes) {
  Binding binding;
  binding.kind = kind;
  binding.index = index;
  binding.access = access;
  binding.extent = bytes;
  return binding;
}

Command run(uint32_t kernel, Expression groups, std::vector<Binding> bindings, Expression flops,
            Expression bytes) {
  Command command;
  command.kernel = kernel;
  command.groups = groups;
  command.bindings = std::move(bindings);
  command.flops = flops;
  command.bytes = bytes;
  return command;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 4)
    return 1;
  std::string image = readFile(argv[1]);
  std::map<std::string, uint64_t> symbols;
  std::istringstream lines(readFile(argv[2]));
  for (std::string address, type, name; lines >> address >> type >> name;)
    if (type == "T" || type == "t")
      symbols[name] = std::stoull(address, nullptr, 16);

  constexpr int64_t pixels = 784, classes = 10;
  Expression n = Expression::symbol(0);
  Value images = {"image", Dtype::F32, {n, 1, 28, 28}}, labels = {"label", Dtype::I32, {n}};
  std::vector<Value> reports = {{"loss", Dtype::F32, {}, ReportKind::Value},
                                {"accuracy", Dtype::F32, {}, ReportKind::Metric}};

  ArtifactDescription model;
  model.compilerVersion = "0.1.0";
  model.sourceName = sourceName;
  model.entries = {
      {"init", EntryKind::Init, {}, {}, {}, {}},
      {"step", EntryKind::Train, {{"n"}}, {images, labels}, reports, {}},
      {"test", EntryKind::Eval, {{"n"}}, {images, labels}, reports, {}},
      {"predict", EntryKind::Infer, {{"n"}}, {images}, {{"scores", Dtype::F32, {n, classes}}}, {}}};
  enum { weight, bias, weightM, biasM, iteration, lr, seed, stepHits, stepCount, testHits, testCount };
  model.states = {{"fc.weight", Dtype::F32, {classes, pixels}, StateRole::Parameter},
                  {"fc.bias", Dtype::F32, {classes}, StateRole::Parameter},
                  {"step.fc.weight.m", Dtype::F32, {classes, pixels}, StateRole::Optimizer, 1, weight},
                  {"step.fc.bias.m", Dtype::F32, {classes}, StateRole::Optimizer, 1, bias},
                  {"step.iteration", Dtype::I64, {}, StateRole::Iteration, 1},
                  {"step.lr", Dtype::F64, {}, StateRole::Hyperparameter, 1, -1, 0.01},
                  {"seed", Dtype::I64, {}, StateRole::Seed},
                  {"step.accuracy.hits", Dtype::F32, {}, StateRole::Metric, 1},
                  {"step.accuracy.count", Dtype::F32, {}, StateRole::Metric, 1},
                  {"test.accuracy.hits", Dtype::F32, {}, StateRole::Metric, 2},
                  {"test.accuracy.count", Dtype::F32, {}, StateRole::Metric, 2}};
  model.fit = {{"data.loader", FitKind::Identifier, "mnist"},
               {"data.path", FitKind::String, "models/data/mnist"},
               {"train.entry", FitKind::Identifier, "step"},
               {"train.split", FitKind::Identifier, "train"},
               {"eval.entry", FitKind::Identifier, "test"},
               {"eval.split", FitKind::Identifier, "test"},
               {"batch", FitKind::Number, "", 64},
               {"epochs", FitKind::Number, "", 2}};

  Variant variant;
  variant.name = "x86-64-v3";
  variant.features = {"avx2", "fma", "bmi2", "f16c"};
  variant.code = image;
  variant.kernels = {kernel("init", symbols, image.size(), 1), kernel("step", symbols, image.size(), 2),
                     kernel("test", symbols, image.size(), 3), kernel("predict", symbols, image.size(), 4)};
  variant.kernels[1].scratch = 4 * (classes * pixels + 16 + pixels);

  auto state = [&](uint32_t index, Access access) {
    int64_t bytes = model.states[index].dtype == Dtype::F32 ? 4 : 8;
    for (int64_t dimension : model.states[index].dims)
      bytes *= dimension;
    return bind(BindingKind::State, index, access, bytes);
  };
  auto argument = [&](uint32_t index, Expression bytes) {
    return bind(BindingKind::Argument, index, Access::Read, bytes);
  };
  auto result = [&](uint32_t index, Expression bytes) {
    return bind(BindingKind::Result, index, Access::Write, bytes);
  };
  Expression imageBytes = n * (4 * pixels), labelBytes = n * 4, weightBytes = 4 * classes * pixels;
  Expression forward = n * (2 * pixels * classes);
  variant.plans.resize(4);
  variant.plans[0].commands = {
      run(0, 1,
          {state(seed, Access::Read), state(weight, Access::Write), state(bias, Access::Write),
           state(weightM, Access::Write), state(biasM, Access::Write)},
          0, 2 * 4 * (pixels + 1) * classes)};
  variant.plans[1].commands = {run(
      1, 1,
      {argument(0, imageBytes), argument(1, labelBytes), state(weight, Access::ReadWrite),
       state(bias, Access::ReadWrite), state(weightM, Access::ReadWrite), state(biasM, Access::ReadWrite),
       state(iteration, Access::ReadWrite), state(lr, Access::Read), state(seed, Access::Read),
       state(stepHits, Access::ReadWrite), state(stepCount, Access::ReadWrite), result(0, 4), result(1, 4)},
      forward * 2, imageBytes + weightBytes * 4)};
  variant.plans[2].commands = {
      run(2, 1,
          {argument(0, imageBytes), argument(1, labelBytes), state(weight, Access::Read),
           state(bias, Access::Read), state(testHits, Access::ReadWrite), state(testCount, Access::ReadWrite),
           result(0, 4), result(1, 4)},
          forward, imageBytes + weightBytes)};
  variant.plans[3].commands = {run(3, n,
                                   {argument(0, imageBytes), state(weight, Access::Read),
                                    state(bias, Access::Read), result(0, n * (4 * classes))},
                                   forward, imageBytes + weightBytes)};
  model.variants = {variant};

  std::string bytes = writeArtifact(model);
  std::ofstream(argv[3], std::ios::binary) << bytes;
  return 0;
}
