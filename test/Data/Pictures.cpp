// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/Data/Pictures.h"

#include <gtest/gtest.h>

#include <cstring>
#include <png.h>
#include <turbojpeg.h>
#include <zip.h>

namespace dlc::data {

std::string make_png(int height, int width, int channels, const std::vector<uint8_t> &bytes) {
  png_image png;
  memset(&png, 0, sizeof png);
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(width);
  png.height = static_cast<png_uint_32>(height);
  png.format = channels == 1 ? PNG_FORMAT_GRAY : channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_RGBA;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
  std::string file(size, '\0');
  EXPECT_TRUE(png_image_write_to_memory(&png, file.data(), &size, 0, bytes.data(), 0, nullptr))
      << png.message;
  file.resize(size);
  return file;
}

std::string make_jpeg(int height, int width, int channels, const std::vector<uint8_t> &bytes) {
  tjhandle handle = tjInitCompress();
  unsigned char *file = nullptr;
  unsigned long size = 0;
  int pixels = channels == 1 ? TJPF_GRAY : channels == 3 ? TJPF_RGB : TJPF_CMYK;
  EXPECT_EQ(tjCompress2(handle, bytes.data(), width, 0, height, pixels, &file, &size,
                        channels == 1 ? TJSAMP_GRAY : TJSAMP_444, 100, 0),
            0)
      << tjGetErrorStr2(handle);
  std::string text(reinterpret_cast<char *>(file), size);
  tjFree(file);
  tjDestroy(handle);
  return text;
}

void make_zip(const std::string &path, const std::vector<std::pair<std::string, std::string>> &files) {
  zip_t *zip = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  ASSERT_NE(zip, nullptr);
  for (const auto &[name, bytes] : files)
    ASSERT_GE(zip_file_add(zip, name.c_str(), zip_source_buffer(zip, bytes.data(), bytes.size(), 0), 0), 0);
  ASSERT_EQ(zip_close(zip), 0);
}

} // namespace dlc::data
