"""Stages to the test bench of their accelerator, as SystemVerilog text."""

from bitfold.compiler.emit import HEADER
from bitfold.compiler.emit_modes import AXIL, axil_width, mode_stages
from bitfold.cost.stages import AxisIn, AxisOut, Stage
from bitfold.cost.streams import streams

BENCH_MODULES = ("bf_source", "bf_sink", "bf_probe")


def emit_bench(stages: tuple[Stage, ...]) -> str:
    """The test bench bf_bench: clock, file-driven source and sink, ports for cocotb, probes."""
    first, last = stages[0], stages[-1]
    assert isinstance(first, AxisIn)
    assert isinstance(last, AxisOut)
    width = 8 * first.group
    nets, ports = _mode_bus(stages)
    links = streams(stages)
    probes = [
        _probe(0, 1, "dut_s_tvalid && dut_s_tready"),
        *(
            _probe(i, s.beats, f"u_dut.{s.name}_valid && u_dut.{s.name}_ready")
            for i, s in enumerate(links, start=1)
        ),
        _probe(len(links) + 1, last.outputs, "dut_m_tvalid && dut_m_tready"),
    ]
    return (
        HEADER.format(what="bf_bench: test bench of bf_accelerator. Not synthesisable.")
        + f"""module bf_bench (
  input logic clk                               // cocotb's, so that it samples before the edge
);
  logic        rst_n, run, external, done;
  logic [31:0] frames, taken, cycle;
  integer      probe_file;
  string       probe_name;

  // Ports that cocotb drives when `external` is 1.
  logic [{width - 1}:0] s_axis_tdata;
  logic s_axis_tvalid, s_axis_tready, s_axis_tlast;
  logic [31:0] m_axis_tdata;
  logic m_axis_tvalid, m_axis_tready, m_axis_tlast;

{nets}  logic [7:0] src_tuser;
  logic [{width - 1}:0] src_tdata, dut_s_tdata;
  logic src_tvalid, src_tlast, dut_s_tvalid, dut_s_tready, dut_s_tlast;
  logic [31:0] dut_m_tdata;
  logic dut_m_tvalid, dut_m_tready, dut_m_tlast, sink_tready;

  always_ff @(posedge clk) cycle <= rst_n ? cycle + 1 : 0;
  assign done = frames != 0 && taken == frames;
  initial begin
    if ($value$plusargs("probes=%s", probe_name)) probe_file = $fopen(probe_name, "w");
    else probe_file = 0;
  end
  final if (probe_file != 0) $fclose(probe_file);

  assign dut_s_tdata   = external ? s_axis_tdata : src_tdata;
  assign dut_s_tvalid  = external ? s_axis_tvalid : src_tvalid;
  assign dut_s_tlast   = external ? s_axis_tlast : src_tlast;
  assign dut_m_tready  = external ? m_axis_tready : sink_tready;
  assign s_axis_tready = dut_s_tready;
  assign m_axis_tdata  = dut_m_tdata;
  assign m_axis_tvalid = external && dut_m_tvalid;
  assign m_axis_tlast  = dut_m_tlast;

  bf_source #(
    .Bytes         ({first.group}),
    .BeatsPerFrame ({first.beats})
  ) u_source (
    .clk_i (clk), .rst_ni (rst_n), .run_i (run), .frames_i (frames),
    .m_axis_tdata (src_tdata), .m_axis_tvalid (src_tvalid),
    .m_axis_tready (dut_s_tready && !external), .m_axis_tlast (src_tlast),
    .m_axis_tuser (src_tuser)
  );
  bf_sink u_sink (
    .clk_i (clk), .rst_ni (rst_n), .run_i (run),
    .s_axis_tdata (dut_m_tdata), .s_axis_tvalid (dut_m_tvalid && !external),
    .s_axis_tready (sink_tready), .s_axis_tlast (dut_m_tlast), .frames_o (taken)
  );
  bf_accelerator u_dut (
    .clk_i (clk), .rst_ni (rst_n),
    .s_axis_tdata (dut_s_tdata), .s_axis_tvalid (dut_s_tvalid),
    .s_axis_tready (dut_s_tready), .s_axis_tlast (dut_s_tlast),
{ports}    .m_axis_tdata (dut_m_tdata), .m_axis_tvalid (dut_m_tvalid),
    .m_axis_tready (dut_m_tready), .m_axis_tlast (dut_m_tlast)
  );
"""
        + "".join(probes)
        + "endmodule\n"
    )


def _mode_bus(stages: tuple[Stage, ...]) -> tuple[str, str]:
    """Nets that cocotb drives and reads, and their ports: registers, and modes of frames."""
    if not mode_stages(stages):
        return "", ""
    nets = "  logic [7:0] s_axis_tuser, dut_s_tuser;\n"
    nets += "  assign dut_s_tuser = external ? s_axis_tuser : src_tuser;\n"
    ports = "    .s_axis_tuser (dut_s_tuser),\n"
    for name in AXIL:
        nets += f"  logic [{axil_width(name, stages) - 1}:0] s_axil_{name};\n"
        ports += f"    .s_axil_{name} (s_axil_{name}),\n"
    return nets, ports


def _probe(number: int, beats: int, fire: str) -> str:
    return (
        f"  bf_probe #(.Stage({number}), .Beats({beats})) u_probe{number} (\n"
        f"    .clk_i (clk), .rst_ni (rst_n && !external), .fire_i ({fire}),\n"
        "    .cycle_i (cycle), .file_i (probe_file)\n  );\n"
    )
