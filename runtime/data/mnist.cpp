// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/dataset.h"

#include "runtime/data/idx.h"

#include <array>
#include <cstring>
#include <sys/stat.h>

namespace dlc::data {
namespace {

constexpr int64_t mnist_rows = 28, mnist_columns = 28, pixels = mnist_rows * mnist_columns, classes = 10;

/// One split, kept as the bytes of its files: 47 MB for the training images instead of 188 as f32.
class MnistSplit : public DataSet {
public:
  MnistSplit(Tensor images, Tensor labels) : images_(std::move(images)), labels_(std::move(labels)) {
    // byte / 255 in f32, correctly rounded: what torchvision's ToTensor gives.
    for (int i = 0; i < 256; ++i)
      scaled_[static_cast<size_t>(i)] = static_cast<float>(i) / 255.0f;
  }

  const std::vector<Column> &columns() const override { return columns_; }
  int64_t size() const override { return labels_.shape[0]; }

protected:
  Status read_rows(size_t column, std::span<const int64_t> indices, const Draws *, void *out) const override {
    if (column == 0) {
      float *to = static_cast<float *>(out);
      for (int64_t index : indices) {
        const uint8_t *from = images_.as<uint8_t>() + index * pixels;
        for (int64_t i = 0; i < pixels; ++i)
          *to++ = scaled_[from[i]];
      }
    } else {
      int32_t *to = static_cast<int32_t *>(out);
      for (int64_t index : indices)
        *to++ = labels_.as<uint8_t>()[index];
    }
    return {};
  }

private:
  Tensor images_; ///< u8[n, 28, 28]
  Tensor labels_; ///< u8[n]
  std::array<float, 256> scaled_;
  std::vector<Column> columns_ = {{"image", DataType::f32, {1, mnist_rows, mnist_columns}, 0},
                                  {"label", DataType::i32, {}, classes}};
};

/// The file that exists: as downloaded, unpacked, or unpacked by a tool that turned the dash into a dot.
Status find_file(const std::string &folder, const std::string &stem, const std::string &kind,
                 std::string &out_path) {
  for (const char *separator : {"-", "."})
    for (const char *ending : {"", ".gz"}) {
      std::string path = folder + "/" + stem + separator + kind + ending;
      struct stat info;
      if (stat(path.c_str(), &info) == 0) {
        out_path = path;
        return {};
      }
    }
  return Status::input(
      "mnist: no file " + folder + "/" + stem + "-" + kind + " or the same with .gz" +
      (folder.starts_with("/") ? "" : " (the folder is relative to the current one; --data names another)"));
}

Status open_split(const std::string &folder, const std::string &stem, std::unique_ptr<DataSet> &out_split) {
  std::string image_path, label_path;
  DLC_DATA_TRY(find_file(folder, stem + "-images", "idx3-ubyte", image_path));
  DLC_DATA_TRY(find_file(folder, stem + "-labels", "idx1-ubyte", label_path));
  Tensor images, labels;
  DLC_DATA_TRY(read_idx_u8(image_path, 3, images));
  DLC_DATA_TRY(read_idx_u8(label_path, 1, labels));
  if (images.shape[1] != mnist_rows || images.shape[2] != mnist_columns)
    return Status::input(format("%s: wrong image size at offset 8: expected 28 x 28, found %lld x %lld",
                                image_path.c_str(), static_cast<long long>(images.shape[1]),
                                static_cast<long long>(images.shape[2])));
  if (images.shape[0] != labels.shape[0])
    return Status::input(
        format("%s: wrong count at offset 4: expected %lld labels, one for each image of %s, found %lld",
               label_path.c_str(), static_cast<long long>(images.shape[0]), image_path.c_str(),
               static_cast<long long>(labels.shape[0])));
  if (labels.shape[0] == 0)
    return Status::input(
        format("%s: no images: expected at least 1 at offset 4, found 0", image_path.c_str()));
  for (int64_t i = 0; i < labels.shape[0]; ++i)
    if (int label = labels.as<uint8_t>()[i]; label >= classes)
      return Status::input(format(
          "%s: label out of range at offset %lld (row %lld): expected 0 to %d, found %d", label_path.c_str(),
          static_cast<long long>(8 + i), static_cast<long long>(i), static_cast<int>(classes - 1), label));
  out_split = std::make_unique<MnistSplit>(std::move(images), std::move(labels));
  return {};
}

} // namespace

Status open_mnist(const std::string &folder, const Settings &, const Encodings &, Splits &out_splits) {
  Splits splits;
  DLC_DATA_TRY(open_split(folder, "train", splits["train"]));
  DLC_DATA_TRY(open_split(folder, "t10k", splits["test"]));
  out_splits = std::move(splits);
  return {};
}

} // namespace dlc::data
