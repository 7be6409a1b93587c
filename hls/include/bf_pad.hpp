// SPDX-License-Identifier: Apache-2.0
// bf_pad: zeros around a map: rows above and below, columns left and right.
//
// Parameters   as in bf_pad.sv
// Trips        frames * padded rows * padded columns * Beats
// RTL twin     bf_pad, which makes the zeros in front of a frame wait for its first pixel; here
//              they do not. Test: tests/software/amd/test_hls_moves.py
#ifndef BF_PAD_HPP
#define BF_PAD_HPP

#include "bf_types.hpp"

namespace bitfold {

struct pad_loop {};

template <class P>
void bf_pad(hls::stream<ap_uint<P::Group>>& in, hls::stream<ap_uint<P::Group>>& out,
            unsigned frames) {
  for (unsigned frame = 0; frame < frames; frame++) {
    for (unsigned row = 0; row < P::PadTop + P::Height + P::PadBottom; row++) {
      for (unsigned col = 0; col < P::PadLeft + P::Width + P::PadRight; col++) {
        for (unsigned beat = 0; beat < P::Beats; beat++) {
#pragma HLS LOOP_FLATTEN
#pragma HLS PIPELINE II=1 style=flp
          count_trip<P, pad_loop>();
          const bool inside = row >= P::PadTop && row < P::PadTop + P::Height &&
                              col >= P::PadLeft && col < P::PadLeft + P::Width;
          ap_uint<P::Group> bits = 0;
          if (inside) bits = in.read();
          out.write(bits);
        }
      }
    }
  }
}

}  // namespace bitfold

#endif
