// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The runtime's handles as C++ values, and the questions that every verb asks an artifact.
#ifndef DLC_TOOLS_CLI_SESSION_H
#define DLC_TOOLS_CLI_SESSION_H

#include "runtime/data/checkpoint.h"
#include "runtime/data/settings.h"
#include "runtime/data/tensor.h"
#include "runtime/dlc_runtime.h"
#include "tools/cli/options.h"

#include <memory>
#include <string>
#include <vector>

namespace dlc::cli {

struct Release {
  void operator()(dlc_artifact_t *artifact) const { dlc_artifact_release(artifact); }
  void operator()(dlc_session_t *session) const { dlc_session_release(session); }
};
using ArtifactHandle = std::unique_ptr<dlc_artifact_t, Release>;
using SessionHandle = std::unique_ptr<dlc_session_t, Release>;

/// An argument or a result of an entry.
struct Value {
  std::string name;
  data::DataType type;
  std::vector<dlc_expression_t> dims;
  dlc_report_t report;
  std::string signature;      ///< "f32[n, 1, 28, 28]"
  std::vector<int64_t> sizes; ///< Of its axes where the program fixes them, else -1.
  /// Of integers: the largest axis that they choose from, such as classes; 0: unknown.
  int64_t places = 0, least_place = 0; ///< And the smallest integer that has one.
  std::string places_location;         ///< What has the places, "mnist.dl:18:14"
};

struct Entry {
  int32_t index = -1;
  std::string name;
  dlc_entry_kind_t kind = DLC_ENTRY_INFER;
  std::vector<std::string> symbols;
  std::vector<Value> arguments, results;
};

/// An entry and the split of the data that it runs on: a line of the fit block, `train step on data.train`.
struct Turn {
  const Entry *entry = nullptr;
  std::string split;
  bool is_default = false; ///< No line says so.
};

/// A loaded artifact with its tables read out.
class Artifact {
public:
  data::Status load_file(const std::string &path);
  data::Status load_memory(const std::vector<std::byte> &bytes);

  dlc_artifact_t *handle() const { return handle_.get(); }
  const dlc_artifact_info_t &info() const { return info_; }
  const std::vector<Entry> &entries() const { return entries_; }
  const std::vector<dlc_state_info_t> &states() const { return states_; }

  /// The entries of this kind to run, each on its split: what flag (--entry) names, else the fit block's
  /// lines in their order, else the only entry there is.
  data::Status choose_turns(dlc_entry_kind_t kind, const std::string &flag,
                            std::vector<Turn> &out_turns) const;
  /// The entry of this name, or an error that lists the names.
  data::Status find_entry(const std::string &name, const Entry *&out_entry) const;
  /// A text or identifier of the fit block; empty when it is not there.
  std::string fit_text(const char *key) const;
  std::optional<double> fit_number(const char *key) const;
  /// The fit block's data; without a loader when it names none.
  data::DataSpec fit_data() const;
  /// The metadata of the file, for what the C interface does not tell.
  data::Status read_metadata(std::vector<std::byte> &out_metadata) const;
  /// "4*n*784"
  std::string format(dlc_expression_t expression, const Entry &entry) const;

private:
  data::Status read_tables();
  std::vector<std::pair<std::string, std::string>> fit_lines(dlc_entry_kind_t kind) const;
  std::vector<Value> read_values(int32_t entry, int32_t count, bool results) const;

  ArtifactHandle handle_;
  std::string path_;             ///< Of load_file.
  std::vector<std::byte> bytes_; ///< Of load_memory.
  dlc_artifact_info_t info_ = {};
  std::vector<Entry> entries_;
  std::vector<dlc_state_info_t> states_;
};

/// Creates a session as --cpu, --device, --threads, --red-zones say, and sets the seed.
data::Status create_session(const Artifact &artifact, const Options &options, SessionHandle &out_session,
                            const dlc_observer_t *observer = nullptr);
/// Applies --set: unknown names are answered with the known ones.
data::Status set_hyperparameters(const Artifact &artifact, const Options &options, dlc_session_t *session);

/// An element of a tensor as a number.
double element_value(data::DataType type, const void *elements, int64_t index);

} // namespace dlc::cli

#endif // DLC_TOOLS_CLI_SESSION_H
