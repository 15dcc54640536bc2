// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/dataset.h"

#include "runtime/data/batcher.h"

#include <algorithm>

namespace dlc::data {
namespace {

/// In the order of loader_signatures.
constexpr OpenLoader *open_functions[] = {open_csv,         open_images,    open_mnist, open_npy,
                                          open_safetensors, open_sentences, open_text};
static_assert(std::size(open_functions) == std::size(loader_signatures));

} // namespace

std::optional<size_t> DataSet::find(std::string_view name) const {
  const std::vector<Column> &all = columns();
  for (size_t i = 0; i < all.size(); ++i)
    if (all[i].name == name)
      return i;
  return std::nullopt;
}

Encodings DataSet::encodings() const {
  Encodings encodings;
  for (const Column &column : columns())
    if (column.encoding)
      encodings[column.name] = column.encoding;
  return encodings;
}

uint64_t Draws::bits(int64_t row, uint64_t k) const {
  uint64_t of_epoch = splitmix64(splitmix64(seed) ^ static_cast<uint64_t>(epoch));
  return splitmix64(splitmix64(of_epoch ^ static_cast<uint64_t>(row)) + 1 + k);
}

int64_t Draws::below(int64_t range, int64_t row, uint64_t k) const {
  return static_cast<int64_t>(static_cast<unsigned __int128>(bits(row, k)) * static_cast<uint64_t>(range) >>
                              64);
}

std::vector<size_t> validation_rows(size_t size, double share, int64_t seed) {
  if (share == 0)
    return {};
  std::vector<int64_t> order;
  shuffled_order(static_cast<uint64_t>(seed), 0, static_cast<int64_t>(size), order);
  order.resize(static_cast<size_t>(static_cast<double>(size) * share));
  std::sort(order.begin(), order.end());
  return {order.begin(), order.end()};
}

RowSplit split_rows(int64_t size, double share, int64_t seed) {
  std::vector<size_t> validation = validation_rows(static_cast<size_t>(size), share, seed);
  RowSplit split{{}, {validation.begin(), validation.end()}};
  for (int64_t row = 0; row < size; ++row)
    if (!std::binary_search(validation.begin(), validation.end(), static_cast<size_t>(row)))
      split.rest.push_back(row);
  return split;
}

std::vector<std::string> split_names(const Splits &splits) {
  std::vector<std::string> names;
  for (const auto &[name, rows] : splits)
    names.push_back(name);
  return names;
}

Status find_class(const std::vector<std::string> &classes, const std::string &label, const std::string &where,
                  int32_t &out_index) {
  auto found = std::find(classes.begin(), classes.end(), label);
  if (found == classes.end()) {
    std::vector<std::string> some(
        classes.begin(), classes.begin() + static_cast<ptrdiff_t>(std::min<size_t>(classes.size(), 20)));
    return Status::input(where + ": class " + (label.empty() ? "''" : label) +
                         format(" is not one of the %zu of the training: ", classes.size()) + join(some) +
                         (some.size() < classes.size() ? ", ..." : ""));
  }
  out_index = static_cast<int32_t>(found - classes.begin());
  return {};
}

Status open_data(const DataSpec &spec, const Encodings &fitted, Splits &out_splits) {
  const LoaderSignature *loader = nullptr;
  DLC_DATA_TRY(find_loader(spec.loader, loader));
  DLC_DATA_TRY(spec.settings.check(*loader));
  return open_functions[loader - loader_signatures](spec.path, spec.settings, fitted, out_splits);
}

} // namespace dlc::data
