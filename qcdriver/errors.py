"""The error family: each class says what would help, and which exit code the program ends with.

Engines and stages raise; `qcdriver.execution.worker` alone turns an exception into a failed outcome, and `qcdriver.cli`
alone turns one into a line for a person.
"""

from __future__ import annotations


class QcdriverError(Exception):
    """Base of every error this program raises on purpose; the message is one clear line."""

    exit_code = 1


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
