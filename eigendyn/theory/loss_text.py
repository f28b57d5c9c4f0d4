"""Read a loss, or a growth rate, from text, and execute nothing in it.

Python's own parser makes a tree of the text, and this module builds an expression from the few
kinds of nodes that it knows: numbers, letters, the names of parameters, functions, + − * / **. What
`formula.text` prints is read too: Σ_k[λ_k*z1_k^2] is sum(lam*z1**2).
"""

from __future__ import annotations

import ast
import keyword
import math
import re
import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NoReturn

import sympy as sp

from eigendyn.errors import InvalidExpression
from eigendyn.settings.checks import one_spelling
from eigendyn.settings.keywords import takes
from eigendyn.theory.losses import SymbolicLoss, own_loss
from eigendyn.theory.multiplied_out import (
    Terms,
    TooManyTerms,
    degree,
    highest_power,
    multiplied_out,
)
from eigendyn.theory.symbols import (
    NAMES,
    lam,
    loss_parameter,
    mode_sum,
    modes,
    norm,
    release,
    stop_gradient,
    z1,
    z2,
)

LONGEST = 1_000  # characters
DEEPEST = 30  # nodes inside one another
MOST_NODES = 200
LARGEST_EXPONENT = 6
HIGHEST = 16  # in z1 and z2, and of every power: no sample has averages of higher ones
MOST_PRODUCTS = 2_000  # of terms, until loss or gradient is multiplied out: two seconds of algebra
LONGEST_SHOWN = 30  # characters of what is not understood
LARGEST_NUMBER = 1e12
LARGEST_DENOMINATOR = 10**12

Functions = Mapping[str, Callable[[sp.Expr], sp.Expr]]


SIGNS = str.maketrans({"^": "**", "·": "*", "⋅": "*", "×": "*", "−": "-", "√": "sqrt", "∑": "Σ"})
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
PRINTED = MappingProxyType({"λ": "lam", "Σ": "sum", "SG": "sg", "Abs": "abs"})
NUMBER_OF_MODES = "M"
INDEX = re.compile(r"_[mklnpq]$")  # of a mode, as `formula` prints it

LETTERS = MappingProxyType({"z1": z1, "z2": z2, "lam": lam})
FUNCTIONS: Functions = MappingProxyType(
    {
        "sum": mode_sum,
        "norm": norm,
        "sg": stop_gradient,
        "sqrt": sp.sqrt,
        "abs": lambda value: sp.sqrt(value**2),
    }
)
TAKEN = frozenset({*NAMES, *FUNCTIONS, *PRINTED, NUMBER_OF_MODES})  # no names of parameters
EXAMPLE = "-sum(lam*z1*sg(z2)) / (norm(lam*z1)*norm(sg(z2)))"
RATE_LETTERS = MappingProxyType({"lam": lam})
RATE_FUNCTIONS: Functions = MappingProxyType(
    {name: FUNCTIONS[name] for name in ("sum", "sqrt", "abs")}
)
RATE_EXAMPLE = "1 - lam"


@takes()
def parse_loss(text: str, parameters: Mapping[str, float] | None = None) -> SymbolicLoss:
    """Read a loss, as in "-sum(lam*z1*sg(z2)) / (norm(lam*z1)*norm(sg(z2)))".

    z1 and z2 are the representations of both views in the predictor's eigenbasis and lam its
    eigenvalue, one for each mode; sum(…) sums over modes, norm(x) is √(sum(x²)), sg(…) stops the
    gradient. λ, ^ and all else that a derivation prints are read too. Its descent
    directions are δ1_m = −∂ℓ/∂z1_m and δ2_m = −∂ℓ/∂z2_m, in which lam and sg(…) are constants.

    Args:
        text: At most 1,000 characters.
        parameters: Numbers by the names that the text uses for them.

    Returns:
        The loss, named by its text; its parameters stay symbols, with these numbers.

    Raises:
        InvalidExpression: The text is no expression in this alphabet, or too long, deep, large or
            high.
        InvalidSetting: It is not a scalar, or changes when a mode changes sign in both views.

    Source: the alphabet, Halvagal et al. 2023, losses in the predictor's eigenbasis; the language
    is of our own.

    Examples:
        >>> loss = eigendyn.parse_loss("sum((lam*z1 - gamma*sg(z2))**2)/2", {"gamma": 0.8})
        >>> run = eigendyn.simulate(loss, [0.1, 0.5], sigma1=0)
        >>> run.variance.isel(time=-1).values.round(3).tolist()
        [0.8, 0.8]
    """
    numbers = check_parameters(parameters or {})
    reader = _Reader("loss", text, LETTERS, FUNCTIONS, tuple(numbers), EXAMPLE)
    expression = reader.read()
    if expression.free_symbols.isdisjoint({z1, z2}):
        message = f"A loss must depend on z1 or z2; {reader.text!r} does not. Try {EXAMPLE!r}."
        raise InvalidExpression(message)
    told = ", ".join(f"{name} = {value:g}" for name, value in numbers.items())
    return own_loss(f"{reader.text} with {told}" if told else reader.text, expression, numbers)


