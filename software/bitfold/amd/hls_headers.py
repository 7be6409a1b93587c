"""Where the C++ headers are: ours in hls/include, ap_int and hls_stream in a package or a tool."""

import re
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from bitfold.errors import ConfigError, ToolNotFound

PACKAGE = "hls4ml==1.3.0"
_ROOTS = ("ap_int.h", "hls_stream.h")
_INSIDE = Path("templates") / "vivado" / "ap_types"


def hls_folder() -> Path:
    """Where our headers are: in a wheel as package data, in a checkout beside `software`."""
    packed = Path(str(files("bitfold"))) / "_hls"
    return packed if packed.is_dir() else Path(__file__).resolve().parents[3] / "hls"


def own_headers() -> dict[str, bytes]:
    """File name -> content of every header of hls/include."""
    return {path.name: path.read_bytes() for path in sorted((hls_folder() / "include").iterdir())}


def ap_types_folder(named: Path | None = None) -> Path:
    """The folder of ap_int.h: the one named, else that of the package hls4ml.

    Raises: ConfigError when the one named lacks a header, ToolNotFound without the package.
    """
    if named is not None:
        missing = [name for name in _ROOTS if not (named / name).is_file()]
        if missing:
            raise ConfigError(
                f"--ap-types {named}: has no {' and no '.join(missing)}; name the folder `include` "
                "of a Vitis HLS installation, or leave the option out"
            )
        return named
    # find_spec does not import it: that would take its dependencies.
    spec = find_spec("hls4ml")
    places = list(spec.submodule_search_locations or ()) if spec else []
    found = [Path(place) / _INSIDE for place in places if (Path(place) / _INSIDE).is_dir()]
    if not found:
        raise ToolNotFound(
            "headers ap_int.h and hls_stream.h not found; install them with: "
            f"pip install --no-deps {PACKAGE} (or name Vitis' include folder with --ap-types)"
        )
    return found[0]


def ap_types(folder: Path) -> dict[str, bytes]:
    """The headers that ap_int.h and hls_stream.h lead to, by path relative to `folder`."""
    taken: dict[str, bytes] = {}
    todo = [folder / name for name in _ROOTS]
    while todo:
        path = todo.pop()
        name = path.relative_to(folder).as_posix()
        if name in taken:
            continue
        taken[name] = path.read_bytes()
        for included in re.findall(rb'^\s*#\s*include\s*[<"]([^>"]+)[>"]', taken[name], re.M):
            for place in (path.parent, folder):
                target = (place / included.decode()).resolve()
                if target.is_file() and target.is_relative_to(folder.resolve()):
                    todo.append(folder / target.relative_to(folder.resolve()))
                    break
    return taken
