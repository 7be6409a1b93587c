"""The ports of a module as its text declares them: what a block design is checked against."""

import re
from dataclasses import dataclass
from typing import final

from bitfold.errors import ArtefactError
from bitfold.hardware import without_comments

_PORT = re.compile(
    r"(?P<direction>input|output)\s+(?:logic|wire|reg)?\s*"
    r"(?:\[\s*(?P<high>\d+)\s*:\s*0\s*\])?\s*(?P<name>\w+)\s*(?=,|$)"
)


@final
@dataclass(frozen=True, kw_only=True)
class RtlPort:
    """A port. width: bits, >= 1."""

    name: str
    output: bool
    width: int


def module_ports(text: str, module: str) -> tuple[RtlPort, ...]:
    """Ports of a module with a port list of its own, whose ranges are numbers.

    That holds for what the compiler writes. Raises: ArtefactError where the list is another.
    """
    plain = re.sub(r"\(\*.*?\*\)", "", without_comments(text), flags=re.DOTALL)
    head = re.search(rf"\bmodule\s+{module}\b\s*(?:#\s*\(.*?\)\s*)?\((.*?)\)\s*;", plain, re.DOTALL)
    if head is None:
        raise ArtefactError(f"module {module}: no port list found; run `bitfold compile` again")
    found = []
    for declared in head[1].split(","):
        match = _PORT.fullmatch(declared.strip())
        if match is None:
            raise ArtefactError(
                f"module {module}: port {declared.strip()!r} is not of a width that is a number; "
                "run `bitfold compile` again"
            )
        width = int(match["high"]) + 1 if match["high"] else 1
        found.append(
            RtlPort(name=match["name"], output=match["direction"] == "output", width=width)
        )
    return tuple(found)


def has_parameter(text: str, module: str, parameter: str) -> bool:
    """Whether a module declares the parameter in its head."""
    head = re.search(rf"\bmodule\s+{module}\b\s*#\s*\((.*?)\)\s*\(", without_comments(text), re.S)
    return head is not None and re.search(rf"\b{parameter}\s*=", head[1]) is not None
