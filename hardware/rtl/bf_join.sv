// SPDX-License-Identifier: Apache-2.0
// bf_join: several streams to one: a vector of each in turn. Concatenation of channels; in front of
// a bf_vvau the operands of a sum.
//
// Parameters   Beats           32 bits a branch, branch 0 lowest: beats of its vector
//
// Streams      in_*[k], out_*; transfer on valid && ready; payload stable until taken. The ports of
//              branch k are bit k of in_valid_i and in_ready_o, and word k of in_data_i.
// Rate         1 beat/cycle. Ready changes only between the branches' vectors.
// Timing       in_0(v) >= max(taken(v - 2) + Beats_0, in_last(v - 1) + Beats_0),
//              in_k(v) >= in_(k-1)(v) + Beats_k; beat i is offered from the cycle after it was taken.
// Comb. paths  none.
// Golden       Python lists; test: tests/hardware/test_bf_join.py
module bf_join #(
  parameter  int unsigned Width    = 4,      // bits of a beat
  parameter  int unsigned Branches = 2,
  parameter  logic [32*Branches-1:0] Beats = {Branches{32'd4}}
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,  // synchronous, active low
  // Streams in.
  input  logic [Branches-1:0]       in_valid_i,
  output logic [Branches-1:0]       in_ready_o,
  input  logic [Branches*Width-1:0] in_data_i,
  // Stream out.
  output logic                      out_valid_o,
  input  logic                      out_ready_i,
  output logic [Width-1:0]          out_data_o
);
  function automatic int unsigned sum_of(input logic [32*Branches-1:0] beats);
    sum_of = 0;
    for (int unsigned k = 0; k < Branches; k++) sum_of += 32'(beats[32*k +: 32]);
  endfunction

  localparam int unsigned TOTAL        = sum_of(Beats);
  localparam int unsigned BEAT_WIDTH   = TOTAL > 1 ? $clog2(TOTAL) : 1;
  localparam int unsigned BRANCH_WIDTH = Branches > 1 ? $clog2(Branches) : 1;

  logic [BRANCH_WIDTH-1:0] branch_q;         // whose turn it is
  logic [BEAT_WIDTH-1:0]   beat_q, last;     // in its vector
  logic [Width-1:0]        data;
  logic                    room, first, open, valid, fire;

  always_comb begin
    last  = '0;
    data  = '0;
    valid = 1'b0;
    for (int unsigned k = 0; k < Branches; k++) begin
      in_ready_o[k] = open && branch_q == BRANCH_WIDTH'(k);
      if (branch_q == BRANCH_WIDTH'(k)) begin
        last  = BEAT_WIDTH'(Beats[32*k +: 32] - 1);
        data  = in_data_i[k*Width +: Width];
        valid = in_valid_i[k];
      end
    end
  end

  assign first = branch_q == '0 && beat_q == '0;
  assign open  = !first || room;
  assign fire  = valid && open;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      branch_q <= '0;
      beat_q   <= '0;
    end else if (fire) begin
      beat_q <= beat_q == last ? '0 : beat_q + 1'b1;
      if (beat_q == last) begin
        branch_q <= branch_q == BRANCH_WIDTH'(Branches - 1) ? '0 : branch_q + 1'b1;
      end
    end
  end

  bf_vecfifo #(
    .Width   (Width),
    .Beats   (TOTAL),
    .Vectors (2)
  ) i_fifo (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .room_o      (room),
    .reserve_i   (fire && first),
    .in_valid_i  (fire),
    .in_data_i   (data),
    .out_valid_o (out_valid_o),
    .out_ready_i (out_ready_i),
    .out_data_o  (out_data_o)
  );

`ifndef SYNTHESIS
  initial if (Branches < 1) $fatal(1, "%m: Branches >= 1 required");
`endif
endmodule
