// SPDX-License-Identifier: Apache-2.0
// bf_vvau_products: the input side of bf_vvau: plane beats to products of a channel's value and its
// weight, and the places where they are to be added.
//
// Parameters as in bf_vvau.
//
// Streams      in_*; transfer on valid && ready. sum_*, product_o: pulses without ready, two cycles
//              after the last plane of a value: add product_o to the accumulators at sum_addr_o, or
//              put it there with sum_first_o. sum_addr_o is {slot, channel group}.
// Rate         1 beat/cycle. Ready changes only between vectors.
// Handshake    full_o, start_i, release_i: of bf_slots.
// Comb. paths  in_valid_i -> full_o.
// Test         tests/hardware/test_bf_vvau.py
module bf_vvau_products #(
  parameter  int unsigned Group        = 4,
  parameter  int unsigned Planes       = 4,
  parameter  bit          ActSigned    = 1'b0,
  parameter  int unsigned Groups       = 2,
  parameter  int unsigned Positions    = 9,
  parameter  int unsigned WBits        = 1,
  parameter  int unsigned WKind        = 0,
  parameter               WeightFile   = "",
  parameter  int unsigned AccWidth     = 12,
  parameter  int unsigned Modes        = 1,
  parameter  int unsigned Ring         = 1,
  parameter  int unsigned FrameVectors = 1,
  parameter  logic [8*Modes-1:0] WeightSkip = '0,
  parameter  logic [8*Modes-1:0] ActSkip    = '0,
  localparam int unsigned MODE_WIDTH  = Modes > 1 ? $clog2(Modes) : 1,
  localparam int unsigned GROUP_WIDTH = Groups > 1 ? $clog2(Groups) : 1,
  localparam int unsigned ADDR_WIDTH  = GROUP_WIDTH + 1
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,  // synchronous, active low
  // Modes of the frames inside; 0 without modes.
  input  logic [Ring*MODE_WIDTH-1:0] ring_i,
  // Plane beats in.
  input  logic                      in_valid_i,
  output logic                      in_ready_o,
  input  logic [Group-1:0]          in_data_i,
  // Vectors.
  output logic                      full_o,
  input  logic                      start_i,
  input  logic                      release_i,
  // Products.
  output logic                      sum_valid_o,
  output logic                      sum_first_o,
  output logic [ADDR_WIDTH-1:0]     sum_addr_o,
  output logic [Group*AccWidth-1:0] product_o
);
  localparam int unsigned PLANE_WIDTH = Planes > 1 ? $clog2(Planes) : 1;
  localparam int unsigned POS_WIDTH   = Positions > 1 ? $clog2(Positions) : 1;
  // A product, and on the way to it every beginning of the value times the weight.
  localparam int unsigned PRODUCT     = WKind == 0 ? Planes + 1 : Planes + WBits + 1;

  localparam logic [PLANE_WIDTH-1:0] LAST_PLANE = PLANE_WIDTH'(Planes - 1);
  localparam logic [GROUP_WIDTH-1:0] LAST_GROUP = GROUP_WIDTH'(Groups - 1);
  localparam logic [POS_WIDTH-1:0]   LAST_POS   = POS_WIDTH'(Positions - 1);

  logic [PLANE_WIDTH-1:0] plane_q;           // of the beat expected
  logic [GROUP_WIDTH-1:0] group_q;
  logic [POS_WIDTH-1:0]   pos_q;
  logic                   slot_q;
  logic                   fire, last_plane, last_group, last_beat;

  assign fire       = in_valid_i && in_ready_o;
  assign last_plane = plane_q == LAST_PLANE;
  assign last_group = group_q == LAST_GROUP;
  assign last_beat  = fire && last_plane && last_group && pos_q == LAST_POS;

  bf_slots i_slots (
    .clk_i     (clk_i),
    .rst_ni    (rst_ni),
    .last_i    (last_beat),
    .start_i   (start_i),
    .release_i (release_i),
    .ready_o   (in_ready_o),
    .full_o    (full_o)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      plane_q <= '0;
      group_q <= '0;
      pos_q   <= '0;
      slot_q  <= 1'b0;
    end else if (fire) begin
      plane_q <= last_plane ? '0 : plane_q + 1'b1;
      if (last_plane) group_q <= last_group ? '0 : group_q + 1'b1;
      if (last_plane && last_group) pos_q <= pos_q == LAST_POS ? '0 : pos_q + 1'b1;
      if (last_beat) slot_q <= !slot_q;
    end
  end

  logic counts;                              // the plane expected is none that the mode leaves out

  // The beat and its weights, one cycle later; its product so far and its place, two cycles later.
  logic [Group-1:0]      bits_q;
  logic                  first_plane_q, last_plane_q, first_pos_q;
  logic [ADDR_WIDTH-1:0] addr_q;

  always_ff @(posedge clk_i) begin
    bits_q        <= in_data_i & {Group{counts}};
    first_plane_q <= plane_q == '0;
    last_plane_q  <= rst_ni && fire && last_plane;
    first_pos_q   <= pos_q == '0;
    addr_q        <= {slot_q, group_q};
    sum_valid_o   <= rst_ni && last_plane_q;
    sum_first_o   <= first_pos_q;
    sum_addr_o    <= addr_q;
  end

  // Planes of the weights that the frame's mode leaves, and whether it leaves this one of the
  // activations; all without modes.
  localparam bit SKIPS = Modes > 1 && {WeightSkip, ActSkip} != '0;
  logic [WBits-1:0] kept;

  if (SKIPS) begin : g_skip
    logic [MODE_WIDTH-1:0] mode;
    bf_frame_mode #(
      .Modes   (Modes),
      .Ring    (Ring),
      .Vectors (FrameVectors)
    ) i_mode (
      .clk_i    (clk_i),
      .rst_ni   (rst_ni),
      .ring_i   (ring_i),
      .vector_i (last_beat),
      .mode_o   (mode)
    );
    always_ff @(posedge clk_i) begin
      for (int unsigned m = 0; m < Modes; m++) begin
        if (mode == MODE_WIDTH'(m)) kept <= {WBits{1'b1}} << WeightSkip[8*m +: 8];
      end
    end
    always_comb begin
      counts = 1'b1;
      for (int unsigned m = 0; m < Modes; m++) begin
        if (mode == MODE_WIDTH'(m)) counts = 32'(plane_q) + 32'(ActSkip[8*m +: 8]) < Planes;
      end
    end
  end else begin : g_all
    logic unused;
    assign unused = ^{ring_i, kept};
    assign kept   = '1;
    assign counts = 1'b1;
  end

  logic [Group*PRODUCT-1:0] weights;         // sign-extended

  if (WKind == 0) begin : g_one
    for (genvar i = 0; i < Group; i++) begin : g_lane
      assign weights[i*PRODUCT +: PRODUCT] = PRODUCT'(1);
    end
  end else begin : g_weights
    localparam int unsigned WORDS = WKind == 1 ? Positions : Positions * Groups;
    localparam int unsigned WIDTH = WKind == 1 ? WBits : Group * WBits;
    localparam int unsigned WORD_WIDTH = WORDS > 1 ? $clog2(WORDS) : 1;
    logic [WORD_WIDTH-1:0] word_q;
    logic [WIDTH-1:0]      read;
    logic                  next;

    assign next = fire && last_plane && (WKind == 2 || last_group);
    always_ff @(posedge clk_i) begin
      if (!rst_ni) word_q <= '0;
      else if (next) word_q <= word_q == WORD_WIDTH'(WORDS - 1) ? '0 : word_q + 1'b1;
    end

    bf_rom #(
      .Width (WIDTH),
      .Depth (WORDS),
      .File  (WeightFile)
    ) i_weights (
      .clk_i  (clk_i),
      .addr_i (word_q),
      .data_o (read)
    );
    for (genvar i = 0; i < Group; i++) begin : g_lane
      localparam int unsigned AT = WKind == 1 ? 0 : i * WBits;
      assign weights[i*PRODUCT +: PRODUCT] =
        {{PRODUCT - WBits{read[AT + WBits - 1]}}, read[AT +: WBits] & kept};
    end
  end

  logic fire_q;
  always_ff @(posedge clk_i) fire_q <= fire;

  for (genvar i = 0; i < Group; i++) begin : g_lane
    logic [PRODUCT-1:0] part, product_q;
    assign part = bits_q[i] ? weights[i*PRODUCT +: PRODUCT] : '0;
    always_ff @(posedge clk_i) begin
      if (fire_q) begin
        if (first_plane_q) product_q <= ActSigned ? -part : part;
        else product_q <= (product_q << 1) + part;
      end
    end
    assign product_o[i*AccWidth +: AccWidth] = AccWidth'($signed(product_q));
  end
endmodule
