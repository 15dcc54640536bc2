// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// --check-numerics: looks at what every command of a run reads and writes, and stops at the first NaN or
// infinity. It observes the runtime's commands, and knows from the artifact's metadata what they work on.
#ifndef DLC_TOOLS_CLI_NUMERICS_H
#define DLC_TOOLS_CLI_NUMERICS_H

#include "tools/cli/session.h"

#include <span>

namespace dlc::cli {

/// What the elements of a tensor are like.
struct Statistics {
  int64_t count = 0, nans = 0, infinities = 0;
  double least = 0, largest = 0; ///< Of the finite ones, if there is any.
  int64_t first_bad = -1;        ///< In row-major order.
  /// "640 values from -3 to 8, 12 NaN, 3 infinite, the first at 17"
  std::string format() const;
};

class NumericsCheck {
public:
  /// Where a command's operand lies in memory, and what it is.
  struct Operand {
    uint8_t kind = 0; ///< schema::BindingKind
    uint32_t index = 0;
    bool is_written = false;
    data::DataType type = data::DataType::f32;
    std::vector<int64_t> dims, strides; ///< In elements; dense: one dimension of stride 1.
  };

  explicit NumericsCheck(const Artifact &artifact) : artifact_(artifact) {}

  /// Whether options ask for it: then the session that is made next is to have the observer.
  data::Status open(const Options &options, bool &out_wanted);
  /// To be given to the session.
  dlc_observer_t observer();
  /// What is run, for messages: "step 12".
  void set_moment(std::string moment) { moment_ = std::move(moment); }
  /// Before every run that is looked at; the entries that make initial values run without.
  data::Status begin(dlc_session_t *session, const Entry &entry, std::span<const int64_t> dims);
  /// Behind it.
  void end() { watches_ = false; }
  /// What stopped the run; empty when it was not this.
  const std::string &finding() const { return finding_; }

private:
  struct Command {
    uint32_t kernel = 0;
    int32_t depth = 0; ///< Enclosing loops.
    std::vector<Operand> operands;
  };
  data::Status read_commands(int32_t variant, const Entry &entry, std::span<const int64_t> dims);
  int observe(uint32_t command, bool is_done, void *const *operands, const int64_t *counters);
  bool is_bad(const Statistics &statistics) const {
    return statistics.nans > 0 || (infinities_ && statistics.infinities > 0);
  }
  void report(const Command &command, size_t operand, void *const *operands, const int64_t *counters);
  std::string name(const Operand &operand) const;
  std::string operand_line(const Command &command, size_t index, const Statistics &statistics) const;

  const Artifact &artifact_;
  bool infinities_ = true; ///< Whether these are wrong, too.
  std::vector<std::byte> metadata_;
  std::string moment_, finding_;
  bool watches_ = false;
  int32_t variant_ = -1;
  const Entry *entry_ = nullptr;
  std::vector<int64_t> dims_;
  std::vector<Command> commands_;                 ///< By their places in the plan; loops have no operands.
  std::vector<std::optional<Statistics>> before_; ///< Of the operands of the command that runs.
  std::vector<std::pair<uint32_t, uint32_t>> makers_; ///< Buffer and the kernel that wrote it last.
};

/// Fails at the first parameter that has a NaN or an infinity: with those nothing more can be learned.
data::Status check_parameters(const Artifact &artifact, dlc_session_t *session);

} // namespace dlc::cli

#endif // DLC_TOOLS_CLI_NUMERICS_H
