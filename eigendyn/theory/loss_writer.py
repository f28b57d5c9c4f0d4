"""Write a loss as text in the language that `loss_text` reads."""

from __future__ import annotations

import keyword

import sympy as sp
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from eigendyn.errors import InvalidExpression
from eigendyn.theory import symbols as sym
from eigendyn.theory.loss_text import LARGEST_EXPONENT, LETTERS, TAKEN
from eigendyn.theory.symbols import ModeSum, StopGradient

NODES = (sp.Add, sp.Mul, sp.Rational, sp.Abs, ModeSum, StopGradient)  # of any arguments


def write_loss(expression: sp.Expr) -> str:
    """Write a loss as text, such that `parse_loss` reads the same expression from it.

    √(Σ x²) is written norm(x), |x| sqrt(x**2), the number of modes sum(1); floats become the
    decimals that Python shows for them.

    Args:
        expression: ℓ in the alphabet of `symbols`; symbols beyond it are parameters.

    Returns:
        One line of text. `parse_loss` refuses it if it is longer, deeper or higher than it allows.

    Raises:
        InvalidExpression: The expression has what the language has no words for: another function
            or constant, an exponent that is no plain number, or a symbol of the theory that is no
            letter of a loss.
    """
    exact = in_decimals(expression)
    for node in sp.preorder_traversal(exact):
        _check(node)
    return LossPrinter().doprint(exact)


def in_decimals(expression: sp.Expr) -> sp.Expr:
    """Make every float the rational number that Python shows for it: 0.1 is 1/10."""
    return expression.xreplace(
        {number: sp.Rational(repr(float(number))) for number in expression.atoms(sp.Float)}
    )


def _check(node: sp.Basic) -> None:
    if isinstance(node, sp.Symbol):
        known = node in LETTERS.values() or node == sym.modes
        is_free = node.name.isidentifier() and not keyword.iskeyword(node.name)
        writable = known or (is_free and node.name not in TAKEN)
        why = "has no letter or free name for it. Give it a number first"
    elif isinstance(node, sp.Pow):
        writable = node.exp.is_Rational
        why = "has plain numbers as exponents. Give its symbols numbers first"
    else:
        writable = isinstance(node, NODES)
        why = "knows sums over modes, norms, stop-gradients, roots and + - * / **. Use these"
    if not writable:
        message = f"{str(node)[:60]!r} cannot be written in the language of losses, which {why}."
        raise InvalidExpression(message)


def vector_of_norm(power: sp.Expr) -> tuple[sp.Expr, int] | None:
    """Take a power of a norm apart: (x, n) for (Σ x²)^{n/2} with odd n, None for all else."""
    if not (isinstance(power, sp.Pow) and isinstance(power.base, ModeSum)):
        return None
    exponent, square = 2 * power.exp, power.base.args[0]
    if not (exponent.is_Integer and exponent % 2):
        return None
    vector = sp.Mul(*map(_root, sp.Mul.make_args(square)))
    return (vector, int(exponent)) if vector**2 == square else None


def _root(factor: sp.Expr) -> sp.Expr:
    if isinstance(factor, sp.Pow) and (factor.exp / 2).is_Integer:
        return factor.base ** (factor.exp / 2)
    return sp.sqrt(factor) if factor.is_Rational and factor > 0 else factor  # a norm is real


class LossPrinter(StrPrinter):
    """Text of a loss: sum(…), norm(…), sg(…), positive terms first."""

    def _as_ordered_terms(self, expr: sp.Expr, order: str | None = None) -> list[sp.Expr]:
        terms = super()._as_ordered_terms(expr, order=order)
        return sorted(terms, key=lambda term: term.could_extract_minus_sign())

    def _print_Symbol(self, symbol: sp.Symbol) -> str:
        return "sum(1)" if symbol == sym.modes else symbol.name

    def _print_ModeSum(self, total: sp.Expr) -> str:
        return f"sum({self._print(total.args[0])})"

    def _print_StopGradient(self, stopped: sp.Expr) -> str:
        return f"sg({self._print(stopped.args[0])})"

    def _print_Abs(self, size: sp.Expr) -> str:
        return f"sqrt({self.parenthesize(size.args[0], PRECEDENCE['Pow'])}**2)"

    def _print_Pow(self, expr: sp.Expr, rational: bool = False) -> str:
        norm = vector_of_norm(expr)
        if norm is None or abs(norm[1]) > LARGEST_EXPONENT:
            return super()._print_Pow(expr, rational=rational)
        vector, power = norm
        written = f"norm({self._print(vector)})" + (f"**{abs(power)}" if abs(power) > 1 else "")
        return written if power > 0 else f"1/{written}"
