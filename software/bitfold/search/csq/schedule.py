"""How hot the gates are at every step, and from where on masks are steps.

CSQ, as the authors' code has it: temperature = 200 ** (t / T), from 1 up to 200 at T, and on by the
same law to the end of training; from T on the masks are 0 or 1. T / training is 250 / 300 in their
older recipe (ours by default) and 595 / 600 in the newer. They count epochs, we steps.

Ours: a hotter end, which bits go to once the masks have been decided at the authors' temperatures.
(Masks decide while temperature * |logit| is small; on the way to a hotter end at T that takes so
few steps that all of them went to one side together.) A gate differs from a step by
exp(-temperature * |logit|), so logits within 6.2 / temperature of the threshold may leave a code
half a step off (6.2 is the logarithm of 4 * 127). Outside, nothing pulls; inside, a gradient as
large as the temperature drives logits out, given time. At END no code moved in phases of 95 to
7,600 steps; 1e5 cost the shortest accuracy: gates harden before they have adapted. Nothing
guarantees that no code moves: findings count them, and scripts/acceptance/csq.py prints codes that
moved, and accuracy, by length and end.
"""

from dataclasses import dataclass
from typing import Self, final

AUTHORS, END = 200.0, 3e4  # temperatures at T and at the end


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

    def frozen(self, step: int) -> bool:
        """Whether masks are 0 or 1, and are trained no more."""
        return step >= self.soft_steps
