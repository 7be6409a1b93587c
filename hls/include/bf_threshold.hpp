// SPDX-License-Identifier: Apache-2.0
// bf_threshold: accumulators to codes: how many of a channel's thresholds an accumulator reaches.
//
//   count = #{k : acc >= threshold[k]},  2**OutBits - 1 thresholds a channel, ascending
//   code  = count, or count - 2**(OutBits-1) with OutSigned: the first plane is inverted
//
// Binary search, one bit a cycle, most significant first: node 1 is the middle threshold, node
// 2n + bit follows node n. Tpe channels are searched at a time, Pe / Tpe rounds a fold.
//
// Parameters   Pe, Folds (template parameters: bf_mvtu and bf_vvau name theirs differently), Tpe,
//              AccWidth, OutBits, OutSigned, OneTable as in bf_threshold.sv. threshold(lane, word):
//              word `word` of the image of lane `lane`. FrameVectors: vectors of a frame.
// II           a threshold decides which is read next: II = 1 needs a memory that answers in the
//              cycle behind its address, as the RTL's does.
// Trips        frames * FrameVectors * Folds * (Pe / Tpe) * OutBits
// RTL twins    bf_threshold, bf_rounds; test: tests/software/amd/test_hls_results.py
#ifndef BF_THRESHOLD_HPP
#define BF_THRESHOLD_HPP

#include "bf_types.hpp"

namespace bitfold {

struct results_loop {};

// The accumulators of the next round move to the front.
template <class T, unsigned Pe, unsigned Tpe>
void next_round(vec<T, Pe>& accs) {
#pragma HLS INLINE
  for (unsigned i = 0; i + Tpe < Pe; i++) {
#pragma HLS UNROLL
    accs.lane[i] = accs.lane[i + Tpe];
  }
}

template <class P, unsigned Pe, unsigned Folds>
void bf_threshold(hls::stream<vec<ap_int<P::AccWidth>, Pe>>& in, hls::stream<ap_uint<P::Tpe>>& out,
                  unsigned frames) {
  constexpr unsigned Rounds = Pe / P::Tpe;
  const unsigned vectors = frames * P::FrameVectors;
  vec<ap_int<P::AccWidth>, Pe> accs;
  count_t<(1u << P::OutBits) - 1> node[P::Tpe];
#pragma HLS ARRAY_PARTITION variable=accs.lane complete
#pragma HLS ARRAY_PARTITION variable=node complete

  for (unsigned vector = 0; vector < vectors; vector++) {
    for (unsigned fold = 0; fold < Folds; fold++) {
      for (unsigned round = 0; round < Rounds; round++) {
        for (unsigned plane = 0; plane < P::OutBits; plane++) {
#pragma HLS LOOP_FLATTEN
#pragma HLS PIPELINE II=1 style=flp
          count_trip<P, results_loop>();
          if (plane == 0 && round == 0) accs = in.read();
          const unsigned group = P::OneTable ? 0 : fold * Rounds + round;
          ap_uint<P::Tpe> bits = 0;
          for (unsigned l = 0; l < P::Tpe; l++) {
#pragma HLS UNROLL
            if (plane == 0) node[l] = 1;
            const ap_int<P::AccWidth + 1> acc = accs.lane[l];
            const bool reached = acc >= P::threshold(l, (group << P::OutBits) + node[l]);
            node[l] = (node[l] << 1) + reached;
            bits[l] = reached != (P::OutSigned && plane == 0);
          }
          out.write(bits);
          if (plane == P::OutBits - 1) next_round<ap_int<P::AccWidth>, Pe, P::Tpe>(accs);
        }
      }
    }
  }
}

}  // namespace bitfold

#endif
