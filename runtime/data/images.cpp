// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/dataset.h"

#include "runtime/data/archive.h"
#include "runtime/data/batcher.h"
#include "runtime/data/image.h"
#include "runtime/data/parallel.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cinttypes>
#include <cstring>
#include <unistd.h>

namespace dlc::data {
namespace {

/// A picture's place in the archive and its class, which is empty where pictures have none.
struct Picture {
  size_t file;
  std::string split, label;
};

//===- the pictures -------------------------------------------------------------------------------------===//

/// All pictures of a source, in one size: decoded once where they fit into memory, else whenever one is read.
class PictureStore {
public:
  PictureStore(std::unique_ptr<Archive> archive, const Settings &settings)
      : archive_(std::move(archive)), resize_(settings.flag("resize", false)),
        height_(settings.integer("height", 0)), width_(settings.integer("width", 0)),
        channels_(settings.integer("channels", 3)) {}

  const Archive &archive() const { return *archive_; }
  int64_t height() const { return height_; }
  int64_t width() const { return width_; }
  int64_t channels() const { return channels_; }
  int64_t bytes() const { return height_ * width_ * channels_; }

  /// Decodes the pictures at these places in the archive, if they take at most `memory` bytes together. The
  /// first one gives the size, if the settings do not.
  Status open(const std::vector<Picture> &pictures, int64_t memory) {
    if (height_ == 0) {
      std::vector<std::byte> file;
      Image first;
      DLC_DATA_TRY(archive_->read(pictures[0].file, file));
      DLC_DATA_TRY(decode_image(archive_->name(pictures[0].file), file, channels_, first));
      height_ = first.height;
      width_ = first.width;
    }
    int64_t count = static_cast<int64_t>(archive_->names().size());
    if (bytes() > memory / count)
      return {};
    decoded_.resize(static_cast<size_t>(count * bytes()));
    return parallel_for(static_cast<int64_t>(pictures.size()), [&](int64_t i) {
      size_t file = pictures[static_cast<size_t>(i)].file;
      return decode(file, decoded_.data() + static_cast<int64_t>(file) * bytes());
    });
  }

  /// The bytes of a picture, which lie in the store or in the caller's buffer.
  Status read(size_t file, std::vector<uint8_t> &buffer, const uint8_t *&out_bytes) const {
    if (!decoded_.empty()) {
      out_bytes = decoded_.data() + static_cast<int64_t>(file) * bytes();
      return {};
    }
    buffer.resize(static_cast<size_t>(bytes()));
    out_bytes = buffer.data();
    return decode(file, buffer.data());
  }

private:
  Status decode(size_t file, uint8_t *out) const {
    std::vector<std::byte> packed;
    DLC_DATA_TRY(archive_->read(file, packed));
    Image image;
    DLC_DATA_TRY(decode_image(archive_->name(file), packed, channels_, image));
    if (image.height != height_ || image.width != width_) {
      if (!resize_)
        return Status::input(format("%s: expected a picture of %" PRId64 " x %" PRId64 ", found %" PRId64
                                    " x %" PRId64 " (resize=true scales it)",
                                    archive_->name(file).c_str(), width_, height_, image.width,
                                    image.height));
      image = resize_image(image, height_, width_);
    }
    memcpy(out, image.bytes.data(), static_cast<size_t>(bytes()));
    return {};
  }

