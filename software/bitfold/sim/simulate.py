"""Run cocotb tests in a simulator that `sim.verilator` has built."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from bitfold.errors import ToolFailed, ToolNotFound
from bitfold.sim.toolchain import environment, tail
from bitfold.sim.verilator import Build


@final
@dataclass(frozen=True, kw_only=True)
class TestResult:
    """One cocotb test: its name, and what it said if it failed."""

    __test__ = False  # pytest would collect it by its name

    name: str
    failure: str | None


def simulate(
    built: Build,
    test_module: str,
    folder: Path,
    *,
    search: Sequence[Path] = (),
    env: Mapping[str, str] | None = None,
    seed: int = 0,
    waves: bool = False,
    plusargs: Sequence[str] = (),
    tests: Sequence[str] = (),
    timeout_s: float = 1200,
) -> tuple[TestResult, ...]:
    """Run the cocotb tests of `test_module` in `folder`; its log is in folder/sim.log.

    search: folders where Python finds the module. `tests` limits the run to some of its tests.
    The module finds the design's parameters as JSON in the variable BITFOLD_PARAMETERS.
    Raises: ToolFailed when the simulator dies; failing tests are returned, not raised.
    """
    import cocotb_tools.config
    import find_libpython

    folder = folder.resolve()  # where the simulator runs
    folder.mkdir(parents=True, exist_ok=True)
    libpython = find_libpython.find_libpython()
    if libpython is None:
        raise ToolNotFound("libpython not found; install it with: apt-get install python3-dev")
    results = folder / "results.xml"
    results.unlink(missing_ok=True)
    variables = environment() | {
        "COCOTB_TOPLEVEL": built.top,
        "COCOTB_TEST_MODULES": test_module,
        "COCOTB_RESULTS_FILE": str(results),
        "COCOTB_RANDOM_SEED": str(seed),
        "COCOTB_TRUST_INERTIAL_WRITES": "1",
        "COCOTB_LOG_LEVEL": "WARNING",
        "TOPLEVEL_LANG": "verilog",
        # Where pytest is there, cocotb has it explain failed assertions; plugins only take time.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "GPI_USERS": f"{libpython};{cocotb_tools.config.pygpi_entry_point()}",
        "PYGPI_PYTHON_BIN": sys.executable,
        "PYTHONPATH": os.pathsep.join([*(str(path.resolve()) for path in search), *sys.path]),
        "BITFOLD_PARAMETERS": json.dumps(dict(built.parameters)),
        **({"COCOTB_TEST_FILTER": f"({'|'.join(tests)})$"} if tests else {}),
        **(env or {}),
    }
    command = [str(built.executable.resolve()), *(["--trace"] if waves else []), *plusargs]
    log = folder / "sim.log"
    with log.open("w") as out:
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env=variables,
                stdout=out,
                stderr=out,
                check=False,
                timeout=timeout_s,
            )
        except subprocess.TimeoutExpired:
            raise ToolFailed(
                f"simulation of {built.top} ran past {timeout_s:.0f} s; {log}"
            ) from None
    if not results.exists():
        raise ToolFailed(
            f"simulation of {built.top} exited {done.returncode} without results; last lines "
            f"below, all in {log}\n{tail(log.read_text())}"
        )
    return tuple(_results(results))


def _results(path: Path) -> list[TestResult]:
    found = []
    for case in ET.parse(path).getroot().iter("testcase"):
        failure = case.find("failure")
        failure = failure if failure is not None else case.find("error")
        text = None
        if failure is not None:
            text = (failure.get("message") or failure.get("error_msg") or "failed") + (
                failure.text or ""
            )
        found.append(TestResult(name=case.get("name", "?"), failure=text))
    return found
