"""What stopped FINN, read from its log."""

import re
from pathlib import Path

from bitfold.synth.vendor_logs import DISK_FULL, LICENCE

LOG = "finn.log"
_NOT_SERIAL = re.compile(
    r"(?:\S+ is no MVAU of FINN's|\S+ cannot be bit-serial|part \S+ bitfold has no table).*$", re.M
)
_UNMAPPED = re.compile(
    r"^.*(?:Unsupported/unmapped|cycle-free graph|Only a single Streaming).*$", re.M
)
_TRACEBACK = "Traceback (most recent call last):"
_RAISED = re.compile(r"^(?:\w+\.)*(\w+: .*)$", re.M)


def explain(work: Path) -> str | None:
    """One sentence; None when the log in the folder `work` does not say."""
    path = work / LOG
    text = path.read_text(errors="replace") if path.is_file() else ""
    if DISK_FULL.search(text):
        return "the disk is full; make room in the build folder and start again"
    if LICENCE.search(text):
        return (
            "Vivado has no licence in the container. Set XILINXD_LICENSE_FILE to a file or "
            "port@host, or take a board whose part the free edition has"
        )
    # The last: tracebacks quote the sources, where the same words stand in a raise.
    if said := _NOT_SERIAL.findall(text):
        return str(said[-1]).strip()
    if said := _UNMAPPED.findall(text):
        return f"FINN has no layer for a part of the network: {said[-1].strip()}"
    _, last, raised = text.rpartition(_TRACEBACK)
    found = _RAISED.search(raised) if last else None
    return f"FINN stopped with {found[1].strip()}" if found else None
