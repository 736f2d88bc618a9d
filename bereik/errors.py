"""Every error Bereik raises on purpose. A message names a rule, a field or a file; never anybody's value."""

from __future__ import annotations

from dataclasses import dataclass


class BereikError(Exception):
    """Something in Bereik went wrong."""

    def __init__(self, message: str | None = None) -> None:
        """Take `message`, or the first line of the class's docstring when there is none."""
        super().__init__(message or (type(self).__doc__ or type(self).__name__).splitlines()[0])


class TransientError(BereikError):
    """This may work when tried again later."""


class LastingError(BereikError):
    """This will not work however often it is tried."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a declaration: where, what, and what would be valid there."""

    file: str
    line: int
    key: str
    message: str
    valid: str = ""

    def __str__(self) -> str:
        """Read as a compiler's message: file:line: key: message; valid: ..."""
        tail = f"; valid: {self.valid}" if self.valid else ""
        return f"{self.file}:{self.line}: {self.key}: {self.message}{tail}"


class InvalidDeclarations(LastingError):
    """The declarations do not fit together."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Carry every problem found, in file and line order."""
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))
