"""Which model a phase ends with: of the last epoch, or of the best one."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, final

from torch import Tensor, nn


@final
class Keeper:
    """Remembers the model to end with, where that is not simply the one that was trained last.

    "best" is by validation accuracy; among equals, the latest epoch.
    """

    def __init__(self, how: Literal["last", "best"], *, always: bool) -> None:
        self.how, self.always = how, always
        self.best: float | None = None
        self.model: dict[str, Tensor] = {}

    def note(self, model: nn.Module, validation: float | None) -> None:
        """An epoch is over; `model` is as it was validated."""
        if self.how == "best" and validation is not None:
            if self.best is not None and validation < self.best:
                return
            self.best = validation
        elif not self.always:
            return
        self.model = {name: value.clone() for name, value in model.state_dict().items()}

    def finish(self, model: nn.Module) -> None:
        """The phase is over: leave the kept model in `model`."""
        if self.model:
            model.load_state_dict(self.model)

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {"best": self.best, "model": self.model}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up the `state` of a checkpoint."""
        self.best, self.model = state["best"], dict(state["model"])


def summary(history: Sequence[Mapping[str, Any]], how: str) -> dict[str, Any] | None:
    """Validation accuracies of a phase for metrics.json; None if it was not validated.

    {"kept": "last" or "best", "last": {"epoch", "validation"}, "best": the same}.
    """
    seen = [entry for entry in history if "validation" in entry]
    if not seen:
        return None
    best = max(seen, key=lambda entry: (entry["validation"], entry["epoch"]))
    shown = {"last": seen[-1], "best": best}
    return {"kept": how} | {
        name: {key: entry[key] for key in ("epoch", "validation")} for name, entry in shown.items()
    }
