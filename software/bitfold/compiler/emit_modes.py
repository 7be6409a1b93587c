"""What the top has more where precision is chosen at run time: registers and the ring of modes."""

from collections.abc import Iterator, Mapping

from bitfold.compiler.instances import Instance
from bitfold.compiler.registers import LayerPlanes, pack_planes, register_map
from bitfold.cost.stages import AxisIn, Stage
from bitfold.cost.units import Mvtu, StageModes, Vvau

# AXI4-Lite signal -> whether the accelerator drives it, and its bits; 0: those of an address.
AXIL: Mapping[str, tuple[bool, int]] = {
    "awaddr": (False, 0),
    "awprot": (False, 3),
    "awvalid": (False, 1),
    "awready": (True, 1),
    "wdata": (False, 32),
    "wstrb": (False, 4),
    "wvalid": (False, 1),
    "wready": (True, 1),
    "bresp": (True, 2),
    "bvalid": (True, 1),
    "bready": (False, 1),
    "araddr": (False, 0),
    "arprot": (False, 3),
    "arvalid": (False, 1),
    "arready": (True, 1),
    "rdata": (True, 32),
    "rresp": (True, 2),
    "rvalid": (True, 1),
    "rready": (False, 1),
}


def mode_stages(stages: tuple[Stage, ...]) -> tuple[tuple[str, StageModes], ...]:
    """Names and modes of the units that have them, input to output."""
    return tuple((s.name, s.modes) for s in stages if isinstance(s, Mvtu | Vvau) and s.modes)


def layer_planes(stages: tuple[Stage, ...]) -> tuple[LayerPlanes, ...]:
    """What the registers say of each unit."""
    return tuple(LayerPlanes(name=n, kept=modes.kept) for n, modes in mode_stages(stages))


def axil_width(signal: str, stages: tuple[Stage, ...]) -> int:
    """Bits of an AXI4-Lite signal of the top."""
    address: int = register_map(layer_planes(stages))["address_bits"]
    return AXIL[signal][1] or address


def mode_ports(stages: tuple[Stage, ...]) -> str:
    """Lines of the top's port list."""
    if not mode_stages(stages):
        return ""
    lines = ["  input  logic [7:0]  s_axis_tuser,\n"]
    for name, (driven, _) in AXIL.items():
        width = axil_width(name, stages)
        kind = "output" if driven else "input "
        lines.append(f"  {kind} logic {f'[{width - 1}:0] ' if width > 1 else ''}s_axil_{name},\n")
    return "".join(lines)


def ring_port(stage: Stage, ring: str = "ring") -> dict[str, str]:
    """How a stage learns the modes of its frames; a constant, with its width, where it has none."""
    if not isinstance(stage, Mvtu | Vvau):
        return {}
    return {"ring_i": ring if stage.modes else "1'b0"}


def ring_width(modes: StageModes) -> int:
    """Bits of the ring."""
    return modes.ring * (len(modes.kept) - 1).bit_length()


def _widths(stages: tuple[Stage, ...]) -> tuple[int, int, int, int]:
    """Modes, bits of a mode, places of the ring, bits of a count of frames."""
    (_, modes), *_ = mode_stages(stages)
    return len(modes.kept), (len(modes.kept) - 1).bit_length(), modes.ring, modes.ring.bit_length()


def mode_nets(stages: tuple[Stage, ...]) -> str:
    """Nets between registers, ring and stages."""
    if not mode_stages(stages):
        return ""
    first = stages[0]
    assert isinstance(first, AxisIn)
    _, width, ring, count = _widths(stages)
    return (
        f"  logic [{8 * first.group - 1}:0] door_tdata;\n"
        "  logic door_tvalid, door_tready, door_tlast;\n"
        f"  logic [{ring * width - 1}:0] ring;\n"
        f"  logic [{width - 1}:0] mode, oldest, newest;\n"
        f"  logic [{count - 1}:0] inside_count;\n"
        "  logic by_frame, enter, leave, refused;\n"
    )


def mode_instances(stages: tuple[Stage, ...]) -> Iterator[tuple[Instance, dict[str, str]]]:
    """The ring and the registers, with their ports."""
    found = mode_stages(stages)
    if not found:
        return
    first = stages[0]
    assert isinstance(first, AxisIn)
    modes, _, ring, count = _widths(stages)
    clock = {"clk_i": "clk_i", "rst_ni": "rst_ni"}
    wires = ("tdata", "tvalid", "tready", "tlast")
    yield (
        Instance(
            module="bf_mode_ring",
            parameters={
                "Bytes": str(first.group),
                "BeatsPerFrame": str(first.beats),
                "Modes": str(modes),
                "Ring": str(ring),
            },
        ),
        clock
        | {f"s_axis_{n}": f"s_axis_{n}" for n in (*wires, "tuser")}
        | {f"m_axis_{n}": f"door_{n}" for n in wires}
        | {f"leave_{n}_i": f"m_axis_{n}" for n in ("tvalid", "tready", "tlast")}
        | {"mode_i": "mode", "by_frame_i": "by_frame", "ring_o": "ring"}
        | {"oldest_o": "oldest", "newest_o": "newest", "inside_o": "inside_count"}
        | {f"{n}_o": n for n in ("enter", "leave", "refused")},
    )
    planes = layer_planes(stages)
    yield (
        Instance(
            module="bf_regs",
            parameters={
                "Modes": str(modes),
                "Layers": str(len(found)),
                "InsideWidth": str(count),
                "Planes": f"{16 * modes * len(found)}'h{pack_planes(planes):x}",
            },
        ),
        clock
        | {f"s_axil_{n}": f"s_axil_{n}" for n in AXIL}
        | {"mode_o": "mode", "by_frame_o": "by_frame"}
        | {"oldest_i": "oldest", "newest_i": "newest", "inside_i": "inside_count"}
        | {f"{n}_i": n for n in ("enter", "leave", "refused")},
    )


def mode_modules(stages: tuple[Stage, ...]) -> tuple[str, ...]:
    """RTL modules that stages alone do not name."""
    return tuple(instance.module for instance, _ in mode_instances(stages))
