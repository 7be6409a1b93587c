// SPDX-License-Identifier: Apache-2.0
// bf_fork: one stream to several, each with a FIFO of whole vectors.
//
// A vector is taken when every FIFO has room for the whole of it, so that a branch that waits for
// another one (at the bf_join where they meet) does not stop it: see bitfold.cost.depths.
//
// Parameters   Vectors         32 bits a branch, branch 0 lowest: vectors that its FIFO holds, >= 2
//
// Streams      in_*, out_*[k]; transfer on valid && ready; payload stable until taken. The ports
//              of branch k are bit k of out_valid_o and out_ready_i, and word k of out_data_o.
// Rate         1 beat/cycle. Ready changes only between vectors.
// Timing       in(v) >= taken_k(v - V_k) + Beats; beat i of out_k(v) is offered from the cycle
//              after it was taken on.
// Comb. paths  none.
// Golden       a queue; test: tests/hardware/test_bf_fork.py
module bf_fork #(
  parameter  int unsigned Width    = 4,      // bits of a beat
  parameter  int unsigned Beats    = 4,      // of a vector
  parameter  int unsigned Branches = 2,
  parameter  logic [32*Branches-1:0] Vectors = {Branches{32'd2}}
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,  // synchronous, active low
  // Stream in.
  input  logic                      in_valid_i,
  output logic                      in_ready_o,
  input  logic [Width-1:0]          in_data_i,
  // Streams out.
  output logic [Branches-1:0]       out_valid_o,
  input  logic [Branches-1:0]       out_ready_i,
  output logic [Branches*Width-1:0] out_data_o
);
  localparam int unsigned BEAT_WIDTH = Beats > 1 ? $clog2(Beats) : 1;

  logic [BEAT_WIDTH-1:0] beat_q;             // expected
  logic [Branches-1:0]   room;
  logic                  first, fire;

  assign first      = beat_q == '0;
  assign in_ready_o = !first || &room;
  assign fire       = in_valid_i && in_ready_o;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) beat_q <= '0;
    else if (fire) beat_q <= beat_q == BEAT_WIDTH'(Beats - 1) ? '0 : beat_q + 1'b1;
  end

  for (genvar k = 0; k < Branches; k++) begin : g_branch
    bf_vecfifo #(
      .Width   (Width),
      .Beats   (Beats),
      .Vectors (32'(Vectors[32*k +: 32]))
    ) i_fifo (
      .clk_i       (clk_i),
      .rst_ni      (rst_ni),
      .room_o      (room[k]),
      .reserve_i   (fire && first),
      .in_valid_i  (fire),
      .in_data_i   (in_data_i),
      .out_valid_o (out_valid_o[k]),
      .out_ready_i (out_ready_i[k]),
      .out_data_o  (out_data_o[k*Width +: Width])
    );
  end

`ifndef SYNTHESIS
  initial if (Branches < 1) $fatal(1, "%m: Branches >= 1 required");
`endif
endmodule
