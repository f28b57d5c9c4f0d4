"""Write the derivation of a loss, or a model, as labelled equations, in plain text and in LaTeX."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

from eigendyn.settings.keywords import takes
from eigendyn.settings.parameters import PARAMETERS
from eigendyn.settings.siamese import PLAIN, Architecture
from eigendyn.settings.states import STATES
from eigendyn.theory import symbols as sym
from eigendyn.theory.closure import close, close_model
from eigendyn.theory.conservation import conserved_quantities
from eigendyn.theory.derive import ModeDynamics, descent_directions, mode_dynamics, substitute
from eigendyn.theory.losses import SymbolicLoss
from eigendyn.theory.models import as_given

# Per-mode symbols take an index, the others do not: (text, LaTeX).
NAMES = {
    sym.z1: ("z1", "z^{(1)}"),
    sym.z2: ("z2", "z^{(2)}"),
    sym.lam: ("λ", r"\lambda"),
    **{symbol: STATES[name].symbol for name, symbol in sym.STATES.items()},
    sym.variance: ("v", "v"),
    sym.x1: ("x1", "x^{(1)}"),
    sym.x2: ("x2", "x^{(2)}"),
    sym.u11: ("u11", "u^{11}"),
    sym.u12: ("u12", "u^{12}"),
    sym.u22: ("u22", "u^{22}"),
    sym.xi0: ("ξ0", r"\xi^{(0)}"),
    sym.xi1: ("ξ1", r"\xi^{(1)}"),
    sym.xi2: ("ξ2", r"\xi^{(2)}"),
    sym.tilt11: ("P", "P"),
    sym.tilt22: ("Q", "Q"),
    sym.tilt12: ("R", "R"),
    sym.determinant: ("Δ", r"\Delta"),
    sym.duration: ("T", "T"),
    sym.time: ("t", "t"),
    sym.modes: ("M", "M"),
    sym.n11: ("n11", "n_{11}"),
    sym.n12: ("n12", "n_{12}"),
    sym.n22: ("n22", "n_{22}"),
    sym.n_determinant: ("d", "d"),
    sym.m11: ("n11", "n_{11}"),  # the same of a mode
    sym.m12: ("n12", "n_{12}"),
    sym.m22: ("n22", "n_{22}"),
    sym.m_determinant: ("D", "D"),  # d is a mode's signal
    **{
        symbol: (PARAMETERS[name].text, PARAMETERS[name].latex)
        for name, symbol in sym.parameters.items()
    },
    **{tau: (f"τ{i}", rf"\tau_{i}") for i, tau in enumerate(sym.taus, start=1)},
}
INDICES = "mklnpq"  # of this mode, of a sum's modes, of a sum within a sum, …


class _Indexed:
    """Printing of the alphabet that plain text and LaTeX share; `depth` counts open sums."""

    depth = 0
    column = 0  # of NAMES

    def _print_Symbol(self, symbol: sp.Symbol) -> str:
        if symbol not in NAMES:
            return super()._print_Symbol(symbol)  # pyright: ignore[reportAttributeAccessIssue]
        name = NAMES[symbol][self.column]
        return self._with_index(name) if symbol in sym.PER_MODE else name

    def _with_index(self, name: str) -> str:
        return f"{name}_{INDICES[self.depth]}"

    def _summand(self, total: sp.Expr) -> tuple[str, str]:
        self.depth += 1
        summand = total.args[0]
        inside = self._print(summand)  # pyright: ignore[reportAttributeAccessIssue]
        index = INDICES[self.depth]
        self.depth -= 1
        return index, inside


class TextPrinter(_Indexed, StrPrinter):
    """Unicode text: Σ_k(…), SG(…), E[…]."""

    def _print_ModeSum(self, total: sp.Expr) -> str:
        index, inside = self._summand(total)
        return f"Σ_{index}[{inside}]"

    def _print_StopGradient(self, stopped: sp.Expr) -> str:
        return f"SG({self._print(stopped.args[0])})"

    def _print_ModeMaximum(self, largest: sp.Expr) -> str:
        index, inside = self._summand(largest)
        return f"max_{index}[{inside}]"

    def _print_Expectation(self, moment: sp.Expr) -> str:
        return f"E[{self._print(moment.args[0])}]"

    def _print_Average(self, average: sp.Expr) -> str:
        inside = self._print(average.args[0])
        taus = [t for t in sym.taus if average.has(t)]
        if not taus:
            return f"mean over samples[{inside}]"
        measure = " ".join(f"d{self._print(t)}/(2{self._print(t)})" for t in taus)
        return f"{'∫' * len(taus)}_0^∞ [{inside}] {measure}"


class TexPrinter(_Indexed, LatexPrinter):
    r"""LaTeX: \sum_k, \mathrm{SG}, \mathbb{E}, integrals over the quadrature's variables."""

    column = 1

    def _with_index(self, name: str) -> str:
        base, _, own = name.partition("_")  # TeX takes one subscript only
        index = INDICES[self.depth]
        return f"{base}_{{{own.strip('{}')},{index}}}" if own else f"{base}_{index}"

    def _needs_mul_brackets(self, expr: sp.Expr, first: bool = False, last: bool = False) -> bool:
        is_open = isinstance(expr, sym.ModeSum) and not last
        return is_open or super()._needs_mul_brackets(expr, first, last)

    def _print_ModeSum(self, total: sp.Expr, exp: str | None = None) -> str:
        index, inside = self._summand(total)
        if total.args[0].is_Add:
            inside = rf"\left({inside}\right)"
        written = rf"\sum_{index} {inside}"
        return written if exp is None else rf"\left({written}\right)^{{{exp}}}"

    def _print_StopGradient(self, stopped: sp.Expr, exp: str | None = None) -> str:
        written = rf"\mathrm{{SG}}\left({self._print(stopped.args[0])}\right)"
        return written if exp is None else rf"{written}^{{{exp}}}"

    def _print_ModeMaximum(self, largest: sp.Expr, exp: str | None = None) -> str:
        index, inside = self._summand(largest)
        written = rf"\max_{index} {inside}"
        return written if exp is None else rf"\left({written}\right)^{{{exp}}}"

    def _print_Expectation(self, moment: sp.Expr) -> str:
        return rf"\mathbb{{E}}\left[{self._print(moment.args[0])}\right]"

    def _print_Average(self, average: sp.Expr) -> str:
        inside = self._print(average.args[0])
        taus = [t for t in sym.taus if average.has(t)]
        if not taus:
            return rf"\left\langle {inside} \right\rangle_\mathrm{{samples}}"
        measure = " ".join(rf"\frac{{d{self._print(t)}}}{{2{self._print(t)}}}" for t in taus)
        integrals = r"\int_0^\infty" * len(taus)
        return rf"{integrals} {inside} \, {measure}"


