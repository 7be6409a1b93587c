"""Grids: the quantisers that no layer reads.

What is added or averaged must consist of integers on one grid, or no integer hardware could add
it. So both branches of a residual addition pass through one shared nn.Identity, and an average
reads such a sum or a rectifier. These modules become quantisers of a fixed width when the network
is quantised at a policy; their bits are not searched.
"""

from dataclasses import dataclass
from typing import final

from torch import fx, nn

from bitfold.errors import ConfigError
from bitfold.quant.flow import AVERAGES, FREE, QUANTISABLE, RECTIFIERS, Flow


@final
@dataclass(frozen=True, kw_only=True)
class Grid:
    """A module (its path) that becomes a quantiser of what is added or averaged."""

    name: str
    signed: bool  # whether values may be negative


def grids(model: nn.Module) -> tuple[Grid, ...]:
    """The grids of a plain float model, in network order.

    Raises: ConfigError for an addition whose branches do not share an nn.Identity, and for an
    average of what is on no grid.
    """
    return grids_of(Flow.of(fx.symbolic_trace(model)))


def grids_of(flow: Flow) -> tuple[Grid, ...]:
    """`grids`, of a model that is traced already."""
    signed: dict[str, bool] = {}
    for node in flow.nodes:
        if flow.adds(node):
            name = _shared(flow, node)
            signed[name] = signed.get(name, False) or not flow.non_negative(node)
        elif flow.calls(node, AVERAGES):
            source = flow.origin(node.args[0], FREE)
            if flow.adds(flow.origin(source, (*FREE, *RECTIFIERS))):
                continue
            if not flow.calls(source, QUANTISABLE):
                raise ConfigError(
                    f"{node.target!r} averages {source}, which is not quantised; put an nn.ReLU "
                    "or an nn.Identity before it"
                )
            signed[str(source.target)] = not flow.non_negative(source)
    return tuple(Grid(name=name, signed=value) for name, value in signed.items())


def sources(flow: Flow, node: object, on: frozenset[str]) -> tuple[str, tuple[fx.Node, ...]] | None:
    """The grid whose values or sums `node` reads, and the averages taken on the way.

    `on` are the names of the grids. None where `node` reads anything else.
    """
    averages: list[fx.Node] = []
    at: object = node
    while isinstance(at, fx.Node):
        if flow.adds(at):
            return _shared(flow, at), tuple(averages)
        if not flow.calls(at, (*FREE, *AVERAGES, *QUANTISABLE)):
            return None
        if at.target in on:
            return str(at.target), tuple(averages)
        if flow.calls(at, AVERAGES):
            averages.append(at)
        at = at.args[0]
    return None


def _shared(flow: Flow, node: fx.Node) -> str:
    """The nn.Identity that both branches of the addition `node` come from."""
    branches = [flow.origin(each, FREE) for each in node.args]
    names = {str(each.target) for each in branches if flow.calls(each, (nn.Identity,))}
    joined = all(flow.calls(each, (nn.Identity,)) for each in branches)
    if len(branches) != 2 or len(names) != 1 or not joined or node.kwargs:
        read = " and ".join(str(each) for each in branches)
        raise ConfigError(
            f"{node} adds {read}, which share no grid; pass both through one nn.Identity, as in "
            "join(x) + join(y)"
        )
    return names.pop()
