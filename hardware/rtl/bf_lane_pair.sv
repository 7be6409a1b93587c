// SPDX-License-Identifier: Apache-2.0
// bf_lane_pair: products of two lanes and their sum, in one xc7 LUT.
//
//   lane(0) + lane(1) = sum_o + 2 carry_o,  lane = weight & act, or ~(weight ^ act) with Xnor
//
// Comb. paths  all inputs -> all outputs.
// Golden       int.bit_count; test: tests/hardware/test_bf_popcount.py (inside bf_popcount)
module bf_lane_pair #(
  parameter bit Xnor = 1'b0
) (
  input  logic [1:0] weight_i,
  input  logic [1:0] act_i,
  output logic       sum_o,
  output logic       carry_o
);
  function automatic logic [63:0] pair_init();
    logic [5:0] in;
    logic       a, b;
    for (int i = 0; i < 64; i++) begin
      in = 6'(i);
      a = Xnor ? ~(in[0] ^ in[1]) : in[0] & in[1];
      b = Xnor ? ~(in[2] ^ in[3]) : in[2] & in[3];
      pair_init[i] = in[5] ? a ^ b : a & b;
    end
  endfunction

  localparam logic [63:0] PAIR = pair_init();

  bf_lut6_2 #(
    .Init (PAIR)
  ) i_pair (
    .in_i ({2'b10, weight_i[1], act_i[1], weight_i[0], act_i[0]}),
    .o5_o (carry_o),
    .o6_o (sum_o)
  );
endmodule
