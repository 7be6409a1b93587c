"""DQMQ: a policy picks the bits of every layer for each input, learned jointly with the network.

Data Quality-aware Mixed-precision Quantization via Hybrid Reinforcement Learning, IEEE TNNLS 2024,
arXiv:2302.04453. Only the abstract was at hand, no code is public. Certain from it: a bit-width
policy learned jointly with quantisation training, on data of mixed quality; bit sampling relaxed to
a continuous distribution with few learnable parameters, so that all is trained end to end on task
performance and quantisation benefit; posed as model-based policy optimisation plus supervised
training. EVERYTHING ELSE HERE IS A RECONSTRUCTION in that spirit: the policy's features and shape,
the truncated Gaussian, the estimators, the objective, the schedules, the modes, and that a lower
precision is the leading bit-planes of one stored precision, which is what bit-serial hardware can
do at run time. No figure of the paper may be compared with this.

Objective: cross-entropy + strength * max(0, mean cost / budget - 1) - entropy * H(policy). The mean
is over the batch, since a budget on each input would forbid to spend more on some of them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor, nn

from bitfold.data import DataSet
from bitfold.errors import ConfigError
from bitfold.policy import LayerBits
from bitfold.quant import QuantisedLayer, processes
from bitfold.runfile import SearchDqmq
from bitfold.search.dqmq.decision import Decision
from bitfold.search.dqmq.dynamic import DynamicNet
from bitfold.search.dqmq.grids import put_grids
from bitfold.search.dqmq.mixed import Decide, make_mixed
from bitfold.search.dqmq.modes import Costs, Floats, ModeSet, choose_modes
from bitfold.search.dqmq.relax import entropy, score_loss
from bitfold.search.dqmq.release import dynamic_network, mode_bits, stored_bits
from bitfold.search.dqmq.single import settle_modes, single_mode
from bitfold.search.dqmq.write import write_modes
from bitfold.search.evaluate import BATCH
from bitfold.search.hooks import Backward, Group, Pass
from bitfold.search.method import Method, Released, Written
from bitfold.search.problem import Problem

BASELINE_DECAY = 0.9  # of the mean reward that REINFORCE subtracts
GRADIENT_LIMIT = 1.0  # elementwise, as in LIMPQ's joint training at many widths
FIRST_TAU, LAST_TAU = 2.0, 0.3
START_MARGIN = 0.02  # bits that the policy's first means stay away from the ends


@final
class DQMQ(Method):
    """Warm-up at random bits, then the policy with the network; modes; finetuning at the modes."""

    def __init__(self, problem: Problem, settings: SearchDqmq) -> None:
        """Raises: ConfigError for a single candidate or further budgets."""
        self.problem, self.settings = problem, settings
        self.costs = Costs(problem)
        self.share = 0.0  # of the phase that is over
        self.baseline: float | None = None
        self.modes: ModeSet | None = None
        self.expected = 0.0
        if len(problem.bits) < 2:
            raise ConfigError(
                f"[search] bits: dqmq needs at least two candidates, got {list(problem.bits)}"
            )
        if problem.also:
            raise ConfigError(
                "[budget] also: dqmq keeps one budget, as a mean over inputs; leave the others out"
            )

    def prepare(self, model: nn.Module) -> None:
        """Swap the searched layers and put the policy at the input; other layers stay float."""
        layers, settings = self.problem.searched, self.settings
        first = self.problem.costs.layers[0]
        torch.manual_seed(self.problem.seed)
        decision = Decision(
            len(layers),
            self.problem.bits,
            categorical=settings.head == "categorical",
            blind=settings.blind,
        )
        decision.start_at(self._mean_within_budget(decision))
        put_grids(model)
        make_mixed(model, layers, first.feeder, self.problem.bits, decision)

    def groups(self, model: nn.Module, weight_decay: float) -> Sequence[Group]:
        """The policy has its own rate and no decay."""
        decision = self._decide(model).decision
        own = {id(p) for p in decision.parameters()}
        others = [p for p in model.parameters() if id(p) not in own]
        scale = self.settings.policy_lr / self.settings.lr
        return (
            Group(parameters=[p for p in others if p.ndim > 1], weight_decay=weight_decay),
            Group(parameters=[p for p in others if p.ndim <= 1], weight_decay=0.0),
            Group(parameters=list(decision.parameters()), weight_decay=0.0, lr_scale=scale),
        )

    def start(self, model: nn.Module, steps: int, epochs: int) -> None:
        """Schedules run over all steps."""
        self.steps = steps

    def before_step(self, model: nn.Module, step: int) -> None:
        """Random bits first; then draws of the policy at a falling temperature."""
        self.share = step / self.steps
        decide = self._decide(model)
        warm = self.share < self.settings.warm_up
        decide.decision.standardise.learning = warm
        decide.how = "uniform" if warm else self.settings.estimator
        decide.tau = FIRST_TAU * (LAST_TAU / FIRST_TAU) ** self._learned

    def gradients(self, model: nn.Module, step: int, one_pass: Pass, backward: Backward) -> float:
        """One pass. REINFORCE adds its score term, with the mean loss of the batch as reward."""
        loss = one_pass()
        total = loss
        if self.share >= self.settings.warm_up:
            total = loss + self.penalty(model)
            if self.settings.estimator == "reinforce":
                choice = self._decide(model).choice
                mean = processes.mean(loss.detach()).item()
                before = mean if self.baseline is None else self.baseline
                total = total + score_loss(choice.log_p, choice.weights, mean - before)
                self.baseline = BASELINE_DECAY * before + (1 - BASELINE_DECAY) * mean
        backward(total)
        return loss.item()

    def penalty(self, model: nn.Module) -> Tensor:
        """What the budget and the entropy add, from the policy's outputs of the last pass.

        Costs are linear in a layer's choice, so their expectation needs no draw; of cycles it is
        the slowest layer's expectation.
        """
        log_p = self._decide(model).choice.log_p
        table = torch.as_tensor(self.costs.table, dtype=log_p.dtype, device=log_p.device)
        parts = (log_p.exp() * table).sum(2)
        fixed = self.problem.fixed_cost
        if self.costs.slowest_counts:
            mean = parts.amax(1).clamp(min=fixed).mean()
        else:
            mean = parts.sum(1).mean() + fixed
        if processes.count() > 1:  # the value over all processes, the gradient of its own slice
            mean = processes.mean(mean.detach()) + (mean - mean.detach())
        over = (mean / self.costs.limit - 1).clamp(min=0)
        bonus = self.settings.entropy * (1 - self._learned)
        return self.settings.strength * over - bonus * entropy(log_p)

    def edit_gradients(self, model: nn.Module) -> None:
        """Clip each element."""
        nn.utils.clip_grad_value_(model.parameters(), GRADIENT_LIMIT)

    def state(self) -> dict[str, Any]:
        """REINFORCE's baseline."""
        return {"baseline": self.baseline}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take it up."""
        self.baseline = state["baseline"]

    def measure(self, model: nn.Module, data: DataSet) -> None:
        """Choose the modes, on the policy's outputs for all training and validation inputs."""
        decision = self._decide(model).decision.eval()
        held = log_probabilities(decision, data.validation.x)
        self.expected = float(self.costs.expected(held).mean())
        self.modes = choose_modes(
            log_probabilities(decision, data.train.x),
            held,
            self.costs,
            most=self.settings.modes,
            least_share=self.settings.least_share,
        )

    def policy(self, model: nn.Module) -> dict[str, LayerBits]:
        """The stored precision: the greatest bits that any mode has in a layer."""
        assert self.modes is not None
        return stored_bits(mode_bits(self.problem, self.modes))

    def findings(self, model: nn.Module) -> dict[str, Any]:
        """The price of the budget, what the policy expected to spend without it, and its size.

        expected_cost: mean over validation inputs, in the budget's unit.
        """
        assert self.modes is not None
        parameters = self._decide(model).decision.parameters()
        return {
            "modes": len(self.modes.picks),
            "price": self.modes.price,
            "expected_cost": self.expected,
            "policy_parameters": sum(p.numel() for p in parameters),
        }

    def release(self, model: nn.Module) -> Released:
        """The dynamic network: weights of the search, steps of the stored precision."""
        assert self.modes is not None
        decision = self._decide(model).decision
        network = dynamic_network(model, decision, self.problem, self.modes, self.costs)
        return Released(model=network, quantised=True)

    def settle(self, network: nn.Module, handles: Sequence[QuantisedLayer]) -> None:
        """Every mode has accumulators of its own."""
        assert isinstance(network, DynamicNet)
        settle_modes(network, self.problem.costs.layers)

    def exported(self, network: nn.Module) -> nn.Module:
        """model.onnx holds the stored precision."""
        assert isinstance(network, DynamicNet)
        return single_mode(network, self.problem.costs.layers, network.stored)

    def write(self, network: nn.Module, data: DataSet, folder: Path) -> Written:
        """policy.onnx, modes.json and modes/N.onnx."""
        assert isinstance(network, DynamicNet)
        return write_modes(network, data, folder, self.problem)

    @property
    def _learned(self) -> float:
        """Share of the policy's own steps that are over."""
        warm = self.settings.warm_up
        return max(0.0, (self.share - warm) / (1 - warm))

    def _mean_within_budget(self, decision: Decision) -> float:
        """The mean, alike in every layer, at which the policy expects to spend the budget.

        From there the task pulls up and the budget holds; a policy that starts far above would be
        thrown far below.
        """
        low, high = self.problem.bits[0] + START_MARGIN, self.problem.bits[-1] - START_MARGIN
        image = torch.zeros(1, 1, 3, 3)
        while high - low > START_MARGIN / 2:
            decision.start_at((low + high) / 2)
            spent = self.costs.expected(log_probabilities(decision.eval(), image))[0]
            if spent > self.costs.limit:
                high = (low + high) / 2
            else:
                low = (low + high) / 2
        decision.train()
        return low

    def _decide(self, model: nn.Module) -> Decide:
        found = model.get_submodule(self.problem.costs.layers[0].feeder)
        assert isinstance(found, Decide)
        return found


@torch.no_grad()
def log_probabilities(decision: Decision, x: Tensor) -> Floats:
    """Of all images x (N, C, H, W), without gradients. Shape (N, layers, candidates)."""
    device = decision.last.weight.device
    parts = [decision(part.to(device)).cpu() for part in x.split(BATCH)]
    return torch.cat(parts).double().numpy()
