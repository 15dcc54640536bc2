/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * The kernels of the hand-made model: a linear classifier of MNIST with a squared loss, trained by SGD with momentum,
 * with pixels dropped at random. They let the tools be tested without the compiler. One work-group does everything.
 */
#include "runtime/kernel_abi.h"

enum { pixels = 784, classes = 10 };

static uint64_t splitmix64(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return x ^ x >> 31;
}

/* seed -> weight (10, 784), bias (10), their momenta */
void init_kernel(const dlc_kernel_args_t *args) {
  const int64_t *seed = args->buffers[0];
  float *weight = args->buffers[1], *bias = args->buffers[2], *weight_m = args->buffers[3], *bias_m = args->buffers[4];
  for (int i = 0; i < classes * pixels; ++i) {
    weight[i] = ((float)(int32_t)(splitmix64((uint64_t)*seed * 7919 + (uint64_t)i) >> 32)) * 1e-12f;
    weight_m[i] = 0;
  }
  for (int i = 0; i < classes; ++i)
    bias[i] = bias_m[i] = 0;
}

static void classify(const float *image, const float *weight, const float *bias, float *logits) {
  for (int c = 0; c < classes; ++c) {
    float sum = bias[c];
    for (int i = 0; i < pixels; ++i)
      sum += image[i] * weight[c * pixels + i];
    logits[c] = sum;
  }
}

static int largest(const float *logits) {
  int best = 0;
  for (int c = 1; c < classes; ++c)
    if (logits[c] > logits[best])
      best = c;
  return best;
}

/* image (n, 784), label (n), weight, bias, momenta, iteration, lr, seed, hits, count -> loss, accuracy;
   scratch: gradients (10, 784) and (10), a row (784) */
void step_kernel(const dlc_kernel_args_t *args) {
  const float *image = args->buffers[0];
  const int32_t *label = args->buffers[1];
  float *weight = args->buffers[2], *bias = args->buffers[3], *weight_m = args->buffers[4], *bias_m = args->buffers[5];
  int64_t *iteration = args->buffers[6];
  const double *lr = args->buffers[7];
  const int64_t *seed = args->buffers[8];
  float *hits = args->buffers[9], *count = args->buffers[10], *loss = args->buffers[11], *accuracy = args->buffers[12];
  float *weight_g = args->scratch, *bias_g = weight_g + classes * pixels, *row = bias_g + 16;
  int64_t n = args->dims[0];
  for (int i = 0; i < classes * pixels; ++i)
    weight_g[i] = 0;
  for (int c = 0; c < classes; ++c)
    bias_g[c] = 0;
  float total = 0;
  ++*iteration;
  for (int64_t b = 0; b < n; ++b) {
    float logits[classes];
    for (int i = 0; i < pixels; ++i) {
      uint64_t key = splitmix64((uint64_t)*seed) ^ (uint64_t)*iteration << 32 ^ (uint64_t)(b * pixels + i);
      row[i] = (splitmix64(key) & 15) ? image[b * pixels + i] : 0;
    }
    classify(row, weight, bias, logits);
    *hits += largest(logits) == label[b] ? 1 : 0;
    for (int c = 0; c < classes; ++c) {
      float error = logits[c] - (c == label[b] ? 1 : 0);
      total += error * error;
      for (int i = 0; i < pixels; ++i)
        weight_g[c * pixels + i] += error * row[i];
      bias_g[c] += error;
    }
  }
  *count += (float)n;
  float scale = (float)*lr / (float)n;
  for (int i = 0; i < classes * pixels; ++i) {
    weight_m[i] = 0.9f * weight_m[i] + weight_g[i];
    weight[i] -= scale * weight_m[i];
  }
  for (int c = 0; c < classes; ++c) {
    bias_m[c] = 0.9f * bias_m[c] + bias_g[c];
    bias[c] -= scale * bias_m[c];
  }
  *loss = total / (float)n;
  *accuracy = *hits / *count;
}

/* image, label, weight, bias, hits, count -> loss, accuracy */
void test_kernel(const dlc_kernel_args_t *args) {
  const float *image = args->buffers[0], *weight = args->buffers[2], *bias = args->buffers[3];
  const int32_t *label = args->buffers[1];
  float *hits = args->buffers[4], *count = args->buffers[5], *loss = args->buffers[6], *accuracy = args->buffers[7];
  int64_t n = args->dims[0];
  float total = 0;
  for (int64_t b = 0; b < n; ++b) {
    float logits[classes];
    classify(image + b * pixels, weight, bias, logits);
    *hits += largest(logits) == label[b] ? 1 : 0;
    for (int c = 0; c < classes; ++c) {
      float error = logits[c] - (c == label[b] ? 1 : 0);
      total += error * error;
    }
  }
  *count += (float)n;
  *loss = total / (float)n;
  *accuracy = *hits / *count;
}

/* image, weight, bias -> scores (n, 10); a work-group per row */
void predict_kernel(const dlc_kernel_args_t *args) {
  const float *image = args->buffers[0];
  float *scores = args->buffers[3];
  classify(image + args->group * pixels, args->buffers[1], args->buffers[2], scores + args->group * classes);
}