  std::unique_ptr<Archive> archive_;
  bool resize_;
  int64_t height_, width_, channels_;
  std::vector<uint8_t> decoded_; ///< By the place in the archive; empty when they do not fit.
};

//===- a split ------------------------------------------------------------------------------------------===//

struct Augmentation {
  int64_t crop = 0; ///< A split that is not for training: 0, false.
  bool flip = false;
};

class ImageSplit : public DataSet {
public:
  /// Without classes, there is no column of labels.
  ImageSplit(std::shared_ptr<const PictureStore> store, std::vector<size_t> files,
             std::vector<int32_t> labels, const Augmentation &augmentation,
             const std::shared_ptr<const Encoding> &pixels, const std::shared_ptr<const Encoding> &classes)
      : store_(std::move(store)), files_(std::move(files)), labels_(std::move(labels)),
        augmentation_(augmentation) {
    for (size_t c = 0; c < 3; ++c)
      for (size_t i = 0; i < 256; ++i) {
        const Feature &channel = pixels->features[c % pixels->features.size()];
        values_[c][i] = (static_cast<float>(i) / 255.0f - static_cast<float>(channel.mean)) /
                        static_cast<float>(channel.scale);
      }
    columns_.push_back(
        {"image", DataType::f32, {store_->channels(), store_->height(), store_->width()}, 0, pixels});
    if (classes)
      columns_.push_back(
          {"label", DataType::i32, {}, static_cast<int64_t>(classes->classes.size()), classes});
  }

  const std::vector<Column> &columns() const override { return columns_; }
  int64_t size() const override { return static_cast<int64_t>(files_.size()); }

protected:
  Status read_rows(size_t column, std::span<const int64_t> rows, const Draws *draws,
                   void *out) const override {
    if (column == 1) {
      int32_t *to = static_cast<int32_t *>(out);
      for (int64_t row : rows)
        *to++ = labels_[static_cast<size_t>(row)];
      return {};
    }
    float *to = static_cast<float *>(out);
    std::vector<uint8_t> buffer;
    for (int64_t row : rows) {
      const uint8_t *from = nullptr;
      DLC_DATA_TRY(store_->read(files_[static_cast<size_t>(row)], buffer, from));
      Window window;
      if (draws && augmentation_.crop > 0) {
        window.top = draws->below(2 * augmentation_.crop + 1, row, 0) - augmentation_.crop;
        window.left = draws->below(2 * augmentation_.crop + 1, row, 1) - augmentation_.crop;
      }
      window.flip = draws && augmentation_.flip && draws->below(2, row, 2) == 1;
      write(from, window, to);
      to += store_->bytes();
    }
    return {};
  }

private:
  /// Which part of the picture, padded by black, is shown, and whether from right to left.
  struct Window {
    int64_t top = 0, left = 0;
    bool flip = false;
  };

  /// (height, width, channels) bytes to (channels, height, width) numbers.
  void write(const uint8_t *from, const Window &window, float *to) const {
    int64_t height = store_->height(), width = store_->width(), channels = store_->channels();
    for (int64_t c = 0; c < channels; ++c) {
      const std::array<float, 256> &value = values_[static_cast<size_t>(c)];
      for (int64_t y = 0; y < height; ++y) {
        int64_t source_y = y + window.top;
        for (int64_t x = 0; x < width; ++x) {
          int64_t source_x = (window.flip ? width - 1 - x : x) + window.left;
          bool inside = source_y >= 0 && source_y < height && source_x >= 0 && source_x < width;
          *to++ = value[inside ? from[(source_y * width + source_x) * channels + c] : 0];
        }
      }
    }
  }

