// SPDX-License-Identifier: Apache-2.0
// bf_fork_proof: every branch of bf_fork gets every word once and in order, and waits for no other.
//
// A vector is let in exactly when each branch has room for the whole of it, and then it is not
// stopped; each branch offers what it holds, whatever the others do.
//
// Test         tests/hardware/formal/test_proofs.py
module bf_fork_proof #(
  parameter int unsigned Width    = 1,
  parameter int unsigned Beats    = 2,
  parameter int unsigned Branches = 2,
  parameter logic [32*Branches-1:0] Vectors = {Branches{32'd2}},
  parameter int unsigned Reach    = 0
) (
  input logic                clk_i,
  input logic                rst_ni,
  input logic                mark_i,
  input logic                in_valid_i,
  input logic [Width-1:0]    in_data_i,
  input logic [Branches-1:0] out_ready_i
);
  localparam int unsigned BEAT_WIDTH = $clog2(Beats + 1);

  logic                      in_ready, push;
  logic [Branches-1:0]       out_valid, room;
  logic [Branches*Width-1:0] out_data;
  logic [BEAT_WIDTH-1:0]     beat_q;            // in its vector

  assign push = in_valid_i && in_ready;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) beat_q <= '0;
    else if (push) beat_q <= beat_q == BEAT_WIDTH'(Beats - 1) ? '0 : beat_q + 1'b1;
  end

  bf_fork #(
    .Width    (Width),
    .Beats    (Beats),
    .Branches (Branches),
    .Vectors  (Vectors)
  ) u_fork (
    .clk_i,
    .rst_ni,
    .in_valid_i,
    .in_ready_o  (in_ready),
    .in_data_i,
    .out_valid_o (out_valid),
    .out_ready_i,
    .out_data_o  (out_data)
  );

  for (genvar k = 0; k < Branches; k++) begin : g_branch
    localparam int unsigned DEPTH       = 32'(Vectors[32*k +: 32]) * Beats;
    localparam int unsigned LEVEL_WIDTH = $clog2(DEPTH + 2);

    logic [LEVEL_WIDTH-1:0] level;

    assign room[k] = level <= LEVEL_WIDTH'(DEPTH - Beats);

    bf_follow #(
      .Width    (Width),
      .Capacity (DEPTH),
      .Reach    (Reach)
    ) u_follow (
      .clk_i,
      .rst_ni,
      .mark_i,
      .mark_item_i (1'b0),
      .push_i      (push),
      .push_data_i (in_data_i),
      .valid_i     (out_valid[k]),
      .ready_i     (out_ready_i[k]),
      .data_i      (out_data[k*Width +: Width]),
      .level_o     (level)
    );

    if (Reach == 0) begin : g_claims
      always_ff @(posedge clk_i) begin
        if (rst_ni) begin
          assert (out_valid[k] == (level != '0));
        end
      end
    end
  end

  if (Reach == 0) begin : g_claims
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        open: assert (in_ready == (beat_q != '0 || &room));
      end
    end
  end
endmodule
