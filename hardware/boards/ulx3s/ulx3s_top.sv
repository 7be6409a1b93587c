// SPDX-License-Identifier: Apache-2.0
// ulx3s_top: an accelerator on the ULX3S board, behind the board's USB serial port.
//
// The line speaks the protocol of bf_uart_bridge. Lamps: 7 blinks while the clock runs, 6 a request
// is being served, 5 the last request got an error answer, 4..0 count the results.
// Fire 1 resets. Clock: the board's 25 MHz, times PllFeedback / PllIn when PllOut is not 0.
// Golden       bitfold.host.protocol and the design's graph;  test: tests/hardware/test_ulx3s_top.py
module ulx3s_top #(
  parameter int unsigned PllIn          = 1,         // dividers of ulx3s_clock
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
  parameter bit [63:0]   DesignId       = 64'd0
) (
  input  logic       clk_25mhz_i,
  input  logic       reset_button_i,            // high while pressed
  input  logic       ftdi_txd_i,                // host to board
  output logic       ftdi_rxd_o,                // board to host
  output logic       wifi_gpio0_o,              // high, or the board's ESP32 takes the board over
  output logic [7:0] led_o
);
  localparam int unsigned BLINK_WIDTH = 24;

  logic clk, locked, rst_n, core_rst_n, busy, answered, fault;

  assign wifi_gpio0_o = 1'b1;

  ulx3s_clock #(.PllIn(PllIn), .PllFeedback(PllFeedback), .PllOut(PllOut)) u_clock (
    .clk_25mhz_i, .clk_o(clk), .locked_o(locked)
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
    release_q <= {release_q[0], locked && !reset_button_i};
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
    .rx_i(ftdi_txd_i), .tx_o(ftdi_rxd_o),
    .core_rst_no(core_rst_n),
    .s_axis_tvalid_o(s_axis_tvalid), .s_axis_tready_i(s_axis_tready),
    .s_axis_tdata_o(s_axis_tdata), .s_axis_tlast_o(s_axis_tlast), .s_axis_tuser_o(s_axis_tuser),
    .m_axis_tvalid_i(m_axis_tvalid), .m_axis_tready_o(m_axis_tready),
    .m_axis_tdata_i(m_axis_tdata), .m_axis_tlast_i(m_axis_tlast),
    .busy_o(busy), .answered_o(answered), .fault_o(fault)
  );

  ulx3s_core #(.BeatBytes(BeatBytes), .AxilBits(AxilBits)) u_core (
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

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      blink_q   <= '0;
      results_q <= '0;
    end else begin
      blink_q <= blink_q + 1'b1;
      if (answered) results_q <= results_q + 1'b1;
    end
  end

  assign led_o = {blink_q[BLINK_WIDTH-1], busy, fault, results_q};
endmodule
