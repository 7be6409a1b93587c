// SPDX-License-Identifier: Apache-2.0
// bf_delay: a word Cycles cycles later; 0 is a wire.
//
// Rate         one word a cycle, free running: no enable, no reset.
// Comb. paths  data_i -> data_o when Cycles = 0, else none.
// Golden       a list; test: tests/hardware/test_bf_dot.py (inside bf_dot)
module bf_delay #(
  parameter int unsigned Width  = 1,  // bits, >= 1
  parameter int unsigned Cycles = 1   // >= 0
) (
  input  logic             clk_i,
  input  logic [Width-1:0] data_i,
  output logic [Width-1:0] data_o
);
  logic [(Cycles+1)*Width-1:0] stage;  // the newest word in the low bits

  assign stage[Width-1:0] = data_i;
  if (Cycles >= 1) begin : g_registers
    logic [Cycles*Width-1:0] stage_q;
    always_ff @(posedge clk_i) stage_q <= stage[Cycles*Width-1:0];
    assign stage[Width +: Cycles*Width] = stage_q;
  end
  assign data_o = stage[Cycles*Width +: Width];

`ifndef SYNTHESIS
  initial begin
    if (Width < 1) $fatal(1, "%m: Width >= 1 required");
  end
`endif
endmodule
