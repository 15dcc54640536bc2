// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the rows of a data set are cut into batches that an entry takes: its sizes may be fixed (--bind),
// bounded (--max) or constrained.
#ifndef DLC_TOOLS_CLI_BATCHING_H
#define DLC_TOOLS_CLI_BATCHING_H

#include "runtime/data/dataset.h"
#include "tools/cli/session.h"

namespace dlc::cli {

/// What becomes of rows that full batches leave over and that the entry does not take.
enum class Rest {
  left_out, ///< By trainings and evaluations.
  filled    ///< Up to a full batch, whose other results do not count.
};

struct Batching {
  int64_t batch = 0;      ///< Rows in a batch, at most those of the data unless they are filled up.
  bool drop_last = false; ///< The entry does not take the rows that full batches leave over.
  int64_t left_out = 0;   ///< How many these are.
  std::string note;       ///< What the user should know about it, or empty.
};

/// The index of the symbol that the rows of the entry's first argument are counted by; nothing where their
/// number is fixed or a sum.
std::optional<size_t> rows_symbol(const Artifact &artifact, const Entry &entry);

/// The size nearest to preferred within the bounds of the entry's symbol of this index: the largest below,
/// or else the least.
int64_t keep_to_bounds(const Artifact &artifact, const Entry &entry, size_t symbol, int64_t preferred);

/// The batch that the command line asks for, or else the preferred one (a checkpoint's, the fit block's) as
/// far as the entry takes it; an entry of a fixed size needs neither. Fails when there is no such batch,
/// before anything ran.
data::Status choose_batching(const Artifact &artifact, const Entry &entry, const data::DataSet &rows,
                             std::optional<int64_t> asked, std::optional<int64_t> preferred, Rest rest,
                             Batching &out_batching);

/// Whether the entry takes so many rows: the sizes follow from them, and keep to their bounds. arguments: the
/// types and the other sizes.
data::Status takes_rows(const Artifact &artifact, const Entry &entry, std::span<const dlc_tensor_t> arguments,
                        int64_t count);

/// Prints the note to standard error; nothing under --json, whose objects carry the numbers.
void print_note(const Batching &batching, bool json);

} // namespace dlc::cli

#endif // DLC_TOOLS_CLI_BATCHING_H
