// SPDX-License-Identifier: Apache-2.0
// bf_vvau: vector-vector accumulate unit: every channel sums its own inputs over the positions of a
// vector. Depthwise convolution (behind a bf_window), sum pooling, residual addition (behind a
// bf_join), other thresholds for the same codes.
//
//   y[c] = thresholds(sum over positions p of w[p][c] * x[p][c])  or, in the last layer, + bias[c]
//
// A product needs no multiplier: t = 2 t + (bit ? w : 0) plane by plane, with the sign plane
// subtracted, is w * x behind the last plane.
//
// Parameters   those of bf_vvau.sv but OutVectors and those of precision modes. weight(word, i):
//              weight i of word `word` of the RTL's image (WKind 1: i = 0 alone).
//              FrameVectors: vectors of a frame.
// Trips        frames * FrameVectors * Positions * Groups * Planes; see bf_results for the rest
// RTL twins    bf_vvau, bf_vvau_products; test: tests/software/amd/test_hls_vvau.py
#ifndef BF_VVAU_HPP
#define BF_VVAU_HPP

#include "bf_results.hpp"

namespace bitfold {

struct vvau_loop {};

struct vvau_defaults : results_defaults {};

// The weight of channel i of a group; 1 where there are none.
template <class P, unsigned WKind>
struct channel_weight {
  static ap_int<P::WBits> of(unsigned position, unsigned group, unsigned i) {
#pragma HLS INLINE
    return P::weight(WKind == 1 ? position : position * P::Groups + group, WKind == 1 ? 0 : i);
  }
};

template <class P>
struct channel_weight<P, 0> {
  static ap_int<2> of(unsigned, unsigned, unsigned) {
#pragma HLS INLINE
    return 1;
  }
};

template <class P>
void bf_vvau_sums(hls::stream<ap_uint<P::Group>>& in,
                  hls::stream<vec<ap_int<P::AccWidth>, P::Group>>& out, unsigned frames) {
  const unsigned vectors = frames * P::FrameVectors;
  ap_int<P::AccWidth> sums[P::Groups][P::Group];
  ap_int<P::Planes + P::WBits + 1> product[P::Group];
#pragma HLS ARRAY_PARTITION variable=sums complete dim=2
#pragma HLS ARRAY_PARTITION variable=product complete
#pragma HLS BIND_STORAGE variable=sums type=ram_s2p impl=lutram

  for (unsigned vector = 0; vector < vectors; vector++) {
    for (unsigned position = 0; position < P::Positions; position++) {
      for (unsigned group = 0; group < P::Groups; group++) {
        for (unsigned plane = 0; plane < P::Planes; plane++) {
#pragma HLS LOOP_FLATTEN
#pragma HLS PIPELINE II=1 style=flp
          count_trip<P, vvau_loop>();
          const ap_uint<P::Group> bits = in.read();
          vec<ap_int<P::AccWidth>, P::Group> sum;
          for (unsigned i = 0; i < P::Group; i++) {
#pragma HLS UNROLL
            ap_int<P::Planes + P::WBits + 1> part = 0;
            if (bits[i]) part = channel_weight<P, P::WKind>::of(position, group, i);
            if (plane == 0) {
              product[i] = 0;
              if (P::ActSigned) part = -part;
            }
            product[i] = (product[i] << 1) + part;
            ap_int<P::AccWidth> before = 0;
            if (position != 0) before = sums[group][i];
            sum.lane[i] = before + product[i];
            if (plane == P::Planes - 1) sums[group][i] = sum.lane[i];
          }
          if (position == P::Positions - 1 && plane == P::Planes - 1) out.write(sum);
        }
      }
    }
  }
}

template <class P, class Out>
void bf_vvau(hls::stream<ap_uint<P::Group>>& in, hls::stream<Out>& out, unsigned frames) {
#pragma HLS DATAFLOW
  hls::stream<vec<ap_int<P::AccWidth>, P::Group>> accs("accs");
#pragma HLS STREAM variable=accs depth=2
  bf_vvau_sums<P>(in, accs, frames);
  bf_results<P, P::Group, P::Groups>(accs, out, frames);
}

}  // namespace bitfold

#endif
