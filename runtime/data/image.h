// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pictures: JPEG and PNG files to bytes.
#ifndef DLC_RUNTIME_DATA_IMAGE_H
#define DLC_RUNTIME_DATA_IMAGE_H

#include "runtime/data/status.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dlc::data {

/// A picture with interleaved channels: byte (y * width + x) * channels + c.
struct Image {
  int64_t height = 0, width = 0, channels = 0;
  std::vector<uint8_t> bytes;
};

/// Decodes a JPEG or PNG file, told apart by their first bytes, to 1 channel (grey) or 3 (red, green, blue).
/// JPEG as libjpeg's default does it (accurate integer transform, smooth upsampling). Colour becomes grey as
/// (19595 R + 38470 G + 7471 B + 32768) / 65536 (ITU-R BT.601 in integers, as Pillow). Alpha is left
/// out, as Pillow's convert and PyTorch do. A damaged or truncated file is an input error, which name begins.
/// A picture has at most 2^28 pixels.
Status decode_image(const std::string &name, std::span<const std::byte> file, int64_t channels,
                    Image &out_image);

/// The picture in another size: each pixel is the mean of the source weighted by a triangle as wide as two
/// source pixels, or two new ones where these are larger (bilinear with antialiasing, as Pillow and PyTorch
/// have it), rounded to the nearest.
Image resize_image(const Image &image, int64_t height, int64_t width);

} // namespace dlc::data

#endif // DLC_RUNTIME_DATA_IMAGE_H
