// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files: read at offsets, and replaced as a whole.
#ifndef DLC_RUNTIME_DATA_FILE_H
#define DLC_RUNTIME_DATA_FILE_H

#include "runtime/data/status.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace dlc::data {

/// A file that is open for reading. Closed by the destructor.
class InputFile {
public:
  InputFile() = default;
  ~InputFile();
  InputFile(const InputFile &) = delete;
  InputFile &operator=(const InputFile &) = delete;

  /// A file that does not exist, or that is a folder, is the user's mistake; anything else is the machine's.
  Status open(const std::string &path);
  const std::string &path() const { return path_; }
  int64_t size() const { return size_; }
  /// Reads exactly size bytes; fewer is an input error that names path, offset, expected and found.
  Status read(int64_t offset, void *out, int64_t size) const;

private:
  std::string path_;
  int descriptor_ = -1;
  int64_t size_ = 0;
};

/// Reads a whole file, unpacking it if it is gzip.
Status read_file_gz(const std::string &path, std::vector<std::byte> &out_bytes);

/// A part of a file to be written, owned by the caller.
struct Piece {
  const void *bytes;
  size_t size;
};

/// Replaces path by the concatenation of pieces so that at every moment path is either the old file or the
/// new one, whole: writes a temporary file beside it, syncs it to the disk, and renames it. Keeps the old
/// file's permissions; follows a symbolic link; writes to what is not a regular file (a pipe, /dev/null)
/// directly.
Status replace_file(const std::string &path, const std::vector<Piece> &pieces);

/// Whether replace_file could begin to write path now, found out by making its temporary file and removing
/// it: for work that takes long before it has something to write. What is not a regular file is not tried.
/// Temporary files that processes left which were killed more than an hour ago are removed.
Status check_replaceable(const std::string &path);

/// Fails when output is the file source, by whatever name: writing it would destroy what is read.
Status check_not_source(const std::string &output, const std::string &source);

/// "No such file or directory" and the like, for errno's value.
std::string system_message(int error);

} // namespace dlc::data

#endif // DLC_RUNTIME_DATA_FILE_H
