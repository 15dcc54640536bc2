// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which way a figure is better, by its name: a loss is to be small, an accuracy large.
#ifndef DLC_RUNTIME_DATA_DIRECTION_H
#define DLC_RUNTIME_DATA_DIRECTION_H

#include <cctype>
#include <string>
#include <string_view>

namespace dlc::data {

enum class Direction { unknown, min, max };

/// What a setting or flag says about the best: "test.loss", "min:test.loss" or "max:test.score".
struct BestFigure {
  Direction direction = Direction::unknown;
  std::string name;
};

/// Looks at the words of the name's last part, "loss" in "test.charbonnier_loss"; unknown when none of them
/// tells, or they contradict.
inline Direction direction_of(std::string_view name) {
  constexpr std::string_view small[] = {"loss", "error", "errors",     "mse",        "mae", "rmse",
                                        "nll",  "bce",   "perplexity", "divergence", "l1",  "huber"};
  constexpr std::string_view large[] = {"accuracy", "precision", "recall", "f1",   "auc",
                                        "iou",      "r2",        "dice",   "psnr", "bleu"};
  bool is_small = false, is_large = false;
  std::string word;
  for (char c : std::string(name.substr(name.rfind('.') + 1)) + "_") {
    if (std::isalnum(static_cast<unsigned char>(c))) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      continue;
    }
    for (std::string_view known : small)
      is_small |= word == known;
    for (std::string_view known : large)
      is_large |= word == known;
    word.clear();
  }
  return is_small == is_large ? Direction::unknown : is_small ? Direction::min : Direction::max;
}

inline BestFigure parse_best_figure(std::string_view text) {
  if (text.starts_with("min:"))
    return {Direction::min, std::string(text.substr(4))};
  if (text.starts_with("max:"))
    return {Direction::max, std::string(text.substr(4))};
  return {direction_of(text), std::string(text)};
}

} // namespace dlc::data

#endif // DLC_RUNTIME_DATA_DIRECTION_H
