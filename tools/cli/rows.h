// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Inference over the rows of a data set: an entry whose arguments are the columns, and whose results have a
// row for each.
#ifndef DLC_TOOLS_CLI_ROWS_H
#define DLC_TOOLS_CLI_ROWS_H

#include "tools/cli/feed.h"

#include <functional>

namespace dlc::cli {

/// Runs the entry on rows of data, in the order of places and a batch at a time; take is told behind each run
/// where in places the batch began and how many of the runner's result rows count. Where the entry takes
/// nothing but full batches, the last row fills the last one up. Fails when a result has no row for each.
data::Status run_rows(const Artifact &artifact, EntryRunner &runner, const data::DataSet &rows,
                      std::span<const int64_t> places, int64_t batch,
                      const std::function<data::Status(int64_t first, int64_t count)> &take);

/// The rows that a run is about: those of the split that the command line names, or of the only one.
data::Status choose_rows(const data::Splits &splits, const std::string &split,
                         const data::DataSet *&out_rows);

/// The results of the runner's entry for all rows of data, in their order.
data::Status collect_results(const Artifact &artifact, const Options &options, EntryRunner &runner,
                             const data::DataSet &rows, std::vector<data::Tensor> &out_results);

} // namespace dlc::cli

#endif // DLC_TOOLS_CLI_ROWS_H
