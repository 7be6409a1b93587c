// SPDX-License-Identifier: Apache-2.0
// bf_mvu: matrix-vector product: the weight memory in front of Pe bit-serial dot products.
//
// Driven by bf_mvu_seq: flags and weight address come in the cycle of an issue, the activation
// word one cycle later, as the weight memory's output does.
//
// Image        Depth words of Pe * Wp * Simd bits; layout: bitfold.sim.reference.pack_weights.
// Rate         one issue a cycle, free running: no ready, no stall.
// Latency      acc_valid_o comes dot_latency (bitfold.cost.latency) + 1 + MemRegister cycles after
//              the issue with issue_last_i; acc_data_o is the fold's accumulators in that cycle.
//              MemRegister puts registers behind both memories: block RAM is slow to put out its
//              data (ECP5: 5.8 ns; a unit of 128 lanes runs at 90 MHz without, 141 MHz with).
// LastNegative as in bf_dot: whether an issue with issue_last_i can be negative as a whole.
// Reset        drops issues on their way.
// Comb. paths  none.
// Golden       bitfold.sim.reference.mvtu; test: tests/hardware/test_bf_mvu.py
module bf_mvu #(
  parameter  int unsigned Pe            = 2,     // outputs of a fold
  parameter  int unsigned Simd          = 8,     // inputs a cycle
  parameter  int unsigned Wp            = 1,     // weight planes a cycle
  parameter  int unsigned Ap            = 1,     // activation planes a cycle
  parameter  bit          WeightBipolar = 1'b0,  // weights are -1, +1
  parameter  bit          ActBipolar    = 1'b0,  // activations are -1, +1; so must the weights be
  parameter  int unsigned Inputs        = 64,    // MW
  parameter  int unsigned AccWidth      = 16,    // bits of an accumulator
  parameter  int unsigned MaxShift      = 1,     // greatest issue_shift_i
  parameter  bit          LastNegative  = 1'b1,  // 0 is cheaper, and not always right
  parameter  int unsigned Style         = 0,     // of bf_popcount
  parameter  int unsigned Depth         = 16,    // words of weights
  parameter               File          = "",    // image, for $readmemh
  parameter  int unsigned MemRegister   = 0,     // 0 or 1: registers behind the memories
  localparam int unsigned ADDR_WIDTH  = Depth > 1 ? $clog2(Depth) : 1,
  localparam int unsigned SHIFT_WIDTH = MaxShift == 0 ? 1 : $clog2(MaxShift + 1)
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,         // synchronous, active low
  // Issues.
  input  logic                   issue_valid_i,
  input  logic                   issue_first_i,  // first of a fold
  input  logic                   issue_last_i,   // last of a fold
  input  logic [SHIFT_WIDTH-1:0] issue_shift_i,
  input  logic                   issue_act_sign_i,
  input  logic                   issue_weight_sign_i,
  input  logic [ADDR_WIDTH-1:0]  issue_weight_addr_i,
  // Activation word of the issue one cycle before.
  input  logic [Ap*Simd-1:0]     act_i,
  // Accumulators of a fold, output 0 in the low bits.
  output logic                   acc_valid_o,
  output logic [Pe*AccWidth-1:0] acc_data_o
);
  // valid_q[0] goes with the memories' outputs, the last one with what the products see.
  logic [Pe*Wp*Simd-1:0]  weight, weight_late;
  logic [Ap*Simd-1:0]     act_late;
  logic [MemRegister:0]   valid_q;
  logic                   first, last, act_sign, weight_sign;
  logic [SHIFT_WIDTH-1:0] shift;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else valid_q <= (MemRegister + 1)'({valid_q, issue_valid_i});
  end

  bf_delay #(
    .Width  (SHIFT_WIDTH + 4),
    .Cycles (MemRegister + 1)
  ) i_flags (
    .clk_i  (clk_i),
    .data_i ({issue_first_i, issue_last_i, issue_act_sign_i, issue_weight_sign_i, issue_shift_i}),
    .data_o ({first, last, act_sign, weight_sign, shift})
  );
  bf_delay #(
    .Width  (Pe * Wp * Simd),
    .Cycles (MemRegister)
  ) i_weight (
    .clk_i  (clk_i),
    .data_i (weight),
    .data_o (weight_late)
  );
  bf_delay #(
    .Width  (Ap * Simd),
    .Cycles (MemRegister)
  ) i_act (
    .clk_i  (clk_i),
    .data_i (act_i),
    .data_o (act_late)
  );

  bf_rom #(
    .Width (Pe * Wp * Simd),
    .Depth (Depth),
    .File  (File)
  ) i_weights (
    .clk_i  (clk_i),
    .addr_i (issue_weight_addr_i),
    .data_o (weight)
  );

  bf_dot #(
    .Pe            (Pe),
    .Simd          (Simd),
    .Wp            (Wp),
    .Ap            (Ap),
    .WeightBipolar (WeightBipolar),
    .ActBipolar    (ActBipolar),
    .AccWidth      (AccWidth),
    .MaxShift      (MaxShift),
    .Init          (ActBipolar ? -Inputs : 0),
    .LastNegative  (LastNegative),
    .Style         (Style)
  ) i_dot (
    .clk_i         (clk_i),
    .rst_ni        (rst_ni),
    .valid_i       (valid_q[MemRegister]),
    .first_i       (first),
    .last_i        (last),
    .shift_i       (shift),
    .weight_sign_i (weight_sign),
    .act_sign_i    (act_sign),
    .act_i         (act_late),
    .weight_i      (weight_late),
    .acc_valid_o   (acc_valid_o),
    .acc_o         (acc_data_o)
  );

`ifndef SYNTHESIS
  initial begin
    if (ActBipolar && !WeightBipolar) $fatal(1, "%m: ActBipolar needs WeightBipolar");
    if (MemRegister > 1) $fatal(1, "%m: MemRegister must be 0 or 1");
    if (WeightBipolar && Wp != 1) $fatal(1, "%m: bipolar weights have one plane");
  end
`endif
endmodule
