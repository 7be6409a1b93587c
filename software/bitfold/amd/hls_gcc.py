"""C simulation: g++ on the emitted C++, and the program run, as a build plan."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bitfold.amd.hls_headers import ap_types, own_headers
from bitfold.synth.on_path import PathRunner, Program
from bitfold.synth.plan import BuildPlan, Built, Command, execute

FLAGS = ("-std=c++14", "-fno-threadsafe-statics", "-Wno-unknown-pragmas")
LOG = "csim.log"
# The vendor's headers have warnings of their own, some of which show up in our code.
_WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wno-uninitialized", "-Wno-maybe-uninitialized")
_PROGRAMS = {
    "g++": Program(executable="g++", says_version=("--version",), install="apt-get install g++"),
    "csim": Program(executable="./csim"),
}


def simulate(
    name: str,
    *,
    sources: Sequence[str],
    files: Mapping[str, bytes],
    outputs: Sequence[str],
    cache: Path,
    ap_types_in: Path,
    arguments: Sequence[str] = (),
    level: int = 1,
) -> Built:
    """Compile `sources`, which are among `files`, and run the program in the build's folder.

    The headers of hls/include lie in include/; `outputs` are files that the program writes.
    level: of g++'s optimisation; 0 compiles quickly and runs slowly.
    Raises: ToolNotFound, ToolFailed.
    """
    headers = {f"include/{k}": v for k, v in own_headers().items()}
    types = {f"ap_types/{k}": v for k, v in ap_types(ap_types_in).items()}
    command = (*FLAGS, f"-O{level}", *_WARNINGS)
    plan = BuildPlan(
        name=name,
        files={**headers, **types, **files},
        commands=(
            Command(
                tool="g++",
                args=(*command, "-Iinclude", "-isystem", "ap_types", *sources, "-o", "csim"),
                log="g++.log",
            ),
            Command(tool="csim", args=tuple(arguments), log=LOG),
        ),
        outputs=tuple(outputs),
    )
    return execute(plan, cache, PathRunner(programs=_PROGRAMS))
