"""The one training loop: every phase of every method goes through `train`."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from lightning_fabric import Fabric
from torch import Tensor, nn

from bitfold.data import DataSet
from bitfold.search import checkpoint, guard
from bitfold.search.batches import batches, epoch_seed, steps_of
from bitfold.search.device import place
from bitfold.search.ema import Ema
from bitfold.search.evaluate import accuracy, reestimate_norms
from bitfold.search.events import Events, opened
from bitfold.search.hooks import Hooks
from bitfold.search.keep import Keeper
from bitfold.search.parallel import check_batch, check_equal, slice_of
from bitfold.search.progress import Progress
from bitfold.search.recipe import Recipe
from bitfold.search.step import Stepper


@final
@dataclass(frozen=True, eq=False)
class Trained:
    """What a phase leaves besides the model: one entry per epoch, and the time it took."""

    history: list[dict[str, Any]]
    seconds: float


def train(
    model: nn.Module,
    data: DataSet,
    recipe: Recipe,
    *,
    hooks: Hooks,
    fabric: Fabric,
    path: Path,
    identity: str,
    progress: Progress,
    teacher: nn.Module | None = None,
    events: Path | None = None,
) -> Trained:
    """Train `model` in place, or continue from the checkpoint at `path`.

    Every epoch ends in a checkpoint, and draws only from a generator seeded by (seed, phase,
    epoch): a run that is killed and started again gives the same weights, bit for bit. `hooks` add
    to the plain loss and step. Under several processes each trains on its slice of every batch, all
    end with the same model, and the first one writes. `teacher` gives the soft labels where the
    recipe distils, and is frozen. `events` is a folder for TensorBoard. Raises: ConfigError when
    loss, gradients or weights are not finite, or a batch has no equal slices; ArtefactError,
    ConfigError for a checkpoint that is damaged or of other settings; MismatchError when processes
    end an epoch with unequal models.
    """
    check_batch(min(recipe.batch, len(data.train)))
    phase = _Phase(
        model,
        data.to(fabric.device),
        recipe,
        hooks=hooks,
        fabric=fabric,
        teacher=teacher,
        progress=progress,
    )
    hooks.start(model, phase.stepper.steps, recipe.epochs)
    found = checkpoint.read(path, identity, recipe.phase)
    first, spent, history = 0, 0.0, []
    if found is not None:
        phase.restore(found, path)
        first, spent, history = found.epoch, found.seconds, list(found.history)
    steps = phase.stepper.steps // recipe.epochs
    progress.start(recipe.phase, steps * (recipe.epochs - first))
    clock = time.monotonic()
    logged = events if fabric.is_global_zero and first < recipe.epochs else None
    with opened(logged, first * steps) as log:
        for epoch in range(first, recipe.epochs):
            entry = phase.train(epoch, log)
            phase.validate(entry)
            history.append(entry)
            phase.log(entry, log)
            reached = checkpoint.Checkpoint(
                identity=identity,
                phase=recipe.phase,
                epoch=epoch + 1,
                seconds=spent + time.monotonic() - clock,
                model=model.state_dict(),
                optimiser=phase.stepper.optimiser.state_dict(),
                hooks=hooks.state(),
                ema=phase.ema.state() if phase.ema else {},
                kept=phase.keeper.state(),
                history=history,
            )
            if fabric.is_global_zero:
                reached.write(path)
    phase.keeper.finish(model)
    progress.done()
    return Trained(history, spent + time.monotonic() - clock)


@final
class _Phase:
    """What the epochs of a phase share."""

    def __init__(
        self,
        model: nn.Module,
        data: DataSet,
        recipe: Recipe,
        *,
        hooks: Hooks,
        fabric: Fabric,
        teacher: nn.Module | None,
        progress: Progress,
    ) -> None:
        self.model, self.data, self.recipe = place(model, fabric.device), data, recipe
        self.hooks, self.progress = hooks, progress
        self.stepper = Stepper(
            model,
            recipe,
            hooks=hooks,
            fabric=fabric,
            steps=steps_of(data.train, recipe.batch) * recipe.epochs,
            teacher=place(teacher, fabric.device) if teacher else None,
        )
        self.ema = Ema(recipe.ema) if recipe.ema else None
        self.keeper = Keeper(recipe.keep, always=self.ema is not None)

    def restore(self, found: checkpoint.Checkpoint, path: Path) -> None:
        """Take up a checkpoint, which was read from `path`."""
        with checkpoint.fitting(path):
            self.model.load_state_dict(found.model)
            self.stepper.optimiser.load_state_dict(found.optimiser)
        self.hooks.restore(found.hooks)
        if self.ema:
            self.ema.restore(found.ema, self.data.train.x.device)
        self.keeper.restore(found.kept)

    def train(self, epoch: int, log: Events) -> dict[str, Any]:
        """Train one epoch; return its entry for the history."""
        recipe, steps = self.recipe, self.stepper.steps // self.recipe.epochs
        self.model.train()
        total, right, seen = 0.0, 0, 0
        seed = epoch_seed(recipe.seed, recipe.phase, epoch)
        drawn = batches(self.data.train, recipe.batch, recipe.augment, seed)
        for step, (x, y) in enumerate(drawn, start=epoch * steps):
            done = self.stepper(slice_of(x), slice_of(y), step)
            if self.ema:
                self.ema.update(self.model)
            total, right, seen = total + done.loss, right + done.right, seen + done.seen
            self.progress.advance(done.loss, right / seen)
            shown = {"loss": done.loss, "accuracy": done.right / done.seen, "lr": done.lr}
            log.write(step, "step", shown)
        renewed = self.hooks.after_epoch(self.model, epoch)
        for parameter in renewed:
            self.stepper.optimiser.state.pop(parameter, None)
        if self.ema:
            self.ema.restart(self.model, renewed)
        guard.check_weights(self.model, self.stepper.where((epoch + 1) * steps - 1))
        check_equal(self.model, f"phase {recipe.phase!r}, epoch {epoch + 1} of {recipe.epochs}")
        return {
            "epoch": epoch,
            "loss": total / steps,
            "accuracy": right / seen,
            "lr": self.stepper.rate,
        }

    def validate(self, entry: dict[str, Any]) -> None:
        """Validate the trained model, or the average of its weights; note what may be kept."""
        trained: dict[str, Tensor] = {}
        if self.ema:
            trained = {name: value.clone() for name, value in self.model.state_dict().items()}
            self.model.load_state_dict(trained | self.ema.average)
        if self.recipe.reestimate:
            reestimate_norms(self.model, self.data.train.x)
        if self.recipe.validate:
            entry["validation"] = accuracy(self.model, self.data.validation)
        self.keeper.note(self.model, entry.get("validation"))
        if trained:
            self.model.load_state_dict(trained)

    def log(self, entry: dict[str, Any], log: Events) -> None:
        """Note an epoch at its last step: its entry of the history, and what the hooks show."""
        step = (entry["epoch"] + 1) * (self.stepper.steps // self.recipe.epochs) - 1
        names = [name for name in ("loss", "accuracy", "validation") if name in entry]
        log.write(step, "epoch", {name: entry[name] for name in names})
        log.write(step, "method", self.hooks.scalars(self.model))
