// SPDX-License-Identifier: Apache-2.0
// bf_bias: adds each output's integer bias to the accumulators of the last layer.
//
//   out[p] = (acc[p] << Shift) + bias[fold * Pe + p]   modulo 2**Width
//
// Shift serves bipolar activations under integer weights: sum(w * (2*b - 1)) = 2*sum(w * b) - sum(w)
// with -sum(w) in the bias.
//
// Modes        with Modes > 1 each mode has biases of its own: word {fold, mode}; mode_i comes with
//              acc_valid_i.
// Image        word `fold` holds the bias of output fold * Pe + p at bit p * Width. Without
//              HasBias no image is read and nothing is added.
// Streams      acc_* in, out_*; pulses without ready.
// Rate         a fold a cycle. Latency 1 cycle.
// Golden       numpy; test: tests/hardware/test_bf_bias.py
module bf_bias #(
  parameter  int unsigned Pe      = 4,       // outputs of a fold
  parameter  int unsigned Folds   = 2,       // folds of a vector
  parameter  int unsigned Width   = 16,      // bits of accumulator, bias and result, signed
  parameter  int unsigned Shift   = 0,       // accumulators are shifted left by it
  parameter  bit          HasBias = 1'b1,
  parameter               File    = "",      // image, for $readmemh
  parameter  int unsigned Modes   = 1,
  localparam int unsigned MODE_WIDTH = Modes > 1 ? $clog2(Modes) : 1
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,      // synchronous, active low
  // Accumulators of a fold, output 0 in the low bits.
  input  logic                  acc_valid_i,
  input  logic [Pe*Width-1:0]   acc_data_i,
  input  logic [MODE_WIDTH-1:0] mode_i,
  // The same plus bias.
  output logic                  out_valid_o,
  output logic [Pe*Width-1:0]   out_data_o
);
  logic [Pe*Width-1:0] bias;

  always_ff @(posedge clk_i) out_valid_o <= rst_ni && acc_valid_i;

  if (HasBias) begin : g_bias
    localparam int unsigned FOLD_WIDTH = Folds > 1 ? $clog2(Folds) : 1;
    localparam int unsigned DEPTH = Modes == 1 ? Folds : (Folds - 1) * 2**MODE_WIDTH + Modes;
    logic [FOLD_WIDTH-1:0] fold_q;
    logic [Pe*Width-1:0]   memory [DEPTH];

    if (File != "") begin : g_image
      initial $readmemh(File, memory);
    end

    always_ff @(posedge clk_i) begin
      if (!rst_ni) fold_q <= '0;
      else if (acc_valid_i) fold_q <= fold_q == FOLD_WIDTH'(Folds - 1) ? '0 : fold_q + 1'b1;
    end
    if (Modes > 1 && Folds > 1) begin : g_fold_modes
      assign bias = memory[{fold_q, mode_i}];
    end else if (Modes > 1) begin : g_modes
      assign bias = memory[mode_i];
    end else begin : g_one_mode
      assign bias = memory[fold_q];
    end
  end else begin : g_none
    assign bias = '0;
  end

  if (Modes == 1 || !HasBias) begin : g_unused
    logic unused;
    assign unused = ^mode_i;
  end

  for (genvar p = 0; p < Pe; p++) begin : g_output
    always_ff @(posedge clk_i) begin
      out_data_o[p*Width +: Width] <= (acc_data_i[p*Width +: Width] << Shift)
                                      + bias[p*Width +: Width];
    end
  end

`ifndef SYNTHESIS
  initial begin
    if (Pe < 1 || Folds < 1 || Width < 1) $fatal(1, "%m: parameters >= 1 required");
  end
`endif
endmodule
