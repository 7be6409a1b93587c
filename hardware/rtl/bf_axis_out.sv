// SPDX-License-Identifier: Apache-2.0
// bf_axis_out: words of integers to AXI4-Stream, one integer a beat.
//
// A word holds `Items` integers, the first in the low bits. Each leaves as 32 bits, sign-extended
// (or with Signed 0 zero-extended); m_axis_tlast marks the last of each frame of `Outputs`.
//
// Streams      in_*, m_axis_*; transfer on valid && ready; payload stable until taken.
// Rate         one integer a cycle, also across words and frames.
// Comb. paths  none from m_axis_* to in_ready_o.
// Timing       exact, by words w (in: its cycle; out: that of its last integer):
//                out(w) = max(in(w) + Items + 1, out(w-1) + Items, consumer)
//                in(w)  = max(offered(w), in(w-1) + Items, item (w-1, Items-3) taken + 1), where an
//                item before the word's first belongs to the word before it
// Golden       the integers; test: tests/hardware/test_bf_axis_out.py
module bf_axis_out #(
  parameter int unsigned Items   = 4,           // integers of a word, >= 1, divides Outputs
  parameter int unsigned Width   = 16,          // bits of an integer, 1 to 32
  parameter int unsigned Outputs = 16,          // integers of a frame
  parameter bit          Signed  = 1'b1
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,        // synchronous, active low
  // Words in.
  input  logic                   in_valid_i,
  output logic                   in_ready_o,
  input  logic [Items*Width-1:0] in_data_i,
  // Integers out.
  output logic [31:0]            m_axis_tdata,
  output logic                   m_axis_tvalid,
  input  logic                   m_axis_tready,
  output logic                   m_axis_tlast
);
  localparam int unsigned COUNT_WIDTH = Outputs > 1 ? $clog2(Outputs) : 1;

  logic                   item_valid, item_ready, last;
  logic [Width-1:0]       item, sent;
  logic [COUNT_WIDTH-1:0] count_q;

  bf_unpack #(
    .Items (Items),
    .Width (Width)
  ) u_unpack (
    .clk_i,
    .rst_ni,
    .in_valid_i,
    .in_ready_o,
    .in_data_i,
    .out_valid_o (item_valid),
    .out_ready_i (item_ready),
    .out_data_o  (item)
  );

  assign last = count_q == COUNT_WIDTH'(Outputs - 1);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) count_q <= '0;
    else if (item_valid && item_ready) count_q <= last ? '0 : count_q + 1'b1;
  end

  bf_skid #(
    .Width (Width + 1)
  ) u_skid (
    .clk_i,
    .rst_ni,
    .in_valid_i  (item_valid),
    .in_ready_o  (item_ready),
    .in_data_i   ({last, item}),
    .out_valid_o (m_axis_tvalid),
    .out_ready_i (m_axis_tready),
    .out_data_o  ({m_axis_tlast, sent})
  );

  if (Width == 32) begin : gen_whole
    assign m_axis_tdata = sent;
  end else begin : gen_extend
    assign m_axis_tdata = {{32 - Width{Signed && sent[Width-1]}}, sent};
  end

`ifndef SYNTHESIS
  initial begin
    if (Items < 1 || Outputs % Items != 0) $fatal(1, "%m: Items must divide Outputs");
    if (Width < 1 || Width > 32) $fatal(1, "%m: Width must be 1 to 32");
  end
`endif
endmodule
