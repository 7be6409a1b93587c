// SPDX-License-Identifier: Apache-2.0
// bf_axis: the AXI4-Streams at both ends: bytes to planes, integers to words of 32 bits.
//
// bf_axis_in   a beat carries P::Group values, value i in byte i, of which the low P::Planes bits
//              count; it leaves as Planes beats, most significant plane first. tlast is not read.
// bf_axis_out  a word of P::Items integers leaves as Items beats of 32 bits, sign-extended (or
//              with Signed 0 zero-extended); tlast marks the last of each frame of P::Outputs.
// Trips        frames * BeatsPerFrame * Planes; frames * Outputs.
// RTL twins    bf_axis_in, bf_axis_out; test: tests/software/amd/test_hls_moves.py
#ifndef BF_AXIS_HPP
#define BF_AXIS_HPP

#include "bf_types.hpp"

#if defined(__has_include)
#if __has_include(<ap_axi_sdata.h>)
#define BF_HAS_AXI_SDATA
#endif
#endif

#ifdef BF_HAS_AXI_SDATA
#include <ap_axi_sdata.h>
#endif

namespace bitfold {

#ifdef BF_HAS_AXI_SDATA
template <unsigned Bits>
using axis_word = hls::axis<ap_uint<Bits>, 0, 0, 0>;
#else
// The fields of the tool's own type that are used here, for headers that come without it.
template <unsigned Bits>
struct axis_word {
  ap_uint<Bits> data;
  ap_uint<Bits / 8> keep;
  ap_uint<Bits / 8> strb;
  ap_uint<1> last;
};
#endif

struct axis_in_loop {};
struct axis_out_loop {};

template <class P>
void bf_axis_in(hls::stream<axis_word<8 * P::Group>>& s_axis,
                hls::stream<ap_uint<P::Group>>& out, unsigned frames) {
  const unsigned beats = frames * P::BeatsPerFrame;
  ap_uint<8 * P::Group> values = 0;
  for (unsigned beat = 0; beat < beats; beat++) {
    for (unsigned plane = 0; plane < P::Planes; plane++) {
#pragma HLS LOOP_FLATTEN
#pragma HLS PIPELINE II=1 style=flp
      count_trip<P, axis_in_loop>();
      if (plane == 0) values = s_axis.read().data;
      ap_uint<P::Group> bits = 0;
      for (unsigned i = 0; i < P::Group; i++) {
#pragma HLS UNROLL
        bits[i] = values[8 * i + P::Planes - 1];
      }
      out.write(bits);
      values <<= 1;
    }
  }
}

template <class P>
void bf_axis_out(hls::stream<vec<ap_int<P::Width>, P::Items>>& in,
                 hls::stream<axis_word<32>>& m_axis, unsigned frames) {
  vec<ap_int<P::Width>, P::Items> word;
  for (unsigned frame = 0; frame < frames; frame++) {
    for (unsigned part = 0; part < P::Outputs / P::Items; part++) {
      for (unsigned item = 0; item < P::Items; item++) {
#pragma HLS LOOP_FLATTEN
#pragma HLS PIPELINE II=1 style=flp
        count_trip<P, axis_out_loop>();
        if (item == 0) word = in.read();
        const ap_int<P::Width> value = word.lane[item];
        axis_word<32> beat;
        beat.data = P::Signed ? ap_int<32>(value) : ap_int<32>(ap_uint<P::Width>(value));
        beat.keep = -1;
        beat.strb = -1;
        beat.last = part == P::Outputs / P::Items - 1 && item == P::Items - 1;
        m_axis.write(beat);
      }
    }
  }
}

}  // namespace bitfold

#endif
