"""Float weights from a file into a network."""

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bitfold.errors import ConfigError

SUFFIXES = (".pt", ".pth", ".safetensors")
SHOWN = 3  # names of each kind of mistake in a message
_TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
}


def load_weights(model: nn.Module, path: Path) -> None:
    """Put the state dict in `path` into `model`, in place; names and shapes must be the same.

    A .pt or .pth file is one that torch.save wrote of a state dict; no code in it is run. Raises:
    ConfigError for a file that cannot be read, is none of these, or is of another network.
    """
    if path.suffix not in SUFFIXES:
        raise ConfigError(f"[model] weights {path}: expected a file {', '.join(SUFFIXES)}")
    try:
        value = _safetensors(path) if path.suffix == ".safetensors" else _torch(path)
    except FileNotFoundError:
        raise ConfigError(f"[model] weights {path}: not found") from None
    except Exception as error:  # damaged bytes can make the readers raise anything
        reason = str(error).strip().split("\n")[0]
        raise ConfigError(f"[model] weights {path}: not readable ({reason})") from None
    if not isinstance(value, Mapping) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in value.items()
    ):
        raise ConfigError(
            f"[model] weights {path}: holds no state dict (name -> tensor); write one with "
            "torch.save(model.state_dict(), ...)"
        )
    _check(model.state_dict(), value, path)
    _check_values(value, path)
    model.load_state_dict(value, strict=True)


def _check(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor], path: Path) -> None:
    other = [
        f"{name} {tuple(given[name].shape)} for {tuple(wanted[name].shape)}"
        for name in wanted
        if name in given and given[name].shape != wanted[name].shape
    ]
    mistakes = (
        ("missing", [name for name in wanted if name not in given]),
        ("not in this network", [name for name in given if name not in wanted]),
        ("of another shape", other),
    )
    said = [
        f"{len(names)} {kind} ({', '.join(names[:SHOWN])}{', ...' if len(names) > SHOWN else ''})"
        for kind, names in mistakes
        if names
    ]
    if said:
        raise ConfigError(
            f"[model] weights {path}: of another network than [model] and [data] describe: "
            f"{'; '.join(said)}"
        )


def _check_values(given: Mapping[str, Tensor], path: Path) -> None:
    for name, tensor in given.items():
        rule = ""
        if tensor.layout != torch.strided or tensor.is_meta or tensor.is_complex():
            rule = "is not a plain tensor of real numbers"
        elif tensor.is_floating_point() and not tensor.isfinite().all():
            rule = "holds numbers that are not finite"
        if rule:
            raise ConfigError(f"[model] weights {path}: {name!r} {rule}")


def _torch(path: Path) -> object:
    return torch.load(path, map_location="cpu", weights_only=True)


def _safetensors(path: Path) -> dict[str, Tensor]:
    """Read the format by its definition: header length, JSON header, tensors, little-endian."""
    content = path.read_bytes()
    if len(content) < 8:
        raise ValueError("too short for a safetensors file")
    (length,) = struct.unpack("<Q", content[:8])
    header: dict[str, Any] = json.loads(content[8 : 8 + length])
    if not isinstance(header, dict):
        raise ValueError("its header is no JSON object")
    data = bytearray(content[8 + length :])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        if entry["dtype"] not in _TYPES:
            raise ValueError(f"tensor {name!r} has type {entry['dtype']}, not {', '.join(_TYPES)}")
        kind, shape = _TYPES[entry["dtype"]], entry["shape"]
        begin, end = entry["data_offsets"]
        count = math.prod(shape)
        if not 0 <= begin <= end <= len(data) or end - begin != count * kind.itemsize:
            raise ValueError(f"tensor {name!r} does not fill its place in the file")
        flat = torch.frombuffer(data, dtype=kind, count=count, offset=begin) if count else None
        tensors[name] = torch.zeros(shape, dtype=kind) if flat is None else flat.reshape(shape)
    return tensors
