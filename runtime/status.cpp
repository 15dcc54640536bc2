// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/status.h"

#include <stdarg.h>
#include <stdio.h>

namespace dlc::runtime {

dlc_code_t fail(dlc_status_t *status, dlc_code_t code, const char *format, ...) {
  if (status) {
    status->code = code;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(status->message, sizeof(status->message), format, arguments);
    va_end(arguments);
  }
  return code;
}

} // namespace dlc::runtime

const char *dlc_code_name(dlc_code_t code) {
  switch (code) {
  case DLC_OK:
    return "ok";
  case DLC_INVALID_ARGUMENT:
    return "invalid argument";
  case DLC_NOT_FOUND:
    return "not found";
  case DLC_IO:
    return "input/output error";
  case DLC_MALFORMED:
    return "malformed artifact";
  case DLC_VERSION:
    return "unknown artifact version";
  case DLC_UNSUPPORTED:
    return "unsupported machine";
  case DLC_OUT_OF_MEMORY:
    return "out of memory";
  case DLC_OVERFLOW:
    return "size overflow";
  case DLC_CANCELLED:
    return "cancelled";
  case DLC_CORRUPTED:
    return "memory corrupted";
  case DLC_DEVICE:
    return "device error";
  }
  return "unknown code";
}
