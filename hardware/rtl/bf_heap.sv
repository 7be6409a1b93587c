// SPDX-License-Identifier: Apache-2.0
// bf_heap: sum of a bit heap, one compression step a cycle, in xc7 primitives.
//
//   count_o = sum_k 2^k popcount(column k)    modulo 2^Columns
//
// Step rule    every column at most 1 high: done, no register. At most 3 high: bf_heap_final, one
//              cycle. Else, one cycle each: if any column has five bits, chains of (6;3) counters
//              (bf_heap_counters), which remove four bits with two LUTs; else one full adder in each
//              column of four (bf_heap_adders). Then this module again.
// Layout       column 0 in the low bits, Heights[12k +: 12] bits for column k.
// Tag          flags_i leaves with the count as flags_o: whoever needs flags in step with the count
//              sends them along. Reset clears the flags on their way.
// Rate         one heap a cycle, free running. Latency the number of steps.
// Comb. paths  bits_i -> count_o, flags_i -> flags_o if nothing is left to do, else none.
// Golden       integer arithmetic; test: tests/hardware/test_bf_popcount.py (inside bf_popcount)
module bf_heap #(
  parameter int unsigned           Columns   = 4,
  parameter int unsigned           Bits      = 6,  // sum of Heights
  parameter logic [Columns*12-1:0] Heights   = {12'd1, 12'd1, 12'd2, 12'd2},
  parameter int unsigned           FlagWidth = 1
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,   // synchronous, active low; flags only
  input  logic [Bits-1:0]      bits_i,
  input  logic [FlagWidth-1:0] flags_i,
  output logic [Columns-1:0]   count_o,
  output logic [FlagWidth-1:0] flags_o
);
  function automatic int unsigned highest();
    highest = 0;
    for (int unsigned k = 0; k < Columns; k++) begin
      if (32'(Heights[k*12 +: 12]) > highest) highest = 32'(Heights[k*12 +: 12]);
    end
  endfunction

  // Counters in each column. A carry from two columns below takes the place of a seventh bit, so
  // with a carry four bits are enough to pay for a counter, without it five.
  function automatic logic [Columns*12-1:0] counters();
    int unsigned bits, carries, full;
    counters = '0;
    for (int unsigned k = 0; k < Columns; k++) begin
      bits    = 32'(Heights[k*12 +: 12]);
      carries = 0;
      if (k >= 2) carries = 32'(counters[(k-2)*12 +: 12]);
      if (bits < 6 * carries) begin
        full = bits / 6 + (bits % 6 >= 4 ? 1 : 0);
      end else begin
        bits = bits - 6 * carries;
        full = carries + bits / 7 + (bits % 7 >= 5 ? 1 : 0);
      end
      counters[k*12 +: 12] = 12'(full);
    end
  endfunction

  // Full adders in each column: one where four bits would stay, a carry from below counted.
  function automatic logic [Columns*12-1:0] adders();
    int unsigned bits;
    adders = '0;
    for (int unsigned k = 0; k < Columns; k++) begin
      bits = 32'(Heights[k*12 +: 12]);
      if (k >= 1) bits = bits + 32'(adders[(k-1)*12 +: 12]);
      adders[k*12 +: 12] = bits >= 4 ? 12'd1 : 12'd0;
    end
  endfunction

  // Heights after a step. Counters: sum and second sum, carries that no counter takes, bits left
  // over. Adders: sum, carry, bits left over.
  function automatic logic [Columns*12-1:0] after(
      input logic [Columns*12-1:0] taking, input logic is_counters);
    int unsigned bits, here, below, carries, linked, taken, height;
    after = '0;
    for (int unsigned k = 0; k < Columns; k++) begin
      bits    = 32'(Heights[k*12 +: 12]);
      here    = 32'(taking[k*12 +: 12]);
      below   = 0;
      carries = 0;
      if (k >= 1) below = 32'(taking[(k-1)*12 +: 12]);
      if (k >= 2 && is_counters) carries = 32'(taking[(k-2)*12 +: 12]);
      linked = here < carries ? here : carries;
      taken  = is_counters ? 6 * linked + 7 * (here - linked) : 3 * here;
      height = here + below + carries - linked;
      if (bits > taken) height = height + bits - taken;
      after[k*12 +: 12] = 12'(height);
    end
  endfunction

  function automatic int unsigned total(input logic [Columns*12-1:0] heights);
    total = 0;
    for (int unsigned k = 0; k < Columns; k++) total = total + 32'(heights[k*12 +: 12]);
  endfunction

  localparam logic [Columns*12-1:0] COUNTERS = counters();
  localparam bit                    COUNT    = COUNTERS != '0;
  localparam logic [Columns*12-1:0] UNITS    = COUNT ? COUNTERS : adders();
  localparam logic [Columns*12-1:0] NEXT     = after(UNITS, COUNT);
  localparam int unsigned           NEXT_BITS = total(NEXT);

  if (highest() <= 1) begin : g_done
    // Bits fill the low columns; columns above are empty.
    assign count_o = Columns'(bits_i);
    assign flags_o = flags_i;
  end else if (highest() <= 3) begin : g_final
    bf_heap_final #(
      .Columns (Columns),
      .Bits    (Bits),
      .Heights (Heights)
    ) i_final (
      .clk_i   (clk_i),
      .bits_i  (bits_i),
      .count_o (count_o)
    );
    bf_flags #(
      .Width (FlagWidth)
    ) i_flags (
      .clk_i   (clk_i),
      .rst_ni  (rst_ni),
      .flags_i (flags_i),
      .flags_o (flags_o)
    );
  end else begin : g_step
    logic [NEXT_BITS-1:0] next;
    logic [FlagWidth-1:0] next_flags;

    if (COUNT) begin : g_counters
      bf_heap_counters #(
        .Columns  (Columns),
        .Bits     (Bits),
        .NextBits (NEXT_BITS),
        .Heights  (Heights),
        .Counters (UNITS),
        .Next     (NEXT)
      ) i_counters (
        .clk_i  (clk_i),
        .bits_i (bits_i),
        .bits_o (next)
      );
    end else begin : g_adders
      bf_heap_adders #(
        .Columns  (Columns),
        .Bits     (Bits),
        .NextBits (NEXT_BITS),
        .Heights  (Heights),
        .Adders   (UNITS),
        .Next     (NEXT)
      ) i_adders (
        .clk_i  (clk_i),
        .bits_i (bits_i),
        .bits_o (next)
      );
    end
    bf_flags #(
      .Width (FlagWidth)
    ) i_flags (
      .clk_i   (clk_i),
      .rst_ni  (rst_ni),
      .flags_i (flags_i),
      .flags_o (next_flags)
    );
    bf_heap #(
      .Columns   (Columns),
      .Bits      (NEXT_BITS),
      .Heights   (NEXT),
      .FlagWidth (FlagWidth)
    ) i_heap (
      .clk_i   (clk_i),
      .rst_ni  (rst_ni),
      .bits_i  (next),
      .flags_i (next_flags),
      .count_o (count_o),
      .flags_o (flags_o)
    );
  end

`ifndef SYNTHESIS
  initial begin
    if (total(Heights) != Bits) $fatal(1, "%m: Bits must be the sum of Heights");
  end
`endif
endmodule
