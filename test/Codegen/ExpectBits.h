// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels whose every bit is compared with plain loops that add in the order of Numerics.h, for every
// variant, and in front of an inaccessible page.

#ifndef DLC_TEST_CODEGEN_EXPECTBITS_H
#define DLC_TEST_CODEGEN_EXPECTBITS_H

#include "compiler/Numerics.h"
#include "test/Codegen/KernelTestbed.h"
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

namespace dlc::test {

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

inline std::string tensor(const std::vector<std::string> &dims, const std::string &element = "f32") {
  std::string text = "!dl.tensor<[";
  for (size_t i = 0; i < dims.size(); ++i)
    text += (i ? ", " : "") + dims[i];
  return text + "], " + element + ">";
}

/// A module with one dispatch from %a0, %a1, … to what the body yields.
inline std::string dispatch(const std::vector<std::string> &inputs, const std::vector<std::string> &outputs,
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

} // namespace dlc::test

#endif // DLC_TEST_CODEGEN_EXPECTBITS_H
