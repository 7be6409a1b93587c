"""The phases of a run, each with its recipe."""

from collections.abc import Mapping
from dataclasses import replace

from bitfold.errors import ConfigError
from bitfold.runfile import RunFile, TrainedSearch
from bitfold.search.recipe import Recipe


def recipes(run: RunFile) -> Mapping[str, Recipe]:
    """Recipe of each phase that the run has: of float, search, finetune, uniform8.

    The 8-bit comparison is finetuned like the policy, its warm-up in proportion to its epochs. The
    search phase has neither averaged weights nor a best epoch: what a method learns need not have
    an average, and is no classifier to validate. Only the float network is compiled: torch cannot
    trace the tensors that pass between Brevitas' layers. Raises: ConfigError.
    """
    settings, method = run.train, run.search
    shared = Recipe(
        phase="finetune",
        epochs=settings.finetune_epochs,
        lr=settings.finetune_lr,
        batch=settings.batch,
        seed=settings.seed,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
        label_smoothing=settings.label_smoothing,
        augment=run.data.augment,
        schedule=settings.schedule,
        milestones=settings.milestones,
        factor=settings.factor,
        clip_norm=settings.clip_norm,
        temperature=settings.distill_temperature,
    )
    finetuning = replace(
        shared,
        warmup=settings.finetune_warmup,
        reestimate=True,
        ema=settings.ema,
        keep=settings.keep,
        distill=settings.finetune_distill,
    )
    phases: list[Recipe] = []
    if settings.float_epochs:
        training = replace(
            shared,
            phase="float",
            epochs=settings.float_epochs,
            lr=settings.float_lr,
            warmup=settings.float_warmup,
            ema=settings.ema,
            keep=settings.keep,
            compile=settings.compile,
        )
        phases.append(training)
    if isinstance(method, TrainedSearch):
        if settings.search_warmup >= method.epochs:
            raise ConfigError(
                f"[train] search_warmup must be less than [search] epochs = {method.epochs}, "
                f"got {settings.search_warmup}"
            )
        search = replace(
            shared,
            phase="search",
            epochs=method.epochs,
            lr=method.lr,
            warmup=settings.search_warmup,
            distill=settings.search_distill,
            validate=False,
        )
        phases.append(search)
    phases.append(finetuning)
    if settings.compare_epochs:
        share = settings.finetune_warmup / settings.finetune_epochs
        comparison = replace(
            finetuning,
            phase="uniform8",
            epochs=settings.compare_epochs,
            warmup=share * settings.compare_epochs,
        )
        phases.append(comparison)
    return {recipe.phase: recipe for recipe in phases}
