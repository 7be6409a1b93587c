// SPDX-License-Identifier: Apache-2.0
// bf_accumulate_xc7: bf_accumulate in one xc7 LUT a bit when MaxShift <= 1.
//
//   acc_o <= (first_i ? Init : acc_o << shift_i) + (negate_i ? -part_i : part_i) mod 2^AccWidth
//
// It subtracts without touching the part: a - p = ~(~a + p). So after a subtraction the register
// holds the complement of the accumulator, which complement_q remembers, and the LUT that selects
// the kept value also inverts it to what the next beat wants. acc_o of a subtraction must be
// inverted back, unless LastNegative = 0 promises that nobody looks at acc_o then.
//
// Sites        AccWidth LUTs, ceil(AccWidth / 4) CARRY4; another LUT a bit with LastNegative.
// Rate         one part a cycle with valid_i; without it acc_o stays. Latency 1 cycle.
// Comb. paths  none.
// Golden       integer arithmetic; test: tests/hardware/test_bf_dot.py (inside bf_dot)
module bf_accumulate_xc7 #(
  parameter  int unsigned PartWidth    = 8,
  parameter  int unsigned AccWidth     = 16,
  parameter  int unsigned MaxShift     = 1,     // >= 0
  parameter  int          Init         = 0,
  parameter  bit          LastNegative = 1'b1,  // acc_o is right after a subtraction, too
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
  localparam logic [AccWidth-1:0] INIT = AccWidth'(Init);

  // Inputs: kept bit, kept bit one lower, shift, first, invert, part. O5 is the cofactor without
  // the part: the inverted kept bit.
  function automatic logic [63:0] select_init(input logic start);
    logic [5:0] in;
    logic       kept;
    for (int i = 0; i < 64; i++) begin
      in = 6'(i);
      kept = in[3] ? start : in[2] ? in[1] : in[0];
      select_init[i] = in[5] ^ in[4] ^ kept;
    end
  endfunction

  localparam logic [63:0] FROM_0 = select_init(1'b0);
  localparam logic [63:0] FROM_1 = select_init(1'b1);

  logic [AccWidth-1:0] stored_q, kept, below, part, propagate, gen, sum;
  logic                complement_q, shift_one, invert, carry;

  if (MaxShift <= 1) begin : g_select
    assign kept      = stored_q;
    assign below     = {stored_q[AccWidth-2:0], complement_q};
    assign shift_one = MaxShift == 1 && shift_i[0];
  end else begin : g_shift
    // The bits that a shift brings in are zeros, complemented like the rest.
    assign kept      = ((stored_q ^ {AccWidth{complement_q}}) << shift_i)
                       ^ {AccWidth{complement_q}};
    assign below     = '0;
    assign shift_one = 1'b0;
  end
  assign invert = first_i ? negate_i : negate_i ^ complement_q;
  assign part   = AccWidth'(part_i);

  for (genvar i = 0; i < AccWidth; i++) begin : g_bit
    bf_lut6_2 #(
      .Init (INIT[i] ? FROM_1 : FROM_0)
    ) i_lut (
      .in_i ({part[i], invert, first_i, shift_one, below[i], kept[i]}),
      .o5_o (gen[i]),
      .o6_o (propagate[i])
    );
  end
  bf_carry #(
    .Positions (AccWidth)
  ) i_carry (
    .carry_i     (1'b0),
    .propagate_i (propagate),
    .generate_i  (gen),
    .sum_o       (sum),
    .carry_o     (carry)
  );

  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      stored_q     <= sum;
      complement_q <= negate_i;
    end
  end
  assign acc_o = LastNegative ? stored_q ^ {AccWidth{complement_q}} : stored_q;
endmodule
