// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Picture files and zip archives for tests.
#ifndef DLC_TEST_DATA_PICTURES_H
#define DLC_TEST_DATA_PICTURES_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dlc::data {

/// A picture of 3 or 1 channels as a PNG file.
std::string make_png(int height, int width, int channels, const std::vector<uint8_t> &bytes);
/// The same as a JPEG file of the best quality; 4 channels are CMYK.
std::string make_jpeg(int height, int width, int channels, const std::vector<uint8_t> &bytes);
/// A zip archive at path; files are packed.
void make_zip(const std::string &path, const std::vector<std::pair<std::string, std::string>> &files);

} // namespace dlc::data

#endif // DLC_TEST_DATA_PICTURES_H
