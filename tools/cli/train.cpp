// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dlc train: the loop over epochs and steps, its checkpoints and what it prints.
#include "tools/cli/feed.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/resume.h"
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

namespace {

class Trainer {
public:
  Trainer(const Artifact &artifact, const Options &options)
      : artifact_(artifact), options_(options), bar_(options.json) {}

  /// Chooses entries and sizes, opens the data, makes the session: everything that can be wrong before the
  /// first step.
  Status set_up();
  Status loop();
  /// The last save and evaluation, and the closing lines; or those of an interruption.
  Status finish(int &out_exit);
  /// Keeps the steps that are done when something failed, and says so in the failure that it returns.
  Status rescue(const Status &failure);

private:
  Status choose_length();
  Status choose_batches();
  Status check_targets() const;
  Status restore();
  Status step();
  Status end_epoch();
  Status evaluate_now();
  Status save();
  Status save_checkpoint();
  Status interrupted(int signal, int &out_exit);
  void print_done() const;
  bool finished() const;
  bool evaluation_missing() const { return eval_entry_ && evaluated_at_ != iteration_; }
  void announce() const;
  void announce_json(const char *variant) const;
  void draw();
  std::string checkpoint_target() const;

  int64_t completed_epochs() const { return batcher_->position().epoch + batcher_->epoch_complete(); }
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
  Batching batching_, eval_batching_;
  uint64_t seed_ = 0;
  int64_t iteration_ = 0;        ///< Completed steps.
  bool states_are_whole_ = true; ///< False within a step, and for good when one failed there.

