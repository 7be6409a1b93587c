// SPDX-License-Identifier: Apache-2.0
// bf_divide: accumulators to codes by division: thresholds that lie on a straight line need no table.
//
//   code = #{k : acc * 2**Shift >= k * slope + offset},  k = 1 .. 2**OutBits - 1
//        = (acc * 2**Shift - offset) / slope, rounded down and clipped to 0 .. 2**OutBits - 1
//   with OutSigned less 2**(OutBits-1): the first plane is inverted
//
// Non-restoring division, one bit a cycle, most significant first. The first trial is
// acc * 2**Shift - offset - slope * 2**(OutBits-1); each next one adds the slope where the trial
// before was negative and subtracts it where not, at half the weight. A bit is 1 where its trial is
// not negative. What is out of range stays so in every trial, which clips it.
// With Half codes are clipped to the upper half: the first plane is 1, and where the first trial is
// negative the others are 0; the trials of such an accumulator may overflow.
// Tpe channels are divided at a time, Pe / Tpe rounds a fold. Ports and timing of a bf_threshold.
//
// Images       one a divider, named File, three digits of its lane, ".mem": word {fold * ROUNDS +
//              round} of lane l is {slope, first} of channel fold * Pe + round * Tpe + l;
//              first = -(offset + slope * 2**(OutBits-1)), Width bits, two's complement.
// OneTable     all channels have the word of one.
// Streams      acc_* in: pulses at least CYCLES = OutBits * Pe / Tpe cycles apart, no ready.
//              out_*: plane beats, group Tpe, no ready.
// Rate         a fold every CYCLES cycles. Latency 2 + k cycles from acc_* to beat k.
// Comb. paths  none.
// Golden       bitfold.sim.reference.apply_thresholds; test: tests/hardware/test_bf_divide.py
module bf_divide #(
  parameter  int unsigned Pe         = 4,    // accumulators of a fold
  parameter  int unsigned Tpe        = 2,    // dividers; divides Pe
  parameter  int unsigned Folds      = 2,    // folds of a vector
  parameter  int unsigned AccWidth   = 12,   // bits of an accumulator, signed
  parameter  int unsigned OutBits    = 8,    // planes of a code, >= 2
  parameter  bit          OutSigned  = 1'b0, // 1: codes are two's complement
  parameter  int unsigned Shift      = 4,    // bits of an accumulator behind the point
  parameter  int unsigned Width      = 20,   // bits of a trial, signed; holds every one
  parameter  int unsigned SlopeWidth = 8,    // bits of a slope; with OutBits < Width
  parameter  bit          Half       = 1'b0,
  parameter               File       = "",   // images: begin of their names
  parameter  bit          OneTable   = 1'b0,
  localparam int unsigned ROUNDS = Pe / Tpe
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,     // synchronous, active low
  // Accumulators of a fold, output 0 in the low bits.
  input  logic                   acc_valid_i,
  input  logic [Pe*AccWidth-1:0] acc_data_i,
  // Planes.
  output logic                   out_valid_o,
  output logic [Tpe-1:0]         out_data_o
);
  localparam int unsigned GROUPS      = OneTable ? 1 : Folds * ROUNDS;
  localparam int unsigned GROUP_WIDTH = GROUPS > 1 ? $clog2(GROUPS) : 1;
  localparam int unsigned WORD_WIDTH  = SlopeWidth + Width;
  localparam int unsigned STEP_WIDTH  = SlopeWidth + OutBits - 2;

  logic                    first_plane, unused_busy, unused_last;
  logic [GROUP_WIDTH-1:0]  group;    // of the next cycle: fold * ROUNDS + round
  logic [Tpe*AccWidth-1:0] accs;     // of this round
  logic [Tpe-1:0]          bits;

  bf_rounds #(
    .Pe       (Pe),
    .Tpe      (Tpe),
    .AccWidth (AccWidth),
    .Planes   (OutBits),
    .Groups   (GROUPS)
  ) i_rounds (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .acc_valid_i (acc_valid_i),
    .acc_data_i  (acc_data_i),
    .busy_o      (unused_busy),
    .first_o     (first_plane),
    .last_o      (unused_last),
    .group_o     (group),
    .acc_o       (accs),
    .valid_o     (out_valid_o)
  );

  for (genvar l = 0; l < Tpe; l++) begin : g_lane
    localparam logic [23:0] LANE = {8'(48 + l / 100), 8'(48 + l / 10 % 10), 8'(48 + l % 10)};
    logic [WORD_WIDTH-1:0]      word;
    logic [SlopeWidth-1:0]      slope;
    logic [STEP_WIDTH-1:0]      step_q;      // slope at the weight of this plane
    logic [Width-1:0]           trial_q;     // of the plane before
    logic [Width-1:0]           base, change, trial;
    logic                       subtract;
    logic signed [AccWidth-1:0] acc;
    logic                       unused;

    if (File != "") begin : g_image
      bf_rom #(
        .Width (WORD_WIDTH),
        .Depth (GROUPS),
        .File  ({File, LANE, ".mem"})
      ) i_words (
        .clk_i  (clk_i),
        .addr_i (group),
        .data_o (word)
      );
    end else begin : g_empty
      bf_rom #(
        .Width (WORD_WIDTH),
        .Depth (GROUPS)
      ) i_words (
        .clk_i  (clk_i),
        .addr_i (group),
        .data_o (word)
      );
    end

    assign slope    = word[Width +: SlopeWidth];
    assign acc      = accs[l*AccWidth +: AccWidth];
    assign subtract = !first_plane && !trial_q[Width-1];
    assign base     = first_plane ? Width'(acc) << Shift : trial_q;
    assign change   = first_plane ? word[Width-1:0] : Width'(step_q) ^ {Width{subtract}};
    // The bit below carries the one that a subtraction adds.
    assign {trial, unused} = {base, 1'b1} + {change, subtract};
    if (Half) begin : g_half
      logic above_q;                         // the first trial was not negative
      assign bits[l] = first_plane || (above_q && !trial[Width-1]);
      always_ff @(posedge clk_i) if (first_plane) above_q <= !trial[Width-1];
    end else begin : g_whole
      assign bits[l] = !trial[Width-1];
    end

    always_ff @(posedge clk_i) begin
      trial_q <= trial;
      step_q  <= first_plane ? STEP_WIDTH'(slope) << (OutBits - 2) : step_q >> 1;
    end
  end

  always_ff @(posedge clk_i) out_data_o <= bits ^ {Tpe{OutSigned && first_plane}};

`ifndef SYNTHESIS
  initial begin
    if (Folds < 1 || SlopeWidth < 1) $fatal(1, "%m: parameters >= 1 required");
    if (OutBits < 2) $fatal(1, "%m: OutBits >= 2 required");
    if (Width <= STEP_WIDTH) $fatal(1, "%m: a trial has more bits than a step");
    if (Width < AccWidth) $fatal(1, "%m: a trial has at least the bits of an accumulator");
    if (Tpe > 1000) $fatal(1, "%m: Tpe <= 1000, the names of images have three digits");
  end
`endif
endmodule
