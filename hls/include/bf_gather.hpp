// SPDX-License-Identifier: Apache-2.0
// bf_gather: plane stream to words of integers, the end of a network whose last layer is quantised.
//
// A word holds the Group integers of a channel group: codes of Planes bits as they are (two's
// complement stays that), or with Bipolar -1 and +1 in two bits.
//
// Parameters   as in bf_gather.sv. FrameVectors: vectors of a frame. Width: bits of an integer.
// Trips        frames * FrameVectors * Words * Planes
// RTL twin     bf_gather, which offers a vector's words once it is complete; here each leaves with
//              its last plane. Test: tests/software/amd/test_hls_moves.py
#ifndef BF_GATHER_HPP
#define BF_GATHER_HPP

#include "bf_types.hpp"

namespace bitfold {

struct gather_loop {};

template <class P>
void bf_gather(hls::stream<ap_uint<P::Group>>& in,
               hls::stream<vec<ap_int<P::Width>, P::Group>>& out, unsigned frames) {
  const unsigned words = frames * P::FrameVectors * P::Words;
  vec<ap_int<P::Width>, P::Group> word;
#pragma HLS ARRAY_PARTITION variable=word.lane complete
  for (unsigned number = 0; number < words; number++) {
    for (unsigned plane = 0; plane < P::Planes; plane++) {
#pragma HLS LOOP_FLATTEN
#pragma HLS PIPELINE II=1 style=flp
      count_trip<P, gather_loop>();
      const ap_uint<P::Group> bits = in.read();
      for (unsigned i = 0; i < P::Group; i++) {
#pragma HLS UNROLL
        if (plane == 0) word.lane[i] = 0;
        if (P::Bipolar) {
          word.lane[i] = bits[i] ? 1 : -1;
        } else {
          word.lane[i] = (word.lane[i] << 1) | ap_int<P::Width>(ap_uint<1>(bits[i]));
        }
      }
      if (plane == P::Planes - 1) out.write(word);
    }
  }
}

}  // namespace bitfold

#endif
