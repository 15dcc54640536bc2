// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What dlc train prints.
#include "tools/cli/resume.h"
#include "tools/cli/trainer.h"

#include <cinttypes>
#include <cstdio>

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
  bar_.draw({epoch_label(at.epoch + 1), iteration_, 0, (at.row + cycle_rows - 1) / cycle_rows,
             cycle_.cycles_per_epoch(), cycle_.figures(), rate, rate > 0 ? rows_left / rate : -1});
}

void Trainer::print_step() const {
  if (!options_.json)
    return;
  JsonLine line("step");
  line.add("step", iteration_).add("epoch", epoch_ + 1);
  add(line, cycle_.last());
  line.print();
}

void Trainer::print_evaluation() const {
  if (!options_.json)
    return;
  JsonLine line("eval");
  line.add("step", iteration_).add("epoch", cycle_.completed_epochs());
  add(line, eval_figures_);
  line.print();
}

void Trainer::print_epoch_json() const {
  if (!options_.json)
    return;
  JsonLine line("epoch");
  line.add("epoch", cycle_.completed_epochs()).add("step", iteration_);
  add(line, train_figures_);
  line.add("seconds", epoch_seconds_).add("rate", rate_of(epoch_rows_, epoch_seconds_)).print();
}

void Trainer::print_epoch() const {
  if (options_.json)
    return;
  printf("%s: %s%s%s  (%s, %s samples/s)\n", epoch_label(cycle_.completed_epochs()).c_str(),
         format_figures(train_figures_).c_str(), eval_figures_.empty() ? "" : "  ",
         format_figures(eval_figures_).c_str(), format_duration(epoch_seconds_).c_str(),
         format_count(static_cast<int64_t>(rate_of(epoch_rows_, epoch_seconds_))).c_str());
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
