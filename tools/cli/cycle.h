// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What one step of a training runs: the train lines of the fit block, in turn.
//
// A turn takes the next batch of its stream. A stream is an entry with a split: lines that say the same
// share one, so that `train critic on data.train` five times sees five batches in each cycle. All streams
// use the same seed: entries that take one batch each of the same split see the same rows.
#ifndef DLC_TOOLS_CLI_CYCLE_H
#define DLC_TOOLS_CLI_CYCLE_H

#include "tools/cli/feed.h"

namespace dlc::cli {

class Cycle {
public:
  explicit Cycle(const Artifact &artifact) : artifact_(artifact) {}

  /// Which entries run, of which splits. At least one turn.
  void choose(const std::vector<Turn> &turns);
  /// Finds the splits and chooses the batches: what options ask for, or else resumed, or the fit block.
  data::Status open(const data::Splits &splits, const Options &options, const data::TrainingState *resumed);
  /// Makes what runs in session, and goes to where resumed, if given, stands.
  data::Status start(dlc_session_t *session, uint64_t seed, const data::TrainingState *resumed,
                     NumericsCheck *numerics);

  /// Reads the next batches of all turns and does everything else that can fail before a state is touched; a
  /// failure leaves the positions as they were.
  data::Status load();
  /// Runs what load read. The states are not whole after a failure.
  data::Status run();
  /// Starts all reports afresh.
  data::Status reset_reports();

  /// Of all entries: means and metrics since reset_reports; values of the last run.
  std::vector<Figure> figures() const;
  std::vector<Figure> last() const;
  /// The hyperparameters that follow schedules, as the last run used them: "step.lr".
  std::vector<Figure> schedules() const;
  /// Whether anything was reported since reset_reports.
  bool has_reports() const { return runners_.front()->reports.rows() > 0; }

  /// The first stream's epochs are the training's.
  const data::Prefetcher &batcher() const { return *streams_.front()->batcher; }
  const data::DataSet &rows() const { return *streams_.front()->rows; }
  const Batching &batching() const { return streams_.front()->batching; }
  /// Batches and rows that a cycle takes of the first stream.
  int64_t batches_per_cycle() const;
  int64_t rows_of_cycle() const { return cycle_rows_; } ///< The last one's.
  int64_t completed_epochs() const { return batcher().position().epoch + batcher().epoch_complete(); }
  int64_t cycles_per_epoch() const;

  /// "step"; "critic x 5, generator". Without counts, every turn is named: "critic,critic,generator".
  std::string format() const;
  std::string list() const;
  /// The streams for a checkpoint.
  std::vector<data::BatchStream> save() const;
  /// Whether a checkpoint's streams are of these entries.
  data::Status check(const data::TrainingState &resumed, const std::string &path) const;

private:
  /// What runs an entry, whatever the number of its turns and streams.
  struct Runner {
    Runner(const Artifact &artifact, dlc_session_t *session, const Entry &entry, NumericsCheck *numerics)
        : runner(artifact, session, entry, numerics), reports(runner) {}
    EntryRunner runner;
    Reports reports;
  };
  struct Stream {
    Turn turn;
    const data::DataSet *rows = nullptr;
    Batching batching;
    std::unique_ptr<data::Prefetcher> batcher;
  };
  /// A turn has buffers of its own, because all batches of a cycle are read before the first runs.
  struct Step {
    size_t stream, runner;
    Feed feed;
  };
  size_t runner_of(const Entry *entry) const;

  const Artifact &artifact_;
  std::vector<const Entry *> entries_; ///< Of runners_.
  std::vector<std::unique_ptr<Runner>> runners_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::vector<Step> steps_;
  int64_t cycle_rows_ = 0;
};

} // namespace dlc::cli

#endif // DLC_TOOLS_CLI_CYCLE_H
