"""Name and document the exported functions of a loss."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection

import sympy as sp

from eigendyn.settings.choices import LOSS_ROWS
from eigendyn.theory.export.function import Function
from eigendyn.theory.export.units import Lengths
from eigendyn.theory.formula import text
from eigendyn.theory.loss_writer import write_loss
from eigendyn.theory.losses import SymbolicLoss, named_loss
from eigendyn.theory.symbols import ModeSum

WIDEST = 88  # columns
PRECISION = "Computed in float32, or float64 if the arguments are."
NAME = r"[A-Za-z][\w ,-]*"  # of a loss; any other is its text


def function_name(loss: SymbolicLoss) -> str:
    """An identifier: iso_cosine_loss of iso-cosine, written_loss of a loss called by its text."""
    if not re.fullmatch(NAME, loss.name, re.ASCII):
        return "written_loss"
    name = "_".join(re.findall(r"[a-zA-Z0-9]+", loss.name))
    return name if name.endswith("loss") else f"{name}_loss"


def command_options(loss: SymbolicLoss) -> tuple[str, bool]:
    """How a command is told the loss, and whether it is one of the built-in ones."""
    base, *ablations = loss.name.split(", ")
    if base in LOSS_ROWS:
        words = {"predictor": "no predictor", "stop_gradient": "no stop-gradient"}
        parts = {part: name not in ablations for part, name in words.items()}
        beta = None if loss.beta == 0 or not LOSS_ROWS[base].takes_beta else loss.beta
        if named_loss(base, beta=beta, **parts).expression == loss.expression:
            flags = [f"--{name.replace(' ', '-')}" for p, name in words.items() if not parts[p]]
            return " ".join(
                [base, *([] if beta is None else [f"--beta {float(beta)!r}"]), *flags]
            ), True
    parameters = [f"--param {name}={value!r}" for name, value in loss.parameters]
    return " ".join(["--loss-expr", shlex.quote(write_loss(loss.expression)), *parameters]), False


def value_docstring(function: Function, loss: SymbolicLoss) -> list[str]:
    """Docstring of the loss: formula, arguments, where it comes from."""
    told, is_built_in = command_options(loss)
    is_verified = is_built_in and "--beta" not in told
    verified = (
        "Verified in eigendyn's tests: the value and gradient of this loss."
        if is_verified
        else "Not itself in eigendyn's tests: they verify built-in losses, and some written ones."
    )
    where = "the same in every basis" if function.form.is_basis_free else "in W_P's eigenbasis"
    return [
        f'"""Mean loss of a batch{": " * is_built_in}{loss.name * is_built_in}.',
        "",
        *_filled(f"ℓ = {text(loss.expression)}, {where}."),
        "",
        "Args:",
        *_arguments(function, function.arrays, function.value),
        "",
        "Returns:",
        f"    Scalar{_undefined(function.value)}.",
        f"    {PRECISION}",
        "",
        f"Derivation: eigendyn derive {told}",
        verified,
        '"""',
    ]


def gradient_docstring(function: Function, name: str) -> list[str]:
    """Docstring of the gradient: what it is, arguments, that it was derived."""
    gradients = function.form.gradients
    views = "z1" if len(gradients) == 1 else "z1 and to z"
    undefined = _undefined(function.gradients)
    return [
        f'"""Gradient of `{name}`, W_P being constant.',
        "",
        "Derived by eigendyn and written out: NumPy has no automatic differentiation.",
        "",
        "Args:",
        *_arguments(function, function.gradient_arrays, function.gradients),
        "",
        "Returns:",
        f"    Derivative with respect to {views} (N, D){undefined}.",
        f"    {PRECISION}",
        '"""',
    ]


def _undefined(lengths: Lengths) -> str:
    """Warn of samples for which a sum in a denominator, other than a norm, is zero."""
    powers = {power for part in lengths.expressions for power in part.atoms(sp.Pow)}
    divides = any(power.exp.is_negative and power.base.has(ModeSum) for power in powers)
    return "; NaN if a sum that is divided by is zero" if divides else ""


def _arguments(function: Function, arrays: Collection[str], lengths: Lengths) -> list[str]:
    """One line for each argument; it says through which of them no gradient flows."""
    meanings = {
        "p": "Predictions (N, D) of the first view, z1 @ W_P",
        "z": "Target projections (N, D) of the second view",
        "z1": "Projections (N, D) of the first view",
        "predictor": "W_P (D, D), symmetric, with positive eigenvalues",
    }
    learning = {function.names[symbol] for symbol in function.learning}
    flows = {name: "" if name in learning else ", without gradient" for name in arrays}
    if "p" in learning:
        flows["p"] = "; detach a W_P made from data"
    numbers = [f"    {name}: Number in the loss." for name in function.parameters.values()]
    least = [
        "    eps: Least value of a norm that is divided by. With 0 the loss is exact, and a row of",
        "        zeros gives NaN or infinity; with 1e-6, say, all stays finite.",
    ]
    told = [f"    {name}: {meanings[name]}{flows[name]}." for name in arrays]
    return [*told, *numbers, *(least if lengths.norms else [])]


def _filled(words: str) -> list[str]:
    """Lines of a formula, broken behind spaces and signs."""
    lines = [""]
    for word in re.split(r"(?<=[ */])", words):
        if len((lines[-1] + word).rstrip()) > WIDEST - 4:
            lines.append("")
        lines[-1] += word
    return [line.rstrip() for line in lines]
