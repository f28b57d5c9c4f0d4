"""Nothing enters; the file of programs that are written ahead leaves.

Run `python -m eigendyn.program.preparing` after a change of losses, derivation or closures.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product

from eigendyn.choices import LOSS_NAMES
from eigendyn.closure import close
from eigendyn.derive import mode_dynamics
from eigendyn.losses import named_loss
from eigendyn.program import Program, to_plain
from eigendyn.program.derivation import program_of
from eigendyn.program.prepared import FILE, key
from eigendyn.settings import Settings

EXPONENTS = (1.0, 0.5)  # of the paper's analysis and of its experiments


def derived_programs() -> Iterator[tuple[Settings, Program]]:
    """Every program that is written ahead, derived now, with settings that ask for it."""
    predictors = (*(("direct", alpha) for alpha in EXPONENTS), ("none", 1.0))
    for loss, (predictor, alpha), stopped, closure in product(
        LOSS_NAMES, predictors, (True, False), ("exact", "mean-field")
    ):
        chosen = Settings(
            loss=loss, predictor=predictor, alpha=alpha, stop_gradient=stopped, closure=closure
        )
        symbolic = named_loss(loss, predictor=predictor != "none", stop_gradient=stopped)
        yield chosen, program_of(close(mode_dynamics(symbolic, alpha), closure))


def prepare() -> str:
    """The file's text: one program a line."""
    told = {key(chosen): to_plain(program) for chosen, program in derived_programs()}
    lines = [
        f"{json.dumps(name, ensure_ascii=False)}:{json.dumps(plain, separators=(',', ':'))}"
        for name, plain in told.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    FILE.write_text(prepare(), encoding="utf-8")
