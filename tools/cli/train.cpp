// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dlc train: the loop over epochs and steps, its checkpoints and what it prints.
#include "tools/cli/feed.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/verbs.h"

#include "runtime/data/safetensors.h"

#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <unistd.h>

namespace dlc::cli {

using data::format;
using data::from_runtime;
using data::Status;

namespace {

class Trainer {
public:
  Trainer(const Artifact &artifact, const Options &options)
      : artifact_(artifact), options_(options), bar_(options.json) {}

  /// Chooses entries and sizes, opens the data, makes the session: everything that can be wrong before the
  /// first step.
  Status set_up();
  Status loop();
  Status finish(int &out_exit);

private:
  Status choose_length();
  Status restore();
  Status step();
  Status end_epoch();
  Status evaluate_now();
  Status save(const std::string &weights_path, const std::string &checkpoint);
  bool finished() const;
  void announce() const;
  void draw();
  std::string resume_command(const std::string &checkpoint) const;

  int64_t completed_epochs() const {
    data::Position at = batcher_->position();
    return at.epoch + (at.row == train_rows_->size());
  }
  std::string epoch_label(int64_t epoch) const {
    return epochs_ ? format("epoch %" PRId64 "/%" PRId64, epoch, *epochs_) : format("epoch %" PRId64, epoch);
  }

  const Artifact &artifact_;
  const Options &options_;
  ProgressBar bar_;

  const Entry *entry_ = nullptr, *eval_entry_ = nullptr;
  data::Splits splits_;
  const data::DataSet *train_rows_ = nullptr, *eval_rows_ = nullptr;
  SessionHandle session_;
  std::optional<EntryRunner> runner_;
  std::optional<Reports> reports_;
  std::optional<data::Batcher> batcher_;
  Feed feed_;
  data::TrainingState resumed_;

  std::optional<int64_t> epochs_, steps_; ///< One of them.
  int64_t batch_ = 0;
  uint64_t seed_ = 0;
  int64_t iteration_ = 0; ///< Completed steps.

