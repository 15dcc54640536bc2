// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/Runtime/kernels.h"

#define KERNEL __attribute__((section("dlc_kernels"), aligned(64), used))

KERNEL void kernel_init(const dlc_kernel_args_t *args) {
  const int64_t *seed = args->buffers[0];
  float *out = args->buffers[1];
  for (int i = 0; i < 6; ++i)
    out[i] = (float)(*seed + i);
}

KERNEL void kernel_predict(const dlc_kernel_args_t *args) {
  const float *x = args->buffers[0], *w = args->buffers[1];
  float *y = args->buffers[2];
  for (int j = 0; j < 3; ++j)
    y[args->group * 3 + j] = x[args->group * 3 + j] + w[2 * j] + w[2 * j + 1];
}

KERNEL void kernel_step(const dlc_kernel_args_t *args) {
  const float *x = args->buffers[0];
  const double *lr = args->buffers[1];
  float *w = args->buffers[2], *m = args->buffers[3], *count = args->buffers[5], *loss = args->buffers[6];
  int64_t *iteration = args->buffers[4];
  float sum = 0;
  for (int64_t i = 0; i < args->dims[0] * 3; ++i)
    sum += x[i];
  for (int i = 0; i < 6; ++i) {
    m[i] += sum;
    w[i] += (float)*lr * m[i];
  }
  *iteration += 1;
  *count += (float)args->dims[0];
  *loss = sum;
}

KERNEL void kernel_addresses(const dlc_kernel_args_t *args) {
  int64_t count = args->dims[0];
  int64_t *out = args->buffers[count];
  for (int64_t i = 0; i < count; ++i)
    out[i] = (int64_t)(intptr_t)args->buffers[i];
}

KERNEL void kernel_mark(const dlc_kernel_args_t *args) {
  int64_t *out = args->buffers[0];
  volatile int64_t *scratch = args->scratch;
  for (int i = 0; i < 16; ++i)
    scratch[i] = args->group;
  int64_t same = 1;
  for (int i = 0; i < 16; ++i)
    same &= scratch[i] == args->group;
  out[args->group] += same + args->group;
}

KERNEL void kernel_add(const dlc_kernel_args_t *args) {
  const float *a = args->buffers[0], *b = args->buffers[1];
  float *out = args->buffers[2];
  for (int i = 0; i < 4; ++i)
    out[i] = a[i] + b[i];
}

KERNEL void kernel_append(const dlc_kernel_args_t *args) {
  const int64_t *counter = args->buffers[0];
  int64_t *out = args->buffers[1];
  *out = *counter;
}

KERNEL void kernel_overrun(const dlc_kernel_args_t *args) {
  volatile int32_t *out = args->buffers[0];
  for (int32_t i = 0; i < 5; ++i)
    out[i] = i;
}

KERNEL void kernel_control(const dlc_kernel_args_t *args) {
  int32_t *out = args->buffers[0];
#if defined(__x86_64__)
  out[args->group] = (int32_t)__builtin_ia32_stmxcsr();
#else
  uint64_t control;
  __asm__ volatile("mrs %0, fpcr" : "=r"(control));
  out[args->group] = (int32_t)control;
#endif
}

KERNEL void kernel_copy(const dlc_kernel_args_t *args) {
  const int32_t *in = args->buffers[0];
  int32_t *out = args->buffers[1];
  for (int64_t i = 0; i < args->dims[0]; ++i)
    out[i] = in[i];
}

// Data in the middle of the code, as in a flat image; the loader fills it in.
__asm__(".pushsection dlc_kernels, \"ax\", @progbits\n"
        ".p2align 6\n"
        ".globl kernel_report_slot\n"
        ".hidden kernel_report_slot\n"
        "kernel_report_slot: .quad 0\n"
        ".popsection\n");

KERNEL void kernel_report(const dlc_kernel_args_t *args) {
  void (*report)(uintptr_t) = (void (*)(uintptr_t))kernel_report_slot;
  report((uintptr_t)args->buffers[0] + 16);
}
