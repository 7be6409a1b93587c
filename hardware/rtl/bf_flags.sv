// SPDX-License-Identifier: Apache-2.0
// bf_flags: control bits Cycles cycles later; reset clears those on their way.
//
// Rate         one word a cycle. Comb. paths  flags_i -> flags_o when Cycles = 0, else none.
// Golden       a list; test: tests/hardware/test_bf_dot.py (inside bf_dot)
module bf_flags #(
  parameter int unsigned Width  = 1,  // bits, >= 1
  parameter int unsigned Cycles = 1   // >= 0
) (
  input  logic             clk_i,
  input  logic             rst_ni,   // synchronous, active low
  input  logic [Width-1:0] flags_i,
  output logic [Width-1:0] flags_o
);
  logic [(Cycles+1)*Width-1:0] stage;  // the newest word in the low bits

  assign stage[Width-1:0] = flags_i;
  if (Cycles >= 1) begin : g_registers
    logic [Cycles*Width-1:0] stage_q;
    always_ff @(posedge clk_i) begin
      if (!rst_ni) stage_q <= '0;
      else stage_q <= stage[Cycles*Width-1:0];
    end
    assign stage[Width +: Cycles*Width] = stage_q;
  end
  assign flags_o = stage[Cycles*Width +: Width];

`ifndef SYNTHESIS
  initial begin
    if (Width < 1) $fatal(1, "%m: Width >= 1 required");
  end
`endif
endmodule
