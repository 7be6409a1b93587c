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

  logic [Items*Width-1:0] items_q, items_d;
  logic [COUNT_WIDTH-1:0] left_q;               // items behind the present one
  logic                   valid_q, more_q;      // more: left_q is not 0
  logic                   advance;

  assign advance     = !valid_q || out_ready_i;
  assign in_ready_o  = advance && !more_q;
  assign out_valid_o = valid_q;
  assign out_data_o  = items_q[Width-1:0];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_q <= 1'b0;
      more_q  <= 1'b0;
      left_q  <= '0;
    end else if (advance) begin
      valid_q <= more_q || in_valid_i;
      more_q  <= more_q ? left_q != COUNT_WIDTH'(1) : Items > 1 && in_valid_i;
      left_q  <= more_q ? left_q - 1'b1 : COUNT_WIDTH'(Items - 1);
    end
  end

  // What follows the last item matters to nobody; the high item as it is at the input costs nothing.
  always_comb begin
    items_d = in_data_i;
    for (int unsigned i = 0; i + 1 < Items; i++) begin
      if (more_q) items_d[i*Width +: Width] = items_q[(i+1)*Width +: Width];
    end
  end

  always_ff @(posedge clk_i) begin
    if (advance) items_q <= items_d;
  end

`ifndef SYNTHESIS
  initial if (Items < 1 || Width < 1) $fatal(1, "%m: Items and Width must be >= 1");
`endif
endmodule
