"""How a long run says where it is. The library never prints; the caller shows."""

from typing import Protocol, final


class Progress(Protocol):
    """Called in the order start, advance..., done, once per phase."""

    def start(self, phase: str, total: int) -> None:
        """A phase begins; `total` calls of `advance` remain (fewer on a resumed run)."""

    def advance(self, loss: float, accuracy: float) -> None:
        """One training step is over: its loss, and the epoch's training accuracy so far (0..1)."""

    def done(self) -> None:
        """The phase is over."""


@final
class Silent:
    """Shows nothing."""

    def start(self, phase: str, total: int) -> None:
        """Do nothing."""

    def advance(self, loss: float, accuracy: float) -> None:
        """Do nothing."""

    def done(self) -> None:
        """Do nothing."""
