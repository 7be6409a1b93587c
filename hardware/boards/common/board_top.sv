// SPDX-License-Identifier: Apache-2.0
// board_top: an accelerator behind the serial line of a board, whatever FPGA the board has.
//
// The line speaks the protocol of bf_uart_bridge. Lamps, the last of led_o first: one blinks while
// the clock runs, the next is lit while a request is served, the next when the last request got an
// error answer, the others count the results. A board with fewer lamps lacks those at the end.
// The button resets. Clock: clk_i, or what the PLL of board_clock makes of it.
// Golden       bitfold.host.protocol and the design's graph;  test: tests/hardware/test_board_top.py
module board_top #(
  parameter int unsigned PllIn          = 1,         // dividers of board_clock
  parameter int unsigned PllFeedback    = 1,
  parameter int unsigned PllOut         = 0,         // 0: no PLL
  parameter int unsigned BitCycles      = 25,        // as in bf_uart_bridge
  parameter int unsigned TimeoutCycles  = 1250000,
  parameter int unsigned WatchdogCycles = 25000000,
  parameter int unsigned FrameBytes     = 64,
  parameter int unsigned BeatBytes      = 1,
  parameter int unsigned Outputs        = 10,
  parameter int unsigned Modes          = 1,
  parameter int unsigned AxilBits       = 9,         // of an address, with modes
  parameter bit [63:0]   DesignId       = 64'd0,
  parameter int unsigned Leds           = 8,         // 1..8
  parameter bit          LedsLow        = 1'b0,      // a lamp is lit by 0
  parameter bit          Button         = 1'b1,      // there is one; else button_i is not read
  parameter bit          ButtonLow      = 1'b0       // 0 while pressed
) (
  input  logic            clk_i,
  input  logic            button_i,
  input  logic            uart_rx_i,                 // host to board
  output logic            uart_tx_o,                 // board to host
  output logic            high_o,                    // always 1
  output logic [Leds-1:0] led_o
);
  localparam int unsigned BLINK_WIDTH = 24;

  logic clk, locked, rst_n, core_rst_n, busy, answered, fault, pressed;

  assign high_o  = 1'b1;
  assign pressed = Button && (button_i != ButtonLow);

  board_clock #(.PllIn(PllIn), .PllFeedback(PllFeedback), .PllOut(PllOut)) u_clock (
    .clk_i, .clk_o(clk), .locked_o(locked)
  );

  // Reset: 16 cycles after power-on, after the clock is steady and the button is released.
  logic [1:0] release_q;
  logic [3:0] wait_q;
  initial begin                                 // what the configuration loads
    release_q = '0;
    wait_q    = '0;
  end
  assign rst_n = wait_q == '1;
  always_ff @(posedge clk) begin
    release_q <= {release_q[0], locked && !pressed};
    if (!release_q[1]) wait_q <= '0;
    else if (!rst_n) wait_q <= wait_q + 1'b1;
  end

  // ---- Accelerator behind the serial line -------------------------------------------------------
  logic [8*BeatBytes-1:0] s_axis_tdata;
  logic                   s_axis_tvalid, s_axis_tready, s_axis_tlast;
  logic [7:0]             s_axis_tuser;
  logic [31:0]            m_axis_tdata;
  logic                   m_axis_tvalid, m_axis_tready, m_axis_tlast;

  bf_uart_bridge #(
    .BitCycles(BitCycles), .TimeoutCycles(TimeoutCycles), .WatchdogCycles(WatchdogCycles),
    .FrameBytes(FrameBytes), .BeatBytes(BeatBytes), .Outputs(Outputs), .Modes(Modes),
    .DesignId(DesignId)
  ) u_bridge (
    .clk_i(clk), .rst_ni(rst_n),
    .rx_i(uart_rx_i), .tx_o(uart_tx_o),
    .core_rst_no(core_rst_n),
    .s_axis_tvalid_o(s_axis_tvalid), .s_axis_tready_i(s_axis_tready),
    .s_axis_tdata_o(s_axis_tdata), .s_axis_tlast_o(s_axis_tlast), .s_axis_tuser_o(s_axis_tuser),
    .m_axis_tvalid_i(m_axis_tvalid), .m_axis_tready_o(m_axis_tready),
    .m_axis_tdata_i(m_axis_tdata), .m_axis_tlast_i(m_axis_tlast),
    .busy_o(busy), .answered_o(answered), .fault_o(fault)
  );

  board_core #(.BeatBytes(BeatBytes), .AxilBits(AxilBits)) u_core (
    .clk_i(clk), .rst_ni(core_rst_n),
    .s_axis_tdata_i(s_axis_tdata), .s_axis_tvalid_i(s_axis_tvalid),
    .s_axis_tready_o(s_axis_tready), .s_axis_tlast_i(s_axis_tlast),
    .s_axis_tuser_i(s_axis_tuser),
    .m_axis_tdata_o(m_axis_tdata), .m_axis_tvalid_o(m_axis_tvalid),
    .m_axis_tready_i(m_axis_tready), .m_axis_tlast_o(m_axis_tlast)
  );

  // ---- Lamps ------------------------------------------------------------------------------------
  logic [BLINK_WIDTH-1:0] blink_q;
  logic [4:0]             results_q;
  logic [2:0]             state;
  logic [Leds-1:0]        lit;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      blink_q   <= '0;
      results_q <= '0;
    end else begin
      blink_q <= blink_q + 1'b1;
      if (answered) results_q <= results_q + 1'b1;
    end
  end

  assign state = {blink_q[BLINK_WIDTH-1], busy, fault};
  if (Leds > 3 && Leds <= 8) begin : g_count
    assign lit = {state, results_q[Leds-4:0]};
  end else if (Leds > 0 && Leds <= 3) begin : g_state
    assign lit = state[2-:Leds];
  end else begin : g_leds
    $error("board_top: 1 to 8 lamps");
  end
  assign led_o = LedsLow ? ~lit : lit;

  logic unused;
  assign unused = &{1'b0, button_i, results_q, state};
endmodule
