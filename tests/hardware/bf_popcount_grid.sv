// SPDX-License-Identifier: Apache-2.0
// bf_popcount_grid: popcounts of several sizes in both modes on shared inputs, for one build.
// Field 2 s + x of count_o (8 bits) and flag_o (1 bit) is size s with Xnor = x.
module bf_popcount_grid #(
  parameter  int unsigned        Style = 0,
  parameter  int unsigned        Sizes = 2,
  parameter  logic [Sizes*8-1:0] Lanes = {8'd8, 8'd3},  // size s in field s
  parameter  int unsigned        Width = 8,             // the greatest of them
  localparam int unsigned        UNITS = 2 * Sizes
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic [Width-1:0]   weight_i,
  input  logic [Width-1:0]   act_i,
  input  logic               flag_i,
  output logic [8*UNITS-1:0] count_o,
  output logic [UNITS-1:0]   flag_o
);
  for (genvar u = 0; u < UNITS; u++) begin : g_unit
    localparam int unsigned LANES = 32'(Lanes[u/2*8 +: 8]);
    logic [$clog2(LANES+1)-1:0] count;

    bf_popcount #(
      .Lanes (LANES),
      .Xnor  (u % 2 == 1),
      .Style (Style)
    ) i_popcount (
      .clk_i    (clk_i),
      .rst_ni   (rst_ni),
      .weight_i (weight_i[LANES-1:0]),
      .act_i    (act_i[LANES-1:0]),
      .flags_i  (flag_i),
      .count_o  (count),
      .flags_o  (flag_o[u])
    );
    assign count_o[8*u +: 8] = 8'(count);
  end
endmodule
