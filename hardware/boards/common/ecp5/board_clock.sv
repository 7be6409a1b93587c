// SPDX-License-Identifier: Apache-2.0
// board_clock: clk_o = clk_i * PllFeedback / PllIn from the ECP5's PLL; clk_i when PllOut is 0.
//
// The PLL's oscillator runs at clk_o * PllOut, which must lie in 400..800 MHz. In simulation there
// is no PLL: the bench drives clk_i at the rate that it wants clk_o to have.
module board_clock #(
  parameter int unsigned PllIn       = 1,       // 1..128
  parameter int unsigned PllFeedback = 1,       // 1..80
  parameter int unsigned PllOut      = 0        // 1..128, or 0 for no PLL
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
    (* ICP_CURRENT="12", LPF_RESISTOR="8", MFG_ENABLE_FILTEROPAMP="1", MFG_GMCREF_SEL="2" *)
    EHXPLLL #(
      .PLLRST_ENA("DISABLED"), .INTFB_WAKE("DISABLED"), .STDBY_ENABLE("DISABLED"),
      .DPHASE_SOURCE("DISABLED"), .OUTDIVIDER_MUXA("DIVA"), .OUTDIVIDER_MUXB("DIVB"),
      .OUTDIVIDER_MUXC("DIVC"), .OUTDIVIDER_MUXD("DIVD"), .FEEDBK_PATH("CLKOP"),
      .CLKI_DIV(PllIn), .CLKFB_DIV(PllFeedback),
      .CLKOP_ENABLE("ENABLED"), .CLKOP_DIV(PllOut), .CLKOP_CPHASE(PllOut - 1), .CLKOP_FPHASE(0)
    ) u_pll (
      .RST(1'b0), .STDBY(1'b0), .CLKI(clk_i), .CLKOP(clk_o), .CLKFB(clk_o), .CLKINTFB(),
      .PHASESEL0(1'b0), .PHASESEL1(1'b0), .PHASEDIR(1'b1), .PHASESTEP(1'b1),
      .PHASELOADREG(1'b1), .PLLWAKESYNC(1'b0), .ENCLKOP(1'b0), .LOCK(locked_o)
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
