// SPDX-License-Identifier: Apache-2.0
// bf_lut6_2: one xc7/xcup LUT with both outputs.
//
//   o6_o = Init[in_i],  o5_o = Init[in_i with in_i[5] = 0]
//
// A function of six inputs may use o5_o as its own cofactor at in_i[5] = 0; two functions of five
// inputs need in_i[5] = 1. Both are one LUT site.
//
// Comb. paths  in_i -> o5_o, o6_o.
// Golden       the vendor's LUT6_2; test: tests/hardware/test_bf_popcount.py (inside bf_popcount)
module bf_lut6_2 #(
  parameter logic [63:0] Init = 64'h0
) (
  input  logic [5:0] in_i,
  output logic       o5_o,
  output logic       o6_o
);
`ifdef SYNTHESIS
  LUT6_2 #(
    .INIT (Init)
  ) i_lut (
    .I0 (in_i[0]),
    .I1 (in_i[1]),
    .I2 (in_i[2]),
    .I3 (in_i[3]),
    .I4 (in_i[4]),
    .I5 (in_i[5]),
    .O5 (o5_o),
    .O6 (o6_o)
  );
`else
  assign o6_o = Init[in_i];
  assign o5_o = Init[{1'b0, in_i[4:0]}];
`endif
endmodule
