"""What all simulators of a cache share: Verilator's own C++, compiled, and its headers.

A small design's own code compiles in less time than g++ needs to read these headers.
"""

import hashlib
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from bitfold.sim.toolchain import compiler_version, run_tool, verilator_root

_RUNTIME = ("verilated", "verilated_dpi", "verilated_vpi", "verilated_threads")
_HEADERS = ("verilated.h", "verilated_syms.h", "verilated_vpi.h")
# The two settings of Verilator's makefile: of code that runs in every cycle, and of the rest.
_SPEEDS = {"fast": "-O1", "slow": ""}


def shared_folder(cache: Path) -> Path:
    """Where they lie: a cache may be seen by several systems, such as a container and its host."""
    what = (str(verilator_root()), compiler_version(), *platform.libc_ver())
    return cache / f"runtime-{hashlib.sha256(repr(what).encode()).hexdigest()[:8]}"


def runtime_objects(folder: Path, waves: str | None) -> list[str]:
    """Compile Verilator's own C++, once per cache, in `folder`; names of the object files."""
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
            run_tool(command, folder, f"g++ on {name}")
            part.rename(target)
        finally:
            part.unlink(missing_ok=True)
    return [f"{name}.o" for name in names]


def precompiled_headers(folder: Path, make: Sequence[str], waves: str | None) -> list[str]:
    """Precompile Verilator's headers, once per cache, in `folder`; settings that use them.

    make: runs the makefile of a build beside `folder`, whose flags hold for the headers too.
    Where g++ finds that flags or version are others, it reads the plain header of the same name.
    """
    name = "headers.h" if waves is None else f"headers-{waves}.h"
    # As seen from a build, which is a neighbour.
    seen = f"../{folder.name}"
    settings = [f"VK_PCH_H={seen}/{name}", "VK_PCH_I_FAST=", "VK_PCH_I_SLOW="]
    for speed, flags in _SPEEDS.items():
        option = f"OPT_{speed.upper()}={flags}"
        settings.append(f"{option} -include {seen}/{name}.{speed}")
        if (folder / f"{name}.{speed}.gch").exists():
            continue
        part = f".{os.getpid()}-{name}"
        made = f"{part}.{speed}.gch"
        try:
            (folder / part).write_text("".join(f'#include "{each}"\n' for each in _HEADERS))
            run_tool([*make, option, f"{seen}/{made}"], folder, f"g++ on {name}")
            (folder / part).rename(folder / f"{name}.{speed}")
            (folder / made).rename(folder / f"{name}.{speed}.gch")
        finally:
            for path in folder.glob(f"{part}*"):  # also g++'s list of what it read
                path.unlink()
    return settings
