// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/data/dataset.h"

namespace dlc::data {
namespace {

/// Every loader, in alphabetical order.
struct Loader {
  const char *name;
  Status (*open)(const std::string &path, Splits &out_splits);
};
constexpr Loader loaders[] = {{"mnist", open_mnist}};

} // namespace

std::optional<size_t> DataSet::find(std::string_view name) const {
  const std::vector<Column> &all = columns();
  for (size_t i = 0; i < all.size(); ++i)
    if (all[i].name == name)
      return i;
  return std::nullopt;
}

std::vector<std::string> loader_names() {
  std::vector<std::string> names;
  for (const Loader &loader : loaders)
    names.push_back(loader.name);
  return names;
}

Status check_loader(const std::string &name) {
  std::vector<std::string> names = loader_names();
  std::string known;
  for (const std::string &one : names) {
    if (one == name)
      return {};
    known += (known.empty() ? "" : ", ") + one;
  }
  std::optional<std::string> near = nearest_name(name, names);
  return Status::input("no data loader is called " + name + "; there is: " + known +
                       (near ? " (did you mean " + *near + "?)" : ""));
}

Status open_data(const DataSpec &spec, Splits &out_splits) {
  for (const Loader &loader : loaders)
    if (spec.loader == loader.name)
      return loader.open(spec.path, out_splits);
  return check_loader(spec.loader);
}

} // namespace dlc::data
