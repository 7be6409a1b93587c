"""The block design of a board: processor, DMA, bf_axi_top.

ps -> control (SmartConnect) -> dma, core: registers
ps <- memory (SmartConnect) <- dma <-> core: frames and results
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, final

from bitfold.amd.vivado_block import BlockDesign, Bus, Cell, Pin, Segment
from bitfold.amd.vivado_board import VivadoBoard
from bitfold.amd.vivado_cells import (
    concat_cell,
    connect_cell,
    dma_cell,
    processor,
    reset_cell,
)
from bitfold.amd.vivado_ports import RtlPort, module_ports
from bitfold.amd.vivado_top import CLOCK, FILE, RESET, TOP
from bitfold.errors import ArtefactError
from bitfold.synth.source import Source

VLNV = f"bitfold:user:{TOP}"
NAME = "system"
_PAGE = 0x1000
_DMA_SIZE = 0x1_0000
# What a bus must have to be one; the rest may be missing.
_STREAM = {"tdata", "tvalid", "tready", "tlast"}
_LITE = {f"{c}{s}" for c in ("aw", "w", "b", "ar", "r") for s in ("valid", "ready")}


@final
@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where the processor finds registers; modes: those of precision modes, None without."""

    control: int
    modes: int | None
    dma: int


def core_cell(ports: tuple[RtlPort, ...]) -> Cell:
    """bf_axi_top as a cell, from the ports that its text declares.

    Raises: ArtefactError for a port that belongs to no bus.
    """
    groups: dict[str, dict[str, RtlPort]] = {}
    pins = []
    for port in ports:
        bus, _, signal = port.name.rpartition("_")
        if port.name in (CLOCK, RESET):
            clock = port.name == CLOCK
            kind: Literal["clock", "reset"] = "clock" if clock else "reset"
            pins.append(Pin(name=port.name, kind=kind, low=not clock, width=port.width))
        elif bus:
            groups.setdefault(bus, {})[signal] = port
        else:
            raise ArtefactError(f"{TOP}: port {port.name!r} belongs to no bus")
    return Cell(
        name="core",
        vlnv=VLNV,
        buses=tuple(_core_bus(name, signals) for name, signals in groups.items()),
        pins=tuple(pins),
    )


def _core_bus(name: str, signals: Mapping[str, RtlPort]) -> Bus:
    stream = "tdata" in signals
    missing = (_STREAM if stream else _LITE) - set(signals)
    if missing:
        raise ArtefactError(f"{TOP}: bus {name!r} lacks {', '.join(sorted(missing))}")
    if stream:
        data = signals["tdata"]
        return Bus(name=name, kind="stream", master=data.output, bytes=data.width // 8, clock=CLOCK)
    return Bus(
        name=name,
        kind="memory",
        master=signals["awvalid"].output,
        bytes=signals["wdata"].width // 8,
        clock=CLOCK,
        segment=f"{name}/reg0",
    )


def block_design(
    board: VivadoBoard, source: Source, clock_mhz: float
) -> tuple[BlockDesign, Addresses]:
    """The block design around a packaged source. Raises: ArtefactError."""
    ports = module_ports(source.rtl[FILE].decode(), TOP)
    core = core_cell(ports)
    widths = {port.name: port.width for port in ports}
    registers = [bus.name for bus in core.buses if bus.kind == "memory"]
    given = next(bus for bus in core.buses if bus.name == "s_axis")
    ps = processor(board, clock_mhz)
    dma = dma_cell(given.bytes, board.memory_mb)
    control = connect_cell("control", 1, 1 + len(registers))
    memory = connect_cell("memory", 2, 1)
    clocked = [
        *(f"ps/{name}" for name in (ps.control_clock, ps.memory_clock)),
        "reset/slowest_sync_clk",
        *(f"{c.name}/{p.name}" for c in (dma, control, memory, core) for p in c.pins
          if p.kind == "clock"),
    ]  # fmt: skip
    segments = []
    offset = ps.first
    for name in registers:
        size = 1 << widths[f"{name}_awaddr"]
        assert size >= _PAGE, f"{name}: a block design assigns whole pages"
        offset = -(-offset // size) * size
        segments.append(_registers(f"core/{name}/reg0", offset, size))
        offset += size
    dma_at = -(-offset // _DMA_SIZE) * _DMA_SIZE
    segments.append(_registers("dma/S_AXI_LITE/Reg", dma_at, _DMA_SIZE))
    window = next(bus.segment for bus in ps.cell.buses if bus.name == ps.memory)
    segments += [
        Segment(
            space=f"dma/Data_{way}", segment=f"ps/{window}", offset=0, size=board.memory_mb << 20
        )
        for way in ("MM2S", "S2MM")
    ]
    block = BlockDesign(
        name=NAME,
        cells=(ps.cell, reset_cell(), dma, control, memory, concat_cell(2), core),
        links=(
            (f"ps/{ps.control}", "control/S00_AXI"),
            ("control/M00_AXI", "dma/S_AXI_LITE"),
            *((f"control/M{i:02d}_AXI", f"core/{name}") for i, name in enumerate(registers, 1)),
            ("dma/M_AXI_MM2S", "memory/S00_AXI"),
            ("dma/M_AXI_S2MM", "memory/S01_AXI"),
            ("memory/M00_AXI", f"ps/{ps.memory}"),
            ("dma/M_AXIS_MM2S", "core/s_axis"),
            ("core/m_axis", "dma/S_AXIS_S2MM"),
        ),
        nets=(
            (f"ps/{ps.clock}", *clocked),
            (f"ps/{ps.reset}", "reset/ext_reset_in"),
            ("reset/interconnect_aresetn", "control/aresetn", "memory/aresetn"),
            ("reset/peripheral_aresetn", "dma/axi_resetn", f"core/{RESET}"),
            ("dma/mm2s_introut", "interrupts/In0"),
            ("dma/s2mm_introut", "interrupts/In1"),
            ("interrupts/dout", f"ps/{ps.interrupt}"),
        ),
        outer=tuple(
            f"ps/{bus.name}" for bus in ps.cell.buses if bus.kind == "board" and bus.needed
        ),
        segments=tuple(segments),
        excluded=tuple(
            (f"dma/Data_{way}", f"ps/{name}") for name in ps.others for way in ("MM2S", "S2MM")
        ),
    )
    at = {segment.segment: segment.offset for segment in segments}
    return block, Addresses(
        control=at["core/s_axil/reg0"],
        modes=at.get("core/s_axil_modes/reg0"),
        dma=dma_at,
    )


def _registers(segment: str, offset: int, size: int) -> Segment:
    return Segment(space="ps/Data", segment=segment, offset=offset, size=size)
