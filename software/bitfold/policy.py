"""BitPolicy: how many bits every layer's weights and input activations have."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from bitfold.errors import PolicyError
from bitfold.files import read_json, write_json

SCHEMA = 1
MIN_BITS, MAX_BITS = 1, 8


@final
@dataclass(frozen=True, kw_only=True)
class LayerBits:
    """Bits of one layer: of its weights, and of the activations that it reads."""

    w_bits: int
    a_bits: int

    def __post_init__(self) -> None:
        for name, bits in (("w_bits", self.w_bits), ("a_bits", self.a_bits)):
            if not (isinstance(bits, int) and MIN_BITS <= bits <= MAX_BITS):
                raise PolicyError(f"{name} must be an integer in 1..8, got {bits!r}")


@final
@dataclass(frozen=True, kw_only=True)
class BitPolicy:
    """Layer name -> bits, in network order; `made_by` says which method under which budget."""

    layers: Mapping[str, LayerBits]
    made_by: Mapping[str, Any]

    def check(self, names: tuple[str, ...]) -> None:
        """Raise PolicyError unless the policy names exactly the layers `names`."""
        extra = [n for n in self.layers if n not in names]
        missing = [n for n in names if n not in self.layers]
        if extra or missing:
            raise PolicyError(
                f"policy names layers the model lacks: {extra}; without bits: {missing}. "
                "Was it searched on another model?"
            )

    def write(self, path: Path) -> None:
        """Write policy.json."""
        layers = {n: {"w_bits": b.w_bits, "a_bits": b.a_bits} for n, b in self.layers.items()}
        write_json(
            path,
            {"kind": "policy", "schema": SCHEMA, "made_by": dict(self.made_by), "layers": layers},
        )

    @staticmethod
    def read(path: Path) -> "BitPolicy":
        """Read policy.json. Raises: ArtefactError, PolicyError."""
        value = read_json(path, "policy", SCHEMA)
        try:
            layers = {n: LayerBits(**bits) for n, bits in value["layers"].items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise PolicyError(f"{path}: malformed layer entry ({error})") from None
        return BitPolicy(layers=layers, made_by=value.get("made_by", {}))
