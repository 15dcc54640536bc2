// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/cli/tokens.h"

#include <charconv>
#include <cstring>

namespace dlc::cli {

using data::Status;
using data::Vocabulary;

const Vocabulary *find_vocabulary(const Value &value, const data::Encodings &encodings) {
  if (value.type != data::DataType::i32)
    return nullptr;
  auto column = encodings.find(value.name);
  if (column != encodings.end() && column->second->vocabulary)
    return &*column->second->vocabulary;
  return data::find_vocabulary(encodings);
}

Status encode_text(const Artifact &artifact, const Entry &entry, const Value &argument,
                   const Vocabulary &vocabulary, const std::string &text, data::Tensor &out_tensor) {
  const size_t rank = argument.dims.size();
  if (rank != 1 && rank != 2)
    return Status::input("--in " + argument.name + ": text is one row of tokens, " + entry.name + " takes " +
                         argument.signature);
  std::vector<int32_t> ids;
  if (Status status = vocabulary.encode(text, ids); !status.ok())
    return Status::input("--in " + argument.name + ": " + status.message());
  const std::string size = artifact.format(argument.dims.back(), entry);
  int64_t fixed = 0;
  bool is_fixed =
      std::from_chars(size.data(), size.data() + size.size(), fixed).ptr == size.data() + size.size();
  int64_t count = static_cast<int64_t>(ids.size());
  if (is_fixed && count < fixed && vocabulary.padding() >= 0)
    ids.resize(static_cast<size_t>(fixed), vocabulary.padding());
  else if (is_fixed && count != fixed)
    return Status::input(data::format("--in %s: the text has %lld tokens, %s takes %lld",
                                      argument.name.c_str(), static_cast<long long>(count),
                                      entry.name.c_str(), static_cast<long long>(fixed)));
  out_tensor.type = data::DataType::i32;
  out_tensor.shape.assign(rank, 1);
  out_tensor.shape.back() = static_cast<int64_t>(ids.size());
  out_tensor.bytes.resize(ids.size() * sizeof(int32_t));
  memcpy(out_tensor.bytes.data(), ids.data(), out_tensor.bytes.size());
  return {};
}

Status decode_tokens(const Value &result, const Vocabulary &vocabulary, const dlc_tensor_t &tensor,
                     std::string &out_text) {
  int64_t length = tensor.rank == 0 ? 1 : tensor.dims[tensor.rank - 1], rows = 1;
  for (int32_t i = 0; i + 1 < tensor.rank; ++i)
    rows *= tensor.dims[i];
  out_text.clear();
  for (int64_t row = 0; row < rows; ++row) {
    std::string line;
    const auto *ids = static_cast<const int32_t *>(tensor.data) + row * length;
    if (Status status = vocabulary.decode({ids, static_cast<size_t>(length)}, line); !status.ok())
      return Status::input(result.name + ": " + status.message());
    out_text += line + "\n";
  }
  return {};
}

} // namespace dlc::cli
