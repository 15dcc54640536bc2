// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/cli/best.h"

#include <algorithm>
#include <cmath>

namespace dlc::cli {

using data::Direction;
using data::Status;

Status Best::choose(const Artifact &artifact, const Options &options, const data::TrainingState *resumed,
                    const std::vector<std::string> &figures) {
  std::string text = options.best, from = "--best";
  const data::BestEvaluation *saved = resumed && resumed->best ? &*resumed->best : nullptr;
  if (text.empty() && saved)
    text = saved->figure, from = "the checkpoint's best";
  if (text.empty())
    text = artifact.fit_text("best"), from = "best";
  patience_ = options.patience;
  if (!patience_ && saved && saved->patience > 0)
    patience_ = saved->patience;
  if (!patience_)
    if (std::optional<double> fit = artifact.fit_number("patience"))
      patience_ = static_cast<int64_t>(*fit);
  if (text.empty())
    return !patience_ ? Status() : Status::input("--patience needs --best, the figure that is to get better");

  data::BestFigure figure = data::parse_best_figure(text);
  if (std::find(figures.begin(), figures.end(), figure.name) == figures.end()) {
    std::string known;
    for (const std::string &name : figures)
      known += (known.empty() ? "" : ", ") + name;
    std::optional<std::string> near = data::nearest_name(figure.name, figures);
    return Status::input(from + " " + text + ": no evaluation reports this; " +
                         (known.empty() ? "the training has no evaluation" : "there is: " + known) +
                         (near ? " (did you mean " + *near + "?)" : ""));
  }
  if (figure.direction == Direction::unknown)
    return Status::input(from + " " + text + ": say whether less or more of it is better: min:" + text +
                         " or max:" + text);
  figure_ = figure;
  state_.figure = (figure.direction == Direction::min ? "min:" : "max:") + figure.name;
  if (saved && saved->figure == state_.figure)
    state_ = *saved;
  state_.patience = patience_.value_or(0);
  return {};
}

bool Best::consider(const std::vector<Figure> &figures, int64_t step, bool is_due) {
  auto found = std::find_if(figures.begin(), figures.end(),
                            [&](const Figure &figure) { return figure.name == figure_.name; });
  if (found == figures.end() || step <= state_.evaluated)
    return false;
  state_.evaluated = step;
  bool better = state_.step < 0                       ? !std::isnan(found->value)
                : figure_.direction == Direction::min ? found->value < state_.value
                                                      : found->value > state_.value;
  if (!better) {
    state_.evaluations_since += is_due;
    return false;
  }
  state_.value = found->value;
  state_.step = step;
  state_.evaluations_since = 0;
  return true;
}

std::string best_path(const std::string &weights) {
  constexpr std::string_view ending = ".safetensors";
  if (weights.ends_with(ending))
    return weights.substr(0, weights.size() - ending.size()) + ".best.safetensors";
  return weights + ".best";
}

} // namespace dlc::cli
