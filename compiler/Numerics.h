// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The constants of strict arithmetic. They are semantics, not tuning: every target, fusion and thread count
// computes in the order they define, so changing one changes the bits of every trained model.

#ifndef DLC_COMPILER_NUMERICS_H
#define DLC_COMPILER_NUMERICS_H

#include <cstdint>

namespace dlc::numerics {

/// Contractions: k, the row-major index of the reduced axes, is cut into chunks of this many. A chunk starts
/// at +0 and runs in order with fused multiply-add, acc = fma(lhs, rhs, acc); the first chunk's sum is the
/// start, the others are added to it in order.
inline constexpr int64_t kContractionChunk = 256;

/// Reductions: the row-major index i of the reduced axes is cut into blocks of this many. In a block, element
/// i is combined into lane i mod 16 in order; each lane starts at the neutral element (+0, 1, -inf, +inf).
inline constexpr int64_t kReductionBlock = 4096;
/// Lanes l and l + 8, then l + 4, l + 2, l + 1 are combined (lower lane on the left); block results are
/// combined in order, starting from the first.
inline constexpr int64_t kReductionLanes = 16;

/// flush(x) is 0 where |x| < 2^-126, the smallest normal f32.
inline constexpr double kFlushThreshold = 0x1p-126;

//===----------------------------------------------------------------------===//
// Random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC
// 2011)
//===----------------------------------------------------------------------===//

inline constexpr int kPhiloxRounds = 10;
inline constexpr uint32_t kPhiloxMultiplier0 = 0xD2511F53, kPhiloxMultiplier1 = 0xCD9E8D57;
inline constexpr uint32_t kPhiloxWeyl0 = 0x9E3779B9, kPhiloxWeyl1 = 0xBB67AE85;

/// Steele, Lea, Flood: Fast splittable pseudorandom number generators; OOPSLA 2014.
constexpr uint64_t splitmix64(uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

/// What one place of a program draws its numbers by.
constexpr uint64_t randomKey(uint64_t seed, uint64_t site) {
  return splitmix64(seed) ^ site;
}

/// The random word of element `element` (row-major index): the key's low word first; counter = (element's
/// block and lane, 64 bits; iteration; scan index). Sixteen neighbours share nothing, but four vectors of
/// sixteen lanes share one evaluation: lane = element % 16, word = element / 16 % 4, block = element / 64.
constexpr uint32_t philoxWord(uint64_t key, uint64_t iteration, uint64_t index, uint64_t element) {
  uint32_t key0 = static_cast<uint32_t>(key), key1 = static_cast<uint32_t>(key >> 32);
  uint64_t position = (element >> 6) * 16 + (element & 15);
  uint32_t counter[4] = {static_cast<uint32_t>(position), static_cast<uint32_t>(position >> 32),
                         static_cast<uint32_t>(iteration), static_cast<uint32_t>(index)};
  for (int round = 0; round < kPhiloxRounds; ++round) {
    uint64_t product0 = static_cast<uint64_t>(kPhiloxMultiplier0) * counter[0];
    uint64_t product1 = static_cast<uint64_t>(kPhiloxMultiplier1) * counter[2];
    uint32_t next[4] = {
        static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key0, static_cast<uint32_t>(product1),
        static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key1, static_cast<uint32_t>(product0)};
    for (int i = 0; i < 4; ++i)
      counter[i] = next[i];
    key0 += kPhiloxWeyl0;
    key1 += kPhiloxWeyl1;
  }
  return counter[(element >> 4) & 3];
}

/// Uniform in [0, 1): the top 24 bits of a word.
constexpr float uniformFromWord(uint32_t word) {
  return static_cast<float>(word >> 8) * 0x1p-24f;
}

} // namespace dlc::numerics

#endif // DLC_COMPILER_NUMERICS_H
