// SPDX-License-Identifier: Apache-2.0
// bf_heap_counters: one step of bf_heap with chains of (6;3) counters.
//
// Counter a of column k takes six bits, the first of a chain a seventh as carry in. Its carry out,
// of weight k + 2, runs on into counter a of column k + 2 where there is one, and becomes a bit of
// that column where there is none.
//
// Layout       column 0 in the low bits; field k (12 bits) of Heights, Counters and Next: bits of
//              column k, counters in it, bits of it afterwards. Order in a column afterwards: first
//              sums, second sums from the column below, unlinked carries, bits left over.
// Latency      1 cycle.
// Comb. paths  none.
// Golden       integer arithmetic; test: tests/hardware/test_bf_popcount.py (inside bf_popcount)
module bf_heap_counters #(
  parameter int unsigned           Columns  = 4,
  parameter int unsigned           Bits     = 7,  // sum of Heights
  parameter int unsigned           NextBits = 3,  // sum of Next
  parameter logic [Columns*12-1:0] Heights  = {12'd0, 12'd0, 12'd0, 12'd7},
  parameter logic [Columns*12-1:0] Counters = {12'd0, 12'd0, 12'd0, 12'd1},
  parameter logic [Columns*12-1:0] Next     = {12'd0, 12'd1, 12'd1, 12'd1}
) (
  input  logic                clk_i,
  input  logic [Bits-1:0]     bits_i,
  output logic [NextBits-1:0] bits_o
);
  function automatic int unsigned field(
      input logic [Columns*12-1:0] fields, input int unsigned k);
    field = k < Columns ? 32'(fields[k*12 +: 12]) : 0;
  endfunction

  function automatic int unsigned base(
      input logic [Columns*12-1:0] fields, input int unsigned column);
    base = 0;
    for (int unsigned k = 0; k < column; k++) base = base + 32'(fields[k*12 +: 12]);
  endfunction

  // Columns k, k + 2, ... that have a counter of index a: the length of the chain from column k.
  function automatic int unsigned chain(input int unsigned k, input int unsigned a);
    chain = 0;
    for (int unsigned c = k; c < Columns; c = c + 2) begin
      if (c == k + 2 * chain && 32'(Counters[c*12 +: 12]) > a) chain = chain + 1;
    end
  endfunction

  logic [NextBits-1:0] next;

  for (genvar k = 0; k < Columns; k++) begin : g_column
    localparam int unsigned HEIGHT  = field(Heights, k);
    localparam int unsigned BASE    = base(Heights, k);
    localparam int unsigned HERE    = field(Counters, k);
    localparam int unsigned BELOW   = k >= 1 ? field(Counters, k - 1) : 0;
    localparam int unsigned CARRIES = k >= 2 ? field(Counters, k - 2) : 0;
    localparam int unsigned LINKED  = HERE < CARRIES ? HERE : CARRIES;
    localparam int unsigned TAKEN   = 6 * LINKED + 7 * (HERE - LINKED);
    localparam int unsigned FIRST   = base(Next, k) + HERE + BELOW + CARRIES - LINKED;

    for (genvar j = TAKEN; j < HEIGHT; j++) begin : g_left_over
      assign next[FIRST + j - TAKEN] = bits_i[BASE + j];
    end

    // Counters with an index of LINKED or more start a chain.
    for (genvar a = LINKED; a < HERE; a++) begin : g_chain
      localparam int unsigned LENGTH = chain(k, a);
      localparam int unsigned START  = 6 * LINKED + 7 * (a - LINKED);
      localparam int unsigned TOP    = k + 2 * LENGTH;  // column of the carry out

      logic                carry_in, carry_out;
      logic [6*LENGTH-1:0] in;
      logic [2*LENGTH-1:0] sum;

      if (START + 6 < HEIGHT) begin : g_carry_in
        assign carry_in = bits_i[BASE + START + 6];
      end else begin : g_no_carry_in
        assign carry_in = 1'b0;
      end

      for (genvar i = 0; i < LENGTH; i++) begin : g_counter
        localparam int unsigned C     = k + 2 * i;
        localparam int unsigned BEGIN = i == 0 ? START : 6 * a;
        for (genvar j = 0; j < 6; j++) begin : g_bit
          if (BEGIN + j < field(Heights, C)) begin : g_used
            assign in[6*i+j] = bits_i[base(Heights, C) + BEGIN + j];
          end else begin : g_unused
            assign in[6*i+j] = 1'b0;
          end
        end
        assign next[base(Next, C) + a] = sum[2*i];
        if (C + 1 < Columns) begin : g_second
          assign next[base(Next, C + 1) + field(Counters, C + 1) + a] = sum[2*i+1];
        end
      end

      bf_counter6 #(
        .Atoms (LENGTH)
      ) i_chain (
        .carry_i (carry_in),
        .bits_i  (in),
        .sum_o   (sum),
        .carry_o (carry_out)
      );

      // Behind the sums, in the place of this counter among the carries that nobody takes.
      if (TOP < Columns) begin : g_carry_out
        assign next[base(Next, TOP) + field(Counters, TOP - 1) + a] = carry_out;
      end
    end
  end

  always_ff @(posedge clk_i) bits_o <= next;
endmodule
