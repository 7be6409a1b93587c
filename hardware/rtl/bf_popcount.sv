// SPDX-License-Identifier: Apache-2.0
// bf_popcount: binary dot product: how many of the Lanes products are one.
//
//   count_o = popcount(weight_i & act_i), or popcount(~(weight_i ^ act_i)) with Xnor
//
// Rate         one word a cycle, free running: no enable, no reset.
// Latency      popcount_latency(Lanes, Style) cycles, >= 1: bitfold.cost.latency.
// Comb. paths  none; inputs are not registered, the output is.
// Golden       int.bit_count; test: tests/hardware/test_bf_popcount.py
module bf_popcount #(
  parameter  int unsigned Lanes = 8,     // >= 1
  parameter  bit          Xnor  = 1'b0,  // 1: lane is one where the bits are equal
  parameter  int unsigned Style = 0,     // 0: any FPGA; 1: xc7 and xcup primitives
  localparam int unsigned CountWidth = $clog2(Lanes + 1)
) (
  input  logic                  clk_i,
  input  logic [Lanes-1:0]      weight_i,
  input  logic [Lanes-1:0]      act_i,
  output logic [CountWidth-1:0] count_o
);
  localparam int unsigned LEVELS = Lanes == 1 ? 1 : $clog2(Lanes);

  logic [Lanes-1:0] products;

  assign products = Xnor ? ~(weight_i ^ act_i) : weight_i & act_i;

  bf_sum_tree #(
    .Bits     (Lanes),
    .Levels   (LEVELS),
    .Register (1'b1)
  ) i_tree (
    .clk_i   (clk_i),
    .bits_i  (products),
    .count_o (count_o)
  );

`ifndef SYNTHESIS
  initial begin
    if (Lanes < 1 || Style > 1) $fatal(1, "%m: Lanes >= 1 and Style 0 or 1 required");
  end
`endif
endmodule
