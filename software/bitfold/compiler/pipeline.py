"""The passes between reading and lowering, in order."""

from collections.abc import Callable

from bitfold.ir.graph import Graph
from bitfold.ir.verify import verify

Pass = Callable[[Graph], Graph]
PIPELINE: tuple[Pass, ...] = ()


def run_pipeline(graph: Graph) -> Graph:
    """Apply every pass and verify the graph after each."""
    for each in PIPELINE:
        graph = each(graph)
        verify(graph, after=each.__name__)
    return graph