def text(expression: sp.Expr) -> str:
    """One line of plain text."""
    return TextPrinter().doprint(expression).replace("**", "^")


def latex(expression: sp.Expr) -> str:
    """LaTeX without delimiters."""
    return TexPrinter().doprint(expression)


@dataclass(frozen=True)
class Equation:
    """One line of a derivation: what it says, its left side (text and LaTeX), its right side."""

    name: str
    left: tuple[str, str]
    right: sp.Expr

    @property
    def text(self) -> str:
        """Left = right in plain text."""
        return f"{self.left[0]} = {text(self.right)}"

    @property
    def latex(self) -> str:
        """Left = right in LaTeX."""
        return f"{self.left[1]} = {latex(self.right)}"


@takes()
def derivation(
    loss: SymbolicLoss | ModeDynamics | str,
    alpha: sp.Expr | float = sym.alpha,
    closure: str = "exact",
    architecture: Architecture = PLAIN,
) -> list[Equation]:
    """Derive the mode dynamics of a loss, one labelled equation after the other.

    Args:
        loss: Per-sample loss in the predictor's eigenbasis, or a model; or the name of one.
        alpha: Exponent of the predictor; by default left as a symbol. Of a loss.
        closure: How the moments are taken.
        architecture: Predictor, target and momentum. Of a loss.

    Returns:
        Loss, descent directions, predictor, open and closed dynamics of every state, the
        definitions that the closed ones need, the dynamics of the variance where they fit on a
        line, and conserved quantities. Of a model, the dynamics.

    Raises:
        UnknownName: No loss or model has this name.
        InvalidSetting: Loss and architecture do not fit.

    Source: Halvagal et al. 2023, from losses to eigenspace dynamics; by hand, the
    pages in derivations/.

    Examples:
        >>> for equation in eigendyn.theory.derivation("euclidean")[:3]:
        ...     print(equation.text)
        ℓ = Σ_k[(λ_k*z1_k - SG(z2_k))^2]/2
        δ1_m = -λ_m^2*z1_m + λ_m*z2_m
        δ2_m = 0
    """
    loss = as_given(loss)
    if isinstance(loss, ModeDynamics):
        return _of_model(loss, closure)
    delta1, delta2 = descent_directions(loss)
    dynamics = mode_dynamics(loss, alpha, architecture)
    closed = close(dynamics, closure)
    equations = [
        Equation("loss", ("ℓ", r"\ell"), loss.expression),
        Equation("descent, first view", ("δ1_m", r"\delta^{(1)}_m"), delta1),
        Equation("descent, second view", ("δ2_m", r"\delta^{(2)}_m"), delta2),
        Equation("predictor", ("λ_m", r"\lambda_m"), in_variances(dynamics.predictor)),
        *_rates("dynamics", dynamics),
        *_rates(f"dynamics, {closed.closure}", closed),
    ]
    equations += [*_definitions(closed), *_variance_rate(closed)]
    if architecture.is_anisotropic:
        name = "variance, where the encoder has the singular value s_m/√d_m"
        equations.append(Equation(name, ("v_m", "v_m"), sym.singular_value**2))
    for quantity in conserved_quantities(loss, alpha, decays=True, architecture=architecture):
        left = ("constant", r"\mathrm{constant}")
        right = in_variances(quantity.expression)
        equations.append(Equation(f"conserved, {quantity.name}", left, right))
    return equations


