"""`bitfold bitstream`: a design and a board to a file that is loaded into the FPGA."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from bitfold.compiler.design import Design
from bitfold.compiler.emit_modes import axil_width
from bitfold.compiler.instances import style_of
from bitfold.cost.units import Mvtu
from bitfold.errors import BudgetError, ConfigError, ToolFailed
from bitfold.files import digest, new_folder, read_json, write_json
from bitfold.hardware import hardware_folder, needed_files
from bitfold.host.protocol import MAX_PAYLOAD
from bitfold.synth.boards import (
    TOP,
    Board,
    Pll,
    bit_cycles,
    board_part,
    load_board,
    pll,
)
from bitfold.synth.nextpnr import REPORT, Placed, place_commands, read_report
from bitfold.synth.plan import BuildPlan, Command, Runner, execute
from bitfold.synth.source import Source, design_id, design_source, source_digest
from bitfold.synth.target import Pack, Part, load_target
from bitfold.synth.usage import overfull
from bitfold.synth.yosys import NETLIST, flat_plan, flat_usage

KIND = "bitstream"
SCHEMA = 1
SILENCE_S = 0.05  # of the line inside a frame, before the board calls it broken
WATCHDOG_S = 1.0  # of the accelerator, before the board calls it stopped
_BRIDGE = "bf_uart_bridge"


@final
@dataclass(frozen=True, kw_only=True)
class Bitstream:
    """A bitstream and its figures; `file` lies beside bitstream.json.

    design_id is what the board answers to a ping; design the digest of all sources.
    """

    board: str
    part: str
    file: str
    size_bytes: int
    sha256: str
    design_id: str
    design: str
    clock_mhz: float
    baud: int
    fmax_mhz: float
    luts: int
    ffs: int
    brams: float
    placed: Placed
    seed: int
    tools: Mapping[str, str]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """What bitstream.json holds."""
        return {"kind": KIND, "schema": SCHEMA, **asdict(self)}

    @staticmethod
    def read(path: Path) -> "Bitstream":
        """Read bitstream.json. Raises: ArtefactError."""
        value = read_json(path, KIND, SCHEMA)
        fields = {k: v for k, v in value.items() if k not in ("kind", "schema")}
        return Bitstream(**(fields | {"placed": Placed.from_json(value["placed"])}))


def serial_baud(path: Path) -> int:
    """Baud rate of the board of a bitstream.json.

    Raises: ArtefactError; ConfigError for a board without a serial line.
    """
    value = read_json(path, KIND, SCHEMA)
    if "driver" in value:
        raise ConfigError(
            f"{path}: made for {value['board']}, which has no serial line. Copy {path.parent} to "
            f"the board and run there: python3 {value['driver']}"
        )
    return Bitstream.read(path).baud


def bitstream(
    design: Design,
    board: str,
    out: Path,
    cache: Path,
    *,
    part: str | None = None,
    clock_mhz: float | None = None,
    baud: int | None = None,
    seed: int = 1,
    runner: Runner | None = None,
) -> Bitstream:
    """Build the bitstream and bitstream.json in the folder `out`, replacing it whole.

    part:      of the board's, its usual one when None. clock_mhz: the board's oscillator when
    None. Raises: ToolNotFound, ConfigError, BudgetError when the part is too small, ToolFailed;
    also when the clock is not reached.
    """
    where = load_board(board)
    check_style(design, where)
    taken, most = design.input["bytes_per_frame"] + bool(design.modes), MAX_PAYLOAD
    if taken > most:
        raise ConfigError(
            f"{where.title}: a frame of this design is {taken} bytes with its mode, if it has one; "
            f"the serial line carries {most} at most. Take a network with a smaller input"
        )
    clock = pll(where, where.clock_mhz if clock_mhz is None else clock_mhz)
    baud = where.baud if baud is None else baud
    family = load_target(where.target)
    device = family.part(board_part(where, part))
    assert family.place, f"board {board}: target {family.name} has no place and route"
    assert family.pack, f"board {board}: target {family.name} makes no bitstreams"
    source = board_source(design, where, clock, baud)
    route = place_commands(
        family.place,
        device,
        seed=seed,
        freq_mhz=clock.clock_mhz,
        more=family.pack.route,
        package=where.package,
    )
    flat = execute(
        flat_plan(source, family, netlist=True, alone=False, absent=where.absent), cache, runner
    )
    usage = flat_usage(flat, family)
    missing = overfull(usage, device)
    if missing:
        raise BudgetError(
            f"{where.title}: the design does not fit {device.name} ({missing}). Take a larger "
            "part, or compile for a lower rate or fewer LUTs"
        )
    netlist = (flat.folder / NETLIST).read_bytes()
    built = execute(_plan(netlist, where, device, route, family.pack), cache, runner)
    placed = read_report(built.folder / REPORT, family.place)
    fmax_mhz = placed.fmax_mhz
    assert fmax_mhz is not None, "a board's top has registers that feed registers"
    if fmax_mhz < clock.clock_mhz:
        raise ToolFailed(
            f"{where.title}: the design reaches {fmax_mhz:.1f} MHz, the clock is "
            f"{clock.clock_mhz:g}. Take a slower clock, or another seed of place and route."
        )
    file = built.folder / family.pack.file
    made = Bitstream(
        board=where.name,
        part=device.name,
        file=file.name,
        size_bytes=file.stat().st_size,
        sha256=digest(file),
        design_id=f"{design_id(design):016x}",
        design=source_digest(source),
        clock_mhz=clock.clock_mhz,
        baud=baud,
        fmax_mhz=fmax_mhz,
        luts=placed.luts,
        ffs=usage.ffs,
        brams=usage.brams,
        placed=placed,
        seed=seed,
        tools={**flat.tools, **built.tools},
        seconds=flat.seconds + built.seconds,
    )
    with new_folder(out, "bitstream.json") as folder:
        shutil.copyfile(file, folder / file.name)
        write_json(folder / "bitstream.json", made.to_json())
    return made


def board_source(design: Design, board: Board, clock: Pll, baud: int) -> Source:
    """The board's top with the design's accelerator in it."""
    inner = design_source(design)
    bridge = needed_files(hardware_folder() / "rtl", _BRIDGE)
    rtl = {f"rtl/{path.name}": path.read_bytes() for path in bridge}
    files = board.rtl(modes=bool(design.modes))
    rtl |= {f"rtl/{file.name}": file.read_bytes() for file in files}
    given = board_parameters(design, clock, bit_cycles(clock.clock_mhz, baud))
    return Source(
        top=TOP,
        rtl={**inner.rtl, **rtl},
        data=inner.data,
        parameters={**given, **board.parameters()},
    )


def check_style(design: Design, board: Board) -> None:
    """Raises: ConfigError for a design with cells of another family than the board's."""
    styled = any(isinstance(stage, Mvtu) for stage in design.stages)
    if styled and style_of(design.target) not in (0, style_of(board.target)):
        raise ConfigError(
            f"{board.title}: this design was compiled for {design.target}, whose cells its "
            f"popcounts are made of; the board has {board.target}. Compile it with --target "
            + (board.target if style_of(board.target) else "ice40, which is plain SystemVerilog")
        )


