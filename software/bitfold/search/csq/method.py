"""CSQ: every bit of every weight, and every bit of every layer, is a gate that grows hard.

Xiao et al., CSQ: Growing Mixed-Precision Quantization Scheme with Bi-level Continuous
Sparsification, DAC 2023, arXiv:2212.02770. The paper's text was not at hand; this follows the
authors' published code.

As there: gates and weights (`gates`), temperature (`schedule`), the budget-aware regulariser
(`budget`), one mask a bit a layer, a scale a layer, no rounding and nothing straight-through in
weights. With scratch = true, start = "official", decay = true, reweigh = "none" and their end
temperature, a phase is their training, but for what follows.

Differs: powers of two are constant and a layer keeps one bit at least (`gates`); frozen masks get
no gradient, momentum or decay. Activations are LSQ's at one width, since a scale that follows the
greatest value of the batch is none that hardware has; fixed layers stay float in this phase.
N = 7, where the paper has 8: hardware stores two's complement of at most 8 bits, so that n
magnitude bits take n + 1; n is reported as the paper's count, n + 1 is what the budget counts.

Ours: the start from the pretrained network, bits as logits +margin or -margin (the authors train
from scratch, bits starting on the threshold); no decay of gates, masks and scales; a lambda that
grows (growth = 1 for theirs) and leaves alone what would overshoot (`budget`); after T a rise of
the temperature to an end at which all gates are steps (`schedule`); the policy, which
spends what is left of the budget (`weights.fit`); the finetuning, which starts from the hard codes.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from bitfold.policy import LayerBits
from bitfold.runfile import SearchCsq
from bitfold.search.activations import Activations
from bitfold.search.codes import Codes, finer, strip
from bitfold.search.csq.budget import excess, regulariser, target_bits
from bitfold.search.csq.findings import findings, mean_bits
from bitfold.search.csq.gates import PLANES, GatedLayer, gate, restart
from bitfold.search.csq.schedule import Schedule
from bitfold.search.hooks import Group
from bitfold.search.method import Method, Released
from bitfold.search.problem import Problem
from bitfold.search.weights import check, fit, shares


@final
class CSQ(Method):
    """Trains gates, masks and scales; at the end every weight is an integer times its step."""

    def __init__(self, problem: Problem, settings: SearchCsq, a_bits: int) -> None:
        self.problem, self.settings, self.a_bits = problem, settings, a_bits
        check(problem, a_bits)
        self.shares = shares(problem, a_bits, settings.reweigh).tolist()
        self.target = target_bits(problem, a_bits, PLANES)
        self.layers: tuple[GatedLayer, ...] = ()
        self.acts = Activations()
        self.schedule = Schedule.of(1, 1.0, 1.0)
        self.frozen = False
        self.strength = settings.strength  # lambda of the step
        self.trail: list[float] = []  # mean bits after each epoch

    def prepare(self, model: nn.Module) -> None:
        """Gate the weights of the searched layers and quantise what they read."""
        settings, searched = self.settings, self.problem.searched
        if settings.scratch:
            restart(model, searched, self.problem.seed)
        self.acts = Activations.put(model, searched, self.a_bits)
        self.layers = tuple(
            gate(model, layer, settings.start, settings.margin) for layer in searched
        )

    def groups(self, model: nn.Module, weight_decay: float) -> Sequence[Group]:
        """What CSQ adds to the network has groups of its own."""
        ours = [
            *(layer.logits for layer in self.layers),
            *(p for layer in self.layers for p in layer.gates.parameters()),
        ]
        known = {id(parameter) for parameter in ours}
        rest = [p for p in model.parameters() if id(p) not in known]
        return (
            Group(parameters=[p for p in rest if p.ndim > 1], weight_decay=weight_decay),
            Group(parameters=[p for p in rest if p.ndim <= 1], weight_decay=0.0),
            Group(parameters=ours, weight_decay=weight_decay if self.settings.decay else 0.0),
        )

    def start(self, model: nn.Module, steps: int, epochs: int) -> None:
        """Plan the temperatures of the phase."""
        settings = self.settings
        self.schedule = Schedule.of(steps, settings.soft_share, settings.end_temperature)

    def before_step(self, model: nn.Module, step: int) -> None:
        """Set temperature and lambda; freeze the masks from T on."""
        self.frozen = self.schedule.frozen(step)
        self.strength = self.settings.strength * self.settings.growth ** self.schedule.share(step)
        for layer in self.layers:
            layer.gates.temperature.fill_(self.schedule.temperature(step))
            layer.gates.frozen.fill_(self.frozen)

    def penalty(self, model: nn.Module) -> Tensor | None:
        """The regulariser, while masks are soft."""
        if self.frozen or not self.layers:
            return None
        gates = [layer.gates for layer in self.layers]
        return self.strength * regulariser(gates, self.shares, self.target)

    def edit_gradients(self, model: nn.Module) -> None:
        """Freeze: the optimiser passes over a mask that has no gradient, zero being one."""
        if self.frozen:
            for layer in self.layers:
                layer.gates.mask_logits.grad = None

    def after_step(self, model: nn.Module, step: int) -> None:
        """Bound scales and, while they are soft, masks; decide the last gates."""
        closing = self.schedule.closing(step)
        for layer in self.layers:
            layer.gates.bound(masks=not self.frozen)
            if closing:
                layer.decide(closing)

    def after_epoch(self, model: nn.Module, epoch: int) -> Collection[nn.Parameter]:
        """Note how many bits are on."""
        self.trail.append(mean_bits(self.layers))
        return ()

    def scalars(self, model: nn.Module) -> dict[str, float]:
        """The temperature, and how many magnitude bits are on against the target."""
        on = self.trail[-1] if self.trail else 0.0
        gates = [layer.gates for layer in self.layers]
        temperature = gates[0].temperature.item() if gates else 1.0
        return {"temperature": temperature, "mean_bits": on, "target_bits": self.target}

    def state(self) -> dict[str, Any]:
        """Besides gates, which are in the model, what is noted."""
        return {"trail": self.trail}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up the notes."""
        self.trail = list(state["trail"])

    def _codes(self) -> dict[str, Codes]:
        return {layer.layer.name: strip(layer.hard_codes()) for layer in self.layers}

    def policy(self, model: nn.Module) -> dict[str, LayerBits]:
        """Bits of the hard codes and their sign, fitted to the budget. Raises: BudgetError."""
        codes = self._codes()
        wanted = {
            name: LayerBits(w_bits=each.bits + 1, a_bits=self.a_bits)
            for name, each in codes.items()
        }
        harm = {name: each.coarsening_error() for name, each in codes.items()}
        return fit(self.problem, wanted, harm, self.problem.bits)

    def findings(self, model: nn.Module) -> dict[str, Any]:
        """The paper's bits, the codes', how exact the gates are, and r."""
        gates = [layer.gates for layer in self.layers]
        value = findings(self.layers, self._codes())
        if gates:
            over = float(excess(gates, self.shares, self.target))
            value |= {"r": over + self.target / PLANES, "r_target": self.target / PLANES}
        return value | {"bits_by_epoch": self.trail}

    @torch.no_grad()
    def release(self, model: nn.Module) -> Released:
        """Hard codes times steps; where the policy grants other bits, in finer or coarser steps.

        With more bits than the codes need the weights are the same, their codes doubled per bit;
        with fewer, the lowest bits are rounded off.
        """
        chosen, codes = self.policy(model), self._codes()
        steps = {}
        for layer in self.layers:
            name = layer.layer.name
            step = layer.gates.step().detach()
            exact = layer.hard_codes() * step
            parametrize.remove_parametrizations(layer.module, "weight", leave_parametrized=True)
            layer.module.get_parameter("weight").copy_(exact)
            used = finer(step.item(), -codes[name].shift)
            steps[name] = finer(used, chosen[name].w_bits - 1 - codes[name].bits)
        return Released(model=model, w_steps=steps, a_steps=self.acts.remove(model))
