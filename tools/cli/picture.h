// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Grey pictures on a terminal: two pixels a character cell in colours, or ASCII shades on a pipe.
#ifndef DLC_TOOLS_CLI_PICTURE_H
#define DLC_TOOLS_CLI_PICTURE_H

#include <cstdint>
#include <string>
#include <vector>

namespace dlc::cli {

/// A grey picture, row-major, 0 black to 1 white, with a line of text under it.
struct Picture {
  int64_t height = 0, width = 0;
  std::vector<float> pixels;
  std::string caption;
};

/// Draws pictures of one size side by side, as many as fit into columns, cut to what is not black in any of
/// them. colors: with terminal colours, else with the ten shades " .:-=+*#%@".
std::string draw_pictures(const std::vector<Picture> &pictures, int columns, bool colors);

} // namespace dlc::cli

#endif // DLC_TOOLS_CLI_PICTURE_H
