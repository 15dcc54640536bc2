// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM's allocators poison their memory in code that is instrumented, as ours is, and unpoison it in code that is not,
// as Debian's libLLVM and libMLIR are: every use of theirs would look like an error. Their process-long tables look
// like leaks.

const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "allow_user_poisoning=0:detect_leaks=0"; }
