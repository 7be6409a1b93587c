// SPDX-License-Identifier: Apache-2.0
// bf_unpack: words of several items to one item a cycle, the low item first.
//
// Streams      in_*, out_*; transfer on valid && ready; payload stable until taken.
// Rate         one item a cycle, also across words. Latency 1 cycle.
// Comb. paths  out_ready_i -> in_ready_o (a word enters while the last item before it leaves).
// Timing       exact (in: cycle of word w; out: that of its last item):
//                out(w) = max(in(w) + Items, out(w-1) + Items, consumer);  in(w) >= out(w-1)
// Golden       a queue; test: tests/hardware/test_bf_unpack.py
module bf_unpack #(
  parameter int unsigned Items = 4,             // of a word, >= 1
  parameter int unsigned Width = 16             // bits of an item, >= 1
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,        // synchronous, active low
  // Words in.
  input  logic                   in_valid_i,
  output logic                   in_ready_o,
  input  logic [Items*Width-1:0] in_data_i,
  // Items out.
  output logic                   out_valid_o,
  input  logic                   out_ready_i,
  output logic [Width-1:0]       out_data_o
);
  localparam int unsigned COUNT_WIDTH = Items > 1 ? $clog2(Items) : 1;

  logic [Items*Width-1:0] items_q;
  logic [COUNT_WIDTH-1:0] count_q;
  logic                   valid_q, last;

  assign last        = count_q == COUNT_WIDTH'(Items - 1);
  assign in_ready_o  = !valid_q || (last && out_ready_i);
  assign out_valid_o = valid_q;
  assign out_data_o  = items_q[Width-1:0];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_q <= 1'b0;
      count_q <= '0;
    end else begin
      if (in_ready_o) valid_q <= in_valid_i;
      if (valid_q && out_ready_i) count_q <= last ? '0 : count_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (in_ready_o) items_q <= in_data_i;
    else if (out_ready_i) items_q <= items_q >> Width;
  end

`ifndef SYNTHESIS
  initial if (Items < 1 || Width < 1) $fatal(1, "%m: Items and Width must be >= 1");
`endif
endmodule
