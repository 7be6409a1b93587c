// SPDX-License-Identifier: Apache-2.0
// bf_join_proof: bf_join lets through a vector of each branch in turn, nothing else, and all of it.
//
// The branch whose turn it is is let in when there is room for a whole vector of the result, and
// then it is not stopped; no other branch is let in.
//
// Test         tests/hardware/formal/test_proofs.py
module bf_join_proof #(
  parameter int unsigned Width    = 1,
  parameter int unsigned Branches = 2,
  parameter logic [32*Branches-1:0] Beats = {Branches{32'd2}},
  parameter int unsigned Total    = 4,          // sum of Beats
  parameter int unsigned Reach    = 0
) (
  input logic                      clk_i,
  input logic                      rst_ni,
  input logic                      mark_i,
  input logic [Branches-1:0]       in_valid_i,
  input logic [Branches*Width-1:0] in_data_i,
  input logic                      out_ready_i
);
  localparam int unsigned LEVEL_WIDTH = $clog2(2 * Total + 2);

  logic [Branches-1:0]    in_ready, turn;       // turn: one bit, that of the branch expected
  logic                   out_valid, open, push;
  logic [Width-1:0]       out_data, in_data;
  logic [LEVEL_WIDTH-1:0] level;
  logic [31:0]            first;
  logic [LEVEL_WIDTH-1:0] place_q;              // words of the present result that have entered

  // Whose turn it is follows from the place.
  always_comb begin
    turn    = '0;
    in_data = '0;
    first   = '0;
    for (int unsigned k = 0; k < Branches; k++) begin
      if (32'(place_q) >= first && 32'(place_q) < first + Beats[32*k +: 32]) begin
        turn[k] = 1'b1;
        in_data = in_data_i[k*Width +: Width];
      end
      first = first + Beats[32*k +: 32];
    end
  end

  assign open = place_q != '0 || level <= LEVEL_WIDTH'(Total);
  assign push = |(in_valid_i & in_ready);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) place_q <= '0;
    else if (push) place_q <= place_q == LEVEL_WIDTH'(Total - 1) ? '0 : place_q + 1'b1;
  end

  bf_join #(
    .Width    (Width),
    .Branches (Branches),
    .Beats    (Beats)
  ) u_join (
    .clk_i,
    .rst_ni,
    .in_valid_i,
    .in_ready_o  (in_ready),
    .in_data_i,
    .out_valid_o (out_valid),
    .out_ready_i,
    .out_data_o  (out_data)
  );

  bf_follow #(
    .Width    (Width),
    .Capacity (2 * Total),
    .Reach    (Reach)
  ) u_follow (
    .clk_i,
    .rst_ni,
    .mark_i,
    .mark_item_i (1'b0),
    .push_i      (push),
    .push_data_i (in_data),
    .valid_i     (out_valid),
    .ready_i     (out_ready_i),
    .data_i      (out_data),
    .level_o     (level)
  );

  if (Reach == 0) begin : g_claims
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        offered: assert (out_valid == (level != '0));
        ordered: assert (in_ready == (open ? turn : '0));
      end
    end
  end
endmodule
