// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Data sets: what the `data = loader("path", key=value)` of a fit block opens. A source has named splits; a
// split is a table of rows with named, typed columns; an entry's arguments are filled from the columns of the
// same names.
//
// A new loader implements DataSet, and adds a line to the table in loaders.h and one to that in dataset.cpp.
#ifndef DLC_RUNTIME_DATA_DATASET_H
#define DLC_RUNTIME_DATA_DATASET_H

#include "runtime/data/encoding.h"
#include "runtime/data/settings.h"
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
  int64_t classes = 0; ///< A column of class labels or tokens: how many there are; otherwise 0.
  /// What the numbers stand for; null where they are just numbers.
  std::shared_ptr<const Encoding> encoding = nullptr;

  int64_t row_bytes() const { return *byte_count(type, shape); }
};

/// The random numbers of an epoch of training, which augmentation and random windows are made of: a pure
/// function of the seed, the epoch and the row, so that a training that resumes draws the same.
struct Draws {
  uint64_t seed = 0;
  int64_t epoch = 0; ///< Counted from 0.

  /// The k-th draw for a row:
  ///   splitmix64(splitmix64(splitmix64(splitmix64(seed) ^ epoch) ^ row) + 1 + k), splitmix64 as in
  ///   batcher.h. An integer in [0, range) is floor(draw * range / 2^64).
  uint64_t bits(int64_t row, uint64_t k) const;
  int64_t below(int64_t range, int64_t row, uint64_t k) const;
};

/// A table of rows in memory or on disk. Reading is const and may happen on several threads at once.
class DataSet {
public:
  virtual ~DataSet() = default;
  virtual const std::vector<Column> &columns() const = 0;
  /// The number of rows.
  virtual int64_t size() const = 0;
  /// Copies rows of one column, in the given order, into rows.size() * row_bytes() bytes. Each row is in [0,
  /// size()). Without draws, rows are as the files have them; with draws, a split for training may augment
  /// them.
  Status read(size_t column, std::span<const int64_t> rows, void *out, const Draws *draws = nullptr) const {
    return read_rows(column, rows, draws, out);
  }

  /// The index of the column of this name, or nothing.
  std::optional<size_t> find(std::string_view name) const;
  /// Those of all columns that have one.
  Encodings encodings() const;

protected:
  virtual Status read_rows(size_t column, std::span<const int64_t> rows, const Draws *draws,
                           void *out) const = 0;
};

/// The splits of a source, such as train and test. Each has at least one row.
using Splits = std::map<std::string, std::unique_ptr<DataSet>>;

/// In alphabetical order.
std::vector<std::string> split_names(const Splits &splits);

/// Opens a source: checks its settings, reads and checks its files. What a loader would learn from its
/// training split (a vocabulary, classes, standardisation) is taken from fitted instead where that has the
/// column: the encodings of trained weights.
Status open_data(const DataSpec &spec, const Encodings &fitted, Splits &out_splits);

/// The rows, in order, that a data set without a split for it gives to its validation: share of them, rounded
/// down, the first of shuffled_order(seed, 0, size) (batcher.h).
std::vector<size_t> validation_rows(size_t size, double share, int64_t seed);

/// validation_rows, and the others, both in order.
struct RowSplit {
  std::vector<int64_t> rest, validation;
};
RowSplit split_rows(int64_t size, double share, int64_t seed);

/// The most classes that labels may have: more are not labels.
constexpr size_t max_classes = 10000;

/// The place of label in classes; otherwise an error that where, such as a file and a line, begins.
Status find_class(const std::vector<std::string> &classes, const std::string &label, const std::string &where,
                  int32_t &out_index);

/// How a loader is opened. Settings were checked against loaders.h.
using OpenLoader = Status(const std::string &path, const Settings &settings, const Encodings &fitted,
                          Splits &out_splits);

/// The four files of MNIST (or of a data set in its form, such as Fashion-MNIST) in a folder, plain or .gz:
/// splits train and test with columns image f32[1, 28, 28], scaled to [0, 1], and label i32[].
OpenLoader open_mnist;

/// A table of numbers and categories: columns x f32[features], label i32[] or target f32[], and each feature.
OpenLoader open_csv;

/// Pictures in a folder or a zip archive, as <split>/<class>/<name> or <class>/<name>: columns image
/// f32[channels, height, width] and label i32[].
OpenLoader open_images;

/// Arrays whose first dimension counts the rows: <split>/<column>.npy or <column>.npy in a folder, and the
/// tensors of <split>.safetensors in a folder or of one file.
OpenLoader open_npy, open_safetensors;

/// Sentences with labels, as TSV: columns tokens i32[length], length i32[] and label i32[].
OpenLoader open_sentences;

/// A text of UTF-8, plain or gzip, as windows of tokens: splits train and validation with columns text
/// i32[window] and next i32[window], the same one token later.
OpenLoader open_text;

} // namespace dlc::data

#endif // DLC_RUNTIME_DATA_DATASET_H
