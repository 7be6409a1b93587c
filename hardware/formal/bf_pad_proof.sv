// SPDX-License-Identifier: Apache-2.0
// bf_pad_proof: every beat of the map leaves bf_pad once and in its place; around it are zeros.
//
// The place is counted here in beats that have left. The zeros before the first pixel wait until
// the whole of it is inside; whatever else is due is offered at once.
//
// Test         tests/hardware/formal/test_proofs.py
module bf_pad_proof #(
  parameter int unsigned Group     = 1,
  parameter int unsigned Beats     = 1,
  parameter int unsigned Height    = 2,
  parameter int unsigned Width     = 2,
  parameter int unsigned PadTop    = 1,
  parameter int unsigned PadLeft   = 1,
  parameter int unsigned PadBottom = 1,
  parameter int unsigned PadRight  = 1,
  parameter int unsigned Reach     = 0
) (
  input logic             clk_i,
  input logic             rst_ni,
  input logic             mark_i,
  input logic             in_valid_i,
  input logic [Group-1:0] in_data_i,
  input logic             out_ready_i
);
  localparam int unsigned OUT_W       = PadLeft + Width + PadRight;
  localparam int unsigned OUT_H       = PadTop + Height + PadBottom;
  localparam int unsigned LAST        = OUT_H * OUT_W * Beats - 1;
  localparam int unsigned PLACE_WIDTH = $clog2(LAST + 2);
  localparam int unsigned LEVEL_WIDTH = $clog2(2 * Beats + 2);

  // Which pixels of the padded map are the map's.
  function automatic logic [OUT_H*OUT_W-1:0] map_of(input int unsigned first);
    map_of = '0;
    for (int unsigned y = 0; y < Height; y++) begin
      for (int unsigned x = 0; x < Width; x++) map_of[first + y * OUT_W + x] = 1'b1;
    end
  endfunction

  localparam int unsigned            FIRST = PadTop * OUT_W + PadLeft;
  localparam logic [OUT_H*OUT_W-1:0] MAP   = map_of(FIRST);

  logic                   in_ready, out_valid, inner, early;
  logic [Group-1:0]       out_data;
  logic [LEVEL_WIDTH-1:0] level, begun_q;       // begun: beats of the pixel that is entering
  logic [PLACE_WIDTH-1:0] place_q;              // of the beat that is due, in its frame

  always_comb begin
    inner = 1'b0;
    for (int unsigned i = 0; i < OUT_H * OUT_W; i++) begin
      if (place_q >= PLACE_WIDTH'(i * Beats) && place_q < PLACE_WIDTH'((i + 1) * Beats)) begin
        inner = MAP[i];
      end
    end
  end
  assign early = place_q < PLACE_WIDTH'(FIRST * Beats);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      place_q <= '0;
      begun_q <= '0;
    end else begin
      if (out_valid && out_ready_i) begin
        place_q <= place_q == PLACE_WIDTH'(LAST) ? '0 : place_q + 1'b1;
      end
      if (in_valid_i && in_ready) begin
        begun_q <= begun_q == LEVEL_WIDTH'(Beats - 1) ? '0 : begun_q + 1'b1;
      end
    end
  end

  bf_pad #(
    .Group     (Group),
    .Beats     (Beats),
    .Height    (Height),
    .Width     (Width),
    .PadTop    (PadTop),
    .PadLeft   (PadLeft),
    .PadBottom (PadBottom),
    .PadRight  (PadRight)
  ) u_pad (
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
    .Capacity (2 * Beats),
    .Reach    (Reach)
  ) u_follow (
    .clk_i,
    .rst_ni,
    .mark_i,
    .mark_item_i (1'b0),
    .push_i      (in_valid_i && in_ready),
    .push_data_i (in_data_i),
    .valid_i     (out_valid && inner),
    .ready_i     (out_ready_i),
    .data_i      (out_data),
    .level_o     (level)
  );

  if (Reach == 0) begin : g_claims
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        offered: assert (out_valid == (inner ? level != '0 : !early || level != begun_q));
        zeros:   assert (inner || !out_valid || out_data == '0);
        open:    assert (in_ready == (begun_q != '0 || level <= LEVEL_WIDTH'(Beats)));
      end
    end
  end
endmodule
