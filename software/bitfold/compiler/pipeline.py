"""The passes between reading and lowering, in order."""

from collections.abc import Callable

from bitfold.compiler.passes.absorb_flips import absorb_flips
from bitfold.compiler.passes.hardware_names import hardware_names
from bitfold.compiler.passes.lower_bipolar import lower_bipolar
from bitfold.compiler.passes.merge_thresholds import merge_thresholds
from bitfold.compiler.passes.pool_after_threshold import pool_after_threshold
from bitfold.ir.graph import Graph
from bitfold.ir.verify import verify

Pass = Callable[[Graph], Graph]
PIPELINE: tuple[Pass, ...] = (
    pool_after_threshold,
    merge_thresholds,
    absorb_flips,
    lower_bipolar,
    hardware_names,
)


def run_pipeline(graph: Graph, *, flips: bool = False) -> Graph:
    """Apply every pass and verify the graph after each. flips: leave channels that decrease.

    Then each Conv and Dense is followed by a Threshold, but maybe for the last, and each MaxPool
    reads thresholded codes or the input; every name can stand in Verilog and on disk.
    """
    for each in (p for p in PIPELINE if not (flips and p is absorb_flips)):
        graph = each(graph)
        verify(graph, after=each.__name__)
    return graph
