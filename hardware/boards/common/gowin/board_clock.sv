// SPDX-License-Identifier: Apache-2.0
// board_clock: clk_o = clk_i. The PLLs of Gowin's parts are not used.
module board_clock #(
  parameter int unsigned PllIn       = 1,
  parameter int unsigned PllFeedback = 1,
  parameter int unsigned PllOut      = 0
) (
  input  logic clk_i,
  output logic clk_o,
  output logic locked_o
);
  if (PllOut == 0 && PllIn == PllFeedback) begin : g_direct
    assign clk_o    = clk_i;
    assign locked_o = 1'b1;
  end else begin : g_pll
    $error("board_clock: no PLL here");
  end
endmodule
