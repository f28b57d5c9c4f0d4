"""Define the alphabet of the theory: every symbol, the sum over modes, the stop-gradient.

Per-mode symbols (`z1`, `lam`, …) carry no index. Inside a `ModeSum` they belong to the mode that
is summed over, outside they belong to "this" mode m. A loss has none outside its sums; its
derivative with respect to `z1` is the derivative with respect to z1_m and has some. So sums over
modes stay sums at any number of modes, and no other module ever creates a symbol.
"""

from __future__ import annotations

import itertools

import sympy as sp

from eigendyn.settings import states
from eigendyn.settings.parameters import PARAMETERS
from eigendyn.settings.parameters import PER_MODE as PARAMETERS_PER_MODE

# Per mode: representations of the two views in the predictor's eigenbasis [√variance], and the
# predictor's eigenvalue.
z1 = sp.Symbol("z1", real=True)
z2 = sp.Symbol("z2", real=True)
lam = sp.Symbol("lam", positive=True)

# Per mode: its states by name, which `settings.states` describes.
STATES = {name: sp.Symbol(name, real=True) for name in states.STATES}
singular_value = STATES["singular_value"]
target_value = STATES["target_value"]
predictor_value = STATES["predictor_value"]
correlation_value = STATES["correlation_value"]
velocity = STATES["velocity"]
predictor_velocity = STATES["predictor_velocity"]

# Per mode: representations divided by their singular values, and the covariance of those; the
# same before it is tilted, where every mode has a signal and noises of its own.
x1 = sp.Symbol("x1", real=True)
x2 = sp.Symbol("x2", real=True)
u11 = sp.Symbol("u11", nonnegative=True)
u12 = sp.Symbol("u12", real=True)
u22 = sp.Symbol("u22", nonnegative=True)
m11 = sp.Symbol("m11", positive=True)
m12 = sp.Symbol("m12", real=True)
m22 = sp.Symbol("m22", positive=True)
m_determinant = sp.Symbol("m_determinant", nonnegative=True)  # m11 m22 − m12²

# Per mode: standard normal draws for the clean input and the noise of each view.
xi0 = sp.Symbol("xi0", real=True)
xi1 = sp.Symbol("xi1", real=True)
xi2 = sp.Symbol("xi2", real=True)

# Per mode: what a Gaussian tilted by exp(−Σ τ F) needs, and the variance v = s².
tilt11 = sp.Symbol("tilt11", nonnegative=True)
tilt12 = sp.Symbol("tilt12", real=True)
tilt22 = sp.Symbol("tilt22", nonnegative=True)
determinant = sp.Symbol("determinant", positive=True)
variance = sp.Symbol("variance", positive=True)

# Numbers of the theory by name: one for all modes, or one for every mode.
parameters = {
    name: sp.Symbol(name, **{row.domain.assumption: True}) for name, row in PARAMETERS.items()
}
alpha = parameters["alpha"]  # λ = v^α
beta = parameters["beta"]  # δ/λ^β
sigma1, sigma2 = parameters["sigma1"], parameters["sigma2"]
signal, noise1, noise2 = (parameters[name] for name in PARAMETERS_PER_MODE)
weight_decay = parameters["weight_decay"]
learning_rate = parameters["learning_rate"]
ema = parameters["ema"]  # momentum of an EMA target, at the start if scheduled
correlation_momentum = parameters["correlation_momentum"]
momentum = parameters["momentum"]  # heavy-ball momentum of the descent
epsilon = parameters["epsilon"]  # added to the predictor's eigenvalues
predictor_rate = parameters["predictor_rate"]  # learning rate of W_P over that of W
predictor_decay = parameters["predictor_decay"]
duration = sp.Symbol("duration", positive=True)  # of the whole training, learning rate × steps
n11 = sp.Symbol("n11", positive=True)  # covariance of the whitened views, where all modes share it
n12 = sp.Symbol("n12", real=True)
n22 = sp.Symbol("n22", positive=True)
n_determinant = sp.Symbol("n_determinant", nonnegative=True)  # n11 n22 − n12²
time = sp.Symbol("time", nonnegative=True)  # learning rate × step
modes = sp.Symbol("modes", positive=True, integer=True)
PER_MODE = frozenset(
    {z1, z2, lam, *STATES.values(), x1, x2, u11, u12, u22, xi0, xi1, xi2}
    | {m11, m12, m22, m_determinant, tilt11, tilt12, tilt22, determinant, variance}
    | {signal, noise1, noise2}
)
taus = tuple(sp.Symbol(f"tau{i}", positive=True) for i in range(1, 4))  # conjugate to a form


