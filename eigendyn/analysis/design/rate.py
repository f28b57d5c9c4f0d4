"""Evaluate a growth rate given as an expression, and refuse it where it has no value."""

from __future__ import annotations

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from eigendyn.errors import InvalidSetting
from eigendyn.program.in_jax import compile_expressions
from eigendyn.theory import symbols as sym
from eigendyn.theory.formula import text
from eigendyn.theory.symbols import lam

Numbers = tuple[tuple[str, float], ...]  # parameters by name

LOWEST, HIGHEST = 1e-2, 1e2  # eigenvalues that a rate is looked at
SPECTRA = 9  # of each number of modes: as many as an average's nodes are chosen for


def evaluate(expression: sp.Expr, numbers: Numbers, spectra: NDArray) -> NDArray:
    """Values (spectra, modes) of an expression in λ, on spectra of λ (spectra, modes)."""
    names = [sym.loss_parameter(name) for name, _ in numbers]
    run = compile_expressions([lam, sym.modes, *names], [expression])
    values = run(spectra, spectra.shape[1], *[value for _, value in numbers])[0]
    return np.broadcast_to(np.asarray(values, float), spectra.shape)


def random_spectra(modes: int) -> NDArray:
    """Spectra of λ (spectra, modes), evenly spread over the decades that are looked at."""
    rng = np.random.default_rng(0)
    return 10 ** rng.uniform(np.log10(LOWEST), np.log10(HIGHEST), size=(SPECTRA, modes))


def check_rate(given: str, rate: sp.Expr, numbers: Numbers) -> None:
    """Check that a rate is not zero, and finite and real for positive eigenvalues.

    What is divided by, or taken a root of, must not change its sign on spectra of equal, and of
    random, eigenvalues.

    Raises:
        InvalidSetting: It is zero, or not always a number.
    """
    if sym.equal(rate, sp.S.Zero):
        message = f"A rate must not be zero everywhere, as {given!r} is. Try 1 - lam."
        raise InvalidSetting(message)
    equal = np.geomspace(LOWEST, HIGHEST, 701)[:, None]
    for power in sorted(rate.atoms(sp.Pow), key=sp.default_sort_key):
        if power.exp.is_Integer and power.exp > 0:
            continue
        for spectra in (equal, np.repeat(equal, 3, axis=1), random_spectra(2), random_spectra(5)):
            values = evaluate(power.base, numbers, spectra)
            if power.exp < 0 and not ((values > 0).all() or (values < 0).all()):
                what = f"divides by {text(power.base)}, which can be zero"
            elif not power.exp.is_Integer and (values < 0).any():
                what = f"takes a root of {text(power.base)}, which can be negative"
            else:
                continue
            message = (
                f"A rate must be finite and real for all positive eigenvalues; {given!r} {what}. "
                "Try 1 - lam."
            )
            raise InvalidSetting(message)
