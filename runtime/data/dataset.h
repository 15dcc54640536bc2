// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Data sets: what the `data = loader("path")` of a fit block opens. A source has named splits; a split is a
// table of rows with named, typed columns; an entry's arguments are filled from the columns of the same
// names.
//
// A new loader implements DataSet and adds one line to the table in dataset.cpp.
#ifndef DLC_RUNTIME_DATA_DATASET_H
#define DLC_RUNTIME_DATA_DATASET_H

#include "runtime/data/tensor.h"

#include <map>
#include <memory>
#include <span>

namespace dlc::data {

/// A column of a data set.
struct Column {
  std::string name;
  DataType type = DataType::f32;
  Shape shape;         ///< Of one row: a batch of n rows is [n, shape...].
  int64_t classes = 0; ///< A column of class labels: how many classes; otherwise 0.

  int64_t row_bytes() const { return *byte_count(type, shape); }
};

/// A table of rows in memory or on disk. Reading is const and may happen on several threads at once.
class DataSet {
public:
  virtual ~DataSet() = default;
  virtual const std::vector<Column> &columns() const = 0;
  /// The number of rows.
  virtual int64_t size() const = 0;
  /// Copies rows of one column, in the given order, into rows.size() * row_bytes() bytes. Each row is in [0,
  /// size()).
  virtual Status read(size_t column, std::span<const int64_t> rows, void *out) const = 0;

  /// The index of the column of this name, or nothing.
  std::optional<size_t> find(std::string_view name) const;
};

/// The splits of a source, such as train and test.
using Splits = std::map<std::string, std::unique_ptr<DataSet>>;

/// What a fit block or --data says: loader("path").
struct DataSpec {
  std::string loader; ///< "mnist"
  std::string path;
};

/// Whether there is a loader of this name; the message lists those that there are.
Status check_loader(const std::string &name);
/// Opens a source: reads and checks its files.
Status open_data(const DataSpec &spec, Splits &out_splits);
/// The names of all loaders.
std::vector<std::string> loader_names();

/// The four files of MNIST (or of a data set in its form, such as Fashion-MNIST) in a folder, plain or .gz:
/// splits train and test with columns image f32[1, 28, 28], scaled to [0, 1], and label i32[].
Status open_mnist(const std::string &folder, Splits &out_splits);

} // namespace dlc::data

#endif // DLC_RUNTIME_DATA_DATASET_H
