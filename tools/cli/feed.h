// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows of a data set into an entry, its reports out of it.
#ifndef DLC_TOOLS_CLI_FEED_H
#define DLC_TOOLS_CLI_FEED_H

#include "runtime/data/prefetcher.h"
#include "tools/cli/batching.h"
#include "tools/cli/numerics.h"
#include "tools/cli/output.h"
#include "tools/cli/session.h"

#include <map>
#include <span>

namespace dlc::cli {

/// What --data, or else the fit block, names, opened. fitted: the encodings of the weights that the session
/// has, which the data is to be encoded by; empty for a new training. splits stays empty on failure.
data::Status open_data(const Artifact &artifact, const Options &options, const data::Encodings &fitted,
                       data::Splits &out_splits);
/// Fails when output is a file that the command reads: the model, weights, the data, an argument of run.
data::Status check_not_read(const Artifact &artifact, const Options &options, const std::string &output);
/// The split that a turn runs on, or an error that lists those there are.
data::Status find_split(const data::Splits &splits, const Turn &turn, const data::DataSet *&out_split);

/// Fills the arguments of an entry from the columns of the same names.
class Feed {
public:
  /// Fails when an argument has no column, or one of another type or rank.
  data::Status bind(const Entry &entry, const data::DataSet &rows);
  data::Status load(std::span<const int64_t> rows);
  /// The next batch of a source that reads columns().
  data::Status load(data::Prefetcher &source);
  std::span<const dlc_tensor_t> tensors() const { return tensors_; }
  /// The columns of the arguments.
  const std::vector<size_t> &columns() const { return columns_; }
  int64_t rows() const { return static_cast<int64_t>(batch_.rows.size()); }
  /// The places of the batch's rows in the data set.
  std::span<const int64_t> places() const { return batch_.rows; }
  /// How many batches of so many rows are worth to be read ahead: none where that costs more than reading
  /// them.
  size_t depth(int64_t batch) const;

private:
  void show_batch();

  const data::DataSet *rows_ = nullptr;
  std::vector<size_t> columns_;
  data::Prefetcher::Batch batch_;
  std::vector<dlc_tensor_t> tensors_;
};

/// Runs one entry in one session; keeps result buffers for every dims that it met (full batches, the last
/// one).
class EntryRunner {
public:
  /// numerics, when given, observes the session.
  EntryRunner(const Artifact &artifact, dlc_session_t *session, const Entry &entry,
              NumericsCheck *numerics = nullptr)
      : artifact_(artifact), session_(session), entry_(entry), numerics_(numerics) {}

  /// Everything that can fail before a run touches a state: sizes that do not fit, memory, integers outside
  /// of the axis that they choose from. rows: the places in a data set that an error names, if the arguments
  /// come from one.
  data::Status prepare(std::span<const dlc_tensor_t> arguments, std::span<const int64_t> rows = {});
  /// A run on arguments that were prepared, and others perhaps since then.
  data::Status run_prepared(std::span<const dlc_tensor_t> arguments);
  /// Both.
  data::Status run(std::span<const dlc_tensor_t> arguments, std::span<const int64_t> rows = {});
  /// The results of the last run, in the entry's order; empty before the first.
  std::span<const dlc_tensor_t> results() const {
    return current_ ? std::span<const dlc_tensor_t>(current_->results) : std::span<const dlc_tensor_t>();
  }
  const Entry &entry() const { return entry_; }
  dlc_session_t *session() const { return session_; }

private:
  /// Fails at an integer outside of the axis that it chooses from: kernels do not look.
  data::Status check_places(std::span<const dlc_tensor_t> arguments, std::span<const int64_t> rows) const;

  struct Prepared {
    std::vector<int64_t> dims;
    dlc_prepared_t *handle = nullptr;
    std::vector<dlc_tensor_t> results;
    std::vector<std::vector<std::byte>> buffers;
  };
  data::Status prepare_sizes(std::span<const dlc_tensor_t> arguments);
  data::Status prepare_dims(const std::vector<int64_t> &dims);

  const Artifact &artifact_;
  dlc_session_t *session_;
  const Entry &entry_;
  NumericsCheck *numerics_;
  std::vector<std::unique_ptr<Prepared>> prepared_;
  Prepared *current_ = nullptr;
};

/// The reports of an entry over many runs: values are averaged, weighted by rows; a metric is what the
/// session says.
class Reports {
public:
  /// label: what the names of the figures begin with; the entry's name when it is empty.
  explicit Reports(const EntryRunner &runner, const std::string &label = "")
      : runner_(runner), prefix_((label.empty() ? runner.entry().name : label) + ".") {}
  /// Forgets the values, and makes the session forget the entry's metrics.
  data::Status reset();
  /// Takes in the results of the last run, of so many rows.
  void add(int64_t rows);
  /// "step.loss", "step.accuracy": means and metrics so far.
  std::vector<Figure> figures() const;
  /// The same of the last run alone.
  std::vector<Figure> last() const;

  const std::map<std::string, double> &sums() const { return sums_; }
  int64_t rows() const { return rows_; }
  void restore(const std::map<std::string, double> &sums, int64_t rows) {
    sums_ = sums;
    rows_ = rows;
  }

private:
  const EntryRunner &runner_;
  std::string prefix_;
  std::map<std::string, double> sums_;
  int64_t rows_ = 0;
};

} // namespace dlc::cli

#endif // DLC_TOOLS_CLI_FEED_H
