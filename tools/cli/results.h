// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the results of dlc run go: .npy and .csv files, text, or a line that shows how they begin.
#ifndef DLC_TOOLS_CLI_RESULTS_H
#define DLC_TOOLS_CLI_RESULTS_H

#include "runtime/data/encoding.h"
#include "tools/cli/session.h"

namespace dlc::cli {

/// The file of each of the entry's results, empty where --out names none. Fails at a name that is no result,
/// and at a file for two.
data::Status match_results(const Entry &entry, const Options &options, std::vector<std::string> &out_paths);

/// That a result can be written to path: what it is called, and where it lies.
data::Status check_result_file(const std::string &path);

/// Writes a result to where --out says, and prints its line. A .csv file has a line for each row of [rows] or
/// [rows, columns], and a header with the classes of the encodings' labels where there are as many columns.
data::Status write_result(const Value &result, const dlc_tensor_t &tensor, const std::string &path,
                          const data::Encodings &encodings, bool json);

} // namespace dlc::cli

#endif // DLC_TOOLS_CLI_RESULTS_H
