"""`bitfold bitstream` for a board with a Zynq: top.bit, top.hwh and a driver, by Vivado.

Nothing here was ever run with a real Vivado: see hardware/boards/README.md.
"""

import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from bitfold.amd.vivado_board import VivadoBoard, check_clock, load_vivado_board
from bitfold.amd.vivado_check import complaints
from bitfold.amd.vivado_driver import DRIVER, driver_files
from bitfold.amd.vivado_errors import LOG, explain, image_not_found
from bitfold.amd.vivado_reports import Timing, placed, read_timing, read_utilisation, totals
from bitfold.amd.vivado_source import (
    image_complaints,
    image_names,
    packaged_source,
    rtl_names,
    source_files,
)
from bitfold.amd.vivado_system import Addresses, block_design
from bitfold.amd.vivado_tcl import (
    BIT,
    BUILD,
    HWH,
    PACKAGE,
    RUN_LOGS,
    SYSTEM,
    TIMING,
    UTILISATION,
    build,
    package_ip,
    system,
)
from bitfold.compiler.design import Design
from bitfold.errors import ArtefactError, ConfigError, ToolFailed
from bitfold.files import digest, new_folder, write_bytes, write_json
from bitfold.synth.bitstream import KIND, SCHEMA
from bitfold.synth.nextpnr import Placed
from bitfold.synth.plan import BuildPlan, Built, Command, Runner, execute
from bitfold.synth.source import Source, design_id, source_digest
from bitfold.synth.target import load_target
from bitfold.synth.vivado import TOOL, VivadoRunner

_NAMED = re.compile(r"\{(src/[^}]*)\}|^source (\S+)$", re.MULTILINE)


@final
@dataclass(frozen=True, kw_only=True)
class VivadoBitstream:
    """A bitstream and its figures, in the terms of `synth.bitstream.Bitstream` where they are the
    same; `file`, `hwh` and `driver` lie beside bitstream.json.

    slack_ns: of the worst setup path at clock_mhz, which is what the processor's dividers give.
    """

    board: str
    part: str
    file: str
    hwh: str
    driver: str
    size_bytes: int
    sha256: str
    design_id: str
    design: str
    clock_mhz: float
    fmax_mhz: float
    slack_ns: float
    luts: int
    ffs: int
    brams: float
    placed: Placed
    tools: Mapping[str, str]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """What bitstream.json holds."""
        return {"kind": KIND, "schema": SCHEMA, **asdict(self)}


@final
@dataclass(frozen=True, kw_only=True)
class VivadoPlan:
    """All that Vivado gets, and where the driver finds what Vivado makes of it."""

    board: VivadoBoard
    source: Source
    plan: BuildPlan
    addresses: Addresses


def vivado_plan(design: Design, board: str, clock_mhz: float | None = None) -> VivadoPlan:
    """Scripts and sources for a board, found complete. Raises: ConfigError, ArtefactError."""
    where = load_vivado_board(board)
    clock = check_clock(where, where.clock_mhz if clock_mhz is None else clock_mhz)
    source = packaged_source(design, where.target)
    block, addresses = block_design(where, source, clock)
    buses = [bus.name for cell in block.cells if cell.name == "core" for bus in cell.buses]
    scripts = {
        PACKAGE: package_ip(rtl_names(source), image_names(source), buses, where.device),
        SYSTEM: system(block),
        BUILD: build(where, block),
    }
    files = source_files(source) | {name: text.encode() for name, text in scripts.items()}
    wrong = (*complaints(block), *image_complaints(source), *file_complaints(scripts, files))
    if wrong:
        raise ArtefactError(f"{design.folder}: the plan for {where.title} is not complete: "
                            + "; ".join(wrong) + ". This is our bug: please report it")  # fmt: skip
    command = Command(
        tool=TOOL,
        args=("-mode", "batch", "-nojournal", "-nolog", "-notrace", "-source", BUILD),
        log=LOG,
    )
    plan = BuildPlan(
        name=where.name,
        files=files,
        commands=(command,),
        outputs=(BIT, HWH, UTILISATION, TIMING, *RUN_LOGS),
    )
    return VivadoPlan(board=where, source=source, plan=plan, addresses=addresses)


