// SPDX-License-Identifier: Apache-2.0
// bf_results: accumulators to what leaves a bf_mvtu or bf_vvau: codes (bf_threshold, bf_divide),
// their own planes (Raw), or integers with a bias (Final).
//
// bf_planes    one bit a cycle, the sign first; OutBits = AccWidth.
// bf_bias      out[p] = (acc[p] << AccShift) + bias(fold, p), modulo 2**AccWidth; without HasBias
//              nothing is added.
// Trips        as bf_threshold; of bf_bias frames * FrameVectors * Folds
// RTL twins    bf_results, bf_planes, bf_bias; test: tests/software/amd/test_hls_results.py
#ifndef BF_RESULTS_HPP
#define BF_RESULTS_HPP

#include "bf_divide.hpp"
#include "bf_threshold.hpp"

namespace bitfold {

// What the RTL's parameters are where an instance does not set them.
struct results_defaults {
  static constexpr bool Final = false, OutSigned = false, Raw = false, HasBias = false;
  static constexpr bool OneTable = false, Divide = false, DivideHalf = false;
  static constexpr unsigned OutBits = 1, AccShift = 0;
  static constexpr unsigned DivideShift = 0, DivideWidth = 1, SlopeWidth = 1;
};

template <class P, unsigned Pe, unsigned Folds>
void bf_planes(hls::stream<vec<ap_int<P::AccWidth>, Pe>>& in, hls::stream<ap_uint<P::Tpe>>& out,
               unsigned frames) {
  const unsigned folds = frames * P::FrameVectors * Folds;
  vec<ap_int<P::AccWidth>, Pe> accs;
#pragma HLS ARRAY_PARTITION variable=accs.lane complete
  for (unsigned fold = 0; fold < folds; fold++) {
    for (unsigned round = 0; round < Pe / P::Tpe; round++) {
      for (unsigned plane = 0; plane < P::AccWidth; plane++) {
#pragma HLS LOOP_FLATTEN
#pragma HLS PIPELINE II=1 style=flp
        count_trip<P, results_loop>();
        if (plane == 0 && round == 0) accs = in.read();
        ap_uint<P::Tpe> bits = 0;
        for (unsigned l = 0; l < P::Tpe; l++) {
#pragma HLS UNROLL
          bits[l] = accs.lane[l][P::AccWidth - 1];
          accs.lane[l] <<= 1;
        }
        out.write(bits);
        if (plane == P::AccWidth - 1) next_round<ap_int<P::AccWidth>, Pe, P::Tpe>(accs);
      }
    }
  }
}

template <class P, unsigned Pe, unsigned Folds>
void bf_bias(hls::stream<vec<ap_int<P::AccWidth>, Pe>>& in,
             hls::stream<vec<ap_int<P::AccWidth>, Pe>>& out, unsigned frames) {
  const unsigned vectors = frames * P::FrameVectors;
  for (unsigned vector = 0; vector < vectors; vector++) {
    for (unsigned fold = 0; fold < Folds; fold++) {
#pragma HLS LOOP_FLATTEN
#pragma HLS PIPELINE II=1 style=flp
      count_trip<P, results_loop>();
      vec<ap_int<P::AccWidth>, Pe> accs = in.read();
      for (unsigned p = 0; p < Pe; p++) {
#pragma HLS UNROLL
        const ap_int<P::AccWidth> shifted = accs.lane[p] << P::AccShift;
        accs.lane[p] = shifted + P::bias(fold, p);
      }
      out.write(accs);
    }
  }
}

// Which of them: only the one that is chosen is instantiated.
enum results_kind { CODES, QUOTIENTS, PLANES, INTEGERS };

template <class P>
constexpr results_kind kind_of() {
  return P::Final ? INTEGERS : P::Raw ? PLANES : P::Divide ? QUOTIENTS : CODES;
}

template <results_kind Kind>
struct results_of;

template <>
struct results_of<CODES> {
  template <class P, unsigned Pe, unsigned Folds, class In, class Out>
  static void run(In& in, Out& out, unsigned frames) {
    bf_threshold<P, Pe, Folds>(in, out, frames);
  }
};

template <>
struct results_of<QUOTIENTS> {
  template <class P, unsigned Pe, unsigned Folds, class In, class Out>
  static void run(In& in, Out& out, unsigned frames) {
    bf_divide<P, Pe, Folds>(in, out, frames);
  }
};

template <>
struct results_of<PLANES> {
  template <class P, unsigned Pe, unsigned Folds, class In, class Out>
  static void run(In& in, Out& out, unsigned frames) {
    bf_planes<P, Pe, Folds>(in, out, frames);
  }
};

template <>
struct results_of<INTEGERS> {
  template <class P, unsigned Pe, unsigned Folds, class In, class Out>
  static void run(In& in, Out& out, unsigned frames) {
    bf_bias<P, Pe, Folds>(in, out, frames);
  }
};

// Out: a stream of ap_uint<Tpe>, or with Final of vec<ap_int<AccWidth>, Pe>.
template <class P, unsigned Pe, unsigned Folds, class Out>
void bf_results(hls::stream<vec<ap_int<P::AccWidth>, Pe>>& in, hls::stream<Out>& out,
                unsigned frames) {
#pragma HLS INLINE
  results_of<kind_of<P>()>::template run<P, Pe, Folds>(in, out, frames);
}

}  // namespace bitfold

#endif
