// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How dlc ends when it crashes: with its own message and exit status 70, or 2 when there is no memory.
#ifndef DLC_TOOLS_CRASH_H
#define DLC_TOOLS_CRASH_H

namespace dlc {

/// Catches the signals of crashes from now on. Under AddressSanitizer, which reports them better, it does
/// nothing.
void report_crashes();

} // namespace dlc

#endif // DLC_TOOLS_CRASH_H
