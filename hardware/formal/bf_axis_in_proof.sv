// SPDX-License-Identifier: Apache-2.0
// bf_axis_in_proof: bf_axis_in sends every plane of every beat once and in order, without a pause.
//
// frame_error_o rises after the first s_axis_tlast that is not where it belongs, and stays.
//
// Test         tests/hardware/formal/test_proofs.py
module bf_axis_in_proof #(
  parameter  int unsigned Group         = 2,
  parameter  int unsigned Planes        = 2,
  parameter  int unsigned BeatsPerFrame = 3,
  parameter  int unsigned Reach         = 0,
  localparam int unsigned ITEM_WIDTH    = Planes > 1 ? $clog2(Planes) : 1
) (
  input logic                  clk_i,
  input logic                  rst_ni,
  input logic                  mark_i,
  input logic [ITEM_WIDTH-1:0] mark_item_i,
  input logic [8*Group-1:0]    s_axis_tdata,
  input logic                  s_axis_tvalid,
  input logic                  s_axis_tlast,
  input logic                  out_ready_i
);
  localparam int unsigned LEVEL_WIDTH = $clog2(3 * Planes + 1);

  logic                    tready, out_valid, push, frame_error;
  logic [Group-1:0]        out_data;
  logic [Planes*Group-1:0] planes;              // of s_axis_tdata, the most significant lowest
  logic [LEVEL_WIDTH-1:0]  level;
  logic [31:0]             beat_q;              // in its frame
  logic                    wrong_q;

  for (genvar p = 0; p < Planes; p++) begin : g_plane
    for (genvar i = 0; i < Group; i++) begin : g_value
      assign planes[p*Group + i] = s_axis_tdata[8*i + Planes - 1 - p];
    end
  end

  assign push = s_axis_tvalid && tready;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      beat_q  <= '0;
      wrong_q <= 1'b0;
    end else if (push) begin
      beat_q  <= beat_q == BeatsPerFrame - 1 ? '0 : beat_q + 1'b1;
      wrong_q <= wrong_q || s_axis_tlast != (beat_q == BeatsPerFrame - 1);
    end
  end

  bf_axis_in #(
    .Group         (Group),
    .Planes        (Planes),
    .BeatsPerFrame (BeatsPerFrame)
  ) u_axis_in (
    .clk_i,
    .rst_ni,
    .s_axis_tdata,
    .s_axis_tvalid,
    .s_axis_tready (tready),
    .s_axis_tlast,
    .out_valid_o   (out_valid),
    .out_ready_i,
    .out_data_o    (out_data),
    .frame_error_o (frame_error)
  );

  bf_follow #(
    .Width    (Group),
    .Push     (Planes),
    .Capacity (2 * Planes),
    .Reach    (Reach)
  ) u_follow (
    .clk_i,
    .rst_ni,
    .mark_i,
    .mark_item_i,
    .push_i      (push),
    .push_data_i (planes),
    .valid_i     (out_valid),
    .ready_i     (out_ready_i),
    .data_i      (out_data),
    .level_o     (level)
  );

  if (Reach == 0) begin : g_claims
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        offered: assert (out_valid == (level != '0));
        open:    assert (tready == (level <= LEVEL_WIDTH'(Planes)));
        framed:  assert (frame_error == wrong_q);
      end
    end
  end
endmodule