def board_parameters(design: Design, clock: Pll, cycles: int) -> dict[str, int | str]:
    """Parameters of the board's top; `cycles` of a bit on the line."""
    return {
        "PllIn": clock.in_div,
        "PllFeedback": clock.feedback_div,
        "PllOut": clock.out_div,
        "BitCycles": cycles,
        "TimeoutCycles": round(SILENCE_S * clock.clock_mhz * 1e6),
        "WatchdogCycles": round(WATCHDOG_S * clock.clock_mhz * 1e6),
        "FrameBytes": design.input["bytes_per_frame"],
        "BeatBytes": design.input["bytes_per_beat"],
        "Outputs": design.output["count"],
        "DesignId": f"64'h{design_id(design):016x}",
        **mode_parameters(design),
    }


def mode_parameters(design: Design) -> dict[str, int]:
    """Parameters of a board's top for a design with precision modes; none for others."""
    if not design.modes:
        return {}
    address = axil_width("awaddr", design.stages)
    return {"Modes": len(design.modes), "AxilBits": address}


def _plan(
    netlist: bytes, board: Board, part: Part, route: tuple[Command, ...], pack: Pack
) -> BuildPlan:
    packed = Command(tool=pack.tool, args=(*part.pack, *pack.args), log=f"{pack.tool}.log")
    constraints = (board.folder / board.constraints).read_bytes()
    return BuildPlan(
        name=f"{board.name}-{part.name}",
        files={NETLIST: netlist, pack.constraints: constraints},
        commands=(*route, packed),
        outputs=(REPORT, pack.file),
    )
