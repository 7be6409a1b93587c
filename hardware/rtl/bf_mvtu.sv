// SPDX-License-Identifier: Apache-2.0
// bf_mvtu: matrix-vector-threshold unit: one convolution (behind a bf_window) or dense layer.
//
//   y = thresholds(W x)  or, in the last layer,  y = W x + bias;  W is Outputs x Inputs
//
// in -> bf_vecbuf -> bf_mvu (weights) -> bf_results -> out,
// all driven by the counters of bf_mvu_seq.
//
// Parameters   GroupIn, Planes, ActSigned, Inputs   the input stream: G channels a beat, B planes a
//                              value, plane 0 a sign; values of a vector. G | Simd or Simd | G.
//              Outputs, Pe     outputs; computed at a time: NF = Outputs / Pe folds
//              Simd            inputs at a time: SF = Inputs / Blocks / Simd
//              Blocks, Runs    a convolution in groups: each Outputs / Blocks outputs read 1 / Blocks
//                              of the channels at each of Runs positions; the weights are those of
//                              these inputs alone. Pe and Simd, GroupIn divide a block's sides
//              Ap, Wp          planes of an activation, of a weight at a time; <= Planes, <= WPlanes
//              WPlanes         planes of a weight: two's complement, or 1 with WeightBipolar
//              WeightBipolar   weights are -1, +1
//              ActBipolar      activations are -1, +1 (Planes = 1) and meet bipolar weights (XNOR).
//                              With integer weights leave it 0: see AccShift
//              Steps           pack_steps(step_table(...)): 32 bits for each of ceil(Planes/Ap) *
//                              ceil(WPlanes/Wp) steps; with modes TableSteps of them
//              Modes, Ring, FrameVectors, ModeSteps, Flips   run-time precision, off with Modes = 1:
//                              a frame of FrameVectors vectors is computed in the mode that its
//                              place in ring_i says (bf_mode_ring). A mode walks through steps
//                              ModeSteps (of bf_mvu_seq) and has thresholds or biases of its own,
//                              with Flips (of bf_threshold). Wp and Ap divide the planes skipped
//              WeightFile      pack_weights(...)
//              AccWidth        bits, signed, that hold every result of W x (and with bias), >= 2
//              Final           0: planes leave, by thresholds. 1: integers leave, Pe a beat
//              OutBits, OutSigned, Tpe, ThresholdFile   Final = 0: planes of a code; two's
//                              complement; comparators (divides Pe) = group of the output stream;
//                              pack_thresholds(...); OneTable: of one channel, for all
//              Divide, DivideShift, DivideWidth, SlopeWidth, DivideHalf   thresholds on a straight
//                              line: Shift, Width, SlopeWidth, Half of bf_divide; pack_divisors(...)
//              Raw             Final = 0: no thresholds; the planes are those of the accumulators
//                              themselves, OutBits = AccWidth
//              HasBias, BiasFile, AccShift   Final = 1: pack_biases(...); accumulators are shifted
//                              left by AccShift before (bipolar activations: unipolar_bias)
//              OutVectors      V: output vectors held, >= 2. MvtuTiming.vectors for full rate
//              Style           popcount: 0 any FPGA, 1 xc7 and xcup
//              MemRegister     M: 0 or 1 registers behind weight memory and vector buffer
//              The functions named are those of bitfold.sim.reference.
//
// Streams      in_*, out_*; transfer on valid && ready; payload stable until taken.
// Comb. paths  none from in_* or out_ready_i to any output.
// Rate         1 beat/cycle in and out; a vector every max(T, its input beats) cycles.
// Timing       exact, by vectors; times are cycles, in(v) and taken(v) those of a vector's last
//              input and output transfer, L = dot_latency (bitfold.cost.latency):
//                start(v) = max(start(v-1) + T, in(v) + 1, taken(v-V) + 2)      first product
//                out(v)   = start(v) + C                                  last beat is offered
//                beat i of fold f is offered in start(v) + O + f*P + i;
//                beats of vector v+2 are taken from cycle start(v) + R on;
//              product Q = STEPS * SF, search S = OutBits * Pe / Tpe (1 if Final),
//              fold P = max(Q, S), T = NF * P, R = (NF-1) * P + Q,
//              O = Q + L + M + (Final ? 2 : 3), C = O + (NF-1) * P + S - 1; V >= (C + 2) / T keeps the
//              output from slowing the unit. bitfold.sim.reference.mvtu_schedule is this.
//              With modes Q, P, T, R, O, C are those of the vector's mode, T that of the vector
//              before, R that of vector v, and products come at the end of their fold:
//              R = NF * P, O = P + L + M + (Final ? 2 : 3).
// Golden       bitfold.sim.reference.mvtu; test: tests/hardware/test_bf_mvtu.py
module bf_mvtu #(
  parameter  int unsigned GroupIn       = 4,
  parameter  int unsigned Planes        = 4,
  parameter  bit          ActSigned     = 1'b0,
  parameter  bit          ActBipolar    = 1'b0,
  parameter  int unsigned Inputs        = 16,
  parameter  int unsigned Outputs       = 8,
  parameter  int unsigned Pe            = 4,
  parameter  int unsigned Simd          = 8,
  parameter  int unsigned Blocks        = 1,
  parameter  int unsigned Runs          = 1,
  parameter  int unsigned Ap            = 1,
  parameter  int unsigned Wp            = 1,
  parameter  int unsigned WPlanes       = 1,
  parameter  bit          WeightBipolar = 1'b1,
  localparam int unsigned AF    = (Planes + Ap - 1) / Ap,
  localparam int unsigned WF    = (WPlanes + Wp - 1) / Wp,
  localparam int unsigned STEPS = AF * WF,
  parameter  int unsigned TableSteps    = STEPS,
  parameter  logic [32*TableSteps-1:0] Steps = '0,
  parameter               WeightFile    = "",
  parameter  int unsigned AccWidth      = 16,
  parameter  bit          Final         = 1'b0,
  parameter  int unsigned OutBits       = 1,
  parameter  bit          OutSigned     = 1'b0,
  parameter  bit          Raw           = 1'b0,
  parameter  int unsigned Tpe           = 4,
  parameter               ThresholdFile = "",
  parameter  bit          HasBias       = 1'b0,
  parameter               BiasFile      = "",
  parameter  int unsigned AccShift      = 0,
  parameter  int unsigned OutVectors    = 2,
  parameter  int unsigned Style         = 0,
  parameter  int unsigned MemRegister   = 0,
  parameter  int unsigned Modes         = 1,
  parameter  int unsigned Ring          = 1,
  parameter  int unsigned FrameVectors  = 1,
  parameter  logic [32*Modes-1:0] ModeSteps = '0,
  parameter  bit          Flips         = 1'b0,
  parameter  bit          OneTable      = 1'b0,
  parameter  bit          Divide        = 1'b0,
  parameter  int unsigned DivideShift   = 0,
  parameter  int unsigned DivideWidth   = 1,
  parameter  int unsigned SlopeWidth    = 1,
  parameter  bit          DivideHalf    = 1'b0,
  localparam int unsigned MODE_WIDTH = Modes > 1 ? $clog2(Modes) : 1,
  localparam int unsigned OUT_WIDTH = Final ? Pe * AccWidth : Tpe
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,       // synchronous, active low
  // Modes of the frames inside; 0 without modes.
  input  logic [Ring*MODE_WIDTH-1:0] ring_i,
  // Plane stream in.
  input  logic                 in_valid_i,
  output logic                 in_ready_o,
  input  logic [GroupIn-1:0]   in_data_i,
  // Plane stream out, group Tpe; or integers of Pe outputs, output 0 in the low bits.
  output logic                 out_valid_o,
  input  logic                 out_ready_i,
  output logic [OUT_WIDTH-1:0] out_data_o
);
  localparam int unsigned NF          = Outputs / Pe;
  localparam int unsigned LANES       = GroupIn > Simd ? GroupIn : Simd;
  localparam int unsigned BANKS       = LANES / Simd;
  localparam int unsigned WORDS       = Inputs / LANES;
  localparam int unsigned PRODUCT     = STEPS * (WORDS / Blocks) * BANKS;
  localparam int unsigned SEARCH      = Final ? 1 : OutBits * (Pe / Tpe);
  localparam int unsigned FOLD_CYCLES = Modes == 1 && PRODUCT > SEARCH ? PRODUCT : SEARCH;
  localparam int unsigned WEIGHTS     = NF * WF * (WORDS / Blocks) * BANKS;

  function automatic int unsigned greatest_shift(input logic [32*TableSteps-1:0] steps);
    greatest_shift = 0;
    for (int unsigned s = 0; s < TableSteps; s++) begin
      if (32'(steps[32*s+16 +: 8]) > greatest_shift) greatest_shift = 32'(steps[32*s+16 +: 8]);
    end
  endfunction

  // Whether the step that ends a product, in any mode, can be negative as a whole: see bf_dot.
  function automatic bit last_negative(input logic [32*TableSteps-1:0] steps,
                                       input logic [32*Modes-1:0] modes);
    int unsigned last;
    last_negative = 1'b0;
    for (int unsigned m = 0; m < Modes; m++) begin
      last = Modes == 1 ? STEPS - 1 : 32'(modes[32*m+16 +: 16]);
      if ((Ap == 1 && !ActBipolar && steps[32*last+24])
          != (Wp == 1 && !WeightBipolar && steps[32*last+25])) last_negative = 1'b1;
    end
  endfunction

  localparam bit          LAST_NEGATIVE = last_negative(Steps, ModeSteps);
  localparam int unsigned MAX_SHIFT     = greatest_shift(Steps);
  localparam int unsigned SHIFT_WIDTH   = MAX_SHIFT == 0 ? 1 : $clog2(MAX_SHIFT + 1);
  localparam int unsigned ACT_WIDTH     = $clog2(2 * WORDS * AF);
  localparam int unsigned BANK_WIDTH    = BANKS > 1 ? $clog2(BANKS) : 1;
  localparam int unsigned WEIGHTS_WIDTH = WEIGHTS > 1 ? $clog2(WEIGHTS) : 1;

  logic                     full, room, start, release_slot;
  logic                     issue_valid, issue_first, issue_last, act_sign, weight_sign;
  logic [ACT_WIDTH-1:0]     act_addr;
  logic [BANK_WIDTH-1:0]    act_bank;
  logic [WEIGHTS_WIDTH-1:0] weight_addr;
  logic [SHIFT_WIDTH-1:0]   shift;
  logic [Simd*Ap-1:0]       act;
  logic                     acc_valid;
  logic [Pe*AccWidth-1:0]   acc;
  logic [MODE_WIDTH-1:0]    mode;    // of the vector that may start

  if (Modes > 1) begin : g_modes
    bf_frame_mode #(
      .Modes   (Modes),
      .Ring    (Ring),
      .Vectors (FrameVectors)
    ) i_mode (
      .clk_i    (clk_i),
      .rst_ni   (rst_ni),
      .ring_i   (ring_i),
      .vector_i (start),
      .mode_o   (mode)
    );
  end else begin : g_one_mode
    assign mode = '0;
  end

  bf_vecbuf #(
    .GroupIn   (GroupIn),
    .Simd      (Simd),
    .Ap        (Ap),
    .Planes    (Planes),
    .Inputs    (Inputs),
    .ActSigned (ActSigned)
  ) i_buffer (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .in_valid_i (in_valid_i),
    .in_ready_o (in_ready_o),
    .in_data_i  (in_data_i),
    .full_o     (full),
    .start_i    (start),
    .release_i  (release_slot),
    .addr_i     (act_addr),
    .bank_i     (act_bank),
    .act_o      (act)
  );

  bf_mvu_seq #(
    .Folds      (NF),
    .Words      (WORDS),
    .Banks      (BANKS),
    .Blocks     (Blocks),
    .Runs       (Runs),
    .ActGroups  (AF),
    .WGroups    (WF),
    .FoldCycles (FOLD_CYCLES),
    .ShiftWidth (SHIFT_WIDTH),
    .TableSteps (TableSteps),
    .Steps      (Steps),
    .Modes      (Modes),
    .ModeSteps  (ModeSteps)
  ) i_sequence (
    .clk_i               (clk_i),
    .rst_ni              (rst_ni),
    .full_i              (full),
    .room_i              (room),
    .mode_i              (mode),
    .start_o             (start),
    .release_o           (release_slot),
    .issue_valid_o       (issue_valid),
    .issue_act_addr_o    (act_addr),
    .issue_act_bank_o    (act_bank),
    .issue_weight_addr_o (weight_addr),
    .issue_first_o       (issue_first),
    .issue_last_o        (issue_last),
    .issue_shift_o       (shift),
    .issue_act_sign_o    (act_sign),
    .issue_weight_sign_o (weight_sign)
  );

  bf_mvu #(
    .Pe            (Pe),
    .Simd          (Simd),
    .Wp            (Wp),
    .Ap            (Ap),
    .WeightBipolar (WeightBipolar),
    .ActBipolar    (ActBipolar),
    .Inputs        (Inputs / Blocks),
    .AccWidth      (AccWidth),
    .MaxShift      (MAX_SHIFT),
    .LastNegative  (LAST_NEGATIVE),
    .Style         (Style),
    .Depth         (WEIGHTS),
    .File          (WeightFile),
    .MemRegister   (MemRegister)
  ) i_product (
    .clk_i               (clk_i),
    .rst_ni              (rst_ni),
    .issue_valid_i       (issue_valid),
    .issue_first_i       (issue_first),
    .issue_last_i        (issue_last),
    .issue_shift_i       (shift),
    .issue_act_sign_i    (act_sign),
    .issue_weight_sign_i (weight_sign),
    .issue_weight_addr_i (weight_addr),
    .act_i               (act),
    .acc_valid_o         (acc_valid),
    .acc_data_o          (acc)
  );

  bf_results #(
    .Pe            (Pe),
    .Folds         (NF),
    .AccWidth      (AccWidth),
    .Final         (Final),
    .OutBits       (OutBits),
    .OutSigned     (OutSigned),
    .Raw           (Raw),
    .Tpe           (Tpe),
    .ThresholdFile (ThresholdFile),
    .HasBias       (HasBias),
    .BiasFile      (BiasFile),
    .AccShift      (AccShift),
    .Vectors       (OutVectors),
    .Modes         (Modes),
    .Ring          (Ring),
    .FrameVectors  (FrameVectors),
    .Flips         (Flips),
    .OneTable      (OneTable),
    .Divide        (Divide),
    .DivideShift   (DivideShift),
    .DivideWidth   (DivideWidth),
    .SlopeWidth    (SlopeWidth),
    .DivideHalf    (DivideHalf)
  ) i_results (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .ring_i      (ring_i),
    .room_o      (room),
    .reserve_i   (start),
    .acc_valid_i (acc_valid),
    .acc_data_i  (acc),
    .out_valid_o (out_valid_o),
    .out_ready_i (out_ready_i),
    .out_data_o  (out_data_o)
  );

`ifndef SYNTHESIS
  initial begin
    if (Outputs % Pe != 0 || Inputs % Simd != 0) $fatal(1, "%m: Pe, Simd must divide their sides");
    if (Wp > WPlanes || Ap > Planes) $fatal(1, "%m: Wp <= WPlanes and Ap <= Planes required");
    if (ActBipolar && Planes != 1) $fatal(1, "%m: bipolar activations have one plane");
    if (WeightBipolar && WPlanes != 1) $fatal(1, "%m: bipolar weights have one plane");
    if (Modes == 1 && TableSteps != STEPS) $fatal(1, "%m: one mode walks through all STEPS");
  end

  logic                 refused_q;
  logic [OUT_WIDTH-1:0] refused_data_q;

  always_ff @(posedge clk_i) begin
    refused_q      <= rst_ni && out_valid_o && !out_ready_i;
    refused_data_q <= out_data_o;
    if (rst_ni && refused_q && !(out_valid_o && out_data_o == refused_data_q)) begin
      $fatal(1, "%m: out changed while it was refused");
    end
  end
`endif
endmodule
