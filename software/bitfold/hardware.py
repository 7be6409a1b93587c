"""The folder of the RTL, and which of its files a module needs."""

import re
from importlib.resources import files
from pathlib import Path

from bitfold.errors import ConfigError


def hardware_folder() -> Path:
    """Where the RTL is: in a wheel as package data, in a checkout beside `software`."""
    packed = Path(str(files("bitfold"))) / "_hardware"
    return packed if packed.is_dir() else Path(__file__).resolve().parents[2] / "hardware"


def needed_files(folder: Path, *tops: str) -> tuple[Path, ...]:
    """Files of `folder` that the modules `tops` name, directly or not; sorted.

    Rests on one module a file, called as the file. Raises: ConfigError when there is no such file.
    """
    have = {path.stem: path for path in folder.glob("*.sv")}
    for top in tops:
        if top not in have:
            raise ConfigError(f"{folder}: has no file {top}.sv; a module's file bears its name")
    found: set[str] = set()
    todo = list(tops)
    while todo:
        name = todo.pop()
        if name in have and name not in found:
            found.add(name)
            todo += re.findall(r"\b[A-Za-z_]\w*\b", without_comments(have[name].read_text()))
    return tuple(have[name] for name in sorted(found))


def without_comments(text: str) -> str:
    """SystemVerilog without its line comments; block comments are not in use."""
    return re.sub(r"//.*", "", text)
