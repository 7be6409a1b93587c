"""`bitfold run`: samples through a board that carries the design."""

from pathlib import Path

import click


@click.command("run", short_help="Samples through the board on a serial port.")
@click.argument("design", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--port", required=True, help="Serial port, as in /dev/ttyUSB0.")
@click.option(
    "--samples",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=".npz with x and maybe y.  [default: test.npz beside DESIGN, else random inputs]",
)
@click.option("--count", type=click.IntRange(min=1), default=100, show_default=True)
@click.option("--baud", type=int, help="[default: that of DESIGN's bitstream]")
@click.option(
    "--mode", type=click.IntRange(min=0), help="Precision mode, of a design with several."
)
@click.option("--timeout", "timeout_s", type=float, default=5.0, show_default=True, help="Seconds.")
def command(
    *,
    design: Path,
    port: str,
    samples: Path | None,
    count: int,
    baud: int | None,
    mode: int | None,
    timeout_s: float,
) -> None:
    """Send samples to the board on a serial port; every integer must equal the golden model's.

    \b
    Example:
      bitfold run build/digits/design --port /dev/ttyUSB0 --count 20
      bitfold run build/dqmq/design --port /dev/ttyUSB0 --mode 2    (default: mode 0)
    """
    import numpy as np

    from bitfold.compiler.design import frame_bytes, read_design
    from bitfold.errors import MismatchError
    from bitfold.host.link import check_board, open_link
    from bitfold.sim.modes import held_run
    from bitfold.sim.samples import random_samples, read_samples
    from bitfold.synth.bitstream import serial_baud
    from bitfold.synth.source import design_id

    read = read_design(design)
    graph = read.graph()
    baud = baud or serial_baud(design / "bitstream" / "bitstream.json")
    beside = design.parent / "test.npz"
    samples = samples or (beside if beside.is_file() else None)
    click.echo(f"inputs: {samples or 'random (no --samples, no test.npz beside the design)'}")
    codes, labels = (
        read_samples(samples, graph) if samples else (random_samples(graph, count), None)
    )
    codes = codes[:count]
    wanted = held_run(read, len(codes), mode)
    golden = wanted.golden(codes)
    outputs = []
    with open_link(port, baud=baud, timeout_s=timeout_s) as link:
        check_board(
            link,
            frame_bytes=read.input["bytes_per_frame"],
            outputs=read.output["count"],
            design_id=design_id(read),
        )
        for number, frame in enumerate(codes):
            given = wanted.sequence[0] if wanted.sequence else None
            outputs.append(link.run(frame_bytes(graph, frame[None]), given))
            line = f"{number}: {' '.join(map(str, outputs[-1]))}"
            if len(graph.output_type.shape) == 1:
                line += f"  class {wanted.reals(outputs[-1][None])[0].argmax()}"
            click.echo(line + (f"  label {labels[number]}" if labels is not None else ""))
    wrong = int((np.array(outputs) != golden).sum())
    click.echo(f"{len(codes)} frames, {golden.size} integers, {wrong} differ from the golden model")
    if wrong:
        raise MismatchError(
            f"{port}: {wrong} of {golden.size} integers of the board differ from the golden model"
        )
