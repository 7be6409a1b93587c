// SPDX-License-Identifier: Apache-2.0
// bf_uart_rx: serial line to bytes: one start bit, eight data bits least significant first, one
// stop bit, no parity.
//
// Streams      byte_valid_o is a pulse: the line cannot wait, so there is no ready.
// Rate         one byte in 10 bit times. A bit is sampled in its middle; the next start bit may come
//              half a bit early: clocks may differ by 2 % with BitCycles 8, by 4 % with 25.
// Latency      byte_valid_o comes 3 cycles after the middle of the stop bit.
// Comb. paths  none.
// Golden       cocotbext-uart; test: tests/hardware/test_bf_uart_rx.py
module bf_uart_rx #(
  parameter  int unsigned BitCycles = 25,       // clock cycles of a bit, >= 4
  localparam int unsigned CountWidth = $clog2(BitCycles)
) (
  input  logic       clk_i,
  input  logic       rst_ni,                    // synchronous, active low
  input  logic       rx_i,                      // the line, asynchronous; high when idle
  // Bytes.
  output logic       byte_valid_o,
  output logic       byte_error_o,              // with byte_valid_o: the stop bit was low
  output logic [7:0] byte_data_o
);
  localparam logic [CountWidth-1:0] WHOLE = CountWidth'(BitCycles - 1);
  localparam logic [CountWidth-1:0] HALF  = CountWidth'(BitCycles / 2 - 1);
  localparam logic [3:0] STOP = 4'd9;

  logic [2:0]            line_q;                // two to synchronise, one to see the falling edge
  logic                  busy_q, valid_q, error_q;
  logic [CountWidth-1:0] count_q;
  logic [3:0]            bit_q;                 // 0 start, 1..8 data, 9 stop
  logic [7:0]            data_q;
  logic                  line, tick;

  assign line = line_q[1];
  assign tick = busy_q && count_q == '0;
  assign byte_valid_o = valid_q;
  assign byte_error_o = error_q;
  assign byte_data_o  = data_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      line_q  <= '1;
      busy_q  <= 1'b0;
      valid_q <= 1'b0;
      error_q <= 1'b0;
      count_q <= '0;
      bit_q   <= '0;
    end else begin
      line_q  <= {line_q[1:0], rx_i};
      valid_q <= tick && bit_q == STOP;
      error_q <= tick && bit_q == STOP && !line;
      if (!busy_q) begin
        busy_q  <= line_q[2] && !line;
        count_q <= HALF;
        bit_q   <= '0;
      end else begin
        count_q <= tick ? WHOLE : count_q - 1'b1;
        if (tick) begin
          bit_q <= bit_q + 1'b1;
          // A start bit that is high again in its middle was a glitch.
          if (bit_q == STOP || (bit_q == '0 && line)) busy_q <= 1'b0;
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (tick && bit_q != STOP) data_q <= {line, data_q[7:1]};
  end

`ifndef SYNTHESIS
  initial begin
    if (BitCycles < 4) $fatal(1, "%m: BitCycles >= 4 required");
  end
`endif
endmodule
