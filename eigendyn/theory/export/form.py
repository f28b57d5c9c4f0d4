"""Bring a loss into the form in which it is evaluated on batches of representations.

A loss in which λ stands in the product λ z1 alone, and which sums products of two representations
only, is the same in every basis: the prediction p = z1 @ W_P takes the place of λ z1. Every other
loss is evaluated in the predictor's eigenbasis.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import count

import sympy as sp

from eigendyn.theory import symbols as sym
from eigendyn.theory.derive import descent_directions
from eigendyn.theory.losses import SymbolicLoss
from eigendyn.theory.symbols import ModeSum, StopGradient, lam, z1, z2


class Still(sp.Function):
    """v − SG(v): zero, with the gradient of v."""

    nargs = 1


Vectors = tuple[sp.Expr, ...]  # a0, a1, …, which mean a0 + a1 @ W_P + a2 @ W_P² + …


@dataclass(frozen=True)
class BatchForm:
    """A loss and its gradients, in representations and predictions.

    Args:
        prediction: Stands for λ z1.
        value: ℓ of one sample.
        gradients: Gradients of ℓ with respect to z1, and to z2 where that learns.
        is_basis_free: Whether these hold in every basis, or in the predictor's eigenbasis only.
    """

    prediction: sp.Symbol
    value: sp.Expr
    gradients: tuple[Vectors, ...]
    is_basis_free: bool

    @property
    def expressions(self) -> tuple[sp.Expr, ...]:
        """Value and gradients."""
        return (self.value, *(vector for gradient in self.gradients for vector in gradient))

    @property
    def has_roots(self) -> bool:
        """Whether λ has a power that is no whole number."""
        powers = {power for part in self.expressions for power in part.atoms(sp.Pow)}
        return any(power.base == lam and not power.exp.is_Integer for power in powers)


def batch_form(loss: SymbolicLoss) -> BatchForm:
    """Bring a loss into the form for batches, in any basis if there is one."""
    written = _count_modes(loss.expression)
    prediction = next(p for p in map(sym.placeholder, count()) if not written.has(p))
    first, second = (sp.expand(-delta) for delta in descent_directions(loss))
    gradients = (first,) if second == 0 else (first, second)
    for expression in (written, sym.canonical(written)):
        value = regroup(expression, prediction)
        vectors = tuple(_by_power(gradient, prediction) for gradient in gradients)
        if _degree(value, prediction) == 0 and None not in vectors:
            found = tuple(vector for vector in vectors if vector is not None)
            return BatchForm(prediction, _cancelled(value), found, True)
    in_eigenbasis = tuple((regroup(gradient, prediction),) for gradient in gradients)
    return BatchForm(prediction, _cancelled(regroup(written, prediction)), in_eigenbasis, False)


def regroup(expression: sp.Expr, prediction: sp.Symbol) -> sp.Expr:
    """Write the prediction for λ z1 wherever both are factors of one product."""
    if not expression.args:
        return expression
    parts = [regroup(part, prediction) for part in expression.args]
    if not expression.is_Mul:
        return expression.func(*parts)
    powers = expression.as_powers_dict()
    shared = sp.Min(powers.get(lam, sp.S.Zero), powers.get(z1, sp.S.Zero))
    several = sp.Max(sp.floor(shared), 0)
    return sp.Mul(*parts, lam**-several, z1**-several, prediction**several)


def _cancelled(value: sp.Expr) -> sp.Expr:
    """Write v − SG(v + δ) as (v − SG(v)) − SG(δ), where no δ is lost beside a large v."""
    if not value.args:
        return value
    parts = [_cancelled(part) for part in value.args]
    stops = [part for part in parts if part.as_coeff_Mul()[1].func == StopGradient]
    if not value.is_Add or not stops:
        return value.func(*parts)
    coefficient, stopped = stops[0].as_coeff_Mul()
    inside = stopped.args[0].as_coefficients_dict()
    for vector, factor in sp.Add(*parts).as_coefficients_dict().items():
        if vector.is_Symbol and factor + coefficient * inside.get(vector, 0) == 0:
            rest = StopGradient(stopped.args[0] - inside[vector] * vector)
            others = sp.Add(*parts) - stops[0] - factor * vector
            return others + factor * Still(vector) + coefficient * rest
    return value.func(*parts)


def _count_modes(expression: sp.Expr) -> sp.Expr:
    """Write M c for the sum over modes of a constant c."""
    return expression.replace(
        lambda node: isinstance(node, ModeSum) and not sym.is_local(node.args[0]),
        lambda node: sym.modes * node.args[0],
    )


def _degree(expression: sp.Expr, prediction: sp.Symbol) -> int | None:
    """Degree in vectors, 0 of a scalar; None of what is not the same in every basis."""
    if expression in (prediction, z1, z2):
        return 1
    if expression == lam:
        return None
    degrees = [_degree(part, prediction) for part in expression.args]
    known = [degree for degree in degrees if degree is not None]
    if len(known) < len(degrees):
        return None
    if isinstance(expression, ModeSum):
        return 0 if known == [2] else None
    if isinstance(expression, StopGradient):
        return known[0]
    if isinstance(expression, sp.Abs):
        return 0 if known == [0] else None  # of a vector's entries it needs their basis
    if expression.is_Add:
        return known[0] if len(set(known)) == 1 else None
    if expression.is_Pow:
        known = [known[0]] * 2 if expression.exp == 2 else known
        return sum(known) if known[0] == 0 or expression.exp == 2 else None
    return sum(known)


def _by_power(gradient: sp.Expr, prediction: sp.Symbol) -> Vectors | None:
    """Sort the terms of a gradient by the predictors that its vectors are to be multiplied with.

    λ^k z2 is z2 times k of them, λ^k z1 is the prediction times k − 1.
    """
    if gradient == 0:
        return (sp.S.Zero,)
    found: dict[int, sp.Expr] = defaultdict(lambda: sp.S.Zero)
    for term in sp.Add.make_args(gradient):
        factors = sp.Mul.make_args(term)
        scale = regroup(sp.Mul(*[f for f in factors if not sym.is_local(f)]), prediction)
        powers = sp.Mul(*[f for f in factors if sym.is_local(f)]).as_powers_dict()
        times, vectors = powers.pop(lam, sp.S.Zero), [v for v, k in powers.items() if k == 1]
        if _degree(scale, prediction) != 0 or not (times.is_Integer and times >= 0):
            return None
        if len(powers) != 1 or vectors not in ([z1], [z2]):
            return None
        predicts = vectors == [z1] and bool(times > 0)
        found[int(times) - predicts] += scale * (prediction if predicts else vectors[0])
    return tuple(found[power] for power in range(max(found) + 1))
