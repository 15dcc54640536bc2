// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tables of text, CSV and TSV, and how the files of a source become splits.
#ifndef DLC_RUNTIME_DATA_TABLE_H
#define DLC_RUNTIME_DATA_TABLE_H

#include "runtime/data/settings.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace dlc::data {

struct TableFormat {
  char separator = ',';
  bool quotes = true; ///< "a ""b"", c" is one field (RFC 4180).
  bool header = true; ///< The first row has the columns' names; without, they are column1, column2, ...
};

struct Table {
  std::string path;
  std::vector<std::string> names; ///< Of the columns.
  std::vector<std::vector<std::string>> rows;
  std::vector<int64_t> lines; ///< Where each row starts, counted from 1.

  /// The index of a column, or an error that lists the names.
  Status find(const std::string &name, size_t &out_column) const;
  /// "passengers.csv: line 7"
  std::string at(size_t row) const { return path + ": line " + std::to_string(lines[row]); }
};

/// Reads a file of UTF-8, plain or gzip. Lines end with a newline, possibly behind a carriage return; empty
/// ones are left out. Each row has as many fields as the first.
Status read_table(const std::string &path, const TableFormat &format, Table &out_table);

/// The tables of a source, by split: the files with one of the endings in a folder, named by their stem, or
/// one file, which is the split train, or the one that settings name (split). Of train, settings may give a
/// share to validation (validation, split_seed): a tenth if it is a file.
Status read_split_tables(const std::string &path, const std::vector<std::string> &endings,
                         const TableFormat &format, const Settings &settings,
                         std::map<std::string, Table> &out_tables);

/// The values sorted, each once: as numbers, if all of them are, else by code point.
std::vector<std::string> sort_values(std::vector<std::string> values);

/// The number that text is, as a whole and finite.
bool parse_number(const std::string &text, double &out_number);

} // namespace dlc::data

#endif // DLC_RUNTIME_DATA_TABLE_H
