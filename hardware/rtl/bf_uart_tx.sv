// SPDX-License-Identifier: Apache-2.0
// bf_uart_tx: bytes to a serial line: one start bit, eight data bits least significant first, one
// stop bit, no parity.
//
// Streams      byte_* in; transfer on valid && ready; payload stable until taken.
// Rate         one byte in 10 * BitCycles + 1 cycles. Latency 1 cycle to the start bit.
// Comb. paths  none.
// Golden       cocotbext-uart; test: tests/hardware/test_bf_uart_tx.py
module bf_uart_tx #(
  parameter  int unsigned BitCycles = 25,       // clock cycles of a bit, >= 2
  localparam int unsigned CountWidth = $clog2(BitCycles)
) (
  input  logic       clk_i,
  input  logic       rst_ni,                    // synchronous, active low
  // Bytes.
  input  logic       byte_valid_i,
  output logic       byte_ready_o,
  input  logic [7:0] byte_data_i,
  output logic       tx_o                       // the line, from a register; high when idle
);
  localparam logic [CountWidth-1:0] WHOLE = CountWidth'(BitCycles - 1);

  logic [CountWidth-1:0] count_q;
  logic [3:0]            left_q;                // bits still to send, the present one included
  logic [9:0]            shift_q;               // bit 0 is on the line
  logic                  busy;

  assign busy         = left_q != '0;
  assign byte_ready_o = !busy;
  assign tx_o         = shift_q[0];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      count_q <= '0;
      left_q  <= '0;
      shift_q <= '1;                            // the line must idle high from the start
    end else if (!busy) begin
      count_q <= WHOLE;
      if (byte_valid_i) begin
        left_q  <= 4'd10;
        shift_q <= {1'b1, byte_data_i, 1'b0};
      end
    end else if (count_q != '0) begin
      count_q <= count_q - 1'b1;
    end else begin
      count_q <= WHOLE;
      left_q  <= left_q - 1'b1;
      shift_q <= {1'b1, shift_q[9:1]};
    end
  end

`ifndef SYNTHESIS
  initial begin
    if (BitCycles < 2) $fatal(1, "%m: BitCycles >= 2 required");
  end
`endif
endmodule
