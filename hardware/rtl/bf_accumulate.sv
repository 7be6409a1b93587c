// SPDX-License-Identifier: Apache-2.0
// bf_accumulate: shift, add or subtract.
//
//   acc_o <= (first_i ? Init : acc_o << shift_i) + (negate_i ? -part_i : part_i) mod 2^AccWidth
//
// Rate         one part a cycle with valid_i; without it acc_o stays. Latency 1 cycle.
// Comb. paths  none.
// Golden       integer arithmetic; test: tests/hardware/test_bf_dot.py (inside bf_dot)
module bf_accumulate #(
  parameter  int unsigned PartWidth    = 8,
  parameter  int unsigned AccWidth     = 16,
  parameter  int unsigned MaxShift     = 1,     // >= 0
  parameter  int          Init         = 0,
  parameter  bit          LastNegative = 1'b1,  // acc_o is right after a subtraction, too
  parameter  int unsigned Style        = 0,     // as in bf_popcount
  localparam int unsigned ShiftWidth = MaxShift == 0 ? 1 : $clog2(MaxShift + 1)
) (
  input  logic                        clk_i,
  input  logic                        valid_i,
  input  logic                        first_i,
  input  logic [ShiftWidth-1:0]       shift_i,   // 0..MaxShift; not read with first_i
  input  logic                        negate_i,
  input  logic signed [PartWidth-1:0] part_i,
  output logic [AccWidth-1:0]         acc_o
);
  if (Style != 1) begin : g_sum
    localparam logic [AccWidth-1:0] INIT = AccWidth'(Init);

    logic [AccWidth-1:0] acc_q, kept, part;
    logic [AccWidth:0]   total;

    if (MaxShift == 0) begin : g_no_shift
      assign kept = first_i ? INIT : acc_q;
    end else begin : g_shift
      assign kept = first_i ? INIT : acc_q << shift_i;
    end

    // The extra low bit carries the + 1 of a subtraction: one adder for both.
    assign part = AccWidth'(part_i);
    if (Style == 2) begin : g_ecp5
      bf_add_ccu2c #(
        .Width (AccWidth + 1)
      ) i_add (
        .a_i      ({kept, 1'b1}),
        .b_i      ({part, 1'b0}),
        .negate_i (negate_i),
        .sum_o    (total)
      );
    end else begin : g_generic
      assign total = {kept, 1'b1} + {part ^ {AccWidth{negate_i}}, negate_i};
    end

    always_ff @(posedge clk_i) begin
      if (valid_i) acc_q <= total[AccWidth:1];
    end
    assign acc_o = acc_q;
  end else begin : g_xc7
    bf_accumulate_xc7 #(
      .PartWidth    (PartWidth),
      .AccWidth     (AccWidth),
      .MaxShift     (MaxShift),
      .Init         (Init),
      .LastNegative (LastNegative)
    ) i_accumulate (
      .clk_i    (clk_i),
      .valid_i  (valid_i),
      .first_i  (first_i),
      .shift_i  (shift_i),
      .negate_i (negate_i),
      .part_i   (part_i),
      .acc_o    (acc_o)
    );
  end
endmodule