  double train_seconds_ = 0; ///< In steps, without evaluations and saving.
  int64_t trained_rows_ = 0;
  double epoch_seconds_ = 0;
  int64_t epoch_rows_ = 0;
  std::vector<Figure> train_figures_, eval_figures_;
  int64_t evaluated_at_ = -1, saved_at_ = -1; ///< Iterations.
};

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
  std::optional<double> fit_batch = artifact_.fit_number("batch");
  if (options_.batch)
    batch_ = *options_.batch;
  else if (resumed_.batch > 0)
    batch_ = resumed_.batch;
  else if (fit_batch)
    batch_ = static_cast<int64_t>(*fit_batch);
  else
    return Status::input(std::string(artifact_.info().source_name) +
                         " has no fit block that says the batch: give --batch N");
  if (batch_ < 1)
    return Status::input(format("batch: expected at least 1, found %" PRId64, batch_));
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
  DLC_DATA_TRY(data::load_checkpoint(artifact_.handle(), session_.get(), path, resumed_));
  if (!resumed_.entry.empty() && resumed_.entry != entry_->name)
    return Status::input(path + " is a checkpoint of train entry " + resumed_.entry + ", expected " +
                         entry_->name);
  if (options_.seed && *options_.seed != resumed_.data_seed)
    return Status::input(format("%s was trained with seed %" PRIu64 ", which goes on: --seed %" PRIu64
                                " differs",
                                path.c_str(), resumed_.data_seed, *options_.seed));
  seed_ = resumed_.data_seed;
  return {};
}

Status Trainer::set_up() {
  DLC_DATA_TRY(artifact_.choose_entry(DLC_ENTRY_TRAIN, options_.entry, "train.entry", entry_));
  // Without an eval entry, or with several and none named, there is nothing to evaluate.
  if (!options_.no_eval && !artifact_.choose_entry(DLC_ENTRY_EVAL, "", "eval.entry", eval_entry_).ok())
    eval_entry_ = nullptr;

  seed_ = options_.seed.value_or(0);
  DLC_DATA_TRY(create_session(artifact_, options_, session_));
  dlc_status_t status;
  if (!options_.resume.empty()) {
    DLC_DATA_TRY(restore());
  } else {
    if (dlc_session_initialize(session_.get(), &status) != DLC_OK)
      return from_runtime(status);
    if (!options_.weights.empty())
      DLC_DATA_TRY(data::load_weights(artifact_.handle(), session_.get(), options_.weights));
  }
  DLC_DATA_TRY(set_hyperparameters(artifact_, options_, session_.get()));
  DLC_DATA_TRY(choose_length());

  DLC_DATA_TRY(open_data(artifact_, options_, splits_));
  DLC_DATA_TRY(find_split(artifact_, splits_, "train.split", "train", train_rows_));
  if (eval_entry_) {
    DLC_DATA_TRY(find_split(artifact_, splits_, "eval.split", "test", eval_rows_));
    DLC_DATA_TRY(Feed().bind(*eval_entry_, *eval_rows_));
  }
  DLC_DATA_TRY(feed_.bind(*entry_, *train_rows_));
  runner_.emplace(artifact_, session_.get(), *entry_);
  reports_.emplace(*runner_);
  batcher_.emplace(train_rows_->size(), batch_, seed_, /*shuffle=*/true);
  if (!options_.resume.empty()) {
    DLC_DATA_TRY(batcher_->restore(resumed_.position));
    reports_->restore(resumed_.sums, resumed_.sum_rows);
  }
  iteration_ = resumed_.step;
  announce();
  return {};
}

void Trainer::announce() const {
  int64_t parameters = 0;
  for (const dlc_state_info_t &state : artifact_.states())
    if (state.role == DLC_STATE_PARAMETER)
      parameters += state.element_count;
  dlc_variant_info_t variant = {};
  dlc_artifact_variant(artifact_.handle(), dlc_session_variant(session_.get()), &variant, nullptr);
  int threads = dlc_session_threads(session_.get());
  int64_t batches = batcher_->batches_per_epoch();
  if (options_.json) {
    JsonLine line("start");
    line.add("model", artifact_.info().source_name).add("entry", entry_->name).add("parameters", parameters);
    line.add("variant", variant.name).add("threads", int64_t{threads}).add("batch", batch_);
    line.add("rows", train_rows_->size())
        .add("steps_per_epoch", batches)
        .add("seed", static_cast<int64_t>(seed_));
    line.add("step", iteration_);
    if (epochs_)
      line.add("epochs", *epochs_);
    else
      line.add("steps", *steps_);
    line.print();
    return;
  }
  std::string length = epochs_ ? format("%" PRId64 " epoch%s of %" PRId64 " steps", *epochs_,
                                        *epochs_ == 1 ? "" : "s", batches)
                               : format("%" PRId64 " steps", *steps_);
  printf("training %s of %s: %s parameters, %s, %d thread%s, batch %" PRId64 ", %s\n", entry_->name.c_str(),
         artifact_.info().source_name, format_count(parameters).c_str(), variant.name, threads,
         threads == 1 ? "" : "s", batch_, length.c_str());
  if (iteration_ > 0)
    printf("resumed after step %" PRId64 ", epoch %" PRId64 "\n", iteration_, batcher_->position().epoch + 1);
  fflush(stdout);
}

bool Trainer::finished() const {
  return steps_ ? iteration_ >= *steps_ : completed_epochs() >= *epochs_;
}

void Trainer::draw() {
  if (!bar_.due())
    return;
  double rate = train_seconds_ > 0 ? static_cast<double>(trained_rows_) / train_seconds_ : 0;
  data::Position at = batcher_->position();
  double rows_left = steps_ ? static_cast<double>((*steps_ - iteration_) * batch_)
                            : static_cast<double>((*epochs_ - at.epoch) * train_rows_->size() - at.row);
  int64_t batches = batcher_->batches_per_epoch();
  bar_.draw({epoch_label(at.epoch + 1), iteration_, 0, (at.row + batch_ - 1) / batch_, batches,
             reports_->figures(), rate, rate > 0 ? rows_left / rate : -1});
}

Status Trainer::step() {
  double start = now_seconds();
  data::Position at = batcher_->position();
  if (at.row == 0 || at.row == train_rows_->size()) {
    DLC_DATA_TRY(reports_->reset());
    epoch_seconds_ = 0;
    epoch_rows_ = 0;
  }
  std::span<const int64_t> rows = batcher_->next();
  DLC_DATA_TRY(feed_.load(rows));
  DLC_DATA_TRY(runner_->run(feed_.tensors()));
  int64_t count = static_cast<int64_t>(rows.size());
  reports_->add(count);
  ++iteration_;
  double seconds = now_seconds() - start;
  train_seconds_ += seconds;
  epoch_seconds_ += seconds;
  trained_rows_ += count;
  epoch_rows_ += count;
  if (options_.json) {
    JsonLine line("step");
    line.add("step", iteration_).add("epoch", batcher_->position().epoch + 1);
    for (const Figure &figure : reports_->last())
      line.add(figure.name, figure.value);
    line.print();
  }
  draw();
  return {};
}

Status Trainer::evaluate_now() {
  if (!eval_entry_ || evaluated_at_ == iteration_)
    return {};
  eval_figures_.clear();
  DLC_DATA_TRY(evaluate(artifact_, session_.get(), *eval_entry_, *eval_rows_, batch_, bar_,
                        InterruptWatch::requested, eval_figures_));
  if (InterruptWatch::requested())
    return {};
  evaluated_at_ = iteration_;
  if (options_.json) {
    JsonLine line("eval");
    line.add("step", iteration_).add("epoch", completed_epochs());
    for (const Figure &figure : eval_figures_)
      line.add(figure.name, figure.value);
    line.print();
  }
  return {};
}

Status Trainer::end_epoch() {
  bar_.clear();
  train_figures_ = reports_->figures();
  double rate = epoch_seconds_ > 0 ? static_cast<double>(epoch_rows_) / epoch_seconds_ : 0;
  if (options_.json) {
    JsonLine line("epoch");
    line.add("epoch", completed_epochs()).add("step", iteration_);
    for (const Figure &figure : train_figures_)
      line.add(figure.name, figure.value);
    line.add("seconds", epoch_seconds_).add("rate", rate).print();
  }
  // Saving comes first: what follows may fail or be interrupted.
  if (!options_.save.empty() && !options_.save_every && !finished())
    DLC_DATA_TRY(save(options_.save, data::checkpoint_path(options_.save)));
  DLC_DATA_TRY(evaluate_now());
  bar_.clear();
  if (!options_.json) {
    printf("%s: %s%s%s  (%s, %s samples/s)\n", epoch_label(completed_epochs()).c_str(),
           format_figures(train_figures_).c_str(), eval_figures_.empty() ? "" : "  ",
           format_figures(eval_figures_).c_str(), format_duration(epoch_seconds_).c_str(),
           format_count(static_cast<int64_t>(rate)).c_str());
    fflush(stdout);
  }
  return {};
}

Status Trainer::loop() {
  while (!finished() && !InterruptWatch::requested()) {
    DLC_DATA_TRY(step());
    if (batcher_->position().row == train_rows_->size())
      DLC_DATA_TRY(end_epoch());
    if (!options_.save.empty() && options_.save_every && iteration_ % *options_.save_every == 0 &&
        !finished()) {
      bar_.clear();
      DLC_DATA_TRY(save(options_.save, data::checkpoint_path(options_.save)));
    }
  }
  return {};
}

/// The checkpoint first: it is what a killed training needs. An empty path is not written.
Status Trainer::save(const std::string &weights_path, const std::string &checkpoint) {
  if (saved_at_ == iteration_)
    return {};
  data::TrainingState training = {iteration_,   batcher_->position(), seed_,           batch_,
                                  entry_->name, reports_->sums(),     reports_->rows()};
  DLC_DATA_TRY(data::save_checkpoint(artifact_.handle(), session_.get(), training, checkpoint));
  if (!weights_path.empty())
    DLC_DATA_TRY(data::save_weights(artifact_.handle(), session_.get(), weights_path));
  saved_at_ = iteration_;
  if (options_.json) {
    JsonLine line("save");
    line.add("step", iteration_).add("checkpoint", checkpoint);
    if (!weights_path.empty())
      line.add("weights", weights_path);
    line.print();
  }
  return {};
}

/// The command line that continues: the same words, with --resume.
std::string Trainer::resume_command(const std::string &checkpoint) const {
  std::string text;
  for (size_t i = 0; i < options_.command.size(); ++i) {
    std::string word = options_.command[i];
    if (word == "--resume" || word == "--weights") {
      ++i;
      continue;
    }
    if (word.starts_with("--resume=") || word.starts_with("--weights="))
      continue;
    if (i == 0)
      word = word.substr(word.rfind('/') + 1);
    bool plain = !word.empty() &&
                 word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                        "-_./=,:+@%") == std::string::npos;
    text += (i ? " " : "") + (plain ? word : "'" + word + "'");
  }
  return text + " --resume " + checkpoint;
}

