// SPDX-License-Identifier: Apache-2.0
// bf_mvu_seq: the counters that drive a matrix-vector unit; issues one product word a cycle.
//
//   for each vector:  for nf in Folds:  for (ag, wg) in Steps:  for sf in SF:  issue
//
// Blocks       with Blocks > 1 (a convolution in groups) each Folds / Blocks folds read a part of the
//              vector of their own: of each of Runs stretches of the buffer (positions of a kernel)
//              one of Blocks equal parts. SF counts the words of that part alone.
// Steps are the pairs of an activation plane group and a weight plane group, in descending order
// of the exponent of their product's least significant bit, so that one accumulator suffices: it
// is shifted left by `shift` at the first issue of a step. A fold takes FoldCycles cycles: its
// STEPS * SF issues and then idle cycles, when the thresholds need longer than the product.
//
// Modes        with Modes > 1 a vector is computed in the mode that mode_i says with start_o: the
//              walk goes through the steps ModeSteps[mode] of the table only, [15:0] the first and
//              [31:16] the last of them. Leaving steps out is how planes are skipped. FoldCycles
//              then is the least length of a fold, and idle cycles come in front of the products,
//              so that folds of different modes follow each other at least FoldCycles apart.
// Step table   32 bits a step, step 0 lowest: [7:0] ag, [15:8] wg, [23:16] shift from the step
//              before (0 for step 0), [24] ag holds the sign plane of the activations, [25] wg
//              holds that of the weights. bitfold.sim.reference.pack_steps makes it.
// Handshake    start_o pulses in the cycle before a vector's first issue, when full_i and room_i
//              are 1 and the vector before is in its last cycle or through: back to back, vectors
//              follow each other every Folds * FoldCycles cycles. release_o pulses at a vector's
//              last issue.
// Latency      all issue_* outputs are registers or functions of a few.
// Comb. paths  full_i, room_i -> start_o.
// Golden       bitfold.sim.reference.issues; test: tests/hardware/test_bf_mvu_seq.py
module bf_mvu_seq #(
  parameter  int unsigned Folds      = 2,    // NF: folds of the outputs
  parameter  int unsigned Words      = 4,    // memory words of a vector's plane group in the buffer
  parameter  int unsigned Banks      = 1,    // words to read in each of them
  parameter  int unsigned Blocks     = 1,    // divides Folds
  parameter  int unsigned Runs       = 1,    // Blocks * Runs divides Words
  parameter  int unsigned ActGroups  = 1,    // AF: activation plane groups
  parameter  int unsigned WGroups    = 1,    // WF: weight plane groups
  parameter  int unsigned FoldCycles = Words / Blocks * Banks * ActGroups * WGroups,  // or more
  parameter  int unsigned ShiftWidth = 1,    // bits of issue_shift_o
  parameter  int unsigned TableSteps = ActGroups * WGroups,  // of all modes
  parameter  logic [32*TableSteps-1:0] Steps = '0,
  parameter  int unsigned Modes      = 1,
  parameter  logic [32*Modes-1:0] ModeSteps  = '0,
  localparam int unsigned READ              = Words / Blocks,  // memory words that a fold reads
  localparam int unsigned SF                = READ * Banks,
  localparam int unsigned STEPS             = TableSteps,
  localparam int unsigned MODE_WIDTH        = Modes > 1 ? $clog2(Modes) : 1,
  localparam int unsigned SLOT              = Words * ActGroups,
  localparam int unsigned ACT_ADDR_WIDTH    = $clog2(2 * SLOT),
  localparam int unsigned BANK_WIDTH        = Banks > 1 ? $clog2(Banks) : 1,
  localparam int unsigned WEIGHTS           = Folds * WGroups * SF,
  localparam int unsigned WEIGHT_ADDR_WIDTH = WEIGHTS > 1 ? $clog2(WEIGHTS) : 1
) (
  input  logic                         clk_i,
  input  logic                         rst_ni,         // synchronous, active low
  // Vectors.
  input  logic                         full_i,         // an input vector is complete
  input  logic                         room_i,         // an output vector may be reserved
  input  logic [MODE_WIDTH-1:0]        mode_i,         // of the vector that may start
  output logic                         start_o,
  output logic                         release_o,
  // Issues.
  output logic                         issue_valid_o,
  output logic [ACT_ADDR_WIDTH-1:0]    issue_act_addr_o,
  output logic [BANK_WIDTH-1:0]        issue_act_bank_o,
  output logic [WEIGHT_ADDR_WIDTH-1:0] issue_weight_addr_o,
  output logic                         issue_first_o,  // first of a fold
  output logic                         issue_last_o,   // last of a fold
  output logic [ShiftWidth-1:0]        issue_shift_o,  // before this product is added
  output logic                         issue_act_sign_o,
  output logic                         issue_weight_sign_o
);
  localparam int unsigned IDLE       = FoldCycles > STEPS * SF ? FoldCycles - STEPS * SF : 0;
  localparam int unsigned WORD_WIDTH = READ > 1 ? $clog2(READ) : 1;
  localparam int unsigned STEP_WIDTH = STEPS > 1 ? $clog2(STEPS) : 1;
  localparam int unsigned FOLD_WIDTH = Folds > 1 ? $clog2(Folds) : 1;

  localparam logic [WORD_WIDTH-1:0] LAST_WORD = WORD_WIDTH'(READ - 1);
  localparam logic [BANK_WIDTH-1:0] LAST_BANK = BANK_WIDTH'(Banks - 1);
  localparam logic [STEP_WIDTH-1:0] LAST_STEP = STEP_WIDTH'(STEPS - 1);
  localparam logic [FOLD_WIDTH-1:0] LAST_FOLD = FOLD_WIDTH'(Folds - 1);

  logic                         run_q, wait_q;         // a vector is in work; in its idle cycles
  logic                         slot_q, slot_d;        // of the input buffer
  logic [BANK_WIDTH-1:0]        bank_q;
  logic [WORD_WIDTH-1:0]        word_q;
  logic [STEP_WIDTH-1:0]        step_q, step_d;
  logic [FOLD_WIDTH-1:0]        fold_q;
  logic [ACT_ADDR_WIDTH-1:0]    act_addr_q;
  logic [WEIGHT_ADDR_WIDTH-1:0] weight_addr_q, weight_base_q, weight_base_d;
  logic                         step_begin_q;          // first issue of a step

  logic issue, last_bank, step_end, product_end, fold_end, last_fold, vector_end;
  logic [STEP_WIDTH-1:0] first_step, last_step;        // of the vector in work
  logic [STEP_WIDTH-1:0] start_step;                   // first of the vector that may start

  assign issue       = run_q && !wait_q;
  assign last_bank   = bank_q == LAST_BANK;
  assign step_end    = issue && last_bank && word_q == LAST_WORD;
  assign product_end = step_end && step_q == last_step;
  assign last_fold   = fold_q == LAST_FOLD;
  assign vector_end  = fold_end && last_fold;
  assign start_o     = full_i && room_i && (!run_q || vector_end);
  assign release_o   = product_end && last_fold;

  if (Modes > 1) begin : g_modes
    localparam int unsigned IDLE_WIDTH = FoldCycles > 1 ? $clog2(FoldCycles) : 1;
    logic [STEP_WIDTH-1:0] end_step, first_q, last_q;
    logic [IDLE_WIDTH-1:0] idle, fold_idle_q;            // of a fold, in the mode; of this vector
    logic [IDLE_WIDTH-1:0] idle_q;                       // left of this fold
    logic [31:0]           product;

    always_comb begin
      start_step = '0;
      end_step   = '0;
      product    = '0;
      for (int unsigned m = 0; m < Modes; m++) begin
        if (mode_i == MODE_WIDTH'(m)) begin
          start_step = STEP_WIDTH'(ModeSteps[32*m +: 16]);
          end_step   = STEP_WIDTH'(ModeSteps[32*m+16 +: 16]);
          product    = (32'(ModeSteps[32*m+16 +: 16]) - 32'(ModeSteps[32*m +: 16]) + 1) * SF;
        end
      end
      idle = FoldCycles > product ? IDLE_WIDTH'(FoldCycles - product) : '0;
    end
    assign first_step = first_q;
    assign last_step  = last_q;
    assign fold_end   = product_end;
    always_ff @(posedge clk_i) begin
      if (start_o) begin
        first_q     <= start_step;
        last_q      <= end_step;
        fold_idle_q <= idle;
      end
      if (start_o) idle_q <= idle;
      else if (fold_end) idle_q <= fold_idle_q;
      else if (wait_q) idle_q <= idle_q - 1'b1;
    end
    assign wait_q = idle_q != '0;
  end else if (IDLE == 0) begin : g_no_idle
    assign fold_end   = product_end;
    assign wait_q     = 1'b0;
    assign start_step = '0;
    assign first_step = '0;
    assign last_step  = LAST_STEP;
  end else begin : g_idle
    localparam int unsigned IDLE_WIDTH = IDLE > 1 ? $clog2(IDLE) : 1;
    logic [IDLE_WIDTH-1:0] idle_q;
    assign start_step = '0;
    assign first_step = '0;
    assign last_step  = LAST_STEP;
    assign fold_end = wait_q && idle_q == IDLE_WIDTH'(IDLE - 1);
    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        wait_q <= 1'b0;
        idle_q <= '0;
      end else begin
        if (product_end) wait_q <= 1'b1;
        if (fold_end) wait_q <= 1'b0;
        if (wait_q) idle_q <= fold_end ? '0 : idle_q + 1'b1;
      end
    end
  end

  // Where the block of the fold in work begins, and how far the next word of it is.
  logic [ACT_ADDR_WIDTH-1:0] block_d, stride;

  if (Blocks == 1) begin : g_one_block
    assign block_d = '0;
    assign stride  = ACT_ADDR_WIDTH'(ActGroups);
  end else begin : g_blocks
    localparam int unsigned RUN         = READ / Runs;      // words of a block in a stretch
    localparam int unsigned BLOCK_FOLDS = Folds / Blocks;
    localparam int unsigned RUN_WIDTH   = RUN > 1 ? $clog2(RUN) : 1;
    localparam int unsigned TURN_WIDTH  = BLOCK_FOLDS > 1 ? $clog2(BLOCK_FOLDS) : 1;
    logic [ACT_ADDR_WIDTH-1:0] block_q;
    logic [RUN_WIDTH-1:0]      run_word_q;
    logic [TURN_WIDTH-1:0]     turn_q;                     // fold of the block
    logic                      last_turn, run_end;

    assign last_turn = turn_q == TURN_WIDTH'(BLOCK_FOLDS - 1);
    assign run_end   = run_word_q == RUN_WIDTH'(RUN - 1);
    assign stride    = run_end ? ACT_ADDR_WIDTH'((Words / Runs - RUN + 1) * ActGroups)
                               : ACT_ADDR_WIDTH'(ActGroups);

    always_comb begin
      block_d = block_q;
      if (product_end) begin
        if (last_fold) block_d = '0;
        else if (last_turn) block_d = block_q + ACT_ADDR_WIDTH'(RUN * ActGroups);
      end
    end

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        block_q    <= '0;
        run_word_q <= '0;
        turn_q     <= '0;
      end else begin
        block_q <= block_d;
        if (issue && last_bank) run_word_q <= run_end ? '0 : run_word_q + 1'b1;
        if (product_end) turn_q <= last_turn ? '0 : turn_q + 1'b1;
      end
    end
  end

  if (Modes == 1) begin : g_one_mode
    logic unused;
    assign unused = mode_i[0];
  end

  // Fields of the step table as addresses; all constants.
  logic [STEPS-1:0][ACT_ADDR_WIDTH-1:0]    act_base;
  logic [STEPS-1:0][WEIGHT_ADDR_WIDTH-1:0] weight_base;
  logic [STEPS-1:0][ShiftWidth-1:0]        shifts;
  logic [STEPS-1:0]                        act_signs, weight_signs;

  for (genvar s = 0; s < STEPS; s++) begin : g_step
    localparam int unsigned ACT_GROUP = 32'(Steps[32*s +: 8]);
    localparam int unsigned W_GROUP   = 32'(Steps[32*s+8 +: 8]);
    assign act_base[s]     = ACT_ADDR_WIDTH'(ACT_GROUP);
    assign weight_base[s]  = WEIGHT_ADDR_WIDTH'(W_GROUP * SF);
    assign shifts[s]       = ShiftWidth'(Steps[32*s+16 +: 8]);
    assign act_signs[s]    = Steps[32*s + 24];
    assign weight_signs[s] = Steps[32*s + 25];
  end

  always_comb begin
    slot_d        = slot_q ^ start_o;
    step_d        = step_q;
    weight_base_d = weight_base_q;
    if (step_end) step_d = product_end ? first_step : step_q + 1'b1;
    if (Modes > 1 && start_o) step_d = start_step;
    if (product_end) begin
      weight_base_d = last_fold ? '0 : weight_base_q + WEIGHT_ADDR_WIDTH'(WGroups * SF);
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      run_q         <= 1'b0;
      slot_q        <= 1'b1;
      bank_q        <= '0;
      word_q        <= '0;
      step_q        <= '0;
      fold_q        <= '0;
      weight_base_q <= '0;
    end else begin
      if (vector_end) run_q <= 1'b0;
      if (start_o) run_q <= 1'b1;
      slot_q        <= slot_d;
      step_q        <= step_d;
      weight_base_q <= weight_base_d;
      if (issue) begin
        bank_q <= last_bank ? '0 : bank_q + 1'b1;
        if (last_bank) word_q <= step_end ? '0 : word_q + 1'b1;
      end
      if (fold_end) fold_q <= last_fold ? '0 : fold_q + 1'b1;
    end
    // Addresses and flags of the next issue: a step begins after a start and after a step, and
    // keeps its first address while the unit idles.
    if (start_o || step_end) begin
      act_addr_q    <= act_base[step_d] + block_d + (slot_d ? ACT_ADDR_WIDTH'(SLOT) : '0);
      weight_addr_q <= weight_base_d + weight_base[step_d];
      step_begin_q  <= 1'b1;
    end else if (issue) begin
      if (last_bank) act_addr_q <= act_addr_q + stride;
      weight_addr_q <= weight_addr_q + 1'b1;
      step_begin_q  <= 1'b0;
    end
  end

  assign issue_valid_o       = issue;
  assign issue_act_addr_o    = act_addr_q;
  assign issue_act_bank_o    = bank_q;
  assign issue_weight_addr_o = weight_addr_q;
  assign issue_first_o       = step_begin_q && step_q == first_step;
  assign issue_last_o        = product_end;
  assign issue_shift_o       = step_begin_q ? shifts[step_q] : '0;
  assign issue_act_sign_o    = act_signs[step_q];
  assign issue_weight_sign_o = weight_signs[step_q];

`ifndef SYNTHESIS
  initial begin
    if (Folds < 1 || Words < 1 || Banks < 1 || ActGroups < 1 || WGroups < 1 || ShiftWidth < 1) begin
      $fatal(1, "%m: parameters >= 1 required");
    end
    if (Folds % Blocks != 0 || Words % (Blocks * Runs) != 0) $fatal(1, "%m: Blocks do not fit");
    for (int unsigned m = 0; Modes > 1 && m < Modes; m++) begin
      if (ModeSteps[32*m +: 16] > ModeSteps[32*m+16 +: 16]
          || 32'(ModeSteps[32*m+16 +: 16]) >= STEPS) $fatal(1, "%m: ModeSteps leave the table");
    end
    if (Modes == 1 && FoldCycles < STEPS * SF) $fatal(1, "%m: FoldCycles >= steps * SF required");
  end
`endif
endmodule
