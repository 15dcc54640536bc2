// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/dataset.h"

#include "runtime/data/dlc_data.h"
#include "runtime/data/npy.h"
#include "runtime/data/safetensors.h"

#include <algorithm>
#include <bit>
#include <cinttypes>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <sys/stat.h>

namespace dlc::data {
namespace {

/// A tensor whose first dimension counts the rows, and the file that it came from.
struct Array {
  std::string name, source;
  Tensor tensor;
};
using Arrays = std::vector<Array>;

/// Rows of arrays: all, or those of a share.
class ArraySplit : public DataSet {
public:
  ArraySplit(std::shared_ptr<const Arrays> arrays, std::vector<int64_t> rows)
      : arrays_(std::move(arrays)), rows_(std::move(rows)) {
    for (const Array &array : *arrays_)
      columns_.push_back({array.name, array.tensor.type,
                          Shape(array.tensor.shape.begin() + 1, array.tensor.shape.end()), 0});
  }

  const std::vector<Column> &columns() const override { return columns_; }
  int64_t size() const override { return static_cast<int64_t>(rows_.size()); }

protected:
  Status read_rows(size_t column, std::span<const int64_t> rows, const Draws *, void *out) const override {
    int64_t bytes = columns_[column].row_bytes();
    const std::byte *from = (*arrays_)[column].tensor.bytes.data();
    for (std::byte *to = static_cast<std::byte *>(out); int64_t row : rows) {
      memcpy(to, from + rows_[static_cast<size_t>(row)] * bytes, static_cast<size_t>(bytes));
      to += bytes;
    }
    return {};
  }

private:
  std::shared_ptr<const Arrays> arrays_;
  std::vector<int64_t> rows_;
  std::vector<Column> columns_;
};

template <typename From, typename To>
void convert_elements(Tensor &tensor, DataType type, To (*convert)(From)) {
  std::vector<std::byte> bytes(tensor.bytes.size() / sizeof(From) * sizeof(To));
  std::transform(tensor.as<From>(), tensor.as<From>() + tensor.bytes.size() / sizeof(From),
                 reinterpret_cast<To *>(bytes.data()), convert);
  tensor.bytes = std::move(bytes);
  tensor.type = type;
}

/// Types that programs write by default, or to save space, in the types that models take.
Status convert(Array &array) {
  Tensor &tensor = array.tensor;
  switch (tensor.type) {
  case DataType::f64:
    for (size_t i = 0; i < tensor.bytes.size() / 8; ++i)
      if (double value = tensor.as<double>()[i];
          std::isfinite(value) && std::isinf(static_cast<float>(value)))
        return Status::input(format("%s: element %zu of %s is %g, which f32 does not hold: expected "
                                    "convert=false for f64",
                                    array.source.c_str(), i, array.name.c_str(), value));
    convert_elements<double, float>(tensor, DataType::f32, [](double x) { return static_cast<float>(x); });
    return {};
  case DataType::f16:
    convert_elements<uint16_t, float>(tensor, DataType::f32, widen_f16);
    return {};
  case DataType::bf16:
    convert_elements<uint16_t, float>(tensor, DataType::f32, [](uint16_t x) {
      return std::bit_cast<float>(static_cast<uint32_t>(x) << 16);
    });
    return {};
  case DataType::i64: {
    const int64_t *values = tensor.as<int64_t>();
    for (size_t i = 0; i < tensor.bytes.size() / 8; ++i)
      if (values[i] < INT32_MIN || values[i] > INT32_MAX)
        return Status::input(format("%s: element %zu of %s is %" PRId64 ", which i32 does not hold: expected "
                                    "convert=false for i64",
                                    array.source.c_str(), i, array.name.c_str(), values[i]));
    convert_elements<int64_t, int32_t>(tensor, DataType::i32,
                                       [](int64_t x) { return static_cast<int32_t>(x); });
    return {};
  }
  default:
    return {};
  }
}

/// Checks that all arrays have the same rows.
Status check(const std::string &path, Arrays &arrays, bool converts) {
  if (arrays.empty())
    return Status::input(path + ": no arrays: expected at least one");
  for (Array &array : arrays) {
    const Shape &shape = array.tensor.shape;
    if (shape.empty() || shape[0] < 1)
      return Status::input(array.source + ": " + array.name + " is " + format_type(array.tensor.type, shape) +
                           ": expected at least one row");
    if (shape.size() > DLC_MAX_RANK)
      return Status::input(format("%s: %s has %zu dimensions, expected at most %d", array.source.c_str(),
                                  array.name.c_str(), shape.size(), DLC_MAX_RANK));
    if (shape[0] != arrays[0].tensor.shape[0])
      return Status::input(format("%s: %s has %" PRId64 " rows, expected %" PRId64 " as %s",
                                  array.source.c_str(), array.name.c_str(), shape[0],
                                  arrays[0].tensor.shape[0], arrays[0].name.c_str()));
    if (converts)
      DLC_DATA_TRY(convert(array));
  }
  return {};
}

/// A source whose splits are known, or that is the split train alone, of which a share becomes validation.
Status make_splits(const std::string &path, std::map<std::string, Arrays> &found, bool has_splits,
                   const Settings &settings, Splits &out_splits) {
  Splits splits;
  double share = settings.number("validation", has_splits ? 0 : 0.1);
  if (share > 0 && found.count("validation"))
    return Status::input(path + ": there is a split validation: expected validation=0");
  for (auto &[name, arrays] : found) {
    DLC_DATA_TRY(check(path, arrays, settings.flag("convert", true)));
    auto shared = std::make_shared<Arrays>(std::move(arrays));
    RowSplit rows = split_rows((*shared)[0].tensor.shape[0], name == "train" ? share : 0,
                               settings.integer("split_seed", 0));
    splits[name] = std::make_unique<ArraySplit>(shared, std::move(rows.rest));
    if (!rows.validation.empty())
      splits["validation"] = std::make_unique<ArraySplit>(shared, std::move(rows.validation));
  }
  out_splits = std::move(splits);
  return {};
}

/// The entries of a folder, by name: files with the ending, or folders if that is empty.
Status list_folder(const std::string &path, const std::string &ending,
                   std::map<std::string, std::string> &out) {
  std::error_code error;
  std::filesystem::directory_iterator entry(path, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    std::error_code type_error;
    std::string name = entry->path().filename().native();
    bool wanted = ending.empty() ? entry->is_directory(type_error)
                                 : name.ends_with(ending) && entry->is_regular_file(type_error);
    if (wanted && !name.starts_with('.'))
      out[name.substr(0, name.size() - ending.size())] = entry->path().native();
  }
  if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory)
    return Status::input("cannot open " + path + ": " + error.message());
  return error ? Status::machine("cannot list " + path + ": " + error.message()) : Status();
}

Status read_npy_folder(const std::string &path, Arrays &out_arrays) {
  std::map<std::string, std::string> files;
  DLC_DATA_TRY(list_folder(path, ".npy", files));
  for (const auto &[name, file] : files) {
    Array &array = out_arrays.emplace_back(Array{name, file, {}});
    DLC_DATA_TRY(read_npy(file, array.tensor));
  }
  return {};
}

Status read_safetensors_file(const std::string &path, Arrays &out_arrays) {
  SafetensorsFile file;
  DLC_DATA_TRY(file.open(path));
  for (const SafetensorsFile::Entry &entry : file.entries()) {
    Array &array = out_arrays.emplace_back(Array{entry.name, path, {entry.type, entry.shape, {}}});
    array.tensor.bytes.resize(static_cast<size_t>(entry.size));
    DLC_DATA_TRY(file.read(entry, array.tensor.bytes.data()));
  }
  return {};
}

} // namespace

