// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a fit block or --data says about the data: a loader, its path and its settings.
#ifndef DLC_RUNTIME_DATA_SETTINGS_H
#define DLC_RUNTIME_DATA_SETTINGS_H

#include "runtime/data/loaders.h"
#include "runtime/data/status.h"

#include <map>
#include <optional>
#include <vector>

namespace dlc::data {

/// A constant: a number, a bool or a string.
struct SettingValue {
  enum class Kind { number, flag, text };
  Kind kind = Kind::number;
  double number = 0;
  bool flag = false;
  std::string text;

  static SettingValue of(double value) { return {Kind::number, value, false, ""}; }
  static SettingValue of(bool value) { return {Kind::flag, 0, value, ""}; }
  static SettingValue of(std::string value) { return {Kind::text, 0, false, std::move(value)}; }
};

/// Settings by name. A list has several values, everything else one.
class Settings {
public:
  /// Adds a value to those under name.
  void add(const std::string &name, SettingValue value) { values_[name].push_back(std::move(value)); }
  /// Sets name to a list, to which add then adds.
  void add_list(const std::string &name) { values_[name]; }
  /// Fails when the loader does not take one of them, or not such a value.
  Status check(const LoaderSignature &loader) const;
  /// Takes over what is not set here.
  void add_missing(const Settings &defaults) {
    values_.insert(defaults.values_.begin(), defaults.values_.end());
  }

  // What is set under name, else fallback. After check.
  int64_t integer(const std::string &name, int64_t fallback) const;
  double number(const std::string &name, double fallback) const;
  bool flag(const std::string &name, bool fallback) const;
  std::string text(const std::string &name, const std::string &fallback) const;
  std::vector<double> numbers(const std::string &name) const;
  std::vector<std::string> texts(const std::string &name) const;
  bool has(const std::string &name) const { return values_.count(name) > 0; }

private:
  const SettingValue *find(const std::string &name) const;

  std::map<std::string, std::vector<SettingValue>> values_;
};

/// What a fit block or --data says: loader("path", key=value).
struct DataSpec {
  std::string loader; ///< "mnist"
  std::string path;   ///< Empty: not given.
  Settings settings;
};

/// Reads `loader("path", key=value, ...)`, whose path and settings may be missing. Values are as in the
/// language: 64, 0.1, true, "char", [0.5, 0.5].
Status parse_data_spec(const std::string &text, DataSpec &out_spec);
/// Whether text begins as such a form does, with a name and "(".
bool is_data_spec(const std::string &text);

/// The signature of the loader of this name; the message lists those that there are.
Status find_loader(const std::string &name, const LoaderSignature *&out_loader);
/// The names of all loaders.
std::vector<std::string> loader_names();

/// "a, b, c", for lists of what there is.
std::string join(const std::vector<std::string> &names);

} // namespace dlc::data

#endif // DLC_RUNTIME_DATA_SETTINGS_H
