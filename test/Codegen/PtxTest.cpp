// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Dispatches of every kind as PTX: generated for sm_80 and sm_90a, checked for calls and approximations by
// the generator, and assembled by ptxas, without spills, where it is installed.

#include "compiler/Codegen/GPU/Ptx.h"
#include "mlir/Parser/Parser.h"
#include "test/Codegen/KernelTestbed.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include <gtest/gtest.h>

namespace dlc::test {
namespace {
using namespace mlir;

struct Case {
  const char *name, *text;
};

const Case cases[] = {
    {"elementwise", R"(
func.func @f(%x: !dl.tensor<[n, 10], f32>) -> !dl.tensor<[n, 10], f32> attributes {dl.symbols = ["n"]} {
  %r = dl.dispatch "k" (%x) : (!dl.tensor<[n, 10], f32>) -> (!dl.tensor<[n, 10], f32>) {
  ^bb0(%a: !dl.tensor<[n, 10], f32>):
    %b = dl.exp %a : !dl.tensor<[n, 10], f32>
    %c = dl.log %b : !dl.tensor<[n, 10], f32>
    %d = dl.tanh %c : !dl.tensor<[n, 10], f32>
    %e = dl.div %d, %a : !dl.tensor<[n, 10], f32>
    %g = dl.max %e, %b : !dl.tensor<[n, 10], f32>
    %h = dl.sqrt %g : !dl.tensor<[n, 10], f32>
    %i = dl.erf %h : !dl.tensor<[n, 10], f32>
    %j = dl.sin %i : !dl.tensor<[n, 10], f32>
    %k = dl.floor %j : !dl.tensor<[n, 10], f32>
    dl.yield %k : !dl.tensor<[n, 10], f32>
  }
  return %r : !dl.tensor<[n, 10], f32>
})"},
    {"softmax", R"(
func.func @f(%x: !dl.tensor<[n, 10], f32>) -> (!dl.tensor<[n, 10], f32>, !dl.tensor<[n], i32>)
    attributes {dl.symbols = ["n"]} {
  %r:2 = dl.dispatch "k" (%x) : (!dl.tensor<[n, 10], f32>) -> (!dl.tensor<[n, 10], f32>, !dl.tensor<[n], i32>) {
  ^bb0(%a: !dl.tensor<[n, 10], f32>):
    %m = dl.reduce max %a [1] : !dl.tensor<[n, 10], f32> to !dl.tensor<[n], f32>
    %mb = dl.broadcast %m [0] : !dl.tensor<[n], f32> to !dl.tensor<[n, 10], f32>
    %d = dl.sub %a, %mb : !dl.tensor<[n, 10], f32>
    %e = dl.exp %d : !dl.tensor<[n, 10], f32>
    %s = dl.reduce sum %e [1] : !dl.tensor<[n, 10], f32> to !dl.tensor<[n], f32>
    %sb = dl.broadcast %s [0] : !dl.tensor<[n], f32> to !dl.tensor<[n, 10], f32>
    %p = dl.div %e, %sb : !dl.tensor<[n, 10], f32>
    %i = dl.argmax %a 1 : !dl.tensor<[n, 10], f32> to !dl.tensor<[n], i32>
    dl.yield %p, %i : !dl.tensor<[n, 10], f32>, !dl.tensor<[n], i32>
  }
  return %r#0, %r#1 : !dl.tensor<[n, 10], f32>, !dl.tensor<[n], i32>
})"},
    {"bias_gradient", R"(
func.func @f(%x: !dl.tensor<[n, 5, 14, 14], f32>) -> !dl.tensor<[5], f32> attributes {dl.symbols = ["n"]} {
  %r = dl.dispatch "k" (%x) : (!dl.tensor<[n, 5, 14, 14], f32>) -> (!dl.tensor<[5], f32>) {
  ^bb0(%a: !dl.tensor<[n, 5, 14, 14], f32>):
    %s = dl.reduce sum %a [0, 2, 3] : !dl.tensor<[n, 5, 14, 14], f32> to !dl.tensor<[5], f32>
    dl.yield %s : !dl.tensor<[5], f32>
  }
  return %r : !dl.tensor<[5], f32>
})"},
    {"dropout", R"(
func.func @f(%x: !dl.tensor<[n, 64], f32>, %seed: !dl.tensor<[], i64>) -> !dl.tensor<[n, 64], f32>
    attributes {dl.symbols = ["n"]} {
  %r = dl.dispatch "k" (%x, %seed) : (!dl.tensor<[n, 64], f32>, !dl.tensor<[], i64>) -> (!dl.tensor<[n, 64], f32>) {
  ^bb0(%a: !dl.tensor<[n, 64], f32>, %s: !dl.tensor<[], i64>):
    %u.key = dl.random_key site 5 seed %s
    %u = dl.random key %u.key iteration %s : !dl.tensor<[n, 64], f32>
    %p = dl.constant 0.25 : f32 : !dl.tensor<[n, 64], f32>
    %z = dl.constant 0.0 : f32 : !dl.tensor<[n, 64], f32>
    %c = dl.compare ge %u, %p : !dl.tensor<[n, 64], f32>
    %d = dl.select %c, %a, %z : !dl.tensor<[n, 64], f32>
    dl.yield %d : !dl.tensor<[n, 64], f32>
  }
  return %r : !dl.tensor<[n, 64], f32>
})"},
    {"scalars", R"(
func.func @f(%x: !dl.tensor<[], f64>, %i: !dl.tensor<[], i64>) -> !dl.tensor<[], f32> attributes {dl.symbols = []} {
  %r = dl.dispatch "k" (%x, %i) : (!dl.tensor<[], f64>, !dl.tensor<[], i64>) -> (!dl.tensor<[], f32>) {
  ^bb0(%a: !dl.tensor<[], f64>, %b: !dl.tensor<[], i64>):
    %c = dl.cast %b : !dl.tensor<[], i64> to !dl.tensor<[], f64>
    %p = dl.pow %a, %c : !dl.tensor<[], f64>
    %q = dl.max %p, %a : !dl.tensor<[], f64>
    %d = dl.cast %q : !dl.tensor<[], f64> to !dl.tensor<[], f32>
    dl.yield %d : !dl.tensor<[], f32>
  }
  return %r : !dl.tensor<[], f32>
})"},
    {"pool_gradient", R"(
func.func @f(%x: !dl.tensor<[n, 3, 28, 28], f32>, %g: !dl.tensor<[n, 3, 14, 14], f32>)
    -> !dl.tensor<[n, 3, 28, 28], f32> attributes {dl.symbols = ["n"]} {
  %r = dl.dispatch "k" (%x, %g) : (!dl.tensor<[n, 3, 28, 28], f32>, !dl.tensor<[n, 3, 14, 14], f32>)
      -> (!dl.tensor<[n, 3, 28, 28], f32>) {
  ^bb0(%a: !dl.tensor<[n, 3, 28, 28], f32>, %b: !dl.tensor<[n, 3, 14, 14], f32>):
    %y = dl.max_pool_grad %a, %b window [2, 2] strides [2, 2] padding [0, 0] to [0, 0]
      : (!dl.tensor<[n, 3, 28, 28], f32>, !dl.tensor<[n, 3, 14, 14], f32>) -> !dl.tensor<[n, 3, 28, 28], f32>
    dl.yield %y : !dl.tensor<[n, 3, 28, 28], f32>
  }
  return %r : !dl.tensor<[n, 3, 28, 28], f32>
})"},
    {"linear_relu", R"(
func.func @f(%x: !dl.tensor<[n, 300], f32>, %w: !dl.tensor<[10, 300], f32>, %b: !dl.tensor<[10], f32>)
    -> !dl.tensor<[n, 10], f32> attributes {dl.symbols = ["n"]} {
  %r = dl.dispatch "k" (%x, %w, %b) : (!dl.tensor<[n, 300], f32>, !dl.tensor<[10, 300], f32>, !dl.tensor<[10], f32>)
      -> (!dl.tensor<[n, 10], f32>) {
  ^bb0(%a: !dl.tensor<[n, 300], f32>, %c: !dl.tensor<[10, 300], f32>, %d: !dl.tensor<[10], f32>):
    %y = dl.contract "mk,nk->mn" %a, %c : (!dl.tensor<[n, 300], f32>, !dl.tensor<[10, 300], f32>)
      -> !dl.tensor<[n, 10], f32>
    %e = dl.broadcast %d [1] : !dl.tensor<[10], f32> to !dl.tensor<[n, 10], f32>
    %g = dl.add %y, %e : !dl.tensor<[n, 10], f32>
    %z = dl.constant 0.0 : f32 : !dl.tensor<[n, 10], f32>
    %h = dl.max %z, %g : !dl.tensor<[n, 10], f32>
    dl.yield %h : !dl.tensor<[n, 10], f32>
  }
  return %r : !dl.tensor<[n, 10], f32>
})"},
    {"convolution", R"(
func.func @f(%x: !dl.tensor<[n, 4, 14, 14], f32>, %w: !dl.tensor<[6, 2, 3, 3], f32>)
    -> !dl.tensor<[n, 6, 7, 7], f32> attributes {dl.symbols = ["n"]} {
  %r = dl.dispatch "k" (%x, %w) : (!dl.tensor<[n, 4, 14, 14], f32>, !dl.tensor<[6, 2, 3, 3], f32>)
      -> (!dl.tensor<[n, 6, 7, 7], f32>) {
  ^bb0(%a: !dl.tensor<[n, 4, 14, 14], f32>, %b: !dl.tensor<[6, 2, 3, 3], f32>):
    %y = dl.conv %a, %b strides [2, 2] padding [1, 1] to [1, 1] dilations [1, 1] groups 2
      : (!dl.tensor<[n, 4, 14, 14], f32>, !dl.tensor<[6, 2, 3, 3], f32>) -> !dl.tensor<[n, 6, 7, 7], f32>
    dl.yield %y : !dl.tensor<[n, 6, 7, 7], f32>
  }
  return %r : !dl.tensor<[n, 6, 7, 7], f32>
})"},
    {"convolution_input_gradient", R"(
func.func @f(%g: !dl.tensor<[n, 6, 7, 7], f32>, %w: !dl.tensor<[6, 2, 3, 3], f32>)
    -> !dl.tensor<[n, 4, 14, 14], f32> attributes {dl.symbols = ["n"]} {
  %r = dl.dispatch "k" (%g, %w) : (!dl.tensor<[n, 6, 7, 7], f32>, !dl.tensor<[6, 2, 3, 3], f32>)
      -> (!dl.tensor<[n, 4, 14, 14], f32>) {
  ^bb0(%a: !dl.tensor<[n, 6, 7, 7], f32>, %b: !dl.tensor<[6, 2, 3, 3], f32>):
    %y = dl.conv_input_grad %a, %b strides [2, 2] padding [1, 1] to [1, 1] dilations [1, 1] groups 2
      : (!dl.tensor<[n, 6, 7, 7], f32>, !dl.tensor<[6, 2, 3, 3], f32>) -> !dl.tensor<[n, 4, 14, 14], f32>
    dl.yield %y : !dl.tensor<[n, 4, 14, 14], f32>
  }
  return %r : !dl.tensor<[n, 4, 14, 14], f32>
})"},
    {"convolution_weight_gradient", R"(
func.func @f(%g: !dl.tensor<[n, 6, 7, 7], f32>, %x: !dl.tensor<[n, 4, 14, 14], f32>)
    -> !dl.tensor<[6, 2, 3, 3], f32> attributes {dl.symbols = ["n"]} {
  %r = dl.dispatch "k" (%g, %x) : (!dl.tensor<[n, 6, 7, 7], f32>, !dl.tensor<[n, 4, 14, 14], f32>)
      -> (!dl.tensor<[6, 2, 3, 3], f32>) {
  ^bb0(%a: !dl.tensor<[n, 6, 7, 7], f32>, %b: !dl.tensor<[n, 4, 14, 14], f32>):
    %y = dl.conv_weight_grad %a, %b strides [2, 2] padding [1, 1] to [1, 1] dilations [1, 1] groups 2
      : (!dl.tensor<[n, 6, 7, 7], f32>, !dl.tensor<[n, 4, 14, 14], f32>) -> !dl.tensor<[6, 2, 3, 3], f32>
    dl.yield %y : !dl.tensor<[6, 2, 3, 3], f32>
  }
  return %r : !dl.tensor<[6, 2, 3, 3], f32>
})"},
};

void assemble(const std::string &ptx, const std::string &target, const std::string &name) {
  auto program = llvm::sys::findProgramByName("ptxas");
  if (!program) {
    printf("%-28s %-7s not assembled: there is no ptxas\n", name.c_str(), target.c_str());
    return; // the generator has checked the text
  }
  SmallString<128> input, log;
  ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("dlc-kernel", "ptx", input));
  ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("dlc-kernel", "log", log));
  llvm::FileRemover removeInput(input), removeLog(log);
  {
    std::error_code code;
    llvm::raw_fd_ostream stream(input, code);
    stream << ptx;
  }
  std::string architecture = "-arch=" + target;
  StringRef arguments[] = {*program, "-v", architecture, "-o", "/dev/null", input};
  std::optional<StringRef> redirects[] = {StringRef(), StringRef(log), StringRef(log)};
  int status = llvm::sys::ExecuteAndWait(*program, arguments, std::nullopt, redirects);
  auto text = llvm::MemoryBuffer::getFile(log);
  std::string output = text ? (*text)->getBuffer().str() : "";
  EXPECT_EQ(status, 0) << name << " for " << target << ":\n" << output << ptx;
  EXPECT_NE(output.find("0 bytes spill stores, 0 bytes spill loads"), std::string::npos) << name << "\n"
                                                                                         << output;
  size_t used = output.find("Used ");
  printf("%-28s %-7s %s", name.c_str(), target.c_str(),
         used == std::string::npos ? "\n" : output.substr(used, output.find('\n', used) - used + 1).c_str());
}

