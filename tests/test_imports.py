"""Claims about the house: who imports whom, and who may do what.

Each rule is a function from the sources of the package, so that the tests can also plant an
offence and see it found.
"""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "eigendyn"

# Each room imports from rooms further up only; leaves are open to all.
ROOMS = [
    "symbols",
    "losses",
    "loss_text",
    "loss_writer",
    "derive",
    "conservation",
    "closure",
    "compile",
    "program",
    "machine",
    "formula",
    "export",
    "still",
    "node_errors",
    "nodes",
    "equations",
    "events",
    "integrate",
    "run",
    "measures",
    "outcomes",
    "result",
    "simulation",
    "engines",
    "ensembles",
    "analysis",
    "explorer",
    "design",
    "network",
    "agreement",
    "power",
    "crosschecks",
    "systems",
    "audits",
    "report",
    "plot",
    "portraits",
    "widgets",
    "notebook",
    "paper",
    "cli",
]
LEAVES = {
    *("errors", "checks", "choices", "settings", "start", "store", "trajectory", "device"),
    *(
        "precision",
        "presets",
        "other_names",
        "architecture",
        "averaging",
        "labelled",
        "outcome_words",
        "wording",
    ),
    *("matrices", "matrix_files", "tables", "columns"),
    "keywords",
}
APART = {"network"}  # must not share what it is compared with: imports leaves only
ONLY_IN = {
    "matplotlib": {"plot", "paper"},
    "click": {"cli"},
    "diffrax": {"integrate"},
    "llvmlite": {"machine"},
    "sympy": {
        *(
            "symbols",
            "losses",
            "loss_text",
            "derive",
            "conservation",
            "closure",
            "compile",
            "formula",
            "design",
            "export",
            "loss_writer",
        ),
        "integrate/closed_form",
        "program/derivation",
        "analysis/exact_rests",
        "integrate/decoupled",
    },
}
LAZY = {"__init__", "cli/main", "paper/figure"}  # load by name what is asked for
FORBIDDEN_CALLS = {"eval", "exec", "sympify", "parse_expr", "S"}


def sources():
    return {
        path.relative_to(PACKAGE).with_suffix("").as_posix(): path.read_text(encoding="utf-8")
        for path in PACKAGE.rglob("*.py")
    }


def imports(text):
    """Modules that are imported anywhere, in functions too; TYPE_CHECKING blocks left out.

    A relative import is given as it is written, with its dots: it is an offence of its own.
    """
    for node in _walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")
            if node.module == "eigendyn":
                yield from (f"eigendyn.{alias.name}" for alias in node.names)


def _walk(node):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING":
            for other in child.orelse:
                yield other
                yield from _walk(other)
            continue
        yield child
        yield from _walk(child)


def room(module):
    return module.split("/")[0]


def wrong_directions(files):
    for module, text in files.items():
        if room(module) in ("__init__", "__main__"):
            continue
        for imported in imports(text):
            parts = imported.split(".")
            if parts[0] == "":
                yield f"{module} imports {imported}; write its full name"
            if parts[0] in ("derivations", "figures"):
                yield f"{module} imports {imported}"
            if parts[0] != "eigendyn" or len(parts) == 1:
                continue
            other = parts[1]
            if other not in ROOMS and other not in LEAVES:
                yield f"{module} imports {imported}, which stands in no room"
            elif room(module) in APART and other in ROOMS and other != room(module):
                yield f"{module}, which stands apart, imports {imported}"
            elif room(module) in LEAVES and other in ROOMS:
                yield f"the leaf {module} imports {imported}"
            elif other in ROOMS and ROOMS.index(other) > ROOMS.index(room(module)):
                yield f"{module} imports {imported} from downstream"


def misplaced_libraries(files):
    for module, text in files.items():
        for imported in imports(text):
            allowed = ONLY_IN.get(imported.split(".")[0])
            if allowed is not None and not {room(module), module} & allowed:
                yield f"{module} imports {imported}"


def calls(text):
    """Names that are called, in whatever module they live."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "attr", getattr(node.func, "id", ""))


def taken(text):
    """Names that are called, passed on or given another name: bare, or imported from elsewhere."""
    yield from calls(text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute) and node.attr == "lambdify":
            yield node.attr
        elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("eigendyn"):
            yield from (alias.name for alias in node.names)


def executed_text(files):
    for module, text in files.items():
        for name in taken(text):
            if name in FORBIDDEN_CALLS or (name == "lambdify" and module != "compile"):
                yield f"{module} uses {name}"


def hidden_imports(files):
    for module, text in files.items():
        for name in taken(text):
            if name in ("__import__", "import_module") and module not in LAZY:
                yield f"{module} uses {name}"


def created_symbols(files):
    for module, text in files.items():
        if module == "symbols":
            continue
        constructed = ("Symbol", "Dummy", "Wild", "IndexedBase", "Idx")
        for name in taken(text):
            if name in constructed:
                yield f"{module} uses {name}"
        if "symbols" in calls(text):
            yield f"{module} calls symbols"
        if "sympy.abc" in imports(text):
            yield f"{module} imports sympy.abc"


RULES = [wrong_directions, misplaced_libraries, executed_text, hidden_imports, created_symbols]


@pytest.mark.parametrize("rule", RULES)
def test_the_house_keeps_its_rules(rule):
    assert list(rule(sources())) == []


def test_every_room_exists():
    rooms = {room(module) for module in sources()}
    assert rooms == {*ROOMS, *LEAVES, "__init__", "__main__"}


@pytest.mark.parametrize(
    ("rule", "module", "text"),
    [
        (wrong_directions, "losses", "from eigendyn.derive import mode_dynamics"),
        (wrong_directions, "closure/exact", "def f():\n    import eigendyn.compile"),
        (wrong_directions, "errors", "from eigendyn import losses"),
        (wrong_directions, "network/losses", "from eigendyn.symbols import z1"),
        (wrong_directions, "network/descent", "from eigendyn.derive import mode_dynamics"),
        (wrong_directions, "plot/spectrum", "import derivations.cosine"),
        (wrong_directions, "losses", "from .derive import mode_dynamics"),
        (wrong_directions, "losses", "from . import derive"),
        (wrong_directions, "losses", "if TYPE_CHECKING:\n    pass\nelse:\n    import eigendyn.cli"),
        (misplaced_libraries, "result", "from matplotlib.figure import Figure"),
        (misplaced_libraries, "simulation", "import click"),
        (misplaced_libraries, "nodes", "import diffrax"),
        (misplaced_libraries, "integrate/flow", "import sympy as sp"),
        (executed_text, "cli/main", "eval('1')"),
        (executed_text, "losses", "sp.sympify('x')"),
        (executed_text, "losses", "from sympy import lambdify as compiled"),
        (executed_text, "losses", "list(map(eval, ['1']))"),
        (executed_text, "losses", "compiled = sp.lambdify"),
        (hidden_imports, "losses", "import importlib\nimportlib.import_module('click')"),
        (hidden_imports, "losses", "__import__('click')"),
        (created_symbols, "losses", "from sympy import Symbol as Letter"),
        (created_symbols, "losses", "from sympy.abc import x"),
        (executed_text, "formula", "sp.lambdify([], [])"),
        (created_symbols, "losses", "sp.Symbol('x')"),
    ],
)
def test_an_offence_is_found(rule, module, text):
    assert list(rule({module: text}))
