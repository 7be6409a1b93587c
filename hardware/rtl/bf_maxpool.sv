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

  logic [Group-1:0]       memory [Beats];       // the greatest so far
  logic [BEAT_WIDTH-1:0]  beat_q;
  logic [PLANE_WIDTH-1:0] plane_q;
  logic [POS_WIDTH-1:0]   pos_q;
  logic [Group-1:0]       decided_q, decided, newer_q, old, kept, tied, differ;
  logic                   beat_last, plane_first, plane_last, pos_first, pos_last;
  logic                   sign, take, fifo_ready;

  assign beat_last   = beat_q == BEAT_WIDTH'(Beats - 1);
  assign plane_first = plane_q == '0;
  assign plane_last  = plane_q == PLANE_WIDTH'(Planes - 1);
  assign pos_first   = pos_q == '0;
  assign pos_last    = pos_q == POS_WIDTH'(Positions - 1);
  assign in_ready_o  = !pos_last || fifo_ready;
  assign take        = in_valid_i && in_ready_o;

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

  // Bit by bit: the bit that the greater of the two values has in this plane. While undecided, the
  // bits before were equal; in a sign plane 0 is the greater.
  assign sign    = Signed && plane_first;
  assign old     = memory[beat_q];
  assign decided = plane_first ? '0 : decided_q;
  assign differ  = in_data_i ^ old;
  assign tied    = sign ? in_data_i & old : in_data_i | old;

  always_comb begin
    kept = (decided & ((newer_q & in_data_i) | (~newer_q & old))) | (~decided & tied);
    if (pos_first) kept = in_data_i;
  end

  always_ff @(posedge clk_i) begin
    if (take) begin
      memory[beat_q] <= kept;
      decided_q      <= decided | differ;
      newer_q        <= (decided & newer_q) | (~decided & (sign ? ~in_data_i : in_data_i));
    end
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
