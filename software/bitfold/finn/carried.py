"""Parts of bitfold that go along to where FINN runs, in a Python that has nothing of bitfold."""

import tomllib
from pathlib import Path

from bitfold.finn.serial_unit import MODULE
from bitfold.hardware import hardware_folder, needed_files

_HERE = Path(__file__).parent
_ALWAYS = ("__init__.py", "binary_weights.py")


def carried_files(*, bitserial: bool) -> dict[str, bytes]:
    """A package `bitfold` to lie beside a script that FINN's Python runs, by relative path.

    bitserial: with what bit-serial layers need, and their RTL. The Python of FINN's own container
    is 3.10, which has no tomllib: this Python's lies beside the package.
    """
    package = _HERE.parent
    parts = [_HERE / name for name in _ALWAYS]
    library: list[Path] = []
    rtl: tuple[Path, ...] = ()
    if bitserial:
        parts += [*package.glob("cost/*.py"), *package.glob("cost/targets/*.toml")]
        parts += [*package.glob("sim/reference/*.py"), *_HERE.glob("serial_*.py")]
        parts += [package / "errors.py", package / "hardware.py", package / "sim" / "__init__.py"]
        library = sorted(Path(tomllib.__file__).parent.glob("*.py"))
        rtl = needed_files(hardware_folder() / "rtl", MODULE)
    return {
        "bitfold/__init__.py": b'"""A part of bitfold."""\n',
        **{f"bitfold/{p.relative_to(package).as_posix()}": p.read_bytes() for p in sorted(parts)},
        **{f"bitfold/_hardware/rtl/{path.name}": path.read_bytes() for path in rtl},
        **{f"tomllib/{path.name}": path.read_bytes() for path in library},
    }
