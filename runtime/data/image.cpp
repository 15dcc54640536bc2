// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/image.h"

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstring>
#include <png.h>
#include <turbojpeg.h>

namespace dlc::data {
namespace {

constexpr int64_t max_pixels = int64_t{1} << 28;

/// Makes room for what the header promises.
Status set_size(const std::string &name, int64_t height, int64_t width, Image &image) {
  if (height < 1 || width < 1 || height > max_pixels / width)
    return Status::input(format("%s: expected a picture of 1 to 2^28 pixels, found %" PRId64 " x %" PRId64,
                                name.c_str(), width, height));
  image.height = height;
  image.width = width;
  image.channels = 3;
  image.bytes.resize(static_cast<size_t>(height * width * 3));
  return {};
}

Status decode_jpeg(const std::string &name, std::span<const std::byte> file, Image &image) {
  struct Decoder {
    tjhandle handle = tjInitDecompress();
    ~Decoder() { tjDestroy(handle); }
  } decoder;
  if (!decoder.handle)
    return Status::machine(name + ": cannot start the JPEG decoder: " + tjGetErrorStr2(nullptr));
  // A warning, such as a premature end, is a failure, too: the rest of the picture would be grey.
  auto failed = [&] { return Status::input(name + ": damaged JPEG: " + tjGetErrorStr2(decoder.handle)); };
  auto *bytes = reinterpret_cast<const unsigned char *>(file.data());
  int width = 0, height = 0, subsampling = 0, colours = 0;
  if (tjDecompressHeader3(decoder.handle, bytes, file.size(), &width, &height, &subsampling, &colours) != 0)
    return failed();
  if (width < 1 || height < 1)
    return Status::input(name + ": damaged JPEG: it has no picture");
  if (colours == TJCS_CMYK || colours == TJCS_YCCK)
    return Status::input(name + ": expected a grey or RGB JPEG, found CMYK");
  DLC_DATA_TRY(set_size(name, height, width, image));
  if (tjDecompress2(decoder.handle, bytes, file.size(), image.bytes.data(), width, 0, height, TJPF_RGB,
                    TJFLAG_LIMITSCANS) != 0)
    return failed();
  return {};
}

/// A PNG without the chunks that say how its numbers look on a screen: libpng would convert them, and the
/// libraries that people train with do not. From where it is no sequence of chunks it stays as it is, for
/// libpng to refuse.
std::vector<std::byte> without_colour_space(std::span<const std::byte> file) {
  constexpr size_t signature = 8, around = 12; // of a chunk: length and name in front, checksum behind
  std::vector<std::byte> kept;
  auto keep = [&](std::span<const std::byte> part) { kept.insert(kept.end(), part.begin(), part.end()); };
  std::span<const std::byte> rest = file.subspan(std::min(signature, file.size()));
  keep(file.first(file.size() - rest.size()));
  while (rest.size() >= around) {
    size_t length = 0;
    for (size_t i = 0; i < 4; ++i)
      length = length << 8 | static_cast<size_t>(rest[i]);
    if (length > rest.size() - around)
      break;
    std::string_view name(reinterpret_cast<const char *>(rest.data() + 4), 4);
    if (name != "gAMA" && name != "cHRM" && name != "sRGB" && name != "iCCP")
      keep(rest.first(length + around));
    rest = rest.subspan(length + around);
  }
  keep(rest);
  return kept;
}

Status decode_png(const std::string &name, std::span<const std::byte> file, Image &image) {
  std::vector<std::byte> kept = without_colour_space(file);
  png_image png;
  memset(&png, 0, sizeof png);
  png.version = PNG_IMAGE_VERSION;
  auto failed = [&] {
    Status status = Status::input(name + ": damaged PNG: " + png.message);
    png_image_free(&png);
    return status;
  };
  if (!png_image_begin_read_from_memory(&png, kept.data(), kept.size()))
    return failed();
  // With its alpha, or libpng would lay the colours on a background.
  bool has_alpha = png.format & PNG_FORMAT_FLAG_ALPHA;
  png.format = has_alpha ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB;
  png.flags |=
      PNG_IMAGE_FLAG_16BIT_sRGB; // 16 bits are the 8 bits of others, only finer, and not linear light
  if (Status status = set_size(name, png.height, png.width, image); !status.ok()) {
    png_image_free(&png);
    return status;
  }
  std::vector<uint8_t> with_alpha(has_alpha ? image.bytes.size() / 3 * 4 : 0);
  if (!png_image_finish_read(&png, nullptr, (has_alpha ? with_alpha : image.bytes).data(), 0, nullptr))
    return failed();
  for (size_t pixel = 0; pixel < with_alpha.size() / 4; ++pixel)
    std::copy_n(&with_alpha[4 * pixel], 3, &image.bytes[3 * pixel]);
  return {};
}

void to_grey(Image &image) {
  size_t pixels = image.bytes.size() / 3;
  for (size_t i = 0; i < pixels; ++i) {
    const uint8_t *rgb = &image.bytes[3 * i];
    image.bytes[i] =
        static_cast<uint8_t>((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >> 16);
  }
  image.bytes.resize(pixels);
  image.channels = 1;
}

/// What the pixels of a line become: new pixel i is the sum of weights[k] * source[first + k].
struct Taps {
  int64_t first;
  std::vector<double> weights;
};

std::vector<Taps> triangle_taps(int64_t from, int64_t to) {
  std::vector<Taps> all;
  double scale = static_cast<double>(from) / static_cast<double>(to), radius = std::max(scale, 1.0);
  for (int64_t i = 0; i < to; ++i) {
    double center = (static_cast<double>(i) + 0.5) * scale;
    auto first = std::max<int64_t>(0, static_cast<int64_t>(center - radius + 0.5));
    auto end = std::min<int64_t>(from, static_cast<int64_t>(center + radius + 0.5));
    Taps taps = {first, {}};
    double sum = 0;
    for (int64_t k = first; k < end; ++k) {
      double distance = std::abs((static_cast<double>(k) - center + 0.5) / radius);
      taps.weights.push_back(std::max(0.0, 1 - distance));
      sum += taps.weights.back();
    }
    for (double &weight : taps.weights)
      weight /= sum;
    all.push_back(std::move(taps));
  }
  return all;
}

} // namespace

Image resize_image(const Image &image, int64_t height, int64_t width) {
  int64_t channels = image.channels;
  // First along the lines, in full precision; then down the columns.
  std::vector<Taps> across = triangle_taps(image.width, width), down = triangle_taps(image.height, height);
  std::vector<double> lines(static_cast<size_t>(image.height * width * channels));
  double *line = lines.data();
  for (int64_t y = 0; y < image.height; ++y)
    for (const Taps &taps : across)
      for (int64_t c = 0; c < channels; ++c) {
        const uint8_t *from = image.bytes.data() + (y * image.width + taps.first) * channels + c;
        double sum = 0;
        for (size_t k = 0; k < taps.weights.size(); ++k)
          sum += taps.weights[k] * from[static_cast<int64_t>(k) * channels];
        *line++ = sum;
      }
  Image result = {height, width, channels,
                  std::vector<uint8_t>(static_cast<size_t>(height * width * channels))};
  uint8_t *to = result.bytes.data();
  for (const Taps &taps : down)
    for (int64_t i = 0; i < width * channels; ++i) {
      double sum = 0;
      for (size_t k = 0; k < taps.weights.size(); ++k)
        sum += taps.weights[k] *
               lines[static_cast<size_t>((taps.first + static_cast<int64_t>(k)) * width * channels + i)];
      *to++ = static_cast<uint8_t>(std::clamp(std::floor(sum + 0.5), 0.0, 255.0));
    }
  return result;
}

Status decode_image(const std::string &name, std::span<const std::byte> file, int64_t channels,
                    Image &out_image) {
  constexpr unsigned char jpeg_start[] = {0xff, 0xd8, 0xff}, png_start[] = {0x89, 'P', 'N', 'G'};
  auto starts = [&](std::span<const unsigned char> start) {
    return file.size() >= start.size() && memcmp(file.data(), start.data(), start.size()) == 0;
  };
  Image image;
  if (starts(jpeg_start)) {
    DLC_DATA_TRY(decode_jpeg(name, file, image));
  } else if (starts(png_start)) {
    DLC_DATA_TRY(decode_png(name, file, image));
  } else {
    std::string found;
    for (size_t i = 0; i < std::min<size_t>(file.size(), 4); ++i)
      found += format(" %02x", static_cast<unsigned>(file[i]));
    return Status::input(name + ": expected a JPEG (ff d8 ff) or a PNG (89 50 4e 47) at offset 0, found" +
                         (found.empty() ? " an empty file" : found));
  }
  if (channels == 1)
    to_grey(image);
  out_image = std::move(image);
  return {};
}

} // namespace dlc::data
