// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an evaluation runs: eval entries, each over a split of the data.
#ifndef DLC_TOOLS_CLI_EVALUATION_H
#define DLC_TOOLS_CLI_EVALUATION_H

#include "tools/cli/feed.h"

namespace dlc::cli {

class Evaluation {
public:
  Evaluation(const Artifact &artifact, bool json) : artifact_(artifact), bar_(json), json_(json) {}

  /// Finds the splits and chooses the batches as choose_batching does; prints what there is to note.
  data::Status set_up(const std::vector<Turn> &turns, const data::Splits &splits,
                      std::optional<int64_t> asked, std::optional<int64_t> preferred);
  /// Runs all entries in turn. stop, when given, is asked between batches; true ends early with nothing in
  /// out_figures. The figures are called "test.loss"; "test.validation.loss" where an entry runs on several
  /// splits.
  data::Status run(dlc_session_t *session, bool (*stop)(), std::vector<Figure> &out_figures);

  /// Observes the sessions of run.
  void set_numerics(NumericsCheck *numerics) { numerics_ = numerics; }
  /// The names of the figures.
  std::vector<std::string> figure_names() const;
  bool empty() const { return parts_.empty(); }
  /// The rows that run evaluates, and those that the entries' sizes leave out.
  int64_t rows() const;
  int64_t rows_left_out() const;
  /// The rows of the first entry.
  const data::DataSet &first_rows() const { return *parts_.front().rows; }

private:
  struct Part {
    const Entry *entry;
    std::string label;
    const data::DataSet *rows;
    Batching batching;
  };
  data::Status run(const Part &part, dlc_session_t *session, bool (*stop)(),
                   std::vector<Figure> &out_figures);

  const Artifact &artifact_;
  ProgressBar bar_;
  bool json_;
  NumericsCheck *numerics_ = nullptr;
  std::vector<Part> parts_;
};

} // namespace dlc::cli

#endif // DLC_TOOLS_CLI_EVALUATION_H
