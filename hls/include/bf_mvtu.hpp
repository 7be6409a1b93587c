// SPDX-License-Identifier: Apache-2.0
// bf_mvtu: matrix-vector-threshold unit: one convolution (behind a bf_window) or dense layer.
//
//   y = thresholds(W x)  or, in the last layer,  y = W x + bias;  W is Outputs x Inputs
//
// in -> bf_vecbuf -> bf_mvu -> bf_results -> out, three processes side by side.
//
// Parameters   those of bf_mvtu.sv but Style, MemRegister, OutVectors, which decide about LUTs,
//              registers and FIFOs, and those of precision modes. FrameVectors: vectors of a frame.
// Trips        a vector takes max(NF * Steps * SF, its input beats, NF * OutBits * Pe / Tpe), as in
//              the cost model; each header has the rest
// RTL twin     bf_mvtu; test: tests/software/amd/test_hls_mvtu.py
#ifndef BF_MVTU_HPP
#define BF_MVTU_HPP

#include "bf_mvu.hpp"
#include "bf_results.hpp"
#include "bf_vecbuf.hpp"

namespace bitfold {

struct mvtu_defaults : results_defaults {
  static constexpr unsigned Blocks = 1, Runs = 1;
};

template <class P, class Out>
void bf_mvtu(hls::stream<ap_uint<P::GroupIn>>& in, hls::stream<Out>& out, unsigned frames) {
#pragma HLS DATAFLOW
  hls::stream<ap_uint<P::Ap * P::Simd>> words("words");
  hls::stream<vec<ap_int<P::AccWidth>, P::Pe>> accs("accs");
#pragma HLS STREAM variable=words depth=4
#pragma HLS STREAM variable=accs depth=2
  bf_vecbuf<P>(in, words, frames);
  bf_mvu<P>(words, accs, frames);
  bf_results<P, P::Pe, mvtu_sizes<P>::NF>(accs, out, frames);
}

}  // namespace bitfold

#endif
