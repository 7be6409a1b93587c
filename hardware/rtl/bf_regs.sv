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
// Bus          that of bf_axil. Byte strobes count; reserved bits read 0, in CONTROL and ERROR they
//              may be written. SLVERR answers what is not in the map, a write to what is read only,
//              a mode that there is not, and planes that the layer has in no mode, by all 32 bits:
//              nothing is changed then. Addresses are of words: bits 1:0 are ignored.
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

  localparam int unsigned TABLE       = 64;  // word of the first of PLANES
  localparam int unsigned ENTRIES     = Modes * Layers;
  localparam int unsigned WORD_WIDTH  = ADDR_WIDTH - 2;
  localparam int unsigned ENTRY_WIDTH = ENTRIES > 1 ? $clog2(ENTRIES) : 1;

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

  // The bus.
  logic                  write, write_ok, known;
  logic [WORD_WIDTH-1:0] aw_q, ar_q;
  logic [31:0]           w_q, value;
  logic [3:0]            strobe_q;

  bf_axil #(
    .AddrWidth (ADDR_WIDTH)
  ) i_bus (
    .clk_i          (clk_i),
    .rst_ni         (rst_ni),
    .s_axil_awaddr  (s_axil_awaddr),
    .s_axil_awprot  (s_axil_awprot),
    .s_axil_awvalid (s_axil_awvalid),
    .s_axil_awready (s_axil_awready),
    .s_axil_wdata   (s_axil_wdata),
    .s_axil_wstrb   (s_axil_wstrb),
    .s_axil_wvalid  (s_axil_wvalid),
    .s_axil_wready  (s_axil_wready),
    .s_axil_bresp   (s_axil_bresp),
    .s_axil_bvalid  (s_axil_bvalid),
    .s_axil_bready  (s_axil_bready),
    .s_axil_araddr  (s_axil_araddr),
    .s_axil_arprot  (s_axil_arprot),
    .s_axil_arvalid (s_axil_arvalid),
    .s_axil_arready (s_axil_arready),
    .s_axil_rdata   (s_axil_rdata),
    .s_axil_rresp   (s_axil_rresp),
    .s_axil_rvalid  (s_axil_rvalid),
    .s_axil_rready  (s_axil_rready),
    .write_o        (write),
    .write_word_o   (aw_q),
    .write_data_o   (w_q),
    .write_strobe_o (strobe_q),
    .write_ok_i     (write_ok),
    .read_word_o    (ar_q),
    .read_value_i   (value),
    .read_ok_i      (known)
  );

  // PLANES.
  logic        aw_in_table, ar_in_table, planes_ok;
  logic [15:0] planes;

  assign aw_in_table = 32'(aw_q) >= TABLE && 32'(aw_q) < TABLE + ENTRIES;
  assign ar_in_table = 32'(ar_q) >= TABLE && 32'(ar_q) < TABLE + ENTRIES;

  bf_plane_table #(
    .Modes    (Modes),
    .Layers   (Layers),
    .Planes   (Planes),
    .Writable (Writable)
  ) i_planes (
    .clk_i          (clk_i),
    .rst_ni         (rst_ni),
    .write_i        (write && aw_in_table),
    .write_entry_i  (ENTRY_WIDTH'(32'(aw_q) - TABLE)),
    .write_data_i   (w_q),
    .write_strobe_i (strobe_q),
    .write_ok_o     (planes_ok),
    .read_entry_i   (ENTRY_WIDTH'(32'(ar_q) - TABLE)),
    .read_planes_o  (planes),
    .choices_o      (choices_o)
  );

  // Registers.
  logic [MODE_WIDTH-1:0] mode_q;
  logic                  by_frame_q, error_q, mode_known;
  logic [31:0]           entered_q, left_q, merged;

  assign mode_o     = mode_q;
  assign by_frame_o = by_frame_q;

  // MODE as it would be: bytes without a strobe keep what they hold.
  always_comb begin
    merged = 32'(mode_q);
    for (int unsigned b = 0; b < 4; b++) begin
      if (strobe_q[b]) merged[8*b +: 8] = w_q[8*b +: 8];
    end
  end
  assign mode_known = merged < 32'(Modes);
  assign write_ok   = (aw_q == W_MODE && mode_known) || aw_q == W_CONTROL || aw_q == W_ERROR
                      || (aw_in_table && planes_ok);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      mode_q     <= '0;
      by_frame_q <= 1'b0;
      error_q    <= 1'b0;
      entered_q  <= '0;
      left_q     <= '0;
    end else begin
      if (write && aw_q == W_MODE && mode_known) mode_q <= merged[MODE_WIDTH-1:0];
      if (write && aw_q == W_CONTROL && strobe_q[0]) by_frame_q <= w_q[0];
      if (refused_i) error_q <= 1'b1;
      else if (write && aw_q == W_ERROR && strobe_q[0] && w_q[0]) error_q <= 1'b0;
      if (enter_i) entered_q <= entered_q + 1'b1;
      if (leave_i) left_q <= left_q + 1'b1;
    end
  end

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
        known = ar_in_table;
        value = ar_in_table ? 32'(planes) : '0;
      end
    endcase
  end

`ifndef SYNTHESIS
  initial begin
    if (Modes < 2 || Modes > 256) $fatal(1, "%m: Modes must be 2 to 256");
    if (Layers < 1 || InsideWidth < 1 || InsideWidth > 16) $fatal(1, "%m: parameters out of range");
  end
`endif
endmodule
