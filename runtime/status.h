// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Filling the caller's status. Nothing here allocates.

#ifndef DLC_RUNTIME_STATUS_H
#define DLC_RUNTIME_STATUS_H

#include "runtime/dlc_runtime.h"

namespace dlc::runtime {

// Writes code and message (cut to the status's size) and returns the code. `status` may be NULL.
[[gnu::format(printf, 3, 4)]] dlc_code_t fail(dlc_status_t *status, dlc_code_t code, const char *format, ...);

// Clears the status.
inline dlc_code_t succeed(dlc_status_t *status) {
  if (status) {
    status->code = DLC_OK;
    status->message[0] = '\0';
  }
  return DLC_OK;
}

} // namespace dlc::runtime

// Returns from the enclosing function when the call fails; the callee has filled the status.
#define DLC_TRY(call)                                                                                        \
  do {                                                                                                       \
    if (dlc_code_t dlc_code = (call); dlc_code != DLC_OK)                                                    \
      return dlc_code;                                                                                       \
  } while (false)

#endif // DLC_RUNTIME_STATUS_H
