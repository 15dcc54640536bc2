// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A run of dlc train: train.cpp is what it does, train_output.cpp what it prints.
#ifndef DLC_TOOLS_CLI_TRAINER_H
#define DLC_TOOLS_CLI_TRAINER_H

#include "tools/cli/best.h"
#include "tools/cli/cycle.h"
#include "tools/cli/evaluation.h"

namespace dlc::cli {

class Trainer {
public:
  Trainer(const Artifact &artifact, const Options &options)
      : artifact_(artifact), options_(options), bar_(options.json), numerics_(artifact), cycle_(artifact),
        evaluation_(artifact, options.json) {}

  /// Chooses entries and sizes, opens the data, makes the session: everything that can be wrong before the
  /// first step.
  data::Status set_up();
  data::Status loop();
  /// The last save and evaluation, and the closing lines; or those of an interruption.
  data::Status finish(int &out_exit);
  /// Keeps the steps that are done when something failed, and says so in the failure that it returns.
  data::Status rescue(const data::Status &failure);

private:
  data::Status choose_length();
  data::Status check_targets() const;
  data::Status restore();
  data::Status step();
  data::Status end_epoch();
  data::Status evaluate_now();
  data::Status keep_best();
  data::Status carry_best();
  bool evaluation_due() const;
  bool save_due() const;
  data::Status save();
  data::Status save_checkpoint();
  data::Status interrupted(int signal, int &out_exit);
  bool finished() const;
  bool evaluation_missing() const { return !evaluation_.empty() && evaluated_at_ != iteration_; }
  std::string checkpoint_target() const;

  // What it prints.
  void announce() const;
  void announce_json(const char *variant) const;
  void print_init(const data::LoadReport &report) const;
  void draw();
  void print_step() const;
  void print_evaluation() const;
  void print_evaluation_line() const;
  void print_epoch_json() const;
  void print_epoch() const;
  void print_save() const;
  void print_best() const;
  void print_interrupted(const std::string &checkpoint) const;
  void print_done() const;
  std::string epoch_label(int64_t epoch) const;
  std::vector<Figure> learning_rates() const;
  const char *best_mark() const;

  const Artifact &artifact_;
  Options options_; ///< `save` is set by --resume, too.
  ProgressBar bar_;

  // In front of what uses them: at the end, a thread of the cycle may still be reading rows.
  data::Splits splits_;
  NumericsCheck numerics_;
  SessionHandle session_;
  Cycle cycle_;
  Evaluation evaluation_;
  Best best_;
  std::optional<data::TrainingState> resumed_;
  std::string resumed_from_; ///< The checkpoint's path.

  std::optional<int64_t> epochs_, steps_; ///< One of them.
  std::optional<int64_t> evaluate_every_; ///< Steps; nothing: at the ends of epochs.
  uint64_t seed_ = 0;
  int64_t iteration_ = 0;        ///< Completed steps.
  int64_t epoch_ = 0;            ///< The epoch that the current step belongs to, and the reports.
  bool states_are_whole_ = true; ///< False within a step, and for good when one failed there.

  double train_seconds_ = 0; ///< In steps, without evaluations and saving.
  int64_t trained_rows_ = 0; ///< Of the first stream, as all that is counted in rows.
  double epoch_seconds_ = 0;
  int64_t epoch_rows_ = 0;
  std::vector<Figure> train_figures_, eval_figures_;
  int64_t evaluated_at_ = -1, saved_at_ = -1, checkpoint_at_ = -1; ///< Iterations.
  int64_t checkpoint_evaluated_ = -1; ///< The last evaluation that the checkpoint knows of.
  bool checkpoint_failed_ = false;
  bool has_best_file_ = false;             ///< The best weights so far are in best_path(options_.save).
  mutable std::string unsaved_checkpoint_; ///< Without --save; chosen when it is asked for.
};

} // namespace dlc::cli

#endif // DLC_TOOLS_CLI_TRAINER_H
