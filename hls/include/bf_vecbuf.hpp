// SPDX-License-Identifier: Apache-2.0
// bf_vecbuf: two slots of one input vector each; plane beats in, words of Simd * Ap bits out, in
// the order in which bf_mvu multiplies them: by fold, step, word.
//
// The RTL has a port that bf_mvu_seq drives; here the process walks by itself, since C++ processes
// meet at streams. A beat is taken when there is one and a slot for it, never waited for, so that
// what is complete is sent whatever comes behind it.
//
// Parameters   GroupIn, Planes, ActSigned, Inputs, Outputs, Pe, Simd, Ap, Wp, WPlanes, Blocks,
//              Runs: as in bf_mvtu.sv. FrameVectors: vectors of a frame.
//              step(k): word k of the parameter Steps of the RTL.
// Words        bit k * Simd + i = plane ag * Ap + Ap - 1 - k of input sf * Simd + i
// Trips        with V vectors, Q = NF * Steps * SF words and B beats of a vector:
//              V * max(Q, B) + min(Q, B)
// RTL twins    bf_vecbuf, bf_slots, bf_mvu_seq; test: tests/software/amd/test_hls_mvtu.py
#ifndef BF_VECBUF_HPP
#define BF_VECBUF_HPP

#include "bf_types.hpp"

namespace bitfold {

struct vecbuf_loop {};

template <class P>
struct mvtu_sizes {
  static constexpr unsigned AF = ceil_div(P::Planes, P::Ap);    // activation plane groups
  static constexpr unsigned WF = ceil_div(P::WPlanes, P::Wp);   // weight plane groups
  static constexpr unsigned Steps = AF * WF;
  static constexpr unsigned NF = P::Outputs / P::Pe;
  static constexpr unsigned SF = P::Inputs / P::Blocks / P::Simd;
  static constexpr unsigned Lanes = larger(P::GroupIn, P::Simd);
  static constexpr unsigned Banks = Lanes / P::Simd;            // words read of a memory word
  static constexpr unsigned Chunks = Lanes / P::GroupIn;        // beats that share a memory word
  static constexpr unsigned Words = P::Inputs / Lanes;
  static constexpr unsigned Run = Words / (P::Blocks * P::Runs);
  static constexpr unsigned Pad = AF * P::Ap - P::Planes;       // planes that the stream lacks
  static constexpr unsigned Slot = Words * AF;
  static constexpr unsigned Beats = P::Inputs / P::GroupIn * P::Planes;
};

template <class P>
void bf_vecbuf(hls::stream<ap_uint<P::GroupIn>>& in, hls::stream<ap_uint<P::Ap * P::Simd>>& out,
               unsigned frames) {
  typedef mvtu_sizes<P> S;
  ap_uint<P::GroupIn> memory[P::Ap][S::Chunks][2 * S::Slot];
#pragma HLS ARRAY_PARTITION variable=memory complete dim=1
#pragma HLS ARRAY_PARTITION variable=memory complete dim=2

  unsigned to_take = frames * P::FrameVectors;   // vectors
  unsigned to_send = to_take;
  count_t<2> full = 0;                           // complete vectors
  // Writer: which plane comes, where it goes.
  count_t<S::Beats> beat = 0;
  count_t<P::Planes> plane = 0;
  count_t<P::Ap> lane = P::Ap - 1 - S::Pad;
  count_t<S::Chunks> chunk = 0;
  count_t<2 * S::Slot> write = 0;
  // Reader: what is sent next.
  ap_uint<1> slot = 0;
  count_t<P::Blocks> block = 0;
  count_t<S::NF> fold = 0;                       // of the block
  count_t<S::Steps> step = 0;
  count_t<P::Runs> run = 0;
  count_t<S::Run> word = 0;
  count_t<S::Banks> bank = 0;

  while (to_send != 0) {
#pragma HLS PIPELINE II=1 style=flp
    count_trip<P, vecbuf_loop>();
    bool released = false, completed = false, taken = false;
    const bool room = full != 2 && to_take != 0, sends = full != 0;

    if (sends) {
      const unsigned group = P::step(step) & 0xFF;
      const unsigned place = run * (S::Words / P::Runs) + block * S::Run + word;
      const unsigned address = (slot * S::Words + place) * S::AF + group;
      ap_uint<P::Ap * P::Simd> act = 0;
      for (unsigned k = 0; k < P::Ap; k++) {
#pragma HLS UNROLL
        ap_uint<S::Lanes> lanes = 0;
        for (unsigned c = 0; c < S::Chunks; c++) {
#pragma HLS UNROLL
          lanes.range((c + 1) * P::GroupIn - 1, c * P::GroupIn) = memory[k][c][address];
        }
        const ap_uint<P::Simd> bits = ap_uint<P::Simd>(lanes >> (bank * P::Simd));
        act.range((k + 1) * P::Simd - 1, k * P::Simd) = bits;
      }
      out.write(act);

      // The counters turn over from the innermost outwards.
      const bool word_ends = bank == S::Banks - 1;
      const bool run_ends = word_ends && word == S::Run - 1;
      const bool step_ends = run_ends && run == P::Runs - 1;
      const bool fold_ends = step_ends && step == S::Steps - 1;
      const bool block_ends = fold_ends && fold == S::NF / P::Blocks - 1;
      released = block_ends && block == P::Blocks - 1;
      bank = turned(bank, word_ends);
      if (word_ends) word = turned(word, run_ends);
      if (run_ends) run = turned(run, step_ends);
      if (step_ends) step = turned(step, fold_ends);
      if (fold_ends) fold = turned(fold, block_ends);
      if (block_ends) block = turned(block, released);
      if (released) {
        slot = ~slot;
        to_send--;
      }
    }

    ap_uint<P::GroupIn> bits;
    if (room && in.read_nb(bits)) {
      taken = true;
      for (unsigned k = 0; k < P::Ap; k++) {
#pragma HLS UNROLL
        for (unsigned c = 0; c < S::Chunks; c++) {
#pragma HLS UNROLL
          // With a value's first plane the planes above it that the stream lacks.
          const bool above = plane == 0 && k >= P::Ap - S::Pad;
          if (c == chunk && (k == lane || above)) {
            memory[k][c][write] = above && !P::ActSigned ? ap_uint<P::GroupIn>(0) : bits;
          }
        }
      }
      const bool value_ends = plane == P::Planes - 1;
      const bool chunks_end = value_ends && chunk == S::Chunks - 1;
      completed = beat == S::Beats - 1;
      // The planes of a chunk go up AF words; the next chunk begins below again.
      if (value_ends && !chunks_end) {
        write -= S::AF - 1;
      } else if (chunks_end || lane == 0) {
        write = turned(write, write == 2 * S::Slot - 1);
      }
      if (value_ends) {
        lane = P::Ap - 1 - S::Pad;
        chunk = turned(chunk, chunks_end);
      } else if (lane == 0) {
        lane = P::Ap - 1;
      } else {
        lane--;
      }
      plane = turned(plane, value_ends);
      beat = turned(beat, completed);
      if (completed) to_take--;
    }
    must_move(sends || taken);
    full = full + completed - released;
  }
}

}  // namespace bitfold

#endif
