"""The whole search: float pretraining, the method, finetuning, export."""

import copy
import hashlib
import json
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, final

import torch
from torch import nn

from bitfold.data import load
from bitfold.export import export_model
from bitfold.files import digest, write_json
from bitfold.policy import BitPolicy, LayerBits
from bitfold.quant import Layer, QuantisedLayer, quantise, settle, trace
from bitfold.runfile import RunFile
from bitfold.search.build import build
from bitfold.search.device import make_fabric, place
from bitfold.search.evaluate import accuracy
from bitfold.search.hooks import Hooks
from bitfold.search.loop import Trained, train
from bitfold.search.method import Method, Released
from bitfold.search.methods import METHODS
from bitfold.search.metrics import Measured, metrics
from bitfold.search.phases import recipes
from bitfold.search.problem import Problem, pose
from bitfold.search.progress import Progress, Silent


@final
@dataclass(frozen=True, eq=False)
class SearchResult:
    """What a search found, the content of metrics.json, and the finetuned network."""

    policy: BitPolicy
    metrics: dict[str, Any]
    network: nn.Module
    rank: int = 0  # of this process under torchrun; the first one has written the files


def search(run: RunFile, out: Path, progress: Progress | None = None) -> SearchResult:
    """Do the run `run` in the folder `out`; phases that a killed run finished are not redone.

    Under torchrun the processes share the work; the first one writes and reports progress. Writes
    checkpoints/<phase>.pt, policy.json, model.onnx, test.npz and metrics.json. Raises:
    DataError, ConfigError, BudgetError, ArtefactError, MismatchError.
    """
    return _Run(run, out, progress or Silent()).search()


def identity(run: RunFile) -> str:
    """Digest of every setting that trained weights depend on."""
    value = run.model_dump(
        mode="json",
        exclude={
            "data": {"root"},
            "model": {"weights"},
            "train": {"tensorboard"},
            "hardware": True,
        },
    )
    value["target"] = run.hardware.target
    if run.model.weights is not None:
        value["weights"] = digest(run.model.weights)
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


@final
@dataclass(frozen=True, eq=False)
class _Found:
    """What a method leaves."""

    method: Method
    policy: dict[str, LayerBits]
    findings: dict[str, Any]
    released: Released | None


