// SPDX-License-Identifier: Apache-2.0
// bf_pad: zeros around a map: rows above and below, columns left and right.
//
// The zeros in front of a frame's first pixel wait until that pixel is there; all others are offered
// as soon as it is their turn.
//
// Streams      in_*, out_*; transfer on valid && ready; payload stable until taken.
// Rate         1 beat/cycle in and out. Holds two pixels; ready changes only between pixels.
// Comb. paths  none.
// Timing       exact, by pixels (in: of the map, out: of the padded one, v(p) where pixel p stands):
//                out(v(p)) = max(in(p) + 1, out(v(p)-1) + Beats, consumer), of a padded one without
//                in(p) + 1; in front of pixel 0 of a frame in(0) + Beats stands in its place
//                in(p) = max(offered(p), in(p-1) + Beats, out(v(p-2)) + Beats)
// Golden       bitfold.cost.schedule_moves; test: tests/hardware/test_bf_pad.py
module bf_pad #(
  parameter int unsigned Group     = 4,      // bits of a beat
  parameter int unsigned Beats     = 4,      // beats of a pixel: channels / Group * planes
  parameter int unsigned Height    = 4,      // of the map, pixels
  parameter int unsigned Width     = 4,
  parameter int unsigned PadTop    = 0,
  parameter int unsigned PadLeft   = 0,
  parameter int unsigned PadBottom = 0,
  parameter int unsigned PadRight  = 0
) (
  input  logic             clk_i,
  input  logic             rst_ni,           // synchronous, active low
  // Map in.
  input  logic             in_valid_i,
  output logic             in_ready_o,
  input  logic [Group-1:0] in_data_i,
  // Padded map out.
  output logic             out_valid_o,
  input  logic             out_ready_i,
  output logic [Group-1:0] out_data_o
);
  localparam int unsigned OUT_H      = PadTop + Height + PadBottom;
  localparam int unsigned OUT_W      = PadLeft + Width + PadRight;
  localparam int unsigned BEAT_WIDTH = Beats > 1 ? $clog2(Beats) : 1;
  localparam int unsigned ROW_WIDTH  = $clog2(OUT_H + 1);
  localparam int unsigned COL_WIDTH  = $clog2(OUT_W + 1);

  localparam logic [BEAT_WIDTH-1:0] LAST_BEAT = BEAT_WIDTH'(Beats - 1);

  logic [BEAT_WIDTH-1:0] in_beat_q, beat_q;      // expected, offered
  logic [ROW_WIDTH-1:0]  row_q;                  // of the padded map
  logic [COL_WIDTH-1:0]  col_q;
  logic [1:0]            whole_q;                // pixels that the FIFO has all beats of
  logic                  before_q;               // no pixel of the frame has been offered
  logic                  room, first, push, pushed, pop, popped, held_valid, held_ready;
  logic                  inner_row, inner_col, inner, beat_last, col_last, row_last;
  logic [Group-1:0]      held;

  // Pixels in.
  assign first      = in_beat_q == '0;
  assign in_ready_o = !first || room;
  assign push       = in_valid_i && in_ready_o;
  assign pushed     = push && in_beat_q == LAST_BEAT;

  bf_vecfifo #(
    .Width   (Group),
    .Beats   (Beats),
    .Vectors (2)
  ) i_fifo (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .room_o      (room),
    .reserve_i   (push && first),
    .in_valid_i  (push),
    .in_data_i   (in_data_i),
    .out_valid_o (held_valid),
    .out_ready_i (held_ready),
    .out_data_o  (held)
  );

  // The padded map.
  if (PadTop > 0 && PadBottom > 0) begin : g_rows
    assign inner_row = row_q >= ROW_WIDTH'(PadTop) && row_q < ROW_WIDTH'(PadTop + Height);
  end else if (PadTop > 0) begin : g_rows_above
    assign inner_row = row_q >= ROW_WIDTH'(PadTop);
  end else begin : g_rows_below
    assign inner_row = row_q < ROW_WIDTH'(Height);
  end
  if (PadLeft > 0 && PadRight > 0) begin : g_columns
    assign inner_col = col_q >= COL_WIDTH'(PadLeft) && col_q < COL_WIDTH'(PadLeft + Width);
  end else if (PadLeft > 0) begin : g_columns_left
    assign inner_col = col_q >= COL_WIDTH'(PadLeft);
  end else begin : g_columns_right
    assign inner_col = col_q < COL_WIDTH'(Width);
  end
  assign inner       = inner_row && inner_col;
  assign out_valid_o = inner ? held_valid : (!before_q || whole_q != '0);
  assign out_data_o  = inner ? held : '0;
  assign held_ready  = inner && out_ready_i;

  assign beat_last = beat_q == LAST_BEAT;
  assign col_last  = col_q == COL_WIDTH'(OUT_W - 1);
  assign row_last  = row_q == ROW_WIDTH'(OUT_H - 1);
  assign pop       = out_valid_o && out_ready_i;
  assign popped    = pop && inner && beat_last;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      in_beat_q <= '0;
      beat_q    <= '0;
      row_q     <= '0;
      col_q     <= '0;
      whole_q   <= '0;
      before_q  <= 1'b1;
    end else begin
      if (push) in_beat_q <= pushed ? '0 : in_beat_q + 1'b1;
      if (pushed != popped) whole_q <= pushed ? whole_q + 1'b1 : whole_q - 1'b1;
      if (pop) begin
        beat_q <= beat_last ? '0 : beat_q + 1'b1;
        if (inner) before_q <= 1'b0;
        if (beat_last) begin
          col_q <= col_last ? '0 : col_q + 1'b1;
          if (col_last) row_q <= row_last ? '0 : row_q + 1'b1;
          if (col_last && row_last) before_q <= 1'b1;
        end
      end
    end
  end

`ifndef SYNTHESIS
  initial begin
    if (Group < 1 || Beats < 1 || Height < 1 || Width < 1) begin
      $fatal(1, "%m: Group, Beats and map must be >= 1");
    end
  end
`endif
endmodule