_SYMBOLS = (value for value in list(globals().values()) if isinstance(value, sp.Symbol))
NAMES = frozenset({*map(str, _SYMBOLS), *STATES})


def loss_parameter(name: str) -> sp.Symbol:
    """A number that a loss or model of one's own calls by this name; never one of `NAMES`."""
    return sp.Symbol(name, real=True)


def placeholder(index: int) -> sp.Symbol:
    """Stand in for the `index`-th sum or average of an expression while it is taken apart."""
    return sp.Symbol(f"part{index}", real=True)


class StopGradient(sp.Function):
    """SG(·): equal to its argument, constant for differentiation."""

    nargs = 1

    @classmethod
    def eval(cls, argument):
        """Numbers need no stopping; stopping twice is stopping once."""
        return argument if argument.is_number or isinstance(argument, cls) else None

    def _eval_derivative(self, _symbol):
        return sp.S.Zero


class ModeSum(sp.Function):
    """Σ over all modes of a summand in per-mode symbols."""

    nargs = 1

    @classmethod
    def eval(cls, summand):
        """An empty summand sums to zero."""
        return sp.S.Zero if summand == 0 else None  # asking `is_zero` takes longer than all else

    def _eval_derivative(self, symbol):
        local, parts = detach(self.args[0], ModeSum)
        direct = local.diff(symbol)
        through_sums = [ModeSum(local.diff(p)) * parts[p].diff(symbol) for p in parts]
        return sp.Add(direct, *through_sums).xreplace(parts)

    def _eval_is_real(self):
        return True


class ModeMaximum(sp.Function):
    """Largest value over all modes of an expression in per-mode symbols."""

    nargs = 1


class Expectation(sp.Function):
    """E[·] over inputs and augmentations, not yet taken: an open moment."""

    nargs = 1


class Average(sp.Function):
    """Σ over nodes (of a quadrature, or samples) of weight · argument."""

    nargs = 1


def mode_sum(summand: sp.Expr) -> sp.Expr:
    """Sum over modes: Σ_k summand_k. What is the same for all of them counts M times."""
    summand = sp.S.Zero + summand
    return ModeSum(summand) if is_local(summand) else modes * summand


def norm(vector: sp.Expr) -> sp.Expr:
    """Euclidean norm over modes: (Σ_k vector_k²)^½."""
    return sp.sqrt(mode_sum(vector**2))


def stop_gradient(expression: sp.Expr) -> sp.Expr:
    """SG(expression): a constant for differentiation."""
    return StopGradient(expression)


def release(expression: sp.Expr) -> sp.Expr:
    """Remove every stop-gradient: a stopped branch equals its argument."""
    return expression.replace(StopGradient, lambda argument: argument)


def detach(expression: sp.Expr, kind: type) -> tuple[sp.Expr, dict[sp.Symbol, sp.Expr]]:
    """Replace the outermost `kind` nodes by placeholders; `xreplace` with the table undoes it."""
    found: list[sp.Expr] = []

    def walk(node: sp.Expr) -> None:
        if isinstance(node, kind):
            if node not in found:
                found.append(node)
        else:
            for child in node.args:
                walk(child)

    walk(expression)
    taken = {symbol.name for symbol in expression.free_symbols}
    fresh = (placeholder(i) for i in itertools.count() if f"part{i}" not in taken)
    names = dict(zip(found, fresh, strict=False))
    return expression.xreplace(names), {name: node for node, name in names.items()}


def is_local(expression: sp.Expr) -> bool:
    """True if the expression depends on "this" mode, that is on a per-mode symbol outside a sum."""
    return bool(detach(expression, ModeSum)[0].free_symbols & PER_MODE)


def canonical(expression: sp.Expr) -> sp.Expr:
    """Expand, and split every sum over modes into sums of monomials with common factors outside.

    Two expressions that are equal as polynomials in representations, sums over modes and powers
    of such sums have the same canonical form.
    """
    local, parts = detach(sp.expand(expression), ModeSum)
    split = {name: _split_sum(node.args[0]) for name, node in parts.items()}
    return sp.expand(local.xreplace(split))


def _split_sum(summand: sp.Expr) -> sp.Expr:
    terms = []
    for term in sp.Add.make_args(canonical(summand)):
        factors = sp.Mul.make_args(term)
        common = sp.Mul(*[f for f in factors if not is_local(f)])
        inner = sp.Mul(*[f for f in factors if is_local(f)])
        terms.append(common * (modes if inner == 1 else ModeSum(inner)))
    return sp.Add(*terms)


def equal(left: sp.Expr, right: sp.Expr) -> bool:
    """True if both expressions have the same canonical form."""
    return canonical(left - right) == 0
