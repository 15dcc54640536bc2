// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The texts that a compilation reads, and positions in them.
//
// A position is a (file, byte offset) pair; lines and columns are computed only when something is printed.
// The manager owns every text for as long as it lives: tokens and AST nodes hold StringRefs into it.
#ifndef DLC_FRONTEND_SOURCEMANAGER_H
#define DLC_FRONTEND_SOURCEMANAGER_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dlc::frontend {

/// Names one file of a SourceManager. 0 is "no file".
using FileId = uint32_t;

/// The bytes [begin, end) of one file. The default value is "nowhere".
struct SourceRange {
  FileId file = 0;
  uint32_t begin = 0;
  uint32_t end = 0;

  bool isValid() const { return file != 0; }
  explicit operator bool() const { return isValid(); }
  bool operator==(const SourceRange &) const = default;

  /// The empty range at the first byte.
  SourceRange start() const { return {file, begin, begin}; }
  /// The smallest range that covers both; they lie in the same file, or one of them is nowhere.
  SourceRange to(SourceRange other) const {
    if (!isValid() || !other.isValid())
      return isValid() ? *this : other;
    return {file, begin < other.begin ? begin : other.begin, end > other.end ? end : other.end};
  }
};

/// A position as people count it: both numbers start at 1, a column is one character (UTF-8 code point).
struct LineColumn {
  unsigned line = 0;
  unsigned column = 0;
};

class SourceManager {
public:
  SourceManager();
  SourceManager(const SourceManager &) = delete;
  SourceManager &operator=(const SourceManager &) = delete;

  /// Reads a file. Returns 0 and sets `error` to the reason when that fails or the file is no text. A file
  /// that was read before, by whatever path, gives the same FileId again.
  FileId addFile(llvm::StringRef path, std::string &error);

  /// Adds a text under a name that messages will show, such as "std/layers.dl". The text is copied.
  FileId addText(llvm::StringRef name, llvm::StringRef text);

  /// The name as given to addFile or addText.
  llvm::StringRef name(FileId file) const;
  llvm::StringRef text(FileId file) const;
  /// The characters of a range; empty for an invalid one.
  llvm::StringRef text(SourceRange range) const;

  /// Line and column of the first byte of the range; {0, 0} for an invalid one.
  LineColumn lineColumn(SourceRange range) const;
  /// Line `line` (from 1) of a file without its line end.
  llvm::StringRef line(FileId file, unsigned line) const;
  /// "name:line:column", as messages print it; "<unknown>" for an invalid range.
  std::string describe(SourceRange range) const;
  /// The empty range at a line and column of the file of that name, invalid where there is none. Turns an
  /// MLIR FileLineColLoc back into a range.
  SourceRange find(llvm::StringRef name, unsigned line, unsigned column) const;

  /// Ids are 1 … fileCount().
  unsigned fileCount() const { return files.size(); }

private:
  struct File {
    std::string name;
    std::optional<llvm::sys::fs::UniqueID> id; ///< Of a file, whatever path leads to it.
    std::unique_ptr<llvm::MemoryBuffer> buffer;
    std::vector<uint32_t> lineStarts; ///< byte offset of each line
  };
  FileId add(llvm::StringRef name, std::unique_ptr<llvm::MemoryBuffer> buffer);
  const File &get(FileId file) const;

  std::vector<File> files;
};

} // namespace dlc::frontend

#endif // DLC_FRONTEND_SOURCEMANAGER_H
