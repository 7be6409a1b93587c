"""bf_axi_top: the accelerator with the ports that Vivado's IP packager knows by itself.

Verilog, since the packager and block designs take no SystemVerilog as a top. It holds instances
and constants alone: bf_axi_frames (padding, tlast), bf_axi_regs, bf_accelerator. A design with
precision modes keeps its own registers on a second AXI4-Lite port, `s_axil_modes`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from bitfold.amd.vivado_ports import RtlPort, has_parameter, module_ports
from bitfold.amd.vivado_registers import ADDRESS_BITS
from bitfold.compiler.design import TOP as ACCELERATOR
from bitfold.compiler.design import Design
from bitfold.compiler.emit_modes import AXIL
from bitfold.compiler.instances import style_of
from bitfold.errors import ConfigError
from bitfold.synth.source import design_id

TOP = "bf_axi_top"
FILE = f"{TOP}.v"
PARTS = ("bf_axi_frames", "bf_axi_regs")
CLOCK, RESET = "aclk", "aresetn"
MOST_BYTES = 128  # of a beat: AXI DMA streams have 1024 bits at most
LENGTH_BITS = 26  # of a transfer's length in bytes, the most that AXI DMA has
LONGEST = (1 << LENGTH_BITS) - 1
_DRIVEN = {"tready"}  # by the sink of a stream


@final
@dataclass(frozen=True, kw_only=True)
class Stream:
    """How frames travel by DMA: each beat padded to `bus_bytes`, a power of two.

    frame_bytes: of a frame with its padding.
    """

    beat_bytes: int
    bus_bytes: int
    beats: int
    outputs: int

    @property
    def frame_bytes(self) -> int:
        """Bytes of a frame as the DMA reads it."""
        return self.bus_bytes * self.beats


def stream_of(design: Design) -> Stream:
    """Raises: ConfigError for a beat that no DMA carries, or a frame too long for a transfer."""
    beat = int(design.input["bytes_per_beat"])
    if beat > MOST_BYTES:
        raise ConfigError(
            f"{design.folder}: a beat of the input has {beat} bytes, AXI DMA carries {MOST_BYTES} "
            "at most. Compile for a lower rate, or a network with fewer input channels a pixel"
        )
    stream = Stream(
        beat_bytes=beat,
        bus_bytes=1 << (beat - 1).bit_length(),
        beats=int(design.input["bytes_per_frame"]) // beat,
        outputs=int(design.output["count"]),
    )
    longest = max(stream.frame_bytes, 4 * stream.outputs)
    if longest > LONGEST:
        raise ConfigError(
            f"{design.folder}: a frame or its result is {longest} bytes, a transfer of AXI DMA "
            f"{LONGEST} at most"
        )
    return stream


@final
@dataclass(frozen=True, kw_only=True)
class _Port:
    """A port of the top, with its place in a bus: "s_axis TDATA"."""

    name: str
    output: bool
    width: int
    bus: str
    kind: str

    def line(self) -> str:
        signal = self.name.removeprefix(f"{self.bus}_").upper()
        about = (
            f'(* X_INTERFACE_INFO = "xilinx.com:interface:{self.kind}:1.0 {self.bus} {signal}" *)'
        )
        width = f"[{self.width - 1}:0] " if self.width > 1 else ""
        return f"  {about}\n  {'output' if self.output else 'input '} wire {width}{self.name}"


def _stream_ports(bus: str, width: int, sink: bool) -> Iterator[_Port]:
    widths = {"tdata": width, "tkeep": width // 8, "tvalid": 1, "tready": 1, "tlast": 1}
    for signal, bits in widths.items():
        driven = (signal in _DRIVEN) == sink
        yield _Port(name=f"{bus}_{signal}", output=driven, width=bits, bus=bus, kind="axis")


def _lite_ports(bus: str, address: int) -> Iterator[_Port]:
    for signal, (driven, bits) in AXIL.items():
        yield _Port(
            name=f"{bus}_{signal}", output=driven, width=bits or address, bus=bus, kind="aximm"
        )


def modes_address_bits(ports: tuple[RtlPort, ...]) -> int:
    """Bits of an address of the accelerator's own registers; 0 where it has none."""
    return next((p.width for p in ports if p.name == "s_axil_awaddr"), 0)


