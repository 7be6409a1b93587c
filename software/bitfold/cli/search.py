"""`bitfold search`: learn the bits of every layer, and export the network."""

from pathlib import Path

import click


@click.command("search", short_help="Learn the bits of every layer; export QONNX.")
@click.argument("run_file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(file_okay=False, path_type=Path), help="[default: build/NAME]"
)
def command(run_file: Path, out: Path | None) -> None:
    """Train the network of RUN_FILE, find its bits under the budget, finetune, export.

    Writes policy.json, model.onnx (QONNX), test.npz, metrics.json and checkpoints. A run that was
    stopped goes on where it was when the same command is given again. torchrun starts it in
    several processes, which share every batch.

    \b
    Example:
      bitfold search runs/digits.toml -o build/digits
      torchrun --nproc-per-node=2 --no-python bitfold search runs/cifar10.toml
    """
    import logging

    # It says on import that no CUDA runtime was found, which nobody asked for.
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)

    from bitfold.cli.show import Bars, grouped, percent, table
    from bitfold.quant import processes
    from bitfold.runfile import read_run
    from bitfold.search.run import search

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    run = read_run(run_file)
    out = out or Path("build") / run_file.stem
    bars = Bars()
    try:
        result = search(run, out, bars)
    finally:
        bars.close()
    processes.leave()
    if result.rank:
        return
    found = result.metrics
    table(
        f"{run_file.name}: bits found by {found['method']['method']}",
        ("layer", "weight bits", "activation bits", "BitOps"),
        [(x["name"], x["w_bits"], x["a_bits"], grouped(x["bitops"])) for x in found["layers"]],
    )
    table(
        "Accuracy",
        ("network", "validation", "test"),
        [(k, percent(v["validation"]), percent(v["test"])) for k, v in found["accuracy"].items()],
    )
    for limit in (found["budget"], *found["budget"]["also"]):
        click.echo(f"{limit['kind']}: {grouped(limit['reached'])} of {grouped(limit['wanted'])}")
    click.echo(f"{out}: policy.json, model.onnx, test.npz, metrics.json")
