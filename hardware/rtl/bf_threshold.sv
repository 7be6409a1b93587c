// SPDX-License-Identifier: Apache-2.0
// bf_threshold: accumulators to codes: how many of a channel's thresholds an accumulator reaches.
//
//   count = #{k : acc >= threshold[k]},  2**OutBits - 1 thresholds a channel, ascending
//   code  = count, or count - 2**(OutBits-1) with OutSigned: the first plane is inverted
//
// Binary search, one bit a cycle, most significant first: node 1 is the middle threshold, node
// 2n + bit follows node n. Tpe channels are searched at a time, Pe / Tpe rounds a fold.
//
// Modes        with Modes > 1 each mode has thresholds of its own: mode_i says with acc_valid_i whose
//              these accumulators are. Word {fold * ROUNDS + round, mode, node}. With Flips a word
//              has a bit more, on top: whether its channel decreases, so that the code is inverted.
// OneTable     all channels have the thresholds of one: an image holds its words alone.
// Images       one a comparator, named File, three digits of its lane, ".mem": word {fold * ROUNDS +
//              round, node} of lane l is the threshold of channel fold * Pe + round * Tpe + l,
//              AccWidth + 1 bits, signed; word 0 of each 2**OutBits is not read. The bit more than
//              an accumulator has lets a threshold lie above all.
// Streams      acc_* in: pulses at least CYCLES = OutBits * Pe / Tpe cycles apart, no ready.
//              out_*: plane beats, group Tpe, no ready.
// Rate         a fold every CYCLES cycles. Latency 2 + k cycles from acc_* to beat k.
// Comb. paths  none.
// Golden       bitfold.sim.reference.apply_thresholds; test: tests/hardware/test_bf_threshold.py
module bf_threshold #(
  parameter  int unsigned Pe        = 4,     // accumulators of a fold
  parameter  int unsigned Tpe       = 2,     // comparators; divides Pe
  parameter  int unsigned Folds     = 2,     // folds of a vector
  parameter  int unsigned AccWidth  = 12,    // bits of an accumulator, signed
  parameter  int unsigned OutBits   = 4,     // planes of a code, >= 1
  parameter  bit          OutSigned = 1'b0,  // 1: codes are two's complement
  parameter               File      = "",    // images: begin of their names
  parameter  int unsigned Modes     = 1,
  parameter  bit          Flips     = 1'b0,
  parameter  bit          OneTable  = 1'b0,
  localparam int unsigned ROUNDS     = Pe / Tpe,
  localparam int unsigned MODE_WIDTH = Modes > 1 ? $clog2(Modes) : 1
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,     // synchronous, active low
  // Accumulators of a fold, output 0 in the low bits.
  input  logic                   acc_valid_i,
  input  logic [Pe*AccWidth-1:0] acc_data_i,
  input  logic [MODE_WIDTH-1:0]  mode_i,
  // Planes.
  output logic                   out_valid_o,
  output logic [Tpe-1:0]         out_data_o
);
  localparam int unsigned THR_WIDTH   = AccWidth + 1;
  localparam int unsigned GROUPS      = OneTable ? 1 : Folds * ROUNDS;
  localparam int unsigned WORD_WIDTH  = THR_WIDTH + 32'(Flips);
  localparam int unsigned DEPTH       = Modes == 1 ? GROUPS << OutBits
                                        : ((GROUPS - 1) * 2**MODE_WIDTH + Modes) << OutBits;
  localparam int unsigned ADDR_WIDTH  = $clog2(DEPTH);
  localparam int unsigned GROUP_WIDTH = GROUPS > 1 ? $clog2(GROUPS) : 1;

  logic                    busy, first_plane, last_plane;
  logic [GROUP_WIDTH-1:0]  group;    // of the next cycle: fold * ROUNDS + round
  logic [Tpe*AccWidth-1:0] accs;     // of this round
  logic [Tpe-1:0]          reached, flips;
  logic [MODE_WIDTH-1:0]   mode;     // whose thresholds are read

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
    .busy_o      (busy),
    .first_o     (first_plane),
    .last_o      (last_plane),
    .group_o     (group),
    .acc_o       (accs),
    .valid_o     (out_valid_o)
  );

  if (Modes > 1) begin : g_modes
    logic [MODE_WIDTH-1:0] mode_q;
    assign mode = acc_valid_i ? mode_i : mode_q;
    always_ff @(posedge clk_i) mode_q <= mode;
  end else begin : g_one_mode
    logic unused;
    assign unused = ^{mode_i, mode};
    assign mode   = '0;
  end

  if (GROUPS == 1) begin : g_same_group
    logic unused;
    assign unused = ^group;
  end

  for (genvar l = 0; l < Tpe; l++) begin : g_lane
    localparam logic [23:0] LANE = {8'(48 + l / 100), 8'(48 + l / 10 % 10), 8'(48 + l % 10)};
    logic [OutBits-1:0]    node_d;           // that is compared in the next cycle
    logic [ADDR_WIDTH-1:0] addr;
    logic [WORD_WIDTH-1:0] word;
    logic [THR_WIDTH-1:0]  threshold;
    logic [THR_WIDTH-1:0]  acc;

    // The memory is read one cycle ahead, at the node that the present comparison leads to.
    if (GROUPS > 1 && Modes > 1) begin : g_group_modes
      assign addr = {group, mode, node_d};
    end else if (Modes > 1) begin : g_modes
      assign addr = {mode, node_d};
    end else if (GROUPS > 1) begin : g_groups
      assign addr = {group, node_d};
    end else begin : g_one_group
      assign addr = node_d;
    end
    if (File != "") begin : g_image
      bf_rom #(
        .Width (WORD_WIDTH),
        .Depth (DEPTH),
        .File  ({File, LANE, ".mem"})
      ) i_thresholds (
        .clk_i  (clk_i),
        .addr_i (addr),
        .data_o (word)
      );
    end else begin : g_empty
      bf_rom #(
        .Width (WORD_WIDTH),
        .Depth (DEPTH)
      ) i_thresholds (
        .clk_i  (clk_i),
        .addr_i (addr),
        .data_o (word)
      );
    end
    assign threshold  = word[THR_WIDTH-1:0];
    assign flips[l]   = Flips && word[WORD_WIDTH-1];
    assign acc        = {accs[l*AccWidth + AccWidth - 1], accs[l*AccWidth +: AccWidth]};
    assign reached[l] = $signed(acc) >= $signed(threshold);
    if (OutBits > 1) begin : g_node
      logic [OutBits-2:0] node_q;            // the bit above moves out with the next node
      assign node_d = !busy || last_plane ? OutBits'(1) : {node_q, reached[l]};
      always_ff @(posedge clk_i) node_q <= node_d[OutBits-2:0];
    end else begin : g_root
      logic unused;
      assign unused = busy ^ last_plane;
      assign node_d = 1'b1;
    end
  end

  always_ff @(posedge clk_i) out_data_o <= reached ^ flips ^ {Tpe{OutSigned && first_plane}};

`ifndef SYNTHESIS
  initial begin
    if (Pe < 1 || Tpe < 1 || Folds < 1 || AccWidth < 1 || OutBits < 1) begin
      $fatal(1, "%m: parameters >= 1 required");
    end
    if (Modes < 1) $fatal(1, "%m: Modes >= 1 required");
    if (Tpe > 1000) $fatal(1, "%m: Tpe <= 1000, the names of images have three digits");
  end
`endif
endmodule
