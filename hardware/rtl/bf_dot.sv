// SPDX-License-Identifier: Apache-2.0
// bf_dot: Pe bit-serial dot products of Simd inputs, Wp x Ap plane pairs a cycle.
//
//   acc_p <= (first ? Init : acc_p << shift) + contribution_p        modulo 2^AccWidth
//
//   WeightBipolar 0            contribution_p = sum_{i<Wp, j<Ap} +-2^(i+j) popcount(w_pi & x_j)
//   WeightBipolar 1, Act.. 0   contribution_p = sum_{j<Ap} +-2^j (2 popcount(w_p & x_j)
//                                                                - popcount(x_j))
//   both 1                     contribution_p = 2 popcount(~(w_p ^ x)), with Init = -MW
//   with minus where exactly one of the two planes is a sign plane: plane Wp-1 of a beat with
//   weight_sign_i, plane Ap-1 of a beat with act_sign_i. Bipolar bits: 1 means +1, 0 means -1.
//
// Layout       plane index 0 is the LEAST significant plane of the group and lies in the least
//              significant Simd bits: act_i[j*Simd + l] is plane j of input l;
//              weight_i[(p*Wp + i)*Simd + l] is plane i of the weight of output p, input l;
//              acc_o[p*AccWidth +: AccWidth] is the accumulator of output p.
// Flags        travel with the data. first_i: start from Init (shift_i is not read). shift_i:
//              0..MaxShift. last_i: acc_valid_o pulses for this beat. Beats without valid_i
//              change nothing.
// LastNegative 0 is cheaper in style 1 (AccWidth LUTs an output) and right unless a beat with last_i
//              can have a minus for the whole contribution: one signed weight plane (Wp = 1) or
//              one signed activation plane (Ap = 1) that is sign and least significant plane in
//              one. Checked in simulation.
// Rate         one beat a cycle, free running: no ready, no stall.
// Latency      acc_valid_o and acc_o L cycles after the beat with valid_i and last_i; acc_o stays
//              until the next valid beat arrives there. L = dot_latency(...) of
//              bitfold.cost.latency = popcount + $clog2(Ap) + $clog2(Wp)
//              + (1 if bipolar weights meet integers) + 1.
// Reset        clears the valid flags in the pipeline: beats on their way are dropped.
// Comb. paths  none.
// Golden       integer arithmetic in tests/hardware/bench_bf_dot.py
module bf_dot #(
  parameter  int unsigned Pe            = 2,     // outputs, >= 1
  parameter  int unsigned Simd          = 8,     // inputs, >= 1
  parameter  int unsigned Wp            = 1,     // weight planes a beat, >= 1; 1 if bipolar
  parameter  int unsigned Ap            = 1,     // activation planes a beat, >= 1; 1 if bipolar
  parameter  bit          WeightBipolar = 1'b0,  // weights are -1, +1
  parameter  bit          ActBipolar    = 1'b0,  // activations are -1, +1; so must the weights be
  parameter  int unsigned AccWidth      = 16,    // bits of an accumulator, >= 2
  parameter  int unsigned MaxShift      = 1,     // greatest shift_i, >= 0
  parameter  int          Init          = 0,     // accumulator before the first beat
  parameter  bit          LastNegative  = 1'b1,  // a beat with last_i may be negative as a whole
  parameter  int unsigned Style         = 0,     // as in bf_popcount
  localparam int unsigned ShiftWidth = MaxShift == 0 ? 1 : $clog2(MaxShift + 1)
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,         // synchronous, active low
  // Beats.
  input  logic                    valid_i,
  input  logic                    first_i,
  input  logic                    last_i,
  input  logic [ShiftWidth-1:0]   shift_i,
  input  logic                    weight_sign_i,
  input  logic                    act_sign_i,
  input  logic [Ap*Simd-1:0]      act_i,
  input  logic [Pe*Wp*Simd-1:0]   weight_i,
  // Accumulators.
  output logic                    acc_valid_o,
  output logic [Pe*AccWidth-1:0]  acc_o
);
  localparam bit          CORRECT = WeightBipolar && !ActBipolar;
  localparam int unsigned TERM    = $clog2(Simd + 1) + 1;        // a count with a sign bit
  localparam int unsigned ROW     = Ap == 1 ? TERM : TERM + Ap;  // after the activation planes
  localparam int unsigned SUM     = Wp == 1 ? ROW : ROW + Wp;    // after the weight planes
  localparam int unsigned PART    = CORRECT ? SUM + 2 : ActBipolar ? SUM + 1 : SUM;
  localparam int unsigned FLAGS   = ShiftWidth + 5;

  // Signs: of a group's top plane within the sums where the group has several planes, else of the
  // whole contribution, which the accumulator then subtracts.
  logic weight_sign, act_sign;

  assign weight_sign = weight_sign_i && !WeightBipolar;
  assign act_sign    = act_sign_i && !ActBipolar;

  // Flags travel along the first row of the first output.
  logic [FLAGS-1:0]         flags;
  logic [Pe*Wp*FLAGS-1:0]   row_flags;
  logic                     valid, first, last, negate, sum_negate;
  logic [ShiftWidth-1:0]    shift;
  logic                     acc_valid_q;

  assign flags = {
    valid_i, first_i, last_i, (Ap == 1 && act_sign) ^ (Wp == 1 && weight_sign),
    Wp != 1 && weight_sign, shift_i
  };
  assign sum_negate = row_flags[ShiftWidth];
  bf_flags #(
    .Width  (FLAGS - 1),
    .Cycles ($clog2(Wp) + (CORRECT ? 1 : 0))
  ) i_flags (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .flags_i ({row_flags[FLAGS-1:ShiftWidth+1], row_flags[ShiftWidth-1:0]}),
    .flags_o ({valid, first, last, negate, shift})
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) acc_valid_q <= 1'b0;
    else acc_valid_q <= valid && last;
  end
  assign acc_valid_o = acc_valid_q;

  // Ones of the activation planes: once for all outputs.
  logic signed [ROW-1:0] ones;
  logic                  ones_flag;

  if (CORRECT) begin : g_ones
    bf_dot_row #(
      .Simd  (Simd),
      .Ap    (Ap),
      .Xnor  (1'b0),
      .Style (Style)
    ) i_ones (
      .clk_i      (clk_i),
      .rst_ni     (rst_ni),
      .act_i      (act_i),
      .weight_i   ('1),
      .act_sign_i (act_sign),
      .flags_i    (1'b0),
      .row_o      (ones),
      .flags_o    (ones_flag)
    );
  end else begin : g_no_ones
    assign ones      = '0;
    assign ones_flag = 1'b0;
  end

  for (genvar p = 0; p < Pe; p++) begin : g_pe
    logic [Wp*ROW-1:0]      rows;
    logic signed [SUM-1:0]  sum;
    logic signed [PART-1:0] part;

    for (genvar i = 0; i < Wp; i++) begin : g_plane
      bf_dot_row #(
        .Simd      (Simd),
        .Ap        (Ap),
        .Xnor      (ActBipolar),
        .Style     (Style),
        .FlagWidth (FLAGS)
      ) i_row (
        .clk_i      (clk_i),
        .rst_ni     (rst_ni),
        .act_i      (act_i),
        .weight_i   (weight_i[(p*Wp+i)*Simd +: Simd]),
        .act_sign_i (act_sign),
        .flags_i    (p == 0 && i == 0 ? flags : FLAGS'(0)),
        .row_o      (rows[i*ROW +: ROW]),
        .flags_o    (row_flags[(p*Wp+i)*FLAGS +: FLAGS])
      );
    end
    bf_plane_sum #(
      .Planes (Wp),
      .Width  (ROW)
    ) i_sum (
      .clk_i    (clk_i),
      .term_i   (rows),
      .negate_i (sum_negate),
      .sum_o    (sum)
    );

    if (CORRECT) begin : g_correct
      logic signed [PART-1:0] part_q;
      always_ff @(posedge clk_i) part_q <= (PART'(sum) <<< 1) - PART'(ones);
      assign part = part_q;
    end else if (ActBipolar) begin : g_double
      assign part = PART'(sum) <<< 1;
    end else begin : g_plain
      assign part = sum;
    end

    bf_accumulate #(
      .PartWidth    (PART),
      .AccWidth     (AccWidth),
      .MaxShift     (MaxShift),
      .Init         (Init),
      .LastNegative (LastNegative),
      .Style        (Style)
    ) i_accumulate (
      .clk_i    (clk_i),
      .valid_i  (valid),
      .first_i  (first),
      .shift_i  (shift),
      .negate_i (negate),
      .part_i   (part),
      .acc_o    (acc_o[p*AccWidth +: AccWidth])
    );
  end

`ifndef SYNTHESIS
  initial begin
    if (Pe < 1 || Simd < 1 || Wp < 1 || Ap < 1) $fatal(1, "%m: Pe, Simd, Wp, Ap >= 1 required");
    if (WeightBipolar && Wp != 1) $fatal(1, "%m: bipolar weights have one plane: Wp = 1");
    if (ActBipolar && Ap != 1) $fatal(1, "%m: bipolar activations have one plane: Ap = 1");
    if (ActBipolar && !WeightBipolar) $fatal(1, "%m: bipolar activations need bipolar weights");
    if (AccWidth < 2) $fatal(1, "%m: AccWidth >= 2 required");
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni && !LastNegative && valid && last && negate) begin
      $fatal(1, "%m: a last beat is negative as a whole; set LastNegative = 1");
    end
  end
`endif
endmodule
