// SPDX-License-Identifier: Apache-2.0
// bf_gather_proof: bf_gather makes words of beats, each bit in its place, and stops only when full.
//
// An item is a beat: a word holds those of a group of channels, bit by bit among its integers.
//
// Test         tests/hardware/formal/test_proofs.py
module bf_gather_proof #(
  parameter int unsigned Group   = 2,
  parameter int unsigned Planes  = 2,
  parameter int unsigned Words   = 2,
  parameter bit          Bipolar = 1'b0,
  parameter int unsigned Reach   = 0
) (
  input logic             clk_i,
  input logic             rst_ni,
  input logic             mark_i,
  input logic             in_valid_i,
  input logic [Group-1:0] in_data_i,
  input logic             out_ready_i
);
  localparam int unsigned WIDTH       = Bipolar ? 2 : Planes;
  localparam int unsigned VECTOR      = Words * Planes;         // beats
  localparam int unsigned LEVEL_WIDTH = $clog2(2 * VECTOR + 2);

  logic                    in_ready, out_valid, push;
  logic [Group*WIDTH-1:0]  out_data;
  logic [Planes*Group-1:0] beats;               // of the word offered, the first in the low bits
  logic [Group-1:0]        odd;                 // an integer's low bit, which is 1 if bipolar
  logic [LEVEL_WIDTH-1:0]  level, begun_q;      // begun: beats of the vector that is not complete

  for (genvar i = 0; i < Group; i++) begin : g_integer
    assign odd[i] = out_data[i*WIDTH];
    if (Bipolar) begin : g_bipolar
      assign beats[i] = !out_data[2*i + 1];
    end else begin : g_code
      for (genvar p = 0; p < Planes; p++) begin : g_bit
        assign beats[p*Group + i] = out_data[i*WIDTH + Planes - 1 - p];
      end
    end
  end

  assign push = in_valid_i && in_ready;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begun_q <= '0;
    else if (push) begun_q <= begun_q == LEVEL_WIDTH'(VECTOR - 1) ? '0 : begun_q + 1'b1;
  end

  bf_gather #(
    .Group   (Group),
    .Planes  (Planes),
    .Words   (Words),
    .Bipolar (Bipolar)
  ) u_gather (
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
    .Width    (Group),
    .Pop      (Planes),
    .Capacity (2 * VECTOR),
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
    .data_i      (beats),
    .level_o     (level)
  );

  if (Reach == 0) begin : g_claims
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        offered: assert (out_valid == (level != begun_q));
        open:    assert (in_ready == (level - begun_q <= LEVEL_WIDTH'(VECTOR)));
        bipolar: assert (!Bipolar || !out_valid || &odd);
      end
    end
  end
endmodule
