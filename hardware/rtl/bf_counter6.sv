// SPDX-License-Identifier: Apache-2.0
// bf_counter6: chain of (6;3) counters of weights 1, 4, 16, ... in two xc7 LUTs each.
//
//   carry_i + sum_a 4^a popcount(bits_i[6a +: 6]) = sum_o + 2^(2 Atoms) carry_o
//
// Two of them are the well-known (6,0,7;5) counter: 13 bits to 5 in 4 LUTs and one CARRY4. Of six
// bits a..f the first position adds parity(a..e) and f. What is left of a..e, (popcount - parity)
// / 2 = 0, 1 or 2, goes to the second position, whose carry generate is its upper bit.
//
// Sites        2 * Atoms LUTs (4 of a slice for two atoms), see bf_carry.
// Comb. paths  all inputs -> all outputs.
// Golden       int.bit_count; test: tests/hardware/test_bf_popcount.py (inside bf_popcount)
module bf_counter6 #(
  parameter int unsigned Atoms = 2  // >= 1
) (
  input  logic               carry_i,
  input  logic [6*Atoms-1:0] bits_i,
  output logic [2*Atoms-1:0] sum_o,
  output logic               carry_o
);
  // Six inputs: parity of all; O5, its cofactor without the last, equals the last when that
  // parity is 0.
  function automatic logic [63:0] parity_init();
    logic [5:0] in;
    for (int i = 0; i < 64; i++) begin
      in = 6'(i);
      parity_init[i] = ^in;
    end
  endfunction

  // Five inputs (the sixth is 1): O6 and O5 are the lower and upper bit of (popcount - parity) / 2.
  function automatic logic [63:0] rest_init();
    logic [5:0] in;
    logic [2:0] count;
    for (int i = 0; i < 64; i++) begin
      in = 6'(i);
      count = 3'(in[0]) + 3'(in[1]) + 3'(in[2]) + 3'(in[3]) + 3'(in[4]);
      rest_init[i] = in[5] ? count[1] : count[2];
    end
  endfunction

  localparam logic [63:0] PARITY = parity_init();
  localparam logic [63:0] REST   = rest_init();

  logic [2*Atoms-1:0] propagate, gen;

  for (genvar a = 0; a < Atoms; a++) begin : g_atom
    bf_lut6_2 #(
      .Init (PARITY)
    ) i_parity (
      .in_i (bits_i[6*a +: 6]),
      .o5_o (gen[2*a]),
      .o6_o (propagate[2*a])
    );
    bf_lut6_2 #(
      .Init (REST)
    ) i_rest (
      .in_i ({1'b1, bits_i[6*a +: 5]}),
      .o5_o (gen[2*a+1]),
      .o6_o (propagate[2*a+1])
    );
  end

  bf_carry #(
    .Positions (2 * Atoms)
  ) i_carry (
    .carry_i     (carry_i),
    .propagate_i (propagate),
    .generate_i  (gen),
    .sum_o       (sum_o),
    .carry_o     (carry_o)
  );
endmodule
