/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * How the runtime calls a kernel of a CPU variant: `void kernel(const dlc_kernel_args_t *args)`, once per
 * work-group, on any thread, in any order. Generated code and the runtime agree on this and on nothing else.
 */
#ifndef DLC_KERNEL_ABI_H
#define DLC_KERNEL_ABI_H

#include <stdint.h>

typedef struct dlc_kernel_args {
  void *const *buffers; /* operands, then results, each already advanced by its binding's offset; bases are
                           64-byte aligned */
  const int64_t *dims;  /* the entry's symbols, in their order */
  int64_t group;        /* 0 … groups - 1 */
  void *scratch; /* this worker's, 64-byte aligned, at least the kernel's scratch size; contents undefined */
} dlc_kernel_args_t;

typedef void (*dlc_kernel_t)(const dlc_kernel_args_t *args);

#endif /* DLC_KERNEL_ABI_H */
