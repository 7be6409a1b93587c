"""Input integers for a design: of a file, or random."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitfold.compiler.design import read_arrays
from bitfold.errors import ArtefactError
from bitfold.ir import Graph, Ints, quantise_input


def read_samples(path: Path, graph: Graph) -> tuple[Ints, NDArray[np.int64] | None]:
    """Input integers and labels of an .npz with `x` (float, as the model is fed) and maybe `y`.

    Raises: ArtefactError.
    """
    arrays = read_arrays(path)
    x, y = arrays["x"], arrays.get("y")
    if x.shape[1:] != graph.sample_shape:
        raise ArtefactError(
            f"{path}: x has shape {x.shape[1:]} a sample, the model reads {graph.sample_shape}"
        )
    if x.dtype.kind not in "biuf" or np.isnan(x).any():
        raise ArtefactError(f"{path}: x holds what is not a number ({x.dtype} array, or NaN in it)")
    return quantise_input(graph, x), None if y is None else y.astype(np.int64)


def random_samples(graph: Graph, count: int, seed: int = 0) -> Ints:
    """Uniform random input integers, for a design that comes without data."""
    kind = graph.input_type
    rng = np.random.default_rng(seed)
    if kind.bipolar:
        return rng.integers(0, 2, (count, *kind.shape)) * 2 - 1
    return rng.integers(kind.min, kind.max + 1, (count, *kind.shape))
