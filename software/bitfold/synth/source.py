"""What is synthesised: RTL text, memory images, a top and its parameters."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from bitfold.compiler.design import TOP, Design
from bitfold.errors import ConfigError
from bitfold.hardware import without_comments


@final
@dataclass(frozen=True, kw_only=True)
class Source:
    """A design as text.

    rtl:   SystemVerilog by relative file name.
    data:  other files that it reads ($readmemh), by the name it reads them with.
    """

    top: str
    rtl: Mapping[str, bytes]
    data: Mapping[str, bytes]
    parameters: Mapping[str, int | str]


def read_source(
    rtl: Sequence[Path],
    top: str,
    parameters: Mapping[str, int | str] | None = None,
    data: Mapping[str, Path] | None = None,
) -> Source:
    """Read the files of a module. Raises: ConfigError for one that is not there."""
    try:
        return Source(
            top=top,
            rtl={f"rtl/{path.name}": path.read_bytes() for path in rtl},
            data={name: path.read_bytes() for name, path in (data or {}).items()},
            parameters=dict(parameters or {}),
        )
    except OSError as error:
        raise ConfigError(f"{error.filename}: cannot be read ({error.strerror})") from None


def design_source(design: Design) -> Source:
    """The accelerator of a design folder. Raises: ConfigError when a file went away."""
    return read_source(design.rtl_paths, TOP, {}, {n: design.folder / n for n in design.mem})


def design_id(design: Design) -> int:
    """64 bits that name a design: a board answers them, so that a host knows what is loaded."""
    return int(source_digest(design_source(design))[:16], 16)


def source_digest(source: Source) -> str:
    """SHA-256 over what is synthesised: file names and contents, top, parameters."""
    state = hashlib.sha256()
    head = [source.top, sorted((k, str(v)) for k, v in source.parameters.items())]
    state.update(json.dumps(head).encode())
    for name, data in sorted({**source.rtl, **source.data}.items()):
        state.update(json.dumps([name, hashlib.sha256(data).hexdigest()]).encode())
    return state.hexdigest()


def reading_order(rtl: Mapping[str, bytes]) -> tuple[str, ...]:
    """File names as a reader wants them: packages before what uses them."""

    def is_package(name: str) -> bool:
        return re.search(r"^\s*package\b", without_comments(rtl[name].decode()), re.M) is not None

    return tuple(sorted(rtl, key=lambda name: (not is_package(name), name)))
