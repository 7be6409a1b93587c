"""Random integer graphs: any shapes, bits, signs, strides, pads, forks and joins."""

from pathlib import Path

import numpy as np

from bitfold.compiler.compile import compile_graph
from bitfold.compiler.pipeline import run_pipeline
from bitfold.ir import Graph
from bitfold.ir.ops import Conv, MaxPool, SumPool, Threshold
from bitfold.sim.verify import Verification, verify_design
from branch_graphs import Branches

Rng = np.random.Generator
LINES = 0.15  # share of quantisers of 7 and 8 bits, which divide


def random_graph(seed: int) -> Graph:
    """A network of a few layers whose values all have at most some hundred integers."""
    rng = np.random.default_rng(seed)
    b = Branches(rng)
    height, width = (int(n) for n in rng.integers(2, 8, 2))
    shape = (int(rng.integers(1, 4)), height, width)
    maps = [b.input(shape, int(rng.integers(1, 6)), bool(rng.random() < 0.4))]
    for _ in range(int(rng.integers(2, 7))):
        maps += _grown(b, rng, maps)
    return _ended(b, rng, maps)


def _grown(b: Branches, rng: Rng, maps: list[str]) -> list[str]:
    """Codes made of some of the maps."""
    x = maps[-1] if rng.random() < 0.6 else str(rng.choice(maps))
    alike = [m for m in maps if b.type(m).shape == b.type(x).shape]
    level = [m for m in maps if b.type(m).shape[1:] == b.type(x).shape[1:]]
    kind = rng.choice(
        ["conv", "conv", "sum", "concat", "max", "mean", "codes", "zeros", "shared", "moved"]
    )
    if kind == "sum" and len(alike) > 1:
        operands = [str(m) for m in rng.choice(alike, int(rng.integers(2, 4)))]
        factors = rng.choice([-3, -1, 1, 1, 2], len(operands))
        return [_codes(b, rng, b.sum(*operands, factors=tuple(int(f) for f in factors)))]
    if kind == "concat" and len(level) > 1:
        parts = [str(m) for m in rng.choice(level, 2)]
        if sum(b.type(part).channels for part in parts) <= 12:
            return [b.concat(*parts)]
    if kind in ("max", "mean"):
        return [_pooled(b, rng, x, largest=kind == "max")]
    if kind == "codes":
        return [_codes(b, rng, x)]
    if kind == "zeros" and b.type(x).channels <= 6:
        return [b.zero_channels(x, int(rng.integers(0, 3)), int(rng.integers(1, 3)))]
    if kind == "moved":
        return [_moved(b, rng, x)]
    made = _convolved(b, rng, x)
    if kind == "shared":
        return [_codes(b, rng, made), _codes(b, rng, made)]
    return [_codes(b, rng, made)]


def _moved(b: Branches, rng: Rng, x: str) -> str:
    """The same codes at other places of a map that stays small."""
    channels, height, width = b.type(x).shape
    if channels % 4 == 0 and rng.random() < 0.6:
        return b.to_space(x, 2, crd=bool(rng.random() < 0.5))
    if height * width <= 16 and rng.random() < 0.5:
        return b.repeat(x, int(rng.integers(1, 4)), int(rng.integers(1, 3)))
    return b.around(x, *(int(n) for n in rng.integers(0, 3, 4)))


def _codes(b: Branches, rng: Rng, x: str) -> str:
    bits, signed = int(rng.integers(1, 5)), bool(rng.random() < 0.4)
    (other,) = rng.spawn(1)  # a stream of its own: networks of a seed stay what they are elsewhere
    if other.random() < LINES:
        bits, floor = int(other.integers(7, 9)), bool(other.random() < 0.3)
        return b.line(x, bits, signed, other, floor=floor)
    return b.codes(x, bits, signed, flip=_may_flip(b, rng, x))


def _may_flip(b: Branches, rng: Rng, x: str) -> bool:
    """Layers with weights have no flipped channels left when they come to hardware."""
    return not isinstance(b.nodes[x].op, Conv) and bool(rng.random() < 0.3)


def _window(rng: Rng, size: tuple[int, ...]) -> tuple[tuple[int, int], tuple[int, int]]:
    kernel = tuple(int(rng.integers(1, min(4, n + 1))) for n in size)
    stride = tuple(int(rng.integers(1, 3)) for _ in size)
    return (kernel[0], kernel[1]), (stride[0], stride[1])


def _pads(rng: Rng, kernel: tuple[int, int]) -> tuple[int, int, int, int]:
    top, left, bottom, right = (int(rng.integers(0, k)) for k in (*kernel, *kernel))
    return top, left, bottom, right


def _convolved(b: Branches, rng: Rng, x: str) -> str:
    channels, *size = b.type(x).shape
    kernel, stride = _window(rng, tuple(size))
    dilation = tuple(
        1 + int(rng.random() < 0.2 and 2 * k - 1 <= n) for k, n in zip(kernel, size, strict=True)
    )
    spread = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))
    pads = _pads(rng, (spread[0], spread[1])) if rng.random() < 0.6 else (0, 0, 0, 0)
    groups = int(rng.choice([g for g in range(1, channels + 1) if channels % g == 0]))
    depthwise = groups == channels and rng.random() < 0.7
    outputs = channels if depthwise else groups * int(rng.integers(1, 1 + max(1, 8 // groups)))
    bipolar = bool(rng.random() < 0.2)
    bits = int(rng.integers(1, 5))
    weights = b.weights((outputs, channels // groups, *kernel), bits, bipolar)
    return b.add(Conv(x, weights, stride, pads, groups, (dilation[0], dilation[1])))


def _pooled(b: Branches, rng: Rng, x: str, largest: bool) -> str:
    kind = b.type(x)
    kernel, stride = _window(rng, kind.shape[1:])
    pads = _pads(rng, kernel) if rng.random() < 0.4 else (0, 0, 0, 0)
    if largest:
        return b.add(MaxPool(x, kernel, stride, pads, kind.min))
    return _codes(b, rng, b.add(SumPool(x, kernel, stride, pads)))


def _ended(b: Branches, rng: Rng, maps: list[str]) -> Graph:
    """Sums or codes of the last map leave."""
    last = maps[-1]
    kind = rng.choice(["dense", "sum", "conv", "codes"])
    if kind == "dense":
        b.dense(last, int(rng.integers(1, 7)))
    elif kind == "sum":
        b.sum_pool(last)
    elif kind == "conv" or not isinstance(b.nodes[last].op, Threshold):
        _convolved(b, rng, last)
    else:
        b.codes(b.conv(last, int(rng.integers(1, 5)), 1, 2), int(rng.integers(1, 6)))
    return b.graph()


def prove(seed: int, folder: Path, cache: Path) -> tuple[Verification, int]:
    """Compile the network of `seed` at a random rate and simulate it; and how many stages it has.

    Raises: MismatchError when an integer or a cycle is not as predicted.
    """
    graph = run_pipeline(random_graph(seed))
    rate = 10.0 ** np.random.default_rng(seed).uniform(2.3, 3.6)
    source = {"file": f"seed {seed}", "sha256": ""}
    design = compile_graph(graph, folder / "design", source=source, fps=rate)
    proof = verify_design(folder / "design", frames=6, protocol_frames=3, cache=cache)
    assert proof.exact
    return proof, len(design.stages)
