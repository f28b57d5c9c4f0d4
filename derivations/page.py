"""Check the claims of a page, and print their equations as labelled LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import sympy as sp

from eigendyn.theory.formula import latex

Line = tuple[str, str, sp.Expr]  # label, left side in LaTeX, right side
Claim = Callable[[], list[Line]]


def show(docstring: str, claims: Iterable[Claim]) -> None:
    """Print the page's first sentence, and what every claim derives."""
    print(f"% {docstring.splitlines()[0]}")
    for claim in claims:
        print(f"\n% {claim.__doc__.splitlines()[0]}")
        for label, left, right in claim():
            print(rf"\[ {left} = {latex(right)} \] % {label}")
