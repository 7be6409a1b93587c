// SPDX-License-Identifier: Apache-2.0
// bf_frame_mode: the mode of the frame that a stage works on, out of a bf_mode_ring.
//
// Frames enter the accelerator in order and pass every stage in order, so a stage needs only count
// them: frame f has its mode in place f modulo Ring.
//
// Handshake    vector_i pulses in the cycle in which a vector reads its mode; after Vectors pulses
//              the next frame begins. mode_o is the mode of the next vector that will pulse, or of
//              the one that pulses now.
// Comb. paths  ring_i -> mode_o.
// Test         tests/hardware/test_bf_mvtu.py
module bf_frame_mode #(
  parameter  int unsigned Modes   = 2,       // >= 2
  parameter  int unsigned Ring    = 4,       // places; a power of two
  parameter  int unsigned Vectors = 1,       // pulses of a frame
  localparam int unsigned WIDTH = $clog2(Modes)
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,      // synchronous, active low
  input  logic [Ring*WIDTH-1:0] ring_i,
  input  logic                  vector_i,
  output logic [WIDTH-1:0]      mode_o
);
  localparam int unsigned PLACE_WIDTH  = Ring > 1 ? $clog2(Ring) : 1;
  localparam int unsigned VECTOR_WIDTH = Vectors > 1 ? $clog2(Vectors) : 1;

  logic [PLACE_WIDTH-1:0]  place_q;
  logic [VECTOR_WIDTH-1:0] vector_q;
  logic                    last;

  assign last = vector_q == VECTOR_WIDTH'(Vectors - 1);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      place_q  <= '0;
      vector_q <= '0;
    end else if (vector_i) begin
      vector_q <= last ? '0 : vector_q + 1'b1;
      if (last) place_q <= place_q + 1'b1;
    end
  end

  always_comb begin
    mode_o = '0;
    for (int unsigned p = 0; p < Ring; p++) begin
      if (place_q == PLACE_WIDTH'(p)) mode_o = ring_i[p*WIDTH +: WIDTH];
    end
  end

`ifndef SYNTHESIS
  initial begin
    if (Modes < 2 || Vectors < 1) $fatal(1, "%m: Modes >= 2 and Vectors >= 1 required");
    if (Ring < 2 || Ring != 2 ** $clog2(Ring)) $fatal(1, "%m: Ring must be a power of two, >= 2");
  end
`endif
endmodule
