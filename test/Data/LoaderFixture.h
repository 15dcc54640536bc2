// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A loader over files that the test writes.
#ifndef DLC_TEST_DATA_LOADERFIXTURE_H
#define DLC_TEST_DATA_LOADERFIXTURE_H

#include "runtime/data/dataset.h"

#include "test/Data/TestFiles.h"

namespace dlc::data {

class LoaderTest : public FileTest {
protected:
  /// Opens loader("name in the test's folder", settings).
  Status open(const std::string &loader, const std::string &name, const std::string &settings = "",
              const Encodings &fitted = {}) {
    DataSpec spec;
    std::string form = loader + "(\"" + path(name) + "\"" + (settings.empty() ? "" : ", ") + settings + ")";
    Status parsed = parse_data_spec(form, spec);
    EXPECT_TRUE(parsed.ok()) << parsed.message();
    splits_.clear();
    return open_data(spec, fitted, splits_);
  }
  /// All rows of a column.
  template <typename T> std::vector<T> all(const std::string &split, const std::string &column) {
    const DataSet &set = *splits_.at(split);
    size_t index = set.find(column).value();
    std::vector<int64_t> rows(static_cast<size_t>(set.size()));
    for (size_t i = 0; i < rows.size(); ++i)
      rows[i] = static_cast<int64_t>(i);
    std::vector<T> values(rows.size() * static_cast<size_t>(set.columns()[index].row_bytes()) / sizeof(T));
    EXPECT_TRUE(set.read(index, rows, values.data()).ok());
    return values;
  }
  const Column &column(const std::string &split, const std::string &name) {
    const DataSet &set = *splits_.at(split);
    return set.columns()[set.find(name).value()];
  }

  Splits splits_;
};

} // namespace dlc::data

#endif // DLC_TEST_DATA_LOADERFIXTURE_H
