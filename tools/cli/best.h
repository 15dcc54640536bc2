// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which evaluation of a training was the best, and how long ago: --best and --patience.
#ifndef DLC_TOOLS_CLI_BEST_H
#define DLC_TOOLS_CLI_BEST_H

#include "runtime/data/checkpoint.h"
#include "runtime/data/direction.h"
#include "tools/cli/output.h"
#include "tools/cli/session.h"

namespace dlc::cli {

class Best {
public:
  /// What the options, else the checkpoint, else the fit block say; wanted() stays false when none does.
  /// figures: what an evaluation reports.
  data::Status choose(const Artifact &artifact, const Options &options, const data::TrainingState *resumed,
                      const std::vector<std::string> &figures);
  bool wanted() const { return !figure_.name.empty(); }
  /// Takes in the evaluation after a step, once; true when none before was as good. NaN is never good. Only
  /// those that are due count for the patience: a training that ends, and then goes on, has one more.
  bool consider(const std::vector<Figure> &figures, int64_t step, bool is_due);
  /// Whether so many evaluations in a row brought nothing better that the training shall stop.
  bool exhausted() const { return patience_ && state_.evaluations_since >= *patience_; }

  const std::string &name() const { return figure_.name; }
  const data::BestEvaluation &state() const { return state_; }

private:
  data::BestFigure figure_;
  std::optional<int64_t> patience_;
  data::BestEvaluation state_;
};

/// Where the best weights lie: "m.safetensors" -> "m.best.safetensors".
std::string best_path(const std::string &weights);

} // namespace dlc::cli

#endif // DLC_TOOLS_CLI_BEST_H
