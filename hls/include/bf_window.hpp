// SPDX-License-Identifier: Apache-2.0
// bf_window: line buffer; a map of pixels to the windows of a convolution or pool, im2col order.
//
// In: the map, pixel by pixel, row-major, Beats beats a pixel. Out: for each output pixel, for each
// kernel row, for each kernel column, the beats of that pixel; where the window hangs over the
// edge, beats of padding: all 0, or with PadSign the sign plane 1 and the rest 0 (the least signed
// value). The memory holds SpanH + StrideH rows; a beat is taken when there is one and room for it,
// never waited for, and a window is sent when the last pixel that it spans is there.
//
// Parameters   as in bf_window.sv
// Trips        bf_window.sv's Timing, a cycle earlier, since there is no output register
//              (bitfold.amd.hls_trips): from frame to frame max(beats in, beats out), and more only
//              where windows without padding wait for the first rows of the next frame
// RTL twin     bf_window; test: tests/software/amd/test_hls_moves.py
#ifndef BF_WINDOW_HPP
#define BF_WINDOW_HPP

#include "bf_types.hpp"

namespace bitfold {

struct window_loop {};

template <class P>
struct window_sizes {
  static constexpr unsigned SpanH = (P::KernelH - 1) * P::DilationH + 1;
  static constexpr unsigned SpanW = (P::KernelW - 1) * P::DilationW + 1;
  static constexpr unsigned OutH = (P::Height + P::PadTop + P::PadBottom - SpanH) / P::StrideH + 1;
  static constexpr unsigned OutW = (P::Width + P::PadLeft + P::PadRight - SpanW) / P::StrideW + 1;
  static constexpr unsigned Rows = SpanH + P::StrideH;          // that the memory holds
  static constexpr unsigned RowBeats = P::Width * P::Beats;
  static constexpr unsigned Depth = Rows * RowBeats;
  static constexpr unsigned MapBeats = P::Height * RowBeats;
  // Where a counter of rows or columns may be, and how many beats may be there or free.
  static constexpr unsigned MostRow = P::Height + SpanH + P::StrideH + P::PadBottom;
  static constexpr unsigned MostCol = P::Width + SpanW + P::StrideW + P::PadRight;
  static constexpr unsigned MostFree = Depth + (P::Height + P::StrideH) * RowBeats;
};

// Beats of the map that must be there for the window whose first row and column these are.
template <class P>
count_t<window_sizes<P>::MapBeats> beats_needed(offset_t<window_sizes<P>::MostRow> top,
                                                offset_t<window_sizes<P>::MostCol> left) {
#pragma HLS INLINE
  const int row = top + int(window_sizes<P>::SpanH), col = left + int(window_sizes<P>::SpanW);
  const unsigned rows = row < int(P::Height) ? row - 1 : P::Height - 1;
  const unsigned cols = col < int(P::Width) ? col : P::Width;
  return rows * window_sizes<P>::RowBeats + cols * P::Beats;
}

template <class P>
void bf_window(hls::stream<ap_uint<P::Group>>& in, hls::stream<ap_uint<P::Group>>& out,
               unsigned frames) {
  typedef window_sizes<P> S;
  ap_uint<P::Group> memory[S::Depth];
#pragma HLS BIND_STORAGE variable=memory type=ram_s2p

  unsigned to_send = frames * (S::OutH * S::OutW);       // windows
  unsigned to_take = frames * (P::Height * P::Width);    // pixels
  // Writer.
  count_t<S::Depth> write = 0;
  count_t<P::Beats> in_beat = 0;
  count_t<S::MostFree> free = S::Depth;
  // Reader: beats of its frame and the next that are there, negative while rows of the frame before
  // that no window reads have still to come; place in the map and in the window.
  offset_t<S::MapBeats + S::Depth> present = 0;
  count_t<S::OutH> oy = 0;
  count_t<S::OutW> ox = 0;
  count_t<P::KernelH> ky = 0;
  count_t<P::KernelW> kx = 0;
  count_t<P::Beats> beat = 0;
  count_t<P::Planes> plane = 0;
  offset_t<S::MostRow> top = -int(P::PadTop), row = -int(P::PadTop);
  offset_t<S::MostCol> left = -int(P::PadLeft), col = -int(P::PadLeft);
  count_t<3 * S::Rows> top_slot = (S::Rows - P::PadTop) % S::Rows, slot = top_slot;
  count_t<S::MapBeats> needed = beats_needed<P>(top, left);

  while (to_send != 0 || to_take != 0) {
#pragma HLS PIPELINE II=1 style=flp
    count_trip<P, window_loop>();
    const bool room = free != 0 && to_take != 0, sends = to_send != 0 && present >= needed;
    unsigned freed = 0;
    int gone = 0;
    bool written = false;

    if (sends) {
      const bool pad = row < 0 || row >= int(P::Height) || col < 0 || col >= int(P::Width);
      ap_uint<P::Group> bits = 0;
      if (!pad) {
        bits = memory[slot * S::RowBeats + unsigned(int(col)) * P::Beats + beat];
      } else if (P::PadSign && plane == 0) {
        bits = ~bits;
      }
      out.write(bits);

      const bool pixel_ends = beat == P::Beats - 1;
      const bool line_ends = pixel_ends && kx == P::KernelW - 1;
      const bool window_ends = line_ends && ky == P::KernelH - 1;
      const bool row_ends = window_ends && ox == S::OutW - 1;
      const bool frame_ends = row_ends && oy == S::OutH - 1;
      plane = turned(plane, plane == P::Planes - 1);
      beat = turned(beat, pixel_ends);
      if (pixel_ends) {
        kx = turned(kx, line_ends);
        col += P::DilationW;
      }
      if (line_ends) {
        ky = turned(ky, window_ends);
        row += P::DilationH;
        col = left;
        slot += P::DilationH % S::Rows;
        if (slot >= S::Rows) slot -= S::Rows;
      }
      if (window_ends) {
        ox = turned(ox, row_ends);
        left += P::StrideW;
        to_send--;
      }
      if (row_ends) {
        // All rows above the next window are free; behind the last window of a frame all of it.
        const int before = top > 0 ? int(top) : 0;
        const int behind = frame_ends ? int(P::Height) : int(top) + int(P::StrideH);
        if (behind > before) freed = (behind - before) * S::RowBeats;
        left = -int(P::PadLeft);
        top += P::StrideH;
        top_slot += P::StrideH % S::Rows;
        oy = turned(oy, frame_ends);
      }
      if (frame_ends) {
        // From the row below the last window's to the first of the next frame.
        constexpr unsigned Passed = S::OutH * P::StrideH;
        top = -int(P::PadTop);
        top_slot += (P::Height + S::Rows * Passed - Passed) % S::Rows;
        gone = S::MapBeats;
      }
      if (top_slot >= S::Rows) top_slot -= S::Rows;
      if (top_slot >= S::Rows) top_slot -= S::Rows;
      if (window_ends) {
        row = top;
        col = left;
        slot = top_slot;
        needed = beats_needed<P>(top, left);
      }
    }

    ap_uint<P::Group> bits;
    if (room && in.read_nb(bits)) {
      memory[write] = bits;
      written = true;
      write = turned(write, write == S::Depth - 1);
      if (in_beat == P::Beats - 1) to_take--;
      in_beat = turned(in_beat, in_beat == P::Beats - 1);
    }
    must_move(sends || written);
    present = present + written - gone;
    free = free + freed - written;
  }
}

}  // namespace bitfold

#endif