Status open_npy(const std::string &path, const Settings &settings, const Encodings &, Splits &out_splits) {
  std::map<std::string, Arrays> found;
  DLC_DATA_TRY(read_npy_folder(path, found["train"]));
  bool has_splits = found["train"].empty();
  if (has_splits) {
    std::map<std::string, std::string> folders;
    DLC_DATA_TRY(list_folder(path, "", folders));
    if (folders.empty())
      return Status::input(path + ": expected <column>.npy or <split>/<column>.npy, found neither");
    found.clear();
    for (const auto &[split, folder] : folders) {
      DLC_DATA_TRY(read_npy_folder(folder, found[split]));
      if (found[split].empty())
        return Status::input(folder + ": no arrays: expected <column>.npy");
    }
  }
  return make_splits(path, found, has_splits, settings, out_splits);
}

Status open_safetensors(const std::string &path, const Settings &settings, const Encodings &,
                        Splits &out_splits) {
  std::map<std::string, Arrays> found;
  struct stat info;
  bool has_splits = stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  if (has_splits) {
    std::map<std::string, std::string> files;
    DLC_DATA_TRY(list_folder(path, ".safetensors", files));
    if (files.empty())
      return Status::input(path + ": expected <split>.safetensors, found none");
    for (const auto &[split, file] : files)
      DLC_DATA_TRY(read_safetensors_file(file, found[split]));
  } else {
    DLC_DATA_TRY(read_safetensors_file(path, found["train"]));
  }
  return make_splits(path, found, has_splits, settings, out_splits);
}

} // namespace dlc::data