@final
class _Run:
    """What the phases of one run share."""

    def __init__(self, run: RunFile, out: Path, progress: Progress) -> None:
        if run.train.threads:
            torch.set_num_threads(run.train.threads)
        self.run, self.out = run, out
        self.recipes = recipes(run)
        self.fabric = make_fabric(run.train)
        self.progress = progress if self.fabric.is_global_zero else Silent()
        data = load(run.data.name, run.data.root, run.data.qualities, run.data.images)
        self.data = data.to(self.fabric.device)
        self.phases: dict[str, Trained] = {}
        self.choosing = 0.0  # seconds that the method took for the policy, after its training
        self.teacher: nn.Module | None = None  # the float model, once it is trained

    def search(self) -> SearchResult:
        run, data = self.run, self.data
        model = build(run.model, data, run.train.seed)
        layers = trace(model, data.shape)
        problem = self._pose(layers)
        # Made before anything is trained: it refuses what it cannot do.
        method = METHODS[run.search.method](run.search, problem)
        place(model, self.fabric.device)
        if "float" in self.recipes:
            self._train("float", model, Hooks())
        self.teacher = copy.deepcopy(model)
        accuracies = {"float": self._accuracy(model)}
        found = self._find(model, method)
        start = found.released or Released(model=copy.deepcopy(model))
        searched = self._finetune("finetune", start, layers, found.policy, found.method)
        accuracies["searched"] = self._accuracy(searched)
        if run.train.compare_epochs:
            eight = {layer.name: LayerBits(w_bits=8, a_bits=8) for layer in layers}
            start = Released(model=copy.deepcopy(model))
            compared = self._finetune("uniform8", start, layers, eight)
            accuracies["uniform8"] = self._accuracy(compared)
        policy = BitPolicy(layers=found.policy, made_by=self._made_by(problem))
        value: dict[str, Any] = {}
        if self.fabric.is_global_zero:
            value = self._write(searched, policy, problem, found, accuracies)
        value = self.fabric.broadcast(value)
        return SearchResult(policy, value, searched.cpu().eval(), self.fabric.global_rank)

    def _write(
        self,
        searched: nn.Module,
        policy: BitPolicy,
        problem: Problem,
        found: _Found,
        accuracies: dict[str, dict[str, float]],
    ) -> dict[str, Any]:
        """Export the network and write metrics.json; return its content."""
        clock = time.monotonic()
        x, y = self.data.test.x.cpu().numpy(), self.data.test.y.cpu().numpy()
        exported = found.method.exported(searched.cpu())
        agreement = export_model(exported, policy, x, y, self.out)
        written = found.method.write(searched, self.data.to(torch.device("cpu")), self.out)
        seconds = {name: phase.seconds for name, phase in self.phases.items()}
        seconds["policy"] = self.choosing
        seconds["export"] = time.monotonic() - clock
        value = metrics(
            self.run,
            problem,
            Measured(
                policy=found.policy,
                accuracy=accuracies,
                seconds=seconds,
                history={name: phase.history for name, phase in self.phases.items()},
                keep=self.run.train.keep,
                findings={**found.findings, **written.findings},
                agreement=agreement,
                bitops=written.bitops,
                reached=written.reached,
            ),
        )
        write_json(self.out / "metrics.json", value)
        return value

    def _pose(self, layers: tuple[Layer, ...]) -> Problem:
        run = self.run
        return pose(
            layers,
            kind=run.budget.kind,
            value=run.budget.value,
            like_uniform=run.budget.like_uniform,
            bits=run.search.bits,
            first_last=run.search.first_last,
            target=run.hardware.target,
            seed=run.train.seed,
            also=[(each.kind, each.value, each.like_uniform) for each in run.budget.also],
        )

    def _find(self, start: nn.Module, method: Method) -> _Found:
        """Run the method on a copy of the float model `start`."""
        model = copy.deepcopy(start)
        method.prepare(model)
        if "search" in self.recipes:
            self._train("search", model, method)
        clock = time.monotonic()
        method.measure(place(model, self.fabric.device), self.data)
        policy, findings = method.policy(model), method.findings(model)
        self.choosing = time.monotonic() - clock
        return _Found(method, policy, findings, method.release(model))

    def _finetune(
        self,
        phase: str,
        start: Released,
        layers: tuple[Layer, ...],
        policy: dict[str, LayerBits],
        method: Method | None = None,
    ) -> nn.Module:
        model = start.model
        handles: tuple[QuantisedLayer, ...] = ()
        if not start.quantised:
            bits = {n: (b.w_bits, b.a_bits) for n, b in policy.items()}
            handles = quantise(model, layers, bits)
        for handle in handles:
            if handle.layer.name in start.w_steps:
                handle.weight.start_at(start.w_steps[handle.layer.name])
            if handle.layer.name in start.a_steps:
                handle.act.start_at(start.a_steps[handle.layer.name])
        hooks = method.finetuning(handles) if method else Hooks()
        self._train(phase, model, hooks)
        (method.settle if method else settle)(model, handles)
        return model

    def _train(self, phase: str, model: nn.Module, hooks: Hooks) -> None:
        self.phases[phase] = train(
            model,
            self.data,
            self.recipes[phase],
            hooks=hooks,
            fabric=self.fabric,
            path=self.out / "checkpoints" / f"{phase}.pt",
            identity=identity(self.run),
            progress=self.progress,
            teacher=self.teacher,
            events=self.out / "tensorboard" / phase if self.run.train.tensorboard else None,
        )

    def _accuracy(self, model: nn.Module) -> dict[str, float]:
        return {
            "validation": accuracy(model, self.data.validation),
            "test": accuracy(model, self.data.test),
        }

    def _made_by(self, problem: Problem) -> dict[str, Any]:
        return {
            "bitfold": version("bitfold"),
            "method": self.run.search.model_dump(mode="json"),
            "budget": {"kind": problem.costs.kind, "limit": problem.limit},
            "also": [{"kind": b.costs.kind, "limit": b.limit} for b in problem.also],
            "seed": self.run.train.seed,
            "data": self.run.data.name,
        }