  std::shared_ptr<const PictureStore> store_;
  std::vector<size_t> files_;
  std::vector<int32_t> labels_;
  Augmentation augmentation_;
  std::array<std::array<float, 256>, 3> values_; ///< Of each channel's bytes.
  std::vector<Column> columns_;
};

//===- folders and classes ------------------------------------------------------------------------------===//

bool is_picture(const std::string &name) {
  std::string ending = name.substr(std::min(name.size(), name.rfind('.') + 1));
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return ending == "jpg" || ending == "jpeg" || ending == "png";
}

bool is_split_name(const std::string &folder) {
  for (const char *name : {"train", "test", "val", "valid", "validation", "dev"})
    if (folder == name)
      return true;
  return false;
}

std::vector<std::string> split_name(const std::string &name) {
  std::vector<std::string> parts;
  for (size_t start = 0; start <= name.size();) {
    size_t end = std::min(name.find('/', start), name.size());
    parts.push_back(name.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

/// Finds split and class of every picture. A folder around everything, as archives have it, does not count.
Status list_pictures(const std::string &path, const Archive &archive, std::vector<Picture> &out_pictures) {
  std::vector<std::pair<size_t, std::vector<std::string>>> found;
  for (size_t i = 0; i < archive.names().size(); ++i)
    if (is_picture(archive.names()[i]))
      found.emplace_back(i, split_name(archive.names()[i]));
  if (found.empty())
    return Status::input(format(
        "%s: no pictures: expected <split>/<class>/<name>, <class>/<name> or <name> with the ending .jpg, "
        ".jpeg or .png, found %zu other files",
        path.c_str(), archive.names().size()));
  size_t around = 0;
  const std::vector<std::string> first = found[0].second;
  auto shared = [&](const auto &one) {
    return one.second.size() > around + 2 && one.second[around] == first[around];
  };
  while (first.size() > around + 2 && !is_split_name(first[around]) &&
         std::all_of(found.begin(), found.end(), shared))
    ++around;
  size_t depth = first.size() - around;
  for (const auto &[file, parts] : found) {
    if (depth > 3 || parts.size() - around != depth)
      return Status::input(archive.name(file) +
                           ": expected all pictures as <split>/<class>/<name>, all as <class>/<name>, or all "
                           "as <name>" +
                           (file == found[0].first ? "" : "; the first is " + archive.name(found[0].first)));
    if (depth > 1 && !is_utf8(parts[parts.size() - 2]))
      return Status::input(archive.name(file) + ": the name of the class is no UTF-8");
    out_pictures.push_back(
        {file, depth == 3 ? parts[around] : "", depth == 1 ? "" : parts[parts.size() - 2]});
  }
  return {};
}

/// Pictures that are not in splits yet are the training's; of these, a share becomes the split validation.
Status assign_splits(const std::string &path, const Settings &settings, std::vector<Picture> &pictures) {
  double share = settings.number("validation", pictures[0].split.empty() ? 0.1 : 0);
  std::vector<size_t> train;
  for (size_t i = 0; i < pictures.size(); ++i) {
    if (pictures[i].split.empty())
      pictures[i].split = "train";
    if (share > 0 && pictures[i].split == "validation")
      return Status::input(path + ": there is a folder validation: expected validation=0");
    if (pictures[i].split == "train")
      train.push_back(i);
  }
  for (size_t i : validation_rows(train.size(), share, settings.integer("split_seed", 0)))
    pictures[train[i]].split = "validation";
  return {};
}

/// The classes of the trained weights, or the sorted ones of the training split (of all, if there is none).
/// Null where pictures have none.
std::shared_ptr<const Encoding> choose_classes(const std::vector<Picture> &pictures,
                                               const Encodings &fitted) {
  if (pictures[0].label.empty())
    return nullptr;
  if (auto known = find_classes(fitted))
    return known;
  bool has_train = std::any_of(pictures.begin(), pictures.end(),
                               [](const Picture &picture) { return picture.split == "train"; });
  auto encoding = std::make_shared<Encoding>();
  for (const Picture &picture : pictures)
    if (!has_train || picture.split == "train")
      encoding->classes.push_back(picture.label);
  std::sort(encoding->classes.begin(), encoding->classes.end());
  encoding->classes.erase(std::unique(encoding->classes.begin(), encoding->classes.end()),
                          encoding->classes.end());
  return encoding;
}

/// "mean=[0.5], std=[0.25]", as settings say it.
std::string describe_normalisation(const Encoding &pixels) {
  std::string mean, scale;
  for (const Feature &feature : pixels.features) {
    mean += format("%s%.9g", mean.empty() ? "" : ", ", feature.mean);
    scale += format("%s%.9g", scale.empty() ? "" : ", ", feature.scale);
  }
  return "mean=[" + mean + "], std=[" + scale + "]";
}

/// What the trained weights, or else the settings mean and std, make of the channels. Settings may say what
/// the weights do, but nothing else.
Status choose_normalisation(const Settings &settings, int64_t channels, const Encodings &fitted,
                            std::shared_ptr<const Encoding> &out_encoding) {
  std::vector<double> mean = settings.numbers("mean"), scale = settings.numbers("std");
  auto known = fitted.find("image");
  bool is_known = known != fitted.end() && known->second->features.size() == static_cast<size_t>(channels);
  if (is_known)
    out_encoding = known->second;
  if (is_known && mean.empty() && scale.empty())
    return {};
  auto encoding = std::make_shared<Encoding>();
  const char *const names[] = {channels == 1 ? "grey" : "red", "green", "blue"};
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c)
    encoding->features.push_back({names[c], {}, 0, 1, 0});
  auto spread = [&](const char *name, const std::vector<double> &values, double Feature::*member) {
    if (values.size() > 1 && values.size() != static_cast<size_t>(channels))
      return Status::input(
          format("images: %s: expected 1 or %" PRId64 " numbers, found %zu", name, channels, values.size()));
    for (size_t c = 0; c < encoding->features.size() && !values.empty(); ++c)
      encoding->features[c].*member = values[c % values.size()];
    return Status();
  };
  DLC_DATA_TRY(spread("mean", mean, &Feature::mean));
  DLC_DATA_TRY(spread("std", scale, &Feature::scale));
  if (is_known && *encoding != *out_encoding)
    return Status::input(
        "images: " + describe_normalisation(*encoding) +
        " are not those that the weights were trained with: " + describe_normalisation(*out_encoding));
  out_encoding = std::move(encoding);
  return {};
}

/// Half of the machine's memory.
int64_t default_memory() {
  return static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) / 2 * static_cast<int64_t>(sysconf(_SC_PAGESIZE));
}

} // namespace

Status open_images(const std::string &path, const Settings &settings, const Encodings &fitted,
                   Splits &out_splits) {
  if (settings.has("width") != settings.has("height") ||
      (settings.flag("resize", false) && !settings.has("width")))
    return Status::input("images: expected width and height together, and both with resize");
  if (settings.integer("channels", 3) == 2)
    return Status::input("images: channels: expected 1 (grey) or 3, got 2");
  std::unique_ptr<Archive> archive;
  DLC_DATA_TRY(open_archive(path, archive));
  auto store = std::make_shared<PictureStore>(std::move(archive), settings);
  std::vector<Picture> pictures;
  DLC_DATA_TRY(list_pictures(path, store->archive(), pictures));
  DLC_DATA_TRY(assign_splits(path, settings, pictures));
  std::shared_ptr<const Encoding> classes = choose_classes(pictures, fitted), pixels;
  DLC_DATA_TRY(choose_normalisation(settings, store->channels(), fitted, pixels));

  struct Rows {
    std::vector<size_t> files;
    std::vector<int32_t> labels;
  };
  std::map<std::string, Rows> rows;
  for (const Picture &picture : pictures) {
    int32_t label = -1;
    if (classes)
      DLC_DATA_TRY(find_class(classes->classes, picture.label, store->archive().name(picture.file), label));
    rows[picture.split].files.push_back(picture.file);
    rows[picture.split].labels.push_back(label);
  }
  constexpr int64_t mebibyte = 1 << 20;
  DLC_DATA_TRY(store->open(pictures, settings.has("memory") ? settings.integer("memory", 0) * mebibyte
                                                            : default_memory()));
  Splits splits;
  for (auto &[split, its] : rows) {
    Augmentation augmentation;
    if (split == "train")
      augmentation = {settings.integer("crop", 0), settings.flag("flip", false)};
    splits[split] = std::make_unique<ImageSplit>(store, std::move(its.files), std::move(its.labels),
                                                 augmentation, pixels, classes);
  }
  out_splits = std::move(splits);
  return {};
}

} // namespace dlc::data
