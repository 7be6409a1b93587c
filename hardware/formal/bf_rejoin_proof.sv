// SPDX-License-Identifier: Apache-2.0
// bf_rejoin_proof: branches that part at a bf_fork and meet at a bf_join never lock up.
//
// Branch 0 keeps Ahead vectors back, as a window does that needs rows below its own; branch 1 is a
// wire. The claim: whatever comes, and however the consumer stalls, there are never more than
// Patience cycles in a row in which nothing may enter and nothing is offered. It holds when the
// fork's FIFO of branch 1 has room for what branch 0 keeps waiting.
//
// Test         tests/hardware/formal/test_proofs.py
module bf_rejoin_proof #(
  parameter int unsigned Beats    = 1,          // of a vector
  parameter int unsigned Ahead    = 1,          // vectors that branch 0 keeps back
  parameter int unsigned Vectors  = 3,          // that the fork holds for branch 1
  parameter int unsigned Patience = 2,          // cycles
  parameter int unsigned Reach    = 0           // 1: claim that no word leaves
) (
  input logic clk_i,
  input logic rst_ni,
  input logic in_valid_i,
  input logic out_ready_i
);
  localparam int unsigned KEPT        = Ahead * Beats;
  localparam int unsigned LEVEL_WIDTH = $clog2(KEPT + 3);
  localparam int unsigned STUCK_WIDTH = $clog2(Patience + 2);

  logic                   in_ready, out_valid, keep, go, fifo_ready, fifo_valid;
  logic [1:0]             valid, ready;         // at the fork; branch 1 is the join's too
  logic [1:0]             taken;                // at the join
  logic [LEVEL_WIDTH-1:0] kept_q;               // words that branch 0 holds
  logic [STUCK_WIDTH-1:0] stuck_q;
  logic                   begun_q;
  logic [3:0]             unused;               // words; they do not matter here

  bf_fork #(
    .Width    (1),
    .Beats    (Beats),
    .Branches (2),
    .Vectors  ({32'(Vectors), 32'd2})
  ) u_fork (
    .clk_i,
    .rst_ni,
    .in_valid_i,
    .in_ready_o  (in_ready),
    .in_data_i   (1'b0),
    .out_valid_o (valid),
    .out_ready_i (ready),
    .out_data_o  (unused[1:0])
  );

  bf_fifo #(
    .Width (1),
    .Depth (KEPT + 2)
  ) u_keep (
    .clk_i,
    .rst_ni,
    .in_valid_i  (valid[0]),
    .in_ready_o  (fifo_ready),
    .in_data_i   (1'b0),
    .out_valid_o (fifo_valid),
    .out_ready_i (go && taken[0]),
    .out_data_o  (unused[2])
  );

  assign go    = fifo_valid && kept_q > LEVEL_WIDTH'(KEPT);
  assign keep  = valid[0] && fifo_ready;
  assign ready = {taken[1], fifo_ready};

  bf_join #(
    .Width    (1),
    .Branches (2),
    .Beats    ({32'(Beats), 32'(Beats)})
  ) u_join (
    .clk_i,
    .rst_ni,
    .in_valid_i  ({valid[1], go}),
    .in_ready_o  (taken),
    .in_data_i   (2'b00),
    .out_valid_o (out_valid),
    .out_ready_i,
    .out_data_o  (unused[3])
  );

  initial begun_q = 1'b0;

  always_ff @(posedge clk_i) begin
    begun_q <= 1'b1;
    assume (begun_q || !rst_ni);
    if (!rst_ni) begin
      kept_q  <= '0;
      stuck_q <= '0;
    end else begin
      kept_q  <= kept_q + LEVEL_WIDTH'(keep) - LEVEL_WIDTH'(go && taken[0]);
      stuck_q <= in_ready || out_valid ? '0 : stuck_q + 1'b1;
    end
  end

  if (Reach == 1) begin : g_leaves
    always_ff @(posedge clk_i) if (rst_ni) assert (!out_valid);
  end else begin : g_claims
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        alive: assert (stuck_q <= STUCK_WIDTH'(Patience));
      end
    end
  end
endmodule
