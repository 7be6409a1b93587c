// SPDX-License-Identifier: Apache-2.0
// bf_divide: accumulators to codes by division; thresholds on a straight line need no table.
//
//   code = #{k : acc * 2**DivideShift >= k * slope + offset},  k = 1 .. 2**OutBits - 1
//   with OutSigned less 2**(OutBits-1): the first plane is inverted
//
// Non-restoring division, one bit a cycle, most significant first: the first trial is acc *
// 2**DivideShift + first; each next one adds the slope where the trial before was negative and
// subtracts it where not, at half the weight. A bit is 1 where its trial is not negative. With
// DivideHalf the first plane is 1, and where the first trial is negative the others are 0.
//
// Parameters   Pe, Folds as in bf_threshold.hpp; Tpe, AccWidth, OutBits, OutSigned, OneTable,
//              DivideShift, DivideWidth, SlopeWidth, DivideHalf as in bf_results.sv.
//              threshold(lane, word): {slope, first} of channel word * Tpe + lane.
// Trips        frames * FrameVectors * Folds * (Pe / Tpe) * OutBits
// RTL twins    bf_divide, bf_rounds; test: tests/software/amd/test_hls_results.py
#ifndef BF_DIVIDE_HPP
#define BF_DIVIDE_HPP

#include "bf_threshold.hpp"

namespace bitfold {

template <class P, unsigned Pe, unsigned Folds>
void bf_divide(hls::stream<vec<ap_int<P::AccWidth>, Pe>>& in, hls::stream<ap_uint<P::Tpe>>& out,
               unsigned frames) {
  constexpr unsigned Rounds = Pe / P::Tpe;
  const unsigned vectors = frames * P::FrameVectors;
  vec<ap_int<P::AccWidth>, Pe> accs;
  ap_int<P::DivideWidth> trial[P::Tpe];
  ap_uint<P::SlopeWidth + P::OutBits> change[P::Tpe];   // the slope at the weight of the next plane
  bool above[P::Tpe];                                   // the first trial was not negative
#pragma HLS ARRAY_PARTITION variable=accs.lane complete
#pragma HLS ARRAY_PARTITION variable=trial complete
#pragma HLS ARRAY_PARTITION variable=change complete
#pragma HLS ARRAY_PARTITION variable=above complete

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
            const ap_uint<P::SlopeWidth + P::DivideWidth> word = P::threshold(l, group);
            if (plane == 0) {
              const ap_int<P::DivideWidth> acc = accs.lane[l];
              const ap_int<P::DivideWidth> first = word.range(P::DivideWidth - 1, 0);
              const ap_uint<P::SlopeWidth> slope =
                  word.range(P::DivideWidth + P::SlopeWidth - 1, P::DivideWidth);
              trial[l] = (acc << P::DivideShift) + first;
              change[l] = ap_uint<P::SlopeWidth + P::OutBits>(slope) << (P::OutBits - 2);
              above[l] = trial[l] >= 0;
            } else {
              if (trial[l] < 0) {
                trial[l] += change[l];
              } else {
                trial[l] -= change[l];
              }
              change[l] >>= 1;
            }
            bool bit = trial[l] >= 0;
            if (P::DivideHalf) bit = plane == 0 || (above[l] && bit);
            bits[l] = bit != (P::OutSigned && plane == 0);
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
