// SPDX-License-Identifier: Apache-2.0
// bf_uart_bridge: an accelerator's AXI4-Streams behind a serial line. One request at a time: the host
// sends a frame (format: bf_frame_rx), the bridge answers with one, then listens again. Bytes that
// come while it works are dropped.
//
//   request             answer
//   0x01 ping, empty    0x81: version 1, FrameBytes and Outputs (two bytes each, low byte first),
//                       DesignId (eight bytes, highest first)
//   0x02 run, a frame   0x82: Outputs integers of four bytes, low byte first, two's complement
//   0x03 run in a mode  the same; with Modes > 1: a frame and a byte, which is s_axis_tuser_o of it
//   anything wrong      0xFF: one byte: 1 checksum, 2 length, 3 silence inside a frame, 4 unknown
//                       command, 5 the accelerator gave another number of outputs, 6 it stopped,
//                       7 a byte without stop bit, 8 there is no such mode
//
// A frame goes into memory and enters the accelerator only after its CRC was right. After codes 5
// and 6 the accelerator is reset (core_rst_no), so that the next frame finds it empty.
//
// Streams      s_axis_* to the accelerator, m_axis_* from it, AXI4-Stream; byte i of a beat is byte
//              i of the frame.
// Comb. paths  none from the accelerator's ready or valid to the bridge's own.
// Golden       bitfold.host.protocol;  test: tests/hardware/test_bf_uart_bridge.py
module bf_uart_bridge #(
  parameter  int unsigned BitCycles      = 25,       // clock cycles of a bit on the line, >= 4
  parameter  int unsigned TimeoutCycles  = 1250000,  // silence inside a frame
  parameter  int unsigned WatchdogCycles = 25000000, // the accelerator moves no beat for so long
  parameter  int unsigned FrameBytes     = 64,       // of one input, 1..65535
  parameter  int unsigned BeatBytes      = 1,        // of s_axis_tdata_o; divides FrameBytes
  parameter  int unsigned Outputs        = 10,       // integers of one answer, 1..16383
  parameter  int unsigned Modes          = 1,        // precision modes, 1..256; 0x02 runs in mode 0
  parameter  bit [63:0]   DesignId       = 64'd0     // tells the host what is loaded
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,        // synchronous, active low
  // Serial line.
  input  logic                   rx_i,
  output logic                   tx_o,
  // To the accelerator.
  output logic                   core_rst_no,   // its reset, active low
  output logic                   s_axis_tvalid_o,
  input  logic                   s_axis_tready_i,
  output logic [8*BeatBytes-1:0] s_axis_tdata_o,
  output logic                   s_axis_tlast_o,
  output logic [7:0]             s_axis_tuser_o, // mode of the frame
  // From the accelerator.
  input  logic                   m_axis_tvalid_i,
  output logic                   m_axis_tready_o,
  input  logic [31:0]            m_axis_tdata_i,
  input  logic                   m_axis_tlast_i,
  // For lamps.
  output logic                   busy_o,        // a request is being served
  output logic                   answered_o,    // pulse: a result was sent
  output logic                   fault_o        // the last request got an error answer
);
  localparam int unsigned DogWidth   = $clog2(WatchdogCycles + 1);
  localparam int unsigned PONG_BYTES = 13;

  localparam logic [7:0] PING = 8'h01, RUN = 8'h02, RUN_MODE = 8'h03;
  localparam logic [7:0] PONG = 8'h81, RESULT = 8'h82, FAULT = 8'hFF;
  localparam logic [7:0] NO_FAULT = 8'd0, BAD_LENGTH = 8'd2, BAD_COMMAND = 8'd4;
  localparam logic [7:0] BAD_OUTPUTS = 8'd5, CORE_STOPPED = 8'd6, BAD_MODE = 8'd8;

  typedef enum logic [2:0] {LISTEN, WORK, CLEAR, START, REPLY} state_e;

  state_e              state_q;
  logic [7:0]          reply_q, fault_q, request_fault;
  logic [7:0]          last_q, mode_q;          // last byte of the payload; mode of the frame
  logic [15:0]         length_q;                // of the answer's payload
  logic [DogWidth-1:0] dog_q;
  logic [2:0]          clear_q;
  logic                fault_seen_q;

  // ---- Request --------------------------------------------------------------------------------
  logic        byte_valid, byte_error, in_start, in_valid, in_done;
  logic [7:0]  byte_data, in_data, in_fault, in_command;
  logic [15:0] in_length;

  bf_uart_rx #(.BitCycles(BitCycles)) u_rx (
    .clk_i, .rst_ni, .rx_i,
    .byte_valid_o(byte_valid), .byte_error_o(byte_error), .byte_data_o(byte_data)
  );

  bf_frame_rx #(.TimeoutCycles(TimeoutCycles)) u_request (
    .clk_i, .rst_ni,
    .listen_i(state_q == LISTEN),
    .byte_valid_i(byte_valid), .byte_error_i(byte_error), .byte_data_i(byte_data),
    .start_o(in_start), .payload_valid_o(in_valid), .payload_data_o(in_data),
    .done_o(in_done), .fault_o(in_fault), .command_o(in_command), .length_o(in_length)
  );

  // ---- Accelerator ----------------------------------------------------------------------------
  logic       fed, fed_beat, taken, took, mismatch, result_valid, result_ready;
  logic [7:0] result_data;

  assign fed_beat = s_axis_tvalid_o && s_axis_tready_i;

  bf_frame_memory #(.FrameBytes(FrameBytes), .BeatBytes(BeatBytes)) u_frame (
    .clk_i,
    .restart_i(in_start || in_done), .byte_valid_i(in_valid), .byte_data_i(in_data),
    .play_i(state_q == WORK), .played_o(fed),
    .m_axis_tvalid_o(s_axis_tvalid_o), .m_axis_tready_i(s_axis_tready_i),
    .m_axis_tdata_o(s_axis_tdata_o), .m_axis_tlast_o(s_axis_tlast_o)
  );

  bf_result_memory #(.Outputs(Outputs)) u_result (
    .clk_i,
    .take_i(state_q == WORK), .moved_o(took), .taken_o(taken), .mismatch_o(mismatch),
    .s_axis_tvalid_i(m_axis_tvalid_i), .s_axis_tready_o(m_axis_tready_o),
    .s_axis_tdata_i(m_axis_tdata_i), .s_axis_tlast_i(m_axis_tlast_i),
    .send_i(state_q == REPLY), .byte_valid_o(result_valid), .byte_ready_i(result_ready),
    .byte_data_o(result_data)
  );

  // ---- Control --------------------------------------------------------------------------------
  always_comb begin
    request_fault = in_fault;
    if (in_fault == NO_FAULT) begin
      if (in_command == PING) request_fault = (in_length == '0) ? NO_FAULT : BAD_LENGTH;
      else if (Modes > 1 && in_command == RUN_MODE) begin
        if (in_length != 16'(FrameBytes + 1)) request_fault = BAD_LENGTH;
        else if (32'(last_q) >= Modes) request_fault = BAD_MODE;
      end else if (in_command != RUN) request_fault = BAD_COMMAND;
      else if (in_length != 16'(FrameBytes)) request_fault = BAD_LENGTH;
    end
  end

  // The byte behind a frame, which bf_frame_memory drops, is its mode.
  always_ff @(posedge clk_i) begin
    if (in_valid) last_q <= in_data;
    if (state_q == LISTEN && in_done) mode_q <= in_command == RUN_MODE ? last_q : 8'd0;
  end
  assign s_axis_tuser_o = mode_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q      <= CLEAR;
      fault_seen_q <= 1'b0;
      fault_q      <= NO_FAULT;
      reply_q      <= '0;
      clear_q      <= '1;
    end else begin
      unique case (state_q)
        LISTEN: if (in_done) begin
          fault_q <= request_fault;
          dog_q   <= '0;
          if (request_fault != NO_FAULT) begin
            reply_q  <= FAULT;
            length_q <= 16'd1;
            state_q  <= START;
          end else if (in_command == PING) begin
            reply_q  <= PONG;
            length_q <= 16'(PONG_BYTES);
            state_q  <= START;
          end else begin
            reply_q  <= RESULT;
            length_q <= 16'(4 * Outputs);
            state_q  <= WORK;
          end
        end
        WORK: begin
          dog_q <= (fed_beat || took) ? '0 : dog_q + 1'b1;
          if (mismatch || dog_q == DogWidth'(WatchdogCycles)) begin
            fault_q  <= mismatch ? BAD_OUTPUTS : CORE_STOPPED;
            reply_q  <= FAULT;
            length_q <= 16'd1;
            state_q  <= CLEAR;
          end else if (fed && taken) begin
            state_q <= START;
          end
        end
        CLEAR: begin                            // the accelerator's reset lasts eight cycles
          clear_q <= clear_q - 1'b1;
          if (clear_q == '0) state_q <= (fault_q == NO_FAULT) ? LISTEN : START;
        end
        START: begin
          fault_seen_q <= reply_q == FAULT;
          state_q      <= REPLY;
        end
        default: if (!answer_busy) state_q <= LISTEN;
      endcase
    end
  end

  assign core_rst_no = state_q != CLEAR;
  assign busy_o      = state_q != LISTEN;
  assign answered_o  = state_q == START && reply_q == RESULT;
  assign fault_o     = fault_seen_q;

  // ---- Answer ---------------------------------------------------------------------------------
  logic                    answer_busy, payload_valid, payload_ready, tx_valid, tx_ready;
  logic [3:0]              pong_q;              // bytes of a pong that were sent
  logic [7:0]              payload_data, tx_data;
  logic [127:0]            pong;                // byte i of the payload in bits 8i..8i+7

  assign pong = 128'({
    DesignId[7:0], DesignId[15:8], DesignId[23:16], DesignId[31:24],
    DesignId[39:32], DesignId[47:40], DesignId[55:48], DesignId[63:56],
    16'(Outputs), 16'(FrameBytes), 8'd1
  });
  assign payload_valid = (reply_q == RESULT) ? result_valid : 1'b1;
  assign result_ready  = payload_ready && reply_q == RESULT;

  always_comb begin
    unique case (reply_q)
      PONG:    payload_data = pong[{pong_q, 3'b000} +: 8];
      RESULT:  payload_data = result_data;
      default: payload_data = fault_q;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (state_q != REPLY) pong_q <= '0;
    else if (payload_ready) pong_q <= pong_q + 1'b1;
  end

  bf_frame_tx u_answer (
    .clk_i, .rst_ni,
    .start_i(state_q == START), .command_i(reply_q), .length_i(length_q), .busy_o(answer_busy),
    .payload_valid_i(payload_valid), .payload_ready_o(payload_ready), .payload_data_i(payload_data),
    .byte_valid_o(tx_valid), .byte_ready_i(tx_ready), .byte_data_o(tx_data)
  );

  bf_uart_tx #(.BitCycles(BitCycles)) u_tx (
    .clk_i, .rst_ni,
    .byte_valid_i(tx_valid), .byte_ready_o(tx_ready), .byte_data_i(tx_data), .tx_o
  );

`ifndef SYNTHESIS
  initial begin
    if (FrameBytes > (Modes > 1 ? 65534 : 65535)) $fatal(1, "%m: FrameBytes is too large");
    if (Modes < 1 || Modes > 256) $fatal(1, "%m: Modes must be in 1..256");
    if (WatchdogCycles < 1) $fatal(1, "%m: WatchdogCycles >= 1 required");
  end
`endif
endmodule
