// SPDX-License-Identifier: Apache-2.0
// bf_maxpool: maximum over the pixels of each window, on bit-planes.
//
// In: windows in im2col order, `Positions` pixels of `Beats` beats; out: one pixel a window. Values
// are compared most significant plane first: a channel is undecided until the first plane in which
// the new value and the greatest so far differ; from there on the winner's bits are kept. The
// result of a plane is known with the plane, so results are written while the last pixel enters.
//
// Streams      in_*, out_*; transfer on valid && ready; payload stable until taken.
// Rate         1 beat/cycle in; out Beats beats a window, through a FIFO of OutVectors pixels.
// Comb. paths  none from in_* to out_*, none from out_ready_i to in_ready_o.
// Timing       exact, by vectors (times of last beats; n = Positions*Beats):
//                out(v) = max(in(v) + 1, out(v-1) + Beats, consumer)
//                in(v)  = max(offered(v), in(v-1) + n, out(v-OutVectors) + 1)
//              A full FIFO holds back the last pixel of a window only.
// Golden       max of the integers; test: tests/hardware/test_bf_maxpool.py
module bf_maxpool #(
  parameter  int unsigned Group      = 8,       // channels of a beat, >= 1
  parameter  int unsigned Beats      = 8,       // beats of a pixel: channels / Group * Planes
  parameter  int unsigned Planes     = 4,       // divides Beats
  parameter  bit          Signed     = 1'b0,    // 1: the first plane is the sign plane
  parameter  int unsigned Positions  = 4,       // pixels of a window, >= 1
  parameter  int unsigned OutVectors = 2        // pixels that the output FIFO holds
) (
  input  logic             clk_i,
  input  logic             rst_ni,              // synchronous, active low
  // Windows in.
  input  logic             in_valid_i,
  output logic             in_ready_o,
  input  logic [Group-1:0] in_data_i,
  // Greatest values out.
  output logic             out_valid_o,
  input  logic             out_ready_i,
  output logic [Group-1:0] out_data_o
);
  localparam int unsigned BEAT_WIDTH  = Beats > 1 ? $clog2(Beats) : 1;
  localparam int unsigned PLANE_WIDTH = Planes > 1 ? $clog2(Planes) : 1;
  localparam int unsigned POS_WIDTH   = Positions > 1 ? $clog2(Positions) : 1;

  // What a channel's comparison has come to, new_q and old_q: 00 undecided, 10 the new value wins,
  // 01 the old one, 11 undecided before a sign plane. So the kept bit and both bits of the next
  // state are functions of 4 bits each: one LUT anywhere.
  logic [Group-1:0]       memory [Beats];                     // the greatest so far
  logic [BEAT_WIDTH-1:0]  beat_q;
  logic [PLANE_WIDTH-1:0] plane_q;
  logic [POS_WIDTH-1:0]   pos_q;
  logic [Group-1:0]       new_q, old_q, new_d, old_d, old, above, below, kept;
  logic                   beat_last, plane_last, pos_last, first_next, take, fifo_ready;

  assign beat_last  = beat_q == BEAT_WIDTH'(Beats - 1);
  assign plane_last = plane_q == PLANE_WIDTH'(Planes - 1);
  assign pos_last   = pos_q == POS_WIDTH'(Positions - 1);
  // The next value is of a window's first pixel, which has nothing to be compared with.
  assign first_next = beat_last ? pos_last : pos_q == '0;
  assign in_ready_o = !pos_last || fifo_ready;
  assign take       = in_valid_i && in_ready_o;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      beat_q  <= '0;
      plane_q <= '0;
      pos_q   <= '0;
    end else if (take) begin
      beat_q  <= beat_last ? '0 : beat_q + 1'b1;
      plane_q <= plane_last ? '0 : plane_q + 1'b1;
      if (beat_last) pos_q <= pos_last ? '0 : pos_q + 1'b1;
    end
  end

  // While undecided, the bits before were equal and the greater bit is the one of either; of two
  // sign bits 0 is the greater.
  assign old   = memory[beat_q];
  assign above = in_data_i & ~old;
  assign below = ~in_data_i & old;
  assign kept  = (in_data_i & old) | (in_data_i & ~old_q) | (old & ~new_q);
  assign new_d = (new_q & ~old_q) | (~new_q & ~old_q & above) | (new_q & old_q & below);
  assign old_d = (~new_q & old_q) | (~new_q & ~old_q & below) | (new_q & old_q & above);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      new_q <= '1;
      old_q <= '0;
    end else if (take) begin
      new_q <= plane_last ? {Group{first_next || Signed}} : new_d;
      old_q <= plane_last ? {Group{!first_next && Signed}} : old_d;
    end
  end

  always_ff @(posedge clk_i) begin
    if (take) memory[beat_q] <= kept;
  end

  bf_fifo #(
    .Width (Group),
    .Depth (OutVectors * Beats)
  ) u_fifo (
    .clk_i,
    .rst_ni,
    .in_valid_i  (in_valid_i && pos_last),
    .in_ready_o  (fifo_ready),
    .in_data_i   (kept),
    .out_valid_o,
    .out_ready_i,
    .out_data_o
  );

`ifndef SYNTHESIS
  initial begin
    if (Group < 1 || Beats < 1 || Planes < 1 || Positions < 1)
      $fatal(1, "%m: Group, Beats, Planes and Positions must be >= 1");
    if (OutVectors * Beats < 2) $fatal(1, "%m: OutVectors * Beats must be >= 2");
    if (Beats % Planes != 0) $fatal(1, "%m: Planes must divide Beats");
  end
`endif
endmodule
