"""The best option for every layer, where options of neighbours must agree on their streams' group.

An integer program: a variable for each option of each layer, and for each group of each value; an
option reads its operands in one group and sends in another, and both must be the groups chosen for
those values. With one reader a value this is a flow through a chain, whose relaxation is integral;
where streams part and meet it nearly always is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array


@final
@dataclass(frozen=True, kw_only=True)
class Option:
    """A way to build a layer: it reads streams of one group and sends one of another."""

    reads: int
    sends: int
    cost: float
    how: object


@final
@dataclass(frozen=True, kw_only=True)
class Selected:
    """An option for each layer, and the cost of all and of the values' groups."""

    cost: float
    options: Mapping[str, Option]


def select(
    reads: Mapping[str, tuple[str, ...]],
    options: Mapping[str, tuple[Option, ...]],
    groups: Mapping[str, frozenset[int]],
    extra: Mapping[str, Mapping[int, float]],
) -> Selected | None:
    """The cheapest selection; None if none agrees.

    reads:   values that each layer reads; a layer's own value has its name.
    groups:  that a value can have. extra: cost of a value having that group (a fork, an output).
    """
    picks = [(name, option) for name, found in options.items() for option in found]
    values = [(name, group) for name, found in groups.items() for group in sorted(found)]
    place = {key: len(picks) + i for i, key in enumerate(values)}
    cost = np.array(
        [option.cost for _, option in picks]
        + [extra.get(name, {}).get(group, 0.0) for name, group in values]
    )
    rows: list[tuple[int, int, float]] = []  # row, column, coefficient
    wanted: list[float] = []

    def row(entries: list[tuple[int, float]], total: float) -> None:
        rows.extend((len(wanted), column, value) for column, value in entries)
        wanted.append(total)

    for name, found in groups.items():
        row([(place[name, group], 1.0) for group in found], 1.0)
    of = {name: [(i, o) for i, (n, o) in enumerate(picks) if n == name] for name in options}
    for name, mine in of.items():
        for group in groups[name]:
            sends = [(i, 1.0) for i, o in mine if o.sends == group]
            row([*sends, (place[name, group], -1.0)], 0.0)
        for value in set(reads[name]):
            for group in groups[value]:
                takes = [(i, 1.0) for i, o in mine if o.reads == group]
                row([*takes, (place[value, group], -1.0)], 0.0)
    at, columns, entries = zip(*rows, strict=True)
    matrix = coo_array((entries, (at, columns)), shape=(len(wanted), len(cost))).tocsr()
    solved: Any = milp(
        cost,
        constraints=LinearConstraint(matrix, wanted, wanted),
        integrality=np.ones(len(cost)),
        bounds=Bounds(0, 1),
    )
    if solved.x is None:
        return None
    chosen = {name: option for (name, option), x in zip(picks, solved.x, strict=False) if x > 0.5}
    return Selected(cost=float(cost @ np.round(solved.x)), options=chosen)