def file_complaints(scripts: Mapping[str, str], files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Files that the scripts name and that are not there, and sources that no script names."""
    named = {a or b for text in scripts.values() for a, b in _NAMED.findall(text)}
    missing = [
        f"{name!r} is named by a script and not there" for name in sorted(named - set(files))
    ]
    own = {name for name in files if name.startswith("src/")}
    return (*missing, *(f"{name!r} is named by no script" for name in sorted(own - named)))


def write_plan(
    design: Design, board: str, out: Path, *, clock_mhz: float | None = None,
    samples: Path | None = None
) -> tuple[Command, ...]:  # fmt: skip
    """Write what Vivado would be given, with the driver, into `out`; what would run there."""
    made = vivado_plan(design, board, clock_mhz)
    with new_folder(out, BUILD) as folder:
        for name, content in {**made.plan.files, **_driver(design, made, samples)}.items():
            write_bytes(folder / name, content)
    return made.plan.commands


def vivado_bitstream(
    design: Design,
    board: str,
    out: Path,
    cache: Path,
    *,
    clock_mhz: float | None = None,
    samples: Path | None = None,
    runner: Runner | None = None,
) -> VivadoBitstream:
    """Build top.bit, top.hwh, driver and bitstream.json in the folder `out`, replacing it whole.

    samples: .npz for the driver's own test. Raises: ToolNotFound for no Vivado or a version that is
    not supported; ConfigError; ToolFailed, also when the clock is not reached.
    """
    made = vivado_plan(design, board, clock_mhz)
    driver = _driver(design, made, samples)
    built = execute(made.plan, cache, runner or VivadoRunner(), explain)
    missing = image_not_found(built.folder)
    if missing:
        raise ToolFailed(f"vivado did not find the memory image {missing!r}: wrong hardware")
    used, timing = read_utilisation(built.folder / UTILISATION), read_timing(built.folder / TIMING)
    if not timing.met:
        raise ToolFailed(_too_slow(made.board, timing, built))
    whole = totals(used, load_target(made.board.target))
    found = VivadoBitstream(
        luts=whole.luts,
        ffs=whole.ffs,
        brams=whole.brams,
        placed=placed(used, timing),
        **_result(design, made, built, timing),
    )
    with new_folder(out, "bitstream.json") as folder:
        for name in (BIT, HWH, UTILISATION, TIMING):
            shutil.copyfile(built.folder / name, folder / name)
        for name, content in driver.items():
            write_bytes(folder / name, content)
        write_json(folder / "bitstream.json", found.to_json())
    return found


def _driver(design: Design, made: VivadoPlan, samples: Path | None) -> dict[str, bytes]:
    return driver_files(design, made.addresses, made.board.memory_mb << 20, samples)


def _result(design: Design, made: VivadoPlan, built: Built, timing: Timing) -> dict[str, Any]:
    file = built.folder / BIT
    if not file.stat().st_size:
        raise ToolFailed(f"vivado wrote an empty {BIT}; its log is {built.folder / LOG}")
    return {
        "board": made.board.name,
        "part": made.board.device,
        "file": BIT,
        "hwh": HWH,
        "driver": DRIVER,
        "size_bytes": file.stat().st_size,
        "sha256": digest(file),
        "design_id": f"{design_id(design):016x}",
        "design": source_digest(made.source),
        "clock_mhz": timing.clock_mhz,
        "fmax_mhz": timing.fmax_mhz,
        "slack_ns": timing.slack_ns,
        "tools": dict(built.tools),
        "seconds": built.seconds,
    }


def _too_slow(board: VivadoBoard, timing: Timing, built: Built) -> str:
    if timing.slack_ns >= 0:
        return (
            f"{board.title}: hold slack is {timing.hold_ns:.3f} ns, that of pulse widths "
            f"{timing.pulse_ns:.3f} ns; see {built.folder / TIMING}"
        )
    return (
        f"{board.title}: the design reaches {timing.fmax_mhz:.1f} MHz, the clock is "
        f"{timing.clock_mhz:g} (slack {timing.slack_ns:.3f} ns). Take a slower clock (--clock-mhz)"
    )


def refuse_serial_options(board: str, part: str | None, baud: int | None, seed: int) -> None:
    """Options of `bitfold bitstream` that mean nothing here. Raises: ConfigError."""
    given = {"--part": part is not None, "--baud": baud is not None, "--seed": seed != 1}
    wrong = [name for name, there in given.items() if there]
    if wrong:
        raise ConfigError(
            f"board {board} is built by Vivado, which takes no {' and no '.join(wrong)}: it has "
            "one device, no serial line, and no seed"
        )
