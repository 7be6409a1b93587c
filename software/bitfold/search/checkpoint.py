"""Checkpoints of a training phase, written whole or not at all."""

import io
import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import torch

from bitfold.errors import ArtefactError, ConfigError
from bitfold.files import write_bytes

SCHEMA = 2
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
    model: dict[str, Any]
    optimiser: dict[str, Any]
    hooks: dict[str, Any]  # Hooks.state
    history: list[dict[str, Any]] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Write atomically."""
        buffer = io.BytesIO()
        torch.save({"schema": SCHEMA, **_fields(self)}, buffer)
        write_bytes(path, buffer.getvalue())


def _fields(checkpoint: Checkpoint) -> dict[str, Any]:
    """Fields by name, without copying tensors."""
    return {name: getattr(checkpoint, name) for name in Checkpoint.__dataclass_fields__}


def read(path: Path, identity: str, phase: str) -> Checkpoint | None:
    """Read a checkpoint; None if there is none.

    Raises: ArtefactError when damaged, ConfigError when it belongs to other settings.
    """
    if not path.exists():
        return None
    try:
        value = torch.load(path, weights_only=True, map_location="cpu")
        schema = value.pop("schema")
        found = Checkpoint(**value)
    except _DAMAGE as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ArtefactError(
            f"{path}: damaged checkpoint ({reason}); remove it to train again"
        ) from None
    if schema != SCHEMA:
        raise ArtefactError(f"{path}: checkpoint schema {schema}, this bitfold reads {SCHEMA}")
    if found.identity != identity or found.phase != phase:
        raise ConfigError(
            f"{path} was made from other settings than this run file's; give another output "
            "folder, or remove this one"
        )
    return found
