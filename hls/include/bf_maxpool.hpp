// SPDX-License-Identifier: Apache-2.0
// bf_maxpool: maximum over the pixels of each window, on bit-planes.
//
// In: windows in im2col order, Positions pixels of Beats beats; out: one pixel a window. Values are
// compared most significant plane first: a channel is undecided until the first plane in which the
// new value and the greatest so far differ; from there on the winner's bits are kept.
//
// Parameters   as in bf_maxpool.sv but OutVectors. FrameVectors: windows of a frame.
// Trips        frames * FrameVectors * Positions * Beats
// RTL twin     bf_maxpool; test: tests/software/amd/test_hls_moves.py
#ifndef BF_MAXPOOL_HPP
#define BF_MAXPOOL_HPP

#include "bf_types.hpp"

namespace bitfold {

struct maxpool_loop {};

template <class P>
void bf_maxpool(hls::stream<ap_uint<P::Group>>& in, hls::stream<ap_uint<P::Group>>& out,
                unsigned frames) {
  const unsigned windows = frames * P::FrameVectors;
  ap_uint<P::Group> memory[P::Beats];                       // the greatest so far
  ap_uint<P::Group> new_wins = 0, old_wins = 0;             // by channel; neither: undecided
  count_t<P::Planes> plane = 0;

  for (unsigned window = 0; window < windows; window++) {
    for (unsigned position = 0; position < P::Positions; position++) {
      for (unsigned beat = 0; beat < P::Beats; beat++) {
#pragma HLS LOOP_FLATTEN
#pragma HLS PIPELINE II=1 style=flp
        count_trip<P, maxpool_loop>();
        const ap_uint<P::Group> bits = in.read();
        const ap_uint<P::Group> old = memory[beat];
        if (plane == 0) {
          old_wins = 0;
          new_wins = 0;
          if (position == 0) new_wins = ~new_wins;          // nothing to be compared with
        }
        // Of two sign bits 0 is the greater.
        const bool sign = P::Signed && plane == 0;
        const ap_uint<P::Group> above = sign ? ap_uint<P::Group>(~bits & old)
                                             : ap_uint<P::Group>(bits & ~old);
        const ap_uint<P::Group> below = sign ? ap_uint<P::Group>(bits & ~old)
                                             : ap_uint<P::Group>(~bits & old);
        const ap_uint<P::Group> undecided = ~(new_wins | old_wins);
        new_wins |= undecided & above;
        old_wins |= undecided & below;
        // Where neither has won the bits are the same.
        const ap_uint<P::Group> kept = (bits & ~old_wins) | (old & old_wins);
        memory[beat] = kept;
        if (position == P::Positions - 1) out.write(kept);
        plane = turned(plane, plane == P::Planes - 1);
      }
    }
  }
}

}  // namespace bitfold

#endif
