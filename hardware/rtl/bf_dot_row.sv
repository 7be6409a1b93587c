// SPDX-License-Identifier: Apache-2.0
// bf_dot_row: one weight plane against Ap activation planes.
//
//   row_o = sum_{j<Ap} +-2^j popcount(weight_i & x_j), or of ~(weight_i ^ x_j) with Xnor
//   with minus for plane Ap-1 under act_sign_i if Ap > 1; with one plane the sign is left to
//   whoever adds the row.
//
// Layout       act_i[j*Simd + l] is plane j (0 least significant) of input l.
// Rate         one beat a cycle, free running. Latency popcount_latency(Simd, Style) + $clog2(Ap).
// Comb. paths  none.
// Golden       integer arithmetic; test: tests/hardware/test_bf_dot.py (inside bf_dot)
module bf_dot_row #(
  parameter  int unsigned Simd  = 8,     // inputs, >= 1
  parameter  int unsigned Ap    = 1,     // activation planes, >= 1
  parameter  bit          Xnor  = 1'b0,
  parameter  int unsigned Style = 0,     // as in bf_popcount
  localparam int unsigned CountWidth = $clog2(Simd + 1),
  localparam int unsigned RowWidth   = Ap == 1 ? CountWidth + 1 : CountWidth + 1 + Ap
) (
  input  logic                       clk_i,
  input  logic [Ap*Simd-1:0]         act_i,
  input  logic [Simd-1:0]            weight_i,
  input  logic                       act_sign_i,
  output logic signed [RowWidth-1:0] row_o
);
  // popcount_latency of bitfold.cost.latency
  localparam int unsigned COUNT_CYCLES = Simd <= 2 ? 1 : ($clog2(Simd) + 1) / 2;

  logic [Ap*(CountWidth+1)-1:0] counts;
  logic                         sign;

  for (genvar j = 0; j < Ap; j++) begin : g_plane
    logic [CountWidth-1:0] count;

    bf_popcount #(
      .Lanes (Simd),
      .Xnor  (Xnor),
      .Style (Style)
    ) i_popcount (
      .clk_i    (clk_i),
      .weight_i (weight_i),
      .act_i    (act_i[j*Simd +: Simd]),
      .count_o  (count)
    );
    assign counts[j*(CountWidth+1) +: CountWidth+1] = {1'b0, count};
  end

  bf_delay #(
    .Width  (1),
    .Cycles (COUNT_CYCLES)
  ) i_sign (
    .clk_i  (clk_i),
    .data_i (Ap != 1 && act_sign_i),
    .data_o (sign)
  );
  bf_plane_sum #(
    .Planes (Ap),
    .Width  (CountWidth + 1)
  ) i_sum (
    .clk_i    (clk_i),
    .term_i   (counts),
    .negate_i (sign),
    .sum_o    (row_o)
  );
endmodule
