// SPDX-License-Identifier: Apache-2.0
// bf_results: accumulators to the output stream of bf_mvtu and bf_vvau: codes, planes or integers,
// kept as whole vectors until they are taken.
//
// acc -> bf_threshold | bf_divide | bf_planes | bf_bias -> bf_vecfifo -> out
//
// Parameters   Final = 1: integers leave, Pe a beat, shifted by AccShift and with a bias (HasBias,
//              BiasFile): bf_bias.
//              Raw = 1: the accumulators' own planes leave, OutBits = AccWidth: bf_planes.
//              Else codes of OutBits planes, OutSigned, by ThresholdFile: bf_threshold.
//              Modes, Ring, FrameVectors   with Modes > 1 thresholds and biases are those of the
//                       frame's mode: see bf_mode_ring; FrameVectors is the vectors of a frame.
//                       Flips of bf_threshold
//              OneTable of bf_threshold
//              Divide, DivideShift, DivideWidth, SlopeWidth, DivideHalf   without modes: codes by
//                       bf_divide, the images of ThresholdFile are its words
//              Tpe      channels of a beat where planes leave; divides Pe
//              Vectors  output vectors held, >= 2
//
// Streams      acc_*: pulses at least OutBits * Pe / Tpe cycles apart (1 if Final), no ready.
//              out_*: transfer on valid && ready; payload stable until taken.
// Credit       room_o, reserve_i of bf_vecfifo: reserve a vector before its accumulators come.
// Latency      the first beat of a fold is offered 3 cycles after its accumulators (2 if Final).
// Comb. paths  none.
// Test         tests/hardware/test_bf_mvtu.py
module bf_results #(
  parameter  int unsigned Pe            = 4,     // accumulators of a fold
  parameter  int unsigned Folds         = 2,     // folds of a vector
  parameter  int unsigned AccWidth      = 12,    // bits of an accumulator, signed
  parameter  bit          Final         = 1'b0,
  parameter  int unsigned OutBits       = 2,
  parameter  bit          OutSigned     = 1'b0,
  parameter  bit          Raw           = 1'b0,
  parameter  int unsigned Tpe           = 4,
  parameter               ThresholdFile = "",
  parameter  bit          HasBias       = 1'b0,
  parameter               BiasFile      = "",
  parameter  int unsigned AccShift      = 0,
  parameter  int unsigned Vectors       = 2,
  parameter  int unsigned Modes         = 1,
  parameter  int unsigned Ring          = 1,
  parameter  int unsigned FrameVectors  = 1,
  parameter  bit          Flips         = 1'b0,
  parameter  bit          OneTable      = 1'b0,
  parameter  bit          Divide        = 1'b0,
  parameter  int unsigned DivideShift   = 0,
  parameter  int unsigned DivideWidth   = 1,
  parameter  int unsigned SlopeWidth    = 1,
  parameter  bit          DivideHalf    = 1'b0,
  localparam int unsigned MODE_WIDTH = Modes > 1 ? $clog2(Modes) : 1,
  localparam int unsigned WIDTH  = Final ? Pe * AccWidth : Tpe,
  localparam int unsigned SEARCH = Final ? 1 : OutBits * (Pe / Tpe)
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,         // synchronous, active low
  // Modes of the frames inside.
  input  logic [Ring*MODE_WIDTH-1:0] ring_i,
  // Credit.
  output logic                   room_o,
  input  logic                   reserve_i,
  // Accumulators of a fold, output 0 in the low bits.
  input  logic                   acc_valid_i,
  input  logic [Pe*AccWidth-1:0] acc_data_i,
  // Planes, or integers of Pe outputs, output 0 in the low bits.
  output logic                   out_valid_o,
  input  logic                   out_ready_i,
  output logic [WIDTH-1:0]       out_data_o
);
  logic                  valid;
  logic [WIDTH-1:0]      data;
  logic [MODE_WIDTH-1:0] mode;   // of the fold whose accumulators come

  if (Modes > 1 && !Raw) begin : g_modes
    bf_frame_mode #(
      .Modes   (Modes),
      .Ring    (Ring),
      .Vectors (FrameVectors * Folds)
    ) i_mode (
      .clk_i    (clk_i),
      .rst_ni   (rst_ni),
      .ring_i   (ring_i),
      .vector_i (acc_valid_i),
      .mode_o   (mode)
    );
  end else begin : g_one_mode
    logic unused;
    assign unused = ^{ring_i, mode};
    assign mode   = '0;
  end

  if (Final) begin : g_bias
    bf_bias #(
      .Pe      (Pe),
      .Folds   (Folds),
      .Width   (AccWidth),
      .Shift   (AccShift),
      .HasBias (HasBias),
      .File    (BiasFile),
      .Modes   (Modes)
    ) i_bias (
      .clk_i       (clk_i),
      .rst_ni      (rst_ni),
      .acc_valid_i (acc_valid_i),
      .acc_data_i  (acc_data_i),
      .mode_i      (mode),
      .out_valid_o (valid),
      .out_data_o  (data)
    );
  end else if (Raw) begin : g_planes
    bf_planes #(
      .Pe       (Pe),
      .Tpe      (Tpe),
      .AccWidth (AccWidth)
    ) i_planes (
      .clk_i       (clk_i),
      .rst_ni      (rst_ni),
      .acc_valid_i (acc_valid_i),
      .acc_data_i  (acc_data_i),
      .out_valid_o (valid),
      .out_data_o  (data)
    );
  end else if (Divide) begin : g_divide
    bf_divide #(
      .Pe         (Pe),
      .Tpe        (Tpe),
      .Folds      (Folds),
      .AccWidth   (AccWidth),
      .OutBits    (OutBits),
      .OutSigned  (OutSigned),
      .Shift      (DivideShift),
      .Width      (DivideWidth),
      .SlopeWidth (SlopeWidth),
      .Half       (DivideHalf),
      .File       (ThresholdFile),
      .OneTable   (OneTable)
    ) i_divide (
      .clk_i       (clk_i),
      .rst_ni      (rst_ni),
      .acc_valid_i (acc_valid_i),
      .acc_data_i  (acc_data_i),
      .out_valid_o (valid),
      .out_data_o  (data)
    );
  end else begin : g_threshold
    bf_threshold #(
      .Pe        (Pe),
      .Tpe       (Tpe),
      .Folds     (Folds),
      .AccWidth  (AccWidth),
      .OutBits   (OutBits),
      .OutSigned (OutSigned),
      .File      (ThresholdFile),
      .Modes     (Modes),
      .Flips     (Flips),
      .OneTable  (OneTable)
    ) i_threshold (
      .clk_i       (clk_i),
      .rst_ni      (rst_ni),
      .acc_valid_i (acc_valid_i),
      .acc_data_i  (acc_data_i),
      .mode_i      (mode),
      .out_valid_o (valid),
      .out_data_o  (data)
    );
  end

  bf_vecfifo #(
    .Width   (WIDTH),
    .Beats   (Folds * SEARCH),
    .Vectors (Vectors)
  ) i_fifo (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .room_o      (room_o),
    .reserve_i   (reserve_i),
    .in_valid_i  (valid),
    .in_data_i   (data),
    .out_valid_o (out_valid_o),
    .out_ready_i (out_ready_i),
    .out_data_o  (out_data_o)
  );

`ifndef SYNTHESIS
  initial begin
    if (!Final && Pe % Tpe != 0) $fatal(1, "%m: Tpe must divide Pe");
    if (Raw && (Final || OutBits != AccWidth)) $fatal(1, "%m: Raw means OutBits = AccWidth");
    if (Divide && (Modes > 1 || Final || Raw)) $fatal(1, "%m: Divide gives codes, in one mode");
    if (!Final && AccShift != 0) $fatal(1, "%m: AccShift is for Final; thresholds take it in");
  end
`endif
endmodule
