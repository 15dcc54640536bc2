// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Contractions and scans, against plain loops.

#include "test/Codegen/ExpectBits.h"

#include <functional>

namespace dlc::test {
namespace {

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
