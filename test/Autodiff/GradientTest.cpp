// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks every differentiable operation against central differences in f64, first and second order, on random
// shapes. The operations are found in the dialect's registry: one that is differentiable and has no case
// fails, and so does one that is neither differentiable nor excused by name.

#include "test/Autodiff/GradientCases.h"

#include "compiler/Autodiff/Autodiff.h"
#include "compiler/Dialect/Dl.h"
#include "compiler/Reference/Evaluator.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringExtras.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

namespace dlc::test {
namespace {

using namespace mlir;
using reference::Tensor;

constexpr double kTolerance = 1e-7; // relative to max(1, |expected|); differences of fourth order reach 1e-10
constexpr int kShapes = 3;          // random values of n and t per case

class GradientTest : public ::testing::Test {
protected:
  GradientTest() {
    context.disableMultithreading();
    context.loadDialect<dl::DlDialect, func::FuncDialect>();
  }

  /// `<[n, 3]>` becomes `!dl.tensor<[n, 3], f64>`.
  static std::string expand(const std::string &text) {
    std::string result;
    for (size_t i = 0; i < text.size(); ++i) {
      result += text[i];
      if (text[i] == ']' && i + 1 < text.size() && text[i + 1] == '>') {
        result.insert(result.rfind("<["), "!dl.tensor");
        result += ", f64";
      }
    }
    return result;
  }

  static std::string argument(size_t i) { return std::string("%") + static_cast<char>('a' + i); }

  /// A function of the case's inputs, a weight %w of r's shape and, for second order, a weight per input. It
  /// returns the gradients of sum(r * w), or sum over them of gradient * weight.
  static std::string functionText(const GradientCase &test, bool secondOrder) {
    std::string parameters, names, types, sum;
    for (auto [i, shape] : llvm::enumerate(test.inputs)) {
      std::string index = std::to_string(i), type = "<" + shape + ">";
      parameters += argument(i) + ": " + type + ", ";
      if (secondOrder)
        parameters += "%v" + index + ": " + type + ", ";
      names += (i ? ", " : "") + argument(i);
      types += (i ? ", " : "") + type;
      sum += "%k" + index + " = dl.mul %g#" + index + ", %v" + index + " : " + type + "\n" + "%m" + index +
             " = dl.reduce sum %k" + index + " [" + axesOf(shape) + "] : " + type + " to <[]>\n" + "%n" +
             index + " = dl.add %n" + (i ? std::to_string(i - 1) : "_") + ", %m" + index + " : <[]>\n";
    }
    std::string count = std::to_string(test.inputs.size()), r = "<" + test.result + ">";
    std::string text = "func.func @f(" + parameters + "%w: " + r + ") -> (" + (secondOrder ? "<[]>" : types) +
                       ") {\n" + test.body + "\n%weighted = dl.mul %r, %w : " + r +
                       "\n%loss = dl.reduce sum %weighted [" + axesOf(test.result) + "] : " + r +
                       " to <[]>\n" + "%g:" + count + " = dl.gradient %loss wrt(" + names + ") : <[]>, (" +
                       types + ")\n";
    if (secondOrder)
      text += "%n_ = dl.constant 0.0 : f64 : <[]>\n" + sum + "return %n" +
              std::to_string(test.inputs.size() - 1) + " : <[]>\n}\n";
    else
      text += "return " + gradients(test.inputs.size()) + " : " + types + "\n}\n";
    return expand(text);
  }

  static std::string gradients(size_t count) {
    std::string names;
    for (size_t i = 0; i < count; ++i)
      names += (i ? ", %g#" : "%g#") + std::to_string(i);
    return names;
  }

  /// "0, 1, 2" for "[n, 3, t]".
  static std::string axesOf(const std::string &shape) {
    std::string axes;
    if (shape == "[]")
      return axes;
    for (int axis = 0, rank = 1 + llvm::count(shape, ','); axis < rank; ++axis)
      axes += (axis ? ", " : "") + std::to_string(axis);
    return axes;
  }

  /// Expands the requests, and with `optimized` also cleans up as the compiler does.
  bool differentiate(ModuleOp module, bool optimized) {
    PassManager passes(&context);
    passes.addPass(autodiff::createDifferentiatePass());
    if (optimized) {
      passes.addPass(autodiff::createHoistScanAccumulationsPass());
      passes.addPass(createCanonicalizerPass());
      passes.addPass(createCSEPass());
    }
    return succeeded(passes.run(module)) && succeeded(verify(module));
  }

  /// Asks for the gradients of the function's result with respect to all arguments, and returns these.
  void requestGradients(ModuleOp module) {
    auto function = *module.getOps<func::FuncOp>().begin();
    Operation *terminator = function.getBody().front().getTerminator();
    OpBuilder builder(terminator);
    auto request = dl::GradientOp::create(builder, function.getLoc(), function.getArgumentTypes(),
                                          terminator->getOperand(0), function.getArguments());
    terminator->setOperands(request.getGradients());
    function.setType(builder.getFunctionType(function.getArgumentTypes(), function.getArgumentTypes()));
  }