TEST(Ptx, RefusesWhatStrictArithmeticForbids) {
  for (std::string instruction :
       {"call.uni (r), expf, (x);", "sqrt.approx.f32 %f2, %f1;", "div.full.f32 %f3, %f1, %f2;",
        "add.rn.ftz.f32 %f3, %f1, %f2;", "add.f32 %f3, %f1, %f2;", "mul.f64 %d3, %d1, %d2;"}) {
    std::string error, text = ".entry k(\n)\n{\n  " + instruction + "\n}\n";
    EXPECT_TRUE(failed(codegen::finishPtx(text, {"k"}, error))) << instruction;
    EXPECT_EQ(error, "the PTX has \"" + instruction + "\", which strict arithmetic forbids");
  }
  std::string error;
  EXPECT_TRUE(succeeded(codegen::finishPtx(
      ".entry k(\n)\n{\n  div.rn.f32 %f3, %f1, %f2;\n  add.rn.f32 %f3, %f1, %f2;\n}\n", {"k"}, error)))
      << error;
}

TEST(Ptx, AssemblesEveryKindOfDispatch) {
  KernelTestbed testbed;
  for (const Case &one : cases) {
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(one.text, &testbed.context);
    ASSERT_TRUE(module) << one.name;
    for (const codegen::TargetDescription *target :
         codegen::targetsOfKind(codegen::TargetDescription::Kind::Cuda)) {
      OwningOpRef<ModuleOp> kernels = ModuleOp::create(module->getLoc());
      dl::DispatchOp dispatch;
      module->walk([&](dl::DispatchOp op) { dispatch = op; });
      FailureOr<codegen::Kernel> kernel = codegen::generateKernel(dispatch, *target, *kernels, one.name);
      ASSERT_TRUE(succeeded(kernel)) << one.name;
      FailureOr<codegen::CodeImage> image = codegen::emitImage(*kernels, *target);
      ASSERT_TRUE(succeeded(image)) << one.name;
      ASSERT_EQ(image->kernels.size(), 1u);
      EXPECT_EQ(image->kernels[0].name, one.name);
      assemble(image->bytes, target->name, one.name);
    }
  }
}

} // namespace
} // namespace dlc::test
