// SPDX-License-Identifier: Apache-2.0
// bf_mvu: Pe bit-serial dot products of Simd inputs, Wp x Ap plane pairs a cycle.
//
//   acc_p = (first ? Init : acc_p << shift) + contribution_p        modulo 2^AccWidth
//
//   WeightBipolar 0            contribution_p = sum_{i<Wp, j<Ap} +-2^(i+j) popcount(w_pi & x_j)
//   WeightBipolar 1, Act.. 0   contribution_p = sum_{j<Ap} +-2^j (2 popcount(w_p & x_j)
//                                                                - popcount(x_j))
//   both 1                     contribution_p = 2 popcount(~(w_p ^ x)), with Init = -MW
//   with minus where exactly one of the two planes is a sign plane: plane Wp-1 of a step that holds
//   the weights' sign plane, plane Ap-1 of one that holds the activations'.
//
// Parameters   as in bf_mvtu.sv; step(k) as in bf_vecbuf, weight(word, p * Wp + i): plane i of the
//              weights of output p in word `word` of the RTL's image, i = 0 least significant.
// Trips        frames * FrameVectors * NF * Steps * SF, the product of the cost model
// RTL twins    bf_mvu, bf_dot; test: tests/software/amd/test_hls_mvtu.py
#ifndef BF_MVU_HPP
#define BF_MVU_HPP

#include "bf_types.hpp"
#include "bf_vecbuf.hpp"

namespace bitfold {

struct mvu_loop {};

template <unsigned N>
count_t<N> popcount(ap_uint<N> bits) {
#pragma HLS INLINE
  count_t<N> ones = 0;
  for (unsigned i = 0; i < N; i++) {
#pragma HLS UNROLL
    ones += bits[i];
  }
  return ones;
}

// What one cycle adds to the accumulator of output p.
template <class P>
ap_int<bits_for(P::Simd) + P::Wp + P::Ap + 2> contribution(ap_uint<P::Ap * P::Simd> act,
                                                           unsigned word, unsigned p,
                                                           bool act_sign, bool weight_sign) {
#pragma HLS INLINE
  ap_int<bits_for(P::Simd) + P::Wp + P::Ap + 2> sum = 0;
  for (unsigned i = 0; i < P::Wp; i++) {
#pragma HLS UNROLL
    const ap_uint<P::Simd> w = P::weight(word, p * P::Wp + i);
    for (unsigned j = 0; j < P::Ap; j++) {
#pragma HLS UNROLL
      const ap_uint<P::Simd> x = act.range((j + 1) * P::Simd - 1, j * P::Simd);
      offset_t<2 * P::Simd> term;
      if (P::ActBipolar) {
        term = 2 * popcount<P::Simd>(~(w ^ x));
      } else if (P::WeightBipolar) {
        term = 2 * popcount<P::Simd>(w & x) - popcount<P::Simd>(x);
      } else {
        term = popcount<P::Simd>(w & x);
      }
      const bool minus = (act_sign && j == P::Ap - 1) != (weight_sign && i == P::Wp - 1);
      const ap_int<bits_for(P::Simd) + P::Wp + P::Ap + 2> weighed = term;
      if (minus) {
        sum -= weighed << (i + j);
      } else {
        sum += weighed << (i + j);
      }
    }
  }
  return sum;
}

template <class P>
void bf_mvu(hls::stream<ap_uint<P::Ap * P::Simd>>& in,
            hls::stream<vec<ap_int<P::AccWidth>, P::Pe>>& out, unsigned frames) {
  typedef mvtu_sizes<P> S;
  const unsigned vectors = frames * P::FrameVectors;
  const ap_int<P::AccWidth> init = P::ActBipolar ? -int(P::Inputs / P::Blocks) : 0;
  vec<ap_int<P::AccWidth>, P::Pe> acc;
#pragma HLS ARRAY_PARTITION variable=acc.lane complete

  for (unsigned vector = 0; vector < vectors; vector++) {
    for (unsigned fold = 0; fold < S::NF; fold++) {
      for (unsigned number = 0; number < S::Steps; number++) {
        for (unsigned sf = 0; sf < S::SF; sf++) {
#pragma HLS LOOP_FLATTEN
#pragma HLS PIPELINE II=1 style=flp
          count_trip<P, mvu_loop>();
          const ap_uint<32> step = P::step(number);
          const unsigned weight_group = step.range(15, 8);
          const unsigned shift = sf == 0 ? unsigned(step.range(23, 16)) : 0;
          const bool act_sign = step[24], weight_sign = step[25];
          const unsigned word = (fold * S::WF + weight_group) * S::SF + sf;
          const ap_uint<P::Ap * P::Simd> act = in.read();
          for (unsigned p = 0; p < P::Pe; p++) {
#pragma HLS UNROLL
            const ap_int<P::AccWidth> before =
                number == 0 && sf == 0 ? init : ap_int<P::AccWidth>(acc.lane[p] << shift);
            acc.lane[p] = before + contribution<P>(act, word, p, act_sign, weight_sign);
          }
          if (number == S::Steps - 1 && sf == S::SF - 1) out.write(acc);
        }
      }
    }
  }
}

}  // namespace bitfold

#endif
