// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Safetensors files: 8 bytes of header length, a JSON header, the elements. The format of PyTorch's weights
// on the Hugging Face hub; see its README for the rules that the reader checks (no holes, no overlaps,
// everything in range).
#ifndef DLC_RUNTIME_DATA_SAFETENSORS_H
#define DLC_RUNTIME_DATA_SAFETENSORS_H

#include "runtime/data/file.h"
#include "runtime/data/tensor.h"

#include <map>

namespace dlc::data {

/// A file that is open for reading. The header is checked once by open; elements are read on demand.
class SafetensorsFile {
public:
  struct Entry {
    std::string name;
    DataType type = DataType::f32;
    Shape shape;
    int64_t offset = 0; ///< From the start of the file.
    int64_t size = 0;   ///< In bytes.
  };

  Status open(const std::string &path);
  const std::string &path() const { return file_.path(); }
  /// In the order of their elements in the file.
  const std::vector<Entry> &entries() const { return entries_; }
  const Entry *find(std::string_view name) const;
  /// The texts of __metadata__.
  const std::map<std::string, std::string> &metadata() const { return metadata_; }
  /// Reads the elements of an entry of this file into entry.size bytes.
  Status read(const Entry &entry, void *out) const { return file_.read(entry.offset, out, entry.size); }

private:
  InputFile file_;
  std::vector<Entry> entries_;
  std::map<std::string, std::string> metadata_;
};

/// Writes tensors in the given order, whole or not at all. The same input gives the same bytes.
Status write_safetensors(const std::string &path, const std::vector<NamedTensor> &tensors,
                         const std::map<std::string, std::string> &metadata);

} // namespace dlc::data

#endif // DLC_RUNTIME_DATA_SAFETENSORS_H
