// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the finite-difference test differentiates: at least one case for every differentiable operation.

#ifndef DLC_TEST_AUTODIFF_GRADIENTCASES_H
#define DLC_TEST_AUTODIFF_GRADIENTCASES_H

#include <string>
#include <vector>

namespace dlc::test {

struct GradientCase {
  /// The operation under test, without "dl.".
  std::string op;
  /// The shapes of the inputs %a, %b, %c, ..., all f64, with the symbolic dimensions n and t.
  std::vector<std::string> inputs;
  /// Computes %r. `<[n, 3]>` is short for `!dl.tensor<[n, 3], f64>`.
  std::string body;
  std::string result; ///< The shape of %r.
  /// Inputs are uniform in [low, high).
  double low = -1, high = 1;
};

std::vector<GradientCase> gradientCases();

} // namespace dlc::test

#endif // DLC_TEST_AUTODIFF_GRADIENTCASES_H
