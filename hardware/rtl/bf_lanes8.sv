// SPDX-License-Identifier: Apache-2.0
// bf_lanes8: products of eight lanes and the first step of their sum, in five xc7 LUTs.
//
//   popcount(lanes) = one_o + 2 popcount(twos_o) + 4 four_o
//
// Three LUTs make sum and carry of three pairs. The fourth pair is multiplied inside a carry chain
// that adds it to the three sums and one of the carries: position 0 adds lane 6, lane 7 and two
// sums, the third sum is the carry in; position 1 adds the majority of lane 6, lane 7 and a sum to
// a carry.
//
// Sites        5 LUTs, half a CARRY4; see bf_carry.
// Latency      1 cycle.
// Comb. paths  none.
// Golden       int.bit_count; test: tests/hardware/test_bf_popcount.py (inside bf_popcount)
module bf_lanes8 #(
  parameter bit Xnor = 1'b0  // lane = weight & act, or ~(weight ^ act)
) (
  input  logic       clk_i,
  input  logic [7:0] weight_i,
  input  logic [7:0] act_i,
  output logic       one_o,
  output logic [2:0] twos_o,
  output logic       four_o
);
  // Inputs: the two lanes, a sum, and the second addend of the position; O5 is the cofactor
  // without that addend, which is the first addend.
  function automatic logic [63:0] position_init(input logic upper);
    logic [5:0] in;
    logic       a, b;
    for (int i = 0; i < 64; i++) begin
      in = 6'(i);
      a = Xnor ? ~(in[0] ^ in[1]) : in[0] & in[1];
      b = Xnor ? ~(in[2] ^ in[3]) : in[2] & in[3];
      position_init[i] = in[5] ^ (upper ? (a & b) | (a & in[4]) | (b & in[4]) : a ^ b ^ in[4]);
    end
  endfunction

  localparam logic [63:0] LOWER = position_init(1'b0);
  localparam logic [63:0] UPPER = position_init(1'b1);

  logic [2:0] pair_sum, pair_carry;
  logic [1:0] propagate, gen, sum;
  logic       carry;

  for (genvar i = 0; i < 3; i++) begin : g_pair
    bf_lane_pair #(
      .Xnor (Xnor)
    ) i_pair (
      .weight_i (weight_i[2*i +: 2]),
      .act_i    (act_i[2*i +: 2]),
      .sum_o    (pair_sum[i]),
      .carry_o  (pair_carry[i])
    );
  end

  bf_lut6_2 #(
    .Init (LOWER)
  ) i_lower (
    .in_i ({pair_sum[1], pair_sum[0], weight_i[7], act_i[7], weight_i[6], act_i[6]}),
    .o5_o (gen[0]),
    .o6_o (propagate[0])
  );
  bf_lut6_2 #(
    .Init (UPPER)
  ) i_upper (
    .in_i ({pair_carry[0], pair_sum[0], weight_i[7], act_i[7], weight_i[6], act_i[6]}),
    .o5_o (gen[1]),
    .o6_o (propagate[1])
  );
  bf_carry #(
    .Positions (2)
  ) i_carry (
    .carry_i     (pair_sum[2]),
    .propagate_i (propagate),
    .generate_i  (gen),
    .sum_o       (sum),
    .carry_o     (carry)
  );

  always_ff @(posedge clk_i) begin
    one_o  <= sum[0];
    twos_o <= {pair_carry[2:1], sum[1]};
    four_o <= carry;
  end
endmodule
