"""The integer program of foldings against trying everything."""

from itertools import product

import numpy as np
import pytest

from bitfold.compiler.selection import Option, select


def exhaustive(reads, options, groups, extra):
    """The least cost over every choice of groups and options, the slow way."""
    values, layers = list(groups), list(options)
    best = None
    for chosen in product(*(sorted(groups[v]) for v in values)):
        group = dict(zip(values, chosen, strict=True))
        cost = sum(extra.get(v, {}).get(g, 0.0) for v, g in group.items())
        for name in layers:
            fitting = [
                o.cost
                for o in options[name]
                if o.sends == group[name] and all(o.reads == group[v] for v in reads[name])
            ]
            cost = cost + min(fitting) if fitting else np.inf
        if cost < np.inf and (best is None or cost < best):
            best = cost
    return best


@pytest.mark.parametrize("seed", range(20))
def test_the_cheapest_agreeing_options_are_found(seed):
    rng = np.random.default_rng(seed)
    reads = {"a": ("input",), "b": ("a",), "c": ("a", "b"), "d": ("input", "c"), "e": ("d", "d")}
    groups = {"input": frozenset({int(rng.integers(1, 3))})}
    for name in reads:
        groups[name] = frozenset(rng.choice(4, 2, replace=False).tolist())
    options = {
        name: tuple(
            Option(reads=r, sends=s, cost=float(rng.integers(1, 50)), how=None)
            for r in sorted(groups[sources[0]])
            for s in sorted(groups[name])
            if rng.random() < 0.9
        )
        for name, sources in reads.items()
    }
    extra = {"a": {g: float(rng.integers(0, 9)) for g in groups["a"]}}
    found = select(reads, options, groups, extra)
    wanted = exhaustive(reads, options, groups, extra)
    if wanted is None:
        assert found is None
        return
    assert found is not None
    assert found.cost == pytest.approx(wanted)
    for name, option in found.options.items():
        for source in set(reads[name]) - {"input"}:
            assert option.reads == found.options[source].sends