def parse_rate(
    text: str, parameters: Mapping[str, float] | None = None
) -> tuple[sp.Expr, tuple[tuple[str, float], ...]]:
    """Read a growth rate of a mode, as in "1 - lam" or "sum(lam**2)/sum(lam) - lam".

    Args:
        text: In lam, the predictor's eigenvalue of the mode, and sums over modes; at most 1,000
            characters.
        parameters: Numbers by the names that the text uses for them.

    Returns:
        The rate, whose parameters stay symbols, and these with their numbers.

    Raises:
        InvalidExpression: The text is no expression in this alphabet, or too long, deep, large or
            high.
    """
    numbers = check_parameters(parameters or {})
    reader = _Reader("rate", text, RATE_LETTERS, RATE_FUNCTIONS, tuple(numbers), RATE_EXAMPLE)
    return reader.read(), tuple(numbers.items())


def check_parameters(parameters: Mapping[str, float]) -> dict[str, float]:
    """Check that every parameter has a name that is free, and a number.

    Raises:
        InvalidExpression: One has not.
    """
    spelled = {one_spelling(name): value for name, value in parameters.items()}
    if len(spelled) < len(parameters):
        message = f"Two of the parameters {', '.join(parameters)} are one name. Keep one."
        raise InvalidExpression(message)
    for name, value in spelled.items():
        if not name.isidentifier() or keyword.iskeyword(name) or name in TAKEN:
            message = (
                f"A parameter needs a name of letters and digits that is not taken, not {name!r}. "
                "Try gamma."
            )
            raise InvalidExpression(message)
        if not (isinstance(value, int | float) and abs(value) <= LARGEST_NUMBER):
            message = (
                f"The parameter {name} must be a number of at most {LARGEST_NUMBER:g}, not "
                f"{value!r}. Try {name}=0.5."
            )
            raise InvalidExpression(message)
    return {name: float(value) for name, value in spelled.items()}


def _in_python(text: str) -> str:
    """Signs of mathematics in Python's spelling: λ^2, λ² and −λ·z1."""
    text = re.sub(r"^\s*ℓ\s*=", "", text).translate(SIGNS)
    return re.sub(r"[⁰-⁹¹²³⁻]+", lambda found: f"**{found[0].translate(SUPERSCRIPTS)}", text)


