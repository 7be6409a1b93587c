// SPDX-License-Identifier: Apache-2.0
// bf_skid_proof: bf_skid keeps the rules of a stream, whatever its neighbours do.
//
// Test         tests/hardware/formal/test_proofs.py
module bf_skid_proof #(
  parameter int unsigned Width = 2,
  parameter int unsigned Reach = 0
) (
  input logic             clk_i,
  input logic             rst_ni,
  input logic             mark_i,
  input logic             in_valid_i,
  input logic [Width-1:0] in_data_i,
  input logic             out_ready_i
);
  logic             in_ready, out_valid;
  logic [Width-1:0] out_data;
  logic [1:0]       level;

  bf_skid #(
    .Width (Width)
  ) u_skid (
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
    .Capacity (2),
    .Reach    (Reach)
  ) u_follow (
    .clk_i,
    .rst_ni,
    .mark_i,
    .mark_item_i (1'b0),
    .push_i      (in_valid_i && in_ready),
    .push_data_i (in_data_i),
    .valid_i     (out_valid),
    .ready_i     (out_ready_i),
    .data_i      (out_data),
    .level_o     (level)
  );

  if (Reach == 0) begin : g_claims
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        offered: assert (out_valid == (level != 2'd0));
        open:    assert (in_ready == (level != 2'd2));
      end
    end
  end
endmodule
