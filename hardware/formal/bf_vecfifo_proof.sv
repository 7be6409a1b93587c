// SPDX-License-Identifier: Apache-2.0
// bf_vecfifo_proof: bf_vecfifo keeps the rules of a stream, and room_o is never wrong.
//
// The producer reserves only where there is room, and writes only words of vectors it reserved; at
// any time, the cycle of reserving included.
//
// Test         tests/hardware/formal/test_proofs.py
module bf_vecfifo_proof #(
  parameter int unsigned Width   = 2,
  parameter int unsigned Beats   = 2,
  parameter int unsigned Vectors = 2,
  parameter int unsigned Reach   = 0
) (
  input logic             clk_i,
  input logic             rst_ni,
  input logic             mark_i,
  input logic             reserve_i,
  input logic             in_valid_i,
  input logic [Width-1:0] in_data_i,
  input logic             out_ready_i
);
  localparam int unsigned DEPTH       = Beats * Vectors;
  localparam int unsigned LEVEL_WIDTH = $clog2(DEPTH + 2);

  logic                   room, reserve, push, out_valid;
  logic [Width-1:0]       out_data;
  logic [LEVEL_WIDTH-1:0] level;
  logic [LEVEL_WIDTH-1:0] owed_q, owed;         // words of reserved vectors, not yet written

  assign reserve = reserve_i && room;
  assign owed    = owed_q + (reserve ? LEVEL_WIDTH'(Beats) : '0);
  assign push    = in_valid_i && owed != '0;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) owed_q <= '0;
    else owed_q <= owed - LEVEL_WIDTH'(push);
  end

  bf_vecfifo #(
    .Width   (Width),
    .Beats   (Beats),
    .Vectors (Vectors)
  ) u_vecfifo (
    .clk_i,
    .rst_ni,
    .room_o      (room),
    .reserve_i   (reserve),
    .in_valid_i  (push),
    .in_data_i,
    .out_valid_o (out_valid),
    .out_ready_i,
    .out_data_o  (out_data)
  );

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
    .valid_i     (out_valid),
    .ready_i     (out_ready_i),
    .data_i      (out_data),
    .level_o     (level)
  );

  if (Reach == 0) begin : g_claims
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        offered: assert (out_valid == (level != '0));
        open:    assert (room == (level + owed_q <= LEVEL_WIDTH'(DEPTH - Beats)));
      end
    end
  end
endmodule
