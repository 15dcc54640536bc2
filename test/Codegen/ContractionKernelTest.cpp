// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Contractions, convolutions and scans: every bit against plain loops that add in the order of Numerics.h,
// for every variant, and in front of an inaccessible page.

#include "compiler/Numerics.h"
#include "test/Codegen/KernelTestbed.h"
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <random>

namespace dlc::test {
namespace {

/// A sum in the order of the numerics.
template <typename T> class Sum {
public:
  void add(T a, T b) {
    chunk = std::fma(a, b, chunk);
    if (++count == numerics::kContractionChunk)
      close();
  }
  T get() {
    if (count > 0 || isFirst)
      close();
    return total;
  }

private:
  void close() {
    total = isFirst ? chunk : total + chunk;
    isFirst = false;
    chunk = 0;
    count = 0;
  }
  T total = 0, chunk = 0;
  int64_t count = 0;
  bool isFirst = true;
};

std::string tensor(const std::vector<std::string> &dims, const std::string &element = "f32") {
  std::string text = "!dl.tensor<[";
  for (size_t i = 0; i < dims.size(); ++i)
    text += (i ? ", " : "") + dims[i];
  return text + "], " + element + ">";
}

/// A module with one dispatch from %a0, %a1, … to what the body yields.
std::string dispatch(const std::vector<std::string> &inputs, const std::vector<std::string> &outputs,
                     const std::string &body) {
  std::string parameters, arguments, inputTypes, outputTypes, inner, results;
  for (size_t i = 0; i < inputs.size(); ++i) {
    std::string separator = i ? ", " : "", number = std::to_string(i);
    parameters += separator + "%x" + number + ": " + inputs[i];
    arguments += separator + "%x" + number;
    inputTypes += separator + inputs[i];
    inner += separator + "%a" + number + ": " + inputs[i];
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    outputTypes += (i ? ", " : "") + outputs[i];
    results += (i ? ", %r#" : "%r#") + std::to_string(i);
  }
  return "func.func @f(" + parameters + ") -> (" + outputTypes +
         ") attributes {dl.symbols = [\"n\"]} {\n  %r:" + std::to_string(outputs.size()) +
         " = dl.dispatch \"k\" (" + arguments + ") : (" + inputTypes + ") -> (" + outputTypes +
         ") {\n  ^bb0(" + inner + "):\n" + body + "\n  }\n  return " + results + " : " + outputTypes +
         "\n}\n";
}

template <typename T> std::vector<T> randomNumbers(size_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<T> distribution(-1, 1);
  std::vector<T> numbers(count);
  for (T &number : numbers)
    number = distribution(generator);
  return numbers;
}

/// Runs the dispatch on every variant and compares the bits of all results.
template <typename T>
void expectBits(const std::string &text, int64_t n, const std::vector<std::vector<T>> &inputs,
                const std::vector<std::vector<T>> &expected, const std::string &what) {
  for (const std::string &variant : KernelTestbed::variants()) {
    KernelTestbed testbed;
    std::unique_ptr<LoadedKernel> kernel = testbed.load(text, variant);
    ASSERT_TRUE(kernel) << what;
    std::vector<std::unique_ptr<GuardedBuffer>> memory;
    std::vector<void *> buffers;
    for (const std::vector<T> &input : inputs) {
      memory.push_back(std::make_unique<GuardedBuffer>(input.size() * sizeof(T)));
      memcpy(memory.back()->data(), input.data(), input.size() * sizeof(T));
    }
    for (const std::vector<T> &output : expected)
      memory.push_back(std::make_unique<GuardedBuffer>(output.size() * sizeof(T)));
    for (auto &buffer : memory)
      buffers.push_back(buffer->data());
    kernel->run(buffers, {n});
    for (size_t i = 0; i < expected.size(); ++i) {
      const T *got = reinterpret_cast<const T *>(memory[inputs.size() + i]->data());
      size_t wrong = 0, first = 0;
      for (size_t j = expected[i].size(); j-- > 0;)
        if (memcmp(&got[j], &expected[i][j], sizeof(T)) != 0)
          ++wrong, first = j;
      EXPECT_EQ(wrong, 0u) << what << " on " << variant << ", result " << i << ": element " << first << " is "
                           << got[first] << ", expected " << expected[i][first];
    }
  }
}

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

/// Evaluates an equation on row-major tensors. Sizes by letter.
template <typename T>
std::vector<T> evaluateEquation(const std::string &lhs, const std::string &rhs, const std::string &result,
                                const std::map<char, int64_t> &sizes, const std::vector<T> &a,
                                const std::vector<T> &b) {
  std::string depth;
  for (char letter : lhs)
    if (result.find(letter) == std::string::npos)
      depth += letter;
  std::map<char, int64_t> at;
  auto offset = [&](const std::string &letters) {
    int64_t value = 0;
    for (char letter : letters)
      value = value * sizes.at(letter) + at[letter];
    return value;
  };
  std::function<void(const std::string &, size_t, const std::function<void()> &)> loop =
      [&](const std::string &letters, size_t depthOfLoop, const std::function<void()> &body) {
        if (depthOfLoop == letters.size())
          return body();
        for (at[letters[depthOfLoop]] = 0; at[letters[depthOfLoop]] < sizes.at(letters[depthOfLoop]);
             ++at[letters[depthOfLoop]])
          loop(letters, depthOfLoop + 1, body);
      };
  std::vector<T> values;
  loop(result, 0, [&] {
    Sum<T> sum;
    loop(depth, 0, [&] { sum.add(a[offset(lhs)], b[offset(rhs)]); });
    values.push_back(sum.get());
  });
  return values;
}

template <typename T>
void checkContract(const std::string &equation, std::map<char, int64_t> sizes, bool isSymbolic = true) {
  std::string lhs = equation.substr(0, equation.find(',')), result = equation.substr(equation.find('>') + 1);
  std::string rhs = equation.substr(lhs.size() + 1, equation.find('-') - lhs.size() - 1);
  std::string element = sizeof(T) == 4 ? "f32" : "f64";
  auto type = [&](const std::string &letters) {
    std::vector<std::string> dims;
    for (char letter : letters)
      dims.push_back(letter == 'n' && isSymbolic ? "n" : std::to_string(sizes.at(letter)));
    return tensor(dims, element);
  };
  auto count = [&](const std::string &letters) {
    size_t product = 1;
    for (char letter : letters)
      product *= static_cast<size_t>(sizes.at(letter));
    return product;
  };
  std::string text = dispatch({type(lhs), type(rhs)}, {type(result)},
                              "%v = dl.contract \"" + equation + "\" %a0, %a1 : (" + type(lhs) + ", " +
                                  type(rhs) + ") -> " + type(result) + "\ndl.yield %v : " + type(result));
  auto a = randomNumbers<T>(count(lhs), 1), b = randomNumbers<T>(count(rhs), 2);
  std::string what = equation;
  for (auto [letter, size] : sizes)
    what += std::string(" ") + letter + "=" + std::to_string(size);
  int64_t n = sizes.count('n') ? sizes.at('n') : 1;
  expectBits<T>(text, n, {a, b}, {evaluateEquation<T>(lhs, rhs, result, sizes, a, b)}, what);
}

TEST(Contraction, LayoutsAndRemainders) {
  for (const char *equation : {"nk,jk->nj", "nk,kj->nj", "kn,kj->nj", "kn,jk->nj"})
    for (int64_t n : {1, 31})
      for (int64_t j : {1, 16, 42, 64})
        checkContract<float>(equation, {{'n', n}, {'j', j}, {'k', 70}});
}

TEST(Contraction, DepthIsCutIntoChunks) {
  for (int64_t k : {1, 255, 256, 257, 512, 700})
    checkContract<float>("mk,jk->mj", {{'m', 9}, {'j', 33}, {'k', k}});
  for (int64_t n : {1, 256, 600})
    checkContract<float>("nm,nj->mj", {{'m', 20}, {'j', 48}, {'n', n}});
}

TEST(Contraction, LargeEnoughForSeveralGroups) {
  checkContract<float>("mk,kj->mj", {{'m', 130}, {'j', 200}, {'k', 300}});
  checkContract<float>("nk,jk->nj", {{'n', 65}, {'j', 128}, {'k', 600}});
}

TEST(Contraction, BatchAndSeveralLetters) {
  checkContract<float>("nmk,njk->nmj", {{'n', 3}, {'m', 5}, {'j', 18}, {'k', 20}});
  checkContract<float>("tnm,tnj->mj", {{'t', 7}, {'n', 50}, {'m', 6}, {'j', 17}});
  checkContract<float>("ntm,tnj->mj", {{'t', 7}, {'n', 50}, {'m', 6}, {'j', 17}});
  checkContract<float>("nakb,kc->nabc", {{'n', 3}, {'a', 2}, {'b', 5}, {'k', 40}, {'c', 3}});
  checkContract<float>("nk,k->n", {{'n', 40}, {'k', 300}});
  checkContract<float>("n,j->nj", {{'n', 6}, {'j', 40}});
  checkContract<float>("nk,nk->", {{'n', 30}, {'k', 20}});
}

TEST(Contraction, DoublePrecision) {
  checkContract<double>("nk,jk->nj", {{'n', 21}, {'j', 37}, {'k', 300}});
  checkContract<double>("kn,kj->nj", {{'n', 5}, {'j', 16}, {'k', 10}});
}

TEST(Contraction, NegativeZeroSurvives) {
  // fma(1e-30, -1e-30, +0) rounds to -0, in every chunk.
  std::vector<float> a(600, 1e-30f), b(600, -1e-30f);
  std::string text = dispatch({tensor({"1", "600"}), tensor({"1", "600"})}, {tensor({"1", "1"})},
                              "%v = dl.contract \"mk,jk->mj\" %a0, %a1 : (" + tensor({"1", "600"}) + ", " +
                                  tensor({"1", "600"}) + ") -> " + tensor({"1", "1"}) +
                                  "\ndl.yield %v : " + tensor({"1", "1"}));
  expectBits<float>(text, 1, {a, b}, {{-0.0f}}, "negative zero");
}

TEST(Contraction, PrologueAndEpilogue) {
  // r = max(0, (2 x) wᵀ + b) and r - y, with x read through a transpose.
  int64_t n = 37, k = 70, j = 40;
  std::string x = tensor({"70", "n"}), xt = tensor({"n", "70"}), w = tensor({"40", "70"}),
              y = tensor({"n", "40"});
  std::string text = dispatch(
      {x, w, tensor({"40"}), y}, {y, y},
      "%t = dl.transpose %a0 [1, 0] : " + x + " to " + xt + "\n%d = dl.add %t, %t : " + xt +
          "\n%v = dl.contract \"nk,jk->nj\" %d, %a1 : (" + xt + ", " + w + ") -> " + y +
          "\n%b = dl.broadcast %a2 [1] : " + tensor({"40"}) + " to " + y + "\n%s = dl.add %v, %b : " + y +
          "\n%z = dl.constant 0.0 : f32 : " + y + "\n%r = dl.max %z, %s : " + y +
          "\n%q = dl.sub %r, %a3 : " + y + "\ndl.yield %r, %q : " + y + ", " + y);
  auto in = randomNumbers<float>(k * n, 1), weights = randomNumbers<float>(j * k, 2);
  auto bias = randomNumbers<float>(j, 3), target = randomNumbers<float>(n * j, 4);
  std::vector<float> relu, difference;
  for (int64_t row = 0; row < n; ++row)
    for (int64_t column = 0; column < j; ++column) {
      Sum<float> sum;
      for (int64_t i = 0; i < k; ++i)
        sum.add(in[i * n + row] + in[i * n + row], weights[column * k + i]);
      relu.push_back(std::max(0.0f, sum.get() + bias[column]));
      difference.push_back(relu.back() - target[row * j + column]);
    }
  expectBits<float>(text, n, {in, weights, bias, target}, {relu, difference}, "prologue and epilogue");
}

TEST(Contraction, EpilogueDropsAndAddsAxesOfSizeOne) {
  KernelTestbed testbed;
  std::string x = tensor({"n", "9"}), w = tensor({"1", "9"}), column = tensor({"n", "1"}),
              flat = tensor({"n"});
  testbed.check(dispatch({x, w}, {column, column},
                         "%v = dl.contract \"nk,jk->nj\" %a0, %a1 : (" + x + ", " + w + ") -> " + column +
                             "\n%f = dl.reshape %v : " + column + " to " + flat +
                             "\n%d = dl.add %f, %f : " + flat + "\n%r = dl.reshape %d : " + flat + " to " +
                             column + "\ndl.yield %v, %r : " + column + ", " + column),
                {{"n", 7}});
  std::string square = tensor({"n", "9"}), deep = tensor({"n", "9", "1"});
  testbed.check(dispatch({x, tensor({"9", "9"})}, {square},
                         "%v = dl.contract \"nk,jk->nj\" %a0, %a1 : (" + x + ", " + tensor({"9", "9"}) +
                             ") -> " + square + "\n%b = dl.broadcast %v [0, 1] : " + square + " to " + deep +
                             "\n%f = dl.reshape %b : " + deep + " to " + square +
                             "\n%r = dl.add %f, %a0 : " + square + "\ndl.yield %r : " + square),
                {{"n", 7}});
}

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

struct Convolution {
  int64_t n, inputs, outputs, height, width, kernelHeight, kernelWidth, stride = 1, padding = 0, dilation = 1,
                                                                        groups = 1;
  int64_t outputSize(int64_t size, int64_t kernel) const {
    return (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
  }
};

void checkConvolution(const Convolution &c) {
  int64_t oh = c.outputSize(c.height, c.kernelHeight), ow = c.outputSize(c.width, c.kernelWidth);
  int64_t perGroup = c.inputs / c.groups, outputsPerGroup = c.outputs / c.groups;
  auto s = [](int64_t value) { return std::to_string(value); };
  std::string x = tensor({"n", s(c.inputs), s(c.height), s(c.width)}),
              y = tensor({"n", s(c.outputs), s(oh), s(ow)});
  std::string w = tensor({s(c.outputs), s(perGroup), s(c.kernelHeight), s(c.kernelWidth)});
  auto pair = [&](int64_t value) { return "[" + s(value) + ", " + s(value) + "]"; };
  std::string attributes = " strides " + pair(c.stride) + " padding " + pair(c.padding) + " to " +
                           pair(c.padding) + " dilations " + pair(c.dilation) + " groups " + s(c.groups);
  auto text = [&](const char *name, const std::string &a, const std::string &b, const std::string &r) {
    return dispatch({a, b}, {r},
                    std::string("%v = dl.") + name + " %a0, %a1" + attributes + " : (" + a + ", " + b +
                        ") -> " + r + "\ndl.yield %v : " + r);
  };
  auto input = randomNumbers<float>(c.n * c.inputs * c.height * c.width, 1);
  auto filter = randomNumbers<float>(c.outputs * perGroup * c.kernelHeight * c.kernelWidth, 2);
  auto gradient = randomNumbers<float>(c.n * c.outputs * oh * ow, 3);
  auto inputAt = [&](int64_t n, int64_t channel, int64_t i, int64_t j) {
    bool isInside = i >= 0 && j >= 0 && i < c.height && j < c.width;
    return isInside ? input[((n * c.inputs + channel) * c.height + i) * c.width + j] : 0.0f;
  };
  auto gradientAt = [&](int64_t n, int64_t channel, int64_t i, int64_t j) { // By position · stride.
    bool isThere =
        i >= 0 && j >= 0 && i % c.stride == 0 && j % c.stride == 0 && i / c.stride < oh && j / c.stride < ow;
    return isThere ? gradient[((n * c.outputs + channel) * oh + i / c.stride) * ow + j / c.stride] : 0.0f;
  };
  auto filterAt = [&](int64_t o, int64_t channel, int64_t i, int64_t j) {
    return filter[((o * perGroup + channel) * c.kernelHeight + i) * c.kernelWidth + j];
  };

  std::vector<float> forward, inputGradient, weightGradient;
  for (int64_t n = 0; n < c.n; ++n)
    for (int64_t o = 0; o < c.outputs; ++o)
      for (int64_t i = 0; i < oh; ++i)
        for (int64_t j = 0; j < ow; ++j) {
          Sum<float> sum;
          for (int64_t channel = 0; channel < perGroup; ++channel)
            for (int64_t p = 0; p < c.kernelHeight; ++p)
              for (int64_t q = 0; q < c.kernelWidth; ++q)
                sum.add(inputAt(n, o / outputsPerGroup * perGroup + channel,
                                i * c.stride + p * c.dilation - c.padding,
                                j * c.stride + q * c.dilation - c.padding),
                        filterAt(o, channel, p, q));
          forward.push_back(sum.get());
        }
  for (int64_t n = 0; n < c.n; ++n)
    for (int64_t channel = 0; channel < c.inputs; ++channel)
      for (int64_t i = 0; i < c.height; ++i)
        for (int64_t j = 0; j < c.width; ++j) {
          Sum<float> sum;
          for (int64_t o = 0; o < outputsPerGroup; ++o)
            for (int64_t p = 0; p < c.kernelHeight; ++p)
              for (int64_t q = 0; q < c.kernelWidth; ++q) {
                int64_t output = channel / perGroup * outputsPerGroup + o;
                sum.add(gradientAt(n, output, i + c.padding - p * c.dilation, j + c.padding - q * c.dilation),
                        filterAt(output, channel % perGroup, p, q));
              }
          inputGradient.push_back(sum.get());
        }
  for (int64_t o = 0; o < c.outputs; ++o)
    for (int64_t channel = 0; channel < perGroup; ++channel)
      for (int64_t p = 0; p < c.kernelHeight; ++p)
        for (int64_t q = 0; q < c.kernelWidth; ++q) {
          Sum<float> sum;
          for (int64_t n = 0; n < c.n; ++n)
            for (int64_t i = 0; i < oh; ++i)
              for (int64_t j = 0; j < ow; ++j)
                sum.add(gradient[((n * c.outputs + o) * oh + i) * ow + j],
                        inputAt(n, o / outputsPerGroup * perGroup + channel,
                                i * c.stride + p * c.dilation - c.padding,
                                j * c.stride + q * c.dilation - c.padding));
          weightGradient.push_back(sum.get());
        }
  std::string what = s(c.inputs) + "->" + s(c.outputs) + " " + s(c.height) + "x" + s(c.width) + " kernel " +
                     s(c.kernelHeight) + "x" + s(c.kernelWidth) + " stride " + s(c.stride);
  expectBits<float>(text("conv", x, w, y), c.n, {input, filter}, {forward}, "conv " + what);
  expectBits<float>(text("conv_input_grad", y, w, x), c.n, {gradient, filter}, {inputGradient},
                    "input gradient " + what);
  expectBits<float>(text("conv_weight_grad", y, x, w), c.n, {gradient, input}, {weightGradient},
                    "weight gradient " + what);
}

TEST(Convolution, PaddedThreeByThree) {
  checkConvolution({.n = 3,
                    .inputs = 32,
                    .outputs = 20,
                    .height = 14,
                    .width = 14,
                    .kernelHeight = 3,
                    .kernelWidth = 3,
                    .padding = 1});
  checkConvolution({.n = 2,
                    .inputs = 1,
                    .outputs = 32,
                    .height = 28,
                    .width = 28,
                    .kernelHeight = 3,
                    .kernelWidth = 3,
                    .padding = 1});
}

TEST(Convolution, StridesDilationsGroups) {
  checkConvolution({.n = 3,
                    .inputs = 8,
                    .outputs = 12,
                    .height = 14,
                    .width = 14,
                    .kernelHeight = 3,
                    .kernelWidth = 3,
                    .stride = 2,
                    .padding = 1});
  checkConvolution({.n = 2,
                    .inputs = 8,
                    .outputs = 12,
                    .height = 15,
                    .width = 17,
                    .kernelHeight = 3,
                    .kernelWidth = 5,
                    .padding = 2,
                    .dilation = 2,
                    .groups = 2});
  checkConvolution({.n = 2,
                    .inputs = 4,
                    .outputs = 4,
                    .height = 9,
                    .width = 9,
                    .kernelHeight = 3,
                    .kernelWidth = 3,
                    .stride = 3,
                    .groups = 4});
}

// Channels along the lanes: narrow images, and input gradients that are taken apart into phases.
TEST(Convolution, ChannelLanes) {
  checkConvolution({.n = 5,
                    .inputs = 16,
                    .outputs = 48,
                    .height = 14,
                    .width = 14,
                    .kernelHeight = 4,
                    .kernelWidth = 4,
                    .stride = 2,
                    .padding = 1});
  checkConvolution({.n = 2,
                    .inputs = 32,
                    .outputs = 32,
                    .height = 11,
                    .width = 9,
                    .kernelHeight = 5,
                    .kernelWidth = 3,
                    .stride = 2,
                    .padding = 2});
  checkConvolution({.n = 1,
                    .inputs = 80,
                    .outputs = 16,
                    .height = 7,
                    .width = 8,
                    .kernelHeight = 3,
                    .kernelWidth = 3,
                    .padding = 1});
  checkConvolution({.n = 3,
                    .inputs = 16,
                    .outputs = 16,
                    .height = 10,
                    .width = 13,
                    .kernelHeight = 2,
                    .kernelWidth = 2,
                    .stride = 3,
                    .padding = 1});
  checkConvolution({.n = 2,
                    .inputs = 16,
                    .outputs = 64,
                    .height = 12,
                    .width = 12,
                    .kernelHeight = 3,
                    .kernelWidth = 3,
                    .stride = 2,
                    .padding = 2,
                    .dilation = 2});
  checkConvolution({.n = 2,
                    .inputs = 64,
                    .outputs = 64,
                    .height = 8,
                    .width = 8,
                    .kernelHeight = 3,
                    .kernelWidth = 3,
                    .padding = 1});
  checkConvolution({.n = 9,
                    .inputs = 32,
                    .outputs = 16,
                    .height = 5,
                    .width = 40,
                    .kernelHeight = 1,
                    .kernelWidth = 7,
                    .stride = 2});
}

TEST(Convolution, PointsAndWideRows) {
  checkConvolution({.n = 5,
                    .inputs = 32,
                    .outputs = 16,
                    .height = 7,
                    .width = 7,
                    .kernelHeight = 1,
                    .kernelWidth = 1,
                    .stride = 2});
  checkConvolution({.n = 1,
                    .inputs = 3,
                    .outputs = 7,
                    .height = 20,
                    .width = 40,
                    .kernelHeight = 5,
                    .kernelWidth = 5,
                    .padding = 2});
}

//===----------------------------------------------------------------------===//
// Scans
//===----------------------------------------------------------------------===//

/// h <- max(0, x wx + h wh + b); the last h and all of them.
void checkRecurrent(int64_t n, int64_t steps, int64_t inputs, int64_t hidden, bool isReverse) {
  auto s = [](int64_t value) { return std::to_string(value); };
  std::string x = tensor({"n", s(steps), s(inputs)}), h = tensor({"n", s(hidden)}), row = tensor({s(hidden)});
  std::string wx = tensor({s(inputs), s(hidden)}), wh = tensor({s(hidden), s(hidden)}),
              xt = tensor({"n", s(inputs)});
  std::string all = tensor({"n", s(steps), s(hidden)});
  std::string text =
      dispatch({x, wx, wh, row}, {h, all},
               "%z = dl.constant 0.0 : f32 : " + h + "\n%b = dl.broadcast %a3 [1] : " + row + " to " + h +
                   "\n%f, %s = dl.scan #dl.poly<" + s(steps) + ">" + (isReverse ? " reverse" : "") +
                   " xs(%a0) axes [1] carries(%z) stack_axes [1] : (" + x + "), (" + h + ") -> (" + h +
                   "), (" + all + ") {\n^bb1(%i: !dl.tensor<[], i64>, %xt: " + xt + ", %h: " + h +
                   "):\n%p = dl.contract \"nk,kj->nj\" %xt, %a1 : (" + xt + ", " + wx + ") -> " + h +
                   "\n%q = dl.contract \"nk,kj->nj\" %h, %a2 : (" + h + ", " + wh + ") -> " + h +
                   "\n%u = dl.add %p, %q : " + h + "\n%v = dl.add %u, %b : " + h +
                   "\n%zero = dl.constant 0.0 : f32 : " + h + "\n%o = dl.max %zero, %v : " + h +
                   "\ndl.yield %o, %o : " + h + ", " + h + "\n}\ndl.yield %f, %s : " + h + ", " + all);
  auto input = randomNumbers<float>(n * steps * inputs, 1), first = randomNumbers<float>(inputs * hidden, 2);
  auto second = randomNumbers<float>(hidden * hidden, 3), bias = randomNumbers<float>(hidden, 4);
  for (float &weight : second)
    weight *= 0.1f;
  std::vector<float> state(n * hidden, 0.0f), next(n * hidden), stack(n * steps * hidden);
  for (int64_t step = 0; step < steps; ++step) {
    int64_t t = isReverse ? steps - 1 - step : step;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < hidden; ++j) {
        Sum<float> fromInput, fromState;
        for (int64_t k = 0; k < inputs; ++k)
          fromInput.add(input[(i * steps + t) * inputs + k], first[k * hidden + j]);
        for (int64_t k = 0; k < hidden; ++k)
          fromState.add(state[i * hidden + k], second[k * hidden + j]);
        next[i * hidden + j] = std::max(0.0f, fromInput.get() + fromState.get() + bias[j]);
        stack[(i * steps + t) * hidden + j] = next[i * hidden + j];
      }
    state = next;
  }
  expectBits<float>(text, n, {input, first, second, bias}, {state, stack},
                    "scan of " + s(steps) + " steps, hidden " + s(hidden) + ", n " + s(n));
}

TEST(Scan, RunsInOneKernel) {
  for (int64_t n : {1, 3, 8, 21})
    checkRecurrent(n, 5, 8, 64, false);
  checkRecurrent(4, 4, 3, 10, false);
  checkRecurrent(2, 3, 20, 300, false);
}

TEST(Scan, RunsBackwards) {
  checkRecurrent(9, 6, 28, 32, true);
}

} // namespace
} // namespace dlc::test
