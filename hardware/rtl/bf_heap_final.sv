// SPDX-License-Identifier: Apache-2.0
// bf_heap_final: last step of a bit heap: one xc7 carry chain over columns of at most three bits.
//
//   count_o = sum_k 2^k popcount(column k)    modulo 2^Columns
//
// Columns of one bit below the chain pass by. A third bit of the chain's first column is the carry
// in. Elsewhere a column of three addends sends the majority of its bits to the next column as an
// addend of its own (the ternary adder of xc7); a column of two needs no such detour.
//
// Layout       column 0 in the low bits, Heights[12k +: 12] bits for column k.
// Sites        one LUT a column, see bf_carry; a majority leaves its LUT at O5 and enters the next
//              position's bypass input.
// Latency      1 cycle.
// Comb. paths  none.
// Golden       int.bit_count; test: tests/hardware/test_bf_popcount.py (inside bf_popcount)
module bf_heap_final #(
  parameter int unsigned           Columns = 4,
  parameter int unsigned           Bits    = 6,  // sum of Heights
  parameter logic [Columns*12-1:0] Heights = {12'd1, 12'd1, 12'd2, 12'd2}
) (
  input  logic               clk_i,
  input  logic [Bits-1:0]    bits_i,
  output logic [Columns-1:0] count_o
);
  function automatic int unsigned height(input int unsigned k);
    height = 32'(Heights[k*12 +: 12]);
  endfunction

  function automatic int unsigned base(input int unsigned column);
    base = 0;
    for (int unsigned k = 0; k < column; k++) base = base + height(k);
  endfunction

  // Columns below the first one of two bits or more.
  function automatic int unsigned passing();
    passing = 0;
    for (int unsigned k = 0; k < Columns; k++) begin
      if (passing == k && height(k) <= 1) passing = k + 1;
    end
  endfunction

  localparam int unsigned START     = passing();
  localparam int unsigned POSITIONS = Columns - START;
  localparam int unsigned CARRY_IN  = height(START) >= 3 ? 1 : 0;

  // Bits of a column that go to LUTs.
  function automatic int unsigned addends(input int unsigned k);
    addends = height(k) - (k == START ? CARRY_IN : 0);
  endfunction

  // Which columns send a majority on.
  function automatic logic [Columns-1:0] majorities();
    majorities = '0;
    for (int unsigned k = START; k < Columns; k++) begin
      if (k > START) majorities[k] = addends(k) + (majorities[k-1] ? 1 : 0) >= 3;
    end
  endfunction

  // Three bits, an addend, two constants 01: O6 their parity, O5 the majority of the three.
  function automatic logic [63:0] three_init();
    logic [5:0] in;
    for (int i = 0; i < 64; i++) begin
      in = 6'(i);
      three_init[i] =
          in[5] ? ^in[3:0] : (in[0] & in[1]) | (in[0] & in[2]) | (in[1] & in[2]);
    end
  endfunction

  // Two addends, the second at the sixth input: O6 their parity, O5 the first.
  function automatic logic [63:0] two_init();
    logic [5:0] in;
    for (int i = 0; i < 64; i++) begin
      in = 6'(i);
      two_init[i] = in[0] ^ in[5];
    end
  endfunction

  localparam logic [Columns-1:0] MAJORITY = majorities();
  localparam logic [63:0]        THREE    = three_init();
  localparam logic [63:0]        TWO      = two_init();

  logic [POSITIONS-1:0] propagate, gen, sum;
  logic [POSITIONS:0]   sent;  // majorities, one position up
  logic                 carry_in, carry_out;
  logic [Columns-1:0]   count_d, count_q;

  assign sent[0] = 1'b0;
  if (CARRY_IN == 1) begin : g_carry_in
    assign carry_in = bits_i[base(START) + 2];
  end else begin : g_no_carry_in
    assign carry_in = 1'b0;
  end

  for (genvar k = 0; k < START; k++) begin : g_pass
    if (height(k) == 1) begin : g_bit
      assign count_d[k] = bits_i[base(k)];
    end else begin : g_zero
      assign count_d[k] = 1'b0;
    end
  end

  for (genvar p = 0; p < POSITIONS; p++) begin : g_position
    localparam int unsigned K     = START + p;
    localparam int unsigned COUNT = addends(K);
    logic [2:0] column;

    for (genvar j = 0; j < 3; j++) begin : g_bit
      if (j < COUNT) begin : g_used
        assign column[j] = bits_i[base(K) + j];
      end else begin : g_unused
        assign column[j] = 1'b0;
      end
    end
    if (MAJORITY[K]) begin : g_three
      bf_lut6_2 #(
        .Init (THREE)
      ) i_lut (
        .in_i ({2'b10, sent[p], column}),
        .o5_o (sent[p+1]),
        .o6_o (propagate[p])
      );
      assign gen[p] = sent[p];
    end else begin : g_two
      bf_lut6_2 #(
        .Init (TWO)
      ) i_lut (
        .in_i ({column[1] | sent[p], 4'b0000, column[0]}),
        .o5_o (gen[p]),
        .o6_o (propagate[p])
      );
      assign sent[p+1] = 1'b0;
    end
    assign count_d[K] = sum[p];
  end

  bf_carry #(
    .Positions (POSITIONS)
  ) i_carry (
    .carry_i     (carry_in),
    .propagate_i (propagate),
    .generate_i  (gen),
    .sum_o       (sum),
    .carry_o     (carry_out)
  );

  always_ff @(posedge clk_i) count_q <= count_d;
  assign count_o = count_q;
endmodule
