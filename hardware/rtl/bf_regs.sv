// SPDX-License-Identifier: Apache-2.0
// bf_regs: AXI4-Lite registers of an accelerator whose precision is chosen at run time.
//
//   address  name        access  bits
//   0x000    ID          read    0x42464C44, "BFLD"
//   0x004    VERSION     read    [31:16] major, [15:0] minor version of this map
//   0x008    MODES       read    [15:0] how many modes there are
//   0x00C    LAYERS      read    [15:0] how many layers PLANES lists
//   0x010    MODE        write   [7:0] mode of the frames that enter from now on
//   0x014    CONTROL     write   [0] BY_FRAME: a frame's mode is s_axis_tuser of its first beat
//   0x018    STATUS      read    [7:0] mode of the frame that leaves next, [15:8] of the one that
//                                entered last, [31:16] frames inside
//   0x01C    ERROR       clear   [0] s_axis_tuser was no mode; that frame took MODE. 1 clears it
//   0x020    ENTERED     read    frames that have entered since reset, modulo 2**32
//   0x024    LEFT        read    frames that have left since reset, modulo 2**32
//   0x100    PLANES      read    word mode * LAYERS + layer: [7:0] planes of the weights, [15:8] of
//                        or      the activations that the layer multiplies in the mode. With
//                        write   Writable any that the layer has in some mode, which then is
//                                that mode's: choices_o says which, for the frames that enter
//                                from now on
//
// Bus          AXI4-Lite, 32 bits; AW and W may come in any order, one write and one read are in
//              work at a time. Byte strobes count; what is reserved reads 0 and ignores writes.
//              SLVERR answers what is not in the map, a write to what is read only, a mode that
//              there is not, and planes that the layer has in no mode: nothing is changed then.
//              Addresses are of words: bits 1:0 are ignored.
// Rate         a write and a read every 2 cycles. A write counts from the cycle of BVALID on.
// Comb. paths  none; all outputs are registers or functions of a few.
// Test         tests/hardware/test_bf_regs.py
module bf_regs #(
  parameter  int unsigned Modes       = 2,   // 2 to 256
  parameter  int unsigned Layers      = 1,   // >= 1
  parameter  int unsigned InsideWidth = 3,   // bits of inside_i
  parameter  logic [16*Modes*Layers-1:0] Planes = '0,  // words of PLANES at reset, 16 bits each
  parameter  bit          Writable    = 1'b0,          // of PLANES
  localparam int unsigned MODE_WIDTH = $clog2(Modes),
  localparam int unsigned ADDR_WIDTH = $clog2(256 + 4 * Modes * Layers)
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,     // synchronous, active low
  // Bus.
  input  logic [ADDR_WIDTH-1:0]  s_axil_awaddr,
  input  logic [2:0]             s_axil_awprot,
  input  logic                   s_axil_awvalid,
  output logic                   s_axil_awready,
  input  logic [31:0]            s_axil_wdata,
  input  logic [3:0]             s_axil_wstrb,
  input  logic                   s_axil_wvalid,
  output logic                   s_axil_wready,
  output logic [1:0]             s_axil_bresp,
  output logic                   s_axil_bvalid,
  input  logic                   s_axil_bready,
  input  logic [ADDR_WIDTH-1:0]  s_axil_araddr,
  input  logic [2:0]             s_axil_arprot,
  input  logic                   s_axil_arvalid,
  output logic                   s_axil_arready,
  output logic [31:0]            s_axil_rdata,
  output logic [1:0]             s_axil_rresp,
  output logic                   s_axil_rvalid,
  input  logic                   s_axil_rready,
  // To and from bf_mode_ring.
  output logic [MODE_WIDTH-1:0]  mode_o,
  output logic                   by_frame_o,
  output logic [Modes*Layers*MODE_WIDTH-1:0] choices_o,  // word mode * Layers + layer
  input  logic [MODE_WIDTH-1:0]  oldest_i,
  input  logic [MODE_WIDTH-1:0]  newest_i,
  input  logic [InsideWidth-1:0] inside_i,
  input  logic                   enter_i,
  input  logic                   leave_i,
  input  logic                   refused_i
);
  localparam logic [31:0] ID      = 32'h4246_4C44;
  localparam logic [31:0] VERSION = 32'h0001_0001;
  localparam logic [1:0]  OKAY    = 2'b00;
  localparam logic [1:0]  SLVERR  = 2'b10;

  localparam int unsigned TABLE       = 64;  // word of the first of PLANES
  localparam int unsigned ENTRIES     = Modes * Layers;
  localparam int unsigned WORD_WIDTH  = ADDR_WIDTH - 2;
  localparam int unsigned ENTRY_WIDTH = ENTRIES > 1 ? $clog2(ENTRIES) : 1;
  localparam int unsigned LAYER_WIDTH = Layers > 1 ? $clog2(Layers) : 1;

  localparam logic [WORD_WIDTH-1:0] W_ID      = WORD_WIDTH'(0);
  localparam logic [WORD_WIDTH-1:0] W_VERSION = WORD_WIDTH'(1);
  localparam logic [WORD_WIDTH-1:0] W_MODES   = WORD_WIDTH'(2);
  localparam logic [WORD_WIDTH-1:0] W_LAYERS  = WORD_WIDTH'(3);
  localparam logic [WORD_WIDTH-1:0] W_MODE    = WORD_WIDTH'(4);
  localparam logic [WORD_WIDTH-1:0] W_CONTROL = WORD_WIDTH'(5);
  localparam logic [WORD_WIDTH-1:0] W_STATUS  = WORD_WIDTH'(6);
  localparam logic [WORD_WIDTH-1:0] W_ERROR   = WORD_WIDTH'(7);
  localparam logic [WORD_WIDTH-1:0] W_ENTERED = WORD_WIDTH'(8);
  localparam logic [WORD_WIDTH-1:0] W_LEFT    = WORD_WIDTH'(9);

  logic unused;
  assign unused = ^{s_axil_awprot, s_axil_arprot, s_axil_awaddr[1:0], s_axil_araddr[1:0]};

  // Registers.
  logic [ENTRIES-1:0][MODE_WIDTH-1:0] choices;   // whose planes a layer takes in a mode
  logic [MODE_WIDTH-1:0] mode_q;
  logic                  by_frame_q, error_q;
  logic [31:0]           entered_q, left_q;

  assign mode_o     = mode_q;
  assign by_frame_o = by_frame_q;
  assign choices_o  = choices;

  // Writes: address and data are kept until both are there and the answer before is taken.
  logic                  aw_full_q, w_full_q, write, accepted;
  logic [WORD_WIDTH-1:0] aw_q;
  logic [31:0]           w_q, merged;
  logic [3:0]            strobe_q;
  logic                  mode_known, planes_known;

  assign s_axil_awready = !aw_full_q;
  assign s_axil_wready  = !w_full_q;
  assign write          = aw_full_q && w_full_q && (!s_axil_bvalid || s_axil_bready);

  // PLANES: of each word the number of the mode whose planes it holds.
  logic                   aw_in_table;
  logic [ENTRY_WIDTH-1:0] aw_entry;
  logic [15:0]            aw_planes, ar_planes;
  logic [WORD_WIDTH-1:0]  ar_q;              // of the read in work
  logic [ENTRY_WIDTH-1:0] entry;

  assign aw_in_table = 32'(aw_q) >= TABLE && 32'(aw_q) < TABLE + ENTRIES;
  assign aw_entry    = ENTRY_WIDTH'(32'(aw_q) - TABLE);

  // The word as it would be: bytes without a strobe keep what they hold.
  always_comb begin
    merged = 32'(mode_q);
    if (Writable && aw_in_table) merged = 32'(aw_planes);
    for (int unsigned b = 0; b < 4; b++) begin
      if (strobe_q[b]) merged[8*b +: 8] = w_q[8*b +: 8];
    end
  end
  assign mode_known = merged < 32'(Modes);
  assign accepted   = (aw_q == W_MODE && mode_known) || aw_q == W_CONTROL || aw_q == W_ERROR
                      || (aw_in_table && planes_known);

  if (Writable) begin : g_writable
    logic [MODE_WIDTH-1:0]  aw_choice, ar_choice, chosen;
    logic [LAYER_WIDTH-1:0] aw_layer, ar_layer;
    logic [16*Modes-1:0]    aw_held, ar_held;  // what the layer has in each mode

    always_comb begin
      {aw_choice, ar_choice} = '0;
      {aw_layer, ar_layer}   = '0;
      for (int unsigned e = 0; e < ENTRIES; e++) begin
        if (aw_entry == ENTRY_WIDTH'(e)) begin
          aw_choice = choices[e];
          aw_layer  = LAYER_WIDTH'(e % Layers);
        end
        if (entry == ENTRY_WIDTH'(e)) begin
          ar_choice = choices[e];
          ar_layer  = LAYER_WIDTH'(e % Layers);
        end
      end
    end

    // Constants picked one by one: a part-select by a variable becomes a shifter as wide as Planes.
    always_comb begin
      aw_held = '0;
      ar_held = '0;
      for (int unsigned m = 0; m < Modes; m++) begin
        for (int unsigned l = 0; l < Layers; l++) begin
          if (aw_layer == LAYER_WIDTH'(l)) aw_held[16*m +: 16] = Planes[16*(m*Layers + l) +: 16];
          if (ar_layer == LAYER_WIDTH'(l)) ar_held[16*m +: 16] = Planes[16*(m*Layers + l) +: 16];
        end
      end
    end

    always_comb begin
      aw_planes = '0;
      ar_planes = '0;
      for (int unsigned m = 0; m < Modes; m++) begin
        if (aw_choice == MODE_WIDTH'(m)) aw_planes = aw_held[16*m +: 16];
        if (ar_choice == MODE_WIDTH'(m)) ar_planes = ar_held[16*m +: 16];
      end
    end

    always_comb begin
      chosen       = '0;
      planes_known = 1'b0;
      for (int unsigned m = 0; m < Modes; m++) begin
        if (merged == 32'(aw_held[16*m +: 16])) begin
          chosen       = MODE_WIDTH'(m);
          planes_known = 1'b1;
        end
      end
    end

    always_ff @(posedge clk_i) begin
      for (int unsigned e = 0; e < ENTRIES; e++) begin
        if (!rst_ni) choices[e] <= MODE_WIDTH'(e / Layers);
        else if (write && aw_in_table && planes_known && aw_entry == ENTRY_WIDTH'(e)) begin
          choices[e] <= chosen;
        end
      end
    end
  end else begin : g_fixed
    for (genvar e = 0; e < ENTRIES; e++) begin : g_entry
      assign choices[e] = MODE_WIDTH'(e / Layers);
    end
    assign planes_known = 1'b0;
    assign aw_planes    = '0;
    assign ar_planes    = Planes[16*entry +: 16];
    logic unused_writes;
    assign unused_writes = ^{aw_entry, aw_planes};
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      aw_full_q     <= 1'b0;
      w_full_q      <= 1'b0;
      s_axil_bvalid <= 1'b0;
      mode_q        <= '0;
      by_frame_q    <= 1'b0;
      error_q       <= 1'b0;
    end else begin
      if (write) aw_full_q <= 1'b0;
      else if (s_axil_awvalid) aw_full_q <= 1'b1;
      if (write) w_full_q <= 1'b0;
      else if (s_axil_wvalid) w_full_q <= 1'b1;
      if (write) s_axil_bvalid <= 1'b1;
      else if (s_axil_bready) s_axil_bvalid <= 1'b0;
      if (write && aw_q == W_MODE && mode_known) mode_q <= merged[MODE_WIDTH-1:0];
      if (write && aw_q == W_CONTROL && strobe_q[0]) by_frame_q <= w_q[0];
      if (refused_i) error_q <= 1'b1;
      else if (write && aw_q == W_ERROR && strobe_q[0] && w_q[0]) error_q <= 1'b0;
    end
    if (write) s_axil_bresp <= accepted ? OKAY : SLVERR;
    if (s_axil_awready) aw_q <= s_axil_awaddr[ADDR_WIDTH-1:2];
    if (s_axil_wready) {strobe_q, w_q} <= {s_axil_wstrb, s_axil_wdata};
  end

  // Reads.
  logic                   ar_full_q, read, in_table;
  logic [31:0]            value;
  logic                   known;

  assign s_axil_arready = !ar_full_q;
  assign read           = ar_full_q && (!s_axil_rvalid || s_axil_rready);
  assign in_table       = 32'(ar_q) >= TABLE && 32'(ar_q) < TABLE + ENTRIES;
  assign entry          = ENTRY_WIDTH'(32'(ar_q) - TABLE);

  always_comb begin
    known = 1'b1;
    unique case (ar_q)
      W_ID:      value = ID;
      W_VERSION: value = VERSION;
      W_MODES:   value = 32'(Modes);
      W_LAYERS:  value = 32'(Layers);
      W_MODE:    value = 32'(mode_q);
      W_CONTROL: value = 32'(by_frame_q);
      W_STATUS:  value = {16'(inside_i), 8'(newest_i), 8'(oldest_i)};
      W_ERROR:   value = 32'(error_q);
      W_ENTERED: value = entered_q;
      W_LEFT:    value = left_q;
      default: begin
        known = in_table;
        value = in_table ? 32'(ar_planes) : '0;
      end
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      ar_full_q     <= 1'b0;
      s_axil_rvalid <= 1'b0;
    end else begin
      if (read) ar_full_q <= 1'b0;
      else if (s_axil_arvalid) ar_full_q <= 1'b1;
      if (read) s_axil_rvalid <= 1'b1;
      else if (s_axil_rready) s_axil_rvalid <= 1'b0;
    end
    if (s_axil_arready) ar_q <= s_axil_araddr[ADDR_WIDTH-1:2];
    if (read) begin
      s_axil_rdata <= value;
      s_axil_rresp <= known ? OKAY : SLVERR;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      entered_q <= '0;
      left_q    <= '0;
    end else begin
      if (enter_i) entered_q <= entered_q + 1'b1;
      if (leave_i) left_q <= left_q + 1'b1;
    end
  end

`ifndef SYNTHESIS
  initial begin
    if (Modes < 2 || Modes > 256) $fatal(1, "%m: Modes must be 2 to 256");
    if (Layers < 1 || InsideWidth < 1 || InsideWidth > 16) $fatal(1, "%m: parameters out of range");
  end

  logic        b_refused_q, r_refused_q;
  logic [1:0]  bresp_q;
  logic [33:0] r_q;

  always_ff @(posedge clk_i) begin
    b_refused_q <= rst_ni && s_axil_bvalid && !s_axil_bready;
    r_refused_q <= rst_ni && s_axil_rvalid && !s_axil_rready;
    bresp_q     <= s_axil_bresp;
    r_q         <= {s_axil_rresp, s_axil_rdata};
    if (rst_ni && b_refused_q && !(s_axil_bvalid && s_axil_bresp == bresp_q)) begin
      $fatal(1, "%m: an answer to a write changed while it was refused");
    end
    if (rst_ni && r_refused_q && !(s_axil_rvalid && {s_axil_rresp, s_axil_rdata} == r_q)) begin
      $fatal(1, "%m: an answer to a read changed while it was refused");
    end
  end
`endif
endmodule
