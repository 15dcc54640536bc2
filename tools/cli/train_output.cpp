// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What dlc train prints.
#include "tools/cli/resume.h"
#include "tools/cli/trainer.h"

#include <cinttypes>
#include <cstdio>
#include <unistd.h>

namespace dlc::cli {

using data::format;

namespace {

/// The elements of all parameters.
int64_t parameter_count(const Artifact &artifact) {
  int64_t parameters = 0;
  for (const dlc_state_info_t &state : artifact.states())
    if (state.role == DLC_STATE_PARAMETER)
      parameters += state.element_count;
  return parameters;
}

void add(JsonLine &line, const std::vector<Figure> &figures) {
  for (const Figure &figure : figures)
    line.add(figure.name, figure.value);
}

double rate_of(int64_t rows, double seconds) {
  return seconds > 0 ? static_cast<double>(rows) / seconds : 0;
}

} // namespace

std::string Trainer::epoch_label(int64_t epoch) const {
  return epochs_ ? format("epoch %" PRId64 "/%" PRId64, epoch, *epochs_) : format("epoch %" PRId64, epoch);
}

/// The scheduled values that the progress shows; --json has them all.
std::vector<Figure> Trainer::learning_rates() const {
  std::vector<Figure> figures = cycle_.schedules();
  std::erase_if(figures, [](const Figure &figure) { return !figure.name.ends_with(".lr"); });
  return figures;
}

const char *Trainer::best_mark() const {
  return best_.wanted() && best_.state().step == iteration_ ? ", the best so far" : "";
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
  std::string length = epochs_
                           ? counted(*epochs_, "epoch") + " of " + counted(cycle_.cycles_per_epoch(), "step")
                           : counted(*steps_, "step");
  printf("training %s of %s: %s parameters, %s, %d thread%s, batch %" PRId64 ", %s\n",
         cycle_.format().c_str(), artifact_.info().source_name,
         format_count(parameter_count(artifact_)).c_str(), variant.name, threads, threads == 1 ? "" : "s",
         cycle_.batching().batch, length.c_str());
  if (iteration_ > 0)
    printf("resumed after step %" PRId64 ", epoch %" PRId64 "%s\n", iteration_, epoch_ + 1,
           finished() ? ": nothing is left to train" : "");
  if (options_.save.empty())
    printf("the weights will not be kept: --save FILE keeps them\n");
  fflush(stdout);
}

void Trainer::announce_json(const char *variant) const {
  JsonLine line("start");
  line.add("model", artifact_.info().source_name)
      .add("entry", cycle_.list())
      .add("parameters", parameter_count(artifact_))
      .add("variant", variant)
      .add("threads", int64_t{dlc_session_threads(session_.get())})
      .add("batch", cycle_.batching().batch)
      .add("rows", cycle_.rows().size());
  if (cycle_.batching().left_out > 0)
    line.add("rows_left_out", cycle_.batching().left_out);
  line.add("steps_per_epoch", cycle_.cycles_per_epoch()).add("seed", seed_).add("step", iteration_);
  if (epochs_)
    line.add("epochs", *epochs_);
  else
    line.add("steps", *steps_);
  line.print();
}

/// What --init took, and what it left as it was.
void Trainer::print_init(const data::LoadReport &report) const {
  if (options_.json) {
    JsonLine("init")
        .add("file", options_.init)
        .add("taken", report.taken)
        .add("new", report.missing)
        .add("differing", report.differing)
        .add("unused", report.unused)
        .print();
    return;
  }
  printf("took %zu tensor%s, %s elements, from %s\n", report.taken.size(),
         report.taken.size() == 1 ? "" : "s", format_count(report.taken_elements).c_str(),
         options_.init.c_str());
  auto list = [](const char *what, const std::vector<std::string> &lines) {
    for (const std::string &line : lines)
      printf("  %s: %s\n", what, line.c_str());
  };
  list("taken", report.taken);
  list("new", report.missing);
  list("differs, new", report.differing);
  list("unused", report.unused);
}

void Trainer::draw() {
  if (!bar_.due())
    return;
  double rate = rate_of(trained_rows_, train_seconds_);
  data::Position at = cycle_.batcher().position();
  int64_t cycle_rows = cycle_.batching().batch * cycle_.batches_per_cycle();
  double rows_left = steps_ ? static_cast<double>(*steps_ - iteration_) * static_cast<double>(cycle_rows)
                            : static_cast<double>(*epochs_ - at.epoch) *
                                      static_cast<double>(cycle_.batcher().rows_per_epoch()) -
                                  static_cast<double>(at.row);
  std::vector<Figure> figures = cycle_.figures(), rates = learning_rates();
  figures.insert(figures.end(), rates.begin(), rates.end());
  bar_.draw({epoch_label(at.epoch + 1), iteration_, 0, (at.row + cycle_rows - 1) / cycle_rows,
             cycle_.cycles_per_epoch(), figures, rate, rate > 0 ? rows_left / rate : -1});
}

void Trainer::print_step() const {
  if (!options_.json)
    return;
  JsonLine line("step");
  line.add("step", iteration_).add("epoch", epoch_ + 1);
  add(line, cycle_.last());
  add(line, cycle_.schedules());
  line.print();
}

void Trainer::print_evaluation() const {
  if (!options_.json)
    return;
  JsonLine line("eval");
  line.add("step", iteration_).add("epoch", cycle_.completed_epochs());
  add(line, eval_figures_);
  if (best_.wanted() && best_.state().step >= 0)
    line.add("best", best_.state().value).add("best_step", best_.state().step);
  line.print();
}

/// An evaluation that is not at the end of an epoch.
void Trainer::print_evaluation_line() const {
  if (options_.json || evaluated_at_ != iteration_)
    return;
  std::vector<Figure> rates = learning_rates();
  printf("step %" PRId64 ": %s%s%s  (%s%s)\n", iteration_, format_figures(rates).c_str(),
         rates.empty() ? "" : "  ", format_figures(eval_figures_).c_str(), epoch_label(epoch_ + 1).c_str(),
         best_mark());
  fflush(stdout);
}

void Trainer::print_epoch_json() const {
  if (!options_.json)
    return;
  JsonLine line("epoch");
  line.add("epoch", cycle_.completed_epochs()).add("step", iteration_);
  add(line, train_figures_);
  add(line, cycle_.schedules());
  line.add("seconds", epoch_seconds_).add("rate", rate_of(epoch_rows_, epoch_seconds_)).print();
}

void Trainer::print_epoch() const {
  if (options_.json)
    return;
  std::vector<Figure> figures = train_figures_, rates = learning_rates();
  figures.insert(figures.end(), rates.begin(), rates.end());
  if (evaluated_at_ == iteration_)
    figures.insert(figures.end(), eval_figures_.begin(), eval_figures_.end());
  printf("%s: %s  (%s, %s samples/s%s)\n", epoch_label(cycle_.completed_epochs()).c_str(),
         format_figures(figures).c_str(), format_duration(epoch_seconds_).c_str(),
         format_count(static_cast<int64_t>(rate_of(epoch_rows_, epoch_seconds_))).c_str(), best_mark());
  fflush(stdout);
}

void Trainer::print_save() const {
  if (!options_.json)
    return;
  JsonLine line("save");
  line.add("step", iteration_).add("checkpoint", checkpoint_target());
  if (!options_.save.empty())
    line.add("weights", options_.save);
  line.print();
}

void Trainer::print_interrupted(const std::string &checkpoint) const {
  std::string resume = resume_command(options_.command, checkpoint);
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
}

/// Why the training ended early, if it did, and which weights are the best.
void Trainer::print_best() const {
  const data::BestEvaluation &best = best_.state();
  if (options_.json && best_.exhausted())
    JsonLine("stop")
        .add("step", iteration_)
        .add("figure", best_.name())
        .add("evaluations", best.evaluations_since)
        .print();
  if (options_.json || !best_.wanted())
    return;
  if (best_.exhausted())
    printf("stopped: no better %s in %" PRId64 " evaluation%s\n", best_.name().c_str(),
           best.evaluations_since, best.evaluations_since == 1 ? "" : "s");
  if (best.step < 0)
    return;
  printf("best %s after step %" PRId64 "%s%s\n", format_figures({{best_.name(), best.value}}).c_str(),
         best.step, has_best_file_ ? ", in " : ", not kept",
         has_best_file_ ? best_path(options_.save).c_str() : "");
}

void Trainer::print_done() const {
  std::vector<Figure> all = cycle_.figures();
  all.insert(all.end(), eval_figures_.begin(), eval_figures_.end());
  double rate = rate_of(trained_rows_, train_seconds_);
  dlc_memory_stats_t memory;
  dlc_session_memory(session_.get(), &memory);
  if (options_.json) {
    JsonLine line("done");
    line.add("step", iteration_)
        .add("epoch", cycle_.completed_epochs())
        .add("seconds", train_seconds_)
        .add("rate", rate)
        .add("peak_bytes", memory.peak_bytes);
    if (best_.wanted() && best_.state().step >= 0)
      line.add("best", best_.state().value).add("best_step", best_.state().step);
    add(line, all);
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

} // namespace dlc::cli
