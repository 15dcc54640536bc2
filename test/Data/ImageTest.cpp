// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/image.h"

#include "test/Data/Pictures.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace dlc::data {
namespace {

using Bytes = std::vector<uint8_t>;

Status decode(const std::string &file, int64_t channels, Image &image) {
  return decode_image("a.png", std::as_bytes(std::span(file)), channels, image);
}

/// Byte i is 37 * i modulo 256.
Bytes stripes(size_t size) {
  Bytes bytes(size);
  for (size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<uint8_t>(37 * i);
  return bytes;
}

TEST(Image, PngIsExact) {
  Image image;
  Bytes colours = stripes(4 * 5 * 3), greys = stripes(4 * 5);
  ASSERT_TRUE(decode(make_png(4, 5, 3, colours), 3, image).ok());
  EXPECT_EQ(image.height, 4);
  EXPECT_EQ(image.width, 5);
  EXPECT_EQ(image.bytes, colours);
  ASSERT_TRUE(decode(make_png(4, 5, 1, greys), 1, image).ok());
  EXPECT_EQ(image.channels, 1);
  EXPECT_EQ(image.bytes, greys);
  // Grey in three channels; colours as grey: (19595 * 200 + 38470 * 100 + 7471 * 50 + 32768) / 65536.
  ASSERT_TRUE(decode(make_png(1, 1, 1, {77}), 3, image).ok());
  EXPECT_EQ(image.bytes, (Bytes{77, 77, 77}));
  ASSERT_TRUE(decode(make_png(1, 1, 3, {200, 100, 50}), 1, image).ok());
  EXPECT_EQ(image.bytes, Bytes{124});
  // Alpha is left out: opaque, half and wholly transparent.
  ASSERT_TRUE(decode(make_png(1, 3, 4, {9, 8, 7, 255, 200, 100, 50, 128, 6, 5, 4, 0}), 3, image).ok());
  EXPECT_EQ(image.bytes, (Bytes{9, 8, 7, 200, 100, 50, 6, 5, 4}));
}

/// A chunk of a PNG file: length, name, bytes, checksum.
std::string chunk(const std::string &name, const std::string &bytes) {
  auto number = [](uint32_t value) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8)
      text += static_cast<char>(value >> shift);
    return text;
  };
  std::string checked = name + bytes;
  return number(static_cast<uint32_t>(bytes.size())) + checked +
         number(static_cast<uint32_t>(
             crc32(0, reinterpret_cast<const Bytef *>(checked.data()), static_cast<uInt>(checked.size()))));
}

// What a file says of screens changes no number, as with the libraries that people train with.
TEST(Image, PngWithAColourSpaceIsExact) {
  Image image;
  Bytes greys = stripes(4 * 5);
  std::string png = make_png(4, 5, 1, greys);
  constexpr size_t header = 8 + 12 + 13; // the signature and IHDR
  for (const char *gamma : {"\x00\x01\x86\xa0", "\x00\x00\xb1\x8f", "\x00\x00\x00\x01"}) {
    std::string with = png;
    with.insert(header, chunk("gAMA", std::string(gamma, 4)));
    ASSERT_TRUE(decode(with, 1, image).ok());
    EXPECT_EQ(image.bytes, greys);
  }
}

TEST(Image, SixteenBitsOfPngAreTheEightOfOthers) {
  std::string pixels;
  for (int row = 0; row < 2; ++row) {
    pixels += '\0'; // no filter
    for (int value : {0, 77, 128, 255})
      pixels += std::string(2, static_cast<char>(value)); // 257 * value
  }
  std::string packed(compressBound(pixels.size()), '\0');
  uLongf size = packed.size();
  ASSERT_EQ(compress(reinterpret_cast<Bytef *>(packed.data()), &size,
                     reinterpret_cast<const Bytef *>(pixels.data()), pixels.size()),
            Z_OK);
  packed.resize(size);
  constexpr char header[] = "\0\0\0\4\0\0\0\2\x10\0\0\0\0"; // 4 x 2 pixels, 16 bits, grey
  std::string png = "\x89PNG\r\n\x1a\n" + chunk("IHDR", std::string(header, 13)) + chunk("IDAT", packed) +
                    chunk("IEND", "");
  Image image;
  ASSERT_TRUE(decode(png, 1, image).ok());
  EXPECT_EQ(image.bytes, (Bytes{0, 77, 128, 255, 0, 77, 128, 255}));
}

