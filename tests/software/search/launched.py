"""Trainings that torchrun starts in several processes, and test_parallel.py in one, to compare.

torchrun ... launched.py FOLDER: trains every case, then a whole search; the first process writes.
"""

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

# Started as a program, this file has no package.
from tests.software.search.nets import SHAPE, data, net, run_file
from torch import nn

from bitfold.data import DataSet, Split
from bitfold.errors import MismatchError
from bitfold.models import cifar_resnet, convnet
from bitfold.quant import processes, quantise, trace
from bitfold.runfile import (
    Search,
    SearchBsq,
    SearchCsq,
    SearchDqmq,
    SearchLimpq,
    SearchSdq,
    Train,
)
from bitfold.search import search
from bitfold.search.device import make_fabric
from bitfold.search.dqmq import DQMQ
from bitfold.search.dqmq.dynamic import DynamicNet
from bitfold.search.dqmq.modes import ModeSet
from bitfold.search.hooks import Hooks
from bitfold.search.loop import train
from bitfold.search.method import Method
from bitfold.search.methods import METHODS
from bitfold.search.problem import pose
from bitfold.search.recipe import Recipe

RECIPE = Recipe(
    phase="search",
    epochs=3,
    lr=0.05,
    batch=32,
    seed=0,
    momentum=0.9,
    weight_decay=1e-4,
    label_smoothing=0.1,
    augment="shift",
    warmup=1,
    clip_norm=2.0,
    ema=0.8,
    keep="best",
    reestimate=True,
    distill=0.5,
)
SEARCHES: dict[str, Search] = {
    "limpq": SearchLimpq(method="limpq", bits=(2, 3, 4)),  # ends unsearched: unused parameters
    "bsq": SearchBsq(method="bsq", interval=2, first_last="search", a_bits=4),
    "csq": SearchCsq(  # cool, since hot gates magnify the order of a sum
        method="csq", end_temperature=20.0, first_last="search", a_bits=4
    ),
    "sdq": SearchSdq(method="sdq", first_last="search", a_bits=4),
    "dqmq": SearchDqmq(method="dqmq", bits=(2, 3, 4), first_last="search"),
    "reinforce": SearchDqmq(
        method="dqmq", bits=(2, 3, 4), first_last="search", estimator="reinforce"
    ),
}
CASES = ("float32", "quantised", *SEARCHES, "modes", "branched modes", "mlp")
RUN = {"train": {"finetune_epochs": 1, "ema": 0.9}, "search": {"bits": [2, 4]}}


@dataclass
class Losses:
    """A progress that remembers every step."""

    steps: list[tuple[float, float]]

    def start(self, phase: str, total: int) -> None:
        pass

    def advance(self, loss: float, accuracy: float) -> None:
        self.steps.append((loss, accuracy))

    def done(self) -> None:
        pass


def trained(case: str, folder: Path) -> tuple[nn.Module, dict[str, Any]]:
    """Train `case`; float64 but for "float32", so that a sum's order is all but invisible."""
    # Pooled where values are codes: whole sums that tie but for rounding are no matter then. DQMQ's
    # layers quantise what they read themselves, behind the pool: so none there.
    torch.manual_seed(0)
    pools = () if case in {"dqmq", "reinforce", "modes"} else (1,)
    model: nn.Module = convnet(SHAPE, 10, (8, 8), pools)
    if case == "mlp":
        model = nn.Sequential(
            nn.Flatten(), nn.Linear(64, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 10)
        )
    if case == "branched modes":
        model = cifar_resnet(SHAPE, 10, depth=8, width=4)
    model, hooks = prepared(case, model)
    kind = torch.float32 if case == "float32" else torch.float64
    progress = Losses([])
    done = train(
        model.to(kind),
        converted(data(), kind),
        RECIPE,
        hooks=hooks,
        fabric=make_fabric(Train()),
        path=folder / f"{case}.pt",
        identity="x",
        progress=progress,
        teacher=net(1).to(kind),
    )
    validation = [entry["validation"] for entry in done.history]
    return model, {"steps": progress.steps, "validation": validation}


def prepared(case: str, model: nn.Module) -> tuple[nn.Module, Hooks]:
    """What `case` trains, made of the float `model`, and how."""
    if case in SEARCHES:
        method = posed(SEARCHES[case], model)
        method.prepare(model)
        return model, method
    if case in {"modes", "branched modes"}:
        return dynamic(model), Hooks()
    if case == "quantised":
        layers = trace(model, SHAPE)
        quantise(model, layers, {layer.name: (3, 4) for layer in layers})
    return model, Hooks()


def posed(settings: Search, model: nn.Module) -> Method:
    """The method of `settings`, at the size of 3 bits."""
    problem = pose(
        trace(model, SHAPE),
        kind="size",
        value=None,
        like_uniform=3,
        bits=settings.bits,
        first_last=settings.first_last,
        target="ecp5",
        seed=0,
    )
    return METHODS[settings.method](settings, problem)


def dynamic(model: nn.Module) -> DynamicNet:
    """A network of two modes and the stored precision, whose steps have yet to start.

    A fifth of the images takes the second mode: too few in a batch for its norms, so that others
    join them, and few enough for a process to have none.
    """
    method, x = posed(SEARCHES["dqmq"], model), data().train.x
    assert isinstance(method, DQMQ)
    method.prepare(model)
    picks = np.array([[0, 1, 0], [1, 0, 2]])
    method.modes = ModeSet(picks=np.resize(picks, (2, len(method.problem.searched))), price=0.0)
    network = method.release(model).model
    assert isinstance(network, DynamicNet)
    standardise = network.policy.decision.standardise.train()
    standardise.learning = True
    with torch.no_grad():
        network.policy(x)
        first, second = network.policy(x).T
        network.policy.offsets[0] = (first - second).quantile(0.2)
    return network


def converted(given: DataSet, kind: torch.dtype) -> DataSet:
    def split(part: Split) -> Split:
        return Split(part.x.to(kind), part.y)

    splits = {name: split(getattr(given, name)) for name in ("train", "validation", "test")}
    return replace(given, **splits)


class Drifting(Hooks):
    """Puts what its slice of the batch says into a weight."""

    def after_step(self, model: nn.Module, step: int) -> None:
        model.get_submodule("conv2").get_parameter("weight").data[0] += processes.rank() * 1e-9


def drift(folder: Path) -> str:
    """What the training says to hooks that let the processes drift apart."""
    try:
        train(
            net(),
            data(),
            replace(RECIPE, distill=0.0),
            hooks=Drifting(),
            fabric=make_fabric(Train()),
            path=folder / "drift.pt",
            identity="x",
            progress=Losses([]),
        )
    except MismatchError as error:
        return str(error)
    return "nothing"


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    message = drift(folder)
    (folder / f"drift{processes.rank()}.txt").write_text(message)
    for case in CASES:
        model, measured = trained(case, folder)
        if processes.rank() == 0:
            torch.save(model.state_dict(), folder / f"{case}_model.pt")
            (folder / f"{case}.json").write_text(json.dumps(measured))
    result = search(run_file(**RUN), folder / "run")
    (folder / f"rank{processes.rank()}.json").write_text(
        json.dumps({"rank": result.rank, "metrics": result.metrics})
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    processes.leave()
