// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels for hand-made artifacts. They are compiled into one section of the test program without
// relocations, imports or constants, and that section's bytes are the code image.

#ifndef DLC_TEST_RUNTIME_KERNELS_H
#define DLC_TEST_RUNTIME_KERNELS_H

#include "runtime/kernel_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

// init(seed i64, out f32[6]): out[i] = seed + i
void kernel_init(const dlc_kernel_args_t *args);
// predict(x f32[n,3], w f32[3,2], y f32[n,3]), one group per row: y[g,j] = x[g,j] + w[j,0] + w[j,1]
void kernel_predict(const dlc_kernel_args_t *args);
// step(x f32[n,3], lr f64, w f32[3,2], m f32[3,2], iteration i64, count f32, loss f32): one group.
// loss = sum(x) in order; m += loss; w += lr * m; iteration += 1; count += n
void kernel_step(const dlc_kernel_args_t *args);
// addresses(b0, …, b(k-1), out i64[k+1]), k = dims[0]: out[i] = the address of b(i)
void kernel_addresses(const dlc_kernel_args_t *args);
// mark(out i64[groups]): out[group] += 1 + group, after writing scratch memory and reading it back
void kernel_mark(const dlc_kernel_args_t *args);
// add(a f32[4], b f32[4], out f32[4])
void kernel_add(const dlc_kernel_args_t *args);
// append(counter i64, out i64[1]): out[0] = counter
void kernel_append(const dlc_kernel_args_t *args);
// overrun(out f32[4]): writes out[4] too
void kernel_overrun(const dlc_kernel_args_t *args);
// control(out i32[groups]): out[group] = the floating-point control register
void kernel_control(const dlc_kernel_args_t *args);
// copy(in u8[dims[0]*4], out): copies dims[0] words
void kernel_copy(const dlc_kernel_args_t *args);

// report(in f32[4]): calls __asan_report_load4(in + 4) through the slot below, as an instrumented kernel
// would
void kernel_report(const dlc_kernel_args_t *args);
extern void *volatile kernel_report_slot __attribute__((visibility("hidden")));

extern const unsigned char __start_dlc_kernels[], __stop_dlc_kernels[];

#ifdef __cplusplus
}
#endif

#endif // DLC_TEST_RUNTIME_KERNELS_H
