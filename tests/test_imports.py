"""Claims about the house: who imports whom, and who may do what.

Each rule is a function from the sources of the package, so that the tests can also plant an
offence and see it found.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "eigendyn"

# Each room imports from itself and from rooms before it; `errors` is open to all.
ROOMS = [
    "settings",
    "results",
    "recording",
    "data",
    "theory",
    "program",
    "simulation",
    "network",
    "crosschecks",
    "analysis",
    "sweeping",
    "fitting",
    "training",
    "show",
    "cli",
]
BESIDE = {"errors", "__init__", "__main__", "plot", "spectrum"}
APART = {"network": {"settings"}}  # must not share what it is compared with
ONLY_IN = {  # files and folders
    "matplotlib": {"show/plot", "show/notebook", "show/paper", "show/portrait"},
    "click": {"cli"},
    "sklearn": {"data", "training"},
    "diffrax": {"simulation/engines/in_jax"},
    "equinox": {"training"},
    "optax": {"training"},
    "zarr": {"sweeping"},
    "dask": {"sweeping"},
    "distributed": {"sweeping"},
    "llvmlite": {
        "program/machine",
        "simulation/engines/lanes",
        "simulation/engines/shifted",
    },
    "sympy": {
        "theory",
        "program/derivation",
        "program/in_jax",
        "simulation/engines/shifted/power_sum",
        "analysis/design",
        "analysis/fixed_points/exact_rests",
    },
}
LAZY = {
    "__init__",
    "settings/namespace",
    "simulation/engines/task",
    "cli/main",
    "show/paper/figure",
}  # load by name what is asked for
FORBIDDEN_CALLS = {"eval", "exec", "sympify", "parse_expr", "S"}
RUNS = {  # what is written by this package itself, from checked expressions
    "lambdify": "program/in_jax",
    "exec": "training/exported",
}


def sources():
    return {
        path.relative_to(PACKAGE).with_suffix("").as_posix(): path.read_text(encoding="utf-8")
        for path in PACKAGE.rglob("*.py")
    }


@cache
def nodes(text):
    return tuple(ast.walk(ast.parse(text)))


def imports(text):
    """Modules that are imported anywhere: in functions, and for type checkers too.

    A relative import is given as it is written, with its dots: it is an offence of its own. What is
    taken from a module is given too, since it may be a module itself.
    """
    for node in nodes(text):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            if module != "eigendyn":
                yield module
            if module.split(".")[0] == "eigendyn":
                yield from (f"{module}.{alias.name}" for alias in node.names)


def taken_from(text, module):
    """Names that are imported from a module."""
    for node in nodes(text):
        if isinstance(node, ast.ImportFrom) and node.module == module:
            yield from (alias.name for alias in node.names)


def room(module):
    return module.split("/")[0]


def lies_in(module, places):
    return any(f"{module}/".startswith(f"{place}/") for place in places)


def wrong_directions(files):
    for module, text in files.items():
        here = room(module)
        if here in BESIDE - {"errors"} or module.endswith("/__init__"):  # show names of others
            continue
        for imported in imports(text):
            first, other, *_ = [*imported.split("."), ""]
            if first == "":
                yield f"{module} imports {imported}; write its full name"
            if first in ("derivations", "figures"):
                yield f"{module} imports {imported}"
            if first != "eigendyn" or other == "errors":
                continue
            if other == "":
                yield f"{module} imports all of {imported}"
            elif other not in ROOMS:
                yield f"{module} imports {imported}, which stands in no room"
            elif here in APART and other not in {here, *APART[here]}:
                yield f"{module}, which stands apart, imports {imported}"
            elif here in BESIDE or ROOMS.index(other) > ROOMS.index(here):
                yield f"{module} imports {imported} from downstream"


def circles(files):
    """Files that import each other in a loop, which a reader has to know all at once."""
    named = {module.removesuffix("/__init__"): module for module in files}
    arrows = {
        module: {
            named[path]
            for imported in imports(text)
            if (path := imported.removeprefix("eigendyn.").replace(".", "/")) in named
            and not any(f"{path}/{alias}" in named for alias in taken_from(text, imported))
        }
        for module, text in files.items()
    }
    while ends := {module for module, others in arrows.items() if not others & set(arrows)}:
        arrows = {module: others for module, others in arrows.items() if module not in ends}
    if arrows:
        yield f"in a circle, or above one: {', '.join(sorted(arrows))}"


def misplaced_libraries(files):
    for module, text in files.items():
        for imported in imports(text):
            allowed = ONLY_IN.get(imported.split(".")[0])
            if allowed is not None and not lies_in(module, allowed):
                yield f"{module} imports {imported}"


def calls(text):
    """Names that are called, in whatever module they live."""
    for node in nodes(text):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "attr", getattr(node.func, "id", ""))


def taken(text):
    """Names that are called, passed on or given another name: bare, or imported from elsewhere."""
    yield from calls(text)
    for node in nodes(text):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute) and node.attr == "lambdify":
            yield node.attr
        elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("eigendyn"):
            yield from (alias.name for alias in node.names)


def executed_text(files):
    for module, text in files.items():
        for name in taken(text):
            if name in {*FORBIDDEN_CALLS, "lambdify"} and RUNS.get(name) != module:
                yield f"{module} uses {name}"


def hidden_imports(files):
    for module, text in files.items():
        for name in taken(text):
            if name in ("__import__", "import_module") and module not in LAZY:
                yield f"{module} uses {name}"


def created_symbols(files):
    for module, text in files.items():
        if module == "theory/symbols":
            continue
        constructed = ("Symbol", "Dummy", "Wild", "IndexedBase", "Idx")
        for name in taken(text):
            if name in constructed:
                yield f"{module} uses {name}"
        if "symbols" in calls(text):
            yield f"{module} calls symbols"
        if "sympy.abc" in imports(text):
            yield f"{module} imports sympy.abc"


RULES = [
    wrong_directions,
    circles,
    misplaced_libraries,
    executed_text,
    hidden_imports,
    created_symbols,
]


@pytest.mark.parametrize("rule", RULES)
def test_the_house_keeps_its_rules(rule):
    assert list(rule(sources())) == []


def test_the_house_has_these_rooms():
    assert {room(module) for module in sources()} == {*ROOMS, *BESIDE}


@pytest.mark.parametrize(
    ("rule", "module", "text"),
    [
        (wrong_directions, "theory/losses", "from eigendyn.program import in_jax"),
        (wrong_directions, "theory/closure/exact", "def f():\n    import eigendyn.program.in_jax"),
        (wrong_directions, "settings/presets", "import eigendyn"),
        (wrong_directions, "settings/presets", "from eigendyn import simulate"),
        (wrong_directions, "data/measure", "from eigendyn.theory import losses"),
        (wrong_directions, "errors", "from eigendyn.theory import losses"),
        (wrong_directions, "network/losses", "from eigendyn.theory.symbols import z1"),
        (wrong_directions, "network/descent", "from eigendyn.theory.derive import mode_dynamics"),
        (wrong_directions, "show/plot/spectrum", "import derivations.cosine"),
        (wrong_directions, "theory/losses", "from .derive import mode_dynamics"),
        (wrong_directions, "theory/losses", "from . import derive"),
        (wrong_directions, "theory/losses", "if TYPE_CHECKING:\n    import eigendyn.cli.main"),
        (misplaced_libraries, "results/dataset", "from matplotlib.figure import Figure"),
        (misplaced_libraries, "simulation/simulate", "import click"),
        (misplaced_libraries, "simulation/nodes", "import diffrax"),
        (misplaced_libraries, "simulation/engines/in_jax/flow", "import sympy as sp"),
        (executed_text, "cli/main", "eval('1')"),
        (executed_text, "theory/losses", "sp.sympify('x')"),
        (executed_text, "theory/losses", "from sympy import lambdify as compiled"),
        (executed_text, "theory/losses", "list(map(eval, ['1']))"),
        (executed_text, "theory/losses", "compiled = sp.lambdify"),
        (executed_text, "training/run", "exec(source)"),
        (executed_text, "training/exported", "eval('1')"),
        (hidden_imports, "theory/losses", "import importlib\nimportlib.import_module('click')"),
        (hidden_imports, "theory/losses", "__import__('click')"),
        (created_symbols, "theory/losses", "from sympy import Symbol as Letter"),
        (created_symbols, "theory/losses", "from sympy.abc import x"),
        (executed_text, "theory/formula", "sp.lambdify([], [])"),
        (created_symbols, "theory/losses", "sp.Symbol('x')"),
    ],
)
def test_an_offence_is_found(rule, module, text):
    assert list(rule({module: text}))


def test_a_circle_is_found_wherever_it_is_closed():
    there = "from eigendyn.theory import derive"
    for back in (
        "import eigendyn.theory.losses",
        "if TYPE_CHECKING:\n    from eigendyn.theory.losses import cosine",
        "def f():\n    from eigendyn.theory.losses import cosine",
    ):
        assert list(circles({"theory/losses": there, "theory/derive": back}))
    assert not list(circles({"theory/losses": there, "theory/derive": "import math"}))
