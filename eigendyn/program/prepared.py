"""Read the equations of a built-in loss from the file in which they are prepared.

Neither sympy nor JAX is imported, so that small problems start at once. `preparing` writes the
file, and a test derives everything anew.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from eigendyn.program import Program, Quantities, from_plain, quantities_from_plain
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.siamese import architecture

FILE = Path(__file__).with_name("prepared.json")


@dataclass(frozen=True)
class Prepared:
    """What a run needs to know of a loss.

    Args:
        title: The loss, with what was switched off.
        program: Its closed dynamics.
        conserved: What they conserve.
        value: The expected loss, as the only rate of a program.
        scale_free: Whether descent does not see the common scale of the representations.
    """

    title: str
    program: Program
    conserved: Quantities
    value: Program
    scale_free: bool


def prepared(chosen: Settings) -> Prepared | None:
    """The equations of a built-in loss, without deriving them; None if they were not written ahead.

    Args:
        chosen: Settings of a simulation; the loss is meant by its name.
    """
    return _entry(key(chosen), decays(chosen))


def key(chosen: Settings) -> str:
    """What equations depend on, where it is not the default."""
    plain = _plain()
    other = (f"{k}={v}" for k, v in _parts(chosen).items() if v != plain[k])
    return ", ".join([chosen.loss, *other])


def decays(chosen: Settings) -> str:
    """What conserved quantities depend on besides: which parts decay."""
    encoder, predictor = chosen.weight_decay, chosen.predictor_decay
    if encoder == predictor == 0:
        return "nothing"
    return "both alike" if encoder == predictor else "some"


def _parts(chosen: Settings) -> dict[str, Any]:
    return {
        "alpha": chosen.alpha,
        "beta": chosen.beta,
        "closure": "exact" if chosen.closure == "auto" else chosen.closure,
        "no_predictor": chosen.predictor == "none",
        "stop_gradient": chosen.stop_gradient,
        **asdict(architecture(chosen)),
    }


@cache
def _plain() -> dict[str, Any]:
    return _parts(Settings())


@cache
def _entry(name: str, decaying: str) -> Prepared | None:
    told = _every_entry().get(name)
    if told is None:
        return None
    conserved = quantities_from_plain(told["conserved"][decaying])
    program, value = from_plain(told["program"]), from_plain(told["value"])
    return Prepared(told["title"], program, conserved, value, told["scale_free"])


@cache
def _every_entry() -> dict[str, dict]:
    return json.loads(FILE.read_text(encoding="utf-8"))
