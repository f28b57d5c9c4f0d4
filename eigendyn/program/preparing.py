"""Derive the equations of built-in losses, and write the file of prepared ones.

Run `python -m eigendyn.program.preparing` after a change of losses, derivation or closures.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

from eigendyn.program import Quantities, quantities_to_plain, to_plain
from eigendyn.program.derivation import program_of, quantities_of
from eigendyn.program.prepared import FILE, Prepared, decays, key
from eigendyn.settings.choices import LOSS_NAMES, PRESETS
from eigendyn.settings.presets import preset_settings
from eigendyn.settings.run_settings import Settings
from eigendyn.settings.siamese import architecture
from eigendyn.theory.closure import close
from eigendyn.theory.closure.value import close_value
from eigendyn.theory.conservation import conserved_quantities, is_scale_free
from eigendyn.theory.derive import mode_dynamics
from eigendyn.theory.losses import SymbolicLoss, named_loss

EXPONENTS = (1.0, 0.5)  # of the paper's analysis and of its experiments
DECAYS = ((0.0, 0.0), (0.1, 0.1), (0.1, 0.0))  # of encoder and learned predictor


def prepared_settings() -> Iterator[dict[str, Any]]:
    """Settings whose equations are written ahead: losses with their variants, and presets.

    Those of losses are for modes with a signal and noises of their own, too, whatever these are.
    """
    predictors = (*(("direct", alpha) for alpha in EXPONENTS), ("none", 1.0))
    for loss, (predictor, alpha), stopped, closure in product(
        LOSS_NAMES, predictors, (True, False), ("exact", "mean-field")
    ):
        variant = {"loss": loss, "predictor": predictor, "stop_gradient": stopped}
        yield variant | {"alpha": alpha, "closure": closure}
        if stopped and closure == "exact":
            yield variant | {"alpha": alpha, "closure": closure, "signal": 1.0}
    for preset in PRESETS:
        settings = {"loss": "cosine"} | preset_settings(preset)
        settings.pop("batch", None)  # of networks
        yield settings


def derived() -> Iterator[tuple[Settings, Prepared]]:
    """All equations that are written ahead, derived now, with settings that ask for them."""
    for settings in prepared_settings():
        chosen = Settings(**settings)
        loss = named_loss(
            chosen.loss, predictor=chosen.predictor != "none", stop_gradient=chosen.stop_gradient
        )
        dynamics = mode_dynamics(loss, chosen.alpha, architecture(chosen))
        program = program_of(close(dynamics, chosen.closure))
        value = program_of(close_value(loss, dynamics, chosen.closure))
        scale_free = is_scale_free(loss)
        for encoder, predictor in DECAYS:
            decaying: dict[str, Any] = {"weight_decay": encoder}
            if chosen.predictor == "learned":
                decaying["predictor_decay"] = predictor
            one = Settings(**settings | decaying)
            conserved = _conserved(loss, one, program.states)
            yield one, Prepared(loss.name, program, conserved, value, scale_free)


def _conserved(loss: SymbolicLoss, chosen: Settings, states: tuple[str, ...]) -> Quantities:
    found = conserved_quantities(
        loss,
        chosen.alpha,
        decays=decays(chosen) != "nothing",
        alike=decays(chosen) != "some",
        architecture=architecture(chosen),
    )
    return quantities_of(states, {one.name: one.expression for one in found})


def prepare() -> str:
    """The file's text: one system a line."""
    every: dict[str, dict] = {}
    for chosen, one in derived():
        plain = {"title": one.title, "scale_free": one.scale_free}
        programs = {"program": to_plain(one.program), "value": to_plain(one.value)}
        plain |= {**programs, "conserved": {}}
        entry = every.setdefault(key(chosen), plain)
        entry["conserved"][decays(chosen)] = quantities_to_plain(one.conserved)
    return "{\n" + ",\n".join(f"{_json(k)}:{_json(each)}" for k, each in every.items()) + "\n}\n"


def _json(plain: Any) -> str:
    return json.dumps(plain, separators=(",", ":"), ensure_ascii=False)


if __name__ == "__main__":
    FILE.write_text(prepare(), encoding="utf-8")
