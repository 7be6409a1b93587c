// SPDX-License-Identifier: Apache-2.0
// bf_gather: plane stream to words of integers, the end of a network whose last layer is quantised.
//
// A word holds the `Group` integers of a channel group, the first in the low bits: codes of `Planes`
// bits as they are (two's complement stays that), or with Bipolar -1 and +1 in two bits. A vector is
// all `Words` groups of a pixel; its words are offered once it is complete, so that the module makes
// its neighbours wait between vectors only.
//
// Streams      in_*, out_*; transfer on valid && ready; payload stable until taken.
// Rate         1 beat/cycle in, 1 word/cycle out; holds two vectors.
// Comb. paths  none.
// Timing       exact; in(v): cycle of the last beat of vector v, out(w): cycle of word w:
//                out(w) = max(in(w / Words) + 1, out(w-1) + 1, consumer)
//                in(v)  = max(offered(v), in(v-1) + n, out(last word of v-2) + n),  n = Words * Planes
// Golden       the integers; test: tests/hardware/test_bf_gather.py
module bf_gather #(
  parameter  int unsigned Group   = 4,       // channels of a beat, integers of a word, >= 1
  parameter  int unsigned Planes  = 4,       // of a code, >= 1; 1 if bipolar
  parameter  int unsigned Words   = 2,       // of a vector: channels / Group
  parameter  bit          Bipolar = 1'b0,    // codes are -1, +1
  localparam int unsigned WIDTH   = Bipolar ? 2 : Planes
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,     // synchronous, active low
  // Planes in.
  input  logic                   in_valid_i,
  output logic                   in_ready_o,
  input  logic [Group-1:0]       in_data_i,
  // Words out.
  output logic                   out_valid_o,
  input  logic                   out_ready_i,
  output logic [Group*WIDTH-1:0] out_data_o
);
  localparam int unsigned PLANE_WIDTH = Planes > 1 ? $clog2(Planes) : 1;
  localparam int unsigned ADDR_WIDTH  = $clog2(2 * Words);

  localparam logic [ADDR_WIDTH-1:0] EVEN_LAST = ADDR_WIDTH'(Words - 1);
  localparam logic [ADDR_WIDTH-1:0] ODD_LAST  = ADDR_WIDTH'(2 * Words - 1);

  logic [Group*WIDTH-1:0]  memory [2*Words];     // words of the even and of the odd vectors
  logic [PLANE_WIDTH-1:0]  plane_q;
  logic [ADDR_WIDTH-1:0]   write_q, read_q;
  logic [1:0]              full_q;               // complete vectors
  logic [Planes*Group-1:0] planes;               // the present group's, the newest in the low bits
  logic [Group*WIDTH-1:0]  word;
  logic                    take, plane_last, write, write_last, read, read_last;

  assign in_ready_o  = full_q != 2'd2;
  assign out_valid_o = full_q != 2'd0;
  assign take        = in_valid_i && in_ready_o;
  assign read        = out_valid_o && out_ready_i;
  assign plane_last  = plane_q == PLANE_WIDTH'(Planes - 1);
  assign write       = take && plane_last;
  assign write_last  = write && (write_q == EVEN_LAST || write_q == ODD_LAST);
  assign read_last   = read && (read_q == EVEN_LAST || read_q == ODD_LAST);

  if (Planes > 1) begin : g_planes
    logic [(Planes-1)*Group-1:0] planes_q;
    always_ff @(posedge clk_i) if (take) planes_q <= planes[(Planes-1)*Group-1:0];
    assign planes = {planes_q, in_data_i};
  end else begin : g_plane
    assign planes = in_data_i;
  end

  for (genvar i = 0; i < Group; i++) begin : g_integer
    if (Bipolar) begin : g_bipolar
      assign word[i*WIDTH +: WIDTH] = {!planes[i], 1'b1};
    end else begin : g_code
      for (genvar p = 0; p < Planes; p++) begin : g_bit
        assign word[i*WIDTH + p] = planes[p*Group + i];
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      plane_q <= '0;
      write_q <= '0;
      read_q  <= '0;
      full_q  <= 2'd0;
    end else begin
      if (take) plane_q <= plane_last ? '0 : plane_q + 1'b1;
      if (write) write_q <= write_q == ODD_LAST ? '0 : write_q + 1'b1;
      if (read) read_q <= read_q == ODD_LAST ? '0 : read_q + 1'b1;
      if (write_last != read_last) full_q <= write_last ? full_q + 1'b1 : full_q - 1'b1;
    end
  end

  always_ff @(posedge clk_i) if (write) memory[write_q] <= word;
  assign out_data_o = memory[read_q];

`ifndef SYNTHESIS
  initial begin
    if (Group < 1 || Planes < 1 || Words < 1) $fatal(1, "%m: parameters >= 1 required");
    if (Bipolar && Planes != 1) $fatal(1, "%m: bipolar codes have one plane");
  end

  assert property (@(posedge clk_i) disable iff (!rst_ni)
                   out_valid_o && !out_ready_i |=> out_valid_o && $stable(out_data_o))
    else $error("%m: a refused word was withdrawn or changed");
`endif
endmodule
