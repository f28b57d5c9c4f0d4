"""Define the refusals, one class per kind: what must hold, what was given, what to try.

A refusal is a mistake that the caller can mend. Numerical failure is not among them: it is a field
of the result.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def as_given(value: object) -> str:
    """Write what was given, on one line: of long things only their type."""
    if value is None or isinstance(value, str | int | float):
        return repr(value)
    return f"an object of type {type(value).__name__}"


class EigendynError(Exception):
    """Something that cannot be done as asked; the message says why and what to try.

    Examples:
        >>> try:
        ...     eigendyn.simulate("cosine", [-1.0])
        ... except eigendyn.EigendynError as error:
        ...     print(type(error).__name__)
        InvalidSpectrum
    """


class UnknownName(EigendynError):
    """A loss, method, closure, … that does not exist.

    Args:
        kind: What was named, such as "loss".
        given: The name given.
        known: The names there are.
        hint: A sentence on what was meant; None suggests the nearest name.
    """

    def __init__(
        self, kind: str, given: object, known: Iterable[str], hint: str | None = None
    ) -> None:
        names = list(known)
        if hint is None:
            near = difflib.get_close_matches(str(given).lower(), names, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]!r}?" if near else ""
        listed = f"Known: {', '.join(names)}." if names else "There are none."
        said = [f"There is no {kind} {str(given)!r}.", hint, listed]
        super().__init__(" ".join(sentence for sentence in said if sentence))


class InvalidSpectrum(EigendynError):
    """Variances that are no spectrum: empty, not finite, negative, or all zero."""


class InvalidSetting(EigendynError):
    """A number without meaning, or settings that contradict each other."""


class UnreadableFile(EigendynError):
    """A file that is missing, malformed, or not what it should be."""


class OutputExists(EigendynError):
    """A file that would be overwritten, or cannot be written."""


class NoClosedForm(EigendynError):
    """A closed form asked of dynamics that have none."""


class NotDecoupled(EigendynError):
    """Modes that are coupled, have several states, or change with time, where none may."""


class NoExactClosure(EigendynError):
    """The exact closure asked of a loss whose moments have no exact form here."""


class OpenMoments(EigendynError):
    """Dynamics with open moments where closed ones are needed."""


class UndeclaredSymbol(EigendynError):
    """A loss that uses a symbol outside the alphabet."""


class InvalidExpression(EigendynError):
    """Text that writes no loss in the alphabet of `loss_text`."""


class DeviceUnavailable(EigendynError):
    """A device that JAX cannot find."""


class NoProgram(EigendynError):
    """Machine code asked of dynamics with a function that there is none for."""


class NotInstalled(EigendynError):
    """A library of an extra, which is not installed."""
