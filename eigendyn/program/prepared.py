"""Settings enter; the program of their dynamics leaves, if it was written ahead.

The built-in losses, with and without predictor and stop-gradient, for the usual exponents of the
predictor. Neither sympy nor JAX is imported, so that small problems start at once. `preparing`
writes the file, and a test derives every program anew.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from eigendyn.architecture import PLAIN, architecture
from eigendyn.program import Program, from_plain
from eigendyn.settings import Settings

FILE = Path(__file__).parent.parent / "data" / "prepared.json"


def prepared_program(chosen: Settings) -> Program | None:
    """The program of a built-in loss's closed dynamics, without deriving it.

    Args:
        chosen: Settings of a simulation; the loss is meant by its name.

    Returns:
        The program that `program_of` would write, or None if none was written ahead.
    """
    if architecture(chosen) != PLAIN or chosen.beta is not None:
        return None
    if chosen.predictor not in ("direct", "none"):
        return None
    return _program(key(chosen))


def key(chosen: Settings) -> str:
    """What tells the prepared programs apart."""
    predictor = "λ=1" if chosen.predictor == "none" else f"α={chosen.alpha:g}"
    gradient = "stopped" if chosen.stop_gradient else "unstopped"
    closure = "exact" if chosen.closure == "auto" else chosen.closure
    return f"{chosen.loss}, {predictor}, {gradient}, {closure}"


@cache
def _program(name: str) -> Program | None:
    told = _prepared().get(name)
    return None if told is None else from_plain(told)


@cache
def _prepared() -> dict[str, dict]:
    return json.loads(FILE.read_text(encoding="utf-8"))
