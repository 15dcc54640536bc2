// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dlc-peak: the machine's f32 multiply-add peak, in GFLOP/s (a multiply-add counts as two), measured from
// registers: 24 independent chains per thread, enough to cover the latency of any current core. Benchmarks
// quote their speed as a share of this number, taken in the same run.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace {

constexpr int kChains = 24;
constexpr long kIterations = 400000;

using Vector = float __attribute__((vector_size(64)));

// The compiler splits a 64-byte vector for narrower machines. Values tend to a fixed point, so nothing
// overflows or becomes denormal.
#define DLC_PEAK_LOOP                                                                                        \
  Vector chain[kChains];                                                                                     \
  for (int c = 0; c < kChains; ++c)                                                                          \
    chain[c] = Vector{} + static_cast<float>(c);                                                             \
  Vector factor = Vector{} + 0.5f, addend = Vector{} + 1.0f;                                                 \
  for (long i = 0; i < kIterations; ++i) {                                                                   \
    _Pragma("clang loop unroll(full)") for (int c = 0; c < kChains; ++c) chain[c] =                          \
        __builtin_elementwise_fma(chain[c], factor, addend);                                                 \
  }                                                                                                          \
  float sum = 0;                                                                                             \
  for (int c = 0; c < kChains; ++c)                                                                          \
    sum += chain[c][c % 16];                                                                                 \
  return sum;

#if defined(__x86_64__)
__attribute__((target("avx512f"))) float runAvx512() {
  DLC_PEAK_LOOP
}

// Twelve chains of two 32-byte halves each fit the sixteen registers.
__attribute__((target("avx2,fma"))) float runAvx2() {
  using Half = float __attribute__((vector_size(32)));
  constexpr int kHalves = 12;
  Half chain[kHalves];
  for (int c = 0; c < kHalves; ++c)
    chain[c] = Half{} + static_cast<float>(c);
  Half factor = Half{} + 0.5f, addend = Half{} + 1.0f;
  for (long i = 0; i < kIterations * (2 * kChains / kHalves); ++i) {
    _Pragma("clang loop unroll(full)") for (int c = 0; c < kHalves; ++c) chain[c] =
        __builtin_elementwise_fma(chain[c], factor, addend);
  }
  float sum = 0;
  for (int c = 0; c < kHalves; ++c)
    sum += chain[c][c % 8];
  return sum;
}

float run() {
  return __builtin_cpu_supports("avx512f") ? runAvx512() : runAvx2();
}
const char *instructionSet() {
  return __builtin_cpu_supports("avx512f") ? "avx512" : "avx2";
}
#else
float run() {
  DLC_PEAK_LOOP
}
const char *instructionSet() {
  return "native";
}
#endif

double measure(int threads) {
  volatile float sink = 0;
  auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> pool;
  for (int t = 0; t < threads; ++t)
    pool.emplace_back([&sink] { sink = run(); });
  for (std::thread &thread : pool)
    thread.join();
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return 2.0 * 16 * kChains * static_cast<double>(kIterations) * threads / seconds / 1e9;
}

} // namespace

int main(int argc, char **argv) {
  int threads = 1;
  bool json = false;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--json") == 0) {
      json = true;
    } else if (std::strcmp(argv[i], "--threads") == 0 && i + 1 < argc) {
      threads = std::atoi(argv[++i]);
    } else {
      std::fprintf(stderr, "usage: dlc-peak [--threads N] [--json]\n");
      return 1;
    }
  }
  if (threads < 1) {
    std::fprintf(stderr, "dlc-peak: expected at least one thread\n");
    return 1;
  }
  double best = 0;
  for (int repeat = 0; repeat < 5; ++repeat)
    best = std::max(best, measure(threads));
  std::printf(json ? "{\"gflops\":%.1f,\"threads\":%d,\"instructions\":\"%s\"}\n"
                   : "%.1f GFLOP/s on %d threads, %s\n",
              best, threads, instructionSet());
  return 0;
}
