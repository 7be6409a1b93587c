"""How hot the gates are at every step, and from where on masks are steps.

CSQ, as the authors' code has it: temperature = 200 ** (t / T), from 1 up to 200 at T, and on by the
same law to the end of training; from T on the masks are 0 or 1. T / training is 250 / 300 in their
older recipe (ours by default) and 595 / 600 in the newer. They count epochs, we steps.

Ours: a hotter end, which bits go to once the masks have been decided at the authors' temperatures.
(Masks decide while temperature * |logit| is small; on the way to a hotter end at T that takes so
few steps that all of them went to one side together.) A gate differs from a step by
exp(-temperature * |logit|). Nothing pulls a logit that lies outside a few times 1 / temperature of
the threshold; inside, a gradient as large as the temperature drives it out, given time. A rare one
is left at the end, and may leave a code half a step off: so in the last steps (CLOSING) logits are
kept off the threshold, farther with every step, until all gates are steps (`gates.decide`) and no
code can move. 1e5 for END cost the shortest accuracy: gates harden before they have adapted.
scripts/acceptance/csq.py prints codes that moved, and accuracy, by length and end.
"""

from dataclasses import dataclass
from typing import Self, final

AUTHORS, END = 200.0, 3e4  # temperatures at T and at the end
CLOSING = 0.05  # share of the steps in which the last gates are decided


@final
@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Temperatures of a phase; steps count from 0."""

    soft_steps: int  # T: masks are soft before this step
    steps: int
    masks_end: float  # at T
    end: float  # after the last step, where that is hotter than masks_end's law

    @classmethod
    def of(cls, steps: int, soft_share: float, end: float | None) -> Self:
        """The schedule of a phase of `steps` steps; `end` None: END."""
        soft = max(round(soft_share * steps), 1)
        if end is not None:
            return cls(soft_steps=soft, steps=steps, masks_end=end, end=end)
        return cls(soft_steps=soft, steps=steps, masks_end=AUTHORS, end=END)

    def temperature(self, step: int) -> float:
        """Of gates and soft masks."""
        law = float(self.masks_end ** (step / self.soft_steps))
        if step <= self.soft_steps:
            return law
        over = (step - self.soft_steps) / (self.steps - self.soft_steps)
        return max(law, float(self.masks_end * (self.end / self.masks_end) ** over))

    def share(self, step: int) -> float:
        """Of the steps in which masks are soft, how many are over, 0..1."""
        return min(step / self.soft_steps, 1.0)

    def closing(self, step: int) -> float:
        """How far the last gates are decided, 0..1 after the last step; 0 at the authors' law."""
        hot = self.steps - self.soft_steps
        if self.end == self.masks_end or hot < 1:
            return 0.0
        left = self.steps - 1 - step
        return max(1 - left / max(min(CLOSING * self.steps, hot), 1), 0.0)

    def frozen(self, step: int) -> bool:
        """Whether masks are 0 or 1, and are trained no more."""
        return step >= self.soft_steps
