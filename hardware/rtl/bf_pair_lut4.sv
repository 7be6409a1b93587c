// SPDX-License-Identifier: Apache-2.0
// bf_pair_lut4: products of two lanes and their sum, in two ECP5 LUTs.
//
//   sum_o = lane(0) + lane(1),  lane = weight & act, or ~(weight ^ act) with Xnor
//
// Comb. paths  all inputs -> sum_o.
// Golden       int.bit_count; test: tests/hardware/test_bf_popcount.py (inside bf_popcount)
module bf_pair_lut4 #(
  parameter bit Xnor = 1'b0
) (
  input  logic [1:0] weight_i,
  input  logic [1:0] act_i,
  output logic [1:0] sum_o
);
  function automatic logic [15:0] pair_init(input logic carry);
    logic [3:0] in;
    logic       a, b;
    for (int i = 0; i < 16; i++) begin
      in = 4'(i);
      a = Xnor ? ~(in[0] ^ in[1]) : in[0] & in[1];
      b = Xnor ? ~(in[2] ^ in[3]) : in[2] & in[3];
      pair_init[i] = carry ? a & b : a ^ b;
    end
  endfunction

  localparam logic [15:0] SUM   = pair_init(1'b0);
  localparam logic [15:0] CARRY = pair_init(1'b1);

  bf_lut4 #(
    .Init (SUM)
  ) i_sum (
    .in_i  ({weight_i[1], act_i[1], weight_i[0], act_i[0]}),
    .out_o (sum_o[0])
  );
  bf_lut4 #(
    .Init (CARRY)
  ) i_carry (
    .in_i  ({weight_i[1], act_i[1], weight_i[0], act_i[0]}),
    .out_o (sum_o[1])
  );
endmodule
