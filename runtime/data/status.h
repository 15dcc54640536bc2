// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the data library reports failure: every fallible function returns a Status, and writes its result
// through a trailing out_ parameter only when the status is ok. Nothing here throws, aborts or exits.
#ifndef DLC_RUNTIME_DATA_STATUS_H
#define DLC_RUNTIME_DATA_STATUS_H

#include <cstdarg>
#include <string>
#include <utility>

namespace dlc::data {

/// Whose fault it was. The tools' exit statuses follow from it.
enum class Fault {
  none,
  input,   ///< The user's file, name or number is wrong: a missing file, a bad magic number, a shape that
           ///< differs.
  machine, ///< The machine failed: a read or a write error, a full disk, no memory.
  bug,     ///< A promise of this code is broken.
};

class [[nodiscard]] Status {
public:
  Status() = default;

  static Status input(std::string message) { return Status(Fault::input, std::move(message)); }
  static Status machine(std::string message) { return Status(Fault::machine, std::move(message)); }
  static Status bug(std::string message) { return Status(Fault::bug, std::move(message)); }

  /// The same failure, with more said about it.
  Status with(const std::string &more) const { return Status(fault_, message_ + more); }

  bool ok() const { return fault_ == Fault::none; }
  Fault fault() const { return fault_; }
  /// One or several lines without a trailing newline; empty when ok.
  const std::string &message() const { return message_; }

private:
  Status(Fault fault, std::string message) : fault_(fault), message_(std::move(message)) {}

  Fault fault_ = Fault::none;
  std::string message_;
};

/// printf into a string.
[[gnu::format(printf, 1, 2)]] std::string format(const char *text, ...);

} // namespace dlc::data

/// Returns from the calling function when a status is not ok.
#define DLC_DATA_TRY(expression)                                                                             \
  do {                                                                                                       \
    if (::dlc::data::Status dlc_data_status_ = (expression); !dlc_data_status_.ok())                         \
      return dlc_data_status_;                                                                               \
  } while (false)

#endif // DLC_RUNTIME_DATA_STATUS_H
