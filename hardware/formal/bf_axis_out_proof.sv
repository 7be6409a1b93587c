// SPDX-License-Identifier: Apache-2.0
// bf_axis_out_proof: every integer leaves bf_axis_out once and in order, m_axis_tlast in its place.
//
// What is inside is offered after a cycle at most; an empty stage takes a word.
//
// Test         tests/hardware/formal/test_proofs.py
module bf_axis_out_proof #(
  parameter  int unsigned Items   = 2,
  parameter  int unsigned Width   = 2,
  parameter  int unsigned Outputs = 4,
  parameter  bit          Signed  = 1'b1,
  parameter  int unsigned Reach   = 0,
  localparam int unsigned ITEM_WIDTH = Items > 1 ? $clog2(Items) : 1
) (
  input logic                   clk_i,
  input logic                   rst_ni,
  input logic                   mark_i,
  input logic [ITEM_WIDTH-1:0]  mark_item_i,
  input logic                   in_valid_i,
  input logic [Items*Width-1:0] in_data_i,
  input logic                   m_axis_tready
);
  localparam int unsigned CAPACITY    = Items + 2;
  localparam int unsigned LEVEL_WIDTH = $clog2(CAPACITY + Items + 1);

  logic                   in_ready, tvalid, tlast, late_q;
  logic [31:0]            tdata, extended;
  logic [LEVEL_WIDTH-1:0] level;
  logic [31:0]            sent_q;               // integers of the present frame

  always_comb begin
    extended = Signed && tdata[Width-1] ? '1 : '0;
    extended[Width-1:0] = tdata[Width-1:0];
  end

  always_ff @(posedge clk_i) begin
    late_q <= rst_ni && level != '0 && !tvalid;
    if (!rst_ni) sent_q <= '0;
    else if (tvalid && m_axis_tready) sent_q <= sent_q == Outputs - 1 ? '0 : sent_q + 1'b1;
  end

  bf_axis_out #(
    .Items   (Items),
    .Width   (Width),
    .Outputs (Outputs),
    .Signed  (Signed)
  ) u_axis_out (
    .clk_i,
    .rst_ni,
    .in_valid_i,
    .in_ready_o    (in_ready),
    .in_data_i,
    .m_axis_tdata  (tdata),
    .m_axis_tvalid (tvalid),
    .m_axis_tready,
    .m_axis_tlast  (tlast)
  );

  bf_follow #(
    .Width    (Width),
    .Push     (Items),
    .Capacity (CAPACITY),
    .Reach    (Reach)
  ) u_follow (
    .clk_i,
    .rst_ni,
    .mark_i,
    .mark_item_i,
    .push_i      (in_valid_i && in_ready),
    .push_data_i (in_data_i),
    .valid_i     (tvalid),
    .ready_i     (m_axis_tready),
    .data_i      (tdata[Width-1:0]),
    .level_o     (level)
  );

  if (Reach == 0) begin : g_claims
    always_ff @(posedge clk_i) begin
      if (rst_ni) begin
        offered:  assert (tvalid || level == '0 || !late_q);
        open:     assert (in_ready || level > LEVEL_WIDTH'(1));
        sized:    assert (!tvalid || tdata == extended);
        finished: assert (!tvalid || tlast == (sent_q == Outputs - 1));
      end
    end
  end
endmodule
