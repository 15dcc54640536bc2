// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions, their input and their weight gradients, against plain loops.

#include "test/Codegen/ExpectBits.h"

#include <functional>

namespace dlc::test {
namespace {

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

} // namespace
} // namespace dlc::test
