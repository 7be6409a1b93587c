// SPDX-License-Identifier: Apache-2.0
// board_clock: clk_o = clk_i * PllFeedback / PllIn / PllOut from the iCE40's PLL; clk_i when PllOut
// is 0.
//
// clk_i must be the pin at the PLL. The PLL's oscillator runs at clk_o * PllOut, which must lie in
// 533..1066 MHz, PllOut a power of two; clk_i / PllIn in 10..16 MHz, which the filter is set for.
// In simulation there is no PLL: the bench drives clk_i at the rate that it wants clk_o to have.
module board_clock #(
  parameter int unsigned PllIn       = 1,       // 1..16
  parameter int unsigned PllFeedback = 1,       // 1..128
  parameter int unsigned PllOut      = 0        // 2..64, or 0 for no PLL
) (
  input  logic clk_i,
  output logic clk_o,
  output logic locked_o
);
`ifdef SYNTHESIS
  if (PllOut == 0) begin : g_direct
    assign clk_o    = clk_i;
    assign locked_o = 1'b1;
  end else begin : g_pll
    SB_PLL40_PAD #(
      .FEEDBACK_PATH("SIMPLE"), .FILTER_RANGE(3'd1),
      .DIVR(4'(PllIn - 1)), .DIVF(7'(PllFeedback - 1)), .DIVQ(3'($clog2(PllOut)))
    ) u_pll (
      .PACKAGEPIN(clk_i), .PLLOUTGLOBAL(clk_o), .LOCK(locked_o),
      .RESETB(1'b1), .BYPASS(1'b0)
    );
  end
`else
  assign clk_o    = clk_i;
  assign locked_o = 1'b1;

  initial begin
    if (PllIn < 1 || PllFeedback < 1) $fatal(1, "%m: PllIn, PllFeedback >= 1 required");
    if (PllOut == 0 && PllIn != PllFeedback) $fatal(1, "%m: dividers without PLL");
  end
`endif
endmodule