TEST(Image, JpegIsCloseAtBestQuality) {
  Image image;
  Bytes slope(16 * 24 * 3);
  for (int y = 0; y < 16; ++y)
    for (int x = 0; x < 24; ++x)
      for (int c = 0; c < 3; ++c)
        slope[static_cast<size_t>((y * 24 + x) * 3 + c)] = static_cast<uint8_t>(20 + 5 * y + 4 * x + 10 * c);
  ASSERT_TRUE(decode(make_jpeg(16, 24, 3, slope), 3, image).ok());
  ASSERT_EQ(image.bytes.size(), slope.size());
  for (size_t i = 0; i < slope.size(); ++i)
    ASSERT_NEAR(image.bytes[i], slope[i], 2) << i;
  ASSERT_TRUE(decode(make_jpeg(8, 8, 1, Bytes(64, 93)), 1, image).ok());
  EXPECT_EQ(image.bytes, Bytes(64, 93));
}

// PyTorch's values, of resize_reference.py.
TEST(Image, ResizingIsPyTorchs) {
  EXPECT_EQ(resize_image({5, 7, 1, stripes(35)}, 3, 4).bytes,
            (Bytes{21, 78, 146, 204, 25, 83, 151, 209, 30, 88, 156, 213}));
  EXPECT_EQ(resize_image({5, 7, 1, stripes(35)}, 8, 9).bytes,
            (Bytes{0,  25, 53, 82, 111, 140, 169, 197, 222, 1,  26, 55, 84, 112, 141, 170, 199, 223,
                   3,  28, 57, 85, 114, 143, 172, 201, 225, 5,  30, 59, 87, 116, 145, 174, 202, 227,
                   7,  32, 60, 89, 118, 147, 175, 204, 229, 9,  33, 62, 91, 120, 149, 177, 206, 231,
                   11, 35, 64, 93, 122, 150, 179, 208, 233, 12, 37, 65, 94, 123, 152, 181, 209, 234}));
  EXPECT_EQ(resize_image({2, 9, 3, stripes(54)}, 2, 2).bytes,
            (Bytes{120, 95, 100, 98, 131, 136, 134, 132, 107, 127, 110, 143}));
  EXPECT_EQ(resize_image({5, 7, 1, stripes(35)}, 5, 7).bytes, stripes(35));
}

TEST(Image, BadFilesSayWhat) {
  Image image;
  auto decoding = [&](const std::string &file) {
    Status status = decode(file, 3, image);
    EXPECT_EQ(status.fault(), Fault::input);
    return status.message();
  };
  EXPECT_EQ(decoding(""),
            "a.png: expected a JPEG (ff d8 ff) or a PNG (89 50 4e 47) at offset 0, found an empty file");
  EXPECT_EQ(decoding("GIF89"),
            "a.png: expected a JPEG (ff d8 ff) or a PNG (89 50 4e 47) at offset 0, found 47 49 46 38");
  std::string png = make_png(9, 9, 3, stripes(243)), jpeg = make_jpeg(40, 40, 3, stripes(4800));
  EXPECT_EQ(decoding(png.substr(0, png.size() / 2)), "a.png: damaged PNG: read beyond end of data");
  EXPECT_EQ(decoding(jpeg.substr(0, jpeg.size() / 2)), "a.png: damaged JPEG: Premature end of JPEG file");
  EXPECT_EQ(decoding(jpeg.substr(0, 20)), "a.png: damaged JPEG: it has no picture");
  // A header that promises more than memory has: width and height of the IHDR chunk.
  std::string size("\0\0\x80\0\0\0\x40\0", 8), large = png;
  large.replace(8, 25, chunk("IHDR", size + png.substr(24, 5)));
  EXPECT_EQ(decoding(large), "a.png: expected a picture of 1 to 2^28 pixels, found 32768 x 16384");
  EXPECT_EQ(decoding(make_jpeg(8, 8, 4, stripes(256))), "a.png: expected a grey or RGB JPEG, found CMYK");
}

// Never a crash, wherever a file ends and whatever a byte becomes.
TEST(Image, MutatedFilesAreRefusedOrDecoded) {
  Image image;
  for (const std::string &good : {make_png(9, 9, 3, stripes(243)), make_jpeg(16, 16, 3, stripes(768))})
    for (size_t i = 0; i < good.size(); ++i) {
      // The last 16 bytes of a PNG file are checksums and its end: the picture is whole without.
      bool whole = good[1] == 'P' && i + 16 >= good.size();
      EXPECT_TRUE(whole || !decode(good.substr(0, i), 3, image).ok()) << i;
      for (int change : {1, 0x80, 0xff}) {
        std::string damaged = good;
        damaged[i] = static_cast<char>(damaged[i] ^ change);
        if (decode(damaged, 3, image).ok())
          EXPECT_EQ(static_cast<int64_t>(image.bytes.size()), image.height * image.width * 3);
      }
    }
}

} // namespace
} // namespace dlc::data
