"""What the top has more where precision is chosen at run time: registers and the ring of modes."""

from collections.abc import Iterator, Mapping

from bitfold.compiler.instances import Instance
from bitfold.compiler.registers import LayerPlanes, pack_planes, register_map
from bitfold.cost.ring import control_of
from bitfold.cost.stages import Stage
from bitfold.cost.units import ModeControl, Mvtu, StageModes, Vvau

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
    control = control_of(stages)
    return _planes(control) if control else ()


def _planes(control: ModeControl) -> tuple[LayerPlanes, ...]:
    return tuple(
        LayerPlanes(name=name, kept=kept, free=control.free) for name, kept in control.layers
    )


def axil_width(signal: str, stages: tuple[Stage, ...]) -> int:
    """Bits of an AXI4-Lite signal of the top."""
    return _axil_width(signal, layer_planes(stages))


def _axil_width(signal: str, planes: tuple[LayerPlanes, ...]) -> int:
    address: int = register_map(planes)["address_bits"]
    return AXIL[signal][1] or address


def mode_ports(stages: tuple[Stage, ...]) -> str:
    """Lines of the top's port list."""
    planes = layer_planes(stages)
    return _ports(planes) if planes else ""


def _ports(planes: tuple[LayerPlanes, ...]) -> str:
    lines = ["  input  logic [7:0]  s_axis_tuser,\n"]
    for name, (driven, _) in AXIL.items():
        width = _axil_width(name, planes)
        kind = "output" if driven else "input "
        lines.append(f"  {kind} logic {f'[{width - 1}:0] ' if width > 1 else ''}s_axil_{name},\n")
    return "".join(lines)


def ring_port(stage: Stage, ring: str) -> dict[str, str]:
    """How a stage learns the modes of its frames; a constant, with its width, where it has none."""
    if not isinstance(stage, Mvtu | Vvau):
        return {}
    return {"ring_i": ring if stage.modes else "1'b0"}


def ring_net(stage: Stage, stages: tuple[Stage, ...]) -> str:
    """The net of a stage's ring: that of all stages, or of the layer whose planes are its own."""
    control = control_of(stages)
    if control is None or not control.free:
        return "ring"
    assert isinstance(stage, Mvtu | Vvau)
    assert stage.modes is not None
    layer = [name for name, _ in control.layers].index(stage.modes.own)
    width = ring_width(stage.modes)
    return f"rings[{layer * width} +: {width}]"


def ring_width(modes: StageModes) -> int:
    """Bits of the ring."""
    return modes.ring * (len(modes.kept) - 1).bit_length()


def mode_nets(stages: tuple[Stage, ...]) -> str:
    """Nets between registers, ring and stages."""
    control = control_of(stages)
    if control is None:
        return ""
    return (
        f"  logic [{8 * control.group - 1}:0] door_tdata;\n"
        "  logic door_tvalid, door_tready, door_tlast;\n"
        f"  logic [{_rings_width(control) - 1}:0] {_rings(control)};\n"
    ) + control_nets(control)


def _rings(control: ModeControl) -> str:
    """The net that stages read."""
    return "rings" if control.free else "ring"


def _rings_width(control: ModeControl) -> int:
    return control.ring * control.mode_bits * (len(control.layers) if control.free else 1)


def control_nets(control: ModeControl) -> str:
    """Nets between registers and ring."""
    return (
        f"  logic [{control.mode_bits - 1}:0] mode, entering, oldest, newest;\n"
        f"  logic [{control.ring.bit_length() - 1}:0] inside_count;\n"
        "  logic by_frame, enter, leave, refused;\n"
        f"  logic [{_choices_width(control) - 1}:0] choices;\n"
        + (f"  logic [{control.ring * control.mode_bits - 1}:0] ring;\n" if control.free else "")
        + f"  logic unused_modes;\n  assign unused_modes = ^{{{_unused(control)}}};\n"
    )


def _choices_width(control: ModeControl) -> int:
    return control.modes * len(control.layers) * control.mode_bits


def _unused(control: ModeControl) -> str:
    return "ring" if control.free else "entering, choices"


def mode_instances(stages: tuple[Stage, ...]) -> Iterator[tuple[Instance, dict[str, str]]]:
    """The ring and the registers, with their ports."""
    control = control_of(stages)
    if control is not None:
        yield from control_instances(control)


def control_instances(control: ModeControl) -> Iterator[tuple[Instance, dict[str, str]]]:
    """The ring and the registers, with their ports."""
    clock = {"clk_i": "clk_i", "rst_ni": "rst_ni"}
    wires = ("tdata", "tvalid", "tready", "tlast")
    yield (
        Instance(
            module="bf_mode_ring",
            parameters={
                "Bytes": str(control.group),
                "BeatsPerFrame": str(control.beats),
                "Modes": str(control.modes),
                "Ring": str(control.ring),
            },
        ),
        clock
        | {f"s_axis_{n}": f"s_axis_{n}" for n in (*wires, "tuser")}
        | {f"m_axis_{n}": f"door_{n}" for n in wires}
        | {f"leave_{n}_i": f"m_axis_{n}" for n in ("tvalid", "tready", "tlast")}
        | {"mode_i": "mode", "by_frame_i": "by_frame", "ring_o": "ring", "entering_o": "entering"}
        | {"oldest_o": "oldest", "newest_o": "newest", "inside_o": "inside_count"}
        | {f"{n}_o": n for n in ("enter", "leave", "refused")},
    )
    planes = _planes(control)
    if control.free:
        yield (
            Instance(
                module="bf_layer_ring",
                parameters={
                    "Modes": str(control.modes),
                    "Ring": str(control.ring),
                    "Layers": str(len(planes)),
                },
            ),
            clock
            | {"enter_i": "enter", "mode_i": "entering"}
            | {"choices_i": "choices", "rings_o": "rings"},
        )
    yield (
        Instance(
            module="bf_regs",
            parameters={
                "Modes": str(control.modes),
                "Layers": str(len(planes)),
                "InsideWidth": str(control.ring.bit_length()),
                "Planes": f"{16 * control.modes * len(planes)}'h{pack_planes(planes):x}",
                **({"Writable": "1'b1"} if control.free else {}),
            },
        ),
        clock
        | {f"s_axil_{n}": f"s_axil_{n}" for n in AXIL}
        | {"mode_o": "mode", "by_frame_o": "by_frame", "choices_o": "choices"}
        | {"oldest_i": "oldest", "newest_i": "newest", "inside_i": "inside_count"}
        | {f"{n}_i": n for n in ("enter", "leave", "refused")},
    )


def mode_modules(stages: tuple[Stage, ...]) -> tuple[str, ...]:
    """RTL modules that stages alone do not name."""
    return tuple(instance.module for instance, _ in mode_instances(stages))


def control_ports(control: ModeControl) -> str:
    """Port list of a module that holds ring and registers alone: its nets are those of a top."""
    data = f"logic [{8 * control.group - 1}:0]"
    return (
        "  input  logic clk_i,\n  input  logic rst_ni,\n"
        f"  input  {data} s_axis_tdata,\n"
        "  input  logic s_axis_tvalid, s_axis_tlast,\n  output logic s_axis_tready,\n"
        + _ports(_planes(control))
        + f"  output {data} door_tdata,\n"
        "  output logic door_tvalid, door_tlast,\n  input  logic door_tready,\n"
        "  input  logic m_axis_tvalid, m_axis_tready, m_axis_tlast,\n"
        f"  output logic [{_rings_width(control) - 1}:0] {_rings(control)}\n"
    )
