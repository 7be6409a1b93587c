// SPDX-License-Identifier: Apache-2.0
// bf_vecbuf: two slots of one input vector each; plane beats in, words of Simd * Ap bits out.
//
// A vector is Inputs values of Planes bits. It enters as a plane stream (group by group, planes
// most significant first) and is read in any order, as often as wanted, while the next one enters.
//
//   read word (ag, sf):  bit k * Simd + i = plane ag * Ap + Ap - 1 - k of value sf * Simd + i
//
// Planes are numbered from the most significant one of AF * Ap, AF = ceil(Planes / Ap); those that
// the stream lacks are the first: zeros, or copies of the sign plane with ActSigned. So plane 0 of
// a word, the lowest Simd bits, is the least significant of its group.
//
// Memory       2 * WORDS * AF words of LANES * Ap bits, LANES = max(GroupIn, Simd), one write and
//              one read port. A memory word holds BANKS = LANES / Simd read words: read word
//              (ag, sf) of slot s is bank sf % BANKS of address (s*WORDS + sf / BANKS) * AF + ag.
// Streams      in_*; transfer on valid && ready.
// Rate         1 beat/cycle. Ready changes only between vectors, and not at all while the other
//              slot is free when a vector ends.
// Handshake    full_o, start_i, release_i: of bf_slots. A vector may be read from the cycle after
//              its start_i on.
// Latency      act_o is the word addressed in the cycle before.
// Comb. paths  in_valid_i -> full_o.
// Golden       bitfold.sim.reference.vecbuf_words; test: tests/hardware/test_bf_vecbuf.py
module bf_vecbuf #(
  parameter  int unsigned GroupIn   = 8,     // G: bits of a beat; G divides Simd or Simd divides G
  parameter  int unsigned Simd      = 8,     // values of a read word
  parameter  int unsigned Ap        = 1,     // planes of a read word
  parameter  int unsigned Planes    = 4,     // B: planes of a value, >= 1
  parameter  int unsigned Inputs    = 64,    // values of a vector; multiple of G and of Simd
  parameter  bit          ActSigned = 1'b0,  // 1: plane 0 of a value is its sign
  localparam int unsigned LANES      = GroupIn > Simd ? GroupIn : Simd,
  localparam int unsigned BANKS      = LANES / Simd,
  localparam int unsigned WORDS      = Inputs / LANES,
  localparam int unsigned AF         = (Planes + Ap - 1) / Ap,
  localparam int unsigned DEPTH      = 2 * WORDS * AF,
  localparam int unsigned ADDR_WIDTH = $clog2(DEPTH),
  localparam int unsigned BANK_WIDTH = BANKS > 1 ? $clog2(BANKS) : 1
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,      // synchronous, active low
  // Plane beats in.
  input  logic                  in_valid_i,
  output logic                  in_ready_o,
  input  logic [GroupIn-1:0]    in_data_i,
  // Vectors.
  output logic                  full_o,
  input  logic                  start_i,
  input  logic                  release_i,
  // Read port.
  input  logic [ADDR_WIDTH-1:0] addr_i,
  input  logic [BANK_WIDTH-1:0] bank_i,
  output logic [Simd*Ap-1:0]    act_o
);
  localparam int unsigned CHUNKS      = LANES / GroupIn;      // beats that share a memory word
  localparam int unsigned PAD         = AF * Ap - Planes;     // planes that the stream lacks
  localparam int unsigned PLANE_WIDTH = Planes > 1 ? $clog2(Planes) : 1;
  localparam int unsigned CHUNK_WIDTH = CHUNKS > 1 ? $clog2(CHUNKS) : 1;
  localparam int unsigned LANE_WIDTH  = Ap > 1 ? $clog2(Ap) : 1;
  localparam int unsigned WORD_WIDTH  = LANES * Ap;

  localparam logic [PLANE_WIDTH-1:0] LAST_PLANE = PLANE_WIDTH'(Planes - 1);
  localparam logic [CHUNK_WIDTH-1:0] LAST_CHUNK = CHUNK_WIDTH'(CHUNKS - 1);
  localparam logic [LANE_WIDTH-1:0]  FIRST_LANE = LANE_WIDTH'(Ap - 1 - PAD);
  localparam logic [ADDR_WIDTH-1:0]  LAST_ADDR  = ADDR_WIDTH'(DEPTH - 1);
  localparam logic [ADDR_WIDTH-1:0]  HALF_ADDR  = ADDR_WIDTH'(WORDS * AF - 1);
  localparam logic [ADDR_WIDTH-1:0]  BACK       = ADDR_WIDTH'(AF - 1);

  logic [PLANE_WIDTH-1:0] plane_q;           // of the beat expected
  logic [LANE_WIDTH-1:0]  lane_q;            // where its plane goes in the word, 0 = lowest
  logic [CHUNK_WIDTH-1:0] chunk_q;
  logic [ADDR_WIDTH-1:0]  write_q;
  logic                   fire, last_plane, last_chunk, last_beat;

  assign fire       = in_valid_i && in_ready_o;
  assign last_plane = plane_q == LAST_PLANE;
  assign last_chunk = chunk_q == LAST_CHUNK;
  assign last_beat  = fire && last_plane && last_chunk
                      && (write_q == LAST_ADDR || write_q == HALF_ADDR);

  bf_slots i_slots (
    .clk_i     (clk_i),
    .rst_ni    (rst_ni),
    .last_i    (last_beat),
    .start_i   (start_i),
    .release_i (release_i),
    .ready_o   (in_ready_o),
    .full_o    (full_o)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      plane_q <= '0;
      lane_q  <= FIRST_LANE;
      chunk_q <= '0;
      write_q <= '0;
    end else if (fire) begin
      plane_q <= last_plane ? '0 : plane_q + 1'b1;
      if (last_plane) begin
        lane_q  <= FIRST_LANE;
        chunk_q <= last_chunk ? '0 : chunk_q + 1'b1;
        // The planes of a chunk go up AF words; the next chunk begins below again.
        if (!last_chunk) write_q <= write_q - BACK;
        else write_q <= write_q == LAST_ADDR ? '0 : write_q + 1'b1;
      end else if (lane_q == '0) begin
        lane_q  <= LANE_WIDTH'(Ap - 1);
        write_q <= write_q + 1'b1;
      end else begin
        lane_q  <= lane_q - 1'b1;
      end
    end
  end

  // Which bits of the word a beat writes: its plane's lanes of its chunk; with the first plane of
  // a value also the planes above it that the stream lacks.
  logic [WORD_WIDTH-1:0] enable, data;

  always_comb begin
    for (int unsigned k = 0; k < Ap; k++) begin
      for (int unsigned c = 0; c < CHUNKS; c++) begin
        enable[k*LANES + c*GroupIn +: GroupIn] = {GroupIn{
          fire && chunk_q == CHUNK_WIDTH'(c)
          && (lane_q == LANE_WIDTH'(k) || (plane_q == '0 && k >= Ap - PAD))
        }};
        data[k*LANES + c*GroupIn +: GroupIn] =
          (k >= Ap - PAD && !ActSigned && plane_q == '0) ? '0 : in_data_i;
      end
    end
  end

  // A word is never read that counts while it is written: no logic is wanted for that case.
  (* no_rw_check *)
  logic [WORD_WIDTH-1:0] memory [DEPTH];
  logic [WORD_WIDTH-1:0] word_q;

  always_ff @(posedge clk_i) begin
    for (int unsigned i = 0; i < WORD_WIDTH; i++) begin
      if (enable[i]) memory[write_q][i] <= data[i];
    end
    word_q <= memory[addr_i];
  end

  if (BANKS == 1) begin : g_one_bank
    logic unused;
    assign unused = bank_i[0];
    for (genvar k = 0; k < Ap; k++) begin : g_plane
      assign act_o[k*Simd +: Simd] = word_q[k*LANES +: Simd];
    end
  end else begin : g_banks
    logic [BANK_WIDTH-1:0] bank_q;
    always_ff @(posedge clk_i) bank_q <= bank_i;
    for (genvar k = 0; k < Ap; k++) begin : g_plane
      always_comb begin
        act_o[k*Simd +: Simd] = '0;
        for (int unsigned b = 0; b < BANKS; b++) begin
          if (bank_q == BANK_WIDTH'(b)) act_o[k*Simd +: Simd] = word_q[k*LANES + b*Simd +: Simd];
        end
      end
    end
  end

`ifndef SYNTHESIS
  initial begin
    if (GroupIn < 1 || Simd < 1 || Ap < 1 || Planes < 1) $fatal(1, "%m: parameters >= 1 required");
    if (LANES % GroupIn != 0 || LANES % Simd != 0) $fatal(1, "%m: GroupIn and Simd do not fit");
    if (Inputs % LANES != 0) $fatal(1, "%m: Inputs must be a multiple of GroupIn and of Simd");
    if (Ap > Planes) $fatal(1, "%m: Ap <= Planes required");
  end
`endif
endmodule
