"""What `verify` does with precision modes: which frame is in which, and what must come out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from bitfold.compiler.design import Design, stream_order
from bitfold.errors import ConfigError
from bitfold.ir import Graph, Ints, run


@final
@dataclass(frozen=True, kw_only=True)
class ModeTiming:
    """Pace of a mode where the network stays in it: the last two of several frames in a row.

    frames: of the whole run that were in this mode. The prediction is that of these very frames; it
    is the design's interval in this mode once enough of them follow each other.
    """

    mode: int
    frames: int
    interval_predicted: int
    interval_measured: int


@final
@dataclass(frozen=True, eq=False)
class ModeRun:
    """Frames in modes. graphs: golden models, one where the precision is fixed.

    sequence: modes of the frames: drawn at random first, so that modes follow each other in any
    order, then each mode for some frames, for its rate; () where the precision is fixed.
    """

    design: Design
    graphs: tuple[Graph, ...]
    sequence: tuple[int, ...]

    def golden(self, codes: Ints) -> Ints:
        """Outputs (N, count) of stored input integers (N, *shape), each frame in its mode."""
        if not self.sequence:
            return np.asarray(stream_order(self.graphs[0], run(self.graphs[0], codes)))
        found = np.zeros((len(codes), self.design.output["count"]), np.int64)
        for mode, (graph, about) in enumerate(zip(self.graphs, self.design.modes, strict=True)):
            rows = np.array(self.sequence[: len(codes)]) == mode
            if rows.any():
                outputs = run(graph, codes[rows] >> about["input_shift"])
                found[rows] = stream_order(graph, outputs) << about["output_shift"]
        return found

    def reals(self, outputs: Ints) -> NDArray[np.float64]:
        """What outputs (N, count) of one-dimensional results stand for."""
        if not self.sequence:
            return self.graphs[0].output_map.to_real(outputs)
        found = np.zeros(outputs.shape)
        for mode, (graph, about) in enumerate(zip(self.graphs, self.design.modes, strict=True)):
            rows = np.array(self.sequence[: len(outputs)]) == mode
            found[rows] = graph.output_map.to_real(outputs[rows] / 2 ** about["output_shift"])
        return found

    def timing(self, ends: Sequence[int], predicted: Sequence[int]) -> tuple[ModeTiming, ...]:
        """Paces from the ends of all frames at the output."""
        found = []
        for mode in range(len(self.design.modes)):
            rows = [f for f, each in enumerate(self.sequence) if each == mode]
            stayed = [f for f in rows[1:] if self.sequence[f - 1] == mode]
            wanted, got = (
                each[stayed[-1]] - each[stayed[-1] - 1] if stayed else 0
                for each in (predicted, ends)
            )
            found.append(
                ModeTiming(
                    mode=mode, frames=len(rows), interval_predicted=wanted, interval_measured=got
                )
            )
        return tuple(found)


def held_run(design: Design, frames: int, mode: int | None) -> ModeRun:
    """A run of so many frames in one mode, 0 when None. Raises: ConfigError for one it lacks."""
    if mode is not None and mode >= len(design.modes):
        have = f"modes 0 to {len(design.modes) - 1}" if design.modes else "no precision modes"
        raise ConfigError(f"{design.folder}: mode {mode} is asked for; the design has {have}")
    if not design.modes:
        return ModeRun(design, (design.graph(),), ())
    return ModeRun(design, design.mode_graphs(), (mode or 0,) * frames)


def mode_run(design: Design, frames: int, graphs: Sequence[Graph] = ()) -> ModeRun:
    """A run of so many frames through all modes of a design.

    graphs: golden models of the modes where they are not those that it was compiled with.
    """
    if not design.modes:
        return ModeRun(design, (design.graph(),), ())
    count = len(design.modes)
    rng = np.random.default_rng(0)
    mixed = rng.integers(0, count, frames // 2).tolist()
    rest = frames - len(mixed)
    blocks = [mode for mode in range(count) for _ in range(-(-rest // count))]
    graphs = tuple(graphs) or design.mode_graphs()
    return ModeRun(design, graphs, (*mixed, *blocks[:rest]))
