"""The learning rate of every step."""

import math

from bitfold.search.recipe import Recipe


def factor(recipe: Recipe, step: int, steps: int) -> float:
    """What the recipe's rate is multiplied by at step `step` (from 0) of `steps` in the phase.

    Warm-up rises linearly and reaches 1 at its last step. Then a cosine falls to 0 over the rest of
    the phase, or the milestones that have passed multiply by `recipe.factor` each.
    """
    warm = round(steps * recipe.warmup / recipe.epochs)
    if step < warm:
        return (step + 1) / warm
    if recipe.schedule == "step":
        passed = sum(step >= milestone * steps for milestone in recipe.milestones)
        return float(recipe.factor**passed)
    return (1 + math.cos(math.pi * ((step - warm) / (steps - warm)))) / 2
