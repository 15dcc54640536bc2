// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tree of files: a folder, or a zip archive.
#ifndef DLC_RUNTIME_DATA_ARCHIVE_H
#define DLC_RUNTIME_DATA_ARCHIVE_H

#include "runtime/data/status.h"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace dlc::data {

class Archive {
public:
  virtual ~Archive() = default;
  /// The files' names below the root, with '/', sorted. Hidden ones and what macOS adds to archives are left
  /// out.
  const std::vector<std::string> &names() const { return names_; }
  /// Reads a whole file, of at most 1 GiB. May be called on several threads at once. Messages begin with
  /// the file's name as name() writes it.
  virtual Status read(size_t index, std::vector<std::byte> &out_bytes) const = 0;
  /// "folder/a.png", "pictures.zip: a.png".
  virtual std::string name(size_t index) const = 0;

protected:
  std::vector<std::string> names_;
};

/// Opens what path is: a folder, or a zip archive.
Status open_archive(const std::string &path, std::unique_ptr<Archive> &out_archive);

} // namespace dlc::data

#endif // DLC_RUNTIME_DATA_ARCHIVE_H
