// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What README.md's table of built-in functions says; a test holds the two against each other.
#include "frontend/Documentation.h"

using namespace dlc::frontend;

llvm::ArrayRef<BuiltinDoc> dlc::frontend::builtinDocs() {
  static constexpr BuiltinDoc docs[] = {
      {"`abs exp log sqrt tanh sin cos erf floor (x)`",
       "elementwise; of a compile-time number, a compile-time number"},
      {"`flush(x)`", "x, with magnitudes under 2⁻¹²⁶ as 0"},
      {"`+ - * / ** % //`, `== != < <= > >=`, `and or not`",
       "elementwise, broadcasting; of integers, `x // 0` is 0 and `x % 0` is x"},
      {"`max(a, b)  min(a, b)`",
       "elementwise; the gradient goes to the first that is equal (along an axis: `max(x, axis=1)`)"},
      {"`where(c, a, b)`", "a where c, else b"},
      {"`cast(x, f32)`", "to another element type"},
      {"`sum max min mean prod (x, axis=…, keep=false)`",
       "reductions; `keep=true` leaves a dimension of 1; over no elements 0, −∞, ∞, NaN and 1 (integers: "
       "their least and greatest)"},
      {"`argmax(x, axis=-1)`", "index of the first largest: i32"},
      {"`matmul(a, b)`", "over the last dimension of a and the last but one of b; those before broadcast"},
      {"`contract(\"mk,nk->mn\", a, b)`",
       "a product of two tensors, summed over the letters missing on the right"},
      {"`einsum(\"ij,jk,kl->il\", a, b, c)`",
       "the same of one tensor or more, two at a time from the left; "
       "`ii` is a diagonal, `...` the axes without a letter, which have one size in all tensors"},
      {"`conv(x, w, stride=1, padding=0, dilation=1, groups=1)`", "x: `[n, c, …]`, w: `[o, c / groups, …]`"},
      {"`conv_transpose(x, w, stride=1, padding=0, output_padding=0, dilation=1, groups=1)`",
       "the transpose of `conv`; x: `[n, c, …]`, w: `[c, o / groups, …]`, output_padding < stride"},
      {"`max_pool(x, window, stride=window, padding=0)`", "x: `[n, c, …]`"},
      {"`reshape(x, [n, -1])`", "the same elements in order; one dimension may be −1: what is left"},
      {"`transpose(x)  transpose(x, [1, 0, 2])`", "swaps the last two dimensions; permutes"},
      {"`broadcast_to(x, dims)`, `concat([a, b], axis=0)`, `pad(x, low, high, value=0)`",
       "`low` and `high` per dimension"},
      {"`gather(x, index, axis=0)`", "x at the indices (i32 or i64) along the axis, whose place their "
                                     "dimensions take; an index outside counts as the first or last"},
      {"`take_along(x, index, axis=-1)`",
       "the same with an index of its own for each place of the other dimensions"},
      {"`scatter_add(x, index, updates, axis=0)`",
       "x, and each update added where `gather` would have read it; sums in the order of the updates"},
      {"`argsort(x, axis=-1)`", "the indices that sort, ascending and stable, NaN last: i32"},
      {"`stack([a, b], axis=0)`, `split(x, parts, axis=0)`",
       "along a new axis; a tuple: so many equal parts, or `parts` are their sizes"},
      {"`iota(n)`", "0 … n−1: i32[n]"},
      {"`zeros(n, k)  ones(n, k)  full([n, k], value)  zeros_like(x)  ones_like(x)`", "f32"},
      {"`random_uniform(n, k)`", "uniform in [0, 1), another each step; the dimensions also as one tuple"},
      {"`shape(x)  rank(x)`", "the tuple of x's dimensions, and their number, or that of a tuple's elements; "
                              "`prod(shape(x))`, `shape(x)[0]` are compile-time"},
      {"`stop_gradient(x)`", "x, through which no gradient flows"},
      {"`eval_mode(f(x))`, `train_mode(f(x))`", "f(x) where `training` is false, or true, whatever the "
                                                "entry: a frozen part keeps its statistics, an evaluation "
                                                "draws dropout"},
      {"`grad(loss, x)`", "the gradient of a scalar with respect to x, itself differentiable; in a scan, "
                          "through this iteration and what comes before the scan"},
  };
  return docs;
}