def top_text(design: Design, target: str) -> str:
    """bf_axi_top.v for a design; its popcounts in the style of `target`.

    Raises: ConfigError, ArtefactError.
    """
    stream = stream_of(design)
    accelerator = _accelerator_text(design)
    inner = module_ports(accelerator, ACCELERATOR)
    modes = modes_address_bits(inner)
    ports = [
        *_stream_ports("s_axis", 8 * stream.bus_bytes, sink=True),
        *_stream_ports("m_axis", 32, sink=False),
        *_lite_ports("s_axil", ADDRESS_BITS),
        *(_lite_ports("s_axil_modes", max(ADDRESS_BITS, modes)) if modes else ()),
    ]
    buses = ":".join(dict.fromkeys(port.bus for port in ports))
    styled = has_parameter(accelerator, ACCELERATOR, "Style")
    frames = _connections({
        **{f"s_axis_{n}": f"s_axis_{n}" for n in ("tdata", "tkeep", "tvalid", "tready", "tlast")},
        "core_tdata_o": "core_tdata", "core_tvalid_o": "core_tvalid",
        "core_tready_i": "core_tready", "core_tlast_o": "core_tlast",
        "result_tdata_i": "result_tdata", "result_tvalid_i": "result_tvalid",
        "result_tready_o": "result_tready", "result_tlast_i": "result_tlast",
        **{f"m_axis_{n}": f"m_axis_{n}" for n in ("tdata", "tkeep", "tvalid", "tready", "tlast")},
        "frames_i": "frames", "start_i": "start", "enter_o": "enter", "leave_o": "leave",
        "short_o": "short", "hole_o": "hole",
    })  # fmt: skip
    registers = _connections({
        **{f"s_axil_{n}": f"s_axil_{n}" for n in AXIL},
        "frames_o": "frames", "start_o": "start", "enter_i": "enter", "leave_i": "leave",
        "short_i": "short", "hole_i": "hole",
    })  # fmt: skip
    core = _connections(
        {f"s_axis_{n}": f"core_{n}" for n in ("tdata", "tvalid", "tready", "tlast")}
        | {f"m_axis_{n}": f"result_{n}" for n in ("tdata", "tvalid", "tready", "tlast")}
        | ({"s_axis_tuser": "8'd0"} if modes else {})
        | ({f"s_axil_{n}": _modes_net(n, modes) for n in AXIL} if modes else {})
    )
    lines = ",\n".join(port.line() for port in ports)
    return f"""\
// SPDX-License-Identifier: Apache-2.0
// {TOP}: {ACCELERATOR} behind a DMA. Generated by bitfold.
module {TOP} (
  (* X_INTERFACE_INFO = "xilinx.com:signal:clock:1.0 {CLOCK} CLK" *)
  (* X_INTERFACE_PARAMETER = "ASSOCIATED_BUSIF {buses}, ASSOCIATED_RESET {RESET}" *)
  input  wire {CLOCK},
  (* X_INTERFACE_INFO = "xilinx.com:signal:reset:1.0 {RESET} RST" *)
  (* X_INTERFACE_PARAMETER = "POLARITY ACTIVE_LOW" *)
  input  wire {RESET},
{lines}
);
  wire [{8 * stream.beat_bytes - 1}:0] core_tdata;
  wire core_tvalid, core_tready, core_tlast;
  wire [31:0] result_tdata, frames;
  wire result_tvalid, result_tready, result_tlast;
  wire start, enter, leave, short, hole;
{_unused(modes)}
  bf_axi_frames #(
    .BeatBytes({stream.beat_bytes}), .BusBytes({stream.bus_bytes}), .BeatsPerFrame({stream.beats})
  ) u_frames (
{frames}
  );

  bf_axi_regs #(
    .DesignId(64'h{design_id(design):016x}), .FrameBytes({stream.frame_bytes}),
    .Outputs({stream.outputs})
  ) u_registers (
{registers}
  );

  {ACCELERATOR}{f" #(.Style({style_of(target)}))" if styled else ""} u_accelerator (
{core}
  );
endmodule
"""


def _accelerator_text(design: Design) -> str:
    for path in design.rtl_paths:
        if path.stem == ACCELERATOR:
            return path.read_text()
    raise ConfigError(f"{design.folder}: lacks {ACCELERATOR}.sv; run `bitfold compile` again")


def _connections(ports: dict[str, str]) -> str:
    pairs = {"clk_i": CLOCK, "rst_ni": RESET} | ports
    return ",\n".join(f"    .{port}({net})" for port, net in pairs.items())


def _modes_net(signal: str, address: int) -> str:
    narrow = AXIL[signal][1] == 0 and address < ADDRESS_BITS
    return f"s_axil_modes_{signal}" + (f"[{address - 1}:0]" if narrow else "")


def _unused(modes: int) -> str:
    """The address bits of a page that the accelerator's registers do not decode."""
    if not modes or modes >= ADDRESS_BITS:
        return ""
    high = f"[{ADDRESS_BITS - 1}:{modes}]"
    nets = ", ".join(f"s_axil_modes_{n}{high}" for n in ("awaddr", "araddr"))
    return f"  wire unused = ^{{{nets}}};\n"