def _of_model(dynamics: ModeDynamics, closure: str) -> list[Equation]:
    """The equations of a model; closed ones too if it is written with open moments."""
    closed = close_model(dynamics, closure)
    equations = _rates("dynamics", dynamics)
    if dynamics.is_open:
        equations += _rates(f"dynamics, {closed.closure}", closed)
    return [*equations, *_definitions(closed), *_variance_rate(closed)]


def _definitions(closed: ModeDynamics) -> list[Equation]:
    """What stands for the auxiliary symbols of closed rates."""
    equations = []
    used = set().union(*(rate.free_symbols for rate in closed.rates))
    for symbol, meaning in closed.definitions:
        if symbol in used:
            used = used | meaning.free_symbols
            equations.append(Equation("where", (text(symbol), latex(symbol)), meaning))
    return equations


def _variance_rate(closed: ModeDynamics) -> list[Equation]:
    """The equation of the variance, where it fits on a line."""
    if len(closed.states) > 1 or closed.rates[0].has(sym.Average):
        return []
    rate = 2 * sym.singular_value * substitute(closed.rates[0], closed)
    left = ("dv_m/dt", r"\frac{dv_m}{dt}")
    return [Equation("dynamics of the variance", left, in_variances(rate))]


def _rates(name: str, dynamics: ModeDynamics) -> list[Equation]:
    """The equation of motion of every state."""
    return [
        Equation(
            name,
            (f"d{text(state)}/dt", rf"\frac{{d{latex(state)}}}{{dt}}"),
            rate,
        )
        for state, rate in zip(dynamics.states, dynamics.rates, strict=True)
    ]


def in_variances(expression: sp.Expr) -> sp.Expr:
    """Write an even function of the singular value as one of the variance v = s²."""
    return sp.powsimp(sp.expand(expression.xreplace({sym.singular_value: sp.sqrt(sym.variance)})))
