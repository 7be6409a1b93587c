"""A stand-in for `vivado`: replays our scripts, records every call, makes the files they ask for.

It knows no Vivado: a call of a command that our scripts do not use is an error, and so is a file
that is read and not there. `install` puts it on PATH; VIVADO_STAND_IN says how it shall behave.
"""

import json
import os
import stat
import sys
import time
from pathlib import Path

from reports import HIERARCHY, TIMING, UTILISATION, UTILISATION_UPLUS
from tcl import calls_inside, commands, items

# Commands of Vivado 2022.2 to 2025.2 that our scripts use (UG835), and of Tcl itself.
KNOWN = {
    "add_files", "apply_bd_automation", "assign_bd_address", "catch", "close_project",
    "connect_bd_intf_net", "connect_bd_net", "create_bd_cell", "create_bd_design",
    "create_bd_intf_port", "create_project", "current_fileset", "current_project", "error",
    "exclude_bd_addr_seg", "file", "generate_target", "get_bd_addr_segs", "get_bd_addr_spaces",
    "get_bd_cells", "get_bd_intf_pins", "get_bd_intf_ports", "get_bd_pins", "get_board_parts",
    "get_files", "get_ipdefs", "get_property", "get_runs", "glob", "if",
    "ipx::associate_bus_interfaces",
    "ipx::check_integrity", "ipx::create_xgui_files", "ipx::current_core", "ipx::package_project",
    "ipx::save_core", "ipx::update_checksums", "launch_runs", "lindex", "list", "llength", "lsort",
    "make_wrapper", "open_run", "opt_design", "place_design", "read_mem", "read_verilog",
    "read_xdc", "report_timing_summary", "report_utilization", "route_design", "save_bd_design",
    "set_msg_config", "set_property", "source", "synth_design", "update_compile_order",
    "update_ip_catalog", "validate_bd_design", "wait_on_run",
}  # fmt: skip
LICENCE = (
    "ERROR: [Common 17-345] A valid license was not found for feature 'Synthesis' and/or device "
    "'xc7z020'. Please run the Vivado License Manager for assistance.\n"
)
FULL = "ERROR: [Common 17-179] Fork failed: No space left on device\n"
IMAGE = "CRITICAL WARNING: [Synth 8-4445] could not open $readmem data file 'fc1.mem'\n"
_HERE = Path(__file__).resolve().parent


def install(folder: Path) -> None:
    """Write an executable `vivado` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "vivado"
    file.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(_HERE)!r})\n"
        "from stand_in import main\nsys.exit(main(sys.argv[1:]))\n"
    )
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


class Refused(Exception):
    """What stops a script."""


class Session:
    """One start of the tool in the current folder."""

    def __init__(self, manner: str) -> None:
        self.manner = manner
        self.calls: list[list[str]] = []

    def source(self, name: str) -> None:
        for words in commands(Path(name).read_text()):
            self.call(words)

    def call(self, words: list[str]) -> None:
        head, *rest = words
        if head == "if":
            return self.branch(rest)
        for word in rest:
            for inner in calls_inside(word) if head != "catch" else ():
                self.record(inner)
        self.record(words)
        if head == "source":
            self.source(rest[0])
        elif head == "error":
            raise Refused(rest[0])
        elif head == "catch":
            (inner,) = commands(rest[0])
            self.call(inner)
        elif head in ("add_files", "read_verilog", "read_mem"):
            self.files(items(rest[-1]))
        elif head == "read_xdc":
            self.files(rest[-1:])
        elif head in {"launch_runs", "synth_design"}:
            self.run(rest[0])
        elif head in ("report_utilization", "report_timing_summary"):
            self.report(head, rest)
        elif rest[:2] == ["copy", "-force"]:
            self.copy(rest[-1])
        return None

    def record(self, words: list[str]) -> None:
        assert words[0] in KNOWN, f"our scripts call {words[0]!r}, which no list of ours has"
        self.calls.append(words)

    def branch(self, words: list[str]) -> None:
        """Conditions come true as the manner says; both bodies must be readable."""
        condition, body, *other = words
        for inner in calls_inside(condition):
            self.record(inner)
        holds = {"get_ipdefs": True, "get_board_parts": self.manner == "no board files",
                 "get_property": self.manner in ("licence", "full", "stopped")}  # fmt: skip
        (taken,) = {value for name, value in holds.items() if name in condition}
        assert not other or other[0] == "else"
        for inner in commands(body if taken else other[1] if other else ""):
            self.call(inner)
        for text in (body, *other[1:]):
            commands(text)

    def files(self, names: list[str]) -> None:
        for name in names:
            assert Path(name).is_file(), f"{name} is read and not there"

    def run(self, name: str) -> None:
        if self.manner == "killed":
            Path("half.dcp").write_text("half")
            print("running", flush=True)
            Path(os.environ["VIVADO_STAND_IN_READY"]).write_text("ready")
            time.sleep(60)
        self.words = {"licence": LICENCE, "full": FULL, "image": IMAGE}.get(self.manner, "")
        if name != "-top":
            return
        print(self.words, end="")
        if self.manner in ("licence", "full"):
            raise Refused(self.words)

    def report(self, head: str, rest: list[str]) -> None:
        name = rest[rest.index("-file") + 1]
        device = next((w for c in self.calls for w in c if w.startswith("xc")), "")
        if "-hierarchical" in rest:
            text = HIERARCHY
        elif head == "report_utilization":
            text = UTILISATION if device.startswith("xc7") else UTILISATION_UPLUS
        else:
            text = TIMING
            if self.manner == "slow":
                text = text.replace("      1.234        0.000", "     -2.500      -99.000")
        Path(name).write_text(text)

    def copy(self, name: str) -> None:
        if name.endswith(".log"):
            Path(name).write_text(self.words)
        elif not (self.manner == "no bitfile" and name.endswith(".bit")):
            Path(name).write_text("" if self.manner == "empty" else f"made: {name}\n")


def main(arguments: list[str]) -> int:
    """The program."""
    manner = os.environ.get("VIVADO_STAND_IN", "")
    if arguments == ["-version"]:
        version = manner.removeprefix("version ") if manner.startswith("version ") else "2023.2"
        said = f"vivado v{version} (64-bit)\nTool Version Limit: 2023.10"
        if manner == "bytes":
            sys.stdout.buffer.write(b"\xff\n")
            return 0
        print("mumble" if manner == "mumbles" else said)
        return 0
    session = Session(manner)
    try:
        session.source(arguments[arguments.index("-source") + 1])
    except Refused as error:
        print(f"ERROR: [Common 17-99] {error}")
        return 1
    finally:
        Path("calls.json").write_text(json.dumps([arguments, *session.calls]))
    return 0
