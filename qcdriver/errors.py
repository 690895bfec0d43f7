"""The error family: each class says what would help, and which exit code the program ends with.

Engines and stages raise; `qcdriver.execution.local.worker` alone turns an exception into a failed outcome, and
`qcdriver.cli` alone turns one into a line for a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class QcdriverError(Exception):
    """Base of every error this program raises on purpose; what it says is one clear line.

    Parameters
    ----------
    message
        What is wrong.
    calculation
        The label of the calculation that met it, if that has to be said before the message.
    """

    exit_code = 1

    def __init__(self, message: str = "", calculation: str | None = None) -> None:
        super().__init__(f"{calculation}: {message}" if calculation else message)
        self.message = message


class InputError(QcdriverError):
    """The request itself is wrong: retrying never helps. The message names where, what, and what would be right."""

    exit_code = 2


class MissingError(QcdriverError):
    """A program, library or device is not on this machine. The message ends with how to get it."""

    exit_code = 3


class ResourceError(QcdriverError):
    """The machine is too small or full (memory, disk, GPU memory): other hardware or less work helps."""

    exit_code = 3


class ConvergenceError(QcdriverError):
    """An SCF or a relaxation did not converge: other settings may help.

    Attributes
    ----------
    history
        What was tried, oldest first, as JSON-compatible mappings.
    """

    def __init__(self, message: str, history: list[dict[str, object]] | None = None) -> None:
        super().__init__(message)
        self.history = history or []


class IncompleteError(QcdriverError):
    """What this starts from is not in the records yet: the tasks that make it have to run first."""


class EngineError(QcdriverError):
    """A program broke in a way that is neither convergence, input nor resources; its own words are in the message."""


class UnphysicalError(EngineError):
    """A program returned, as a success, what breaks a law of physics; the message says which."""


@contextmanager
def input_errors_of(where: str) -> Iterator[None]:
    """Begin the message of an `InputError` with where the mistake stands: "[scan]" for a table, say."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{where} {error}") from None
