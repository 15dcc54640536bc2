// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// dlc-peak: the machine's f32 multiply-add peak, in GFLOP/s (a multiply-add counts as two), measured from
// registers by independent chains on every thread. Benchmarks quote their speed as a share of this number,
// taken in the same run.

#include "tools/bench/peak.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace {

#if defined(__x86_64__)
bool isWide() {
  return __builtin_cpu_supports("avx512f");
}
dlc::bench::PeakRun run() {
  return isWide() ? dlc::bench::runAvx512() : dlc::bench::runAvx2();
}
const char *instructionSet() {
  return isWide() ? "avx512" : "avx2";
}
#else
dlc::bench::PeakRun run() {
  return dlc::bench::runChains<16, 24>();
}
const char *instructionSet() {
  return "native";
}
#endif

/// Floating-point operations per second of all threads together, in units of 10^9.
double measure(int threads) {
  std::vector<dlc::bench::PeakRun> runs(threads);
  auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> pool;
  for (dlc::bench::PeakRun &result : runs)
    pool.emplace_back([&result] { result = run(); });
  for (std::thread &thread : pool)
    thread.join();
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  double multiplyAdds = 0;
  for (const dlc::bench::PeakRun &result : runs)
    multiplyAdds += result.sum > 0 ? result.multiplyAdds : 0; // the sum is positive; this keeps it alive
  return 2 * multiplyAdds / seconds / 1e9;
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