  double train_seconds_ = 0; ///< In steps, without evaluations and saving.
  int64_t trained_rows_ = 0;
  double epoch_seconds_ = 0;
  int64_t epoch_rows_ = 0;
  std::vector<Figure> train_figures_, eval_figures_;
  int64_t evaluated_at_ = -1, saved_at_ = -1, checkpoint_at_ = -1; ///< Iterations.
  bool checkpoint_failed_ = false;
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
  return {};
}

/// --batch is the training's; an evaluation takes the same where its entry does.
Status Trainer::choose_batches() {
  std::optional<int64_t> preferred;
  if (resumed_.batch > 0)
    preferred = resumed_.batch;
  else if (std::optional<double> fit = artifact_.fit_number("batch"))
    preferred = static_cast<int64_t>(*fit);
  DLC_DATA_TRY(choose_batching(artifact_, *entry_, *train_rows_, options_.batch, preferred, batching_));
  print_note(batching_, options_.json);
  if (!eval_entry_)
    return {};
  DLC_DATA_TRY(
      choose_batching(artifact_, *eval_entry_, *eval_rows_, std::nullopt, batching_.batch, eval_batching_));
  print_note(eval_batching_, options_.json);
  return {};
}

/// Finds out before the training what would make its saving fail.
Status Trainer::check_targets() const {
  if (options_.save.empty())
    return {};
  DLC_DATA_TRY(data::check_replaceable(options_.save));
  return data::check_replaceable(checkpoint_target());
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
  DLC_DATA_TRY(check_targets());

  DLC_DATA_TRY(open_data(artifact_, options_, splits_));
  DLC_DATA_TRY(find_split(artifact_, splits_, "train.split", "train", train_rows_));
  if (eval_entry_)
    DLC_DATA_TRY(find_split(artifact_, splits_, "eval.split", "test", eval_rows_));
  DLC_DATA_TRY(choose_batches());
  DLC_DATA_TRY(feed_.bind(*entry_, *train_rows_));
  runner_.emplace(artifact_, session_.get(), *entry_);
  reports_.emplace(*runner_);
  batcher_.emplace(train_rows_->size(), batching_.batch, seed_, /*shuffle=*/true, batching_.drop_last);
  if (!options_.resume.empty()) {
    DLC_DATA_TRY(batcher_->restore(resumed_.position));
    reports_->restore(resumed_.sums, resumed_.sum_rows);
  }
  iteration_ = resumed_.step;
  announce();
  return {};
}

/// The elements of all parameters.
static int64_t parameter_count(const Artifact &artifact) {
  int64_t parameters = 0;
  for (const dlc_state_info_t &state : artifact.states())
    if (state.role == DLC_STATE_PARAMETER)
      parameters += state.element_count;
  return parameters;
}

void Trainer::announce() const {
  dlc_variant_info_t variant = {};
  dlc_artifact_variant(artifact_.handle(), dlc_session_variant(session_.get()), &variant, nullptr);
  if (options_.json)
    return announce_json(variant.name);
  int threads = dlc_session_threads(session_.get());
  auto counted = [](int64_t count, const char *unit) {
    return format("%" PRId64 " %s%s", count, unit, count == 1 ? "" : "s");
  };
  std::string length =
      epochs_ ? counted(*epochs_, "epoch") + " of " + counted(batcher_->batches_per_epoch(), "step")
              : counted(*steps_, "step");
  printf("training %s of %s: %s parameters, %s, %d thread%s, batch %" PRId64 ", %s\n", entry_->name.c_str(),
         artifact_.info().source_name, format_count(parameter_count(artifact_)).c_str(), variant.name,
         threads, threads == 1 ? "" : "s", batching_.batch, length.c_str());
  if (iteration_ > 0)
    printf("resumed after step %" PRId64 ", epoch %" PRId64 "%s\n", iteration_,
           batcher_->position().epoch + 1, finished() ? ": nothing is left to train" : "");
  fflush(stdout);
}

void Trainer::announce_json(const char *variant) const {
  JsonLine line("start");
  line.add("model", artifact_.info().source_name)
      .add("entry", entry_->name)
      .add("parameters", parameter_count(artifact_))
      .add("variant", variant)
      .add("threads", int64_t{dlc_session_threads(session_.get())})
      .add("batch", batching_.batch)
      .add("rows", train_rows_->size());
  if (batching_.left_out > 0)
    line.add("rows_left_out", batching_.left_out);
  line.add("steps_per_epoch", batcher_->batches_per_epoch()).add("seed", seed_).add("step", iteration_);
  if (epochs_)
    line.add("epochs", *epochs_);
  else
    line.add("steps", *steps_);
  line.print();
}

bool Trainer::finished() const {
  return steps_ ? iteration_ >= *steps_ : completed_epochs() >= *epochs_;
}

void Trainer::draw() {
  if (!bar_.due())
    return;
  double rate = train_seconds_ > 0 ? static_cast<double>(trained_rows_) / train_seconds_ : 0;
  data::Position at = batcher_->position();
  double epoch_rows = static_cast<double>(batcher_->rows_per_epoch());
  double rows_left =
      steps_ ? static_cast<double>(*steps_ - iteration_) * static_cast<double>(batching_.batch)
             : static_cast<double>(*epochs_ - at.epoch) * epoch_rows - static_cast<double>(at.row);
  int64_t done = (at.row + batching_.batch - 1) / batching_.batch, batches = batcher_->batches_per_epoch();
  bar_.draw({epoch_label(at.epoch + 1), iteration_, 0, done, batches, reports_->figures(), rate,
             rate > 0 ? rows_left / rate : -1});
}

Status Trainer::step() {
  double start = now_seconds();
  if (batcher_->position().row == 0 || batcher_->epoch_complete()) {
    DLC_DATA_TRY(reports_->reset());
    epoch_seconds_ = 0;
    epoch_rows_ = 0;
  }
  data::Position before = batcher_->position();
  std::span<const int64_t> rows = batcher_->next();
  Status ready = feed_.load(rows);
  if (ready.ok())
    ready = runner_->prepare(feed_.tensors());
  if (!ready.ok()) {
    DLC_DATA_TRY(batcher_->restore(before)); // for rescue: these rows were not trained on
    return ready;
  }
  states_are_whole_ = false;
  DLC_DATA_TRY(runner_->run(feed_.tensors()));
  states_are_whole_ = true;
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
  if (!evaluation_missing())
    return {};
  eval_figures_.clear();
  DLC_DATA_TRY(evaluate(artifact_, session_.get(), *eval_entry_, *eval_rows_, eval_batching_, bar_,
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
    DLC_DATA_TRY(save());
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
    if (batcher_->epoch_complete())
      DLC_DATA_TRY(end_epoch());
    if (!options_.save.empty() && options_.save_every && iteration_ % *options_.save_every == 0 &&
        !finished()) {
      bar_.clear();
      DLC_DATA_TRY(save());
    }
    // Who reads it may have gone.
    if (ferror(stdout))
      return Status::machine("cannot write to standard output");
  }
  return {};
}

/// Without --save the work must not be lost either: the checkpoint of an interruption is named after the
/// model.
std::string Trainer::checkpoint_target() const {
  if (!options_.save.empty())
    return data::checkpoint_path(options_.save);
  std::string name = options_.model.substr(options_.model.rfind('/') + 1);
  return data::checkpoint_path(name.substr(0, name.rfind('.')) + ".safetensors");
}

Status Trainer::save_checkpoint() {
  if (checkpoint_at_ == iteration_)
    return {};
  data::TrainingState training = {iteration_,   batcher_->position(), seed_,           batching_.batch,
                                  entry_->name, reports_->sums(),     reports_->rows()};
  std::string path = checkpoint_target();
  Status status = data::save_checkpoint(artifact_.handle(), session_.get(), training, path);
  checkpoint_failed_ = !status.ok();
  if (checkpoint_failed_ && checkpoint_at_ >= 0)
    return status.with(
        format("; %s still holds the training after step %" PRId64, path.c_str(), checkpoint_at_));
  DLC_DATA_TRY(status);
  checkpoint_at_ = iteration_;
  return {};
}

/// The checkpoint first: it is what a killed training needs. The weights only where --save says.
Status Trainer::save() {
  if (saved_at_ == iteration_)
    return {};
  DLC_DATA_TRY(save_checkpoint());
  if (!options_.save.empty())
    DLC_DATA_TRY(data::save_weights(artifact_.handle(), session_.get(), options_.save));
  saved_at_ = iteration_;
  if (options_.json) {
    JsonLine line("save");
    line.add("step", iteration_).add("checkpoint", checkpoint_target());
    if (!options_.save.empty())
      line.add("weights", options_.save);
    line.print();
  }
  return {};
}

Status Trainer::rescue(const Status &failure) {
  bar_.clear();
  if (!states_are_whole_ || checkpoint_failed_ || iteration_ == resumed_.step)
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
  std::string checkpoint = checkpoint_target(), resume = resume_command(options_.command, checkpoint);
  if (options_.json)
    JsonLine("interrupted")
        .add("step", iteration_)
        .add("checkpoint", checkpoint)
        .add("resume", resume)
        .print();
  else
    printf("interrupted %s step %" PRId64 "; saved %s\nresume with: %s\n",
           finished() ? "in the evaluation after" : "after", iteration_, checkpoint.c_str(), resume.c_str());
  fflush(stdout);
  return {};
}

void Trainer::print_done() const {
  std::vector<Figure> all = reports_->figures();
  all.insert(all.end(), eval_figures_.begin(), eval_figures_.end());
  double rate = train_seconds_ > 0 ? static_cast<double>(trained_rows_) / train_seconds_ : 0;
  dlc_memory_stats_t memory;
  dlc_session_memory(session_.get(), &memory);
  if (options_.json) {
    JsonLine line("done");
    line.add("step", iteration_)
        .add("epoch", completed_epochs())
        .add("seconds", train_seconds_)
        .add("rate", rate)
        .add("peak_bytes", memory.peak_bytes);
    for (const Figure &figure : all)
      line.add(figure.name, figure.value);
    line.print();
    return;
  }
  if (!options_.save.empty())
    printf("saved %s, and %s to resume from\n", options_.save.c_str(), checkpoint_target().c_str());
  std::string speed = trained_rows_ == 0
                          ? ""
                          : format(", %s, %s samples/s", format_duration(train_seconds_).c_str(),
                                   format_count(static_cast<int64_t>(rate)).c_str());
  printf("done%s%s  (%" PRId64 " step%s%s, peak memory %s)\n", all.empty() ? "" : ": ",
         format_figures(all).c_str(), iteration_, iteration_ == 1 ? "" : "s", speed.c_str(),
         format_bytes(memory.peak_bytes).c_str());
}

Status Trainer::finish(int &out_exit) {
  bar_.clear();
  if (!finished())
    return interrupted(InterruptWatch::signal_number(), out_exit);
  if (!options_.save.empty())
    DLC_DATA_TRY(save());
  DLC_DATA_TRY(evaluate_now());
  bar_.clear();
  if (evaluation_missing())
    return interrupted(InterruptWatch::signal_number(), out_exit);
  print_done();
  return {};
}

} // namespace

Status train(const Artifact &artifact, const Options &options, int &out_exit) {
  Trainer trainer(artifact, options);
  DLC_DATA_TRY(trainer.set_up());
  InterruptWatch watch;
  // A pipe that nobody reads any more becomes a failed write, after which there is time to save.
  signal(SIGPIPE, SIG_IGN);
  Status status = trainer.loop();
  if (status.ok())
    status = trainer.finish(out_exit);
  return status.ok() ? status : trainer.rescue(status);
}

} // namespace dlc::cli
