// SPDX-License-Identifier: Apache-2.0
// bf_popcount: binary dot product: how many of the Lanes products are one.
//
//   count_o = popcount(weight_i & act_i), or popcount(~(weight_i ^ act_i)) with Xnor
//
// Style 0 is a tree of adders for any FPGA (bf_sum_tree). Style 1 is built of xc7 LUT6_2 and CARRY4
// cells: bf_lanes8, the rest in pairs, and a bit heap of carry-chain counters (bf_heap). Style 2 is
// the tree in ECP5 LUT4 and CCU2C cells.
//
// Tag          flags_i leaves with the count as flags_o; reset clears flags on their way and touches
//              nothing else. Tie them to 0 if not needed: they vanish.
// Rate         one word a cycle, free running: no enable.
// Latency      popcount_latency(Lanes, Style) of bitfold.cost.latency, >= 1 cycle. Styles 0
//              and 2: ceil($clog2(Lanes) / 2); style 1: 1 and the steps of bf_heap.
// Comb. paths  none; inputs are not registered, the output is.
// Golden       int.bit_count; test: tests/hardware/test_bf_popcount.py
module bf_popcount #(
  parameter  int unsigned Lanes = 8,     // 1 to 4096
  parameter  bit          Xnor  = 1'b0,  // 1: lane is one where the bits are equal
  parameter  int unsigned Style = 0,     // 0: any FPGA; 1: xc7; 2: ecp5 primitives
  parameter  int unsigned FlagWidth = 1, // >= 1
  localparam int unsigned CountWidth = $clog2(Lanes + 1)
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,    // synchronous, active low; flags only
  input  logic [Lanes-1:0]      weight_i,
  input  logic [Lanes-1:0]      act_i,
  input  logic [FlagWidth-1:0]  flags_i,
  output logic [CountWidth-1:0] count_o,
  output logic [FlagWidth-1:0]  flags_o
);
  if (Style != 1) begin : g_tree
    // Level 1 makes numbers of pairs of lanes, the tree adds them. Registers are behind every
    // second level, counted from the output.
    localparam int unsigned LEVELS = Lanes <= 2 ? 1 : $clog2(Lanes);
    localparam int unsigned TERMS  = (Lanes + 1) / 2;
    localparam bit          CUT    = LEVELS >= 3 && LEVELS % 2 == 1;

    logic [2*TERMS-1:0]           weight, act, pairs;
    logic [$clog2(2*TERMS+1)-1:0] sum;

    // A missing last lane multiplies to 0.
    assign weight[Lanes-1:0] = weight_i;
    assign act[Lanes-1:0]    = act_i;
    if (Lanes % 2 == 1) begin : g_missing
      assign weight[Lanes] = 1'b0;
      assign act[Lanes]    = Xnor;
    end
    for (genvar t = 0; t < TERMS; t++) begin : g_pair
      logic [1:0] pair;

      if (Style == 2) begin : g_lut4
        bf_pair_lut4 #(
          .Xnor (Xnor)
        ) i_pair (
          .weight_i (weight[2*t +: 2]),
          .act_i    (act[2*t +: 2]),
          .sum_o    (pair)
        );
      end else begin : g_generic
        logic [1:0] products;
        assign products = Xnor ? ~(weight[2*t +: 2] ^ act[2*t +: 2])
                               : weight[2*t +: 2] & act[2*t +: 2];
        assign pair = 2'(products[0]) + 2'(products[1]);
      end
      if (CUT) begin : g_register
        always_ff @(posedge clk_i) pairs[2*t +: 2] <= pair;
      end else begin : g_wire
        assign pairs[2*t +: 2] = pair;
      end
    end
    bf_sum_tree #(
      .Terms    (TERMS),
      .Max      (2),
      .Levels   (LEVELS <= 2 ? 1 : LEVELS - 1),
      .Register (1'b1),
      .Ecp5     (Style == 2)
    ) i_tree (
      .clk_i  (clk_i),
      .term_i (pairs),
      .sum_o  (sum)
    );
    assign count_o = CountWidth'(sum);
    bf_flags #(
      .Width  (FlagWidth),
      .Cycles ((LEVELS + 1) / 2)
    ) i_flags (
      .clk_i   (clk_i),
      .rst_ni  (rst_ni),
      .flags_i (flags_i),
      .flags_o (flags_o)
    );
  end else begin : g_heap
    localparam int unsigned EIGHTS = Lanes / 8;
    localparam int unsigned PAIRS  = (Lanes % 8) / 2;
    localparam int unsigned SINGLE = Lanes % 2;
    // Bits of weight 1, 2 and 4 after the first cycle.
    localparam int unsigned ONES   = EIGHTS + PAIRS + SINGLE;
    localparam int unsigned TWOS   = 3 * EIGHTS + PAIRS;
    localparam int unsigned BITS   = ONES + TWOS + EIGHTS;
    localparam logic [CountWidth*12-1:0] HEIGHTS =
        (CountWidth*12)'({12'(EIGHTS), 12'(TWOS), 12'(ONES)});

    logic [BITS-1:0]      heap;
    logic [FlagWidth-1:0] heap_flags;

    for (genvar e = 0; e < EIGHTS; e++) begin : g_eight
      bf_lanes8 #(
        .Xnor (Xnor)
      ) i_eight (
        .clk_i    (clk_i),
        .weight_i (weight_i[8*e +: 8]),
        .act_i    (act_i[8*e +: 8]),
        .one_o    (heap[e]),
        .twos_o   (heap[ONES + 3*e +: 3]),
        .four_o   (heap[ONES + TWOS + e])
      );
    end
    for (genvar p = 0; p < PAIRS; p++) begin : g_pair
      logic sum, carry;
      logic [1:0] pair_q;
      bf_lane_pair #(
        .Xnor (Xnor)
      ) i_pair (
        .weight_i (weight_i[8*EIGHTS + 2*p +: 2]),
        .act_i    (act_i[8*EIGHTS + 2*p +: 2]),
        .sum_o    (sum),
        .carry_o  (carry)
      );
      always_ff @(posedge clk_i) pair_q <= {carry, sum};
      assign heap[EIGHTS + p]          = pair_q[0];
      assign heap[ONES + 3*EIGHTS + p] = pair_q[1];
    end
    if (SINGLE == 1) begin : g_single
      logic single_q;
      always_ff @(posedge clk_i) begin
        single_q <= Xnor ? ~(weight_i[Lanes-1] ^ act_i[Lanes-1])
                         : weight_i[Lanes-1] & act_i[Lanes-1];
      end
      assign heap[EIGHTS + PAIRS] = single_q;
    end

    bf_flags #(
      .Width (FlagWidth)
    ) i_flags (
      .clk_i   (clk_i),
      .rst_ni  (rst_ni),
      .flags_i (flags_i),
      .flags_o (heap_flags)
    );
    bf_heap #(
      .Columns   (CountWidth),
      .Bits      (BITS),
      .Heights   (HEIGHTS),
      .FlagWidth (FlagWidth)
    ) i_heap (
      .clk_i   (clk_i),
      .rst_ni  (rst_ni),
      .bits_i  (heap),
      .flags_i (heap_flags),
      .count_o (count_o),
      .flags_o (flags_o)
    );
  end

`ifndef SYNTHESIS
  initial begin
    if (Lanes < 1 || Lanes > 4096) $fatal(1, "%m: Lanes from 1 to 4096 required");
    if (Style > 2) $fatal(1, "%m: Style 0, 1 or 2 required");
  end
`endif
endmodule
