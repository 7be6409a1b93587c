"""Tables, numbers and progress bars in the terminal."""

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from rich.progress import TaskID


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; the first column is left-aligned, the others right-aligned.

    Where nobody looks (a pipe, a log), it is wide enough for all columns.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    shown = Table(title=escape(title), title_justify="left", header_style="bold", box=None)
    for number, name in enumerate(columns):
        shown.add_column(escape(name), justify="right" if number else "left", no_wrap=not number)
    for row in rows:
        shown.add_row(*(escape(str(cell)) for cell in row))
    console.print(shown)


def rates(modes: Sequence[Mapping[str, Any]]) -> None:
    """Print the rate of each precision mode, as `compile.predict_modes` finds it, if there are."""
    rows = [
        (
            str(number),
            grouped(mode["interval_cycles"]),
            grouped(mode["latency_cycles"]),
            grouped(mode["fps"]),
            ", ".join(mode["binding"]),
        )
        for number, mode in enumerate(modes)
    ]
    if rows:
        heads = ("mode", "cycles a frame", "latency", "frames/s", "bound by")
        table("Precision modes, while the network stays in one", heads, rows)


def grouped(value: float | None, digits: int = 0) -> str:
    """1234567 as "1 234 567"; "-" for None."""
    return "-" if value is None else f"{value:,.{digits}f}".replace(",", " ")


def percent(value: float | None, digits: int = 2) -> str:
    """0.987 as "98.70 %"; "-" for None."""
    return "-" if value is None else f"{100 * value:.{digits}f} %"


@final
class Bars:
    """bitfold.search.progress.Progress as bars on stderr: loss, accuracy, time left.

    Without a terminal, one line at the end of each phase.
    """

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._console = Console(stderr=True, highlight=False)
        self._bars = Progress(
            TextColumn("{task.description:12}"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn("loss {task.fields[loss]:6.3f}  accuracy {task.fields[accuracy]:6.2%}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None
        self._phase, self._loss, self._accuracy = "", 0.0, 0.0

    def start(self, phase: str, total: int) -> None:
        """A phase begins."""
        self._phase = phase
        self._task = self._bars.add_task(phase, total=total, loss=0.0, accuracy=0.0)
        self._bars.start()

    def advance(self, loss: float, accuracy: float) -> None:
        """A training step is over."""
        self._loss, self._accuracy = loss, accuracy
        if self._task is not None:
            self._bars.update(self._task, advance=1, loss=loss, accuracy=accuracy)

    def done(self) -> None:
        """The phase is over."""
        if self._task is not None:
            self._bars.update(self._task, completed=self._bars.tasks[self._task].total)
        if not self._console.is_terminal:
            self._console.print(
                f"{self._phase}: loss {self._loss:.3f}, training accuracy {self._accuracy:.2%}"
            )

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._bars.stop()