  SmallVector<Tensor> evaluate(ModuleOp module, unsigned seed, double low, double high) {
    auto function = *module.getOps<func::FuncOp>().begin();
    std::mt19937_64 random(seed);
    reference::Symbols symbols;
    symbols["n"] = 1 + random() % 3;
    symbols["t"] = 1 + random() % 3;
    SmallVector<Tensor> inputs;
    for (Type type : function.getArgumentTypes()) {
      reference::Shape shape;
      for (dl::PolynomialAttr size : cast<dl::TensorType>(type).getShape())
        shape.push_back(
            *dl::evaluate(size, [&](StringRef name) { return std::optional(symbols.lookup(name)); }));
      Tensor input(Float64Type::get(&context), shape);
      for (reference::Element &element : input.elements)
        element.real = std::uniform_real_distribution(low, high)(random);
      inputs.push_back(std::move(input));
    }
    reference::States states;
    FailureOr<SmallVector<Tensor>> results = reference::evaluate(function, inputs, states, symbols);
    EXPECT_TRUE(succeeded(results));
    return succeeded(results) ? *results : SmallVector<Tensor>();
  }

  /// The largest difference between the requests evaluated by definition and expanded into operations.
  double largestDifference(ModuleOp requests, const GradientCase &test, const std::string &what) {
    double largest = 0;
    int64_t compared = 0, kinks = 0;
    for (bool optimized : {false, true}) {
      OwningOpRef<ModuleOp> expanded(requests.clone());
      if (!differentiate(*expanded, optimized)) {
        ADD_FAILURE() << what << ": not differentiated";
        return largest;
      }
      for (unsigned seed = 1; seed <= kShapes; ++seed) {
        SmallVector<Tensor> expected = evaluate(requests, seed, test.low, test.high);
        SmallVector<Tensor> actual = evaluate(*expanded, seed, test.low, test.high);
        EXPECT_EQ(expected.size(), actual.size());
        for (auto [k, e, a] : llvm::enumerate(expected, actual)) {
          EXPECT_EQ(e.shape, a.shape);
          for (int64_t i = 0; i < e.size(); ++i) {
            ++compared;
            if (std::isnan(e.real(i))) { // too near to a kink
              ++kinks;
              continue;
            }
            double difference = std::fabs(e.real(i) - a.real(i)) / std::max(1.0, std::fabs(e.real(i)));
            EXPECT_LT(difference, kTolerance)
                << what << (optimized ? ", optimized" : "") << ", seed " << seed << ", gradient " << k
                << ", element " << i << ": expected " << e.real(i) << ", got " << a.real(i);
            largest = std::max(largest, difference);
          }
        }
      }
    }
    EXPECT_LE(kinks * 20, compared) << what << ": too many points lie at kinks";
    return largest;
  }

  MLIRContext context;
};

TEST_F(GradientTest, EveryOperationIsDifferentiatedOrExcused) {
  std::map<std::string, int> cases;
  for (const GradientCase &test : gradientCases())
    ++cases["dl." + test.op];
  int differentiable = 0;
  for (RegisteredOperationName name : context.getRegisteredOperations()) {
    if (name.getDialectNamespace() != "dl")
      continue;
    std::string text = name.getStringRef().str();
    if (autodiff::isDifferentiable(name)) {
      ++differentiable;
      EXPECT_GT(cases[text], 0) << text << " is differentiable and has no case in GradientCases.cpp";
      EXPECT_EQ(autodiff::reasonNotDifferentiable(name), "") << text;
    } else {
      EXPECT_NE(autodiff::reasonNotDifferentiable(name), "")
          << text << " has neither a rule nor a reason to have none";
    }
  }
  EXPECT_GT(differentiable, 30);
}

TEST_F(GradientTest, GradientsMatchFiniteDifferences) {
  std::map<std::string, std::pair<double, double>> differences;
  int number = 0;
  for (const GradientCase &test : gradientCases()) {
    std::string what = test.op + ", case " + std::to_string(number++);
    auto first = parseSourceString<ModuleOp>(functionText(test, false), &context);
    auto second = parseSourceString<ModuleOp>(functionText(test, true), &context);
    ASSERT_TRUE(first && second) << what << ":\n" << functionText(test, false);
    auto &[firstOrder, secondOrder] = differences[test.op];
    firstOrder = std::max(firstOrder, largestDifference(*first, test, what));
    // Second order: the inner gradient expanded, the outer one by definition and expanded.
    ASSERT_TRUE(differentiate(*second, false)) << what;
    requestGradients(*second);
    secondOrder = std::max(secondOrder, largestDifference(*second, test, what + ", second order"));
  }
  std::printf("largest relative difference, first and second order:\n");
  for (auto &[op, pair] : differences)
    std::printf("  %-18s %.1e  %.1e\n", op.c_str(), pair.first, pair.second);
}

} // namespace
} // namespace dlc::test
