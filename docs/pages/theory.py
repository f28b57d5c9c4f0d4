"""Write a page for each of `derivations`: what is derived, and the assertion that it holds."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from types import ModuleType

from eigendyn.theory.formula import latex
from pages.places import ROOT, contents, write

ORDER = (  # as one would read them
    "euclidean",
    "iso_euclidean",
    "cosine",
    "iso_cosine",
    "no_stop_gradient",
    "no_predictor",
    "conservation",
    "rates",
    "recruitment",
    "closed_forms",
    "bifurcations",
    "running_correlation",
    "learned_predictor",
    "components",
    "designed_losses",
    "tilted_gaussian",
    "dirichlet",
)
NO_RESULTS = ("__init__", "page")
HEAD = """# Theory

Here you find every result that eigendyn rests on, as sympy derives it from the loss, beside the
form that a physicist writes by hand. Building these pages runs the assertions that both are the
same.

"""


def write_theory() -> None:
    """Write them all.

    Raises:
        AssertionError: What is derived is not what was written by hand.
        ValueError: A page of `derivations` has no place in the order, or the other way round.
    """
    there = {path.stem for path in (ROOT / "derivations").glob("*.py")} - set(NO_RESULTS)
    if there != set(ORDER):
        message = f"Each page of derivations must stand in ORDER once: {there ^ set(ORDER)}."
        raise ValueError(message)
    for name in ORDER:
        write(f"theory/{name}.md", _page(name))
    write("theory/index.md", HEAD + contents("../conventions", "../systems", *ORDER))


def _page(name: str) -> str:
    module = import_module(f"derivations.{name}")
    first, _, rest = inspect.getdoc(module).partition("\n")
    parts = [
        f"# {first.removesuffix('.')}",
        f"This page lets you check that result, and follow it step by step: in the project's "
        f"folder `python -m derivations.{name}` prints its equations.",
        _prose(rest),
    ]
    for claim in module.CLAIMS:
        parts += [f"## {_raised(inspect.getdoc(claim).splitlines()[0].removesuffix('.'))}"]
        for label, left, right in claim():
            begun = _raised(label[:1].upper() + label[1:])
            parts += [f"{begun}:", f"$$\n{left} = {latex(right)}\n$$"]
        code = "\n\n\n".join([*_by_hand(module, claim), inspect.getsource(claim).rstrip()])
        parts += [f":::{{dropdown}} By hand, and the assertion\n```python\n{code}\n```\n:::"]
    return "\n\n".join(parts) + "\n"


def _by_hand(module: ModuleType, claim) -> list[str]:
    """Sources of the hand forms that a claim compares with."""
    named = re.findall(r"\bhand_\w+", inspect.getsource(claim))
    names = [name for name in dict.fromkeys(named) if hasattr(module, name)]
    return [inspect.getsource(getattr(module, name)).rstrip() for name in names]


def _prose(text: str) -> str:
    """A docstring as Markdown: what is indented is set as it stands."""
    blocks = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        is_equation = block.startswith("    ")
        as_it_stands = f"```text\n{inspect.cleandoc(block)}\n```"
        blocks.append(as_it_stands if is_equation else _raised(block))
    return "\n\n".join(blocks)


def _raised(text: str) -> str:
    """Set v^{1+α}, λ^β and z_m as superscripts and subscripts."""
    text = text.replace("*", r"\*")
    text = re.sub(r"\^(?:\{([^}]+)\}|(\w))", lambda m: f"{{sup}}`{m[1] or m[2]}`", text)
    return re.sub(r"(?<!\w)(d?[^\W\d_]\d?)_(\w)\b", r"\1{sub}`\2`", text)
