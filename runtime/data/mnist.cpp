// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/dataset.h"

#include "runtime/data/idx.h"

#include <array>
#include <cinttypes>
#include <sys/stat.h>

namespace dlc::data {
namespace {

/// Two files, kept as their bytes: 47 MB for MNIST's training images instead of 188 as f32.
struct Pair {
  std::string image_path;
  Tensor images; ///< u8[n, height, width]
  Tensor labels; ///< u8[n]
};

/// Rows of a pair of files: all, or those of a share.
class MnistSplit : public DataSet {
public:
  MnistSplit(std::shared_ptr<const Pair> pair, std::vector<int64_t> rows, int64_t classes)
      : pair_(std::move(pair)), rows_(std::move(rows)),
        columns_{{"image", DataType::f32, {1, pair_->images.shape[1], pair_->images.shape[2]}, 0},
                 {"label", DataType::i32, {}, classes}} {
    // byte / 255 in f32, correctly rounded: what torchvision's ToTensor gives.
    for (int i = 0; i < 256; ++i)
      scaled_[static_cast<size_t>(i)] = static_cast<float>(i) / 255.0f;
  }

  const std::vector<Column> &columns() const override { return columns_; }
  int64_t size() const override { return static_cast<int64_t>(rows_.size()); }

protected:
  Status read_rows(size_t column, std::span<const int64_t> indices, const Draws *, void *out) const override {
    if (column == 0) {
      float *to = static_cast<float *>(out);
      int64_t pixels = pair_->images.shape[1] * pair_->images.shape[2];
      for (int64_t index : indices) {
        const uint8_t *from = pair_->images.as<uint8_t>() + rows_[static_cast<size_t>(index)] * pixels;
        for (int64_t i = 0; i < pixels; ++i)
          *to++ = scaled_[from[i]];
      }
    } else {
      int32_t *to = static_cast<int32_t *>(out);
      for (int64_t index : indices)
        *to++ = pair_->labels.as<uint8_t>()[rows_[static_cast<size_t>(index)]];
    }
    return {};
  }

private:
  std::shared_ptr<const Pair> pair_;
  std::vector<int64_t> rows_;
  std::array<float, 256> scaled_;
  std::vector<Column> columns_;
};

/// The file that exists: as downloaded, unpacked, or unpacked by a tool that turned the dash into a dot.
bool find_file(const std::string &stem, const std::string &kind, std::string &out_path) {
  for (const char *separator : {"-", "."})
    for (const char *ending : {"", ".gz"}) {
      out_path = stem + separator + kind + ending;
      struct stat info;
      if (stat(out_path.c_str(), &info) == 0)
        return true;
    }
  return false;
}

/// Finds `<stem>-images-idx3-ubyte` and `<stem>-labels-idx1-ubyte` of the first of the stems that has one of
/// them.
Status find_pair(const std::string &folder, const std::vector<std::string> &stems, std::string &out_images,
                 std::string &out_labels) {
  std::string missing;
  for (const std::string &candidate : stems) {
    std::string of_candidate = folder + "/" + candidate;
    bool has_images = find_file(of_candidate + "-images", "idx3-ubyte", out_images);
    bool has_labels = find_file(of_candidate + "-labels", "idx1-ubyte", out_labels);
    if (has_images && has_labels)
      return {};
    if (has_images || has_labels) {
      missing = of_candidate + (has_images ? "-labels-idx1-ubyte" : "-images-idx3-ubyte");
      break;
    }
    missing += (missing.empty() ? "" : " or ") + of_candidate + "-images-idx3-ubyte";
  }
  return Status::input(
      "mnist: no file " + missing + " or the same with .gz" +
      (folder.starts_with("/") ? "" : " (the folder is relative to the current one; --data names another)"));
}

Status read_pair(const std::string &folder, const std::vector<std::string> &stems, int64_t classes,
                 std::shared_ptr<const Pair> &out_pair) {
  Pair pair;
  std::string label_path;
  DLC_DATA_TRY(find_pair(folder, stems, pair.image_path, label_path));
  DLC_DATA_TRY(read_idx_u8(pair.image_path, 3, pair.images));
  DLC_DATA_TRY(read_idx_u8(label_path, 1, pair.labels));
  const Shape &shape = pair.images.shape;
  if (shape[0] != pair.labels.shape[0])
    return Status::input(format("%s: wrong count at offset 4: expected %" PRId64
                                " labels, one for each image of %s, found %" PRId64,
                                label_path.c_str(), shape[0], pair.image_path.c_str(), pair.labels.shape[0]));
  if (byte_count(DataType::u8, shape) == 0)
    return Status::input(format("%s: no images: expected at least 1 of at least 1 x 1 at offset 4, found %s",
                                pair.image_path.c_str(), format_shape(shape).c_str()));
  for (int64_t row = 0; row < shape[0]; ++row)
    if (int label = pair.labels.as<uint8_t>()[row]; label >= classes)
      return Status::input(format("%s: label out of range at offset %" PRId64 " (row %" PRId64
                                  "): expected 0 to %" PRId64 ", found %d (the setting classes allows more)",
                                  label_path.c_str(), 8 + row, row, classes - 1, label));
  out_pair = std::make_shared<Pair>(std::move(pair));
  return {};
}

} // namespace

Status open_mnist(const std::string &folder, const Settings &settings, const Encodings &,
                  Splits &out_splits) {
  int64_t classes = settings.integer("classes", 10);
  std::string prefix = settings.text("prefix", "");
  std::shared_ptr<const Pair> train, test;
  DLC_DATA_TRY(read_pair(folder, {prefix + "train"}, classes, train));
  DLC_DATA_TRY(read_pair(folder, {prefix + "t10k", prefix + "test"}, classes, test));
  const Shape &expected = train->images.shape, &found = test->images.shape;
  if (found[1] != expected[1] || found[2] != expected[2])
    return Status::input(format("%s: wrong image size at offset 8: expected %" PRId64 " x %" PRId64
                                " as in %s, found %" PRId64 " x %" PRId64,
                                test->image_path.c_str(), expected[1], expected[2], train->image_path.c_str(),
                                found[1], found[2]));
  RowSplit rows =
      split_rows(expected[0], settings.number("validation", 0), settings.integer("split_seed", 0));
  Splits splits;
  splits["train"] = std::make_unique<MnistSplit>(train, std::move(rows.rest), classes);
  if (!rows.validation.empty())
    splits["validation"] = std::make_unique<MnistSplit>(train, std::move(rows.validation), classes);
  splits["test"] = std::make_unique<MnistSplit>(test, split_rows(found[0], 0, 0).rest, classes);
  out_splits = std::move(splits);
  return {};
}

} // namespace dlc::data
