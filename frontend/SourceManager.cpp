// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/SourceManager.h"
#include "runtime/schema/artifact_header.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cassert>

using namespace dlc::frontend;
using llvm::StringRef;

SourceManager::SourceManager() = default;

FileId SourceManager::add(StringRef name, std::unique_ptr<llvm::MemoryBuffer> buffer) {
  StringRef text = buffer->getBuffer();
  std::vector<uint32_t> lineStarts = {0};
  for (size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\n')
      lineStarts.push_back(i + 1);
  files.push_back({name.str(), std::nullopt, std::move(buffer), std::move(lineStarts)});
  return files.size();
}

FileId SourceManager::addFile(StringRef path, std::string &error) {
  llvm::sys::fs::file_status status;
  if (!llvm::sys::fs::status(path, status)) {
    for (size_t i = 0; i < files.size(); ++i)
      if (files[i].id == status.getUniqueID())
        return i + 1;
    // /dev/zero has no end.
    if (status.type() == llvm::sys::fs::file_type::character_file) {
      error = "it is a device";
      return 0;
    }
  }
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer) {
    error = buffer.getError().message();
    return 0;
  }
  // Offsets have 32 bits; a program of that size is a wrong file.
  if ((*buffer)->getBufferSize() > (1u << 28)) {
    error = "the file has more than 256 MiB";
    return 0;
  }
  StringRef text = (*buffer)->getBuffer();
  if (text.starts_with(StringRef(DLC_ARTIFACT_MAGIC, 8))) {
    error = "it is a compiled model, expected a model's source";
    return 0;
  }
  // What has zero bytes is no text, and would give an error for every other byte.
  if (text.contains('\0')) {
    error = "it is not a text file";
    return 0;
  }
  FileId file = add(path, std::move(*buffer));
  files[file - 1].id = status.getUniqueID();
  return file;
}

FileId SourceManager::addText(StringRef name, StringRef text) {
  return add(name, llvm::MemoryBuffer::getMemBufferCopy(text, name));
}

const SourceManager::File &SourceManager::get(FileId file) const {
  assert(file != 0 && file <= files.size() && "a FileId of another SourceManager");
  return files[file - 1];
}

StringRef SourceManager::name(FileId file) const {
  return get(file).name;
}

StringRef SourceManager::text(FileId file) const {
  return get(file).buffer->getBuffer();
}

StringRef SourceManager::text(SourceRange range) const {
  return range ? text(range.file).slice(range.begin, range.end) : StringRef();
}

LineColumn SourceManager::lineColumn(SourceRange range) const {
  if (!range)
    return {};
  const File &file = get(range.file);
  auto next = std::upper_bound(file.lineStarts.begin(), file.lineStarts.end(), range.begin);
  unsigned line = next - file.lineStarts.begin();
  StringRef before = file.buffer->getBuffer().slice(file.lineStarts[line - 1], range.begin);
  // Every byte but UTF-8's continuation bytes (10xxxxxx) starts a character.
  unsigned column = 1 + llvm::count_if(before, [](char c) { return (c & 0xC0) != 0x80; });
  return {line, column};
}

StringRef SourceManager::line(FileId id, unsigned line) const {
  const File &file = get(id);
  if (line == 0 || line > file.lineStarts.size())
    return {};
  StringRef rest = file.buffer->getBuffer().substr(file.lineStarts[line - 1]);
  return rest.take_until([](char c) { return c == '\n'; }).rtrim('\r');
}

std::string SourceManager::describe(SourceRange range) const {
  if (!range)
    return "<unknown>";
  LineColumn position = lineColumn(range);
  return name(range.file).str() + ":" + std::to_string(position.line) + ":" + std::to_string(position.column);
}

SourceRange SourceManager::find(StringRef name, unsigned line, unsigned column) const {
  for (size_t i = 0; i < files.size(); ++i) {
    const File &file = files[i];
    if (file.name != name)
      continue;
    if (line == 0 || line > file.lineStarts.size())
      return {};
    uint32_t offset = file.lineStarts[line - 1];
    StringRef text = file.buffer->getBuffer();
    for (unsigned c = 1; c < column && offset < text.size() && text[offset] != '\n'; ++c) {
      ++offset;
      while (offset < text.size() && (text[offset] & 0xC0) == 0x80)
        ++offset;
    }
    return {static_cast<FileId>(i + 1), offset, offset};
  }
  return {};
}
