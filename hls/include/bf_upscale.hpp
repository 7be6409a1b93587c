// SPDX-License-Identifier: Apache-2.0
// bf_upscale: each pixel becomes FactorH x FactorW pixels: nearest neighbour, or depth to space.
//
// Split 0: all of them are the pixel. Split 1: pixel s = row * FactorW + column of the block has
// the s-th of FactorH * FactorW parts of the pixel's beats. A part is made of runs of Run beats
// that lie side by side; run k of part s is run k * FactorH * FactorW + s of the pixel.
// The memory holds two rows; a row enters as soon as the one before the last has left for the last
// time, beat by beat as beats are there.
//
// Parameters   as in bf_upscale.sv, and Height: rows that enter
// Trips        frames * Height * FactorH * Width * FactorW * the beats of a pixel that leaves, and
//              the beats of the first pixel
// RTL twin     bf_upscale; test: tests/software/amd/test_hls_moves.py
#ifndef BF_UPSCALE_HPP
#define BF_UPSCALE_HPP

#include "bf_types.hpp"

namespace bitfold {

struct upscale_loop {};

template <class P>
void bf_upscale(hls::stream<ap_uint<P::Group>>& in, hls::stream<ap_uint<P::Group>>& out,
                unsigned frames) {
  constexpr unsigned Block = P::FactorH * P::FactorW;
  constexpr unsigned Parts = P::Split ? Block : 1;
  constexpr unsigned Runs = P::Beats / Parts / P::Run;           // of a pixel that leaves
  constexpr unsigned RowBeats = P::Width * P::Beats;
  ap_uint<P::Group> memory[2 * RowBeats];
#pragma HLS BIND_STORAGE variable=memory type=ram_s2p

  unsigned to_send = frames * P::Height, to_take = frames * P::Height * P::Width * P::Beats;
  count_t<2 * RowBeats> write = 0;
  count_t<2 * RowBeats> present = 0;        // beats there, from the row that is sent on
  ap_uint<1> slot = 0;
  count_t<P::FactorH> down = 0;
  count_t<P::Width> col = 0;
  count_t<P::FactorW> across = 0;
  count_t<Runs> run = 0;
  count_t<P::Run> beat = 0;

  while (to_send != 0) {
#pragma HLS PIPELINE II=1 style=flp
    count_trip<P, upscale_loop>();
    const bool room = present != 2 * RowBeats && to_take != 0;
    const bool sends = present >= (col + 1) * P::Beats;
    bool written = false;
    unsigned gone = 0;

    if (sends) {
      unsigned part = 0;
      if (P::Split) part = down * P::FactorW + across;
      const unsigned place = (run * Parts + part) * P::Run + beat;
      out.write(memory[slot * RowBeats + col * P::Beats + place]);
      const bool run_ends = beat == P::Run - 1;
      const bool pixel_ends = run_ends && run == Runs - 1;
      const bool block_ends = pixel_ends && across == P::FactorW - 1;
      const bool line_ends = block_ends && col == P::Width - 1;
      const bool row_ends = line_ends && down == P::FactorH - 1;
      beat = turned(beat, run_ends);
      if (run_ends) run = turned(run, pixel_ends);
      if (pixel_ends) across = turned(across, block_ends);
      if (block_ends) col = turned(col, line_ends);
      if (line_ends) down = turned(down, row_ends);
      if (row_ends) {
        slot = ~slot;
        gone = RowBeats;
        to_send--;
      }
    }

    ap_uint<P::Group> bits;
    if (room && in.read_nb(bits)) {
      memory[write] = bits;
      written = true;
      write = turned(write, write == 2 * RowBeats - 1);
      to_take--;
    }
    must_move(sends || written);
    present = present + written - gone;
  }
}

}  // namespace bitfold

#endif
