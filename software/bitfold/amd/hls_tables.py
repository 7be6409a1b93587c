"""Numbers as Verilog and memory images spell them, to tables of C++."""

from collections.abc import Sequence
from pathlib import Path

from bitfold.errors import ArtefactError

NATIVE_BITS = 64  # of the widest integer that C++ writes as a number
_COLUMNS = 96


def number(value: str | int) -> int:
    """An integer as a parameter of an RTL instance holds it: 12, "12", "1'b0" or "96'h1f".

    Raises: ValueError for anything else.
    """
    text = str(value)
    if "'" not in text:
        return int(text)
    digits = text.split("'", 1)[1]
    return int(digits[1:], {"b": 2, "d": 10, "h": 16}[digits[0]])


def read_image(path: Path) -> list[int]:
    """Words of a memory image, address 0 first. Raises: ArtefactError."""
    try:
        return [int(word, 16) for word in path.read_text().split()]
    except (OSError, ValueError) as error:
        raise ArtefactError(
            f"{path}: no readable memory image ({error}); run `bitfold compile` again"
        ) from None


def lanes(word: int, width: int, count: int, *, signed: bool = False) -> list[int]:
    """`count` numbers of `width` bits, side by side in a word, the first in the low bits."""
    found = [word >> i * width & ((1 << width) - 1) for i in range(count)]
    return [v - (1 << width) if signed and v >> width - 1 else v for v in found]


def table(name: str, element: str, width: int, rows: Sequence[Sequence[int]]) -> str:
    """A constant array of two dimensions; element: its type, `width` bits wide."""
    body = ",\n".join(
        "  {" + _wrapped([_literal(v, element, width) for v in r]) + "}" for r in rows
    )
    return f"static const {element} {name}[{len(rows)}][{len(rows[0])}] = {{\n{body}\n}};\n"


def row(name: str, element: str, width: int, values: Sequence[int]) -> str:
    """A constant array of one dimension."""
    body = _wrapped([_literal(v, element, width) for v in values])
    return f"static const {element} {name}[{len(values)}] = {{{body}}};\n"


def _literal(value: int, element: str, width: int) -> str:
    if width > NATIVE_BITS:
        assert value >= 0, "numbers that wide have no sign"
        return f'{element}("0x{value:x}", 16)'
    if abs(value) < 1 << 31:
        return str(value)
    return f"{value}LL" if value < 1 << 63 else f"{value}ULL"


def _wrapped(items: Sequence[str]) -> str:
    """Items with commas, broken into lines."""
    lines, line = [], ""
    for item in items:
        if line and len(line) + len(item) > _COLUMNS:
            lines.append(line)
            line = ""
        line += f"{item}, "
    return "\n   ".join([*lines, line]).rstrip(", ")
