// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/cli/picture.h"

#include "runtime/data/status.h"

#include <algorithm>
#include <cmath>

namespace dlc::cli {
namespace {

/// The rows and columns that are not black in every picture.
struct Box {
  int64_t top, bottom, left, right; ///< bottom and right excluded.
};

Box common_box(const std::vector<Picture> &pictures) {
  const Picture &first = pictures[0];
  Box box = {first.height, 0, first.width, 0};
  for (const Picture &picture : pictures)
    for (int64_t y = 0; y < first.height; ++y)
      for (int64_t x = 0; x < first.width; ++x)
        if (picture.pixels[static_cast<size_t>(y * first.width + x)] > 0.05f)
          box = {std::min(box.top, y), std::max(box.bottom, y + 1), std::min(box.left, x),
                 std::max(box.right, x + 1)};
  return box.bottom > box.top ? box : Box{0, first.height, 0, first.width};
}

float pixel(const Picture &picture, int64_t y, int64_t x) {
  return y < picture.height
             ? std::fmax(0.0f, std::fmin(1.0f, picture.pixels[static_cast<size_t>(y * picture.width + x)]))
             : 0.0f;
}

/// One of the 24 greys of the 256-colour palette, or its black.
int palette_grey(float value) {
  return value < 0.02f ? 16 : 232 + static_cast<int>(value * 23 + 0.5f);
}

/// The text of two rows of pixels. A cell is about twice as high as wide, so it holds one pixel over another.
std::string draw_row(const Picture &picture, int64_t y, const Box &box, bool colors) {
  constexpr char shades[] = " .:-=+*#%@";
  std::string text;
  int upper_color = -1, lower_color = -1;
  for (int64_t x = box.left; x < box.right; ++x) {
    float upper = pixel(picture, y, x), lower = y + 1 < box.bottom ? pixel(picture, y + 1, x) : 0.0f;
    if (!colors) {
      text += shades[static_cast<int>((upper + lower) / 2 * 9 + 0.5f)];
      continue;
    }
    if (int color = palette_grey(upper); color != upper_color)
      text += data::format("\033[38;5;%dm", upper_color = color);
    if (int color = palette_grey(lower); color != lower_color)
      text += data::format("\033[48;5;%dm", lower_color = color);
    text += "▀";
  }
  return colors ? text + "\033[0m" : text;
}

} // namespace

std::string draw_pictures(const std::vector<Picture> &pictures, int columns, bool colors) {
  if (pictures.empty())
    return "";
  Box box = common_box(pictures);
  int64_t cell = box.right - box.left;
  for (const Picture &picture : pictures)
    cell = std::max(cell, static_cast<int64_t>(picture.caption.size()));
  constexpr int64_t gap = 3;
  size_t across = static_cast<size_t>(std::max<int64_t>(1, (columns + gap) / (cell + gap)));
  std::string text;
  auto add_line = [&](size_t begin, size_t end, auto part, auto width) {
    std::string line;
    for (size_t i = begin; i < end; ++i) {
      line += part(pictures[i]);
      if (i + 1 < end)
        line.append(static_cast<size_t>(cell + gap - width(pictures[i])), ' ');
    }
    while (!line.empty() && line.back() == ' ')
      line.pop_back();
    text += line + "\n";
  };
  for (size_t begin = 0; begin < pictures.size(); begin += across) {
    size_t end = std::min(pictures.size(), begin + across);
    for (int64_t y = box.top; y < box.bottom; y += 2)
      add_line(
          begin, end, [&](const Picture &picture) { return draw_row(picture, y, box, colors); },
          [&](const Picture &) { return box.right - box.left; });
    add_line(
        begin, end, [](const Picture &picture) { return picture.caption; },
        [](const Picture &picture) { return static_cast<int64_t>(picture.caption.size()); });
    text += "\n";
  }
  return text;
}

} // namespace dlc::cli
