// SPDX-License-Identifier: Apache-2.0
// bf_layer_ring: the modes of each layer for the frames inside, where the host chooses the planes of
// every layer by itself.
//
// A frame's mode picks a row of choices_i; that row, as it is in the cycle in which the frame enters,
// is kept in the frame's place for all layers at once. So the host may write the next frame's
// choices while others are inside, and none of them sees a part of it. A layer reads its own ring as
// it would that of a bf_mode_ring, whose places these are.
//
// Parameters   Ring as of the bf_mode_ring
// Comb. paths  none.
// Test         tests/hardware/test_bf_layer_ring.py
module bf_layer_ring #(
  parameter  int unsigned Modes  = 2,          // >= 2
  parameter  int unsigned Ring   = 4,          // places; a power of two
  parameter  int unsigned Layers = 1,          // >= 1
  localparam int unsigned WIDTH  = $clog2(Modes)
) (
  input  logic                          clk_i,
  input  logic                          rst_ni,     // synchronous, active low
  input  logic                          enter_i,    // a frame enters
  input  logic [WIDTH-1:0]              mode_i,     // its mode
  input  logic [Modes*Layers*WIDTH-1:0] choices_i,  // word mode * Layers + layer
  output logic [Layers*Ring*WIDTH-1:0]  rings_o     // word layer * Ring + place
);
  localparam int unsigned PLACE_WIDTH = $clog2(Ring);
  localparam int unsigned ROW_WIDTH   = Layers * WIDTH;

  logic [ROW_WIDTH-1:0]           row;
  logic [Ring-1:0][ROW_WIDTH-1:0] rows_q;      // each place a register with an enable
  logic [PLACE_WIDTH-1:0]         enter_q;     // place of the next frame to enter

  always_comb begin
    row = '0;
    for (int unsigned m = 0; m < Modes; m++) begin
      if (mode_i == WIDTH'(m)) row = choices_i[m*ROW_WIDTH +: ROW_WIDTH];
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) enter_q <= '0;
    else if (enter_i) enter_q <= enter_q + 1'b1;
    for (int unsigned p = 0; p < Ring; p++) begin
      if (enter_i && enter_q == PLACE_WIDTH'(p)) rows_q[p] <= row;
    end
  end

  for (genvar l = 0; l < Layers; l++) begin : g_layer
    for (genvar p = 0; p < Ring; p++) begin : g_place
      assign rings_o[(l*Ring + p)*WIDTH +: WIDTH] = rows_q[p][l*WIDTH +: WIDTH];
    end
  end

`ifndef SYNTHESIS
  initial begin
    if (Modes < 2 || Modes > 256) $fatal(1, "%m: Modes must be 2 to 256");
    if (Ring < 2 || Ring != 2 ** $clog2(Ring)) $fatal(1, "%m: Ring must be a power of two, >= 2");
    if (Layers < 1) $fatal(1, "%m: Layers must be >= 1");
  end
`endif
endmodule
