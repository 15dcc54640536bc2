// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dlc train: the loop over epochs and steps, and its checkpoints.
#include "tools/cli/interrupt.h"
#include "tools/cli/resume.h"
#include "tools/cli/trainer.h"
#include "tools/cli/verbs.h"

#include "runtime/data/file.h"
#include "runtime/data/safetensors.h"

#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <unistd.h>

namespace dlc::cli {

using data::format;
using data::from_runtime;
using data::Status;

Status Trainer::choose_length() {
  if (options_.steps) {
    steps_ = options_.steps;
  } else if (options_.epochs) {
    epochs_ = options_.epochs;
  } else if (std::optional<double> steps = artifact_.fit_number("steps")) {
    steps_ = static_cast<int64_t>(*steps);
  } else if (std::optional<double> epochs = artifact_.fit_number("epochs")) {
    epochs_ = static_cast<int64_t>(*epochs);
  } else {
    return Status::input(std::string(artifact_.info().source_name) +
                         " has no fit block that says how long to train: give --epochs N or --steps N");
  }
  evaluate_every_ = options_.evaluate_every;
  if (!evaluate_every_)
    if (std::optional<double> fit = artifact_.fit_number("evaluate_every"))
      evaluate_every_ = static_cast<int64_t>(*fit);
  return {};
}

/// Finds out before the training what would make its saving fail.
Status Trainer::check_targets() const {
  if (options_.save.empty())
    return options_.save_every ? Status::input("--save-every needs --save") : Status();
  if (std::string weights = data::weights_path(options_.save); !weights.empty())
    return Status::input("--save " + options_.save + ": checkpoints are called so; did you mean " + weights +
                         "?");
  std::vector<std::string> targets = {options_.save, checkpoint_target()};
  if (best_.wanted())
    targets.push_back(best_path(options_.save));
  for (const std::string &target : targets) {
    DLC_DATA_TRY(check_not_read(artifact_, options_, target));
    DLC_DATA_TRY(data::check_replaceable(target));
  }
  return {};
}

/// Loads the checkpoint of --resume, which may be named by the weights that it lies beside.
Status Trainer::restore() {
  std::string path = options_.resume;
  std::string beside = data::checkpoint_path(path);
  data::SafetensorsFile named;
  Status opened = named.open(path);
  bool is_checkpoint = opened.ok() && named.metadata().count("dlc.checkpoint");
  if (!is_checkpoint && access(beside.c_str(), R_OK) == 0)
    path = beside;
  else if (!opened.ok())
    return opened;
  DLC_DATA_TRY(data::load_checkpoint(artifact_.handle(), session_.get(), path, resumed_.emplace()));
  DLC_DATA_TRY(cycle_.check(*resumed_, path));
  if (options_.seed && *options_.seed != resumed_->data_seed)
    return Status::input(format("%s was trained with seed %" PRIu64 ", which goes on: --seed %" PRIu64
                                " differs",
                                path.c_str(), resumed_->data_seed, *options_.seed));
  if (options_.save.empty())
    options_.save = data::weights_path(path);
  resumed_from_ = path;
  seed_ = resumed_->data_seed;
  iteration_ = resumed_->step;
  epoch_ = resumed_->sums_epoch;
  return {};
}

Status Trainer::set_up() {
  std::vector<Turn> turns, eval_turns;
  DLC_DATA_TRY(artifact_.choose_turns(DLC_ENTRY_TRAIN, options_.entry, turns));
  // Without an eval entry, or with several and none named, there is nothing to evaluate.
  if (options_.no_eval || !artifact_.choose_turns(DLC_ENTRY_EVAL, "", eval_turns).ok())
    eval_turns.clear();
  cycle_.choose(turns);

  seed_ = options_.seed.value_or(0);
  data::Encodings fitted; // of the weights that the training begins with
  bool checks_numerics = false;
  DLC_DATA_TRY(numerics_.open(options_, checks_numerics));
  dlc_observer_t observer = numerics_.observer();
  DLC_DATA_TRY(create_session(artifact_, options_, session_, checks_numerics ? &observer : nullptr));
  dlc_status_t status;
  if (!options_.resume.empty()) {
    DLC_DATA_TRY(restore());
    fitted = resumed_->encodings;
  } else {
    if (dlc_session_initialize(session_.get(), &status) != DLC_OK)
      return from_runtime(status);
    if (!options_.weights.empty())
      DLC_DATA_TRY(data::load_weights(artifact_.handle(), session_.get(), options_.weights, &fitted));
    if (!options_.init.empty()) {
      data::LoadReport report;
      DLC_DATA_TRY(
          data::load_fitting_weights(artifact_.handle(), session_.get(), options_.init, report, fitted));
      print_init(report);
    }
  }
  DLC_DATA_TRY(set_hyperparameters(artifact_, options_, session_.get()));
  DLC_DATA_TRY(choose_length());

  DLC_DATA_TRY(open_data(artifact_, options_, fitted, splits_));
  const data::TrainingState *resumed = resumed_ ? &*resumed_ : nullptr;
  DLC_DATA_TRY(cycle_.open(splits_, options_, resumed));
  // --batch is the training's; an evaluation takes the same where its entry does.
  DLC_DATA_TRY(evaluation_.set_up(eval_turns, splits_, std::nullopt, cycle_.batching().batch));
  if (!options_.no_eval)
    DLC_DATA_TRY(best_.choose(artifact_, options_, resumed, evaluation_.figure_names()));
  DLC_DATA_TRY(check_targets());
  DLC_DATA_TRY(carry_best());
  if (checks_numerics)
    evaluation_.set_numerics(&numerics_);
  DLC_DATA_TRY(cycle_.start(session_.get(), seed_, resumed, checks_numerics ? &numerics_ : nullptr));
  announce();
  return {};
}

bool Trainer::finished() const {
  if (best_.exhausted())
    return true;
  return steps_ ? iteration_ >= *steps_ : cycle_.completed_epochs() >= *epochs_;
}

Status Trainer::step() {
  double start = now_seconds();
  if (cycle_.completed_epochs() != epoch_ || !cycle_.has_reports()) {
    epoch_ = cycle_.completed_epochs();
    DLC_DATA_TRY(cycle_.reset_reports());
    epoch_seconds_ = 0;
    epoch_rows_ = 0;
  }
  DLC_DATA_TRY(cycle_.load());
  states_are_whole_ = false;
  numerics_.set_moment(format("step %" PRId64, iteration_ + 1));
  DLC_DATA_TRY(cycle_.run());
  states_are_whole_ = true;
  ++iteration_;
  double seconds = now_seconds() - start;
  train_seconds_ += seconds;
  epoch_seconds_ += seconds;
  trained_rows_ += cycle_.rows_of_cycle();
  epoch_rows_ += cycle_.rows_of_cycle();
  print_step();
  draw();
  return {};
}

Status Trainer::evaluate_now() {
  if (!evaluation_missing())
    return {};
  numerics_.set_moment(format("evaluation after step %" PRId64, iteration_));
  DLC_DATA_TRY(evaluation_.run(session_.get(), InterruptWatch::requested, eval_figures_));
  if (InterruptWatch::requested())
    return {};
  evaluated_at_ = iteration_;
  if (best_.wanted())
    DLC_DATA_TRY(keep_best());
  print_evaluation();
  return {};
}

/// The best weights come before the checkpoint that knows of them: after a kill in between, the evaluation
/// is repeated.
Status Trainer::keep_best() {
  Best known = best_;
  if (known.consider(eval_figures_, iteration_, evaluation_due()) && !options_.save.empty()) {
    DLC_DATA_TRY(data::save_weights(artifact_.handle(), session_.get(), cycle_.rows().encodings(),
                                    best_path(options_.save)));
    has_best_file_ = true;
  }
  best_ = known;
  return checkpoint_at_ == iteration_ ? save_checkpoint() : Status();
}

/// The best weights of the training that goes on, which --save of another name leaves behind: they are
/// copied.
Status Trainer::carry_best() {
  if (!resumed_ || !best_.wanted() || best_.state().step < 0 || options_.save.empty())
    return {};
  std::string old = best_path(data::weights_path(resumed_from_)), target = best_path(options_.save);
  std::vector<std::byte> bytes;
  has_best_file_ = access(old.c_str(), R_OK) == 0;
  if (!has_best_file_ || !data::check_not_source(target, old).ok())
    return {};
  data::InputFile file;
  DLC_DATA_TRY(file.open(old));
  bytes.resize(static_cast<size_t>(file.size()));
  DLC_DATA_TRY(file.read(0, bytes.data(), file.size()));
  return data::replace_file(target, {{bytes.data(), bytes.size()}});
}

bool Trainer::save_due() const {
  if (options_.save.empty())
    return false;
  return options_.save_every ? iteration_ % *options_.save_every == 0 : cycle_.completed_epochs() > epoch_;
}

bool Trainer::evaluation_due() const {
  return evaluate_every_ ? iteration_ % *evaluate_every_ == 0 : cycle_.completed_epochs() > epoch_;
}

Status Trainer::end_epoch() {
  train_figures_ = cycle_.figures();
  print_epoch_json();
  if (evaluation_due())
    DLC_DATA_TRY(evaluate_now());
  print_epoch();
  return {};
}

Status Trainer::loop() {
  // A training that was killed between its checkpoint and the evaluation that belongs to it.
  if (resumed_ && best_.wanted() && evaluation_due() && best_.state().evaluated < iteration_)
    DLC_DATA_TRY(evaluate_now());
  while (!finished() && !InterruptWatch::requested()) {
    DLC_DATA_TRY(step());
    // Saving comes first: what follows may fail or be interrupted.
    if (save_due()) {
      bar_.clear();
      DLC_DATA_TRY(save());
    }
    if (cycle_.completed_epochs() > epoch_) {
      bar_.clear();
      DLC_DATA_TRY(end_epoch());
    } else if (evaluation_due() && !evaluation_.empty()) {
      bar_.clear();
      DLC_DATA_TRY(evaluate_now());
      print_evaluation_line();
    }
    // Who reads it may have gone.
    if (ferror(stdout))
      return Status::machine("cannot write to standard output");
  }
  return {};
}

/// Without --save the work must not be lost either: the checkpoint of an interruption is named after the
/// model, by a name that nothing has which a training from there would save.
std::string Trainer::checkpoint_target() const {
  if (!options_.save.empty())
    return data::checkpoint_path(options_.save);
  if (!unsaved_checkpoint_.empty())
    return unsaved_checkpoint_;
  std::string name = options_.model.substr(options_.model.rfind('/') + 1);
  name = name.substr(0, name.rfind('.'));
  std::string weights = name + ".safetensors";
  auto is_taken = [&] {
    for (const std::string &path : {weights, best_path(weights), data::checkpoint_path(weights)})
      if (access(path.c_str(), F_OK) == 0)
        return true;
    return false;
  };
  for (int i = 2; is_taken(); ++i)
    weights = name + "-" + std::to_string(i) + ".safetensors";
  unsaved_checkpoint_ = data::checkpoint_path(weights);
  return unsaved_checkpoint_;
}

Status Trainer::save_checkpoint() {
  if (checkpoint_at_ == iteration_ && checkpoint_evaluated_ == best_.state().evaluated)
    return {};
  data::TrainingState training = {iteration_,
                                  seed_,
                                  epoch_,
                                  cycle_.save(),
                                  cycle_.rows().encodings(),
                                  best_.wanted() ? std::optional(best_.state()) : std::nullopt};
  std::string path = checkpoint_target();
  Status status = check_parameters(artifact_, session_.get());
  if (!status.ok())
    status = status.with(format("; after step %" PRId64 " nothing is saved", iteration_));
  else
    status = data::save_checkpoint(artifact_.handle(), session_.get(), training, path);
  checkpoint_failed_ = !status.ok();
  if (checkpoint_failed_ && checkpoint_at_ >= 0)
    return status.with(
        format("; %s still holds the training after step %" PRId64, path.c_str(), checkpoint_at_));
  DLC_DATA_TRY(status);
  checkpoint_at_ = iteration_;
  checkpoint_evaluated_ = best_.state().evaluated;
  return {};
}

/// The checkpoint first: it is what a killed training needs. The weights only where --save says.
Status Trainer::save() {
  if (saved_at_ == iteration_)
    return {};
  DLC_DATA_TRY(save_checkpoint());
  if (!options_.save.empty())
    DLC_DATA_TRY(
        data::save_weights(artifact_.handle(), session_.get(), cycle_.rows().encodings(), options_.save));
  saved_at_ = iteration_;
  print_save();
  return {};
}

Status Trainer::rescue(const Status &failure) {
  bar_.clear();
  if (!states_are_whole_ || checkpoint_failed_ || iteration_ == (resumed_ ? resumed_->step : 0))
    return failure;
  if (Status status = save_checkpoint(); !status.ok())
    return failure.with("\n" + status.message());
  std::string checkpoint = checkpoint_target();
  return failure.with(format("\n%s holds the training after step %" PRId64 "; resume with: %s",
                             checkpoint.c_str(), iteration_,
                             resume_command(options_.command, checkpoint).c_str()));
}

Status Trainer::interrupted(int signal, int &out_exit) {
  DLC_DATA_TRY(save());
  out_exit = 128 + signal;
  print_interrupted(checkpoint_target());
  return {};
}

Status Trainer::finish(int &out_exit) {
  bar_.clear();
  if (!finished())
    return interrupted(InterruptWatch::signal_number(), out_exit);
  if (!options_.save.empty())
    DLC_DATA_TRY(save());
  DLC_DATA_TRY(evaluate_now());
  if (evaluation_missing())
    return interrupted(InterruptWatch::signal_number(), out_exit);
  print_best();
  print_done();
  return {};
}

Status train(const Artifact &artifact, const Options &options, int &out_exit) {
  Trainer trainer(artifact, options);
  DLC_DATA_TRY(trainer.set_up());
  InterruptWatch watch;
  // A pipe that nobody reads any more becomes a failed write, after which there is time to save.
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN); // the same for a file that may not become larger
  Status status = trainer.loop();
  if (status.ok())
    status = trainer.finish(out_exit);
  return status.ok() ? status : trainer.rescue(status);
}

} // namespace dlc::cli
