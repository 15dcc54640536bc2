// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/cpu_features.h"

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace dlc::runtime {

#if defined(__x86_64__)
namespace {

// A bit of a cpuid register, and the register state (XCR0) that the operating system must save for it.
struct feature {
  char name[12];
  uint32_t leaf;
  uint8_t subleaf;
  uint8_t output; // 0…3: eax, ebx, ecx, edx
  uint8_t bit;
  uint32_t xcr0;
};

constexpr uint32_t ymm = 0x06;                      // SSE and AVX state
constexpr uint32_t zmm = ymm | 0xe0;                // and opmask, upper halves, upper registers
constexpr uint32_t tiles = (1u << 17) | (1u << 18); // AMX configuration and data

// Intel SDM volume 2A, CPUID.
constexpr feature features[] = {
    {"fma", 1, 0, 2, 12, ymm},         {"movbe", 1, 0, 2, 22, 0},        {"popcnt", 1, 0, 2, 23, 0},
    {"avx", 1, 0, 2, 28, ymm},         {"f16c", 1, 0, 2, 29, ymm},       {"bmi", 7, 0, 1, 3, 0},
    {"avx2", 7, 0, 1, 5, ymm},         {"bmi2", 7, 0, 1, 8, 0},          {"avx512f", 7, 0, 1, 16, zmm},
    {"avx512dq", 7, 0, 1, 17, zmm},    {"avx512cd", 7, 0, 1, 28, zmm},   {"avx512bw", 7, 0, 1, 30, zmm},
    {"avx512vl", 7, 0, 1, 31, zmm},    {"avx512vnni", 7, 0, 2, 11, zmm}, {"amx-bf16", 7, 0, 3, 22, tiles},
    {"amx-tile", 7, 0, 3, 24, tiles},  {"amx-int8", 7, 0, 3, 25, tiles}, {"avx512bf16", 7, 1, 0, 5, zmm},
    {"lzcnt", 0x80000001, 0, 2, 5, 0},
};

uint64_t enabled_state() {
  uint32_t a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (1u << 27))) // OSXSAVE
    return 0;
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t(high) << 32) | low;
}

} // namespace

bool cpu_has_feature(const char *name) {
  for (const feature &feature : features) {
    if (strcmp(feature.name, name) != 0)
      continue;
    uint32_t output[4] = {};
    if (!__get_cpuid_count(feature.leaf, feature.subleaf, &output[0], &output[1], &output[2], &output[3]))
      return false;
    return (output[feature.output] >> feature.bit & 1) && (enabled_state() & feature.xcr0) == feature.xcr0;
  }
  return false;
}

#elif defined(__aarch64__)

bool cpu_has_feature(const char *name) {
  return strcmp(name, "neon") == 0 || strcmp(name, "fp-armv8") == 0; // part of every AArch64 Linux
}

#else

bool cpu_has_feature(const char *) {
  return false;
}

#endif

} // namespace dlc::runtime