class _Reader:
    """One text, while it is read."""

    def __init__(
        self,
        what: str,
        text: str,
        letters: Mapping[str, sp.Symbol],
        functions: Functions,
        parameters: tuple[str, ...],
        example: str,
    ) -> None:
        if not isinstance(text, str) or not text.strip() or len(text) > LONGEST:
            has_text = isinstance(text, str) and bool(text.strip())
            given = f"{len(text)} characters" if has_text else "nothing"
            message = (
                f"A {what} must be 1 to {LONGEST} characters of text, not {given}. Try {example!r}."
            )
            raise InvalidExpression(message)
        self.what = what
        self.text = " ".join(text.split())
        self.python = _in_python(self.text).strip()
        self.letters = {**letters, **{name: loss_parameter(name) for name in parameters}}
        self.functions = functions
        self.example = example
        names = [*letters, *(f"{name}(…)" for name in functions), "numbers"]
        self.alphabet = ", ".join(names)
        self.nodes = 0

    def read(self) -> sp.Expr:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the parser, on text such as "1or 2"
                tree = ast.parse(self.python, mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            reason = getattr(error, "msg", None) or "it cannot be read"
            self._refuse(f"is no expression ({reason})")
        expression = self._build(tree.body, 1)
        self._check_size(expression)
        return expression

    def _build(self, node: ast.expr, depth: int) -> sp.Expr:
        self.nodes += 1
        if depth > DEEPEST or self.nodes > MOST_NODES:
            self._refuse(f"is too large: {MOST_NODES} terms, {DEEPEST} deep are allowed")
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self._number(value)
            case ast.Name(id=name):
                return self._letter(name)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
                value = self._build(operand, depth + 1)
                return -value if isinstance(sign, ast.USub) else value
            case ast.BinOp(left=left, op=operation, right=right):
                first, second = self._build(left, depth + 1), self._build(right, depth + 1)
                return self._checked(self._combine(operation, first, second))
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if not isinstance(
                argument, ast.Starred
            ):
                return self._function(name, argument, depth)
            case ast.Subscript(value=ast.Name(id=name), slice=argument) if (
                self._plain(name) == "sum"
            ):
                return self._function(name, argument, depth)
        written = ast.get_source_segment(self.python, node) or type(node).__name__
        return self._refuse(
            f"has {_shown(written)!r}, and the alphabet is {self.alphabet}, + - * / **"
        )

    def _number(self, value: float) -> sp.Expr:
        if not (math.isfinite(value) and abs(value) <= LARGEST_NUMBER):
            self._refuse(f"has a number beyond {LARGEST_NUMBER:g}")
        return sp.Rational(repr(value)) if isinstance(value, float) else sp.Integer(value)

    def _plain(self, name: str) -> str:
        """A name without the index of a mode, in the letters of the alphabet."""
        if name in self.letters:  # a parameter's too
            return name
        bare = INDEX.sub("", name)
        plain = PRINTED.get(bare, bare)
        return plain if plain in self.letters or plain in self.functions else name

    def _function(self, name: str, argument: ast.expr, depth: int) -> sp.Expr:
        plain = self._plain(name)
        if plain not in self.functions:
            self._refuse(f"uses {_shown(name)!r}, and the alphabet is {self.alphabet}")
        return self._checked(self.functions[plain](self._build(argument, depth + 1)))

    def _letter(self, name: str) -> sp.Expr:
        plain = self._plain(name)
        if plain in self.letters:
            return self.letters[plain]
        if name == NUMBER_OF_MODES:
            return modes
        return self._refuse(
            f"uses {_shown(name)!r}, and the alphabet is {self.alphabet}; a parameter needs its "
            f"number, as in `parameters={{{_shown(name)!r}: 0.5}}`"
        )

    def _combine(self, operation: ast.operator, left: sp.Expr, right: sp.Expr) -> sp.Expr:
        match operation:
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Mult():
                return left * right
            case ast.Div():
                if right == 0:
                    self._refuse("divides by zero")
                return left / right
            case ast.Pow():
                if not (right.is_Rational and abs(right) <= LARGEST_EXPONENT):
                    self._refuse(
                        f"has the exponent {str(right)[:20]!r}, and exponents are plain numbers "
                        f"of at most {LARGEST_EXPONENT}"
                    )
                if left == 0 and right < 0:
                    self._refuse("divides by zero")
                return left**right
        return self._refuse("uses an operator other than + - * / **")

    def _checked(self, value: sp.Expr) -> sp.Expr:
        """Refuse a number that is not real and finite, or out of bounds."""
        plain = release(value)
        if plain.is_number:
            small = plain.is_real and plain.is_finite and abs(float(plain)) <= LARGEST_NUMBER
            if not small or (plain.is_Rational and plain.q > LARGEST_DENOMINATOR):
                self._refuse(f"has a number that is not real, or beyond {LARGEST_NUMBER:g}")
        if isinstance(value, sp.Pow) and not value.exp.is_Integer:
            self._multiplied_out(value)  # roots of roots of … take long already to be asked of
        return value

    def _check_size(self, expression: sp.Expr) -> None:
        """Refuse what would take long to derive, or whose averages are of high powers."""
        terms = self._multiplied_out(expression)
        for letter in (z1, z2, lam):
            self._multiplied_out(letter * expression.diff(letter))
        if max((max(degree(term), highest_power(term)) for term in terms), default=0) > HIGHEST:
            self._refuse(f"has a power beyond {HIGHEST} when it is multiplied out")

    def _multiplied_out(self, expression: sp.Expr) -> Terms:
        try:
            return multiplied_out(expression, MOST_PRODUCTS)
        except TooManyTerms:
            self._refuse(f"takes more than {MOST_PRODUCTS:,} products of terms to multiply out")

    def _refuse(self, what: str) -> NoReturn:
        shown = self.text if len(self.text) <= 60 else self.text[:57] + "…"
        message = f"The {self.what} {shown!r} {what}. Try {self.example!r}."
        raise InvalidExpression(message) from None


def _shown(written: str) -> str:
    return written if len(written) <= LONGEST_SHOWN else f"{written[:LONGEST_SHOWN]}…"
