// SPDX-License-Identifier: Apache-2.0
// bf_finn_mvu: a bit-serial matrix-vector product between FINN's streams: whole integers in and out.
//
//   y = W x, W is Outputs x Inputs, no thresholds
//
// in -> planes of Simd inputs -> bf_unpack -> bf_vecbuf -> bf_mvu (weights) -> bf_results -> out,
// all driven by the counters of bf_mvu_seq. A word of FINN's holds all planes of its inputs: the
// buffer takes a whole group of Ap planes in a cycle, AF = ceil(Planes / Ap) cycles a word, and so
// never holds up the product, which reads it at least as long.
//
// Streams      in_*: Simd integers of Planes bits a beat, input 0 in the low bits; a vector is
//              SF = Inputs / Simd beats. out_*: Pe integers of AccWidth bits a beat, output 0 in
//              the low bits; NF = Outputs / Pe beats. Transfer on valid && ready; payload stable
//              until taken.
// Parameters   WeightFile pack_weights(...) of bitfold.sim.reference. Steps, MaxShift, LastNegative:
//              step_table(...) of it packed, its greatest shift, and as in bf_dot.
//              AccWidth   results are taken modulo 2^AccWidth, signed or not
//              OutVectors output vectors held; MvtuTiming.vectors for full rate
// Comb. paths  none from in_* or out_ready_i to any output.
// Rate         a vector every T = NF * Q cycles, Q = ceil(WPlanes/Wp) * AF * SF.
// Timing       exact, by vectors, with the times and letters of bf_mvtu (Final = 1, M = 0), where
//                in(v) = in'(v) + AF,  in'(v) the transfer of the vector's last word,
//              and with SF = 1, where a word may wait for its slot,
//                in(v) = max(in'(v), start(v-2) + R - 1) + AF.
// Golden       an integer product; test: tests/hardware/test_bf_finn_mvu.py
module bf_finn_mvu #(
  parameter  int unsigned Inputs        = 16,    // MW
  parameter  int unsigned Outputs       = 8,     // MH
  parameter  int unsigned Simd          = 8,     // inputs of a word; divides Inputs
  parameter  int unsigned Pe            = 4,     // outputs of a word; divides Outputs
  parameter  int unsigned Planes        = 4,     // bits of an input
  parameter  bit          ActSigned     = 1'b0,  // inputs are two's complement
  parameter  int unsigned WPlanes       = 2,     // bits of a weight
  parameter  bit          WeightBipolar = 1'b0,  // weights are -1, +1; else two's complement
  parameter  int unsigned Ap            = 1,     // planes of an input a cycle, <= Planes
  parameter  int unsigned Wp            = 1,     // planes of a weight a cycle, <= WPlanes
  parameter  int unsigned AccWidth      = 16,    // bits of an output, >= 2
  parameter  int unsigned OutVectors    = 2,     // >= 2
  parameter  int unsigned Style         = 0,     // of bf_popcount
  parameter               WeightFile    = "",
  parameter  int unsigned MaxShift      = 1,
  parameter  bit          LastNegative  = 1'b1,
  localparam int unsigned AF    = (Planes + Ap - 1) / Ap,
  localparam int unsigned WF    = (WPlanes + Wp - 1) / Wp,
  localparam int unsigned STEPS = AF * WF,
  parameter  logic [32*STEPS-1:0] Steps = '0
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,         // synchronous, active low
  // Integers in.
  input  logic                   in_valid_i,
  output logic                   in_ready_o,
  input  logic [Simd*Planes-1:0] in_data_i,
  // Integers out.
  output logic                   out_valid_o,
  input  logic                   out_ready_i,
  output logic [Pe*AccWidth-1:0] out_data_o
);
  localparam int unsigned NF            = Outputs / Pe;
  localparam int unsigned WORDS         = Inputs / Simd;
  localparam int unsigned GROUP         = Simd * Ap;       // bits of a plane group of a word
  localparam int unsigned WEIGHTS       = NF * WF * WORDS;
  localparam int unsigned ACT_WIDTH     = $clog2(2 * WORDS * AF);
  localparam int unsigned WEIGHTS_WIDTH = WEIGHTS > 1 ? $clog2(WEIGHTS) : 1;
  localparam int unsigned SHIFT_WIDTH   = MaxShift == 0 ? 1 : $clog2(MaxShift + 1);

  // A word as plane groups, the most significant first; zeros or signs where planes are missing.
  logic [AF*GROUP-1:0] groups;

  for (genvar a = 0; a < AF; a++) begin : g_group
    for (genvar k = 0; k < Ap; k++) begin : g_plane
      localparam int unsigned PLANE = (AF - 1 - a) * Ap + k;
      for (genvar i = 0; i < Simd; i++) begin : g_input
        if (PLANE < Planes) begin : g_there
          assign groups[a*GROUP + k*Simd + i] = in_data_i[i*Planes + PLANE];
        end else begin : g_missing
          assign groups[a*GROUP + k*Simd + i] = ActSigned && in_data_i[i*Planes + Planes - 1];
        end
      end
    end
  end

  logic             group_valid, group_ready;
  logic [GROUP-1:0] group;

  bf_unpack #(
    .Items (AF),
    .Width (GROUP)
  ) i_unpack (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .in_valid_i  (in_valid_i),
    .in_ready_o  (in_ready_o),
    .in_data_i   (groups),
    .out_valid_o (group_valid),
    .out_ready_i (group_ready),
    .out_data_o  (group)
  );

  logic                     full, room, start, release_slot;
  logic                     issue_valid, issue_first, issue_last, act_sign, weight_sign;
  logic [ACT_WIDTH-1:0]     act_addr;
  logic                     act_bank;
  logic [WEIGHTS_WIDTH-1:0] weight_addr;
  logic [SHIFT_WIDTH-1:0]   shift;
  logic [GROUP-1:0]         act;
  logic                     acc_valid;
  logic [Pe*AccWidth-1:0]   acc;

  // For the buffer a plane group is a plane of Simd * Ap values.
  bf_vecbuf #(
    .GroupIn   (GROUP),
    .Simd      (GROUP),
    .Ap        (1),
    .Planes    (AF),
    .Inputs    (Inputs * Ap),
    .ActSigned (1'b0)
  ) i_buffer (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .in_valid_i (group_valid),
    .in_ready_o (group_ready),
    .in_data_i  (group),
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
    .ActGroups  (AF),
    .WGroups    (WF),
    .ShiftWidth (SHIFT_WIDTH),
    .Steps      (Steps)
  ) i_sequence (
    .clk_i               (clk_i),
    .rst_ni              (rst_ni),
    .full_i              (full),
    .room_i              (room),
    .mode_i              (1'b0),
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
    .Inputs        (Inputs),
    .AccWidth      (AccWidth),
    .MaxShift      (MaxShift),
    .LastNegative  (LastNegative),
    .Style         (Style),
    .Depth         (WEIGHTS),
    .File          (WeightFile)
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
    .Pe       (Pe),
    .Folds    (NF),
    .AccWidth (AccWidth),
    .Final    (1'b1),
    .Tpe      (Pe),
    .Vectors  (OutVectors)
  ) i_results (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .ring_i      (1'b0),
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
    if (WeightBipolar && WPlanes != 1) $fatal(1, "%m: bipolar weights have one plane");
  end

  logic                   refused_q;
  logic [Pe*AccWidth-1:0] refused_data_q;

  always_ff @(posedge clk_i) begin
    refused_q      <= rst_ni && out_valid_o && !out_ready_i;
    refused_data_q <= out_data_o;
    if (rst_ni && refused_q && !(out_valid_o && out_data_o == refused_data_q)) begin
      $fatal(1, "%m: out changed while it was refused");
    end
  end
`endif
endmodule
