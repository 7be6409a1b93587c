// SPDX-License-Identifier: Apache-2.0
// bf_lut4: one ECP5 LUT of four inputs that synthesis leaves as it is.
//
//   out_o = Init[in_i]
//
// Comb. paths  in_i -> out_o.
// Golden       the vendor's LUT4; test: tests/hardware/test_bf_popcount.py (inside bf_popcount)
module bf_lut4 #(
  parameter logic [15:0] Init = 16'h0
) (
  input  logic [3:0] in_i,
  output logic       out_o
);
`ifdef SYNTHESIS
  LUT4 #(
    .INIT (Init)
  ) i_lut (
    .A (in_i[0]),
    .B (in_i[1]),
    .C (in_i[2]),
    .D (in_i[3]),
    .Z (out_o)
  );
`else
  assign out_o = Init[in_i];
`endif
endmodule