Status Trainer::finish(int &out_exit) {
  bar_.clear();
  if (int signal = InterruptWatch::signal_number(); signal != 0 && !finished()) {
    // Without --save the work still must not be lost: the checkpoint goes beside, named after the model.
    std::string name = options_.model.substr(options_.model.rfind('/') + 1);
    std::string weights =
        options_.save.empty() ? name.substr(0, name.rfind('.')) + ".safetensors" : options_.save;
    std::string checkpoint = data::checkpoint_path(weights);
    DLC_DATA_TRY(save(options_.save, checkpoint));
    out_exit = 128 + signal;
    if (options_.json)
      JsonLine("interrupted")
          .add("step", iteration_)
          .add("checkpoint", checkpoint)
          .add("resume", resume_command(checkpoint))
          .print();
    else
      printf("interrupted after step %" PRId64 "; saved %s\nresume with: %s\n", iteration_,
             checkpoint.c_str(), resume_command(checkpoint).c_str());
    fflush(stdout);
    return {};
  }

  if (!options_.save.empty())
    DLC_DATA_TRY(save(options_.save, data::checkpoint_path(options_.save)));
  DLC_DATA_TRY(evaluate_now());
  bar_.clear();
  train_figures_ = reports_->figures();
  std::vector<Figure> all = train_figures_;
  all.insert(all.end(), eval_figures_.begin(), eval_figures_.end());
  double rate = train_seconds_ > 0 ? static_cast<double>(trained_rows_) / train_seconds_ : 0;
  dlc_memory_stats_t memory;
  dlc_session_memory(session_.get(), &memory);
  if (options_.json) {
    JsonLine line("done");
    line.add("step", iteration_)
        .add("epoch", completed_epochs())
        .add("seconds", train_seconds_)
        .add("rate", rate);
    line.add("peak_bytes", static_cast<int64_t>(memory.peak_bytes));
    for (const Figure &figure : all)
      line.add(figure.name, figure.value);
    line.print();
    return {};
  }
  if (!options_.save.empty())
    printf("saved %s, and %s to resume from\n", options_.save.c_str(),
           data::checkpoint_path(options_.save).c_str());
  printf("done: %s  (%" PRId64 " step%s, %s, %s samples/s, peak memory %s)\n", format_figures(all).c_str(),
         iteration_, iteration_ == 1 ? "" : "s", format_duration(train_seconds_).c_str(),
         format_count(static_cast<int64_t>(rate)).c_str(), format_bytes(memory.peak_bytes).c_str());
  return {};
}

} // namespace

Status train(const Artifact &artifact, const Options &options, int &out_exit) {
  Trainer trainer(artifact, options);
  DLC_DATA_TRY(trainer.set_up());
  InterruptWatch watch;
  DLC_DATA_TRY(trainer.loop());
  return trainer.finish(out_exit);
}

} // namespace dlc::cli
