// SPDX-License-Identifier: Apache-2.0
// bf_frame_rx: find frames in a byte stream and check them.
//
//   0xB1 0xF0 | command | length, low byte first | payload of that length | CRC-16, high byte first
//
// The CRC covers command, length and payload. Whatever precedes 0xB1 0xF0 is skipped. A payload is
// always taken in full, however long, so that its bytes are never mistaken for a new frame; a length
// damaged on the way ends in the timeout.
//
// Streams      byte_valid_i in, pulses. payload_valid_o: a payload byte, not yet checked.
// Latency      done_o comes 1 cycle after the last byte, or TimeoutCycles + 1 after a byte that was
//              not the last. command_o and length_o hold until the next frame.
// Comb. paths  byte_* -> payload_*.
// Golden       bitfold.host.protocol;  test: tests/hardware/test_bf_frame_rx.py
module bf_frame_rx #(
  parameter  int unsigned TimeoutCycles = 1250000,  // silence inside a frame, >= 1
  localparam int unsigned CountWidth = $clog2(TimeoutCycles + 1)
) (
  input  logic        clk_i,
  input  logic        rst_ni,                   // synchronous, active low
  input  logic        listen_i,                 // 0: bytes are dropped, a begun frame is forgotten
  // Bytes from the line.
  input  logic        byte_valid_i,
  input  logic        byte_error_i,
  input  logic [7:0]  byte_data_i,
  // Payload bytes as they come.
  output logic        start_o,                  // pulse before the first payload byte
  output logic        payload_valid_o,
  output logic [7:0]  payload_data_o,
  // A frame ended.
  output logic        done_o,                   // pulse
  output logic [7:0]  fault_o,                  // with done_o: 0, or an error code (bf_uart_bridge)
  output logic [7:0]  command_o,
  output logic [15:0] length_o
);
  typedef enum logic [2:0] {
    SYNC_0, SYNC_1, COMMAND, LENGTH_0, LENGTH_1, PAYLOAD, CRC_0, CRC_1
  } state_e;

  localparam logic [7:0] MAGIC_0 = 8'hB1;
  localparam logic [7:0] MAGIC_1 = 8'hF0;
  localparam logic [7:0] NO_FAULT = 8'd0;
  localparam logic [7:0] BAD_CRC  = 8'd1;
  localparam logic [7:0] TIMEOUT  = 8'd3;
  localparam logic [7:0] BAD_BYTE = 8'd7;
  localparam logic [CountWidth-1:0] PATIENCE = CountWidth'(TimeoutCycles);

  state_e                state_q, state_d;
  logic [CountWidth-1:0] quiet_q;
  logic [15:0]           crc_q, crc_next, left_q, length_q;
  logic [7:0]            command_q, fault_q;
  logic                  damaged_q, done_q, late, is_magic_0;

  assign late       = quiet_q == PATIENCE;
  assign is_magic_0 = byte_data_i == MAGIC_0 && !byte_error_i;

  assign start_o         = byte_valid_i && state_q == COMMAND;
  assign payload_valid_o = byte_valid_i && state_q == PAYLOAD;
  assign payload_data_o  = byte_data_i;
  assign done_o    = done_q;
  assign fault_o   = fault_q;
  assign command_o = command_q;
  assign length_o  = length_q;

  bf_crc16 u_crc (.crc_i(crc_q), .data_i(byte_data_i), .crc_o(crc_next));

  always_comb begin
    state_d = state_q;
    unique case (state_q)
      SYNC_0:   state_d = is_magic_0 ? SYNC_1 : SYNC_0;
      SYNC_1:   state_d = is_magic_0 ? SYNC_1
                        : (byte_data_i == MAGIC_1 && !byte_error_i) ? COMMAND : SYNC_0;
      COMMAND:  state_d = LENGTH_0;
      LENGTH_0: state_d = LENGTH_1;
      LENGTH_1: state_d = ({byte_data_i, length_q[7:0]} == '0) ? CRC_0 : PAYLOAD;
      PAYLOAD:  state_d = (left_q == 16'd1) ? CRC_0 : PAYLOAD;
      CRC_0:    state_d = CRC_1;
      CRC_1:    state_d = SYNC_0;
      default:  state_d = SYNC_0;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni || !listen_i) begin
      state_q   <= SYNC_0;
      quiet_q   <= '0;
      done_q    <= 1'b0;
      damaged_q <= 1'b0;
    end else begin
      done_q <= 1'b0;
      if (byte_valid_i) begin
        state_q   <= state_d;
        quiet_q   <= '0;
        done_q    <= state_q == CRC_1;
        damaged_q <= (damaged_q || byte_error_i) && state_q != SYNC_0 && state_q != SYNC_1;
      end else if (state_q == SYNC_0) begin
        quiet_q <= '0;
      end else if (late) begin
        state_q <= SYNC_0;
        done_q  <= state_q != SYNC_1;           // half a magic number is no frame
      end else begin
        quiet_q <= quiet_q + 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (byte_valid_i) begin
      crc_q <= (state_q == SYNC_0 || state_q == SYNC_1) ? 16'hFFFF : crc_next;
      if (state_q == COMMAND) command_q <= byte_data_i;
      if (state_q == LENGTH_0) length_q[7:0] <= byte_data_i;
      if (state_q == LENGTH_1) length_q[15:8] <= byte_data_i;
      left_q <= (state_q == LENGTH_1) ? {byte_data_i, length_q[7:0]} : left_q - 1'b1;
      if (damaged_q || byte_error_i) fault_q <= BAD_BYTE;
      else if (crc_next != '0) fault_q <= BAD_CRC;
      else fault_q <= NO_FAULT;
    end else if (late) begin
      fault_q <= TIMEOUT;
    end
  end

`ifndef SYNTHESIS
  initial begin
    if (TimeoutCycles < 1) $fatal(1, "%m: TimeoutCycles >= 1 required");
  end
`endif
endmodule
