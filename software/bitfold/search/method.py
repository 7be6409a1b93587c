"""What a search method is: hooks of its search phase, a policy, where finetuning starts."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from torch import nn

from bitfold.data import DataSet
from bitfold.policy import LayerBits
from bitfold.quant import QuantisedLayer, settle
from bitfold.search.hooks import Hooks


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Released:
    """What a search leaves for the finetuning at its policy: a plain float model and steps.

    Steps are by layer name; a layer that is not named starts as LSQ starts. A model that is
    `quantised` already is finetuned as it is.
    """

    model: nn.Module
    quantised: bool = False
    w_steps: Mapping[str, float] = field(default_factory=dict)
    a_steps: Mapping[str, float] = field(default_factory=dict)


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Written:
    """What `Method.write` measured: JSON values for the findings in metrics.json.

    bitops, reached: mean BitOps and mean cost (in the budget's kind) over the validation inputs,
    where bits differ between inputs; None: those of the policy.
    """

    findings: Mapping[str, Any] = field(default_factory=dict)
    bitops: float | None = None
    reached: float | None = None


class Method(Hooks, ABC):
    """One paper a file (or a folder). Its search phase trains a copy of the float model."""

    @abstractmethod
    def prepare(self, model: nn.Module) -> None:
        """Swap layers of the pretrained float model, in place."""

    def measure(self, model: nn.Module, data: DataSet) -> None:
        """Look at the searched model with data, before `policy`. The same data, the same result."""

    @abstractmethod
    def policy(self, model: nn.Module) -> dict[str, LayerBits]:
        """The result: bits of every layer, within the budget. Raises: BudgetError."""

    def release(self, model: nn.Module) -> Released | None:
        """Turn the searched model, which may be changed, into what finetuning starts from.

        None: from the pretrained float model with fresh steps. Called once, after `policy`.
        """
        return None

    def finetuning(self, handles: Sequence[QuantisedLayer]) -> Hooks:
        """What this method adds to the finetuning of the network with these quantised layers."""
        return Hooks()

    def findings(self, model: nn.Module) -> dict[str, Any]:
        """What the method learned besides, as JSON values for metrics.json. Before `release`."""
        return {}

    def settle(self, network: nn.Module, handles: Sequence[QuantisedLayer]) -> None:
        """Keep accumulators of the finetuned network off rounding boundaries, in place."""
        settle(network, handles)

    def exported(self, network: nn.Module) -> nn.Module:
        """What model.onnx holds of the finetuned network: Brevitas layers at the policy's bits."""
        return network

    def write(self, network: nn.Module, data: DataSet, folder: Path) -> Written:
        """Write what belongs beside model.onnx, which is in `folder` already."""
        return Written()
