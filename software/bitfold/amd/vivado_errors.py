"""What Vivado's logs say, where that has a name of its own."""

import re
from pathlib import Path

from bitfold.amd.vivado_tcl import RUN_LOGS
from bitfold.synth.vendor_logs import DISK_FULL, LICENCE
from bitfold.synth.vivado import TOOL

LOG = f"{TOOL}.log"
_FEATURE = re.compile(r"feature '([^']+)' and/or device '([^']+)'")
_BOARD = re.compile(r"BITFOLD-BOARD-FILES (\S+)")
_IMAGE = re.compile(r"could not open \$readmem data file '([^']+)'", re.I)
_MEMORY = re.compile(
    r"Cannot allocate memory|std::bad_alloc|killed by signal 9|out of memory", re.I
)
_ERROR = re.compile(r"^ERROR: .*", re.MULTILINE)
_OURS = "BITFOLD-"


def explain(work: Path) -> str | None:
    """What stopped Vivado in the folder `work`, as one sentence; None when its logs do not say."""
    text = _logs(work)
    if DISK_FULL.search(text):
        return "the disk is full; make room in the build folder and start again"
    if LICENCE.search(text):
        return (
            f"no licence{_for_what(text)}. Set XILINXD_LICENSE_FILE, or take a part that the free "
            "edition has"
        )
    if found := _BOARD.search(text):
        return (
            f"it has no board files {found[1]}. Install them (Vivado: Tools, Vivado Store, Boards) "
            "and start again"
        )
    if found := _IMAGE.search(text):
        return f"it does not find the memory image {found[1]!r}"
    if _MEMORY.search(text):
        return "the memory of this machine did not suffice"
    errors = [line for line in _ERROR.findall(text) if _OURS not in line]
    return errors[0].removeprefix("ERROR: ") if errors else None


def image_not_found(work: Path) -> str | None:
    """A memory image that Vivado missed, though it went on."""
    found = _IMAGE.search(_logs(work))
    return found[1] if found else None


def _logs(work: Path) -> str:
    paths = [work / LOG, *(work / name for name in RUN_LOGS)]
    return "\n".join(path.read_text(errors="replace") for path in paths if path.is_file())


def _for_what(text: str) -> str:
    found = _FEATURE.search(text)
    return f" for {found[1]} on {found[2]}" if found else ""
