"""TensorBoard's event files of a phase: what happens at every step, and after every epoch."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


@final
class Events:
    """Scalars over the phase's steps; writes nothing without a writer."""

    def __init__(self, writer: "SummaryWriter | None") -> None:
        self._writer = writer

    def write(self, step: int, group: str, scalars: Mapping[str, float]) -> None:
        """Note the scalars as group/name at `step`."""
        if self._writer is not None:
            for name, value in scalars.items():
                self._writer.add_scalar(f"{group}/{name}", value, step)


@contextmanager
def opened(folder: Path | None, step: int) -> Iterator[Events]:
    """Events written into `folder` from `step` on, where a resumed phase replaces what it redoes.

    None: none are written, and TensorBoard is not imported.
    """
    if folder is None:
        yield Events(None)
        return
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(folder), purge_step=step)
    try:
        yield Events(writer)
    finally:
        writer.close()
