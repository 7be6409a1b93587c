"""Checkpoints of a training phase, written whole or not at all.

A file is what torch.save writes and one line after it, `bitfold checkpoint <schema> <SHA-256>`, the
digest of all bytes before that line. torch.load reads the file as it is.
"""

import hashlib
import io
import pickle
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, final

import torch

from bitfold.errors import ArtefactError, ConfigError
from bitfold.files import write_bytes

SCHEMA = 3
_LAST_LINE = re.compile(rb"\nbitfold checkpoint (\d+) ([0-9a-f]{64})\n\Z")
# What torch.load and the fields of Checkpoint raise for files that are none of ours.
_DAMAGE = (
    OSError,
    RuntimeError,
    EOFError,
    KeyError,
    TypeError,
    AttributeError,
    ValueError,
    pickle.UnpicklingError,
)


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Checkpoint:
    """State after `epoch` whole epochs of a phase.

    There is no generator state: every epoch seeds its own generator from seed, phase and epoch.
    """

    identity: str  # digest of the settings that the result depends on
    phase: str
    epoch: int
    seconds: float  # spent so far, over all runs
    model: dict[str, Any]  # as it is trained on
    optimiser: dict[str, Any]
    hooks: dict[str, Any]  # Hooks.state
    ema: dict[str, Any] = field(default_factory=dict)  # Ema.state
    kept: dict[str, Any] = field(default_factory=dict)  # Keeper.state
    history: list[dict[str, Any]] = field(default_factory=list)
    bitfold: str = field(default_factory=lambda: version("bitfold"))

    def write(self, path: Path) -> None:
        """Write atomically."""
        buffer = io.BytesIO()
        # Fields by name, without copying tensors.
        torch.save({name: getattr(self, name) for name in Checkpoint.__dataclass_fields__}, buffer)
        content = buffer.getvalue()
        digest = hashlib.sha256(content).hexdigest()
        write_bytes(path, content + f"\nbitfold checkpoint {SCHEMA} {digest}\n".encode())


def read(path: Path, identity: str, phase: str) -> Checkpoint | None:
    """Read a checkpoint; None if there is none.

    Raises: ArtefactError when damaged or of another version, ConfigError when it belongs to other
    settings (the network among them).
    """
    if not path.exists():
        return None
    try:
        whole = path.read_bytes()
    except OSError as error:
        raise _damaged(path, error.strerror or str(error)) from None
    line = _LAST_LINE.search(whole, max(0, len(whole) - 200))
    if line is None:
        raise _damaged(path, "its end is missing")
    if int(line[1]) != SCHEMA:
        raise ArtefactError(
            f"{path}: checkpoint schema {int(line[1])}, this bitfold reads {SCHEMA}; "
            "remove it to train again"
        )
    content = whole[: line.start()]
    if hashlib.sha256(content).hexdigest() != line[2].decode():
        raise _damaged(path, "its checksum does not fit")
    try:
        found = Checkpoint(**torch.load(io.BytesIO(content), weights_only=True, map_location="cpu"))
    except _DAMAGE as error:
        raise _damaged(path, (str(error) or type(error).__name__).splitlines()[0]) from None
    if found.bitfold != version("bitfold"):
        raise ArtefactError(
            f"{path}: written by bitfold {found.bitfold}, this is {version('bitfold')}; go on "
            "with that version, or remove it to train again"
        )
    if found.identity != identity or found.phase != phase:
        raise ConfigError(
            f"{path} was made from other settings than this run file's; give another output "
            "folder, or remove this one"
        )
    return found


@contextmanager
def fitting(path: Path) -> Iterator[None]:
    """While a checkpoint's tensors are put into a model: raise ArtefactError if they do not fit."""
    try:
        yield
    except (RuntimeError, ValueError, KeyError) as error:
        raise ArtefactError(
            f"{path} is of another network than this run's ({str(error).splitlines()[0]}); "
            "remove it to train again"
        ) from None


def _damaged(path: Path, reason: str) -> ArtefactError:
    return ArtefactError(f"{path}: damaged checkpoint ({reason}); remove it to train again")
