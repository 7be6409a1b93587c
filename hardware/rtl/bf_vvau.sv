// SPDX-License-Identifier: Apache-2.0
// bf_vvau: vector-vector accumulate unit: every channel sums its own inputs over the positions of a
// vector. Depthwise convolution (behind a bf_window), sum pooling, residual addition (behind a
// bf_join).
//
//   y[c] = thresholds(sum over positions p of w[p][c] * x[p][c])  or, in the last layer, + bias[c]
//
// in -> bf_vvau_products -> accumulators of two vectors -> bf_results -> out; bf_mvu_seq walks through
// the accumulators of a vector while the next one is summed.
//
// A product needs no multiplier: an activation arrives plane by plane, most significant first, and
// t = 2 t + (bit ? w : 0), with the sign plane subtracted, is w * x behind the last plane.
//
// Parameters   Group, Planes, ActSigned   the input stream: G channels a beat, B planes a value,
//                              plane 0 a sign
//              Groups, Positions   channels / G; values of a channel in a vector. A vector's beats:
//                              position, channel group, plane
//              WBits, WKind, WeightFile   bits of a weight, two's complement. WKind 0: all weights
//                              are 1, no file; 1: a weight a position, word p of the file;
//                              2: a weight a position and channel, word {p * Groups + group} has
//                              that of channel i of the group at bit i * WBits
//              AccWidth        bits, signed, that hold every sum (and with bias)
//              Modes, Ring, FrameVectors, Flips   as in bf_mvtu; no plane is left out, so no mode is
//                              faster. WeightSkip, ActSkip: 8 bits a mode, how many of the least
//                              significant planes of the weights, the activations count as zero
//              Final, OutBits, OutSigned, Raw, Tpe, ThresholdFile, OneTable, HasBias, BiasFile,
//              OutVectors, Divide, DivideShift, DivideWidth, SlopeWidth, DivideHalf   as in
//                              bf_mvtu, with Pe = G
//
// Streams      in_*, out_*; transfer on valid && ready; payload stable until taken.
// Comb. paths  none from in_* or out_ready_i to any output.
// Rate         1 beat/cycle in and out; a vector every max(T, its input beats) cycles.
// Timing       that of bf_mvtu with Q = 1, L = 1, M = 0, NF = Groups:
//                start(v) = max(start(v-1) + T, in(v) + 1, taken(v-V) + 2)
//                out(v)   = start(v) + C                                  last beat is offered
//                beat i of group g is offered in start(v) + O + g*P + i;
//                beats of vector v+2 are taken from cycle start(v) + R on;
//              search S = OutBits * G / Tpe (1 if Final), P = S, T = Groups * P,
//              R = (Groups-1) * P + 1, O = 2 + (Final ? 2 : 3), C = O + T - 1.
// Golden       bitfold.sim.reference.vvau; test: tests/hardware/test_bf_vvau.py
module bf_vvau #(
  parameter  int unsigned Group         = 4,
  parameter  int unsigned Planes        = 4,
  parameter  bit          ActSigned     = 1'b0,
  parameter  int unsigned Groups        = 2,
  parameter  int unsigned Positions     = 9,
  parameter  int unsigned WBits         = 1,
  parameter  int unsigned WKind         = 0,
  parameter               WeightFile    = "",
  parameter  int unsigned AccWidth      = 12,
  parameter  bit          Final         = 1'b0,
  parameter  int unsigned OutBits       = 2,
  parameter  bit          OutSigned     = 1'b0,
  parameter  bit          Raw           = 1'b0,
  parameter  int unsigned Tpe           = 4,
  parameter               ThresholdFile = "",
  parameter  bit          HasBias       = 1'b0,
  parameter               BiasFile      = "",
  parameter  int unsigned OutVectors    = 2,
  parameter  int unsigned Modes         = 1,
  parameter  int unsigned Ring          = 1,
  parameter  int unsigned FrameVectors  = 1,
  parameter  logic [8*Modes-1:0] WeightSkip = '0,
  parameter  logic [8*Modes-1:0] ActSkip    = '0,
  parameter  bit          Flips         = 1'b0,
  parameter  bit          OneTable      = 1'b0,
  parameter  bit          Divide        = 1'b0,
  parameter  int unsigned DivideShift   = 0,
  parameter  int unsigned DivideWidth   = 1,
  parameter  int unsigned SlopeWidth    = 1,
  parameter  bit          DivideHalf    = 1'b0,
  localparam int unsigned MODE_WIDTH = Modes > 1 ? $clog2(Modes) : 1,
  localparam int unsigned OUT_WIDTH = Final ? Group * AccWidth : Tpe
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,       // synchronous, active low
  // Modes of the frames inside; 0 without modes.
  input  logic [Ring*MODE_WIDTH-1:0] ring_i,
  // Plane stream in.
  input  logic                 in_valid_i,
  output logic                 in_ready_o,
  input  logic [Group-1:0]     in_data_i,
  // Plane stream out, group Tpe; or integers of G channels, channel 0 in the low bits.
  output logic                 out_valid_o,
  input  logic                 out_ready_i,
  output logic [OUT_WIDTH-1:0] out_data_o
);
  localparam int unsigned SEARCH      = Final ? 1 : OutBits * (Group / Tpe);
  localparam int unsigned GROUP_WIDTH = Groups > 1 ? $clog2(Groups) : 1;
  localparam int unsigned ADDR_WIDTH  = GROUP_WIDTH + 1;

  logic                      full, room, start, release_slot, issue_valid;
  logic [GROUP_WIDTH-1:0]    issue_group;
  logic [0:0]                issue_slot;
  logic [5:0]                unused;
  logic                      acc_valid;
  logic [Group*AccWidth-1:0] acc;

  // What is done with the product of the present beat: two cycles later it is in the accumulators.
  logic                      sum_valid, sum_first;
  logic [ADDR_WIDTH-1:0]     sum_addr;
  logic [Group*AccWidth-1:0] product;

  bf_vvau_products #(
    .Group        (Group),
    .Planes       (Planes),
    .ActSigned    (ActSigned),
    .Groups       (Groups),
    .Positions    (Positions),
    .WBits        (WBits),
    .WKind        (WKind),
    .WeightFile   (WeightFile),
    .AccWidth     (AccWidth),
    .Modes        (Modes),
    .Ring         (Ring),
    .FrameVectors (FrameVectors),
    .WeightSkip   (WeightSkip),
    .ActSkip      (ActSkip)
  ) i_products (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .ring_i      (ring_i),
    .in_valid_i  (in_valid_i),
    .in_ready_o  (in_ready_o),
    .in_data_i   (in_data_i),
    .full_o      (full),
    .start_i     (start),
    .release_i   (release_slot),
    .sum_valid_o (sum_valid),
    .sum_first_o (sum_first),
    .sum_addr_o  (sum_addr),
    .product_o   (product)
  );

  bf_mvu_seq #(
    .Folds      (Groups),
    .Words      (1),
    .FoldCycles (SEARCH)
  ) i_sequence (
    .clk_i               (clk_i),
    .rst_ni              (rst_ni),
    .full_i              (full),
    .room_i              (room),
    .mode_i              (1'b0),
    .start_o             (start),
    .release_o           (release_slot),
    .issue_valid_o       (issue_valid),
    .issue_act_addr_o    (issue_slot),
    .issue_act_bank_o    (unused[0]),
    .issue_weight_addr_o (issue_group),
    .issue_first_o       (unused[1]),
    .issue_last_o        (unused[2]),
    .issue_shift_o       (unused[3]),
    .issue_act_sign_o    (unused[4]),
    .issue_weight_sign_o (unused[5])
  );

  // Accumulators: summed at one address, given to the results at another, both read at once. A
  // vector is given two cycles after its issue, when its last product has been added.
  logic [Group*AccWidth-1:0] memory [2**ADDR_WIDTH];
  logic [Group*AccWidth-1:0] so_far, sum;
  logic [ADDR_WIDTH-1:0]     issued_addr_q, give_addr_q;
  logic [1:0]                give_q;

  assign so_far = memory[sum_addr];
  for (genvar i = 0; i < Group; i++) begin : g_sum
    assign sum[i*AccWidth +: AccWidth] = product[i*AccWidth +: AccWidth]
                                         + (sum_first ? '0 : so_far[i*AccWidth +: AccWidth]);
  end

  always_ff @(posedge clk_i) begin
    if (sum_valid) memory[sum_addr] <= sum;
  end

  always_ff @(posedge clk_i) begin
    issued_addr_q <= {issue_slot, issue_group};
    give_addr_q   <= issued_addr_q;
    give_q        <= rst_ni ? {give_q[0], issue_valid} : '0;
  end

  assign acc_valid = give_q[1];
  assign acc       = memory[give_addr_q];

  bf_results #(
    .Pe            (Group),
    .Folds         (Groups),
    .AccWidth      (AccWidth),
    .Final         (Final),
    .OutBits       (OutBits),
    .OutSigned     (OutSigned),
    .Raw           (Raw),
    .Tpe           (Tpe),
    .ThresholdFile (ThresholdFile),
    .HasBias       (HasBias),
    .BiasFile      (BiasFile),
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
    if (Group < 1 || Groups < 1 || Positions < 1 || Planes < 1) begin
      $fatal(1, "%m: parameters >= 1 required");
    end
    if (WKind > 2) $fatal(1, "%m: WKind is 0, 1 or 2");
  end
`endif
endmodule
