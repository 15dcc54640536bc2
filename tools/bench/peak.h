// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops of independent multiply-add chains in registers: as fast as a core can multiply and add in f32.
// Values tend to a fixed point, so nothing overflows or becomes denormal.

#ifndef DLC_TOOLS_BENCH_PEAK_H
#define DLC_TOOLS_BENCH_PEAK_H

namespace dlc::bench {

struct PeakRun {
  double multiplyAdds; ///< Of single elements.
  float sum;           ///< To be used, so that nothing is left out.
};

/// `bytes` of a register, `chains` of them: enough to cover the latency, few enough for the register file.
template <int bytes, int chains> [[gnu::always_inline]] inline PeakRun runChains() {
  using Vector = float __attribute__((vector_size(bytes)));
  constexpr long iterations = 400000;
  Vector chain[chains], factor = Vector{} + 0.5f, addend = Vector{} + 1.0f;
  for (int c = 0; c < chains; ++c)
    chain[c] = Vector{} + static_cast<float>(c);
  for (long i = 0; i < iterations; ++i) {
#pragma clang loop unroll(full)
    for (int c = 0; c < chains; ++c)
      chain[c] = __builtin_elementwise_fma(chain[c], factor, addend);
  }
  float sum = 0;
  for (int c = 0; c < chains; ++c)
    sum += chain[c][0];
  return {static_cast<double>(iterations) * chains * (bytes / 4), sum};
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) inline PeakRun runAvx512() {
  return runChains<64, 12>();
}
__attribute__((target("avx2,fma"))) inline PeakRun runAvx2() {
  return runChains<32, 12>();
}
#endif

} // namespace dlc::bench

#endif // DLC_TOOLS_BENCH_PEAK_H
